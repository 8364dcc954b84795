/** Heat maps: their colours, and laying them over a photo. */

import { make, tell } from "./dom.js";
import { BICUBIC, resizeGrey } from "./resize.js";

/** @param {string} hex red, green and blue of 256 colours, two digits each @returns {Uint8Array} */
export function colourTable(hex) {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/**
 * A heat map as a picture, smoothly enlarged.
 *
 * @param {Float32Array} map size × size values from 0 to 1
 * @param {number} side of the picture, in pixels
 * @param {Uint8Array} colours see `colourTable`
 * @returns {ImageData}
 */
export function colouredMap(map, side, colours) {
  const levels = Uint8ClampedArray.from(map, (value) => 255 * value); // such an array rounds
  const grey = resizeGrey(levels, Math.sqrt(map.length), side, BICUBIC);
  const data = new Uint8ClampedArray(4 * side * side);
  grey.forEach((level, i) => {
    data.set(colours.subarray(3 * level, 3 * level + 3), 4 * i);
    data[4 * i + 3] = 255;
  });
  return new ImageData(data, side, side);
}

/**
 * Heat maps on one scale, so that they can be compared; one alone is stretched to the whole of it.
 *
 * @param {{map: Float32Array, range: Float32Array}[]} maps stretched, and the smallest and largest value before that
 * @returns {Float32Array[]}
 */
export function onOneScale(maps) {
  const largest = Math.max(...maps.map(({ range }) => range[1]));
  if (maps.length === 1 || largest === 0) return maps.map(({ map }) => map);
  return maps.map(({ map, range: [low, high] }) => map.map((value) => (low + value * (high - low)) / largest));
}

/** A photo with a heat map over it. To change the opacity, nothing is computed again: the browser blends the two. */
export class Overlay {
  #photo = make("canvas");
  #map = make("canvas");
  #side;
  #colours;

  /** To be put on the page. */
  element = tell(make("div", { className: "overlay" }, this.#photo, this.#map), {
    role: "img",
    "aria-label": "Not computed yet",
  });

  /** @param {number} side of both pictures, in pixels @param {Uint8Array} colours see `colourTable` */
  constructor(side, colours) {
    this.#side = side;
    this.#colours = colours;
    for (const canvas of [this.#photo, this.#map]) canvas.width = canvas.height = side;
  }

  /** @param {ImageBitmap} photo square @param {Float32Array | null} map @param {string} words what can be seen */
  show(photo, map, words) {
    const context = this.#photo.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(photo, 0, 0, this.#side, this.#side);
    if (map) this.#map.getContext("2d").putImageData(colouredMap(map, this.#side, this.#colours), 0, 0);
    this.#map.hidden = !map;
    tell(this.element, { "aria-label": words });
  }

  /** @param {number} opacity 0 is the photo, 1 the map */
  set opacity(opacity) {
    this.#map.style.opacity = String(opacity);
  }
}
