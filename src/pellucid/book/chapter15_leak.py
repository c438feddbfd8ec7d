"""Chapter 15, after the book: an image read back from what a party sends, and when that fails."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid import manual_seed
from pellucid.data import ArrayDataset
from pellucid.federated import Local, Masked, Party, Recorder, SecureSum, Total, Trainer, plain_sum
from pellucid.federated.averaging import copied
from pellucid.federated.secure_aggregation import Identity
from pellucid.federated.secure_aggregation.party import layout_of
from pellucid.federated.trainer import shapes_of
from pellucid.nn import CrossEntropyLoss, Linear, Module, ReLU, Sequential, Tanh

from .digits import CLASSES, Digits, digits
from .experiment import Result, experiment
from .refusal import Refusal
from .result import Array

COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
EXACT = 0.99  # a likeness above: nobody could tell the two apart
BENDS = {"relu": ReLU, "tanh": Tanh}


@experiment("15+2")
def image_leak(
    result: Result,
    *,
    lr: float = 0.1,
    hidden: int = 64,
    parties: int = 20,
    images: int = 1000,
    seed: int = 1,
) -> None:
    """An image read back from a gradient, to the last pixel; and the sum in which it is lost.

    Args:
        lr: how far a step goes.
        hidden: how many units the first layer has.
        parties: how many are in the secret sum.
        images: how many training images there are.
        seed: which random weights to start from.
    """
    data = digits(result, images)
    model = network(data.pixels, hidden)
    image, label = data.images[0], data.labels[0]
    seen = contribution(model, data, [0], lr)
    read = best_of(read_back(seen), image)
    result.agree("the image, read back from the update", read, image)
    by_hand = update_by_hand(copied(model), image, label, lr)
    result.agree("how far the first layer was moved", seen["update.0.weight"], by_hand)
    tell_one(result, seen, read, image)

    masked, total, own = in_secret(model, data, parties, lr)
    hidden_by_masks, from_sum = (best_of(read_back(found), image) for found in (masked, total))
    side = data.shape
    result.picture(
        "an image of one party, and what is read back of it",
        {
            "the image": image.reshape(side),
            "from one update": np.clip(read, 0, None).reshape(side),
            "from masks": shown(hidden_by_masks).reshape(side),
            "from the sum": shown(from_sum).reshape(side),
        },
    )
    result.number("likeness, from its update", likeness(read[None], image[None])[0, 0])
    result.number("likeness, from its masked update", best_likeness(masked, image))
    result.number("likeness, from the sum", best_likeness(total, image))
    guess = likeness(data.test_images.mean(axis=0, keepdims=True), data.images)[:, 0]
    result.number("likeness of the mean of other images", guess[0])
    result.say("sum", parties=parties, each=own, images=parties * own)
    show_crowds(result, data, hidden, lr, seed, guess)


def network(pixels: int, hidden: int, bend: type[Module] = ReLU) -> Sequential:
    """Two layers with biases, as they are usually written."""
    return Sequential(Linear(pixels, hidden), bend(), Linear(hidden, CLASSES))


# ----------------------------------------------------------------------------------------- the attack


def read_back(seen: Mapping[str, Array]) -> Array:
    """A guess for each unit of the first layer: its row of weights divided by its bias.

    A unit moves its bias by how much it is to blame, and each weight by that times what came in
    through it. So the quotient is what came in. For several images it is their mean, weighted by
    how much each blames this unit; an image that alone woke a unit stands there by itself.

    Args:
        seen: an update of the first layer.

    Returns:
        (units that moved, pixels).
    """
    weight, bias = seen["update.0.weight"], seen["update.0.bias"]
    moved = np.abs(bias) > 1e-6 * np.abs(bias).max()  # less is rounding
    guesses: Array = weight[moved] / bias[moved, None]
    return guesses


def likeness(guesses: Array, images: Array) -> Array:
    """Correlation of each image with each guess, (images, guesses): 1 for the same picture."""

    def level(rows: Array) -> Array:
        rows = rows - rows.mean(axis=1, keepdims=True)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)

    alike: Array = level(images) @ level(guesses).T
    return alike


def best_likeness(seen: Mapping[str, Array], image: Array) -> float:
    """How like an image the best of the guesses is."""
    return float(likeness(read_back(seen), image[None]).max())


def best_of(guesses: Array, image: Array) -> Array:
    """The guess that is most like an image: more than an attacker could know to choose.

    Raises:
        Refusal: no unit has moved, so there is nothing to read.
    """
    if not len(guesses):
        raise Refusal("nothing moved")
    chosen: Array = guesses[likeness(guesses, image[None])[0].argmax()]
    return chosen


def shown(guess: Array) -> Array:
    """A guess as a picture: its smallest number is paper."""
    paper: Array = guess - guess.min()
    return paper / max(float(paper.max()), 1e-300)


# --------------------------------------------------------------------------------- what is overheard


def contribution(model: Module, data: Digits, rows: Array, lr: float) -> dict[str, Array]:
    """What a party says that has learned from some images in one step."""
    trainer = party(model, data, rows)
    total = asked(model, Recorder(Local({"Ben": trainer})), len(rows), lr)
    return total.sums


def party(model: Module, data: Digits, rows: Array) -> Trainer:
    """A party with some of the images."""
    some = ArrayDataset(data.images[rows], data.labels[rows])
    return Trainer(model, some, CrossEntropyLoss())


def asked(
    model: Module, engine: Recorder, batch: int, lr: float, summing: SecureSum | None = None
) -> Total:
    """Have each party make one step from the weights of the model; these stay as they are."""
    weights = copied(model)
    how = {"round": 1, "lr": lr, "passes": 1, "batch_size": batch, "shuffle": False}
    message = {"do": "train", "weights": weights, "mu": 0.0, "seed": 0, **how}
    try:
        return (summing or plain_sum)(
            engine, dict.fromkeys(engine.parties, message), shapes_of(model)
        )
    finally:
        model.load_state_dict(weights)


def in_secret(
    model: Module, data: Digits, count: int, lr: float
) -> tuple[dict[str, Array], dict[str, Array], int]:
    """The images shared out among parties in a secret sum; the first has the first image.

    Returns:
        What the coordinator has of the first party; the sum; and how many images each party has.
    """
    each = len(data.images) // count
    names = [f"party {i:04}" for i in range(count)]
    identities = {name: Identity() for name in names}
    registry = {name: identity.public for name, identity in identities.items()}
    parties: dict[str, Party] = {}
    for i, name in enumerate(names):
        trainer = party(model, data, np.arange(i * each, (i + 1) * each))
        parties[name] = Masked(trainer, name, identities[name], registry)
    engine = Recorder(Local(parties))
    total = asked(model, engine, each, lr, SecureSum(registry))
    (masked,) = (
        e.reply["masked"] for e in engine.view(names[0]) if e.reply and "masked" in e.reply
    )
    question = next(e.message for e in engine.view() if "shapes" in e.message)
    return layout_of(question, count).decode(masked), total.sums, each


def update_by_hand(weights: Mapping[str, Array], image: Array, label: int, lr: float) -> Array:
    """How far one step moves the first layer, in NumPy alone."""
    sums = weights["0.weight"] @ image + weights["0.bias"]
    scores = weights["2.weight"] @ np.maximum(sums, 0) + weights["2.bias"]
    shares = np.exp(scores - scores.max())
    delta = shares / shares.sum() - np.eye(CLASSES)[label]
    blame = (weights["2.weight"].T @ delta) * (sums > 0)
    return -lr * np.outer(blame, image)


def tell_one(result: Result, seen: Mapping[str, Array], read: Array, image: Array) -> None:
    """One unit in full: what moved, and the quotient."""
    if not result.step("one image, one unit of the first layer"):
        return
    unit = int(np.abs(seen["update.0.bias"]).argmax())
    ink = np.flatnonzero(image)[:8]
    result.predict("pixels", "some of the image that have ink", image[ink])
    result.compare("bias moved by", "-lr * blame", seen["update.0.bias"][unit])
    result.learn("weights moved by", "-lr * blame * pixels", seen["update.0.weight"][unit, ink])
    result.learn("quotient", "weights moved by / bias moved by", read[ink])


# ------------------------------------------------------------------------------------ ever more images


def show_crowds(
    result: Result, data: Digits, hidden: int, lr: float, seed: int, guess: Array
) -> None:
    """How much of each image is in the sum of ever more updates."""
    counts = [n for n in COUNTS if n <= len(data.images)]
    rows, curves = [], dict[str, list[float]]()
    for name, bend in BENDS.items():
        manual_seed(seed)
        model = network(data.pixels, hidden, bend)
        best = [crowd(model, data, n, lr) for n in counts]
        curves[f"{name}, best"] = [float(b.max()) for b in best]
        curves[f"{name}, mean"] = [float(b.mean()) for b in best]
        rows.append([int((b > EXACT).sum()) for b in best])
    curves["guessed, mean"] = [float(guess[:n].mean()) for n in counts]
    result.plot(
        "likeness of what is read back to the images",
        {name: (np.log10(counts), heights) for name, heights in curves.items()},
        x="log10(images in the sum)",
        y="likeness",
        points=True,
    )
    exact = ("images in the sum", *(f"read exactly, {name}" for name in BENDS))
    result.table("images that can be read exactly", exact, list(zip(counts, *rows, strict=True)))


def crowd(model: Module, data: Digits, count: int, lr: float) -> Array:
    """For each of the first images, how like it the best guess is, from an update of all of them."""
    rows = np.arange(count)
    found = read_back(contribution(model, data, rows, lr))
    best: Array = likeness(found, data.images[rows]).max(axis=1)
    return best
