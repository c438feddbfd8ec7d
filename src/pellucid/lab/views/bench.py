"""The free bench: build a network from layers, see its shapes, train it, step through one example."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, nn, no_grad
from pellucid.errors import ArgumentError, PellucidError
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD, Adam

from ..codec import binary
from ..known_digits import drawn, known_digits
from ..own_data import Known, divided, from_csv
from ..settings import Choice, Slider, Switch
from ..view import Sentence, View, action

# kind of layer -> its size at first, and the most it may have; 0: it has none
KINDS = {
    "linear": (8, 256), "relu": (0, 0), "tanh": (0, 0), "sigmoid": (0, 0), "dropout": (0, 0),
    "conv": (4, 16), "pool": (2, 8), "flatten": (0, 0),
}  # fmt: skip
MOST_LAYERS = 10
BENDS = {"relu", "tanh", "sigmoid", "pool"}
STEP = 10  # batches that make a step
SHOWN = 12  # numbers of a layer
GRID = 48
POINTS = 240
EXPORTS = {"numpy": ".py", "torch": ".py", "onnx": ".onnx"}


class Bench(View):
    """Layers on top of each other; the engine itself says what fits and what does not.

    Break it: no activation, lr too large, unscaled columns, layers whose shapes do not meet.
    """

    name = "bench"
    chapter = 0
    shared = ("data",)
    backs = 40
    files = tuple(EXPORTS)
    settings = {
        "task": Choice("rings", ("rings", "spiral", "digits", "table")),
        "optimizer": Choice("adam", ("sgd", "adam")),
        "lr": Slider(0.02, 0.0001, 10.0, 0.0001, log=True),
        "batch": Slider(16, 1, 128, 1),
        "scaled": Switch(True),
        "fit": Switch(True),
    }

    table_text = ""

    def start(self) -> None:
        self.layers: list[dict[str, Any]] = self.first_layers()
        self.example = 0
        self.own: Any = None
        self.gather()
        self.build()

    def first_layers(self) -> list[dict[str, Any]]:
        """A small network to begin with."""
        task = self.value["task"]
        kinds = ["flatten"] if task == "digits" else []
        hidden = 32 if task == "digits" else 8
        middle = ["linear", "tanh"] if task != "spiral" else ["linear", "tanh", "linear", "tanh"]
        made = [
            {"kind": k, "size": hidden if k == "linear" else 0, "inputs": 0} for k in kinds + middle
        ]
        return [*made, {"kind": "linear", "size": self.outputs(), "inputs": 0}]

    def outputs(self) -> int:
        """How many classes there are."""
        if self.value["task"] == "digits":
            return 10
        if self.value["task"] == "table" and self.table_text:
            return len(from_csv(self.table_text).classes)
        return 2

    def gather(self) -> None:
        """The data, scaled if the reader wants it so."""
        raw = self.raw()
        if raw.columns and self.value["scaled"]:
            mean, spread = raw.inputs.mean(axis=0), raw.inputs.std(axis=0)
            spread = np.where(spread > 0, spread, 1.0)
            inputs, tests = ((x - mean) / spread for x in (raw.inputs, raw.test_inputs))
            raw = Known(inputs, raw.targets, tests, raw.test_targets, raw.classes, raw.columns)
        self.data = raw

    def raw(self) -> Known:
        """The data as they are."""
        random = np.random.RandomState(self.seed)
        match self.value["task"]:
            case "digits":
                d = known_digits()
                shape = (-1, 1, *d.shape)
                names = tuple(map(str, range(10)))
                return Known(
                    d.images.reshape(shape), d.labels, d.test_images.reshape(shape),
                    d.test_labels, names,
                )  # fmt: skip
            case "table":
                return from_csv(self.table_text or example_table())
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
        self.broken, self.message = -1, ""
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
                self.broken, self.message = n, error.message.partition("\nin ")[0]
                return
            made.append(module)
            self.shapes.append(tuple(x.shape[1:]))
        if x.ndim != 2 or x.shape[1] != len(self.data.classes):
            self.broken = len(self.layers) - 1
            self.message = (
                f"what comes out has shape {tuple(x.shape[1:])}, and one score for each of the "
                f"{len(self.data.classes)} classes is needed: end with a linear layer of that size"
            )
            return
        self.model = nn.Sequential(*made)
        kind = {"sgd": SGD, "adam": Adam}[self.value["optimizer"]]
        self.optimizer: Any = None
        if list(self.model.parameters()):
            self.optimizer = kind(self.model.parameters(), lr=self.value["lr"])
        self.test()

    def module(self, layer: dict[str, Any], shape: tuple[int, ...]) -> Any:
        """One layer, for what comes in."""
        size = layer["size"]
        match layer["kind"]:
            case "linear":
                if self.value["fit"] or not layer["inputs"]:
                    layer["inputs"] = int(shape[-1])
                return nn.Linear(layer["inputs"], size)
            case "conv":
                return nn.Conv2d(int(shape[1]) if len(shape) == 4 else 1, size, 3)
            case "pool":
                return nn.MaxPool2d(size)
            case "dropout":
                return nn.Dropout(0.5)
            case "flatten":
                return nn.Flatten()
        return {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[layer["kind"]]()

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
            raise ArgumentError(f"{MOST_LAYERS} layers are as many as fit on the bench")
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
        from_csv(text)  # refused with a reason, before anything changes
        self.table_text = text
        self.value["task"] = "table"
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

    @action
    def draw(self, rows: list[list[float]]) -> None:
        """Look at a digit that the reader has drawn."""
        if self.value["task"] == "digits":
            self.own, self.place = drawn(rows), 0

    @action
    def follow(self) -> None:
        """One layer further with the example: forwards, then backwards."""
        if self.model is not None:
            self.place = min(self.place + 1, 2 * len(self.layers) + 1)

    def walk(self) -> dict[str, Any]:
        """What each layer makes of the example, and the blame that comes back to it."""
        if self.own is not None:
            x, target = self.own[None, None], None
        else:
            x = self.data.test_inputs[self.example][None]
            target = int(self.data.test_targets[self.example])
        self.model.eval()
        value, values = Tensor(x, requires_grad=True), []
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
            "done": self.place >= 2 * layers + 1,
        }

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
        }
        if self.model is not None:
            seen["walk"] = self.walk()
        if self.data.inputs.ndim == 2 and self.data.inputs.shape[1] == 2:
            seen["map"] = self.map()
        if self.data.inputs.ndim == 4:
            image = self.data.test_inputs[self.example][0] if self.own is None else self.own
            seen["image"] = binary(image)
            seen["side"] = int(self.data.inputs.shape[-1])
        return seen

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
            ArgumentError: there is no network yet, because its shapes do not meet.
        """
        if self.model is None:
            raise ArgumentError("there is no network to export yet: its shapes do not meet")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network{EXPORTS[kind]}"
            self.model.eval()
            done = pellucid.export(self.model, path, kind, inputs=Tensor(self.data.inputs[:2]))
            self.model.train()
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in done.files:
                    archive.write(file, file.name)
        return f"network-{kind}.zip", packed.getvalue()

    def python(self) -> str:
        made = [self.written(layer) for layer in self.layers]
        kind = {"sgd": "SGD", "adam": "Adam"}[self.value["optimizer"]]
        inputs, targets = self.data.inputs[:100], self.data.targets[:100]
        note = f"  # the first {len(inputs)} of {len(self.data.inputs)} examples"
        return (
            "import numpy as np\n\nimport pellucid\nfrom pellucid import Tensor, nn\n"
            f"from pellucid.optim import {kind}\n\n"
            f"inputs = np.array({inputs.round(3).reshape(len(inputs), -1).tolist()})"
            f".reshape({tuple(inputs.shape)}){note}\n"
            f"targets = np.array({targets.tolist()})\n\n"
            "pellucid.set_default_dtype(np.float64)\n"
            f"pellucid.manual_seed({self.seed})\n"
            "model = nn.Sequential(\n" + "".join(f"    {line},\n" for line in made) + ")\n"
            + (
                f"optimizer = {kind}(model.parameters(), lr={self.value['lr']!r})\n"
                "criterion = nn.CrossEntropyLoss()\n\n"
                "for step in range(100):\n"
                f"    chosen = np.random.choice(len(inputs), {min(self.value['batch'], len(inputs))})\n"
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


def example_table() -> str:
    """A table to try: two columns of very different size, and a class that depends on both."""
    random = np.random.RandomState(3)
    age, income = random.randint(18, 80, 160), random.randint(15, 120, 160) * 1000
    kind = np.where((age - 50) ** 2 / 900 + (income / 1000 - 65) ** 2 / 1400 < 1, "buys", "leaves")
    rows = "\n".join(f"{a},{i},{k}" for a, i, k in zip(age, income, kind, strict=True))
    return f"age,income,answer\n{rows}\n"
