"""Frames around tensors, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, ShapeError

R = np.random.default_rng(0)
X = R.normal(size=(2, 3, 4))


def test_pad_counts_from_the_last_axis() -> None:
    x = Tensor(np.ones((2, 3)))
    assert pellucid.pad(x, (1, 2)).shape == (2, 6)
    assert pellucid.pad(x, (1, 2, 3, 4)).shape == (9, 6)
    assert pellucid.pad(x, (1, 0), value=7)[0].tolist() == [7.0, 1.0, 1.0, 1.0]
    assert pellucid.pad(x, (-1, 1))[0].tolist() == [1.0, 1.0, 0.0]
    assert pellucid.pad(x, ()).tolist() == x.tolist()


@given(st.sampled_from(["reflect", "replicate", "circular"]), st.data())
def test_the_other_modes_are_numpys(mode: str, data: st.DataObject) -> None:
    most = {"reflect": 2, "replicate": 5, "circular": 3}[mode]
    before, after = data.draw(st.tuples(st.integers(0, most), st.integers(0, most)))
    theirs = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    expected = np.pad(X, ((0, 0), (before, after), (1, 0)), mode=theirs)  # type: ignore[call-overload]
    assert np.array_equal(pellucid.pad(Tensor(X), (1, 0, before, after), mode=mode), expected)


@pytest.mark.parametrize(
    ("pad", "settings", "error", "words"),
    [
        ((1,), {}, ShapeError, "two numbers per axis"),
        ((1, 1) * 4, {}, ShapeError, "at most 3 axes"),
        ((4, 0), {"mode": "reflect"}, ShapeError, "at most 3 to an axis of 4, not 4"),
        ((1, 1), {"mode": "mirror"}, ArgumentError, "knows the modes constant, reflect"),
        (
            (1, 1),
            {"mode": "reflect", "value": 1.0},
            ArgumentError,
            "a value fills a constant frame",
        ),
    ],
)
def test_what_pad_refuses(pad: Any, settings: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        pellucid.pad(Tensor(X), pad, **settings)


def test_triangles() -> None:
    x = Tensor(X)
    for k in (-2, 0, 1):
        assert np.array_equal(x.tril(k), np.tril(X, k))
        assert np.array_equal(pellucid.triu(x, diagonal=k), np.triu(X, k))
    assert np.array_equal(x.tril(-1) + x.triu(), X)


def test_diagonals() -> None:
    x, square = Tensor(X), Tensor(X[0, :, :3])
    assert np.array_equal(x.diagonal(1, 1, 2), np.diagonal(X, 1, 1, 2))
    assert np.array_equal(square.diag(), np.diag(X[0, :, :3]))
    assert np.array_equal(pellucid.diag(square[0], -1), np.diag(X[0, 0, :3], -1))
    assert x.diag_embed().shape == (2, 3, 4, 4)
    assert np.array_equal(x.diag_embed(1, 0, 2).diagonal(1, 0, 2), X)
    with pytest.raises(ShapeError, match="use diagonal or diag_embed"):
        x.diag()
    with pytest.raises(ShapeError, match="needs an axis"):
        pellucid.diag_embed(Tensor(1.0))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: pellucid.pad(x, (1, 2, 0, 1)), lambda x: pellucid.pad(x, (-1, 2, 3, -2), value=2.0),
        lambda x: pellucid.pad(x, (3, 2, 1, 2), mode="reflect"),
        lambda x: pellucid.pad(x, (3, 5), mode="replicate"),
        lambda x: pellucid.pad(x, (0, 2, 3, 1), mode="circular"), lambda x: x.tril(1), lambda x: x.triu(-1),
        lambda x: x.diagonal(), lambda x: x.diagonal(-1, 2, 0), lambda x: x[0].diag(1), lambda x: x[0, 0].diag(-2),
        lambda x: x.diag_embed(-1, 0, -2),
    ],
)  # fmt: skip
def test_slopes(change: Any, slopes_agree: Any) -> None:
    slopes_agree(change, X)
