"""Photographs of one's own, from scratch and from trained weights, at two sizes, with several seeds, judged on their test pictures.

python benchmarks/own_images.py --data FOLDER [--init space] [--out nbs/results/own_images.csv] [--seeds 5]

Recipes and sizes are those of the command `train`. Finished runs are kept, so that the script continues where it was stopped.
"""

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from era_s12 import runs
from era_s12.analysis import Interpretation
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
    of_label = result.probabilities.gather(1, result.labels[:, None])
    return {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "training_images": sum(counts),
        "test_images": len(result.labels),
        "accuracy": result.accuracy,
        "balanced_accuracy": result.balanced_accuracy,
        "cross_entropy": -of_label.clamp_min(1e-12).log().mean().item(),
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
    table = pd.read_csv(args.out) if args.out.exists() else pd.DataFrame(columns=KEYS)
    seeds = range(args.seeds)
    plan = [(name, size, seed) for size in (32, 64) for name in ("finetune", "scratch") for seed in seeds]
    for run in tqdm(plan, "Runs"):
        if not (table[KEYS] == list(run)).all(axis=1).any():
            row = dict(zip(KEYS, run)) | one_run(args.data, args.init, *run)
            table = pd.concat([table, pd.DataFrame([row])], ignore_index=True) if len(table) else pd.DataFrame([row])
            table.sort_values(KEYS).round(4).to_csv(args.out, index=False)
    print(table.groupby(KEYS[:2])[["accuracy", "cross_entropy"]].agg(["mean", "std"]).round(3).to_string())


if __name__ == "__main__":
    main()
