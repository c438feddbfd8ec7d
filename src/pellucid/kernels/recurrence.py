"""Recurrence in compiled loops: a plain cell through all its steps, and what LSTM and GRU do between products.

The plain cell is mostly small: what NumPy takes for a step of it is nearly all spent on calling. So the
whole sequence is one call here, its small products included. In LSTM and GRU the large products stay
with BLAS; one call here does everything else of a step, in place.

Arrays lie in memory as in the NumPy twins in `ops/recurrent.py`: states of the plain cell as rows,
(batch, features), those of LSTM and GRU as columns, (features, batch).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import functions, helper, jit, plain, product
from .functions import sigmoid, tanh
from .product import multiply

Array = Any

SMALL = 64  # features: BLAS is faster with more


# ------------------------------------------------------------------------------------- for everybody


def rnn_forward(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, bias: Array | None, relu: bool
) -> Array:
    """The states (steps + 1, n, h), the first included, of inputs x (steps, n, i)."""
    states = np.empty((len(x) + 1, *h0.shape), x.dtype)
    states[0] = h0
    bias = np.zeros(len(w_hh), x.dtype) if bias is None else bias
    compiled().rnn(plain(x), plain(w_ih), plain(w_hh), plain(bias), states, relu)
    return states


def rnn_backward(
    d: Array, x: Array, w_ih: Array, w_hh: Array, states: Array, relu: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """The gradients of x, the first state, both weights and the bias, from d (steps, n, h)."""
    room = [np.empty_like(a) for a in (d, x, states[0], w_ih, w_hh, w_hh[:, 0])]
    room = [plain(a) for a in room]
    compiled().rnn_back(plain(d), plain(x), plain(w_ih), plain(w_hh), states, relu, *room)
    _, d_x, d_state, d_ih, d_hh, d_bias = room
    return d_x, d_state, d_ih, d_hh, d_bias


def lstm_forward(
    said: Array, kinds: Array, w_hh: Array, h0: Array, c0: Array
) -> tuple[Array, Array, Array, Array]:
    """Gates (steps, 4h, n), cells (steps + 1, h, n), their tanh and the states (steps, h, n).

    Args:
        said: what each kind of input says to the gates, (4h, kinds).
        kinds: of all inputs, (steps, n).
        w_hh: what the state says to the gates, (4h, h).
        h0, c0: state and cell at the start, (n, h).
    """
    (steps, batch), size = kinds.shape, h0.shape[1]
    gates = np.empty((steps, 4 * size, batch), said.dtype)
    cells = np.empty((steps + 1, size, batch), said.dtype)
    bent, hidden = np.empty((2, steps, size, batch), said.dtype)
    state, cells[0] = np.array(h0.T, order="C"), c0.T
    said, step = plain(said), compiled().lstm_step
    for t in range(steps):
        np.dot(w_hh, state, out=gates[t])
        step(gates[t], said, kinds[t], cells[t], cells[t + 1], bent[t], hidden[t])
        state = hidden[t]
    return gates, cells, bent, hidden


def lstm_backward(
    d: Array, d_last: Array, w_hh: Array, gates: Array, cells: Array, bent: Array
) -> tuple[Array, Array, Array]:
    """The gradients of what was said to the gates, (4h, steps, n), of first state and cell, (h, n).

    `d` (steps, n, h) are the gradients of the states, `d_last` (n, h) that of the last cell.
    """
    steps, batch, size = d.shape
    d_z = np.empty((4 * size, steps, batch), d.dtype)
    d_gates = np.empty((4 * size, batch), d.dtype)
    d_state, d_cell = np.zeros((size, batch), d.dtype), np.array(d_last.T, order="C")
    d, step, back = plain(d), compiled().lstm_step_back, turned(w_hh, steps)
    for t in reversed(range(steps)):
        step(d[t], d_state, d_cell, gates[t], cells[t], bent[t], d_gates)
        d_z[:, t] = d_gates
        np.dot(back, d_gates, out=d_state)
    return d_z, d_state, d_cell


def gru_forward(
    said: Array, kinds: Array, w_hh: Array, bias: Array | None, h0: Array
) -> tuple[Array, Array, Array]:
    """Gates (steps, 3h, n), what states said to candidates and the states, (steps, h, n).

    Arguments as for `lstm_forward`; `bias` (3h) belongs to what the state says.
    """
    (steps, batch), size = kinds.shape, h0.shape[1]
    gates = np.empty((steps, 3 * size, batch), said.dtype)
    recalled, hidden = np.empty((2, steps, size, batch), said.dtype)
    state = np.array(h0.T, order="C")
    bias = np.zeros(3 * size, said.dtype) if bias is None else plain(bias)
    said, step = plain(said), compiled().gru_step
    for t in range(steps):
        np.dot(w_hh, state, out=gates[t])
        step(gates[t], said, kinds[t], bias, recalled[t], state, hidden[t])
        state = hidden[t]
    return gates, recalled, hidden


def gru_backward(
    d: Array, w_hh: Array, gates: Array, recalled: Array, states: Array
) -> tuple[Array, Array, Array]:
    """The gradients of what inputs and states said to the gates, (3h, steps, n), and of h0, (h, n).

    `states` (steps, h, n) are those that each step began with.
    """
    steps, batch, size = d.shape
    d_in, d_said = np.empty((2, 3 * size, steps, batch), d.dtype)
    heard, told = np.empty((2, 3 * size, batch), d.dtype)
    d_state = np.zeros((size, batch), d.dtype)
    d, step, back = plain(d), compiled().gru_step_back, turned(w_hh, steps)
    for t in reversed(range(steps)):
        step(d[t], d_state, gates[t], recalled[t], states[t], heard, told)
        d_in[:, t], d_said[:, t] = heard, told
        d_state += np.dot(back, told)
    return d_in, d_said, d_state


def turned(weight: Array, times: int) -> Array:
    """The weights turned round; with many products ahead, also in memory, which BLAS likes better."""
    if times < 16:
        return weight.T
    lying = np.empty(weight.shape[::-1], weight.dtype)
    for row in range(0, len(weight), 64):  # a few rows at a time, so that they stay near
        lying[:, row : row + 64] = weight[row : row + 64].T
    return lying


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    rnn: Callable[..., None]
    rnn_back: Callable[..., None]
    lstm_step: Callable[..., None]
    lstm_step_back: Callable[..., None]
    gru_step: Callable[..., None]
    gru_step_back: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    functions.in_loops()
    product.in_loops()
    helper(hear)
    steps = (rnn, rnn_back, lstm_step, lstm_step_back, gru_step, gru_step_back)
    return Loops(*(jit(step) for step in steps))


# ---------------------------------------------------------------------------------- the plain cell


def rnn(x: Array, w_ih: Array, w_hh: Array, bias: Array, states: Array, relu: bool) -> None:
    """States (steps + 1, n, h) from inputs x (steps, n, i) and states[0], in place.

    `bias` (h) is the sum of both biases.
    """
    steps, batch, inputs = x.shape
    size = len(w_hh)
    hears, recalls = w_ih.T.copy().reshape(-1), w_hh.T.copy().reshape(-1)
    all_states, heard = states.reshape(-1), x.reshape(-1)
    one_step = batch * size
    multiply(
        all_states, one_step, size, steps * batch, size, heard, 0, inputs, 1, hears, 0, size, inputs,
        True,
    )  # fmt: skip
    for t in range(steps):
        now = (t + 1) * one_step
        multiply(
            all_states, now, size, batch, size, all_states, t * one_step, size, 1, recalls, 0, size,
            size, False,
        )  # fmt: skip
        for n in range(batch):
            row = all_states[now + n * size : now + (n + 1) * size]
            for k in range(size):
                row[k] += bias[k]
        row = all_states[now : now + one_step]
        if relu:
            for k in range(one_step):
                row[k] = row[k] if row[k] > 0 or row[k] != row[k] else 0
        else:
            for k in range(one_step):
                row[k] = tanh(row[k])


def rnn_back(
    d: Array, x: Array, w_ih: Array, w_hh: Array, states: Array, relu: bool, d_z: Array, d_x: Array,
    d_state: Array, d_ih: Array, d_hh: Array, d_bias: Array,
) -> None:  # fmt: skip
    """All gradients, in place: of x, of the first state, of both weights and of the bias.

    `d` (steps, n, h) are the gradients of the states; d_z, of the same shape, is room for those before
    the nonlinearity.
    """
    steps, batch, inputs = x.shape
    size = len(w_hh)
    flat_z, flat_d, flat_states = d_z.reshape(-1), d.reshape(-1), states.reshape(-1)
    blame, recalls = d_state.reshape(-1), w_hh.reshape(-1)
    one_step = batch * size
    for k in range(one_step):
        blame[k] = 0
    for t in range(steps - 1, -1, -1):
        z = flat_z[t * one_step : (t + 1) * one_step]
        arrived = flat_d[t * one_step : (t + 1) * one_step]
        state = flat_states[(t + 1) * one_step : (t + 2) * one_step]
        if relu:
            for k in range(one_step):
                z[k] = arrived[k] + blame[k] if state[k] > 0 else 0
        else:
            for k in range(one_step):
                z[k] = (arrived[k] + blame[k]) * (1 - state[k] * state[k])
        multiply(
            blame, 0, size, batch, size, flat_z, t * one_step, size, 1, recalls, 0, size, size, True
        )
    every = steps * batch
    multiply(
        d_x.reshape(-1), 0, inputs, every, inputs, flat_z, 0, size, 1, w_ih.reshape(-1), 0, inputs,
        size, True,
    )  # fmt: skip
    multiply(
        d_ih.reshape(-1), 0, inputs, size, inputs, flat_z, 0, 1, size, x.reshape(-1), 0, inputs,
        every, True,
    )  # fmt: skip
    multiply(
        d_hh.reshape(-1), 0, size, size, size, flat_z, 0, 1, size, flat_states, 0, size, every, True
    )
    for k in range(size):
        d_bias[k] = 0
    for n in range(every):
        row = flat_z[n * size : (n + 1) * size]
        for k in range(size):
            d_bias[k] += row[k]


# ------------------------------------------------------------------------------- LSTM, step by step


def hear(gates: Array, table: Array, kinds: Array) -> None:
    """What the inputs said, added to gates (rows, n): the table (rows, kinds) says it for each kind."""
    batch = len(kinds)
    for g in range(len(gates)):
        row, said = gates[g], table[g]
        for n in range(batch):
            row[n] += said[np.uintp(kinds[n])]


def lstm_step(
    gates: Array,
    table: Array,
    kinds: Array,
    before: Array,
    after: Array,
    bent: Array,
    hidden: Array,
) -> None:
    """One step, in place: from the state's products (4h, n) to the open gates, the cell and the state.

    Args:
        gates: weight @ state; the gates input, forget, candidate, output in the end.
        table, kinds: what each kind of input says to the gates, (4h, kinds); the kinds at this step.
        before, after: the cell (h, n).
        bent, hidden: tanh of the cell, and the state (h, n).
    """
    hear(gates, table, kinds)
    size = before.size
    flat = gates.reshape(-1)
    i, f = flat[:size], flat[size : 2 * size]
    g, o = flat[2 * size : 3 * size], flat[3 * size :]
    both = flat[: 2 * size]
    for k in range(2 * size):
        both[k] = sigmoid(both[k])
    for k in range(size):
        g[k] = tanh(g[k])
    for k in range(size):
        o[k] = sigmoid(o[k])
    old, cell = before.reshape(-1), after.reshape(-1)
    read, state = bent.reshape(-1), hidden.reshape(-1)
    for k in range(size):
        cell[k] = f[k] * old[k] + i[k] * g[k]
    for k in range(size):
        read[k] = tanh(cell[k])
    for k in range(size):
        state[k] = o[k] * read[k]


def lstm_step_back(
    arrived: Array, d_state: Array, d_cell: Array, gates: Array, before: Array, bent: Array,
    d_gates: Array,
) -> None:  # fmt: skip
    """One step back, in place: d_cell becomes that of the step before, d_gates (4h, n) is filled.

    `arrived` (n, h) is the gradient of this step's state, d_state (h, n) what comes from the next step.
    """
    features, batch = d_state.shape
    size = features * batch
    flat, slopes = gates.reshape(-1), d_gates.reshape(-1)
    i, f = flat[:size], flat[size : 2 * size]
    g, o = flat[2 * size : 3 * size], flat[3 * size :]
    d_i, d_f = slopes[:size], slopes[size : 2 * size]
    d_g, d_o = slopes[2 * size : 3 * size], slopes[3 * size :]
    blame, cell_blame = d_state.reshape(-1), d_cell.reshape(-1)
    read, old = bent.reshape(-1), before.reshape(-1)
    for n in range(batch):
        row = arrived[n]
        for h in range(features):
            blame[h * batch + n] += row[h]
    for k in range(size):
        cell_blame[k] += blame[k] * o[k] * (1 - read[k] * read[k])
    for k in range(size):
        d_o[k] = blame[k] * read[k] * o[k] * (1 - o[k])
    for k in range(size):
        d_i[k] = cell_blame[k] * g[k] * i[k] * (1 - i[k])
    for k in range(size):
        d_f[k] = cell_blame[k] * old[k] * f[k] * (1 - f[k])
    for k in range(size):
        d_g[k] = cell_blame[k] * i[k] * (1 - g[k] * g[k])
    for k in range(size):
        cell_blame[k] *= f[k]


# -------------------------------------------------------------------------------- GRU, step by step


def gru_step(
    gates: Array,
    table: Array,
    kinds: Array,
    bias: Array,
    recalled: Array,
    state: Array,
    hidden: Array,
) -> None:
    """One step, in place: from the state's products (3h, n) to the open gates and the next state.

    Args:
        gates: weight @ state; the gates reset, update, candidate in the end.
        table, kinds: what each kind of input says to the gates, (3h, kinds); the kinds at this step.
        bias: of the state's products, (3h).
        recalled: what the state says to the candidate, (h, n), filled.
        state, hidden: the state before and after, (h, n).
    """
    features, batch = state.shape
    size = features * batch
    for g in range(len(gates)):
        row = gates[g]
        for n in range(batch):
            row[n] += bias[g]
    flat, told = gates.reshape(-1), recalled.reshape(-1)
    reset, update, candidate = flat[:size], flat[size : 2 * size], flat[2 * size :]
    for k in range(size):
        told[k] = candidate[k]
        candidate[k] = 0
    hear(gates, table, kinds)
    both = flat[: 2 * size]
    for k in range(2 * size):
        both[k] = sigmoid(both[k])
    for k in range(size):
        candidate[k] = tanh(candidate[k] + reset[k] * told[k])
    old, new = state.reshape(-1), hidden.reshape(-1)
    for k in range(size):
        new[k] = update[k] * (old[k] - candidate[k]) + candidate[k]


def gru_step_back(
    arrived: Array, d_state: Array, gates: Array, recalled: Array, state: Array, d_in: Array,
    d_said: Array,
) -> None:  # fmt: skip
    """One step back, in place: the gradients of what inputs and states said to the gates, (3h, n).

    `arrived` (n, h) is the gradient of this step's state, d_state (h, n) what comes from the next step;
    in the end d_state is what passes by the gates.
    """
    features, batch = d_state.shape
    size = features * batch
    flat, told = gates.reshape(-1), recalled.reshape(-1)
    reset, update, candidate = flat[:size], flat[size : 2 * size], flat[2 * size :]
    heard, said = d_in.reshape(-1), d_said.reshape(-1)
    blame, old = d_state.reshape(-1), state.reshape(-1)
    for n in range(batch):
        row = arrived[n]
        for h in range(features):
            blame[h * batch + n] += row[h]
    into = heard[2 * size :]
    for k in range(size):
        into[k] = blame[k] * (1 - update[k]) * (1 - candidate[k] * candidate[k])
    into_update = heard[size : 2 * size]
    for k in range(size):
        into_update[k] = blame[k] * (old[k] - candidate[k]) * update[k] * (1 - update[k])
    into_reset = heard[:size]
    for k in range(size):
        into_reset[k] = into[k] * told[k] * reset[k] * (1 - reset[k])
    for k in range(2 * size):
        said[k] = heard[k]
    onward = said[2 * size :]
    for k in range(size):
        onward[k] = into[k] * reset[k]
    for k in range(size):
        blame[k] *= update[k]
