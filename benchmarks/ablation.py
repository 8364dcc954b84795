"""What each part of the recipe `best` brings: three epochs on 10,000 images, judged on the 2,000 that are kept apart.

python benchmarks/ablation.py --data FOLDER [--out nbs/results/ablation.csv]

The first run is the recipe itself, shortened; each of the others changes one part. Finished runs are kept, so that the
script continues where it was stopped. The test images are not read.
"""

import argparse
import contextlib
import io
import logging
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from tqdm import tqdm

from era_s12.data import CIFAR10DataModule, TensorImages
from era_s12.recipes import load_recipe
from era_s12.runs import make_trainer
from era_s12.training import LitResNet, describe_machine

ADAM = load_recipe("s10")
CHANGES = {
    "the recipe": {},
    "another seed": {"seed": 1},
    "Adam with the rates of s10": {
        "optimizer": "adam",
        "lr_min": ADAM.lr_min,
        "lr_max": ADAM.lr_max,
        "weight_decay": 0.0,
    },
    "not annealed to zero": {"anneal_to_zero": False},
    "logits not scaled": {"logit_scale": 1.0},
    "no label smoothing": {"label_smoothing": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "random flip": {"alternating_flip": False},
}


def one_run(data, change):
    """Accuracy and loss on the images kept apart with and without the average of the weights, and the seconds it took."""
    seed = change.pop("seed", 0)  # of weights, order and augmentation; the split stays
    recipe = load_recipe("best", epochs=3, seed=0, **change)
    dm = CIFAR10DataModule(data, recipe.batch_size, recipe.val_size, 0, recipe.alternating_flip)
    dm.setup("fit")
    train = dm.splits["train"]
    dm.splits["train"] = TensorImages(train.images[:10_000], train.labels[:10_000])
    dm.seed = seed
    pl.seed_everything(seed, verbose=False)
    model = LitResNet(recipe).to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        trainer = make_trainer(
            recipe,
            out,
            enable_progress_bar=False,
            enable_model_summary=False,
            devices=1,
        )
        started = time.perf_counter()
        trainer.fit(model, datamodule=dm)
        seconds = time.perf_counter() - started
        averaged = trainer.callback_metrics
        last = torch.load(Path(out) / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
        model.load_state_dict(last)
        quiet = {
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "logger": False,
            "devices": 1,
        }
        (plain,) = pl.Trainer(precision=trainer.precision, **quiet).validate(model, datamodule=dm, verbose=False)
    return {
        "accuracy": averaged["val_accuracy"].item(),
        "loss": averaged["val_loss"].item(),
        "accuracy_without_average": plain["val_accuracy"],
        "seconds": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/ablation.csv"))
    args = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    table = pd.read_csv(args.out, index_col="run") if args.out.exists() else pd.DataFrame()
    for name, change in tqdm(CHANGES.items(), "Runs"):
        if name not in table.index:
            row = pd.DataFrame(
                [one_run(args.data, dict(change)) | {"machine": describe_machine()}],
                [name],
            )
            table = pd.concat([table, row])
            table.rename_axis("run").round(4).to_csv(args.out)
    print(table.drop(columns="machine").round(4).to_string())


if __name__ == "__main__":
    main()
