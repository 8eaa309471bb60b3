"""Image generation: photos with a known degradation, and the classical filter against it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo import media
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, jpeg, png, to_image

WIDTH, HEIGHT = 208, 156
SOURCES = ("mvtb-data", "skimage", "sklearn", "gradio")
Floats = NDArray[np.float64]


def _rain(photo: NDArray[Any], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Add slanted bright streaks."""
    seeds = (generator.random(photo.shape[:2]) > 0.994).astype(np.float32) * generator.uniform(0.5, 1.0)
    length = int(generator.integers(9, 17))
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (length // 2 - 1, 0), (length // 2 + 1, length - 1), 1.0, 1)
    streaks = np.clip(cv2.filter2D(seeds, -1, kernel), 0, 1)[..., None] * 0.65
    return to_image(photo * (1 - streaks) + 235 * streaks)


def fill_deraining(task: Task) -> None:
    """Streaks are thin and upright, so a horizontal median over five pixels removes most of them."""
    generator = np.random.default_rng(11)
    for photo in media.photos(WIDTH, HEIGHT, 12):
        rainy = _rain(photo, generator)
        shifted = [np.roll(rainy, shift, axis=1) for shift in range(-2, 3)]
        median = np.median(np.stack(shifted), axis=0)
        # Rain only brightens: keep the input wherever it is no brighter than its neighbours.
        derained = np.where(rainy > median + 12, median, rainy)
        task.add({"image": png(rainy), "prompt": "Remove the rain."}, {"image": png(photo)}, png(to_image(derained)))


def fill_low_light(task: Task) -> None:
    """Undo the darkening with a fixed gamma and a gain that brings the mean to mid grey, then smooth."""
    generator = np.random.default_rng(12)
    for photo in media.photos(WIDTH, HEIGHT, 12, start=6):
        exposure = generator.uniform(0.08, 0.2)
        linear = (photo / 255.0) ** 2.2 * exposure
        noisy = np.clip(linear + generator.normal(0, 0.004, photo.shape), 0, 1)
        dark = to_image(255 * noisy ** (1 / 2.2))
        light = (dark / 255.0) ** 2.2
        bright = np.clip(light * (0.25 / max(light.mean(), 1e-6)), 0, 1) ** (1 / 2.2)
        smooth = cv2.bilateralFilter(to_image(255 * bright), 5, 25, 3)
        task.add({"image": png(dark), "prompt": "Brighten the photo."}, {"image": png(photo)}, png(smooth))


def _wiener(channel: Floats, kernel: Floats, noise: float) -> Floats:
    transfer = np.fft.fft2(kernel, s=channel.shape)
    spectrum = np.fft.fft2(channel) * np.conj(transfer) / (np.abs(transfer) ** 2 + noise)
    half = kernel.shape[0] // 2
    return np.roll(np.real(np.fft.ifft2(spectrum)), (half, half), axis=(0, 1)).astype(np.float64)


def _gaussian(sigma: float) -> Floats:
    axis = cv2.getGaussianKernel(13, sigma)
    return np.asarray(axis @ axis.T, dtype=np.float64)


def fill_deblurring(task: Task) -> None:
    """Wiener filter with one assumed width for all, although the true widths differ."""
    generator = np.random.default_rng(13)
    assumed = _gaussian(1.5)
    for photo in media.photos(WIDTH, HEIGHT, 12, start=12):
        sigma = generator.uniform(1.2, 2.2)
        blurred = cv2.GaussianBlur(photo, (13, 13), sigma).astype(np.float64)
        blurred = to_image(blurred + generator.normal(0, 1.0, photo.shape))
        restored = np.stack([_wiener(blurred[..., c].astype(np.float64), assumed, 0.01) for c in range(3)], axis=-1)
        # The circular transform rings at the border; the input stands there.
        sharp = blurred.astype(np.float64)
        sharp[10:-10, 10:-10] = restored[10:-10, 10:-10]
        task.add({"image": png(blurred), "prompt": "Sharpen it."}, {"image": png(photo)}, png(to_image(sharp)))


def fill_jpeg(task: Task) -> None:
    """Smooth the blocks of a strongly compressed photo with an edge-preserving filter."""
    for photo in media.photos(160, 120):
        coded = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 12])[1]
        blocky = media.decode(coded.tobytes())
        cleaned = cv2.bilateralFilter(blocky, 5, 22, 2.0)
        given = {"image": jpeg(photo, 12), "prompt": "Remove the compression artefacts."}
        task.add(given, {"image": png(photo)}, png(cleaned))


def _luminance_features(luminance: Floats) -> Floats:
    """Brightness, neighbourhood mean and spread, position: what the colour is guessed from."""
    mean = cv2.blur(luminance, (9, 9))
    spread = np.sqrt(np.maximum(cv2.blur(luminance**2, (9, 9)) - mean**2, 0))
    height, width = luminance.shape
    row = np.repeat(np.linspace(0, 1, height)[:, None], width, axis=1)
    base = np.stack([luminance / 255, mean / 255, spread / 64, row], axis=-1).reshape(-1, 4)
    pairs = [base[:, i] * base[:, j] for i in range(4) for j in range(i, 4)]
    return np.concatenate([np.ones((len(base), 1)), base, np.stack(pairs, axis=1)], axis=1)


def _chroma_model(photos: list[NDArray[np.uint8]]) -> Floats:
    rows, targets = [], []
    for photo in photos:
        laboratory = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float64)
        rows.append(_luminance_features(laboratory[..., 0])[::7])
        targets.append(laboratory[..., 1:].reshape(-1, 2)[::7])
    design, target = np.concatenate(rows), np.concatenate(targets)
    ridge = 1e-2 * len(design) * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(design.T @ design + ridge, design.T @ (target - 128)), dtype=np.float64)


def fill_colorization(task: Task) -> None:
    """Ridge regression from brightness and texture to chroma, fitted on the photos of the other half."""
    photos = media.photos(160, 120)
    models = [_chroma_model(photos[1 - half :: 2]) for half in range(2)]
    for number, photo in enumerate(photos):
        luminance = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB)[..., 0]
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        chroma = _luminance_features(luminance.astype(np.float64)) @ models[number % 2] + 128
        laboratory = np.dstack([luminance, to_image(chroma.reshape(*luminance.shape, 2))])
        coloured = cv2.cvtColor(laboratory, cv2.COLOR_LAB2RGB)
        task.add({"image": png(grey), "prompt": "Colour it."}, {"image": png(photo)}, png(coloured))


def _recipe(name: str, truth: str, baseline: str) -> Recipe:
    return Recipe(name, "image", "generation", "image generation", SOURCES, truth, baseline)


BUILDERS = (
    Builder(_recipe("Image Deraining", "the photo before rain was drawn on it", "horizontal median"), fill_deraining),
    Builder(_recipe("Low-light Image Enhancement", "the photo before it was darkened", "fixed gamma and gain"), fill_low_light),
    Builder(_recipe("Image Deblurring", "the photo before it was blurred", "Wiener filter of one width"), fill_deblurring),
    Builder(_recipe("JPEG Image Artifact Deduction", "the photo before compression", "bilateral filter"), fill_jpeg),
    Builder(
        _recipe("Image Colorization", "the photo with its colours", "ridge regression from grey to chroma"),
        fill_colorization,
    ),
)
