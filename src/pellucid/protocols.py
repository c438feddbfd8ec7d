"""NumPy's functions on tensors: `np.tanh(t)` is `pellucid.tanh(t)`, with history.

Slopes are written with NumPy's functions; through this table they also work on tensors, which is all
that second derivatives need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import ops
from .errors import ArgumentError, GraphError, ShapeError
from .ops.base import as_result, raw
from .tape import mode, note_change

UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: ops.add,
    np.subtract: ops.sub,
    np.multiply: ops.mul,
    np.true_divide: ops.div,
    np.floor_divide: ops.floor_divide,
    np.remainder: ops.remainder,
    np.fmod: ops.fmod,
    np.negative: ops.neg,
    np.reciprocal: ops.reciprocal,
    np.power: ops.pow,
    np.float_power: ops.pow,
    np.square: ops.square,
    np.sqrt: ops.sqrt,
    np.exp: ops.exp,
    np.exp2: ops.exp2,
    np.expm1: ops.expm1,
    np.log: ops.log,
    np.log2: ops.log2,
    np.log10: ops.log10,
    np.log1p: ops.log1p,
    np.logaddexp: ops.logaddexp,
    np.logaddexp2: ops.logaddexp2,
    np.absolute: ops.abs,
    np.fabs: ops.abs,
    np.sign: ops.sign,
    np.copysign: ops.copysign,
    np.floor: ops.floor,
    np.ceil: ops.ceil,
    np.trunc: ops.trunc,
    np.rint: ops.round,
    np.maximum: ops.maximum,
    np.minimum: ops.minimum,
    np.fmax: ops.fmax,
    np.fmin: ops.fmin,
    np.sin: ops.sin,
    np.cos: ops.cos,
    np.tan: ops.tan,
    np.arcsin: ops.asin,
    np.arccos: ops.acos,
    np.arctan: ops.atan,
    np.arctan2: ops.atan2,
    np.hypot: ops.hypot,
    np.sinh: ops.sinh,
    np.cosh: ops.cosh,
    np.tanh: ops.tanh,
    np.arcsinh: ops.asinh,
    np.arccosh: ops.acosh,
    np.arctanh: ops.atanh,
    np.deg2rad: ops.deg2rad,
    np.radians: ops.deg2rad,
    np.rad2deg: ops.rad2deg,
    np.degrees: ops.rad2deg,
    np.equal: ops.eq,
    np.not_equal: ops.ne,
    np.less: ops.lt,
    np.less_equal: ops.le,
    np.greater: ops.gt,
    np.greater_equal: ops.ge,
    np.isnan: ops.isnan,
    np.isinf: ops.isinf,
    np.isfinite: ops.isfinite,
    np.signbit: ops.signbit,
    np.logical_and: ops.logical_and,
    np.logical_or: ops.logical_or,
    np.logical_xor: ops.logical_xor,
    np.logical_not: ops.logical_not,
    np.bitwise_and: ops.bitwise_and,
    np.bitwise_or: ops.bitwise_or,
    np.bitwise_xor: ops.bitwise_xor,
    np.invert: ops.bitwise_not,
    np.left_shift: ops.bitwise_left_shift,
    np.right_shift: ops.bitwise_right_shift,
    np.matmul: ops.matmul,
}

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: lambda x, axis=None, dtype=None, keepdims=False: ops.sum(
        x, dim=axis, keepdim=keepdims, dtype=dtype
    ),
    np.mean: lambda x, axis=None, dtype=None, keepdims=False: ops.mean(
        x, dim=axis, keepdim=keepdims, dtype=dtype
    ),
    np.prod: lambda x, axis=None, dtype=None, keepdims=False: ops.prod(
        x, dim=axis, keepdim=keepdims, dtype=dtype
    ),
    np.var: lambda x, axis=None, ddof=0, keepdims=False: ops.var(
        x, dim=axis, keepdim=keepdims, correction=ddof
    ),
    np.std: lambda x, axis=None, ddof=0, keepdims=False: ops.std(
        x, dim=axis, keepdim=keepdims, correction=ddof
    ),
    np.max: lambda x, axis=None, keepdims=False: ops.amax(x, dim=axis, keepdim=keepdims),
    np.amax: lambda x, axis=None, keepdims=False: ops.amax(x, dim=axis, keepdim=keepdims),
    np.min: lambda x, axis=None, keepdims=False: ops.amin(x, dim=axis, keepdim=keepdims),
    np.amin: lambda x, axis=None, keepdims=False: ops.amin(x, dim=axis, keepdim=keepdims),
    np.argmax: lambda x, axis=None, keepdims=False: ops.argmax(x, dim=axis, keepdim=keepdims),
    np.argmin: lambda x, axis=None, keepdims=False: ops.argmin(x, dim=axis, keepdim=keepdims),
    np.any: lambda x, axis=None, keepdims=False: ops.any(x, dim=axis, keepdim=keepdims),
    np.all: lambda x, axis=None, keepdims=False: ops.all(x, dim=axis, keepdim=keepdims),
    np.cumsum: lambda x, axis=None, dtype=None: _running(ops.cumsum, x, axis, dtype),
    np.cumprod: lambda x, axis=None, dtype=None: _running(ops.cumprod, x, axis, dtype),
    np.sort: lambda x, axis=-1: ops.sort(x if axis is not None else _row(x), axis or 0).values,
    np.argsort: lambda x, axis=-1: ops.argsort(x if axis is not None else _row(x), dim=axis or 0),
    np.linalg.norm: lambda x, ord=None, axis=None, keepdims=False: _norm(x, ord, axis, keepdims),
    np.where: lambda condition, *branches: _where(condition, *branches),
    np.clip: lambda x, a_min=None, a_max=None, min=None, max=None: ops.clamp(
        x, a_min if min is None else min, a_max if max is None else max
    ),
    np.round: lambda x, decimals=0: ops.round(x, decimals=decimals),
    np.around: lambda x, decimals=0: ops.round(x, decimals=decimals),
    np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: ops.nan_to_num(
        x, nan=nan, posinf=posinf, neginf=neginf
    ),
    np.sinc: ops.sinc,
    np.isclose: lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: ops.isclose(
        a, b, rtol=rtol, atol=atol, equal_nan=equal_nan
    ),
    np.zeros_like: lambda x, dtype=None: as_result(np.zeros_like(raw(x), dtype)),
    np.ones_like: lambda x, dtype=None: as_result(np.ones_like(raw(x), dtype)),
    np.empty_like: lambda x, dtype=None: as_result(np.empty_like(raw(x), dtype)),
    np.full_like: lambda x, fill_value, dtype=None: as_result(
        np.full_like(raw(x), raw(fill_value), dtype)
    ),
    np.copy: lambda x: ops.clone(x),
    np.dot: lambda a, b: _dot(a, b),
    np.outer: lambda a, b: ops.outer(_row(a), _row(b)),
    np.inner: ops.inner,
    np.tensordot: lambda a, b, axes=2: ops.tensordot(a, b, axes),
    np.einsum: lambda equation, *operands, optimize=False: ops.einsum(equation, *operands),
    np.trace: ops.trace,
    np.reshape: lambda x, shape: ops.reshape(
        x, shape=shape if isinstance(shape, (tuple, list)) else (shape,)
    ),
    np.ravel: lambda x: ops.reshape(x, shape=(-1,)),
    np.transpose: lambda x, axes=None: ops.permute(
        x, dims=range(x.ndim)[::-1] if axes is None else axes
    ),
    np.matrix_transpose: ops.matrix_transpose,
    np.swapaxes: lambda x, axis1, axis2: ops.transpose(x, dim0=axis1, dim1=axis2),
    np.squeeze: lambda x, axis=None: ops.squeeze(x, dim=axis),
    np.expand_dims: lambda x, axis: _expand_dims(x, axis),
    np.broadcast_to: lambda x, shape: ops.expand(x, size=shape),
    np.concatenate: lambda xs, axis=0: (
        ops.cat(*xs, dim=axis) if axis is not None else ops.cat(*[_row(x) for x in xs], dim=0)
    ),
    np.stack: lambda xs, axis=0: ops.stack(*xs, dim=axis),
    np.hstack: ops.hstack,
    np.vstack: ops.vstack,
    np.split: lambda x, indices_or_sections, axis=0: _split(x, indices_or_sections, axis),
    np.array_split: lambda x, indices_or_sections, axis=0: list(
        ops.tensor_split(x, indices_or_sections, axis)
    ),
    np.moveaxis: ops.movedim,
    np.flip: lambda x, axis=None: ops.flip(x, dims=range(x.ndim) if axis is None else axis),
    np.fliplr: ops.fliplr,
    np.flipud: ops.flipud,
    np.roll: lambda x, shift, axis=None: ops.roll(x, shifts=shift, dims=axis),
    np.tile: lambda x, reps: ops.tile(x, dims=reps if isinstance(reps, (tuple, list)) else (reps,)),
    np.repeat: lambda x, repeats, axis=None: ops.repeat_interleave(x, repeats, axis),
    np.tril: lambda x, k=0: ops.tril(x, diagonal=k),
    np.triu: lambda x, k=0: ops.triu(x, diagonal=k),
    np.diag: lambda x, k=0: ops.diag(x, k),
    np.diagonal: lambda x, offset=0, axis1=0, axis2=1: ops.diagonal(
        x, offset=offset, dim1=axis1, dim2=axis2
    ),
    np.take: lambda x, indices, axis=None: _take(x, indices, axis),
    np.take_along_axis: lambda x, indices, axis=-1: ops.take_along_dim(x, indices, axis),
}


# the ufuncs whose `reduce` and `accumulate` have a name of their own
REDUCED = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
RUNNING = {np.add: np.cumsum, np.multiply: np.cumprod}


def _running(operation: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    return operation(_row(x) if axis is None else x, dim=axis or 0, dtype=dtype)


def _norm(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    """NumPy's `norm` where it is a vector's; the other norms of matrices have no rule."""
    if (
        order is not None
        and (isinstance(axis, tuple) or (axis is None and x.ndim > 1))
        and order != "fro"
    ):
        raise ArgumentError(
            f"np.linalg.norm of a tensor knows no norm {order!r} of matrices; name one axis"
        )
    return ops.norm(x, p=2 if order is None else order, dim=axis, keepdim=keepdims)


def _where(condition: Any, *branches: Any) -> Any:
    if not branches:
        return ops.nonzero(condition, as_tuple=True)
    if raw(condition).dtype != np.bool_:
        condition = ops.ne(condition, 0)
    return ops.where(condition, *branches)


def _split(x: Any, indices_or_sections: Any, axis: int) -> Any:
    """NumPy's `split`: where a number of pieces is asked for, they are equal."""
    if np.ndim(indices_or_sections) == 0 and x.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"np.split cannot cut axis {axis} of {x.shape} into {indices_or_sections} equal "
            "pieces; np.array_split makes nearly equal ones"
        )
    return list(ops.tensor_split(x, indices_or_sections, axis))


def _row(x: Any) -> Any:
    return ops.reshape(x, shape=(-1,))


def _dot(a: Any, b: Any) -> Any:
    """NumPy's `dot`: from three axes on it pairs differently from `matmul`."""
    if not np.ndim(raw(a)) or not np.ndim(raw(b)):
        return ops.mul(a, b)
    if np.ndim(raw(a)) <= 2 and np.ndim(raw(b)) <= 2:
        return ops.matmul(a, b)
    return ops.tensordot(a, b, ([-1], [-2 if np.ndim(raw(b)) > 1 else 0]))


def _take(x: Any, indices: Any, axis: int | None) -> Any:
    if axis is None:
        x, axis = _row(x), 0
    return x[(slice(None),) * (axis % x.ndim) + (np.asarray(raw(indices)),)]


def _expand_dims(x: Any, axis: Any) -> Any:
    """New axes of size 1, at the places they have in the result."""
    places = sorted(a % (x.ndim + len(axis)) for a in axis) if isinstance(axis, tuple) else [axis]
    for place in places:
        x = ops.unsqueeze(x, dim=place)
    return x


def ufunc(function: Any, method: str, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """What a NumPy ufunc does when one of its inputs is a tensor."""
    out = settings.pop("out", None)
    if method == "at":
        return _at(function, inputs)
    if out is None:
        if method == "__call__" and function in UFUNCS and not settings:
            return UFUNCS[function](*inputs)
        if (
            method == "reduce"
            and function in REDUCED
            and settings.keys() <= {"axis", "keepdims", "dtype"}
        ):
            given = {
                key: value for key, value in settings.items() if value is not None or key == "axis"
            }
            return FUNCTIONS[REDUCED[function]](*inputs, **{"axis": 0, **given})
        if method == "accumulate" and function in RUNNING:
            return FUNCTIONS[RUNNING[function]](*inputs, **{"axis": 0, **settings})
    how = "" if method == "__call__" else f".{method}"
    _refuse_recorded(function.__name__ + how, inputs, out is not None)
    plain = [raw(x) for x in inputs]
    if out is not None:
        return _into(
            out, lambda raw_out: getattr(function, method)(*plain, out=raw_out, **_plain(settings))
        )
    return _as_results(getattr(function, method)(*plain, **_plain(settings)))


def _into(out: Any, compute: Callable[[Any], Any]) -> Any:
    """`out=`: the result is written into memory that is there, and whoever owns it hears of it."""
    outs = out if isinstance(out, tuple) else (out,)
    for o in outs:
        if raw(o) is not o:
            o._may_change()
    compute(_plain(out))
    for o in outs:
        note_change(raw(o))
    return outs[0] if len(outs) == 1 else outs


def _at(function: Any, inputs: tuple[Any, ...]) -> None:
    """`np.add.at(x, index, values)`: a change in place."""
    _refuse_recorded(f"{function.__name__}.at", inputs)
    function.at(*_plain(inputs))
    note_change(raw(inputs[0]))


def function(func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What a NumPy function does when one of its arguments is a tensor."""
    out = kwargs.get("out")
    if func in FUNCTIONS and out is None:
        try:
            return FUNCTIONS[func](*args, **kwargs)
        except TypeError as error:  # a setting of NumPy's that the rule does not have
            if "unexpected keyword argument" not in str(error):
                raise
    if func in _WRITERS:
        raise ArgumentError(f"np.{func.__name__} writes into its argument; write x[index] = values")
    rest = {k: _plain(v) for k, v in kwargs.items() if k != "out"}
    if out is not None:
        _refuse_recorded(_name(func), [*args, *rest.values()], True)
        return _into(out, lambda raw_out: func(*_plain(args), out=raw_out, **rest))
    answer = func(*_plain(args), **rest)
    if _has_fractions(answer):
        _refuse_recorded(_name(func), [*args, *kwargs.values()])
    return _as_results(answer)


_WRITERS = {np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(part) for part in value)
    return raw(value)


def _as_results(answer: Any) -> Any:
    """NumPy's arrays as tensors, also where there are several; anything else as it is."""
    if isinstance(answer, (np.ndarray, np.generic)):
        return as_result(answer) if answer.dtype.kind in "fiub" else answer
    if answer.__class__ in (tuple, list):
        return answer.__class__(_as_results(part) for part in answer)
    if isinstance(answer, tuple) and hasattr(answer, "_make"):  # one whose parts have names
        return answer._make(_as_results(part) for part in answer)
    return answer


def _has_fractions(answer: Any) -> bool:
    """Whether a gradient could be asked of it; a yes or no, or a position, has none."""
    if isinstance(answer, (tuple, list)):
        return any(_has_fractions(part) for part in answer)
    return isinstance(answer, float) or getattr(answer, "dtype", np.dtype(bool)).kind == "f"


def _anyone_recorded(values: Any) -> bool:
    return any(
        _anyone_recorded(v) if isinstance(v, (tuple, list)) else getattr(v, "_requires_grad", False)
        for v in values
    )


def _name(func: Any) -> str:
    """`linalg.inv` for np.linalg.inv."""
    return f"{func.__module__}.{func.__name__}".removeprefix("numpy.")


def _refuse_recorded(name: str, values: Any, out: bool = False) -> None:
    """No silent loss of history: NumPy functions without a rule refuse tensors that need gradients."""
    if mode.recording and _anyone_recorded(values):
        what = f"np.{name} into out=" if out else f"np.{name}"
        raise GraphError(
            f"{what} has no recorded rule, so no gradient could pass through it.\n"
            f"Give it the numbers alone: np.{name}(x.detach()), or build it from pellucid's operations"
        )
