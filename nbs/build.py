"""Builds what is made and not written by hand.

python nbs/build.py readme             README.md from index.ipynb
python nbs/build.py book               HTML pages of the notebooks, in _book/
python nbs/build.py links              links of the notebooks to the owner in settings.ini
python nbs/build.py nbdev              [tool.nbdev] in pyproject.toml, which nbdev 3 reads, from settings.ini
python nbs/build.py sample FOLDER      the shipped sample and the app's examples, from the whole data set
python nbs/build.py evidence RUN       nbs/results/RECIPE, from the run whose weights are in space/
python nbs/build.py shrink             pictures of the notebooks with 256 colours at most, a third of their size
python nbs/build.py vendor [FOLDER]    the WebAssembly runtime of the app in the visitor's browser, from npm
"""

import argparse
import base64
import configparser
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq
from nbconvert import HTMLExporter, MarkdownExporter
from PIL import Image
from traitlets.config import Config

NBS = Path(__file__).parent
ROOT = NBS.parent


def settings():
    """The repository's one source of names: settings.ini."""
    parser = configparser.ConfigParser(delimiters=["="])
    parser.read(ROOT / "settings.ini", encoding="utf-8")
    return parser["DEFAULT"]


def convert(path, exporter):
    """A notebook without its hidden cells and directives, through an nbconvert exporter."""
    config = Config(
        RegexRemovePreprocessor={
            "enabled": True,
            "patterns": [r"#\|\s*(hide|default_exp)\b"],
        },
        TagRemovePreprocessor={"enabled": True, "remove_input_tags": ["hide_input"]},
    )
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.source.startswith("#| hide_input"):
            cell.metadata["tags"] = ["hide_input"]
        if not cell.source.startswith(("#| hide\n", "#| default_exp")):
            cell.source = re.sub(r"(?m)^#\| .*\n?", "", cell.source)
    return exporter(config=config).from_notebook_node(notebook)


def readme():
    """Write README.md from index.ipynb, and the pictures that it shows to nbs/images.

    Links of the notebook are relative to nbs/, those of the README to the root. The text that stands for a picture is
    what the notebook gave it as metadata.
    """
    body, resources = convert(NBS / "index.ipynb", MarkdownExporter)
    images = NBS / "images"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir()
    for name, data in resources["outputs"].items():
        (images / name).write_bytes(data)
    cells = nbformat.read(NBS / "index.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    alts = [o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]
    for alt, name in zip(alts, resources["outputs"], strict=True):
        body = body.replace(f"![png]({name})", f"![{alt}](images/{name})")
    body = re.sub(r"\]\((?!https?:|#)(?:\.\./)?([^)]*)\)", lambda m: f"]({relink(m[1])})", body)
    body = re.sub(r"\n[ \t]*(\n[ \t]*)+\n", "\n\n", body)
    (ROOT / "README.md").write_text(body.strip() + "\n", encoding="utf-8")


def relink(target):
    """A link of a page in nbs/ as a link of a page in the root."""
    return f"nbs/{target}" if (NBS / target).exists() else target


def book():
    """Write every notebook as a page of _book/, with index.html as its first."""
    out = ROOT / "_book"
    out.mkdir(exist_ok=True)
    for path in sorted(NBS.glob("*.ipynb")):
        body, _ = convert(path, HTMLExporter)
        body = re.sub(r'(href="[\w./]+)\.ipynb', r"\1.html", body)
        (out / f"{path.stem}.html").write_text(body, encoding="utf-8")
    print(out / "index.html")


def links():
    """Make every link to the repository or the Space in the notebooks one to settings.ini's user and repo."""
    cfg = settings()
    name = rf"\g<1>{cfg['user']}/{cfg['repo']}"
    for path in NBS.rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        pattern = rf"(colab\.research\.google\.com/github/|github\.com/|huggingface\.co/spaces/)[\w.-]+/{cfg['repo']}\b"
        path.write_text(re.sub(pattern, name, text), encoding="utf-8")


def nbdev():
    """Write the table that nbdev 3 reads, so that it exports the same files as nbdev 2, which reads settings.ini."""
    cfg, path = settings(), ROOT / "pyproject.toml"
    texts = ("lib_name", "lib_path", "nbs_path", "tst_flags", "doc_host", "doc_baseurl", "git_url", "branch")
    lines = [f'{name} = "{cfg[name]}"' for name in texts]
    lines += [f"{name} = {cfg[name].lower()}" for name in ("recursive", "black_formatting")]
    table = "\n".join(["[tool.nbdev] # made from settings.ini by nbs/build.py", *lines]) + "\n"
    text = re.sub(r"(?ms)^\[tool\.nbdev\].*?(?=^\[|\Z)", "", path.read_text(encoding="utf-8")).rstrip()
    path.write_text(f"{text}\n\n{table}", encoding="utf-8")


def shrink():
    """Give every large picture that a notebook shows a palette of 256 colours; it is kept as it is where that saves little."""
    for path in NBS.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        for shown in (o.data for o in outputs if len(o.get("data", {}).get("image/png", "")) > 20_000):
            content = io.BytesIO()
            picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
            picture.convert("RGB").quantize(256).save(content, "PNG", optimize=True)
            small = base64.b64encode(content.getvalue()).decode()
            if len(small) < 0.8 * len(shown["image/png"]):
                shown["image/png"] = small + "\n"
        nbformat.write(notebook, path)


def sample(source):
    """Choose the shipped sample and the app's examples from the Parquet files of the whole data set.

    The sample is the first 200 training and the first 100 test images of each class, an example the first test
    image of its class after those: by position in the file, without a look at the pictures.
    """
    for split, per_class in (("train", 200), ("test", 100)):
        table = pa.concat_tables(pq.read_table(path) for path in sorted(Path(source).glob(f"{split}*.parquet")))
        labels = table["label"].to_pandas()
        chosen = labels.groupby(labels).head(per_class).index
        target = ROOT / "era_s12" / "sample" / f"{split}.parquet"
        pq.write_table(
            table.take(pa.array(chosen)),
            target,
            compression="zstd",
            use_dictionary=False,
        )
    from era_s12.cifar10 import CLASSES

    rest = labels.drop(chosen)
    for label, name in enumerate(CLASSES):
        index = rest.index[rest == label][0]
        picture = Image.open(io.BytesIO(table["img"][index].as_py()["bytes"]))
        picture.save(ROOT / "space" / "examples" / f"{name}_{index:05}.png")


def evidence(run):
    """Keep the small evidence of the run whose weights are in space/: its log, its recipe, and what was measured.

    To be called on the machine that trained, whose name it notes.
    """
    config = json.loads((ROOT / "space" / "config.json").read_text(encoding="utf-8"))
    target = NBS / "results" / config["recipe"]["name"]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(run) / "logs" / "metrics.csv", target)
    shutil.copy(Path(run) / "recipe.yaml", target)
    from era_s12.training import describe_machine

    names = ("accuracy", "accuracy_flip_averaged", "epochs", "trained_on", "tested_on")
    summary = {name: config[name] for name in names} | {"machine": describe_machine()}
    summary = json.dumps(summary, indent=1)
    (target / "summary.json").write_text(summary + "\n", encoding="utf-8")


RUNTIME = "onnxruntime-web@1.30.0"
CHECKSUM = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # npm's SHA-512
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"


def download_runtime():
    """The two files of the runtime's npm package, as bytes; an error if the package is another one than was pinned."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", RUNTIME], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(Path(folder).glob("*.tgz"))
        checksum = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if checksum != CHECKSUM:
            raise SystemExit(f"{archive.name} has the checksum {checksum}, and not the one that is pinned.")
        with tarfile.open(archive) as tar:
            return [tar.extractfile(f"package/dist/{name}").read() for name in (SCRIPT, WASM)]


def vendor(folder=ROOT / "space" / "static" / "vendor"):
    """Write runtime, WebAssembly and licences to a folder; it is committed, so this is done once a version.

    The 14 MB of WebAssembly are gzipped, as the app downloads them, since browsers unpack gzip themselves. The package on npm has
    no file with its licence; the Python package `onnxruntime`, of the same source, has.
    """
    script, wasm = download_runtime()
    licences = files("onnxruntime")
    contents = {
        # not every server knows that .mjs is JavaScript; the map that its last line names is not there
        "onnxruntime.js": script.partition(b"//# sourceMappingURL")[0],
        "onnxruntime.wasm.gz": gzip.compress(wasm, 9, mtime=0),
        "LICENSE": (licences / "LICENSE").read_bytes(),
        "ThirdPartyNotices.txt.gz": gzip.compress((licences / "ThirdPartyNotices.txt").read_bytes(), 9, mtime=0),
        "README.md": f"`{SCRIPT}` and `{WASM}` of {RUNTIME}, fetched by `python nbs/build.py vendor`.\n".encode(),
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (Path(folder) / name).write_bytes(content)
        print(f"{len(content):>10,} bytes  {Path(folder) / name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    builders = {f.__name__: f for f in (readme, book, links, nbdev, shrink, sample, evidence, vendor)}
    parser.add_argument("what", choices=builders)
    parser.add_argument("source", nargs="*", help="the FOLDER or the RUN")
    args = parser.parse_args()
    builders[args.what](*args.source)
