"""Large tables of which a step uses a few rows: W4, reviews; W8, mails; W5, filling in blanks."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np

from .workload import (
    Arrays,
    Goal,
    Numbers,
    Step,
    Steps,
    Timed,
    Training,
    Workload,
    linear,
    moved,
    uniform,
)

Array = Any


def by_frequency(r: np.random.Generator, vocabulary: int, *shape: int) -> Array:
    """Numbers of words, the n-th as frequent as 1/n (G. K. Zipf, "Human behavior", 1949)."""
    return (vocabulary ** r.random(shape)).astype(np.int64) - 1


class Reviews(Training):
    """Chapter 11: is a review good or bad? The vectors of its words are added up.

    Args:
        vocabulary: how many words there are, where it is not the chapter's number.
    """

    id, title = "W4", "reviews: 230 of 74,000 vectors of 100, linear, batch 1"
    others = ("torch.compile", "bare")  # in JAX every step writes the whole table
    goals = Goal("eager", floor=3), Goal("compiled", floor=20)
    size, lr, words, width = 1, 0.05, 230, 100

    def __init__(self, vocabulary: int = 74_000) -> None:
        self.vocabulary = vocabulary

    def arrays(self) -> Arrays:
        """200 reviews of 230 different words each, good or bad."""
        r = np.random.default_rng(5)
        drawn = [np.unique(by_frequency(r, self.vocabulary, 4 * self.words)) for _ in range(200)]
        inputs = np.stack([r.permutation(ids)[: self.words] for ids in drawn])
        targets = r.integers(0, 2, (200, 1)).astype(np.float32)
        table = uniform(r, self.vocabulary, self.width)
        weights = {"0.weight": table, **linear(r, "1", self.width, 1)}
        return {"inputs": inputs, "targets": targets, "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Only the rows that were used have a gradient."""
        nn = lib.nn
        bag = nn.EmbeddingBag(self.vocabulary, self.width, mode="sum", sparse=True)
        return nn.Sequential(bag, nn.Linear(self.width, 1)), nn.BCEWithLogitsLoss()

    def bare(self, a: Arrays) -> Step:
        """Fetch the rows, and put them back."""
        table, ids = a["weights"]["0.weight"].copy(), a["inputs"]
        rows, turn = np.empty((self.words, self.width), np.float32), iter(range(10**12))

        def step() -> None:
            here = ids[next(turn) % len(ids)]
            table.take(here, axis=0, out=rows, mode="clip")
            table[here] = rows

        return step


class Mails(Training):
    """Chapter 15: a number for each word, above 0 where it speaks for spam; their sum decides."""

    id, title = "W8", "spam: 100,000 numbers, 500 words a mail, batch 500"
    others = ("torch.compile", "bare")
    goals = Goal("eager", floor=9), Goal("compiled", floor=20)
    size, lr, vocabulary, length = 500, 0.01, 100_000, 500

    def arrays(self) -> Arrays:
        """2,000 mails of up to 500 words, filled up with 0."""
        r = np.random.default_rng(8)
        ids = 1 + by_frequency(r, self.vocabulary - 1, 2000, self.length)
        ids[np.arange(self.length) >= r.integers(20, self.length, (2000, 1))] = 0
        targets = r.integers(0, 2, (2000, 1)).astype(np.float32)
        weights = {"0.weight": np.zeros((self.vocabulary, 1), np.float32)}
        return {"inputs": ids, "targets": targets, "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """The number 0 stands for no word, and is not learned."""
        nn = lib.nn
        bag = nn.EmbeddingBag(self.vocabulary, 1, mode="sum", sparse=True, padding_idx=0)
        return nn.Sequential(bag, nn.Sigmoid()), nn.MSELoss(reduction="sum")

    def bare(self, a: Arrays) -> Step:
        """Fetch the numbers, and add to them."""
        table, ids = a["weights"]["0.weight"][:, 0].copy(), a["inputs"][:500]
        flat, d = ids[ids > 0], np.ones(int((ids > 0).sum()), np.float32)

        def step() -> None:
            table[ids].sum(1)
            np.subtract.at(table, flat, d)

        return step


class Blanks(Workload):
    """Chapter 11: which word fills the blank? Judged against five drawn ones, learned after each word.

    Gensim draws other words than we do, so its numbers cannot be compared; ours are compared with
    those of the NumPy twin.
    """

    id, title, unit = "W5", "blanks: window 2, 5 negatives, 74,000 vectors of 50", "µs a word"
    peer, others, threads = "gensim", ("bare",), (1,)
    goals = (Goal("compiled", floor=3),)
    note = "gensim draws words of its own: its numbers are not compared"
    vocabulary, width, window, negatives, lr = 74_000, 50, 2, 5, 0.025
    texts, length = 2000, 250

    def open(self, variant: str, threads: int) -> Timed:
        """Running text, 2,000 reviews of 250 words."""
        r = np.random.default_rng(7)
        tokens = by_frequency(r, self.vocabulary, self.texts * self.length).astype(np.int32)
        tables = uniform(r, self.vocabulary, self.width), uniform(r, self.vocabulary, self.width)
        if variant == "gensim":
            return _Gensim(self, tokens)
        if variant == "bare":
            return Steps(_traffic(tokens, tables[0], self.window, self.negatives), 1000)
        from ..kernels import negative_sampling

        def read(words: int, vectors: Array, targets: Array) -> int:
            starts = np.arange(0, words + 1, self.length)
            return negative_sampling.learn(
                tokens, starts, vectors, targets, lr=self.lr, left=self.window, right=self.window,
                negatives=self.negatives,
            )  # fmt: skip

        def numbers(exact: bool) -> Numbers:
            mine = [table.copy() for table in tables]
            read(2000, *mine)
            return [
                n for after, before in zip(mine, tables, strict=True) for n in moved(after, before)
            ]

        words = 1000 if variant == "eager" else len(tokens)
        mine = [table.copy() for table in tables]
        return Steps(lambda: read(words, *mine), words, numbers)


class _Gensim(Timed):
    """Word2Vec with the same settings, one worker; it reads the text from a file, its faster way."""

    def __init__(self, blanks: Blanks, tokens: Array) -> None:
        import tempfile
        from pathlib import Path

        word2vec: Any = import_module("gensim.models.word2vec")
        self.path = Path(tempfile.mkdtemp()) / "texts.txt"  # a worker's folder is removed with it
        rows = tokens.reshape(blanks.texts, blanks.length)
        self.path.write_text("\n".join(" ".join(map(str, row)) for row in rows.tolist()))
        self.words, self.texts = len(tokens), blanks.texts
        self.model = word2vec.Word2Vec(
            vector_size=blanks.width, window=blanks.window, shrink_windows=False, sg=0, hs=0,
            negative=blanks.negatives, ns_exponent=1.0, sample=0, min_count=1, workers=1,
            alpha=blanks.lr, min_alpha=blanks.lr,
        )  # fmt: skip
        counts = 1 + np.bincount(tokens, minlength=blanks.vocabulary)
        self.model.build_vocab_from_freq({str(i): int(n) for i, n in enumerate(counts)})

    def turn(self, seconds: float) -> float:
        """One pass over the text."""
        begin = time.perf_counter()
        self.model.train(
            corpus_file=str(self.path), total_words=self.words, total_examples=self.texts, epochs=1
        )
        return (time.perf_counter() - begin) / self.words


def _traffic(tokens: Array, table: Array, window: int, negatives: int) -> Step:
    """The rows of 1,000 words and of all that is judged with them: fetched, and put back."""
    count = 2 * window + 1 + negatives
    ids = [part.astype(np.intp) for part in np.split(tokens[: 50 * 1000 * count], 50)]
    rows, turn = np.empty((len(ids[0]), table.shape[1]), table.dtype), iter(range(10**12))

    def step() -> None:
        here = ids[next(turn) % len(ids)]
        table.take(here, axis=0, out=rows, mode="clip")
        table[here] = rows

    return step
