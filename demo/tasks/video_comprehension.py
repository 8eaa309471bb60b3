"""Video comprehension: optical flow with exact truth, and moving figures to be watched and counted."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo import media, sources
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, flow, png, question, to_image, video

WIDTH, HEIGHT = 160, 120
FIGURES = "arcade/resources/assets/images/"
UNKNOWN = 1e10
Floats = NDArray[np.float32]


def dense_flow(first: NDArray[Any], second: NDArray[Any]) -> Floats:
    """Return the motion from `first` to `second` by dense inverse search, at the finest setting."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    pair = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (first, second)]
    return np.asarray(search.calc(pair[0], pair[1], None), dtype=np.float32)


def _affine(generator: np.random.Generator, reach: float) -> NDArray[np.float64]:
    """A random motion about the middle of the picture, as a 2 x 3 matrix from first to second frame."""
    angle, scale = generator.uniform(-4, 4), generator.uniform(0.96, 1.04)
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), angle, scale)
    matrix[:, 2] += generator.uniform(-reach, reach, 2)
    return np.asarray(matrix, dtype=np.float64)


def _motion(matrix: NDArray[np.float64]) -> Floats:
    """Return the displacement of every pixel under a motion."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    moved = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return np.asarray((moved - np.stack([x.ravel(), y.ravel()])).T.reshape(HEIGHT, WIDTH, 2), dtype=np.float32)


MARGIN = 24


def _moved(photo: NDArray[np.uint8], matrix: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the frame-sized middle of a larger photo before and after the motion."""
    shift = np.array([[1, 0, -MARGIN], [0, 1, -MARGIN]], dtype=np.float64)
    after = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([shift, [0, 0, 1]])
    size = (WIDTH, HEIGHT)
    second = cv2.warpAffine(photo, after[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return photo[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + WIDTH], np.asarray(second, dtype=np.uint8)


def _large_photos(count: int, start: int) -> list[NDArray[np.uint8]]:
    return media.photos(WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN, count, start)


def _add_flow(task: Task, first: NDArray[np.uint8], second: NDArray[np.uint8], truth: Floats) -> None:
    given = {"images": [png(first), png(second)], "prompt": "Estimate the flow from the first to the second image."}
    task.add(given, {"flow": flow(truth)}, flow(dense_flow(first, second)))


def fill_simple_flow(task: Task) -> None:
    """One photo, one affine motion."""
    generator = np.random.default_rng(71)
    for photo in _large_photos(10, 0):
        matrix = _affine(generator, 6)
        _add_flow(task, *_moved(photo, matrix), _motion(matrix))


def fill_complex_flow(task: Task) -> None:
    """A second photo moves in front of the first; and one real stereo pair with measured disparity."""
    generator = np.random.default_rng(72)
    for background, foreground in zip(_large_photos(9, 14), _large_photos(9, 25), strict=True):
        back, front = _affine(generator, 5), _affine(generator, 9)
        mask = np.zeros((HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN), np.uint8)
        centre = (int(generator.integers(70, 140)), int(generator.integers(60, 110)))
        axes = (int(generator.integers(20, 40)), int(generator.integers(18, 34)))
        cv2.ellipse(mask, centre, axes, float(generator.uniform(0, 180)), 0, 360, 255, -1)
        first_back, second_back = _moved(background, back)
        first_front, second_front = _moved(foreground, front)
        first_mask, second_mask = _moved(mask, front)
        first = np.where(first_mask[..., None] > 127, first_front, first_back)
        second = np.where(second_mask[..., None] > 127, second_front, second_back)
        truth = np.where(first_mask[..., None] > 127, _motion(front), _motion(back))
        _add_flow(task, first, second, truth)
    _add_flow(task, *_stereo())


def _stereo() -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats]:
    """The Middlebury motorcycle at a third of its size; where the scanner saw nothing the truth is unknown."""
    left, right = (media.decode(sources.read_installed("skimage", f"data/motorcycle_{s}.png")) for s in ("left", "right"))
    disparity = np.load(io.BytesIO(sources.read_installed("skimage", "data/motorcycle_disp.npz")))["arr_0"]
    size = (left.shape[1] // 3, left.shape[0] // 3)
    small = cv2.resize(np.nan_to_num(disparity, posinf=-1).astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    truth = np.zeros((size[1], size[0], 2), np.float32)
    truth[..., 0] = -small / 3
    truth[small <= 0] = UNKNOWN
    pair = [np.asarray(cv2.resize(i, size, interpolation=cv2.INTER_AREA), np.uint8) for i in (left, right)]
    return pair[0], pair[1], truth


def _figure(name: str, height: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the colours and the opacity of a drawn figure, scaled to a height."""
    coded = np.frombuffer(sources.read("arcade", FIGURES + name), np.uint8)
    image: NDArray[Any] = np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED))
    size = (max(1, round(image.shape[1] * height / image.shape[0])), height)
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB), image[..., 3:] / 255.0


def _paste(frame: NDArray[np.uint8], figure: tuple[NDArray[np.uint8], NDArray[np.float64]], x: float, y: float) -> None:
    colour, opacity = figure
    left, top = round(x), round(y)
    part = frame[top : top + colour.shape[0], left : left + colour.shape[1]]
    part[:] = to_image(part * (1 - opacity) + colour * opacity)


FRAMES = 16
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
CREATURES = ("enemies/bee.png", "enemies/fishPink.png", "enemies/ladybug.png", "enemies/frog.png", "enemies/mouse.png")


def _film(
    photo: NDArray[np.uint8],
    generator: np.random.Generator,
    draw: Callable[[NDArray[np.uint8], int], None],
    shake: int,
) -> list[NDArray[np.uint8]]:
    """Return frames of a photo seen by an unsteady, noisy camera, with something drawn on each."""
    frames = []
    for time in range(FRAMES):
        dx, dy = generator.integers(-shake, shake + 1, 2)
        frame = photo[MARGIN + dy : MARGIN + dy + HEIGHT, MARGIN + dx : MARGIN + dx + WIDTH].copy()
        draw(frame, time)
        frames.append(to_image(frame + generator.normal(0, 4, frame.shape)))
    return frames


def _guess_direction(frames: list[NDArray[np.uint8]]) -> str:
    """Follow the middle of what moves against the camera's own motion, from the first half to the second."""
    tracks = []
    for first, second in itertools.pairwise(frames):
        motion = dense_flow(first, second)
        own = motion - np.median(motion.reshape(-1, 2), axis=0)
        strength = np.linalg.norm(own, axis=2)
        weight = np.where(strength > 1.5, strength, 0)
        tracks.append((own * weight[..., None]).sum((0, 1)) / (weight.sum() + 1e-6))
    across, down = np.mean(tracks, axis=0)
    if abs(across) > abs(down):
        return "right" if across > 0 else "left"
    return "down" if down > 0 else "up"


def fill_motion(task: Task) -> None:
    """A figure crosses the picture; its direction is read off the flow that is not the camera's."""
    generator = np.random.default_rng(73)
    for number, photo in enumerate(_large_photos(20, 3)):
        name = list(DIRECTIONS)[number % 4]
        step = np.array(DIRECTIONS[name]) * generator.uniform(1.5, 3.0)
        figure = _figure(CREATURES[number % len(CREATURES)], int(generator.integers(18, 34)))
        reach = np.array([WIDTH - figure[0].shape[1], HEIGHT - figure[0].shape[0]])
        middle = reach / 2 + generator.uniform(-8, 8, 2)

        def draw(frame: NDArray[np.uint8], time: int, step: Any = step, figure: Any = figure, middle: Any = middle) -> None:
            place = middle + step * (time - FRAMES / 2)
            _paste(frame, figure, float(place[0]), float(place[1]))

        frames = _film(photo, generator, draw, 1)
        asked = question("In which direction does the creature move?", tuple(DIRECTIONS), video=video(frames))
        task.add(asked, {"text": name}, _guess_direction(frames))


NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def _count_moving(frames: list[NDArray[np.uint8]]) -> int:
    """Count the regions that differ from the median picture, in the middle frame."""
    stack = np.stack(frames).astype(np.float32)
    background = np.median(stack, axis=0)
    difference = cv2.GaussianBlur(np.abs(stack[FRAMES // 2] - background).max(axis=2), (5, 5), 0)
    mask = cv2.morphologyEx((difference > 28).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return min(sum(int(statistics[k, 4]) > 60 for k in range(1, count)), len(NUMBERS) - 1)


def fill_counting(task: Task) -> None:
    """Several creatures run about; those that overlap or stand still are lost to background subtraction."""
    generator = np.random.default_rng(74)
    for number, photo in enumerate(_large_photos(20, 9)):
        count = 1 + number % 5
        figures = [_figure(CREATURES[int(generator.integers(0, len(CREATURES)))], 22) for _ in range(count)]
        starts = generator.uniform((10, 10), (WIDTH - 45, HEIGHT - 35), (count, 2))
        steps = generator.uniform(-2.2, 2.2, (count, 2))

        def draw(frame: NDArray[np.uint8], time: int, figures: Any = figures, starts: Any = starts, steps: Any = steps) -> None:
            for figure, start, step in zip(figures, starts, steps, strict=True):
                limit = (WIDTH - figure[0].shape[1], HEIGHT - figure[0].shape[0])
                place = np.clip(start + step * time, 0, limit)
                _paste(frame, figure, float(place[0]), float(place[1]))

        frames = _film(photo, generator, draw, 0)
        answer, guess = (f"There {'is' if n == 1 else 'are'} {NUMBERS[n]} moving." for n in (count, _count_moving(frames)))
        task.add(question("How many creatures are moving?", video=video(frames)), {"text": answer}, guess)


def _recipe(name: str, kind: str, used: tuple[str, ...], truth: str, baseline: str) -> Recipe:
    return Recipe(name, "video", "comprehension", kind, used, truth, baseline)


PHOTOS = ("mvtb-data", "skimage", "sklearn", "gradio")
BUILDERS = (
    Builder(
        _recipe("Optical Flow in Simple Synthetic Scene", "flow", PHOTOS, "the motion that was applied", "dense inverse search"),
        fill_simple_flow,
    ),
    Builder(
        _recipe(
            "Optical Flow in Complex Scene Estimation",
            "flow",
            PHOTOS,
            "the motions that were applied; measured disparity for the last pair",
            "dense inverse search",
        ),
        fill_complex_flow,
    ),
    Builder(
        _recipe(
            "Object Motion Video Question Answering",
            "multiple choice",
            (*PHOTOS, "arcade"),
            "the direction the figure was moved in",
            "flow relative to the camera's",
        ),
        fill_motion,
    ),
    Builder(
        _recipe(
            "Video Object Counting",
            "OpenQA",
            (*PHOTOS, "arcade"),
            "the number of figures drawn",
            "background subtraction and connected regions",
        ),
        fill_counting,
    ),
)
