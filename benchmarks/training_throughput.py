"""Images a second in training on a processor: the textbook pipeline, ours, and the bare step, interleaved in one run.

python benchmarks/training_throughput.py [--batch-size 256] [--rounds 3] [--threads N] [--out nbs/results/training_throughput.csv]

The recipe is `best` with SGD. The images are the 2,000 of the shipped sample, seven batches of 256. A rate is (steps - 1) · batch size over the time from the
end of the first step to the end of the last; the table shows the median of the rounds. The data stage is timed alone, in
one process each. For a GPU there is gpu_training.py.
"""

import argparse
import contextlib
import io
import logging
import os
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from tqdm import tqdm

from era_s12.cifar10 import MEAN, STD
from era_s12.data import CIFAR10DataModule
from era_s12.pictures import to_picture
from era_s12.recipes import load_recipe
from era_s12.runs import train
from era_s12.training import LitResNet, choose_precision, describe_machine

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the processor is measured, and its precision chosen
TRANSFORMS = v2.Compose(
    [
        v2.RandomCrop(32, padding=4),
        v2.RandomHorizontalFlip(),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, STD),
    ]
)


class Pictures(Dataset):
    """What a textbook does: each image is a PIL picture that the transforms change one by one."""

    def __init__(self, images, labels):
        self.pictures, self.labels = [to_picture(image) for image in images], labels.tolist()

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return TRANSFORMS(self.pictures[index]), self.labels[index]


def plain_loop(recipe, batches, steps, memory_format, fused=False, autocast=False):
    """Seconds from the end of the first step to the end of the last, without Lightning."""
    model = LitResNet(recipe, fused=fused).to(memory_format=memory_format).train()
    optimizer = model.make_optimizer()
    for step, (images, labels) in zip(range(steps), batches):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = model.criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            started = time.perf_counter()
    return time.perf_counter() - started


def textbook(recipe, data, steps):
    """Per-image transforms in two worker processes, float32, PyTorch's own memory layout."""
    loader = DataLoader(Pictures(*data), recipe.batch_size, shuffle=True, drop_last=True, num_workers=2)
    return plain_loop(recipe, loader, steps, torch.contiguous_format)


def bare(recipe, data, steps):
    """Our network, precision, memory layout and optimiser on one constant batch."""
    images = torch.randn(recipe.batch_size, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    batch = images, torch.arange(recipe.batch_size) % 10
    autocast = choose_precision() == "bf16-mixed"
    return plain_loop(recipe, [batch] * steps, steps, torch.channels_last, True, autocast)


class Clock(pl.Callback):
    """When each training step ended."""

    def __init__(self):
        self.ends = []

    def on_train_batch_end(self, *_):
        self.ends.append(time.perf_counter())


def ours(recipe, steps, **switches):
    """The whole of `era_s12.runs.train`: Trainer, callbacks, both logs, progress bar, augmentation."""
    clock = Clock()
    limits = {
        "limit_train_batches": steps,
        "limit_val_batches": 0,
        "accelerator": "cpu",
        "devices": 1,
        "enable_progress_bar": True,
    }
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with tempfile.TemporaryDirectory() as out, quiet[0], quiet[1]:
        train(recipe, "sample", out, callbacks=[clock], **limits, **switches)
    return clock.ends[-1] - clock.ends[0]


def data_stage(dm):
    """Images a second of the data stage alone, in one process: (torchvision's transforms, ours)."""
    dm.trainer = argparse.Namespace(
        training=True,
        fit_loop=argparse.Namespace(total_batch_idx=-1),
        global_rank=0,
        world_size=1,
        current_epoch=0,
        strategy=argparse.Namespace(root_device=torch.device("cpu")),
    )
    pictures, batch_size, rates = Pictures(dm.splits["train"].images, dm.splits["train"].labels), dm.batch_size, []
    for _ in range(3):
        started = time.perf_counter()
        for _ in DataLoader(pictures, batch_size, shuffle=True, drop_last=True):
            pass
        one_by_one = len(pictures) // batch_size * batch_size / (time.perf_counter() - started)
        started = time.perf_counter()
        for batch in dm.train_dataloader():
            dm.on_after_batch_transfer(batch, 0)
        whole = dm.steps_per_epoch * batch_size / (time.perf_counter() - started)
        rates.append((one_by_one, whole))
    return list(zip(*rates))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7, help="of each pipeline in each round, one epoch at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("nbs/results/training_throughput.csv"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")

    # The same optimiser and loss in all pipelines; the schedule plays no part
    recipe = load_recipe("best", optimizer="sgd", batch_size=args.batch_size, epochs=1, val_size=0)
    dm = CIFAR10DataModule("sample", args.batch_size)
    dm.setup("fit")
    data = dm.splits["train"].images, dm.splits["train"].labels
    pipelines = {
        "textbook": lambda: textbook(recipe, data, args.steps),
        "ours": lambda: ours(recipe, args.steps),
        "bare step": lambda: bare(recipe, data, args.steps),
        "ours, float32": lambda: ours(recipe, args.steps, precision="32-true"),
        "ours, contiguous": lambda: ours(recipe, args.steps, channels_last=False),
        "ours, optimiser not fused": lambda: ours(recipe, args.steps, fused=False),
        "ours, compiled": lambda: ours(recipe, args.steps, compile=True),
    }
    rates = {name: [] for name in pipelines}
    for _ in tqdm(range(args.rounds), "Rounds"):
        for name, run in tqdm(pipelines.items(), "Pipelines", leave=False):
            rates[name].append((args.steps - 1) * args.batch_size / run())
    stages = ["data stage, torchvision", "data stage, ours"]
    rates |= dict(zip(stages, data_stage(dm)))
    table = pd.DataFrame({name: pd.Series(values).agg(["median", "min", "max"]) for name, values in rates.items()}).T
    table["of textbook"] = table["median"] / table["median"]["textbook"]
    table["of bare step"] = table["median"] / table["median"]["bare step"]
    table.loc[stages, "of textbook"] = table["median"] / table["median"][stages[0]]
    table.loc[stages, "of bare step"] = None
    table["batch_size"], table["threads"], table["machine"] = (
        args.batch_size,
        args.threads,
        describe_machine(),
    )
    table["torch"] = torch.__version__
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.rename_axis("pipeline").round(3).to_csv(args.out)
    print(table.drop(columns=["machine", "torch"]).round(2).to_string())
    print(f"{describe_machine()}, {args.threads} threads, torch {torch.__version__}; written to {args.out}")


if __name__ == "__main__":
    main()
