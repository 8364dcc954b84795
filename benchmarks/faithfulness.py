"""How faithful heat maps are: ROAD of each method at each layer, with a 95 % interval and milliseconds an image.

python benchmarks/faithfulness.py --data FOLDER [--split test --methods gradcam --layers resblock3] [--out FILE]

`era_s12.faithfulness.road` tells how far a map is right about what the answer depends on: 0 if it says nothing; randomcam
is the floor. The images are the first of the 2,000 that are kept apart. Finished rows are kept, so that the script
continues where it was stopped.
"""

import argparse
import hashlib
import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from pytorch_grad_cam import AblationCAM, ScoreCAM
from tqdm import tqdm

from era_s12.data import CIFAR10DataModule
from era_s12.explanation import FLOOR, LAYERS, METHODS, heat_maps
from era_s12.faithfulness import road
from era_s12.inference import Classifier
from era_s12.pictures import InvalidInput
from era_s12.training import choose_precision, describe_machine

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the processor computes, and its precision is chosen
BATCH_SIZE = 10  # images
BFLOAT16 = choose_precision() == "bf16-mixed"  # where it is fast


class BatchedScoreCAM(ScoreCAM):
    """The package's (arXiv:1910.01279), with all channels of an image in one batch, and in bfloat16 if that is fast."""

    @torch.no_grad()
    def get_cam_weights(self, images, layer, targets, activations, grads):
        """N×C weights: the scores when only those pixels are shown where the channel is active, through a softmax."""
        weights = []
        for image, target, masks in zip(images, targets, torch.from_numpy(activations)):
            masks = F.interpolate(masks[:, None], image.shape[-2:], mode="bilinear", align_corners=True)  # C×1×H×W
            masks = masks - masks.amin((2, 3), keepdim=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
                logits = self.model(image * masks / (masks.amax((2, 3), keepdim=True) + 1e-8))
            weights.append(torch.vmap(target)(logits.float()).softmax(0))
        return torch.stack(weights).numpy()


class BatchedAblationCAM(AblationCAM):
    """The package's, with all channels in one batch that only the layers behind the target see (WACV 2020)."""

    @torch.no_grad()
    def get_cam_weights(self, images, layer, targets, activations, grads):
        """N×C weights: what the score loses without the channel; not divided by the score, which may be negative."""
        keep = 1 - torch.eye(activations.shape[1])[:, :, None, None]  # C×C×1×1
        with layer.register_forward_hook(lambda module, inputs, output: torch.cat([output, output * keep])):
            # In float32: the loss by one channel is too small for bfloat16
            scores = [torch.vmap(target)(self.model(image[None])) for image, target in zip(images, targets)]  # 1+C each
        return torch.stack([score[0] - score[1:] for score in scores]).numpy()


SLOW = {"scorecam": BatchedScoreCAM, "ablationcam": BatchedAblationCAM}
METHODS.update(SLOW | FLOOR)  # so that `heat_maps` knows them too


def one_cell(classifier, batch, classes, method, layer, seed):
    """What the table says of a method at a layer, on uint8 images N×3×H×W and the classes predicted for them, N."""
    np.random.seed(seed)  # of randomcam
    rng = np.random.default_rng(seed)  # the same noise for every method and layer
    explain = partial(heat_maps, classifier, target_layer=layer, method=method)
    explain(batch[:1], target_class=classes[:1])  # the first call is slower
    scores, milliseconds, empty = [], [], 0
    for images, predicted in zip(batch.split(BATCH_SIZE), classes.split(BATCH_SIZE)):
        started = time.perf_counter()
        maps = explain(images, target_class=predicted)
        milliseconds.append(1000 * (time.perf_counter() - started) / len(images))
        empty += (maps.amax((1, 2)) == 0).sum().item()
        scores.append(road(classifier, images, maps, predicted, rng, BFLOAT16))
    scores = torch.cat(scores).numpy()
    low, high = np.percentile(rng.choice(scores, (10_000, len(scores))).mean(1), (2.5, 97.5))  # bootstrap
    return {"road": scores.mean(), "low": low, "high": high, "empty": empty, "milliseconds": np.median(milliseconds)}


def measure(args):
    """The table, filled row by row. Raises `InvalidInput` for what cannot be used."""
    for kind, names, known in (("method", args.methods, METHODS), ("layer", args.layers, LAYERS)):
        if unknown := [name for name in names if name not in known]:
            raise InvalidInput(f"The {kind} '{unknown[0]}' is unknown; it is one of {', '.join(known)}.")
    classifier = Classifier.from_pretrained(args.weights, device="cpu")
    recipe = classifier.info.recipe
    dm = CIFAR10DataModule(
        args.data,
        val_size=recipe["val_size"] if args.split == "val" else 0,
        seed=recipe["seed"],
        image_size=classifier.image_size,
    )
    dm.setup("validate" if args.split == "val" else "test")
    if args.split not in dm.splits:
        raise InvalidInput("The network kept no images apart for validation; use --split test.")
    images = dm.splits[args.split].images
    if not {args.images, args.slow_images} <= set(range(1, len(images) + 1)):
        raise InvalidInput(f"The number of images must be at least 1 and at most {len(images)}.")
    images = images[: max(args.images, args.slow_images)]
    classes = classifier.probabilities(images).argmax(1)
    state = b"".join(tensor.numpy().tobytes() for tensor in classifier.model.state_dict().values())
    made_with = {"seed": args.seed, "weights": hashlib.sha256(state).hexdigest()[:12]}
    machine = {"batch_size": BATCH_SIZE, "threads": args.threads, "machine": describe_machine()}
    rows = pd.read_csv(args.out, dtype={"weights": str}).to_dict("records") if args.out.exists() else []
    for method, layer in tqdm([(method, layer) for method in args.methods for layer in args.layers], "Methods, layers"):
        n = args.slow_images if method in SLOW else args.images
        place = {"method": method, "layer": layer, "split": args.split}
        key = place | {"images": n} | made_with
        if any(key.items() <= row.items() for row in rows):
            continue
        rows = [row for row in rows if not place.items() <= row.items()]
        rows.append(key | one_cell(classifier, images[:n], classes[:n], method, layer, args.seed) | machine)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).round(4).to_csv(args.out.with_suffix(".partial"), index=False)
        os.replace(args.out.with_suffix(".partial"), args.out)
    return pd.DataFrame(rows).sort_values("road", ascending=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="space", help="a folder, or USER/NAME on the Hugging Face hub")
    parser.add_argument("--data", required=True, help="as for `era_s12 train`")
    parser.add_argument(
        "--out", type=Path, help="nbs/results/faithfulness.csv, or faithfulness_test.csv for --split test"
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--slow-images", type=int, default=40, help=f"for {' and '.join(SLOW)}")
    parser.add_argument("--split", choices=("val", "test"), default="val", help="val: the images that are kept apart")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument("--layers", nargs="+", default=list(LAYERS[1:]), metavar="LAYER", help=", ".join(LAYERS))
    parser.add_argument("--seed", type=int, default=0, help="of noise, ties, bootstrap and randomcam")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    args.out = args.out or Path("nbs/results", "faithfulness.csv" if args.split == "val" else "faithfulness_test.csv")
    torch.set_num_threads(args.threads)
    try:
        table = measure(args)
    except InvalidInput as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(table.drop(columns=["machine", "weights"]).round(3).to_string(index=False))
    print(f"{describe_machine()}, {args.threads} threads, batches of {BATCH_SIZE}; written to {args.out}")


if __name__ == "__main__":
    main()
