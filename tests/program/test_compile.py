"""A compiled step does what the step does, to the same weights: in NumPy bit for bit.

In loops sums are added up in another order: `test_loops.py` holds them to 1e-5.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, schedules
from pellucid.errors import ArgumentError


def twins(kind: Any, **how: Any) -> tuple[Any, Any]:
    """Two equal models with steps of their own; the second is to be compiled."""
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))
    made = []
    for net in (model, copy.deepcopy(model)):
        optimizer = kind(net.parameters(), **how)

        def step(x: Tensor, target: Tensor, net: Any = net, optimizer: Any = optimizer) -> Tensor:
            loss = nn.functional.cross_entropy(net(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        made.append((net, optimizer, step))
    return made[0], made[1]


def batches(sizes: list[int]) -> list[tuple[Tensor, Tensor]]:
    r = np.random.default_rng(0)
    return [
        (Tensor(r.normal(size=(n, 3)).astype(np.float32)), Tensor(r.integers(0, 2, n)))
        for n in sizes
    ]


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (optim.SGD, {"lr": 0.1}),
        (optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        (optim.Adam, {"lr": 0.01}),
        (optim.RMSprop, {"lr": 0.01}),
    ],
    ids=["sgd", "momentum", "adam", "rmsprop"],
)
def test_it_learns_the_same(kind: Any, how: dict[str, Any]) -> None:
    (eager, _, step), (model, _, plain) = twins(kind, **how)
    compiled = pellucid.compile(plain, loops=False)
    data = batches([4, 4, 6, 4, 6])
    pellucid.manual_seed(1)
    losses = [step(*batch).item() for batch in data]
    pellucid.manual_seed(1)
    assert [compiled(*batch).item() for batch in data] == losses
    assert len(compiled.programs) == 2  # one for each size of batches
    for a, b in zip(eager.parameters(), model.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_compiled_and_other_steps_take_turns() -> None:
    (eager, _, step), (model, optimizer, plain) = twins(optim.Adam, lr=0.01)
    compiled = pellucid.compile(plain, loops=False)
    data = batches([4] * 6)
    pellucid.manual_seed(1)
    losses = [step(*batch).item() for batch in data]
    pellucid.manual_seed(1)
    turns = [plain, compiled, compiled, plain, compiled, plain]
    assert [turn(*batch).item() for turn, batch in zip(turns, data, strict=True)] == losses
    assert optimizer.state_dict()["state"][0]["step"] == 6
    for a, b in zip(eager.parameters(), model.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_a_schedule_is_followed() -> None:
    (eager, first, step), (model, second, plain) = twins(optim.SGD, lr=0.1)
    compiled = pellucid.compile(plain, loops=False)
    falling = [schedules.StepLR(o, step_size=1, gamma=0.5) for o in (first, second)]
    pellucid.manual_seed(1)
    for batch in batches([4] * 3):
        step(*batch)
        falling[0].step()
    pellucid.manual_seed(1)
    for batch in batches([4] * 3):
        compiled(*batch)
        falling[1].step()
    assert len(compiled.programs) == 1
    for a, b in zip(eager.parameters(), model.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_modes_and_settings_are_recorded_again() -> None:
    (_, _, _), (model, optimizer, plain) = twins(optim.SGD, lr=0.1)
    compiled = pellucid.compile(plain, loops=False)
    ((x, target),) = batches([4])
    compiled(x, target)
    assert "rng" in compiled.source
    model.eval()
    compiled(x, target)
    assert "rng" not in compiled.source
    optimizer.param_groups[0]["momentum"] = 0.9
    compiled(x, target)
    assert "velocity" in compiled.source


def test_prediction_only() -> None:
    model = nn.Linear(3, 2)
    predict = pellucid.compile(model, loops=False)
    x = pellucid.rand(4, 3)
    assert np.array_equal(predict(x).numpy(), model(x).numpy())
    assert not predict(x).requires_grad
    with pellucid.no_grad():
        model.bias.add_(1)
    assert np.array_equal(predict(x).numpy(), model(x).numpy())


def test_what_cannot_be_kept_faithful_is_refused() -> None:
    def step(x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x

    with pytest.raises(ArgumentError, match="an `if`"):
        pellucid.compile(step)(pellucid.ones(2))
    with pytest.raises(ArgumentError, match="call it once"):
        print(pellucid.compile(step).source)


def test_results_lie_where_the_last_step_put_them() -> None:
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 40), nn.Tanh(), nn.Linear(40, 20))
    nets = model, copy.deepcopy(model)
    steps = []
    for net in nets:
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Tensor, target: Tensor, net: Any = net, optimizer: Any = optimizer) -> Any:
            prediction = net(x)
            loss = ((prediction - target) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss, prediction

        steps.append(step)
    compiled = pellucid.compile(steps[1], loops=False)
    r = np.random.default_rng(0)
    kept = []
    for _ in range(3):
        x, target = (Tensor(r.normal(size=(50, n)).astype(np.float32)) for n in (30, 20))
        loss, prediction = steps[0](x, target)
        again, found = compiled(x, target)
        assert np.array_equal(again.numpy(), loss.numpy())
        kept.append((found, prediction.numpy().copy()))
    for found, prediction in kept:  # what was returned is not written over
        assert np.array_equal(found.numpy(), prediction)
    for a, b in zip(nets[1].parameters(), nets[0].parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())
    assert compiled.running.count("out=room[") >= 3
    assert "out=" not in compiled.source


@pytest.mark.parametrize("layer", [nn.RNN, nn.GRU, nn.LSTM])
def test_what_a_kernel_would_run_in_eager_mode_is_written_in_numpy(layer, monkeypatch) -> None:
    monkeypatch.setattr(pellucid.kernels, "least", 1)
    module, x = layer(4, 4, batch_first=True), pellucid.randn(3, 5, 4)
    compiled = pellucid.compile(lambda x: module(x)[0], loops=False)
    np.testing.assert_allclose(compiled(x).numpy(), module(x)[0].numpy(), rtol=1e-5, atol=1e-6)
    assert "kernel" not in compiled.source
