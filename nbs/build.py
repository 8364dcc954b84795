"""Builds what is made and not written by hand.

python nbs/build.py readme             README.md from index.ipynb
python nbs/build.py book               HTML pages of the notebooks, in _book/
python nbs/build.py links              links of the notebooks to the owner in settings.ini, and of each chapter to the stages of the workflow
python nbs/build.py nbdev              [tool.nbdev] in pyproject.toml, which nbdev 3 reads, from settings.ini
python nbs/build.py constraints        constraints.txt, the versions that are installed here of all that is required
python nbs/build.py sample FOLDER      the shipped sample and the app's examples, from the whole data set
python nbs/build.py evidence RUN [APP] nbs/results/RECIPE, from a run and the app made of it (without APP: space/)
python nbs/build.py shrink             smaller pictures in the notebooks, with 128 colours at most, and no progress bars
python nbs/build.py vendor [FOLDER]    the WebAssembly runtime of the app in the visitor's browser, from npm
"""

import argparse
import base64
import configparser
import gzip
import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path

import jinja2
import nbformat
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from nbconvert import HTMLExporter, MarkdownExporter
from PIL import Image

NBS = Path(__file__).parent
ROOT = NBS.parent


def settings():
    """The repository's one source of names: settings.ini."""
    parser = configparser.ConfigParser(delimiters=["="])
    parser.read(ROOT / "settings.ini", encoding="utf-8")
    return parser["DEFAULT"]


# The stages of the workflow: the name of each, what it does, and the chapter that it begins with
STAGES = {
    "images": ("files to tensors", "cifar10"),
    "training": ("network and run", "model"),
    "range test": ("two learning rates", "lr_finder"),
    "inference": ("probabilities", "inference"),
    "explanation": ("heat maps", "explanation"),
    "analysis": ("how far to trust it", "analysis"),
    "export": ("weights and app", "publish"),
    "app": ("in the browser", "commands"),
}


def chapters():
    """The chapters of each stage, as paths."""
    groups, stage = {name: [] for name in STAGES}, ""
    begins = {first: name for name, (_, first) in STAGES.items()}
    for path in sorted(NBS.glob("[0-9]*.ipynb")):
        stage = begins.get(path.stem.partition("_")[2], stage)
        groups[stage].append(path)
    return groups


def workflow():
    """The stages of the workflow as a figure."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 1.9), layout="constrained")
    arrow = {"arrowstyle": "-|>", "mutation_scale": 12, "color": "#55606e", "shrinkA": 0, "shrinkB": 0}
    for number, (name, (does, _)) in enumerate(STAGES.items()):
        x, y = number % 4, -1.2 * (number // 4)
        ax.add_patch(plt.Rectangle((x + 0.03, y), 0.86, 0.8, facecolor="#fdeedd", edgecolor="#e07a1f"))
        ax.text(x + 0.46, y + 0.54, f"{number + 1} {name}", ha="center", va="center", fontsize=11, weight="bold")
        ax.text(x + 0.46, y + 0.25, does, ha="center", va="center", fontsize=9)
        if x:
            ax.annotate("", (x + 0.03, y + 0.4), (x - 0.11, y + 0.4), arrowprops=arrow)
    ax.plot([3.46, 3.46, 0.46], [0, -0.2, -0.2], color=arrow["color"], linewidth=1)
    ax.annotate("", (0.46, -0.4), (0.46, -0.19), arrowprops=arrow)
    ax.set(xlim=(0, 3.92), ylim=(-1.23, 0.83))
    ax.axis("off")
    return figure


def shown(path):
    """A notebook as it is read: without hidden cells, and with directives as tags of the cells."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        directives = re.match(r"(?:#\|.*\n?)*", cell.source)[0]
        cell.metadata.tags = [line[2:].strip() for line in directives.splitlines()]
        cell.source = cell.source[len(directives) :]
        if "hide_input" in cell.metadata.tags:
            cell.metadata["transient"] = {"remove_source": True}
    hidden = re.compile(r"hide$|default_exp\b")
    notebook.cells = [cell for cell in notebook.cells if not any(map(hidden.match, cell.metadata.tags))]
    return notebook


def readme():
    """Write README.md from index.ipynb, and the pictures that it shows to nbs/images.

    Links of the notebook are relative to nbs/, those of the README to the root. The text that stands for a picture is
    what the notebook gave it as metadata.
    """
    notebook = shown(NBS / "index.ipynb")
    body, resources = MarkdownExporter().from_notebook_node(notebook)
    images = NBS / "images"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir()
    for name, data in resources["outputs"].items():
        (images / name).write_bytes(data)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    alts = [o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]
    for alt, name in zip(alts, resources["outputs"], strict=True):
        body = body.replace(f"![png]({name})", f"![{alt}](images/{name})")
    body = re.sub(r"\]\((?!https?:|#)(?:\.\./)?([^)]*)\)", lambda m: f"]({relink(m[1])})", body)
    body = re.sub(r"\n[ \t]*(\n[ \t]*)+\n", "\n\n", body)
    (ROOT / "README.md").write_text(body.strip() + "\n", encoding="utf-8")


def relink(target):
    """A link of a page in nbs/ as a link of a page in the root; refuses one that leads nowhere."""
    for link in (f"nbs/{target}", target):
        if (ROOT / link).exists():
            return link
    raise SystemExit(f"README.md: {target} leads nowhere")


BOOK = NBS / "book"  # what the HTML book is made with


# Code, which is left alone, or a formula between two dollars or one
FORMULA = r"(?s)(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|\$(?![\s\d])([^$\n]+?)(?<!\s)\$(?!\d)"


def formula(match):
    """A formula as MathML, which browsers show by themselves."""
    code, block, inline = match.groups()
    if code:
        return code
    from latex2mathml.converter import convert

    return convert(block or inline, display="block" if block else "inline")


def make_page(path, exporter):
    """A notebook as a page of the book: its title, address, HTML and sections."""
    notebook, section = shown(path), ""
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("# Fetches and installs")]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"(?m)^#+ (.*)", cell.source) or [section])[-1]
            text = re.sub(FORMULA, formula, cell.source)
            cell.source = re.sub(r"(?m)^(Workflow: .*)$", r'<div class="stages">\n\n\1\n\n</div>', text)
        for output in cell.get("outputs", []):  # a figure without words of its own is named after its section
            for kind in {"image/png", "image/jpeg"} & {*output.get("data", {})}:
                output.metadata.setdefault(kind, {}).setdefault("alt", f"Figure: {section.replace('`', '')}")
    body, _ = exporter.from_notebook_node(notebook)
    body = re.sub(r'<img alt="([^"]*)" src="https:[^>]*>', r"\1 ", body)  # badges: the book needs no network
    body = re.sub(r'(?<=<a href=")(?!https?:|#)([^"#]*)(?=[#"])', lambda m: book_link(m[1]), body)
    headings = re.findall(r'<h2 id="([^"]*)">(.*?)<a class="anchor-link"', body)
    number, _, name = path.stem.partition("_")
    return {
        "title": f"{number} {name}" if name else {"index": "Overview"}.get(number, number.capitalize()),
        "url": f"{path.stem}.html",
        "body": body,
        "sections": [(anchor, plain(title)) for anchor, title in headings],
    }


def book_link(target):
    """The place in the book, or in the repository, of what a notebook links to."""
    path = (NBS / target).resolve()
    if path.parent == NBS.resolve() and path.suffix == ".ipynb":
        return f"{path.stem}.html"
    if not path.exists():
        raise SystemExit(f"{target} leads nowhere")
    return f"{settings()['git_url']}/blob/{settings()['branch']}/{os.path.relpath(path, ROOT)}"


def plain(body):
    """The words of some HTML."""
    body = re.sub(r"(?s)<style.*?</style>|<math.*?</math>|</?(?:span|a|code|em|strong)\b[^>]*>|¶", "", body)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", body)).split())


def words(page):
    """The text of every section of a page, for the search."""
    _, *parts = re.split(r'<h[12] id="([^"]*)">(.*?)<a class="anchor-link"', page["body"], flags=re.DOTALL)
    for anchor, title, text in zip(parts[::3], parts[1::3], parts[2::3]):
        url = f"{page['url']}#{anchor}"
        yield {"page": page["title"], "title": plain(title), "url": url, "text": plain(f"<a {text}")}


def book():
    """Write every notebook as a page of _book/, with index.html as its first, and refuse links that lead nowhere."""
    from pygments.formatters import HtmlFormatter

    out = ROOT / "_book"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    exporter = HTMLExporter(template_file=str(BOOK / "cells.html.j2"))
    paths = {"Begin here": [NBS / "index.ipynb", NBS / "tutorial.ipynb"]} | chapters()
    groups = [(name.capitalize(), [make_page(path, exporter) for path in group]) for name, group in paths.items()]
    pages = [page for _, group in groups for page in group]
    frame = jinja2.Environment(loader=jinja2.FileSystemLoader(BOOK)).get_template("page.html.j2")
    for before, page, after in zip([None, *pages], pages, [*pages[1:], None]):
        text = frame.render(groups=groups, before=before, page=page, after=after, body=page["body"])
        (out / page["url"]).write_text(text, encoding="utf-8")
    colours = {"default": "{}", "github-dark": "@media (prefers-color-scheme: dark) {{\n{}\n}}"}
    style = [rule.format(HtmlFormatter(style=name).get_style_defs(".highlight")) for name, rule in colours.items()]
    (out / "style.css").write_text("\n".join([(BOOK / "style.css").read_text(), *style]), encoding="utf-8")
    shutil.copy(BOOK / "book.js", out)
    sections = json.dumps([section for page in pages for section in words(page)], ensure_ascii=False)
    (out / "words.js").write_text(f"const WORDS = {sections};\n", encoding="utf-8")
    places = {page["url"] for page in pages}
    places |= {f"{page['url']}#{anchor}" for page in pages for anchor in re.findall(r' id="([^"]*)"', page["body"])}
    for page in pages:
        for link in re.findall(r'<a href="(?!https?:)([^"]*)"', page["body"]):
            if (link if link[0] != "#" else page["url"] + link) not in places:
                raise SystemExit(f"{page['url']}: {link} leads nowhere")
    print(out / "index.html")


def stages(lit, groups):
    """The line of a chapter that shows where in the workflow it stands."""
    names = [f"[{name}]({group[0].name})" for name, group in groups.items()]
    return "Workflow: " + " → ".join(f"**{name}**" if stage == lit else name for name, stage in zip(names, groups))


def links():
    """Make every link to the repository or the Space, in notebooks and CITATION.cff, one to settings.ini's user and repo.

    Each chapter also gets a line below its badge that links to the stages of the workflow, its own in bold.
    """
    cfg, tutorial = settings(), (NBS / "tutorial.ipynb").read_text(encoding="utf-8")
    old = re.search(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)", tutorial)[1]
    pattern = rf"(colab\.research\.google\.com/github/|github\.com/|huggingface\.co/spaces/){re.escape(old)}\b"
    for path in (*NBS.rglob("*.ipynb"), ROOT / "CITATION.cff"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(pattern, rf"\g<1>{cfg['user']}/{cfg['repo']}", text), encoding="utf-8")
    groups = chapters()
    for stage, path in ((stage, path) for stage, group in groups.items() for path in group):
        notebook = nbformat.read(path, as_version=4)
        cell = next(cell for cell in notebook.cells if cell.source.startswith("[![Open in Colab]"))
        badge, _, rest = re.sub(r"(?m)\n*^Workflow: .*$", "", cell.source).partition("\n")
        cell.source = "\n\n".join(filter(None, [badge, stages(stage, groups), rest.strip("\n")]))
        nbformat.write(notebook, path)


def nbdev():
    """Write the table that nbdev 3 reads, so that it exports the same files as nbdev 2, which reads settings.ini."""
    cfg, path = settings(), ROOT / "pyproject.toml"
    texts = ("lib_name", "lib_path", "nbs_path", "tst_flags", "doc_host", "doc_baseurl", "git_url", "branch")
    lines = [f'{name} = "{cfg[name]}"' for name in texts]
    lines += [f"{name} = {cfg[name].lower()}" for name in ("recursive", "black_formatting")]
    table = "\n".join(["[tool.nbdev] # made from settings.ini by nbs/build.py", *lines]) + "\n"
    text = re.sub(r"(?ms)^\[tool\.nbdev\].*?(?=^\[|\Z)", "", path.read_text(encoding="utf-8")).rstrip()
    path.write_text(f"{text}\n\n{table}", encoding="utf-8")


def constraints():
    """Write constraints.txt: the versions, as they are installed here, of all that settings.ini requires, directly or not."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    cfg, found = settings(), {}
    todo = [*map(Requirement, " ".join(cfg[f"{name}requirements"] for name in ("", "dev_", "static_")).split())]
    while todo:
        wanted = todo.pop()
        name, extras = wanted.name.lower().replace("_", "-"), {"", *wanted.extras}
        if not extras <= found.get(name, set()):
            found[name] = extras | found.get(name, set())
            needed = map(Requirement, requires(name) or [])
            todo += [n for n in needed if not n.marker or any(n.marker.evaluate({"extra": e}) for e in extras)]
    head = "# Python 3.11 on Linux; made by `python nbs/build.py constraints`\n"
    pins = "".join(f"{name}=={version(name)}\n" for name in sorted(found))
    (ROOT / "constraints.txt").write_text(head + pins, encoding="utf-8")


def small(content):
    """A PNG with a palette of as few colours as leave it as it looks, 128 at most."""
    picture, target = Image.open(io.BytesIO(content)), io.BytesIO()
    if picture.mode == "P" and len(picture.getcolors()) <= 128:
        return content
    picture = picture.convert("RGB")
    for colours in (16, 32, 64, 128):
        reduced = picture.quantize(colours, kmeans=3)
        if np.abs(np.asarray(reduced.convert("RGB"), float) - np.asarray(picture, float)).mean() < 0.3:
            break
    reduced.save(target, "PNG", optimize=True)
    return target.getvalue()


def shrink():
    """Give every picture that a notebook shows a small palette, unless that saves little; drop progress bars."""
    for path in NBS.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            texts = [o.get("text") or o.get("data", {}).get("text/plain", "a picture") for o in cell.outputs]
            cell.outputs = [
                o for o, text in zip(cell.outputs, texts) if not re.search(r"\d%\|.*\| *\d|\| 0/\?|^[\r\s]*$", text)
            ]
            for data in (o.data for o in cell.outputs if len(o.get("data", {}).get("image/png", "")) > 5_000):
                content = base64.b64encode(small(base64.b64decode(data["image/png"]))).decode()
                if len(content) < 0.9 * len(data["image/png"]):
                    data["image/png"] = content + "\n"
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


def evidence(run, app=ROOT / "space"):
    """Keep the small evidence of a run: its log, its recipe, what was measured, and its ten most confident mistakes.

    `app` is the folder that `era_s12 export` made of the run. To be called on the machine that trained, whose name it notes.
    """
    from era_s12.explanation import explain
    from era_s12.inference import Classifier
    from era_s12.pictures import to_picture
    from era_s12.store import Store
    from era_s12.training import describe_machine

    app, classifier = Path(app), Classifier.from_pretrained(app)
    config = json.loads((app / "config.json").read_text(encoding="utf-8"))
    target = NBS / "results" / config["recipe"]["name"]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(run) / "logs" / "metrics.csv", target)
    shutil.copy(Path(run) / "recipe.yaml", target)
    names = ("accuracy", "accuracy_flip_averaged", "epochs", "trained_on", "tested_on")
    summary = {name: config[name] for name in names} | {"machine": describe_machine()}
    (target / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")

    store = Store.read(app / "test_images.parquet", classifier.classes)
    rows = store.select(count=10)
    images, predictions = [to_picture(store.images[row]) for row in rows], [store.predicted(row) for row in rows]
    explained = [explain(classifier, image, target_class=name) for image, name in zip(images, predictions)]
    columns = {
        "index": pq.read_table(app / "test_images.parquet")["index"].take(rows),
        "label": [store.true(row) for row in rows],
        "prediction": predictions,
        "confidence": [store.confidence[row] for row in rows],
        "image": [{"bytes": as_png(picture), "path": None} for picture in images],
        "explained": [{"bytes": as_png(picture), "path": None} for picture in explained],
    }
    pq.write_table(pa.table(columns), target / "mistakes.parquet", compression="zstd")


def as_png(picture):
    """The bytes of a PNG file."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


RUNTIME = "onnxruntime-web@1.30.0"
CHECKSUM = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # npm's SHA-512
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"


def download_runtime(*names):
    """Files of the runtime's npm package, as bytes; an error if the package is another one than was pinned."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", RUNTIME], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(Path(folder).glob("*.tgz"))
        checksum = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if checksum != CHECKSUM:
            raise SystemExit(f"{archive.name} has the checksum {checksum}, and not the one that is pinned.")
        with tarfile.open(archive) as tar:
            return [tar.extractfile(f"package/dist/{name}").read() for name in names]


def vendor(folder=ROOT / "space" / "static" / "vendor"):
    """Write runtime, WebAssembly and licences to a folder; it is committed, so this is done once a version.

    The 14 MB of WebAssembly are gzipped, as the app downloads them, since browsers unpack gzip themselves. The package on npm has
    no file with its licence; the Python package `onnxruntime`, of the same source, has.
    """
    script, wasm = download_runtime(SCRIPT, WASM)
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
    builders = {f.__name__: f for f in (readme, book, links, nbdev, shrink, constraints, sample, evidence, vendor)}
    parser.add_argument("what", choices=builders)
    parser.add_argument("source", nargs="*", help="the FOLDER, or the RUN and its APP")
    args = parser.parse_args()
    builders[args.what](*args.source)
