"""Chapter 7: a network at three levels of detail, with algebra and code beside it, number by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor
from pellucid.errors import ArgumentError
from pellucid.explain.drawing_layers import boxes_of
from pellucid.explain.drawing_letters import rows_of
from pellucid.explain.drawing_neurons import columns_of
from pellucid.explain.drawing_parts import Step, again, steps_of
from pellucid.nn.recording import Recording, Value, record
from pellucid.optim import SGD

from ..codec import Binary, binary
from ..known_digits import known_digits, stand_in
from ..networks import KERNELS, STARTS, networks, start_of
from ..settings import Choice, Slider, Switch
from ..view import Sentence, View, action

Array = Any

NARROW = 6  # columns of a matrix whose numbers are all written out
ALL, STRONGEST = 10, 6  # units of a column: so many are all drawn; of more, the strongest
CELLS = 16  # numbers of a strip that are written out
LARGEST = 100.0  # of a weight that is typed in
PLAIN = {ord(small): str(n) for n, small in enumerate("₀₁₂₃₄₅₆₇₈₉")} | {ord("'"): "_"}


class NetworkView(View):
    """A prediction that flows, blame that flows back, and the weights in between; any of three networks.

    Break it: begin with zeros, and nothing is ever learned; take relu away, and two matrices are one;
    a large lr, and a step makes it worse.
    """

    name = "network"
    chapter = 7
    settings = {
        "network": Choice("streetlights", ("streetlights", "digits", "kernels")),
        "level": Choice("neurons", ("neurons", "layers", "letters")),
        "begin": Choice("learned", STARTS),
        "relu": Switch(True),
        "lr": Slider(0.02, 0.001, 10.0, 0.001, log=True),
    }

    def start(self) -> None:
        self.kind = networks(self.value["network"])
        self.model = self.kind.build(self.value["relu"])
        begin = start_of(self.kind.name, self.value["begin"], self.value["relu"], self.seed)
        self.model.load_state_dict(begin)
        self.inputs = self.kind.inputs[:4].copy() if self.kind.name == "streetlights" else None
        self.example = 0
        self.opened, self.picked = "0.weight", (0, 0)
        self.did: list[str] = []  # what was done with the weights, in Python
        self.losses = (0.0, 0.0)  # before and after learning
        self.phase = self.depth() - 1

    def changed(self, name: str) -> None:
        if name not in ("level", "lr"):
            self.start()

    # --------------------------------------------------------------------------------- what one may do

    def depth(self) -> int:
        """How many steps a prediction has."""
        return len(steps_of(self.recording()))

    def can_step(self) -> bool:
        loss = self.kind.loss(self.model(Tensor(self.given())), self.wanted())
        return bool(np.isfinite(loss.item()))

    def step(self) -> None:
        last = 2 * self.depth() + 1
        if self.phase == last:
            self.example = (self.example + 1) % len(self.kind.inputs)
            self.phase = -1
        self.phase += 1
        if self.phase == last:
            self.learn()

    def learn(self) -> None:
        """Predict, compare, learn: from the example at hand."""
        lr = self.value["lr"]
        self.did.append(f"learn(slice({self.example}, {self.example + 1}), {lr!r})")
        optimizer = SGD(self.model.parameters(), lr=lr)
        loss = self.kind.loss(self.model(Tensor(self.given())), self.wanted())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.model.zero_grad()
        after = self.kind.loss(self.model(Tensor(self.given())), self.wanted())
        self.losses = loss.item(), after.item()

    @action
    def next_example(self) -> None:
        """Go on to the next example without learning; the prediction is made."""
        self.example = (self.example + 1) % len(self.kind.inputs)
        self.phase = self.depth() - 1

    @action
    def light(self, index: int) -> None:
        """Switch one of the three lights of the row at hand."""
        if self.inputs is None or not 0 <= index < self.inputs.shape[1]:
            raise ArgumentError(
                "there are three lights, 0 to 2, and only the streetlights have them"
            )
        on = 1.0 - self.inputs[self.example, index]
        self.inputs[self.example, index] = on
        self.did.append(f"inputs[{self.example}, {index}] = {on!r}")

    @action
    def open(self, weight: str) -> None:
        """Show the numbers of these weights."""
        if weight not in dict(self.model.named_parameters()):
            listed = ", ".join(dict(self.model.named_parameters()))
            raise ArgumentError(f"the network has no {weight}; it has: {listed}")
        self.opened, self.picked = weight, (0, 0)

    @action
    def pick(self, row: int, column: int) -> None:
        """Look at one weight of the matrix that is open."""
        rows, columns = self.matrix().shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise ArgumentError(f"{self.opened} has {rows} rows of {columns} numbers")
        self.picked = row, column

    @action
    def edit(self, row: int, column: int, value: float) -> None:
        """Give one weight of the matrix that is open another value."""
        self.pick(row, column)
        value = max(-LARGEST, min(LARGEST, value))
        self.matrix()[row, column] = value
        where = f"weights[{self.opened!r}].data.reshape({self.matrix().shape})[{row}, {column}] = "
        if self.did and self.did[-1].startswith(where):
            self.did.pop()
        self.did.append(f"{where}{value!r}")

    # ------------------------------------------------------------------------------------ what is seen

    def given(self) -> Array:
        """The example at hand, as a batch of one."""
        inputs = self.kind.inputs if self.inputs is None else self.inputs
        return inputs[self.example][None]

    def wanted(self) -> Array:
        """What should come out."""
        return self.kind.targets[self.example][None]

    def matrix(self) -> Array:
        """The weights that are open, as rows and columns: a row for each thing that is made."""
        weight = dict(self.model.named_parameters())[self.opened].data
        return weight.reshape(len(weight), -1) if weight.ndim > 1 else weight.reshape(1, -1)

    def recording(self) -> Recording:
        """The prediction that is drawn."""
        return record(self.model, Tensor(self.given()))

    def blame(self, recording: Recording) -> tuple[dict[int, Array], float]:
        """The gradient of every value of a prediction (by its id), and the loss."""
        made: dict[int, Tensor] = {}

        def tensor(x: Any) -> Any:
            if not isinstance(x, Value):
                return x
            if id(x) not in made:
                made[id(x)] = Tensor(x.numbers, requires_grad=True)
            return made[id(x)]

        for call in recording.calls:
            result = again(call, [tensor(x) for x in call.inputs])
            result.retain_grad()
            made[id(call.result)] = result
        loss = self.kind.loss(made[id(recording.outputs[0])], self.wanted())
        loss.backward()
        return {key: t.grad.numpy() for key, t in made.items() if t.grad is not None}, loss.item()

    def shows(self) -> Mapping[str, Any]:
        recording = self.recording()
        blame, loss = self.blame(recording)
        output = recording.outputs[0].numbers.reshape(-1)
        return {
            "level": self.value["level"],
            "network": self.kind.name,
            "phase": self.phase,
            "depth": self.depth(),
            "example": self.example,
            "stand_in": self.inputs is None and stand_in(),
            "target": self.wanted().reshape(-1)[0],
            "prediction": output,
            "best": int(output.argmax()),
            "loss": loss,
            "image": binary(self.given().reshape(known_digits().shape))
            if self.inputs is None
            else 0,
            "columns": self.columns(recording, blame),
            "boxes": boxes(recording, blame),
            "letters": letters(recording),
            "compare": self.compared(recording),
            "matrix": self.opened_matrix(recording, blame),
        }

    def columns(self, recording: Recording, blame: Mapping[int, Array]) -> list[dict[str, Any]]:
        """The units, and the lines between them: how much each changes the next."""
        columns = columns_of(recording, strongest)
        steps = steps_of(recording)
        told = []
        for n, column in enumerate(columns):
            values = column.value.numbers.reshape(-1)
            head = steps[n - 1].head if n else None
            slopes = blame.get(id(delta_of(steps[n - 1]) if n else column.value), values * 0)
            slopes = slopes.reshape(-1)
            weight = head.inputs[1] if head is not None and head.op.name == "linear" else None
            lines = []
            for source, line in column.lines:
                gradients: Any = []
                if weight is not None:
                    gradients = blame[id(weight)][np.ix_(column.units, source.units)]
                lines.append(
                    {
                        "from": columns.index(source),
                        "slopes": line,
                        "gradients": gradients,
                        "weight": "" if weight is None else weight.name,
                    }
                )
            told.append(
                {
                    "name": column.name,
                    "doing": column.doing,
                    "size": column.size,
                    "depth": column.depth,
                    "units": [
                        {"at": -1} if at is None
                        else {"at": at, "value": values[at], "gradient": slopes[at]}
                        for at in column.shown
                    ],
                    "lines": lines,
                }
            )  # fmt: skip
        return told

    def compared(self, recording: Recording) -> dict[str, str]:
        """The line after the prediction: how wrong it is, as algebra and as code."""
        rows, _ = rows_of(recording)
        output, code = (row.partition(" = ")[0] for row in rows[-1][:2])
        if self.kind.classifies:
            return {
                "algebra": f"E = −log softmax({output})[t]",
                "code": f"loss = cross_entropy({code}, target)",
            }
        return {
            "algebra": f"E = ½ ({output} − t)²",
            "code": f"loss = (({code} - target) ** 2).sum() / 2",
        }

    def opened_matrix(self, recording: Recording, blame: Mapping[int, Array]) -> dict[str, Any]:
        """The weights that are open, and their gradients."""
        weight = self.matrix()
        value = next(v for v in recording.weights if v.name == self.opened)
        slopes = blame.get(id(value), np.zeros(value.shape)).reshape(weight.shape)
        (row, column), (rows, columns) = self.picked, weight.shape
        told = {
            "name": self.opened,
            "shape": list(value.shape),
            "row": row,
            "column": column,
            "weight": weight[row, column],
            "gradient": slopes[row, column],
            "largest": float(np.abs(weight).max()),
            "steepest": float(np.abs(slopes).max()),
        }
        if rows <= ALL and columns <= NARROW:
            return {**told, "numbers": weight, "gradients": slopes, "tiles": 0}
        tile = self.tile(columns)
        few = columns <= NARROW**2
        return {
            **told,
            "tiles": drawable(weight.reshape(rows, *tile)),
            "numbers": weight[row].reshape(tile) if few else [],
            "gradients": slopes[row].reshape(tile) if few else [],
            "tile": 0 if few else drawable(weight[row].reshape(tile)),
            "slopes": 0 if few else drawable(slopes[row].reshape(tile)),
        }

    def tile(self, count: int) -> tuple[int, int]:
        """Rows and columns in which a row of weights makes a picture: of maps, one below the other."""
        if self.kind.name == "kernels" and count % KERNELS == 0 and count > NARROW**2:
            rows, columns = as_image(count // KERNELS)
            return KERNELS * rows, columns
        return as_image(count)

    # ----------------------------------------------------------------------------------------- in words

    def sentence(self) -> Sentence:
        recording = self.recording()
        blame, loss = self.blame(recording)
        steps, depth, output = steps_of(recording), self.depth(), recording.outputs[0].numbers
        weights = [v for v in recording.weights if len(v.shape) > 1]
        values: dict[str, Any] = {
            "loss": loss, "prediction": float(output.reshape(-1)[0]), "lr": self.value["lr"],
            "target": float(self.wanted().reshape(-1)[0]), "best": int(output.argmax()),
            "score": float(output.max()), "before": self.losses[0], "after": self.losses[1],
            "example": self.example + 1,
        }  # fmt: skip
        if not np.isfinite(loss):
            return "lost", values
        if self.phase >= depth and not any(v.numbers.any() for v in weights):
            slopes = [blame[id(v)] for v in weights]
            zero, of = sum(int((s == 0).sum()) for s in slopes), sum(s.size for s in slopes)
            return "zeros", {**values, "zero": zero, "of": of}
        if self.phase == 2 * depth + 1:
            return ("learned" if self.losses[1] <= self.losses[0] else "worse"), values
        hidden = next((x for x in steps[:-1] if any(c.op.name == "relu" for c in x.calls)), None)
        top = float(hidden.head.result.numbers.max()) if hidden else 0.0
        if hidden and top < 0 and self.phase in (depth - 1, depth):
            return "asleep", {**values, "hidden": hidden.result.numbers.size, "top": top}
        if self.phase >= depth and loss < 1e-12:
            return "perfect", values
        if self.phase > depth:
            return self.about_blame(2 * depth - self.phase, recording, blame, values)
        if self.phase == depth:
            return ("compare-class" if self.kind.classifies else "compare"), values
        if self.phase < 0:
            return "start", values
        if self.phase == depth - 1:
            if not self.value["relu"] and self.kind.name != "kernels":
                return self.about_one_matrix(values)
            return ("says-class" if self.kind.classifies else "says"), values
        result = steps[self.phase].result.numbers
        before = recording.inputs[0] if not self.phase else steps[self.phase - 1].result
        flow = {
            "layer": self.phase + 1, "before": before.numbers.size, "into": result.size,
            "asleep": int((result == 0).sum()),
        }  # fmt: skip
        return ("flows-asleep" if flow["asleep"] else "flows"), {**values, **flow}

    def about_blame(
        self, at: int, recording: Recording, blame: Mapping[int, Array], values: Mapping[str, Any]
    ) -> Sentence:
        """What has come back to the result of a step, and to its weights."""
        step = steps_of(recording)[at]
        back = blame[id(delta_of(step))]
        told = {"layer": at + 1, "blame": float(np.abs(back).max()), **values}
        weight = next((x for x in step.head.sources if x.kind == "weight"), None)
        if weight is None:
            before = blame[id(step.head.sources[0])]
            reached = int((before != 0).sum())
            return "blame-bare", {**told, "reached": reached, "of": before.size}
        slopes = blame[id(weight)]
        idle = int((slopes == 0).sum())
        steepest = {"weight": weight.name, "steepest": float(np.abs(slopes).max())}
        return ("blame-idle" if idle else "blame"), {
            **told, **steepest, "idle": idle, "of": slopes.size,
        }  # fmt: skip

    def about_one_matrix(self, values: Mapping[str, Any]) -> Sentence:
        """Without a bend, the two matrices multiplied say the same as both in turn."""
        first, second = (p.data for p in self.model.parameters() if p.ndim > 1)
        one = second @ first
        zero = self.model(Tensor(np.zeros_like(self.given()))).numpy()
        said = self.given() @ one.T + zero
        full = self.model(Tensor(self.given())).numpy()
        return "straight", {
            **values, "rows": one.shape[0], "columns": one.shape[1], "one": float(said.max()),
            "two": float(full.max()), "difference": float(np.abs(said - full).max()),
        }  # fmt: skip

    def python(self) -> str:
        did = "\n".join(self.did)
        edits = "weights = dict(network.named_parameters())\n" if "weights[" in did else ""
        part = f"slice({self.example}, {self.example + 1})"
        return (
            self.kind.written(self.value["relu"], self.value["begin"], self.seed)
            + edits
            + (f"{did}\n" if did else "")
            + f"prediction, loss = look({part})\n"
            "print(*prediction.tolist()[0])\n"
            "print(loss.item())\n"
            f"print(np.abs(network.get_parameter({self.opened!r}).grad.data).sum())\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        recording = self.recording()
        blame, _ = self.blame(recording)
        value = next(v for v in recording.weights if v.name == self.opened)
        weight = self.matrix()
        slopes = blame.get(id(value), np.zeros(value.shape)).reshape(weight.shape)
        rows = [(i, j, w, slopes[i, j]) for (i, j), w in np.ndenumerate(weight)]
        return ("row", "column", self.opened, "gradient"), rows


# ----------------------------------------------------------------------------------- for the three levels


def delta_of(step: Step) -> Value:
    """Where blame is told: before relu, as the book's deltas are, so that silenced units have none."""
    same = step.head.result.numbers.size == step.result.numbers.size
    return step.head.result if same else step.result


def strongest(numbers: Array) -> list[int | None]:
    """Which units are drawn: all of a few; of many those that say most."""
    if numbers.size <= ALL:
        return list(range(numbers.size))
    most = np.argsort(-np.abs(numbers), kind="stable")[:STRONGEST]
    return [*(int(at) for at in sorted(most)), None]


def boxes(recording: Recording, blame: Mapping[int, Array]) -> list[dict[str, Any]]:
    """A box for each layer: its weights, and what comes out as a strip of cells."""
    found = boxes_of(recording)
    step_of = {id(c.result): n for n, s in enumerate(steps_of(recording)) for c in s.calls}
    told: list[dict[str, Any]] = []
    maps: tuple[int, ...] = ()
    for box in found:
        numbers = box.result.numbers
        slopes = blame.get(id(box.result), np.zeros_like(numbers))
        small = numbers.size <= CELLS
        maps = numbers.shape if numbers.ndim == 4 else maps  # what is flattened is drawn as before
        like = maps if numbers.size == np.prod(maps or (0,)) else numbers.shape
        told.append(
            {
                "name": box.name,
                "looks": box.looks,
                "step": step_of.get(id(box.result), -1),
                "shape": list(numbers.shape),
                "weights": [{"name": v.name, "shape": list(v.shape)} for v in box.weights],
                "numbers": numbers.reshape(-1) if small else [],
                "gradients": slopes.reshape(-1) if small else [],
                "picture": 0 if small else drawable(strip(numbers.reshape(like))),
                "slopes": 0 if small else drawable(strip(slopes.reshape(like))),
            }
        )
    return told


def letters(recording: Recording) -> dict[str, Any]:
    """The lines of algebra and code, and what each letter is."""
    rows, legend = rows_of(recording)
    return {
        "rows": [
            {
                "algebra": algebra,
                "code": code,
                "letter": algebra.partition(" = ")[0],
                "shape": list(value.shape),
                "numbers": value.numbers.reshape(-1)[:4],
                "many": value.numbers.size > 4,
                "least": float(value.numbers.min()),
                "most": float(value.numbers.max()),
            }
            for algebra, code, value in rows
        ],
        "legend": [
            {
                "letter": letter,
                "code": letter.translate(PLAIN),
                "name": value.name if value.kind == "weight" else "",
                "shape": list(value.shape),
            }
            for letter, _, value in legend
        ],
    }


def drawable(numbers: Array) -> Binary:
    """Numbers as a picture; what is no number any more is paper."""
    return binary(np.clip(np.nan_to_num(numbers), -1e30, 1e30))


def as_image(count: int) -> tuple[int, int]:
    """Rows and columns in which so many numbers make a picture: as near to a square as they can.

    >>> as_image(784), as_image(676), as_image(12)
    ((28, 28), (26, 26), (3, 4))
    """
    rows = next(n for n in range(int(count**0.5), 0, -1) if count % n == 0)
    return rows, count // rows


def strip(numbers: Array) -> Array:
    """Many numbers as a picture: maps side by side, all else as near to a square as it gets."""
    if numbers.ndim == 4:
        return np.concatenate(list(numbers[0]), axis=1)
    return numbers.reshape(as_image(numbers.size))
