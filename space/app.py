"""The app: give it a picture, and it names what is on it and shows where it looked."""

import os
from pathlib import Path

import gradio as gr
from PIL import Image

from era_s12.explanation import LAYERS, explain
from era_s12.inference import (
    Classifier,
    InvalidInput,
    open_picture,
    seen_picture,
    square_picture,
)

# The visitor's own fonts: nothing is fetched from anywhere else.
FONTS = {
    "font": ["system-ui", "sans-serif"],
    "font_mono": ["ui-monospace", "monospace"],
}
HERE = Path(__file__).parent
MAX_BYTES, MAX_PIXELS = 10_000_000, 24_000_000
SHOWN = 448  # pixels, the side of the pictures that are sent back
TITLE = "CIFAR-10 with explanations"
INTRODUCTION = """# CIFAR-10 with explanations
Give it a picture of one of ten things ({classes}): it says what it sees, and where it looked. The network was trained on
32×32 pixels, and is right on {accuracy:.1%} of {images:,} test images. It knows nothing but these ten classes: of any
other picture it names one of them all the same."""
HOW_TO_READ = """**Bright is where the network saw the class that it names**, dark is where little or
nothing spoke for it. The first layers see edges
and colours, the last ones whole objects, in coarse patches. A heat map is a hint, not a proof."""
OUTPUT_PICTURES = (
    ("Heat map", "The picture with its heat map"),
    ("Its 32×32 input", "The 32 by 32 pixels that the network sees"),
)
# A small picture fills its frame too, with its pixels to be seen.
CSS = "#picture img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated }"
PRIVACY = "Pictures are kept only to answer, deleted within the hour, and sent nowhere else."

classifier = Classifier.from_pretrained(HERE)


def classify(image, top_k=3, show_cam=True, target_layer="resblock3", opacity=0.5):
    """Name what is on a picture, and show where the network saw it.

    Args:
        image: the picture, at most 10 MB and 24 megapixels.
        top_k: how many classes to name, a whole number from 1 to 10.
        show_cam: whether to lay the Grad-CAM heat map over the picture.
        target_layer: the layer that the heat map explains.
        opacity: of the heat map, from 0 (the photo) to 1 (the map).

    Returns:
        The most probable classes, the picture with its heat map, and the 32x32 image that the network sees.
    """
    try:
        if image is None:
            raise InvalidInput("There is no picture; upload one, or choose an example.")
        if os.path.getsize(image) > MAX_BYTES:
            raise InvalidInput(f"The file is too large; at most {MAX_BYTES // 1_000_000} MB are accepted.")
        picture = square_picture(open_picture(Path(image).read_bytes(), MAX_PIXELS))
        prediction = classifier.predict(picture, top_k)
        seen = seen_picture(picture).resize((SHOWN, SHOWN), Image.Resampling.NEAREST)
        photo = picture.resize((SHOWN, SHOWN), Image.Resampling.BICUBIC)
        if show_cam:
            photo = explain(classifier, photo, opacity, target_layer=target_layer)
    except InvalidInput as error:
        raise gr.Error(str(error), print_exception=False) from None
    return dict(zip(prediction.classes, prediction.probabilities)), photo, seen


def redraw(image, *controls):
    """The answer for the screen: empty without a picture."""
    return classify(image, *controls) if image else (None, None, None)


def build():
    """The page and its wiring."""
    about = {
        "classes": ", ".join(classifier.classes),
        "accuracy": classifier.config["accuracy"],
        "images": classifier.config["tested_on"]["images"],
    }
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(INTRODUCTION.format(**about))
        with gr.Row():
            with gr.Column():
                image = gr.Image(
                    type="filepath",
                    label="Your picture",
                    height=320,
                    elem_id="picture",
                    alt_text="The picture you chose",
                )
                # An upload stays as it is: `classify` reads it, with its own limits and words.
                read = image.preprocess
                image.preprocess = lambda upload: (upload.path if upload and upload.path else read(upload))
                gr.Examples(
                    [[str(path)] for path in sorted((HERE / "examples").glob("*.png"))],
                    [image],
                    label="Or one of these, one of each class",
                )
            with gr.Column():
                label = gr.Label(label="What the network sees")
                with gr.Row():
                    shown, seen = (
                        gr.Image(
                            label=name,
                            alt_text=text,
                            min_width=140,
                            buttons=["fullscreen"],
                            interactive=False,
                        )
                        for name, text in OUTPUT_PICTURES
                    )
        with gr.Row():
            top_k = gr.Slider(1, 10, 3, step=1, label="Classes to show")
            opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity of the heat map")
            layer = gr.Dropdown(list(LAYERS), value=LAYERS[-1], label="Layer, first to last")
            show_cam = gr.Checkbox(True, label="Show the heat map (Grad-CAM)")
        gr.Markdown(HOW_TO_READ)
        gr.Markdown(PRIVACY)
        inputs, outputs = [image, top_k, show_cam, layer, opacity], [label, shown, seen]
        triggers = [part.change for part in inputs]
        gr.on(
            triggers,
            redraw,
            inputs,
            outputs,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
        )
        gr.Button(visible=False).click(classify, inputs, outputs, api_name="classify")
    return page


if __name__ == "__main__":
    build().queue(default_concurrency_limit=2, max_size=64).launch(
        max_file_size=MAX_BYTES,
        show_error=True,
        css=CSS,
        theme=gr.themes.Default(**FONTS),
    )
