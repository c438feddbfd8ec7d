"""The tape: what made each value, and the walk backwards. No mathematics lives here.

Running an operation on values that need gradients leaves a `Node` behind: which operation, from which
values, and who they came from. One clock numbers the nodes as they are made. An operation can only
use what existed before it, so walking the numbers from high to low meets every value after all that
used it: that walk is backpropagation, and needs neither recursion nor a topological sort.

The same clock numbers changes made in place. A value that was changed after a node read it has a
change number above the node's: a gradient computed from it would be wrong, and is refused.
"""

from __future__ import annotations

import itertools
import threading
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DTypeError, GraphError

if TYPE_CHECKING:
    from .ops.base import Op
    from .tensor import Tensor

Array = Any  # an ndarray; under create_graph, a Tensor
Hook = Callable[[Any], Any]

tick: Callable[[], int] = itertools.count(1).__next__


class Mode(threading.local):
    """What is being recorded in this thread."""

    recording = True  # False inside no_grad
    anomaly = False  # True inside detect_anomaly
    listener: Callable[..., None] | None = (
        None  # told of every operation that runs (see `listening`)
    )
    watched = False  # whether one of the two is on
    witness: Callable[..., Any] | None = (
        None  # told of what is no operation: backward, a step, a number taken out (see `program`)
    )


mode = Mode()


class Node:
    """One operation that was run: the memory a value keeps of what made it.

    `values` are the raw inputs the slopes will want (for operations whose slopes only want shapes,
    the shapes). `parents` says per input where its gradient goes: the node that made it, the leaf
    tensor itself, or None where nobody asked.
    """

    __slots__ = (
        "__weakref__", "hooks", "line", "memory", "number", "op", "parents", "result", "settings",
        "values",
    )  # fmt: skip

    # filled in where an operation runs (ops/wiring.py), without a call of their own
    op: Op
    parents: Sequence[Node | Tensor | None]
    values: Any
    settings: dict[str, Any]
    result: Any
    memory: Any
    number: int
    hooks: list[Hook] | None
    line: str | None  # where it was run, under detect_anomaly


# ---------------------------------------------------------------------------- changes made in place

_changed_at: dict[int, int] = {}
_last_change = 0


def _owner(array: Any) -> Any:
    """Who holds the memory that `array` may only be a view of."""
    base = getattr(array, "base", None)
    while base is not None:
        array, base = base, getattr(base, "base", None)
    return array


def note_change(*arrays: Any) -> None:
    """Say that the memory behind these arrays was just written to."""
    global _last_change
    _last_change = now = tick()
    for array in arrays:
        base = array.base
        _changed_at[id(array if base is None else _owner(base))] = now


def _refuse_changed(node: Node) -> None:
    for name, value in node.op.reads(node):
        if _changed_at.get(id(_owner(value)), 0) > node.number:
            raise GraphError(
                f"backward reached {node.op.name}, whose slope needs the value of {name!r} "
                f"{np.shape(value)}, but that value was changed in place after {node.op.name} read it.\n"
                "Call backward before the change (optimizer.step, an assignment, an operation "
                "ending in _), or change a copy: x = x.clone()"
            )


# ------------------------------------------------------------------------------------- the way back


_number = attrgetter("number")


def newest_first(roots: Iterable[Node]) -> list[Node]:
    """Every node that leads to the roots, the last made first."""
    waiting = list(roots)
    found = set(waiting)
    while waiting:
        for parent in waiting.pop().parents:
            if parent.__class__ is Node and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=_number, reverse=True)


def _leading_to(targets: set[int], order: Sequence[Node]) -> set[int]:
    """The ids of the nodes on some path to a target."""
    needed = set(targets)
    for node in reversed(order):
        if any(id(parent) in needed for parent in node.parents):
            needed.add(id(node))
    return needed


def walk_back(
    starts: Sequence[tuple[Tensor, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Tensor] | None = None,
) -> dict[Tensor | Node, Any]:
    """Carry gradients from the starts back to the leaves.

    Args:
        starts: pairs of a tensor and the gradient that arrives at it.
        retain_graph: keep the nodes' arrays for another walk.
        create_graph: call the slopes on Tensors, so that the gradients have a history themselves.
        targets: where to stop; None means every leaf.

    Returns:
        For each leaf (with targets: for each target, as the node that made it or as the leaf itself)
        the gradient that arrived there.

    Raises:
        GraphError: a node was freed by an earlier walk, or a value it needs was changed since.
    """
    arrived, goals, waiting = _set_out(starts, create_graph)
    wanted = needed = None
    if targets is not None:
        wanted = {id(t._node or t) for t in targets}
        needed = _leading_to(wanted, newest_first(waiting))
    plain = not (create_graph or mode.anomaly or needed is not None)
    while waiting:
        node = waiting.pop()
        d = arrived.pop(node)
        if node.hooks is not None:
            d = through(node.hooks, d)
        if wanted is not None and id(node) in wanted:
            goals[node] = d
        if node.values is None:
            raise _freed(node)
        if _last_change > node.number:
            _refuse_changed(node)
        op, parents = node.op, node.parents
        if plain:
            gradients = op._pull(d, node.result, node.values, node.settings, node.memory, parents)
        else:
            gradients = op.pull(node, d, needed, create_graph)
        for parent, gradient in zip(parents, gradients):  # noqa: B905 - strict costs a tenth of it
            if parent is None or gradient is None:
                continue
            if parent.__class__ is Node:
                if parent in arrived:
                    arrived[parent] = arrived[parent] + gradient
                    continue
                arrived[parent] = gradient
                if waiting and waiting[-1].number > parent.number:
                    insort(waiting, parent, key=_number)
                else:
                    waiting.append(parent)
            elif parent in goals:
                goals[parent] = goals[parent] + gradient
            elif gradient is d or gradient.__class__ is not np.ndarray or gradient.base is not None:
                goals[parent] = _own(gradient, create_graph)
            else:
                goals[parent] = gradient
        if not (retain_graph or op.light):  # a light node holds shapes only
            node.values = node.result = node.memory = None
    return goals


def _set_out(
    starts: Sequence[tuple[Tensor, Any]], create_graph: bool
) -> tuple[dict[Node, Any], dict[Any, Any], list[Node]]:
    """What has arrived at nodes and at leaves before the first step back, and which nodes wait to go on.

    Of those that wait the newest is the last.
    """
    arrived: dict[Node, Any] = {}
    goals: dict[Any, Any] = {}
    waiting: list[Node] = []
    for tensor, d in starts:
        node = tensor._node
        if node is None:
            before = goals.get(tensor)
            goals[tensor] = _own(d, create_graph) if before is None else before + d
        elif node in arrived:
            arrived[node] = arrived[node] + d
        else:
            arrived[node] = d
            insort(waiting, node, key=_number)
    return arrived, goals, waiting


def _own(gradient: Any, create_graph: bool) -> Any:
    """A gradient that shares memory with nobody, for a leaf to keep."""
    return gradient if create_graph else gradient.copy()


def through(hooks: Iterable[Hook], gradient: Any) -> Any:
    """Show a gradient to the hooks one after the other; each may give another in its place."""
    for hook in list(hooks):
        answer = hook(gradient)
        gradient = gradient if answer is None else answer
    return gradient


def _freed(node: Node) -> GraphError:
    return GraphError(
        f"backward reached {node.op.name} a second time, but its values were let go after the "
        "first.\nKeep them with backward(retain_graph=True), or run the forward pass again; to carry "
        "a value into the next step without its past, use x.detach()"
    )


_ONE = {np.dtype(kind): np.ones((), kind) for kind in (np.float16, np.float32, np.float64)}
for _one in _ONE.values():
    _one.setflags(write=False)  # it is handed to every walk


def check_start(tensor: Tensor, gradient: Any) -> Any:
    """The gradient a walk starts with: 1 for a single number, or what the caller gave.

    Raises:
        GraphError: nothing leads to the tensor, or it is no single number and no gradient was given.
        DTypeError: the tensor holds integers.
    """
    value = tensor._value
    if not tensor._requires_grad:
        if value.dtype.kind != "f":
            raise DTypeError(
                f"backward needs numbers with fractions, but this tensor is {value.dtype}"
            )
        raise GraphError(
            "backward was called on a tensor that nothing leads to: no input of it has "
            "requires_grad=True" + _inputs_without(tensor)
        )
    if gradient is None:
        if value.shape == ():
            return _ONE[value.dtype]
        if value.size != 1:
            raise GraphError(
                f"backward starts from one number, but this tensor has shape {value.shape}.\n"
                "Reduce it first (loss.sum() or loss.mean()), or say how much each element "
                "counts: backward(gradient)"
            )
        return np.ones_like(value)
    gradient = getattr(gradient, "_value", gradient)
    gradient = np.asarray(gradient, dtype=value.dtype)
    if gradient.shape != value.shape:
        raise GraphError(
            f"the gradient has shape {gradient.shape}, the tensor {value.shape}: they must agree"
        )
    return gradient


def _inputs_without(tensor: Tensor) -> str:
    if tensor._story is None:
        return (
            ".\nIt was made outside of the tape (a constant, or inside no_grad, or after detach())"
        )
    name, inputs = tensor._story
    listed = ", ".join(f"{who} {shape}" for who, shape in inputs)
    return f".\nIt was made by {name} from {listed}; give the weights among them requires_grad=True"


# ---------------------------------------------------------------------------------- what is recorded


class _Recording:
    """A switch for recording: a `with` block or a decorator."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(mode.recording)
        mode.recording = self._on

    def __exit__(self, *_: object) -> None:
        mode.recording = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import functools

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with _Recording(self._on):
                return function(*args, **kwargs)

        return switched


def no_grad() -> _Recording:
    """Run without recording: nothing inside can be walked back through. A `with` block or decorator.

    >>> import pellucid
    >>> w = pellucid.tensor([1.0], requires_grad=True)
    >>> with pellucid.no_grad():
    ...     print((w * 2).requires_grad)
    False
    """
    return _Recording(False)


def enable_grad() -> _Recording:
    """Record again, inside a `no_grad` block."""
    return _Recording(True)


class _AtOnce(_Recording):
    """The switch that is thrown when it is made; the end of a `with` block throws it back."""

    def __init__(self, on: bool) -> None:
        super().__init__(on)
        self._at_first = mode.recording
        mode.recording = on

    def __enter__(self) -> None:
        super().__enter__()
        self._before[-1] = self._at_first

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        mode.recording = self._at_first
        return super().__call__(function)


def set_grad_enabled(enabled: bool) -> _Recording:
    """Record or not, from now on; as a `with` block or decorator, inside only.

    >>> import pellucid
    >>> with pellucid.set_grad_enabled(False):
    ...     pellucid.is_grad_enabled()
    False
    >>> pellucid.is_grad_enabled()
    True
    """
    return _AtOnce(enabled)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return mode.recording


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first NaN or infinity and name the operation and the line that made it.

    Forwards and backwards are both watched. Slower: every result is looked at.

    Raises:
        AnomalyError: from the operation in which the first bad number was born.
    """
    before = mode.anomaly, mode.watched
    mode.anomaly = mode.watched = True
    try:
        yield
    finally:
        mode.anomaly, mode.watched = before


@contextmanager
def listening(listener: Callable[..., None]) -> Iterator[None]:
    """Tell `listener(op, inputs, settings, result)` of every operation that runs in the block."""
    before = mode.listener, mode.watched
    mode.listener, mode.watched = listener, True
    try:
        yield
    finally:
        mode.listener, mode.watched = before
