"""Training on one GPU: images a second, their share of what the GPU can do, and seconds to an accuracy on the test images.

python benchmarks/gpu_training.py --data FOLDER [--recipes best speed] [--seeds 5] [--out nbs/results/gpu_training.csv]
python benchmarks/gpu_training.py --dry-run   (two steps on any machine, to see that the script works; nothing is written)

A recipe trains on all training images and is tested after each epoch. The clock stands still in the first two steps, in which
the network is compiled, during the tests, and while a checkpoint is written. The test images are for the report alone: nothing is chosen by them. The peak is
measured, too: that of a product of two square matrices in the precision of the training.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from era_s12.data import data_info
from era_s12.recipes import Recipe, load_recipe
from era_s12.runs import hush_lightning, train
from era_s12.training import LitResNet, choose_precision, describe_machine

TARGETS = (0.88, 0.90, 0.92)
WARM_UP = 2  # steps
DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16, "32-true": torch.float32}


def now() -> float:
    "Seconds, after all that was asked of the GPU is done."
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


class Clock(pl.Callback):
    "Adds up the time in training steps, and notes the accuracy on the test images after each epoch."

    def __init__(self):
        self.seconds, self.steps, self.warm_up, self.accuracies = 0.0, 0, 0.0, []

    def on_train_start(self, *_) -> None:
        self.started = now()

    def on_train_epoch_start(self, *_) -> None:
        self.since = now()

    def on_train_batch_end(self, trainer: pl.Trainer, *_) -> None:
        if trainer.global_step == WARM_UP:
            self.since = now()
            self.warm_up = self.since - self.started

    def on_validation_start(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        self.seconds += now() - self.since
        self.steps = trainer.global_step - WARM_UP

    def on_validation_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        self.accuracies.append((self.seconds, trainer.callback_metrics["test_accuracy"].item()))


def operations(recipe: Recipe) -> float:
    "Floating-point operations that a training step takes for each image."
    images = torch.randn(8, 3, recipe.image_size, recipe.image_size)
    with FlopCounterMode(display=False) as counter:
        LitResNet(recipe)(images).sum().backward()
    return counter.get_total_flops() / len(images)


def peak(precision: str, size: int) -> float:
    "Operations a second in products of two matrices of that size, the best of ten."
    device = "cuda" if torch.cuda.is_available() else "cpu"
    matrix = torch.randn(size, size, device=device, dtype=DTYPES[precision])
    times = []
    for _ in range(11):
        started = now()
        matrix @ matrix
        times.append(now() - started)
    return 2 * size**3 / min(times[1:])


def one_run(name: str, seed: int, data: str, top: float, dry: bool) -> dict:
    "Speed, and seconds until each accuracy is reached for the first time."
    clock = Clock()
    short = {"epochs": 1, "batch_size": 8, "pct_start": 0.5} if dry else {}
    recipe = load_recipe(name, seed=seed, val_size=0, **short)
    with tempfile.TemporaryDirectory() as folder:
        options = {"enable_progress_bar": False, "enable_model_summary": False, "devices": 1}
        options |= {"limit_train_batches": 2 + WARM_UP, "limit_val_batches": 1} if dry else {}
        train(recipe, data, Path(folder) / "run", callbacks=[clock], **options)
    speed = clock.steps * recipe.batch_size / clock.seconds
    reached = {
        f"seconds to {target:.0%}": next((seconds for seconds, share in clock.accuracies if share >= target), None)
        for target in TARGETS
    }
    share = speed * operations(recipe) / top
    return {
        "recipe": name,
        "data": str(data_info(data)),
        "seed": seed,
        "epochs": recipe.epochs,
        "images_per_second": speed,
        "share_of_peak": share,
        "warm_up_seconds": clock.warm_up,
        "seconds": clock.seconds,
        "accuracy": clock.accuracies[-1][1],
        **reached,
        "precision": choose_precision(),
        "machine": f"{describe_machine()}, torch {torch.__version__}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="all of CIFAR-10; with --dry-run the sample")
    parser.add_argument("--recipes", nargs="+", default=["best", "speed"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/gpu_training.csv"))
    parser.add_argument("--dry-run", action="store_true")
    args = parser.parse_args()
    hush_lightning()
    if not torch.cuda.is_available() and not args.dry_run:
        print(
            "This benchmark needs an NVIDIA GPU, and there is none here; --dry-run takes two steps without.",
            file=sys.stderr,
        )
        sys.exit(2)
    if not (args.data or args.dry_run):
        parser.error("the data is missing: --data FOLDER")
    top = peak(choose_precision(), 512 if args.dry_run else 8192)
    earlier = pd.read_csv(args.out) if args.out.exists() and not args.dry_run else pd.DataFrame(columns=["recipe"])
    rows = earlier[~earlier.recipe.isin(args.recipes)].to_dict("records")  # of other recipes
    plan = [(name, seed) for name in args.recipes for seed in range(1 if args.dry_run else args.seeds)]
    for name, seed in tqdm(plan, "Runs"):
        rows.append(one_run(name, seed, args.data or "sample", top, args.dry_run))
        if not args.dry_run:
            pd.DataFrame(rows).round(4).to_csv(args.out, index=False)
    print(pd.DataFrame(rows).T.to_string())


if __name__ == "__main__":
    main()
