"""Products with rows of a table, and recurrent layers, among loops: what the steps compute, to 1e-5."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from test_loops import _folder, by_python, interpreted, near  # noqa: F401 - fixtures

import pellucid
from pellucid import Tensor, kernels, nn, optim

pytest.importorskip("numba")

WORDS = 6


def learning(modules: list[Any], change: bool = False) -> Any:
    """A step that reads letters; with `change`, letters are changed in between."""
    letters, layer, last = modules
    weights = [p for m in modules for p in m.parameters()]
    optimizer = optim.SGD(weights, lr=0.1)

    def step(ids: Tensor, targets: Tensor) -> Any:
        read = letters(ids)
        if change:
            with pellucid.no_grad():
                letters.weight.mul_(0.5)
        heard = layer(read)
        heard = heard[0] if isinstance(heard, tuple) else heard
        loss = nn.functional.cross_entropy(last(heard).reshape(-1, WORDS), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def both(modules: list[Any], ids: Any, **how: Any) -> Any:
    """The compiled step, after three steps that were like those of a twin."""
    twin = copy.deepcopy(modules)
    step, compiled = learning(twin, **how), pellucid.compile(learning(modules, **how), loops=True)
    ids, targets = Tensor(ids), Tensor((ids + 1) % WORDS)
    for _ in range(3):
        assert near(compiled(ids, targets).numpy(), step(ids, targets).numpy())
    for mine, theirs in zip(modules, twin, strict=True):
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert near(a.numpy(), b.numpy())
    return compiled


@pytest.mark.usefixtures("by_python")
def test_a_table_is_multiplied_in_place_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.program.loops import tables

    monkeypatch.setattr(tables, "LARGE", 1)
    pellucid.manual_seed(0)
    modules = [nn.Embedding(WORDS, 5), nn.Linear(5, 7), nn.Linear(7, WORDS)]
    ids = np.random.default_rng(0).integers(0, WORDS, (10, 3))
    compiled = both(modules, ids)
    said = " ".join(str(compiled.fused).split())
    assert f"the {WORDS} rows of a table instead of 30 that are taken" in said
    assert f"{WORDS} sums instead of 30" in said
    assert "table" not in compiled.source.replace("embedding", "")


@pytest.mark.usefixtures("by_python")
def test_a_table_that_changed_in_between_is_not_what_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pellucid.program.loops import tables

    monkeypatch.setattr(tables, "LARGE", 1)
    table = Tensor(np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32))
    weight = Tensor(np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32))
    optimizer = optim.SGD([table.requires_grad_()], lr=0.5)

    def step(ids: Tensor) -> Any:
        read = nn.functional.embedding(ids, table)
        loss = (read * read).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return read.detach() @ weight

    before = table.numpy().copy()
    ids = Tensor(np.array([0, 1, 2, 3] * 4))
    expected = step(ids).numpy()
    table.numpy()[...] = before
    compiled = pellucid.compile(step, loops=True)
    assert near(compiled(ids).numpy(), expected)
    assert "rows of a table" not in str(compiled.fused)


@pytest.mark.parametrize("how", [{}, {"bidirectional": True}, {"bias": False}])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.usefixtures("by_python")
def test_a_recurrent_layer_calls_its_kernel(
    kind: str, how: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "least", 1)
    pellucid.manual_seed(0)
    sides = 2 if how.get("bidirectional") else 1
    modules = [nn.Embedding(WORDS, 8), getattr(nn, kind)(8, 8, **how), nn.Linear(8 * sides, WORDS)]
    compiled = both(modules, np.random.default_rng(0).integers(0, WORDS, (12, 3)))
    assert "pellucid.kernels.recurrence." in compiled.loops
    assert "a kernel" in str(compiled.fused)
    assert "kernels" not in compiled.source  # which is NumPy alone
    exec(compile(compiled.source, "<source>", "exec"), {"__name__": "alone"})


def test_what_blas_multiplies_lies_side_by_side() -> None:
    r = np.random.default_rng(0)
    table, weight = (Tensor(r.normal(size=n).astype(np.float32)) for n in ((400, 64), (64, 64)))
    ids = Tensor(r.integers(0, 400, 200))

    def step(ids: Tensor) -> Any:
        return nn.functional.embedding(ids, table) @ weight

    compiled = pellucid.compile(step, loops=True)
    assert near(compiled(ids).numpy(), step(ids).numpy())
    assert "np.dot(" in compiled.loops
