"""Recurrent layers: a state that is carried from step to step through a sequence.

Sequences are (T, N, features): time first, as in PyTorch; `batch_first=True` for (N, T, features).
Weights have PyTorch's names and layout: `weight_ih_l0` meets the input of layer 0, `weight_hh_l0`
its state; `_reverse` marks the direction that reads from the end. The gates of an LSTM lie one
under the other in the order input, forget, cell, output; those of a GRU: reset, update, new.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import init, ops
from ..errors import ArgumentError, ShapeError, warn
from ..tensor import Tensor
from .linear import at_least_one
from .module import Module
from .parameter import Parameter, blank

Array = Any  # an ndarray


class _Recurrent(Module):
    """What all three have in common: layers, directions, and the shapes of input and state."""

    gates = 1  # how many times hidden_size the weights are high

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        dtype: DTypeLike | None,
    ) -> None:
        name = type(self).__name__
        at_least_one(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= dropout <= 1:
            raise ArgumentError(f"{name}: dropout is a probability, from 0 to 1, not {dropout}")
        if dropout and num_layers == 1:
            warn(
                f"{name}: dropout is applied between layers, and there is only one, so nothing "
                "is left out.\nPut an nn.Dropout after it, or use num_layers=2"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        self._directions = ("", "_reverse") if bidirectional else ("",)
        height = self.gates * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * len(self._directions)
            for direction in self._directions:
                end = f"_l{layer}{direction}"
                setattr(self, f"weight_ih{end}", blank(height, width, dtype=dtype))
                setattr(self, f"weight_hh{end}", blank(height, hidden_size, dtype=dtype))
                if bias:
                    setattr(self, f"bias_ih{end}", blank(height, dtype=dtype))
                    setattr(self, f"bias_hh{end}", blank(height, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all first weights anew: uniform in ±1/sqrt(hidden_size)."""
        for parameter in self.parameters():
            init.around_zero_(parameter, 1 / math.sqrt(self.hidden_size))

    def weights(self, layer: int, direction: str = "") -> tuple[Parameter | None, ...]:
        """weight_ih, weight_hh, bias_ih, bias_hh of a layer; direction is "" or "_reverse"."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return tuple(vars(self).get(f"{name}_l{layer}{direction}") for name in names)

    def _time_first(self, x: Tensor) -> Tensor:
        """x as (T, N, features)."""
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            order = "(N, T, features)" if self.batch_first else "(T, N, features)"
            raise ShapeError(
                f"{type(self).__name__} takes {order}, or (T, features) for one sequence, with "
                f"{self.input_size} features, not x {x.shape}"
            )
        if x.ndim == 2:
            return ops.unsqueeze(x, dim=1)
        return ops.transpose(x, dim0=0, dim1=1) if self.batch_first else x

    def _state(self, name: str, state: Tensor | None, x: Tensor, batched: bool) -> Tensor | Array:
        """The first state, (layers * directions, N, hidden_size): zeros unless given."""
        shape = self.num_layers * len(self._directions), x.shape[1], self.hidden_size
        if state is None:
            return np.zeros(shape, x.dtype)
        if not batched and state.ndim == 2:
            state = ops.unsqueeze(state, dim=1)
        if state.shape != shape:
            raise ShapeError(
                f"{type(self).__name__}: {name} is (layers * directions, N, hidden_size) = "
                f"{shape}, whatever batch_first is, not {state.shape}"
            )
        return state

    def _through(self, x: Tensor, run: Any) -> Tensor:
        """Through all layers; `run(x, k, layer, direction)` gives the k-th direction's states."""
        directions = self._directions
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = ops.dropout(x, p=self.dropout, training=self.training)
            both = [
                run(x, layer * len(directions) + i, self.weights(layer, direction), bool(direction))
                for i, direction in enumerate(directions)
            ]
            x = both[0] if len(both) == 1 else ops.cat(both, dim=-1)
        return x

    def _as_given(self, y: Tensor, batched: bool) -> Tensor:
        """The result laid out as the input was."""
        if not batched:
            return ops.squeeze(y, dim=1)
        return ops.transpose(y, dim0=0, dim1=1) if self.batch_first else y

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual = {
            "num_layers": 1, "nonlinearity": "tanh", "bias": True, "batch_first": False,
            "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        own = vars(self)
        others = [f", {k}={own[k]}" for k, v in usual.items() if own.get(k, v) != v]
        return f"{self.input_size} -> {self.hidden_size}" + "".join(others)


class _OneState(_Recurrent):
    """RNN and GRU: the state is one vector, which is also what comes out."""

    def _states(self, x: Tensor, h: Tensor, weights: Any, reverse: bool) -> Tensor:
        """The states of one layer in one direction, (T, N, hidden_size)."""
        raise ArgumentError("this layer has no rule")

    def forward(self, x: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """All states of the last layer, and the last state of every layer.

        Args:
            x: (T, N, input_size), (N, T, input_size) with batch_first, or (T, input_size).
            h0: the first states, (layers · directions, N, hidden_size); zeros if left out.

        Returns:
            (T, N, directions · hidden_size), or as x is laid out; and (layers · directions, N,
            hidden_size).

        Raises:
            ShapeError: x or h0 has another shape.
        """
        batched = x.ndim == 3
        sequence = self._time_first(x)
        first = self._state("h0", h0, sequence, batched)
        last: list[Tensor] = []

        def run(x: Tensor, k: int, weights: Any, reverse: bool) -> Tensor:
            states = self._states(x, first[k], weights, reverse)
            last.append(states[:1] if reverse else states[-1:])
            return states

        y = self._through(sequence, run)
        h_n = _joined(last)
        return self._as_given(y, batched), h_n if batched else ops.squeeze(h_n, dim=1)


class RNN(_OneState):
    """The plainest recurrence: state = tanh(W_ih x + b_ih + W_hh state + b_hh).

    J. Elman, "Finding structure in time", 1990.

    Args:
        input_size: how many numbers each step has.
        hidden_size: how many the state has.
        num_layers: how many layers; each reads the states of the one below.
        nonlinearity: "tanh" or "relu".
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, features) rather than (T, N, features).
        dropout: how likely a number is left out between layers.
        bidirectional: read from both ends; the states of both lie side by side.
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: sizes that are no counts, another nonlinearity.

    >>> import pellucid
    >>> from pellucid import nn
    >>> states, last = nn.RNN(16, 32)(pellucid.zeros(5, 100, 16))
    >>> states.shape, last.shape
    ((5, 100, 32), (1, 100, 32))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        _known(nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype
        )

    def _states(self, x: Tensor, h: Tensor, weights: Any, reverse: bool) -> Tensor:
        return ops.rnn_layer(x, h, *weights, nonlinearity=self.nonlinearity, reverse=reverse)


class GRU(_OneState):
    """Gated recurrent units: two gates say what of the state is replaced.

    K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    Args:
        input_size: how many numbers each step has.
        hidden_size: how many the state has.
        num_layers: how many layers; each reads the states of the one below.
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, features) rather than (T, N, features).
        dropout: how likely a number is left out between layers.
        bidirectional: read from both ends; the states of both lie side by side.
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: sizes that are no counts.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype
        )

    def _states(self, x: Tensor, h: Tensor, weights: Any, reverse: bool) -> Tensor:
        return ops.gru_layer(x, h, *weights, reverse=reverse)


class LSTM(_Recurrent):
    """Long short-term memory: a cell that keeps what its gates do not let be forgotten.

    S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; forget gate: F. Gers et al.,
    2000.

    Args:
        input_size: how many numbers each step has.
        hidden_size: how many the state has, and the cell.
        num_layers: how many layers; each reads the states of the one below.
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, features) rather than (T, N, features).
        dropout: how likely a number is left out between layers.
        bidirectional: read from both ends; the states of both lie side by side.
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: sizes that are no counts.

    >>> import pellucid
    >>> from pellucid import nn
    >>> states, (h, c) = nn.LSTM(62, 512)(pellucid.zeros(25, 16, 62))
    >>> states.shape, h.shape, c.shape
    ((25, 16, 512), (1, 16, 512), (1, 16, 512))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype
        )

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """All states of the last layer, and the last state and cell of every layer.

        Args:
            x: (T, N, input_size), (N, T, input_size) with batch_first, or (T, input_size).
            state: the first states and cells, each (layers · directions, N, hidden_size); zeros if
                left out.

        Returns:
            (T, N, directions · hidden_size), or as x is laid out; and the pair of last states and
            cells, each (layers · directions, N, hidden_size).

        Raises:
            ShapeError: x, or a part of the state, has another shape.
        """
        batched = x.ndim == 3
        sequence = self._time_first(x)
        if isinstance(state, Tensor):
            raise ShapeError("LSTM: the state is a pair (h0, c0), not a single tensor")
        h0, c0 = (None, None) if state is None else state
        hidden = self._state("h0", h0, sequence, batched)
        cells = self._state("c0", c0, sequence, batched)
        last: list[Tensor] = []
        last_cells: list[Tensor] = []

        def run(x: Tensor, k: int, weights: Any, reverse: bool) -> Tensor:
            packed = ops.lstm_layer(x, hidden[k], cells[k], *weights, reverse=reverse)
            states = packed[:-1]
            last.append(states[:1] if reverse else states[-1:])
            last_cells.append(packed[-1:])
            return states

        y = self._as_given(self._through(sequence, run), batched)
        h_n, c_n = _joined(last), _joined(last_cells)
        if not batched:
            h_n, c_n = ops.squeeze(h_n, dim=1), ops.squeeze(c_n, dim=1)
        return y, (h_n, c_n)


def _joined(states: list[Tensor]) -> Tensor:
    """The last states (1, N, h) of all layers and directions, one under the other."""
    return states[0] if len(states) == 1 else ops.cat(states, dim=0)


# ------------------------------------------------------------------------------------- single steps


class _Cell(Module):
    """One step of a recurrence, in ordinary operations, which have second derivatives too."""

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, dtype: DTypeLike | None
    ) -> None:
        at_least_one(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        height = self.gates * hidden_size
        self.weight_ih = blank(height, input_size, dtype=dtype)
        self.weight_hh = blank(height, hidden_size, dtype=dtype)
        self.bias_ih = blank(height, dtype=dtype) if bias else None
        self.bias_hh = blank(height, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all first weights anew: uniform in ±1/sqrt(hidden_size)."""
        for parameter in self.parameters():
            init.around_zero_(parameter, 1 / math.sqrt(self.hidden_size))

    def _zeros(self, x: Tensor) -> Tensor:
        return Tensor(np.zeros((*x.shape[:-1], self.hidden_size), x.dtype))

    def _of_input(self, x: Tensor) -> Tensor:
        return ops.linear(x, self.weight_ih, self.bias_ih)

    def _of_state(self, h: Tensor) -> Tensor:
        return ops.linear(h, self.weight_hh, self.bias_hh)

    def extra_repr(self) -> str:
        """The sizes."""
        bias = "" if self.bias_ih is not None else ", bias=False"
        return f"{self.input_size} -> {self.hidden_size}{bias}"


class RNNCell(_Cell):
    """One step of an RNN.

    Args:
        input_size: how many numbers the step has.
        hidden_size: how many the state has.
        bias: whether there are b_ih and b_hh.
        nonlinearity: "tanh" or "relu".
        dtype: float32 or float64; by default the default type.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.nonlinearity = _known(nonlinearity)
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """The next state, from the input (N, input_size) and the state (N, hidden_size)."""
        h = self._zeros(x) if h is None else h
        total = self._of_input(x) + self._of_state(h)
        return ops.tanh(total) if self.nonlinearity == "tanh" else ops.relu(total)


class GRUCell(_Cell):
    """One step of a GRU.

    Args:
        input_size: how many numbers the step has.
        hidden_size: how many the state has.
        bias: whether there are b_ih and b_hh.
        dtype: float32 or float64; by default the default type.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """The next state, from the input (N, input_size) and the state (N, hidden_size)."""
        h = self._zeros(x) if h is None else h
        reset_x, update_x, new_x = ops.chunk(self._of_input(x), 3, dim=-1)
        reset_h, update_h, new_h = ops.chunk(self._of_state(h), 3, dim=-1)
        reset = ops.sigmoid(reset_x + reset_h)
        update = ops.sigmoid(update_x + update_h)
        new = ops.tanh(new_x + reset * new_h)
        return new + update * (h - new)


class LSTMCell(_Cell):
    """One step of an LSTM.

    Args:
        input_size: how many numbers the step has.
        hidden_size: how many the state has, and the cell.
        bias: whether there are b_ih and b_hh.
        dtype: float32 or float64; by default the default type.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The next state and cell, from the input (N, input_size) and the pair of the last."""
        h, c = (self._zeros(x), self._zeros(x)) if state is None else state
        total = self._of_input(x) + self._of_state(h)
        let_in, keep, new, show = ops.chunk(total, 4, dim=-1)
        c = ops.sigmoid(keep) * c + ops.sigmoid(let_in) * ops.tanh(new)
        return ops.sigmoid(show) * ops.tanh(c), c


def _known(nonlinearity: str) -> str:
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(f'nonlinearity is "tanh" or "relu", not {nonlinearity!r}')
    return nonlinearity
