"""The app: it names what is on a picture and shows where it looked. Layout and wiring only; the library computes."""

import os
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlparse

# What visitors send goes into a folder of this app alone, of which Gradio's modules learn when they are imported
if place := os.environ.get("GRADIO_TEMP_DIR"):
    os.makedirs(place, exist_ok=True)
uploads = tempfile.TemporaryDirectory(prefix="era_s12-", dir=place, ignore_cleanup_errors=True)
os.environ["GRADIO_TEMP_DIR"] = uploads.name

try:  # the Hub has it, and where it lends graphics cards it must be imported before torch; elsewhere it does nothing
    import spaces

    lend_gpu = spaces.GPU(duration=20)  # seconds at most; visitors wait in line, and pay with their quota
except ImportError:

    def lend_gpu(function):
        """Nothing is lent here."""
        return function


import gradio as gr
import gradio.blocks
import gradio.route_utils
import gradio.state_holder
import texts
import torch
from PIL import Image

from era_s12.explanation import LAYER, LAYERS, METHOD, METHODS, Store, cached_heat_maps, heat_maps, overlay
from era_s12.inference import (
    Classifier,
    InvalidInput,
    check_count,
    file_inside,
    open_picture,
    save_picture,
    seen_picture,
    square_picture,
)

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE / "examples").glob("*.png"))
MAX_BYTES, MAX_PIXELS = 30_000_000, 25_000_000  # of a picture; a JPEG may have twice as many pixels
SHOWN, SMALL = (448, 448), (224, 224)  # pixels, of a picture that is sent back, and of one among many
torch.set_num_threads(1)  # another picture is decoded or drawn meanwhile: faster than all cores for one
LENT = "SPACES_ZERO_GPU" in os.environ  # there is a graphics card, in functions with `lend_gpu` and nowhere else
try:
    classifier = Classifier.from_pretrained(HERE, "cpu" if LENT else "auto")
    stored = Store.read(HERE / "test_images.parquet", classifier.classes)
except InvalidInput as error:
    print(f"era_s12: {error}", file=sys.stderr)
    sys.exit(2)
maps = cached_heat_maps(classifier)
# What is lent works in a process that was forked, where a lock that another visitor held would stay closed for ever: so
# its classifier is its own, which nobody uses here, and what is remembered is remembered here.
lent = Classifier.from_pretrained(HERE, "cpu" if LENT else "auto")
if LENT:
    lent.device = torch.device("cuda")
    lent.model.to(lent.device)
MOST = min(10, len(classifier.classes))  # classes that are named
ANY, MISCLASSIFIED, CORRECT, PREDICTED, NONE = stored.words.values()  # in brackets where a class is called so


def delete_files(blocks, age):
    """Delete what visitors left, if it is older than that many seconds, or all of it.

    Gradio's own deletion would leave uploads that broke off, and would end for good at a folder, or if a visitor added a file
    meanwhile.
    """
    maps.forget()  # pixels are pictures, too
    many_maps.forget()
    root = os.path.realpath(uploads.name)
    kept = {os.path.realpath(path) for block in blocks.blocks.values() for path in getattr(block, "keep_in_cache", ())}
    for folder, _, names in os.walk(root, topdown=False):
        for path in (*(os.path.join(folder, name) for name in names), folder):
            with suppress(OSError):  # a folder that is not empty stays
                if path not in kept | {root} and (age is None or time.time() - os.lstat(path).st_ctime > age):
                    (os.rmdir if path == folder else os.remove)(path)
    for paths in blocks.temp_file_sets:  # Gradio's notes of them
        paths.difference_update([path for path in list(paths) if not os.path.exists(path)])


gradio.route_utils.delete_files_created_by_app = delete_files
# A session keeps what was sent last, `data:` URLs and all, for links to the state of a page; this page has none
gradio.state_holder.SessionState._update_value_in_config = lambda *_: None
move_file = gradio.blocks.Block.async_move_resource_to_block_cache


async def move_no_address(block, url_or_file_path):
    """Gradio would fetch an address, for any part of the page, however large the file behind it."""
    with told():
        if urlparse(str(url_or_file_path)).scheme in ("http", "https"):
            raise InvalidInput("Pictures are not fetched from addresses; upload the file, or send a data: URL.")
    return await move_file(block, url_or_file_path)


gradio.blocks.Block.async_move_resource_to_block_cache = move_no_address


def as_file(picture, kind="JPEG"):
    """The path of a picture in Gradio's cache."""
    return str(save_picture(picture, uploads.name, kind))


@contextmanager
def told():
    """Turn refusals of the library into messages to the visitor."""
    try:
        yield
    except InvalidInput as error:
        raise gr.Error(str(error), print_exception=False) from None


class Upload(gr.Image):
    """A picture from a visitor. Gradio's own component opens whatever path a request names; this one opens nothing.

    It hands on a `data:` URL or the name of a file, for `open_upload` to refuse or to read within its limits.
    """

    is_template = True  # on the page it is an Image

    def preprocess(self, payload):
        if payload is None:
            return None
        return payload.url if (payload.url or "").startswith("data:") else payload.path or ""


class Answer(gr.Label):
    """Bars below a headline of our own, where Gradio's would be the first bar: `texts.answer` makes all of it."""

    is_template = True  # on the page it is a Label

    def postprocess(self, value):
        return value or {}


def chosen(event: gr.SelectData, items):
    """The item that was clicked on; a request may name any position."""
    index = event.index
    if isinstance(index, bool) or not isinstance(index, int) or index not in range(len(items)):
        raise InvalidInput(f"There is no picture number {index}; there are {len(items)}, counted from 0.")
    return items[index]


def open_upload(image):
    """The square of a visitor's picture: of a `data:` URL or of a file that was uploaded. Nothing else is opened."""
    if image is not None and not image.startswith("data:"):
        image = file_inside(image, uploads.name)
    return square_picture(open_picture(image, MAX_PIXELS, MAX_BYTES))


def name_it(picture, top_k):
    """The most probable classes, and what the network sees."""
    prediction = classifier.predict(picture, check_count("top_k", top_k, MOST))
    return prediction, seen_picture(picture, classifier.image_size)


def lay_over(picture, seen, classes, layer, method, opacity):
    """The picture with the heat map of each class, and whether there is anything on the map.

    Several maps share one scale, so that they can be compared; a single one is stretched.
    """
    found = [maps(seen, layer, method, name, len(classes) == 1)[0] for name in classes]
    largest = max(heat_map.max() for heat_map in found)
    if len(found) > 1 and largest > 0:
        found = [heat_map / largest for heat_map in found]
    photo = picture.resize(SHOWN)
    return [(as_file(overlay(photo, heat_map, opacity)), bool(heat_map.any())) for heat_map in found]


def enlarged(seen):
    """The file of what the network sees, with its pixels in sight."""
    return as_file(seen.resize(SHOWN, Image.Resampling.NEAREST), "PNG")


@lend_gpu
@told()
def compute_maps(pixels, *names):
    """Heat maps of many images at once; arrays and names come from another process, and arrays go back to it."""
    return heat_maps(lent, torch.from_numpy(pixels), *names).numpy()


many_maps = cached_heat_maps(
    classifier, compute=lambda images, *names: torch.from_numpy(compute_maps(images.numpy(), *names))
)


@told()
def classify(
    image: str | None,
    top_k: int = min(3, MOST),
    show_cam: bool = True,
    target_layer: str = LAYER,
    method: str = METHOD,
    opacity: float = 0.5,
    target_class: str = PREDICTED,
) -> tuple:
    """Name what is on a picture, and show where the network saw it.

    Args:
        image: the picture, at most 30 MB and 25 megapixels, a JPEG 50.
        top_k: how many classes to name, a whole number from 1 to 10, or to the number of classes if that is smaller.
        show_cam: whether to lay a heat map over the picture.
        target_layer: the layer that the heat map explains, from PrepLayer (first) to resblock3 (last).
        method: how the heat map is computed: gradcam, gradcam++, hirescam, xgradcam, layercam or eigengradcam.
        opacity: of the heat map, from 0 (the photo) to 1 (the map).
        target_class: the class that is explained: "predicted", or the name of one of the classes.

    Returns:
        The most probable classes, the picture with its heat map, and the small square that the network sees.
    """
    picture = open_upload(image)
    prediction, seen = name_it(picture, top_k)
    if show_cam:
        target = prediction.classes[0] if target_class == PREDICTED else target_class
        ((shown, _),) = lay_over(picture, seen, [target], target_layer, method, opacity)
    else:
        shown = as_file(picture.resize(SHOWN))
    return texts.answer(prediction, len(classifier.classes)), shown, enlarged(seen)


@told()
def redraw(image, top_k, show_cam, layer, method, opacity, target, compared):
    """The answer for the screen, with a second map if a class to compare with is chosen, and what is left of the upload.

    Without a picture the screen is empty; so it is with one that is refused, which is taken away.
    """
    second, kept = gr.Image(visible=False), gr.skip()
    empty = None, gr.Image(value=None, label=texts.LABELS["map"]), None, second
    if not image:
        return *empty, kept
    try:
        picture = open_upload(image)
    except InvalidInput as error:
        gr.Warning(str(error))
        return *empty, None
    prediction, seen = name_it(picture, top_k)
    answer = texts.answer(prediction, len(classifier.classes))
    if not show_cam:
        shown = gr.Image(as_file(picture.resize(SHOWN)), label=texts.map_of(None))
        return answer, shown, enlarged(seen), second, kept
    classes = [prediction.classes[0] if target == PREDICTED else target, *([] if compared == NONE else [compared])]
    shown, *others = (
        gr.Image(path, label=texts.map_of(name, speaks), visible=True)
        for name, (path, speaks) in zip(classes, lay_over(picture, seen, classes, layer, method, opacity))
    )
    return answer, shown, enlarged(seen), *(others or [second]), kept


@told()
def gradcam_gallery(
    show: bool = True,
    count: int = 10,
    images: str = MISCLASSIFIED,
    target_layer: str = LAYER,
    method: str = METHOD,
    opacity: float = 0.5,
) -> list:
    """Heat maps of the predicted class on stored test images; captions have prediction, probability and (truth).

    Args:
        show: whether to show them at all.
        count: how many, a whole number from 1 to 20.
        images: "misclassified", "correct", or the name of a class, of which all stored images are taken.
        target_layer: the layer that the heat maps explain, as for `classify`.
        method: how the heat maps are computed, as for `classify`.
        opacity: of the heat maps, from 0 (the photo) to 1 (the map).
    """
    rows = stored.select(images, count=count, most=20)[: None if show else 0]
    found = many_maps(stored.images[rows], target_layer, method) if rows else []
    photos = (seen_picture(image, classifier.image_size).resize(SMALL) for image in stored.images[rows])
    return [
        (as_file(overlay(photo, heat_map, opacity)), texts.caption_of(stored.caption(row), bool(heat_map.any())))
        for row, photo, heat_map in zip(rows, photos, found)
    ]


@told()
def misclassified(show: bool = True, count: int = 20, true_class: str = ANY, predicted_class: str = ANY) -> list:
    """Test images that the network gets wrong, the surest first; captions have prediction, probability and (truth).

    Args:
        show: whether to show them at all.
        count: how many at most, a whole number from 1 to 100.
        true_class: "any", or the name of the class that is on the images.
        predicted_class: "any", or the name of the class that they are taken for.
    """
    rows = stored.select(MISCLASSIFIED, true_class, predicted_class, count)
    return [(as_file(stored.images[row], "PNG"), stored.caption(row)) for row in rows if show]


@told()
def show_mistakes(show, count, true_class, predicted_class):
    """For the screen: the gallery, and how many there are."""
    gallery = misclassified(show, count, true_class, predicted_class)
    total = len(stored.select(MISCLASSIFIED, true_class, predicted_class))
    return gallery, texts.mistakes_found(len(gallery), total, stored)


@told()
def open_mistake(event: gr.SelectData, true_class, predicted_class):
    """The chosen mistake in the first tab: its prediction, and beside it the truth."""
    row = chosen(event, stored.select(MISCLASSIFIED, true_class, predicted_class))
    return gr.Tabs(selected="classify"), as_file(stored.images[row], "PNG"), stored.predicted(row), stored.true(row)


@told()
def open_example(event: gr.SelectData):
    """The chosen example as the visitor's picture."""
    return as_file(open_picture(chosen(event, EXAMPLES)), "PNG")


def gallery_of(name, **options):
    """Pictures with captions; a click on one chooses it, unless it is to be enlarged."""
    options = {"allow_preview": False, "object_fit": "contain", "elem_id": name} | options
    return gr.Gallery(label=texts.LABELS[name], **options)


def picture_of(name, kind=gr.Image, **options):
    """A picture that the app shows, or with another `kind` one that it is given."""
    buttons = {"buttons": ["fullscreen"], "interactive": False, "min_width": 140}
    words = {"size": classifier.image_size}
    label, alternative = texts.LABELS[name].format(**words), texts.ALTERNATIVES[name].format(**words)
    return kind(label=label, alt_text=alternative, elem_id=name, **(buttons | options))


def heat_map_controls():
    """Layer, method and opacity, which two of the tabs have."""
    return (
        gr.Dropdown(list(LAYERS), value=LAYER, label=texts.LABELS["layer"]),
        gr.Dropdown(list(METHODS), value=METHOD, label=texts.LABELS["method"]),
        gr.Slider(0, 1, 0.5, step=0.05, label=texts.LABELS["opacity"]),
    )


def wire(triggers, function, inputs, outputs, name):
    """Show what the function returns whenever a trigger fires."""
    quiet = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "always_last"}
    gr.on(triggers, function, inputs, outputs, api_name=f"show_{name}", **quiet)


def endpoint(function, inputs, outputs):
    """Let programs call the function by its name, without a picture of it on the page."""
    gr.Button(visible=False).click(function, inputs, outputs, api_name=function.__name__)


def classify_tab(names):
    """The first tab; its picture and the two classes to explain, which other tabs may set."""
    with gr.Row():
        with gr.Column():
            image = picture_of(
                "picture", Upload, type="filepath", height=320, interactive=True, buttons=None, min_width=280
            )
            pictures = [(str(path), texts.example_of(path, names)) for path in EXAMPLES]
            examples = gallery_of("examples", value=pictures, visible=bool(pictures))
            examples.select(open_example, None, image, api_visibility="private", show_progress="hidden")
        with gr.Column():
            answer = Answer(label=texts.LABELS["answer"], elem_id="answer")
            with gr.Row():
                shown, compared, seen = picture_of("map"), picture_of("compared", visible=False), picture_of("seen")
    with gr.Row():
        top_k = gr.Slider(1, MOST, min(3, MOST), step=1, label=texts.LABELS["top_k"])
        show_cam = gr.Checkbox(True, label=texts.LABELS["show_cam"], elem_id="show-cam")
        layer, method, opacity = heat_map_controls()
        target = gr.Dropdown([PREDICTED, *names], value=PREDICTED, label=texts.LABELS["target"])
        other = gr.Dropdown([NONE, *names], value=NONE, label=texts.LABELS["compare"])
    gr.Markdown(f"{texts.HOW_TO_READ}\n\n{texts.PRIVACY}")
    inputs, outputs = [image, top_k, show_cam, layer, method, opacity, target], [answer, shown, seen]
    wire([part.change for part in (*inputs, other)], redraw, [*inputs, other], [*outputs, compared, image], "classify")
    endpoint(classify, inputs, outputs)
    return image, target, other


def gallery_tab(tab, names):
    """The second tab: heat maps of many."""
    gr.Markdown(texts.GALLERY_HELP if len(stored) else texts.NO_IMAGES)
    with gr.Row():
        show = gr.Checkbox(True, label=texts.LABELS["show"])
        count = gr.Slider(1, 20, 10, step=1, label=texts.LABELS["count"])
        kinds = [MISCLASSIFIED, CORRECT, *names]
        which = gr.Dropdown(kinds, value=kinds[0], label=texts.LABELS["which"], min_width=200)
        layer, method, opacity = heat_map_controls()
    inputs, gallery = [show, count, which, layer, method, opacity], gallery_of("maps", allow_preview=True)
    wire([tab.select, *(part.change for part in inputs)], gradcam_gallery, inputs, gallery, "gradcam_gallery")
    endpoint(gradcam_gallery, inputs, gallery)


def mistakes_tab(tab, names, tabs, first_tab):
    """The third tab: what the network gets wrong. A choice opens the first tab, whose parts are `first_tab`."""
    gr.Markdown(texts.MISTAKES_HELP if len(stored) else texts.NO_IMAGES)
    with gr.Row():
        show = gr.Checkbox(True, label=texts.LABELS["show"])
        count = gr.Slider(1, 100, 20, step=1, label=texts.LABELS["count"])
        true, taken = (gr.Dropdown([ANY, *names], value=ANY, label=texts.LABELS[name]) for name in ("true", "taken"))
    total, gallery = gr.Markdown(), gallery_of("mistakes")
    inputs = [show, count, true, taken]
    changes = [tab.select, *(part.change for part in inputs)]
    wire(changes, show_mistakes, inputs, [gallery, total], "misclassified")
    endpoint(misclassified, inputs, gallery)
    gallery.select(open_mistake, [true, taken], [tabs, *first_tab], api_visibility="private")


def build():
    """The page and its wiring."""
    names = list(classifier.classes)
    with gr.Blocks(title=classifier.info.title, analytics_enabled=False, delete_cache=(300, 3000)) as page:
        gr.Markdown(texts.introduction(classifier.info))
        with gr.Tabs() as tabs:
            with gr.Tab(texts.TITLES["classify"], id="classify"):
                first_tab = classify_tab(names)
            with gr.Tab(texts.TITLES["gallery"], id="gallery") as tab:
                gallery_tab(tab, names)
            with gr.Tab(texts.TITLES["mistakes"], id="mistakes") as tab:
                mistakes_tab(tab, names, tabs, first_tab)
            with gr.Tab(texts.TITLES["about"], id="about"):
                gr.Markdown(texts.about(classifier.info, stored), elem_id="about")
    return page


if __name__ == "__main__":
    build().queue(default_concurrency_limit=2, max_size=64).launch(
        max_file_size=MAX_BYTES, state_session_capacity=200, show_error=True, css=texts.CSS, theme=texts.THEME
    )
