"""The app that runs in the visitor's browser, in a browser that a program drives, and pictures of many kinds to give it.

For the chapter nbs/23_static.ipynb.
"""

import io
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright
from skimage.data import astronaut, brick, chelsea, coffee, rocket
from visitor import CHROMIUM, FLAGS

from era_s12.pictures import FORMATS
from era_s12.serving import static_server

ASK = """async text => {
    const {Network} = await import("/network.js");
    const files = {network: "model.onnx", runtime: "vendor/onnxruntime.wasm.gz"};
    window.network ??= new Network({files, size: 32});
    const file = new Blob([Uint8Array.from(atob(text), c => c.charCodeAt())]);
    const {pixels} = await network.read(file, "The picture");
    return [[...pixels], (await network.explain(pixels)).probabilities];
}"""


def on_the_page(app, function, **options):
    """Call a function with the page of the app in a folder; in a thread, since a notebook has an event loop already."""

    def visit():
        with static_server(app, port=0) as server, sync_playwright() as playwright:
            Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(**options)
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.wait_for_selector("html[data-state=ready]", timeout=120_000)
            found = function(page)
            browser.close()
            server.shutdown()
        return found

    with ThreadPoolExecutor() as pool:
        return pool.submit(visit).result()


def ask_about(app, contents):
    """The pixels that the page makes of each file, and the probabilities that the network gives them there."""
    return on_the_page(
        app, lambda page: {name: page.evaluate(ASK, b64encode(file).decode()) for name, file in contents.items()}
    )


def stored_as(picture, kind, **options):
    """A picture as the content of a file."""
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def photographs():
    """Kinds of files, and the content of one of each kind."""
    photo, astronaut_, rocket_ = (Image.fromarray(pixels) for pixels in (chelsea(), astronaut(), rocket()))
    clear = photo.copy()
    clear.putalpha(ImageOps.invert(photo.convert("L")))
    turned = Image.Exif()
    turned[0x0112] = 6
    small = photo.resize((5, 5))
    files = {
        "JPEG": stored_as(photo, "JPEG", quality=80),
        "JPEG, progressive": stored_as(astronaut_, "JPEG", progressive=True),
        "JPEG, full colour": stored_as(Image.fromarray(coffee()), "JPEG", subsampling=0),
        "JPEG, grey": stored_as(Image.fromarray(brick()), "JPEG"),
        "JPEG, CMYK": stored_as(rocket_.convert("CMYK"), "JPEG"),
        "JPEG, on its side": stored_as(photo, "JPEG", exif=turned),
        "PNG": stored_as(astronaut_, "PNG"),
        "PNG, transparent": stored_as(clear, "PNG"),
        "PNG, palette": stored_as(rocket_.quantize(64), "PNG"),
        "PNG, 16 bits of grey": stored_as(Image.fromarray(brick().astype(np.uint16) * 257), "PNG"),
        "PNG, 5×5": stored_as(small, "PNG"),
        "PNG, 3000×200": stored_as(rocket_.resize((3000, 200)), "PNG"),
        "WebP": stored_as(photo, "WEBP", quality=70),
        "WebP, transparent": stored_as(clear, "WEBP", lossless=True),
        "GIF": stored_as(photo, "GIF"),
        "GIF, animated": stored_as(photo, "GIF", save_all=True, append_images=[astronaut_.resize(photo.size)]),
        "BMP": stored_as(rocket_, "BMP"),
    }
    if "AVIF" in FORMATS:
        files |= {"AVIF": stored_as(photo, "AVIF"), "AVIF, on its side": stored_as(photo, "AVIF", exif=turned)}
    return files
