"""Which score tells best whether a picture is of anything that the network knows.

python benchmarks/familiarity.py --data FOLDER [--weights space] [--out nbs/results/familiarity.csv]

Area under the ROC curve of each score, for each set of `era_s12.familiarity.unfamiliar_sets`. The two that the score is chosen on stand
against the images that were kept apart from training, and `choice` is their mean; the rest stand against all test images, with
`others` as their mean. `false_alarms` is the share of test images below the threshold that 95 % of the images kept apart reach.
"""

import argparse
from pathlib import Path

import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.functional import normalize
from tqdm import tqdm

from era_s12.data import CIFAR10DataModule
from era_s12.familiarity import CHOICE, fit_familiarity, unfamiliar_sets
from era_s12.inference import Classifier, familiarity_score
from era_s12.model import LAYERS


@torch.inference_mode()
def features(classifier, images, what):
    """The mean of each channel behind each layer, the input of the last layer ("pooled"), and the logits; each N×D."""
    found = {}
    for part in tqdm(images.split(250), what, leave=False):
        x = classifier.normalized(part)
        for layer in LAYERS:
            x = classifier.model.get_submodule(layer)(x)
            found.setdefault(layer, []).append(x.mean((2, 3)))
        pooled = classifier.model.max_pool4(x).flatten(1)
        found.setdefault("pooled", []).append(pooled)
        found.setdefault("logits", []).append(classifier.model.logit_scale * classifier.model.fc(pooled))
    return {name: torch.cat(parts).cpu() for name, parts in found.items()}


def all_scores(train, labels):
    """Functions of features, larger for the familiar."""
    bank = normalize(train["pooled"][:1000])
    scores = {
        "maximum softmax probability (arXiv:1610.02136)": lambda f: f["logits"].softmax(1).amax(1),
        "maximum logit (arXiv:1911.11132)": lambda f: f["logits"].amax(1),
        "energy (arXiv:2010.03759)": lambda f: f["logits"].logsumexp(1),
        "10th nearest neighbour of 1,000 (arXiv:2204.06507)": lambda f: (
            -torch.cdist(normalize(f["pooled"]), bank).kthvalue(10, 1).values
        ),
    }
    for name, scale in (
        ("Mahalanobis (arXiv:1807.03888)", torch.nn.Identity()),
        ("Mahalanobis++ (arXiv:2505.18032)", normalize),
    ):
        for layer in (*LAYERS[1:], "pooled"):
            statistics = fit_familiarity(scale(train[layer]), labels)
            scores[f"{name}, {layer}"] = lambda f, layer=layer, scale=scale, statistics=statistics: familiarity_score(
                scale(f[layer]), statistics
            )
    return scores


def auroc(familiar, unfamiliar):
    """Area under the ROC curve of scores that are larger for the familiar."""
    return roc_auc_score([1] * len(familiar) + [0] * len(unfamiliar), torch.cat([familiar, unfamiliar]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="space")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("nbs/results/familiarity.csv"))
    args = parser.parse_args()
    classifier = Classifier.from_pretrained(args.weights)
    recipe = classifier.info.recipe
    module = CIFAR10DataModule(
        args.data, val_size=recipe["val_size"], seed=recipe["seed"], image_size=classifier.image_size
    )
    module.setup()
    train = module.splits["train"]
    held_out, test = (features(classifier, module.splits[name].images, name) for name in ("val", "test"))
    sets = {name: features(classifier, images, name) for name, images in unfamiliar_sets().items()}
    rows = {}
    for name, score in all_scores(features(classifier, train.images[:5000], "train"), train.labels[:5000]).items():
        kept, tested = score(held_out), score(test)
        rows[name] = {other: auroc(kept if other in CHOICE else tested, score(found)) for other, found in sets.items()}
        rows[name]["false_alarms"] = (tested < kept.quantile(0.05)).double().mean().item()
    table = pd.DataFrame(rows).T.rename_axis("score")
    table.insert(0, "choice", table[list(CHOICE)].mean(axis=1))
    table.insert(1, "others", table[[name for name in sets if name not in CHOICE]].mean(axis=1))
    table = table.sort_values("choice", ascending=False).round(4)
    table.to_csv(args.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
