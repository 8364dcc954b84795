"""Fetches the WebAssembly runtime of the app that runs in the browser: python nbs/vendor.py

It is pinned, checked against a checksum, and committed once under space/static/vendor. The 14 MB of WebAssembly are stored
gzipped, as the app downloads them: browsers unpack gzip themselves.
"""

import base64
import gzip
import hashlib
import subprocess
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
CHECKSUM = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # npm's SHA-512
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
TARGET = Path(__file__).parent.parent / "space" / "static" / "vendor"


def _download(folder):
    """The two files of the package, as bytes. Ends the program if the package is another one than was pinned."""
    subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True)
    archive = next(Path(folder).glob("*.tgz"))
    checksum = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if checksum != CHECKSUM:
        raise SystemExit(f"{archive.name} has the checksum {checksum}, and not the one that is pinned.")
    with tarfile.open(archive) as tar:
        return [tar.extractfile(f"package/dist/{name}").read() for name in (SCRIPT, WASM)]


def vendor():
    """Write runtime, WebAssembly and licences to space/static/vendor.

    The package on npm has no file with its licence; the Python package `onnxruntime`, of the same source, has.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, wasm = _download(folder)
    script = script.partition(b"//# sourceMappingURL")[0]  # the map is not there
    licences = files("onnxruntime")
    contents = {
        "onnxruntime.js": script,  # not every server knows that .mjs is JavaScript
        "onnxruntime.wasm.gz": gzip.compress(wasm, 9, mtime=0),
        "LICENSE": (licences / "LICENSE").read_bytes(),
        "ThirdPartyNotices.txt.gz": gzip.compress((licences / "ThirdPartyNotices.txt").read_bytes(), 9, mtime=0),
        "README.md": f"`{SCRIPT}` and `{WASM}` of {PACKAGE} {VERSION}, fetched by `nbs/vendor.py`.\n".encode(),
    }
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (TARGET / name).write_bytes(content)
        print(f"{len(content):>10,} bytes  {TARGET / name}")


if __name__ == "__main__":
    vendor()
