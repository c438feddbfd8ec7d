"""Chapter 11 on made-up reviews, whose truth is known: what words learn is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book, kernels, ops
from pellucid.book import braille, chapter11, chapter11_blanks, chapter11_meaning, plots, words
from pellucid.book.result import Note, Result
from pellucid.book.reviews import Reviews, reviews
from pellucid.data import Vocabulary, datasets, tokenize
from pellucid.data.datasets.made_up import BLAME, PRAISE
from pellucid.errors import ArgumentError
from pellucid.explain.terminal import Ability
from pellucid.nn.functional import binary_cross_entropy_with_logits
from pellucid.testing import SlopeError, gradcheck

SECTIONS = ("11.2", "11.6", "11.8", "11.11", "11.13", "11.14")
QUICKER = {"11.11": {"texts": 400}}


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


@pytest.fixture(autouse=True)
def kept_together(monkeypatch: pytest.MonkeyPatch, vectors: Path) -> None:
    """What one experiment of these tests has learned, the next one finds."""
    monkeypatch.setenv("PELLUCID_CACHE", str(vectors))


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@cache
def ran(id: str) -> Result:
    return book.find(id).run(**QUICKER.get(id, {}))


@cache
def data() -> Reviews:
    return reviews(Result())


def said(result: Result) -> dict[str, Any]:
    return {e.key: e.values for e in result.exhibits if isinstance(e, Note)}


# ----------------------------------------------------------------------------- the experiments run


@pytest.mark.parametrize("id", SECTIONS)
def test_everything_computed_twice_agrees(id: str) -> None:
    result = ran(id)
    assert result.agreements
    assert [a for a in result.agreements if not a.ok] == []


@pytest.mark.parametrize("id", SECTIONS)
def test_stand_in_is_announced_and_nothing_compared(id: str) -> None:
    result = ran(id)
    assert "IMDB is not here" in (result.incomparable or "")
    assert all(c.met is None for c in book.find(id).compare(result))


@pytest.mark.parametrize(
    ("id", "settings", "message"),
    [
        ("11.6", {"passes": 0}, "at least 1"),
        ("11.8", {"word": "zebra"}, "'zebra' does not occur"),
        ("11.14", {"question": "terrible minus awful"}, "is no sum of words"),
        ("11.14", {"question": "king - man + woman"}, "'king' does not occur"),
    ],
)
def test_settings_that_make_no_sense(id: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        book.find(id).run(**settings)


# ---------------------------------------------------------------------------------------- the reviews


def test_reviews_are_counted() -> None:
    some = data()
    assert len(some) == 2000
    assert some.words.decode(some[1]) == tokenize(datasets.made_up_reviews().texts[1])
    assert some.counts.sum() == len(some.numbers) == some.starts[-1]
    assert np.array_equal(some.bags[7], np.unique(some[7]))
    for label, kind in enumerate(some.kinds):
        assert kind.sum() == sum(
            len(b) for b, is_ in zip(some.bags, some.labels, strict=True) if is_ == label
        )


def test_counting_finds_the_truth() -> None:
    some = data()
    ids = some.words.encode(some.truth)
    assert np.array_equal(some.opinion[ids], [*some.truth.values()])
    assert np.count_nonzero(some.opinion) == len(ids)


# ---------------------------------------------------------------------------------------- sentiment


def test_both_networks_learn_to_judge() -> None:
    numbers = ran("11.6").numbers
    assert numbers["test accuracy"] > 0.95
    assert numbers["test accuracy, corrected"] > 0.95


def test_words_are_told_apart_as_the_truth_says() -> None:
    numbers = ran("11.8").numbers
    assert numbers["neighbours that speak for the same kind, by the truth"] > 0.98
    assert said(ran("11.8"))["truth"]["words"] == len(PRAISE) + len(BLAME)
    found = chapter11.sentiment_words(Result(), data(), chapter11.CORRECTED)
    assert set(found.nearest("terrible", 8)) <= set(BLAME)
    assert set(found.nearest("beautiful", 8)) <= set(PRAISE)


def sentiment(bend: Callable[[Tensor], Tensor]) -> tuple[Callable[..., Tensor], list[Tensor]]:
    random = np.random.RandomState(1)
    network = chapter11.Sentiment(random.randn(6, 4), random.randn(4, 1), bend)
    network.words.sparse = False
    bag, wanted = Tensor(np.array([[0, 2, 5]])), Tensor([[1.0]])

    def loss(*weights: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(network(bag), wanted)

    return loss, list(network.parameters())


def test_the_corrected_gradient_is_the_true_one() -> None:
    assert gradcheck(*sentiment(pellucid.sigmoid))


def test_the_published_gradient_is_not() -> None:
    loss, (table, weights) = sentiment(chapter11.sigmoid_with_slope_1)
    with pytest.raises(SlopeError):
        gradcheck(loss, table)
    assert gradcheck(loss, weights)
    x = np.linspace(-3, 3, 7)
    assert np.allclose(chapter11.sigmoid_with_slope_1(x).data, pellucid.sigmoid(x).data)
    assert "sigmoid_with_slope_1" not in ops.OPS


# ------------------------------------------------------------------------------------------- blanks


def test_opinions_fill_the_same_blanks_of_either_kind() -> None:
    result = ran("11.11")
    assert result.numbers["neighbours of opinions that are opinions"] > 0.95
    assert (
        0.35 < result.numbers["neighbours on the same side, corrected"] < 0.65
    )  # chance: 11 of 23


def test_the_loss_of_blanks_falls() -> None:
    for curve in ran("11.11").plots[0].curves:
        assert curve.y[0] == pytest.approx(6 * np.log(2))  # nothing known: six times heads or tails
        assert curve.y[-1] < 0.5 * curve.y[0]


def test_without_a_kernel_fewer_reviews_are_read_and_this_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some, result = data(), Result()
    monkeypatch.setenv(kernels.SWITCH, "0")
    assert [chapter11_blanks.how_many(result, some, 25000) for _ in range(2)] == [500, 500]
    assert [e.key for e in result.exhibits if isinstance(e, Note)] == ["switched-off"]
    assert "no compiled kernel" in (result.incomparable or "")
    assert chapter11_blanks.how_many(Result(), some, 80) == 80
    monkeypatch.delenv(kernels.SWITCH)
    monkeypatch.setattr(kernels, "_numba_works", lambda: False)
    absent = Result()
    chapter11_blanks.how_many(absent, some, 25000)
    assert [e.key for e in absent.exhibits if isinstance(e, Note)] == ["without-numba"]


def test_twin_and_kernel_learn_the_same_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    way = chapter11_blanks.ways(2)["corrected"]
    learned = []
    for switch in ("0", "1"):
        monkeypatch.setenv(kernels.SWITCH, switch)
        run = chapter11_blanks.Filling(data(), 30, way, 10, 5, 0.05, seed=1)
        for key, piece in run.passes(1):
            run.learn(piece, key)
        learned.append(run.vectors)
    assert np.allclose(*learned, rtol=1e-5, atol=1e-5)


# ------------------------------------------------------------------------------------------ meaning


def test_each_loss_knows_what_it_was_asked() -> None:
    numbers = ran("11.13").numbers
    opinion = "neighbours that hold the same opinion, after"
    assert numbers[f"{opinion} judging reviews"] > 0.98
    assert numbers[f"{opinion} filling blanks"] < 0.65
    label = "nearest review that has the same label, after"
    assert numbers[f"{label} judging reviews"] > 0.9 > 0.65 > numbers[f"{label} filling blanks"]


def test_maps_show_every_word_once() -> None:
    pytest.importorskip("sklearn")
    maps = ran("11.13").plots
    assert [m.title.split(",")[0] for m in maps] == ["PCA", "PCA", "t-SNE", "t-SNE"]
    for shown in maps:
        named = [name for curve in shown.curves for name in curve.names]
        assert len(named) == len(set(named)) >= 20
        assert {*shown.curves[0].names} <= set(PRAISE)
        assert {*shown.curves[1].names} <= set(BLAME)
    judged = maps[0].curves
    assert judged[0].x.max() < judged[1].x.min() or judged[1].x.max() < judged[0].x.min()


def test_a_map_in_the_terminal_and_as_a_picture(tmp_path: Path) -> None:
    towns = Result()
    towns.plot(
        "towns",
        {"north": ([0, 1, 1], [5, 5, 5], ["Ely", "Rye", "Ayr"]), "south": ([0], [1], ["Bath"])},
    )
    (plot,) = towns.plots
    assert plot.curves[0].names == ("Ely", "Rye", "Ayr")
    text = braille.plot(plot, Ability(False, False), ["north", "south"], ("", "")).plain
    assert all(text.count(f":{name}") == 1 for name in ("Ely", "Rye", "Ayr", "Bath"))
    assert text.index("a:Ely") < text.index("b:Bath")
    assert towns.as_dict()["plots"][0]["curves"][1]["names"] == ["Bath"]
    pytest.importorskip("matplotlib")
    path = plots.save(book.find("11.13"), towns, tmp_path / "towns.svg")
    assert all(name in path.read_text(encoding="utf-8") for name in ("Ely", "Rye", "Ayr", "Bath"))


# ---------------------------------------------------------------------------------------- analogies

NAMES = Vocabulary(
    dict.fromkeys(("man", "men", "king", "kings", "car", "cars", "long"), 9), specials=()
)
PLANE = np.array(
    [[1, 0, 0], [1, 0, 1], [0, 3, 0], [0, 3, 3], [2, 2, 0], [2, 2, 2.8], [40, 50, 9]], dtype=float
)


def plane() -> words.Words:
    return words.Words(NAMES, PLANE, np.ones(len(NAMES), dtype=bool))


def test_corrected_analogies_divide_and_published_ones_multiply() -> None:
    space = plane()
    assert np.allclose(np.linalg.norm(space.unit, axis=1), 1)
    assert np.allclose(space.multiplied[2], [0, 27, 0])  # 3 times 3 squared
    assert space.solve(["men", "king"], ["man"], 1) == ["kings"]
    assert space.solve(["men", "car"], ["man"], 1) == ["cars"]
    assert space.solve_as_published(["men", "king"], ["man"], 1) != ["kings"]


def test_short_distance_is_not_the_same_direction() -> None:
    space = plane()
    assert space.closest("man", 1) == ["men"]
    assert space.nearest("car", 1) == ["long"]
    assert space.closest("car", 6)[-1] == "long"
    some = words.Words(NAMES, PLANE, np.array([True] * 6 + [False]))
    assert "long" not in some.nearest("car", 7)


def test_questions() -> None:
    assert words.question("King - man + men", NAMES) == (["king", "men"], ["man"])
    assert words.question("king − man", NAMES) == (["king"], ["man"])
    for wrong in ("", "king", "king man", "king-man", "king * man"):
        with pytest.raises(ArgumentError, match="write it with blanks"):
            words.question(wrong, NAMES)
    with pytest.raises(ArgumentError, match="'soup' does not occur in these reviews"):
        words.question("king - soup", NAMES)


def test_pairs_are_found_by_rule_and_counted() -> None:
    known = np.array([True] * 6 + [False])
    found = chapter11_meaning.plurals(NAMES, known)
    assert found == [("king", "kings")]  # words of three letters make too many accidental pairs
    assert chapter11_meaning.RULES["-ing"]("love") == ["loving"]
    assert chapter11_meaning.RULES["-ed"]("love") == ["loved"]
    two = [("king", "kings"), ("man", "men")]
    assert chapter11_meaning.partner_near(plane(), two) == 1.0
    assert np.isnan(chapter11_meaning.partner_near(plane(), []))


def test_analogies_are_solved_more_often_with_lengths_divided() -> None:
    """Words along two directions, stem and plural, of very different lengths."""
    random = np.random.default_rng(5)
    stems, plural = random.normal(size=(60, 12)), 2 * np.eye(12)[0]
    lengths = np.exp(random.normal(size=(120, 1)))
    table = np.concatenate([stems, stems + plural]) * lengths
    names = Vocabulary(specials=[f"word{n}" for n in range(120)], unknown=None)
    space = words.Words(names, table, np.ones(120, dtype=bool))
    solved = chapter11_meaning.analogies(space, [(f"word{n}", f"word{n + 60}") for n in range(60)])
    assert solved["corrected"] > 0.9
    assert solved["as published"] < 0.6


def test_same_side_counts_neighbours() -> None:
    table = np.repeat(np.eye(2), 10, axis=0) + np.random.default_rng(1).normal(size=(20, 2)) / 50
    names = Vocabulary(specials=[f"word{n}" for n in range(20)], unknown=None)
    space = words.Words(names, table, np.ones(20, dtype=bool))
    sides = np.repeat([1, -1], 10)
    assert chapter11.same_side(space, sides) == (1.0, 20)
    assert chapter11.same_side(space, np.tile([1, -1], 10))[0] == pytest.approx(0.44, abs=0.15)
    assert np.isnan(chapter11.same_side(space, np.zeros(20))[0])


# ------------------------------------------------------------------------------------- keeping them


def test_vectors_are_learned_once_for_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    calls = []

    def learn() -> Any:
        calls.append(1)
        return np.full((2, 3), len(calls), np.float32)

    for settings in ({"lr": 1.0}, {"lr": 1.0}, {"lr": 2.0}, {"lr": 2.0}):
        found = words.kept("a test", settings, learn)
    assert (len(calls), found[0, 0]) == (2, 2.0)
    (file,) = words.folder().iterdir()
    file.write_bytes(b"broken")
    assert words.kept("a test", {"lr": 2.0}, learn)[0, 0] == 3.0
    monkeypatch.setenv("PELLUCID_CACHE", str(file))  # a file where a folder should be
    assert words.kept("a test", {"lr": 2.0}, learn)[0, 0] == 4.0


def test_later_experiments_find_what_earlier_ones_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    ran("11.6")
    monkeypatch.setattr(chapter11.Reading, "read", lambda *_: pytest.fail("learned again"))
    found = chapter11.sentiment_words(Result(), data(), chapter11.PUBLISHED)
    assert found.vectors.shape == (len(data().words), 100)
