"""Chapter 9: what bends a network's straight lines, where its slope dies, and scores as shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, grad, leaky_relu, relu, sigmoid, softmax, tanh
from pellucid.errors import ArgumentError
from pellucid.nn.functional import cross_entropy

from ..settings import Choice, Slider
from ..view import Sentence, View, action

Array = Any

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "none": lambda x: x * 1.0,
}
WRITTEN = {  # the same in NumPy: of x, and the slope of x and the result y
    "sigmoid": ("1 / (1 + np.exp(-x))", "y * (1 - y)"),
    "tanh": ("np.tanh(x)", "1 - y * y"),
    "relu": ("np.maximum(x, 0.0)", "1.0 * (x > 0)"),
    "leaky_relu": ("np.where(x > 0, x, 0.01 * x)", "np.where(x > 0, 1.0, 0.01)"),
    "none": ("1.0 * x", "1.0"),
}
REACH = 8.0
GRID = np.linspace(-REACH, REACH, 321)
DEAD = 0.05  # a slope this small lets through a twentieth of the blame
DEEPEST = 30
NAMES = ("cat", "dog", "fox", "owl", "cod")
SCORES = (2.0, 1.0, 0.1, -0.5, 0.7)
HIGHEST = 5.0  # score


def percent(share: Any) -> float:
    """In hundredths, with as many digits as one wants to read."""
    return float(f"{100 * share:.3g}")


class Activation(View):
    """A function, its slope, and how much blame gets back through a stack of them; softmax beside it.

    Break it: drag the input to where the slope dies and stack some layers; take no function at all;
    raise all scores until exp() overflows.
    """

    name = "activation"
    chapter = 9
    seeded = False
    settings = {
        "function": Choice("tanh", tuple(FUNCTIONS)),
        "weight": Slider(1.0, 0.1, 10.0, 0.1, log=True),
        "sharpness": Slider(1.0, 0.1, 20.0, 0.1, log=True),
        "shift": Slider(0, 0, 1000, 10),
    }

    def start(self) -> None:
        self.x, self.depth = 1.0, 1
        self.scores = list(SCORES)
        self.target = 0
        self.bars = False  # whether it is the scores that are talked about

    def changed(self, name: str) -> None:
        self.bars = name in ("sharpness", "shift")
        if name in ("weight", "sharpness"):
            self.value[name] = round(self.value[name], 1)  # as the slider shows it

    def can_step(self) -> bool:
        return self.depth < DEEPEST

    def step(self) -> None:
        self.depth += 1
        self.bars = False

    @action
    def drag(self, x: float) -> None:
        """Put the input somewhere else."""
        self.x, self.bars = max(-REACH, min(REACH, x)), False

    @action
    def score(self, index: int, value: float) -> None:
        """Give one of the five another score."""
        self.check(index)
        self.scores[index], self.bars = max(-HIGHEST, min(HIGHEST, value)), True

    @action
    def aim(self, index: int) -> None:
        """Say which of the five is right."""
        self.check(index)
        self.target, self.bars = index, True

    def check(self, index: int) -> None:
        """Refuse what is none of the five."""
        if not 0 <= index < len(NAMES):
            raise ArgumentError(
                f"there are {len(NAMES)} scores, 0 to {len(NAMES) - 1}, not {index}"
            )

    # ---------------------------------------------------------------------------------- the function

    def look(self, at: Any) -> tuple[Array, Array]:
        """The function's values, and its slopes from the tape."""
        x = Tensor(at, requires_grad=True)
        y = FUNCTIONS[self.value["function"]](x)
        (slope,) = grad(y.sum(), x)
        return y.numpy().copy(), slope.numpy().copy()

    def layers(self) -> list[dict[str, float]]:
        """The stack, layer by layer: its input, its value, its slope, and what is left of the blame."""
        bend = FUNCTIONS[self.value["function"]]
        x = Tensor(self.x, requires_grad=True)
        value, found = x, []
        for n in range(self.depth):
            inner = value * self.value["weight"] if n else value
            value = bend(inner)
            (left,) = grad(value, x, retain_graph=True)
            _, slope = self.look(inner.item())
            found.append(
                {
                    "input": inner.item(),
                    "value": value.item(),
                    "slope": float(slope),
                    "left": left.item(),
                }
            )
        return found

    # ------------------------------------------------------------------------------------ the scores

    def shares(self) -> dict[str, Array]:
        """What softmax makes of the scores, what the plain formula does, and the slope of the loss."""
        raised = (np.array(self.scores) + self.value["shift"]) * self.value["sharpness"]
        given = Tensor(raised, requires_grad=True)
        share = softmax(given, dim=0)
        loss = cross_entropy(given.reshape(1, -1), Tensor(np.array([self.target])))
        (slope,) = grad(loss, given)
        powers = Tensor(raised).exp()
        return {
            "raised": raised,
            "share": share.numpy().copy(),
            "powers": powers.numpy(),
            "plain": (powers / powers.sum()).numpy(),
            "slopes": slope.numpy().copy(),
            "loss": loss.item(),
        }

    def shows(self) -> Mapping[str, Any]:
        y, slope = self.look(GRID)
        value, here = self.look(self.x)
        flat = np.abs(slope) < DEAD
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
        return {
            "function": self.value["function"],
            "curve": {"x": GRID, "y": y, "slope": slope},
            "dead": [[GRID[a], GRID[b - 1]] for a, b in zip(edges[::2], edges[1::2], strict=True)],
            "x": self.x,
            "y": value,
            "slope": here,
            "layers": self.layers(),
            "names": [self.word(name) for name in NAMES],
            "scores": self.scores,
            "target": self.target,
            "bars": self.bars,
            **self.shares(),
        }

    def sentence(self) -> Sentence:
        return self.about_scores() if self.bars else self.about_layers()

    def about_layers(self) -> Sentence:
        """What became of the input, and of the blame on its way back to it."""
        name, layers = self.value["function"], self.layers()
        first, left, depth = layers[0], layers[-1]["left"], self.depth
        values: dict[str, Any] = {
            "function": self.word(name), "x": self.x, "y": first["value"], "slope": first["slope"],
            "percent": percent(abs(first["slope"])), "depth": depth, "left": left,
            "each": abs(left) ** (1 / depth), "weight": self.value["weight"],
        }  # fmt: skip
        if name == "none":
            return ("straight" if depth > 1 else "no-bend"), values
        if first["slope"] == 0 or left == 0:
            return "asleep", values
        if depth > 1 and abs(left) < 0.01:
            flat = self.value["weight"] > 1 and abs(layers[-1]["slope"]) < DEAD
            return ("saturated-stack" if flat else "vanishes"), values
        if abs(left) > 100:
            return "explodes", values
        if depth > 1:
            return "stack", values
        if abs(first["slope"]) < DEAD:
            further = self.look(self.x + np.sign(self.x))[0]
            return "saturated", {**values, "change": abs(float(further) - first["value"])}
        return "awake", values

    def about_scores(self) -> Sentence:
        """What became of the scores."""
        s = self.shares()
        best = int(s["share"].argmax())
        values: dict[str, Any] = {
            "best": self.word(NAMES[best]), "share": percent(s["share"][best]),
            "score": s["raised"][best], "sharpness": self.value["sharpness"],
            "times": float(np.exp(self.value["sharpness"])), "loss": s["loss"],
            "slope": s["slopes"][self.target], "target": self.word(NAMES[self.target]),
            "right": percent(s["share"][self.target]),
            "least": percent(s["share"].min()),
        }  # fmt: skip
        if not np.isfinite(s["plain"]).all():
            return "overflow", values
        if s["share"][best] > 0.99:
            return ("certain" if best == self.target else "certain-wrong"), values
        if s["share"][best] - s["share"].min() < 0.1:
            return "even", values
        return "shares", values

    def python(self) -> str:
        bend, slope = WRITTEN[self.value["function"]]
        return (
            "import numpy as np\n\n"
            f"x, weight, depth = np.float64({self.x!r}), {self.value['weight']!r}, {self.depth}\n"
            "left = 1.0                               # of the blame, on its way back to x\n"
            "for layer in range(depth):\n"
            "    if layer:\n"
            "        x, left = weight * x, weight * left\n"
            f"    y = {bend}\n"
            f"    slope = {slope}\n"
            "    left = left * slope\n"
            "    print(layer + 1, x, y, slope, left)\n"
            "    x = y\n\n"
            f"scores = np.array({self.scores!r})\n"
            f"scores = (scores + {self.value['shift']!r}) * {self.value['sharpness']!r}\n"
            "powers = np.exp(scores - scores.max())   # the largest is taken off: no share changes\n"
            "shares = powers / powers.sum()\n"
            f"target = np.eye({len(NAMES)})[{self.target}]\n"
            "print(*shares)\n"
            "print(*(shares - target))                # the slope of the cross-entropy\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        headings = ("layer", "its input", "value", "slope", "blame left")
        rows = [
            (n, layer["input"], layer["value"], layer["slope"], layer["left"])
            for n, layer in enumerate(self.layers(), start=1)
        ]
        return headings, rows
