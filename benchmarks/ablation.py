"""What each part of the recipe `best` brings: short runs on 4,000 images, five seeds a row, each row with its own peak rate.

python benchmarks/ablation.py --data FOLDER [--out nbs/results/ablation.csv]

A row differs from the recipe in one part. Its peak is chosen with seed 0, on 4,000 other training
images: doubled or halved as long as that helps. Then come four more seeds, and all five are judged on the 2,000 images that are
kept apart. The test images are not read. Finished runs are kept, so that the script continues where it was stopped.
"""

import argparse
import contextlib
import io
import logging
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from unittest import mock

import pandas as pd
import pytorch_lightning as pl
import torch
from tqdm import tqdm

from era_s12 import augmentation
from era_s12.data import CIFAR10DataModule, TensorImages
from era_s12.model import memory_layout
from era_s12.recipes import load_recipe
from era_s12.runs import make_trainer
from era_s12.training import LitResNet, choose_precision, describe_machine

IMAGES, EPOCHS, BATCH, SEEDS = 4000, 3, 128, range(5)
ROWS = {  # fields of the recipe, and in capitals what no recipe says
    "the recipe": {},
    "SGD instead of Muon": {"optimizer": "sgd"},
    "Adam instead of Muon": {"optimizer": "adam", "weight_decay": 0.0},
    "no crop": {"WITHOUT": "random_crop"},
    "no cutout": {"WITHOUT": "cutout"},
    "no flip": {"WITHOUT": "random_flip"},
    "random flip": {"alternating_flip": False},
    "no label smoothing": {"label_smoothing": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "logits not scaled": {"logit_scale": 1.0},
    "not annealed to zero": {"anneal_to_zero": False},
    "Dirac initialisation": {"DIRAC": True},
    "24×24 pixels at first": {"SIZE": 24},
}
QUIET = {"enable_progress_bar": False, "enable_model_summary": False, "devices": 1}
FIRST_PEAK = 0.12  # where the search for a peak begins
# what scales the logits down scales the gradients down, too
FIRST_PEAKS = {"logits not scaled": 0.02, "Adam instead of Muon": 0.002}


def small_data(folder):
    """4,000 images to train on, as many `others` to choose a peak on, and the 2,000 that are kept apart; Lightning is quiet from here on."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    dm = CIFAR10DataModule(folder, BATCH, val_size=2000)
    dm.setup("fit")
    train = dm.splits["train"]
    dm.splits["train"] = TensorImages(train.images[:IMAGES], train.labels[:IMAGES])
    dm.splits["others"] = TensorImages(train.images[-IMAGES:], train.labels[-IMAGES:])
    return dm


def new_model(dm, recipe, seed):
    """The network of a recipe, and the data in the order of that seed."""
    dm.seed, dm.alternating_flip = seed, recipe.alternating_flip
    pl.seed_everything(seed, verbose=False)
    model = LitResNet(recipe)
    model.engine = {"precision": choose_precision()}
    return model.to(memory_format=memory_layout("mps" if torch.backends.mps.is_available() else "cpu"))


def shrink(model, inputs, size):
    """The images that the network trains on, made smaller in all epochs but the last."""
    if model.training and model.current_epoch < EPOCHS - 1:
        return torch.nn.functional.interpolate(inputs[0], size, mode="bilinear", antialias=True)


def one_run(dm, change, peak, seed):
    """Accuracy and loss on the images kept apart, by the average of the weights and by the last ones, and the seconds it took to train."""
    fields = {name: value for name, value in change.items() if name.islower()}
    recipe = load_recipe("best", epochs=EPOCHS, batch_size=BATCH, lr_max=peak, lr_min=peak / 10, **fields)
    model = new_model(dm, recipe, seed)
    if "DIRAC" in change:
        for layer in model.modules():
            if isinstance(layer, torch.nn.Conv2d):  # each channel goes on as it is, besides what the others learn
                torch.nn.init.dirac_(layer.weight.data[: layer.in_channels])
    if "SIZE" in change:
        model.max_pool4 = torch.nn.AdaptiveMaxPool2d(1)  # spans what is left of smaller images
        model.register_forward_pre_hook(partial(shrink, size=change["SIZE"]))
    left_out = (
        mock.patch.object(augmentation, change["WITHOUT"], lambda images, *_: images)
        if "WITHOUT" in change
        else contextlib.nullcontext()
    )
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()), left_out:
        trainer = make_trainer(recipe, out, limit_val_batches=0, **QUIET)
        started = time.perf_counter()
        trainer.fit(model, datamodule=dm)
        seconds = time.perf_counter() - started
        last = torch.load(Path(out) / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
    judge = pl.Trainer(precision=trainer.precision, logger=False, **QUIET)

    def judged(name, split):
        with mock.patch.dict(dm.splits, val=dm.splits[split]):
            (scores,) = judge.validate(model, datamodule=dm, verbose=False)
        return {f"{name}{key.removeprefix('val_')}": value for key, value in scores.items()}

    scores = judged("", "val") | (judged("choosing_", "others") if seed == 0 else {})
    model.load_state_dict(last)
    return scores | judged("last_", "val") | {"seconds": seconds}


def runs_of(dm, row, kept):
    """All runs of a row, those that are kept and new ones; hands out the new ones as they end."""
    done = {(run["peak"], run["seed"]): run for run in kept}

    def accuracy(peak):
        return done[peak, 0]["choosing_accuracy"]

    def run(peak, seed):
        if (peak, seed) not in done:
            done[peak, seed] = {"row": row, "peak": peak, "seed": seed} | one_run(dm, ROWS[row], peak, seed)
            yield done[peak, seed]

    peak = FIRST_PEAKS.get(row, FIRST_PEAK)
    best = None
    while best != peak:  # until neither the half nor the double is better
        peak = best or peak
        for near in (peak, peak / 2, peak * 2):
            yield from run(near, 0)
        best = max((peak, peak / 2, peak * 2), key=accuracy)
    for seed in SEEDS[1:]:
        yield from run(peak, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/ablation.csv"))
    args = parser.parse_args()
    dm = small_data(args.data)
    runs = pd.read_csv(args.out).to_dict("records") if args.out.exists() else []
    for row in tqdm(ROWS, "Rows"):
        kept = [run for run in runs if run["row"] == row]
        for run in tqdm(runs_of(dm, row, kept), row, leave=False):
            runs.append(run | {"machine": describe_machine()})
            pd.DataFrame(runs).round(6).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
