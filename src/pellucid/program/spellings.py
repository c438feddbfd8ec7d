"""Calls in the spelling that is easiest to read, where both spellings compute the same bits."""

from __future__ import annotations

import ast
import types
from typing import Any

import numpy as np

from .. import kernels, random, sparse
from ..ops import base, convolution, loss, normalization, recurrent
from ..ops.embedding import check_bags
from ..optim.base import Optimizer
from ..tape import note_change
from .expressions import WITH_KERNELS, _is_numpys, _whole, attribute, binary, full_of, picked
from .fold import Folder, UnfoldableError
from .known import (
    MISSING,
    Known,
    alike,
    call,
    can_be_static,
    literal,
    method,
    name,
    names_in,
    several,
    static,
    written,
)
from .lines import roots

Given = dict[str, Known]

_INFIX = {
    np.add: ast.Add, np.subtract: ast.Sub, np.multiply: ast.Mult, np.true_divide: ast.Div,
    np.matmul: ast.MatMult, np.floor_divide: ast.FloorDiv, np.power: ast.Pow,
    np.remainder: ast.Mod, np.bitwise_and: ast.BitAnd, np.bitwise_or: ast.BitOr,
    np.bitwise_xor: ast.BitXor,
}  # fmt: skip
_COMPARED = {
    np.equal: ast.Eq, np.not_equal: ast.NotEq, np.less: ast.Lt, np.less_equal: ast.LtE,
    np.greater: ast.Gt, np.greater_equal: ast.GtE,
}  # fmt: skip
_REDUCED = {
    np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min",
    np.logical_or: "any", np.logical_and: "all",
}  # fmt: skip
_SAID_BY_DEFAULT = {"axis": None, "keepdims": False, "dtype": None, "out": None}


# what refuses calls that do not fit; the recorded one did
CHECKS = {
    normalization._check_channels, convolution._check, recurrent._check, loss._paired,
    check_bags,
}  # fmt: skip


def spelled(f: Folder, function: Any, arguments: list[Known], given: Given) -> Known | None:
    """A call that has a better spelling, or None."""
    if function is base.raw:
        return arguments[0]
    if function is base.within:
        operation, *inputs = arguments
        return f.call(operation.value.forward, inputs, given)
    if function is note_change or function in CHECKS:
        return static(None)
    if getattr(function, "__func__", None) is Optimizer.scratch:
        return _room(f, arguments)
    if function is kernels.use:  # a program is NumPy; as loops, it may call a kernel
        return static(_may_call(f) and kernels.use(arguments[0].value))
    if _is_kernel(function):
        return Known(call(f"{function.__module__}.{function.__name__}", *map(written, arguments)))
    if function is random.generator:
        return Known(name("rng"), random.generator())
    if function is sparse.RowSparse:
        return several(arguments, sparse.RowSparse)
    settled = _settled_call(function, arguments, given)
    if settled is not None:
        return settled
    if isinstance(function, base.Op):
        raise UnfoldableError(f"a call of {function.name} within a rule")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return _reduced(f, owner, function.__name__, arguments, given)
    if (
        "out" in given
        and _is_numpys(function)
        and not (given["out"].static and given["out"].value is None)
    ):
        return _into(f, function, arguments, given)
    if function in (np.shape, np.ndim, np.size):
        fact = attribute(f, arguments[0], function.__name__) if not arguments[0].static else None
        return static(function(arguments[0].value)) if fact is None else fact
    if function is recurrent._alike:
        return static(function(*(f.look(a) for a in arguments)))
    if function is np.result_type:
        return static(np.result_type(*(f.look(a) for a in arguments)))
    if function in (np.asarray, np.ascontiguousarray):
        return _as_array(f, function, arguments, given)
    if function is np.ndarray:
        return repeated(f, arguments[2], arguments[0])
    if function is np.broadcast_to:
        return repeated(f, arguments[0], arguments[1])
    if function is np.reshape:
        return spelled_method(f, arguments[0], "reshape", arguments[1:], given)
    if function in (np.sum, np.max, np.min, np.prod, np.any, np.all):
        axis = {"axis": arguments[1]} if len(arguments) > 1 else {}
        return _reduced(f, None, function.__name__, arguments[:1], {**axis, **given})
    if function is np.dot:
        return dotted(f, *arguments)
    try:
        infix, compared = _INFIX.get(function), _COMPARED.get(function)
    except TypeError:  # not hashable
        return None
    arrays = any(isinstance(f.look(a), (np.ndarray, np.generic)) for a in arguments)
    if set(given) == {"order"} and len(arguments) == 2 and infix is not None:
        plain = binary(f, infix(), *arguments)
        return plain if f.look(plain).flags.c_contiguous else None
    if given or len(arguments) != 2 or not arrays:
        return None
    if infix is not None:
        return binary(f, infix(), *arguments)
    if compared is not None:
        return Known(ast.Compare(written(arguments[0]), [compared()], [written(arguments[1])]))
    return None


def _may_call(f: Folder) -> bool:
    return f.frames[-1].globals.get("__name__") in WITH_KERNELS


def _is_kernel(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return module.startswith("pellucid.kernels.") and isinstance(function, types.FunctionType)


def _settled_call(function: Any, arguments: list[Known], given: Given) -> Known | None:
    """A call of Python's or NumPy's own in which everything is known."""
    own = isinstance(function, (types.BuiltinFunctionType, type)) or _is_numpys(function)
    if not own or not all(a.plain for a in (*arguments, *given.values())):
        return None
    try:
        value = function(*map(_whole, arguments), **{n: _whole(v) for n, v in given.items()})
    except Exception:
        return None
    return static(value) if can_be_static(value) else None


def spelled_method(
    f: Folder, owner: Known, attr: str, arguments: list[Known], given: Given
) -> Known | None:
    """A method call that has a better spelling, or None."""
    value = f.look(owner)
    if attr == "take":  # ids that are no rows: a program has not looked, as its operation has
        given = {n: v for n, v in given.items() if n != "mode"}
    if attr == "take" and not given and not f.fast:
        axis = arguments[1].value if len(arguments) > 1 else None
        places = f.look(arguments[0])
        known = isinstance(places, np.ndarray) and value is not MISSING
        if known and (axis == 0 or (axis is None and value.ndim == 1)):
            return picked(f, owner, arguments[0])
    if attr == "setflags":
        return static(None)
    if attr == "dot":
        return dotted(f, owner, arguments[0])
    if attr == "reshape" and value is not MISSING and not given:
        return _reshaped(f, owner, value, arguments)
    if attr == "astype" and owner.fill is not None and not given:
        number, _ = owner.fill
        return Known(
            value=value.astype(arguments[0].value),
            fill=(number, owner.fill[1].astype(arguments[0].value)),
        )
    if attr == "astype" and "copy" in given:
        kind = np.dtype(arguments[0].value)
        return owner if value is not MISSING and value.dtype == kind else None
    if attr in ("sum", "max", "min", "prod", "any", "all", "mean"):
        axis = {"axis": arguments[0]} if arguments else {}
        return _reduced(f, None, attr, [owner], {**axis, **given})
    if attr == "bit_generator":
        raise UnfoldableError(attr)
    return None


# ------------------------------------------------------------------------------ products and sums


def dotted(f: Folder, a: Known, b: Known) -> Known:
    """`np.dot`, written `a @ b` for vectors and matrices."""
    x, y = f.look(a), f.look(b)
    if f.fast:
        return Known(call("np.dot", written(a), written(b)))
    if (
        x is MISSING
        or y is MISSING
        or max(np.ndim(x), np.ndim(y)) > 2
        or not (np.ndim(x) and np.ndim(y))
    ):
        return Known(call("np.dot", written(a), written(b)))
    return Known(ast.BinOp(written(a), ast.MatMult(), written(b)))


def _reduced(f: Folder, ufunc: Any, way: str, arguments: list[Known], given: Given) -> Known | None:
    """Sums and the like as methods: `np.add.reduce(x, axis=1, keepdims=False)` is `x.sum(axis=1)`."""
    if ufunc is not None and (way != "reduce" or ufunc not in _REDUCED):
        return None
    word = way if ufunc is None else _REDUCED[ufunc]
    x, *more = arguments
    if more:
        given = {"axis": more[0], **given}
    axis = given.get("axis")
    along = _whole(axis) if axis is not None and axis.plain else None
    if isinstance(along, (tuple, list)) and len(along) == 1:
        given = {**given, "axis": static(along[0])}
    value = f.look(x)
    if (
        "initial" in given
        and value is not MISSING
        and value.size
        and _takes_no_part(given["initial"])
    ):
        given = {n: v for n, v in given.items() if n != "initial"}
    shown = {
        n: written(v)
        for n, v in given.items()
        if not (v.plain and n in _SAID_BY_DEFAULT and v.value == _SAID_BY_DEFAULT[n])
        and not (
            n == "dtype"
            and v.static
            and value is not MISSING
            and v.value == value.dtype
            and word == "sum"
        )
    }
    if not isinstance(value, (np.ndarray, np.generic)):
        function = f"np.{word}"
        return Known(call(function, written(x), **shown))
    if isinstance(x.code, (ast.BinOp, ast.UnaryOp, ast.Compare)) or x.code is None:
        x = f.named(x, "terms") if x.code is not None else x
    return Known(method(written(x), word, **shown))


def _takes_no_part(initial: Known) -> bool:
    return (
        initial.static and isinstance(initial.value, float) and abs(initial.value) == float("inf")
    )


# ------------------------------------------------------------------------------------ other shapes


def _as_array(f: Folder, function: Any, arguments: list[Known], given: Given) -> Known | None:
    x = arguments[0]
    value = f.look(x)
    kind = given.get("dtype", arguments[1] if len(arguments) > 1 else None)
    if isinstance(value, (np.ndarray, np.generic)) and not x.static:
        same = kind is None or kind.value is None or np.dtype(kind.value) == value.dtype
        ordered = function is np.asarray or value.flags.c_contiguous
        if same and ordered:
            return x
        if same or kind is None:
            return None
        if function is np.asarray:
            return Known(method(written(x), "astype", literal(np.dtype(kind.value))))
    return None


def repeated(f: Folder, x: Known, shape: Known) -> Known | None:
    """One number read again and again, or an array along new axes."""
    if not shape.static:
        if shape.parts is None or not all(p.static for p in shape.parts):
            return None
        shape = static(tuple(p.value for p in shape.parts))
    value = f.look(x)
    if value is MISSING:
        return Known(call("np.broadcast_to", written(x), written(shape)))
    wanted = tuple(shape.value)
    if np.shape(value) == wanted and isinstance(value, np.ndarray):
        return x
    if x.fill is not None:
        number, one = x.fill
        return Known(value=np.broadcast_to(value, wanted), fill=(number, one))
    if x.static:
        return None
    return Known(call("np.broadcast_to", written(x), literal(wanted)))


def _reshaped(f: Folder, x: Known, value: Any, arguments: list[Known]) -> Known | None:
    sizes = arguments[0] if len(arguments) == 1 else several(arguments)
    if sizes.parts is not None:
        if not all(p.static for p in sizes.parts):
            return None
        sizes = static(tuple(p.value for p in sizes.parts))
    if not sizes.static:
        return None
    wanted = sizes.value
    if names_in(written(x)) & f.varying:
        return Known(method(written(x), "reshape", *_sizes(wanted)))
    shaped = np.reshape(value, wanted)
    if isinstance(value, np.ndarray) and shaped.shape == value.shape:
        return x
    if x.fill is not None and value.size:
        return full_of(x.fill[0], np.broadcast_to(x.fill[1], shaped.shape))
    return Known(method(written(x), "reshape", *_sizes(wanted)))


def _sizes(wanted: Any) -> list[ast.expr]:
    """A shape as arguments of `reshape`."""
    if not isinstance(wanted, (tuple, list)):
        return [literal(wanted)]
    return [literal(n) for n in wanted] or [literal(())]


# -------------------------------------------------------------------------- results put in a place


def _into(f: Folder, function: Any, arguments: list[Known], given: Given) -> Known:
    """`np.exp(x, out=y)`: a new array where y is nobody else's, else written into y."""
    out = given["out"]
    rest = {n: v for n, v in given.items() if n != "out"}
    result = spelled(f, function, arguments, rest)
    if result is None:
        code = call(
            literal(function), *map(written, arguments), **{n: written(v) for n, v in rest.items()}
        )
        result = Known(code)
    code = written(out)
    if out.room:
        made = f.named(result, f.hint or _variable(f, out))
        made = Known(made.code, made.value, made.static, fill=made.fill, room=out.room)
        f.replace(out, made)
        return made
    before, after = f.look(out), f.look(result)
    if isinstance(code, ast.Subscript):
        place = ast.Subscript(code.value, code.slice, ast.Store())
        f.write(ast.Assign([place], written(result)))
        return Known(code)
    fits = (
        isinstance(after, (np.ndarray, np.generic))
        and isinstance(before, np.ndarray)
        and after.dtype == before.dtype
        and after.shape == before.shape
    )
    pinned = (
        any(code.id in frame.pins.values() for frame in f.frames)
        if isinstance(code, ast.Name)
        else True
    )
    if fits and not pinned and f.is_ours_alone(out):
        assert isinstance(code, ast.Name)
        fresh = f.named(result, f.hint or _variable(f, out))
        f.replace(out, fresh)
        return fresh
    infix = _INFIX.get(function)
    simple = infix is not None and len(arguments) == 2 and isinstance(code, ast.Name)
    if infix is not None and simple and alike(written(arguments[0]), code):
        f.write(ast.AugAssign(ast.Name(roots(code), ast.Store()), infix(), written(arguments[1])))
        return out
    named = {n: written(v) for n, v in rest.items()}
    f.write(ast.Expr(call(literal(function), *map(written, arguments), **named, out=code)))
    return out


def _variable(f: Folder, out: Known) -> str:
    """What the function at hand calls a value."""
    for variable, known in f.frames[-1].names.items():
        if known is out or (known.room and known.room == out.room):
            return variable
    return out.code.id if isinstance(out.code, ast.Name) else "result"


def _room(f: Folder, arguments: list[Known]) -> Known:
    """The room that an optimiser keeps for results: new arrays, as far as a program is concerned."""
    weight, *count = arguments
    rooms = []
    for _ in range(count[0].value if count else 1):
        room = f.fresh("room")
        f.space[room] = np.empty_like(f.look(weight))
        rooms.append(Known(name(room), f.space[room], room=room))
    return several(rooms, list)
