"""Expressions of a rule: settled where everything is known, else written the way a person would.

NumPy has several spellings for the same sum. What the rules use for speed (`np.add.reduce(x, axis=1)`,
`np.dot(a, b)`) is written here in the spelling that is easiest to read (`x.sum(axis=1)`, `a @ b`), where both
compute the same bits.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import operator
import types
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from .. import kernels
from .fold import FACTS, OF_SHAPE, Folder, Frame, UnfoldableError, _KeptLoopError
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

NUMBER = (int, float, np.generic)
# rules whose kernels are called from among loops
WITH_KERNELS = {"pellucid.ops.convolution", "pellucid.ops.recurrent"}


def value_of(f: Folder, node: ast.expr, frame: Frame) -> Known:
    """What an expression is."""
    if isinstance(node, ast.Constant):
        return static(node.value)
    settled = _settled(node, frame)
    if settled is not None:
        return settled
    rule = _RULES.get(type(node))
    if rule is None:
        raise UnfoldableError(ast.unparse(node))
    return rule(f, node, frame)


def _settled(node: ast.expr, frame: Frame) -> Known | None:
    """The value of an expression in which everything is known, if it is of a kind that can be."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return None
    local: dict[str, Any] = {}
    for n in names_in(node):
        known = frame.names.get(n)
        if known is None:
            continue
        if not known.plain:
            return None
        local[n] = _whole(known)
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "<settled>", "eval")
        calls = frame.globals.get("__name__") in WITH_KERNELS
        with nullcontext() if calls else kernels.off():  # elsewhere a program is NumPy alone
            value = eval(code, {**frame.globals, **frame.outer, **local})
        if isinstance(value, (types.GeneratorType, zip, enumerate, reversed)):
            value = tuple(value)
    except Exception:
        return None
    return static(value) if can_be_static(value) else None


def _whole(known: Known) -> Any:
    if known.parts is None:
        return known.value
    parts = [_whole(part) for part in known.parts]
    return known.kind(*parts) if hasattr(known.kind, "_fields") else known.kind(parts)


# --------------------------------------------------------------------------------- names and attributes


def _name(f: Folder, node: ast.Name, frame: Frame) -> Known:
    if node.id in frame.names:
        return frame.names[node.id]
    for space in (frame.outer, frame.globals, vars(builtins)):
        if node.id in space:
            value = space[node.id]
            code = name(node.id) if value in (np, math) else None
            return static(value, code)
    raise UnfoldableError(f"the name {node.id}")


def _attribute(f: Folder, node: ast.Attribute, frame: Frame) -> Known:
    return attribute(f, value_of(f, node.value, frame), node.attr)


def attribute(f: Folder, owner: Known, attr: str) -> Known:
    """`owner.attr`."""
    if owner.parts is not None:
        fields = getattr(owner.kind, "_fields", ())
        if attr == "__class__":
            return static(owner.kind)
        if attr in fields:
            return owner.parts[fields.index(attr)]
        found = inspect.getattr_static(owner.kind, attr)
        if isinstance(found, property):
            assert found.fget is not None
            return f.call(found.fget, [owner])
        raise UnfoldableError(f"the attribute {attr}")
    if owner.static and owner.value is not MISSING:
        try:
            value = getattr(owner.value, attr)
        except AttributeError:
            raise UnfoldableError(f"the attribute {attr}") from None
        chained = owner.code is not None and not isinstance(owner.value, NUMBER)
        dotted = ast.Attribute(owner.code, attr, ast.Load()) if chained else None  # type: ignore[arg-type]
        return static(value, dotted)
    code = written(owner)
    if attr in FACTS and not (attr in OF_SHAPE and names_in(code) & f.varying):
        value = f.look(owner)
        if value is not MISSING:
            return static(getattr(value, attr))
    if attr == "mT" and getattr(f.look(owner), "ndim", 0) == 2:
        attr = "T"
    if attr == "T" and isinstance(code, ast.Attribute) and code.attr == "T":
        return Known(code.value)
    return Known(ast.Attribute(code, attr, ast.Load()))


# ------------------------------------------------------------------------------------- operators


def _binary(f: Folder, node: ast.BinOp, frame: Frame) -> Known:
    return binary(f, node.op, value_of(f, node.left, frame), value_of(f, node.right, frame))


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.MatMult: operator.matmul, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}  # fmt: skip


def binary(f: Folder, op: ast.operator, left: Known, right: Known) -> Known:
    """`left op right`."""
    if left.parts is not None or right.parts is not None:
        return _tuples(f, op, left, right)
    if left.static and right.static:
        value = _OPERATORS[type(op)](left.value, right.value)
        if left.plain and right.plain and can_be_static(value):
            return static(value)
        return static(value, ast.BinOp(written(left), op, written(right)))
    filled = None if f.exact else _with_fill(f, op, left, right)
    if filled is not None:
        return filled
    whole = _of_whole_numbers(f, op, left, right)
    if whole is not None:
        return whole
    same = None if f.exact else _unchanged(f, op, left, right)
    if same is not None:
        return same
    return Known(ast.BinOp(_side(f, left, right), op, _side(f, right, left)))


def _side(f: Folder, known: Known, other: Known) -> ast.expr:
    if known.static and getattr(getattr(f.look(other), "dtype", None), "kind", "") == "f":
        return _brief(known)
    return _narrow(f, known, other)


def _narrow(f: Folder, known: Known, other: Known) -> ast.expr:
    """A number that `broadcast_to` repeats needs no repeating next to an array of the full shape."""
    code = written(known)
    if not (isinstance(code, ast.Call) and ast.unparse(code.func) == "np.broadcast_to"):
        return code
    theirs = f.look(other)
    if isinstance(theirs, np.ndarray) and theirs.shape == f.look(known).shape:
        return code.args[0]
    return code


def _tuples(f: Folder, op: ast.operator, left: Known, right: Known) -> Known:
    if isinstance(op, ast.Add):
        kind = left.kind if left.parts is not None else right.kind
        return several([*f.parts(left), *f.parts(right)], kind)
    if isinstance(op, ast.Mult):
        group, times = (left, right) if left.parts is not None else (right, left)
        if times.static:
            return several(f.parts(group) * times.value, group.kind)
    raise UnfoldableError("an operator between tuples")


def _of_whole_numbers(f: Folder, op: ast.operator, left: Known, right: Known) -> Known | None:
    """Sums and products of a loop's variable and known numbers: `i * 1 + 26 - 1` is `i + 25`."""
    a, b = f.look(left), f.look(right)
    if type(a) is not int or type(b) is not int:
        return None
    if isinstance(op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if one.static and one.value == 1:
                return other
            if one.static and one.value == 0:
                return static(0)
    if not isinstance(op, (ast.Add, ast.Sub)):
        return None
    sign = 1 if isinstance(op, ast.Add) else -1
    if right.static:
        return _plus(left, sign * right.value)
    if left.static and sign == 1:
        return _plus(right, left.value)
    return None


def _plus(known: Known, more: int) -> Known:
    code = written(known)
    if (
        isinstance(code, ast.BinOp)
        and isinstance(code.op, (ast.Add, ast.Sub))
        and isinstance(code.right, ast.Constant)
        and type(code.right.value) is int
    ):
        more += code.right.value if isinstance(code.op, ast.Add) else -code.right.value
        code = code.left
    if not more:
        return Known(code)
    return Known(ast.BinOp(code, ast.Add() if more > 0 else ast.Sub(), ast.Constant(abs(more))))


def _unchanged(f: Folder, op: ast.operator, left: Known, right: Known) -> Known | None:
    """`1 * x`, `x / 1` and `x ** 1` are x."""

    def is_one(known: Known) -> bool:
        return known.static and type(known.value) in (int, float) and known.value == 1

    def has_fractions(known: Known) -> bool:
        return getattr(getattr(f.look(known), "dtype", None), "kind", "") == "f"

    if is_one(right) and isinstance(op, (ast.Mult, ast.Div, ast.Pow)) and has_fractions(left):
        return left
    if is_one(left) and isinstance(op, ast.Mult) and has_fractions(right):
        return right
    return None


# --------------------------------------------------------- arrays that are full of one number
#
# Where learning starts, the gradient is 1; handed back through a sum it is an array of ones. Written out,
# `np.ones((4, 3)) * x` is x, and `np.full((4, 3), 0.5) * x` is 0.5 * x.


def full_of(number: ast.expr, value: Any) -> Known:
    """An array of one number, as a view of a single one (which is how the tape hands it on)."""
    return Known(value=value, fill=(number, np.asarray(value).reshape(-1)[0]))


def _with_fill(f: Folder, op: ast.operator, left: Known, right: Known) -> Known | None:
    if left.fill is None and right.fill is None:
        return None
    with np.errstate(all="ignore"):
        result = _OPERATORS[type(op)](f.look(left), f.look(right))
    if left.fill is not None and (right.fill is not None or _is_number(right)):
        return _both_full(op, left, right, result)
    if right.fill is not None and _is_number(left):
        return _both_full(op, left, right, result)
    full, other = (left, right) if left.fill is not None else (right, left)
    assert full.fill is not None
    theirs = f.look(other)
    fits = (
        isinstance(theirs, (np.ndarray, np.generic))
        and result.shape == theirs.shape
        and result.dtype == theirs.dtype
    )
    if not fits:
        return None
    number, value = full.fill
    if value.dtype != result.dtype:
        number = literal(float(value))
    if isinstance(op, ast.Mult):
        return _times(f, number, value, other)
    if isinstance(op, ast.Div) and full is right and value == 1:
        return other
    if isinstance(op, (ast.Add, ast.Sub, ast.Div)):
        sides = [number, written(other)] if full is left else [written(other), number]
        return Known(ast.BinOp(sides[0], op, sides[1]))
    return None


def _is_number(known: Known) -> bool:
    return known.static and type(known.value) in (int, float)


def _both_full(op: ast.operator, left: Known, right: Known, result: Any) -> Known | None:
    """Two arrays of one number each, or one and a number."""
    texts = [v.fill[0] if v.fill is not None else _brief(v) for v in (left, right)]
    values = [v.fill[1] if v.fill is not None else v.value for v in (left, right)]
    if not isinstance(op, (ast.Mult, ast.Div, ast.Add, ast.Sub)):
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(_OPERATORS[type(op)](*values))[()]
    text: ast.expr = ast.BinOp(texts[0], op, texts[1])
    if isinstance(op, ast.Mult) and 1 in values:
        text = texts[1] if values[0] == 1 else texts[0]
    elif isinstance(op, ast.Div) and values[1] == 1:
        text = texts[0]
    elif _is_plain(op, value) or value.dtype.type(eval(ast.unparse(text))) != value:
        text = _number(value)
    shaped = np.broadcast_to(value, np.shape(result))
    return Known(value=shaped, fill=(text, value))


def _is_plain(op: ast.operator, value: Any) -> bool:
    """Whether a result is written as one number, and not as `1 / 40`."""
    return not isinstance(op, ast.Div) or float(value).is_integer() or value in (0.5, 0.25)


def _brief(known: Known) -> ast.expr:
    """24.0 as 24, where it stands next to numbers with fractions anyway."""
    if type(known.value) is float and known.value.is_integer() and known.code is None:
        return literal(int(known.value))
    return written(known)


def _number(value: Any) -> ast.expr:
    """A number of NumPy's as one of Python's, which takes the type of the array next to it."""
    from .known import shortest

    brief = shortest(value) if value.dtype.kind == "f" else value.item()
    return literal(int(brief) if float(brief).is_integer() and abs(brief) < 1e15 else brief)


def _times(f: Folder, number: ast.expr, value: Any, other: Known) -> Known | None:
    """A number times an array."""
    if value == 1:
        return other
    if value == -1:
        return Known(ast.UnaryOp(ast.USub(), written(other)))
    code = written(other)
    if isinstance(code, ast.BinOp) and isinstance(code.op, ast.Mult):
        inner: Any = getattr(code.left, "value", None)
        # powers of two can be taken together: nothing is rounded
        if type(inner) in (int, float):
            product = inner * float(value)
            if _is_power_of_two(inner) and _is_power_of_two(float(value)):
                if product == 1:
                    return Known(code.right)
                text = literal(int(product) if float(product).is_integer() else product)
                return Known(ast.BinOp(text, ast.Mult(), code.right))
    return Known(ast.BinOp(number, ast.Mult(), code))


def _is_power_of_two(number: float) -> bool:
    return number != 0 and math.frexp(number)[0] == 0.5


# -------------------------------------------------------------------------- the other expressions


_SIGNS: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.inv,
}  # fmt: skip


def _unary(f: Folder, node: ast.UnaryOp, frame: Frame) -> Known:
    known = value_of(f, node.operand, frame)
    if isinstance(node.op, ast.Not):
        truth = f.truth(known)
        return (
            static(not truth) if truth is not None else Known(ast.UnaryOp(node.op, written(known)))
        )
    if known.static:
        value = _SIGNS[type(node.op)](known.value)
        return static(value, None if known.plain else ast.UnaryOp(node.op, written(known)))
    if known.fill is not None and isinstance(node.op, ast.USub):
        number, value = known.fill
        return Known(value=-known.value, fill=(_negative(number), -value))
    return Known(ast.UnaryOp(node.op, written(known)))


def _negative(number: ast.expr) -> ast.expr:
    if isinstance(number, ast.UnaryOp):
        return number.operand
    return ast.UnaryOp(ast.USub(), number)


def _compare(f: Folder, node: ast.Compare, frame: Frame) -> Known:
    sides = [value_of(f, side, frame) for side in (node.left, *node.comparators)]
    if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)):
        a, b = sides
        if b.static and b.value is None:
            none = a.static and a.value is None
            return static(none == isinstance(node.ops[0], ast.Is))
        same = a.static and b.static and a.value is b.value
        return static(same == isinstance(node.ops[0], ast.Is))
    if all(side.static for side in sides):
        values = {f"_{i}": side.value for i, side in enumerate(sides)}
        code = ast.Compare(name("_0"), node.ops, [name(f"_{i + 1}") for i in range(len(node.ops))])
        expression = ast.fix_missing_locations(ast.Expression(code))
        return static(eval(compile(expression, "<compare>", "eval"), values))
    if any(side.parts is not None for side in sides):
        wholes = {f"_{i}": f.look(side) for i, side in enumerate(sides)}
        if all(side.plain for side in sides):
            code = ast.Compare(
                name("_0"), node.ops, [name(f"_{i + 1}") for i in range(len(node.ops))]
            )
            expression = ast.fix_missing_locations(ast.Expression(code))
            return static(eval(compile(expression, "<compare>", "eval"), wholes))
        if isinstance(node.ops[0], (ast.In, ast.NotIn, ast.Eq, ast.NotEq)):
            raise UnfoldableError("a comparison of tuples")
    return Known(ast.Compare(written(sides[0]), node.ops, [written(s) for s in sides[1:]]))


def _bool(f: Folder, node: ast.BoolOp, frame: Frame) -> Known:
    stops = isinstance(node.op, ast.Or)
    left: list[Known] = []
    for side in node.values:
        known = value_of(f, side, frame)
        truth = f.truth(known)
        if truth is None:
            left.append(known)
        elif truth == stops:
            left.append(known)
            break
        elif side is node.values[-1]:
            left.append(known)
    if len(left) == 1:
        return left[0]
    return Known(ast.BoolOp(node.op, [written(known) for known in left]))


def _choice(f: Folder, node: ast.IfExp, frame: Frame) -> Known:
    test = value_of(f, node.test, frame)
    truth = f.truth(test)
    if truth is not None:
        return value_of(f, node.body if truth else node.orelse, frame)
    yes, no = value_of(f, node.body, frame), value_of(f, node.orelse, frame)
    return Known(ast.IfExp(written(test), written(yes), written(no)))


def _tuple(f: Folder, node: ast.Tuple | ast.List, frame: Frame) -> Known:
    return several(_spread(f, node.elts, frame), tuple if isinstance(node, ast.Tuple) else list)


def _spread(f: Folder, nodes: Sequence[ast.expr], frame: Frame) -> list[Known]:
    parts: list[Known] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            parts += f.parts(value_of(f, node.value, frame))
        else:
            parts.append(value_of(f, node, frame))
    return parts


def _comprehension(f: Folder, node: ast.ListComp | ast.GeneratorExp, frame: Frame) -> Known:
    (generator,) = node.generators
    rounds = f.rounds(generator.iter, frame)
    if rounds is None:
        raise UnfoldableError(ast.unparse(node))
    before = dict(frame.names)
    found = []
    for round_ in rounds:
        f.assign(generator.target, round_, frame)
        tests = [f.truth(value_of(f, test, frame)) for test in generator.ifs]
        if None in tests:
            raise UnfoldableError("a choice that the numbers decide on")
        if all(tests):
            found.append(value_of(f, node.elt, frame))
    frame.names = before
    return several(found, list if isinstance(node, ast.ListComp) else tuple)


def _subscript(f: Folder, node: ast.Subscript, frame: Frame) -> Known:
    return picked(f, value_of(f, node.value, frame), value_of(f, node.slice, frame))


def _slice(f: Folder, node: ast.Slice, frame: Frame) -> Known:
    ends = [
        static(None) if end is None else value_of(f, end, frame)
        for end in (node.lower, node.upper, node.step)
    ]
    return sliced(ends)


def sliced(ends: Sequence[Known]) -> Known:
    """A slice from its three ends."""
    if all(end.static for end in ends):
        return static(slice(*(end.value for end in ends)))
    return Known(call("slice", *(written(end) for end in ends)))


def picked(f: Folder, owner: Known, index: Known) -> Known:
    """`owner[index]`."""
    if owner.parts is not None or (owner.static and isinstance(owner.value, (tuple, list, range))):
        if not index.static:
            raise _KeptLoopError
        parts = f.parts(owner)
        if isinstance(index.value, slice):
            return several(parts[index.value], owner.kind if owner.parts is not None else tuple)
        return parts[operator.index(index.value)]
    if owner.static and isinstance(owner.value, dict) and index.static:
        found = owner.value[index.value]
        return found if isinstance(found, Known) else static(found)
    code = written(owner)
    by_rows = _by_rows(code, index)
    if by_rows is not None:
        return Known(by_rows)
    shape = None
    value = f.look(owner)
    if isinstance(value, np.ndarray) and not names_in(code) & f.varying:
        shape = value.shape
    places = f.parts(index) if index.parts is not None or _is_tuple(index) else [index]
    shown = [_place(place, n) for place, n in zip(places, _sizes(places, shape), strict=True)]
    dots = any(isinstance(part, ast.Constant) and part.value is ... for part in shown[:-1])
    while shown and not dots and isinstance(shown[-1], ast.Slice) and not _ends(shown[-1]):
        shown.pop()
    while shown and isinstance(shown[-1], ast.Constant) and shown[-1].value is ...:
        shown.pop()
    if not shown:
        return owner
    inside = (
        shown[0]
        if len(shown) == 1 and not _is_tuple(index, one=True)
        else ast.Tuple(shown, ast.Load())
    )
    return Known(ast.Subscript(code, inside, ast.Load()))


def _by_rows(code: ast.expr, index: Known) -> ast.expr | None:
    """`x.reshape(-1)[labels + np.arange(0, 40, 10)]` is `x[np.arange(4), labels]`."""
    at = index.code
    if not (
        isinstance(code, ast.Call) and isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add)
    ):
        return None
    starts = at.right
    if not (isinstance(code.func, ast.Attribute) and code.func.attr == "reshape"):
        return None
    if not (isinstance(starts, ast.Call) and ast.unparse(starts.func) == "np.arange"):
        return None
    if len(starts.args) != 3 or not all(isinstance(a, ast.Constant) for a in starts.args):
        return None
    first, end, size = (a.value for a in starts.args)  # type: ignore[attr-defined]
    rows = call("np.arange", literal(end // size))
    if first != 0 or ast.unparse(code.args[0]) != "-1":
        return None
    return ast.Subscript(code.func.value, ast.Tuple([rows, at.left], ast.Load()), ast.Load())


def _is_tuple(index: Known, one: bool = False) -> bool:
    """Whether an index names several axes."""
    group = index.parts if index.parts is not None else index.value if index.static else None
    if not isinstance(group, (tuple, list)) or (
        index.parts is not None and index.kind is not tuple
    ):
        return False
    if index.static and not isinstance(index.value, tuple):
        return False
    return not one or (len(group) == 1 and not one)


def _sizes(places: list[Known], shape: Any) -> list[int | None]:
    """For each place of an index how long its axis is, as far as that is easy to say."""
    sizes: list[int | None] = []
    axis: int | None = 0
    for place in places:
        value = place.value if place.static else MISSING
        if value is None:
            sizes.append(None)
            continue
        known = axis is not None and shape is not None and axis < len(shape)
        sizes.append(shape[axis] if known else None)
        if axis is not None:
            axis = (
                None
                if value is Ellipsis or (value is MISSING and not _one_axis(place))
                else axis + 1
            )
    return sizes


def _one_axis(place: Known) -> bool:
    return isinstance(place.code, ast.Call) or place.parts is None


def _place(place: Known, size: int | None) -> ast.expr:
    """One place of an index, a slice by its colons."""
    if place.static and isinstance(place.value, slice):
        start, stop, step = place.value.start, place.value.stop, place.value.step
        step = None if step == 1 else step
        if step is None or step > 0:
            start = None if start == 0 else start
            if size is not None and stop is not None and stop >= size:
                stop = None
        return ast.Slice(*(None if e is None else literal(e) for e in (start, stop, step)))
    code = written(place)
    if isinstance(code, ast.Call) and isinstance(code.func, ast.Name) and code.func.id == "slice":
        ends: list[ast.expr | None] = [
            None if isinstance(end, ast.Constant) and end.value is None else end
            for end in code.args
        ]
        if len(ends) == 1:
            ends = [None, ends[0]]
        ends += [None] * (3 - len(ends))
        if isinstance(ends[2], ast.Constant) and ends[2].value == 1:
            ends[2] = None
        return ast.Slice(*ends)
    return code


def _ends(code: ast.Slice) -> bool:
    return any(end is not None for end in (code.lower, code.upper, code.step))


# ------------------------------------------------------------------------------------------ calls


def _call(f: Folder, node: ast.Call, frame: Frame) -> Known:
    if isinstance(node.func, ast.Attribute):
        on_owner = _call_on(f, node, node.func, frame)
        if isinstance(on_owner, Known):
            return on_owner
        owner = value_of(f, node.func.value, frame)
        function = attribute(f, owner, node.func.attr)
    else:
        function = value_of(f, node.func, frame)
    title = getattr(function.value, "__name__", "")
    special = _SPECIAL_NODES.get(title)
    if special is not None and getattr(builtins, title, None) is function.value:
        answer = special(f, node, frame)
        if answer is not None:
            return answer
    return called(f, function, *_arguments(f, node, frame))


def _arguments(f: Folder, node: ast.Call, frame: Frame) -> tuple[list[Known], dict[str, Known]]:
    """What a function is called with."""
    arguments = _spread(f, node.args, frame)
    given: dict[str, Known] = {}
    for keyword in node.keywords:
        known = value_of(f, keyword.value, frame)
        if keyword.arg is not None:
            given[keyword.arg] = known
        elif known.static and isinstance(known.value, dict):
            given |= {n: v if isinstance(v, Known) else static(v) for n, v in known.value.items()}
        else:
            raise UnfoldableError("**keywords")
    return arguments, given


def _call_on(f: Folder, node: ast.Call, function: ast.Attribute, frame: Frame) -> Known | None:
    """A method of an array, of a list of our own, of a named tuple; None for all others."""
    if function.attr == "append" and isinstance(function.value, ast.Name):
        mine = f.own_list(function.value.id, frame)
        if mine is not None:
            assert mine.parts is not None
            if f.looping:
                raise _KeptLoopError
            (element,) = _spread(f, node.args, frame)
            mine.parts.append(f.named(element, "part"))
            return static(None)
    owner = value_of(f, function.value, frame)
    if owner.parts is None and not owner.static:
        return _method(f, owner, function.attr, *_arguments(f, node, frame))
    kind = owner.kind if owner.parts is not None else type(owner.value)
    fields = getattr(kind, "_fields", None)
    if fields is None:
        return None
    arguments, given = _arguments(f, node, frame)
    if function.attr == "_replace":
        parts = zip(fields, f.parts(owner), strict=True)
        return several([given.get(n, part) for n, part in parts], kind)
    found = inspect.getattr_static(kind, function.attr)
    return f.call(found, [owner, *arguments], given)


def called(f: Folder, function: Known, arguments: list[Known], given: dict[str, Known]) -> Known:
    """`function(*arguments, **given)`."""
    from .spellings import spelled

    if not function.static:
        raise UnfoldableError("a call of something that is not known")
    target = function.value
    answer = spelled(f, target, arguments, given)
    if answer is not None:
        return answer
    if isinstance(target, type) and hasattr(target, "_fields"):
        names = f.bound(target.__new__, [static(target), *arguments], given)
        return several([names[n] for n in target._fields], target)
    plain = inspect.unwrap(target) if callable(target) else target
    if isinstance(plain, types.FunctionType) and not _is_numpys(plain):
        return f.call(plain, arguments, given)
    if isinstance(target, types.MethodType) and not _is_numpys(target.__func__):
        return f.call(target.__func__, [static(target.__self__), *arguments], given)
    code = function.code if function.code is not None else literal(target)
    return Known(call(code, *map(written, arguments), **{n: written(v) for n, v in given.items()}))


def _is_numpys(function: Any) -> bool:
    return (getattr(function, "__module__", "") or "").split(".")[0] == "numpy"


def _method(
    f: Folder, owner: Known, attr: str, arguments: list[Known], given: dict[str, Known]
) -> Known:
    """`owner.attr(...)` of something the program will have."""
    from .spellings import spelled_method

    answer = spelled_method(f, owner, attr, arguments, given)
    if answer is not None:
        return answer
    named = {n: written(v) for n, v in given.items()}
    return Known(method(written(owner), attr, *map(written, arguments), **named))


# ----------------------------------------- builtins that look at how their arguments are written


def _isinstance(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    known, kinds = (value_of(f, a, frame) for a in node.args)
    classes = _whole(kinds)
    if known.parts is not None:
        kind = classes if isinstance(classes, tuple) else (classes,)
        return static(issubclass(known.kind, kind))
    value = f.look(known)
    return None if value is MISSING else static(isinstance(value, classes))


def _len(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    known = value_of(f, node.args[0], frame)
    if known.parts is not None:
        return static(len(known.parts))
    value = f.look(known)
    if value is MISSING or names_in(written(known)) & (f.varying | f.lengths):
        return Known(call("len", written(known)))
    return static(len(value))


def _getattr(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    owner, attr, *otherwise = (value_of(f, a, frame) for a in node.args)
    value = f.look(owner) if owner.parts is None else _Nothing()
    if value is not MISSING and not hasattr(value, attr.value):
        return otherwise[0]
    return attribute(f, owner, attr.value)


class _Nothing:
    """A tuple has no attributes that rules ask for."""


def _hasattr(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    owner, attr = (value_of(f, a, frame) for a in node.args)
    return static(hasattr(f.look(owner), attr.value))


def _listed(kind: type) -> Callable[[Folder, ast.Call, Frame], Known | None]:
    def rule(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
        if not node.args:
            return several([], kind)
        rounds = f.rounds(node.args[0], frame)
        return None if rounds is None else several(rounds, kind)

    return rule


def _any_all(stops: bool) -> Callable[[Folder, ast.Call, Frame], Known | None]:
    def rule(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
        rounds = f.rounds(node.args[0], frame)
        truths = [f.truth(round_) for round_ in rounds or ()]
        if rounds is None or None in truths:
            return None
        return static(any(truths) if stops else all(truths))

    return rule


def _slice_call(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    ends = [value_of(f, a, frame) for a in node.args]
    if len(ends) == 1:
        ends = [static(None), *ends]
    return sliced([*ends, *[static(None)] * (3 - len(ends))])


def _grouped(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    rounds = f.rounds(node, frame)
    return None if rounds is None else several(rounds)


def _bool_call(f: Folder, node: ast.Call, frame: Frame) -> Known | None:
    known = value_of(f, node.args[0], frame)
    truth = f.truth(known)
    # asked of an array's numbers, only by rules that then do what is right in either case
    return static(True if truth is None else truth)


def _text(f: Folder, node: ast.JoinedStr, frame: Frame) -> Known:
    """Text with values in it: for messages, and names of types."""
    pieces = []
    for part in node.values:
        known = value_of(f, part.value if isinstance(part, ast.FormattedValue) else part, frame)
        pieces.append(str(_whole(known)) if known.plain else "...")
    return static("".join(pieces))


_SPECIAL_NODES: dict[str, Callable[[Folder, ast.Call, Frame], Known | None]] = {
    "isinstance": _isinstance, "len": _len, "getattr": _getattr, "hasattr": _hasattr,
    "tuple": _listed(tuple), "list": _listed(list), "any": _any_all(True), "all": _any_all(False),
    "slice": _slice_call, "zip": _grouped, "enumerate": _grouped, "reversed": _grouped,
    "bool": _bool_call,
}  # fmt: skip

_RULES: dict[type, Callable[[Folder, Any, Frame], Known]] = {
    ast.Name: _name, ast.Attribute: _attribute, ast.BinOp: _binary, ast.UnaryOp: _unary,
    ast.Compare: _compare, ast.BoolOp: _bool, ast.IfExp: _choice, ast.Tuple: _tuple,
    ast.List: _tuple, ast.ListComp: _comprehension, ast.GeneratorExp: _comprehension,
    ast.Subscript: _subscript, ast.Slice: _slice, ast.Call: _call, ast.JoinedStr: _text,
}  # fmt: skip

same_code = alike
