"""Chapter 13, last part: a recurrent cell reads little stories, one sentence at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from pellucid import Tensor, no_grad, sigmoid
from pellucid.data import Vocabulary, datasets, pad
from pellucid.nn import CrossEntropyLoss, Embedding, Module
from pellucid.optim import SGD

from .chapter13_layers import Draws, linear_from
from .experiment import Figure, Result, experiment
from .result import Array

LINES = 1000  # of the training file; they decide which words there are
LENGTH = 6  # words in a line, the shorter ones filled up on the left
FILL = "-"


@dataclass(frozen=True)
class Sentences:
    """Lines of the same length, as numbers of words, (lines, 6)."""

    words: Vocabulary
    numbers: Array

    @property
    def beginnings(self) -> list[tuple[int, ...]]:
        """The words of each line but the last."""
        return [tuple(row[:-1].tolist()) for row in self.numbers]

    @property
    def last(self) -> Array:
        """The last word of each line: what is to be predicted."""
        return self.numbers[:, -1]


def sentences(result: Result, count: int) -> Sentences:
    """The first lines of bAbI's first task, cut at blanks, without the line numbers.

    A question is cut as it stands in the file, so its last word is the answer together with the
    number of the line it follows from. Where bAbI is not to be had, this is announced, and made-up
    stories take its place.
    """
    stories = datasets.babi(1, "train", stand_in=True, quiet=True)
    if stories.stands_in:
        result.stand_in("bAbI", "made-up stories of the same kind")
    cut = [line.lower().split(" ")[1:] for line in stories.lines[:LINES]]
    words = Vocabulary((word for line in cut for word in line), specials=(FILL,), unknown=None)
    rows = pad([words.encode(line) for line in cut[:count]], length=LENGTH, side="left")
    return Sentences(words, rows)


class Cell(Module):
    """A recurrent cell as the chapter has it: the new state is sigmoid of input and old state.

    Args:
        start: the first weights: the table of words, then (inputs, outputs) from input to state,
            from state to state, and from state to scores.
    """

    def __init__(self, start: tuple[Array, Array, Array, Array]) -> None:
        table, *weights = start
        self.words = Embedding.from_pretrained(table.copy(), freeze=False)
        self.of_input, self.of_state, self.output = map(linear_from, weights)
        self.size: int = weights[1].shape[0]

    def forward(self, ids: Tensor) -> Tensor:
        """Scores for the next word (lines, words), from the words so far (lines, steps)."""
        state = Tensor(np.zeros((ids.shape[0], self.size)))
        for step in range(ids.shape[1]):
            state = self.next_state(ids[:, step], state)
        return self.output(state)  # type: ignore[no-any-return]

    def next_state(self, ids: Tensor, state: Tensor) -> Tensor:
        """The state after one more word."""
        return sigmoid(self.of_input(self.words(ids)) + self.of_state(state))


@experiment(
    "13.21",
    figures=[Figure("accuracy of the last word", "0.37", "1000 steps")],
)
def stories(
    result: Result,
    *,
    lr: float = 0.05,
    steps: int = 1000,
    lines: int = 100,
    hidden: int = 16,
    seed: int = 0,
) -> None:
    """Five words in, one by one; what is the sixth? 37 % right, and nobody could get more.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often to predict, compare and learn.
        lines: how many lines are learned from.
        hidden: how many numbers a word and the state have.
        seed: which random weights to start from.
    """
    data = sentences(result, lines)
    draws = Draws(seed)
    start = (
        draws.embedding(len(data.words), hidden),
        draws.linear(hidden, hidden),
        draws.linear(hidden, hidden),
        draws.linear(hidden, len(data.words)),
    )
    model = Cell(start)
    optimizer, criterion = SGD(model.parameters(), lr=lr), CrossEntropyLoss(reduction="sum")
    ids, target = Tensor(data.numbers[:, :-1]), Tensor(data.last)
    losses, right = [], []
    for n in result.track(range(1, steps + 1)):
        scores = model(ids)  # predict
        loss = criterion(scores, target)  # compare
        optimizer.zero_grad()
        loss.backward()  # learn
        if result.step(f"step {n}"):
            tell(result, model, data, scores, loss)
        optimizer.step()
        losses.append(loss.item() / len(data.last))
        right.append(float((scores.numpy().argmax(axis=1) == data.last).mean()))

    result.number("accuracy of the last word", right[-1])
    result.number("loss per line", losses[-1])
    by_hand = stories_by_hand(data, start, lr, min(steps, 20))
    result.agree("loss of the first steps", losses[:20], by_hand)
    limit, always_one = limits(data)
    result.number("the most anyone could get right from five words", limit)
    result.number("always the most frequent word", always_one)
    result.plot(
        "share of last words guessed right",
        {"the network": right, "the limit": [limit] * steps},
        x="step",
        y="right",
    )
    show_beginnings(result, model, data)
    result.say("limit", right=f"{right[-1]:.0%}", limit=f"{limit:.0%}", one=f"{always_one:.0%}")


def tell(result: Result, model: Cell, data: Sentences, scores: Tensor, loss: Tensor) -> None:
    """All values of one step, for the first line."""
    words = data.numbers[0, :-1]
    result.predict("words", "numbers of the first line's words", words)
    state = Tensor(np.zeros((1, model.size)))
    with no_grad():
        for n, word in enumerate(words, start=1):
            state = model.next_state(Tensor(np.array([word])), state)
            result.predict(f"state after word {n}", "sigmoid(of input + of state)", state)
    result.predict("scores", "state @ weight.T + bias", scores.numpy()[0])
    result.compare("target", "number of the last word", data.last[0])
    result.compare("loss", "-log of the share of the right words, summed", loss)
    for name, parameter in model.named_parameters():
        result.learn(f"{name}.grad", "gradient of what is sent back", parameter.grad)


def followers(data: Sentences) -> dict[tuple[int, ...], Counter[int]]:
    """For each beginning of five words, how often which word came last."""
    found: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for beginning, last in zip(data.beginnings, data.last.tolist(), strict=True):
        found[beginning][last] += 1
    return found


def limits(data: Sentences) -> tuple[float, float]:
    """The share that could be right at most from five words, and with the same word always.

    Lines that begin alike can only be given the same answer. Whoever always gave the one that is
    most frequent after each beginning would get the most right.
    """
    best = sum(counts.most_common(1)[0][1] for counts in followers(data).values())
    always_one = Counter(data.last.tolist()).most_common(1)[0][1]
    return best / len(data.last), always_one / len(data.last)


def show_beginnings(result: Result, model: Cell, data: Sentences, most: int = 6) -> None:
    """The most frequent beginnings, what followed, and what the network says."""
    found = sorted(followers(data).items(), key=lambda item: -item[1].total())[:most]
    with no_grad():
        says = model(Tensor(np.array([beginning for beginning, _ in found]))).numpy()
    rows = []
    for (beginning, counts), scores in zip(found, says, strict=True):
        begin = " ".join(w for w in data.words.decode(beginning) if w != FILL)
        guess = int(scores.argmax())
        rows.append((begin, counts.total(), len(counts), shown(data, guess), counts[guess]))
    result.table(
        "the same beginning, many endings",
        ("a line begins", "times", "endings", "the network says", "right"),
        rows,
    )


def shown(data: Sentences, number: int) -> str:
    """A word as one can read it: its tabs as blanks."""
    return " ".join(data.words.decode([number])[0].split())


def stories_by_hand(
    data: Sentences, start: tuple[Array, Array, Array, Array], lr: float, steps: int
) -> list[float]:
    """The loss per line of the first steps, in NumPy alone: back through all five words."""
    table, *weights = (w.copy() for w in start)
    biases = [np.zeros(w.shape[1]) for w in weights]
    lines, losses = len(data.last), []
    for _ in range(steps):
        states = [np.zeros((lines, weights[1].shape[0]))]
        for ids in data.numbers[:, :-1].T:
            sums = table[ids] @ weights[0] + biases[0] + states[-1] @ weights[1] + biases[1]
            states.append(1 / (1 + np.exp(-sums)))
        scores = np.exp(states[-1] @ weights[2] + biases[2])
        share = scores / scores.sum(axis=1, keepdims=True)
        losses.append(float(-np.log(share[np.arange(lines), data.last]).mean()))
        d = share - np.eye(len(table))[data.last]
        changes = [np.zeros_like(table), *(np.zeros_like(w) for w in weights)]
        bias_changes = [np.zeros_like(b) for b in biases]
        changes[3], bias_changes[2] = states[-1].T @ d, d.sum(axis=0)
        d = d @ weights[2].T
        for step in reversed(range(LENGTH - 1)):
            ids, state = data.numbers[:, step], states[step + 1]
            d = d * state * (1 - state)
            changes[1] += table[ids].T @ d
            changes[2] += states[step].T @ d
            for bias_change in bias_changes[:2]:
                bias_change += d.sum(axis=0)
            np.add.at(changes[0], ids, d @ weights[0].T)
            d = d @ weights[1].T
        for value, change in zip((table, *weights, *biases), changes + bias_changes, strict=True):
            value -= lr * change
    return losses
