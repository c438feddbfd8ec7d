"""Chapter 14, first half: a recurrent network writes letter by letter, and why it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import Tensor, relu, sigmoid, stack
from pellucid.data import Windows
from pellucid.nn import CrossEntropyLoss, Embedding, Module
from pellucid.nn.functional import embedding
from pellucid.optim import SGD

from .chapter13_layers import Draws, linear_from
from .experiment import Figure, Result, experiment
from .letters import (
    Learner,
    Letters,
    all_letters,
    read_letters,
    show_writing,
    single_precision,
    unseen_loss,
)
from .result import Array

SLOWER = 0.99  # what the learning rate is multiplied by after each pass


class LetterRNN(Module):
    """The recurrent cell of 13.21, reading letters: the new state is sigmoid of letter and state.

    Args:
        start: the first weights: the table of letters, then (inputs, outputs) from letter to state,
            from state to state, and from state to scores.
    """

    def __init__(self, start: tuple[Array, ...]) -> None:
        table, *weights = start
        self.letters = Embedding.from_pretrained(table.copy(), freeze=False)
        self.of_letter, self.of_state, self.output = map(linear_from, weights)

    def start(self, streams: int) -> tuple[Tensor]:
        """The state before the first letter."""
        weight = self.of_state.weight
        return (Tensor(np.zeros((streams, weight.shape[1]), weight.dtype)),)

    def forward(self, letters: Tensor, state: tuple[Tensor]) -> tuple[Tensor, tuple[Tensor]]:
        """The states after each letter, (steps, streams, hidden), and the last one."""
        # What a letter says to the state is the same wherever it stands: computed once per letter.
        said = embedding(letters, self.of_letter(self.letters.weight))
        states, (now,) = [], state
        for step in range(letters.shape[0]):
            now = sigmoid(said[step] + self.of_state(now))
            states.append(now)
        return stack(states), (now,)

    def scores(self, states: Tensor) -> Tensor:
        """What is expected next, (..., letters)."""
        return self.output(states)  # type: ignore[no-any-return]


def last_letter(model: Any, states: Tensor, targets: Tensor) -> tuple[Tensor, float]:
    """As published: the loss of the window's last letter alone, and the gradient of its sum."""
    loss = CrossEntropyLoss(reduction="sum")(model.scores(states[-1]), targets[-1])
    return loss, loss.item() / targets.shape[1]


@experiment(
    "14.1",
    to="14.4",
    figures=[
        Figure("perplexity of pass 1", 20.6, "counted from 0", within=3),
        Figure("perplexity of pass 40", 3.6, "counted from 0", within=0.3),
    ],
    slow=True,
)
def letters(
    result: Result,
    *,
    lr: float = 0.05,
    passes: int = 41,
    hidden: int = 512,
    steps: int = 16,
    streams: int = 32,
    temperature: float = 0.7,
    text: str = "",
    characters: int = 0,
    seed: int = 0,
) -> None:
    """A network that learns to write, letter by letter; it was taught by every 16th letter only.

    Args:
        lr: how much of each correction is made (the book's alpha); it shrinks by 1 % a pass.
        passes: how often the text is read.
        hidden: how many numbers a letter and the state have.
        steps: how many letters back the blame is followed.
        streams: how many places of the text are read at once.
        temperature: how daring it writes: 0.2 plays safe, 1 takes more risks.
        text: a text file of your own to learn from.
        characters: read only so many characters of the text (0 for all).
        seed: which random weights to start from.
    """
    known = read_letters(result, text, imitation=True, characters=characters)
    windows = Windows(known.numbers, streams, steps)
    start = first_weights(len(known), hidden, seed)
    with single_precision():
        published = LetterRNN(as_single(start))
        runs = {
            "as published": Learner(
                published, windows, SGD(published.parameters(), lr=lr), last_letter, decay=SLOWER
            )
        }
        # The mean in place of the sum: the same step for each letter takes `streams` times the rate.
        corrected = LetterRNN(as_single(start))
        optimizer = SGD(corrected.parameters(), lr=lr * streams)
        runs["corrected"] = Learner(corrected, windows, optimizer, all_letters, decay=SLOWER)
        for name, run in runs.items():
            run.learn(result, passes, name, tell=name == "as published")
        curves = {name: run.perplexities for name, run in runs.items()}
        for n in (1, 40):
            if n < passes:
                result.number(f"perplexity of pass {n}", curves["as published"][n])
                result.number(f"perplexity of pass {n}, corrected", curves["corrected"][n])
        # The windows are the same in each pass, so what a run prints is about letters it learns from.
        asked = {name: float(np.exp(unseen_loss(run.model, windows))) for name, run in runs.items()}
        result.number("perplexity of all letters", asked["as published"])
        result.number("perplexity of all letters, corrected", asked["corrected"])
        result.plot(
            "perplexity: among how many letters it feels lost",
            curves,
            x="pass",
            y="perplexity",
            log=True,
        )
        show_writing(
            result, published, known, [temperature], title="written as published, temperature {}"
        )
        show_writing(
            result, corrected, known, dict.fromkeys([temperature, 0.2, 1.2]),
            title="written corrected, temperature {}",
        )  # fmt: skip
    ours, by_hand = windows_twice(known, start, streams, steps, lr)
    result.agree("loss of three windows, as published", ours, by_hand)
    result.say(
        "mistake",
        steps=steps,
        printed=f"{curves['as published'][-1]:.2f}",
        published=f"{asked['as published']:.2f}",
        corrected=f"{asked['corrected']:.2f}",
    )


def first_weights(count: int, hidden: int, seed: int) -> tuple[Array, ...]:
    """The table of letters and the weights of the three linear layers, as published."""
    draws = Draws(seed)
    return (
        draws.embedding(count, hidden),
        draws.linear(hidden, hidden),
        draws.linear(hidden, hidden),
        draws.linear(hidden, count),
    )


def as_single(weights: tuple[Array, ...]) -> tuple[Array, ...]:
    """The same in float32."""
    return tuple(w.astype(np.float32) for w in weights)


def windows_twice(
    known: Letters, start: tuple[Array, ...], streams: int, steps: int, lr: float, count: int = 3
) -> tuple[list[float], list[float]]:
    """The losses of the first windows in float64: by the framework, and by hand."""
    windows = Windows(known.numbers, streams, steps)
    model = LetterRNN(start)
    learner = Learner(model, windows, SGD(model.parameters(), lr=lr), last_letter)
    count = min(count, len(windows))
    printed = []
    for n in range(count):
        learner.one_window(n)
        printed.append(learner.losses[-1])
    return printed, windows_by_hand(windows, start, lr, count)


def windows_by_hand(
    windows: Windows, start: tuple[Array, ...], lr: float, count: int
) -> list[float]:
    """The loss of the last letter of the first windows, in NumPy alone, as published."""
    table, w_letter, w_state, w_output = (w.copy() for w in start)
    b_letter, b_state, b_output = (np.zeros(w.shape[1]) for w in (w_letter, w_state, w_output))
    state, losses = np.zeros((windows.streams, w_state.shape[0])), []
    rows = np.arange(windows.streams)
    for n in range(count):
        letters, targets = (part.T for part in windows[n])
        states = [state]
        for ids in letters:
            sums = table[ids] @ w_letter + b_letter + states[-1] @ w_state + b_state
            states.append(1 / (1 + np.exp(-sums)))
        scores = np.exp(states[-1] @ w_output + b_output)
        share = scores / scores.sum(axis=1, keepdims=True)
        losses.append(float(-np.log(share[rows, targets[-1]]).mean()))
        d = share.copy()
        d[rows, targets[-1]] -= 1
        d_output, d_b_output = states[-1].T @ d, d.sum(axis=0)
        d = d @ w_output.T
        d_table, d_letter, d_state = map(np.zeros_like, (table, w_letter, w_state))
        d_b = np.zeros_like(b_state)
        for t in reversed(range(len(letters))):
            d = d * states[t + 1] * (1 - states[t + 1])
            d_letter += table[letters[t]].T @ d
            d_state += states[t].T @ d
            d_b += d.sum(axis=0)
            np.add.at(d_table, letters[t], d @ w_letter.T)
            d = d @ w_state.T
        for value, change in (
            (table, d_table), (w_letter, d_letter), (b_letter, d_b), (w_state, d_state),
            (b_state, d_b), (w_output, d_output), (b_output, d_b_output),
        ):  # fmt: skip
            value -= lr * change
        state = states[-1]
    return losses


# ------------------------------------------------------------------------------ vanishing, exploding

BEGIN = np.array([1.0, 0.01])


@dataclass(frozen=True)
class Bend:
    """An activation, with its slope, from its result, for the run by hand."""

    name: str
    ours: Callable[[Tensor], Tensor]
    by_hand: Callable[[Array], Array]
    slope: Callable[[Array], Array]


BENDS = (
    Bend("sigmoid", sigmoid, lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
    Bend("relu", relu, lambda x: np.maximum(x, 0), lambda y: (y > 0) * 1.0),
)


@experiment(
    "14.5",
    to="14.6",
    figures=[
        Figure("sigmoid: gradient 10 steps back", "1.46e-14"),
        Figure("relu: gradient 10 steps back", 9765625.0),
    ],
)
def vanishing(
    result: Result, *, steps: int = 10, diagonal: float = 1.0, across: float = 4.0
) -> None:
    """The same matrix ten times over: gradients that vanish, and gradients that explode.

    Args:
        steps: how often the state goes through the matrix.
        diagonal: the weight from each of the two numbers to itself.
        across: the weight from each of them to the other.
    """
    weights = np.array([[diagonal, across], [across, diagonal]])
    begin = BENDS[0].by_hand(BEGIN)
    states, gradients = {}, {}
    for bend in BENDS:
        states[bend.name], gradients[bend.name] = there_and_back(
            result, bend, begin, weights, steps
        )
        by_hand = there_and_back_by_hand(bend, begin, weights, steps)
        result.agree(f"{bend.name}: states", states[bend.name], by_hand[0])
        result.agree(f"{bend.name}: gradients", gradients[bend.name], by_hand[1])
        result.number(f"{bend.name}: gradient {steps} steps back", gradients[bend.name][-1][0])
        begin = states[bend.name][0]  # relu goes on from sigmoid's first state
    result.table(
        "there, and back again: the first of the two numbers",
        ("steps", "sigmoid: state", "gradient so far back", "relu: state", "gradient as far back"),
        [
            (n + 1, *(float(part[name][n][0]) for name in states for part in (states, gradients)))
            for n in range(steps)
        ],
    )
    result.plot(
        "the gradient on its way back",
        {name: (range(1, steps + 1), [g[0] for g in there]) for name, there in gradients.items()},
        x="steps back",
        y="gradient",
        log=True,
        points=True,
    )
    factors = {name: there[-1][0] / there[-2][0] for name, there in gradients.items() if steps > 1}
    if factors:
        result.say("factors", **{name: f"{factor:.3g}" for name, factor in factors.items()})


def there_and_back(
    result: Result, bend: Bend, begin: Array, weights: Array, steps: int
) -> tuple[list[Array], list[Array]]:
    """The states of all steps, and the gradients of the last one's sum, one step back, two, ..."""
    states = [Tensor(begin, requires_grad=True)]
    for _ in range(steps):
        states.append(bend.ours(states[-1] @ Tensor(weights)))
        states[-1].retain_grad()
    states[-1].sum().backward()
    found = [state.numpy() for state in states[1:]]
    gradients = [state.grad.numpy() for state in reversed(states[:-1])]
    if result.step(bend.name):
        for n, state in enumerate(found, start=1):
            result.predict(f"state {n}", f"{bend.name}(state {n - 1} @ weights)", state)
        result.compare("what is sent back", "1 for each number of the last state", np.ones(2))
        for n, gradient in enumerate(gradients, start=1):
            result.learn(f"gradient {n} steps back", "(gradient * slope) @ weights.T", gradient)
    return found, gradients


def there_and_back_by_hand(
    bend: Bend, begin: Array, weights: Array, steps: int
) -> tuple[list[Array], list[Array]]:
    """The same in NumPy alone."""
    states = [begin]
    for _ in range(steps):
        states.append(bend.by_hand(states[-1] @ weights))
    gradients, gradient = [], np.ones(2)
    for state in reversed(states[1:]):
        gradient = (gradient * bend.slope(state)) @ weights.T
        gradients.append(gradient)
    return states[1:], gradients
