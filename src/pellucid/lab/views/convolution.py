"""Chapter 10: nine weights slide over an image; what they find becomes a map, and pooling shrinks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, avg_pool2d, conv2d, max_pool2d, relu
from pellucid.book.chapter10 import LOOKS_FOR, SIDE
from pellucid.errors import ArgumentError

from ..codec import binary
from ..known_digits import drawn, known_digits, stand_in, written
from ..settings import Choice, Slider, Switch
from ..view import Sentence, View, action

Array = Any

KERNELS = {**LOOKS_FOR, "zeros": np.zeros((SIDE, SIDE))}
MOST = 100.0  # of a weight
FURTHEST = 6  # pixels an image can be pushed aside
POOL = 2


class Convolution(View):
    """A window of nine pixels, the same nine weights at every place, and a score for each place.

    Break it: nine zeros, nine equal weights, a stride that leaves pixels out. And push the image
    aside: the map moves along, where a dense unit would no longer know it.
    """

    name = "convolution"
    chapter = 10
    seeded = False
    settings = {
        "kernel": Choice("upright edges", (*KERNELS, "own")),
        "stride": Slider(1, 1, 4, 1),
        "rim": Switch(False),
        "relu": Switch(False),
        "pooling": Choice("max", ("max", "average", "none")),
    }

    def start(self) -> None:
        self.kernel = KERNELS[self.value["kernel"]].copy()
        self.chosen, self.aside = 0, 0
        self.ink: Array | None = None
        self.pushed, self.was = False, 0.0  # the best score before
        self.at = self.met = 0
        self.begin()

    def begin(self) -> None:
        """Put the window where it fits best; the map is known so far."""
        self.at = int(np.argmax(self.scores()))
        self.met = self.at + 1

    def handle(self, message: Mapping[str, Any]) -> None:
        """As for any view; only right after it was pushed the image is said to have been."""
        pushed, self.pushed = self.pushed, False
        try:
            super().handle(message)
        except ArgumentError:
            self.pushed = pushed
            raise

    def changed(self, name: str) -> None:
        if name == "kernel" and self.value["kernel"] in KERNELS:
            self.kernel = KERNELS[self.value["kernel"]].copy()
        if name in ("stride", "rim"):
            self.begin()

    def can_step(self) -> bool:
        return bool(self.at < self.scores().size - 1)

    def step(self) -> None:
        self.go(self.at + 1)

    def go(self, at: int) -> None:
        """To this place; what was passed on the way is known."""
        self.at, self.met = at, max(self.met, at + 1)

    @action
    def row(self) -> None:
        """On to the end of the row."""
        columns = self.scores().shape[1]
        end = self.at // columns * columns + columns - 1
        self.go(end if end > self.at else min(end + columns, self.scores().size - 1))

    @action
    def everywhere(self) -> None:
        """All places that are left; the window stays."""
        self.met = self.scores().size

    @action
    def begin_again(self) -> None:
        """Back to the first place, with an empty map."""
        self.at, self.met = 0, 1

    @action
    def place(self, row: int, column: int) -> None:
        """Put the window at this place of the map."""
        rows, columns = self.scores().shape
        self.at = max(0, min(rows - 1, row)) * columns + max(0, min(columns - 1, column))

    @action
    def over(self, row: int, column: int) -> None:
        """Put the window where this pixel of the image is in its middle, or near it."""
        rim, stride = int(self.value["rim"]), self.value["stride"]
        self.place(*(round((n + rim - SIDE // 2) / stride) for n in (row, column)))

    @action
    def weight(self, row: int, column: int, value: float) -> None:
        """Give the kernel another weight."""
        if not (0 <= row < SIDE and 0 <= column < SIDE):
            raise ArgumentError(f"the kernel has {SIDE} rows of {SIDE} weights")
        self.kernel[row, column] = max(-MOST, min(MOST, value))
        self.value["kernel"] = "own"

    @action
    def choose(self, image: int) -> None:
        """Look at another of the images."""
        self.chosen, self.ink, self.aside = image % len(known_digits().images), None, 0
        self.begin()

    @action
    def draw(self, pixels: list[list[float]]) -> None:
        """Look at what the reader drew."""
        self.ink, self.aside = drawn(pixels), 0
        self.begin()

    @action
    def clear(self) -> None:
        """An empty page to draw on."""
        self.ink, self.aside = np.zeros(known_digits().shape), 0

    @action
    def push(self, columns: int) -> None:
        """Push the image aside."""
        before, self.was = self.aside, float(self.scores().max())
        self.aside = max(-FURTHEST, min(FURTHEST, self.aside + columns))
        self.met = self.scores().size
        self.pushed = self.aside != before
        self.at = int(np.argmax(self.scores()))

    # -------------------------------------------------------------------------------- what is seen

    def image(self) -> Array:
        """The image, (rows, columns), where it was pushed to."""
        data = known_digits()
        still = data.images[self.chosen].reshape(data.shape) if self.ink is None else self.ink
        return moved(still, self.aside)

    def scores(self) -> Array:
        """How well the kernel fits at each place, before relu."""
        rim = int(self.value["rim"])
        x, w = Tensor(self.image()[None, None]), Tensor(self.kernel[None, None])
        return conv2d(x, w, stride=self.value["stride"], padding=rim).numpy()[0, 0]

    def window(self) -> tuple[int, int]:
        """The row and column of the image at which the window begins; -1 on the rim."""
        row, column = divmod(self.at, self.scores().shape[1])
        stride, rim = self.value["stride"], int(self.value["rim"])
        return row * stride - rim, column * stride - rim

    def patch(self) -> Array:
        """The nine pixels under the window."""
        rim = int(self.value["rim"])
        row, column = (n + rim for n in self.window())
        return np.pad(self.image(), rim)[row : row + SIDE, column : column + SIDE]

    def seen(self) -> dict[str, Any]:
        """What the kernel says at this place and everywhere, and what pooling leaves of it."""
        scores = self.scores()
        row, column = divmod(self.at, scores.shape[1])
        products = Tensor(self.patch()) * Tensor(self.kernel)
        after = relu(Tensor(scores)).numpy() if self.value["relu"] else scores
        pool = {"max": max_pool2d, "average": avg_pool2d}.get(self.value["pooling"])
        small = after
        if pool is not None and min(after.shape) >= POOL:
            small = pool(Tensor(after[None, None]), POOL).numpy()[0, 0]
        return {
            "patch": self.patch(),
            "kernel": self.kernel,
            "products": products.numpy(),
            "score": products.sum().item(),
            "plus": products.clip(min=0).sum().item(),
            "minus": products.clip(max=0).sum().item(),
            "row": row,
            "column": column,
            "map": after,
            "scores": scores,
            "small": small,
            "pool": POOL if small is not after else 1,
        }

    def never_seen(self) -> float:
        """Which share of the pixels is under the window at no place."""
        rim, looked = int(self.value["rim"]), 1.0
        for places, pixels in zip(self.scores().shape, self.image().shape, strict=True):
            starts = self.value["stride"] * np.arange(places) - rim
            under = np.unique(starts[:, None] + np.arange(SIDE))
            looked *= float(((under >= 0) & (under < pixels)).sum()) / pixels
        return 1 - looked

    def shows(self) -> Mapping[str, Any]:
        s, data = self.seen(), known_digits()
        row, column, pool = s["row"], s["column"], s["pool"]
        pooled = [
            min(n // pool, m - 1) for n, m in zip((row, column), s["small"].shape, strict=True)
        ]
        under = s["map"][pooled[0] * pool :, pooled[1] * pool :][:pool, :pool]
        return {
            **{n: s[n] for n in ("patch", "kernel", "products", "score", "plus", "minus")},
            "row": row,
            "column": column,
            "window": list(self.window()),
            "after": s["map"][row, column],
            "image": binary(self.image()),
            "map": binary(s["map"]),
            "small": binary(s["small"]),
            "most": float(np.abs(s["map"]).max()),
            "best": float(s["map"].max()),
            "met": self.met,
            "pool": pool,
            "pooled_at": pooled,
            "under": under,
            "pooled": s["small"][tuple(pooled)],
            "places": s["map"].size,
            "dense": s["map"].size * data.pixels,
            "label": None if self.ink is not None else int(data.labels[self.chosen]),
            "chosen": self.chosen,
            "aside": self.aside,
            "ink": [] if self.ink is None else self.ink,
            "drawn": self.ink is not None,
            "side": data.shape[0],
            "stand_in": stand_in(),
        }

    def sentence(self) -> Sentence:
        s, k = self.seen(), self.kernel
        image, stride = self.image(), self.value["stride"]
        values: dict[str, Any] = {
            "row": s["row"] + 1, "column": s["column"] + 1, "score": s["score"], "plus": s["plus"],
            "minus": abs(s["minus"]), "best": float(s["scores"].max()), "ink": float(s["patch"].sum()),
            "weight": float(k[0, 0]), "stride": stride, "places": s["map"].size,
            "aside": abs(self.aside),
        }  # fmt: skip
        if self.pushed and image.any():
            still = moved(image, -self.aside)
            kept = float((still * image).sum() / (still * still).sum())
            return "pushed", {**values, "kept": percent(kept), "was": self.was}
        if not k.any():
            return "zeros", values
        if stride > SIDE:
            return "skips", {**values, "share": percent(self.never_seen())}
        if not s["patch"].any():
            return "blank", values
        if (k == k[0, 0]).all():
            return "flat", values
        if s["score"] >= values["best"] > 0:
            return "best", values
        if s["score"] < 0:
            return ("against-relu" if self.value["relu"] else "against"), values
        return ("weak" if s["score"] < 0.1 * values["best"] else "fits"), values

    def python(self) -> str:
        stride, rim = self.value["stride"], int(self.value["rim"])
        row, column = divmod(self.at, self.scores().shape[1])
        if self.ink is None and not self.aside:
            source = (
                "from pellucid.data import datasets\n\n"
                "digits = datasets.mnist(limit=1000, stand_in=True, quiet=True)\n"
                f"image = digits.pixels[{self.chosen}] / digits.ink\n"
            )
        else:
            source = f"\nimage = {written(self.image())}\n"
        bend = "scores = np.maximum(scores, 0)       # relu\n" if self.value["relu"] else ""
        pooling = {"max": ".max(axis=(1, 3))", "average": ".mean(axis=(1, 3))"}
        pool = ""
        if self.seen()["pool"] > 1:
            pool = (
                f"rows, columns = (n // {POOL} * {POOL} for n in scores.shape)\n"
                f"squares = scores[:rows, :columns].reshape(rows // {POOL}, {POOL}, -1, {POOL})\n"
                f"scores = squares{pooling[self.value['pooling']]}\n"
            )
        return (
            f"import numpy as np\n{source}"
            f"image = np.pad(image, {rim})\n"
            f"kernel = np.array({self.kernel.tolist()})\n"
            f"stride = {stride}\n\n"
            f"rows, columns = ((n - {SIDE}) // stride + 1 for n in image.shape)\n"
            "scores = np.empty((rows, columns))\n"
            "for row in range(rows):\n"
            "    for column in range(columns):          # the same nine weights at every place\n"
            "        top, left = row * stride, column * stride\n"
            f"        patch = image[top : top + {SIDE}, left : left + {SIDE}]\n"
            "        scores[row, column] = (patch * kernel).sum()\n\n"
            f"print(scores[{row}, {column}], scores.max())\n"
            f"{bend}{pool}"
            "print(scores.shape, scores.sum())\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = [(*place, score) for place, score in np.ndenumerate(self.seen()["map"])]
        return ("row", "column", "score"), [(i, j, s) for (i, j, s) in rows]


def moved(image: Array, columns: int) -> Array:
    """An image pushed to the right (left, below 0); paper comes in from the other side."""
    page = np.zeros_like(image)
    width = image.shape[1]
    page[:, max(0, columns) : width + min(0, columns)] = image[
        :, max(0, -columns) : width - max(0, columns)
    ]
    return page


def percent(share: Any) -> float:
    """In hundredths, with as many digits as one wants to read."""
    return float(f"{100 * share:.3g}")
