"""Chapters 8 and 9 on the stand-in digits: both runs of each, true slopes, told mistakes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import pellucid
from pellucid import Tensor, book, grad, ops, relu, sigmoid, tanh
from pellucid.book import chapter08, chapter09, digits, report
from pellucid.book.result import Result
from pellucid.errors import ArgumentError
from pellucid.ops import OPS
from pellucid.testing import SlopeError, gradcheck

SMALL: dict[str, dict[str, Any]] = {
    "8.1": {"passes": 3, "hidden": 8},
    "8.3": {"passes": 4, "hidden": 8},
    "8.6": {"passes": 10, "hidden": 8, "patience": 2, "lr": 0.12, "kept_aside": 800},
    "8.7": {"passes": 3, "hidden": 8},
    "8.11": {"passes": 3, "hidden": 8, "batch": 50, "alone": 2},
    "9.1": {},
    "9.4": {},
    "9.6": {},
    "9.9": {"passes": 4, "hidden": 8, "batch": 50},
}
ON_DIGITS = [section for section in SMALL if section not in ("9.1", "9.6")]
random = np.random.default_rng(8)


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


@cache
def data() -> digits.Digits:
    return digits.digits(Result())


# ----------------------------------------------------------------------------- the experiments run


@pytest.mark.parametrize("id", SMALL)
def test_framework_and_hand_agree(id: str) -> None:
    result = ran(id)
    assert [a for a in result.agreements if not a.ok] == []
    assert bool(result.agreements) == (id != "8.3")  # which has nothing that was done by hand


@pytest.mark.parametrize("id", ON_DIGITS)
def test_stand_in_is_announced_and_nothing_compared(id: str) -> None:
    result = ran(id)
    assert "MNIST is not here" in (result.incomparable or "")
    assert all(c.met is None for c in book.find(id).compare(result))


def test_compiled_passes_are_the_same_passes() -> None:
    pytest.importorskip("numba")
    compiled = book.find("8.1").run(**SMALL["8.1"], compile=True)
    assert [a for a in compiled.agreements if not a.ok] == []
    for name, value in ran("8.1").numbers.items():
        if value is not None:
            assert compiled.numbers[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("id", ["8.1", "8.7", "9.9"])
def test_published_and_corrected_start_alike_and_part(id: str) -> None:
    errors = {c.label: c.y for c in ran(id).plots[1].curves}
    published, corrected = errors["as published"], errors["corrected"]
    assert published[0] == pytest.approx(corrected[0], rel=0.3)
    assert abs(published[-1] - corrected[-1]) > 1e-3
    assert corrected[-1] < corrected[0]


def test_a_noisy_network_learns_what_is_not_there() -> None:
    result = ran("8.3")
    noisy = next(p for p in result.plots if p.title == "training error").curves[1]
    assert noisy.y[-1] < noisy.y[0]
    assert result.numbers["shuffled labels: test accuracy"] < 0.3


def test_early_stopping_goes_back_to_the_best_weights() -> None:
    result = ran("8.6")
    curves = {c.label: c for c in result.plots[0].curves}
    until, whole = curves["validation, until it stopped"], curves["validation"]
    best, made = result.numbers["best pass"], result.numbers["passes made"]
    assert made == best + SMALL["8.6"]["patience"] < SMALL["8.6"]["passes"]
    assert until.y.argmin() + 1 == best
    assert result.numbers["validation error at the best pass"] == until.y.min()
    assert np.array_equal(until.y, whole.y[:made])  # the same run, only shorter
    assert [a.ok for a in result.agreements] == [True]  # the weights put back measure as the best


def test_batches_point_more_nearly_where_all_images_would() -> None:
    table = next(t for t in ran("8.11").tables if t.title == "speed and smoothness")
    one, many = table.rows
    assert (one[1], many[1]) == (len(data().images), len(data().images) // 50)
    assert many[4] > one[4]


@pytest.mark.parametrize(
    ("id", "settings", "said"),
    [
        ("8.1", {"passes": 0}, "passes of experiment 8.1–8.2 must be at least 1"),
        ("8.6", {"kept_aside": 1000}, "cannot be kept aside"),
        ("8.11", {"batch": 100_000}, "a batch of 100000 is more than all"),
        ("9.9", {"hidden": -1}, "hidden of experiment 9.9 must be at least 1"),
    ],
)
def test_settings_that_make_no_sense(id: str, settings: dict[str, int], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        book.find(id).run(**settings)


@pytest.mark.parametrize("id", ["8.1", "8.7", "8.11", "9.9"])
def test_steps_far_too_long(id: str) -> None:
    result = book.find(id).run(**{**SMALL[id], "passes": 2, "lr": 1e9})
    paper = io.StringIO()
    report.show(Console(file=paper, width=80), book.find(id), result)
    assert re.search(r"\bnan\b|\binf\b|e\+\d\d", paper.getvalue())


# ------------------------------------------------------------------------------------- true slopes


@pytest.mark.parametrize(
    ("kind", "compare"),
    [
        (chapter08.Relu, chapter08.squared_error),
        (chapter08.Dropout, chapter08.squared_error),
        (chapter09.Tanh, chapter09.surprise),
    ],
)
def test_corrected_gradients_are_the_true_ones(
    kind: type[digits.ThreeLayers], compare: digits.Compare
) -> None:
    images, targets, _ = data().batches(3)[0]
    network = digits.network(kind, data(), 4, seed=1)

    def error(*weights: Tensor) -> Tensor:
        network.random.seed(2)  # the same masks every time
        return compare(network(images), targets)

    assert gradcheck(error, list(network.parameters()), atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(
    ("published", "compare"),
    [
        (chapter08.PublishedRelu, chapter08.squared_error),
        (chapter08.PublishedDropout, chapter08.squared_error),
        (chapter09.PublishedTanh, chapter09.surprise),
    ],
)
def test_published_gradients_are_not(
    published: type[digits.ThreeLayers], compare: digits.Compare
) -> None:
    images, targets, _ = data().batches(3)[0]
    network = digits.network(published, data(), 4, seed=1)

    def error(*weights: Tensor) -> Tensor:
        network.random.seed(2)
        return compare(network(images), targets)

    first, last = network.parameters()
    with pytest.raises(SlopeError):
        gradcheck(error, first)
    assert gradcheck(error, last)  # the mistakes only touch what goes back through the hidden layer


def slope(function: Callable[[Tensor], Tensor], at: Any, d: Any) -> Any:
    x = Tensor(at, requires_grad=True)
    return grad(function(x), x, d)[0].data


def test_published_slopes_differ_exactly_as_told() -> None:
    x, d = random.normal(size=(5, 6)), random.normal(size=(5, 6))
    mask = random.integers(2, size=x.shape).astype(float)
    published = slope(chapter08.relu_with_slope_1, x, d)
    assert np.array_equal(published, d)  # 1 everywhere
    assert np.array_equal(slope(relu, x, d), d * (x > 0))

    halved = slope(lambda x: chapter08.dropout_half_back(x, mask), x, d)
    assert np.array_equal(2 * halved, slope(lambda x: x * (mask * 2), x, d))

    squashed = np.tanh(x)
    wrong = slope(lambda x: chapter09.tanh_then_dropout(x, mask), x, d)
    right = slope(lambda x: tanh(x) * (mask * 2), x, d)
    awake, loud = mask == 1, np.abs(squashed) > 0.5
    assert np.allclose(wrong, d * (1 - (2 * mask * squashed) ** 2) * mask)
    assert np.allclose(right, d * (1 - squashed**2) * mask * 2)
    turned = np.sign(wrong) == -np.sign(right)
    assert np.array_equal(turned[awake], loud[awake])
    assert awake.any()
    assert loud[awake].any()


def test_published_forwards_are_right() -> None:
    x, mask = random.normal(size=(4, 3)), np.array([[1.0, 0.0, 1.0]])
    assert np.array_equal(chapter08.relu_with_slope_1(x).data, relu(x).data)
    assert np.array_equal(chapter08.dropout_half_back(x, mask).data, x * mask * 2)
    assert np.allclose(chapter09.tanh_then_dropout(x, mask).data, np.tanh(x) * mask * 2)


def test_published_operations_are_no_operations_of_the_library() -> None:
    names = {"relu_with_slope_1", "dropout_half_back", "tanh_then_dropout"}
    assert not names & set(OPS)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_a_hundred_updates_are_one(n: int) -> None:
    start = random.normal(size=(6, 4)), random.normal(size=(4, 3))
    rest = (
        random.normal(size=(n, 6)),
        random.normal(size=(n, 4)),
        random.normal(size=(n, 3)) / n,
        random.integers(2, size=(n, 4)).astype(float),
        0.05,
    )
    one_by_one, at_once = ([w.copy() for w in start] for _ in range(2))
    chapter08.updates_one_by_one(*one_by_one, *rest)
    chapter08.all_updates_at_once(*at_once, *rest)
    for a, b, before in zip(one_by_one, at_once, start, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-12)
        assert not np.allclose(a, before, atol=1e-3)


# ------------------------------------------------------------------------------------- activations


def test_every_activation_is_in_a_family() -> None:
    assert sorted(n for names in chapter09.FAMILIES.values() for n in names) == list(
        chapter09.activations()
    )


@pytest.mark.parametrize(
    ("function", "met"),
    [
        (relu, (True, True, True)),
        (sigmoid, (True, True, True)),
        (lambda x: x * 2, (True, True, False)),
        (lambda x: x * x, (True, False, True)),
        (lambda x: ops.activation.hardshrink(x, lambd=0.5), (False, True, True)),
    ],
)
def test_conditions(function: chapter09.Function, met: tuple[bool, bool, bool]) -> None:
    assert chapter09.conditions(function) == met


def test_a_function_with_a_gap() -> None:
    assert not chapter09.conditions(ops.log)[0]


def test_trying_finds_a_wrong_slope() -> None:
    at = np.array([-1.0, 2.0])
    _, by_rule = chapter09.value_and_slope(chapter08.relu_with_slope_1, at)
    assert chapter09.furthest(by_rule, chapter09.slope_by_trying(relu, at)) == 1.0


def test_cut() -> None:
    assert digits.cut(0.10882) == 0.108
    assert digits.cut(0.9999, 2) == 0.99
    assert digits.cut(3.0) == 3.0


def test_agreement_by_hand_ends_where_both_explode() -> None:
    result = Result()
    digits.agree_by_hand(result, "calm", [0.5, 1e9], [0.5, 2e9])
    digits.agree_by_hand(result, "explodes alone", [0.5, np.nan], [0.5, 0.4])
    digits.agree_by_hand(result, "nothing left", [1e9, np.nan], [2e9, np.nan])
    assert [(a.name, a.ok) for a in result.agreements] == [
        ("calm", True),
        ("explodes alone", False),
    ]
