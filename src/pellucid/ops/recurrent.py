"""Recurrence: the same cell at every step, reading one input and what it remembers of those before.

One layer in one direction is one operation over all its steps. What does not depend on the step before
is done for all steps in one large product of matrices: the inputs on the way there, the weights on
the way back. Only weights @ state remains for each step.

Inside LSTM and GRU, states stand as columns, (features, batch): a large weight matrix times few columns
is the fastest form of that product. The plain cell, which is mostly small, keeps its states as rows
and does without turning anything. Gates are stacked in PyTorch's order.

In text the same letter or word comes again and again. Rows of the input that are equal say the same to
the gates, so each kind of row is projected once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import shapes
from ..errors import ArgumentError, ShapeError
from ..kernels import recurrence as kernel
from ..kernels import use
from .base import Array, Example, op, raw
from .index import getitem
from .linear_algebra import ones
from .shape import unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

Grads = tuple[Any, ...]


# --------------------------------------------------------------------------------- what cells share


def _along(x: Array, reverse: bool) -> Array:
    """The steps in the order in which they are read."""
    return x[::-1] if reverse else x


def _columns(x: Array) -> Array:
    """States (..., batch, features) as columns (..., features, batch), in memory of their own."""
    return np.array(x.swapaxes(-1, -2), order="C")


class _Kinds(NamedTuple):
    """Rows of which many are equal: where the first of each kind stands, and the kind of each row."""

    first: Array
    of_row: Array


def _kinds(rows: Array, gates: int) -> _Kinds | None:
    """The kinds of rows (n, size) there are, or None if looking for them does not pay."""
    if rows.size * gates < 1 << 23:
        return None
    bits = np.ascontiguousarray(rows).view(f"u{rows.itemsize}")
    mix = np.arange(1, bits.shape[1] + 1, dtype=bits.dtype) * bits.dtype.type(0x9E3779B1)
    _, first, of_row = np.unique(np.dot(bits, mix | 1), return_index=True, return_inverse=True)
    if 2 * len(first) > len(rows) or (bits[first[of_row]] != bits).any():
        return None  # too many kinds, or two of them under one sum
    return _Kinds(first, of_row)


def _projected(x: Array, w_ih: Array, *biases: Array) -> tuple[Array, _Kinds | None]:
    """What the inputs of all steps say to all gates: (steps, batch, i) -> (gates, steps, batch)."""
    said, kinds = _said(x, w_ih, *biases)
    if kinds is not None:
        said = said.take(kinds.of_row, axis=1)
    return said.reshape(len(w_ih), *x.shape[:2]), kinds


def _said(x: Array, w_ih: Array, *biases: Array) -> tuple[Array, _Kinds | None]:
    """What each kind of input, or each input, says to all gates: (gates, kinds)."""
    rows = _rows(x)
    kinds = _kinds(rows, len(w_ih))
    said = np.dot(w_ih, (rows if kinds is None else rows[kinds.first]).T)
    given = [bias for bias in biases if bias is not None]
    if given:
        said += (given[0] if len(given) == 1 else given[0] + given[1])[:, None]
    return said, kinds


def _kind_of_each(x: Array, kinds: _Kinds | None) -> Array:
    """Which kind each input of each step is, (steps, batch)."""
    of_row = np.arange(x.shape[0] * x.shape[1]) if kinds is None else kinds.of_row
    return of_row.reshape(x.shape[:2])


def _alike(*arrays: Array) -> bool:
    """Whether compiled loops take these: all of one type."""
    kinds = {a.dtype.char for a in arrays if a is not None}
    return len(kinds) == 1 and kinds <= {"f", "d"}


def _rows(x: Array) -> Array:
    """All steps of the whole batch, one under the other."""
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def _open(gate: Array) -> None:
    """Sigmoid, in place; by tanh, which is faster than exp and never overflows."""
    gate *= 0.5
    np.tanh(gate, out=gate)
    gate *= 0.5
    gate += 0.5


def _back_to_inputs(
    d_in: Array, d_state: Array, x: Array, kinds: _Kinds | None, before: Array, w_ih: Array,
    needs: Sequence[bool],
) -> Grads:  # fmt: skip
    """From gradients of the gates to those of x, w_ih, w_hh, b_ih, b_hh; all steps at once.

    `d_in` and `d_state`, (gates, steps, batch), are the gradients of what the inputs and what the
    states said to the gates; `before` is the state (steps, batch, h) each step began with.
    """
    flat_in, flat_state = (d.reshape(len(d), -1) for d in (d_in, d_state))
    d_x = d_w = None
    if needs[0]:
        d_x = np.dot(flat_in.T, w_ih).reshape(x.shape)
    if needs[1]:
        d_w = _product_of_kinds(flat_in.T, _rows(x), kinds)
    d_w_hh = np.dot(flat_state, _rows(before)) if needs[2] else None
    every = ones(flat_in.shape[1], d_in.dtype)
    d_b_ih = np.dot(flat_in, every) if needs[3] else None
    if d_b_ih is not None and d_state is d_in:
        return d_x, d_w, d_w_hh, d_b_ih, d_b_ih.copy() if needs[4] else None
    return d_x, d_w, d_w_hh, d_b_ih, np.dot(flat_state, every) if needs[4] else None


def _check(layer: Any, gates: int, x: Array, states: Sequence[Array], *weights: Array) -> None:
    """Refuse what does not fit, in words."""
    w_ih, w_hh, b_ih, b_hh = weights
    size = w_hh.shape[-1] if w_hh.ndim else 0
    fits = x.ndim == 3 and w_ih.shape == (gates * size, x.shape[-1])
    fits = fits and w_hh.shape == (gates * size, size)
    fits = fits and all(b is None or b.shape == (gates * size,) for b in (b_ih, b_hh))
    if fits and all(state.shape == (x.shape[1], size) for state in states):
        return
    given = [None if v is None else v.shape for v in (x, *states, *weights)]
    reason = shapes.complaint(layer.name, layer.rule, layer.inputs, given)
    many = "" if gates == 1 else f", with {gates} gates stacked in each weight and bias"
    raise ShapeError(f"{reason or f'{layer.name} cannot use weights of {given[-4:]}'}{many}")


# ---------------------------------------------------------------------------------- the plain cell


@op("(t, n, i), (n, h), (h, i), (h, h), (h)?, (h)? -> (t, n, h)", remembers=True, first_order=True)
def rnn_layer(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array = None, b_hh: Array = None, *,
    nonlinearity: str = "tanh", reverse: bool = False,
) -> Any:  # fmt: skip
    """state = tanh (or relu) of w_ih @ input + w_hh @ state, for every step (Elman 1990)."""
    _check(rnn_layer, 1, x, [h0], w_ih, w_hh, b_ih, b_hh)
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(f"rnn's nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
    if _small(x, w_ih, w_hh) and _alike(x, h0, w_ih, w_hh, b_ih, b_hh):
        bias = b_ih if b_hh is None else b_hh if b_ih is None else b_ih + b_hh
        x = _along(x, reverse)
        states = kernel.rnn_forward(x, h0, w_ih, w_hh, bias, nonlinearity == "relu")
        return _along(states[1:], reverse), (states, x, None)
    rows = _rows(_along(x, reverse))
    kinds = _kinds(rows, len(w_ih))
    said = (rows if kinds is None else rows[kinds.first]).dot(w_ih.T)
    if b_ih is not None or b_hh is not None:
        said += b_ih if b_hh is None else b_hh if b_ih is None else b_ih + b_hh
    said = said if kinds is None else said.take(kinds.of_row, axis=0)
    states = np.empty((len(x) + 1, *h0.shape), said.dtype)  # the first, and one after every step
    states[0] = state = h0
    recall = w_hh.T.copy()
    for heard, after in zip(said.reshape(len(x), *h0.shape), states[1:], strict=True):
        z = state.dot(recall)
        z += heard
        state = np.tanh(z, out=after) if nonlinearity == "tanh" else np.maximum(z, 0, out=after)
    return _along(states[1:], reverse), (states, rows, kinds)


@rnn_layer.all_slopes
def _(
    d: Array, x_shape: tuple[int, ...], w_ih: Array, w_hh: Array, memory: Any, nonlinearity: str,
    reverse: bool, needs: Sequence[bool],
) -> Grads:  # fmt: skip
    states, rows, kinds = memory
    if rows.ndim == 3:  # compiled
        d_x, d_h, d_ih, d_hh, d_bias = kernel.rnn_backward(
            _along(d, reverse), rows, w_ih, w_hh, states, nonlinearity == "relu"
        )
        return _along(d_x, reverse), d_h, d_ih, d_hh, d_bias, d_bias.copy()
    after, d_after = states[1:], _along(d, reverse)
    slope = 1 - after * after if nonlinearity == "tanh" else after > 0
    d_z = np.empty_like(after)
    d_state = np.zeros_like(states[0])
    for step in reversed(range(len(after))):
        d_state += d_after[step]
        d_state = np.multiply(d_state, slope[step], out=d_z[step]).dot(w_hh)
    flat = _rows(d_z)
    d_x = d_w = None
    if needs[0]:
        d_x = _along(np.dot(flat, w_ih).reshape(x_shape), reverse)
    if needs[2]:
        d_w = _product_of_kinds(flat, rows, kinds)
    d_b = np.dot(ones(len(flat), flat.dtype), flat) if needs[4] or needs[5] else None
    return (
        d_x,
        d_state,
        d_w,
        np.dot(flat.T, _rows(states[:-1])) if needs[3] else None,
        d_b if needs[4] else None,
        d_b if not needs[4] else None if d_b is None else d_b.copy(),
    )


def _small(x: Array, w_ih: Array, w_hh: Array) -> bool:
    """Whether the steps are so small that a compiled loop beats BLAS, and many enough to load it."""
    work = x.shape[0] * x.shape[1] * (w_ih.size + w_hh.size)
    return max(w_ih.shape) <= kernel.SMALL and use(work)


def _product_of_kinds(d: Array, rows: Array, kinds: _Kinds | None) -> Array:
    """d.T @ rows; rows of a kind are added up first."""
    if kinds is None:
        return np.dot(d.T, rows)
    same = (np.arange(len(kinds.first)) == kinds.of_row[:, None]).astype(
        d.dtype
    )  # a column per kind
    return np.dot(np.dot(d.T, same), rows[kinds.first])


@rnn_layer.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    inputs = _example(r, gates=1, states=1)
    yield inputs, {}
    yield inputs[:4], {"reverse": True, "nonlinearity": "relu"}


def _example(r: np.random.Generator, gates: int, states: int) -> tuple[Array, ...]:
    """Three steps, a batch of two, three inputs, two features."""
    rows = gates * 2
    return (
        r.normal(size=(3, 2, 3)),
        *r.normal(size=(states, 2, 2)),
        r.normal(size=(rows, 3)),
        r.normal(size=(rows, 2)),
        *r.normal(size=(2, rows)),
    )


# ------------------------------------------------------------------------- long short-term memory


@op("(t, n, i), (n, h), (n, h), (g, i), (g, h), (g)?, (g)? -> ?", remembers=True, first_order=True)
def lstm_layer(
    x: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, b_ih: Array = None,
    b_hh: Array = None, *, reverse: bool = False,
) -> Any:  # fmt: skip
    """A cell that gates open, close and read; the hidden states, and in a last row the final cell.

    Gates: input, forget, candidate, output (Hochreiter and Schmidhuber 1997, Gers et al. 2000).
    The result is (steps + 1, n, h): rows 0 to steps - 1 are the hidden states, the last is the cell.
    """
    _check(lstm_layer, 4, x, [h0, c0], w_ih, w_hh, b_ih, b_hh)
    if _large(x, w_hh) and _alike(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        said, kinds = _said(_along(x, reverse), w_ih, b_ih, b_hh)
        of_each = _kind_of_each(x, kinds)
        gates, cells, bent, hidden = kernel.lstm_forward(said, of_each, w_hh, h0, c0)
        return _with_cell(hidden, cells, reverse), (gates, cells, bent, kinds)
    said, kinds = _projected(_along(x, reverse), w_ih, b_ih, b_hh)
    (batch, size), steps = h0.shape, len(x)
    gates = np.empty((steps, 4 * size, batch), said.dtype)
    cells = np.empty((steps + 1, size, batch), said.dtype)
    bent, hidden = np.empty((2, steps, size, batch), said.dtype)
    state, cells[0] = _columns(h0), c0.T
    for step in range(steps):
        z = np.dot(w_hh, state)
        np.add(z, said[:, step], out=gates[step])
        i, f, g, o = gates[step].reshape(4, size, batch)
        _open(gates[step, : 2 * size])
        np.tanh(g, out=g)
        _open(o)
        np.multiply(f, cells[step], out=cells[step + 1])
        cells[step + 1] += i * g
        np.tanh(cells[step + 1], out=bent[step])
        state = np.multiply(o, bent[step], out=hidden[step])
    return _with_cell(hidden, cells, reverse), (gates, cells, bent, kinds)


def _with_cell(hidden: Array, cells: Array, reverse: bool) -> Array:
    """The states as rows, and in a last row the final cell."""
    steps, size, batch = hidden.shape
    y = np.empty((steps + 1, batch, size), hidden.dtype)
    y[:-1] = _along(hidden, reverse).swapaxes(1, 2)
    y[-1] = cells[-1].T
    return y


def _large(x: Array, w_hh: Array) -> bool:
    """Whether there is enough to do to load a compiled loop."""
    return use(x.shape[0] * x.shape[1] * w_hh.size)


@lstm_layer.all_slopes
def _(
    d: Array, y: Array, x: Array, h0: Array, w_ih: Array, w_hh: Array, memory: Any, reverse: bool,
    needs: Sequence[bool],
) -> Grads:  # fmt: skip
    gates, cells, bent, kinds = memory
    after, x = _along(y[:-1], reverse), _along(x, reverse)
    (batch, size), steps = h0.shape, len(x)
    if _large(x, w_hh) and _alike(d, gates, w_hh):
        of_steps = _along(d[:-1], reverse)
        d_z, d_state, d_cell = kernel.lstm_backward(of_steps, d[-1], w_hh, gates, cells, bent)
        before = np.concatenate([h0[None], after[:-1]])
        d_x, *rest = _back_to_inputs(d_z, d_z, x, kinds, before, w_ih, (needs[0], *needs[3:]))
        return None if d_x is None else _along(d_x, reverse), d_state.T, d_cell.T, *rest
    d_after = _columns(_along(d[:-1], reverse))
    d_z = np.empty((4 * size, steps, batch), d.dtype)
    d_gates = np.empty((4, size, batch), d.dtype)
    d_state, d_cell = np.zeros((size, batch), d.dtype), _columns(d[-1])
    for step in reversed(range(steps)):
        d_state += d_after[step]
        i, f, g, o = gates[step].reshape(4, size, batch)
        read = bent[step]
        d_cell += d_state * o * (1 - read * read)
        d_gates[0] = d_cell * g * i * (1 - i)
        d_gates[1] = d_cell * cells[step] * f * (1 - f)
        d_gates[2] = d_cell * i * (1 - g * g)
        d_gates[3] = d_state * read * o * (1 - o)
        d_cell *= f
        columns = d_gates.reshape(4 * size, batch)
        d_z[:, step] = columns
        d_state = np.dot(w_hh.T, columns)
    before = np.concatenate([h0[None], after[:-1]])
    d_x, *rest = _back_to_inputs(d_z, d_z, x, kinds, before, w_ih, (needs[0], *needs[3:]))
    return None if d_x is None else _along(d_x, reverse), d_state.T, d_cell.T, *rest


@lstm_layer.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    inputs = _example(r, gates=4, states=2)
    yield inputs, {}
    yield inputs[:5], {"reverse": True}


# ---------------------------------------------------------------------------- gated recurrent unit


@op("(t, n, i), (n, h), (g, i), (g, h), (g)?, (g)? -> (t, n, h)", remembers=True, first_order=True)
def gru_layer(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array = None, b_hh: Array = None, *,
    reverse: bool = False,
) -> Any:  # fmt: skip
    """A state that is kept, or replaced, feature by feature (Cho et al. 2014).

    Gates: reset, update (1 keeps the old state), candidate. As in PyTorch the reset gate stands
    after the product: tanh(w_ih @ x + b_ih + reset * (w_hh @ state + b_hh)).
    """
    _check(gru_layer, 3, x, [h0], w_ih, w_hh, b_ih, b_hh)
    if _large(x, w_hh) and _alike(x, h0, w_ih, w_hh, b_ih, b_hh):
        said, kinds = _said(_along(x, reverse), w_ih, b_ih)
        of_each = _kind_of_each(x, kinds)
        opened, recalled, hidden = kernel.gru_forward(said, of_each, w_hh, b_hh, h0)
        gates = opened.reshape(len(x), 3, *hidden.shape[1:])
        return _columns(_along(hidden, reverse)), (gates, recalled, kinds)
    said, kinds = _projected(_along(x, reverse), w_ih, b_ih)
    (batch, size), steps = h0.shape, len(x)
    gates = np.empty((steps, 3, size, batch), said.dtype)
    recalled, hidden = np.empty((2, steps, size, batch), said.dtype)
    state = _columns(h0)
    for step in range(steps):
        z = np.dot(w_hh, state)
        if b_hh is not None:
            z += b_hh[:, None]
        recalled[step] = z[2 * size :]
        z += said[:, step]
        _open(z[: 2 * size])
        gates[step] = z.reshape(3, size, batch)
        reset, update, candidate = gates[step]
        candidate += (reset - 1) * recalled[step]
        np.tanh(candidate, out=candidate)
        np.multiply(update, state - candidate, out=hidden[step])
        hidden[step] += candidate
        state = hidden[step]
    return _columns(_along(hidden, reverse)), (gates, recalled, kinds)


@gru_layer.all_slopes
def _(
    d: Array, y: Array, x: Array, h0: Array, w_ih: Array, w_hh: Array, memory: Any, reverse: bool,
    needs: Sequence[bool],
) -> Grads:  # fmt: skip
    gates, recalled, kinds = memory
    after, x = _along(y, reverse), _along(x, reverse)
    (batch, size), steps = h0.shape, len(x)
    before = np.concatenate([h0[None], after[:-1]])
    states = _columns(before)
    if _large(x, w_hh) and _alike(d, gates, w_hh):
        opened = gates.reshape(steps, 3 * size, batch)
        d_in, d_said, d_state = kernel.gru_backward(
            _along(d, reverse), w_hh, opened, recalled, states
        )
        d_x, *rest = _back_to_inputs(d_in, d_said, x, kinds, before, w_ih, (needs[0], *needs[2:]))
        return None if d_x is None else _along(d_x, reverse), d_state.T, *rest
    d_after = _columns(_along(d, reverse))
    d_in, d_said = np.empty((2, 3 * size, steps, batch), d.dtype)
    d_gates = np.empty((3, size, batch), d.dtype)
    d_state = np.zeros((size, batch), d.dtype)
    for step in reversed(range(steps)):
        d_state += d_after[step]
        reset, update, candidate = gates[step]
        d_candidate = d_state * (1 - update) * (1 - candidate * candidate)
        d_gates[0] = d_candidate * recalled[step] * reset * (1 - reset)
        d_gates[1] = d_state * (states[step] - candidate) * update * (1 - update)
        d_gates[2] = d_candidate
        columns = d_gates.reshape(3 * size, batch)
        d_in[:, step] = columns
        d_gates[2] *= reset
        d_said[:, step] = columns
        d_state = d_state * update + np.dot(w_hh.T, columns)
    d_x, *rest = _back_to_inputs(d_in, d_said, x, kinds, before, w_ih, (needs[0], *needs[2:]))
    return None if d_x is None else _along(d_x, reverse), d_state.T, *rest


@gru_layer.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    inputs = _example(r, gates=3, states=1)
    yield inputs, {}
    yield inputs[:4], {"reverse": True}


# ------------------------------------------------------------------------------- one step at a time


def rnn_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
    nonlinearity: str = "tanh",
) -> Tensor:
    """One step of `rnn_layer`: input (n, i) or (i,), state (n, h) or (h,) -> the next state."""
    x, state = _one_step(input), _batched(hx)
    y = rnn_layer(x, state, w_ih, w_hh, b_ih, b_hh, nonlinearity=nonlinearity)
    return _last_step(y, 0, input)


def gru_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Tensor:
    """One step of `gru_layer`: input (n, i) or (i,), state (n, h) or (h,) -> the next state."""
    y = gru_layer(_one_step(input), _batched(hx), w_ih, w_hh, b_ih, b_hh)
    return _last_step(y, 0, input)


def lstm_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> tuple[Tensor, Tensor]:
    """One step of `lstm_layer`: input (n, i) or (i,), hx the pair (state, cell) -> the next pair."""
    state, cell = hx
    y = lstm_layer(_one_step(input), _batched(state), _batched(cell), w_ih, w_hh, b_ih, b_hh)
    return _last_step(y, 0, input), _last_step(y, 1, input)


def _batched(x: Any) -> Any:
    return unsqueeze(x, dim=0) if np.ndim(raw(x)) == 1 else x


def _one_step(x: Any) -> Any:
    return unsqueeze(_batched(x), dim=0)


def _last_step(y: Tensor, row: int, input: Any) -> Tensor:
    """A row of a layer's result, without a batch where the input had none."""
    return getitem(y, index=(row, 0) if np.ndim(raw(input)) == 1 else row)
