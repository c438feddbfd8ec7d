"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     images (128, 1, 28, 28), targets (128,) int64
    weights    kernels_weight (16, 1, 3, 3), output_weight (10, 10816)

Weights are changed in place.
"""

import numpy as np

rng = np.random.Generator(np.random.SFC64())

lr = 2.0


def conv2d(x, weight):
    """Kernels slid over an image: how well each fits at each place."""
    kernels = weight.reshape(1, 16, -1)
    wide = np.empty((128, 1, 3, 28, 26), np.float32)
    for j in range(3):
        wide[:, :, j] = x[:, :, :, j : j + 26]
    tall = np.empty((128, 1, 3, 3, 26, 26), np.float32)
    for i in range(3):
        tall[:, :, i] = wide[:, :, :, i : i + 26]
    columns = tall.reshape(128, 1, 9, 676)
    return (kernels @ columns).reshape(128, 16, 26, 26), columns


def dropout(x):
    """While learning, a random part `p` of the numbers is 0, the rest 1 / (1 - p) times
    as large.
    """
    words = rng.bit_generator.random_raw(21632)
    mask = (
        np.unpackbits(words.view(np.uint8), count=1384448)
        .view(np.bool_)
        .reshape(128, 10816)
        .astype(np.float32)
    )
    mask = mask * 2
    return x * mask, mask


def softmax_cross_entropy(x, target):
    """How surprised scores `x` are by the right class: -log of its softmax."""
    scores = x - x.max(axis=1, keepdims=True)
    picked = scores[np.arange(128), target]
    chances = np.exp(scores)
    total = (chances @ np.ones(10, np.float32))[:, None]
    return (np.log(total[:, 0]) - picked).sum() / 128, chances, total


def step(images, targets, kernels_weight, output_weight):
    # predict
    kernels, columns = conv2d(images, kernels_weight)
    tanh = np.tanh(kernels)
    layer_1 = tanh.reshape(128, 10816)
    kept, mask = dropout(layer_1)
    prediction = kept @ output_weight.T
    # compare
    loss, chances, total = softmax_cross_entropy(prediction, targets)
    # learn
    d_prediction = chances * (1 / 128 / total)
    d_prediction[np.arange(128), targets] -= 1 / 128
    d_output_weight = d_prediction.T @ kept
    d_tanh = ((d_prediction @ output_weight) * mask).reshape(128, 16, 26, 26)
    d = (d_tanh * (1 - tanh * tanh)).reshape(128, 1, 16, 676)
    d_kernels_weight = (d @ columns.mT).sum(axis=0).reshape(16, 1, 3, 3)
    kernels_weight -= lr * d_kernels_weight
    output_weight -= lr * d_output_weight
    return loss
