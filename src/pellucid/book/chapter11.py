"""Chapter 11, first part: reviews as rows of words, and what a network learns that judges them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pellucid import Tensor, no_grad, sigmoid
from pellucid.nn import EmbeddingBag, Linear, Module
from pellucid.nn.functional import binary_cross_entropy_with_logits, cosine_similarity
from pellucid.optim import SGD

from . import words
from .digits import as_published
from .experiment import Figure, Result, experiment
from .result import Array
from .reviews import Reviews, reviews
from .words import Words

PUBLISHED, CORRECTED = "as published", "corrected"
BEGIN = 8  # words of a review that are shown
EVERY = 1000  # reviews; so often the accuracy is written down
OFTEN = 50  # occurrences; of rarer words the vectors are hardly learned


# ----------------------------------------------------------------------------- 11.2 words as numbers


@experiment("11.2", to="11.5")
def words_as_numbers(result: Result, *, shown: int = 4) -> None:
    """Texts become numbers: a column for each word, a row for each review.

    Args:
        shown: how many reviews are laid out in full.
    """
    data = reviews(result)
    result.table("what is asked of texts", ("task", "from", "to"), TASKS)
    result.number("reviews", len(data))
    result.number("words in all", len(data.numbers))
    result.number("different words", len(data.words))
    some = range(min(shown, len(data)))
    result.table(
        "the first reviews",
        ("a review begins", "words", "different", "positive"),
        [
            (
                " ".join(data.words.decode(data[n][:BEGIN])),
                len(data[n]),
                len(data.bags[n]),
                bool(data.labels[n]),
            )
            for n in some
        ],
    )
    show_one_hot(result, data)
    show_bags(result, data, some)
    show_counts(result, data)


TASKS = (
    ("label each character", "characters", "where a word or a sentence ends"),
    ("label each word", "words", "noun, verb, name"),
    ("link words", "pairs of words", "whether one stands for the other"),
    ("label a stretch", "part of a text", "what it names: a person, a place"),
    ("label a whole text", "a review", "positive or negative"),
    ("write", "a text so far", "the next word"),
)


def show_one_hot(result: Result, data: Reviews) -> None:
    """The first five words of the first review as rows with a single 1; and what they are good for."""
    ids = data[0][:5]
    one_hot = np.eye(len(np.unique(ids)))[np.unique(ids, return_inverse=True)[1]]
    result.table(
        "one-hot: a 1 in the column of the word",
        ("word", "number", "its row, of the columns that occur here"),
        [
            (data.words.tokens[i], int(i), " ".join(f"{n:.0f}" for n in row))
            for i, row in zip(ids, one_hot, strict=True)
        ],
    )
    columns = min(2000, len(data.words))
    table = np.random.RandomState(1).random_sample((columns, 3))
    used = ids[ids < columns]
    bag = EmbeddingBag(columns, 3, mode="sum", _weight=table)
    looked_up = bag(Tensor(used[None]))
    wide = np.zeros((len(used), columns))
    wide[np.arange(len(used)), used] = 1
    result.agree(
        "rows looked up, and one-hot times the table", looked_up, (wide @ table).sum(0)[None]
    )


def show_bags(result: Result, data: Reviews, some: range) -> None:
    """A row for each of a few reviews: 1 where it has the word."""
    wanted = ["the", "not", "best", "great", "bad", "worst", *sorted(data.truth, key=len)[:5]]
    names = [word for word in wanted if word in data.words][:6]
    columns = data.words.encode(names)
    matrix = np.stack([np.isin(columns, data.bags[n]) for n in some]).astype(int)
    result.table(
        "bag of words: a row for each review, a column for each word",
        ("review", *(f"“{name}”" for name in names)),
        [(n + 1, *row) for n, row in zip(some, matrix.tolist(), strict=True)],
    )
    full = sum(map(len, data.bags))
    cells = len(data) * len(data.words)
    result.say("sparse", cells=f"{cells:,}", full=f"{full:,}", share=f"{full / cells:.2%}")


def show_counts(result: Result, data: Reviews, each: int = 6) -> None:
    """The words that lean most clearly to one side: counting alone knows a lot."""
    order = np.argsort(data.lean, kind="stable")
    rows = [
        (
            data.words.tokens[i],
            int(data.kinds[1, i]),
            int(data.kinds[0, i]),
            round(float(data.lean[i]), 1),
        )
        for i in (*order[::-1][:each], *order[:each][::-1])
    ]
    result.table(
        "in how many reviews a word occurs",
        ("word", "positive reviews", "negative reviews", "leans by"),
        rows,
    )


# ------------------------------------------------------------------------------------ 11.6 sentiment


@as_published
def sigmoid_with_slope_1(x: Array) -> Array:
    """Squash any number into (0, 1); but its slope was left out, as if it were 1 everywhere."""
    return 1 / (1 + np.exp(-x))


@sigmoid_with_slope_1.slope("x")
def _(d: Array) -> Array:
    return d  # the corrected network has d * y * (1 - y)


class Sentiment(Module):
    """The vectors of a review's words added up, a sigmoid, and one score: above 0 for positive.

    Args:
        table: the first vectors of the words, (words, hidden).
        weights: the first weights from the hidden layer to the score, (hidden, 1).
        bend: the sigmoid.
    """

    def __init__(self, table: Array, weights: Array, bend: Callable[[Tensor], Tensor]) -> None:
        self.words = EmbeddingBag(*table.shape, mode="sum", sparse=True, _weight=table.copy())
        self.output = Linear(len(weights), 1, bias=False)
        with no_grad():
            self.output.weight.copy_(weights.T)
        self.bend = bend

    def forward(self, bag: Tensor) -> Tensor:
        """The score of one review, (1, 1), from its different words, (1, words)."""
        return self.output(self.bend(self.words(bag)))  # type: ignore[no-any-return]


def first_weights(data: Reviews, hidden: int, seed: int) -> tuple[Array, Array]:
    """The published runs' first weights: vectors, then the way out, all up to 0.1 around 0."""
    random = np.random.RandomState(seed)
    table = 0.2 * random.random_sample((len(data.words), hidden)) - 0.1
    return table, 0.2 * random.random_sample((hidden, 1)) - 0.1


BENDS: dict[str, Callable[[Tensor], Tensor]] = {
    PUBLISHED: sigmoid_with_slope_1,
    CORRECTED: sigmoid,
}


@dataclass
class Reading:
    """A network on its way through the reviews, and how often it was right.

    Args:
        data: the reviews.
        network: what learns.
        lr: how far each step goes.
    """

    data: Reviews
    network: Sentiment
    lr: float
    right: list[bool] = field(default_factory=list)  # in the order in which they were met
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.optimizer = SGD(self.network.parameters(), lr=self.lr)

    def judge(self, review: int) -> tuple[Tensor, Tensor]:
        """The score of a review, and how wrong it is."""
        score = self.network(Tensor(self.data.bags[review][None]))  # predict
        wanted = Tensor([[float(self.data.labels[review])]])
        return score, binary_cross_entropy_with_logits(score, wanted)  # compare

    def read(self, some: range) -> None:
        """Predict, compare, learn: review by review."""
        start = time.process_time()
        for n in some:
            score, loss = self.judge(n)
            self.optimizer.zero_grad()
            loss.backward()  # learn
            self.optimizer.step()
            self.right.append((score.item() > 0) == self.data.labels[n])
        self.seconds += time.process_time() - start

    def accuracy(self, some: range) -> float:
        """The share of some reviews judged rightly, without learning from them."""
        with no_grad():
            return float(
                np.mean([(self.judge(n)[0].item() > 0) == self.data.labels[n] for n in some])
            )


def divided(data: Reviews, test: int) -> tuple[range, range]:
    """Reviews to learn from and, at the end, reviews to test with: a fifth of them at most."""
    kept = min(test, len(data) // 5)
    return range(len(data) - kept), range(len(data) - kept, len(data))


@experiment(
    "11.6",
    to="11.7",
    figures=[Figure("test accuracy", 0.85, "2 passes, as published", at_least=True)],
    slow=True,
)
def sentiment(
    result: Result,
    *,
    lr: float = 0.01,
    passes: int = 2,
    hidden: int = 100,
    test: int = 1000,
    seed: int = 1,
) -> None:
    """A vector for each word, learned from nothing but whether people liked a film.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the reviews are read.
        hidden: how many numbers a word has.
        test: how many reviews at the end are kept for testing.
        seed: which random vectors to start from.
    """
    data = reviews(result)
    train, kept_aside = divided(data, test)
    start = first_weights(data, hidden, seed)
    tell_one_step(result, data, start, lr)
    readings = {name: Reading(data, Sentiment(*start, bend), lr) for name, bend in BENDS.items()}
    pieces = [train[n : n + EVERY] for n in range(0, len(train), EVERY)] * passes
    for piece in result.track(pieces):
        for reading in readings.values():
            reading.read(piece)
    accuracy = {name: reading.accuracy(kept_aside) for name, reading in readings.items()}
    result.number("test accuracy", accuracy[PUBLISHED])
    result.number("test accuracy, corrected", accuracy[CORRECTED])
    result.plot(
        "share of reviews judged rightly, as they were met",
        {name: along(reading.right) for name, reading in readings.items()},
        x="reviews read",
        y="right",
    )
    result.table(
        "two ways of learning",
        ("", *(f"pass {n + 1}" for n in range(passes)), "test", "reviews a second, on one core"),
        [
            (
                name,
                *(round(float(np.mean(p)), 3) for p in np.split(np.array(r.right), passes)),
                accuracy[name],
                round(len(r.right) / r.seconds),
            )
            for name, r in readings.items()
        ],
    )
    few = train[: min(300, len(train))]
    for name in BENDS:
        again = Reading(data, Sentiment(*start, BENDS[name]), lr)
        again.read(few)
        table, _ = sentiment_by_hand(data, start, lr, few, published=name == PUBLISHED)
        result.agree(f"vectors after {len(few)} reviews, {name}", again.network.words.weight, table)
    for name, reading in readings.items():
        vectors = reading.network.words.weight.numpy().astype(np.float32)
        words.keep(f"11.6 {name}", settings_of(data, name, lr, passes, hidden, test, seed), vectors)
    slope = typical_slope(readings[CORRECTED], kept_aside)
    result.say(
        "mistake",
        published=accuracy[PUBLISHED],
        corrected=accuracy[CORRECTED],
        slope=round(slope, 2),
    )
    result.say("kept", where=str(words.folder()))


def settings_of(
    data: Reviews, name: str, lr: float, passes: int, hidden: int, test: int, seed: int
) -> dict[str, object]:
    """All that the vectors depend on."""
    of_data = {"data": data.name, "reviews": len(data), "words": len(data.numbers)}
    how = {"lr": lr, "passes": passes, "hidden": hidden, "test": test, "seed": seed}
    return {**of_data, **how, "run": name}


def along(right: list[bool]) -> tuple[Array, Array]:
    """After how many reviews, and the share that was right among the last thousand before."""
    size = min(EVERY, max(len(right) // 8, 1))
    whole = len(right) // size * size
    shares = np.array(right[:whole], dtype=float).reshape(-1, size).mean(axis=1)
    return size * np.arange(1, len(shares) + 1), shares


def typical_slope(reading: Reading, some: range) -> float:
    """The slope of the hidden layer's sigmoid, averaged over reviews and units."""
    with no_grad():
        layers = [sigmoid(reading.network.words(Tensor(reading.data.bags[n][None]))) for n in some]
    return float(np.mean([layer.numpy() * (1 - layer.numpy()) for layer in layers]))


def tell_one_step(result: Result, data: Reviews, start: tuple[Array, Array], lr: float) -> None:
    """All values of the first step of the corrected network; it is not made."""
    reading = Reading(data, Sentiment(*start, sigmoid), lr)
    network, bag = reading.network, data.bags[0]
    sums = network.words(Tensor(bag[None]))
    layer_1 = sigmoid(sums)
    score, loss = reading.judge(0)
    loss.backward()
    if not result.step("the first review"):
        return
    change = 0.0 - lr * network.output.weight.grad.data
    delta = score.sigmoid().numpy() - data.labels[0]
    layer_1_delta = delta @ start[1].T * layer_1.numpy() * (1 - layer_1.numpy())
    result.predict("words", "numbers of the review's different words", bag)
    result.predict("layer_1", "sigmoid(table[words].sum(axis=0))", layer_1)
    result.predict("score", "layer_1 @ weights", score)
    result.predict("prediction", "sigmoid(score)", score.sigmoid())
    result.compare("target", "1 for a positive review, 0 for a negative one", data.labels[0])
    result.compare("loss", "-log of the share of the right answer", loss)
    result.learn("delta", "prediction - target", delta)
    result.learn("layer_1_delta", "delta @ weights.T * layer_1 * (1 - layer_1)", layer_1_delta)
    result.learn("weights change by", "-lr * layer_1.T @ delta", change)
    result.learn("each of the words changes by", "-lr * layer_1_delta", 0.0 - lr * layer_1_delta)


def sentiment_by_hand(
    data: Reviews, start: tuple[Array, Array], lr: float, some: range, *, published: bool
) -> tuple[Array, Array]:
    """The vectors and the weights after some reviews, in NumPy alone."""
    table, weights = (w.copy() for w in start)
    for n in some:
        bag = data.bags[n]
        layer_1 = 1 / (1 + np.exp(-table[bag].sum(axis=0)))
        prediction = 1 / (1 + np.exp(-(layer_1 @ weights)))
        delta = prediction - data.labels[n]
        slope = 1 if published else layer_1 * (1 - layer_1)
        layer_1_delta = delta @ weights.T * slope
        weights -= lr * np.outer(layer_1, delta)
        table[bag] -= lr * layer_1_delta  # each word is there once
    return table, weights


# --------------------------------------------------------------------------- 11.8 what was learned


def sentiment_words(result: Result, data: Reviews, name: str) -> Words:
    """The words as 11.6 learned them, from their file, or learned now."""
    defaults = {"lr": 0.01, "passes": 2, "hidden": 100, "test": 1000, "seed": 1}

    def learn() -> Array:
        start = first_weights(data, 100, 1)
        reading = Reading(data, Sentiment(*start, BENDS[name]), 0.01)
        train, _ = divided(data, 1000)
        pieces = [train[n : n + EVERY] for n in range(0, len(train), EVERY)] * 2
        for piece in result.track(pieces):
            reading.read(piece)
        return reading.network.words.weight.numpy().astype(np.float32)

    settings = settings_of(data, name, **defaults)  # type: ignore[arg-type]
    vectors = words.kept(f"11.6 {name}", settings, learn)
    return Words(data.words, vectors, data.counts >= OFTEN)


NEGATIVE = ("boring", "lame", "horrible")  # as the published run named them


@experiment(
    "11.8",
    to="11.10",
    figures=[
        Figure("negative words among the ten closest to terrible", 10, "as published", within=1),
        Figure("of boring, lame, horrible, among the fifty closest", 3, "as published", within=1),
    ],
    slow=True,
)
def neighbours(result: Result, *, word: str = "beautiful", many: int = 10) -> None:
    """Words that do the same to a review get similar numbers.

    Args:
        word: whose neighbours to look for, beside those of terrible.
        many: how many neighbours.
    """
    data = reviews(result)
    words.question(f"{word} - terrible", data.words)  # whether they are there at all
    found = {name: sentiment_words(result, data, name) for name in BENDS}
    published, corrected = found.values()
    result.table(
        "neighbours",
        ("word", "how near is measured", "nearest words"),
        [
            (each, how, ", ".join(near(each, many)))
            for each in dict.fromkeys((word, "terrible"))
            for how, near in (
                ("distance, as published", published.closest),
                ("distance, corrected", corrected.closest),
                ("direction, as published", published.nearest),
                ("direction, corrected", corrected.nearest),
            )
        ],
    )
    opinion = data.opinion
    ten = data.words.encode(published.closest("terrible", 10))
    fifty = published.closest("terrible", 50)
    result.number("negative words among the ten closest to terrible", int((opinion[ten] < 0).sum()))
    result.number(
        "of boring, lame, horrible, among the fifty closest", sum(w in fifty for w in NEGATIVE)
    )
    show_sides(result, found, opinion)
    check_truth(result, data, corrected)
    vectors = corrected.vectors.astype(np.float64)
    ids = data.words.encode(["terrible", *corrected.nearest("terrible", many)])
    by_layer = cosine_similarity(Tensor(vectors[ids[1:]]), Tensor(vectors[ids[:1]]), dim=1)
    by_hand = corrected.unit[ids[1:]].astype(np.float64) @ corrected.unit[ids[0]].astype(np.float64)
    result.agree("directions of the neighbours of terrible", by_layer, by_hand, allowed=1e-5)
    show_vectors(result, data, corrected)


def same_side(found: Words, opinion: Array, many: int = 5) -> tuple[float, int]:
    """Do the neighbours of a word with an opinion hold the same one?

    Asked of all words that clearly lean to one side, each for its nearest ones among them.

    Returns:
        The share that does, and how many words were asked. Chance would give about a half.
    """
    (asked,) = np.nonzero((opinion != 0) & found.known)
    if len(asked) <= many:
        return float("nan"), len(asked)
    cosines = found.unit[asked] @ found.unit[asked].T
    np.fill_diagonal(cosines, -np.inf)
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :many]
    return float((opinion[asked][near] == opinion[asked][:, None]).mean()), len(asked)


def show_sides(result: Result, found: Mapping[str, Words], opinion: Array) -> None:
    """Do neighbours hold the same opinion? Beside what chance would give."""
    rows = []
    for name, space in found.items():
        share, asked = same_side(space, opinion)
        result.number(f"neighbours on the same side, {name}", share)
        rows.append((name, asked, f"{share:.1%}"))
    result.table(
        "of each word with an opinion: do its five nearest hold the same?",
        ("", "words asked", "the same"),
        rows,
    )


def check_truth(result: Result, data: Reviews, found: Words) -> None:
    """With made-up reviews the truth is known: are the words told apart as it says?"""
    if not data.truth:
        return
    truth = np.zeros(len(data.words))
    truth[data.words.encode(data.truth)] = [*data.truth.values()]
    share, asked = same_side(found, truth)
    result.number("neighbours that speak for the same kind, by the truth", share)
    result.say("truth", words=asked, share=f"{share:.0%}")


def show_vectors(result: Result, data: Reviews, found: Words, each: int = 5) -> None:
    """The vectors of the words that lean most clearly to either side, as small pictures."""
    order = np.argsort(np.where(found.known, data.lean, 0.0), kind="stable")
    side = int(found.vectors.shape[1] ** 0.5)
    chosen = [*order[::-1][:each], *order[:each]]
    result.picture(
        "the numbers of some words, as squares; negative and positive ones in two colours",
        {
            f"“{data.words.tokens[i]}”": found.vectors[i, : side * side].reshape(side, side)
            for i in chosen
        },
        signed=True,
    )
