/** The page: loads what the app consists of, fills the controls, and connects its parts. */

import { about, introduction } from "./about.js";
import { hasCamera, takePicture } from "./camera.js";
import { ClassifyTab } from "./classify.js";
import { addNames, find, getBlob, getJson, make, tell } from "./dom.js";
import { colourTable } from "./explanation.js";
import { MapsTab, MistakesTab } from "./galleries.js";
import { Network } from "./network.js";
import { Store } from "./store.js";

/**
 * What all parts of the page share.
 *
 * @typedef {object} App
 * @property {import("./about.js").Info} info
 * @property {number} size the side of the network's input, in pixels
 * @property {Network} network
 * @property {Store} store
 * @property {Uint8Array} colours of heat maps
 * @property {(sentence: string) => void} say tell the visitor something
 */

const TABS = ["classify", "maps", "mistakes", "about"];
const NEEDED = ["WebAssembly", "Worker", "OffscreenCanvas", "DecompressionStream", "createImageBitmap"];

/** @param {string} sentence "" takes the last one away */
function say(sentence) {
  find("message").textContent = sentence;
  if (sentence) find("message").scrollIntoView({ block: "nearest" });
}

/** How much of the files has come. @param {number} total bytes @returns {(loaded: number) => void} */
function progress(total) {
  find("progress").max = total;
  return (loaded) => {
    find("progress").value = loaded;
    const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
    find("loaded").textContent = `Loading the network: ${megabytes(loaded)} of ${megabytes(total)} MB`;
  };
}

/** Show one of the tabs. @param {string} chosen */
function select(chosen) {
  for (const name of TABS) {
    const tab = find(`tab-${name}`);
    tell(tab, { "aria-selected": name === chosen });
    tab.tabIndex = name === chosen ? 0 : -1;
    find(name).hidden = name !== chosen;
  }
}

/** Tabs by mouse and by keyboard. @param {Record<string, () => void>} onShow what to do when a tab is shown */
function connectTabs(onShow) {
  const open = (/** @type {string} */ name) => {
    select(name);
    onShow[name]?.();
  };
  for (const [i, name] of TABS.entries()) {
    find(`tab-${name}`).addEventListener("click", () => open(name));
    find(`tab-${name}`).addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = TABS[(to + TABS.length) % TABS.length];
      open(next);
      find(`tab-${next}`).focus();
    });
  }
}

/** Where pictures come from: a file, the camera, the clipboard. @param {(file: Blob, name: string) => void} open */
function connectSources(open) {
  const first = (/** @type {FileList | undefined} */ files) => files?.[0] && open(files[0], `“${files[0].name}”`);
  find("file").addEventListener("change", () => {
    first(find("file").files);
    find("file").value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    first(event.dataTransfer?.files);
  });
  document.addEventListener("paste", (event) => first(event.clipboardData?.files));
  find("camera").hidden = !hasCamera();
  find("camera").addEventListener("click", async () => {
    try {
      const picture = await takePicture();
      if (picture) open(picture, "The picture");
    } catch {
      say("The camera cannot be used; allow it in your browser, or choose a file.");
    }
  });
  find("paste").hidden = !navigator.clipboard?.read;
  find("paste").addEventListener("click", () => paste(open));
}

/** @param {(file: Blob, name: string) => void} open */
async function paste(open) {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith("image/"));
      if (type) return open(await item.getType(type), "The picture");
    }
    say("There is no picture on the clipboard.");
  } catch {
    say("The clipboard cannot be read; allow it in your browser, or press Ctrl+V.");
  }
}

/** @param {{file: string, name: string}[]} examples @param {(file: Blob, name: string) => void} open */
async function showExamples(examples, open) {
  find("examples-part").hidden = !examples.length;
  const files = await Promise.all(examples.map(({ file }) => getBlob(file)));
  const items = examples.map(({ name }, i) => {
    const picture = make("img", { src: URL.createObjectURL(files[i]), alt: "" });
    const onclick = () => open(files[i], "The example");
    return make("li", {}, make("button", { type: "button", onclick }, picture, make("span", {}, name)));
  });
  find("examples").replaceChildren(...items);
}

/** Choices that depend on the model. @param {App} app @param {{layers: string[], layer: string}} facts */
function fillControls({ info, size, store }, { layers, layer }) {
  const most = Math.min(10, info.classes.length);
  Object.assign(find("top-k"), { max: most, value: Math.min(3, most) });
  for (const id of ["layer", "maps-layer"]) {
    addNames(find(id), "Layers", layers);
    find(id).value = String(layers.indexOf(layer));
  }
  for (const id of ["target", "compare", "maps-which", "mistakes-true", "mistakes-taken"])
    addNames(find(id), "Classes", info.classes);
  find("seen-label").textContent = `Its ${size}×${size} input`;
  tell(find("seen-pixels"), { "aria-label": `The ${size} by ${size} pixels that the network sees` });
  for (const name of ["maps", "mistakes"]) {
    find(`${name}-part`).hidden = !store.rows.length;
    find(`${name}-none`).hidden = store.rows.length > 0;
  }
}

/** The parts of the page, connected. @param {App} app @param {any} facts `app.json` */
async function connect(app, facts) {
  fillControls(app, facts);
  const classify = new ClassifyTab(app);
  const openRow = (/** @type {import("./store.js").Row} */ row) => {
    select("classify");
    find("tab-classify").focus();
    const wrong = row.label !== row.predicted;
    const explained = { target: String(row.predicted), compare: wrong ? String(row.label) : "" };
    classify.open(row.picture, "The image", explained);
  };
  const [maps, mistakes] = [new MapsTab(app, openRow), new MistakesTab(app, openRow)];
  connectTabs({ maps: () => maps.update(), mistakes: () => mistakes.update() });
  const open = (/** @type {Blob} */ file, /** @type {string} */ name) => {
    select("classify");
    classify.open(file, name);
  };
  connectSources(open);
  await showExamples(facts.examples, open);
  find("about").append(...about(app.info, app.size, app.store.rows.length));
}

async function start() {
  find("starting").hidden = true;
  const missing = NEEDED.filter((name) => !(name in window));
  if (missing.length) throw new Error(`this browser is too old, it has no ${missing.join(", ")}`);
  const [info, facts] = await Promise.all([getJson("config.json"), getJson("app.json")]);
  const size = info.image_size ?? 32;
  document.title = find("title").textContent = facts.title;
  find("introduction").textContent = introduction(info, size);
  const network = new Network({
    files: { network: facts.network.file, runtime: facts.runtime.file },
    size,
    onProgress: progress(facts.network.bytes + facts.runtime.bytes),
  });
  const store = await Store.load(facts.store, info.classes);
  await connect({ info, size, network, store, colours: colourTable(facts.colours), say }, facts);
  find("tabs").hidden = find("classify").hidden = false;
  await network.ready;
  find("loading").hidden = true;
  document.documentElement.dataset.state = "ready";
}

window.addEventListener("unhandledrejection", ({ reason }) => say(`Something went wrong: ${reason.message}.`));
start().catch((error) => {
  find("loading").hidden = true;
  say(`The app could not be loaded: ${error.message}. Reload the page to try again.`);
});
