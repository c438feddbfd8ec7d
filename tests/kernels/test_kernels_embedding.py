"""Rows looked up, added up and changed by compiled loops: as NumPy does it, and as safely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels
from pellucid.errors import RangeError
from pellucid.kernels import embedding as kernel
from pellucid.optim.rows import Marks
from pellucid.sparse import RowSparse

pytest.importorskip("numba")


@st.composite
def cases(draw: Any) -> Any:
    """A table, ids (some of them twice), where bags of them begin, and values for them."""
    r = np.random.default_rng(draw(st.integers(0, 99)))
    kind, whole = draw(st.sampled_from("fd")), draw(st.sampled_from([np.int32, np.int64]))
    table = r.normal(size=(draw(st.integers(1, 30)), draw(st.integers(1, 21)))).astype(kind)
    count = draw(st.integers(0, 40))
    ids = r.integers(0, len(table), count).astype(whole)
    starts = np.sort(r.integers(0, count + 1, draw(st.integers(1, 5))))
    starts[0] = 0
    return table, ids, starts, r.normal(size=(count, table.shape[1])).astype(kind)


def close(a: Any, b: Any) -> bool:
    assert a.dtype == b.dtype
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-5 if a.dtype == np.float32 else 1e-12))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_kernels_equal_their_twins(case: Any) -> None:
    table, ids, starts, values = case
    assert kernel.fits(table, ids)
    found = kernel.look_up(table, ids)
    assert found is not None
    assert np.array_equal(found, table[ids])
    sums = kernel.sum_up(table, ids, starts)
    twin = [table[part].sum(axis=0) for part in np.split(ids, starts[1:])]
    assert close(sums, np.array(twin, table.dtype))
    for given_values in (values, values[:1]):
        ours, theirs = table.copy(), table.copy()
        if len(given_values):
            kernel.add(ours, ids, given_values, -0.3)
            np.add.at(theirs, ids, -0.3 * np.broadcast_to(given_values, values.shape))
            assert close(ours, theirs.astype(table.dtype))


@pytest.mark.parametrize("wrong", [-1, 7, 2**40, -(2**62)])
def test_what_is_no_row_is_noticed(monkeypatch: pytest.MonkeyPatch, wrong: int) -> None:
    monkeypatch.setattr(kernels, "least", 1)
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    table, ids = np.ones((7, 3)), np.array([1, 6, wrong, 0])
    assert kernel.look_up(table, ids) is None
    for operation in (pellucid.embedding, pellucid.embedding_bag):
        with pytest.raises(RangeError, match=rf"the id {wrong} at \(2,\)"):
            operation(ids, table)


def learned(sparse: bool, bags: bool) -> Any:
    """A table after three steps, and the losses."""
    r = np.random.default_rng(4)
    ids = r.integers(0, 50, (6, 8))
    weight = pellucid.tensor(r.normal(size=(50, 5)), requires_grad=True)
    optimizer = pellucid.optim.SGD([weight], lr=0.1)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        if bags:
            y = pellucid.embedding_bag(ids, weight, mode="mean", sparse=sparse)
        else:
            y = pellucid.embedding(ids, weight, sparse=sparse)
        loss = (y * y).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [*losses, *weight.detach().numpy().ravel()]


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("bags", [True, False])
def test_a_step_is_the_same_without_kernels(
    monkeypatch: pytest.MonkeyPatch, sparse: bool, bags: bool
) -> None:
    with kernels.off():
        twin = learned(sparse, bags)
    monkeypatch.setattr(kernels, "least", 1)
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    used = []
    for name in ("look_up", "sum_up", "add"):
        run = getattr(kernel, name)
        monkeypatch.setattr(kernel, name, lambda *a, n=name, f=run: (used.append(n), f(*a))[1])
    assert np.allclose(learned(sparse, bags), twin, rtol=1e-10)
    assert used[0] == ("sum_up" if bags else "look_up")
    assert ("add" in used) == sparse


def test_marks_add_one_row_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "least", 1)
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    rows, value = np.array([3, 1, 3]), np.arange(4.0)
    table = np.zeros((5, 4))
    Marks().add(table, RowSparse(rows, np.broadcast_to(value, (3, 4)), (5, 4)), 2.0)
    assert np.array_equal(table[[3, 1]], [4 * value, 2 * value])
    assert not table[[0, 2, 4]].any()
