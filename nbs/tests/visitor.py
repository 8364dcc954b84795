"""The app, started as everybody starts it, and a browser that a program moves as a person would.

For the tour of the app, nbs/29_space_tour.ipynb, and for its tests, nbs/tests/29_space.ipynb.
"""

import atexit
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import numpy as np
from IPython.display import Image as Picture
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
with suppress(ImportError):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright
BROWSER = bool(CHROMIUM and "sync_playwright" in globals())
if not BROWSER:
    assert not os.environ.get("ERA_S12_BROWSER"), "Chromium, playwright and axe-playwright-python are required here."
    print("Skipped: a visit needs Chromium and the Python packages playwright and axe-playwright-python.")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class App:
    """The app of a folder, on a free port of this machine, until `stop` or the end of the program."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        environment = os.environ | {"GRADIO_SERVER_PORT": port}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment, **quiet)
        atexit.register(self.stop)
        self.url = f"http://127.0.0.1:{port}/"
        for _ in range(240):
            assert self.process.poll() is None, "the app ended"
            with suppress(OSError):
                urllib.request.urlopen(self.url, timeout=5)
                return
            time.sleep(0.25)
        raise TimeoutError("the app did not answer")

    def stop(self):
        """End the app."""
        self.process.terminate()
        self.process.wait(20)


@cache
def worker():
    """A thread for the browser: a notebook already runs an event loop, and Playwright wants one for itself."""
    return ThreadPoolExecutor(1)


@cache
def browser():
    """The browser, to be used in the thread of `worker`; it ends with this program."""
    return sync_playwright().start().chromium.launch(executable_path=CHROMIUM, args=FLAGS)


class Visit:
    """A `Visitor` in the thread of the browser. Without a browser nobody comes, and no method does anything."""

    def __init__(self, app, **options):
        self.visitor = BROWSER and worker().submit(lambda: Visitor(browser(), app.url, **options)).result()

    def __getattr__(self, name):
        if not self.visitor:
            return lambda *args, **options: None
        move = getattr(self.visitor, name)
        return lambda *args, **options: worker().submit(move, *args, **options).result()


class Visitor:
    """A window of the browser with the app: each method is a move, or reads what the page shows."""

    def __init__(self, browser, url, width=1280, height=900, **options):
        self.page, self.wrong = browser.new_page(viewport={"width": width, "height": height}, **options), []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(url)
        self.page.get_by_text("Or one of these").wait_for()
        self.settle()

    def settle(self):
        """Wait until the page has stopped changing."""
        before = None
        for _ in range(60):
            self.page.wait_for_timeout(500)
            now = self.page.inner_html("body")
            if now == before:
                return
            before = now

    def tab(self, name):
        """Open a tab."""
        self.page.get_by_role("tab", name=name).click()
        self.settle()

    def example(self, number):
        """Choose one of the examples, counted from 0."""
        self.pick("examples", number)

    def pick(self, gallery, number):
        """Choose a picture of a gallery, counted from 0."""
        self.page.locator(f"#{gallery} .thumbnail-item").nth(number).click()
        self.settle()

    def upload(self, path, settle=True):
        """Hand in a file, in the place of the one that is there."""
        if (clear := self.page.get_by_label("Remove Image")).count():
            clear.first.click()
            self.settle()
        self.page.locator("input[type=file]").first.set_input_files(path)
        if settle:
            self.settle()

    def visible(self, label):
        """The control of that name on the open tab."""
        return self.page.get_by_label(label, exact=True).locator("visible=true").first

    def slide(self, label, value, settle=True):
        """Set a slider."""
        number = self.visible(f"number input for {label}")
        number.fill(str(value))
        number.press("Enter")
        if settle:
            self.settle()

    def choose(self, label, value):
        """Choose from a list."""
        self.visible(label).click()
        self.page.get_by_role("option", name=value, exact=True).click()
        self.settle()

    def tick(self, label):
        """Set a check mark, or take it away."""
        self.visible(label).click()
        self.settle()

    def press(self, start, *keys):
        """Put the focus on a tab and press keys."""
        self.page.get_by_role("tab", name=start).focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def answer(self):
        """The class that the page names, and the text of each bar."""
        name = self.page.locator("[data-testid=label-output-value]").inner_text()
        return name, [bar.inner_text() for bar in self.page.locator(".confidence-set").all()]

    def pixels(self, alt):
        """An image of the page, as it was sent."""
        source = self.page.get_by_alt_text(alt, exact=True).first.get_attribute("src")
        content = self.page.request.get(source).body()
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)

    def shows(self, alt):
        """Whether an image is to be seen."""
        return self.page.get_by_alt_text(alt, exact=True).first.is_visible()

    def counts(self, selector):
        """How many of such parts the page has."""
        return self.page.locator(selector).count()

    def captions(self, gallery):
        """The texts below the pictures of a gallery."""
        return [text.inner_text() for text in self.page.locator(f"#{gallery} .caption-label").all()]

    def message(self):
        """The first message that lies over the page, which is closed then."""
        text = self.page.locator(".toast-body").first.inner_text()
        self.page.locator(".toast-close").first.click()
        return text

    def text(self, selector):
        """The words of a part of the page."""
        return self.page.locator(selector).inner_text()

    def is_open(self, tab):
        """Whether that tab is the open one."""
        return self.page.get_by_role("tab", name=tab).get_attribute("aria-selected") == "true"

    def errors(self):
        """What went wrong in the window so far, as the browser noted it."""
        return self.wrong

    def without_words(self):
        """How many images of the page have no text that stands for them."""
        return self.page.evaluate("[...document.images].filter(image => !image.alt).length")

    def style(self, css):
        """Give the page another look."""
        self.page.add_style_tag(content=css)

    def page_width(self):
        """How wide the page is, which may be more than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth")

    def barriers(self, *rules):
        """What axe-core finds on the open tab that keeps people out, as rule and place; all rules, or those named."""
        options = {"runOnly": rules} if rules else {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]

    def shot(self, part=None):
        """The whole page, or the part that a selector names, as a picture for a notebook."""
        self.page.evaluate("for (const image of document.images) image.loading = 'eager'")  # those below the window too
        self.settle()
        content = self.page.locator(part).first.screenshot() if part else self.page.screenshot(full_page=True)
        return small(Image.open(io.BytesIO(content)))


def small(sheet):
    """A picture with 128 colours, which keeps a notebook small."""
    content = io.BytesIO()
    sheet.convert("RGB").quantize(128, kmeans=3, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return Picture(content.getvalue())


def beside(*shots, height=None):
    """Pictures side by side as one, the upper part of them if `height` is given; nothing if there are none."""
    sheets = [Image.open(io.BytesIO(shot.data)).convert("RGB") for shot in shots if shot]
    sheets = [sheet.crop((0, 0, sheet.width, min(sheet.height, height or sheet.height))) for sheet in sheets]
    if sheets:
        joined = Image.new("RGB", (sum(s.width + 20 for s in sheets) - 20, max(s.height for s in sheets)), "white")
        for number, sheet in enumerate(sheets):
            joined.paste(sheet, (sum(s.width + 20 for s in sheets[:number]), 0))
        return small(joined)
