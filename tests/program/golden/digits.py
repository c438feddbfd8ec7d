"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     images (1, 784), targets (1, 10)
    weights    hidden_weight (40, 784), output_weight (10, 40)

Weights are changed in place.
"""

import numpy as np

lr = 0.005


def step(images, targets, hidden_weight, output_weight):
    # predict
    layer_1 = np.maximum(images @ hidden_weight.T, 0)
    prediction = layer_1 @ output_weight.T
    # compare
    error = prediction - targets
    flat = error.reshape(-1)
    loss = flat @ flat
    # learn
    d_prediction = 2 * error
    d_output_weight = d_prediction.T @ layer_1
    d_layer_1 = (d_prediction @ output_weight) * (layer_1 > 0)
    d_hidden_weight = d_layer_1.T @ images
    hidden_weight -= lr * d_hidden_weight
    output_weight -= lr * d_output_weight
    return loss
