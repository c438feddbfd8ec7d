"""Shape rules: reads `(..., n, k), (..., k, m) -> (..., n, m)`, checks it, words the error.

A rule names each axis by a letter. The same letter must have the same size everywhere it occurs;
`...` stands for any leading axes, which broadcast as in NumPy. A `?` after a group marks an input
that may be left out; a `?` for the result, one that depends on settings; `|` separates the rules of
an operation that has several. Rules are only read when something went wrong, or by tests and explanations:
running an operation costs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Shape = tuple[int, ...]
Axes = list[str]

_GROUP = re.compile(r"\(([^)]*)\)(\??)")


class Misfit(Exception):  # noqa: N818 - not an error people see: it carries the reason to one
    """Why shapes do not fit a rule: `reason` in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(rule: str) -> tuple[list[tuple[Axes, bool]], list[Axes]]:
    """Split a rule into its inputs (axes, may be left out) and its results.

    >>> parse("(n, k), (k, m)? -> (n, m)")
    ([(['n', 'k'], False), (['k', 'm'], True)], [['n', 'm']])
    """
    left, _, right = rule.partition("->")
    inputs = [(_axes(body), bool(mark)) for body, mark in _GROUP.findall(left)]
    return inputs, [_axes(body) for body, _ in _GROUP.findall(right)]


def choose(rule: str, shapes: Sequence[Shape | None]) -> str:
    """Of several rules, the first whose inputs have these numbers of axes; else the first."""
    alternatives = [text.strip() for text in rule.split("|")]
    for text in alternatives:
        inputs, _ = parse(text)
        if all(
            shape is None or len(shape) >= len(axes) - 1
            if "..." in axes
            else shape is None or len(shape) == len(axes)
            for (axes, _), shape in zip(inputs, shapes, strict=False)
        ):
            return text
    return alternatives[0]


def _axes(body: str) -> Axes:
    return [axis.strip() for axis in body.split(",") if axis.strip()]


def result_shape(rule: str, shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape a rule promises for inputs of these shapes (None: left out), None if settings decide.

    >>> result_shape("(..., n, k), (..., k, m) -> (..., n, m)", [(5, 2, 3), (3, 4)])
    (5, 2, 4)

    Raises:
        Misfit: the shapes do not fit; its `reason` says which axis and why.
    """
    inputs, results = parse(choose(rule, shapes))
    sizes: dict[str, int] = {}
    leading: Shape = ()
    for (axes, optional), shape in zip(inputs, shapes, strict=False):
        if shape is None:
            if not optional:
                raise Misfit("an input is missing")
            continue
        named = [axis for axis in axes if axis != "..."]
        if len(shape) < len(named) or ("..." not in axes and len(shape) != len(named)):
            least = "at least " if "..." in axes else ""
            raise Misfit(f"{shape} should have {least}{_count(len(named))}")
        front = shape[: len(shape) - len(named)]
        leading = _broadcast(leading, front)
        for axis, size in zip(named, shape[len(front) :], strict=True):
            _agree(sizes, axis, size)
    if not results:
        return None
    tail = tuple(sizes[axis] for axis in results[0] if axis != "...")
    return (*leading, *tail) if "..." in results[0] else tail


def _agree(sizes: dict[str, int], axis: str, size: int) -> None:
    if axis.isdigit():
        if size != int(axis):
            raise Misfit(f"{size} is not {axis}")
    elif sizes.setdefault(axis, size) != size:
        raise Misfit(f"{sizes[axis]} is not {size}")


def _broadcast(a: Shape, b: Shape) -> Shape:
    """NumPy's broadcasting of two shapes, with the reason when they do not fit."""
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    for m, n in zip(longer, padded, strict=True):
        if m != n and m != 1 and n != 1:
            raise Misfit(f"{m} and {n} differ and neither is 1 (sizes are compared from the right)")
    return tuple(n if m == 1 else m for m, n in zip(longer, padded, strict=True))


def _count(n: int) -> str:
    return f"{n} {'axis' if n == 1 else 'axes'}"


def complaint(
    op: str, rule: str | None, names: Sequence[str], shapes: Sequence[Shape | None]
) -> str | None:
    """The message for shapes that do not fit a rule, or None when they do fit.

    >>> print(complaint("matmul", "(n, k), (k, m) -> (n, m)", ["x", "w"], [(2, 3), (4, 5)]))
    matmul cannot combine x (2, 3) and w (4, 5):  rule (n, k), (k, m) -> (n, m), but 3 is not 4
    """
    if rule is None:
        return None
    try:
        result_shape(rule, shapes)
    except Misfit as misfit:
        listed = [f"{n} {s}" for n, s in zip(names, shapes, strict=False) if s is not None]
        combined = ", ".join(listed[:-1]) + " and " + listed[-1] if len(listed) > 1 else listed[0]
        verb = "combine" if len(listed) > 1 else "use"
        fitting = choose(rule, shapes)
        return f"{op} cannot {verb} {combined}:  rule {fitting}, but {misfit.reason}"
    return None
