"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     ids (6, 4) int64, following (6, 4) int64
    weights    words_weight (80, 10), memory_weight_ih_l0 (10, 10),
               memory_weight_hh_l0 (10, 10), memory_bias_ih_l0 (10,),
               memory_bias_hh_l0 (10,), output_weight (80, 10), output_bias (80,)

Weights are changed in place.
"""

import numpy as np

lr = 0.1


def rnn_layer(x, h0, w_ih, w_hh, b_ih, b_hh):
    """state = tanh (or relu) of w_ih @ input + w_hh @ state, for every step (Elman
    1990).
    """
    rows = x.reshape(24, 10)
    said = rows @ w_ih.T + (b_ih + b_hh)
    states = np.empty((7, 4, 10), np.float32)
    states[0] = h0
    recall = w_hh.T.copy()
    state = h0
    for heard, after in zip(said.reshape(6, 4, 10), states[1:]):
        z = state @ recall
        z += heard
        np.tanh(z, out=after)
        state = after
    return states[1:], states, rows


def softmax_cross_entropy(x, target):
    """How surprised scores `x` are by the right class: -log of its softmax."""
    scores = x - x.max(axis=1, keepdims=True)
    picked = scores[np.arange(24), target]
    chances = np.exp(scores)
    total = (chances @ np.ones(80, np.float32))[:, None]
    return (np.log(total[:, 0]) - picked).sum() / 24, chances, total


def rnn_layer_back(d, w_ih, w_hh, states, rows):
    """The slopes of rnn_layer."""
    after = states[1:]
    slope = 1 - after * after
    d_z = np.empty_like(after)
    d_state = np.zeros_like(states[0])
    for step in reversed(range(6)):
        d_state += d[step]
        d_z[step] = d_state * slope[step]
        d_state = d_z[step] @ w_hh
    flat = d_z.reshape(24, 10)
    d_x = (flat @ w_ih).reshape(6, 4, 10)
    d_b = np.ones(24, np.float32) @ flat
    x = states[:-1]
    return d_x, flat.T @ rows, flat.T @ x.reshape(24, 10), d_b, d_b.copy()


def step(
    ids, following, words_weight, memory_weight_ih_l0, memory_weight_hh_l0,
    memory_bias_ih_l0, memory_bias_hh_l0, output_weight, output_bias,
):
    # predict
    words = words_weight[ids]
    zeros = np.zeros((4, 10), np.float32)
    states, states_2, rows = rnn_layer(
        words, zeros, memory_weight_ih_l0, memory_weight_hh_l0, memory_bias_ih_l0,
        memory_bias_hh_l0,
    )
    sums = states.reshape(24, 10) @ output_weight.T
    prediction = (sums + output_bias).reshape(6, 4, 80)
    # compare
    rows_2 = following.reshape(-1)
    loss, chances, total = softmax_cross_entropy(prediction.reshape(-1, 80), rows_2)
    # learn
    d_rows = chances * (1 / 24 / total)
    d_rows[np.arange(24), rows_2] -= 1 / 24
    each = d_rows.reshape(6, 4, 80).reshape(24, 80)
    d_states = (each @ output_weight).reshape(6, 4, 10)
    d_output_weight = each.T @ states.reshape(24, 10)
    d_output_bias = np.ones(24, np.float32) @ each
    (
        d_words, d_memory_weight_ih_l0, d_memory_weight_hh_l0, d_memory_bias_ih_l0,
        d_memory_bias_hh_l0,
    ) = rnn_layer_back(
        d_states, memory_weight_ih_l0, memory_weight_hh_l0, states_2, rows
    )
    d_words_weight = np.zeros((80, 10), np.float32)
    np.add.at(d_words_weight, ids.reshape(-1), d_words.reshape(24, 10))
    words_weight -= lr * d_words_weight
    memory_weight_ih_l0 -= lr * d_memory_weight_ih_l0
    memory_weight_hh_l0 -= lr * d_memory_weight_hh_l0
    memory_bias_ih_l0 -= lr * d_memory_bias_ih_l0
    memory_bias_hh_l0 -= lr * d_memory_bias_hh_l0
    output_weight -= lr * d_output_weight
    output_bias -= lr * d_output_bias
    return loss
