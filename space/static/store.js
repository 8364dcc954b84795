/** The store: test images with the answers that the network gave. */

import { getBlob, getJson, percent } from "./dom.js";

/** @typedef {{label: number, predicted: number, confidence: number, picture: Blob}} Row one image; classes are numbers */

/**
 * @typedef {object} Wanted
 * @property {string} which "misclassified", "correct", or the number of a class, of which all are taken
 * @property {string} [label] the number of the true class; "" for any
 * @property {string} [predicted] the number of the predicted class; "" for any
 */

export class Store {
  /** @param {Row[]} rows @param {string[]} classes */
  constructor(rows, classes) {
    this.rows = rows;
    this.classes = classes;
  }

  /**
   * @param {{rows: string, pictures: string} | null} files their addresses; null if no images came with the app
   * @param {string[]} classes
   */
  static async load(files, classes) {
    if (!files) return new Store([], classes);
    const [rows, pictures] = await Promise.all([getJson(files.rows), getBlob(files.pictures)]);
    let start = 0;
    return new Store(
      rows.map(([label, predicted, confidence, bytes]) => {
        start += bytes;
        return { label, predicted, confidence, picture: pictures.slice(start - bytes, start, "image/webp") };
      }),
      classes,
    );
  }

  /** The images that answer to a description, the surest first. @param {Wanted} wanted @returns {Row[]} */
  select({ which, label = "", predicted = "" }) {
    const fits = (/** @type {string} */ choice, /** @type {number} */ value) =>
      choice === "" || Number(choice) === value;
    const kinds = {
      misclassified: (/** @type {Row} */ row) => row.label !== row.predicted,
      correct: (/** @type {Row} */ row) => row.label === row.predicted,
    };
    const isKind = kinds[which] ?? ((row) => fits(which, row.label));
    return this.rows
      .filter((row) => isKind(row) && fits(label, row.label) && fits(predicted, row.predicted))
      .sort((a, b) => b.confidence - a.confidence);
  }

  /** Prediction, its probability and, in brackets, the true class. @param {Row} row */
  caption({ label, predicted, confidence }) {
    return `${this.classes[predicted]} ${percent(confidence)} (${this.classes[label]})`;
  }
}
