"""Chapter 14, the LSTM cell: its gates, recorded while it reads, and how far back blame gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import Tensor, no_grad, sigmoid, tanh
from pellucid.data import Windows
from pellucid.nn import CrossEntropyLoss
from pellucid.nn.functional import linear
from pellucid.optim import Adam

from .chapter14 import LetterRNN
from .chapter14 import first_weights as rnn_weights
from .chapter14_lstm import LetterLSTM
from .experiment import Result, experiment
from .letters import LINE_END, Learner, Letters, read_letters
from .result import Array

LEARNED_FROM = 100_000  # characters, unless the reader wants another number
SHOWN = 36  # letters of the sentence: a line of a terminal
READ = 4000  # letters in which units are looked at
FAR = 30  # letters back in which blame is measured
SMALL = 64  # numbers that a letter has, at most
UNITS = 28  # in the pictures
NAMES = ("input", "forget", "candidate", "output")


@dataclass(frozen=True)
class Moment:
    """What one step of the cell has computed, each (streams, hidden)."""

    input: Tensor
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor
    state: Tensor


def step(lstm: Any, heard: Tensor, state: Tensor, cell: Tensor) -> Moment:
    """One step of an LSTM in single operations; the fused layer does the same for all steps."""
    sums = (
        linear(heard, lstm.weight_ih_l0, lstm.bias_ih_l0)
        + linear(state, lstm.weight_hh_l0, lstm.bias_hh_l0)
    )  # fmt: skip
    i, f, g, o = sums.chunk(4, dim=1)
    put_in, forget, candidate, output = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    new_cell = forget * cell + put_in * candidate
    return Moment(put_in, forget, candidate, output, new_cell, output * tanh(new_cell))


def step_by_hand(
    weights: dict[str, Array], heard: Array, state: Array, cell: Array
) -> tuple[Array, Array]:
    """The next state and cell, in NumPy alone."""
    sums = heard @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
    sums = sums + state @ weights["weight_hh_l0"].T + weights["bias_hh_l0"]
    i, f, g, o = np.split(sums, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    cell = f * cell + i * np.tanh(g)
    return o * np.tanh(cell), cell


@experiment("14.7", to="14.9", slow=True)
def gates(
    result: Result,
    *,
    lr: float = 0.005,
    passes: int = 3,
    hidden: int = 64,
    steps: int = 25,
    streams: int = 16,
    sentence: str = "",
    text: str = "",
    characters: int = LEARNED_FROM,
    seed: int = 1,
) -> None:
    """The gates of an LSTM, watched while it reads.

    Args:
        lr: the learning rate of Adam.
        passes: how often the text is read before the gates are recorded.
        hidden: how many numbers the state has, and the cell.
        steps: how many letters back the blame is followed.
        streams: how many places of the text are read at once.
        sentence: what it reads while it is watched; by default the text's beginning.
        text: a text file of your own to learn from.
        characters: learn from only so many characters of the text (0 for all).
        seed: which random weights to start from.
    """
    known = read_letters(result, text, characters=characters)
    windows = Windows(known.numbers, streams, steps)
    model = LetterLSTM(len(known), min(hidden, SMALL), hidden)
    lstm = Learner(model, windows, Adam(model.parameters(), lr=lr), clip=1.0)
    lstm.learn(result, passes, "LSTM")
    plain = LetterRNN(rnn_weights(len(known), hidden, seed))
    rnn = Learner(plain, windows, Adam(plain.parameters(), lr=lr), clip=1.0)
    rnn.learn(result, passes, "plain cell")
    for name, run in (("LSTM", lstm), ("plain cell", rnn)):
        result.number(f"perplexity in the end, {name}", run.perplexities[-1])

    read = sentence or known.text[:SHOWN]
    moments = reading(model, known, read)
    check_three_ways(result, model, known, read)
    tell(result, read, moments[0])
    show_gates(result, read, moments)
    show_units(result, model, known, read)
    result.plot(
        "how much of the blame arrives so many letters back",
        {
            "LSTM": blame(model, known, lambda heard, at: after_lstm(model, heard, at)),
            "plain cell": blame(plain, known, lambda heard, at: after_rnn(plain, heard, at)),
        },
        x="letters back",
        y="share of the gradient",
        log=True,
    )


def reading(model: LetterLSTM, known: Letters, text: str) -> list[Moment]:
    """What the cell computes at each letter of a text."""
    state, cell = (part[0] for part in model.start(1))
    moments = []
    with no_grad():
        for heard in model.letters(Tensor(known.known.encode(text)[:, None])).unbind(0):
            moments.append(step(model.lstm, heard, state, cell))
            state, cell = moments[-1].state, moments[-1].cell
    return moments


def check_three_ways(result: Result, model: LetterLSTM, known: Letters, text: str) -> None:
    """The cell step by step, the fused layer, and NumPy: the same states."""
    ids = known.known.encode(text)
    with no_grad():
        fused, _ = model(Tensor(ids[:, None]), model.start(1))
    weights = {name: w.numpy() for name, w in model.lstm.named_parameters()}
    state, cell = (part.numpy()[0] for part in model.start(1))
    by_hand = []
    for heard in model.letters.weight.numpy()[ids]:
        state, cell = step_by_hand(weights, heard[None], state, cell)
        by_hand.append(state[0])
    stepwise = [m.state.numpy()[0] for m in reading(model, known, text)]
    result.agree("states: gate by gate", stepwise, by_hand)
    result.agree("states: the fused layer", fused.numpy()[:, 0], by_hand)


def tell(result: Result, read: str, first: Moment) -> None:
    """All values of the first letter."""
    if result.step(f"{visible(read[:1])}"):
        for name in ("input", "forget", "output"):
            formula = "sigmoid(of letter + of state)"
            result.predict(f"{name} gate", formula, getattr(first, name).numpy()[0])
        result.predict("candidate", "tanh(of letter + of state)", first.candidate.numpy()[0])
        result.predict("cell", "forget * cell + input * candidate", first.cell.numpy()[0])
        result.predict("state", "output * tanh(cell)", first.state.numpy()[0])


# ----------------------------------------------------------------------------------- looking at them


def visible(text: str) -> str:
    """A text on one line: an arrow down for a line's end."""
    return "".join("/" if c == LINE_END else c if c.isprintable() else "." for c in text)


def tenths(values: Array) -> str:
    """Numbers from 0 to 1 as digits: 0 for shut, 9 for open.

    >>> tenths([0.04, 0.5, 0.97])
    '059'
    """
    return "".join(str(min(int(10 * v), 9)) for v in values)


def show_gates(result: Result, read: str, moments: list[Moment]) -> None:
    """The gates as pictures, units from top to bottom, letters from left to right."""
    shown = moments[:SHOWN]
    rows = [("the text", visible(read[:SHOWN]))]
    for name in ("input", "forget", "output"):
        of_all = np.array([getattr(m, name).numpy()[0] for m in shown])
        rows.append((f"{name} gate", tenths(of_all.mean(axis=1))))
    result.table(
        "the gates, mean of all units: 0 is shut, 9 is open", ("gate", "letter by letter"), rows
    )
    picked = np.array([m.forget.numpy()[0] for m in shown]).std(axis=0).argsort()[::-1][:UNITS]
    images = {
        f"{name} gate": np.array([getattr(m, name).numpy()[0, picked] for m in shown]).T
        for name in ("forget", "input", "output")
    }
    result.picture("gates while it reads: a row for each unit, a column for each letter", images)
    cells = np.array([np.tanh(m.cell.numpy()[0, picked]) for m in shown]).T
    result.picture("what the cell holds", {"tanh(cell)": cells}, signed=True)


def features(text: str) -> dict[str, Array]:
    """Things that a unit might follow, a number for each letter."""
    last_end = last_blank = -1
    line, word = [], []
    for n, letter in enumerate(text):
        line.append(n - last_end)
        word.append(n - last_blank)
        if letter == LINE_END:
            last_end = n
        if not letter.isalnum():
            last_blank = n
    return {
        "how long the line is": np.array(line, dtype=float),
        "how long the word is": np.array(word, dtype=float),
        "between two words": np.array([c.isspace() for c in text], dtype=float),
        "a vowel": np.array([c.lower() in "aeiou" for c in text], dtype=float),
        "a capital": np.array([c.isupper() for c in text], dtype=float),
    }


def show_units(result: Result, model: LetterLSTM, known: Letters, read: str) -> None:
    """For each thing one might follow the unit that follows it best."""
    text = known.text[:READ]
    cells = np.array([np.tanh(m.cell.numpy()[0]) for m in reading(model, known, text)])
    here = np.array([np.tanh(m.cell.numpy()[0]) for m in reading(model, known, read)])[:SHOWN]
    low, high = cells.min(axis=0), cells.max(axis=0)
    rows = [("the text", "", "", visible(read[:SHOWN]))]
    for name, wanted in features(text).items():
        found = correlations(cells, wanted)
        unit = int(np.abs(found).argmax())
        level = (here[:, unit] - low[unit]) / max(high[unit] - low[unit], 1e-12)
        digits = tenths(np.clip(level if found[unit] > 0 else 1 - level, 0, 1))
        rows.append((name, str(unit), f"{abs(found[unit]):.2f}", digits))
    result.table(
        "the unit that follows it best, and what its cell holds, 0 to 9",
        ("it follows", "unit", "correlation", "letter by letter"),
        rows,
    )


def correlations(cells: Array, wanted: Array) -> Array:
    """Of each unit with a feature, from -1 to 1; 0 where one of them never changes."""
    a, b = cells - cells.mean(axis=0), wanted - wanted.mean()
    size = np.sqrt((a * a).sum(axis=0) * (b * b).sum())
    return np.divide(a.T @ b, size, out=np.zeros(len(a.T)), where=size > 1e-12)


# ------------------------------------------------------------------------------- how far blame gets

After = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]]


def after_lstm(model: LetterLSTM, heard: Tensor, at: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """State and cell after one more letter."""
    moment = step(model.lstm, heard, *at)
    return moment.state, moment.cell


def after_rnn(model: LetterRNN, heard: Tensor, at: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The plain cell's state after one more letter."""
    return (sigmoid(model.of_letter(heard) + model.of_state(at[0])),)


def blame(model: Any, known: Letters, after: After) -> Array:
    """The size of a loss's gradient at the states before it, as a share of the last; FAR letters.

    The states are made step by step, and each keeps its gradient; a mean over several places.
    """
    many = max(len(known.numbers) - FAR - 1, 1)
    places = np.arange(0, many, max(many // 32, 1))[:32]
    letters = known.numbers[places[:, None] + np.arange(min(FAR, len(known.numbers) - 1) + 1)].T
    at = tuple(part[0] if part.ndim == 3 else part for part in model.start(len(places)))
    kept = []
    for heard in model.letters(Tensor(letters[:-1])).unbind(0):
        at = after(heard, at)
        for part in at:
            part.retain_grad()
        kept.append(at)
    loss = CrossEntropyLoss()(model.scores(at[0]), Tensor(letters[-1]))
    model.zero_grad()
    loss.backward()
    sizes = np.array(
        [
            np.sqrt(sum((p.grad.numpy() ** 2).sum() for p in parts if p.grad is not None))
            for parts in reversed(kept)
        ]
    )
    return sizes / sizes[0]
