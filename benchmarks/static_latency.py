"""How fast the app in the browser is, beside the one on a server, in one run on one machine, and how large.

python benchmarks/static_latency.py [--pictures 100] [--out nbs/results/static.csv]

Both get test images of the sample, enlarged to 256×256, each of them once, and answer with classes and a Grad-CAM. In the browser the clock runs
from the moment when a file is chosen until the page has been painted; at the server from the request until both pictures of
the answer are there, client and app on this machine.
"""

import argparse
import importlib.metadata
import io
import shutil
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import torch
from PIL import Image
from playwright.sync_api import sync_playwright
from skimage.data import chelsea
from space_latency import App, pictures
from tqdm import tqdm

from era_s12.inference import Classifier
from era_s12.serving import static_server
from era_s12.static import export_static
from era_s12.training import choose_precision, describe_machine

ROOT = Path(__file__).parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A frame is painted after the functions that wait for it have run, and before the page does anything else
PAINTED = "window.painted = () => new Promise(seen => requestAnimationFrame(() => setTimeout(seen)))"
# Chooses a file as a visitor would; how long until the answer is painted, and the longest pause of the page meanwhile
CHOOSE = """async text => {
    const data = new DataTransfer(), [input, answer] = ["file", "answer"].map(id => document.getElementById(id));
    data.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt())], "photo"));
    let pause = 0, last = performance.now();
    const watch = setInterval(() => { pause = Math.max(pause, performance.now() - last); last = performance.now(); }, 5);
    const done = new Promise(resolve => new MutationObserver((_, observer) => {
        if (answer.ariaBusy === "false") { observer.disconnect(); resolve(); }
    }).observe(answer, {attributes: true}));
    const started = performance.now();
    input.files = data.files;
    input.dispatchEvent(new Event("change"));
    await done;
    await painted();
    clearInterval(watch);
    return [performance.now() - started, pause];
}"""
SLIDE = """async value => {
    const [slider, started] = [document.getElementById("opacity"), performance.now()];
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
    await painted();
    return performance.now() - started;
}"""


def megabytes(folder):
    """The size of all files in a folder."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def opened(browser, url):
    """A new page, and the seconds until it could be used."""
    page, started = browser.new_page(viewport={"width": 1280, "height": 900}), time.perf_counter()
    page.add_init_script(PAINTED)
    page.goto(url)
    page.wait_for_selector("html[data-state=ready]", timeout=120_000)
    return page, time.perf_counter() - started


def choose(page, content):
    """Milliseconds until the answer to a picture is painted, and the longest pause of the page."""
    return page.evaluate(CHOOSE, b64encode(content).decode())


def in_browser(folder, files):
    """What was measured in the browser, and its version."""
    large = io.BytesIO()
    Image.fromarray(chelsea()).resize((4000, 3000)).save(large, "JPEG", quality=90)
    with static_server(folder, port=0) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        starts = []
        for _ in range(3):
            for context in browser.contexts:
                context.close()
            page, seconds = opened(browser, f"http://127.0.0.1:{server.server_port}/")
            starts.append(seconds)
        answers = np.array([choose(page, content) for content in tqdm(files, "In the browser")])[5:]
        photograph = choose(page, large.getvalue())
        slides = [page.evaluate(SLIDE, value) for value in np.linspace(0, 1, 21)]
        found = {
            "start to usable": np.median(starts),
            "answer, median": np.median(answers[:, 0]),
            "answer, 95th percentile": np.percentile(answers[:, 0], 95),
            "longest pause of the page, median": np.median(answers[:, 1]),
            "photograph of 12 megapixels": photograph[0],
            "longest pause of the page meanwhile": photograph[1],
            "another opacity, median": np.median(slides),
            "folder": megabytes(folder),
        }
        version = browser.version
        browser.close()
        server.shutdown()
    return found, version


def on_server(space, files):
    """What was measured at the app on a server."""
    app = App(space)
    try:
        app.wait_for(files[0])
        answers = [1000 * app.classify(content) for content in tqdm(files[1:], "At the server")][5:]
    finally:
        app.process.terminate()
    return {
        "answer, median": np.median(answers),
        "answer, 95th percentile": np.percentile(answers, 95),
    }


GOALS = {"start to usable": "at most 3", "answer, median": "at most 150 (200 with AVX2 only)"}
UNITS = {"start to usable": "s", "folder": "MB"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default=ROOT / "space")
    parser.add_argument("--pictures", type=int, default=100, help="for each of the two")
    parser.add_argument("--out", type=Path, default=ROOT / "nbs" / "results" / "static.csv")
    args = parser.parse_args()
    source = pictures()
    files = [next(source) for _ in range(2 * args.pictures)]
    classifier = Classifier.from_pretrained(args.space, device="cpu")
    with tempfile.TemporaryDirectory() as name:
        folder, space = Path(name) / "app", Path(args.space)
        export_static(classifier, space / "test_images.parquet", folder, space / "examples")
        browser, chromium = in_browser(folder, files[: args.pictures])
    server = on_server(space, files[args.pictures :])
    table = (
        pd.DataFrame({"in the browser": browser, "at a server": server}, index=browser)
        .rename_axis("what")
        .reset_index()
    )
    table["unit"] = [UNITS.get(what, "ms") for what in table.what]
    table["goal in the browser"] = table.what.map(GOALS)
    kind = "bfloat16 units" if choose_precision() == "bf16-mixed" else torch.backends.cpu.get_cpu_capability()
    runtime = (ROOT / "space" / "static" / "vendor" / "README.md").read_text().split("of ")[1]
    versions = [f"Chromium {chromium}", runtime.partition(",")[0]]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "gradio")]
    table["machine"], table["versions"] = f"{describe_machine()}, {kind}", ", ".join(versions)
    table.round(1).to_csv(args.out, index=False)
    print(table.drop(columns=["machine", "versions"]).round(1).to_string(index=False))
    print(f"{table.machine[0]}; {table.versions[0]}; written to {args.out}")


if __name__ == "__main__":
    main()
