"""Chapter 13: the tape. Every value remembers what made it, and the walk back takes it apart again."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor
from pellucid.book.refusal import Refusal

from ..settings import Slider, Switch, Words
from ..view import Sentence, View

LEAVES = ("a", "b", "c")
MADE = "defghijklmnop"  # the names that results get, in the order in which they are made
TWO: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", "+"), ast.Sub: ("sub", "-"), ast.Mult: ("mul", "*"),
    ast.Div: ("div", "/"), ast.Pow: ("pow", "**"),
}  # fmt: skip
ONE = ("tanh", "relu", "sigmoid", "exp", "log", "neg")
RUN: dict[str, Callable[..., Tensor]] = {
    name: getattr(pellucid, name) for name in (*(name for name, _ in TWO.values()), *ONE)
}


@dataclass
class Made:
    """One value on the tape: a leaf, a number, or the result of an operation."""

    name: str
    kind: str  # "leaf", "number", or the operation
    code: str
    inputs: list[int] = field(default_factory=list)
    messages: list[tuple[int, float]] = field(default_factory=list)  # who reported, and what
    uses: int = 0
    depth: int = 0

    @property
    def given(self) -> bool:
        """Whether no operation made it."""
        return self.kind not in RUN


class TapeWalk(View):
    """An expression of one's own, run operation by operation, then walked back, newest first.

    Break it: keep only the last report in place of adding them up, or take the logarithm of a
    negative number.
    """

    name = "tape-walk"
    chapter = 13
    seeded = False
    shared = ("values",)  # tensors with a history, which only grow old
    settings = {
        "expression": Words("(a + b) * (b + c)", 80),
        "a": Slider(1.0, -3.0, 3.0, 0.1),
        "b": Slider(2.0, -3.0, 3.0, 0.1),
        "c": Slider(-0.5, -3.0, 3.0, 0.1),
        "adds": Switch(True),
    }

    def start(self) -> None:
        self.tape: list[Made] = []
        self.values: list[Tensor] = []  # of each on the tape
        try:
            tree = ast.parse(self.value["expression"].strip() or "?", mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise Refusal("said", said=self.word("cannot be read")) from None
        self.read(tree)
        if self.tape[-1].given:
            raise Refusal("said", said=self.word("no operation"))
        if not any(made.kind == "leaf" for made in self.tape):
            raise Refusal("said", said=self.word("no letter"))
        self.leaves_first()
        for made in self.tape:
            for i in made.inputs:
                made.depth = max(made.depth, self.tape[i].depth + 1)
                self.tape[i].uses += 1
        self.at = 0
        self.reports: list[dict[str, Any]] = []

    def changed(self, name: str) -> None:
        self.start()

    # ------------------------------------------------------------------------ an expression, read in

    def read(self, tree: ast.expr) -> int:
        """Put what an expression needs on the tape, innermost first; where its value stands.

        Raises:
            Refusal: something in it is no arithmetic with a, b and c.
        """
        if isinstance(tree, ast.Name) and tree.id in LEAVES:
            found = next((i for i, made in enumerate(self.tape) if made.name == tree.id), None)
            if found is not None:
                return found
            value = Tensor(np.array(float(self.value[tree.id])), requires_grad=True)
            return self.put(Made(tree.id, "leaf", tree.id), value)
        if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
            number = f"{max(-1e6, min(1e6, float(tree.value))):g}"
            return self.put(Made(number, "number", number), Tensor(np.array(float(number))))
        if isinstance(tree, ast.BinOp) and type(tree.op) in TWO:
            kind, sign = TWO[type(tree.op)]
            inputs = [self.read(tree.left), self.read(tree.right)]
            return self.result(kind, f"{{}} {sign} {{}}", inputs)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return self.result("neg", "-{}", [self.read(tree.operand)])
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and len(tree.args) == 1:
            kind = tree.func.id
            if kind in ONE and not tree.keywords:
                return self.result(kind, f"{kind}({{}})", [self.read(tree.args[0])])
        raise Refusal("said", said=self.word("only arithmetic"))

    def leaves_first(self) -> None:
        """What is given stands before what is made; operations keep their order."""
        order = sorted(range(len(self.tape)), key=lambda i: not self.tape[i].given)
        places = {old: new for new, old in enumerate(order)}
        self.tape = [self.tape[i] for i in order]
        self.values = [self.values[i] for i in order]
        self.first = sum(made.given for made in self.tape)
        for made in self.tape:
            made.inputs = [places[i] for i in made.inputs]

    def put(self, made: Made, value: Tensor) -> int:
        self.tape.append(made)
        self.values.append(value)
        return len(self.tape) - 1

    def result(self, kind: str, code: str, inputs: list[int]) -> int:
        """Run an operation on what stands on the tape."""
        made = sum(not m.given for m in self.tape)
        if made == len(MADE):
            raise Refusal("said", said=self.word("too long"))
        value = RUN[kind](*(self.values[i] for i in inputs))
        names = (self.tape[i].name for i in inputs)
        return self.put(Made(MADE[made], kind, code.format(*names), inputs), value)

    # ---------------------------------------------------------------------------- step by step back

    @property
    def operations(self) -> int:
        """How many results there are."""
        return len(self.tape) - self.first

    def going_back(self) -> int:
        """How many steps of the walk back are done; -1 while the values are still being made."""
        return self.at - self.operations - 1 if self.at > self.operations else -1

    def can_step(self) -> bool:
        return self.at < 2 * self.operations + 1

    def step(self) -> None:
        self.at += 1
        self.reports = []
        back = self.going_back()
        if back == 0:
            self.tape[-1].messages.append((-1, 1.0))
        elif back > 0:
            self.report(len(self.tape) - back)

    def report(self, place: int) -> None:
        """An operation tells its inputs how much each is to blame: its slopes, from the engine."""
        made = self.tape[place]
        copies = [Tensor(self.values[i].numpy().copy(), requires_grad=True) for i in made.inputs]
        told = pellucid.grad(
            RUN[made.kind](*copies),
            copies,
            grad_outputs=np.array(self.gradient(made)),
            allow_unused=True,
        )
        for i, d in zip(made.inputs, told, strict=True):
            if self.tape[i].kind == "number":
                continue
            amount = 0.0 if d is None else float(d.item())
            self.tape[i].messages.append((place, amount))
            self.reports.append({"from": place, "to": i, "amount": amount})

    def gradient(self, made: Made) -> float:
        """What has been reported to a value so far."""
        amounts = [amount for _, amount in made.messages]
        return (sum(amounts) if self.value["adds"] else amounts[-1]) if amounts else 0.0

    def waiting(self, made: Made) -> int:
        """How many of its users have still to report."""
        return max(0, made.uses - len(made.messages)) if made.uses else 0

    def truth(self) -> dict[str, float]:
        """The gradients of the leaves, from `backward`."""
        leaves = [i for i, made in enumerate(self.tape) if made.kind == "leaf"]
        told = pellucid.grad(
            self.values[-1], [self.values[i] for i in leaves], retain_graph=True, allow_unused=True
        )
        return {
            self.tape[i].name: 0.0 if d is None else float(d.item())
            for i, d in zip(leaves, told, strict=True)
        }

    # ---------------------------------------------------------------------------------- what is seen

    def state_of(self, place: int) -> str:
        """Whether a value is still to be made, is made, waits for reports, may report, or has."""
        back, made = self.going_back(), self.tape[place]
        if not made.given and place - self.first >= self.at:
            return "ahead"
        if back < 0 or not made.messages:
            return "made"
        if self.waiting(made):
            return "waits"
        return "done" if made.given or len(self.tape) - back <= place else "ready"

    def shows(self) -> Mapping[str, Any]:
        nodes = [
            {
                "name": made.name,
                "kind": made.kind,
                "code": made.code,
                "value": self.values[i].item(),
                "gradient": self.gradient(made),
                "reports": len(made.messages),
                "waiting": self.waiting(made),
                "inputs": made.inputs,
                "depth": made.depth,
                "state": self.state_of(i),
            }
            for i, made in enumerate(self.tape)
        ]
        back = self.going_back()
        return {
            "nodes": nodes,
            "reports": self.reports,
            "lines": [
                {"code": f"{m.name} = {m.code}", "value": self.values[i].item(), "state": s}
                for i, m in enumerate(self.tape)
                if not m.given
                for s in [
                    "now" if i - self.first == self.at - 1
                    else "ahead" if i - self.first >= self.at else ""
                ]
            ],
            "truth": self.truth() if self.finite() else {},
            "done": not self.can_step(),
            "back": back,
        }  # fmt: skip

    def finite(self) -> bool:
        """Whether all values are numbers."""
        return all(np.isfinite(value.item()) for value in self.values)

    def sentence(self) -> Sentence:
        back, last = self.going_back(), self.tape[-1]
        place = self.first + self.at - 1 if back < 0 else len(self.tape) - max(back, 1)
        place = max(place, self.first)
        made, value = self.tape[place], self.values[place].item()
        values: dict[str, Any] = {
            "operations": self.operations, "name": made.name, "code": made.code,
            "value": value, "gradient": self.gradient(made), "last": last.name,
        }  # fmt: skip
        if self.at == 0:
            return "start", values
        if back < 0:
            return ("born" if not np.isfinite(value) else "made"), values
        if back == 0:
            return "turn", values
        if not self.can_step():
            return self.verdict(values)
        still = [self.tape[r["to"]] for r in self.reports if self.waiting(self.tape[r["to"]])]
        if still:
            return "waits", {**values, "who": still[0].name, "missing": self.waiting(still[0])}
        told = " · ".join(self.tape[r["to"]].name for r in self.reports)
        return "reports", {**values, "told": told or "–"}

    def verdict(self, values: dict[str, Any]) -> Sentence:
        """At the end: whether the leaves have what backward would give them."""
        if not self.finite():
            return "spoiled", values
        for name, right in self.truth().items():
            made = next(m for m in self.tape if m.name == name)
            ours = self.gradient(made)
            if not np.isclose(ours, right, rtol=1e-9, atol=1e-12):
                wrong = {"who": name, "ours": ours, "right": right, "uses": len(made.messages)}
                return "wrong", {**values, **wrong}
        found = ", ".join(f"{n}: {g:.4g}".replace("-", "−") for n, g in self.truth().items())
        return "done", {**values, "found": found}

    def python(self) -> str:
        lines = ["import pellucid", "from pellucid import exp, log, relu, sigmoid, tanh", ""]
        leaves = [m.name for m in self.tape if m.kind == "leaf"]
        lines += [
            f"{n} = pellucid.tensor({self.value[n]!r}, dtype=float, requires_grad=True)"
            for n in leaves
        ]
        lines += [f"{m.name} = {m.code}" for m in self.tape if not m.given]
        lines += [f"print({self.tape[-1].name}.item())", f"{self.tape[-1].name}.backward()"]
        lines += [f"print({n!r}, {n}.grad.item())" for n in leaves]
        return "\n".join(lines) + "\n"

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        return ("name", "code", "value", "gradient"), [
            (m.name, m.code, v.item(), self.gradient(m))
            for m, v in zip(self.tape, self.values, strict=True)
        ]
