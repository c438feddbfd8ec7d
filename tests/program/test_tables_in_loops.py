"""Rows of large tables in compiled steps: looked up, added up and changed where they lie."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_loops import _folder, by_python, interpreted, near  # noqa: F401 - fixtures

import pellucid
from pellucid import Tensor, nn, optim
from pellucid.errors import RangeError
from pellucid.program.loops import running

pytest.importorskip("numba")
Array = Any


@pytest.fixture(autouse=True)
def _seed() -> None:
    pellucid.manual_seed(0)


def reader(model: nn.Module, lr: float = 0.01) -> tuple[Any, Any]:
    """A step that learns with plain SGD, and its optimiser."""
    optimizer = optim.SGD(model.parameters(), lr=lr)

    def learn(ids: Tensor, targets: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = ((model(ids) - targets) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    return learn, optimizer


def same_as_eager(model: nn.Module, batches: list[tuple[Array, Array]], loops: bool = True) -> Any:
    """Both ways through the batches: equal losses, equal weights. Returns the compiled step."""
    other = copy.deepcopy(model)
    eager, compiled = reader(model)[0], pellucid.compile(reader(other)[0], loops=loops)
    for ids, targets in batches:
        given = Tensor(ids), Tensor(targets)
        expected, found = eager(*given).numpy(), compiled(*given).numpy()
        pairs = zip(other.parameters(), model.parameters(), strict=True)
        if loops:
            assert near(found, expected)
            assert all(near(a.numpy(), b.numpy()) for a, b in pairs)
        else:
            assert np.array_equal(found, expected)
            assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    return compiled


def drawn(r: np.random.Generator, rows: int, shape: tuple[int, ...], out: tuple[int, ...]) -> Any:
    """Three batches of ids, some of them several times, and targets."""
    return [(r.integers(0, rows, shape), r.normal(size=out).astype(np.float32)) for _ in range(3)]


# --------------------------------------------------------------------- all that a table can be asked


@pytest.mark.parametrize("sparse", [True, False])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_bags_of_any_shape(sparse: bool, data: Any) -> None:
    r = np.random.default_rng(data.draw(st.integers(0, 99)))
    bags, n, width = (data.draw(st.integers(1, 4)) for _ in range(3))
    rows = data.draw(st.sampled_from([1, 2, 5, 90]))
    padding = data.draw(st.sampled_from([None, 0, rows - 1, -1]))
    mode = data.draw(st.sampled_from(["sum", "mean"]))
    model = nn.EmbeddingBag(rows, width, mode=mode, sparse=sparse, padding_idx=padding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "loaded", interpreted)
        batches = drawn(r, rows, (bags, n), (bags, width))
        compiled = same_as_eager(copy.deepcopy(model), batches)
        same_as_eager(model, batches, loops=False)
    assert "np.add.at" not in compiled.loops


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("shape", [(6,), (3, 2), (2, 1, 3), (1, 1)])
@pytest.mark.usefixtures("by_python")
def test_rows_of_any_shape(shape: tuple[int, ...], padding: int | None, sparse: bool) -> None:
    r = np.random.default_rng(3)
    model = nn.Embedding(70, 4, padding_idx=padding, sparse=sparse)
    batches = drawn(r, 5, shape, (*shape, 4))
    compiled = same_as_eager(model, batches)
    assert "np.add.at" not in compiled.loops
    same_as_eager(model, batches, loops=False)


@pytest.mark.parametrize("padding", [None, 1])
@pytest.mark.usefixtures("by_python")
def test_words_that_count_more_or_less(padding: int | None) -> None:
    r = np.random.default_rng(4)
    table = pellucid.randn(80, 3).requires_grad_()
    weights = pellucid.rand(2, 5).requires_grad_()

    def gradients(ids: Tensor) -> Any:
        y = pellucid.embedding_bag(
            ids, table, None, weights, mode="sum", padding_idx=padding, sparse=False
        )
        table.grad = weights.grad = None
        (y * y).sum().backward()
        return y, table.grad, weights.grad

    compiled = pellucid.compile(lambda ids: gradients(ids)[0], loops=True)
    ids = Tensor(r.integers(0, 4, (2, 5)))
    expected = [t.numpy() for t in gradients(ids)]
    found = compiled(ids).numpy(), *compiled._one().program.gradients.values()
    assert near([*found], expected)


@pytest.mark.usefixtures("by_python")
def test_nothing_but_padding_teaches_nothing() -> None:
    for model in (
        nn.Embedding(9, 3, padding_idx=4, sparse=True),
        nn.EmbeddingBag(9, 3, mode="mean", padding_idx=4, sparse=True),
    ):
        before = model.weight.numpy().copy()
        shape = (2, 3, 3) if isinstance(model, nn.Embedding) else (2, 3)
        same_as_eager(model, [(np.full((2, 3), 4), np.ones(shape, np.float32))])
        assert np.array_equal(model.weight.numpy(), before)


@pytest.mark.usefixtures("by_python")
def test_no_words_at_all() -> None:
    for padding in (None, 0):
        model = nn.EmbeddingBag(9, 3, mode="sum", padding_idx=padding, sparse=True)
        same_as_eager(model, [(np.zeros((2, 0), np.int64), np.ones((2, 3), np.float32))])


@pytest.mark.usefixtures("by_python")
def test_a_table_that_is_looked_at_twice() -> None:
    class Pairs(nn.Module):
        """Each word times the word behind it: what one gets depends on the other."""

        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(80, 3, sparse=True)

        def forward(self, ids: Tensor) -> Tensor:
            return self.words(ids[:, :-1]) * self.words(ids[:, 1:])

    r = np.random.default_rng(5)
    same_as_eager(Pairs(), drawn(r, 4, (2, 4), (2, 3, 3)))


@pytest.mark.usefixtures("by_python")
def test_rows_that_change_places() -> None:
    table = pellucid.arange(6.0).reshape(3, 2).clone()

    def step(rows: Tensor, other: Tensor) -> Tensor:
        table[rows] = 0.5 * table[other]
        return table.sum()

    given, first = (Tensor(np.array([0, 1, 2])), Tensor(np.array([2, 0, 1]))), table.numpy().copy()
    expected, after = step(*given).item(), table.numpy().copy()
    table.numpy()[...] = first
    assert pellucid.compile(step, loops=True)(*given).item() == expected
    assert np.array_equal(table.numpy(), after)


# ------------------------------------------------------------------- the two programs of the benchmark


def reviews() -> tuple[nn.Module, list[Any]]:
    """A review's words added up (chapter 11), in small."""
    bag = nn.EmbeddingBag(500, 20, mode="sum", sparse=True)
    model = nn.Sequential(bag, nn.Linear(20, 1))
    return model, drawn(np.random.default_rng(6), 500, (1, 30), (1, 1))


def mails() -> tuple[nn.Module, list[Any]]:
    """A number for each word of a mail, 0 for no word (chapter 15), in small."""
    bag = nn.EmbeddingBag(500, 1, mode="sum", sparse=True, padding_idx=0)
    r = np.random.default_rng(7)
    batches = drawn(r, 500, (8, 30), (8, 1))
    for ids, _ in batches:
        ids[np.arange(30) >= r.integers(0, 31, (8, 1))] = 0
    return nn.Sequential(bag, nn.Sigmoid()), batches


@pytest.mark.parametrize("made", [reviews, mails])
def test_they_are_one_compiled_function(made: Any) -> None:
    model, batches = made()
    first = copy.deepcopy(model)
    compiled = same_as_eager(model, batches)
    assert compiled._one().loops.whole
    assert "weight" in next(line for line in compiled.loops.splitlines() if "+=" in line)
    eager, whole = reader(first)[0], pellucid.compile(reader(copy.deepcopy(first))[0], loops=True)
    inputs = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
    losses = whole.epoch(*inputs, batch_size=len(batches[0][0]))
    assert near(losses.numpy(), np.array([eager(*map(Tensor, b)).item() for b in batches], "f"))


@pytest.mark.parametrize("made", [reviews, mails])
def test_numpy_has_the_same_bits(made: Any) -> None:
    same_as_eager(*made(), loops=False)


@pytest.mark.usefixtures("by_python")
def test_padding_is_left_out_in_loops_and_picked_out_in_the_text() -> None:
    compiled = same_as_eager(*mails())
    assert "flat = flat[kept]" in compiled.source
    guarded = "if ids[i, j] != i64(0):\n                weight[ids[i, j], 0] += each"
    assert guarded in compiled.loops, compiled.loops


@pytest.mark.usefixtures("by_python")
def test_rows_of_padding_are_left_out_as_a_whole() -> None:
    model = nn.EmbeddingBag(90, 70, mode="sum", sparse=True, padding_idx=0)
    compiled = same_as_eager(model, drawn(np.random.default_rng(8), 3, (2, 5), (2, 70)))
    lines = [line.strip() for line in compiled.loops.splitlines()]
    asked = [n for n, line in enumerate(lines) if line.startswith("if each")]
    assert len(asked) == 2  # adding up, and learning
    assert all(lines[n + 1] == "for k in range(70):" for n in asked)


@pytest.mark.parametrize("made", [reviews, mails])
@pytest.mark.usefixtures("by_python")
def test_an_id_that_is_no_row_changes_nothing(made: Any) -> None:
    model, batches = made()
    compiled = pellucid.compile(reader(model)[0], loops=True)
    compiled(*map(Tensor, batches[0]))
    before = [p.numpy().copy() for p in model.parameters()]
    ids = batches[1][0].copy()
    ids[-1, -1] = 500
    with pytest.raises(RangeError, match="the id 500 at"):
        compiled(Tensor(ids), Tensor(batches[1][1]))
    assert all(
        np.array_equal(p.numpy(), b) for p, b in zip(model.parameters(), before, strict=True)
    )


@pytest.mark.parametrize(
    "settings_",
    [{"mode": "max", "padding_idx": 0}, {"mode": "sum", "padding_idx": 0}],
    ids=["largest", "offsets"],
)
def test_where_lengths_vary_in_any_form_numpy_runs(settings_: dict[str, Any]) -> None:
    table = pellucid.randn(80, 3).requires_grad_()
    optimizer = optim.SGD([table], lr=0.1)
    starts = None if settings_["mode"] == "max" else pellucid.tensor([0, 3])

    def step(ids: Tensor) -> Tensor:
        y = pellucid.embedding_bag(ids, table, starts, **settings_)
        optimizer.zero_grad()
        loss = (y * y).sum()
        loss.backward()
        optimizer.step()
        return loss

    shape = (2, 4) if starts is None else (8,)
    batches = [Tensor(np.random.default_rng(n).integers(0, 3, shape)) for n in range(3)]
    first = table.numpy().copy()
    expected = [step(ids).item() for ids in batches]
    after = table.numpy().copy()
    table.numpy()[...] = first
    compiled = pellucid.compile(step, loops=True)
    assert [compiled(ids).item() for ids in batches] == expected
    assert np.array_equal(table.numpy(), after)
    assert "np.add" in compiled.running
