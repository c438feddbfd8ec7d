"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     images (100, 784), targets (100,) int64
    weights    hidden_weight (100, 784), output_weight (10, 100)

Weights are changed in place.
"""

import numpy as np

rng = np.random.Generator(np.random.SFC64())

lr = 2.0


def dropout(x):
    """While learning, a random part `p` of the numbers is 0, the rest 1 / (1 - p) times
    as large.
    """
    words = rng.bit_generator.random_raw(157)
    mask = (
        np.unpackbits(words.view(np.uint8), count=10000)
        .view(np.bool_)
        .reshape(100, 100)
        .astype(np.float32)
    )
    mask = mask * 2
    return x * mask, mask


def softmax_cross_entropy(x, target):
    """How surprised scores `x` are by the right class: -log of its softmax."""
    scores = x - x.max(axis=1, keepdims=True)
    picked = scores[np.arange(100), target]
    chances = np.exp(scores)
    total = (chances @ np.ones(10, np.float32))[:, None]
    return (np.log(total[:, 0]) - picked).sum() / 100, chances, total


def step(images, targets, hidden_weight, output_weight):
    # predict
    layer_1 = np.tanh(images @ hidden_weight.T)
    kept, mask = dropout(layer_1)
    prediction = kept @ output_weight.T
    # compare
    loss, chances, total = softmax_cross_entropy(prediction, targets)
    # learn
    d_prediction = chances * (1 / 100 / total)
    d_prediction[np.arange(100), targets] -= 1 / 100
    d_output_weight = d_prediction.T @ kept
    d_layer_1 = (d_prediction @ output_weight) * mask * (1 - layer_1 * layer_1)
    d_hidden_weight = d_layer_1.T @ images
    hidden_weight -= lr * d_hidden_weight
    output_weight -= lr * d_output_weight
    return loss
