"""The free bench: build a network from layers, see its shapes, train it, step through one example."""

from __future__ import annotations

import copy
import inspect
import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, nn, no_grad
from pellucid.book.refusal import Refusal
from pellucid.errors import ArgumentError, PellucidError
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD, Adam

from .. import texts
from ..codec import binary
from ..known_digits import drawn, known_digits
from ..last_state import LastState
from ..own_data import (
    BEFORE,
    FEWEST_LETTERS,
    IMAGES,
    LETTERS,
    LINE,
    LINES,
    SEEN,
    SIDE,
    Known,
    bags,
    divided,
    from_csv,
    from_images,
    from_text,
    ids_of,
    refused,
)
from ..own_examples import example
from ..own_program import in_python
from ..settings import Choice, Slider, Switch
from ..view import Sentence, View, action

# kind of layer -> its size at first, and the most it may have; 0: it has none
KINDS = {
    "linear": (8, 500), "relu": (0, 0), "tanh": (0, 0), "sigmoid": (0, 0), "dropout": (0, 0),
    "conv": (4, 16), "pool": (2, 8), "flatten": (0, 0), "embedding": (8, 64), "rnn": (32, 128),
    "lstm": (32, 64),
}  # fmt: skip
FIRST = {  # kinds and sizes at first; at the end comes a score for each class
    "rings": (("linear", 8), ("tanh", 0)),
    "spiral": (("linear", 8), ("tanh", 0), ("linear", 8), ("tanh", 0)),
    "digits": (("flatten", 0), ("linear", 32), ("tanh", 0)),
    "table": (("linear", 8), ("tanh", 0)),
    "images": (("conv", 4), ("relu", 0), ("pool", 2), ("flatten", 0)),
    "lines": (("linear", 8), ("tanh", 0)),
    "letters": (("embedding", 8), ("rnn", 32)),
}
MOST_LAYERS = 10
BENDS = {"relu", "tanh", "sigmoid", "pool", "rnn", "lstm"}
STEP = 10  # batches that make a step
SHOWN = 12  # numbers of a layer
GRID = 48
POINTS = 240
ALL_CLASSES, BEST_CLASSES = 20, 8  # whose shares are shown: all of a few, else the best
GALLERY = 8  # images of each label
WRITES, WARMTH = 80, 0.5  # characters, and how freely they are chosen
EXPORTS = {"numpy": ".py", "torch": ".py", "onnx": ".onnx"}


class Bench(View):
    """Layers on top of each other; the engine itself says what fits and what does not.

    Break it: no activation, lr too large, unscaled columns, layers whose shapes do not meet.
    """

    name = "bench"
    chapter = 0
    shared = ("data", "brought")
    backs = 40
    files = tuple(EXPORTS)
    settings = {
        "task": Choice("rings", tuple(FIRST)),
        "optimizer": Choice("adam", ("sgd", "adam")),
        "lr": Slider(0.02, 0.0001, 10.0, 0.0001, log=True),
        "batch": Slider(16, 1, 128, 1),
        "scaled": Switch(True),
        "fit": Switch(True),
    }

    brought: Mapping[str, Known] = {}  # by task, what the reader has brought

    def start(self) -> None:
        self.gather()
        self.layers = self.first_layers()
        self.example = 0
        self.own: Any = None
        self.typed = self.wrote = ""
        self.build()

    def first_layers(self) -> list[dict[str, Any]]:
        """A small network to begin with."""
        kinds = (*FIRST[self.value["task"]], ("linear", len(self.data.classes)))
        return [{"kind": kind, "size": size, "inputs": 0} for kind, size in kinds]

    def gather(self) -> None:
        """The data, scaled if the reader wants it so."""
        raw = self.raw()
        if raw.columns and self.value["scaled"]:
            mean, spread = raw.inputs.mean(axis=0), raw.inputs.std(axis=0)
            spread = np.where(spread > 0, spread, 1.0)
            inputs, tests = ((x - mean) / spread for x in (raw.inputs, raw.test_inputs))
            raw = replace(raw, inputs=inputs, test_inputs=tests)
        self.data = raw

    def raw(self) -> Known:
        """The data as they are."""
        task, random = self.value["task"], np.random.RandomState(self.seed)
        match task:
            case "digits":
                d = known_digits()
                shape = (-1, 1, *d.shape)
                names = tuple(map(str, range(10)))
                return Known(
                    d.images.reshape(shape), d.labels, d.test_images.reshape(shape),
                    d.test_labels, names,
                )  # fmt: skip
            case "table" | "images" | "lines" | "letters":
                return self.brought.get(task) or example(task, self.language)
            case "spiral":
                turn = np.sqrt(random.random_sample(POINTS)) * 3.2 * np.pi
                kind = np.arange(POINTS) % 2
                angle = turn + np.pi * kind
                points = (turn / 10)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            case _:
                kind = np.arange(POINTS) % 2
                radius = np.where(kind, 0.75, 0.3) + 0.08 * random.randn(POINTS)
                angle = 2 * np.pi * random.random_sample(POINTS)
                points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points = points + 0.02 * random.randn(POINTS, 2)
        return divided(
            points, kind.astype(np.int64), (self.word("blue"), self.word("orange")), ("x", "y")
        )

    # -------------------------------------------------------------------------------- the network

    def build(self) -> None:
        """Make the layers, as far as their shapes meet; what does not fit is kept in words."""
        pellucid.manual_seed(self.seed)
        self.model: Any = None
        self.broken, self.message, self.original = -1, "", ""
        self.shapes: list[tuple[int, ...]] = []
        self.losses: list[float] = []
        self.right: list[float] = []
        self.test_right: list[float] = []
        self.batches = self.place = 0
        made: list[Any] = []
        x = Tensor(self.data.inputs[:2])
        for n, layer in enumerate(self.layers):
            try:
                module = self.module(layer, tuple(x.shape))
                with no_grad():
                    x = module(x)
            except PellucidError as error:
                self.broken, self.message = n, self.misfit(layer, tuple(x.shape[1:]))
                self.original = error.message
                return
            made.append(module)
            self.shapes.append(tuple(x.shape[1:]))
        if x.ndim != 2 or x.shape[1] != len(self.data.classes):
            self.broken = len(self.layers) - 1
            self.message = self.told(
                "misfit-scores", shape=x.shape[1:], classes=len(self.data.classes)
            )
            return
        self.model = nn.Sequential(*made)
        kind = {"sgd": SGD, "adam": Adam}[self.value["optimizer"]]
        self.optimizer: Any = None
        if list(self.model.parameters()):
            self.optimizer = kind(self.model.parameters(), lr=self.value["lr"])
        self.test()

    def misfit(self, layer: dict[str, Any], shape: tuple[int, ...]) -> str:
        """Why a layer cannot take what comes in."""
        match layer["kind"], len(shape):
            case "linear", _:
                key = "misfit-inputs"
            case (("rnn" | "lstm"), axes):
                key = "misfit-inputs" if axes == 2 else "misfit-sequence"
            case (("conv" | "pool"), axes):
                key = "misfit-small" if axes == 3 else "misfit-flat"
            case kind, _:
                key = "misfit-embedding" if kind == "embedding" else "misfit-numbers"
        return self.told(
            key,
            label=self.word(layer["kind"]),
            shape=shape,
            takes=layer["inputs"],
            window=3 if layer["kind"] == "conv" else layer["size"],
        )

    def told(self, key: str, **values: Any) -> str:
        """A sentence with its values; shapes as the layers show theirs."""
        shapes = {
            k: f"({', '.join(map(str, v))})" for k, v in values.items() if isinstance(v, tuple)
        }
        return texts.sentence(self.language, self.name, key, {**values, **shapes})

    def module(self, layer: dict[str, Any], shape: tuple[int, ...]) -> Any:
        """One layer, for what comes in."""
        size = layer["size"]
        match layer["kind"]:
            case "linear" | "rnn" | "lstm" as kind:
                if self.value["fit"] or not layer["inputs"]:
                    layer["inputs"] = int(shape[-1])
                if kind == "linear":
                    return nn.Linear(layer["inputs"], size)
                made = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind]
                return LastState(made(layer["inputs"], size, batch_first=True))
            case "embedding":
                return nn.Embedding(self.symbols(), size)
            case "conv":
                return nn.Conv2d(int(shape[1]) if len(shape) == 4 else 1, size, 3)
            case "pool":
                return nn.MaxPool2d(size)
            case "dropout":
                return nn.Dropout(0.5)
            case "flatten":
                return nn.Flatten()
        return {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[layer["kind"]]()

    def symbols(self) -> int:
        """How many rows an embedding has."""
        return len(self.data.vocabulary) or len(self.data.classes)

    def changed(self, name: str) -> None:
        match name:
            case "lr":
                if self.model is not None and self.optimizer is not None:
                    self.optimizer.param_groups[0]["lr"] = self.value["lr"]
            case "batch":
                pass
            case "task":
                self.start()
            case "scaled":
                self.gather()
                self.build()
            case _:
                self.build()

    @action
    def add(self, kind: str, at: int) -> None:
        """Put a layer in."""
        if kind not in KINDS:
            raise ArgumentError(f"a layer is one of {', '.join(KINDS)}, not {kind!r}")
        if len(self.layers) >= MOST_LAYERS:
            raise Refusal("said", said=self.told("full", most=MOST_LAYERS))
        at = max(0, min(len(self.layers), at))
        self.layers.insert(at, {"kind": kind, "size": KINDS[kind][0], "inputs": 0})
        self.build()

    @action
    def remove(self, at: int) -> None:
        """Take a layer out."""
        if 0 <= at < len(self.layers) and len(self.layers) > 1:
            del self.layers[at]
        self.build()

    @action
    def resize(self, at: int, size: int) -> None:
        """Another size for a layer."""
        if 0 <= at < len(self.layers) and (most := KINDS[self.layers[at]["kind"]][1]):
            self.layers[at]["size"] = max(1, min(most, size))
        self.build()

    @action
    def load(self, text: str) -> None:
        """Learn from a table of the reader's own."""
        self.bring("table", from_csv(text, self.language))

    @action
    def load_images(self, names: list[str], kinds: list[int], pixels: str) -> None:
        """Learn from the reader's own images."""
        self.bring("images", from_images(names, kinds, pixels, self.language))

    @action
    def load_text(self, text: str) -> None:
        """Learn from a text of the reader's own: to sort its lines, or to go on with it."""
        task = "lines" if self.value["task"] == "lines" else "letters"
        self.bring(task, from_text(text, task, self.language))

    def bring(self, task: str, known: Known) -> None:
        """Learn from this; what is not taken was refused before anything changed."""
        self.brought = {**self.brought, task: known}
        self.value["task"] = task
        self.start()

    # ------------------------------------------------------------------------------- learning

    def can_step(self) -> bool:
        lost = bool(self.losses) and not np.isfinite(self.losses[-1])
        return self.model is not None and self.optimizer is not None and not lost

    def step(self) -> None:
        """Ten batches: predict, compare, learn."""
        size = min(self.value["batch"], len(self.data.inputs))
        per_pass = len(self.data.inputs) // size
        total, right, count = 0.0, 0, 0
        for _ in range(STEP):
            turn, place = divmod(self.batches, per_pass)
            order = np.random.RandomState(self.seed + turn).permutation(len(self.data.inputs))
            chosen = order[place * size : (place + 1) * size]
            targets = self.data.targets[chosen]
            scores = self.model(Tensor(self.data.inputs[chosen]))  # predict
            loss = cross_entropy(scores, Tensor(targets))  # compare
            self.optimizer.zero_grad()
            loss.backward()  # learn
            self.optimizer.step()
            self.batches += 1
            total += loss.item()
            right += int((scores.data.argmax(axis=1) == targets).sum())
            count += size
        self.losses.append(total / STEP)
        self.right.append(right / count)
        self.test()
        self.place = 0

    def test(self) -> None:
        """How many of the examples it never learns from it gets right."""
        scores = self.scores(self.data.test_inputs)
        self.test_right.append(float((scores.argmax(axis=1) == self.data.test_targets).mean()))

    def scores(self, inputs: Any) -> Any:
        """The scores for some inputs, without dropout."""
        self.model.eval()
        with no_grad():
            found = self.model(Tensor(inputs)).data
        self.model.train()
        return found

    # ---------------------------------------------------------------------------- one example

    @action
    def pick(self, index: int) -> None:
        """Look at another example."""
        self.example, self.place, self.own = index % len(self.data.test_inputs), 0, None
        self.typed = self.wrote = ""

    @action
    def draw(self, rows: list[list[float]]) -> None:
        """Look at a digit that the reader has drawn."""
        if self.value["task"] == "digits":
            self.own, self.place = drawn(rows)[None], 0

    @action
    def line(self, text: str) -> None:
        """Look at a line that the reader has typed: to be sorted, or to be gone on with."""
        known, text = self.data, text[:LINE]
        if known.lines:
            own = bags((text,), known.vocabulary)[0]
        elif known.text:
            own = ids_of(text, known.vocabulary)
        else:
            return
        if not own.any() and not (known.text and len(own)):
            raise refused(self.language, "unknown")
        if known.text:  # what is too short stands after the beginning of the text
            before = ids_of(known.text[:BEFORE] + "\n", known.vocabulary)
            own = np.concatenate([before, own])[-BEFORE:]
        self.own, self.typed, self.wrote, self.place = own, text, "", 0

    @action
    def write(self) -> None:
        """Go on with the text: each next character by chance, the likely ones more often."""
        if self.model is None or not self.data.text:
            return
        random = np.random.RandomState((self.seed + self.batches) % 2**32)
        ids = list(self.input())
        for _ in range(WRITES):
            scores = self.scores(np.array([ids[-BEFORE:]]))[0] / WARMTH
            shares = np.nan_to_num(np.exp(scores - scores.max())) + 1e-12
            ids.append(int(random.choice(len(shares), p=shares / shares.sum())))
        self.wrote = "".join(self.data.vocabulary[n] for n in ids[BEFORE:])

    def input(self) -> Any:
        """What comes in of the example."""
        return self.data.test_inputs[self.example] if self.own is None else self.own

    @action
    def follow(self) -> None:
        """One layer further with the example: forwards, then backwards."""
        if self.model is not None:
            self.place = min(self.place + 1, 2 * len(self.layers) + 1)

    def walk(self) -> dict[str, Any]:
        """What each layer makes of the example, and the blame that comes back to it."""
        x = self.input()[None]
        target = int(self.data.test_targets[self.example]) if self.own is None else None
        self.model.eval()
        value, values = Tensor(x, requires_grad=x.dtype.kind == "f"), []
        for module in self.model:
            value = module(value)
            value.retain_grad()
            values.append(value)
        goal = int(value.data.argmax()) if target is None else target
        loss = cross_entropy(value, Tensor(np.array([goal])))
        kept = [p.grad for p in self.model.parameters()]
        loss.backward()
        for p, grad in zip(self.model.parameters(), kept, strict=True):
            p.grad = grad
        self.model.train()
        layers = len(values)
        told = []
        for n, v in enumerate(values):
            gradient = np.zeros(v.shape) if v.grad is None else np.asarray(v.grad.data)
            told.append(
                {
                    "numbers": np.asarray(v.data).ravel()[:SHOWN],
                    "blame": gradient.ravel()[:SHOWN],
                    "more": max(0, int(v.data.size) - SHOWN),
                    "forward": self.place > n,
                    "backward": self.place > layers + (layers - n),
                }
            )
        scores = value.data[0] - value.data[0].max()
        shares = np.exp(scores) / np.exp(scores).sum()
        return {
            "layers": told,
            "target": -1 if target is None else target,
            "loss": loss.item(),
            "compared": self.place > layers,
            "shares": shares,
            "says": int(shares.argmax()),
            "shown": self.shown(shares),
            "done": self.place >= 2 * layers + 1,
        }

    def shown(self, shares: Any) -> list[int]:
        """The classes whose shares are shown."""
        if len(shares) <= ALL_CLASSES:
            return list(range(len(shares)))
        return [int(n) for n in np.argsort(-shares, kind="stable")[:BEST_CLASSES]]

    # --------------------------------------------------------------------------- what is shown

    def shows(self) -> Mapping[str, Any]:
        layers = []
        for n, layer in enumerate(self.layers):
            module = self.model[n] if self.model is not None else None
            count = sum(p.numel() for p in module.parameters()) if module is not None else 0
            layers.append(
                {
                    "kind": layer["kind"],
                    "label": self.word(layer["kind"]),
                    "size": layer["size"],
                    "most": KINDS[layer["kind"]][1],
                    "shape": list(self.shapes[n]) if n < len(self.shapes) else None,
                    "weights": int(count),
                    "broken": n == self.broken,
                }
            )
        seen: dict[str, Any] = {
            "layers": layers,
            "kinds": [{"kind": k, "label": self.word(k)} for k in KINDS],
            "input": list(self.data.inputs.shape[1:]),
            "message": self.message,
            "original": self.original,
            "classes": list(self.data.classes),
            "columns": list(self.data.columns),
            "known": len(self.data.inputs),
            "others": len(self.data.test_inputs),
            "losses": self.losses,
            "right": self.right,
            "test_right": self.test_right,
            "passes": self.batches * self.value["batch"] / len(self.data.inputs),
            "weights": sum(layer["weights"] for layer in layers),
            "example": self.example,
            "drawn": self.own is not None,
            "limits": {
                "images": IMAGES,
                "side": SIDE,
                "lines": LINES,
                "letters": LETTERS,
                "fewest": FEWEST_LETTERS,
            },
        }
        if self.model is not None:
            seen["walk"] = self.walk()
        if len(self.data.columns) == 2:
            seen["map"] = self.map()
        if self.data.inputs.ndim == 4:
            seen["image"] = binary(self.input()[0])
            seen["side"] = int(self.data.inputs.shape[-1])
        if self.value["task"] == "images":
            seen["gallery"] = self.gallery()
        if self.data.vocabulary:
            seen["text"] = self.text()
        return seen

    def gallery(self) -> list[dict[str, Any]]:
        """Some images of each label, side by side."""
        told = []
        for kind, label in enumerate(self.data.classes):
            images = self.data.inputs[self.data.targets == kind][:GALLERY, 0]
            row = np.zeros((SIDE, GALLERY * SIDE))
            row[:, : len(images) * SIDE] = np.concatenate([*images, row[:, :0]], axis=1)
            told.append({"label": label, "images": binary(row)})
        return told

    def text(self) -> dict[str, Any]:
        """The example as text, and what was written after it."""
        known = self.data
        read = self.typed if self.own is not None else ""
        if known.text:
            read = "".join(known.vocabulary[n] for n in self.input())
        elif self.own is None:
            read = known.test_lines[self.example]
        return {
            "read": "".join(SEEN.get(c, c) for c in read) if known.text else read,
            "typed": self.typed,
            "wrote": self.wrote,
            "counts": [
                [word, int(count)]
                for word, count in zip(known.vocabulary, self.input(), strict=False)
                if known.lines and count
            ],
            "vocabulary": len(known.vocabulary),
        }

    def map(self) -> dict[str, Any]:
        """Where on the plane it says what: from -1, surely the first class, to 1, surely another."""
        points = np.concatenate([self.data.inputs, self.data.test_inputs])
        low, high = points.min(axis=0), points.max(axis=0)
        room = 0.08 * (high - low)
        low, high = low - room, high + room
        told: dict[str, Any] = {
            "x": [low[0], high[0]],
            "y": [low[1], high[1]],
            "points": self.data.inputs[:200],
            "kinds": self.data.targets[:200],
        }
        if self.model is not None:
            across, up = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
            grid = np.stack([g.ravel() for g in np.meshgrid(across, up[::-1])], axis=1)
            scores = self.scores(grid)
            scores = scores - scores.max(axis=1, keepdims=True)
            first = np.exp(scores[:, 0]) / np.exp(scores).sum(axis=1)
            told["surface"] = binary(np.nan_to_num(1 - 2 * first).reshape(GRID, GRID))
        return told

    def sentence(self) -> Sentence:
        values: dict[str, Any] = {"layer": self.broken + 1, "classes": len(self.data.classes)}
        if self.model is None:
            return "impossible", values
        values |= {
            "weights": sum(p.numel() for p in self.model.parameters()),
            "test": round(100 * self.test_right[-1], 1),
            "lr": self.value["lr"],
        }
        if self.place:
            walk = self.walk()
            values |= {
                "says": self.data.classes[walk["says"]], "share": round(100 * float(max(walk["shares"])), 1),
                "loss": walk["loss"], "n": min(self.place, len(self.layers)),
            }  # fmt: skip
            if self.place <= len(self.layers):
                return "forward", values
            return ("backward" if self.place <= 2 * len(self.layers) else "walked"), values
        if not self.losses:
            return ("nothing" if self.optimizer is None else "start"), values
        values |= {
            "loss": self.losses[-1],
            "first": self.losses[0],
            "right": round(100 * self.right[-1], 1),
        }
        if not np.isfinite(self.losses[-1]) or self.losses[-1] > 3 * max(self.losses[0], 1.0):
            return "diverges", values
        straight = not BENDS & {layer["kind"] for layer in self.layers}
        if straight and self.value["task"] in ("rings", "spiral") and len(self.losses) >= 8:
            return "straight", values
        if values["right"] - values["test"] > 15 and len(self.losses) >= 8:
            return "by-heart", values
        if not self.value["scaled"] and self.data.columns and np.abs(self.data.inputs).max() > 50:
            return "unscaled", {**values, "largest": float(np.abs(self.data.inputs).max())}
        return ("learned" if values["test"] >= 97 else "learning"), values

    # -------------------------------------------------------------------------------- taking it away

    def file(self, kind: str) -> tuple[str, bytes]:
        """The network for elsewhere: the files of an export, zipped.

        Raises:
            Refusal: there is no network yet, because its shapes do not meet.
        """
        if self.model is None:
            raise Refusal("said", said=self.told("no-network"))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network{EXPORTS[kind]}"
            model, inputs = copy.deepcopy(self.model).eval(), Tensor(self.data.inputs[:2])
            if kind == "onnx":  # what runs ONNX elsewhere wants float32
                model, inputs = model.float(), inputs if self.data.text else inputs.float()
            done = pellucid.export(model, path, kind, inputs=inputs)
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in done.files:
                    archive.write(file, file.name)
        return f"network-{kind}.zip", packed.getvalue()

    def python(self) -> str:
        made = [self.written(layer) for layer in self.layers]
        kind = {"sgd": "SGD", "adam": "Adam"}[self.value["optimizer"]]
        recurrent = any(layer["kind"] in ("rnn", "lstm") for layer in self.layers)
        return (
            "import numpy as np\n\nimport pellucid\nfrom pellucid import Tensor, nn\n"
            + ("from pellucid.errors import ShapeError\n" if recurrent else "")
            + f"from pellucid.optim import {kind}\n\n"
            f"{in_python(self.data, self.value['task'])}\n"
            + (f"\n{inspect.getsource(LastState)}\n\n" if recurrent else "")
            + "pellucid.set_default_dtype(np.float64)\n"
            f"pellucid.manual_seed({self.seed})\n"
            "model = nn.Sequential(\n" + "".join(f"    {line},\n" for line in made) + ")\n"
            + (
                f"optimizer = {kind}(model.parameters(), lr={self.value['lr']!r})\n"
                "criterion = nn.CrossEntropyLoss()\n\n"
                "for step in range(100):\n"
                f"    chosen = np.random.choice(len(inputs), {self.value['batch']})\n"
                "    scores = model(Tensor(inputs[chosen]))            # predict\n"
                "    loss = criterion(scores, Tensor(targets[chosen]))  # compare\n"
                "    optimizer.zero_grad()\n"
                "    loss.backward()                                   # learn\n"
                "    optimizer.step()\n"
                "print(loss.item())\n"
                if self.model is not None and self.optimizer is not None
                else "print(model)\n"
            )
        )  # fmt: skip

    def written(self, layer: dict[str, Any]) -> str:
        """A layer as one writes it."""
        kind, size = layer["kind"], layer["size"]
        if kind == "linear":
            return f"nn.Linear({layer['inputs'] or 1}, {size})"
        if kind == "embedding":
            return f"nn.Embedding({self.symbols()}, {size})"
        if kind in ("rnn", "lstm"):
            inputs = layer["inputs"] or 1
            return f"LastState(nn.{kind.upper()}({inputs}, {size}, batch_first=True))"
        if kind == "conv":
            n = self.layers.index(layer)
            before = self.shapes[n - 1] if 0 < n <= len(self.shapes) else self.data.inputs.shape[1:]
            return f"nn.Conv2d({before[0] if len(before) == 3 else 1}, {size}, 3)"
        names = {
            "pool": f"MaxPool2d({size})", "dropout": "Dropout(0.5)", "flatten": "Flatten()",
            "relu": "ReLU()", "tanh": "Tanh()", "sigmoid": "Sigmoid()",
        }  # fmt: skip
        return f"nn.{names[kind]}"

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = zip(self.losses, self.right, self.test_right[1:], strict=True)
        return (
            ("steps", "loss", "right, of those it learns from", "right, of the others"),
            [(n + 1, *row) for n, row in enumerate(rows)],
        )
