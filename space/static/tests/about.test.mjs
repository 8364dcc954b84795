import assert from "node:assert/strict";
import { test } from "node:test";
import { introduction } from "../about.js";

const LITTLE = { classes: ["ant", "蜂"], mean: [0, 0, 0], std: [1, 1, 1] };

test("nothing is said that is not known", () => {
  const words = introduction(LITTLE, 64);
  assert.match(words, /one of 2 things \(ant, 蜂\)/);
  assert.match(words, /trained on 64×64 pixels\./);
  assert.doesNotMatch(words, /CIFAR|\bten\b|10|32|right on|none of them|undefined|NaN/i);
});

test("many classes are not all listed, and what was measured is told", () => {
  const info = { ...LITTLE, classes: Array.from({ length: 1000 }, (_, i) => `c${i}`), familiarity: { threshold: -1 } };
  const words = introduction({ ...info, accuracy: 0.905, tested_on: { images: 10000 } }, 32);
  assert.match(words, /one of 1,000 things .* c9 and 990 more\)/);
  const long = { ...LITTLE, classes: ["a".repeat(150), "b".repeat(150), "c"] };
  assert.match(introduction(long, 32), /one of 3 things \(a{150} and 2 more\)/); // one at least
  assert.match(words, /right on 90\.5% of 10,000 test images\. It tries to notice/);
});
