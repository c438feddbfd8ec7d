"""Chapter 11, second part: words that fill the same blanks get similar numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from pellucid import Tensor, kernels
from pellucid.kernels import negative_sampling
from pellucid.nn import Embedding
from pellucid.nn.functional import binary_cross_entropy_with_logits
from pellucid.optim import SGD

from . import words
from .chapter11 import CORRECTED, OFTEN, PUBLISHED, same_side
from .experiment import Figure, Result, experiment
from .result import Array, Note
from .reviews import Reviews, reviews
from .words import Words

WITHOUT_KERNEL = 500  # reviews that the NumPy twin reads, at some 30,000 words a second
PIECES = 20  # of a pass; after each, a few blanks are tried
TRIED = 2000  # blanks
CLOSE = ("horrible", "bad", "brilliant", "pathetic")  # to terrible, in the published run


@dataclass(frozen=True)
class Way:
    """How blanks are looked at and blame is shared.

    Attributes:
        left, right: how many words before and after a blank are looked at.
        shared: whether each of them gets its share of the blame, or all of it.
    """

    left: int
    right: int
    shared: bool


def ways(window: int) -> dict[str, Way]:
    """As published, the last word of the right side was cut off; and the blame was not shared."""
    return {
        PUBLISHED: Way(window, window - 1, shared=False),
        CORRECTED: Way(window, window, shared=True),
    }


@dataclass
class Filling:
    """Word vectors on their way through the reviews.

    Args:
        data: the reviews.
        count: how many of them are read.
        way: how.
        size: how many numbers a word has.
        negatives: how many words are drawn for each blank.
        lr: how far each step goes.
        seed: which first vectors, order and draws.
    """

    data: Reviews
    count: int
    way: Way
    size: int
    negatives: int
    lr: float
    seed: int
    read: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)  # words read, loss of a blank

    def __post_init__(self) -> None:
        self.random = np.random.RandomState(self.seed)
        self.vectors, self.targets = first_tables(
            self.random, len(self.data.words), self.size, np.float32
        )
        self.starts = self.data.starts[: self.count + 1]
        self.tokens = self.data.numbers[: self.starts[-1]]
        self.learn(np.arange(0), key=0)  # compiles it, where it is compiled

    def passes(self, many: int) -> list[tuple[int, Array]]:
        """Pieces of the passes to come: which draws, and which reviews, in an order of their own."""
        return [
            (self.seed * 1000 + n, piece)
            for n in range(many)
            for piece in np.array_split(self.random.permutation(self.count), PIECES)
        ]

    def learn(self, some: Array, key: int) -> None:
        """Go through some reviews, word by word."""
        start = time.process_time()
        self.read += negative_sampling.learn(
            self.tokens, self.starts, self.vectors, self.targets, order=some, lr=self.lr,
            left=self.way.left, right=self.way.right, negatives=self.negatives, key=key,
            shared=self.way.shared,
        )  # fmt: skip
        self.seconds += time.process_time() - start

    def look(self) -> None:
        """How wrong the judgements of a few blanks are, without learning from them."""
        self.losses.append((self.read, self.loss(TRIED)))

    def loss(self, many: int) -> float:
        """The loss of a blank, averaged over blanks that lie evenly through the text."""
        inside = np.arange(self.way.left, len(self.tokens) - self.way.right)
        places = inside[np.linspace(0, len(inside) - 1, min(many, len(inside))).astype(int)]
        steps = [n for n in range(-self.way.left, self.way.right + 1) if n]
        layer_1 = self.vectors[self.tokens[places[:, None] + steps]].mean(axis=1)
        drawn = negative_sampling.drawn(self.tokens, places, self.negatives, np.uint32(0))
        judged = np.column_stack([self.tokens[places], drawn])
        scores = np.einsum("ne,nke->nk", layer_1, self.targets[judged]).astype(np.float64)
        scores[:, 0] *= -1  # log(1 + exp(score)) is the loss where 0 is wanted
        return float(np.logaddexp(0, scores).sum(axis=1).mean())


def first_tables(
    random: np.random.RandomState, count: int, size: int, dtype: Array
) -> tuple[Array, Array]:
    """The published first numbers: vectors up to 0.1 around 0, targets 0."""
    vectors = (random.random_sample((count, size)) - 0.5) * 0.2
    return vectors.astype(dtype), np.zeros((count, size), dtype)


@experiment(
    "11.11",
    to="11.12",
    figures=[
        Figure(
            "words of judgement among the ten closest to terrible", 10, "as published", within=2
        ),
        Figure(
            "of horrible, bad, brilliant, pathetic, among the fifty", 4, "as published", within=2
        ),
    ],
    slow=True,
)
def blanks(
    result: Result,
    *,
    lr: float = 0.05,
    passes: int = 2,
    hidden: int = 50,
    window: int = 2,
    negatives: int = 5,
    texts: int = 25000,
    seed: int = 1,
) -> None:
    """Vectors learned without any label: which word belongs into the blank?

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the reviews are read.
        hidden: how many numbers a word has.
        window: how many words on either side of a blank are looked at.
        negatives: how many words that do not belong there are drawn for each blank.
        texts: how many reviews are read.
        seed: which random vectors, order and draws.
    """
    data = reviews(result)
    count = how_many(result, data, texts)
    runs = {
        name: Filling(data, count, way, hidden, negatives, lr, seed)
        for name, way in ways(window).items()
    }
    agree(result, data, window, hidden, negatives, lr, seed)
    work = [(run, piece) for run in runs.values() for piece in run.passes(passes)]
    for run in runs.values():
        run.look()
    for run, (key, piece) in result.track(work):
        run.learn(piece, key)
        run.look()
    result.plot(
        "loss of a blank",
        {name: tuple(np.array(run.losses).T) for name, run in runs.items()},
        x="words read",
        y="loss",
    )
    learned = {
        name: Words(data.words, run.vectors, data.counts >= OFTEN) for name, run in runs.items()
    }
    for name, run in runs.items():
        settings = settings_of(data, name, count, lr, passes, hidden, window, negatives, seed)
        words.keep(f"11.11 {name}", settings, run.vectors)
    show(result, data, runs, learned)
    fill_one(result, data, runs[CORRECTED])


def how_many(result: Result, data: Reviews, wanted: int) -> int:
    """How many reviews are read: fewer, and this is said, where there is no compiled kernel."""
    count = min(wanted, len(data))
    state = kernels.state()
    if state != "compiled" and count > WITHOUT_KERNEL:
        count = WITHOUT_KERNEL
        key = "switched-off" if state == "switched off" else "without-numba"
        if not any(isinstance(e, Note) and e.key == key for e in result.exhibits):
            result.say(key, count=count, all=f"{min(wanted, len(data)):,}")
        if result.incomparable is None:
            result.incomparable = f"no compiled kernel: {count} reviews in place of all"
    return count


def settings_of(
    data: Reviews,
    name: str,
    count: int,
    lr: float,
    passes: int,
    hidden: int,
    window: int,
    negatives: int,
    seed: int,
) -> dict[str, object]:
    """All that the vectors depend on."""
    of_data = {"data": data.name, "reviews": count, "words": len(data.numbers)}
    how = {"lr": lr, "passes": passes, "hidden": hidden, "window": window, "seed": seed}
    return {**of_data, **how, "negatives": negatives, "run": name}


def show(
    result: Result, data: Reviews, runs: dict[str, Filling], learned: dict[str, Words]
) -> None:
    """Speed, loss and neighbours of both runs."""
    result.table(
        "two ways of filling blanks",
        ("", "words around", "words read", "words a second, on one core", "loss of a blank"),
        [
            (
                name,
                run.way.left + run.way.right,
                run.read,
                int(round(run.read / max(run.seconds, 1e-9), -3)),
                round(run.losses[-1][1], 3),
            )
            for name, run in runs.items()
        ],
    )
    result.table(
        "neighbours",
        ("word", "how near is measured", "nearest words"),
        [
            (each, how, ", ".join(near(each)))
            for each in ("terrible", "beautiful")
            for how, near in (
                ("distance, as published", learned[PUBLISHED].closest),
                ("direction, corrected", learned[CORRECTED].nearest),
            )
        ],
    )
    opinion = data.opinion
    near = learned[PUBLISHED].closest("terrible", 50)
    judging = opinion[data.words.encode(near[:10])] != 0
    result.number("words of judgement among the ten closest to terrible", int(judging.sum()))
    result.number(
        "of horrible, bad, brilliant, pathetic, among the fifty", sum(w in near for w in CLOSE)
    )
    sides = {name: same_side(found, opinion)[0] for name, found in learned.items()}
    for name, run in runs.items():
        result.number(f"loss of a blank, {name}", run.losses[-1][1])
        result.number(f"neighbours on the same side, {name}", sides[name])
    check_truth(result, data, learned[CORRECTED])
    result.say(
        "mistake",
        published=round(runs[PUBLISHED].losses[-1][1], 3),
        corrected=round(runs[CORRECTED].losses[-1][1], 3),
        side_published=f"{sides[PUBLISHED]:.0%}",
        side_corrected=f"{sides[CORRECTED]:.0%}",
    )
    result.say("kept", where=str(words.folder()))


def check_truth(result: Result, data: Reviews, found: Words, many: int = 5) -> None:
    """With made-up reviews the truth is known: all opinions fill the same blanks, of either kind."""
    if not data.truth:
        return
    ids = data.words.encode(data.truth)
    near = [data.words.encode(found.nearest(word, many)) for word in data.truth]
    share = float(np.isin(near, ids).mean())
    result.number("neighbours of opinions that are opinions", share)
    result.say("truth", share=f"{share:.0%}", chance=f"{len(ids) / found.known.sum():.0%}")


# -------------------------------------------------------------------------- one blank, looked into


def fill_one(result: Result, data: Reviews, run: Filling) -> None:
    """Of the first blanks that an opinion was in, the one that is filled most surely in the end."""
    way = run.way
    steps = np.array([n for n in range(-way.left, way.right + 1) if n])
    inside = np.arange(way.left, min(5000, len(run.tokens)) - way.right)
    letters = np.array([word.isalpha() and len(word) > 2 for word in data.words.tokens])
    inside = inside[(data.opinion * letters)[run.tokens[inside]] != 0]
    if not len(inside):
        return
    drawn = negative_sampling.drawn(run.tokens, inside, run.negatives, np.uint32(0))
    judged = np.column_stack([run.tokens[inside], drawn])
    layer_1 = run.vectors[run.tokens[inside[:, None] + steps]].mean(axis=1)
    scores = np.einsum("ne,nke->nk", layer_1, run.targets[judged]).astype(np.float64)
    says = 1 / (1 + np.exp(-scores))
    surest = int(says[:, 0].argmax())
    before, after = (
        " ".join(data.words.decode(run.tokens[inside[surest] + side]))
        for side in (steps[steps < 0], steps[steps > 0])
    )
    result.say("blank", before=before, after=after)
    result.table(
        "how well a word fits into the blank",
        ("word", "wanted", "prediction"),
        [
            (word, int(k == 0), round(float(says[surest, k]), 3))
            for k, word in enumerate(data.words.decode(judged[surest]))
        ],
    )


# ----------------------------------------------------- three times the same: read it, NumPy, compiled


def agree(
    result: Result,
    data: Reviews,
    window: int,
    hidden: int,
    negatives: int,
    lr: float,
    seed: int,
    most: int = 150,
) -> None:
    """The first blanks by the framework, by hand, and by the kernel, all in float64."""
    tokens = data.numbers[:most]
    known = int(tokens.max()) + 1
    start = first_tables(np.random.RandomState(seed), known, hidden, np.float64)
    key = 1
    for name, way in ways(window).items():
        compiled = [table.copy() for table in start]
        negative_sampling.learn(
            tokens, [0, len(tokens)], *compiled, lr=lr, left=way.left, right=way.right,
            negatives=negatives, key=key, shared=way.shared,
        )  # fmt: skip
        by_hand, targets = (table.copy() for table in start)
        fill_by_hand(tokens, by_hand, targets, way, negatives, lr, key)
        result.agree(f"vectors after {len(tokens)} blanks, {name}", compiled[0], by_hand)
        if way.shared:
            ours = fill_by_framework(result, tokens, *start, way, negatives, lr, key)
            result.agree(f"by the framework, after {len(tokens)} blanks", ours, by_hand)


def blanks_of(tokens: Array, way: Way, negatives: int, key: int) -> list[tuple[Array, Array]]:
    """Per blank the words around it, and the words to be judged: the right one, and those drawn."""
    stirred = negative_sampling.mix(np.array([key], np.uint32))[0]
    drawn = negative_sampling.drawn(tokens, np.arange(len(tokens)), negatives, stirred)
    found = []
    for p, word in enumerate(tokens):
        around = [*tokens[max(0, p - way.left) : p], *tokens[p + 1 : p + way.right + 1]]
        if around:
            found.append((np.array(around), np.array([word, *drawn[p]])))
    return found


def fill_by_framework(
    result: Result,
    tokens: Array,
    vectors: Array,
    targets: Array,
    way: Way,
    negatives: int,
    lr: float,
    key: int,
) -> Array:
    """The plain version, to be read: an embedding, a mean, six judgements, and autograd."""
    surrounding = Embedding.from_pretrained(vectors.copy(), freeze=False, sparse=True)
    filling = Embedding.from_pretrained(targets.copy(), freeze=False, sparse=True)
    optimizer = SGD([surrounding.weight, filling.weight], lr=lr)
    wanted = Tensor(np.array([1.0] + negatives * [0.0]))
    for around, judged in blanks_of(tokens, way, negatives, key):
        layer_1 = surrounding(Tensor(around)).mean(dim=0)  # predict
        scores = filling(Tensor(judged)) @ layer_1
        loss = binary_cross_entropy_with_logits(scores, wanted, reduction="sum")  # compare
        optimizer.zero_grad()
        loss.backward()  # learn
        if result.step(f"blank {len(result.steps) + 1}"):
            result.predict("words around", "their numbers", around)
            result.predict("words judged", "the right one first, then those drawn", judged)
            result.predict("layer_1", "vectors[around].mean(axis=0)", layer_1)
            result.predict("prediction", "sigmoid(targets[judged] @ layer_1)", scores.sigmoid())
            result.compare("target", "1 for the word that stood there, 0 for the others", wanted)
            result.compare("loss", "-log of the share of each right answer, summed", loss)
            result.learn("delta", "prediction - target", scores.sigmoid().numpy() - wanted.numpy())
            result.learn(
                "each word around changes by",
                "-lr * delta @ targets[judged] / len(around)",
                0.0 - lr * surrounding.weight.grad.to_dense()[around[0]],
            )
        optimizer.step()
    return surrounding.weight.numpy()


def fill_by_hand(
    tokens: Array, vectors: Array, targets: Array, way: Way, negatives: int, lr: float, key: int
) -> None:
    """The update lines by themselves, in place; the published ones and the true ones."""
    wanted = np.array([1.0] + negatives * [0.0])
    for around, judged in blanks_of(tokens, way, negatives, key):
        layer_1 = vectors[around].mean(axis=0)
        layer_2 = 1 / (1 + np.exp(-(targets[judged] @ layer_1)))
        layer_2_delta = layer_2 - wanted
        layer_1_delta = layer_2_delta @ targets[judged]
        if way.shared:  # the slope of a mean of n is 1 / n
            layer_1_delta = layer_1_delta / len(around)
        np.subtract.at(vectors, around, lr * layer_1_delta)
        np.subtract.at(targets, judged, lr * np.outer(layer_2_delta, layer_1))


# ---------------------------------------------------------------------- what later experiments need


def blank_words(result: Result, data: Reviews, name: str) -> Words:
    """The words as 11.11 learned them, from their file, or learned now."""
    count = how_many(result, data, 25000)
    settings = settings_of(data, name, count, 0.05, 2, 50, 2, 5, 1)

    def learn() -> Array:
        run = Filling(data, count, ways(2)[name], 50, 5, 0.05, 1)
        for key, piece in result.track(run.passes(2)):
            run.learn(piece, key)
        return run.vectors

    vectors = words.kept(f"11.11 {name}", settings, learn)
    return Words(data.words, vectors, data.counts >= OFTEN)
