import assert from "node:assert/strict";
import { test } from "node:test";
import { colourTable, onOneScale } from "../explanation.js";

const stretched = (range) => ({ map: Float32Array.of(0, 0.5, 1), range: Float32Array.from(range) });

test("a heat map alone is stretched, two share a scale", () => {
  assert.deepEqual(onOneScale([stretched([0, 4])]), [Float32Array.of(0, 0.5, 1)]);
  assert.deepEqual(onOneScale([stretched([0, 4]), stretched([0, 1])])[1], Float32Array.of(0, 0.125, 0.25));
  assert.deepEqual(onOneScale([stretched([2, 4]), stretched([0, 1])])[0], Float32Array.of(0.5, 0.75, 1));
  assert.deepEqual(onOneScale([]), []);
});

test("two empty maps stay empty", () => {
  const empty = { map: new Float32Array(3), range: new Float32Array(2) };
  assert.deepEqual(onOneScale([empty, empty])[1], new Float32Array(3));
});

test("colours are read two digits at a time", () => {
  assert.deepEqual([...colourTable("00ff10")], [0, 255, 16]);
});
