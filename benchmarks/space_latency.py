"""How fast the app answers, and how much memory it takes: the app is started and asked through HTTP.

python benchmarks/space_latency.py [--requests 1000] [--out nbs/results/space_latency.csv]

Each request uploads a test image of the sample that was not sent before, enlarged to 256×256, asks /classify for classes and a Grad-CAM, and
fetches the two pictures of the answer.
"""

import argparse
import io
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from era_s12.data import load_images
from era_s12.model import LAYERS
from era_s12.pictures import to_picture
from era_s12.training import describe_machine

LAYER, METHOD = "resblock3", "gradcam"


class App:
    """The app in a process of its own."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/gradio_api"
        environment = os.environ | {"GRADIO_SERVER_PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.local = threading.local()

    @property
    def client(self):
        """One connection a thread, as each visitor has."""
        if not hasattr(self.local, "client"):
            self.local.client = httpx.Client(timeout=60)
        return self.local.client

    def call(self, name, *arguments):
        """The answer of an endpoint."""
        reply = self.client.post(f"{self.url}/call/{name}", json={"data": arguments}).raise_for_status()
        with self.client.stream("GET", f"{self.url}/call/{name}/{reply.json()['event_id']}") as stream:
            event = None
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    event = line.split()[1]
                elif line.startswith("data:") and event == "complete":
                    return json.loads(line[5:])
                elif event == "error":
                    raise RuntimeError(line)
        raise RuntimeError("no answer")

    def classify(self, picture):
        """One visit: upload, answer, both pictures. In seconds."""
        started = time.perf_counter()
        (path,) = (
            self.client.post(f"{self.url}/upload", files={"files": ("photo.png", picture)}).raise_for_status().json()
        )
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        label, *pictures = self.call("classify", image, 3, True, LAYER, METHOD, 0.5, "predicted")
        assert len(label["confidences"]) == 3
        for shown in pictures:
            content = self.client.get(f"{self.url}/file={shown['path']}").raise_for_status().content
            Image.open(io.BytesIO(content)).load()
        return time.perf_counter() - started

    def wait_for(self, picture):
        """Ask until there is an answer."""
        while True:
            try:
                return self.classify(picture)
            except httpx.TransportError:
                assert self.process.poll() is None, "the app ended"
                time.sleep(0.1)

    def gallery(self, layer):
        """Ten maps and their pictures, in seconds."""
        started = time.perf_counter()
        (gallery,) = self.call("gradcam_gallery", True, 10, "misclassified", layer, METHOD, 0.5)
        assert len(gallery) == 10
        for item in gallery:
            self.client.get(f"{self.url}/file={item['image']['path']}").raise_for_status()
        return time.perf_counter() - started

    def memory(self):
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def pictures():
    """Different PNG files, one after the other."""
    images, _ = load_images("sample", "test")
    for flip, image in itertools.product((False, True), images):
        content = io.BytesIO()
        picture = to_picture(image.flip(-1) if flip else image)
        picture.resize((256, 256), Image.Resampling.BICUBIC).save(content, "PNG")
        yield content.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="space")
    parser.add_argument("--requests", type=int, default=1000, help="in all")
    parser.add_argument("--out", type=Path, default=Path("nbs/results/space_latency.csv"))
    args = parser.parse_args()
    source, rows = pictures(), []
    files = [next(source) for _ in range(args.requests + 1)]

    started = time.perf_counter()
    app = App(args.space)
    try:
        app.wait_for(files.pop())
        rows.append(("start to first answer", time.perf_counter() - started, "s", "at most 15"))
        alone = [app.classify(files.pop()) for _ in tqdm(range(min(100, len(files) // 2)), "One client")]
        rows.append(("one client, median", 1000 * np.median(alone[5:]), "ms", "at most 150"))
        rows.append(("one client, 95th percentile", 1000 * np.percentile(alone[5:], 95), "ms", "at most 300"))
        galleries = [app.gallery(layer) for layer in LAYERS[:-1]]  # another layer each time, which no cache can know
        rows.append(("gallery of ten maps, median", 1000 * np.median(galleries), "ms", "at most 600"))
        with ThreadPoolExecutor(8) as clients:
            half, number = None, len(files)
            began = time.perf_counter()
            for done, _ in enumerate(tqdm(clients.map(app.classify, files), "Eight clients", total=number)):
                if done == number // 2:
                    half = app.memory()
            rate = number / (time.perf_counter() - began)
        rows.append(("eight clients", rate, "requests/s", "at least 10"))
        rows.append((f"memory after {args.requests} requests", app.memory(), "MB", "at most 1500"))
        rows.append(("memory gained in the second half", app.memory() - half, "MB", "below 50"))
    finally:
        app.process.terminate()
    table = pd.DataFrame(rows, columns=["what", "value", "unit", "goal"])
    table["machine"] = describe_machine()
    table.round(1).to_csv(args.out, index=False)
    print(table.drop(columns="machine").round(1).to_string(index=False))
    print(f"{describe_machine()}; written to {args.out}")


if __name__ == "__main__":
    main()
