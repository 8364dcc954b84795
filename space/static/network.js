/** The network as the page sees it: questions and their answers, which a worker computes. */

import { Refusal } from "./file.js";

/** @typedef {import("./picture.js").Picture} Picture */

/**
 * @typedef {object} Answer
 * @property {number[]} probabilities one a class, in the order of the classes
 * @property {number | undefined} familiarity about -1 for pictures like those of the training, far below for others
 * @property {Float32Array[]} maps a heat map for each layer, size × size values from 0 to 1
 * @property {Float32Array[]} ranges the smallest and the largest value of each map before it was stretched to 0–1
 */

export class Network {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  #count = 0;
  /** @type {Error | undefined} why the worker answers no more */
  #broken;
  #size;

  /** @type {Promise<void>} kept when the network can be asked */
  ready;

  /**
   * @param {object} options
   * @param {{network: string, runtime: string}} options.files their addresses, as seen from this folder
   * @param {number} options.size the side of the network's input, in pixels
   * @param {(loaded: number) => void} [options.onProgress] is told how many bytes have come
   */
  constructor({ files, size, onProgress = () => {} }) {
    this.#size = size;
    this.#worker.onmessage = ({ data }) => ("loaded" in data ? onProgress(data.loaded) : this.#settle(data));
    this.#worker.onerror = () => this.#fail(new Error("the part of this page that computes could not be started"));
    this.ready = this.#ask("load", files);
  }

  /** @param {{id: number, value?: any, error?: string, refused?: boolean}} message */
  #settle({ id, value, error, refused }) {
    if (this.#broken) return; // who asked was told so
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(refused ? new Refusal(error) : new Error(error));
  }

  /** @param {Error} error */
  #fail(error) {
    this.#broken = error;
    this.#waiting.forEach(({ reject }) => reject(error));
    this.#waiting.clear();
  }

  /** @param {string} ask @param {object} request @returns {Promise<any>} */
  #ask(ask, request) {
    if (this.#broken) return Promise.reject(this.#broken);
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ask, request });
    });
  }

  /**
   * Read a file as the network will see it; fails with a Refusal if it cannot be used.
   *
   * @param {Blob} file
   * @param {string} name for the sentence that says why it cannot be used
   * @returns {Promise<Picture>}
   */
  read(file, name) {
    return this.#ask("read", { file, name, size: this.#size });
  }

  /**
   * @param {Picture["pixels"]} pixels
   * @param {number} [target] the class that the maps explain; the most probable one unless given
   * @returns {Promise<Answer>}
   */
  async explain(pixels, target = -1) {
    await this.ready;
    return this.#ask("explain", { pixels, size: this.#size, target });
  }
}
