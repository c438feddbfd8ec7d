"""Chapter 12: sentences of any length. Averages of word vectors, and what they forget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import Tensor, embedding_bag, no_grad
from pellucid.data import Vocabulary, datasets
from pellucid.nn import Embedding, Linear
from pellucid.nn.functional import binary_cross_entropy_with_logits
from pellucid.optim import SGD, Adam

from .experiment import Result, experiment
from .refusal import Refusal
from .result import Array

RARE = 5  # a word that occurs less often has no vector
DRAWN = 5  # words drawn from the running text for each word that is to be guessed
BATCH = 1024  # words guessed at a time
NEAREST = 10
ASKED = (("terrible",), ("wonderful",), ("boring", "awful"))
VOTERS = ("wonderful", "brilliant", "beautiful", "funny", "the", "weak", "boring", "awful")


# ------------------------------------------------------------------------------- reviews and vectors


@dataclass(frozen=True)
class Reviews:
    """Reviews as numbers of words, each as long as it is, and whether it is favourable."""

    texts: list[str]
    labels: Array
    words: Vocabulary
    numbers: list[Array]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def distinct(self) -> list[Array]:
        """The distinct words of each review."""
        return [np.unique(review) for review in self.numbers]


def some_reviews(result: Result, count: int) -> Reviews:
    """The first reviews of IMDB; where they are not to be had, made-up ones, and this is announced."""
    reviews = datasets.imdb(limit=count, stand_in=True, quiet=True)
    if reviews.stands_in:
        result.stand_in("IMDB", "made-up reviews")
    words = Vocabulary(
        (word for review in reviews.words for word in review),
        min_count=RARE,
        specials=(),
        unknown=None,
    )
    numbers = [words.encode(w for w in review if w in words) for review in reviews.words]
    kept = [n for n, review in enumerate(numbers) if len(review)]
    return Reviews(
        [reviews.texts[n] for n in kept],
        reviews.labels[kept],
        words,
        [numbers[n] for n in kept],
    )


class FillIn:
    """Word vectors from filling in blanks: which word stands in the middle of these?

    The average of the vectors around a blank is compared with the word that stands there and with
    some that were drawn from the running text (Mikolov et al., 2013). What the reviews think of
    their films is never looked at.

    Args:
        reviews: what is read.
        size: how many numbers a vector has.
        window: how many words to the left and to the right are around a blank.
        lr: how far each step goes.
        seed: which random numbers.
    """

    def __init__(self, reviews: Reviews, size: int, window: int, lr: float, seed: int) -> None:
        self.random = np.random.RandomState(seed)
        self.text = np.concatenate(reviews.numbers)
        self.around = np.array([n for n in range(-window, window + 1) if n])
        self.blanks = np.arange(window, len(self.text) - window)
        if len(self.blanks) < BATCH:
            raise Refusal("few words", words=len(self.text), window=window)
        count = len(reviews.words)
        first = (self.random.random_sample((count, size)) - 0.5) * 0.2
        self.vectors = Embedding.from_pretrained(first.astype(np.float32), freeze=False)
        self.blank = Embedding.from_pretrained(np.zeros((count, size), np.float32), freeze=False)
        self.optimizer = Adam([self.vectors.weight, self.blank.weight], lr=lr)
        share = np.bincount(self.text, minlength=count) / len(self.text)
        self.read = np.minimum(1, np.sqrt(1e-3 / share))  # of frequent words not every one

    def one_pass(self) -> float:
        """Once through the text, in another order each time. Returns the mean loss."""
        wanted = self.random.random_sample(len(self.blanks)) < self.read[self.text[self.blanks]]
        blanks = self.random.permutation(self.blanks[wanted])
        if len(blanks) < BATCH:
            blanks = self.blanks
        starts = range(0, len(blanks) - BATCH + 1, BATCH)
        losses = [self.learn(*self.batch(blanks[start : start + BATCH])) for start in starts]
        return float(np.mean(losses))

    def batch(self, blanks: Array) -> tuple[Array, Array]:
        """The words around each blank; and the one that stands there, with others drawn."""
        drawn = self.random.randint(len(self.text), size=(len(blanks), DRAWN))
        there = self.text[np.column_stack([blanks, drawn])]
        return self.text[blanks[:, None] + self.around], there

    def loss(self, around: Array, words: Array) -> Tensor:
        """How badly the first of the words is told from the others; per blank."""
        average = self.vectors(Tensor(around)).mean(dim=1)
        scores = (self.blank(Tensor(words)) @ average.unsqueeze(2)).squeeze(2)
        right = np.zeros(words.shape, scores.dtype)
        right[:, 0] = 1
        loss = binary_cross_entropy_with_logits(scores, Tensor(right), reduction="sum")
        return loss / len(words)

    def learn(self, around: Array, words: Array) -> float:
        """One step: predict, compare, learn. Returns the loss per blank."""
        loss = self.loss(around, words)  # predict, compare
        self.optimizer.zero_grad()
        loss.backward()  # learn
        self.optimizer.step()
        return float(loss.item())


def gradients_by_hand(fill: FillIn, around: Array, words: Array) -> tuple[Array, Array]:
    """The gradients of both tables, in NumPy alone."""
    vectors, blank = fill.vectors.weight.numpy(), fill.blank.weight.numpy()
    average = vectors[around].mean(axis=1)
    delta = 1 / (1 + np.exp(-(blank[words] * average[:, None]).sum(axis=2)))
    delta[:, 0] -= 1
    delta /= len(words)
    of_vectors, of_blank = np.zeros_like(vectors), np.zeros_like(blank)
    np.add.at(of_blank, words, delta[:, :, None] * average[:, None])
    back = (delta[:, :, None] * blank[words]).sum(axis=1) / around.shape[1]
    np.add.at(of_vectors, around, np.repeat(back[:, None], around.shape[1], axis=1))
    return of_vectors, of_blank


def of_length_1(vectors: Array) -> Array:
    """Each vector, shortened or stretched to the length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def averages(vectors: Array, reviews: list[Array]) -> Array:
    """One vector per review: the average of its words', however many they are."""
    starts = np.cumsum([0, *map(len, reviews[:-1])])
    ids = Tensor(np.concatenate(reviews))
    return embedding_bag(ids, Tensor(vectors), Tensor(starts), mode="mean").numpy()


# ------------------------------------------------------------------ 12.1 averages of word vectors


@experiment("12.1", to="12.5", slow=True)
def averaged_word_vectors(
    result: Result,
    *,
    reviews: int = 4000,
    passes: int = 5,
    size: int = 30,
    window: int = 8,
    lr: float = 0.005,
    seed: int = 1,
) -> None:
    """Reviews of ten words and of a thousand become vectors of one size, and can be compared.

    Args:
        reviews: how many of IMDB's reviews are read.
        passes: how often they are read to learn the words' vectors.
        size: how many numbers a vector has.
        window: how many words on either side help to guess a blank.
        lr: how far each step goes.
        seed: which random numbers.
    """
    data = some_reviews(result, reviews)
    fill = FillIn(data, size, window, lr, seed)
    tell_one_step(result, fill)
    losses = [fill.one_pass() for _ in result.track(range(passes))]
    vectors = of_length_1(fill.vectors.weight.numpy().astype(np.float64))
    any_length(result, data, vectors)
    nearest_words(result, data, vectors)
    meant = averages(vectors, data.distinct)
    as_loop = np.array([vectors[review].mean(axis=0) for review in data.distinct])
    result.agree("an average for each review", meant, as_loop)
    alike = of_length_1(meant - meant.mean(axis=0))
    similar_reviews(result, data, vectors, alike)
    random = of_length_1(np.random.RandomState(seed).normal(size=vectors.shape))
    other = averages(random, data.distinct)
    shared = {
        "learned vectors": same_opinion(alike, data.labels),
        "random vectors": same_opinion(of_length_1(other - other.mean(axis=0)), data.labels),
    }
    for name, share in shared.items():
        result.number(f"of the ten nearest reviews, those of the same opinion: {name}", share)
    votes(result, data, vectors, meant)
    result.number("loss of the last pass", losses[-1])
    result.say(
        "averages",
        learned=f"{shared['learned vectors']:.0%}",
        random=f"{shared['random vectors']:.0%}",
        size=size,
    )


def tell_one_step(result: Result, fill: FillIn) -> None:
    """The first blank of a batch, and the gradients of the batch held against those by hand."""
    before = fill.random.get_state()
    around, words = fill.batch(fill.blanks[:BATCH])
    fill.random.set_state(before)
    with no_grad():
        fill.blank.weight.copy_(fill.vectors.weight * 0.5)  # from zero, no blame comes through
    loss = fill.loss(around, words)
    loss.backward()
    tables = fill.vectors.weight.grad.numpy(), fill.blank.weight.grad.numpy()
    names = "gradient of the vectors around", "gradient of the words in the blank"
    for name, ours, by_hand in zip(
        names, tables, gradients_by_hand(fill, around, words), strict=True
    ):
        result.agree(name, ours, by_hand, allowed=1e-4)  # in float32
    if result.step("a blank, with all numbers small and random"):
        average = fill.vectors.weight.numpy()[around[0]].mean(axis=0)
        scores = fill.blank.weight.numpy()[words[0]] @ average
        result.predict("average", "mean of the vectors around the blank", average)
        result.predict("scores", "average with the word there and those drawn", scores)
        result.compare("target", "1 for the word that stands there", np.eye(1, len(scores))[0])
        result.compare("loss", "-log of being right, all words, per blank", loss)
        delta = 1 / (1 + np.exp(-scores)) - np.eye(1, len(scores))[0]
        result.learn("delta", "sigmoid(scores) - target", delta)
        result.learn(names[1], "delta * average, all blanks", tables[1][words[0][0]])
    fill.optimizer.zero_grad()
    with no_grad():
        fill.blank.weight.zero_()


def any_length(result: Result, data: Reviews, vectors: Array) -> None:
    """A short, a middling and a long review, each as one vector."""
    by_length = np.argsort([len(review) for review in data.numbers], kind="stable")
    rows = []
    for at in (0, len(by_length) // 2, len(by_length) - 1):
        review = data.numbers[by_length[at]]
        total = vectors[review].sum(axis=0)
        average = total / len(review)
        rows.append(
            (
                len(review),
                len(average),
                *(round(float(np.linalg.norm(v)), 2) for v in (total, average)),
            )
        )
    result.table(
        "reviews of any length become vectors of one size",
        ("words", "numbers in its vector", "length of the sum", "length of the average"),
        rows,
    )


def nearest_words(result: Result, data: Reviews, vectors: Array, most: int = 6) -> None:
    """The words nearest to a word, or to the average of two."""
    rows = []
    for asked in ASKED:
        if not all(word in data.words for word in asked):
            continue
        numbers = [data.words[word] for word in asked]
        nearness = vectors @ of_length_1(vectors[numbers].mean(axis=0))
        order = [n for n in np.argsort(-nearness, kind="stable") if n not in numbers][:most]
        rows.append((" + ".join(asked), ", ".join(data.words.decode(order))))
    if rows:
        result.table(
            "nearest to a word, and to the average of two", ("asked", "nearest words"), rows
        )


def similar_reviews(result: Result, data: Reviews, vectors: Array, alike: Array) -> None:
    """The reviews nearest to two words, and to a review."""
    asked = [word for word in ASKED[-1] if word in data.words]
    shown: list[tuple[str, Array, int]] = []
    if asked:
        wanted = of_length_1(vectors[[data.words[word] for word in asked]].mean(axis=0))
        shown.append((" + ".join(asked), alike @ wanted, -1))
    shown.append((beginning(data.texts[0]), alike @ alike[0], 0))
    for title, nearness, itself in shown:
        order = [n for n in np.argsort(-nearness, kind="stable") if n != itself][:4]
        name = (
            "reviews most similar to two words" if itself else "reviews most similar to the first"
        )
        rows = [(title, "asked", 1.0)] if itself == 0 else []
        rows += [
            (beginning(data.texts[n]), opinion(data.labels[n]), round(float(nearness[n]), 3))
            for n in order
        ]
        result.table(name, ("a review begins", "opinion", "similar"), rows)


def beginning(text: str, length: int = 48) -> str:
    """How a review begins."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 3] + "..."


def opinion(label: int) -> str:
    """What a label says."""
    return "favourable" if label else "unfavourable"


def same_opinion(alike: Array, labels: Array) -> float:
    """Of each review's ten nearest, the share with its own label, on average over all reviews."""
    shares = []
    for start in range(0, len(alike), 500):
        nearness = alike[start : start + 500] @ alike.T
        rows = np.arange(len(nearness))
        nearness[rows, start + rows] = -np.inf
        near = np.argpartition(-nearness, NEAREST, axis=1)[:, :NEAREST]
        shares.append((labels[near] == labels[start + rows, None]).mean(axis=1))
    return float(np.concatenate(shares).mean())


def votes(result: Result, data: Reviews, vectors: Array, meant: Array, steps: int = 100) -> None:
    """A layer that reads averages lets every word vote: its score is the average of theirs."""
    cut = len(meant) * 3 // 4
    middle, spread = meant.mean(axis=0), meant.std()
    layer = Linear(meant.shape[1], 1)
    optimizer = SGD(layer.parameters(), lr=0.5, weight_decay=0.01)
    x, target = Tensor((meant - middle) / spread), Tensor(data.labels[:, None].astype(np.float64))
    for _ in range(steps):
        loss = binary_cross_entropy_with_logits(layer(x[:cut]), target[:cut])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with no_grad():
        scores = layer(x).numpy()[:, 0]
        each = layer(Tensor((vectors - middle) / spread)).numpy()[:, 0]
    right = (scores[cut:] > 0) == (data.labels[cut:] == 1)
    result.number("opinions of new reviews read from the average", float(right.mean()))
    by_votes = [each[review].mean() for review in data.distinct]
    result.agree("a review's score is the average of its words' votes", scores, by_votes)
    known = [word for word in VOTERS if word in data.words]
    result.table(
        "how words vote",
        ("word", "vote"),
        [(word, round(float(each[data.words[word]]), 2)) for word in known],
    )
    result.say("votes", right=f"{right.mean():.0%}")
