"""One step, watched: which operations ran, what came back through them, what was changed.

The step runs as it always does. While it runs, the tape tells of every operation, and of what is no
operation: `backward`, an optimiser's step, a number taken out of a tensor, a change in place. From that
comes a list of `Piece`s: rules and slopes, folded for the calls at hand, in terms of `Value`s.
"""

from __future__ import annotations

import ast
import inspect
import os.path
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import random, tape
from ..errors import ArgumentError
from ..nn.module import Module
from ..ops.base import Op
from ..sparse import add_rows
from ..tape import Node
from ..tensor import Tensor
from .fold import Folder
from .known import Known, Style, literal, method, name, static, written
from .rules import Arguments, Folded, fold_forward, fold_slopes

Array = Any
_PACKAGE = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
_FOR_USERS = tuple(os.path.join(_PACKAGE, part) for part in ("book", "tour"))  # noqa: PTH118


@dataclass(eq=False)
class Value:
    """An array of the program.

    Attributes:
        kind: "input", "weight" (also a buffer), "memory" of an optimiser, "constant", "result",
            "gradient".
        array: the recorded numbers.
        hint: what it may be called.
        named: what the user calls it, if it has a variable.
        module: the path of the module that made it.
        op: the name of the operation that made it.
        owner: of a weight its tensor; of a memory (optimiser, tensor, name); of a gradient the value
            whose gradient it is.
        varies: whether its numbers may differ from run to run.
    """

    kind: str
    array: Array
    hint: str = ""
    named: str = ""
    module: str = ""
    op: str = ""
    owner: Any = None
    varies: bool = True


@dataclass(eq=False)
class Piece:
    """Some lines of the program: what they compute from what.

    Attributes:
        folded: the lines; its arguments are `Value`s.
        outputs: what its results are, in their order.
        memory: the values of the names that it sets aside for the way back.
        part: "predict", "compare" or "learn".
        changes: values that it changes in place.
    """

    folded: Folded
    outputs: list[Value | None]
    memory: dict[str, Value] = field(default_factory=dict)
    part: str = "predict"
    changes: list[Value] = field(default_factory=list)


@dataclass(eq=False)
class Rows:
    """The gradient of a table of which only some rows were used."""

    rows: Value
    values: Value
    shape: tuple[int, ...]


class ReadFloat(float):
    """A number that `item()` took out of a tensor while the step was being recorded."""

    value: Value

    def _refuse(self, *_: Any) -> Any:
        raise branches(
            "a Python comparison or choice uses a number that item() took out of a tensor"
        )

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __int__ = __index__ = _refuse
    __eq__ = __ne__ = _refuse
    __hash__ = float.__hash__


class ReadInt(int):
    """The same, of a tensor of whole numbers."""

    value: Value

    _refuse = ReadFloat._refuse
    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __index__ = _refuse
    __eq__ = __ne__ = _refuse
    __hash__ = int.__hash__


def branches(what: str) -> ArgumentError:
    """What is said about a step that decides in Python."""
    return ArgumentError(
        f"this step cannot be written down: {what}.\nA program is one way through the operations, "
        "the same for all numbers; a choice that Python makes would be frozen as it fell this time. "
        "Choose with tensors (pellucid.where, x.clamp, a mask times x), or make the choice outside "
        "of the step"
    )


class Recorder:
    """Watches one run of a step."""

    def __init__(self, step: Callable[..., Any], style: Style = "readable") -> None:
        self.step = step
        self.style = style
        self.pieces: list[Piece] = []
        self.values: dict[int, Value] = {}  # by the id of the array
        self.alive: list[Any] = []  # as long as they live, nothing else has their id
        self.by_node: dict[int, tuple[Value, dict[str, Value], Known | None]] = {}
        self.gradients: dict[int, tuple[Tensor, Value, Rows | None]] = {}  # by the id of the leaf
        self.roots: dict[
            int, tuple[str, Module]
        ] = {}  # modules that were called, and by which name
        self.paths: dict[int, str] = {}
        self.tensors: dict[int, Tensor] = {}
        self.root_of: dict[int, str] = {}  # by which name a weight's outermost module is called
        self.losses: list[Value] = []
        self.optimizers: list[Any] = []
        self.settings: dict[str, float] = {}  # of the optimisers, by their names in the program
        self.sources: dict[str, tuple[Any, str, int | None]] = {}  # where they come from
        self.counted: list[tuple[Any, Tensor, Any]] = []  # optimiser, weight, group: counts steps
        self.updates = False
        self.went_back_at = 0  # by the tape's clock

    # -------------------------------------------------------------------------------- running it

    def run(self, arguments: Sequence[Any], given: dict[str, Any]) -> Any:
        """Run the step, and keep what it returns."""
        before = tape.mode.witness
        profile = sys.getprofile()
        tape.mode.witness = self.witness
        sys.setprofile(self.left)
        try:
            with tape.listening(self.hear):
                return self.step(*arguments, **given)
        finally:
            sys.setprofile(profile)
            tape.mode.witness = before

    def left(self, frame: Any, event: str, _: Any) -> None:
        """A function of the user's returns: its variables are what they are called."""
        if event == "return" and is_users(frame.f_code.co_filename):
            self.read_names(frame)

    def read_names(self, frame: Any) -> None:
        """What the variables of a frame call the arrays."""
        for variable, thing in list(frame.f_locals.items()):
            if isinstance(thing, Tensor):
                value = self.values.get(id(thing._value))
                if value is not None and not value.named and not variable.startswith("_"):
                    value.named = variable
            elif isinstance(thing, (list, tuple)):
                for part in thing:
                    if isinstance(part, Tensor) and id(part._value) in self.values:
                        value = self.values[id(part._value)]
                        value.hint = value.hint or variable.rstrip("s")

    def look_around(self) -> str:
        """Names of the user's variables, and the module at work."""
        frame: Any = sys._getframe(2)
        path = ""
        while frame is not None and frame.f_code is not Recorder.run.__code__:
            if frame.f_code is Module.__call__.__code__:
                module = frame.f_locals["self"]
                path = path or self.paths.get(id(module), "")
                self.meet(module)
            elif is_users(frame.f_code.co_filename):
                self.read_names(frame)
            frame = frame.f_back
        return path

    def meet(self, module: Module, called: str = "") -> None:
        """A module: the paths of all in it, the names of its weights."""
        if id(module) in self.paths:
            return
        self.roots[id(module)] = called, module
        for path, inner in module.named_modules():
            self.paths.setdefault(id(inner), path)
            self.alive.append(inner)
        for path, tensor in [*module.named_parameters(), *module.named_buffers()]:
            value = self.values.get(id(tensor._value))
            self.tensors[id(tensor._value)] = tensor
            self.root_of.setdefault(id(tensor._value), called)
            if value is None:
                self.know(Value("weight", tensor._value, path, owner=tensor))
            elif value.kind in ("constant", "weight"):
                value.kind, value.hint, value.owner = "weight", path, tensor

    # --------------------------------------------------------------------------------- values

    def know(self, value: Value) -> Value:
        """A new value. An array that comes out as it went in is known anew."""
        self.values[id(value.array)] = value
        self.alive.append(value.array)
        return value

    def of_tensor(self, tensor: Tensor) -> Value:
        """The value that a tensor is."""
        found = self.values.get(id(tensor._value))
        if found is not None and found.array is tensor._value:
            return found
        gradient = self.of_gradient(tensor._value)
        if gradient is not None:
            return gradient
        leaf = tensor._requires_grad and tensor._node is None
        value = Value("weight" if leaf else "constant", tensor._value, owner=tensor, varies=leaf)
        return self.know(value)

    def of_gradient(self, array: Array) -> Value | None:
        """The value of a gradient that backward has left."""
        for leaf, value, _ in self.gradients.values():
            if isinstance(leaf._grad, Tensor) and leaf._grad._value is array:
                return value
        return None

    def find(self, array: Array) -> Value:
        """The value that an array is; a constant, if nobody made it."""
        found = self.values.get(id(array))
        if found is not None and found.array is array:
            return found
        return self.of_gradient(array) or self.know(Value("constant", array, varies=False))

    def memory(self, optimizer: Any, tensor: Tensor, title: str, weight: Value) -> Value:
        """What an optimiser remembers about a weight."""
        array = optimizer.state[tensor][title]
        found = self.values.get(id(array))
        if found is None:
            found = self.know(
                Value("memory", array, title, owner=(optimizer, tensor, title, weight))
            )
        return found

    # -------------------------------------------------------------------------- operations

    def hear(self, op: Op, inputs: Any, settings: dict[str, Any], result: Tensor) -> None:
        """An operation has run."""
        path = self.look_around()
        self.alive += [inputs, settings, result]
        inputs = [Tensor(x) if isinstance(x, list) else x for x in inputs]
        for thing in (*inputs, *settings.values()):
            if isinstance(thing, Tensor):
                self.of_tensor(thing)
            if isinstance(thing, (ReadFloat, ReadInt)):
                raise branches("a number that item() took out of a tensor goes into an operation")
        state = random.get_rng_state()
        with np.errstate(all="ignore"):
            folded = fold_forward(op, inputs, settings, result._value, self.find, self.style)
        random.set_rng_state(state)
        drawn = any("rng" in _names(line) for line in folded.lines)
        varies = drawn or any(v.varies for v in folded.arguments.values())
        same = self.values.get(id(result._value))
        if same is not None and same.array is result._value:  # it came out as it went in
            if result._node is not None:
                self.by_node[id(result._node)] = same, {}, folded.memory
            return
        if not varies and result._node is None and is_uniform(result._value):
            self.know(Value("constant", result._value, varies=False))
            return
        value = self.know(Value("result", result._value, op=op.name, module=path, varies=varies))
        memory = {n: self.kept(n, folded) for n in _leaves(folded.memory)}
        learns = self.losses and result._node is None
        part = "learn" if learns else "predict"
        piece = Piece(folded, [value], memory, part, _changed(folded))
        self.pieces.append(piece)
        if result._node is not None:
            self.by_node[id(result._node)] = value, memory, folded.memory

    def kept(self, local: str, folded: Folded) -> Value:
        """A value that a rule sets aside."""
        if local in folded.arguments:
            found: Value = folded.arguments[local]
            return found
        return Value("result", folded.space[local], re.sub(r"_\d+$", "", local))

    # ------------------------------------------------------------------- what is no operation

    def witness(self, event: str, *what: Any) -> Any:
        """The tape tells of something."""
        return getattr(self, f"on_{event}")(*what)

    def on_bool(self, tensor: Tensor) -> None:
        """Python decides on a number."""
        if self.of_tensor(tensor).varies:
            raise branches(
                "Python asks whether a tensor is true (in an `if`, `while`, `and` or `assert`)"
            )

    def on_item(self, tensor: Tensor) -> Any:
        """A number is taken out."""
        value = self.of_tensor(tensor)
        number = tensor._value.item()
        if not value.varies:
            return number
        if isinstance(number, bool):
            raise branches("item() takes True or False out of a tensor")
        read: Any = ReadInt(number) if isinstance(number, int) else ReadFloat(number)
        read.value = value
        return read

    def on_grad(self, outputs: Any) -> None:
        """`pellucid.grad` within the step."""
        raise ArgumentError(
            "this step cannot be written down: it calls pellucid.grad, whose gradients go back into "
            "the step.\nCall loss.backward() and read x.grad"
        )

    def on_write(self, tensor: Tensor, index: Any, new: Any) -> None:
        """A tensor is changed in place."""
        target = self.of_tensor(tensor)
        if target.kind == "result":
            raise ArgumentError(
                "this step cannot be written down: it changes a value in place that it has computed "
                "before.\nMake a new one: x = x + y in place of x += y"
            )
        self.look_around()
        arguments = Arguments()
        place = arguments.array("weight", tensor._value, target)
        if isinstance(new, Tensor):
            self.of_tensor(new)
        value = arguments.known("value", new, self.find)
        f = Folder(dict(arguments.space), self.style)
        at = written(f.picked(place, arguments.known("at", index, self.find)))
        whole = not isinstance(at, ast.Subscript)
        at = ast.Subscript(at, ast.Constant(...), ast.Store()) if whole else at
        at.ctx = ast.Store()  # type: ignore[attr-defined]
        line = ast.Assign([at], written(value))
        folded = Folded("write", "", [line], arguments.sources, [], space=arguments.space)
        self.pieces.append(Piece(folded, [], part="learn", changes=[target]))
        self.updates |= target.kind == "weight"
        target.varies = True

    def on_step(self, optimizer: Any) -> None:
        """An optimiser changes its weights."""
        from .updates import write_step

        self.look_around()
        self.updates = True
        write_step(self, optimizer)

    def on_clip(self, how: str, parameters: Any, settings: Any, length: Any) -> Any:
        """Gradients are about to be clipped."""
        from .clipping import write_clip

        self.look_around()
        return write_clip(self, how, parameters, settings, length)

    def on_backward(self, loss: Tensor, start: Array, create_graph: bool) -> None:
        """The way back begins."""
        if create_graph:
            raise ArgumentError(
                "this step cannot be written down: backward(create_graph=True) differentiates the "
                "way back itself"
            )
        self.look_around()
        self.losses.append(self.of_tensor(loss))
        self.went_back_at = tape.tick()
        if id(start) in self.values:
            first: Known | Value = self.values[id(start)]
        elif (start == 1).all():
            first = Known(value=start, fill=(ast.Constant(1), np.asarray(start).reshape(-1)[0]))
        else:
            first = self.find(start)
        with np.errstate(all="ignore"):
            _Way(self).back(loss, first)


def is_users(path: str) -> bool:
    """Whether code is the user's, as the book's is."""
    return not path.startswith(_PACKAGE) or path.startswith(_FOR_USERS)


def is_uniform(array: Array) -> bool:
    """Whether an array has axes and just one number."""
    if not np.ndim(array) or not array.size:
        return False
    return bool((array == array.reshape(-1)[0]).all())


def _names(code: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(code) if isinstance(n, ast.Name)}


def _leaves(memory: Known | None) -> list[str]:
    """The names in what a rule sets aside."""
    if memory is None:
        return []
    if memory.parts is not None:
        return [n for part in memory.parts for n in _leaves(part)]
    return [memory.code.id] if isinstance(memory.code, ast.Name) else []


def _changed(folded: Folded) -> list[Value]:
    """The arguments that lines change in place."""
    from .lines import changed_by

    roots = {root for line in folded.lines for root in changed_by(line)}
    return [value for n, value in folded.arguments.items() if n in roots]


# --------------------------------------------------------------------------------- the way back


class _Way:
    """One walk back, in the order in which the tape walks."""

    def __init__(self, recorder: Recorder) -> None:
        self.r = recorder
        self.arrived: dict[Any, Known | Value] = {}

    def back(self, loss: Tensor, start: Known | Value) -> None:
        """From the loss to the leaves."""
        if loss._node is None:
            self.leave({id(loss): (loss, start)})
            return
        self.arrived[loss._node] = start
        goals: dict[int, tuple[Tensor, Known | Value]] = {}
        for node in tape.newest_first([loss._node]):
            d = self.arrived.pop(node, None)
            if d is not None:
                self.through(node, d, goals)
        self.leave(goals)

    def through(self, node: Node, d: Known | Value, goals: dict[int, Any]) -> None:
        """Back through one operation."""
        known = self.r.by_node.get(id(node))
        if known is None:
            raise ArgumentError(
                f"this step cannot be written down: its loss depends on a {node.op.name} that was "
                "computed before the step.\nCut what is carried from step to step off its past: "
                "state = state.detach()"
            )
        if node.hooks and any(type(hook).__name__ != "_Keeper" for hook in node.hooks):
            raise ArgumentError("this step cannot be written down: a hook changes its gradients")
        value, memory, structure = known
        sources: dict[str, Any] = {**memory, "y": value, "d": d}
        arrived = d if isinstance(d, Known) else d.array
        folded = fold_slopes(node.op, node, arrived, sources, structure, self.r.find, self.r.style)
        outputs: list[Value | None] = [None] * len(folded.results)
        piece = Piece(folded, outputs, part="learn")
        self.r.pieces.append(piece)
        for i, (parent, gradient) in enumerate(
            zip(node.parents, list(folded.results), strict=True)
        ):
            if parent is None or gradient is None:
                continue
            arrived = self.made(piece, i, gradient, parent)
            if parent.__class__ is Node:
                before = self.arrived.get(parent)
                self.arrived[parent] = (
                    arrived if before is None else self.sum(before, arrived, parent)
                )
            else:
                found = goals.get(id(parent))
                if found is not None:
                    arrived = self.sum(found[1], arrived, parent)
                goals[id(parent)] = parent, arrived

    def some_rows(self, piece: Piece, gradient: Known, parent: Any) -> Rows:
        """A row-sparse gradient: its rows and their values are two values of the program."""
        if parent.__class__ is Node:
            raise ArgumentError(
                "this step cannot be written down: an embedding with sparse=True looks up rows of a "
                "table that was computed.\nMake the embedding with sparse=False"
            )
        assert gradient.parts is not None
        rows, values, shape = gradient.parts
        found = {}
        for title, part in ("rows", rows), ("values", values):
            piece.folded.results.append(part)
            found[title] = Value("result", _look(piece.folded, part), title)
            piece.outputs.append(found[title])
        sizes = shape.value if shape.parts is None else [part.value for part in shape.parts]
        return Rows(found["rows"], found["values"], tuple(sizes))

    def made(self, piece: Piece, i: int, gradient: Known, parent: Any) -> Any:
        """What a slope gives to one input: a value of its own, or one that is there already."""
        if gradient.parts is not None:
            return self.some_rows(piece, gradient, parent)
        if gradient.fill is not None:
            return gradient
        code = gradient.code
        if isinstance(code, ast.Name) and code.id in piece.folded.arguments:
            found: Value = piece.folded.arguments[code.id]
            return found
        value = self.gradient_of(parent, _look(piece.folded, gradient))
        piece.outputs[i] = value
        return value

    def gradient_of(self, parent: Any, array: Array) -> Value:
        owner = self.r.by_node[id(parent)][0] if id(parent) in self.r.by_node else None
        if owner is None and isinstance(parent, Tensor):
            owner = self.r.of_tensor(parent)
        return Value("gradient", array, owner=owner)

    def sum(self, a: Any, b: Any, parent: Any) -> Any:
        """Two gradients that arrive at the same place."""
        arguments = Arguments()
        if isinstance(a, Rows) or isinstance(b, Rows):
            a, b = (self.dense(v, parent) if isinstance(v, Rows) else v for v in (a, b))
        x, y = (self.argument(arguments, n, v) for n, v in (("a", a), ("b", b)))
        f = Folder(dict(arguments.space), self.r.style)
        both = f.binary(ast.Add(), x, y)
        if both.fill is not None:
            return both
        value = self.gradient_of(parent, f.look(both))
        folded = Folded("sum", "", f.lines, arguments.sources, [both], space=f.space)
        self.r.pieces.append(Piece(folded, [value], part="learn"))
        return value

    def dense(self, some: Rows, leaf: Any) -> Value:
        """The whole table, zeros included; written only if somebody needs it."""
        arguments = Arguments()
        rows = arguments.array("rows", some.rows.array, some.rows)
        values = arguments.array("values", some.values.array, some.values)
        f = Folder(dict(arguments.space), self.r.style)
        table = f.named(f.call(_whole_table, [rows, values, static(some.shape)]), "table")
        value = self.gradient_of(leaf, f.look(table))
        folded = Folded("table", "", f.lines, arguments.sources, [table], space=f.space)
        self.r.pieces.append(Piece(folded, [value], part="learn"))
        return value

    def argument(self, arguments: Arguments, hint: str, thing: Known | Value) -> Known:
        return thing if isinstance(thing, Known) else arguments.array(hint, thing.array, thing)

    def leave(self, goals: dict[int, tuple[Tensor, Known | Value]]) -> None:
        """The gradients of the leaves."""
        for leaf, d in goals.values():
            if leaf._hooks:
                raise ArgumentError(
                    "this step cannot be written down: a hook changes its gradients"
                )
            owner = self.r.of_tensor(leaf)
            if isinstance(d, Rows):
                if leaf._grad is None:
                    self.r.gradients[id(leaf)] = leaf, self.dense(d, leaf), d
                    continue
                d = self.dense(d, leaf)
            if leaf._grad is not None:
                before = self.r.gradients.get(id(leaf))
                if before is None:
                    raise ArgumentError(
                        f"this step cannot be written down: {owner.named or owner.hint or 'a leaf'} "
                        "has a gradient from before the step, to which backward adds.\nForget it at "
                        "the beginning of the step: optimizer.zero_grad()"
                    )
                d = self.sum(before[1], d, leaf)
            value = self.as_own(d, leaf, owner)
            self.r.gradients[id(leaf)] = leaf, value, None

    def as_own(self, d: Known | Value, leaf: Tensor, owner: Value) -> Value:
        """A gradient as a value, in its leaf's type."""
        kind = leaf._value.dtype
        others = [v for _, v, _ in self.r.gradients.values()]
        if isinstance(d, Value) and d.array.dtype == kind and d not in others:
            return d
        arguments = Arguments()
        known = self.argument(arguments, "d", d)
        code = written(known)
        array = known.value
        if array.dtype != kind:
            code, array = method(code, "astype", literal(kind)), array.astype(kind)
        value = Value("gradient", array, owner=owner)
        folded = Folded("own", "", [], arguments.sources, [Known(code)], space=arguments.space)
        self.r.pieces.append(Piece(folded, [value], part="learn"))
        return value


def _whole_table(rows: Array, values: Array, shape: tuple[int, ...]) -> Array:
    table = np.zeros(shape, values.dtype)
    add_rows(table, rows, values)
    return table


def _look(folded: Folded, known: Known) -> Array:
    f = Folder({})
    f.space.update(folded.space)
    return f.look(known)


def variables_of(step: Callable[..., Any]) -> dict[str, Any]:
    """What a step finds outside of itself: closure, globals that it names, its own object."""
    function: Any = step.forward if isinstance(step, Module) else step
    found: dict[str, Any] = {}
    function = inspect.unwrap(getattr(function, "__func__", function))
    try:
        outside = inspect.getclosurevars(function)
        found |= {**outside.globals, **outside.nonlocals}
    except TypeError:
        pass
    parameters = inspect.signature(function).parameters.values()
    found |= {p.name: p.default for p in parameters if p.default is not p.empty}
    owner = getattr(step, "__self__", None)
    if owner is not None and not isinstance(owner, Module):
        found |= {n: v for n, v in vars(owner).items() if not n.startswith("_")}
    return found


__all__ = ["Piece", "Recorder", "Value", "name", "static", "variables_of"]
