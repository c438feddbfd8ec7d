"""One prediction, written down: which operations ran, in which modules, and what follows from sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn
from pellucid.errors import ArgumentError
from pellucid.nn.recording import Recording, Size, record
from pellucid.nn.sample import sample_inputs


class Flat(nn.Module):
    """Reshapes by hand, by a length of its input."""

    def __init__(self) -> None:
        self.out = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x.reshape(x.shape[0], 6))


def shapes(recording: Recording) -> list[tuple[int, ...]]:
    return [call.result.shape for call in recording.calls]


def test_operations_in_order_with_their_modules() -> None:
    inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    seen = record(nn.Sequential(inner, nn.Linear(4, 2)), pellucid.ones(5, 3))
    assert [(c.op.name, c.module) for c in seen.calls] == [
        ("linear", "0.0"),
        ("tanh", "0.1"),
        ("linear", "1"),
    ]
    assert [path for path, _ in seen.calls[0].within] == ["0", "0.0"]
    assert [v.name for v in seen.weights] == ["0.0.weight", "0.0.bias", "1.weight", "1.bias"]
    assert seen.outputs[0] is seen.calls[-1].result
    assert shapes(seen) == [(5, 4), (5, 4), (5, 2)]


def test_a_module_called_twice_is_two_calls() -> None:
    shared = nn.Linear(3, 3)
    seen = record(nn.Sequential(shared, shared), pellucid.ones(1, 3))
    assert [c.module for c in seen.calls] == ["0", "0"]
    assert seen.calls[0].within[-1][1] != seen.calls[1].within[-1][1]


def test_what_leads_nowhere_is_left_out() -> None:
    class Idle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x.exp()
            return x + 1

    assert [c.op.name for c in record(Idle(), pellucid.ones(2)).calls] == ["add"]


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3).eval())
    before = pellucid.get_rng_state()["state"]["state"].tolist()
    record(model, pellucid.ones(2, 3), free_axes=(0,))
    assert [m.training for m in model.modules()] == [True, True, False]
    assert pellucid.get_rng_state()["state"]["state"].tolist() == before
    assert model[1].num_batches_tracked.item() == 0


def test_lengths_that_follow_from_the_inputs_become_sizes() -> None:
    seen = record(Flat(), pellucid.ones(4, 2, 3), free_axes=(0,))
    assert seen.free_axes == (0,)
    size = seen.calls[0].settings["shape"][0]
    assert isinstance(size, Size)
    assert (int(size), size.written({0: "n"})) == (4, "n")
    assert record(Flat(), pellucid.ones(4, 2, 3)).calls[0].settings["shape"] == (4, 6)


def test_both_lengths_of_a_sequence_are_free() -> None:
    seen = record(nn.LSTM(3, 4), pellucid.ones(5, 2, 3), free_axes=(0, 1))
    assert seen.free_axes == (0, 1)
    packed = next(c.result for c in seen.calls if c.op.name == "lstm_layer")
    assert [getattr(n, "written", str)({0: "t", 1: "n"}) for n in packed.shape[:2]] == [
        "t + 1",
        "n",
    ]


def test_a_length_that_is_part_of_the_computation_stays() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            self.places = nn.Parameter(np.ones((4, 3)))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.places

    assert record(Table(), pellucid.ones(4, 3), free_axes=(0,)).free_axes == ()


def test_the_same_tensor_for_query_key_and_value() -> None:
    x = pellucid.ones(5, 2, 8)
    seen = record(nn.MultiheadAttention(8, 2), (x, x, x), free_axes=(0, 1))
    assert len({id(v) for v in seen.inputs}) == 1
    assert seen.free_axes == (0, 1)


def through_numpy(x: Tensor) -> Tensor:
    return x * Tensor(np.sin(x.numpy()))


def a_python_if(x: Tensor) -> Tensor:
    return x.exp() if float(x.sum().item()) > 6.0001 else x.tanh()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (through_numpy, "an array (2, 3) that mul reads changes with the inputs"),
        (a_python_if, "for other inputs it runs"),
    ],
)
def test_ways_that_no_operation_shows_are_refused(rule: Any, words: str) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return rule(x)

    with pytest.raises(ArgumentError, match="Odd cannot be written down") as caught:
        record(Odd(), pellucid.ones(2, 3), free_axes=(0,))
    assert words in caught.value.message
    assert "pellucid.where" in caught.value.message


def test_a_model_that_gives_no_tensor() -> None:
    class Mute(nn.Module):
        def forward(self, x: Tensor) -> str:
            return "nothing"

    with pytest.raises(ArgumentError, match="gave str, in which there is no tensor"):
        record(Mute(), pellucid.ones(2))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Linear(7, 2), (2, 7)),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), (2, 784)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 6 * 6, 3)), (2, 1, 8, 8)),
        (nn.GRU(3, 4, batch_first=True), (2, 5, 3)),
        (nn.LSTMCell(3, 4), (2, 3)),
        (nn.BatchNorm2d(3), (2, 3, 8, 8)),
        (nn.Embedding(9, 3), (2, 5)),
        (nn.TransformerEncoderLayer(8, 2, 16), (5, 2, 8)),
        (nn.MultiheadAttention(8, 2), (5, 2, 8)),
        (Flat(), (2, 6)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_inputs_are_found(model: nn.Module, shape: tuple[int, ...]) -> None:
    assert sample_inputs(model)[0].shape == shape


def test_inputs_that_cannot_be_found() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            self.one, self.two = nn.Linear(3, 4), nn.Linear(5, 4)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.one(x) + self.two(y)

    with pytest.raises(ArgumentError, match=r"could not be found out(.|\n)*inputs=x"):
        sample_inputs(Strange())
    assert sample_inputs(nn.Linear(3, 4), (6, 3))[0].shape == (2, 6, 3)
