"""Chapter 12 on stand-ins: averages, lost word order, matrices that learn, and the next word."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book
from pellucid.book import chapter12, chapter12_matrices, chapter12_stories
from pellucid.book.chapter12_stories import CORRECTED, PUBLISHED, Learner, Lines, Weights
from pellucid.book.keeping import Keeper
from pellucid.book.result import Result
from pellucid.data import Vocabulary
from pellucid.errors import ArgumentError
from pellucid.nn.functional import cross_entropy
from pellucid.testing import gradcheck

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
SMALL: dict[str, dict[str, Any]] = {
    "12.1": {"reviews": 300, "passes": 2, "size": 8},
    "12.6": {},
    "12.8": {},
    "12.11": {"steps": 2500},
}
random = np.random.default_rng(12)


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


@cache
def ran(id: str) -> Result:
    return book.find(id).run(**SMALL[id])


def test_every_row_of_the_chapter_is_there() -> None:
    spans = ["12.1–12.5", "12.6–12.7", "12.8–12.10", "12.11–12.18"]
    assert [e.span for e in book.select(["12"])] == spans


@pytest.mark.parametrize("id", SMALL)
def test_framework_and_hand_agree(id: str) -> None:
    assert ran(id).agreements
    assert [a.name for a in ran(id).agreements if not a.ok] == []


@pytest.mark.parametrize(("id", "what"), [("12.1", "IMDB"), ("12.11", "bAbI")])
def test_stand_in_is_announced_and_nothing_compared(id: str, what: str) -> None:
    assert f"{what} is not here" in (ran(id).incomparable or "")
    assert all(c.met is None for c in book.find(id).compare(ran(id)))


@pytest.mark.parametrize("id", ["12.1", "12.8", "12.11"])
def test_one_step_is_told_from_prediction_to_learning(id: str) -> None:
    assert {v.stage for v in ran(id).steps[0].values} == {"predict", "compare", "learn"}


@pytest.mark.parametrize("id", ["12.8", "12.11"])
def test_steps_far_too_long(id: str) -> None:
    settings = {"12.8": {"steps": 20}, "12.11": {"steps": 50}}[id]
    result = book.find(id).run(**settings, lr=1e9)
    assert result.agrees
    assert not all(np.isfinite(c.y).all() for c in result.plots[0].curves) or id == "12.11"


# ----------------------------------------------------------------------------- averages of vectors


def reviews(*texts: str) -> chapter12.Reviews:
    cut = [text.split() for text in texts]
    words = Vocabulary((w for text in cut for w in text), specials=(), unknown=None)
    numbers = [words.encode(text) for text in cut]
    return chapter12.Reviews(list(texts), np.zeros(len(texts), int), words, numbers)


def test_reviews_of_any_length_have_vectors_of_one_size() -> None:
    some = reviews("a", "a b", "c b a b c c c c")
    vectors = np.array([[3.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    order = [some.words["a"], some.words["b"], some.words["c"]]
    table = np.empty_like(vectors)
    table[order] = vectors
    assert np.allclose(chapter12.averages(table, some.distinct), [[3, 0], [1.5, 1.5], [4 / 3] * 2])


def test_gradients_of_filling_in_blanks_are_true() -> None:
    some = reviews(" ".join(random.choice(list("abcdefgh"), size=1200)))
    fill = chapter12.FillIn(some, size=3, window=2, lr=0.1, seed=1)
    fill.vectors.double(), fill.blank.double()
    fill.blank.weight.data[:] = random.normal(size=fill.blank.weight.shape)
    around, words = fill.batch(np.array([5, 9, 700]))

    def loss(*tables: Tensor) -> Tensor:
        return fill.loss(around, words)

    tables = [fill.vectors.weight, fill.blank.weight]
    assert gradcheck(loss, tables, atol=1e-7)
    fill.loss(around, words).backward()
    for table, by_hand in zip(
        tables, chapter12.gradients_by_hand(fill, around, words), strict=True
    ):
        assert np.allclose(table.grad.numpy(), by_hand)


def test_what_stands_in_a_blank_is_the_first_of_its_words() -> None:
    some = reviews(" ".join(random.choice(list("abcdefgh"), size=1200)))
    fill = chapter12.FillIn(some, size=3, window=2, lr=0.1, seed=1)
    around, words = fill.batch(np.array([7, 30]))
    text = some.numbers[0]
    assert words[:, 0].tolist() == text[[7, 30]].tolist()
    assert words.shape == (2, 1 + chapter12.DRAWN)
    assert around[0].tolist() == text[[5, 6, 8, 9]].tolist()


def test_too_few_words_to_fill_in() -> None:
    with pytest.raises(ArgumentError, match="take more reviews or a smaller window"):
        chapter12.FillIn(reviews("a b c d e f"), size=3, window=2, lr=0.1, seed=1)


def test_vectors_learn_what_the_truth_of_the_stand_in_says() -> None:
    result = book.find("12.1").run(reviews=1000, passes=3)
    assert result.numbers["opinions of new reviews read from the average"] > 0.65
    curve = result.numbers["loss of the last pass"]
    assert curve < (1 + chapter12.DRAWN) * math.log(2)  # of someone who cannot tell


def test_the_same_opinion_is_counted_among_the_nearest() -> None:
    labels = np.repeat([0, 1], 50)
    apart = np.eye(2)[labels] + random.normal(size=(100, 2)) * 0.01
    assert chapter12.same_opinion(chapter12.of_length_1(apart), labels) == 1.0
    assert chapter12.same_opinion(chapter12.of_length_1(apart), np.tile([0, 1], 50)) < 0.6


# ------------------------------------------------------------------------------------- word order


def test_only_what_changes_nothing_forgets_the_order() -> None:
    table = ran("12.6").tables[0]
    apart = {row[0]: row[1:] for row in table.rows}
    for name, (order, negation, other_word) in apart.items():
        forgets = name in ("identity", "nothing: the average")
        assert (order == 0) == (negation == 0) == forgets, name
        assert other_word > 0


def test_states_go_through_the_matrix_word_by_word() -> None:
    matrix = random.normal(size=(3, 3))
    vectors = {word: random.normal(size=3) for word in "abc"}
    last = chapter12_matrices.states("a b c", vectors, matrix)[-1]
    assert np.allclose(last, vectors["a"] @ matrix @ matrix + vectors["b"] @ matrix + vectors["c"])


def test_a_matrix_that_learns_tells_first_from_last() -> None:
    numbers = ran("12.8").numbers
    assert numbers["sentences understood: learned matrix"] == 1.0
    assert numbers["sentences understood: identity"] <= 0.5
    stuck, learned = ran("12.8").plots[0].curves
    assert stuck.y.min() >= math.log(2) > learned.y[-1]


# ----------------------------------------------------------------------------------- the next word

SENTENCE = np.array([2, 0, 1, 0, 3])  # one word twice


def some_weights() -> Weights:
    draw = np.random.default_rng(3).normal
    return Weights(
        draw(size=(4, 3)), draw(size=(3, 3)) * 0.5, draw(size=3), draw(size=(3, 4)) * 0.5
    )


def parameters(learner: Learner) -> dict[str, Any]:
    return dict(learner.network.named_parameters())


def true_gradients() -> dict[str, Any]:
    network = Learner(some_weights(), 0.1).network
    ids = Tensor(SENTENCE)

    def loss(*weights: Tensor) -> Tensor:
        return cross_entropy(network(ids), ids)

    assert gradcheck(loss, list(network.parameters()), atol=1e-7)
    loss().backward()
    return {name: p.grad.numpy() for name, p in network.named_parameters()}


def moved(published: bool) -> dict[str, Any]:
    """By how much one step moves each weight, for a learning rate of 1."""
    learner = Learner(some_weights(), 1.0, published=published)
    before = {name: p.numpy().copy() for name, p in parameters(learner).items()}
    learner.step(SENTENCE)
    return {name: before[name] - p.numpy() for name, p in parameters(learner).items()}


def moved_by_hand(published: bool) -> dict[str, Any]:
    weights, before = some_weights(), some_weights()
    states, guesses, _ = chapter12_stories.forward(weights, SENTENCE)
    deltas, blames = chapter12_stories.backward(weights, SENTENCE, guesses)
    chapter12_stories.update(
        weights, SENTENCE, states, deltas, blames, 1 / len(SENTENCE), published
    )
    names = {"words.weight": "words", **{n: n for n in ("transition", "start", "decoder")}}
    return {ours: getattr(before, n) - getattr(weights, n) for ours, n in names.items()}


@pytest.mark.parametrize("way", [moved, moved_by_hand])
def test_the_corrected_run_goes_down_the_true_gradient(way: Any) -> None:
    for name, gradient in true_gradients().items():
        assert np.allclose(way(False)[name], gradient), name


@pytest.mark.parametrize("way", [moved, moved_by_hand])
def test_the_published_run_goes_elsewhere_with_all_but_the_decoder(way: Any) -> None:
    published = way(True)
    for name, gradient in true_gradients().items():
        assert np.allclose(published[name], gradient) == (name == "decoder"), name


def test_the_blame_goes_to_the_wrong_ones_exactly_as_told() -> None:
    network = Learner(some_weights(), 1.0).network
    ids = Tensor(SENTENCE)
    states = network.states(ids)
    for state in states:
        state.retain_grad()
    cross_entropy(network.scores(states), ids).backward()
    blame = [state.grad.numpy() for state in states]  # of the state before each word
    before = network.transition.numpy()
    published = moved(True)
    assert np.allclose(published["start"], blame[0] @ before.T)
    assert np.allclose(published["words.weight"][3], blame[3])  # its own is nothing: the last word
    assert np.allclose(published["words.weight"][0], blame[0] + blame[2])
    assert np.allclose(
        published["transition"],
        sum(np.outer(s.numpy(), b) for s, b in zip(states, blame, strict=True)),
    )
    true = true_gradients()
    assert np.allclose(true["start"], blame[0])
    assert np.allclose(true["words.weight"][3], 0)
    assert np.allclose(true["words.weight"][0], blame[2] + blame[4])


@pytest.mark.parametrize("words", [1, 2, 9])
def test_sentences_of_any_length(words: int) -> None:
    sentence = random.integers(4, size=words)
    for published in (True, False):
        learner = Learner(some_weights(), 0.1, published=published)
        losses = [learner.step(sentence) for _ in range(2)]
        weights = some_weights()
        data = Lines(Vocabulary(list("abcd"), specials=()), [sentence])
        chapter12_stories.by_hand(data, weights, 0.1, range(2), published=published)
        assert losses[1] < losses[0] or published
        assert np.allclose(weights.transition, learner.network.transition.numpy())
        assert np.allclose(weights.words, learner.network.words.weight.numpy())


def test_published_and_corrected_start_alike_and_part() -> None:
    curves = {c.label: c.y for c in ran("12.11").plots[0].curves}
    assert curves[PUBLISHED][0] == curves[CORRECTED][0]
    assert curves[PUBLISHED][-1] != curves[CORRECTED][-1]
    assert curves[chapter12_stories.FASTER][-1] < curves[CORRECTED][-1] < curves[CORRECTED][0]


def test_the_least_perplexity_counts_what_followed() -> None:
    words = Vocabulary(list("abc"), specials=())
    lines = [words.encode(line) for line in ("ab", "ac", "ab", "ab")]
    loss = 4 * 0 - (3 * math.log(3 / 4) + math.log(1 / 4))
    assert chapter12_stories.least_perplexity(Lines(words, lines)) == pytest.approx(
        math.exp(loss / 8)
    )


def test_nobody_is_below_the_least_perplexity() -> None:
    result = ran("12.11")
    table = next(t for t in result.tables if t.title.startswith("perplexity over all lines"))
    least = result.numbers["the least perplexity anyone could have"]
    assert all(row[1] > least > 1 for row in table.rows)


def test_a_published_run_that_is_lost_says_so() -> None:
    said = [
        e.key for e in book.find("12.11").run(steps=1500, lr=0.03).exhibits if hasattr(e, "key")
    ]
    assert "mistake" in said
    assert "kept" not in said


def test_an_interrupted_run_ends_as_one_that_nobody_stopped(tmp_path: Path) -> None:
    e, keeper = book.find("12.11"), Keeper(tmp_path / "kept", every=-1)
    whole = e.run(steps=60)

    def stop(done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        e.run(steps=60, keeper=keeper, on_progress=stop)
    assert keeper.there
    gone_on = e.run(steps=60, keeper=keeper)
    assert gone_on.tables[-1].rows == whole.tables[-1].rows
    assert gone_on.numbers == whole.numbers


@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "babi" / "babi-tasksv11-en.tar.gz").is_file(),
    reason="PELLUCID_DATA has no bAbI",
)
def test_on_real_stories_the_perplexity_falls_as_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    data = chapter12_stories.story_lines(Result())
    weights = Weights.first(len(data.words), 10, 1)
    seen = chapter12_stories.by_hand(data, weights, 0.001, range(30_000), published=True)
    figures = book.find("12.11").figures
    assert len(data.words) == 82
    assert figures[0].met_by(seen[0])
    assert figures[1].met_by(seen[29])
