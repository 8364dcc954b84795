/** What the page says of its model, from `config.json`. What is not known there is not spoken of. */

import { grouped, make, percent, tell } from "./dom.js";

const [NAMED, LETTERS] = [10, 120]; // classes that are listed in a sentence, and how long they may be together
const DRAWN = 30; // classes whose confusion matrix is shown, and whose accuracies are listed

/**
 * What is known of a model; all but the first three may be missing.
 *
 * @typedef {object} Info
 * @property {string[]} classes
 * @property {number[]} mean
 * @property {number[]} std
 * @property {number} [image_size]
 * @property {number} [epochs]
 * @property {string} [started_from]
 * @property {{name?: string}} [recipe]
 * @property {{data?: string, images?: number}} [trained_on]
 * @property {{data?: string, images?: number}} [tested_on]
 * @property {number} [accuracy]
 * @property {Record<string, number>} [accuracy_by_class]
 * @property {number[][]} [confusion_matrix]
 * @property {number} [expected_calibration_error]
 * @property {object} [temperature]
 * @property {{threshold: number}} [familiarity]
 * @property {number} [unfamiliar_test_images]
 * @property {string} [repository]
 */

/** The name of the data that a model was trained on, or "" for somebody's own. @param {Info} info */
function dataName(info) {
  const name = (info.trained_on?.data ?? "").split(",")[0];
  return name.startsWith("own ") ? "" : name;
}

/** The names of the classes, or the first of them. @param {Info} info */
function named({ classes }) {
  let letters = 0;
  const shown = classes.slice(0, NAMED).filter((name, i) => (letters += name.length) < LETTERS || i === 0);
  const more = classes.length - shown.length;
  return shown.join(", ") + (more ? ` and ${grouped(more)} more` : "");
}

/** @param {Info} info @param {number} size */
export function introduction(info, size) {
  const trained = `It was trained on ${size}×${size} pixels`;
  const good = info.accuracy !== undefined && info.tested_on?.images;
  const measured = good
    ? `, and is right on ${percent(info.accuracy)} of ${grouped(info.tested_on.images)} test images`
    : "";
  const doubts = info.familiarity
    ? " It tries to notice when a picture shows none of them, and sometimes fails."
    : " It knows nothing else, and gives one of these names to whatever a picture shows.";
  return (
    `Give it a picture of one of ${grouped(info.classes.length)} things (${named(info)}): it says what it sees, and ` +
    `where it looked. ${trained}${measured}.${doubts}`
  );
}

/** @param {string} heading @param {...(Node | string)} paragraphs */
function part(heading, ...paragraphs) {
  const children = paragraphs.map((content) => (typeof content === "string" ? make("p", {}, content) : content));
  return [make("h2", {}, heading), ...children];
}

/** @param {string[]} head @param {(string | number)[][]} rows the first of a row is its head @param {string} caption */
function table(head, rows, caption) {
  const top = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, String(first)), ...rest.map((text) => make("td", {}, String(text)))),
  );
  const content = [make("caption", {}, caption), make("thead", {}, top), make("tbody", {}, ...body)];
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, ...content));
  return tell(scroll, { role: "group", "aria-label": caption });
}

/** @param {Info} info */
function failures({ classes, confusion_matrix: matrix }) {
  const pairs = matrix.flatMap((row, i) => row.map((count, j) => ({ count, i, j })));
  const worst = pairs.filter(({ count, i, j }) => i !== j && count > 0).sort((a, b) => b.count - a.count);
  const items = worst.slice(0, 5).map(({ count, i, j }) => {
    return make(
      "li",
      {},
      `${grouped(count)} ${count === 1 ? "time" : "times"}: ${classes[i]}, taken for ${classes[j]}`,
    );
  });
  const found = items.length ? [make("ul", {}, ...items)] : ["Nowhere, on the test images."];
  if (classes.length > DRAWN) return part("Where it fails", ...found);
  const caption = "How often each class (row) was taken for which (column)";
  const rows = matrix.map((row, i) => [classes[i], ...row]);
  return part("Where it fails", ...found, table(["truth", ...classes], rows, caption));
}

/** @param {Info} info */
function trust(info) {
  const sentences = [];
  if (info.expected_calibration_error !== undefined) {
    const points = (100 * info.expected_calibration_error).toFixed(1);
    sentences.push(
      `On average its confidence differs from its accuracy by ${points} percentage points (expected calibration error on ` +
        "the test images).",
    );
  }
  if (info.unfamiliar_test_images !== undefined) {
    const wrongly = percent(info.unfamiliar_test_images);
    sentences.push(`It wrongly says of ${wrongly} of the test images that they look like none of the classes.`);
  }
  if (!info.temperature) {
    sentences.push(
      "Its probabilities are not corrected: too few images were kept apart from training to learn that from, or it did " +
        "not help on them.",
    );
  }
  if (!info.familiarity) {
    sentences.push(
      "It cannot notice that a picture shows none of its classes: to learn that takes 1,000 training images, and others " +
        "that are kept apart.",
    );
  }
  return part("How sure it is", ...sentences);
}

/** @param {Info} info @param {number} size */
function model(info, size) {
  const epochs = info.epochs ? `, trained for ${grouped(info.epochs)} epochs` : "";
  const recipe = info.recipe?.name ? ` with the recipe “${info.recipe.name}”` : "";
  const images = info.trained_on?.images ? ` on ${grouped(info.trained_on.images)} training images` : "";
  const data = images && info.trained_on.data ? ` (${info.trained_on.data})` : "";
  const started = info.started_from ? ` It started from ${info.started_from}.` : "";
  return `A residual network for ${size}×${size} pixels and ${grouped(info.classes.length)} classes${epochs}${recipe}${images}${data}.${started}`;
}

/** @param {Info} info */
function quality(info) {
  if (info.accuracy === undefined) return [];
  const on = info.tested_on?.images ? ` of ${grouped(info.tested_on.images)} test images` : "";
  const data = info.tested_on?.data ? ` (${info.tested_on.data})` : "";
  const shares = Object.entries(info.accuracy_by_class ?? {});
  const listed = shares.length > DRAWN ? shares.sort((a, b) => a[1] - b[1]).slice(0, DRAWN) : shares;
  const caption = shares.length > DRAWN ? `Accuracy of the ${DRAWN} hardest classes` : "Accuracy by class";
  const rows = listed.map(([name, share]) => [name, percent(share)]);
  const mean = shares.reduce((sum, [, share]) => sum + share, 0) / shares.length;
  if (Math.abs(mean - info.accuracy) >= 5e-4) rows.push(["mean of the classes (balanced accuracy)", percent(mean)]);
  const tables = rows.length ? [table(["class", "accuracy"], rows, caption)] : [];
  return part("How good it is", `${percent(info.accuracy, 2)}${on}${data} are classified correctly.`, ...tables);
}

/** @param {Info} info */
function licence(info) {
  const content = make("p", {}, "Apache 2.0");
  if (/^https:\/\//.test(info.repository ?? "")) {
    content.append(
      " · ",
      make("a", { href: info.repository, target: "_blank", rel: "noopener" }, "code and notebooks"),
    );
  }
  if (/\bcifar-?100?\b/i.test(dataName(info))) {
    const work = make("cite", {}, "Learning Multiple Layers of Features from Tiny Images");
    content.append(" · Data: A. Krizhevsky (2009), ", work, ".");
  }
  content.append(" · Computed by ONNX Runtime, © Microsoft Corporation, MIT licence.");
  return part("Licence", content);
}

/** The whole of the last tab. @param {Info} info @param {number} size @param {number} stored images that came with the app */
export function about(info, size, stored) {
  const images = `${grouped(stored)} of the test images came with this page: mistakes, and of each class the first ones that are right.`;
  return [
    ...part("The model", model(info, size)),
    ...quality(info),
    ...(info.confusion_matrix ? failures(info) : []),
    ...trust(info),
    ...part("The test images", stored ? images : "No test images came with this page."),
    ...part(
      "How to read a heat map",
      "Bright is where the network saw the class, dark is where little or nothing spoke for it. The first layers see edges " +
        "and colours, the last ones whole objects, in coarse patches. A map alone uses the whole scale from dark to bright, " +
        "two that are compared share it. A heat map is a hint, not a proof. The method is " +
        "Grad-CAM; the app that runs on a server has its relatives too.",
    ),
    ...part(
      "Your pictures",
      "They never leave your device: everything is computed in this page. Nothing is stored, and no usage statistics are " +
        "collected. Once it is loaded, the page works without a network.",
    ),
    ...licence(info),
  ];
}
