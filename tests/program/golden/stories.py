"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     ids (8, 3) int64, last (8,) int64
    weights    words_weight (80, 16), from_word_weight (16, 16), from_word_bias (16,),
               from_state_weight (16, 16), from_state_bias (16,),
               output_weight (80, 16), output_bias (80,)

Weights are changed in place.
"""

import numpy as np

lr = 0.05


def softmax_cross_entropy(x, target):
    """How surprised scores `x` are by the right class: -log of its softmax."""
    scores = x - x.max(axis=1, keepdims=True)
    picked = scores[np.arange(8), target]
    chances = np.exp(scores)
    total = (chances @ np.ones(80, np.float32))[:, None]
    return (np.log(total[:, 0]) - picked).sum() / 8, chances, total


def step(
    ids, last, words_weight, from_word_weight, from_word_bias, from_state_weight,
    from_state_bias, output_weight, output_bias,
):
    # predict
    picked = ids[:, 0]
    words = words_weight[picked]
    from_word = words @ from_word_weight.T + from_word_bias
    state = np.zeros((8, 16), np.float32)
    from_state = state @ from_state_weight.T + from_state_bias
    state_2 = 1 / (1 + np.exp(-(from_word + from_state)))
    picked_2 = ids[:, 1]
    words_2 = words_weight[picked_2]
    from_word_2 = words_2 @ from_word_weight.T + from_word_bias
    from_state_2 = state_2 @ from_state_weight.T + from_state_bias
    state_3 = 1 / (1 + np.exp(-(from_word_2 + from_state_2)))
    picked_3 = ids[:, 2]
    words_3 = words_weight[picked_3]
    from_word_3 = words_3 @ from_word_weight.T + from_word_bias
    from_state_3 = state_3 @ from_state_weight.T + from_state_bias
    state_4 = 1 / (1 + np.exp(-(from_word_3 + from_state_3)))
    prediction = state_4 @ output_weight.T + output_bias
    # compare
    loss, chances, total = softmax_cross_entropy(prediction, last)
    # learn
    d_prediction = chances * (1 / 8 / total)
    d_prediction[np.arange(8), last] -= 1 / 8
    d_output_weight = d_prediction.T @ state_4
    d_output_bias = np.ones(8, np.float32) @ d_prediction
    d_state_4 = (d_prediction @ output_weight) * (state_4 * (1 - state_4))
    d_from_state_bias_2 = np.ones(8, np.float32) @ d_state_4
    d_from_word_bias_2 = np.ones(8, np.float32) @ d_state_4
    d_words_weight_2 = np.zeros((80, 16), np.float32)
    np.add.at(d_words_weight_2, picked_3, d_state_4 @ from_word_weight)
    d_state_3 = (d_state_4 @ from_state_weight) * (state_3 * (1 - state_3))
    d_from_state_weight_2 = d_state_4.T @ state_3 + d_state_3.T @ state_2
    d_from_state_bias_3 = d_from_state_bias_2 + np.ones(8, np.float32) @ d_state_3
    d_from_word_weight_2 = d_state_4.T @ words_3 + d_state_3.T @ words_2
    d_from_word_bias_3 = d_from_word_bias_2 + np.ones(8, np.float32) @ d_state_3
    d_words_weight_3 = np.zeros((80, 16), np.float32)
    np.add.at(d_words_weight_3, picked_2, d_state_3 @ from_word_weight)
    d_state_2 = (d_state_3 @ from_state_weight) * (state_2 * (1 - state_2))
    d_from_state_weight = d_from_state_weight_2 + d_state_2.T @ state
    d_from_state_bias = d_from_state_bias_3 + np.ones(8, np.float32) @ d_state_2
    d_from_word_weight = d_from_word_weight_2 + d_state_2.T @ words
    d_from_word_bias = d_from_word_bias_3 + np.ones(8, np.float32) @ d_state_2
    d_words_weight_4 = np.zeros((80, 16), np.float32)
    np.add.at(d_words_weight_4, picked, d_state_2 @ from_word_weight)
    d_words_weight = d_words_weight_2 + d_words_weight_3 + d_words_weight_4
    words_weight -= lr * d_words_weight
    from_word_weight -= lr * d_from_word_weight
    from_word_bias -= lr * d_from_word_bias
    from_state_weight -= lr * d_from_state_weight
    from_state_bias -= lr * d_from_state_bias
    output_weight -= lr * d_output_weight
    output_bias -= lr * d_output_bias
    return loss
