"""Image comprehension: textures, faces, cracks, tables on pages, and edits between two pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo import media, sources
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, png, question, to_image

Grey = NDArray[np.uint8]
MATERIALS = ("brick", "grass", "gravel", "stone")


def _textures() -> dict[str, Grey]:
    named = {name: media.grey_photo("skimage", f"data/{name}.png") for name in MATERIALS[:3]}
    return {**named, "stone": media.grey_photo("mvtb-data", "mvtbdata/images/rocks2-l.png")}


def _pattern_histogram(patch: Grey) -> NDArray[np.float64]:
    """Local binary patterns: which of eight neighbours outshine the middle, counted."""
    smooth = cv2.GaussianBlur(patch, (3, 3), 0.8).astype(np.int16)
    middle = smooth[1:-1, 1:-1]
    code = np.zeros(middle.shape, np.int32)
    steps = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for bit, (row, column) in enumerate(steps):
        neighbour = smooth[row : row + middle.shape[0], column : column + middle.shape[1]]
        code |= (neighbour > middle + 2).astype(np.int32) << bit
    histogram = np.bincount(code.ravel(), minlength=256).astype(np.float64)
    return np.asarray(np.sqrt(histogram / histogram.sum()), dtype=np.float64)


def _crop(texture: Grey, generator: np.random.Generator, left: bool) -> Grey:
    """Cut a patch from one half of a texture, scaled and lit at random."""
    size = int(generator.integers(80, 140))
    half = texture.shape[1] // 2
    x = int(generator.integers(0, half - size)) + (0 if left else half)
    y = int(generator.integers(0, texture.shape[0] - size))
    patch = cv2.resize(texture[y : y + size, x : x + size], (96, 96), interpolation=cv2.INTER_AREA).astype(np.float64)
    return to_image(patch * generator.uniform(0.6, 1.2) + generator.normal(0, 6, patch.shape))


def fill_material(task: Task) -> None:
    """Nearest pattern histogram among patches of the left halves; the questions show the right halves."""
    generator = np.random.default_rng(21)
    textures = _textures()
    known = [(name, _pattern_histogram(_crop(textures[name], generator, True))) for name in MATERIALS for _ in range(6)]
    for number in range(40):
        name = MATERIALS[number % len(MATERIALS)]
        patch = _crop(textures[name], generator, False)
        wanted = _pattern_histogram(patch)
        guess = max(known, key=lambda pair: float(pair[1] @ wanted))[0]
        asked = question("Which material does the image show?", MATERIALS, image=png(patch))
        task.add(asked, {"text": name}, guess)


def _gradient_histogram(face: NDArray[Any]) -> NDArray[np.float64]:
    """Orientation of edges in a grid of cells."""
    image = face.astype(np.float32)
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    angle = np.floor(np.mod(np.arctan2(down, across), np.pi) / np.pi * 8).clip(0, 7).astype(int)
    cells = []
    for y in range(0, 25, 5):
        for x in range(0, 25, 5):
            cell = (slice(y, y + 5), slice(x, x + 5))
            cells.append(np.bincount(angle[cell].ravel(), strength[cell].ravel(), minlength=8))
    vector = np.concatenate(cells)
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9), dtype=np.float64)


def fill_faces(task: Task) -> None:
    """Least squares on edge histograms, fitted on 70 faces and 70 other patches, asked about 30 and 30."""
    patches = np.load(io.BytesIO(sources.read_installed("skimage", "data/lfw_subset.npy")))
    truth = np.arange(200) < 100
    features = np.stack([_gradient_histogram(patch) for patch in patches])
    features = np.concatenate([features, np.ones((200, 1))], axis=1)
    train = np.arange(200) % 100 < 70
    design, target = features[train], np.where(truth[train], 1.0, -1.0)
    weights = np.linalg.solve(design.T @ design + 0.5 * np.eye(design.shape[1]), design.T @ target)
    for index in np.flatnonzero(~train):
        scale = 255 if patches[index].max() <= 1 else 1
        image = cv2.resize(to_image(patches[index] * scale), (100, 100), interpolation=cv2.INTER_CUBIC)
        asked = question("Is there a human face in the image?", ("yes", "no"), image=png(image))
        guess = "yes" if features[index] @ weights > 0 else "no"
        task.add(asked, {"text": "yes" if truth[index] else "no"}, guess)


def _crack(generator: np.random.Generator, size: int) -> Grey:
    """A dark line that wanders across the image, with a branch now and then."""
    mask = np.zeros((size, size), np.uint8)
    for _ in range(int(generator.integers(1, 3))):
        point = np.array([0.0, generator.uniform(20, size - 20)])
        heading = generator.uniform(-0.4, 0.4)
        width = int(generator.integers(2, 5))
        while 0 <= point[0] < size and 0 <= point[1] < size:
            heading = np.clip(heading + generator.normal(0, 0.25), -1.2, 1.2)
            following = point + 6 * np.array([np.cos(heading), np.sin(heading)])
            ends = [tuple(int(v) for v in p) for p in (point, following)]
            cv2.line(mask, ends[0], ends[1], 1, width)
            point = following
    return mask


def _find_dark_lines(grey: Grey) -> Grey:
    """Bottom-hat, Otsu threshold, and only components long enough to be a crack."""
    smooth = cv2.medianBlur(grey, 5)
    hat = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, np.ones((11, 11), np.uint8))
    _, binary = cv2.threshold(hat, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    found = np.zeros_like(grey)
    for label in range(1, count):
        if max(statistics[label, 2:4]) > 60:
            found[labels == label] = 1
    return found


def fill_cracks(task: Task) -> None:
    """Cracks drawn into photographed gravel and road; found by morphology."""
    generator = np.random.default_rng(23)
    grounds = [media.grey_photo("skimage", "data/gravel.png"), media.grey_photo("mvtb-data", "mvtbdata/images/road.png")]
    for number in range(16):
        ground = grounds[number % 2]
        top = ground.shape[0] - 200 if number % 2 else int(generator.integers(0, 300))
        left = int(generator.integers(0, ground.shape[1] - 200))
        patch = cv2.GaussianBlur(ground[top : top + 192, left : left + 192], (5, 5), 1.2).astype(np.float64)
        mask = _crack(generator, 192)
        shade = cv2.GaussianBlur(mask.astype(np.float64), (3, 3), 0.7) * generator.uniform(0.35, 0.65)
        image = to_image(patch * (1 - shade))
        task.add({"image": png(image), "prompt": "Segment the cracks."}, {"mask": png(mask)}, png(_find_dark_lines(image)))


Edit = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def _edits(strength: float) -> dict[str, tuple[str, Edit]]:
    """Return edits by name: the words a person would use, and the edit at a strength near 1."""
    sigma = 2.0 * strength
    return {
        "Flip the image horizontally.": ("Mirror the picture from left to right.", lambda i: i[:, ::-1].copy()),
        "Flip the image vertically.": ("Turn the picture upside down.", lambda i: i[::-1].copy()),
        "Convert the image to black and white.": (
            "Make the image black and white.",
            lambda i: np.repeat(cv2.cvtColor(i, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
        ),
        "Blur the image.": ("Blur the whole image.", lambda i: np.asarray(cv2.GaussianBlur(i, (0, 0), sigma), np.uint8)),
        "Increase the brightness of the image.": ("Make the image brighter.", lambda i: to_image(i * (1 + 0.4 * strength))),
        "Decrease the brightness of the image.": ("Make the image darker.", lambda i: to_image(i / (1 + 0.8 * strength))),
        "Increase the contrast of the image.": (
            "Raise the contrast of the image.",
            lambda i: to_image((i - 128.0) * (1 + 0.5 * strength) + 128),
        ),
        "Invert the colors of the image.": ("Invert all colors in the image.", lambda i: 255 - i),
        "Zoom in on the center of the image.": (
            "Crop the image to its center.",
            lambda i: media.cover(i[18:-18, 24:-24], i.shape[1], i.shape[0]),
        ),
    }


def fill_edit_instructions(task: Task) -> None:
    """Try each edit at its usual strength and name the one that comes nearest to the second picture."""
    generator = np.random.default_rng(25)
    usual = _edits(1.0)
    names = list(usual)
    for number, photo in enumerate(media.photos(144, 108, 27)):
        applied = names[number % len(names)]
        words, edit = _edits(float(generator.uniform(0.5, 1.6)))[applied]
        after = to_image(edit(photo) + generator.normal(0, 3, photo.shape))
        errors = {name: float(np.mean((usual[name][1](photo).astype(float) - after) ** 2)) for name in names}
        guess = min(errors, key=errors.__getitem__)
        given = {"images": [png(photo), png(after)], "prompt": "Which instruction turns the first image into the second?"}
        task.add(given, {"text": words if number % 2 else applied}, guess)


def _recipe(name: str, kind: str, used: tuple[str, ...], truth: str, baseline: str, **others: Any) -> Recipe:
    return Recipe(name, "image", "comprehension", kind, used, truth, baseline, others)


BUILDERS = (
    Builder(
        _recipe(
            "Material Image Classification",
            "multiple choice",
            ("skimage", "mvtb-data"),
            "the photograph the patch was cut from",
            "nearest local-binary-pattern histogram",
        ),
        fill_material,
    ),
    Builder(
        _recipe(
            "Object Hallucination Detection",
            "multiple choice",
            ("skimage",),
            "labels of the data set: its first hundred patches are faces",
            "least squares on edge histograms",
        ),
        fill_faces,
    ),
    Builder(
        _recipe(
            "Road Crack Detection",
            "segmentation",
            ("skimage", "mvtb-data"),
            "the crack as it was drawn",
            "bottom-hat transform and Otsu threshold",
            classes=["background", "crack"],
            ignore_label=255,
        ),
        fill_cracks,
    ),
    Builder(
        _recipe(
            "Image Editing Instruction Generation",
            "OpenQA",
            ("mvtb-data", "skimage", "sklearn"),
            "the edit that was applied, in one of two wordings",
            "analysis by synthesis over nine edits",
        ),
        fill_edit_instructions,
    ),
)
