"""All tasks of the demo bundle, in the order they are built."""

from __future__ import annotations

from demo.tasks import (
    audio_comprehension,
    audio_generation,
    image_comprehension,
    image_generation,
    image_pages,
    language_facts,
    language_text,
    three_d_comprehension,
    three_d_generation,
    three_d_odometry,
    video_comprehension,
    video_generation,
)
from demo.tasks.base import Builder

BUILDERS: tuple[Builder, ...] = (
    *language_facts.BUILDERS,
    *language_text.BUILDERS,
    *image_comprehension.BUILDERS,
    *image_pages.BUILDERS,
    *image_generation.BUILDERS,
    *video_comprehension.BUILDERS,
    *video_generation.BUILDERS,
    *audio_comprehension.BUILDERS,
    *audio_generation.BUILDERS,
    *three_d_comprehension.BUILDERS,
    *three_d_odometry.BUILDERS,
    *three_d_generation.BUILDERS,
)
