"""Photographs of one's own, from scratch and from trained weights, at two sizes, with several seeds, judged on their test pictures.

python benchmarks/own_images.py --data FOLDER [--init space] [--out nbs/results/own_images.csv] [--seeds 5]

Recipes and sizes are those of the command `train`.
"""

import argparse
import contextlib
import io
import tempfile
from itertools import product
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from era_s12 import runs
from era_s12.analysis import Interpretation, predictions_table
from era_s12.data import load_images
from era_s12.export import read_checkpoint
from era_s12.recipes import load_recipe, suited
from era_s12.training import describe_machine

KEYS = ["recipe", "image_size", "seed"]


def one_run(data, init, name, image_size, seed):
    """Accuracy and cross-entropy on the test pictures."""
    counts = load_images(data, "train", image_size)[1].bincount().tolist()
    recipe = suited(load_recipe(name, image_size=image_size, seed=seed), counts)
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        quiet = {"devices": 1, "enable_progress_bar": False, "enable_model_summary": False}
        runs.train(recipe, data, Path(out) / "run", init if name == "finetune" else None, **quiet)
        classifier = read_checkpoint(Path(out) / "run" / "checkpoints" / "last.ckpt")
    result = Interpretation.from_data(classifier, data)
    return {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "training_images": sum(counts),
        "test_images": len(result.labels),
        "accuracy": result.accuracy,
        "balanced_accuracy": result.balanced_accuracy,
        "cross_entropy": predictions_table(result).loss.mean(),
        "machine": describe_machine(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--init", default="space")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/own_images.csv"))
    args = parser.parse_args()
    runs.hush_lightning()
    plan = list(product(("finetune", "scratch"), (32, 64), range(args.seeds)))
    rows = [dict(zip(KEYS, run)) | one_run(args.data, args.init, *run) for run in tqdm(plan, "Runs")]
    table = pd.DataFrame(rows)
    table.round(4).to_csv(args.out, index=False)
    print(table.groupby(KEYS[:2])[["accuracy", "cross_entropy"]].agg(["mean", "std"]).round(3).to_string())


if __name__ == "__main__":
    main()
