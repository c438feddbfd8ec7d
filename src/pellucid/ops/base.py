"""What an operation is: its forward rule, one slope per input, its shape rule and its meaning.

    @op("(..., n, k), (..., k, m) -> (..., n, m)")
    def matmul(a: Array, b: Array) -> Array:
        '''Each row of `a` meets each column of `b`.'''
        return a @ b

    @matmul.slope("a")
    def _(d: Array, b: Array) -> Array:
        return d @ b.mT

Forward and slopes are plain NumPy expressions. A slope answers: if the result's gradient is `d`, what
is this input's? It names what it needs, and gets just that:

    d           the gradient of the result
    y           the result
    a, b, ...   an input, by its name                 (its array is kept until the walk back)
    a_shape     only an input's shape                 (nothing is kept)
    dim, ...    a setting: a keyword-only parameter of the forward rule
    memory      what the forward rule set aside       (`remembers=True`: it returns (y, memory))

Where an input was broadcast, the slope's answer is summed back to the input's shape here. Slopes of
ordinary operations are also called on Tensors (`create_graph`), so they use NumPy functions and
operators only. A *fused* operation (`first_order=True`) is called on arrays alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import shapes
from ..errors import (
    AnomalyError,
    ArgumentError,
    DTypeError,
    GraphError,
    PellucidError,
    ShapeError,
    user_line,
)
from ..tape import Node, mode, tick
from .wiring import Pull, backward_function, forward_function, names_read

if TYPE_CHECKING:
    from ..tensor import Tensor

Array = Any  # an ndarray; under create_graph, a Tensor
Example = tuple[tuple[Any, ...], dict[str, Any]]  # inputs and settings of one call

# What NumPy would print about an infinity or NaN born in an operation, `detect_anomaly` says with the
# operation and the line. The caller's own NumPy code keeps its warnings.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"pellucid\.")

# what forward rules raise for inputs that do not fit
MISTAKES = (ValueError, TypeError, IndexError, AttributeError, ArithmeticError)
BROADCAST = "(...), (...) -> (...)"
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "required"})()

OPS: dict[str, Op] = {}
"""Every operation by name: what the tests walk through, so that none goes unchecked."""

# PyTorch's names for inputs that have a shorter one here
_ALIASES = {"input": 0, "other": 1, "axis": "dim", "keepdims": "keepdim"}


class _Results:
    """The class results are made of; `tensor.py` sets it, since operations come before tensors."""

    make: Callable[[Any, Node | None], Any]
    record: type[Any]
    default_dtype = FLOAT32


def results_are(record: type[Any], make: Callable[[Any, Node | None], Any]) -> None:
    """Tell the operations which class to wrap their results in."""
    _Results.record, _Results.make = record, staticmethod(make)


def as_result(value: Any) -> Tensor:
    """An array as a tensor without history."""
    result: Tensor = _Results.make(np.asarray(value), None)
    return result


def raw(value: Any) -> Any:
    """The array inside a tensor; anything else as it is."""
    return value._value if isinstance(value, _Results.record) else value


def from_list(numbers: list[Any]) -> Any:
    """Nested lists as an array; numbers with fractions take the default type."""
    array = np.asarray(numbers)
    return array.astype(_Results.default_dtype) if array.dtype == FLOAT64 else array


def default_dtype() -> np.dtype[Any]:
    """The type of new tensors with fractions."""
    return _Results.default_dtype


def set_default_dtype(dtype: Any) -> None:
    """Make new tensors with fractions float32 (the start) or float64.

    Raises:
        DTypeError: any other type.
    """
    dtype = np.dtype(dtype)
    if dtype not in (FLOAT32, FLOAT64):
        raise DTypeError(f"the default dtype is float32 or float64, not {dtype}")
    _Results.default_dtype = dtype


# -------------------------------------------------------------------------------- help for the rules


def sum_to(d: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which its input was broadcast to `d`'s shape."""
    if d.shape == shape:
        return d
    extra = len(d.shape) - len(shape)
    if extra > 0:
        d = np.sum(d, axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and d.shape[i] != 1)
    if stretched:
        d = np.sum(d, axis=stretched, keepdims=True)
    return d


def settle(op: Op, y: Any, values: Sequence[Any], settings: dict[str, Any]) -> Any:
    """The result as an array, of the type PyTorch would give it.

    NumPy turns integers into float64 where PyTorch stays with its default type, and lets a single
    number (0-d) widen an array where PyTorch lets the array with axes decide. Functions of bytes and
    truth values it computes in half precision: they are computed once more, in full.
    """
    y = np.asarray(y)
    if (
        y.dtype.kind == "f"
        and y.itemsize == 2
        and all(getattr(v, "dtype", None) != np.float16 for v in values)
    ):
        values = [v.astype(default_dtype()) if hasattr(v, "astype") else v for v in values]
        y = np.asarray(op.forward(*values, **settings))
    if y.dtype is FLOAT32 or y.dtype.kind == "b":
        return y
    if y.dtype is FLOAT64 and all(getattr(v, "dtype", FLOAT64) is FLOAT64 for v in values):
        return y if any(v.__class__ is np.ndarray for v in values) else y.astype(default_dtype())
    family = "f" if y.dtype.kind == "f" else "iu"
    arrays = [v for v in values if isinstance(v, (np.ndarray, np.generic))]
    alike = [(v.dtype, v.ndim) for v in arrays if v.dtype.kind in family]
    if not alike:
        return y.astype(_Results.default_dtype) if family == "f" else y
    target = np.result_type(*([t for t, n in alike if n > 0] or [t for t, _ in alike]))
    if y.dtype == target or (family == "iu" and y.dtype != np.result_type(*(t for t, _ in alike))):
        return y  # the second: counts and positions are int64 whatever they count
    return y.astype(target)


def within(operation: Op, *inputs: Any, **settings: Any) -> Any:
    """An operation as part of a slope: its bare rule on arrays, recorded on Tensors."""
    if any(isinstance(x, _Results.record) for x in inputs):
        return operation(*inputs, **settings)
    return operation.forward(*inputs, **settings)


# ------------------------------------------------------------------------------------ the operation


class Op:
    """One operation, defined once: callable on tensors, arrays and numbers; returns a Tensor.

    Each is the one instance of a class of its own, whose `__call__` is written out for its inputs
    when it is first called (see `wiring.py`).
    """

    def __new__(cls, *_: Any, **__: Any) -> Op:
        return object.__new__(type(cls.__name__, (cls,), {}))

    def __init__(
        self,
        forward: Callable[..., Any],
        rule: str | None,
        *,
        remembers: bool = False,
        first_order: bool = False,
        domain: tuple[float, float] = (-2.0, 2.0),
        order: str = "",
    ) -> None:
        self.forward = forward
        self.name = forward.__name__
        self.__name__ = self.name
        self.__doc__ = forward.__doc__
        self.__module__ = forward.__module__
        self.__wrapped__ = forward
        self.rule = rule
        self.remembers = remembers
        self.first_order = first_order
        self.domain = domain
        self.slopes: dict[str, Callable[..., Any]] = {}
        self.differentiable = False  # whether gradients pass through
        self.joint: Callable[..., Any] | None = None
        self.example: Callable[[np.random.Generator], Iterator[Example]] | None = None
        self._pull: Pull
        code, defaults = forward.__code__, forward.__kwdefaults__ or {}
        names = code.co_varnames
        self.inputs = names[: code.co_argcount]
        keywords = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        self.variadic = names[len(self.inputs) + len(keywords)] if code.co_flags & 4 else None
        self.defaults = {name: defaults.get(name, REQUIRED) for name in keywords}
        self.order = order.split()
        self.fewest = len(self.inputs) - len(forward.__defaults__ or ())
        self.required = [name for name, value in self.defaults.items() if value is REQUIRED]
        # what slopes do not name is not kept; known once prepared
        self.light: bool | None = None  # no value at all
        self._unread: Sequence[int] = ()  # of these inputs only the shape
        self._reads_y = True

    # --- defining

    def slope(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: the slope for one input."""

        def define(function: Callable[..., Any]) -> Callable[..., Any]:
            self.slopes[name] = function
            self.differentiable = True
            return function

        return define

    def all_slopes(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: one function for all inputs at once, for fused and variadic operations.

        It may also name `needs`, a tuple of booleans per input, and returns a tuple of gradients
        aligned with the inputs (None where nothing is needed or possible).
        """
        self.joint = function
        self.differentiable = True
        return function

    def examples(
        self, function: Callable[[np.random.Generator], Iterator[Example]]
    ) -> Callable[[np.random.Generator], Iterator[Example]]:
        """Decorator: calls that show the operation, for the documentation and the tests.

        Needed where shapes or settings cannot be guessed from the rule alone. Yields pairs of
        inputs and settings, made with the generator it is given.
        """
        self.example = function
        return function

    # --- running

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        """The first call writes down how all the others go."""
        self._prepare()
        return self(*inputs, **settings)

    def _spelled_out(
        self, inputs: Any, spare: Any, settings: dict[str, Any], named: dict[str, Any]
    ) -> Any:
        """A call in other words than the usual ones (`dim` by its place, `input=`), put into those."""
        given = {n: v for n, v in settings.items() if v is not self.defaults[n]}
        if not spare:
            given |= {n: v for n, v in zip(self.inputs, inputs, strict=True) if v is not REQUIRED}
            inputs = ()
        inputs, settings = self._bind((*inputs, *spare), given | named)
        return self(*inputs, **settings)

    def _watch(self, inputs: Any, values: Any, settings: dict[str, Any], result: Any) -> None:
        """What is done for those who look on: the search for the first NaN, and listeners."""
        if mode.anomaly:
            if result._node is not None:
                result._node.line = user_line()
            self._look_for_birth(result._value, [raw(x) for x in inputs])
        if mode.listener is not None:
            mode.listener(self, inputs, settings, result)

    def _origins(self, inputs: Sequence[Any]) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Names and shapes of what a result without gradients came from: for error messages."""
        found: list[tuple[str, tuple[int, ...]]] = []
        for name, x in zip(self._input_names(inputs), inputs, strict=False):
            if isinstance(x, _Results.record):
                found += x._story[1] if x._story else [(name, x._value.shape)]
        return tuple(found[:4])

    # --- walking back

    def pull(
        self, node: Node, d: Any, needed: set[int] | None, create_graph: bool
    ) -> Sequence[Any]:
        """Per input of a node of this operation the gradient it gets; None where nobody asked."""
        y, values = node.result, node.values
        if create_graph:
            y, values = self._with_history(node)
        parents: Sequence[Any] = node.parents
        if needed is not None:
            parents = [p if id(p) in needed else None for p in parents]
        gradients = self._pull(d, y, values, node.settings, node.memory, parents)
        if mode.anomaly:
            self._look_for_birth_backwards(gradients, node)
        return gradients

    def _with_history(self, node: Node) -> tuple[Any, Any]:
        if self.first_order:
            raise GraphError(
                f"{self.name} knows its slope but not the slope of its slope, so create_graph "
                "stops here.\nUse ordinary operations on this path if you need second derivatives"
            )
        make = _Results.make
        if self.light:
            return None, node.values
        y = make(node.result, node) if self._reads_y else None
        values = []
        for i, (parent, value) in enumerate(zip(node.parents, node.values, strict=True)):
            if parent is None or i in self._unread:
                values.append(make(value, None) if isinstance(value, np.ndarray) else value)
            else:
                values.append(make(value, parent) if parent.__class__ is Node else parent)
        return y, values

    def reads(self, node: Node) -> list[tuple[str, Any]]:
        """Names and arrays of what the slopes of a node need, for the check of changes."""
        if self.light or node.values is None:
            return []
        names = names_read(self)
        found = [
            (n, v)
            for n, v in zip(self._input_names(node.values), node.values, strict=True)
            if n in names
        ]
        return [*found, ("y", node.result)] if "y" in names else found

    def _prepare(self) -> None:
        """Write down how it is called and walked back through: once, when first needed."""
        read = names_read(self)
        self.light = read.isdisjoint({*self.inputs, self.variadic, "y", "memory"})
        self._reads_y = "y" in read
        self._unread = [i for i, name in enumerate(self.inputs) if name not in read]
        known = {
            "FLOAT32": FLOAT32, "MISTAKES": MISTAKES, "Node": Node, "PellucidError": PellucidError,
            "REQUIRED": REQUIRED, "Tensor": _Results.record, "asarray": np.asarray,
            "bind": self._bind, "STATE": mode, "from_list": from_list, "ndarray": np.ndarray,
            "new": object.__new__, "origins": self._origins, "reworded": self._reworded,
            "settle": settle, "spelled_out": self._spelled_out, "sum_to": sum_to, "tick": tick,
            "watch": self._watch,
        }  # fmt: skip
        self._pull = backward_function(self, known)
        type(self).__call__ = forward_function(self, known)  # type: ignore[method-assign]

    # --- binding arguments the way Python would, with PyTorch's names too

    def _bind(self, inputs: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        settings = dict(self.defaults)
        if self.order:
            names = [name for name in self.order if name not in given]
            if self.variadic is None and len(inputs) > len(names):
                raise self._misused(f"takes at most {len(self.order)} arguments")
            given = {**dict(zip(names, inputs, strict=False)), **given}
            inputs = inputs[len(names) :]
        if self.variadic is not None:
            inputs, given = self._listed(inputs, given)
        bound = list(inputs)
        if self.variadic is None and len(bound) > len(self.inputs):
            spare = bound[len(self.inputs) :]
            del bound[len(self.inputs) :]
            if len(spare) > len(settings):
                raise self._misused(f"takes at most {len(self.inputs) + len(settings)} arguments")
            given = {**dict(zip(settings, spare, strict=False)), **given}
        for key, value in given.items():
            name: Any = key
            if name not in settings and name not in self.inputs:
                name = _ALIASES.get(name, name)
            if name in settings:
                settings[name] = value
                continue
            position = self.inputs.index(name) if name in self.inputs else name
            if not isinstance(position, int) or position >= len(self.inputs):
                raise self._misused(f"has no argument {key!r}")
            bound.extend([REQUIRED] * (position + 1 - len(bound)))
            bound[position] = value
        self._fill(bound)
        missing = [n for n, v in zip(self.inputs, bound, strict=False) if v is REQUIRED]
        missing += [n for n, v in settings.items() if v is REQUIRED]
        if missing:
            raise self._misused(f"is missing {', '.join(missing)}")
        return tuple(bound), settings

    def _listed(self, inputs: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """`cat([a, b], 1)`: a list in first place holds the inputs, what follows are settings."""
        for name in ("tensors", "operands", "input"):
            if not inputs and name in given:
                inputs = (given[name],)
                given = {key: value for key, value in given.items() if key != name}
        if not inputs or not isinstance(inputs[0], (list, tuple)):
            return inputs, given
        if len(inputs) - 1 > len(self.defaults):
            raise self._misused(f"takes at most {1 + len(self.defaults)} arguments")
        spare = dict(zip(self.defaults, inputs[1:], strict=False))
        return tuple(inputs[0]), {**spare, **given}

    def _fill(self, bound: list[Any]) -> None:
        if self.variadic is not None:
            return
        defaults = (REQUIRED,) * self.fewest + (self.forward.__defaults__ or ())
        for i, default in enumerate(defaults):
            if i >= len(bound):
                bound.append(default)
            elif bound[i] is REQUIRED:
                bound[i] = default

    def _misused(self, what: str) -> ArgumentError:
        return ArgumentError(f"{self.name} {what}.\nIt is called as {self.name}{self.signature}")

    @property
    def signature(self) -> str:
        """The arguments as a person would write them: `(x, *, dim, keepdim=False)`."""
        import inspect

        plain = inspect.signature(self.forward)
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in plain.parameters.values()]
        if self.order:
            names = self.order + ([f"*{self.variadic}"] if self.variadic else [])
            return f"({', '.join(names)})"
        return str(plain.replace(parameters=bare, return_annotation=inspect.Signature.empty))

    # --- words for what went wrong

    def _input_names(self, values: Sequence[Any]) -> list[str]:
        if self.variadic is None:
            return list(self.inputs)
        return [f"{self.variadic}[{i}]" for i in range(len(values))]

    def _reworded(
        self, error: Exception, inputs: Sequence[Any], values: Sequence[Any]
    ) -> PellucidError:
        if any(v is REQUIRED for v in values):
            lacking = [n for n, v in zip(self.inputs, values, strict=True) if v is REQUIRED]
            return self._misused(f"is missing {', '.join(lacking)}")
        bare = [type(v).__name__ for v in values if v is not None and not hasattr(v, "ndim")]
        if isinstance(error, AttributeError) and bare:
            return DTypeError(f"{self.name} works on tensors, not on {bare[0]}: write tensor(...)")
        if any(isinstance(v, (str, bytes)) for v in values):
            return DTypeError(f"{self.name} works on numbers, not on {bare[0]}")
        known = [None if v is None else np.shape(v) for v in values]
        names = self._input_names(values)
        message = shapes.complaint(self.name, self.rule, names, known)
        if message is not None:
            return ShapeError(message)
        listed = ", ".join(f"{n} {s}" for n, s in zip(names, known, strict=False) if s is not None)
        kind = DTypeError if isinstance(error, (TypeError, OverflowError)) else ShapeError
        return kind(f"{self.name} cannot work on {listed}: {error}")

    def _look_for_birth(self, y: Any, values: Sequence[Any]) -> None:
        if y.dtype.kind != "f" or np.isfinite(y).all():
            return
        arrays = [np.asarray(v) for v in values if v is not None and not isinstance(v, str)]
        if any(a.dtype.kind == "f" and not np.isfinite(a).all() for a in arrays):
            return  # it came in bad: not born here
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
        what = "NaN" if np.isnan(y[at]) else "infinity"
        came = [
            f"{n} = {a[at]:.6g}"
            for n, a in zip(self._input_names(values), arrays, strict=False)
            if a.shape == y.shape
        ]
        raise AnomalyError(
            f"the first {what} was born in {self.name}, at index {at} of its result {y.shape}"
            + (f", from {', '.join(came)}" if came else "")
        )

    def _look_for_birth_backwards(self, gradients: Sequence[Any], node: Node) -> None:
        for gradient in gradients:
            if gradient is None:
                continue
            g = np.asarray(raw(getattr(gradient, "values", gradient)))
            if not np.isfinite(g).all():
                what = "NaN" if np.isnan(g).any() else "infinity"
                made = f"\n{self.name} was run at {node.line}" if node.line else ""
                raise AnomalyError(
                    f"the first {what} on the way back was born in the slope of {self.name}{made}"
                )

    def __repr__(self) -> str:
        meaning = (self.__doc__ or "").strip().split("\n")[0]
        return f"<op {self.name}{self.signature}: {meaning}>"


@overload
def op(rule: Callable[..., Any]) -> Op: ...


@overload
def op(
    rule: str | None = None,
    *,
    remembers: bool = False,
    first_order: bool = False,
    domain: tuple[float, float] = (-2.0, 2.0),
    order: str = "",
) -> Callable[[Callable[..., Any]], Op]: ...


def op(
    rule: str | Callable[..., Any] | None = None,
    *,
    remembers: bool = False,
    first_order: bool = False,
    domain: tuple[float, float] = (-2.0, 2.0),
    order: str = "",
) -> Any:
    """Decorator: make a forward rule an operation and enter it in `OPS`.

    Args:
        rule: the shape rule; an operation of one input without a rule keeps its shape, one of
            several broadcasts them.
        remembers: the forward rule returns (result, memory).
        first_order: fused: its slopes work on arrays only.
        domain: where its inputs make sense, for examples and tests.
        order: the arguments in the order people pass them, where settings stand before inputs:
            "x dim index". Of a variadic operation, what stands before the inputs: "equation".
    """

    def define(forward: Callable[..., Any]) -> Op:
        own = rule if isinstance(rule, str) else None
        made = Op(
            forward, own, remembers=remembers, first_order=first_order, domain=domain, order=order
        )
        if own is None and made.variadic is None:
            made.rule = ", ".join(["(...)"] * len(made.inputs)) + " -> (...)"
        OPS[made.name] = made
        return made

    return define(rule) if callable(rule) else define
