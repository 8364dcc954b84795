/** Making pictures smaller and larger, to the same pixels as Pillow, with which the network was trained. */

/** @typedef {{start: number, weights: Int32Array}} Taps the old pixels that make a new one, and how much each counts */
/** @typedef {{reach: number, at: (x: number) => number}} Filter how much a pixel at a distance counts; none beyond reach */

const sinc = (/** @type {number} */ x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** @type {Filter} */
export const LANCZOS = { reach: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) };

/** @type {Filter} */
export const BICUBIC = {
  reach: 2,
  at: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * x * -0.5 + 2 : 0;
  },
};

const BITS = 22; // Pillow's weights are whole numbers, in units of 1 / 2²²

/**
 * For each new pixel of a row, the old ones that it is made of. A row that gets shorter widens the filter, so that every
 * old pixel counts.
 *
 * @param {number} from the old length
 * @param {number} to the new length
 * @param {Filter} filter
 * @returns {Taps[]}
 */
export function taps(from, to, filter) {
  const scale = from / to;
  const widened = Math.max(scale, 1);
  return Array.from({ length: to }, (_, position) => {
    const center = (position + 0.5) * scale;
    const start = Math.max(Math.trunc(center - filter.reach * widened + 0.5), 0);
    const end = Math.min(Math.trunc(center + filter.reach * widened + 0.5), from);
    const shares = Array.from({ length: end - start }, (_, i) => filter.at((i + start - center + 0.5) * (1 / widened)));
    const sum = shares.reduce((a, b) => a + b, 0);
    const whole = (/** @type {number} */ share) =>
      Math.trunc((share / sum) * 2 ** BITS + (share / sum < 0 ? -0.5 : 0.5));
    return { start, weights: Int32Array.from(shares, whole) };
  });
}

/**
 * Resize along one direction. A `step` leads from a pixel of a line to its next one, a `line` from a line to the next.
 *
 * @param {Uint8Array | Uint8ClampedArray} source
 * @param {{line: number, step: number}} from where in the source
 * @param {Uint8ClampedArray} target
 * @param {{line: number, step: number}} to where in the target
 * @param {Taps[]} pixels
 * @param {number} lines
 * @param {number} channels values that lie side by side in a pixel
 */
export function resample(source, from, target, to, pixels, lines, channels) {
  for (let line = 0; line < lines; line++) {
    for (let position = 0; position < pixels.length; position++) {
      const { start, weights } = pixels[position];
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (BITS - 1); // a half, so that the shift rounds
        let at = line * from.line + start * from.step + channel;
        for (let i = 0; i < weights.length; i++, at += from.step) sum += weights[i] * source[at];
        target[line * to.line + position * to.step + channel] = sum >> BITS; // the array keeps it within 0–255
      }
    }
  }
}

/**
 * A square picture of one channel in another size.
 *
 * @param {Uint8ClampedArray} picture side × side values
 * @param {number} side
 * @param {number} size of the result
 * @param {Filter} filter
 * @returns {Uint8ClampedArray} size × size values
 */
export function resizeGrey(picture, side, size, filter) {
  const pixels = taps(side, size, filter);
  const wide = new Uint8ClampedArray(side * size);
  const result = new Uint8ClampedArray(size * size);
  resample(picture, { line: side, step: 1 }, wide, { line: size, step: 1 }, pixels, side, 1);
  resample(wide, { line: 1, step: size }, result, { line: 1, step: size }, pixels, size, 1);
  return result;
}
