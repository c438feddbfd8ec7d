"""One training step in NumPy alone, as Pellucid wrote it down.

    inputs     lights (1, 3) float64, walk (1, 1) float64
    weights    weights_0_1 (3, 4) float64, weights_1_2 (4, 1) float64

Weights are changed in place.
"""

import numpy as np

lr = 0.2


def step(lights, walk, weights_0_1, weights_1_2):
    # predict
    layer_1 = np.maximum(lights @ weights_0_1, 0)
    layer_2 = layer_1 @ weights_1_2
    # compare
    difference = layer_2 - walk
    error = (difference * difference).sum()
    # learn
    d_weights_1_2 = layer_1.T @ difference
    d_layer_1 = (difference @ weights_1_2.T) * (layer_1 > 0)
    d_weights_0_1 = lights.T @ d_layer_1
    weights_0_1 -= lr * d_weights_0_1
    weights_1_2 -= lr * d_weights_1_2
    return error
