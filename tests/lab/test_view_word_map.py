"""Chapter 11's map of words against NumPy: learning by hand, PCA, sums of words, and misleading pairs."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.lab.codec import plain
from pellucid.lab.small_world import blanks, mapped, sentences, vocabulary


def opened(language: str = "en", **settings):
    view = lab.open_view("word-map", language)
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view):
    return plain(view.state()["shows"])


def test_the_blanks_are_those_of_the_sentences() -> None:
    around, wanted = blanks(2)
    assert len(around) == sum(map(len, sentences()))
    np.testing.assert_allclose(around.sum(axis=1), 1)
    first, names = sentences()[0], vocabulary()
    assert names.decode(wanted[: len(first)]) == list(first)
    third = {names.tokens[n]: share for n, share in enumerate(around[2]) if share}
    assert third == dict.fromkeys((first[0], first[1], first[3], first[4]), 0.25)


def test_a_pass_is_the_one_by_hand() -> None:
    view = opened(size=4)
    view.handle({"do": "forget"})
    around, wanted = blanks(4)
    vectors = 0.1 * np.random.RandomState(1).standard_normal((len(vocabulary()), 4))
    targets = np.zeros_like(vectors)
    tables = [vectors, targets]
    means = [np.zeros_like(t) for t in tables]
    squares = [np.zeros_like(t) for t in tables]
    losses = []
    for n in range(1, 6):
        middle = around @ tables[0]
        scores = middle @ tables[1].T
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        losses.append(-np.log(chances[np.arange(len(wanted)), wanted]).mean())
        delta = chances.copy()
        delta[np.arange(len(wanted)), wanted] -= 1
        delta /= len(wanted)
        gradients = [around.T @ (delta @ tables[1]), delta.T @ middle]
        for table, g, mean, square in zip(tables, gradients, means, squares, strict=True):
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            table -= 0.1 * (mean / (1 - 0.9**n)) / (np.sqrt(square / (1 - 0.999**n)) + 1e-8)
    view.handle({"do": "step"})
    np.testing.assert_allclose(view.losses, losses, rtol=1e-9)
    np.testing.assert_allclose(view.vectors.numpy(), tables[0], rtol=1e-6, atol=1e-9)


def test_king_minus_man_plus_woman_and_the_other_sums() -> None:
    for asked, answer in (
        ("king - man + woman", "queen"),
        ("actor - man + woman", "actress"),
        ("father - man + woman", "mother"),
    ):
        view = opened(sum=asked)
        found = [view.word(mapped()[one["n"]]) for one in shown(view)["sum"]["found"]]
        assert answer == found[0], (asked, found)
        a, b, c = (vocabulary()[w] for w in asked.replace("- ", "").replace("+ ", "").split())
        unit = view.vectors.numpy()
        unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
        query = unit[a] - unit[b] + unit[c]
        cosine = unit[vocabulary()[answer]] @ query / np.linalg.norm(query)
        assert shown(view)["sum"]["found"][0]["cosine"] == pytest.approx(cosine)


def test_places_are_the_first_two_principal_components() -> None:
    view = opened()
    unit = view.vectors.numpy()[[vocabulary()[w] for w in mapped()]]
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    values, axes = np.linalg.eigh(np.cov(unit.T))
    seen = shown(view)
    for place, n in (("x", -1), ("y", -2)):
        along = (unit - unit.mean(axis=0)) @ axes[:, n]
        np.testing.assert_allclose(np.abs(seen[place]), np.abs(along), atol=1e-8)
    assert seen["share"] == pytest.approx(100 * values[-2:].sum() / values.sum())


def test_the_pair_is_near_on_the_map_and_far_in_truth_and_comes_apart_when_turned() -> None:
    view = opened()
    seen = shown(view)
    a, b = seen["pair"]
    places = np.column_stack([seen["x"], seen["y"]])
    assert seen["pair_map"] == pytest.approx(np.linalg.norm(places[a] - places[b]))
    assert seen["pair_map"] < 0.1 * seen["pair_truly"]
    view.handle({"do": "set", "name": "turn", "value": 90})
    assert shown(view)["pair"] == [a, b]
    assert shown(view)["pair_map"] > seen["pair_map"]
    view.handle({"do": "another"})
    assert shown(view)["pair"] != [a, b]


def test_with_two_numbers_a_word_the_map_is_the_truth() -> None:
    view = opened(size=2)
    seen = shown(view)
    assert view.state()["said"] == "two-numbers"
    assert seen["share"] == pytest.approx(100)
    assert seen["pair_map"] == pytest.approx(seen["pair_truly"])
    view.handle({"do": "another"})
    assert view.state()["said"] == "true-map"


def test_opposites_are_neighbours_and_the_sentence_says_so() -> None:
    view = opened()
    view.handle({"do": "look", "word": "great"})
    state = view.state()
    assert state["said"] == "opposite"
    assert any(word in state["say"] for word in ("awful", "boring", "terrible"))


def test_words_are_found_in_both_languages_and_strangers_are_told() -> None:
    view = opened("zh-CN", search="国王")
    assert view.chosen == "king"
    view.handle({"do": "set", "name": "search", "value": "queen"})
    assert view.chosen == "queen"
    view.handle({"do": "set", "name": "search", "value": "quark"})
    assert view.state()["said"] == "unknown"
    assert view.chosen == "queen"
    view.handle({"do": "set", "name": "sum", "value": "国王 - 男人 + 女人"})
    assert shown(view)["labels"][shown(view)["sum"]["found"][0]["n"]] == "女王"
    view.handle({"do": "set", "name": "sum", "value": "king man"})
    assert view.state()["said"] == "no-sum"
    assert shown(view)["sum"] is None


def test_a_large_lr_throws_the_words_about_and_a_tiny_one_leaves_them() -> None:
    wild, slow = opened(lr=3.0), opened(lr=0.001)
    assert wild.state()["said"] == "wild"
    assert max(wild.losses) > 2 * wild.losses[0]
    assert slow.state()["said"] == "slow"


def test_its_program_prints_the_same_numbers() -> None:
    view = opened(turn=30, size=6)
    view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {"__name__": "program"})
    lines = printed.getvalue().splitlines()
    seen = shown(view)
    assert float(lines[2].split()[1]) == pytest.approx(view.losses[59], rel=1e-9)
    assert float(lines[-3].split()[-1]) == pytest.approx(seen["pair_map"], rel=1e-6)
    assert float(lines[-2].split()[-1]) == pytest.approx(seen["pair_truly"], rel=1e-6)
    assert eval(lines[-1]) == [mapped()[one["n"]] for one in seen["near"]]
