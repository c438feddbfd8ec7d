"""Data to try where a reader has not brought any: a table, shapes, lines, letters."""

from __future__ import annotations

import base64

import numpy as np

from . import texts
from .own_data import SIDE, Known, from_csv, from_images, from_text

EACH = 40  # images of each shape


def example(task: str, language: str = "en") -> Known:
    """What there is to try for a task: "table", "images", "lines" or "letters"."""
    match task:
        case "table":
            return from_csv(example_table(), language)
        case "images":
            return from_images(*example_images(language), language)
    return from_text(texts.read(language, "own-data")[task], task, language)


def example_table() -> str:
    """Two columns of very different size, and a class that depends on both."""
    random = np.random.RandomState(3)
    age, income = random.randint(18, 80, 160), random.randint(15, 120, 160) * 1000
    kind = np.where((age - 50) ** 2 / 900 + (income / 1000 - 65) ** 2 / 1400 < 1, "buys", "leaves")
    rows = "\n".join(f"{a},{i},{k}" for a, i, k in zip(age, income, kind, strict=True))
    return f"age,income,answer\n{rows}\n"


def example_images(language: str = "en") -> tuple[list[str], list[int], str]:
    """Discs, rings and crosses, each of its own size, at its own place: labels, kinds, pixels."""
    random = np.random.RandomState(5)
    kinds = np.arange(3 * EACH) % 3
    row, column = np.indices((SIDE, SIDE))
    images = []
    for kind in kinds:
        size = random.uniform(5, 9)
        down, across = random.uniform(10, 18, 2)
        y, x = row - down, column - across
        from_middle = np.hypot(y, x)
        to_bar = np.minimum(np.abs(y), np.abs(x)) + 1.5 * np.maximum(from_middle - size, 0)
        outside = (from_middle - size, np.abs(from_middle - size) - 1.5, to_bar - 1.5)[kind]
        paper, ink = random.uniform(0.8, 1), random.uniform(0, 0.35)
        images.append(paper + (ink - paper) * np.clip(0.5 - outside, 0, 1))
    grey = np.array(images) + 0.04 * random.randn(len(kinds), SIDE, SIDE)
    pixels = np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    names = [str(texts.read(language, "own-data")["shapes"][n]) for n in ("disc", "ring", "cross")]
    return names, kinds.tolist(), base64.b64encode(pixels.tobytes()).decode()
