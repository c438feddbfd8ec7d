"""Chapter 14, second half: an LSTM learns to write; what the published run lost of its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import Tensor, no_grad, sigmoid, stack, tanh
from pellucid.data import Windows
from pellucid.nn import LSTM, CrossEntropyLoss, Dropout, Embedding, Linear, Module
from pellucid.nn.functional import embedding, linear
from pellucid.optim import SGD, Adam

from .chapter13_layers import Draws
from .chapter14 import SLOWER, as_single
from .experiment import Figure, Result, experiment
from .letters import Compare, Learner, read_letters, show_writing, single_precision
from .result import Array

GATES = ("forget", "input", "output", "candidate")  # in the order in which they were made
BLOW_UP = 12  # windows in which the whole gradient at the published rate goes astray
LONGER, ADAM = 10, 0.002  # the tuned runs: how many times the rate, and the rate of Adam
STACKED = (1, 0, 3, 2)  # input, forget, candidate, output: the order in which nn.LSTM has them


class LetterLSTM(Module):
    """An LSTM that reads letters, and says which it expects next.

    Args:
        count: how many letters there are.
        size: how many numbers each of them has.
        hidden: how many numbers the state has, and the cell.
        dropout: how likely a number is left out on the way in and on the way out.
    """

    def __init__(self, count: int, size: int, hidden: int, dropout: float = 0.0) -> None:
        self.letters = Embedding(count, size)
        self.lstm: Any = LSTM(size, hidden)
        self.dropout, self.output = Dropout(dropout), Linear(hidden, count)

    def start(self, streams: int) -> tuple[Tensor, Tensor]:
        """State and cell before the first letter, (1, streams, hidden)."""
        shape = 1, streams, self.lstm.hidden_size
        zeros = np.zeros(shape, self.output.weight.dtype)
        return Tensor(zeros), Tensor(zeros.copy())

    def forward(
        self, letters: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The states after each letter, (steps, streams, hidden); the last state and cell."""
        return self.lstm(self.letters(letters), state)  # type: ignore[no-any-return]

    def scores(self, states: Tensor) -> Tensor:
        """What is expected next, (..., letters)."""
        return self.output(self.dropout(states))  # type: ignore[no-any-return]


class ChapterLSTM(LetterLSTM):
    """The chapter's: fewer biases, its own first weights, and the first unit starts at 1.

    Args:
        start: the first weights: table of letters, then those from the letter and those from the
            state to all gates, both (inputs, outputs); weights to the scores are zero at first.
    """

    def __init__(self, start: tuple[Array, Array, Array]) -> None:
        table, of_letter, of_state = start
        count, hidden = table.shape[0], of_state.shape[0]
        super().__init__(count, hidden, hidden)
        self.output = Linear(hidden, count, bias=False)
        self.lstm.bias_hh_l0 = None
        with no_grad():
            self.letters.weight.copy_(table)
            self.lstm.weight_ih_l0.copy_(of_letter.T)
            self.lstm.weight_hh_l0.copy_(of_state.T)
            self.lstm.bias_ih_l0.zero_()
            self.output.weight.zero_()

    def start(self, streams: int) -> tuple[Tensor, Tensor]:
        """State and cell before the first letter."""
        first = super().start(streams)
        for part in first:
            part.numpy()[..., 0] = 1
        return first


class PublishedLSTM(ChapterLSTM):
    """The same with the gradient that the published run had left: `detach` marks what it lost.

    In its framework a matrix product reports its gradient back without saying who reports. So a
    tensor passes on the first report that it gets; those that come later are added up and stay
    there. To a state the output gate of the next step reports first. What the other gates say to
    it, what its own scores say, and what the cell says to the cell before it, is lost.
    """

    def forward(
        self, letters: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """As the fused layer, step by step."""
        hidden, cell = (part[0] for part in state)
        size, own = self.lstm.hidden_size, self.lstm
        said = embedding(letters, linear(self.letters.weight, own.weight_ih_l0, own.bias_ih_l0))
        of_three, of_output = own.weight_hh_l0[: 3 * size], own.weight_hh_l0[3 * size :]
        states = []
        for step in range(letters.shape[0]):
            heard = said[step]
            sums = heard[:, : 3 * size] + linear(hidden.detach(), of_three)
            opened = sigmoid(sums[:, : 2 * size])
            candidate = tanh(sums[:, 2 * size :])
            output = sigmoid(heard[:, 3 * size :] + linear(hidden, of_output))
            cell = opened[:, size:] * cell.detach() + opened[:, :size] * candidate
            hidden = output * tanh(cell)
            states.append(hidden)
        seen = [state.detach() for state in states[:-1]] + [states[-1]]
        return stack(seen), (stack([hidden]), stack([cell]))


def summed(over_streams: bool) -> Compare:
    """The losses of a window's steps are added up, each the sum over the streams, or their mean."""

    def compare(model: Any, states: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        scores = model.scores(states)
        rows = scores.reshape(-1, scores.shape[-1])
        loss = CrossEntropyLoss(reduction="sum")(rows, targets.reshape(-1))
        sent = loss if over_streams else loss / targets.shape[1]
        return sent, loss.item() / targets.numpy().size

    return compare


def first_weights(count: int, hidden: int, seed: int) -> tuple[Array, Array, Array]:
    """The table of letters, and the weights to all gates from the letter and from the state."""
    draws = Draws(seed)
    table = draws.embedding(count, hidden)
    of_letter = [draws.linear(hidden, hidden) for _ in GATES]
    of_state = [draws.linear(hidden, hidden) for _ in GATES]
    in_order = (np.concatenate([w[k] for k in STACKED], axis=1) for w in (of_letter, of_state))
    return (table, *in_order)


@experiment(
    "14.10",
    to="14.11",
    figures=[
        Figure("perplexity of the first window", 62.0, "all letters equally likely"),
        Figure("perplexity of pass 5", 10.9, "counted from 0", within=0.5),
    ],
    slow=True,
)
def lstm_letters(
    result: Result,
    *,
    lr: float = 0.05,
    passes: int = 6,
    hidden: int = 512,
    steps: int = 25,
    streams: int = 16,
    clip: float = 5.0,
    temperature: float = 0.7,
    text: str = "",
    characters: int = 0,
    seed: int = 0,
) -> None:
    """An LSTM learns to write: as published, with its whole gradient, clipped, and with Adam.

    Args:
        lr: how much of each correction is made (the book's alpha); it shrinks by 1 % a pass.
        passes: how often the text is read.
        hidden: how many numbers a letter, the state and the cell have.
        steps: how many letters back the blame is followed.
        streams: how many places of the text are read at once.
        clip: the greatest length of a gradient, in the last two runs.
        temperature: how daring it writes: 0.2 plays safe, 1 takes more risks.
        text: a text file of your own to learn from.
        characters: read only so many characters of the text (0 for all).
        seed: which random weights to start from.
    """
    known = read_letters(result, text, imitation=True, characters=characters)
    windows = Windows(known.numbers, streams, steps)
    start = first_weights(len(known), hidden, seed)
    count = min(3, len(windows))
    ours = first_losses(PublishedLSTM(start), windows, summed(over_streams=True), lr, count)
    by_hand = windows_by_hand(windows, start, lr, count)
    result.agree("loss of three windows, as published", ours, by_hand)
    result.number("perplexity of the first window", float(np.exp(ours[0])))
    with single_precision():
        runs = learners(windows, start, lr, clip)
        for name, run in runs.items():
            run.learn(result, passes, name, tell=name == "as published")
        few = min(BLOW_UP, len(windows))
        losses = {
            name: first_losses(model(as_single(start)), windows, summed(over_streams=True), lr, few)
            for name, model in (("as published", PublishedLSTM), ("whole gradient", ChapterLSTM))
        }
        curves = {name: run.perplexities for name, run in runs.items()}
        if passes > 5:
            for name, said in (("as published", ""), ("corrected", ", corrected")):
                result.number(f"perplexity of pass 5{said}", curves[name][5])
        result.table(
            "perplexity after each pass",
            ("pass", *curves),
            zip(range(passes), *curves.values(), strict=True),
        )
        result.plot("perplexity", curves, x="pass", y="perplexity", log=True)
        result.plot(
            "the published step with the whole gradient: loss of the first windows",
            losses,
            x="window",
            y="loss",
        )
        for name in ("as published", "corrected"):
            title = f"written {name}, temperature {{}}"
            show_writing(result, runs[name].model, known, [temperature], title=title)
        best = min(curves, key=lambda name: curves[name][-1])
        temperatures = list(dict.fromkeys([temperature, 0.2, 1.2]))
        title = "written by the best of them, temperature {}"
        show_writing(result, runs[best].model, known, temperatures, title=title)
    result.say(
        "mistake",
        published=f"{curves['as published'][-1]:.2f}",
        corrected=f"{curves['corrected'][-1]:.2f}",
        worst=f"{max(losses['whole gradient']):.3g}",
        windows=few,
        guessing=f"{np.log(len(known)):.3g}",
    )


def learners(
    windows: Windows, start: tuple[Array, Array, Array], lr: float, clip: float
) -> dict[str, Learner]:
    """The four runs: published, corrected, and two that are tuned."""
    published, corrected, clipped, adam = (
        kind(as_single(start)) for kind in (PublishedLSTM, ChapterLSTM, ChapterLSTM, ChapterLSTM)
    )
    mean = summed(over_streams=False)
    return {
        "as published": Learner(
            published, windows, SGD(published.parameters(), lr=lr), summed(over_streams=True),
            decay=SLOWER,
        ),
        "corrected": Learner(
            corrected, windows, SGD(corrected.parameters(), lr=lr), mean, decay=SLOWER
        ),
        "clipped, # times the steps".replace("#", str(LONGER)): Learner(
            clipped, windows, SGD(clipped.parameters(), lr=LONGER * lr), mean, decay=SLOWER,
            clip=clip,
        ),
        "Adam": Learner(
            adam, windows, Adam(adam.parameters(), lr=ADAM), mean, decay=SLOWER, clip=clip
        ),
    }  # fmt: skip


def first_losses(
    model: Module, windows: Windows, compare: Compare, lr: float, count: int
) -> list[float]:
    """The losses of the first windows."""
    learner = Learner(model, windows, SGD(model.parameters(), lr=lr), compare)
    losses = []
    for n in range(count):
        learner.one_window(n)
        losses.append(learner.losses[-1])
    return losses


def windows_by_hand(
    windows: Windows, start: tuple[Array, Array, Array], lr: float, count: int
) -> list[float]:
    """The losses of the first windows as published, in NumPy alone."""
    table, of_letter, of_state = (w.copy() for w in start)
    size = len(of_state)
    bias, of_output = np.zeros(4 * size), np.zeros((size, len(table)))
    hidden, cell = np.zeros((2, windows.streams, size))
    hidden[:, 0] = cell[:, 0] = 1
    losses, row = [], np.arange(windows.streams)
    for n in range(count):
        letters, targets = (part.T for part in windows[n])
        said, memory, loss = table @ of_letter + bias, [], 0.0
        for ids, right in zip(letters, targets, strict=True):
            sums = said[ids] + hidden @ of_state
            i, f, o = (1 / (1 + np.exp(-sums[:, k * size : (k + 1) * size])) for k in (0, 1, 3))
            g = np.tanh(sums[:, 2 * size : 3 * size])
            before, last = hidden, cell
            cell = f * cell + i * g
            read = np.tanh(cell)
            hidden = o * read
            scores = np.exp(hidden @ of_output)
            share = scores / scores.sum(axis=1, keepdims=True)
            loss -= np.log(share[row, right]).mean()
            share[row, right] -= 1
            memory.append((before, last, i, f, g, o, read, hidden, share))
        losses.append(float(loss / len(letters)))
        d_of_output, d_said, d_of_state = map(np.zeros_like, (of_output, said, of_state))
        d_hidden = memory[-1][-1] @ of_output.T  # of the last letter's loss; the others' is lost
        for ids, (before, last, i, f, g, o, read, state, share) in zip(
            letters[::-1], memory[::-1], strict=True
        ):
            d_of_output += state.T @ share
            d_cell = d_hidden * o * (1 - read * read)  # from this state alone
            d_sums = np.concatenate(
                [
                    d_cell * g * i * (1 - i),
                    d_cell * last * f * (1 - f),
                    d_cell * i * (1 - g * g),
                    d_hidden * read * o * (1 - o),
                ],
                axis=1,
            )
            d_of_state += before.T @ d_sums
            np.add.at(d_said, ids, d_sums)
            d_hidden = d_sums[:, 3 * size :] @ of_state[:, 3 * size :].T  # by the output gate alone
        d_table, d_of_letter = d_said @ of_letter.T, table.T @ d_said
        for value, change in (
            (table, d_table), (of_letter, d_of_letter), (of_state, d_of_state),
            (of_output, d_of_output), (bias, d_said.sum(axis=0)),
        ):  # fmt: skip
            value -= lr * change
    return losses
