"""Programs as loops compute what the steps compute: to 1e-5 in float32, to 1e-10 in float64.

Compiling takes seconds and changes nothing but the speed. So all operations are tried with the loops run
by Python itself, and the networks of the book, and a few more things, compiled.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery import exhibits
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from test_write import OPTIMIZERS, registry

import pellucid
from pellucid import Tensor, kernels, nn, optim
from pellucid.errors import ArgumentError, LabelError, PellucidWarning, RangeError
from pellucid.ops.base import OPS
from pellucid.program.loops import running

pytest.importorskip("numba")


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("PELLUCID_CACHE")
    os.environ["PELLUCID_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("PELLUCID_CACHE")
    if before is not None:
        os.environ["PELLUCID_CACHE"] = before


def interpreted(source: str) -> Any:
    """The module, with loops that Python runs."""
    from types import ModuleType

    module = ModuleType("interpreted")
    exec(
        compile(source.replace("@loops", "").replace("@short_rows", ""), "<loops>", "exec"),
        module.__dict__,
    )
    return module


@pytest.fixture
def by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops are run by Python itself."""
    monkeypatch.setattr(running, "loaded", interpreted)


def near(a: Any, b: Any) -> bool:
    """Equal to rounding, measured against the largest number of an array."""
    if isinstance(b, (tuple, list)):
        return all(near(x, y) for x, y in zip(a, b, strict=True))
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if b.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    largest = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), 0.1)
    allowed = 1e-5 if b.dtype == np.float32 else 1e-10
    return bool(np.allclose(a, b, rtol=allowed, atol=allowed * largest, equal_nan=True))


# ------------------------------------------------------------------------- every operation


def check_operation(name: str, dtype: Any, samples: list[Any]) -> None:
    op = OPS[name]
    for inputs, how in samples:
        arrays = [
            x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
            for x in inputs
        ]
        leaves = registry.prepared(op, arrays, dtype)
        watched = [x for x in leaves if isinstance(x, Tensor)]

        def step(*xs: Any, op: Any = op, how: Any = how) -> Any:
            y = registry.call(op, xs, how)
            for x in xs:
                if isinstance(x, Tensor):
                    x.grad = None
            if y.requires_grad:
                y.sum().backward()
            return y

        compiled = pellucid.compile(step, loops=True)
        found = compiled(*leaves)
        expected = step(*leaves)
        assert near(found.numpy(), expected.numpy()), f"{name}: result\n{compiled.loops}"
        gradients = [x.grad.numpy() for x in watched if x.grad is not None]
        mine = list(compiled._one().program.gradients.values())
        assert len(mine) == len(gradients)
        for a, b in zip(mine, gradients, strict=True):
            assert near(a, b), f"{name}: gradient\n{compiled.loops}"


@pytest.mark.parametrize("name", sorted(OPS))
@pytest.mark.usefixtures("by_python")
def test_every_operation(name: str) -> None:
    with np.errstate(all="ignore"):
        check_operation(name, np.float64, registry.samples(name))
        check_operation(name, np.float32, registry.samples(name)[:1])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("by_python")
def test_every_optimiser(name: str) -> None:
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    kind, how = OPTIMIZERS[name]
    follow(model, kind, how, nn.MSELoss(), [(pellucid.rand(5, 3), pellucid.ones(5, 2))] * 4)


def follow(model: Any, kind: Any, how: Any, criterion: Any, data: Any, loops: bool = True) -> Any:
    """Let a model and its copy learn, one compiled; both have to stay together."""
    nets = model, copy.deepcopy(model)
    steps = []
    for net in nets:
        optimizer = kind(net.parameters(), **how)

        def step(x: Tensor, target: Tensor, net: Any = net, optimizer: Any = optimizer) -> Tensor:
            loss = criterion(net(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        steps.append(step)
    compiled = pellucid.compile(steps[1], loops=loops)
    for seed, batch in enumerate(data):
        pellucid.manual_seed(seed)
        expected = steps[0](*batch)
        pellucid.manual_seed(seed)
        found = compiled(*batch)
        assert near(found.numpy(), expected.numpy()), compiled.loops
    for a, b in zip(nets[1].parameters(), nets[0].parameters(), strict=True):
        assert near(a.numpy(), b.numpy()), compiled.loops
    return compiled


# ---------------------------------------------------------------- shapes that nobody thought of


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_broadcasting(data: Any) -> None:
    name = data.draw(st.sampled_from(["add", "sub", "mul", "div", "maximum", "where"]))
    shapes = data.draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    r = np.random.default_rng(0)
    a, b = (Tensor(r.uniform(0.5, 2, s), requires_grad=True) for s in shapes.input_shapes)

    def step(a: Tensor, b: Tensor) -> Tensor:
        y = pellucid.where(a > 1, a, b) if name == "where" else getattr(pellucid, name)(a, b)
        loss = (y * y).sum()
        a.grad = b.grad = None
        loss.backward()
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "loaded", interpreted)
        compiled = pellucid.compile(step, loops=True)
        assert near(compiled(a, b).numpy(), step(a, b).numpy()), compiled.loops
    for mine, x in zip(compiled._one().program.gradients.values(), (a, b), strict=True):
        assert near(mine, x.grad.numpy()), compiled.loops


SIZES = st.integers(1, 9)
BENDS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "elu": nn.ELU}


@settings(max_examples=25, deadline=None)
@given(
    batch=SIZES, inputs=SIZES, hidden=SIZES, outputs=SIZES, bias=st.booleans(),
    bend=st.sampled_from(sorted(BENDS)), loss=st.sampled_from(["squared", "surprise"]),
    share=st.sampled_from([0.0, 0.5, 0.3]), double=st.booleans(),
)  # fmt: skip
@example(  # the loss's slope is filled and read under another index in one loop
    batch=2, inputs=1, hidden=1, outputs=1, bias=False, bend="elu", loss="surprise", share=0.0,
    double=False,
)  # fmt: skip
def test_networks_of_any_size(
    batch: int, inputs: int, hidden: int, outputs: int, bias: bool, bend: str, loss: str,
    share: float, double: bool,
) -> None:  # fmt: skip
    pellucid.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(inputs, hidden, bias=bias), BENDS[bend](), nn.Dropout(share),
        nn.Linear(hidden, outputs, bias=bias),
    )  # fmt: skip
    r = np.random.default_rng(0)
    kind: Any = np.float64 if double else np.float32
    if double:
        for p in model.parameters():
            p.data = p.data.astype(np.float64)
    x = Tensor(r.normal(size=(batch, inputs)).astype(kind))
    target = Tensor(r.normal(size=(batch, outputs)).astype(kind))
    criterion: Any = nn.MSELoss(reduction="sum")
    if loss == "surprise":
        target, criterion = Tensor(r.integers(0, outputs, batch)), nn.CrossEntropyLoss()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "loaded", interpreted)
        follow(model, optim.SGD, {"lr": 0.1}, criterion, [(x, target)] * 2)


# ---------------------------------------------------------------------- the book's networks, compiled

ALL = exhibits()


@pytest.mark.parametrize("number", range(len(ALL)), ids=[e.name for e in ALL])
def test_networks_of_the_book(number: int) -> None:
    plain, other = exhibits()[number], exhibits()[number]
    weights = [_weights(e.step) for e in (plain, other)]
    for a, b in zip(*weights, strict=True):
        b[...] = a
    compiled = pellucid.compile(other.step, loops=True)
    for seed in range(3):
        pellucid.manual_seed(seed)
        expected = plain.step(*plain.inputs)
        pellucid.manual_seed(seed)
        found = compiled(*other.inputs)
        assert near(found.numpy(), expected.numpy())
    for a, b in zip(*weights, strict=True):
        assert near(b, a)


def _weights(step: Any) -> list[Any]:
    cells = [c.cell_contents for c in step.__closure__]
    (optimizer,) = [c for c in cells if isinstance(c, optim.Optimizer)]
    return [p._value for group in optimizer.param_groups for p in group["params"]]


def test_the_loops_of_chapter_8_are_those_one_would_write() -> None:
    compiled = pellucid.compile(ALL[1].step, loops=True)
    compiled(*ALL[1].inputs)
    text = compiled.loops
    # the gradient of the large weights is never an array: each row is changed where it is computed
    assert "hidden_weight[i, j] -=" in text
    assert "d_hidden_weight" not in text
    # and the rows of dead units are left alone
    assert "!= 0:" in text
    # what is used up within a round is a number
    assert "error = prediction - targets[0, i]" in text
    assert "np.dot" not in text
    table = str(compiled.fused)
    assert max(map(len, table.splitlines())) <= 80
    assert "rows with a slope of 0 skipped" in table
    assert len(compiled.fused) == len(list(compiled.fused))


def test_large_products_stay_with_blas() -> None:
    compiled = pellucid.compile(ALL[2].step, loops=True)
    compiled(*ALL[2].inputs)
    assert compiled.loops.count("np.dot(") == 2
    assert "7,840,000 multiplications" in str(compiled.fused).replace("\n", " ")


def test_what_has_no_loop_form_stays_numpys() -> None:
    r = np.random.default_rng(0)
    x = Tensor(r.normal(size=(4, 3)))

    def step(x: Tensor) -> Any:
        return (2 * x).cumsum(1) + 1

    compiled = pellucid.compile(step, loops=True)
    assert near(compiled(x).numpy(), step(x).numpy())
    assert "np.add.accumulate" in compiled.loops
    assert "has no loop form" in str(compiled.fused)


# ------------------------------------------------------------------------------------------ epochs


def learner(share: float = 0.0, seed: int = 0) -> Any:
    pellucid.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(share), nn.Linear(5, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x: Tensor, target: Tensor) -> Any:
        prediction = model(x)
        loss = nn.functional.cross_entropy(prediction, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss, prediction

    return model, step


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_epoch_is_its_steps(loops: bool, share: float) -> None:
    r = np.random.default_rng(0)
    x, target = Tensor(r.normal(size=(13, 6)).astype(np.float32)), Tensor(r.integers(0, 3, 13))
    eager, step = learner(share)
    model, other = learner(share)
    compiled = pellucid.compile(other, loops=loops)
    for seed in range(2):
        pellucid.manual_seed(seed)
        expected = [step(x[i : i + 4], target[i : i + 4]) for i in (0, 4, 8)]
        pellucid.manual_seed(seed)
        losses, predictions = compiled.epoch(x, target, batch_size=4, drop_last=True)
        assert near(losses.numpy(), np.stack([loss.numpy() for loss, _ in expected]))
        assert near(predictions.numpy(), np.stack([p.numpy() for _, p in expected]))
    for a, b in zip(model.parameters(), eager.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy()) if not loops else near(a.numpy(), b.numpy())
    if loops and not share:
        assert "def epoch(" in compiled.loops
    with pytest.raises(ArgumentError, match="drop_last=True"):
        compiled.epoch(x, target, batch_size=4)
    with pytest.raises(ArgumentError, match=r"have \[13, 5\] items"):
        compiled.epoch(x, target[:5], batch_size=4)


def test_a_smaller_last_batch_is_a_step_too() -> None:
    w = Tensor(np.ones(3), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    @pellucid.compile
    def step(x: Tensor) -> Tensor:
        loss = (x * w).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    assert step.epoch(Tensor(np.ones((5, 3))), batch_size=2).shape == (3,)
    assert near(w.numpy(), np.full(3, 1 - 0.5))


# ------------------------------------------------------------------------------------- manners


def test_numbers_out_of_range_are_refused_as_ever() -> None:
    _, step = learner()
    compiled = pellucid.compile(step, loops=True)
    x, target = pellucid.rand(4, 6), Tensor(np.array([0, 1, 2, 0]))
    compiled(x, target)
    with pytest.raises(LabelError, match="3 classes"):
        compiled(x, Tensor(np.array([0, 1, 3, 0])))
    with pytest.raises(RangeError):
        compiled.epoch(x, Tensor(np.array([0, 1, 2, 3])), batch_size=2)


def test_without_numba_it_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.program import compiled

    monkeypatch.setattr(kernels, "state", lambda: "not installed")
    monkeypatch.setattr(compiled, "_said", set())
    with pytest.warns(PellucidWarning, match=r"pip install 'pellucid\[fast\]'"):
        step = pellucid.compile(nn.Linear(2, 1))
    pellucid.compile(nn.Linear(2, 1))  # a second warning would be an error
    step(pellucid.ones(1, 2))
    with pytest.raises(ArgumentError, match="loops need Numba"):
        print(step.loops)
    with pytest.raises(ImportError, match="fast"):
        pellucid.compile(nn.Linear(2, 1), loops=True)


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kernels.SWITCH, "0")
    step = pellucid.compile(nn.Linear(2, 1))
    step(pellucid.ones(1, 2))
    with pytest.raises(ArgumentError, match="PELLUCID_KERNELS=0"):
        print(step.fused)


def test_the_text_lies_in_the_users_cache() -> None:
    step = pellucid.compile(nn.Linear(2, 1), loops=True)
    step(pellucid.ones(1, 2))
    kept = list((Path(os.environ["PELLUCID_CACHE"]) / "loops").glob("pellucid_loops_*.py"))
    assert step.loops in [path.read_text(encoding="utf-8") for path in kept]
