"""The words, the colours and the style of the page."""

import html

import gradio as gr
from gradio.components.label import LabelConfidence, LabelData

PREDICTED, NONE = "predicted", "none"
TITLE = "CIFAR-10 with explanations"
INTRODUCTION = """# CIFAR-10 with explanations
Give it a picture of one of ten things ({classes}): it says what it sees, and where it looked. It was trained on 32×32
pixels, and is right on {accuracy:.1%} of {images:,} test images. It tries to
notice when a picture shows none of them, and sometimes fails."""
HOW_TO_READ = """**Bright is where the network saw the class**, dark is where little or nothing spoke for it. The first
layers see edges and colours, the last ones whole objects, in coarse patches. A heat map is a hint, not a proof."""
UNFAMILIAR = "This does not look like any of the ten classes"
PRIVACY = """**Your pictures** are stored to answer you, deleted within the hour, and sent nowhere else. No usage
statistics are collected."""
GALLERY_HELP = """Heat maps of what the network predicts on test images. Each caption has the prediction, its probability
and, in brackets, the truth."""
MISTAKES_HELP = """Test images that the network gets wrong, the surest first: prediction, probability and, in brackets, the
truth. **Choose one** to see what spoke for the prediction, and what for the truth."""
MISTAKES_FOUND = "{} of {} such images."
TITLES = {"classify": "Classify", "gallery": "Maps", "mistakes": "Mistakes", "about": "About"}
LABELS = {
    "picture": "Your picture",
    "examples": "Or one of these, one of each class",
    "answer": "What the network sees",
    "map": "Heat map",
    "photo": "The picture",
    "maps": "Heat maps",
    "mistakes": "Mistakes",
    "compared": "Heat map of the other class",
    "seen": "Its 32×32 input",
    "top_k": "Classes to show",
    "show_cam": "Show the heat map",
    "layer": "Layer, first to last",
    "method": "Method",
    "opacity": "Opacity",
    "target": "Class to explain",
    "compare": "Class to compare with",
    "show": "Show the images",
    "count": "How many",
    "which": "Which images",
    "true": "Truly a",
    "taken": "Taken for a",
}
ALTERNATIVES = {
    "picture": "The picture you chose",
    "map": "The picture with its heat map",
    "compared": "The picture with the heat map of the other class",
    "seen": "The 32 by 32 pixels that the network sees",
}
# A small picture fills its frame, and its pixels can be seen. The visitor's own fonts: nothing is fetched from elsewhere.
CSS = """
[role=tab][aria-selected=true] { color: inherit !important; font-weight: 600 }
#answer [data-testid="label-output-value"] { justify-content: center; text-align: center }
#picture img { width: 100%; height: 100%; object-fit: contain }
#picture img, #mistakes img, #examples img { image-rendering: pixelated }
#maps .grid-wrap, #mistakes .grid-wrap, #examples .grid-wrap { height: auto; min-height: 0; max-height: none }
#maps .grid-container, #mistakes .grid-container { grid-template-columns: repeat(auto-fill, minmax(135px, 1fr)) !important }
#examples .grid-container { grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)) !important }
#maps .grid-wrap, #mistakes .grid-wrap, #examples .grid-wrap { padding-top: 30px }
#examples .caption-label, #maps .caption-label, #mistakes .caption-label { max-width: 100%; font-size: 11px; padding: 2px 4px; white-space: normal }
#about table { font-size: 11px; width: auto } #about td, #about th { padding: 2px 3px; text-align: right; word-break: normal }
"""
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
    body_text_color_subdued="*neutral_600"  # the default is too pale to read
)


def answer(prediction):
    """A prediction as the page shows it: the most probable class in large letters, if the picture resembles any."""
    headline = UNFAMILIAR if prediction.is_familiar is False else prediction.classes[0]
    bars = zip(prediction.classes, prediction.probabilities)
    return LabelData(
        label=headline, confidences=[LabelConfidence(label=name, confidence=share) for name, share in bars]
    )


def map_of(name):
    """The label of a picture with the heat map of a class, or with none."""
    return f"Map: {name}" if name else LABELS["photo"]


def introduction(info):
    """The head of the page, from what is known of the model."""
    names, images = ", ".join(info.classes), info.tested_on["images"]
    return INTRODUCTION.format(classes=names, accuracy=info.accuracy, images=images)


def failures(info):
    """The five most frequent mistakes, as a list in Markdown."""
    pairs = [
        (count, true, taken)
        for true, row in zip(info.classes, info.confusion_matrix)
        for taken, count in zip(info.classes, row)
        if true != taken
    ]
    return "\n".join(f"- {n} times a {true} was taken for a {taken}" for n, true, taken in sorted(pairs)[:-6:-1])


def confusion_table(info):
    """How often each class was taken for which, as a table in HTML."""
    heads = [f'<th title="{html.escape(name)}">{html.escape(name[:3])}</th>' for name in info.classes]
    rows = [
        f"<tr>{head}" + "".join(f"<td>{count}</td>" for count in row) + "</tr>"
        for head, row in zip(heads, info.confusion_matrix)
    ]
    return f"<table><tr><th></th>{''.join(heads)}</tr>{''.join(rows)}</table>"


def trust(info):
    """How far its probabilities and its doubts can be believed, as far as that was measured."""
    text = ""
    if info.temperature is not None:
        text += f"""## How sure it is
On average its confidence differs from its accuracy by {info.expected_calibration_error * 100:.1f} percentage points (expected
calibration error on the test images).
"""
    if info.unfamiliar_test_images is not None:
        text += f"""
It wrongly says of {info.unfamiliar_test_images:.1%} of the test images that they look like none of the ten classes.
"""
    return text


def about(info, stored):
    """What the model is, in Markdown and HTML, from what is known of it and from the store."""
    recipe, trained, tested = info.recipe or {}, info.trained_on or {}, info.tested_on
    by_class = "\n".join(f"| {name} | {share:.1%} |" for name, share in info.accuracy_by_class.items())
    link = f" · [code and notebooks]({info.repository})" if info.repository else ""
    return f"""## The model
A residual network of 7.8 million parameters for 32×32 pixels, trained for {info.epochs} epochs with the recipe
`{recipe.get("name")}` on {trained.get("images", 0):,} training images ({trained.get("data")}).

## How good it is
**{info.accuracy:.2%}** of {tested["images"]:,} test images ({tested["data"]}) are classified correctly.

| class | accuracy |
| --- | --- |
{by_class}

## Where it fails
{failures(info)}

How often each class (row) was taken for which (column), by their first three letters:

{confusion_table(info)}

{trust(info)}
{len(stored):,} of the test images are stored with this app: every mistake, and of each class the first 20 that are right.

## How to read a heat map
{HOW_TO_READ}

## Your pictures
{PRIVACY}

## Licence
Apache 2.0{link} · Data: A. Krizhevsky (2009), *Learning Multiple Layers of Features from Tiny Images*."""
