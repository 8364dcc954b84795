"""What WebGPU would bring the app in the browser: the same answers? how many bytes? how many copies?

python benchmarks/webgpu.py [--images 10] [--out nbs/results/webgpu.csv]

Both runtimes of the pinned npm package answer the same test images of the sample, in a worker of headless Chromium. Without a graphics
card, SwiftShader plays one: its answers tell whether the operators are right, and its speed tells nothing, so nothing is timed. Where each operation
is computed is read from the runtime's own log: those without a WebGPU kernel on the processor, with copies there and back.
"""

import argparse
import gzip
import re
import shutil
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from era_s12.data import load_images
from era_s12.inference import Classifier
from era_s12.static import write_onnx
from era_s12.training import describe_machine

sys.path.insert(0, str(Path(__file__).parent.parent / "nbs"))
from build import RUNTIME, SCRIPT, WASM, download_runtime

RUNTIMES = {
    "WebAssembly": ("wasm", SCRIPT, WASM),
    "WebGPU": ("webgpu", "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"),
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
WORKER = """onmessage = async ({data: {provider, script, wasm, images, verbose}}) => {
    try {
        const ort = await import("./" + script);
        const load = async name => (await fetch(name)).arrayBuffer();
        ort.env.wasm.wasmBinary = await load(wasm);
        ort.env.wasm.numThreads = 1;
        const [model, adapter] = [await load("model.onnx"), await navigator.gpu?.requestAdapter()];
        const answers = [];
        const options = {executionProviders: [provider], logSeverityLevel: verbose ? 0 : 3};
        const session = await ort.InferenceSession.create(model, options);
        for (const planes of images) {
            const output = await session.run({
                pixels: new ort.Tensor("uint8", Uint8Array.from(planes), [1, 3, 32, 32]),
                target: new ort.Tensor("int32", Int32Array.of(-1), [1]),
            });
            answers.push([[...output.probabilities.data], [...output.maps.data]]);
        }
        postMessage({answers, adapter: adapter?.info.architecture || adapter?.info.vendor || "none"});
    } catch (error) {
        postMessage({error: error.message});
    }
};"""
ASK = """request => new Promise(resolve => {
    const worker = new Worker("worker.js", {type: "module"});
    worker.onmessage = ({data}) => resolve(data);
    worker.postMessage(request);
})"""


class Files(SimpleHTTPRequestHandler):
    """A quiet server of files."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".js": "text/javascript"}

    def log_message(self, format, *args):
        """Say nothing."""


def fill(folder, space):
    """Write network, runtimes and worker to a folder; the megabytes of each runtime, gzipped."""
    write_onnx(Classifier.from_pretrained(space, device="cpu"), folder / "model.onnx")
    (folder / "worker.js").write_text(WORKER)
    (folder / "index.html").write_text("<!doctype html><title>WebGPU</title>")
    sizes = {}
    for runtime, (_, *names) in RUNTIMES.items():
        contents = download_runtime(*names)
        for name, content in zip(names, contents):
            (folder / name).write_bytes(content)
        sizes[runtime] = sum(len(gzip.compress(content, 9)) for content in contents) / 1e6
    return sizes


def placement(page, request, log):
    """Where the runtime computes each node of the network, by its own log: on which provider, and how many are copies."""
    log.clear()
    page.evaluate(ASK, request | {"images": [], "verbose": True})
    text = "\n".join(log)
    placed = re.findall(r"placed on \[(\w+)ExecutionProvider\]. Number of nodes: (\d+)", text)
    return {name: int(count) for name, count in placed} | {"copies": len(re.findall(r"Memcpy(?:To|From)Host \(", text))}


def measure(folder, images):
    """What each runtime answers, as the worker says it, and where WebGPU computes what."""
    planes = [image.flatten().tolist() for image in images]
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder))) as server,
        sync_playwright() as playwright,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page, log, found = browser.new_page(), [], {}
        page.on("console", lambda message: log.append(message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        for runtime, parts in RUNTIMES.items():
            request = dict(zip(("provider", "script", "wasm"), parts))
            found[runtime] = page.evaluate(ASK, request | {"images": planes, "verbose": False})
            if "error" in found[runtime]:
                raise SystemExit(f"{runtime}: {found[runtime]['error']}")
        nodes, version = placement(page, request, log), browser.version
        browser.close()
        server.shutdown()
    return found, nodes, version


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="space")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/webgpu.csv"))
    args = parser.parse_args()
    images = load_images("sample", "test")[0][: args.images]
    with tempfile.TemporaryDirectory() as name:
        sizes = fill(Path(name), args.space)
        found, nodes, version = measure(Path(name), images)
    probabilities, maps = ([[np.array(row[i]) for row in f["answers"]] for f in found.values()] for i in (0, 1))
    gap = [max(np.abs(a - b).max() for a, b in zip(*part)) for part in (probabilities, maps)]
    same = sum(a.argmax() == b.argmax() for a, b in zip(*probabilities))
    rows = {
        "download, gzipped": [f"{size:.1f} MB" for size in sizes.values()],
        "same class": ["", f"{same} of {len(images)}"],
        "largest difference of a probability": ["", f"{gap[0]:.0e}"],
        "largest difference of a map": ["", f"{gap[1]:.0e}"],
        "operations on the card": ["", nodes["WebGpu"] - nodes["copies"]],
        "operations on the processor": ["all", nodes["CPU"]],
        "copies between the two, an answer": ["", nodes["copies"]],
    }
    table = pd.DataFrame(rows, index=list(RUNTIMES)).T.rename_axis("what").reset_index()
    table["machine"] = f"{describe_machine()}, WebGPU by {found['WebGPU']['adapter']}, Chromium {version}, {RUNTIME}"
    table.to_csv(args.out, index=False)
    print(table.drop(columns="machine").to_string(index=False))
    print(f"{table.machine[0]}; written to {args.out}")


if __name__ == "__main__":
    main()
