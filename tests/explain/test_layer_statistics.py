"""Activations, gradients and changes of weights, layer by layer: figures against NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, train
from pellucid.errors import ArgumentError
from pellucid.explain import LayerStatistics, layer_statistics
from pellucid.explain.statistics import Statistics, spark


class Net(nn.Module):
    def __init__(self, bend: Any = pellucid.relu) -> None:
        self.hidden, self.output, self.bend = nn.Linear(6, 8), nn.Linear(8, 3), bend

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.bend(self.hidden(x)))


def learning(model: nn.Module, lr: float = 0.1) -> Any:
    optimizer = optim.SGD(model.parameters(), lr=lr)
    criterion = nn.MSELoss()

    def step(x: Tensor, targets: Tensor) -> Tensor:
        loss = criterion(model(x), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def batch(rows: int = 5) -> tuple[Tensor, Tensor]:
    r = np.random.default_rng(0)
    return Tensor(r.normal(size=(rows, 6)).astype("f")), Tensor(
        r.normal(size=(rows, 3)).astype("f")
    )


def test_figures_against_numpy() -> None:
    pellucid.manual_seed(0)
    model = Net()
    x, targets = batch()
    step = learning(model)
    before = {n: p.numpy().copy() for n, p in model.named_parameters()}
    found = layer_statistics(step)(x, targets)
    assert all(np.array_equal(p.numpy(), before[n]) for n, p in model.named_parameters())
    hidden = model.hidden(x)
    hidden.retain_grad()
    bent = hidden.relu()
    nn.MSELoss()(model.output(bent), targets).backward()
    assert [a.name for a in found.activations] == ["hidden", "relu", "output"]
    first, second, _ = found.activations
    assert first.mean == pytest.approx(hidden.numpy().mean(), abs=1e-6)
    assert first.std == pytest.approx(hidden.numpy().std(), rel=1e-5)
    assert hidden.grad is not None
    assert first.gradient == pytest.approx(np.linalg.norm(hidden.grad.numpy()), rel=1e-5)
    assert second.zeros == pytest.approx(np.mean(bent.numpy() == 0))
    assert second.dead == pytest.approx(np.mean((bent.numpy() == 0).all(axis=0)))
    assert sum(first.histogram) == hidden.numpy().size
    for weights, (name, p) in zip(found.weights, model.named_parameters(), strict=True):
        gradient = np.asarray(p.grad, np.float64)
        assert weights.name == name
        assert weights.gradient == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
        assert weights.gradient_mean == pytest.approx(gradient.mean(), abs=1e-6)
        expected = 0.1 * np.linalg.norm(gradient) / np.linalg.norm(before[name])
        assert weights.ratio == pytest.approx(expected, rel=1e-3)


def test_dead_and_saturated_units_are_found() -> None:
    model = Net()
    model.hidden.bias._value[:6] = -100  # type: ignore[union-attr]
    found = layer_statistics(learning(model))(*batch())
    assert found.activations[1].dead == pytest.approx(0.75, abs=0.13)
    assert any("units are 0 for every example" in remark for remark in found.remarks())
    model = Net(pellucid.tanh)
    model.hidden.weight._value[...] *= 1000
    found = layer_statistics(learning(model))(*batch())
    assert (found.activations[1].saturated or 0) > 0.9
    assert any("at an end of their range" in remark for remark in found.remarks())


def test_steps_that_are_too_large_and_gradients_that_fade() -> None:
    found = layer_statistics(learning(Net(), lr=100.0))(*batch())
    assert any("lower the learning rate?" in remark for remark in found.remarks())
    deep = nn.Sequential(nn.Linear(6, 6), *[nn.Sigmoid() for _ in range(12)], nn.Linear(6, 3))
    found = layer_statistics(learning(deep))(*batch())
    assert any(remark.startswith("gradients fade") for remark in found.remarks())


def test_a_layer_called_for_every_step_of_a_sequence() -> None:
    cell = nn.RNNCell(4, 4)

    def step(x: Tensor) -> Tensor:
        state = pellucid.zeros(2, 4)
        for t in range(3):
            state = cell(x[t], state)
        state.sum().backward()
        return state

    found = layer_statistics(step)(pellucid.rand(3, 2, 4))
    (only,) = found.activations
    assert only.name == "RNNCell"
    assert sum(only.histogram) == 3 * 2 * 4
    assert all(w.ratio is None and w.gradient for w in found.weights)


def test_convolutions_and_bare_tensors() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    model[0].weight._value[1:3] = 0
    model[0].bias._value[1:3] = -1
    found = layer_statistics(model)(pellucid.rand(2, 1, 5, 5))
    assert found.activations[1].dead is not None
    assert found.activations[1].dead >= 0.5
    weight = pellucid.rand(3, 2, requires_grad=True)

    def step(x: Tensor) -> Tensor:
        y = (x @ weight).tanh()
        y.sum().backward()
        return y

    found = layer_statistics(step)(pellucid.rand(2, 3))
    assert [w.name for w in found.weights] == ["weight"]
    assert [a.name for a in found.activations] == ["tanh"]


def test_the_table_fits_a_terminal() -> None:
    told = str(layer_statistics(learning(Net()))(*batch()))
    assert max(map(len, told.splitlines())) <= 80
    assert told.splitlines()[0].split()[:3] == ["activations", "mean", "std"]
    assert "hidden.weight" in told
    assert spark(()) == ""
    assert spark((0, 5)) == " █"


def test_in_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    inside = LayerStatistics(every=3, show=True)
    train.fit(
        model, [batch()] * 4, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1),
        epochs=2, validation=[batch()], callbacks=[inside], progress=False,
    )  # fmt: skip
    assert [s.step for s in inside.history] == [1, 4, 7]
    assert capsys.readouterr().out.count("activations") == 3
    latest: Statistics = inside.history[-1]
    assert [a.name for a in latest.activations] == ["0", "1", "2"]
    assert [a.shape for a in latest.activations] == [(5, 8), (5, 8), (5, 3)]
    assert all(w.ratio for w in latest.weights)
    assert pellucid.tape.mode.listener is None
    assert pellucid.tape.mode.witness is None


def test_it_changes_nothing_in_a_run() -> None:
    weights = []
    for callbacks in ([], [LayerStatistics(every=2)]):
        pellucid.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3))
        sgd = optim.SGD(model.parameters(), lr=0.1)
        train.fit(
            model, [batch()] * 4, nn.MSELoss(), sgd, epochs=1, callbacks=callbacks, progress=False
        )
        weights.append([p.numpy().copy() for p in model.parameters()])
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_settings_without_sense() -> None:
    with pytest.raises(ArgumentError, match="1 or more, not 0"):
        LayerStatistics(every=0)
