"""The calls of NumPy's that have a loop form."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import operations
from .terms import Eye, Fill, Iota, Map, Number, Term, View
from .views import repeated, turned

if TYPE_CHECKING:
    from .reading import Reader

Given = dict[str, Any]

FOLDS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
FUNCTIONS = {np.sum: "sum", np.max: "max", np.min: "min", np.prod: "prod", np.mean: "mean",
             np.any: "any", np.all: "all"}  # fmt: skip
OF_MATH = {math.sqrt: np.sqrt, math.exp: np.exp, math.log: np.log, math.tanh: np.tanh}


def method(r: Reader, x: Term, name: str, arguments: list[Any], given: Given) -> Any:
    """`x.name(...)`."""
    from .reading import UnreadableError

    if name == "reshape" and not given:
        shape = arguments[0] if len(arguments) == 1 else tuple(arguments)
        return r.reshape(x, shape)
    if name == "astype" and not given and not x.is_weak:
        return r.cast(x, np.dtype(arguments[0]))
    if name in (*FOLDS, "mean", "any", "all") and not x.is_weak:
        if arguments:
            given = {"axis": arguments[0], **given}
        return folded(r, x, name, given)
    if name == "dot":
        return r.product(x, r.term(arguments[0]))
    if name == "copy":
        return copied(r, x)
    if name == "squeeze" and not given:
        value = np.squeeze(x.value, *arguments)
        return r.reshape(x, value.shape)
    if name == "swapaxes":
        return swapped(r, x, *arguments)
    if name == "take" and len(arguments) == 2 and arguments[1] == 0 and not given:
        picks = arguments[0]
        if isinstance(picks, Term) and picks.dtype.kind in "iu":
            return r.taken(x, [picks])
    if name == "view" and x.dtype == np.uint8 and arguments == [np.bool_]:  # bits, one in a byte
        return r.cast(x, bool)
    raise UnreadableError(f"the method {name}")


def called(r: Reader, function: Any, arguments: list[Any], given: Given) -> Any:
    """`function(...)`."""
    from .reading import UnreadableError

    if any(isinstance(v, Term) for v in given.values()):
        raise UnreadableError(f"a setting of {getattr(function, '__name__', function)}")
    if operations.knows(function) and not given:
        return r.map(function, [r.term(a) for a in arguments])
    try:
        special = OF_MATH.get(function) or FUNCTIONS.get(function) or _RULES.get(function)
    except TypeError:
        special = None
    if special is None:
        raise UnreadableError(getattr(function, "__name__", str(function)))
    if isinstance(special, np.ufunc):
        return r.map(special, [r.term(a) for a in arguments])
    if isinstance(special, str):
        x, *rest = arguments
        return method(r, r.term(x), special, rest, given)
    try:
        inspect.signature(special).bind(r, *arguments, **given)
    except TypeError as error:
        raise UnreadableError(f"{function.__name__}: {error}") from None
    return special(r, *arguments, **given)


def folded(r: Reader, x: Term, name: str, given: Given) -> Term:
    """Sums and the like."""
    from .reading import UnreadableError

    if set(given) - {"axis", "keepdims", "dtype"}:
        raise UnreadableError(f"{name} with {', '.join(given)}")
    axis, keeps = given.get("axis"), bool(given.get("keepdims", False))
    rank = len(x.shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, (tuple, list)) else [axis]
    along = tuple(sorted(a % rank for a in axes)) if rank else ()
    if given.get("dtype") is not None:
        x = r.cast(x, np.dtype(given["dtype"]))
    if name == "mean":
        if x.dtype.kind != "f":
            raise UnreadableError("a mean of whole numbers")
        count = math.prod(x.shape[a] for a in along)
        return r.map(np.true_divide, [r.fold(np.add, x, along, keeps), r.term(count)])
    if name in ("any", "all"):
        truths = x if x.dtype == bool else r.map(np.not_equal, [x, r.term(0)])
        which = np.maximum if name == "any" else np.minimum
        return r.fold(which, truths, along, keeps)
    return r.fold(FOLDS[name], x, along, keeps)


def copied(r: Reader, x: Term) -> Term:
    """The same elements in an array of their own."""
    return r.mapped(np.array(x.value), "copy", [x])


def swapped(r: Reader, x: Term, a: int, b: int) -> Term:
    """Two axes exchanged."""
    order = list(range(len(x.shape)))
    order[a], order[b] = order[b], order[a]
    return r.new(turned(x, order, f"{{}}.swapaxes({a}, {b})"))


# ------------------------------------------------------------------------------------ functions


def _filled(value: Any, *, empty: bool = False) -> Any:
    def rule(r: Reader, shape: Any, dtype: Any = np.float64) -> Term:
        made = np.full(shape, value, dtype)
        return r.new(Fill(made, r.new(Number(made.dtype.type(value))), empty=empty))

    return rule


def _full(r: Reader, shape: Any, value: Any, dtype: Any = None) -> Term:
    number = r.term(value)
    made = np.full(shape, number.value, dtype)
    if isinstance(number, Number):
        number = r.new(Number(made.dtype.type(number.value)))
    return r.new(Fill(made, number))


def _like(value: Any, *, empty: bool = False) -> Any:
    def rule(r: Reader, x: Any) -> Term:
        made = np.full(x.shape, value, x.dtype)
        return r.new(Fill(made, r.new(Number(made.dtype.type(value))), empty=empty))

    return rule


def _where(r: Reader, which: Any, a: Any, b: Any) -> Term:
    parts = [r.term(v) for v in (which, a, b)]
    value = np.where(*[p.value for p in parts])
    return r.mapped(value, "where", parts)


def _broadcast(r: Reader, x: Any, shape: Any) -> Term:
    term = r.term(x)
    found = repeated(term, tuple(shape))
    return found if found is term else r.new(found)


def _expanded(r: Reader, x: Any, axis: Any) -> Term:
    term = r.term(x)
    return r.reshape(term, np.expand_dims(term.value, axis).shape)


def _transposed(r: Reader, x: Any, axes: Any = None) -> Term:
    order = tuple(axes) if axes is not None else tuple(range(len(x.shape)))[::-1]
    return r.new(turned(x, order, f"{{}}.transpose{order}"))


def _array(r: Reader, x: Any, *, order: str = "K") -> Term:
    return copied(r, r.term(x))


def _arange(r: Reader, count: int) -> Term:
    return r.new(Iota(np.arange(count)))


def _eye(r: Reader, count: int, dtype: Any = np.float64) -> Term:
    return r.new(Eye(np.eye(count, dtype=dtype)))


def _minmax(r: Reader, x: Any, low: Any, high: Any) -> Term:
    return r.map(np.minimum, [r.map(np.maximum, [r.term(x), r.term(low)]), r.term(high)])


def _product(r: Reader, a: Any, b: Any) -> Term:
    return r.product(r.term(a), r.term(b))


_RULES: dict[Any, Any] = {
    np.zeros: _filled(0), np.ones: _filled(1), np.empty: _filled(0, empty=True), np.full: _full,
    np.zeros_like: _like(0), np.ones_like: _like(1), np.empty_like: _like(0, empty=True),
    np.where: _where, np.broadcast_to: _broadcast, np.expand_dims: _expanded,
    np.transpose: _transposed, np.swapaxes: swapped, np.array: _array,
    np.arange: _arange, np.eye: _eye, np.clip: _minmax, np.dot: _product, np.matmul: _product,
}  # fmt: skip

__all__ = ["Map", "View", "called", "method"]
