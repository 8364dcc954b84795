"""How many images a second a processor trains on: as shipped, and with other threads, batches, images, and torch.compile.

python benchmarks/cpu_training.py [--avx2] [--images 2048] [--rounds 3] [--out nbs/results/cpu_training.csv]

The bare training step of `best` with SGD, on one constant batch; the changes take turns in each round. (Smaller images and other batches
are fewer numbers to learn from, so more images a second need not be a faster way to an accuracy.) The rate is that of all steps but
the first, whose seconds are told apart: torch.compile translates in it. With --avx2 the libraries take AVX2 instructions and
float32 only, as on a processor without bfloat16 units; a quarter of the images then (three steps at least). Rows of the other kind of machine are kept.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import torch
from first_steps import AVX2
from torch._inductor.utils import fresh_inductor_cache
from tqdm import tqdm

from era_s12.recipes import load_recipe
from era_s12.training import LitResNet, choose_precision, describe_machine

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the processor is measured
LIMITS = AVX2 | {"TORCHINDUCTOR_CPP_MARCH": "x86-64-v3"}
THREADS = torch.get_num_threads()
SHIPPED = {"batch_size": 256, "size": 32, "threads": THREADS, "compiled": False}
CHANGES = {
    "as shipped": {},
    "half the threads": {"threads": max(THREADS // 2, 1)},
    "twice the threads": {"threads": 2 * THREADS},
    "batches of 64": {"batch_size": 64},
    "batches of 128": {"batch_size": 128},
    "batches of 512": {"batch_size": 512},
    "images of 24×24": {"size": 24},
    "images of 16×16": {"size": 16},
    "torch.compile": {"compiled": True},
}


def measure(images, autocast, batch_size, size, threads, compiled):
    """Images a second after the first step, and the seconds of the first step."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = LitResNet(load_recipe("best", optimizer="sgd", batch_size=batch_size))
    model.max_pool4 = torch.nn.MaxPool2d(size // 8)  # spans what is left of smaller images
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = model.make_optimizer()
    batch = torch.randn(batch_size, 3, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch_size) % 10
    if compiled:
        torch.compiler.reset()
        model.compile()
    steps, times = max(images // batch_size, 3), [time.perf_counter()]
    with fresh_inductor_cache():  # or a second round would find what the first one translated
        for _ in range(1 + steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = model.criterion(model(batch), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            times.append(time.perf_counter())
    return steps * batch_size / (times[-1] - times[1]), times[1] - times[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent.parent / "nbs" / "results" / "cpu_training.csv"
    )
    args = parser.parse_args()
    if args.avx2 and not LIMITS.items() <= os.environ.items():  # they are read once, when a process starts
        sys.exit(subprocess.run([sys.executable, *sys.argv], check=False, env=os.environ | LIMITS).returncode)
    autocast = choose_precision() == "bf16-mixed" and not args.avx2
    images = args.images // 4 if args.avx2 else args.images
    seen = []
    for number in tqdm(range(args.rounds), "Rounds"):
        order = list(CHANGES.items())
        for change, settings in tqdm(order[number:] + order[:number], "Changes", leave=False):
            rate, first = measure(images, autocast, **SHIPPED | settings)
            seen.append({"change": change, "round": number, "images_per_second": rate, "first_step_seconds": first})
    seen = pd.DataFrame(seen)
    shipped = seen[seen.change == "as shipped"].set_index("round").images_per_second
    seen["of_shipped"] = seen.images_per_second / seen["round"].map(shipped)
    by_change = seen.drop(columns="round").groupby("change")
    table = by_change.median().join(by_change.of_shipped.agg(["min", "max"])).loc[list(CHANGES)].round(3).reset_index()
    table.insert(0, "bfloat16", "with" if autocast else "without")
    table = table.assign(threads=THREADS, rounds=args.rounds, machine=describe_machine(), torch=torch.__version__)
    if args.out.exists():
        earlier = pd.read_csv(args.out)
        table = pd.concat([earlier[earlier.bfloat16 != table.bfloat16[0]], table])
    table.to_csv(args.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
