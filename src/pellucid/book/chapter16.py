"""Chapter 16: where next. A network goes elsewhere, and predicts the same there."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pellucid import Tensor, export, load, no_grad, save
from pellucid.errors import MissingExtraError
from pellucid.io.exporting import numpy_script
from pellucid.nn import Linear, Module, ReLU, Sequential, Softmax

from .chapter01 import learn_quickly, read_by_hand
from .digits import digits
from .experiment import Result, experiment
from .result import Array

TARGETS = {"numpy": "net.py", "torch": "net_pt.py", "onnx": "net.onnx"}
PLACES = {"numpy": "NumPy", "torch": "PyTorch", "onnx": "ONNX"}
NEEDS = {"numpy": "NumPy", "torch": "PyTorch", "onnx": "onnxruntime"}
LOOKED_AT = 200


@experiment("16.1")
def elsewhere(result: Result, *, seed: int = 1) -> None:
    """A network is exported to NumPy, PyTorch and ONNX, predicts the same, and comes back.

    Args:
        seed: which first weights the network starts from.
    """
    data = digits(result, 2000)
    learned = learn_quickly(result, data)
    network = Sequential(*learned.children(), Softmax(-1)).float()
    images = data.test_images[:LOOKED_AT].astype(np.float32)
    ours = predict(network, images)
    right = float((ours.argmax(axis=1) == data.test_labels[:LOOKED_AT]).mean())
    result.number("read right, in percent", 100 * right)
    with TemporaryDirectory() as folder:
        program = write_all(result, network, images, ours, Path(folder))
        come_back(result, network, images, ours, Path(folder))
    result.sheet("the network as a NumPy program", program)
    weights = [p.numpy().astype(np.float64) for p in network.parameters()]
    result.agree("predictions, and by hand", ours, read_by_hand(images, *weights), 1e-4)


def predict(network: Module, images: Array) -> Array:
    """What the network makes of each image."""
    with no_grad():
        return network(Tensor(images)).numpy()


def write_all(result: Result, network: Module, images: Array, ours: Array, folder: Path) -> str:
    """The three exports in a table; returns what is in `predict` of the NumPy script."""
    rows: list[tuple[object, ...]] = []
    for to, name in TARGETS.items():
        try:
            done = export(network, folder / name, to, inputs=images)
        except MissingExtraError:
            rows.append((PLACES[to], "-", None, NEEDS[to], "not installed here"))
            continue
        size = sum(file.stat().st_size for file in done.files)
        names = ", ".join(file.name for file in done.files)
        checked = "not installed here" if done.difference is None else "the same predictions"
        rows.append((PLACES[to], names, size, NEEDS[to], checked))
        if done.difference is not None:
            result.number(f"largest difference, {PLACES[to]}", done.difference)
    headings = ("to", "files", "bytes", "needs", "checked")
    result.table("the same network in three other places", headings, rows)
    script = folder / TARGETS["numpy"]
    (theirs,) = numpy_script.run([script], (images,))
    result.agree("the NumPy program and the network", theirs, ours, 1e-5)
    text = script.read_text(encoding="utf-8")
    return text[text.index("def predict") : text.index("\n\n\nif __name__")]


def come_back(result: Result, network: Module, images: Array, ours: Array, folder: Path) -> None:
    """Weights go into a file that PyTorch reads as well, and from it into an empty network."""
    file = folder / "weights.safetensors"
    save(network.state_dict(), file)
    pixels, hidden = images.shape[1], len(next(network.parameters()))
    empty = Sequential(Linear(pixels, hidden), ReLU(), Linear(hidden, ours.shape[1]), Softmax(-1))
    before = predict(empty.float(), images)
    empty.load_state_dict(load(file))
    result.number("same digit before the weights came back", same(before, ours))
    result.number("and afterwards", same(predict(empty, images), ours))
    result.agree("weights out and back", predict(empty, images), ours)


def same(one: Array, other: Array) -> float:
    """For how many images both read the same digit, in percent."""
    return 100 * float((one.argmax(axis=1) == other.argmax(axis=1)).mean())
