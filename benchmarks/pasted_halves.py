"""Which heat maps tell two classes apart that stand side by side in one image, on the images kept apart from training.

python benchmarks/pasted_halves.py --data FOLDER [--weights space] [--each 8] [--out nbs/results/pasted_halves.csv]

For each method and layer the share of pasted pictures with both maps on their own halves, see `era_s12.faithfulness.halves_table`.
Together with ROAD (benchmarks/faithfulness.py) it decides which method and layer the app begins with.
"""

import argparse
from pathlib import Path

from era_s12.analysis import Interpretation
from era_s12.data import CIFAR10DataModule
from era_s12.explanation import FLOOR, LAYERS, METHODS
from era_s12.faithfulness import halves_table
from era_s12.inference import Classifier


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="space")
    parser.add_argument("--data", required=True)
    parser.add_argument("--each", type=int, default=8, help="pictures for each of the 90 ordered pairs of classes")
    parser.add_argument("--out", type=Path, default=Path("nbs/results/pasted_halves.csv"))
    args = parser.parse_args()
    classifier = Classifier.from_pretrained(args.weights)
    recipe = classifier.info.recipe
    module = CIFAR10DataModule(
        args.data, val_size=recipe["val_size"], seed=recipe["seed"], image_size=classifier.image_size
    )
    result = Interpretation.from_data(classifier, module, "val")
    cells = [(method, layer) for method in (METHODS | FLOOR) for layer in LAYERS[1:]]
    table = halves_table(result, cells, args.each).sort_values("share", ascending=False).round(4)
    table.to_csv(args.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
