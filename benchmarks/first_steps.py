"""How long README's two commands take in an empty environment, and how much they download (on Linux or macOS).

python benchmarks/first_steps.py [--avx2] [--commands "era_s12 demo" nbdev_test] [--out nbs/results/first_steps.csv]

The machine should do nothing else meanwhile. --avx2 runs them as on a processor without bfloat16 units: in float32, and with AVX2
instructions only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pandas as pd

from era_s12.training import choose_precision, describe_machine

EMPTY = pd.DataFrame(columns=["command", "bfloat16", "machine", "install", "run", "download_gb"])
ROOT = Path(__file__).parent.parent
WANTED = {"era_s12 demo": ".", "nbdev_test": ".[dev]"}
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
# A sitecustomize.py. What era_s12.training.choose_precision asks knows nothing, in each Python that a command starts; it is put in
# when somebody imports PyTorch, since an import of its own would take seconds and undo what tests assert of imports.
WITHOUT_BF16 = """
import importlib.util
import sys


class TorchFinder:
    def find_spec(self, name, path=None, target=None):
        if name != "torch.cpu":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_change(module):
            load(module)
            module.get_capabilities = dict

        spec.loader.exec_module = load_and_change
        return spec


sys.meta_path.insert(0, TorchFinder())
"""


def measure(command, avx2):
    """Seconds and gigabytes of one command."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        environment = os.environ | {
            "PATH": f"{folder}/venv/bin:{os.environ['PATH']}",
            "PIP_CACHE_DIR": f"{folder}/cache",
        }
        environment |= {"OMP_NUM_THREADS": "1"} if command == "nbdev_test" else {}  # as README says
        run = {"era_s12 demo": ["era_s12", "demo", "--out", f"{folder}/demo"], "nbdev_test": ["nbdev_test"]}
        times = [time.perf_counter()]
        install = ["pip", "install", "--quiet", "--report", f"{folder}/report.json", "-e", WANTED[command]]
        for line in (install, run[command]):
            # the program is looked up in the new environment, and not in this one
            subprocess.run(["env", *line], check=True, cwd=ROOT, env=environment)
            times.append(time.perf_counter())
            if avx2:  # for what runs after the installation
                Path(folder, "sitecustomize.py").write_text(WITHOUT_BF16)
                environment |= AVX2 | {"PYTHONPATH": folder}
        # what came over the network is in pip's cache, and what lay on this machine's disk is not
        urls = [item["download_info"]["url"] for item in json.loads(Path(folder, "report.json").read_text())["install"]]
        files = [Path(url2pathname(urlparse(url).path)) for url in urls if url.startswith("file:")]
        files += Path(folder, "cache").rglob("*")
        downloaded = sum(path.stat().st_size for path in files if path.is_file())
    return {"install": times[1] - times[0], "run": times[2] - times[1], "download_gb": downloaded / 1e9}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--commands", nargs="+", choices=list(WANTED), default=list(WANTED))
    parser.add_argument("--out", type=Path, default=ROOT / "nbs" / "results" / "first_steps.csv")
    args = parser.parse_args()
    kind = "without" if args.avx2 or choose_precision() != "bf16-mixed" else "with"
    for command in args.commands:
        rows = pd.read_csv(args.out, dtype={"machine": object}) if args.out.exists() else EMPTY
        table = rows.set_index(["command", "bfloat16"])
        row = {"machine": describe_machine()} | measure(command, args.avx2)
        table.loc[(command, kind), list(row)] = list(row.values())
        table.infer_objects().round({"install": 0, "run": 0, "download_gb": 2}).to_csv(args.out)
        print(command, row)


if __name__ == "__main__":
    main()
