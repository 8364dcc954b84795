import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, Refusal } from "../file.js";

/** @param {...(string | number[])} parts */
const bytes = (...parts) =>
  new Uint8Array(parts.flatMap((part) => [...part].map((c) => c.charCodeAt?.(0) ?? c))).buffer;
const refused = (content, words) =>
  assert.throws(
    () => inspect(content, "It"),
    (e) => e instanceof Refusal && words.test(e.message),
  );

const START = "\x89PNG\r\n\x1a\n";
const HEADER = [0, 0, 0, 13, ..."IHDR"].concat([0, 0, 1, 0, 0, 0, 0, 200, 8, 2, 0, 0, 0], [0, 0, 0, 0]);
const END = [0, 0, 0, 0, ..."IEND", 0, 0, 0, 0];
const ANIMATION = [0, 0, 0, 0, ..."acTL", 0, 0, 0, 0];

test("a PNG file tells its size, and whether it moves", () => {
  const facts = { format: "PNG", width: 256, height: 200, animated: false, complete: true };
  assert.deepEqual(inspect(bytes(START, HEADER, END), "It"), facts);
  assert.deepEqual(inspect(bytes(START, HEADER, ANIMATION, END), "It"), { ...facts, animated: true });
});

test("a file without its end is refused", () => {
  refused(bytes(START, HEADER), /not complete/);
  const frame = [0xff, 0xc0, 0, 11, 8, 0, 100, 0, 50, 1, 1, 0x11, 0];
  refused(bytes([0xff, 0xd8], frame), /not complete/);
  const { width, height } = inspect(bytes([0xff, 0xd8], frame, [1, 2, 0xff, 0xd9]), "It");
  assert.deepEqual([width, height], [50, 100]);
});

test("the thumbnail inside a JPEG file is not taken for its end, nor for its size", () => {
  const thumbnail = [0xff, 0xe1, 0, 8, 0xff, 0xc0, 1, 1, 0xff, 0xd9];
  refused(bytes([0xff, 0xd8], thumbnail, [0xff, 0xc2, 0, 11, 8, 0, 7, 0, 9, 1, 1, 0x11, 0, 1, 2, 3]), /not complete/);
});

test("a GIF file with two pictures is an animation", () => {
  const picture = [0x2c, 0, 0, 0, 0, 4, 0, 3, 0, 0, 2, 1, 7, 0];
  const head = [..."GIF89a", 4, 0, 3, 0, 0, 0, 0];
  assert.equal(inspect(bytes(head, picture, [0x3b]), "It").animated, false);
  assert.equal(inspect(bytes(head, picture, [0x21, 0xf9, 2, 1, 1, 0], picture, [0x3b]), "It").animated, true);
  refused(bytes(head, picture.slice(0, 12)), /cannot be read/);
});

test("the three kinds of WebP files tell their size", () => {
  const file = (kind, content) =>
    bytes("RIFF", [22 + content.length, 0, 0, 0], "WEBP", kind, [0, 0, 0, 0], content, Array(30).fill(0));
  const size = ({ width, height, animated }) => [width, height, animated];
  assert.deepEqual(size(inspect(file("VP8 ", [0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 48, 0]), "It")), [64, 48, false]);
  assert.deepEqual(size(inspect(file("VP8L", [0x2f, 63, 0xc0, 11, 0]), "It")), [64, 48, false]);
  assert.deepEqual(size(inspect(file("VP8X", [2, 0, 0, 0, 63, 0, 0, 47, 0, 0]), "It")), [64, 48, true]);
});

/** A box of an AVIF file. @param {string} kind @param {...(string | number[])} content */
const box = (kind, ...content) => {
  const inner = new Uint8Array(bytes(...content));
  return [0, 0, inner.length >> 8, (inner.length & 255) + 8, ...kind, ...inner];
};
const ispe = (w, h) => box("ispe", [0, 0, 0, 0], [0, 0, 0, w], [0, 0, 0, h]);

test("an AVIF file tells the size of its largest picture; one with transparency or movement is refused", () => {
  const head = (brand) => box("ftyp", brand, [0, 0, 0, 0], "mif1miaf");
  const meta = box("meta", [0, 0, 0, 0], box("iprp", box("ipco", ispe(16, 12), ispe(64, 48), ispe(32, 24))));
  const facts = { format: "AVIF", width: 64, height: 48, animated: false, complete: true };
  const data = box("mdat", Array(40).fill(7));
  assert.deepEqual(inspect(bytes(head("avif"), meta, data), "It"), facts);
  const clear = box("meta", [0, 0, 0, 0], box("iprp", box("ipco", ispe(64, 48), box("auxC", Array(8).fill(0)))));
  refused(bytes(head("avis"), meta, data), /transparency or movement.* save it as PNG/);
  refused(bytes(head("avif"), clear, data), /transparency or movement/);
  assert.deepEqual(inspect(bytes(box("ftyp", "mif1", [0, 0, 0, 0], "avifmiaf"), meta, data), "It"), facts);
  refused(bytes(head("avif"), meta, data.slice(0, -1)), /not complete/);
  refused(bytes(head("avif"), data), /cannot be read/); // no size
  refused(bytes(head("avif"), [0, 0, 0, 3], "meta", Array(20).fill(0)), /cannot be read/); // a box shorter than its head
  refused(bytes(head("avif"), [0, 0, 0, 1], "mdat"), /cannot be read/);
});

test("what is no picture, or one of another format, is refused with a sentence", () => {
  for (const content of [bytes(), bytes("hello"), bytes("<svg xmlns='http://www.w3.org/2000/svg'/>"), bytes("II*\0")]) {
    refused(content, /^It cannot be read as an image; JPEG, PNG, WebP, GIF, BMP and AVIF files are accepted\.$/);
  }
  refused(bytes([0, 0, 0, 24], "ftypheic", Array(20).fill(0)), /HEIC; save it as JPEG/);
  refused(bytes([0, 0, 0, 24], "ftypmif1", Array(4).fill(0), "heicmif1", Array(4).fill(0)), /HEIC; save it as JPEG/);
  refused(bytes("II*\0", Array(20).fill(0)), /TIFF; save it as JPEG/);
  refused(bytes("MM\0*", Array(20).fill(0)), /TIFF; save it as JPEG/);
  for (let length = 0; length < 40; length++) refused(bytes(START, HEADER).slice(0, length), /It (cannot|is not)/);
});
