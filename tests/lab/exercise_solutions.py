"""One right answer to each exercise of the lab, as a reader would write it. The tests alone know them."""

import math

import numpy as np


def classify(scores):
    return scores.argmax(axis=1)


def accuracy(predicted, actual):
    return (predicted == actual).mean()


def counted(seen, answers, asked):
    alike = answers[seen == asked]
    return alike.mean() if len(alike) else 0.5


def nearest(points, centres):
    return [((centres - point) ** 2).sum(axis=1).argmin() for point in points]


def weighted_sum(inputs, weights):
    total = 0
    for i in range(len(inputs)):
        total += inputs[i] * weights[i]
    return total


def vector_matrix(inputs, weights):
    return [row @ inputs for row in weights]


def two_layers(inputs, weights_0_1, weights_1_2):
    hidden = weights_0_1 @ inputs
    return weights_1_2 @ hidden


def squared_error(prediction, goal):
    return (prediction - goal) ** 2


def slope_of_error(weight, input, goal):
    return 2 * (input * weight - goal) * input


def learn(weight, input, goal, alpha, steps):
    for _ in range(steps):
        prediction = input * weight
        delta = prediction - goal
        weight_delta = delta * input
        weight = weight - alpha * weight_delta
    return weight


def step(weights, inputs, goal, alpha):
    prediction = weights @ inputs
    delta = prediction - goal
    weights -= alpha * delta * inputs  # in place, as the book does
    return weights


def weight_gradient(weights, inputs, goals):
    delta = weights @ inputs - goals
    return np.outer(delta, inputs)


def relu_back(delta, before):
    return delta * (before > 0)


def deep_gradients(lights, walk, weights_0_1, weights_1_2):
    layer_1 = np.maximum(lights @ weights_0_1, 0)
    layer_2 = layer_1 @ weights_1_2
    layer_2_delta = layer_2 - walk
    layer_1_delta = (layer_2_delta @ weights_1_2.T) * (layer_1 > 0)
    return lights.T @ layer_1_delta, layer_1.T @ layer_2_delta


def deep_step(lights, walk, weights_0_1, weights_1_2, alpha):
    layer_1 = np.maximum(lights @ weights_0_1, 0)
    layer_2 = layer_1 @ weights_1_2
    layer_2_delta = layer_2 - walk
    layer_1_delta = (layer_2_delta @ weights_1_2.T) * (layer_1 > 0)
    weights_1_2 = weights_1_2 - alpha * layer_1.T @ layer_2_delta
    weights_0_1 = weights_0_1 - alpha * lights.T @ layer_1_delta
    return weights_0_1, weights_1_2


def weight_shapes(sizes):
    return [(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]


def count_parameters(sizes):
    return sum(a * b + b for a, b in zip(sizes, sizes[1:]))  # noqa: B905, RUF007


def best_pass(errors, patience):
    best = 0
    for number, error in enumerate(errors):
        if error < errors[best]:
            best = number
        elif number - best >= patience:
            break
    return best


def dropout(layer, mask, p):
    return layer * mask / (1 - p)


def batch_gradient(weights, inputs, goals):
    return inputs.T @ (inputs @ weights - goals) / len(inputs)


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy_slope(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    gradient = e / e.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


def tanh_back(delta, after):
    return delta * (1 - after**2)


def convolve(image, kernel):
    (h, w), (a, b) = image.shape, kernel.shape
    result = np.zeros((h - a + 1, w - b + 1))
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            result[i, j] = (image[i : i + a, j : j + b] * kernel).sum()
    return result


def kernel_gradient(image, delta):
    (h, w), (p, q) = image.shape, delta.shape
    result = np.zeros((h - p + 1, w - q + 1))
    for a in range(h - p + 1):
        for b in range(w - q + 1):
            result[a, b] = (image[a : a + p, b : b + q] * delta).sum()
    return result


def max_pool(image, size):
    h, w = image.shape
    return [
        [
            image[i * size : (i + 1) * size, j * size : (j + 1) * size].max()
            for j in range(w // size)
        ]
        for i in range(h // size)
    ]


def table_gradient(table, words, delta):
    gradient = np.zeros_like(table)
    for word in words:
        gradient[word] += delta
    return gradient


def cosine(a, b):
    return a @ b / (np.sqrt(a @ a) * np.sqrt(b @ b))


def sampling_loss(context, word, others):
    def log_sigmoid(x):
        return -np.log(1 + np.exp(-x))

    return -log_sigmoid(word @ context) - log_sigmoid(-(others @ context)).sum()


def last_state(words, start, transition):
    state = start
    for word in words:
        state = state @ transition + word
    return state


def transition_gradient(words, start, transition, delta):
    states = [start]
    for word in words:
        states.append(states[-1] @ transition + word)
    gradient = np.zeros_like(transition)
    for n in reversed(range(len(words))):
        gradient += np.outer(states[n], delta)
        delta = delta @ transition.T
    return gradient


def gradients(values, tape):
    given = len(values)
    values = list(values)
    for op, a, b in tape:
        values.append(values[a] + values[b] if op == "add" else values[a] * values[b])
    grads = [0.0] * len(values)
    grads[-1] = 1.0
    for n in reversed(range(len(tape))):
        op, a, b = tape[n]
        d = grads[given + n]
        grads[a] += d if op == "add" else d * values[b]
        grads[b] += d if op == "add" else d * values[a]
    return grads[:given]


def linear_back(x, weight, bias, delta):
    return delta @ weight, delta.T @ x, delta.sum(axis=0)


def cross_entropy(scores, labels):
    low = scores - scores.max(axis=1, keepdims=True)
    losses = np.log(np.exp(low).sum(axis=1)) - low[np.arange(len(labels)), labels]
    return losses.mean()


def lstm_cell(sums, cell):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    i, f, g, o = sums
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def clip(gradient, most):
    length = np.sqrt((gradient**2).sum())
    return gradient * (most / length) if length > most else gradient


def sample(scores, temperature, u):
    e = np.exp((scores - scores.max()) / temperature)
    return (np.cumsum(e / e.sum()) > u).argmax()


def federated_mean(models, counts):
    return counts @ models / counts.sum()


def shares(secret, drawn, modulus):
    return [*drawn, (secret - sum(drawn)) % modulus]


def masked(values, masks):
    sent = values.copy()
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            sent[i] += masks[i, j]
            sent[j] -= masks[i, j]
    return sent


def numbers(shapes):
    return sum(math.prod(shape) for shape in shapes.values())


def layer_sizes(shapes):
    weights = [shape for name, shape in shapes.items() if name.endswith("weight")]
    return [weights[0][1]] + [shape[0] for shape in weights]


def predict(x, layers):
    for n, (weight, bias) in enumerate(layers):
        if n > 0:
            x = np.maximum(x, 0)
        x = x @ weight.T + bias
    return x
