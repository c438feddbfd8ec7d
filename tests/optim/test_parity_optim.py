"""Every optimiser beside PyTorch's: the same path over 20 steps, in every setting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.2, "maximize": True},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.2},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2, "maximize": True},
        {"lr": 0},
    ],
    "RMSprop": [
        {},
        {"lr": 0.05, "alpha": 0.9, "eps": 1e-3},
        {"weight_decay": 0.2},
        {"momentum": 0.8},
        {"centered": True},
        {"centered": True, "momentum": 0.8, "weight_decay": 0.2, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.3, "lr_decay": 0.1},
        {"weight_decay": 0.2, "maximize": True},
        {"initial_accumulator_value": 0.5, "eps": 1e-3},
    ],
    "Adam": [
        {},
        {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3},
        {"weight_decay": 0.2},
        {"amsgrad": True, "lr": 0.1},
        {"amsgrad": True, "lr": 0.1, "weight_decay": 0.2, "maximize": True},
    ],
    "AdamW": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.3, "maximize": True},
        {"lr": 0.1, "amsgrad": True},
        {"weight_decay": 0.0},
    ],
}
CASES = [(name, settings) for name, many in SETTINGS.items() for settings in many]
STEPS = 20


def start(*shapes: tuple[int, ...], dtype: Any = np.float64) -> list[Any]:
    r = np.random.default_rng(3)
    return [r.normal(size=shape).astype(dtype) for shape in shapes]


def gradients(shapes: list[tuple[int, ...]], step: int) -> list[Any]:
    """Another one at each step, of very different sizes, now and then exactly 0."""
    r = np.random.default_rng(100 + step)
    found = [r.normal(size=shape) * 10.0 ** r.integers(-3, 2) for shape in shapes]
    return [np.zeros(shape) if step % 7 == 5 else g for g, shape in zip(found, shapes, strict=True)]


def both(arrays: list[Any]) -> tuple[list[Any], list[Any]]:
    ours = [Tensor(a.copy(), requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, theirs


def give(ours: list[Any], theirs: list[Any], found: list[Any]) -> None:
    for p, q, g in zip(ours, theirs, found, strict=True):
        p.grad = Tensor(g.astype(p.dtype))
        q.grad = torch.tensor(g.astype(p.dtype))


def same(ours: list[Any], theirs: list[Any], rtol: float = 1e-12, atol: float = 1e-14) -> None:
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_same_path(name: str, settings: dict[str, Any]) -> None:
    shapes = [(3, 4), (5,), ()]
    ours, theirs = both(start(*shapes))
    optimizer = getattr(optim, name)(ours, **settings)
    peer = getattr(torch.optim, name)(theirs, **settings)
    before = [p.numpy().copy() for p in ours]
    for step in range(STEPS):
        give(ours, theirs, gradients(shapes, step))
        optimizer.step(), peer.step()
        same(ours, theirs)
    moved = [not np.array_equal(p.numpy(), b) for p, b in zip(ours, before, strict=True)]
    assert all(moved) == (settings.get("lr") != 0)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_same_path_in_float32(name: str, settings: dict[str, Any]) -> None:
    shapes = [(3, 4), (5,)]
    ours, theirs = both(start(*shapes, dtype=np.float32))
    optimizer = getattr(optim, name)(ours, **settings)
    peer = getattr(torch.optim, name)(theirs, **settings)
    for step in range(STEPS):
        # gradients of one size: in float32 `centered` takes the difference of near equals
        give(ours, theirs, [g / max(abs(g).max(), 1e-9) for g in gradients(shapes, step)])
        optimizer.step(), peer.step()
    assert all(p.dtype == np.float32 for p in ours)
    same(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_the_same_path_of_a_large_matrix(name: str, layout: str) -> None:
    """Larger than one block, and not a whole number of blocks."""
    settings = SETTINGS[name][-1]
    if name == "SGD":
        settings = SETTINGS[name][-2]
    (array,) = start((301, 500))
    assert array.size > 2 * optim.base.BLOCK
    weight = array if layout == "rows" else np.asfortranarray(array)
    ours, theirs = [Tensor(weight, requires_grad=True)], [torch.tensor(array, requires_grad=True)]
    optimizer = getattr(optim, name)(ours, **settings)
    peer = getattr(torch.optim, name)(theirs, **settings)
    for step in range(4):
        give(ours, theirs, gradients([array.shape], step))
        optimizer.step(), peer.step()
    same(ours, theirs)


@pytest.mark.parametrize("name", SETTINGS)
def test_groups_and_parameters_that_rest(name: str) -> None:
    """Two groups with settings of their own; one parameter has a gradient every other step only."""
    shapes = [(3,), (2, 2), (4,)]
    ours, theirs = both(start(*shapes))
    made = []
    for module, (a, b, c) in ((optim, ours), (torch.optim, theirs)):
        groups = [
            {"params": [a, b], "lr": 0.2},
            {"params": [c], "weight_decay": 0.1, "maximize": True},
        ]
        made.append(getattr(module, name)(groups, lr=0.01))
    optimizer, peer = made
    for step in range(STEPS):
        give(ours, theirs, gradients(shapes, step))
        if step % 2:
            ours[1].grad = theirs[1].grad = None
        optimizer.step(), peer.step()
        same(ours, theirs)
        for group, other in zip(optimizer.param_groups, peer.param_groups, strict=True):
            group["lr"] *= 0.9
            other["lr"] *= 0.9


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_twenty_steps_of_a_network(name: str, settings: dict[str, Any]) -> None:
    if settings.get("maximize"):
        settings = {**settings, "lr": 1e-4}  # uphill there is no end
    ours = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3)
    ).double()
    ours.load_state_dict(theirs.state_dict())
    optimizer = getattr(optim, name)(ours.parameters(), **settings)
    peer = getattr(torch.optim, name)(theirs.parameters(), **settings)
    r = np.random.default_rng(5)
    x, labels = r.normal(size=(8, 4)), r.integers(0, 3, 8)
    for _ in range(STEPS):
        optimizer.zero_grad(), peer.zero_grad()
        nn.CrossEntropyLoss()(ours(Tensor(x)), Tensor(labels)).backward()
        torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(labels)).backward()
        optimizer.step(), peer.step()
    same(list(ours.parameters()), list(theirs.parameters()), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", SETTINGS)
def test_clipping_comes_between(name: str) -> None:
    ours, theirs = both(start((3, 4), (5,)))
    optimizer, peer = getattr(optim, name)(ours), getattr(torch.optim, name)(theirs)
    for step in range(STEPS):
        give(ours, theirs, gradients([(3, 4), (5,)], step))
        length = nn.utils.clip_grad_norm_(ours, 0.5)
        expected = torch.nn.utils.clip_grad_norm_(theirs, 0.5)
        assert length.item() == pytest.approx(expected.item(), rel=1e-12)
        nn.utils.clip_grad_value_(ours, 0.2)
        torch.nn.utils.clip_grad_value_(theirs, 0.2)
        optimizer.step(), peer.step()
    same(ours, theirs)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sparse_embeddings_learn_as_pytorchs(momentum: float) -> None:
    """PyTorch's SGD takes sparse gradients too, though not with momentum."""
    ours = nn.Embedding(9, 3, sparse=True).double()
    theirs = torch.nn.Embedding(9, 3, sparse=momentum == 0.0).double()
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.numpy().copy())})
    optimizer = optim.SGD(ours.parameters(), lr=0.1, momentum=momentum)
    peer = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=momentum)
    r = np.random.default_rng(1)
    for _ in range(STEPS):
        rows = r.integers(0, 9, (2, 3))
        optimizer.zero_grad(), peer.zero_grad()
        (ours(Tensor(rows)) ** 2).sum().backward()
        (theirs(torch.tensor(rows)) ** 2).sum().backward()
        optimizer.step(), peer.step()
    same(list(ours.parameters()), list(theirs.parameters()))


def test_the_defaults_are_pytorchs() -> None:
    for name in SETTINGS:
        weight = pellucid.zeros(1, requires_grad=True)
        ours = getattr(optim, name)([weight]).defaults
        theirs = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)]).defaults
        assert {k: theirs[k] for k in ours} == ours, name


def test_every_optimiser_is_compared() -> None:
    assert set(SETTINGS) | {"Optimizer"} == set(optim.__all__)
