/** What an image file is, from its bytes alone, before anything is decoded. */

/** A sentence for the visitor about something that they handed in. */
export class Refusal extends Error {}

/**
 * @typedef {object} Facts
 * @property {string} format
 * @property {number} width of the picture as it is stored, in pixels
 * @property {number} height
 * @property {boolean} animated whether there are more pictures than the first
 * @property {boolean} complete whether the file reaches its end
 */

const ACCEPTED = "JPEG, PNG, WebP, GIF, BMP and AVIF files are accepted.";
const LAYERED =
  "is an AVIF file with transparency or movement, which browsers decode differently; save it as PNG first.";

/** @param {DataView} data @param {number} start @param {number} length */
function text(data, start, length) {
  const bytes = new Uint8Array(
    data.buffer,
    data.byteOffset + start,
    Math.max(0, Math.min(length, data.byteLength - start)),
  );
  return String.fromCharCode(...bytes);
}

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function jpeg(data) {
  if (data.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 < data.byteLength) {
    const marker = data.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (data.getUint8(at) !== 0xff) return null;
    if (isFrame) {
      return {
        width: data.getUint16(at + 7),
        height: data.getUint16(at + 5),
        animated: false,
        complete: ends(data, at),
      };
    }
    at += marker === 0xff ? 1 : 2 + data.getUint16(at + 2); // 0xff may be repeated to fill up
  }
  return null;
}

/** Whether the marker of the end of a JPEG file follows its header. @param {DataView} data @param {number} header */
function ends(data, header) {
  for (let at = data.byteLength - 2; at > header; at--) {
    if (data.getUint16(at) === 0xffd9) return true;
  }
  return false;
}

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function png(data) {
  if (text(data, 0, 8) !== "\x89PNG\r\n\x1a\n" || text(data, 12, 4) !== "IHDR") return null;
  const facts = { width: data.getUint32(16), height: data.getUint32(20), animated: false, complete: false };
  for (let at = 8; at + 12 <= data.byteLength; at += 12 + data.getUint32(at)) {
    const chunk = text(data, at + 4, 4);
    facts.animated ||= chunk === "acTL";
    facts.complete ||= chunk === "IEND";
  }
  return facts;
}

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function gif(data) {
  if (!/^GIF8[79]a$/.test(text(data, 0, 6))) return null;
  const colours = (/** @type {number} */ flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0); // bytes of a table
  let pictures = 0;
  let at = 13 + colours(data.getUint8(10));
  while (at < data.byteLength && pictures < 2) {
    const block = data.getUint8(at);
    if (block === 0x2c) {
      pictures++;
      at += 11 + colours(data.getUint8(at + 9));
    } else if (block === 0x21) at += 2;
    else break;
    for (let length; (length = data.getUint8(at));) at += 1 + length; // the content, in pieces with their lengths
    at++;
  }
  return { width: data.getUint16(6, true), height: data.getUint16(8, true), animated: pictures > 1, complete: true };
}

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function bmp(data) {
  if (text(data, 0, 2) !== "BM") return null;
  if (data.getUint32(14, true) === 12) {
    return { width: data.getUint16(18, true), height: data.getUint16(20, true), animated: false, complete: true };
  }
  const width = data.getInt32(18, true);
  const height = Math.abs(data.getInt32(22, true)); // negative where the first row is the topmost
  const row = Math.ceil((width * data.getUint16(28, true)) / 32) * 4;
  const compressed = data.getUint32(30, true) % 3 !== 0;
  const complete = compressed || data.getUint32(10, true) + row * height <= data.byteLength;
  return { width, height, animated: false, complete };
}

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function webp(data) {
  if (text(data, 0, 4) !== "RIFF" || text(data, 8, 4) !== "WEBP") return null;
  const complete = data.getUint32(4, true) + 8 <= data.byteLength;
  const three = (/** @type {number} */ at) => data.getUint16(at, true) + 65536 * data.getUint8(at + 2);
  const size = {
    "VP8 ": () => [data.getUint16(26, true) & 0x3fff, data.getUint16(28, true) & 0x3fff],
    VP8L: () => [(data.getUint32(21, true) & 0x3fff) + 1, ((data.getUint32(21, true) >>> 14) & 0x3fff) + 1],
    VP8X: () => [three(24) + 1, three(27) + 1],
  }[text(data, 12, 4)];
  if (!size) return null;
  const [width, height] = size();
  const animated = text(data, 12, 4) === "VP8X" && (data.getUint8(20) & 2) !== 0;
  return { width, height, animated, complete };
}

/** The kinds of picture that a file in boxes (AVIF, HEIC) says it holds, or "". @param {DataView} data */
const brands = (data) => (text(data, 4, 4) === "ftyp" ? text(data, 8, Math.min(data.getUint32(0), 128) - 8) : "");

/** @param {DataView} data @returns {Omit<Facts, "format"> | null} */
function avif(data) {
  if (!/avi[fs]/.test(brands(data))) return null;
  let [at, width, height, animated] = [0, 0, 0, brands(data).includes("avis")];
  for (let length; at + 8 <= data.byteLength; at += length) {
    length = data.getUint32(at) || data.byteLength - at; // 0 for the rest of the file
    if (length === 1) length = Number(data.getBigUint64(at + 8));
    if (length < 8) return null;
    const end = Math.min(at + length, data.byteLength) - 4;
    for (let inner = at + 8; text(data, at + 4, 4) === "meta" && inner <= end; inner++) {
      const kind = data.getUint32(inner);
      animated ||= kind === 0x61757843; // "auxC": transparency, which is stored as a second picture
      if (kind !== 0x69737065) continue; // "ispe", the size of the picture or of a part of it
      const [w, h] = [data.getUint32(inner + 8), data.getUint32(inner + 12)];
      if (w * h > width * height) [width, height] = [w, h];
    }
  }
  return { width, height, animated, complete: at <= data.byteLength };
}

/** The name of a format that is known and not accepted, or "". @param {DataView} data */
function foreign(data) {
  if (/^(II[*+]\0|MM\0[*+])/.test(text(data, 0, 4))) return "TIFF";
  return /^(he|mif|msf)/.test(brands(data)) ? "HEIC" : "";
}

/**
 * What a file says of its picture. Throws a Refusal if it is none that is accepted.
 *
 * @param {ArrayBuffer} content
 * @param {string} name of the file, for the sentence
 * @returns {Facts}
 */
export function inspect(content, name) {
  const data = new DataView(content);
  for (const [format, read] of Object.entries({ JPEG: jpeg, PNG: png, GIF: gif, BMP: bmp, WebP: webp, AVIF: avif })) {
    try {
      const facts = read(data);
      if (facts && !facts.complete) throw new Refusal(`${name} is not complete: its end is missing.`);
      if (facts?.animated && format === "AVIF") throw new Refusal(`${name} ${LAYERED}`);
      if (facts && facts.width > 0 && facts.height > 0) return { ...facts, format };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // the file ends in the middle of its header
    }
  }
  const format = content.byteLength > 12 ? foreign(data) : "";
  if (format) throw new Refusal(`${name} is stored as ${format}; save it as JPEG first. ${ACCEPTED}`);
  throw new Refusal(unreadable(name));
}

/** @param {string} name */
export function unreadable(name) {
  return `${name} cannot be read as an image; ${ACCEPTED}`;
}
