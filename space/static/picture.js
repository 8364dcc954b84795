/** From any picture to the pixels that the network sees: upright, over white, the centre square, made small. */

import { inspect, Refusal, unreadable } from "./file.js";
import { LANCZOS, resample, taps } from "./resize.js";

const MAX_BYTES = 30_000_000;
const MAX_PIXELS = 25_000_000;
const MAX_JPEG_PIXELS = 50_000_000;
const SHOWN = 448; // pixels, the side of the photo on the page
const STRIP = 256; // rows of a large picture that are looked at together, so that no large canvas is needed

/**
 * @typedef {object} Picture
 * @property {ImageBitmap} photo the centre square, to be shown
 * @property {Uint8ClampedArray<ArrayBuffer>} pixels what the network sees: red, green, blue of each pixel, row by row
 * @property {boolean} animated whether only the first of several pictures was looked at
 */

/**
 * The centre square of a picture, over white, at its own resolution.
 *
 * @param {ImageBitmap} bitmap
 */
function centre(bitmap) {
  const side = Math.min(bitmap.width, bitmap.height);
  return { side, left: (bitmap.width - side) >> 1, top: (bitmap.height - side) >> 1 };
}

/** @param {number} width @param {number} height */
function whiteCanvas(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  return context;
}

/**
 * What the network sees of a picture. First each row is made shorter, then each column.
 *
 * @param {ImageBitmap} bitmap
 * @param {number} size the side of the network's input
 * @returns {Uint8ClampedArray<ArrayBuffer>} size × size × 3 values
 */
function shrink(bitmap, size) {
  const { side, left, top } = centre(bitmap);
  const pixels = taps(side, size, LANCZOS);
  const narrow = new Uint8ClampedArray(side * size * 3);
  for (let row = 0; row < side; row += STRIP) {
    const rows = Math.min(STRIP, side - row);
    const strip = whiteCanvas(side, rows);
    strip.drawImage(bitmap, -left, -top - row);
    const { data } = strip.getImageData(0, 0, side, rows);
    const target = narrow.subarray(row * size * 3);
    resample(data, { line: side * 4, step: 4 }, target, { line: size * 3, step: 3 }, pixels, rows, 3);
  }
  const result = new Uint8ClampedArray(size * size * 3);
  resample(narrow, { line: 3, step: size * 3 }, result, { line: 3, step: size * 3 }, pixels, size, 3);
  return result;
}

/** The centre square as the page shows it. @param {ImageBitmap} bitmap */
function photoOf(bitmap) {
  const { side, left, top } = centre(bitmap);
  const shown = Math.min(side, SHOWN);
  const canvas = whiteCanvas(shown, shown);
  canvas.imageSmoothingQuality = "high";
  canvas.drawImage(bitmap, left, top, side, side, 0, 0, shown, shown);
  return canvas.canvas.transferToImageBitmap();
}

/** @param {Blob} file @param {string} name @returns {Promise<ImageBitmap>} upright, with the colours as they are stored */
async function decode(file, name) {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Refusal(unreadable(name));
  }
}

/**
 * Read a file. Throws a Refusal, with a sentence for the visitor, if it cannot be used.
 *
 * @param {Blob} file
 * @param {string} name for the sentence
 * @param {number} size the side of the network's input, in pixels
 * @returns {Promise<Picture>}
 */
export async function readPicture(file, name, size) {
  if (file.size > MAX_BYTES) throw new Refusal(`${name} is too large; at most ${MAX_BYTES / 1e6} MB are accepted.`);
  const facts = inspect(await file.arrayBuffer(), name);
  const pixels = facts.width * facts.height;
  if (pixels > (facts.format === "JPEG" ? MAX_JPEG_PIXELS : MAX_PIXELS)) {
    const limit = `at most ${MAX_PIXELS / 1e6} are accepted, and ${MAX_JPEG_PIXELS / 1e6} of a JPEG`;
    throw new Refusal(`${name} has ${(pixels / 1e6).toFixed(1)} megapixels; ${limit}.`);
  }
  const bitmap = await decode(file, name);
  try {
    return { photo: photoOf(bitmap), pixels: shrink(bitmap, size), animated: facts.animated };
  } finally {
    bitmap.close();
  }
}
