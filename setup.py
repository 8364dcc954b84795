"""Reads everything from settings.ini; see the comments there."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]

# The page on the package index is README.md, whose links and pictures are relative to the repository
place = f"{cfg['user']}/{cfg['repo']}"
readme = (here / "README.md").read_text(encoding="utf-8")
readme = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\1https://raw.githubusercontent.com/{place}/{cfg['branch']}/", readme)
readme = re.sub(r"(\]\()(?!https?:|#)", rf"\1https://github.com/{place}/blob/{cfg['branch']}/", readme)

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=readme,
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    keywords=cfg["keywords"].split(),
    license="Apache-2.0",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3",
    ],
    python_requires=">=" + cfg["min_python"],
    # The app of the Space has one source, space/; a wheel carries it (without weights) as era_s12/space.
    packages=["era_s12", "era_s12.space"],
    package_dir={"era_s12": "era_s12", "era_s12.space": "space"},
    package_data={
        "era_s12": ["sample/*.parquet", "recipes/*.yaml", "templates/*.jinja"],
        "era_s12.space": [
            "examples/*.png",
            "screenshots/*.png",
            *(f"static/*.{ending}" for ending in ("html", "css", "js", "svg")),
            "static/vendor/*",
        ],
    },
    include_package_data=False,
    install_requires=cfg["requirements"].split(),
    extras_require={name: cfg[f"{name}_requirements"].split() for name in ("dev", "heic", "static")},
    entry_points={"console_scripts": cfg["console_scripts"].split()},
)
