"""The networks whose programs are shown in `docs/programs.md` and kept beside this file, in `golden`.

`python tests/program/gallery.py` writes them anew; `test_golden.py` looks whether they are current.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, nn, optim, relu, tanh
from pellucid.program import Program

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "programs.md"


@dataclass(frozen=True)
class Exhibit:
    """A network, how it learns, and what it is shown."""

    name: str
    title: str
    words: str
    step: Callable[..., Any]
    inputs: tuple[Any, ...]

    @property
    def golden(self) -> Path:
        """The file with its program."""
        return HERE / "golden" / f"{self.name}.py"

    def program(self) -> Program:
        """Its program, written now."""
        program: Program = pellucid.write(self.step)(*self.inputs)
        return program


def exhibits() -> list[Exhibit]:
    """All of them."""
    pellucid.manual_seed(0)
    return [
        streetlights(),
        digits(),
        surprised(),
        convolution(),
        recurrence(),
        stories(),
        language(),
    ]


def numbers(*shape: int, dtype: Any = np.float32) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape).astype(dtype))


def labels(count: int, *shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).integers(0, count, shape))


def streetlights() -> Exhibit:
    r = np.random.RandomState(1)
    weights_0_1 = Tensor(2 * r.random_sample((3, 4)) - 1, requires_grad=True)
    weights_1_2 = Tensor(2 * r.random_sample((4, 1)) - 1, requires_grad=True)
    optimizer = optim.SGD([weights_0_1, weights_1_2], lr=0.2)

    def step(lights: Tensor, walk: Tensor) -> Tensor:
        layer_1 = relu(lights @ weights_0_1)
        layer_2 = layer_1 @ weights_1_2
        error = ((layer_2 - walk) ** 2).sum()
        optimizer.zero_grad()
        (error / 2).backward()
        optimizer.step()
        return error

    lights, walk = Tensor(np.array([[1.0, 0.0, 1.0]])), Tensor(np.array([[1.0]]))
    words = (
        "Chapter 6: may one walk? Three lights, four hidden units, one answer. This is the "
        "back-propagation that a reader of the chapter writes by hand."
    )
    return Exhibit("streetlights", "Streetlights", words, step, (lights, walk))


class Reader(nn.Module):
    """Pixels, a hidden layer, ten scores."""

    def __init__(self, hidden: int, bend: Callable[[Tensor], Tensor], share: float = 0.0) -> None:
        self.hidden = nn.Linear(784, hidden, bias=False)
        self.output = nn.Linear(hidden, 10, bias=False)
        self.dropout = nn.Dropout(share)
        self.bend = bend

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.dropout(self.bend(self.hidden(images))))


def learning(model: nn.Module, criterion: Any, optimizer: Any) -> Callable[..., Any]:
    """Predict, compare, learn."""

    def step(images: Tensor, targets: Tensor) -> Tensor:
        prediction = model(images)
        loss = criterion(prediction, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def digits() -> Exhibit:
    model = Reader(40, relu)
    optimizer = optim.SGD(model.parameters(), lr=0.005)
    step = learning(model, nn.MSELoss(reduction="sum"), optimizer)
    words = "Chapter 8: handwritten digits, learned from one image at a time."
    one = np.eye(10, dtype=np.float32)[None, 3]
    return Exhibit("digits", "Digits, one by one", words, step, (numbers(1, 784), Tensor(one)))


def surprised() -> Exhibit:
    model = Reader(100, tanh, share=0.5)
    step = learning(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=2.0))
    words = "Chapter 9: tanh, dropout and cross-entropy, a hundred images at a time."
    return Exhibit(
        "surprised", "Tanh, dropout, softmax", words, step, (numbers(100, 784), labels(10, 100))
    )


class Kernels(nn.Module):
    """Sixteen kernels of 3 by 3, tanh, dropout, ten scores."""

    def __init__(self) -> None:
        self.kernels = nn.Conv2d(1, 16, 3, bias=False)
        self.output = nn.Linear(16 * 26 * 26, 10, bias=False)
        self.dropout = nn.Dropout(0.5)

    def forward(self, images: Tensor) -> Tensor:
        layer_1 = tanh(self.kernels(images)).flatten(1)
        return self.output(self.dropout(layer_1))


def convolution() -> Exhibit:
    model = Kernels()
    step = learning(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=2.0))
    words = "Chapter 10: sixteen small kernels slide over the image."
    inputs = numbers(128, 1, 28, 28), labels(10, 128)
    return Exhibit("convolution", "A convolution", words, step, inputs)


class NextWord(nn.Module):
    """Word vectors, a recurrent layer, a score for every word."""

    def __init__(self, layer: nn.Module, size: int) -> None:
        self.words = nn.Embedding(80, size)
        self.memory = layer
        self.output = nn.Linear(size, 80)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.memory(self.words(ids))
        return self.output(states)


def sentences(model: nn.Module, optimizer: Any) -> Callable[..., Any]:
    criterion = nn.CrossEntropyLoss()

    def step(ids: Tensor, following: Tensor) -> Tensor:
        prediction = model(ids)
        loss = criterion(prediction.reshape(-1, 80), following.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def recurrence() -> Exhibit:
    model = NextWord(nn.RNN(10, 10), 10)
    step = sentences(model, optim.SGD(model.parameters(), lr=0.1))
    words = "Chapter 12: the next word of a sentence, from a state that is carried along."
    return Exhibit(
        "recurrence", "A recurrent network", words, step, (labels(80, 6, 4), labels(80, 6, 4))
    )


class Cell(nn.Module):
    """Chapter 13's own recurrent cell: two layers into a sigmoid, and one out of it."""

    def __init__(self, size: int) -> None:
        self.words = nn.Embedding(80, size)
        self.from_word = nn.Linear(size, size)
        self.from_state = nn.Linear(size, size)
        self.output = nn.Linear(size, 80)

    def forward(self, ids: Tensor) -> Tensor:
        state = pellucid.zeros(len(ids), 16)
        for i in range(ids.shape[1]):
            state = (self.from_word(self.words(ids[:, i])) + self.from_state(state)).sigmoid()
        return self.output(state)


def stories() -> Exhibit:
    model = Cell(16)
    criterion, optimizer = nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.05)

    def step(ids: Tensor, last: Tensor) -> Tensor:
        prediction = model(ids)
        loss = criterion(prediction, last)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    words = (
        "Chapter 13: the cell that the chapter builds from two linear layers, three words long. A loop "
        "of Python's is written round by round; each round adds its share to the gradients."
    )
    return Exhibit(
        "stories", "A cell made of layers", words, step, (labels(80, 8, 3), labels(80, 8))
    )


def language() -> Exhibit:
    model = NextWord(nn.LSTM(16, 16), 16)
    step = sentences(model, optim.Adam(model.parameters(), lr=0.01))
    words = "Chapter 14: long short-term memory, learning with Adam."
    return Exhibit("language", "LSTM and Adam", words, step, (labels(80, 12, 4), labels(80, 12, 4)))


# ---------------------------------------------------------------------------------- the page


IN_LOOPS = Path(__file__).parent / "golden" / "digits_in_loops.txt"


def page(programs: dict[str, str]) -> str:
    """The page in the docs."""
    parts = [f"## {e.title}\n\n{e.words}\n\n```python\n{programs[e.name]}```\n" for e in exhibits()]
    text, _, table = IN_LOOPS.read_text(encoding="utf-8").partition(CUT)
    compiled = f"{COMPILED}\n```python\n{text}```\n\n`print(step.fused)`:\n\n```\n{table}```\n"
    return "\n".join([HEAD, *parts, compiled])


def in_loops() -> str:
    """The digits' step as loops, and the table of what was fused. Needs Numba."""
    exhibit = digits()
    step = pellucid.compile(exhibit.step, loops=True)
    step(*exhibit.inputs)
    return f"{step.loops}{CUT}{step.fused}\n"


CUT = "\n===\n"
COMPILED = """## The same, compiled

`pellucid.compile(step)` runs a step as its program, on the model's own weights:

```python
step = pellucid.compile(step)
loss = step(inputs, targets)                                # one step
losses = step.epoch(inputs, targets, batch_size=100)        # one step for each batch, in one call
train.fit(model, data, loss, optimizer, epochs=10, compile=True)
```

Where Numba is installed (`pip install 'pellucid[fast]'`), the program is read once more and written as explicit
loops, which Numba compiles; what was compiled once is kept in the user's cache. Numbers are those of the step up to
rounding (1e-5 of them in float32). Without Numba, or with `loops=False`, the NumPy program itself runs, with the
same numbers, bit for bit, and its large results put where the last step put them (`step.running`).

| what is done | why it pays |
|---|---|
| dot products go along rows in memory | a processor fetches and adds sixteen numbers at a time |
| a column times a row changes the weights where it is computed | no array of gradients is written or read |
| functions of single elements go into the loop that makes the elements | each number is read once |
| loops over the same rows become one loop | a row is still at hand when it is needed next |
| rows of dead relus are left out | nothing would change in them |
| rows of a table are added up and changed where they lie | the rest of the table is not touched |
| ids that stand for nothing are passed over, not picked out | arrays keep their lengths, so that loops fit |
| what is made and used up in a round is a number, or a short row | registers instead of memory |
| exp and tanh are polynomials (4e-7), in float32 | sixteen at a time instead of one by one |
| products of more than 262,144 multiplications stay with BLAS | which does them better |
| in place of many rows taken from a small table, the table is multiplied | no row is multiplied twice |
| a convolution with much to do calls its compiled kernel | its sums stay in registers |
| so does a recurrent layer of more than eight steps | all of a step between two products is one call |
| what has no loop form stays a call of NumPy's | faithful rather than complete |

A step is recorded again when shapes, types, modes or settings change. Random numbers are drawn from Pellucid's
generator as the step would draw them, so a seed repeats a compiled run too. A Python `if` that depends on the
numbers is refused with an explanation. This is the step of *Digits, one by one* in loops (`print(step.loops)`):
"""


HEAD = """# Programs

What does a training step amount to? `pellucid.write` runs it once and writes down the plain NumPy that a person
would have written for it:

```python
program = pellucid.write(step)(inputs, targets)
print(program)                        # the text
loss = program.run(inputs, targets)   # it runs, with the same numbers as the step, bit for bit
program.save("step.py")               # a file that needs NumPy and nothing else
```

Names come from your variables and modules. Gradients are called `d_` and what they are the gradient of; those
that nobody needs are not written. A program is written for inputs of one shape. The programs below are real
output (`python tests/program/gallery.py` writes this page).
"""


def main() -> None:
    """Write all of it anew."""
    programs = {}
    for exhibit in exhibits():
        programs[exhibit.name] = text = exhibit.program().source
        exhibit.golden.parent.mkdir(exist_ok=True)
        exhibit.golden.write_text(text, encoding="utf-8")
    IN_LOOPS.write_text(in_loops(), encoding="utf-8")
    PAGE.write_text(page(programs), encoding="utf-8")


if __name__ == "__main__":
    main()
