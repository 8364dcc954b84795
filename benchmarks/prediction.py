"""What the library costs beside the bare network: many images, one picture, ten heat maps; ratios in one run.

python benchmarks/prediction.py [--weights space] [--rounds 15] [--threads N] [--out nbs/results/prediction.csv]

In each round each way is timed once, one after the other, so that whatever slows the machine meets them all; the table shows medians.
The images are those of the shipped sample, decoded; the single picture is one of them as a PIL image.
"""

import argparse
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from tqdm import trange

from era_s12.data import load_images
from era_s12.explanation import heat_maps
from era_s12.inference import Classifier
from era_s12.pictures import to_picture
from era_s12.training import describe_machine


def seconds(function, *args):
    "How long a call takes; on a GPU, until it is done there."
    started = time.perf_counter()
    function(*args)
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter() - started


@torch.inference_mode()
def bare(model, inputs):
    "Nothing but the forward passes, 250 images each, as the library makes them."
    for part in inputs.split(250):
        model(part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="space")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("nbs/results/prediction.csv"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    classifier = Classifier.from_pretrained(args.weights)
    images = load_images("sample", "test")[0]
    inputs, picture = classifier.normalized(images), to_picture(images[0])
    ten = [to_picture(image) for image in images[:10]]

    def one_by_one():
        for image in ten:
            heat_maps(classifier, image)

    ways = {
        "bare network, 1,000 images": lambda: bare(classifier.model, inputs),
        "Classifier, 1,000 images": lambda: classifier.predictions(images),
        "bare network, one image": lambda: bare(classifier.model, inputs[:1]),
        "Classifier, one picture": lambda: classifier.predict(picture),
        "Grad-CAM, ten pictures one by one": one_by_one,
        "Grad-CAM, ten pictures in a batch": lambda: heat_maps(classifier, ten),
    }
    for way in ways.values():
        way()  # the first call is slower
    times = {name: [] for name in ways}
    for _ in trange(args.rounds, desc="Rounds"):
        for name, way in ways.items():
            times[name].append(seconds(way))
    bare_many, many, bare_one, one, single_maps, maps = (1000 * median(values) for values in times.values())
    machine = f"{describe_machine()}, {args.threads} threads, torch {version('torch')}"
    rows = [
        ("images a second in batches, Classifier / bare network", bare_many / many, "at least 0.9", many, bare_many),
        ("time for one picture, Classifier / bare network", one / bare_one, "at most 1.3", one, bare_one),
        ("time for ten heat maps, one batch / one by one", maps / single_maps, "at most 0.6", maps, single_maps),
    ]
    columns = ["what", "ratio", "goal", "milliseconds", "milliseconds of the other"]
    table = pd.DataFrame(rows, columns=columns).assign(machine=machine)
    table.round(2).to_csv(args.out, index=False)
    print(table.iloc[:, :5].round(2).to_string(index=False))


if __name__ == "__main__":
    main()
