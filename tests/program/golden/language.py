"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     ids (12, 4) int64, following (12, 4) int64
    weights    words_weight (80, 16), memory_weight_ih_l0 (64, 16),
               memory_weight_hh_l0 (64, 16), memory_bias_ih_l0 (64,),
               memory_bias_hh_l0 (64,), output_weight (80, 16), output_bias (80,)
    memory     words_weight_mean (80, 16), words_weight_squares (80, 16),
               memory_weight_ih_l0_mean (64, 16), memory_weight_ih_l0_squares (64, 16),
               memory_weight_hh_l0_mean (64, 16), memory_weight_hh_l0_squares (64, 16),
               memory_bias_ih_l0_mean (64,), memory_bias_ih_l0_squares (64,),
               memory_bias_hh_l0_mean (64,), memory_bias_hh_l0_squares (64,),
               output_weight_mean (80, 16), output_weight_squares (80, 16),
               output_bias_mean (80,), output_bias_squares (80,)

Weights and memory are changed in place.
"""

import math

import numpy as np

lr = 0.01
beta1 = 0.9
beta2 = 0.999
eps = 1e-08


def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    """A cell that gates open, close and read; the hidden states, and in a last row the
    final cell.
    """
    said = (w_ih @ x.reshape(48, 16).T + (b_ih + b_hh)[:, None]).reshape(64, 12, 4)
    gates = np.empty((12, 64, 4), np.float32)
    cells = np.empty((13, 16, 4), np.float32)
    bent, hidden = np.empty((2, 12, 16, 4), np.float32)
    cells[0] = c0.T
    state = np.array(h0.swapaxes(-1, -2), order="C")
    for step in range(12):
        z = w_hh @ state
        gates[step] = z + said[:, step]
        i, f, g, o = gates[step].reshape(4, 16, 4)
        gate = gates[step, :32]
        gate *= 0.5
        np.tanh(gate, out=gate)
        gate *= 0.5
        gate += 0.5
        np.tanh(g, out=g)
        o *= 0.5
        np.tanh(o, out=o)
        o *= 0.5
        o += 0.5
        cells[step + 1] = f * cells[step]
        cells[step + 1] += i * g
        bent[step] = np.tanh(cells[step + 1])
        hidden[step] = o * bent[step]
        state = hidden[step]
    y = np.empty((13, 4, 16), np.float32)
    y[:-1] = hidden.swapaxes(1, 2)
    y[-1] = cells[-1].T
    return y, gates, cells, bent


def softmax_cross_entropy(x, target):
    """How surprised scores `x` are by the right class: -log of its softmax."""
    scores = x - x.max(axis=1, keepdims=True)
    picked = scores[np.arange(48), target]
    chances = np.exp(scores)
    total = (chances @ np.ones(80, np.float32))[:, None]
    return (np.log(total[:, 0]) - picked).sum() / 48, chances, total


def lstm_layer_back(d, y, x, h0, w_ih, w_hh, gates, cells, bent):
    """The slopes of lstm_layer."""
    d_after = np.array(d[:-1].swapaxes(-1, -2), order="C")
    d_z = np.empty((64, 12, 4), np.float32)
    d_gates = np.empty((4, 16, 4), np.float32)
    d_cell = np.array(d[-1].swapaxes(-1, -2), order="C")
    d_state = np.zeros((16, 4), np.float32)
    for step in reversed(range(12)):
        d_state += d_after[step]
        i, f, g, o = gates[step].reshape(4, 16, 4)
        read = bent[step]
        d_cell += d_state * o * (1 - read * read)
        d_gates[0] = d_cell * g * i * (1 - i)
        d_gates[1] = d_cell * cells[step] * f * (1 - f)
        d_gates[2] = d_cell * i * (1 - g * g)
        d_gates[3] = d_state * read * o * (1 - o)
        d_cell *= f
        columns = d_gates.reshape(64, 4)
        d_z[:, step] = columns
        d_state = w_hh.T @ columns
    before = np.concatenate([h0[None], y[:-1][:-1]])
    flat_in = d_z.reshape(64, -1)
    d_x = (flat_in.T @ w_ih).reshape(12, 4, 16)
    d_w = flat_in.T.T @ x.reshape(48, 16)
    row = np.ones(48, np.float32)
    return d_x, d_w, flat_in @ before.reshape(48, 16), flat_in @ row, flat_in @ row


def adam(weight, gradient, exp_avg, exp_avg_sq, t):
    """weight -= lr * mean / (sqrt(mean of squares) + eps), both means running and
    corrected.
    """
    exp_avg_sq *= beta2
    exp_avg_sq += gradient * gradient * (1 - beta2)
    exp_avg += (gradient - exp_avg) * (1 - beta1)
    size = np.sqrt(exp_avg_sq) / math.sqrt(1 - beta2**t)
    weight -= exp_avg / (size + eps) * (lr / (1 - beta1**t))


def step(
    ids, following, words_weight, memory_weight_ih_l0, memory_weight_hh_l0,
    memory_bias_ih_l0, memory_bias_hh_l0, output_weight, output_bias, words_weight_mean,
    words_weight_squares, memory_weight_ih_l0_mean, memory_weight_ih_l0_squares,
    memory_weight_hh_l0_mean, memory_weight_hh_l0_squares, memory_bias_ih_l0_mean,
    memory_bias_ih_l0_squares, memory_bias_hh_l0_mean, memory_bias_hh_l0_squares,
    output_weight_mean, output_weight_squares, output_bias_mean, output_bias_squares, t,
):
    # predict
    words = words_weight[ids]
    zeros = np.zeros((4, 16), np.float32)
    zeros_2 = np.zeros((4, 16), np.float32)
    memory, gates, cells, bent = lstm_layer(
        words, zeros, zeros_2, memory_weight_ih_l0, memory_weight_hh_l0,
        memory_bias_ih_l0, memory_bias_hh_l0,
    )
    states = memory[:-1]
    sums = states.reshape(48, 16) @ output_weight.T
    prediction = (sums + output_bias).reshape(12, 4, 80)
    # compare
    rows = following.reshape(-1)
    loss, chances, total = softmax_cross_entropy(prediction.reshape(-1, 80), rows)
    # learn
    d_rows = chances * (1 / 48 / total)
    d_rows[np.arange(48), rows] -= 1 / 48
    each = d_rows.reshape(12, 4, 80).reshape(48, 80)
    d_output_weight = each.T @ states.reshape(48, 16)
    d_output_bias = np.ones(48, np.float32) @ each
    d_memory = np.zeros((13, 4, 16), np.float32)
    d_memory[:-1] = (each @ output_weight).reshape(12, 4, 16)
    (
        d_words, d_memory_weight_ih_l0, d_memory_weight_hh_l0, d_memory_bias_ih_l0,
        d_memory_bias_hh_l0,
    ) = lstm_layer_back(
        d_memory, memory, words, zeros, memory_weight_ih_l0, memory_weight_hh_l0, gates,
        cells, bent,
    )
    d_words_weight = np.zeros((80, 16), np.float32)
    np.add.at(d_words_weight, ids.reshape(-1), d_words.reshape(48, 16))
    adam(words_weight, d_words_weight, words_weight_mean, words_weight_squares, t)
    adam(
        memory_weight_ih_l0, d_memory_weight_ih_l0, memory_weight_ih_l0_mean,
        memory_weight_ih_l0_squares, t,
    )
    adam(
        memory_weight_hh_l0, d_memory_weight_hh_l0, memory_weight_hh_l0_mean,
        memory_weight_hh_l0_squares, t,
    )
    adam(
        memory_bias_ih_l0, d_memory_bias_ih_l0, memory_bias_ih_l0_mean,
        memory_bias_ih_l0_squares, t,
    )
    adam(
        memory_bias_hh_l0, d_memory_bias_hh_l0, memory_bias_hh_l0_mean,
        memory_bias_hh_l0_squares, t,
    )
    adam(output_weight, d_output_weight, output_weight_mean, output_weight_squares, t)
    adam(output_bias, d_output_bias, output_bias_mean, output_bias_squares, t)
    return loss
