"""A program read: each line as terms, or as a step that changes something.

The reader goes through the text of a program as Python would, with the arrays of one recorded step at hand.
What it knows becomes terms; what it does not know stays a call of NumPy's, made between the loops.
"""

from __future__ import annotations

import ast
import builtins
import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..known import copied, literal, names_in
from ..layout import text
from ..lines import changed_by, roots
from . import operations, vocabulary
from .operations import INFIX
from .tables import Tables
from .terms import (
    Call,
    Checked,
    Eye,
    Fold,
    Iota,
    Leaf,
    Map,
    Number,
    Product,
    Set,
    SetAt,
    Spread,
    Step,
    Taken,
    Term,
    View,
    memory,
)
from .views import cut, repeated, reshaped, turned

UNROLLED = 8  # rounds of a loop that are written one after the other
SCALARS = (bool, int, float, np.generic)


class UnreadableError(Exception):
    """Something that has no loop form, in words."""


class Reader:
    """Reads a program.

    Attributes:
        steps: what happens, in order.
        returned: what the program returns: an expression, with names of `given` in it.
        leaves: the arguments and the results of calls, by name.
        functions: the functions of the program that are called as they stand.
    """

    def __init__(
        self, source: str, title: str, space: dict[str, Any], given: dict[str, Any]
    ) -> None:
        tree = ast.parse(source)
        self.functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
        self.space = {n: v for n, v in space.items() if n not in self.functions}
        self.used: set[str] = set()
        self.steps: list[Step] = []
        self.returned: ast.expr = ast.Constant(None)
        self.given: dict[str, Term] = {}
        self.time = 0
        self.line = ""
        self.checked: set[Any] = set()
        self.tables = Tables(self)
        self.leaves = {n: Leaf(n, v, given=True) for n, v in given.items()}
        self.real: dict[str, Any] = {n: v for n, v in space.items() if n != "__name__"}
        if "rng" in self.real:
            self.real["rng"] = np.random.Generator(np.random.SFC64(0))
        main = self.functions[title]
        env: dict[str, Any] = {a.arg: self.leaves[a.arg] for a in main.args.args}
        self.outer = {n: leaf for n, leaf in self.leaves.items() if n not in env}
        self.body(main.body, env, main=True)

    # -------------------------------------------------------------------------------- lines

    def body(self, lines: Sequence[ast.stmt], env: dict[str, Any], main: bool = False) -> Any:
        """Lines one after the other; what a `return` gives."""
        for line in lines:
            if main:
                self.line = text(line)
            if isinstance(line, ast.Return):
                if main:
                    self.returned = self.outlined(line.value, env, self.given)
                    return None
                return None if line.value is None else self.several(line.value, env)
            if isinstance(line, ast.For):
                for values in self.rounds(line, env):
                    self.assign(line.target, values, env)
                    self.body(line.body, env)
            elif isinstance(line, (ast.Assign, ast.AugAssign)):
                self.assignment(line, env)
            elif isinstance(line, ast.Expr):
                if not isinstance(line.value, ast.Constant):
                    self.several(line.value, env)
            else:
                raise UnreadableError(f"a line that begins with `{text(line).split()[0]}`")
        return None

    def assignment(self, line: ast.Assign | ast.AugAssign, env: dict[str, Any]) -> None:
        """`target = value`, `target += value`."""
        before = len(self.steps), set(self.checked)
        try:
            if isinstance(line, ast.AugAssign):
                self.changed(line, env)
                return
            value = self.several(line.value, env)
            for target in line.targets:
                self.assign(target, value, env)
        except UnreadableError:
            target = line.target if isinstance(line, ast.AugAssign) else line.targets[0]
            if not isinstance(target, ast.Subscript):
                raise
            del self.steps[before[0] :]
            self.checked = before[1]
            self.lifted_line(line, target, env)

    def rounds(self, line: ast.For, env: dict[str, Any]) -> list[Any]:
        """What a loop's variables are, round by round."""
        found = self.over(line.iter, env)
        if len(found) * len(line.body) > 8 * UNROLLED or len(found) > UNROLLED:
            raise UnreadableError(f"a loop of {len(found)} rounds")
        return found

    def over(self, node: ast.expr, env: dict[str, Any]) -> list[Any]:
        """What one goes over."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "zip":
                return list(zip(*[self.over(a, env) for a in node.args], strict=False))
            if node.func.id == "reversed":
                return self.over(node.args[0], env)[::-1]
            if node.func.id == "enumerate":
                return list(enumerate(self.over(node.args[0], env)))
        value = self.value(node, env)
        if isinstance(value, Term):
            return [self.at(value, [i]) for i in range(value.shape[0])]
        return list(value)

    def assign(self, target: ast.expr, value: Any, env: dict[str, Any]) -> None:
        """`target = value`."""
        if isinstance(target, ast.Name):
            if isinstance(value, Term) and not value.name and not isinstance(value, Number):
                value.name = target.id
            env[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = list(value) if not isinstance(value, Term) else self.over_axis(value)
            for t, v in zip(target.elts, parts, strict=True):
                self.assign(t, v, env)
        elif isinstance(target, ast.Subscript):
            self.put(target, None, self.term(value), env)
        else:
            raise UnreadableError("an attribute that is set")

    def over_axis(self, x: Term) -> list[Term]:
        """An array's parts along its first axis."""
        return [self.at(x, [i]) for i in range(x.shape[0])]

    def changed(self, line: ast.AugAssign, env: dict[str, Any]) -> None:
        """`target += value`."""
        function = INFIX.get(type(line.op))
        if function is None:
            raise UnreadableError(f"`{text(line)}`")
        value = self.term(self.value(line.value, env))
        if isinstance(line.target, ast.Name):
            target = env[line.target.id]
            if not isinstance(target, Term) or target.is_weak or target.shape == ():
                env[line.target.id] = self.map(function, [self.term(target), value])
                return
            self.set(target, function, value)
        else:
            self.put(line.target, function, value, env)

    def put(self, target: ast.expr, function: Any, value: Term, env: dict[str, Any]) -> None:
        """Into a part of an array."""
        assert isinstance(target, ast.Subscript)
        owner = self.value(target.value, env)
        if not isinstance(owner, Term):
            raise UnreadableError(f"`{text(target)}`")
        places = self.places(target.slice, env)
        if not any(isinstance(p, Term) for p in places):
            self.set(self.at(owner, places), function, value)
            return
        picks = [self.term(p) for p in places]
        unique = any(isinstance(p, Iota) for p in picks)
        if function is not None and not unique:
            raise UnreadableError(f"`{text(target)}` changed where places may repeat")
        self.set_at(owner, picks, function, value)

    def set(self, target: Term, function: Any, value: Term) -> None:
        """A step that changes an array."""
        self.only_known(target, value)
        if not isinstance(target.value, np.ndarray):
            raise UnreadableError("a number that is changed in place")
        with np.errstate(all="ignore"):
            new = value.value if function is None else function(target.value, value.value)
            target.value[...] = new
        self.steps.append(Set(self.tick(), self.line, target, function, value))

    def set_at(self, owner: Term, picks: list[Term], function: Any, value: Term) -> None:
        """A step that changes some elements or rows."""
        self.only_known(owner, value)
        if not isinstance(owner.value, np.ndarray):
            raise UnreadableError("a number that is changed in place")
        for axis, p in enumerate(picks):
            self.check(p, owner.shape[axis])
        if any(memory(t) is memory(owner) for p in picks for t in p.walk()):
            raise UnreadableError("places that are named by the array that is changed")
        where = tuple(p.value for p in picks)
        with np.errstate(all="ignore"):
            if function is None:
                owner.value[where] = value.value
            else:
                function.at(owner.value, where, value.value)
        self.steps.append(SetAt(self.tick(), self.line, owner, picks, function, value))

    def only_known(self, *terms: Term) -> None:
        """Refuse types of numbers that loops do not know."""
        for term in terms:
            if term.dtype.char not in operations.ALLOWED:
                raise UnreadableError(f"numbers of type {term.dtype}")

    def check(self, ids: Term, size: int) -> None:
        """Have whole numbers checked before they are used as places."""
        if isinstance(ids, (Iota, Number)) or (id(ids), size) in self.checked:
            return
        self.checked.add((id(ids), size))
        self.steps.append(Checked(self.tick(), self.line, ids, size))

    def tick(self) -> int:
        """One moment later."""
        self.time += 1
        return self.time

    def new(self, term: Term) -> Term:
        """A term made now, if it was not there before."""
        term.time = term.time or self.tick()
        return term

    # -------------------------------------------------------------------------- expressions

    def several(self, node: ast.expr, env: dict[str, Any]) -> Any:
        """An expression, or several with commas."""
        if isinstance(node, ast.Tuple):
            return [self.several(n, env) for n in node.elts]
        return self.value(node, env)

    def value(self, node: ast.expr, env: dict[str, Any]) -> Any:
        """What an expression is: a term, or something that is known."""
        settled = self.settled(node, env)
        if settled is not None:
            return settled[0]
        before = len(self.steps), set(self.checked)
        try:
            rule = getattr(self, f"read_{type(node).__name__.lower()}", None)
            if rule is None:
                raise UnreadableError(f"`{text(node)}`")
            return rule(node, env)
        except UnreadableError:
            del self.steps[before[0] :]
            self.checked = before[1]
            return self.lifted(node, env)

    def term(self, value: Any) -> Term:
        """Something as a term."""
        if isinstance(value, Term):
            return value
        if isinstance(value, SCALARS):
            return self.new(Number(value))
        raise UnreadableError(f"a {type(value).__name__} among numbers")

    def look_up(self, name: str, env: dict[str, Any]) -> Any:
        """What a name stands for."""
        for space in (env, self.outer, self.space, vars(builtins)):
            if name in space:
                return space[name]
        raise UnreadableError(f"the name {name}")

    def settled(self, node: ast.expr, env: dict[str, Any]) -> tuple[Any] | None:
        """The value of an expression in which nothing depends on the step's numbers."""
        local: dict[str, Any] = {}
        for name in names_in(node):
            if name in self.functions or name in ("rng", "pellucid"):
                return None
            value = self.look_up(name, env)
            if isinstance(value, (Term, list)):
                return None
            local[name] = value
        try:
            code = compile(
                ast.fix_missing_locations(ast.Expression(copied(node))), "<settled>", "eval"
            )
            value = eval(code, {"np": np, "math": math}, local)
        except Exception:
            return None
        return None if _has_arrays(value) else (value,)

    def read_name(self, node: ast.Name, env: dict[str, Any]) -> Any:
        """A variable."""
        return self.look_up(node.id, env)

    def read_tuple(self, node: ast.Tuple, env: dict[str, Any]) -> Any:
        """Several."""
        return tuple([self.value(n, env) for n in node.elts])

    def read_list(self, node: ast.List, env: dict[str, Any]) -> Any:
        """Several."""
        return [self.value(n, env) for n in node.elts]

    def read_binop(self, node: ast.BinOp, env: dict[str, Any]) -> Term:
        """`a + b`."""
        sides = [self.term(self.value(side, env)) for side in (node.left, node.right)]
        if isinstance(node.op, ast.MatMult):
            return self.product(*sides)
        return self.map(INFIX.get(type(node.op)), sides)

    def read_compare(self, node: ast.Compare, env: dict[str, Any]) -> Term:
        """`a > b`."""
        if len(node.ops) > 1:
            raise UnreadableError(f"`{text(node)}`")
        sides = [self.term(self.value(side, env)) for side in (node.left, node.comparators[0])]
        return self.map(INFIX.get(type(node.ops[0])), sides)

    def read_unaryop(self, node: ast.UnaryOp, env: dict[str, Any]) -> Term:
        """`-a`."""
        return self.map(INFIX.get(type(node.op)), [self.term(self.value(node.operand, env))])

    def read_attribute(self, node: ast.Attribute, env: dict[str, Any]) -> Any:
        """`a.T`."""
        x = self.value(node.value, env)
        if isinstance(x, Term) and node.attr in ("T", "mT"):
            order = list(range(len(x.shape)))
            order = order[::-1] if node.attr == "T" else [*order[:-2], *order[:-3:-1]]
            return self.new(turned(x, order, f"{{}}.{node.attr}"))
        raise UnreadableError(f"`{text(node)}`")

    def read_subscript(self, node: ast.Subscript, env: dict[str, Any]) -> Any:
        """`a[...]`."""
        x = self.value(node.value, env)
        places = self.places(node.slice, env)
        if isinstance(x, (list, tuple)):
            return x[places[0]]
        if not any(isinstance(p, Term) for p in places):
            return self.at(x, places)
        return self.taken(x, [self.term(p) for p in places])

    def places(self, node: ast.expr, env: dict[str, Any]) -> list[Any]:
        """What stands in brackets."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        found: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Slice):
                ends = [
                    None if e is None else self.value(e, env)
                    for e in (part.lower, part.upper, part.step)
                ]
                if any(isinstance(e, Term) for e in ends):
                    raise UnreadableError(f"`{text(part)}`")
                found.append(slice(*ends))
            else:
                found.append(self.value(part, env))
        if len(found) == 1 and isinstance(found[0], tuple):
            found = list(found[0])
        for p in found:
            if not (isinstance(p, (Term, slice, int, np.integer)) or p is None or p is ...):
                raise UnreadableError(f"`[{text(node)}]`")
            if isinstance(p, Term) and (p.dtype.kind not in "iu" or p.is_weak):
                raise UnreadableError(f"`[{text(node)}]`")
        return [int(p) if isinstance(p, np.integer) else p for p in found]

    def at(self, x: Term, places: Sequence[Any]) -> Term:
        """A part that is known."""
        if not isinstance(x, Term) or x.is_weak:
            raise UnreadableError("brackets behind what is no array")
        index = ast.unparse(ast.Tuple([literal_place(p) for p in places], ast.Load()))
        return self.new(cut(x, places, f"{{}}[{index.strip('()')}]"))

    def taken(self, x: Term, picks: list[Term]) -> Term:
        """Rows or elements that others name."""
        if not isinstance(x, Term):
            raise UnreadableError("brackets behind what is no array")
        self.only_known(x)
        for axis, p in enumerate(picks):
            self.check(p, x.shape[axis])
        return self.new(Taken(x.value[tuple(p.value for p in picks)], x, picks))

    # ---------------------------------------------------------------------------- operations

    def map(self, function: Any, parts: Sequence[Term]) -> Term:
        """A function of elements; what is asked for a second time is the same term."""
        if not operations.knows(function):
            raise UnreadableError(getattr(function, "__name__", str(function)))
        with np.errstate(all="ignore"):
            value = function(*[p.value for p in parts])
        if all(p.is_weak for p in parts) and isinstance(value, np.generic):
            value = value.item()
        if all(isinstance(p, Number) for p in parts):
            return self.term(value)
        if not operations.takes(function, value, [p.value for p in parts]):
            raise UnreadableError(f"{function.__name__} of {np.asarray(value).dtype}")
        return self.mapped(value, function, parts)

    def mapped(self, value: Any, function: Any, parts: Sequence[Term]) -> Term:
        """The same, where the value is known. Other axes are put outside: f(x.reshape(...)) is
        f(x).reshape(...).
        """
        for p in parts:
            self.only_known(p)
        views = [p for p in parts if p.shape]
        first = views[0] if views else None
        if isinstance(first, View) and first.shaped and all(
            isinstance(p, View) and p.shaped and p.of.shape == first.of.shape and p.shape == np.shape(value)
            for p in views
        ):  # fmt: skip
            inner = [p.of if isinstance(p, View) and p.shaped else p for p in parts]
            flat = self.mapped(np.reshape(value, first.of.shape), function, inner)
            return self.new(reshaped(flat, np.shape(value), f"{{}}.reshape({np.shape(value)})"))
        return self.new(Map(_in_order(value), function, parts))

    def cast(self, x: Term, kind: Any) -> Term:
        """Numbers of another type."""
        if x.dtype == kind and not x.is_weak:
            return x
        if np.dtype(kind).char not in operations.ALLOWED:
            raise UnreadableError(f"numbers of type {np.dtype(kind)}")
        return self.mapped(np.asarray(x.value).astype(kind), "cast", [x])

    def product(self, a: Term, b: Term) -> Term:
        """`a @ b`; with one multiplication each it is an element by element one."""
        self.only_known(a, b)
        value = np.matmul(a.value, b.value)
        if np.asarray(value).dtype.kind not in "fiu":
            raise UnreadableError(f"a product of {np.asarray(value).dtype}")
        ids = _one_hot(a)
        if ids is not None and len(b.shape) == 2:
            spread = self.tables.spread(ids, b, len(value))
            return spread or self.new(Spread(value, ids, b))
        if len(a.shape) == len(b.shape) == 1:
            return self.fold(np.add, self.map(np.multiply, [a, b]), (0,), False)
        if a.shape[-1] == 1:
            column = a if len(a.shape) > 1 else self.at(a, [slice(None)])
            row = b if len(b.shape) > 1 else self.at(b, [None])
            both = self.map(np.multiply, [column, row])
            return self.new(reshaped(both, np.shape(value), f"{{}}.reshape({np.shape(value)})"))
        return self.tables.product(a, b) or self.new(Product(_in_order(value), a, b))

    def fold(self, function: Any, x: Term, axes: tuple[int, ...], keeps: bool) -> Term:
        """A sum or the like."""
        self.only_known(x)
        if not np.size(x.value) and function is not np.add:
            raise UnreadableError("an empty array")
        if isinstance(x, View) and x.shaped and len(axes) == len(x.shape):
            inner = self.fold(function, x.of, tuple(range(len(x.of.shape))), False)
            return self.reshape(inner, (1,) * len(x.shape)) if keeps else inner
        value = function.reduce(x.value, axis=axes, keepdims=keeps)
        if value.dtype != x.dtype:
            x = self.cast(x, value.dtype)
        return self.new(Fold(_in_order(value), function, x, axes, keeps))

    def reshape(self, x: Term, shape: Any) -> Term:
        """Other axes."""
        sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
        if not all(isinstance(n, (int, np.integer)) for n in sizes):
            raise UnreadableError("a shape that depends on the numbers")
        value = np.reshape(x.value, shape)
        if not value.size:
            raise UnreadableError("an empty array")
        if isinstance(x, (View, Leaf)) and not np.may_share_memory(value, x.value):
            x = self.mapped(np.array(x.value), "copy", [x])  # so does NumPy
        made = reshaped(x, value.shape, f"{{}}.reshape({value.shape})")
        return made if made is x else self.new(made)

    # --------------------------------------------------------------------------------- calls

    def read_call(self, node: ast.Call, env: dict[str, Any]) -> Any:
        """A call: of the program's own functions, of NumPy's, of a method."""
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            return self.inlined(node, env)
        drawn = bool({"rng", "pellucid"} & names_in(node.func))
        if drawn or any(isinstance(a, ast.Starred) for a in node.args):
            raise UnreadableError(f"`{text(node)}`")
        given = {k.arg: self.value(k.value, env) for k in node.keywords if k.arg}
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value, env)
            if isinstance(owner, Term):
                arguments = [self.value(a, env) for a in node.args]
                return vocabulary.method(self, owner, node.func.attr, arguments, given)
        function = self.value(node.func, env)
        arguments = [self.value(a, env) for a in node.args]
        if function == np.add.at:  # asked for twice, it is another object
            self.add_at(*arguments)
            return None
        out = given.pop("out", None)
        if out is not None:
            self.set(out, None, vocabulary.called(self, function, arguments, given))
            return out
        return vocabulary.called(self, function, arguments, given)

    def add_at(self, table: Term, ids: Any, rows: Any) -> None:
        """`np.add.at`: places may repeat."""
        picks = [self.term(i) for i in (ids if isinstance(ids, (list, tuple)) else [ids])]
        if any(p.dtype.kind not in "iu" or p.is_weak for p in picks):
            raise UnreadableError("np.add.at where arrays do not name the places one by one")
        self.set_at(table, picks, np.add, self.term(rows))

    def inlined(self, node: ast.Call, env: dict[str, Any]) -> Any:
        """One of the program's own functions, line by line; or, where that is not possible, as it is."""
        assert isinstance(node.func, ast.Name)
        function = self.functions[node.func.id]
        arguments = [self.value(a, env) for a in node.args]
        inner = dict(zip([a.arg for a in function.args.args], arguments, strict=True))
        return self.body(function.body, inner)

    # ------------------------------------------------------------------------ what stays NumPy's

    def lifted(self, node: ast.expr, env: dict[str, Any]) -> Any:
        """A call that is made between the loops."""
        given: dict[str, Term] = {}
        code = self.outlined(node, env, given, whole=True)
        before = {id(t): t for t in given.values()}
        name = (
            code.func.id if isinstance(code, ast.Call) and isinstance(code.func, ast.Name) else ""
        )
        changed = self.touched(name, code, given)
        if name in self.functions:
            self.use(name)
        space = {**self.real, "np": np, "math": math, **{n: t.value for n, t in given.items()}}
        space |= {n: leaf.value for n, leaf in self.outer.items()}
        try:
            program = compile(
                ast.fix_missing_locations(ast.Expression(copied(code))), "<call>", "eval"
            )
            with np.errstate(all="ignore"):
                value = eval(program, space)
        except Exception as error:
            raise UnreadableError(f"`{text(node)}` ({error})") from None
        parts = list(value) if isinstance(value, tuple) else [] if value is None else [value]
        results = [self.result(part, before.values()) for part in parts]
        several = isinstance(value, tuple)
        call = Call(self.tick(), self.line, code, given, results, changed, several)
        self.steps.append(call)
        for leaf in results:
            leaf.time = self.time
        if isinstance(value, tuple):
            return results
        return results[0] if results else None

    def lifted_line(
        self, line: ast.Assign | ast.AugAssign, target: ast.Subscript, env: dict[str, Any]
    ) -> None:
        """A line that changes part of an array, made between the loops."""
        given: dict[str, Term] = {}
        owner = self.value(target.value, env)
        place = self.outlined(target, env, given, whole=True)
        value = self.outlined(line.value, env, given)
        place.ctx = ast.Store()  # type: ignore[attr-defined]
        made: ast.stmt = (
            ast.AugAssign(place, line.op, value) if isinstance(line, ast.AugAssign)  # type: ignore[arg-type]
            else ast.Assign([place], value)
        )  # fmt: skip
        space = {"np": np, "math": math, **{n: t.value for n, t in given.items()}}
        module = ast.fix_missing_locations(ast.Module([copied(made)], []))
        with np.errstate(all="ignore"):
            exec(compile(module, "<line>", "exec"), space)
        self.steps.append(Call(self.tick(), self.line, made, given, [], [memory(self.term(owner))]))

    def use(self, name: str) -> None:
        """A function of the program's that is called, with those that it calls."""
        self.used.add(name)
        for other in names_in(self.functions[name]) & set(self.functions) - self.used:
            self.use(other)

    def result(self, value: Any, given: Any) -> Leaf:
        """An array that a call gives."""
        if not isinstance(value, (np.ndarray, *SCALARS)):
            raise UnreadableError(f"a call that gives a {type(value).__name__}")
        leaf = Leaf("", value)
        if isinstance(value, np.ndarray):
            for term in given:
                if isinstance(term.value, np.ndarray) and np.may_share_memory(term.value, value):
                    leaf.root = memory(term)
        return leaf

    def touched(self, name: str, code: ast.expr, given: dict[str, Term]) -> list[Term]:
        """What a call changes in place."""
        names = changed_by(ast.Expr(code))
        if name in self.functions:
            assert isinstance(code, ast.Call)
            function = self.functions[name]
            inside = {n for line in function.body for n in _changed_within(line, function)}
            for parameter, argument in zip(function.args.args, code.args, strict=True):
                if parameter.arg in inside:
                    names.add(roots(argument))
        return [memory(given[n]) for n in names if n in given]

    def outlined(
        self, node: Any, env: dict[str, Any], given: dict[str, Term], whole: bool = False
    ) -> ast.expr:
        """An expression with names of terms in the place of what is read."""
        if node is None:
            return ast.Constant(None)
        if isinstance(node, (ast.Tuple, ast.List)):
            parts = [self.outlined(n, env, given) for n in node.elts]
            return type(node)(parts, ast.Load())
        if isinstance(node, ast.Dict):
            return ast.Dict(node.keys, [self.outlined(n, env, given) for n in node.values])
        if isinstance(node, ast.Slice):
            return ast.Slice(
                *[e and self.outlined(e, env, given) for e in (node.lower, node.upper, node.step)]
            )
        if names_in(node) <= {"np", "math", "range", "slice"}:
            return copied(node)  # type: ignore[no-any-return]
        if whole:
            return self.outlined_parts(node, env, given)
        value = self.value(node, env)
        if isinstance(value, Term):
            if isinstance(value, Number):
                return literal(value.value)
            name = next((n for n, t in given.items() if t is value), f"given_{len(given)}_")
            given[name] = value
            return ast.Name(name, ast.Load())
        if isinstance(value, (list, tuple)) and any(isinstance(v, Term) for v in value):
            raise UnreadableError(f"`{text(node)}`")
        if isinstance(value, (types.ModuleType, types.FunctionType, type, np.ufunc)):
            return node  # type: ignore[no-any-return]
        try:
            return literal(value)
        except TypeError:
            raise UnreadableError(f"`{text(node)}`") from None

    def outlined_parts(self, node: Any, env: dict[str, Any], given: dict[str, Term]) -> ast.expr:
        """The same, of an expression's parts."""
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and not self.is_function(function, env):
                owner = self.outlined(function.value, env, given)
                function = ast.Attribute(owner, function.attr, ast.Load())
            arguments = [self.outlined(a, env, given) for a in node.args]
            named = [ast.keyword(k.arg, self.outlined(k.value, env, given)) for k in node.keywords]
            return ast.Call(function, arguments, named)
        if isinstance(node, ast.Subscript):
            owner, index = (
                self.outlined(node.value, env, given),
                self.outlined(node.slice, env, given),
            )
            return ast.Subscript(owner, index, ast.Load())
        if isinstance(node, ast.BinOp):
            sides = [self.outlined(n, env, given) for n in (node.left, node.right)]
            return ast.BinOp(sides[0], node.op, sides[1])
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self.outlined(node.operand, env, given))
        if isinstance(node, ast.Compare):
            sides = [self.outlined(n, env, given) for n in (node.left, *node.comparators)]
            return ast.Compare(sides[0], node.ops, sides[1:])
        if isinstance(node, ast.Attribute):
            return ast.Attribute(self.outlined(node.value, env, given), node.attr, ast.Load())
        raise UnreadableError(f"`{text(node)}`")

    def is_function(self, node: ast.Attribute, env: dict[str, Any]) -> bool:
        """Whether `np.add.at` or the like: known without the step's numbers; or the generator's."""
        return names_in(node) <= {"np", "math", "rng", "pellucid"}


def _changed_within(line: ast.stmt, function: ast.FunctionDef) -> set[str]:
    """The parameters whose arrays a line may change: also by way of a view with another name."""
    changed = changed_by(line)
    for inner in ast.walk(function):
        if (
            isinstance(inner, ast.Assign)
            and isinstance(inner.targets[0], ast.Name)
            and inner.targets[0].id in changed
        ):
            changed |= {roots(inner.value)}
    return changed


def _one_hot(term: Term) -> Term | None:
    """What `np.eye(n)[ids].T` was made of."""
    taken = term.of if isinstance(term, View) and term.spelled == "{}.T" else None
    if isinstance(taken, Taken) and isinstance(taken.parts[0], Eye) and len(taken.picks) == 1:
        return taken.picks[0]
    return None


def _in_order(value: Any) -> Any:
    """An array as loops keep it: its rows one after the other."""
    return np.asarray(value, order="C") if isinstance(value, np.ndarray) else value


def _has_arrays(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_has_arrays, value))
    return isinstance(value, np.ndarray)


def literal_place(place: Any) -> ast.expr:
    """A slice, whole number, None or `...` as code."""
    if isinstance(place, slice):
        ends = [None if e is None else literal(e) for e in (place.start, place.stop, place.step)]
        return ast.Slice(*ends)
    return ast.Constant(place) if place is None or place is ... else literal(place)


__all__ = ["Callable", "Reader", "UnreadableError", "repeated"]
