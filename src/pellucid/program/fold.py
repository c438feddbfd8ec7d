"""A rule with everything known put in: what is left is what one would write for this one case.

The rules of operations are Python functions that serve every case: one row or many, with a bias or
without, this reduction or that. `Folder` goes through such a function as Python would, with the values
that were recorded at hand. What depends on shapes, types and settings alone is decided on the spot. What
depends on the numbers is written down:

    def mean(x, *, dim=None, keepdim=False, dtype=None):          x of shape (4, 3), dim=None
        x = with_fractions(x, "mean", dtype)                      (nothing is left of it)
        return np.add.reduce(x, axis=axes(dim), keepdims=keepdim) / count(x.shape, dim)

    becomes   x.sum() / 12

Functions that are called are gone through in the same way. Loops over the places of a kernel or the steps
of a sequence stay loops. Checks are left out: the recorded call has passed them.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from .. import random
from ..errors import ArgumentError
from .known import (
    MISSING,
    Known,
    Style,
    can_be_static,
    name,
    names_in,
    several,
    static,
    written,
)

FACTS = {"shape", "ndim", "dtype", "size", "itemsize", "flags", "strides", "__class__"}
OF_SHAPE = {"shape", "size", "flags", "strides"}
LONGEST_UNROLLED = 64
_PYTHONS = set(vars(builtins))
Names = dict[str, Known]


class UnfoldableError(Exception):
    """Python that the folder does not know how to write down."""


class _KeptLoopError(Exception):
    """The body of a loop needs to know which round it is in: it has to be written round by round."""


class Frame:
    """One call of a Python function: its variables, and where it finds other names."""

    def __init__(self, function: Callable[..., Any], names: Names) -> None:
        self.names = names
        self.globals = function.__globals__
        closure = inspect.getclosurevars(function).nonlocals if function.__closure__ else {}
        self.outer = closure
        self.changing = _changed_in_place(function)
        self.pins: dict[str, str] = {}  # variables that a loop assigns again: how they are written

    def copy(self) -> tuple[Names, dict[str, str]]:
        """How it stands, to come back to."""
        return dict(self.names), dict(self.pins)


class Folder:
    """Goes through functions and writes down what is left of them.

    Args:
        given: the names that exist already, with their recorded values.
        style: whom the text is for.
    """

    def __init__(self, given: dict[str, Any], style: Style = "readable") -> None:
        import math

        import pellucid

        self.space: dict[str, Any] = {
            "np": np, "math": math, "rng": random.generator(), "pellucid": pellucid, **given,
        }  # fmt: skip
        self.given = set(given)
        self.style, self.fast = style, style == "fast"
        self.lines: list[ast.stmt] = []
        self.varying: set[str] = (
            set()
        )  # what a loop assigns: its shape may change from round to round
        self.lengths: set[str] = set()  # whose lengths depend on the numbers: `ids[ids != 0]`
        self.frames: list[Frame] = []
        self.looping = 0
        self.dry = False
        self.returns_early = False
        self.hint = ""  # what a result that is being computed will be called
        self.exact = False  # whether `1 * x` has to be an array of its own

    # ---------------------------------------------------------------------------- what it writes

    def fresh(self, hint: str) -> str:
        """A name that is not taken."""
        hint = hint.strip("_") or "value"
        text, n = hint, 1
        while text in self.space or hasattr(builtins, text):
            n += 1
            text = f"{hint}_{n}"
        self.space[text] = MISSING
        return text

    def write(self, line: ast.stmt) -> None:
        """One more line; it is run at once."""
        ast.fix_missing_locations(line)
        self.lines.append(line)
        if not self.dry:
            exec(compile(ast.Module([line], []), "<fold>", "exec"), self.space)

    def look(self, known: Known) -> Any:
        """The recorded value, or MISSING."""
        if known.value is MISSING and known.parts is not None:
            parts = [self.look(part) for part in known.parts]
            if any(part is MISSING for part in parts):
                return MISSING
            return known.kind(*parts) if hasattr(known.kind, "_fields") else known.kind(parts)
        if known.value is MISSING and known.code is not None:
            if any(self.space.get(n, MISSING) is MISSING for n in names_in(known.code) - _PYTHONS):
                return MISSING
            code = ast.fix_missing_locations(ast.Expression(known.code))
            try:
                known.value = eval(compile(code, "<fold>", "eval"), self.space)
            except Exception:
                if not self.dry:
                    raise
                return MISSING
        return known.value

    def named(self, known: Known, hint: str) -> Known:
        """The value under a name of its own, so that writing it twice computes it once."""
        if known.parts is not None:
            fields = getattr(known.kind, "_fields", None)
            hints = fields or [f"{hint}_{i + 1}" for i in range(len(known.parts))]
            pairs = zip(known.parts, hints, strict=False)
            return Known(parts=[self.named(p, h) for p, h in pairs], kind=known.kind)
        if known.static or known.fill is not None or known.is_short:
            return known
        target = self.fresh(hint)
        assert known.code is not None
        self.write(ast.Assign([ast.Name(target, ast.Store())], known.code))
        if self.looping:
            self.varying.add(target)
        if self.picks(known.code) or names_in(known.code) & self.lengths:
            self.lengths.add(target)
        value = self.space[target]
        return Known(name(target), value)

    def picks(self, code: ast.expr) -> bool:
        """Whether it picks by a condition, so that nobody knows how many."""
        if not isinstance(code, ast.Subscript):
            return False
        condition = self.look(Known(code.slice))
        return isinstance(condition, np.ndarray) and condition.dtype == bool

    # ------------------------------------------------------------------------------- calls

    def call(self, function: Any, arguments: Sequence[Known], given: Names | None = None) -> Known:
        """What a Python function makes of these arguments."""
        from .readable import readable

        function = readable(inspect.unwrap(function), self.style)
        if function.__name__ == "<lambda>":
            raise UnfoldableError("a lambda")
        names = self.bound(function, arguments, given or {})
        downhill = self.hint if self.hint.startswith("d_") else ""
        frame = Frame(function, {n: self.named(v, downhill or n) for n, v in names.items()})
        self.frames.append(frame)
        exact, self.exact = self.exact, False
        try:
            result = self.block(source_of(function).body, frame)
        finally:
            self.frames.pop()
            self.exact = exact
        return static(None) if result is None else result

    def bound(self, function: Any, arguments: Sequence[Known], given: Names) -> Names:
        """Arguments in their places, defaults for those that were left out."""
        parameters = inspect.signature(function).parameters
        names: Names = {}
        rest = list(arguments)
        given = dict(given)
        for key, parameter in parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                names[key], rest = several(rest), []
            elif parameter.kind is parameter.VAR_KEYWORD:
                raise UnfoldableError(f"{function.__name__} takes any keywords")
            elif rest and parameter.kind is not parameter.KEYWORD_ONLY:
                names[key] = rest.pop(0)
            elif key in given:
                names[key] = given.pop(key)
            else:
                names[key] = static(parameter.default)
        if rest or given:
            raise UnfoldableError(f"{function.__name__} does not take these arguments")
        return names

    # ---------------------------------------------------------------------------------- statements

    def block(self, lines: Sequence[ast.stmt], frame: Frame) -> Known | None:
        """Statements one after the other; what is returned, or None."""
        for line in lines:
            if isinstance(line, ast.Return):
                return static(None) if line.value is None else self.value(line.value, frame)
            method = getattr(self, f"do_{type(line).__name__.lower()}", None)
            if method is None:
                raise UnfoldableError(type(line).__name__)
            result = method(line, frame)
            if result is not None:
                return result  # type: ignore[no-any-return]
        return None

    def do_expr(self, line: ast.Expr, frame: Frame) -> None:
        """A call for its effect, or a docstring."""
        if isinstance(line.value, ast.Constant):
            return
        result = self.value(line.value, frame)
        if isinstance(result.code, ast.Call) and not result.static:
            self.write(ast.Expr(result.code))

    def do_pass(self, line: ast.Pass, frame: Frame) -> None:
        """Nothing."""

    def do_assert(self, line: ast.Assert, frame: Frame) -> None:
        """Checks are not written."""

    do_import = do_importfrom = do_pass

    def do_raise(self, line: ast.Raise, frame: Frame) -> None:
        """The recorded call did not come here."""
        raise UnfoldableError("raise")

    def do_with(self, line: ast.With, frame: Frame) -> Known | None:
        """`np.errstate`: the program says so once, for all."""
        return self.block(line.body, frame)

    def do_try(self, line: ast.Try, frame: Frame) -> Known | None:
        """What is tried went well in the recorded call."""
        return self.block(line.body, frame)

    def do_annassign(self, line: ast.AnnAssign, frame: Frame) -> None:
        """An assignment with a type."""
        if line.value is not None:
            self.assign(line.target, self.value(line.value, frame), frame)

    def do_assign(self, line: ast.Assign, frame: Frame) -> None:
        """An assignment, to one name or several."""
        if isinstance(line.targets[0], ast.Attribute):  # a flag of an array
            flags = line.targets[0].value
            assert isinstance(flags, ast.Attribute)
            array = written(self.value(flags.value, frame))
            of_array = ast.Attribute(array, flags.attr, ast.Load())
            flag = ast.Attribute(of_array, line.targets[0].attr, ast.Store())
            self.write(ast.Assign([flag], written(self.value(line.value, frame))))
            return
        changes = isinstance(line.targets[0], ast.Name) and line.targets[0].id in frame.changing
        before = self.exact, self.hint
        self.exact, self.hint = changes, _hint(line.targets[0], "")
        known = self.value(line.value, frame)
        self.exact, self.hint = before
        if len(line.targets) > 1:
            known = self.named(known, _hint(line.targets[0]))
        for target in reversed(line.targets):
            self.assign(target, known, frame)

    def assign(self, target: ast.expr, known: Known, frame: Frame) -> None:
        """One target."""
        if isinstance(target, ast.Name):
            self.store(target.id, known, frame)
        elif isinstance(target, (ast.Tuple, ast.List)):
            whole = known
            starred = [i for i, e in enumerate(target.elts) if isinstance(e, ast.Starred)]
            if starred:
                self.assign_rest(target.elts, starred[0], self.parts(known), frame)
                return
            if self.unpacked(target.elts, known, frame):
                return
            for i, (part, at) in enumerate(zip(self.parts(known), target.elts, strict=True)):
                if whole.parts is None and not part.static:
                    part = self.named(part, _hint(at, f"part_{i}"))
                self.assign(at, part, frame)
        elif isinstance(target, ast.Subscript):
            if self.assigned_part(target, known, frame):
                return
            place = self.place(target, frame)
            if self.filled_at_once(place, known):
                return
            self.write(ast.Assign([_stored(place)], written(known)))
        else:
            raise UnfoldableError(f"an assignment to {ast.unparse(target)}")

    def unpacked(self, targets: Sequence[ast.expr], known: Known, frame: Frame) -> bool:
        """Whether an array was taken apart by `a, b = array`."""
        variables = [t.id for t in targets if isinstance(t, ast.Name)]
        array = known.parts is None and not known.static and known.fill is None
        if not array or len(variables) < len(targets) or set(variables) & set(frame.pins):
            return False
        names = [self.fresh(v) for v in variables]
        stored: list[ast.expr] = [ast.Name(n, ast.Store()) for n in names]
        self.write(ast.Assign([ast.Tuple(stored, ast.Store())], written(known)))
        if self.looping:
            self.varying |= set(names)
        for variable, n in zip(variables, names, strict=True):
            frame.names[variable] = Known(name(n), self.space.get(n, MISSING))
        return True

    def filled_at_once(self, place: ast.expr, known: Known) -> bool:
        """Whether `y[...] = x` can be `y = x`: both were made here and nobody else has them."""
        if not (isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name)):
            return False
        if not (isinstance(place.slice, ast.Constant) and place.slice.value is ...):
            return False
        old, new = Known(place.value), self.named(known, place.value.id)
        before, after = self.look(old), self.look(new)
        alike = (
            isinstance(after, np.ndarray)
            and after.dtype == before.dtype
            and after.shape == before.shape
        )
        if not alike or not self.is_ours_alone(old) or not self.is_ours_alone(new):
            return False
        self.replace(old, new)
        return True

    def assign_rest(
        self, targets: Sequence[ast.expr], at: int, parts: list[Known], frame: Frame
    ) -> None:
        """`a, *b = parts`."""
        behind = len(targets) - at - 1
        middle = parts[at : len(parts) - behind]
        for target, part in zip(targets[:at], parts[:at], strict=True):
            self.assign(target, part, frame)
        self.assign(targets[at].value, several(middle, list), frame)  # type: ignore[attr-defined]
        for target, part in zip(targets[at + 1 :], parts[len(parts) - behind :], strict=True):
            self.assign(target, part, frame)

    def assigned_part(self, target: ast.Subscript, known: Known, frame: Frame) -> bool:
        """Whether it was an entry of a Python list."""
        if not isinstance(target.value, ast.Name):
            return False
        owner = self.own_list(target.value.id, frame)
        if owner is None:
            return False
        index = self.value(target.slice, frame)
        if not index.static or self.looping:
            return False
        assert owner.parts is not None
        owner.parts[index.value] = self.named(known, target.value.id)
        return True

    def own_list(self, variable: str, frame: Frame) -> Known | None:
        """A Python list that the rule keeps, ready to be changed."""
        owner = frame.names.get(variable)
        if owner is not None and owner.static and isinstance(owner.value, list):
            owner = frame.names[variable] = several([static(v) for v in owner.value], list)
        return (
            owner if owner is not None and owner.kind is list and owner.parts is not None else None
        )

    def store(self, variable: str, known: Known, frame: Frame) -> None:
        """A value under a variable."""
        if variable in frame.pins:
            pin = frame.pins[variable]
            if not (isinstance(known.code, ast.Name) and known.code.id == pin):
                self.write(ast.Assign([ast.Name(pin, ast.Store())], written(known)))
            frame.names[variable] = Known(name(pin), self.space.get(pin, MISSING))
            return
        frame.names[variable] = self.named(known, variable)

    def place(self, target: ast.Subscript, frame: Frame) -> ast.expr:
        """Something in square brackets that is written to."""
        owner = self.value(target.value, frame)
        index = self.value(target.slice, frame)
        if owner.parts is not None or owner.static:
            raise UnfoldableError("a list that changes")
        picked = self.picked(owner if _is_view(owner.code) else self.named(owner, "array"), index)
        if isinstance(picked.code, ast.Subscript):
            return picked.code
        everything = ast.Constant(...)  # the whole array
        return ast.Subscript(written(picked), everything, ast.Load())

    def do_augassign(self, line: ast.AugAssign, frame: Frame) -> None:
        """`a += b`: in place where `a` is an array."""
        right = self.value(line.value, frame)
        if isinstance(line.target, ast.Name):
            variable = line.target.id
            left = frame.names[variable]
            if left.plain or left.fill is not None or not _in_place(self.look(left)):
                self.store(variable, self.binary(line.op, left, right), frame)
                return
            self.changed(line.op, left, right, frame, variable)
            return
        if isinstance(line.target, ast.Subscript):
            place = self.place(line.target, frame)
            self.write(ast.AugAssign(_stored(place), line.op, self.number(right, place)))
            return
        raise UnfoldableError(ast.unparse(line))

    def number(self, known: Known, place: ast.expr) -> ast.expr:
        """A single number next to an array: as Python's, where the array's type is its own."""
        kind = getattr(self.look(Known(place)), "dtype", None)
        if known.fill is not None and known.value.ndim == 0 and known.fill[1].dtype == kind:
            return known.fill[0]
        return written(known)

    def changed(
        self, op: ast.operator, left: Known, right: Known, frame: Frame, variable: str
    ) -> None:
        """An array changed in place; as a new array, where nobody could tell the difference."""
        sum_of_both = self.binary(op, left, right)
        after = self.look(sum_of_both)
        before = self.look(left)
        same = getattr(after, "dtype", None) == before.dtype and np.shape(after) == before.shape
        if same and variable not in frame.pins and self.is_ours_alone(left):
            self.replace(left, self.named(sum_of_both, variable))
            return
        self.write(ast.AugAssign(_stored(left.code), op, written(right)))

    def is_ours_alone(self, known: Known) -> bool:
        """Whether a name holds an array that was made here and that no other name looks into."""
        if self.looping or not isinstance(known.code, ast.Name) or known.code.id in self.given:
            return False
        array = self.look(known)
        if not isinstance(array, np.ndarray) or array.base is not None:
            return False
        others = (v for n, v in self.space.items() if n != known.code.id)
        return not any(isinstance(v, np.ndarray) and np.may_share_memory(v, array) for v in others)

    def replace(self, old: Known, new: Known) -> None:
        """Where a variable meant the old value, it means the new one."""
        for frame in self.frames:
            for variable, known in frame.names.items():
                frame.names[variable] = _with(known, old, new)
        if isinstance(old.code, ast.Name) and not old.room:
            self.space[old.code.id] = MISSING

    # --------------------------------------------------------------------------- ifs and loops

    def do_if(self, line: ast.If, frame: Frame) -> Known | None:
        """The branch that was taken; both, where the numbers decide."""
        test = self.value(line.test, frame)
        truth = self.truth(test)
        if truth is not None:
            return self.block(line.body if truth else line.orelse, frame)
        if _only_complains(line.body):
            return self.block(line.orelse, frame)
        self.if_at_run_time(line, test, frame)
        return None

    def if_at_run_time(self, line: ast.If, test: Known, frame: Frame) -> None:
        """An `if` that stays one."""
        taken = bool(self.look(test))
        assigned = _assigned(line.body) | _assigned(line.orelse)
        self.pin(assigned & set(frame.names), frame)
        for variable in assigned - set(frame.names):
            frame.pins[variable] = self.fresh(variable)
        sides = []
        outside, space, dry = self.lines, self.space, self.dry
        for body, runs in ((line.body, taken), (line.orelse, not taken)):
            names = dict(frame.names)
            self.lines = []
            self.space = space if runs else {**space}
            self.dry = dry or not runs
            result = self.block(body, frame)
            if result is not None:
                if len(self.frames) > 1:
                    raise UnfoldableError("a return that the numbers decide on")
                self.returns_early = True
                self.lines.append(ast.Return(written(result)))
                dry = dry or runs  # what follows was not come to
            sides.append(self.lines)
            if not runs:
                frame.names = names
        self.lines, self.space, self.dry = outside, space, dry
        if sides[0] or sides[1]:
            choice = ast.If(written(test), sides[0] or [ast.Pass()], sides[1])
            self.lines.append(ast.fix_missing_locations(choice))
        for variable in assigned:
            if variable in frame.pins:
                pin = frame.pins[variable]
                frame.names[variable] = Known(name(pin), self.space.get(pin, MISSING))

    def do_for(self, line: ast.For, frame: Frame) -> Known | None:
        """A loop: kept where every round is written alike, else written round by round."""
        rounds = self.rounds(line.iter, frame)
        if rounds is None:
            raise UnfoldableError(f"a loop over {ast.unparse(line.iter)}")
        if len(rounds) > 1 and self.may_keep(line, rounds):
            before = self.lines, dict(self.space), [f.copy() for f in self.frames], self.looping
            saved = {n: v.copy() for n, v in self.space.items() if isinstance(v, np.ndarray)}
            try:
                self.kept_loop(line, rounds, frame)
                return None
            except (_KeptLoopError, UnfoldableError):
                self.lines, space, frames, self.looping = before
                self.space.clear()
                self.space.update(space)
                for n, v in saved.items():
                    _restore(self.space[n], v)
                for f, (names, pins) in zip(self.frames, frames, strict=True):
                    f.names, f.pins = names, pins
        if len(rounds) > LONGEST_UNROLLED:
            raise UnfoldableError("a long loop")
        for round_ in rounds:
            self.assign(line.target, round_, frame)
            result = self.block(line.body, frame)
            if result is not None:
                return result
        return None

    def may_keep(self, line: ast.For, rounds: list[Known]) -> bool:
        """Whether a loop counts, or goes through arrays."""
        if _is_range(line.iter):
            return isinstance(line.target, ast.Name)
        if isinstance(line.iter, (ast.Tuple, ast.List)):
            return False
        return all(
            not part.static and part.parts is None
            for round_ in rounds
            for part in (round_.parts if round_.parts is not None else [round_])
        )

    def over(self, node: ast.expr, frame: Frame) -> ast.expr:
        """What a loop that is kept goes through, as it is written."""
        called = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if called in ("reversed", "zip"):
            assert isinstance(node, ast.Call)
            return ast.Call(name(called), [self.over(a, frame) for a in node.args], [])
        return written(self.value(node, frame))

    def kept_loop(self, line: ast.For, rounds: list[Known], frame: Frame) -> None:
        """A loop that stays one. Its first round is run while it is written, the others afterwards."""
        over = self.over(line.iter, frame)
        values = [self.look(round_) for round_ in rounds]
        assigned = _assigned(line.body)
        self.pin(assigned & set(frame.names), frame)
        targets = line.target.elts if isinstance(line.target, ast.Tuple) else [line.target]
        variables = [self.fresh(_hint(t)) for t in targets]
        stored = [ast.Name(v, ast.Store()) for v in variables]
        target = stored[0] if len(stored) == 1 else ast.Tuple(list(stored), ast.Store())
        outside, self.lines = self.lines, []
        self.looping += 1
        self.varying |= {*variables, *frame.pins.values()}
        self.enter(variables, values[0])
        for t, v in zip(targets, variables, strict=True):
            if not isinstance(t, ast.Name):
                raise _KeptLoopError
            frame.names[t.id] = Known(name(v), self.space[v])
        if self.block(line.body, frame) is not None:
            raise _KeptLoopError
        self.looping -= 1
        body, self.lines = self.lines, outside
        if not body:
            raise _KeptLoopError  # it only settles things
        self.lines.append(ast.fix_missing_locations(ast.For(target, over, body, [])))
        if self.dry:
            return
        code = compile(ast.fix_missing_locations(ast.Module(body, [])), "<fold>", "exec")
        for value in values[1:]:
            self.enter(variables, value)
            exec(code, self.space)
        for known in frame.names.values():
            if isinstance(known.code, ast.Name):
                known.value = self.space.get(known.code.id, MISSING)

    def enter(self, variables: list[str], value: Any) -> None:
        """The variables of a loop in one of its rounds."""
        parts = [value] if len(variables) == 1 else value
        self.space.update(zip(variables, parts, strict=True))

    def pin(self, variables: set[str], frame: Frame) -> None:
        """Give variables that will be assigned again a name of their own, for good."""
        for variable in sorted(variables):
            known = frame.names[variable]
            if variable in frame.pins:
                continue
            if known.parts is not None or (known.static and not _is_writable(known.value)):
                raise _KeptLoopError
            pin = self.fresh(variable)
            self.write(ast.Assign([ast.Name(pin, ast.Store())], written(known)))
            frame.pins[variable] = pin
            frame.names[variable] = Known(name(pin), self.space.get(pin, MISSING))

    def rounds(self, node: ast.expr, frame: Frame) -> list[Known] | None:
        """What a loop goes through, if that is known."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            kind = node.func.id
            if kind in ("zip", "enumerate", "reversed") and kind not in frame.names:
                inner = [self.rounds(a, frame) for a in node.args]
                if any(i is None for i in inner):
                    return None
                lists: list[list[Known]] = inner  # type: ignore[assignment]
                if kind == "reversed":
                    return lists[0][::-1]
                if kind == "enumerate":
                    return [several([static(i), v]) for i, v in enumerate(lists[0])]
                return [several(together) for together in zip(*lists, strict=False)]
        known = self.value(node, frame)
        if known.parts is None and not known.static:
            value = self.look(known)
            if isinstance(value, np.ndarray) and not names_in(written(known)) & self.varying:
                known = self.named(known, "rows")
                return [self.picked(known, static(i)) for i in range(len(value))]
            return None
        return self.parts(known)

    # --------------------------------------------------------------------------- small questions

    def truth(self, known: Known) -> bool | None:
        """Whether it counts as true, if that is known."""
        if known.parts is not None:
            return bool(known.parts)
        return bool(known.value) if known.static else None

    def parts(self, known: Known) -> list[Known]:
        """A value taken apart."""
        if known.parts is not None:
            return known.parts
        if known.static:
            if isinstance(known.value, tuple) and hasattr(known.value, "_fields"):
                return [static(v) for v in known.value]
            return [v if isinstance(v, Known) else static(v) for v in known.value]
        value = self.look(known)
        if value is MISSING or names_in(written(known)) & self.varying:
            if isinstance(value, (np.ndarray, tuple)):
                return [self.picked(known, static(i)) for i in range(len(value))]
            raise UnfoldableError("a value of unknown length")
        whole = self.named(known, "rows")
        return [self.picked(whole, static(i)) for i in range(len(value))]

    def value(self, node: ast.expr, frame: Frame) -> Known:
        """What an expression is, and how it is written."""
        from .expressions import value_of

        return value_of(self, node, frame)

    def binary(self, op: ast.operator, left: Known, right: Known) -> Known:
        """Two values with an operator between."""
        from .expressions import binary

        return binary(self, op, left, right)

    def picked(self, owner: Known, index: Known) -> Known:
        """Something in square brackets."""
        from .expressions import picked

        return picked(self, owner, index)


# ------------------------------------------------------------------------------------------- helpers


@cache
def source_of(function: types.FunctionType) -> ast.FunctionDef:
    """The definition of a function.

    Raises:
        ArgumentError: its text cannot be found (it was typed into a prompt, say).
    """
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise ArgumentError(
            f"the program writer reads the rules of operations in their source, and that of "
            f"{function.__name__} cannot be found.\nDefine the operation in a file"
        ) from None
    found = ast.parse(text).body[0]
    if not isinstance(found, ast.FunctionDef):
        raise UnfoldableError("no function")
    return found


@cache
def _changed_in_place(function: types.FunctionType) -> set[str]:
    """The variables of a function that it changes with `+=` and the like."""
    return {
        n.target.id
        for n in ast.walk(source_of(function))
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }


def _hint(target: ast.expr, otherwise: str = "value") -> str:
    return target.id if isinstance(target, ast.Name) else otherwise


def _is_view(code: ast.expr | None) -> bool:
    """Whether code reads an array in another shape, without a copy."""
    return (
        isinstance(code, ast.Call)
        and isinstance(code.func, ast.Attribute)
        and code.func.attr == "reshape"
        and isinstance(code.func.value, ast.Name)
    )


def _stored(place: Any) -> Any:
    from .known import copied

    place = copied(place)
    place.ctx = ast.Store()
    return place


def _assigned(lines: Sequence[ast.stmt]) -> set[str]:
    """The variables that statements assign."""
    return {
        n.id
        for line in lines
        for n in ast.walk(line)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _only_complains(body: Sequence[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and isinstance(last.value.func, ast.Name)
        and last.value.func.id == "warn"
    )


def _is_range(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    if node.func.id == "reversed":
        return _is_range(node.args[0])
    return node.func.id == "range"


def _in_place(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_writable(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic)) and not isinstance(value, bool)


def _with(known: Known, old: Known, new: Known) -> Known:
    if known.parts is not None:
        return Known(parts=[_with(p, old, new) for p in known.parts], kind=known.kind)
    if old.room:
        return new if known.room == old.room else known
    same = isinstance(known.code, ast.Name) and isinstance(old.code, ast.Name)
    return new if same and known.code.id == old.code.id else known  # type: ignore[union-attr]


def _restore(array: Any, numbers: Any) -> None:
    if isinstance(array, np.ndarray) and array.flags.writeable:
        array[...] = numbers


def static_or_none(value: Any) -> Known | None:
    """A static value, if it is of a kind that can be one."""
    return static(value) if can_be_static(value) else None
