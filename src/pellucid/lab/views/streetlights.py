"""Chapter 6: the first deep network at the crossing; blame flows back, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, relu
from pellucid.book.chapter06 import FOUR, ONE_OF_TWO, PLACES
from pellucid.book.chapter06_deep import first_weights
from pellucid.optim import SGD

from ..settings import Choice, Slider, Switch
from ..view import Sentence, View, action

PHASES = ("predict", "compare", "blame", "learn")
SIZES = {"full": 4, "mini-batch": 2, "stochastic": 1}


class Streetlights(View):
    """Three lights, hidden units with relu, one output: predict, compare, blame, learn.

    Break it: without relu two layers are one; with a large lr corrections overshoot.
    """

    name = "streetlights"
    chapter = 6
    settings = {
        "way": Choice("stochastic", ("full", "mini-batch", "stochastic")),
        "lr": Slider(0.2, 0.01, 1.5, 0.01),
        "relu": Switch(True),
    }

    def start(self) -> None:
        first, second = first_weights(self.seed, 4)
        self.weights_0_1 = Tensor(first, requires_grad=True)
        self.weights_1_2 = Tensor(second, requires_grad=True)
        self.row, self.phase, self.passes = 0, -1, 0
        self.waiting = 0  # rows whose blame waits for the end of the batch
        self.errors: list[float] = []  # of whole passes, as the rows were met
        self.so_far = 0.0
        self.look()

    def changed(self, name: str) -> None:
        if name == "lr":
            return
        if name == "relu":
            self.start()
        else:  # what waited belongs to another batch
            self.weights_0_1.grad = self.weights_1_2.grad = None
            self.waiting = 0

    def predict(self, lights: Any) -> tuple[Tensor, Tensor, Tensor]:
        """The hidden sums, what relu leaves of them, and the output, for some rows of lights."""
        sums = Tensor(lights) @ self.weights_0_1
        layer_1 = relu(sums) if self.value["relu"] else sums + 0
        return sums, layer_1, layer_1 @ self.weights_1_2

    def look(self) -> None:
        """Everything about the row at hand, with gradients of its own, from the tape."""
        kept = self.weights_0_1.grad, self.weights_1_2.grad
        self.weights_0_1.grad = self.weights_1_2.grad = None
        walk = ONE_OF_TWO[self.row]
        sums, layer_1, layer_2 = self.predict(FOUR[self.row][None])
        error = ((layer_2 - walk) ** 2).sum()
        sums.retain_grad()
        layer_2.retain_grad()
        (error / 2).backward()  # half the error, whose slope is prediction - target
        self.seen = {
            "lights": FOUR[self.row].copy(),
            "walk": float(walk),
            "layer_1": layer_1.numpy()[0].copy(),
            "layer_2": layer_2.item(),
            "error": error.item(),
            "delta_2": layer_2.grad.item(),
            "delta_1": sums.grad.numpy()[0].copy(),
            "gradient_0_1": np.array(self.weights_0_1.grad),
            "gradient_1_2": np.array(self.weights_1_2.grad),
            "weights_0_1": self.weights_0_1.numpy().copy(),
            "weights_1_2": self.weights_1_2.numpy().copy(),
        }
        self.weights_0_1.grad, self.weights_1_2.grad = kept

    def asleep(self) -> Any:
        """Which hidden units relu keeps silent."""
        return (self.seen["layer_1"] <= 0) & self.value["relu"]

    def can_step(self) -> bool:
        return bool(np.isfinite(self.seen["error"])) and self.seen["error"] < 1e100

    def step(self) -> None:
        if self.phase == len(PHASES) - 1:
            self.row = (self.row + 1) % len(FOUR)
            self.phase = -1
        if self.phase == -1:
            self.look()
        self.phase += 1
        if PHASES[self.phase] == "learn":
            self.learn()

    def learn(self) -> None:
        """The row's share of blame is added up; at the end of a batch the weights follow the mean."""
        size = SIZES[self.value["way"]]
        *_, layer_2 = self.predict(FOUR[self.row][None])
        error = ((layer_2 - ONE_OF_TWO[self.row]) ** 2).sum()
        (error / 2 / size).backward()
        self.so_far += error.item()
        self.waiting += 1
        if self.waiting == size:
            optimizer = SGD([self.weights_0_1, self.weights_1_2], lr=self.value["lr"])
            optimizer.step()
            optimizer.zero_grad()
            self.waiting = 0
        if self.row == len(FOUR) - 1:
            self.errors.append(self.so_far)
            self.so_far, self.passes = 0.0, self.passes + 1

    @action
    def whole_pass(self) -> None:
        """Go on to the end of the pass."""
        goal = self.passes + 1
        while self.passes < goal and self.can_step():
            self.step()

    @action
    def passes_on(self, count: int) -> None:
        """Go on for some passes."""
        for _ in range(max(1, min(count, 50))):
            self.whole_pass()

    def shows(self) -> Mapping[str, Any]:
        lr = self.value["lr"]
        *_, predictions = self.predict(FOUR)
        agrees = (ONE_OF_TWO[:, None] == FOUR).sum(axis=0)
        return {
            **self.seen,
            "row": self.row,
            "phase": PHASES[self.phase] if self.phase >= 0 else "start",
            "pass": self.passes + (0 if self.phase == 3 and self.row == 3 else 1),
            "pressure_0_1": -lr * self.seen["gradient_0_1"],
            "pressure_1_2": -lr * self.seen["gradient_1_2"],
            "asleep": self.asleep(),
            "rows": FOUR,
            "walks": ONE_OF_TWO,
            "predictions": predictions.numpy()[:, 0],
            "agrees": agrees,
            "errors": self.errors,
            "waiting": self.waiting,
            "size": SIZES[self.value["way"]],
            "places": [self.word(place) for place in PLACES],
            "lines": self.lines(),
        }

    def lines(self) -> list[dict[str, Any]]:
        """The step written down, with what each line came to."""
        s = self.seen
        bend = "np.maximum({}, 0)" if self.value["relu"] else "{}"
        mask = " * (layer_1 > 0)" if self.value["relu"] else ""
        told = [
            ("predict", "layer_1 = " + bend.format("lights @ weights_0_1"), s["layer_1"]),
            ("predict", "layer_2 = layer_1 @ weights_1_2", s["layer_2"]),
            ("compare", "error = ((layer_2 - walk) ** 2).sum()", s["error"]),
            ("blame", "d_layer_2 = layer_2 - walk", s["delta_2"]),
            ("blame", "d_weights_1_2 = layer_1.T @ d_layer_2", s["gradient_1_2"][:, 0]),
            ("blame", f"d_layer_1 = (d_layer_2 @ weights_1_2.T){mask}", s["delta_1"]),
            ("blame", "d_weights_0_1 = lights.T @ d_layer_1", "3 × 4"),
            ("learn", "weights_0_1 -= lr * d_weights_0_1", "3 × 4"),
            ("learn", "weights_1_2 -= lr * d_weights_1_2", "4 × 1"),
        ]
        lines, last = [], ""
        for phase, code, value in told:
            if phase != last:
                lines.append({"code": f"# {self.word(phase)}"})
            last, own = phase, PHASES.index(phase)
            state = "now" if own == self.phase else "ahead" if own > self.phase else ""
            lines.append({"code": code, "value": value, "state": state})
        return lines

    def sentence(self) -> Sentence:
        s = self.seen
        asleep = int(self.asleep().sum())
        values: dict[str, Any] = {
            "asleep": asleep, "hidden": 4, "prediction": s["layer_2"], "walk": s["walk"],
            "error": s["error"], "delta": abs(s["delta_2"]), "lr": self.value["lr"],
            "waiting": self.waiting, "size": SIZES[self.value["way"]],
            "direction": self.word("too low" if s["delta_2"] < 0 else "too high"),
        }  # fmt: skip
        if not self.can_step():
            return "lost", values
        if len(self.errors) > 1 and self.errors[-1] > max(1.5 * self.errors[-2], 1.0):
            return "diverges", {**values, "before": self.errors[-2], "after": self.errors[-1]}
        if self.phase == -1:
            return "start", values
        if self.errors and self.value["relu"] and not self.predict(FOUR)[1].data.any():
            return "dead", {**values, "after": self.errors[-1]}
        if not self.value["relu"] and len(self.errors) >= 20:
            best, *_ = np.linalg.lstsq(FOUR, ONE_OF_TWO, rcond=None)
            least = float(((FOUR @ best - ONE_OF_TWO) ** 2).sum())
            return "straight", {**values, "least": least, "after": self.errors[-1]}
        if self.errors and self.errors[-1] < 1e-3 and PHASES[self.phase] == "learn":
            return "learned", {**values, "after": self.errors[-1], "passes": self.passes}
        if PHASES[self.phase] == "predict":
            return ("predict-asleep" if asleep else "predict"), values
        if PHASES[self.phase] == "blame":
            return ("blame-asleep" if asleep else "blame"), values
        if PHASES[self.phase] == "learn":
            return ("waits" if self.waiting else "learn"), values
        return "compare", values

    def python(self) -> str:
        v, size = self.value, SIZES[self.value["way"]]
        bend = "np.maximum(lights @ weights_0_1, 0)" if v["relu"] else "lights @ weights_0_1"
        mask = " * (layer_1 > 0)" if v["relu"] else ""
        return (
            "import numpy as np\n\n"
            "rows = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]], dtype=float)\n"
            "walks = np.array([[1], [1], [0], [0]], dtype=float)\n"
            f"random = np.random.RandomState({self.seed})\n"
            "weights_0_1 = 2 * random.random_sample((3, 4)) - 1\n"
            "weights_1_2 = 2 * random.random_sample((4, 1)) - 1\n"
            f"lr, size = {v['lr']!r}, {size}    # rows between two changes of the weights\n\n"
            f"for n in range({self.passes}):\n"
            "    total = 0.0\n"
            "    for start in range(0, 4, size):\n"
            "        lights, walk = rows[start : start + size], walks[start : start + size]\n"
            f"        layer_1 = {bend}                    # predict\n"
            "        layer_2 = layer_1 @ weights_1_2\n"
            "        total += ((layer_2 - walk) ** 2).sum()         # compare\n"
            "        d_layer_2 = (layer_2 - walk) / size            # learn\n"
            f"        d_layer_1 = (d_layer_2 @ weights_1_2.T){mask}\n"
            "        weights_1_2 -= lr * layer_1.T @ d_layer_2\n"
            "        weights_0_1 -= lr * lights.T @ d_layer_1\n"
            "    print(n + 1, total)\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        return ("pass", "error"), [(n + 1, e) for n, e in enumerate(self.errors)]
