"""Code as text: one space around operators, brackets where they help the reader, lines that fit.

Written for the few kinds of expressions that programs have; everything else is left to `ast.unparse`.
"""

from __future__ import annotations

import ast

WIDTH = 88

_SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not", ast.In: "in",
    ast.NotIn: "not in", ast.And: "and", ast.Or: "or", ast.USub: "-", ast.UAdd: "+",
    ast.Invert: "~", ast.Not: "not ",
}  # fmt: skip
_RANK: dict[type, int] = {
    ast.Or: 1, ast.And: 2, ast.Not: 3, ast.BitOr: 6, ast.BitXor: 7, ast.BitAnd: 8, ast.LShift: 9,
    ast.RShift: 9, ast.Add: 10, ast.Sub: 10, ast.Mult: 11, ast.Div: 11, ast.FloorDiv: 11,
    ast.Mod: 11, ast.MatMult: 11, ast.USub: 12, ast.UAdd: 12, ast.Invert: 12, ast.Pow: 13,
}  # fmt: skip
ATOM, COMPARISON, CHOICE = 20, 5, 0


def text(code: ast.AST) -> str:
    """Code in one line."""
    if isinstance(code, ast.Assign):
        return " = ".join([*(_bare(t) for t in code.targets), _bare(code.value)])
    if isinstance(code, ast.AugAssign):
        return f"{text(code.target)} {_SIGNS[type(code.op)]}= {text(code.value)}"
    if isinstance(code, ast.Return):
        return "return" if code.value is None else f"return {_bare(code.value)}"
    if isinstance(code, ast.Expr):
        return text(code.value)
    return _expression(code)[0]


def _bare(code: ast.expr) -> str:
    """A tuple needs no brackets on either side of `=`."""
    shown = text(code)
    if isinstance(code, ast.Tuple) and len(code.elts) > 1:
        return shown[1:-1]
    return shown


def _expression(code: ast.AST) -> tuple[str, int]:
    """The text of an expression, and how tightly it holds together."""
    if isinstance(code, ast.BinOp):
        return _infix(code)
    if isinstance(code, ast.UnaryOp):
        rank = _RANK[type(code.op)]
        return f"{_SIGNS[type(code.op)]}{_within(code.operand, rank)}", rank
    if isinstance(code, ast.Compare):
        pieces = [_within(code.left, COMPARISON + 1)]
        for op, side in zip(code.ops, code.comparators, strict=True):
            pieces += [_SIGNS[type(op)], _within(side, COMPARISON + 1)]
        return " ".join(pieces), COMPARISON
    if isinstance(code, ast.BoolOp):
        rank = _RANK[type(code.op)]
        sign = f" {_SIGNS[type(code.op)]} "
        return sign.join(_within(v, rank + 1) for v in code.values), rank
    if isinstance(code, ast.IfExp):
        yes, test, no = _within(code.body, 1), _within(code.test, 1), _within(code.orelse, 0)
        return f"{yes} if {test} else {no}", CHOICE
    if isinstance(code, ast.Call):
        return f"{_within(code.func, ATOM)}({', '.join(arguments(code))})", ATOM
    if isinstance(code, ast.Attribute):
        owner = _within(code.value, ATOM)
        return (f"({owner})" if owner.isdecimal() else owner) + f".{code.attr}", ATOM
    if isinstance(code, ast.Subscript):
        return f"{_within(code.value, ATOM)}[{_index(code.slice)}]", ATOM
    if isinstance(code, (ast.Tuple, ast.List)):
        inside = ", ".join(text(e) for e in code.elts)
        if isinstance(code, ast.List):
            return f"[{inside}]", ATOM
        return f"({inside}{',' * (len(code.elts) == 1)})", ATOM
    if isinstance(code, ast.Constant):
        if isinstance(code.value, str):
            return '"' + repr(code.value)[1:-1].replace('"', '\\"') + '"', ATOM
        return "..." if code.value is Ellipsis else repr(code.value), ATOM
    return ast.unparse(code), ATOM if isinstance(code, ast.Name) else CHOICE


def _within(code: ast.AST, rank: int) -> str:
    inner, own = _expression(code)
    return inner if own >= rank else f"({inner})"


def _infix(code: ast.BinOp) -> tuple[str, int]:
    rank = _RANK[type(code.op)]
    right_first = isinstance(code.op, ast.Pow)
    left = _within(code.left, rank + right_first)
    right = _within(code.right, rank + (not right_first))
    # products of matrices stand in brackets next to other products: they are another kind
    left = _bracketed(code, code.left, left)
    right = _bracketed(code, code.right, right)
    tight = isinstance(code.op, ast.Pow) and _is_simple(code.left) and _is_simple(code.right)
    sign = _SIGNS[type(code.op)]
    return (f"{left}{sign}{right}" if tight else f"{left} {sign} {right}"), rank


def _bracketed(code: ast.BinOp, side: ast.expr, written: str) -> str:
    mixed = isinstance(side, ast.BinOp) and _RANK[type(side.op)] == _RANK[type(code.op)] == 11
    if mixed and isinstance(side.op, ast.MatMult) != isinstance(code.op, ast.MatMult):  # type: ignore[attr-defined]
        return written if written.startswith("(") and _closes_at_end(written) else f"({written})"
    return written


def _closes_at_end(written: str) -> bool:
    depth = 0
    for i, letter in enumerate(written):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return i == len(written) - 1
    return False


def _is_simple(code: ast.expr) -> bool:
    if isinstance(code, ast.UnaryOp):
        return _is_simple(code.operand)
    if isinstance(code, ast.Attribute):
        return _is_simple(code.value)
    return isinstance(code, (ast.Name, ast.Constant))


def arguments(code: ast.Call) -> list[str]:
    """What stands in the brackets of a call."""
    given = [text(a) for a in code.args]
    return given + [
        f"{k.arg}={text(k.value)}" if k.arg else f"**{text(k.value)}" for k in code.keywords
    ]


def _index(code: ast.expr) -> str:
    if isinstance(code, ast.Tuple) and code.elts:
        return ", ".join(map(_index, code.elts)) + "," * (len(code.elts) == 1)
    if isinstance(code, ast.Slice):
        ends = [code.lower, code.upper]
        simple = all(e is None or _is_simple(e) for e in (*ends, code.step))
        colon = ":" if simple else " : "
        start, stop = ("" if e is None else text(e) for e in ends)
        shown = f"{start}{colon}{stop}".strip() if not simple else f"{start}:{stop}"
        return shown + (
            f"{colon.rstrip() if simple else ' : '}{text(code.step)}" if code.step else ""
        )
    return text(code)


# ----------------------------------------------------------------------------------- several lines


def laid_out(lines: list[ast.stmt], indent: int = 0) -> list[str]:
    """Statements as lines that fit."""
    found: list[str] = []
    for line in lines:
        found += _statement(line, indent)
    return found


def _statement(line: ast.stmt, indent: int) -> list[str]:
    space = " " * indent
    if isinstance(line, ast.For):
        return [
            f"{space}for {_bare(line.target)} in {text(line.iter)}:",
            *laid_out(line.body, indent + 4),
        ]
    if isinstance(line, ast.If):
        found = [f"{space}if {text(line.test)}:", *laid_out(line.body, indent + 4)]
        return (
            [*found, f"{space}else:", *laid_out(line.orelse, indent + 4)] if line.orelse else found
        )
    if isinstance(line, ast.Pass):
        return [f"{space}pass"]
    whole = space + text(line)
    if len(whole) <= WIDTH:
        return [whole]
    return _broken(line, indent)


def _broken(line: ast.stmt, indent: int) -> list[str]:
    """A long statement: its outermost call, or its loosest operators, over several lines."""
    space = " " * indent
    value = getattr(line, "value", None)
    if value is None:
        return [space + text(line)]
    head = text(line)[: len(text(line)) - len(_bare(value))]
    targets = getattr(line, "targets", [])
    if targets and isinstance(targets[0], ast.Tuple) and len(space + head) > WIDTH // 2:
        parts = [text(e) for e in targets[0].elts]
        ends = _ended(value, ") = ", indent)
        return [f"{space}(", *filled(parts, indent + 4), *ends]
    return _ended(value, head, indent)


def _ended(value: ast.expr, head: str, indent: int) -> list[str]:
    """What stands behind `name = `, over several lines where it has to be."""
    space, inner = " " * indent, " " * (indent + 4)
    whole = f"{space}{head}{_bare(value)}"
    if len(whole) <= WIDTH:
        return [whole]
    chain = _chain(value)
    if len(chain) > 3:
        return [f"{space}{head}(", *(inner + link for link in chain), f"{space})"]
    if isinstance(value, ast.Call):
        given = arguments(value)
        opening = f"{space}{head}{text(value.func)}("
        if len(opening) <= WIDTH and given:
            if len(inner + ", ".join(given)) <= WIDTH:
                return [opening, inner + ", ".join(given), f"{space})"]
            return [opening, *filled(given, indent + 4), f"{space})"]
    if isinstance(value, ast.BinOp):
        return [f"{space}{head}(", *(inner + line for line in _terms(value)), f"{space})"]
    if isinstance(value, ast.Tuple):
        return [f"{space}{head}(", *filled([text(e) for e in value.elts], indent + 4), f"{space})"]
    return [f"{space}{head}(", inner + text(value), f"{space})"]


def _chain(code: ast.expr) -> list[str]:
    """`np.f(x).view(k).reshape(n)` link by link."""
    links: list[str] = []
    while isinstance(code, ast.Call) and isinstance(code.func, ast.Attribute):
        if not isinstance(code.func.value, ast.Call):
            break
        links.append(f".{code.func.attr}({', '.join(arguments(code))})")
        code = code.func.value
    return [_within(code, ATOM), *links[::-1]]


def _terms(code: ast.BinOp) -> list[str]:
    """The operands of a chain of operators of one rank, each with its operator before it."""
    rank = _RANK[type(code.op)]
    right = _bracketed(code, code.right, _within(code.right, rank + 1))
    last = f"{_SIGNS[type(code.op)]} {right}"
    left = code.left
    chained = isinstance(left, ast.BinOp) and _RANK[type(left.op)] == rank
    if chained and not isinstance(code.op, ast.Pow) and _bracketed(code, left, "x") == "x":
        assert isinstance(left, ast.BinOp)
        return [*_terms(left), last]
    return [_bracketed(code, left, _within(left, rank)), last]


def filled(parts: list[str], indent: int) -> list[str]:
    """Parts with commas, as many to a line as fit."""
    found: list[str] = []
    for part in parts:
        if found and len(found[-1]) + len(part) + 2 <= WIDTH:
            found[-1] += f" {part},"
        else:
            found.append(f"{' ' * indent}{part},")
    return found
