import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BICUBIC, LANCZOS, resizeGrey, taps } from "../resize.js";

test("the weights of each new pixel sum to one, and a row of the same length stays as it is", () => {
  for (const [from, to] of [
    [1, 32],
    [5, 32],
    [33, 32],
    [451, 32],
    [4000, 32],
    [32, 448],
  ]) {
    for (const filter of [LANCZOS, BICUBIC]) {
      for (const { start, weights } of taps(from, to, filter)) {
        assert.ok(start >= 0 && start + weights.length <= from);
        assert.ok(Math.abs(weights.reduce((a, b) => a + b) / 2 ** 22 - 1) < 1e-4);
      }
    }
  }
  const same = Uint8ClampedArray.from({ length: 49 }, (_, i) => (i * 37) % 256);
  assert.deepEqual(resizeGrey(same, 7, 7, LANCZOS), same);
});

test("one colour stays that colour, and stripes become grey", () => {
  assert.ok(resizeGrey(new Uint8ClampedArray(100).fill(77), 10, 4, LANCZOS).every((value) => value === 77));
  const stripes = Uint8ClampedArray.from({ length: 320 * 320 }, (_, i) => 255 * (i % 2));
  assert.ok(resizeGrey(stripes, 320, 32, LANCZOS).every((value) => value > 120 && value < 135));
});

const pillow = process.env.ERA_S12_PILLOW; // a file that the test notebook writes

test("the same pixels as Pillow", { skip: !pillow && "only from the test notebook, which has Pillow" }, () => {
  for (const { side, size, filter, input, output } of JSON.parse(readFileSync(pillow, "utf-8"))) {
    const found = resizeGrey(Uint8ClampedArray.from(input), side, size, { LANCZOS, BICUBIC }[filter]);
    assert.deepEqual([...found], output, `${side} to ${size}, ${filter}`);
  }
});
