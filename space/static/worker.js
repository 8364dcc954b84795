/** The worker: reads pictures and runs the network beside the page, so that the page never freezes. */

import * as ort from "./vendor/onnxruntime.js";
import { Refusal } from "./file.js";
import { readPicture } from "./picture.js";

/** @type {ort.InferenceSession} */
let session;

/**
 * The content of files, with a word to the page on how much has come.
 *
 * @param {string[]} addresses
 */
async function download(addresses) {
  const loaded = addresses.map(() => 0);
  return Promise.all(
    addresses.map(async (address, i) => {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`${address}: ${response.status}`);
      const count = new TransformStream({
        transform(part, controller) {
          loaded[i] += part.byteLength;
          postMessage({ loaded: loaded.reduce((a, b) => a + b) });
          controller.enqueue(part);
        },
      });
      return new Response(response.body.pipeThrough(count)).arrayBuffer();
    }),
  );
}

/** @param {ArrayBuffer} content gzipped, unless the server has unpacked it already */
async function unpacked(content) {
  const [first, second] = new Uint8Array(content, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return content;
  return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** What the page may ask for. */
const answers = {
  /** Fetch the network and the runtime that computes it. @param {{network: string, runtime: string}} files */
  async load({ network, runtime }) {
    const [weights, wasm] = await download([network, runtime]);
    ort.env.wasm.wasmBinary = await unpacked(wasm);
    ort.env.wasm.numThreads = 1;
    session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  },

  /** See `readPicture`. @param {{file: Blob, name: string, size: number}} request */
  async read({ file, name, size }) {
    const picture = await readPicture(file, name, size);
    return [picture, [picture.photo]];
  },

  /**
   * What the network makes of the pixels, with a heat map for each layer.
   *
   * @param {{pixels: Uint8ClampedArray, size: number, target: number}} request target: the class to explain, or -1
   */
  async explain({ pixels, size, target }) {
    const planes = new Uint8Array(pixels.length); // the network takes all red first, then all green, then all blue
    const count = size * size;
    for (let i = 0; i < count; i++) {
      for (let channel = 0; channel < 3; channel++) planes[channel * count + i] = pixels[3 * i + channel];
    }
    const output = await session.run({
      pixels: new ort.Tensor("uint8", planes, [1, 3, size, size]),
      target: new ort.Tensor("int32", Int32Array.of(target), [1]),
    });
    return [
      {
        probabilities: Array.from(output.probabilities.data),
        familiarity: output.familiarity?.data[0],
        maps: Array.from({ length: output.maps.dims[1] }, (_, i) => output.maps.data.slice(i * count, (i + 1) * count)),
        ranges: Array.from({ length: output.ranges.dims[1] }, (_, i) => output.ranges.data.slice(2 * i, 2 * i + 2)),
      },
    ];
  },
};

onmessage = async ({ data: { id, ask, request } }) => {
  try {
    const [value, transfer] = (await answers[ask](request)) ?? [];
    postMessage({ id, value }, { transfer });
  } catch (error) {
    postMessage({ id, error: error.message, refused: error instanceof Refusal });
  }
};
