"""Is the peak that a range test finds a good one? Short trainings with a tenth, a third, one, three and ten times of it.

python benchmarks/range_proof.py --data FOLDER [--recipe NAME_OR_FILE …] [--out nbs/results/range_proof.csv]

With each seed the range test is made first, on 4,000 training images in batches of 128. Then come five trainings of three epochs on
the same images, alike but for the peak (and a start that is at most a tenth of it), judged on the 2,000 images that are kept apart. The test images are not read. The curves
of the range tests go beside the table. Finished runs are kept, so that the script continues where it was stopped.
"""

import argparse
import contextlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
from ablation import BATCH, EPOCHS, QUIET, new_model, small_data
from tqdm import tqdm

from era_s12.lr_finder import lr_find, read_curve
from era_s12.pictures import InvalidInput
from era_s12.recipes import load_recipe
from era_s12.runs import make_trainer
from era_s12.training import describe_machine

RESULTS = Path(__file__).parent.parent / "nbs" / "results"
SEEDS, FACTORS = range(3), (0.1, 1 / 3, 1, 3, 10)


def one_run(dm, recipe, seed):
    """Loss and accuracy on the images kept apart; neither, if the training diverged."""
    model = new_model(dm, recipe, seed)
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        trainer = make_trainer(recipe, out, limit_val_batches=0, **QUIET)
        try:
            trainer.fit(model, datamodule=dm)
        except InvalidInput:  # the loss was no number any more
            return {"loss": None, "accuracy": None}
    (scores,) = pl.Trainer(precision=trainer.precision, logger=False, **QUIET).validate(
        model, datamodule=dm, verbose=False
    )
    return {"loss": scores["val_loss"], "accuracy": scores["val_accuracy"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", nargs="+", default=["s10", "best", str(RESULTS / "best_sgd" / "recipe.yaml")])
    parser.add_argument("--out", type=Path, default=RESULTS / "range_proof.csv")
    args = parser.parse_args()
    dm = small_data(args.data)
    curves_file = args.out.with_name(f"{args.out.stem}_curves.csv")
    runs, curves = (pd.read_csv(path).to_dict("records") if path.exists() else [] for path in (args.out, curves_file))
    for source, seed in tqdm([(source, seed) for source in args.recipe for seed in SEEDS], "Range tests"):
        # The learning rates of the recipe give way to those found; its other numbers stay
        recipe = load_recipe(source, epochs=EPOCHS, batch_size=BATCH, val_size=2000)
        name = recipe.name
        points = [point for point in curves if (point["recipe"], point["seed"]) == (name, seed)]
        if not points:
            with contextlib.redirect_stderr(io.StringIO()):
                found = lr_find(new_model(dm, recipe, seed), dm)
            points = found.points[["lr", "loss"]].assign(recipe=name, seed=seed).to_dict("records")
            curves += points
            pd.DataFrame(curves).to_csv(curves_file, index=False, float_format="%.6g")
        found = read_curve([point["lr"] for point in points], [point["loss"] for point in points])
        done = {run["factor"] for run in runs if (run["recipe"], run["seed"]) == (name, seed)}
        for factor in tqdm([factor for factor in FACTORS if round(factor, 3) not in done], name, leave=False):
            peak = found.lr_max * factor
            scores = one_run(dm, replace(recipe, lr_min=min(found.lr_min, peak / 10), lr_max=peak), seed)
            row = {"recipe": name, "seed": seed, "factor": round(factor, 3), "lr_max": peak}
            runs.append(row | scores | {"machine": describe_machine()})
            pd.DataFrame(runs).to_csv(args.out, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
