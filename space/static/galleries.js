/** The second and the third tab: heat maps of many test images, and the images that the network gets wrong. */

import { find, grouped, make, showValue, tell } from "./dom.js";
import { Overlay } from "./explanation.js";

/** @typedef {import("./network.js").Answer} Answer */
/** @typedef {import("./network.js").Picture} Picture */
/** @typedef {import("./page.js").App} App */
/** @typedef {import("./store.js").Row} Row */

const SIDE = 224; // pixels, of one picture among many

/** A picture of a gallery, to be clicked on. @param {HTMLElement} picture @param {string} caption @param {() => void} open */
function item(picture, caption, open) {
  return make("li", {}, make("button", { type: "button", onclick: open }, picture, make("span", {}, caption)));
}

export class MapsTab {
  #app;
  #open;
  /** @type {Map<Row, Promise<{picture: Picture, answer: Answer}>>} of the images that are shown */
  #answers = new Map();
  /** @type {Overlay[]} */
  #overlays = [];
  #asked = 0;

  /** @param {App} app @param {(row: Row) => void} open what happens when an image is chosen */
  constructor(app, open) {
    this.#app = app;
    this.#open = open;
    for (const id of ["maps-count", "maps-opacity"]) showValue(find(id));
    find("maps-opacity").addEventListener("input", () => this.#blend());
    for (const id of ["maps-show", "maps-count", "maps-which", "maps-layer"]) {
      find(id).addEventListener("input", () => this.update());
    }
  }

  /** @param {Row} row */
  async #explain(row) {
    const picture = await this.#app.network.read(row.picture, "The image");
    return { picture, answer: await this.#app.network.explain(picture.pixels) };
  }

  /** Show what the controls ask for, one image after the other. */
  async update() {
    const asked = ++this.#asked;
    const { store, colours } = this.#app;
    const found = store.select({ which: find("maps-which").value });
    const rows = find("maps-show").checked ? found.slice(0, Number(find("maps-count").value)) : [];
    this.#answers = new Map(rows.map((row) => [row, this.#answers.get(row)]));
    this.#overlays = rows.map(() => new Overlay(SIDE, colours));
    this.#blend();
    const items = rows.map((row, i) => item(this.#overlays[i].element, store.caption(row), () => this.#open(row)));
    find("maps-gallery").replaceChildren(...items);
    find("maps-found").textContent = `${grouped(rows.length)} of ${grouped(found.length)} such images.`;
    tell(find("maps-gallery"), { "aria-busy": true });
    try {
      for (const [i, row] of rows.entries()) {
        if (!this.#answers.get(row)) this.#answers.set(row, this.#explain(row));
        const { picture, answer } = await this.#answers.get(row);
        if (asked !== this.#asked) return;
        const [name, map] = [store.classes[row.predicted], answer.maps[Number(find("maps-layer").value)]];
        this.#overlays[i].show(picture.photo, map, `Heat map of ${name}`);
        if (!map.some((value) => value > 0))
          items[i].querySelector("span").append(": nothing at this layer speaks for it");
      }
    } catch (error) {
      this.#answers.clear(); // so that another try may succeed
      throw error;
    } finally {
      if (asked === this.#asked) tell(find("maps-gallery"), { "aria-busy": false });
    }
  }

  #blend() {
    for (const overlay of this.#overlays) overlay.opacity = Number(find("maps-opacity").value);
  }
}

export class MistakesTab {
  #app;
  #open;
  /** @type {string[]} */
  #addresses = [];

  /** @param {App} app @param {(row: Row) => void} open what happens when an image is chosen */
  constructor(app, open) {
    this.#app = app;
    this.#open = open;
    showValue(find("mistakes-count"));
    for (const id of ["mistakes-show", "mistakes-count", "mistakes-true", "mistakes-taken"]) {
      find(id).addEventListener("input", () => this.update());
    }
  }

  /** Show what the controls ask for. */
  update() {
    const { store } = this.#app;
    const wanted = {
      which: "misclassified",
      label: find("mistakes-true").value,
      predicted: find("mistakes-taken").value,
    };
    const found = store.select(wanted);
    const rows = find("mistakes-show").checked ? found.slice(0, Number(find("mistakes-count").value)) : [];
    this.#addresses.forEach((address) => URL.revokeObjectURL(address));
    this.#addresses = rows.map((row) => URL.createObjectURL(row.picture));
    const items = rows.map((row, i) => {
      const picture = make("img", { src: this.#addresses[i], alt: "", width: SIDE, height: SIDE });
      return item(picture, store.caption(row), () => this.#open(row));
    });
    find("mistakes-gallery").replaceChildren(...items);
    find("mistakes-found").textContent = `${grouped(rows.length)} of ${grouped(found.length)} such images.`;
  }
}
