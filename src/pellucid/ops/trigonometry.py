"""Angles and waves, and their hyperbolic relatives. Angles are in radians."""

from __future__ import annotations

import numpy as np

from .base import Array, op

# -------------------------------------------------------------------------------------------- waves


@op
def sin(x: Array) -> Array:
    """The height of a point on the unit circle at the angle `x`."""
    return np.sin(x)


@sin.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.cos(x)


@op
def cos(x: Array) -> Array:
    """How far to the right a point on the unit circle lies at the angle `x`."""
    return np.cos(x)


@cos.slope("x")
def _(d: Array, x: Array) -> Array:
    return -d * np.sin(x)


@op(domain=(-1.2, 1.2))
def tan(x: Array) -> Array:
    """sin(x) divided by cos(x): how steep a line at the angle `x` is."""
    return np.tan(x)


@tan.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (1 + y * y)


@op
def sinc(x: Array) -> Array:
    """sin(pi x) divided by pi x, and 1 at 0."""
    return np.sinc(x)


@sinc.slope("x")
def _(d: Array, y: Array, x: Array) -> Array:
    still = x == 0
    return d * np.where(still, 0.0, (np.cos(np.pi * x) - y) / np.where(still, 1.0, x))


# ----------------------------------------------------------------------------------- back to angles


@op(domain=(-0.8, 0.8))
def asin(x: Array) -> Array:
    """The angle whose sine is `x`."""
    return np.arcsin(x)


@asin.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / np.sqrt(1 - x * x)


@op(domain=(-0.8, 0.8))
def acos(x: Array) -> Array:
    """The angle whose cosine is `x`."""
    return np.arccos(x)


@acos.slope("x")
def _(d: Array, x: Array) -> Array:
    return -d / np.sqrt(1 - x * x)


@op
def atan(x: Array) -> Array:
    """The angle whose tangent is `x`."""
    return np.arctan(x)


@atan.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (1 + x * x)


@op(domain=(0.3, 2.0))
def atan2(a: Array, b: Array) -> Array:
    """The angle at which the point `a` up and `b` to the right is seen, in (-pi, pi]."""
    return np.arctan2(a, b)


@atan2.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return d * b / nonzero_square(a, b)


@atan2.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return -d * a / nonzero_square(a, b)


def nonzero_square(a: Array, b: Array) -> Array:
    """The squared distance from the origin; 1 in the origin itself, where there is no direction."""
    return np.where((a == 0) & (b == 0), 1.0, a * a + b * b)


@op(domain=(0.3, 2.0))
def hypot(a: Array, b: Array) -> Array:
    """The distance from the origin of a point `a` up and `b` to the right (Pythagoras)."""
    return np.hypot(a, b)


@hypot.slope("a")
def _(d: Array, y: Array, a: Array) -> Array:
    return d * a / np.where(y == 0, 1.0, y)


@hypot.slope("b")
def _(d: Array, y: Array, b: Array) -> Array:
    return d * b / np.where(y == 0, 1.0, y)


@op
def deg2rad(x: Array) -> Array:
    """Degrees as radians."""
    return np.deg2rad(x)


@deg2rad.slope("x")
def _(d: Array) -> Array:
    return d * (np.pi / 180)


@op
def rad2deg(x: Array) -> Array:
    """Radians as degrees."""
    return np.rad2deg(x)


@rad2deg.slope("x")
def _(d: Array) -> Array:
    return d * (180 / np.pi)


# --------------------------------------------------------------------------------------- hyperbolic


@op
def sinh(x: Array) -> Array:
    """Half of exp(x) less exp(-x)."""
    return np.sinh(x)


@sinh.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.cosh(x)


@op
def cosh(x: Array) -> Array:
    """Half of exp(x) plus exp(-x): the curve of a hanging chain."""
    return np.cosh(x)


@cosh.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.sinh(x)


@op
def tanh(x: Array) -> Array:
    """Squash any number into (-1, 1)."""
    return np.tanh(x)


@tanh.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (1 - y * y)


@op
def asinh(x: Array) -> Array:
    """The number whose sinh is `x`."""
    return np.arcsinh(x)


@asinh.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / np.sqrt(x * x + 1)


@op(domain=(1.2, 3.0))
def acosh(x: Array) -> Array:
    """The number, 0 or more, whose cosh is `x`."""
    return np.arccosh(x)


@acosh.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / np.sqrt(x * x - 1)


@op(domain=(-0.8, 0.8))
def atanh(x: Array) -> Array:
    """The number whose tanh is `x`."""
    return np.arctanh(x)


@atanh.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (1 - x * x)


# ------------------------------------------------------------------------- the same, by other names

arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
