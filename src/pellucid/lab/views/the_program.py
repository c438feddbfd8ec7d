"""Any chapter: one training step written out as NumPy, line by line, with what each line came to."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, nn
from pellucid.explain.explanation import Explanation, Line
from pellucid.explain.said import sentences
from pellucid.optim import SGD

from ..settings import Choice, Slider, Switch
from ..view import Sentence, View

LARGEST = 64  # numbers of an array that are shown one by one
LOST = 1e9


class Straight(nn.Module):
    """No bend at all: what goes in comes out."""

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return x


def spoken_line(told: Explanation, line: Line, language: str) -> str:
    """What a line does, as a person would print it: with a true minus, and no blanks between Chinese."""
    said = ("" if language == "zh-CN" else " ").join(sentences(told, line, language))
    return re.sub(r"(?<![\w-])-(?=\d)", "−", said)


class TheProgram(View):
    """The step of a small network as the program a person would have written, with its numbers.

    Break it: turn lr up and watch the loss from pass to pass; without a bend two layers are one.
    """

    name = "the-program"
    chapter = 0
    settings = {
        "network": Choice("lights", ("lights", "classes", "image", "sentence")),
        "lr": Slider(0.1, 0.001, 10.0, 0.001, log=True),
        "bend": Switch(True),
    }

    def start(self) -> None:
        random = np.random.RandomState(self.seed)
        build: Callable[[np.random.RandomState], tuple[nn.Module, Any, Any]] = {
            "lights": self.lights, "classes": self.classes, "image": self.image,
            "sentence": self.sentence_of_words,
        }[self.value["network"]]  # fmt: skip
        self.model, self.inputs, self.targets = build(random)
        for parameter in self.model.parameters():
            parameter.data = random.randn(*parameter.shape) / np.sqrt(max(2, parameter.shape[-1]))
        self.at, self.passes = 0, 0
        self.losses: list[float] = []
        self.lines: list[dict[str, Any]] = []
        self.explain()

    def changed(self, name: str) -> None:
        if name != "lr":
            self.start()
        elif self.at == 0:
            self.explain()

    # -------------------------------------------------------------------------------- four networks

    def bent(self, bend: type[nn.Module]) -> nn.Module:
        """The bend between two layers, or none."""
        return bend() if self.value["bend"] else Straight()

    def lights(self, random: np.random.RandomState) -> tuple[nn.Module, Any, Any]:
        """Chapter 6: three lights, four units, walk or stop."""
        layers = nn.Linear(3, 4, bias=False), self.bent(nn.ReLU), nn.Linear(4, 1, bias=False)
        return nn.Sequential(*layers), np.array([[1.0, 0, 1]]), np.array([[1.0]])

    def classes(self, random: np.random.RandomState) -> tuple[nn.Module, Any, Any]:
        """Chapter 9: two examples of four numbers, one of three classes each."""
        layers = nn.Linear(4, 3), self.bent(nn.Tanh), nn.Linear(3, 3)
        return nn.Sequential(*layers), np.round(random.rand(2, 4), 1), np.array([2, 0])

    def image(self, random: np.random.RandomState) -> tuple[nn.Module, Any, Any]:
        """Chapter 10: a cross of five by five pixels and one kernel of three by three."""
        layers = nn.Conv2d(1, 1, 3, bias=False), self.bent(nn.ReLU), nn.Flatten(), nn.Linear(9, 2)
        cross = np.zeros((1, 1, 5, 5))
        cross[..., 2, :] = cross[..., :, 2] = 1
        return nn.Sequential(*layers), cross, np.array([1])

    def sentence_of_words(self, random: np.random.RandomState) -> tuple[nn.Module, Any, Any]:
        """Chapter 12: three words of five, and the word that comes next."""

        class Reader(nn.Module):
            def __init__(self) -> None:
                self.word = nn.Embedding(5, 3)
                self.memory = nn.RNN(3, 3, bias=False, batch_first=True)
                self.next_word = nn.Linear(3, 5, bias=False)

            def forward(self, ids: Any) -> Any:
                _, last = self.memory(self.word(ids))
                return self.next_word(last[0])

        return Reader(), np.array([[1, 3, 0]]), np.array([4])

    # ------------------------------------------------------------------------------------- the step

    def explain(self) -> None:
        """Write down the step from the weights as they are now; the weights themselves stay."""
        kept = [parameter.data.copy() for parameter in self.model.parameters()]
        optimizer = SGD(self.model.parameters(), lr=self.value["lr"])
        squared, model = self.value["network"] == "lights", self.model

        def step(inputs: Tensor, targets: Tensor) -> Tensor:
            optimizer.zero_grad()
            prediction = model(inputs)
            if squared:
                loss: Tensor = ((prediction - targets) ** 2).sum()
            else:
                loss = nn.functional.cross_entropy(prediction, targets)
            loss.backward()
            optimizer.step()
            return loss

        told = pellucid.explain(step)(Tensor(self.inputs), Tensor(self.targets))
        for parameter, before in zip(model.parameters(), kept, strict=True):
            parameter.data = before
            parameter.grad = None
        self.loss = float(told.loss or 0.0)
        self.whole = {n: np.array(a) for n, a in told.given.items()}
        self.given = {name: self.small(array) for name, array in told.given.items()}
        self.kinds = dict(told.kinds)
        self.after = {n: told.value(n) for n, kind in told.kinds.items() if kind == "weight"}
        weights = [n for n, kind in told.kinds.items() if kind == "weight"]
        self.paths = {
            n: path
            for (path, _), before in zip(model.named_parameters(), kept, strict=True)
            for n in weights
            if np.array_equal(told.given[n], before)
        }
        self.source = told.program.source
        written = ast.parse(self.source).body[-1]
        assert isinstance(written, ast.FunctionDef)
        self.arguments = [argument.arg for argument in written.args.args]
        self.lines = []
        so_far: dict[str, Any] = dict(told.given)
        for line in told.lines:
            engine = [f"{o.name} ({o.module})" if o.module else o.name for o in line.operations]
            spoken = {lang: spoken_line(told, line, lang) for lang in ("en", "zh-CN")}
            self.lines.append(
                {
                    "code": line.text,
                    "part": line.part,
                    "about": line.about,
                    "reads": {n: self.small(so_far[n]) for n in line.reads if n in so_far},
                    "made": {n: self.small(a) for n, a in line.after.items()},
                    "engine": engine,
                    "say": spoken,
                }
            )
            so_far |= line.after

    @staticmethod
    def small(array: Any) -> Any:
        """An array as one matrix if it has few numbers; its shape in words if it has many."""
        array = np.asarray(array)
        if array.size > LARGEST:
            return " × ".join(map(str, array.shape))
        return array.reshape(-1, array.shape[-1]).astype(float) if array.ndim else float(array)

    def can_step(self) -> bool:
        return bool(np.isfinite(self.loss)) and self.loss < LOST

    def step(self) -> None:
        if self.at == len(self.lines):
            self.at = 0
            self.explain()
        self.at += 1
        if self.at == len(self.lines):
            self.losses.append(self.loss)
            self.passes += 1
            weights = [n for n, kind in self.kinds.items() if kind == "weight"]
            for name in weights:
                self.parameter(name).data = self.after[name].copy()

    def parameter(self, name: str) -> nn.Parameter:
        """The parameter that the program calls by this name."""
        return self.model.get_parameter(self.paths[name])

    # ---------------------------------------------------------------------------------- what is seen

    def now(self) -> int:
        """The line at hand; -1 before the first."""
        return self.at - 1

    def shows(self) -> Mapping[str, Any]:
        lines = []
        for i, line in enumerate(self.lines):
            state = "now" if i == self.now() else "ahead" if i > self.now() else ""
            lines.append({**line, "state": state, "say": line["say"][self.language]})
        return {
            "lines": lines,
            "given": self.given,
            "kinds": self.kinds,
            "at": self.now(),
            "loss": self.loss,
            "losses": self.losses,
            "pass": self.passes + (self.at < len(self.lines)),
        }

    def sentence(self) -> Sentence:
        values: dict[str, Any] = {
            "lines": len(self.lines), "loss": self.loss, "lr": self.value["lr"],
            "pass": self.passes, "before": self.losses[-2] if len(self.losses) > 1 else self.loss,
        }  # fmt: skip
        if not self.can_step():
            return "lost", values
        if self.at == 0:
            return "start", values
        if self.at == len(self.lines) and len(self.losses) > 1:
            if self.losses[-1] > 1.05 * self.losses[-2]:
                return "grew", values
            return "fell", values
        return "line", {"said": self.lines[self.now()]["say"][self.language]}

    def python(self) -> str:
        with np.printoptions(precision=17, floatmode="unique"):
            given = [f"{n} = np.{self.whole[n]!r}" for n in self.arguments]
        called = f"print(step({', '.join(self.arguments)}))"
        return "\n".join([self.source, "", *given, called, ""])

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = []
        for n, line in enumerate(self.lines):
            for name, made in line["made"].items():
                numbers = made if isinstance(made, str) else np.asarray(made).reshape(-1).tolist()
                rows.append((n + 1, line["part"], line["code"], name, numbers))
        return ("line", "part", "code", "name", "numbers"), rows
