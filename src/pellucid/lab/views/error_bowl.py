"""Chapter 4: one weight on the error bowl; by trial (hot and cold), or down the slope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor

from ..settings import Choice, Slider
from ..view import Sentence, View, action

GOAL = 0.8
LOST = 1e6  # an error this large is off every map


class ErrorBowl(View):
    """The error over the weight is a bowl; its slope says which way, and how far.

    Break it: with an input of 2 and alpha above 0.5 each correction is larger than the mistake.
    """

    name = "error-bowl"
    chapter = 4
    seeded = False
    settings = {
        "way": Choice("slope", ("slope", "trial")),
        "alpha": Slider(0.1, 0.01, 1.2, 0.01),
        "size": Slider(0.1, 0.001, 0.5, 0.001, log=True),
        "input": Slider(2.0, 0.5, 2.0, 0.1),
    }

    def start(self) -> None:
        self.weight = 0.5 if self.value["input"] != 2.0 else 0.0
        self.path = [self.weight]

    def changed(self, name: str) -> None:
        if name == "input":
            self.start()

    @action
    def drag(self, weight: float) -> None:
        """Put the weight somewhere else; the path begins anew."""
        self.weight = max(-1e3, min(1e3, weight))
        self.path = [self.weight]

    def can_step(self) -> bool:
        return bool(np.isfinite(self.weight)) and self.look(self.weight)["error"] < 1e200

    def step(self) -> None:
        seen = self.look(self.weight)
        if self.value["way"] == "slope":
            self.weight = self.weight - self.value["alpha"] * seen["weight_delta"]
        elif seen["error_up"] != seen["error_down"]:  # both ways tried, and the better one taken
            up = seen["error_up"] < seen["error_down"]
            self.weight += self.value["size"] if up else -self.value["size"]
        self.path.append(self.weight)

    def look(self, at: float) -> dict[str, float]:
        """Prediction, error, delta and weight_delta where the weight stands, from the tape."""
        knob = Tensor(at, requires_grad=True)
        prediction = self.value["input"] * knob  # predict
        error = (prediction - GOAL) ** 2  # compare
        prediction.retain_grad()
        (error / 2).backward()  # learn: half the error, whose slope is prediction - goal
        size = self.value["size"]
        return {
            "prediction": prediction.item(),
            "error": error.item(),
            "delta": prediction.grad.item(),
            "weight_delta": knob.grad.item(),
            "slope": 2 * knob.grad.item(),
            "error_up": self.error(at + size),
            "error_down": self.error(at - size),
        }

    def error(self, at: float) -> float:
        """The error of another weight."""
        return float(((self.value["input"] * Tensor(at) - GOAL) ** 2).item())

    def shows(self) -> Mapping[str, Any]:
        bottom = GOAL / self.value["input"]
        shown = [w for w in self.path[-40:] if np.isfinite(w)]
        near = [w for w in shown if abs(w - bottom) < 20]
        reach = max(0.6, 1.15 * max((abs(w - bottom) for w in near), default=0.0))
        across = np.linspace(bottom - reach, bottom + reach, 121)
        bowl = (self.value["input"] * Tensor(across) - GOAL) ** 2
        seen = self.look(self.weight)
        after = {}
        if self.value["way"] == "slope":
            after["step"] = -self.value["alpha"] * seen["weight_delta"]
        return {
            **seen,
            "weight": self.weight,
            "goal": GOAL,
            "bottom": bottom,
            "steps": len(self.path) - 1,
            "bowl": {"x": across, "y": bowl},
            "path": {"x": shown, "y": [self.error(w) for w in shown]},
            "errors": [self.error(w) for w in self.path],
            "factor": 1 - self.value["alpha"] * self.value["input"] ** 2,
            **after,
        }

    def sentence(self) -> Sentence:
        errors = [self.error(w) for w in self.path[-2:]]
        values: dict[str, Any] = {
            "weight": self.weight, "goal": GOAL, "input": self.value["input"],
            "alpha": self.value["alpha"], "size": self.value["size"],
            "prediction": self.value["input"] * self.weight, "error": errors[-1],
            "steps": len(self.path) - 1, "before": errors[0],
            "factor": abs(1 - self.value["alpha"] * self.value["input"] ** 2),
            "times": errors[-1] / errors[0] if errors[0] else 1.0,
        }  # fmt: skip
        if len(self.path) == 1:
            return "start", values
        if self.value["way"] == "trial":
            if errors[-1] > errors[0]:
                return "trial-over", values
            return ("trial-near" if errors[-1] < values["size"] ** 2 else "trial"), values
        if not np.isfinite(errors[-1]) or errors[-1] > LOST:
            return "lost", values
        if errors[-1] < 1e-12:
            return "arrived", values
        if errors[-1] > errors[0]:
            return "diverges", values
        if errors[-1] == errors[0]:
            return "swings", values
        crossed = (self.path[-1] - GOAL / values["input"]) * (
            self.path[-2] - GOAL / values["input"]
        )
        return ("zigzag" if crossed < 0 else "slow" if values["times"] > 0.9 else "down"), values

    def python(self) -> str:
        v, start, steps = self.value, self.path[0], len(self.path) - 1
        head = f"weight, input, goal = {start!r}, {v['input']!r}, {GOAL!r}\n"
        if v["way"] == "trial":
            return head + (
                f"size = {v['size']!r}\n\n"
                f"for step in range({steps}):\n"
                "    up = (input * (weight + size) - goal) ** 2\n"
                "    down = (input * (weight - size) - goal) ** 2\n"
                "    weight += size if up < down else -size\n"
                "    print(weight, (input * weight - goal) ** 2)\n"
            )
        return head + (
            f"alpha = {v['alpha']!r}\n\n"
            f"for step in range({steps}):\n"
            "    prediction = input * weight             # predict\n"
            "    error = (prediction - goal) ** 2        # compare\n"
            "    weight_delta = (prediction - goal) * input\n"
            "    weight -= alpha * weight_delta          # learn\n"
            "    print(weight, (input * weight - goal) ** 2)\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = [(n, w, self.value["input"] * w, self.error(w)) for n, w in enumerate(self.path)]
        return ("steps", "weight", "prediction", "error"), rows
