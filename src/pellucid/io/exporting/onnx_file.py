"""A network as an ONNX file: a graph of nodes that many programs can run.

Open Neural Network Exchange, https://onnx.ai. Each operation becomes one node or a few; which, says
`onnx_rules.py`. Free lengths of the inputs are free in the file, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ... import atomic
from ...errors import MissingExtraError
from ...nn.recording import Call, Recording, Size, Value
from .names import is_kept, names_of
from .text import LENGTHS, naming_the_layer, no_rule

Array = Any

OPSET, IR = 21, 10  # of 2024; onnxruntime reads them from 1.18 on


class Graph:
    """An ONNX graph as it grows.

    Args:
        recording: what it is made from.
    """

    def __init__(self, recording: Recording) -> None:
        import onnx

        self.onnx: Any = onnx
        self.recording = recording
        self.nodes: list[Any] = []
        self.arrays: dict[str, Array] = {}
        self.numbers: dict[Any, str] = {}  # the names of small arrays, by what they hold
        self.found = names_of(recording)  # what a value is called in the graph, by its id
        self.taken = set(self.found.values())
        self.lengths: dict[int, str] = {}  # the nodes that measure free lengths

    # --- what rules use

    def node(self, kind: str, inputs: Sequence[str], outputs: int = 1, **settings: Any) -> Any:
        """Add a node; returns the name of its output, or of all of them as a tuple."""
        names = tuple(self.fresh(kind.lower()) for _ in range(outputs))
        given = {k: v for k, v in settings.items() if v is not None}
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), list(names), **given))
        return names[0] if outputs == 1 else names

    def constant(self, numbers: Any, dtype: Any = None, name: str = "") -> str:
        """Keep an array in the file; returns its name."""
        array = np.asarray(numbers, dtype)
        if not name:  # the same number twice is kept once
            key = array.dtype.str, array.shape, array.tobytes()
            if key in self.numbers:
                return self.numbers[key]
            name = self.numbers[key] = self.fresh("number")
        self.arrays[name] = array
        return name

    def ints(self, *numbers: int) -> str:
        """Whole numbers, as shapes and axes want them."""
        return self.constant(list(numbers), np.int64)

    def name(self, x: Any, like: Any = None) -> str:
        """The name of a value; a plain number becomes a constant, of the type of `like`."""
        if x is None:
            return ""
        if not isinstance(x, Value):
            return self.constant(x, like)
        if id(x) in self.found:
            return self.found[id(x)]
        if is_kept(x):
            self.found[id(x)] = self.constant(x.numbers, name=x.name)
        else:
            number = self.onnx.helper.make_tensor(
                "value", self.kind(x.numbers.dtype), [1], [x.fill]
            )
            shape = self.shape(x.shape)
            self.found[id(x)] = self.node("ConstantOfShape", [shape], value=number)
        return self.found[id(x)]

    def shape(self, sizes: Sequence[int]) -> str:
        """A shape; free lengths in it are measured when the graph runs."""
        if not any(isinstance(n, Size) for n in sizes):
            return self.ints(*(int(n) for n in sizes))
        return str(self.node("Concat", [self.size(n) for n in sizes], axis=0))

    def size(self, n: int) -> str:
        """One length, as an array with one number."""
        if not isinstance(n, Size):
            return self.ints(int(n))
        total = ""
        for axis, times in n.times.items():
            part = self._length(axis)
            if times != 1:
                part = self.node("Mul", [part, self.ints(times)])
            total = self.node("Add", [total, part]) if total else part
        return self.node("Add", [total, self.ints(n.plus)]) if n.plus else total

    def kind(self, dtype: Any) -> int:
        """ONNX's number for a type."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def fresh(self, name: str) -> str:
        """A name that nothing has yet."""
        free, number = name, 1
        while free in self.taken or free in self.arrays:
            number += 1
            free = f"{name}_{number}"
        self.taken.add(free)
        return free

    # --- the whole

    def _length(self, axis: int) -> str:
        if axis not in self.lengths:
            shape = self.node("Shape", [self.name(self.recording.inputs[0])])
            self.lengths[axis] = self.node("Gather", [shape, self.ints(axis)])
        return self.lengths[axis]

    def add(self, call: Call) -> None:
        """The nodes of one operation.

        Raises:
            ArgumentError: there is no rule for it.
        """
        from .onnx_rules import RULES

        rule = RULES.get(call.op.name)
        if rule is None:
            raise no_rule(self.recording, call, "ONNX", RULES)
        with naming_the_layer(self.recording, call):
            made = rule(self, call)
        wanted = self.found[id(call.result)]
        if self.nodes and made in self.nodes[-1].output and made not in self.arrays:
            last = self.nodes[-1]  # the node itself gets the value's name
            last.output[list(last.output).index(made)] = wanted
        else:
            self.nodes.append(self.onnx.helper.make_node("Identity", [made], [wanted]))

    def model(self) -> Any:
        """The whole model, checked."""
        from ... import __version__

        helper = self.onnx.helper
        inputs = {self.found[id(x)]: x for x in self.recording.inputs}
        outputs: dict[str, Value] = {}
        for value in self.recording.outputs:
            name = self.name(value)
            if name in outputs or name in inputs or name in self.arrays:
                name = self.node("Identity", [name])
            outputs[name] = value
        read = {name for node in self.nodes for name in node.input}
        graph = helper.make_graph(
            self.nodes,
            type(self.recording.model).__name__,
            [self._info(name, value) for name, value in inputs.items()],
            [self._info(name, value) for name, value in outputs.items()],
            [
                self.onnx.numpy_helper.from_array(a, name)
                for name, a in self.arrays.items()
                if name in read
            ],
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR,
            producer_name="pellucid",
            producer_version=__version__,
        )
        self.onnx.checker.check_model(made, full_check=True)
        return made

    def _info(self, name: str, value: Value) -> Any:
        letters = dict(zip(self.recording.free_axes, LENGTHS, strict=False))
        sizes = [n.written(letters) if isinstance(n, Size) else int(n) for n in value.shape]
        kind = self.kind(value.numbers.dtype)
        return self.onnx.helper.make_tensor_value_info(name, kind, sizes)


def write(recording: Recording, path: Path) -> list[Path]:
    """Write the file.

    Returns:
        The files written: this one.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        ArgumentError: an operation cannot be written.
    """
    if not find_spec("onnx"):
        raise MissingExtraError("ONNX files", "onnx")
    graph = Graph(recording)
    for call in recording.calls:
        graph.add(call)
    atomic.write(path, graph.model().SerializeToString())
    return [path]


def run(files: list[Path], inputs: tuple[Array, ...]) -> list[Array]:
    """What onnxruntime predicts with the file, all outputs one after the other."""
    import importlib

    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(files[0]), providers=["CPUExecutionProvider"])
    named = dict(zip((x.name for x in session.get_inputs()), inputs, strict=True))
    return list(session.run(None, named))
