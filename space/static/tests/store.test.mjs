import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../store.js";

const CLASSES = ["any", "misclassified", "<b>0</b>"];
const rows = [
  [0, 0, 0.9],
  [0, 1, 0.5],
  [1, 2, 0.95],
  [2, 1, 0.7],
  [0, 2, 0.6],
].map(([label, predicted, confidence]) => ({ label, predicted, confidence, picture: new Blob() }));
const store = new Store(rows, CLASSES);
const found = (wanted) => store.select(wanted).map((row) => rows.indexOf(row));

test("mistakes, the surest first", () => {
  assert.deepEqual(found({ which: "misclassified" }), [2, 3, 4, 1]);
  assert.deepEqual(found({ which: "misclassified", label: "0" }), [4, 1]);
  assert.deepEqual(found({ which: "misclassified", predicted: "1" }), [3, 1]);
  assert.deepEqual(found({ which: "misclassified", label: "0", predicted: "1" }), [1]);
  assert.deepEqual(found({ which: "misclassified", label: "2", predicted: "2" }), []);
});

test("correct ones, and those of a class, whatever it is called", () => {
  assert.deepEqual(found({ which: "correct" }), [0]);
  assert.deepEqual(found({ which: "0" }), [0, 4, 1]);
  assert.deepEqual(found({ which: "1" }), [2]);
});

test("a caption has prediction, probability and truth", () => {
  assert.equal(store.caption(rows[3]), "misclassified 70.0% (<b>0</b>)");
});

test("pictures are cut out of one file", async () => {
  const answers = {
    "store.json": JSON.stringify([
      [0, 1, 0.5, 2],
      [1, 1, 0.6, 3],
    ]),
    "store.bin": "abcde",
  };
  globalThis.fetch = async (address) => new Response(answers[address]);
  const { rows: loaded } = await Store.load({ rows: "store.json", pictures: "store.bin" }, CLASSES);
  assert.deepEqual(await Promise.all(loaded.map(({ picture }) => picture.text())), ["ab", "cde"]);
  assert.deepEqual((await Store.load(null, CLASSES)).rows, []);
});
