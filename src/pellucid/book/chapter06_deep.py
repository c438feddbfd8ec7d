"""Chapter 6, third part: the first deep network, and how blame travels back through it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from pellucid import Tensor, no_grad, relu
from pellucid.nn import Linear, MSELoss, ReLU, Sequential
from pellucid.optim import SGD

from .chapter06 import FOUR, ONE_OF_TWO, written
from .experiment import Figure, Result, experiment
from .result import Array

Bend = Callable[[Tensor], Tensor]


def first_weights(seed: int, hidden: int) -> tuple[Array, Array]:
    """The published first weights, (3, hidden) and (hidden, 1), between -1 and 1."""
    random = np.random.RandomState(seed)
    return 2 * random.random_sample((3, hidden)) - 1, 2 * random.random_sample((hidden, 1)) - 1


def learn_lights(
    result: Result,
    title: str,
    weights: tuple[Tensor, Tensor],
    optimizer: SGD,
    lights: Array,
    walk: float,
    bend: Bend = relu,
) -> float:
    """Predict, compare, learn from one row of lights, and tell it all. Returns the error."""
    weights_0_1, weights_1_2 = weights
    sums = Tensor(lights[None]) @ weights_0_1
    layer_1 = bend(sums)  # predict
    layer_2 = layer_1 @ weights_1_2
    error = ((layer_2 - walk) ** 2).sum()  # compare
    for value in (sums, layer_1, layer_2):
        value.retain_grad()
    optimizer.zero_grad()
    (error / 2).backward()  # learn: half the error, whose slope is prediction - target
    if result.step(title):
        curved = bend is relu
        way = "relu(layer_0 @ weights_0_1)" if curved else "layer_0 @ weights_0_1"
        result.predict("layer_0", "the lights", lights)
        result.predict("weights_0_1", "as they are", weights_0_1)
        result.predict("layer_1", way, layer_1)
        result.predict("weights_1_2", "as they are", weights_1_2)
        result.predict("layer_2", "layer_1 @ weights_1_2", layer_2)
        result.compare("walk", "what people did", walk)
        result.compare("error", "(layer_2 - walk) ** 2", error)
        result.learn("layer_2_delta", "layer_2 - walk", layer_2.grad)
        result.learn("share of each hidden unit", "layer_2_delta @ weights_1_2.T", layer_1.grad)
        way = "its share, where layer_1 > 0" if curved else "its share, unchanged"
        result.learn("layer_1_delta", way, sums.grad)
        result.learn("weights_1_2_delta", "layer_1.T @ layer_2_delta", weights_1_2.grad)
        result.learn("weights_0_1_delta", "layer_0.T @ layer_1_delta", weights_0_1.grad)
    optimizer.step()
    result.learn("weights_1_2 after", "weights_1_2 - lr * weights_1_2_delta", weights_1_2)
    result.learn("weights_0_1 after", "weights_0_1 - lr * weights_0_1_delta", weights_0_1)
    return float(error.item())


def by_hand(
    weights_0_1: Array, weights_1_2: Array, lr: float, passes: int, bent: bool = True
) -> list[float]:
    """The error of every pass in NumPy alone, back-propagation written out."""
    errors = []
    for _ in range(passes):
        errors.append(0.0)
        for layer_0, walk in zip(FOUR[:, None], ONE_OF_TWO, strict=True):
            sums = layer_0 @ weights_0_1
            layer_1 = np.maximum(sums, 0) if bent else sums
            layer_2 = layer_1 @ weights_1_2
            errors[-1] += float(((layer_2 - walk) ** 2).sum())
            layer_2_delta = layer_2 - walk
            layer_1_delta = layer_2_delta @ weights_1_2.T * (layer_1 > 0 if bent else 1)
            weights_1_2 = weights_1_2 - lr * layer_1.T @ layer_2_delta
            weights_0_1 = weights_0_1 - lr * layer_0.T @ layer_1_delta
    return errors


# --------------------------------------------------------------------- 6.15 two layers that are one


@experiment("6.15", to="6.19")
def why_relu(
    result: Result, *, lr: float = 0.2, passes: int = 60, hidden: int = 4, seed: int = 1
) -> None:
    """Blame goes back through the weights; but two layers without relu are only one.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the four rows are gone through.
        hidden: how many hidden units.
        seed: which random weights to start from.
    """
    start = first_weights(seed, hidden)
    one_or_two(result, *start)
    bends: dict[str, Bend] = {"with relu": relu, "without relu": straight}
    errors: dict[str, list[float]] = {}
    ends = {}
    for name, bend in result.track(list(bends.items())):
        a, b = (Tensor(w.copy(), requires_grad=True) for w in start)
        weights = a, b
        optimizer = SGD(list(weights), lr=lr)
        errors[name] = []
        for n in range(passes):
            errors[name].append(0.0)
            for row, walk in zip(FOUR, ONE_OF_TWO, strict=True):
                title = f"{name}: pass {n + 1}, lights {written(row)}"
                errors[name][-1] += learn_lights(
                    result, title, weights, optimizer, row, float(walk), bend
                )
        ends[name] = weights
        hand = by_hand(*start, lr, passes, bent=bend is relu)
        result.agree(f"error of every pass, {name}", errors[name], hand)
    result.plot("error of each pass", errors, x="pass", y="error", log=True)
    for name, course in errors.items():
        result.number(f"last error, {name}", course[-1])
    selective(result, *ends["with relu"])


def straight(sums: Tensor) -> Tensor:
    """No activation: what comes in goes out."""
    return sums


def one_or_two(result: Result, weights_0_1: Array, weights_1_2: Array) -> None:
    """Two layers against the one layer that might replace them, on all eight patterns of lights."""
    patterns = np.array(list(product((0.0, 1.0), repeat=3)))
    a, b, x = Tensor(weights_0_1), Tensor(weights_1_2), Tensor(patterns)
    product_of_both = (a @ b).numpy()
    rows = []
    for name, two in (("without relu", (x @ a) @ b), ("with relu", relu(x @ a) @ b)):
        best, *_ = np.linalg.lstsq(patterns, two.numpy(), rcond=None)
        apart = np.abs(two.numpy() - patterns @ best).max()
        rows.append((name, two.numpy()[1:5, 0].round(3), (patterns @ best)[1:5, 0].round(3), apart))
        result.number(f"two layers and the best single one differ by, {name}", float(apart))
        if name == "without relu":
            result.agree("the single layer is weights_0_1 @ weights_1_2", best, product_of_both)
            result.agree("two layers without relu, and one", two, patterns @ product_of_both)
    result.table(
        "two layers, and the best single layer in their place",
        ("", "two layers predict", "one layer predicts", "differ by at most"),
        rows,
    )


def selective(result: Result, weights_0_1: Tensor, weights_1_2: Tensor) -> None:
    """Which hidden unit takes part for which row of lights, once the network has learned."""
    layer_1 = relu(Tensor(FOUR) @ weights_0_1).numpy()
    result.table(
        "hidden units after learning: 0 is silent",
        ("lights", "walk", *(f"unit {i + 1}" for i in range(layer_1.shape[1]))),
        [
            *(
                (written(row), walk, *units.round(3))
                for row, walk, units in zip(FOUR, ONE_OF_TWO, layer_1, strict=True)
            ),
            ("weight to the output", "", *weights_1_2.numpy()[:, 0].round(3)),
        ],
    )


# ---------------------------------------------------------------------- 6.20 the first deep network


@experiment(
    "6.20",
    to="6.24",
    figures=[
        Figure("error after pass 10", 0.6342311598444467),
        Figure("error after pass 20", 0.35838407676317513),
        Figure("error after pass 30", 0.0830183113303298),
        Figure("error after pass 40", 0.006467054957103705),
        Figure("error after pass 50", 0.0003292669000750734),
        Figure("error after pass 60", 1.5055622665134859e-05),
    ],
)
def deep_streetlights(
    result: Result, *, lr: float = 0.2, passes: int = 60, hidden: int = 4, seed: int = 1
) -> None:
    """A network with a hidden layer learns what no single layer can.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the whole table of lights is gone through.
        hidden: how many hidden units.
        seed: which random weights to start from.
    """
    start = first_weights(seed, hidden)
    weights_0_1, weights_1_2 = (Tensor(w.copy(), requires_grad=True) for w in start)
    optimizer = SGD([weights_0_1, weights_1_2], lr=lr)
    errors = []
    for n in result.track(range(1, passes + 1)):
        errors.append(0.0)
        for lights, walk in zip(FOUR, ONE_OF_TWO, strict=True):
            title = f"pass {n}, lights {written(lights)}"
            errors[-1] += learn_lights(
                result, title, (weights_0_1, weights_1_2), optimizer, lights, float(walk)
            )
        if n % 10 == 0:
            result.number(f"error after pass {n}", errors[-1])
    result.agree("error of every pass", errors, by_hand(*start, lr, passes))
    result.plot("error of each pass", {"error": errors}, x="pass", y="error", log=True)


# --------------------------------------------------------------------------- 6.25 why depth matters

SIDE = 4  # the images are so many pixels high and wide


@experiment("6.25")
def readable_features(
    result: Result,
    *,
    lr: float = 0.1,
    passes: int = 1500,
    hidden: int = 8,
    decay: float = 0.01,
    seed: int = 4,
) -> None:
    """Lying or standing? No pixel knows; but hidden units become lines one can see.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the eight images are gone through.
        hidden: how many hidden units.
        decay: how much weights that nobody needs fade.
        seed: which random weights to start from.
    """
    images, lying = lines()
    result.picture(
        "what is to be told apart",
        {name: image.reshape(SIDE, SIDE) for name, image in zip(names(), images, strict=True)},
    )
    overlap = [int(images[lying[:, 0] == kind].sum(axis=0).max()) for kind in (1, 0)]
    result.say("pixels", lying=overlap[0], standing=overlap[1])
    with_bias = np.hstack([images, np.ones((len(images), 1))])
    best, *_ = np.linalg.lstsq(with_bias, lying, rcond=None)
    single = float(((with_bias @ best - lying) ** 2).sum())
    result.number("smallest error of a single layer", single)

    network = line_network(hidden, seed)
    optimizer = SGD(network.parameters(), lr=lr, weight_decay=decay)
    criterion = MSELoss(reduction="sum")
    errors = []
    for n in result.track(range(passes)):
        prediction = network(Tensor(images))  # predict
        error = criterion(prediction, Tensor(lying))  # compare
        optimizer.zero_grad()
        (error / 2).backward()  # learn
        if result.step(f"pass {n + 1}"):
            tell_lines(result, network, images, prediction, lying, error)
        optimizer.step()
        errors.append(error.item())
    result.number("last error", errors[-1])
    result.plot(
        "error of each pass",
        {"two layers": errors, "the best single layer": [single] * passes},
        x="pass", y="error", log=True,
    )  # fmt: skip
    read_units(result, network, images)


def lines() -> tuple[Array, Array]:
    """Eight images of a line, (8, pixels): four lying, four standing; and 1 for those that lie."""
    images = np.zeros((2 * SIDE, SIDE, SIDE))
    for i in range(SIDE):
        images[i, i, :] = 1
        images[SIDE + i, :, i] = 1
    lying = np.repeat([[1.0], [0.0]], SIDE, axis=0)
    return images.reshape(2 * SIDE, -1), lying


def names() -> list[str]:
    """What the eight images are called, in their order."""
    return [f"{kind} {i + 1}" for kind in ("row", "column") for i in range(SIDE)]


def line_network(hidden: int, seed: int) -> Sequential:
    """Pixels, hidden units with relu, one output; first weights between -0.5 and 0.5."""
    random = np.random.RandomState(seed)
    network = Sequential(Linear(SIDE * SIDE, hidden, bias=False), ReLU(), Linear(hidden, 1))
    with no_grad():
        network[0].weight.copy_((random.random_sample((SIDE * SIDE, hidden)) - 0.5).T)
        network[2].weight.copy_((random.random_sample((hidden, 1)) - 0.5).T)
        network[2].bias.zero_()
    return network


def tell_lines(
    result: Result,
    network: Sequential,
    images: Array,
    prediction: Tensor,
    lying: Array,
    error: Tensor,
) -> None:
    """All values of one pass over the eight images."""
    hidden, output = network[0], network[2]
    result.predict("layer_1", "relu(images @ hidden.weight.T)", network[1](hidden(Tensor(images))))
    result.predict("prediction", "layer_1 @ output.weight.T + bias", prediction)
    result.compare("target", "1 for lying, 0 for standing", lying)
    result.compare("error", "((prediction - target) ** 2).sum()", error)
    result.learn("layer_2_delta", "prediction - target", prediction.numpy() - lying)
    result.learn("output.weight.grad", "layer_2_delta.T @ layer_1", output.weight.grad)
    result.learn("hidden.weight.grad", "layer_1_delta.T @ images", hidden.weight.grad)


def read_units(result: Result, network: Sequential, images: Array) -> None:
    """The hidden units as pictures, and which lines each of them answers."""
    with no_grad():
        answers = network[1](network[0](Tensor(images))).numpy()
    weights, speaks = network[0].weight.numpy(), network[2].weight.numpy()[0]
    result.picture(
        "what each hidden unit looks for",
        {f"unit {i + 1}": unit.reshape(SIDE, SIDE) for i, unit in enumerate(weights)},
        signed=True,
    )
    rows, of_one_kind = [], 0
    for i, unit in enumerate(answers.T):
        heard = unit > 0.05  # what it says to the other lines is next to nothing
        kinds = {name.split()[0] for name, h in zip(names(), heard, strict=True) if h}
        of_one_kind += len(kinds) <= 1
        rows.append(
            (f"unit {i + 1}", *(_numbers(heard[half]) for half in (slice(SIDE), slice(SIDE, None))),
             "lying" if speaks[i] > 0 else "standing", speaks[i])
        )  # fmt: skip
    result.table(
        "read off: which lines a unit answers, and what it then says",
        ("", "rows", "columns", "says", "weight to the output"),
        rows,
    )
    result.number("units that answer lines of one kind only", of_one_kind)


def _numbers(heard: Array) -> str:
    return " ".join(str(i + 1) for i in np.flatnonzero(heard)) or "-"
