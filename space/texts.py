"""The words, the colours and the style of the page."""

import html

import gradio as gr
from gradio.components.label import LabelConfidence, LabelData

INTRODUCTION = """# {title}
Give it a picture of one of {count} things ({classes}): it says what it sees, and where it looked. It was trained on {size}×{size}
pixels, and is right on {accuracy:.1%} of {images:,} test images. {unknown}"""
NOTICES = "It tries to\nnotice when a picture shows none of them, and sometimes fails."
NAMES_ALL = "It knows nothing else,\nand gives one of these names to whatever a picture shows."
HOW_TO_READ = """**Bright is where the network saw the class**, dark is where little or nothing spoke for it. The first
layers see edges and colours, the last ones whole objects, in coarse patches. A map alone uses the whole scale from dark to bright,
two that are compared share it. A heat map is a hint, not a proof."""
UNFAMILIAR = "This does not look like any of the {} classes"
PRIVACY = """**Your pictures** are stored to answer you, deleted within the hour, and sent nowhere else. No usage
statistics are collected."""
GALLERY_HELP = """Heat maps of what the network predicts on test images. Each caption has the prediction, its probability
and, in brackets, the truth."""
MISTAKES_HELP = """Test images that the network gets wrong, the surest first: prediction, probability and, in brackets, the
truth. **Choose one** to see what spoke for the prediction, and what for the truth."""
MISTAKES_FOUND = "{} of {} such images."
NO_IMAGES = "This app is published without test images."
SHOWN_CLASSES = 30  # at most, in tables and lists
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
    "seen": "Its {size}×{size} input",
    "top_k": "Classes to show",
    "show_cam": "Heat map",
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
    "seen": "The {size} by {size} pixels that the network sees",
}
# A small picture fills its frame, and its pixels can be seen. The visitor's own fonts: nothing is fetched from elsewhere.
CSS = """
[role=tab][aria-selected=true] { color: inherit !important; font-weight: 600 }
abbr { text-decoration: none !important }
#answer [data-testid="label-output-value"] { justify-content: center; text-align: center }
#picture img { width: 100%; height: 100%; object-fit: contain }
#picture img, #mistakes img, #examples img { image-rendering: pixelated }
#maps .grid-wrap, #mistakes .grid-wrap, #examples .grid-wrap { height: auto; min-height: 0; max-height: none }
#maps .grid-container, #mistakes .grid-container { grid-template-columns: repeat(auto-fill, minmax(135px, 1fr)) !important }
#examples .grid-container { grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)) !important }
#maps .grid-wrap, #mistakes .grid-wrap, #examples .grid-wrap { padding-top: 30px }
#examples .caption-label, #maps .caption-label, #mistakes .caption-label { max-width: 100%; font-size: 11px; padding: 2px 4px; white-space: normal }
#show-cam { min-width: 130px !important }
#about table { font-size: 11px; width: auto } #about td, #about th { padding: 2px 3px; text-align: right; word-break: normal }
"""
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
    body_text_color_subdued="*neutral_600"  # the default is too pale to read
)


def plain(name):
    """The name of a class within Markdown, where it is never markup."""
    return "".join(c if c.isalnum() or c in " ,.-" else f"&#{ord(c)};" for c in name)


def in_words(number):
    """A small number as a word."""
    words = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return words[number - 2] if number - 2 in range(len(words)) else f"{number:,}"


def some(names, most=SHOWN_CLASSES):
    """The names of classes, separated by commas, within Markdown; the first of many."""
    return ", ".join([plain(name) for name in names[:most]] + ["…"] * (len(names) > most))


def example_of(path, names):
    """The caption of an example: CLASS_INDEX.png, or number-INDEX.png with the number of its class."""
    number, hyphen, _ = path.stem.partition("-")
    is_class = hyphen and number.isdecimal() and int(number) < len(names)  # and no date, say
    return names[int(number)] if is_class else path.stem.partition("_")[0]


def mistakes_found(shown, number, stored):
    """How many mistakes there are, and how many are shown."""
    return MISTAKES_FOUND.format(shown, number) if len(stored) else ""


def answer(prediction, count):
    """A prediction as the page shows it: the most probable of `count` classes in large letters, if the picture resembles any."""
    headline = UNFAMILIAR.format(in_words(count)) if prediction.is_familiar is False else prediction.classes[0]
    bars = zip(prediction.classes, prediction.probabilities)
    return LabelData(
        label=headline, confidences=[LabelConfidence(label=name, confidence=share) for name, share in bars]
    )


def map_of(name, speaks=True):
    """The label of a picture with the heat map of a class, or with none; `speaks`: whether there is anything on the map."""
    if name and not speaks:
        return f"Nothing at this layer speaks for {name}"
    return f"Map: {name}" if name else LABELS["photo"]


def caption_of(caption, speaks):
    """The caption of a heat map among others."""
    return caption if speaks else f"{caption}: nothing at this layer speaks for it"


def introduction(info):
    """The head of the page, from what is known of the model."""
    return INTRODUCTION.format(
        title=info.title,
        count=in_words(len(info.classes)),
        classes=some(info.classes),
        size=info.image_size,
        accuracy=info.accuracy,
        images=info.tested_on["images"],
        unknown=NOTICES if info.familiarity else NAMES_ALL,
    )


def failures(info):
    """The five most frequent mistakes, as a list in Markdown."""
    pairs = [
        (count, true, taken)
        for true, row in zip(info.classes, info.confusion_matrix)
        for taken, count in zip(info.classes, row)
        if true != taken
    ]
    most = [pair for pair in sorted(pairs)[:-6:-1] if pair[0]]

    def one(name):  # names of other classes may be plurals, or anything
        article = "" if "CIFAR-10 " not in info.title else "an " if name[0] in "aeiou" else "a "
        return article + plain(name)

    lines = [f"- {n} {'time' if n == 1 else 'times'} {one(true)} was taken for {one(taken)}" for n, true, taken in most]
    return "\n".join(lines) or "On none of the test images."


def confusion_table(info):
    """How often each class was taken for which, as a table in HTML, if it is not too large to be read."""
    if len(info.classes) > SHOWN_CLASSES:
        return ""
    three = len({name[:3] for name in info.classes}) == len(info.classes)
    short = [name[: 3 if three else 12] for name in info.classes]
    heads = [f'<abbr title="{html.escape(name)}">{html.escape(part)}</abbr>' for name, part in zip(info.classes, short)]
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = [
        f'<tr><th scope="row">{head}</th>' + "".join(f"<td>{count}</td>" for count in row) + "</tr>"
        for head, row in zip(heads, info.confusion_matrix)
    ]
    return f"""How often each class (row) was taken for which (column), by their first {"three" if three else "twelve"} letters:

<table><tr><td></td>{top}</tr>{"".join(rows)}</table>"""


def class_table(info):
    """The accuracy of each class, or of the hardest ones, as a table in Markdown."""
    if not (shares := info.accuracy_by_class):
        return ""
    hardest = sorted(shares, key=shares.get)[:SHOWN_CLASSES] if len(shares) > SHOWN_CLASSES else shares
    title = f"the {SHOWN_CLASSES} hardest classes" if len(shares) > SHOWN_CLASSES else "class"
    rows = "\n".join(f"| {plain(name)} | {shares[name]:.1%} |" for name in hardest)
    mean = sum(shares.values()) / len(shares)
    balanced = "" if abs(mean - info.accuracy) < 5e-4 else f"\n| mean of the classes (balanced accuracy) | {mean:.1%} |"
    return f"| {title} | accuracy |\n| --- | --- |\n{rows}{balanced}"


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
It wrongly says of {info.unfamiliar_test_images:.1%} of the test images that they look like none of the {in_words(len(info.classes))} classes.
"""
    if info.temperature is None:
        text += """
Its probabilities are not corrected: too few images were kept apart from training to learn that from, or it did not help on them.
"""
    if info.familiarity is None:
        text += """
It cannot notice that a picture shows none of its classes: to learn that takes 1,000 training images, and others that are kept apart.
"""
    return text


def images_stored(info, stored):
    """Which test images the app holds."""
    if not len(stored):
        return NO_IMAGES
    wrong = sum(map(sum, info.confusion_matrix)) - sum(row[i] for i, row in enumerate(info.confusion_matrix))
    kept = sum(label != prediction for label, prediction in zip(stored.labels, stored.predictions))
    which = "every mistake" if kept == wrong else f"the surest {kept:,} of {wrong:,} mistakes"
    return f"{len(stored):,} of the test images are stored with this app: {which}, and of each class the first that are right."


def about(info, stored):
    """What the model is, in Markdown and HTML, from what is known of it and from the store."""
    recipe, trained, tested = info.recipe or {}, info.trained_on or {}, info.tested_on
    epochs = f", trained for {info.epochs} epochs" if info.epochs else ""
    images = f"\non {trained['images']:,} training images ({trained.get('data')})" if trained.get("images") else ""
    name = f" with the recipe\n`{recipe['name']}`" if recipe.get("name") else ""
    start = f" It started from {plain(info.started_from)}." if info.started_from else ""
    source = " · Data: A. Krizhevsky (2009), *Learning Multiple Layers of Features from Tiny Images*."
    link = f" · [code and notebooks]({info.repository})" if info.repository else ""
    return f"""## The model
A residual network of 7.8 million parameters for {info.image_size}×{info.image_size} pixels{epochs}{name}{images}.{start}

## How good it is
**{info.accuracy:.2%}** of {tested["images"]:,} test images ({tested["data"]}) are classified correctly.

{class_table(info)}

## Where it fails
{failures(info)}

{confusion_table(info)}

{trust(info)}
{images_stored(info, stored)}

## How to read a heat map
{HOW_TO_READ}

## Your pictures
{PRIVACY}

## Licence
Apache 2.0{" (the code)" if "own images" in tested["data"] else ""}{link}{source if "CIFAR" in tested["data"] else ""}"""
