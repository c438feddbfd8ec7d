"""Dividing data among parties: every example once, the sizes right, the mixtures as meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ArgumentError
from pellucid.federated import by_label, by_size, dirichlet, iid

LABELS = np.random.RandomState(0).randint(10, size=1000)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 5))
def test_iid_gives_each_example_to_one(count: int, parties: int, seed: int) -> None:
    if parties > count:
        with pytest.raises(ArgumentError, match=f"cannot be divided into {parties} parts"):
            iid(count, parties, seed)
        return
    parts = iid(count, parties, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


WAYS: dict[str, Callable[[int], list[Any]]] = {
    "iid": lambda seed: iid(1000, 7, seed),
    "by_size": lambda seed: by_size(1000, [1, 200, None, 0], seed),
    "by_label": lambda seed: by_label(LABELS, 7, 2, seed),
    "dirichlet": lambda seed: dirichlet(LABELS, 7, 0.3, seed),
}


@pytest.mark.parametrize("name", WAYS)
def test_every_example_once_and_the_same_seed_the_same(name: str) -> None:
    one, two, other = (WAYS[name](seed) for seed in (1, 1, 2))
    assert sorted(np.concatenate(one).tolist()) == list(range(1000))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def classes(part: Any) -> int:
    return len(np.unique(LABELS[part]))


def test_by_label_shows_each_party_few_classes() -> None:
    assert max(classes(part) for part in by_label(LABELS, 10, 2)) <= 4
    assert min(classes(part) for part in iid(1000, 10)) >= 9


def test_dirichlet_goes_from_alike_to_one_class_each() -> None:
    def unevenness(alpha: float) -> float:
        counts = [np.bincount(LABELS[p], minlength=10) for p in dirichlet(LABELS, 5, alpha)]
        shares = np.array(counts) / np.bincount(LABELS)
        return float(shares.max(axis=0).mean())  # of each class, the largest share in one hand

    assert unevenness(1e6) < 0.22
    assert 0.25 < unevenness(1.0) < unevenness(0.01)
    assert unevenness(0.01) > 0.9


def test_sizes_in_order_and_what_is_left() -> None:
    assert [len(p) for p in by_size(31_000, [1000, 1000, None])] == [1000, 1000, 29_000]
    assert [p.tolist() for p in by_size(5, [2, 1])] == [[0, 1], [2]]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: by_size(5, [3, 3]), "cannot be had from 5 examples"),
        (lambda: by_size(5, [None, None]), "one party at most has the rest"),
        (lambda: by_size(5, [-1, None]), "sizes are 0 or more"),
        (lambda: iid(5, 0), "into 0 parts"),
        (lambda: by_label(LABELS, 3, 0), "each is 0"),
        (lambda: by_label(LABELS[:3], 2, 2), "into 4 parts"),
        (lambda: by_label(np.zeros((3, 2)), 2), r"have \(3, 2\)"),
        (lambda: dirichlet(LABELS, 2, 0.0), r"alpha is 0\.0"),
    ],
)
def test_what_cannot_be_divided(function: Callable[[], Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        function()
