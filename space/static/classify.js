/** The first tab: one picture, what the network makes of it, and where it looked. */

import { find, make, percent, showValue, tell } from "./dom.js";
import { onOneScale, Overlay } from "./explanation.js";
import { Refusal } from "./file.js";

/** @typedef {import("./network.js").Answer} Answer */
/** @typedef {import("./network.js").Picture} Picture */
/** @typedef {import("./page.js").App} App */

const SIDE = 448; // pixels, of the pictures with heat maps

export class ClassifyTab {
  #app;
  #overlay;
  #compared;
  /** @type {Picture | null} */
  #picture = null;
  /** @type {Map<number, Promise<Answer>>} answers on this picture, by the class that they explain */
  #answers = new Map();
  #asked = 0; // how many answers were asked for; only the last one is shown
  #opened = 0; // how many files; only the last one is read to its end
  #reading = false;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#overlay = new Overlay(SIDE, app.colours);
    this.#compared = new Overlay(SIDE, app.colours);
    find("map").prepend(this.#overlay.element);
    find("compared").prepend(this.#compared.element);
    for (const id of ["top-k", "opacity"]) showValue(find(id));
    find("opacity").addEventListener("input", () => this.#blend());
    for (const id of ["top-k", "show-map", "layer", "target", "compare"]) {
      find(id).addEventListener("input", () => this.#refresh());
    }
    this.#blend();
  }

  /**
   * Show another picture. A file that cannot be used leaves everything as it is, but for a sentence.
   *
   * @param {Blob} file
   * @param {string} name for that sentence
   * @param {{target?: string, compare?: string}} [explained] the numbers of the classes to explain
   */
  async open(file, name, { target = "", compare = "" } = {}) {
    const opened = ++this.#opened;
    this.#reading = true;
    tell(find("answer"), { "aria-busy": true });
    try {
      const picture = await this.#app.network.read(file, name);
      if (opened !== this.#opened) return; // another one was chosen meanwhile
      this.#app.say(picture.animated ? "This is an animation; the network sees its first picture." : "");
      this.#picture = picture;
    } catch (error) {
      if (opened !== this.#opened) return;
      this.#reading = false;
      return this.#fail(error);
    }
    this.#reading = false;
    this.#answers.clear();
    find("target").value = target;
    find("compare").value = compare;
    this.#showFile(file);
    await this.#refresh();
    if (opened === this.#opened) find("answer").scrollIntoView({ block: "nearest" }); // on a phone it lies below the picture
  }

  /** Show what the controls ask for; or, if that fails, a sentence. */
  async #refresh() {
    try {
      await this.#update();
    } catch (error) {
      this.#answers.clear(); // so that another try may succeed
      this.#fail(error);
    }
  }

  /** @param {Error} error */
  #fail(error) {
    this.#app.say(error instanceof Refusal ? error.message : `Something went wrong: ${error.message}.`);
    tell(find("answer"), { "aria-busy": false });
  }

  /** @param {Blob} file */
  #showFile(file) {
    URL.revokeObjectURL(find("picture").src);
    find("picture").src = URL.createObjectURL(file);
    find("picture").hidden = false;
    find("drop-hint").hidden = true;
  }

  /** @param {number} target @returns {Promise<Answer>} */
  #answer(target) {
    if (!this.#answers.has(target)) this.#answers.set(target, this.#app.network.explain(this.#picture.pixels, target));
    return this.#answers.get(target);
  }

  /** Show what the controls ask for. */
  async #update() {
    if (!this.#picture) return;
    const asked = ++this.#asked;
    tell(find("answer"), { "aria-busy": true });
    const [target, compare] = [find("target"), find("compare")].map(({ value }) => (value === "" ? -1 : Number(value)));
    const shown = find("show-map").checked;
    const answer = await this.#answer(target);
    const other = compare >= 0 && shown ? await this.#answer(compare) : null;
    if (asked !== this.#asked) return;
    this.#showClasses(answer);
    this.#showSeen();
    const explained = target < 0 ? this.#order(answer)[0] : target;
    const layer = Number(find("layer").value);
    const answers = [shown ? answer : null, other].filter((part) => part !== null);
    const maps = onOneScale(answers.map(({ maps, ranges }) => ({ map: maps[layer], range: ranges[layer] })));
    this.#showMap(this.#overlay, find("map"), maps[0] ?? null, explained);
    find("compared").hidden = !other;
    if (other) this.#showMap(this.#compared, find("compared"), maps[1], compare);
    find("results").hidden = false;
    tell(find("answer"), { "aria-busy": this.#reading });
  }

  /** The classes, the most probable first. @param {Answer} answer */
  #order({ probabilities }) {
    return [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  }

  /** @param {Answer} answer */
  #showClasses(answer) {
    const { classes, familiarity } = this.#app.info;
    const order = this.#order(answer).slice(0, Number(find("top-k").value));
    const known = answer.familiarity === undefined || answer.familiarity >= familiarity.threshold;
    find("headline").textContent = known
      ? classes[order[0]]
      : `This does not look like any of the ${classes.length} classes`;
    find("headline").className = known ? "" : "unfamiliar";
    find("bars").replaceChildren(
      ...order.map((i) => {
        const share = answer.probabilities[i];
        const bar = make("span", { className: "bar" });
        bar.style.width = percent(share);
        return make("li", {}, make("span", { dir: "auto" }, classes[i]), make("b", {}, percent(share)), bar);
      }),
    );
  }

  #showSeen() {
    const { size } = this.#app;
    const canvas = find("seen-pixels");
    canvas.width = canvas.height = size;
    const image = new ImageData(size, size);
    for (let i = 0; i < size * size; i++) {
      image.data.set(this.#picture.pixels.subarray(3 * i, 3 * i + 3), 4 * i);
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /** @param {Overlay} overlay @param {HTMLElement} figure @param {Float32Array | null} map @param {number} explained */
  #showMap(overlay, figure, map, explained) {
    const name = this.#app.info.classes[explained];
    const speaks = map?.some((value) => value > 0);
    const caption = speaks ? `Heat map: ${name}` : `Nothing at this layer speaks for ${name}`;
    overlay.show(this.#picture.photo, map, map ? `Your picture with the heat map of ${name}` : "Your picture");
    figure.querySelector("figcaption").textContent = map ? caption : "The picture";
  }

  #blend() {
    this.#overlay.opacity = this.#compared.opacity = Number(find("opacity").value);
  }
}
