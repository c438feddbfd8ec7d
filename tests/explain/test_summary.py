"""model.summary: layers, shapes, parameters; up to the layer that refuses its input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

import pellucid
from pellucid import Tensor, nn
from pellucid.errors import ArgumentError


def images() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10)
    )


class Talk(nn.Module):
    """A layer that is called twice, and one that is not called."""

    def __init__(self) -> None:
        self.words, self.memory = nn.Embedding(20, 6), nn.LSTM(6, 6, batch_first=True)
        self.say, self.spare = nn.Linear(6, 6), nn.Linear(3, 3)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.memory(self.words(ids))
        return self.say(self.say(states))


def test_shapes_and_parameters() -> None:
    found = images().summary((1, 28, 28))
    assert [layer.output for layer in found.layers] == [
        (1, 10), (1, 4, 28, 28), (1, 4, 28, 28), (1, 4, 14, 14), (1, 784), (1, 10),
    ]  # fmt: skip
    assert [layer.parameters for layer in found.layers] == [0, 40, 0, 0, 0, 7850]
    assert found.parameters == 7890
    assert found.size == 4 * 7890
    assert found.error is found.failed is None
    assert "7,890 parameters; 32 kB" in str(found)
    assert max(cell_len(line) for line in str(found).splitlines()) <= 80


@pytest.mark.parametrize(
    "given", [None, (5,), np.arange(10).reshape(2, 5), (Tensor(np.arange(10).reshape(2, 5)),)]
)
def test_inputs_in_any_form(given: Any) -> None:
    found = Talk().summary(given)
    assert found.error is None
    assert found.layers[0].output[1:] == (5, 6)


def test_layers_called_again_or_never() -> None:
    found = Talk().summary()
    assert [layer.again for layer in found.layers if layer.path == "say"] == [False, True]
    assert found.unused == ["spare"]
    assert "not called: spare" in str(found)
    assert "as above" in str(found)
    assert found.parameters == sum(p.numel() for p in Talk().parameters())


def test_frozen_and_shared_weights_count_once() -> None:
    model = Talk()
    model.words.requires_grad_(False)
    found = model.summary()
    assert found.frozen == 120
    assert f"{found.parameters:,} parameters, {found.parameters - 120:,} of them learned" in str(
        found
    )


def test_it_ends_at_the_layer_that_fails() -> None:
    model = nn.Sequential(images()[:3], nn.Flatten(), nn.Sequential(nn.Linear(100, 10)))
    found = model.summary((1, 28, 28))
    assert found.failed is not None
    assert found.failed.path == "2.0"
    assert found.failed.inputs == ((1, 784),)
    told = str(found)
    assert "<- stops here" in told
    assert "It stops in 2.0: Linear(100 -> 10). It was given (1, 784)." in told
    assert "784 is not 100" in told
    assert found.layers[-2].output is None  # the one around it has not finished either


def test_a_failure_of_python_is_told_as_well() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("no such thing") if x is None else ValueError("odd sizes only")

    found = Odd().summary(pellucid.ones(2, 2))
    assert "odd sizes only" in str(found)


def test_the_model_is_left_as_it_was() -> None:
    model = images()
    model.train()
    model.summary((1, 28, 28))
    model.summary((3, 28, 28))
    assert all(module.training for module in model.modules())
    assert all(not (m._hooks and (m._hooks.before or m._hooks.after)) for m in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_what_is_no_input() -> None:
    with pytest.raises(ArgumentError, match="made from an input or its shape"):
        images().summary("28")
