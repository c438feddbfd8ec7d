"""Chapter 1: what one will be able to do, before any theory; and what is needed for it."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

import numpy as np

from pellucid import Tensor, load_model, no_grad, softmax
from pellucid.data import ArrayDataset, DataLoader
from pellucid.doctor import examine
from pellucid.errors import PellucidError
from pellucid.losses import CrossEntropyLoss
from pellucid.nn import Linear, Module, ReLU, Sequential
from pellucid.optim import SGD

from ..tour.learning import one_thread
from .digits import CLASSES, Digits, digits
from .drawn import as_known, read_drawing
from .experiment import Result, experiment
from .result import Array

TOUR = Path("pellucid-runs") / "tour" / "network.best.safetensors"
HIDDEN, LEARNED_FROM, BATCH, PASSES = 64, 10000, 50, 6


# ------------------------------------------------------------------------------ 1.1 it reads a digit


@experiment("1.1", to="1.3")
def reads_digits(result: Result, *, draw: str = "", show: int = 10, seed: int = 1) -> None:
    """A finished network reads handwritten digits, and one of yours.

    Args:
        draw: a file with a digit of your own: a PNG, or a text of # and dots.
        show: how many digits to show.
        seed: which first weights the network starts from, if it has to learn first.
    """
    yours = read_drawing(draw) if draw else None
    data = digits(result, LEARNED_FROM)
    network = from_the_tour(data.pixels)
    if network is None:
        network = learn_quickly(result, data)
        result.say("learned", count=len(data.images), passes=PASSES)
    else:
        result.say("tour", file=str(TOUR))
    shares = read(network, data.test_images)
    said = shares.argmax(axis=1)
    result.number("digits it had never seen", len(said))
    result.number("read right, in percent", 100 * float((said == data.test_labels).mean()))
    show_some(result, data, shares, show)
    if yours is not None:
        show_yours(result, network, yours, data.shape[0])
    else:
        result.say("invite")
    weights = [p.numpy().astype(np.float64) for p in network.parameters()]
    result.agree("what it says of them", shares, read_by_hand(data.test_images, *weights), 1e-4)


def from_the_tour(pixels: int) -> Module | None:
    """The network that the tour left here, if it reads images of so many pixels."""
    try:
        network = load_model(TOUR)
    except (PellucidError, OSError):
        return None
    first = next(network.parameters(), None)
    return network if first is not None and first.shape == (128, pixels) else None


def learn_quickly(result: Result, data: Digits) -> Module:
    """A network that looks at some digits a few times: a second or two."""
    network = Sequential(Linear(data.pixels, HIDDEN), ReLU(), Linear(HIDDEN, CLASSES)).float()
    optimizer = SGD(network.parameters(), lr=0.1, momentum=0.9)
    wrong = CrossEntropyLoss()
    batches = DataLoader(
        ArrayDataset(data.images.astype(np.float32), data.labels),
        batch_size=BATCH,
        shuffle=True,
        seed=0,
    )
    with one_thread():
        for _ in result.track(range(PASSES)):
            for images, labels in batches:
                prediction = network(images)  # predict
                error = wrong(prediction, labels)  # compare
                optimizer.zero_grad()
                error.backward()  # learn
                optimizer.step()
    return network


def read(network: Module, images: Array) -> Array:
    """What the network makes of each image: a share for each of the ten digits."""
    dtype = next(network.parameters()).dtype
    with no_grad():
        return softmax(network(Tensor(images.astype(dtype))), dim=1).numpy()


def read_by_hand(images: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> Array:
    """The same in NumPy: a hidden layer, ten scores, shares."""
    scores = np.maximum(images @ w1.T + b1, 0) @ w2.T + b2
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def show_some(result: Result, data: Digits, shares: Array, count: int) -> None:
    """Some digits that the network had never seen, mistakes among them if it makes any."""
    said = shares.argmax(axis=1)
    wrong = np.flatnonzero(said != data.test_labels)[: max(1, count // 5)]
    right = np.flatnonzero(said == data.test_labels)[: max(0, count - len(wrong))]
    chosen = [*right, *wrong][:count]
    pictures = {
        f"{i + 1}: {said[n]}": data.test_images[n].reshape(data.shape) for i, n in enumerate(chosen)
    }
    result.picture("number of the picture, and what the network reads", pictures)
    rows = []
    for i, n in enumerate(chosen):
        second = int(shares[n].argsort()[-2])
        rows.append(
            (i + 1, int(said[n]), percent(shares[n].max()), second, int(data.test_labels[n]))
        )
    headings = ("picture", "reads", "how sure, in percent", "or else", "written as")
    result.table("how sure it is", headings, rows)


def percent(share: float) -> float:
    """A share in percent, with one digit behind the point."""
    return round(100 * float(share), 1)


def show_yours(result: Result, network: Module, ink: Array, side: int) -> None:
    """The reader's digit: as drawn, as the network gets it, and what it reads."""
    known = as_known(ink, side)
    result.picture("your digit", {"as you drew it": square(ink), "as the network gets it": known})
    shares = read(network, known.reshape(1, -1))[0]
    order = shares.argsort()[::-1]
    rows = [(int(digit), percent(shares[digit])) for digit in order[:4]]
    result.table("what it reads in yours", ("digit", "how sure, in percent"), rows)
    result.number("your digit", int(order[0]))
    result.say("yours", digit=int(order[0]), sure=percent(shares.max()))


def square(ink: Array) -> Array:
    """A drawing on a square page."""
    side = max(ink.shape)
    page = np.full((side, side), float(ink.min()))
    top, left = ((side - n) // 2 for n in ink.shape)
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page - page.min()


# ------------------------------------------------------------------------------- 1.5 what is needed

SIGNS = {"good": "✓", "note": "!", "absent": "·", "bad": "✗"}
MEANINGS = {
    "good": "here, and good", "note": "works, and could be better",
    "absent": "not here, and not needed", "bad": "missing, and needed",
}  # fmt: skip


@experiment("1.5", to="1.6")
def needed(result: Result) -> None:
    """What is needed, and whether this machine has it: the doctor looks."""
    health = examine()
    lines = []
    for f in health.findings:
        start = f"{SIGNS[f.state]} {f.topic:<9} "
        lines += wrap(f.what, 78, initial_indent=start, subsequent_indent=" " * 12)
        lines += wrap(f.hint, 78, initial_indent=" " * 12, subsequent_indent=" " * 12)
    lines += ["", *wrap(health.verdict, 78)]
    result.sheet("pellucid doctor", "\n".join(lines))
    counted = [(sign, MEANINGS[state], sum(f.state == state for f in health.findings))
               for state, sign in SIGNS.items()]  # fmt: skip
    result.table("what the signs say", ("", "meaning", "how many"), counted)
    result.say("well" if health.well else "unwell")
