"""What kinds of temperature scaling bring, fitted on the images kept apart from training.

python benchmarks/calibration.py --data FOLDER [--weights space] [--out nbs/results/calibration.csv]
"""

import argparse
from pathlib import Path

import pandas as pd
from torch.nn.functional import nll_loss

from era_s12.analysis import Interpretation
from era_s12.calibration import calibration_error, fit_temperature
from era_s12.data import CIFAR10DataModule
from era_s12.inference import Classifier, tempered


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="space")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/calibration.csv"))
    args = parser.parse_args()
    classifier = Classifier.from_pretrained(args.weights)
    recipe = classifier.info.recipe
    module = CIFAR10DataModule(
        args.data, val_size=recipe["val_size"], seed=recipe["seed"], image_size=classifier.image_size
    )
    results = {split: Interpretation.from_data(classifier, module, split) for split in ("val", "test")}
    held_out = results["val"].logits, results["val"].labels
    kinds = {
        "plain softmax": {},
        "one temperature": fit_temperature(*held_out, weighted=False),
        "by entropy": fit_temperature(*held_out),
    }
    rows = {}
    for kind, numbers in kinds.items():
        rows[kind] = {}
        for split, result in results.items():
            probabilities = tempered(result.logits, **numbers)
            rows[kind][f"{split}_cross_entropy"] = nll_loss(probabilities.clamp_min(1e-12).log(), result.labels).item()
            rows[kind][f"{split}_ece"] = calibration_error(probabilities, result.labels)
    table = pd.DataFrame(rows).T.rename_axis("scaling").round(5)
    table.to_csv(args.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
