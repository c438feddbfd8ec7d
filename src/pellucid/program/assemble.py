"""The pieces of a recorded step, put together to a program with names."""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .known import call, copied, literal, name, names_in, renamed, written
from .layout import WIDTH, filled, laid_out
from .lines import joined, needed, read_by, shared
from .record import Piece, ReadFloat, ReadInt, Recorder, Value, is_uniform

SHORT = 3  # lines of a rule that stand in the program itself; longer ones become functions
RESERVED = {"np", "math", "rng", "t", "pellucid"}

# what the result of an operation is called, if nobody has named it
CALLED = {
    "sub": "difference", "add": "sum_of_both", "mul": "product", "div": "ratio", "sum": "total",
    "softmax_cross_entropy": "loss", "nll_loss": "loss", "getitem": "picked", "reshape": "rows",
    "flatten": "flat", "transpose": "turned", "permute": "turned", "squeeze": "flat",
    "embedding": "vectors", "embedding_bag": "bags", "rnn_layer": "states", "gru_layer": "states",
    "lstm_layer": "states", "pow": "power", "cat": "joined", "neg": "opposite",
    "dropout": "kept",
}  # fmt: skip


@dataclass
class Assembled:
    """A program.

    Attributes:
        source: its text.
        title: the name of its function.
        names: what each argument is called, in order.
        gradients: the names of gradients that it returns behind the result.
        uses_count: whether it has to know the number of the step.
        values: which value each name in it is; a name that only a rule uses is missing.
        homes: for the id of each value the name in whose line it is computed.
    """

    source: str
    title: str
    names: dict[str, Value]
    gradients: list[str]
    uses_count: bool
    values: dict[str, Value] = field(default_factory=dict)
    homes: dict[int, str] = field(default_factory=dict)


@dataclass
class _Sheet:
    """Statements as they come, with tokens in place of names."""

    tokens: dict[int, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    alias: dict[int, ast.expr] = field(default_factory=dict)
    lines: list[tuple[str, ast.stmt]] = field(default_factory=list)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    part: str = ""
    group: dict[int, int] = field(default_factory=dict)  # by the id of a line: its piece

    def add(self, part: str, line: ast.stmt, piece: int) -> None:
        """One more line."""
        self.lines.append((part, line))
        self.group[id(line)] = piece

    def token(self, value: Value) -> str:
        """The token of a value."""
        found = self.tokens.get(id(value))
        if found is None:
            found = self.tokens[id(value)] = f"v_{len(self.tokens)}_"
            self.values[found] = value
        return found

    def code(self, value: Value) -> ast.expr:
        """How a value is read."""
        if id(value) in self.alias:
            return self.alias[id(value)]
        if is_literal(value):
            return literal(value.array[()])
        known = id(value) in self.tokens
        token = self.token(value)
        if is_written(value) and not known:
            self.add(self.part, ast.Assign([ast.Name(token, ast.Store())], _full(value.array)), -1)
        return name(token)

    def temporary(self, hint: str) -> str:
        """A token for a local name of a rule."""
        found = f"w_{len(self.hints)}_"
        self.hints[found] = hint
        return found


def is_literal(value: Value) -> bool:
    """Whether a value is a plain number in the program: a constant that has no name and no axes."""
    return value.kind == "constant" and not value.named and np.ndim(value.array) == 0


def is_written(value: Value) -> bool:
    """Whether a constant is full of one number, so that it is written rather than kept."""
    return value.kind == "constant" and is_uniform(value.array)


def _full(array: Any) -> ast.expr:
    """An array full of one number."""
    first = array.reshape(-1)[0]
    kind = [] if array.dtype == np.float64 and first in (0, 1) else [literal(array.dtype)]
    if first in (0, 1):
        return call("np.ones" if first else "np.zeros", literal(array.shape), *kind)
    return call("np.full", literal(array.shape), literal(first.item()), *kind)


def assemble(recorder: Recorder, inputs: dict[str, Value], result: Any, title: str) -> Assembled:
    """Put a recorded step together.

    Args:
        recorder: what was recorded.
        inputs: the step's arguments by name.
        result: what it returned, with values in place of tensors.
        title: what the program's function is called.
    """
    left = [] if recorder.updates else [v for _, v, _ in recorder.gradients.values()]
    wanted = {id(v) for v in (*_values_in(result), *left)}
    if result is None:
        wanted |= {id(v) for v in recorder.losses}
    pieces = _wanted_pieces(recorder, wanted)
    _sections(recorder, pieces, inputs)
    sheet = _Sheet()
    updates = [p.folded.title for p, _ in pieces if _is_update(p)]
    for piece, lines in pieces:
        _emit(sheet, piece, lines, wanted, updates)
    returned = _returned(sheet, recorder, result, left)
    if returned is not None:
        sheet.add("", ast.Return(returned), 0)
    return _finished(sheet, recorder, inputs, left, title)


def _values_in(nest: Any) -> list[Value]:
    if isinstance(nest, Value):
        return [nest]
    if isinstance(nest, (ReadFloat, ReadInt)):
        return [nest.value]
    if isinstance(nest, (tuple, list)):
        return [v for part in nest for v in _values_in(part)]
    if isinstance(nest, dict):
        return _values_in(list(nest.values()))
    return []


# ----------------------------------------------------------------------------- what is needed


def _wanted_pieces(recorder: Recorder, wanted: set[int]) -> list[tuple[Piece, list[ast.stmt]]]:
    """The pieces that are needed, each with those of its lines that are; `wanted` grows."""
    kept: list[tuple[Piece, list[ast.stmt]]] = []
    for piece in reversed(recorder.pieces):
        asked = [v is not None and id(v) in wanted for v in piece.outputs]
        local = {n for n, v in piece.memory.items() if id(v) in wanted}
        if not (any(asked) or local or piece.changes):
            continue
        folded = piece.folded
        codes = [
            written(r) for r, a in zip(folded.results, asked, strict=True) if a and r is not None
        ]
        names = {n for code in codes for n in names_in(code)} | local
        lasting = {n for n, v in folded.arguments.items() if v in piece.changes}
        lines = needed(folded.lines, names, folded.space, lasting)
        read = names | {n for line in lines for n in read_by(line)}
        wanted |= {id(v) for n, v in folded.arguments.items() if n in read}
        kept.append((piece, lines))
    return kept[::-1]


def _sections(
    recorder: Recorder, pieces: list[tuple[Piece, Any]], inputs: dict[str, Value]
) -> None:
    """Where comparing begins: where a target is read for the first time."""
    forward = [p for p, _ in pieces if p.part != "learn"]
    seen: set[int] = set()
    weighty: set[int] = set()
    start = None
    last = -1
    given = {id(v) for v in inputs.values()}
    for i, piece in enumerate(forward):
        read = list(piece.folded.arguments.values())
        weights = [v for v in read if v.kind == "weight"]
        fresh = [v for v in read if id(v) in given and id(v) not in seen]
        later = any(id(v) in weighty for v in read)
        if later and fresh and not weights and start is None:
            start = i
            while start > last + 1 and _only_arranges(forward[start - 1], given):
                start -= 1
        if weights:
            last = i
        made = {id(v) for v in piece.outputs if v is not None}
        if weights or later:
            weighty |= made
        elif fresh:
            given |= made  # a target in another shape is a target still
            continue
        seen |= {id(v) for v in read}
    if start is None:
        single = (
            i
            for i, p in enumerate(forward)
            if i > last
            and p.outputs
            and p.outputs[0] is not None
            and not np.ndim(p.outputs[0].array)
        )
        start = next(single, None) if recorder.losses else None
    if start is not None:
        for piece in forward[start:]:
            piece.part = "compare"


def _only_arranges(piece: Piece, given: set[int]) -> bool:
    """Whether a piece brings a target, or a prediction that has a name, into another shape."""
    made = piece.outputs[0] if piece.outputs else None
    return made is not None and not made.named and (id(made) in given or made.op in ARRANGING)


def _is_update(piece: Piece) -> bool:
    return any(v.kind == "memory" for v in piece.changes) or (
        bool(piece.changes) and piece.part == "learn"
    )


# ------------------------------------------------------------------------------ onto the sheet


def _emit(
    sheet: _Sheet, piece: Piece, lines: list[ast.stmt], wanted: set[int], updates: list[str]
) -> None:
    folded = piece.folded
    outputs = [
        (written(known), value)
        for known, value in zip(folded.results, piece.outputs, strict=True)
        if known is not None and value is not None and id(value) in wanted
    ]
    memory = {
        n: v for n, v in piece.memory.items() if id(v) in wanted and n not in folded.arguments
    }
    keep = {n for code, _ in outputs for n in names_in(code)} | set(memory)
    shorter = joined(copied(lines), keep)
    plain = all(isinstance(line, (ast.Assign, ast.AugAssign, ast.Expr)) for line in lines)
    plain = plain and not folded.early and not any("rng" in names_in(line) for line in lines)
    # an update that is made for every weight becomes a function sooner; for a single one never
    once = updates.count(folded.title) == 1
    most = (len(lines) if once else SHORT - 1) if _is_update(piece) else SHORT
    if plain and len(shorter) <= most:
        _emit_inline(sheet, piece, lines, outputs, memory)
    else:
        _emit_function(sheet, piece, lines, outputs, memory)


def _emit_inline(
    sheet: _Sheet, piece: Piece, lines: list[ast.stmt], outputs: list[tuple[ast.expr, Value]],
    memory: dict[str, Value],
) -> None:  # fmt: skip
    sheet.part = piece.part
    read = {n for line in lines for n in read_by(line)} | {
        n for c, _ in outputs for n in names_in(c)
    }
    by: dict[str, ast.expr] = {
        n: sheet.code(v) for n, v in piece.folded.arguments.items() if n in read
    }
    for n, value in memory.items():
        by[n] = name(sheet.token(value))
    after: list[tuple[ast.expr, Value]] = []
    for code, value in outputs:
        if isinstance(code, ast.Name) and code.id in piece.folded.arguments:
            sheet.alias[id(value)] = by[code.id]
        elif isinstance(code, ast.Name) and code.id not in by:
            by[code.id] = name(sheet.token(value))
        elif isinstance(code, ast.Name):
            sheet.alias[id(value)] = by[code.id]
        else:
            after.append((code, value))
    for line in lines:
        for n in sorted(_stored(line) - set(by)):
            by[n] = name(sheet.temporary(n))
    for line in lines:
        sheet.add(piece.part, renamed(line, by), id(piece))
    for code, value in after:
        target = ast.Name(sheet.token(value), ast.Store())
        sheet.add(piece.part, ast.Assign([target], renamed(code, by)), id(piece))


def _stored(line: ast.stmt) -> set[str]:
    return {
        n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _emit_function(
    sheet: _Sheet, piece: Piece, lines: list[ast.stmt], outputs: list[tuple[ast.expr, Value]],
    memory: dict[str, Value],
) -> None:  # fmt: skip
    folded = piece.folded
    sheet.part = piece.part
    by = {n: sheet.code(v) for n, v in folded.arguments.items() if is_literal(v)}
    lines = [renamed(line, by) for line in copied(lines)]
    codes = [renamed(code, by) for code, _ in outputs] + [name(n) for n in memory]
    body = list(lines)
    if codes:
        answer = codes[0] if len(codes) == 1 else ast.Tuple(codes, ast.Load())
        body.append(ast.Return(answer))
    read = {n for line in body for n in read_by(line)}
    arguments = [n for n in folded.arguments if n in read and n not in by]
    given = [sheet.code(folded.arguments[n]) for n in arguments]
    if "t" in read:
        arguments, given = [*arguments, "t"], [*given, name("t")]
    title = _function(sheet, folded.title, arguments, body, folded.meaning)
    call = ast.Call(name(title), given, [])
    targets = [sheet.token(v) for _, v in outputs] + [sheet.token(v) for v in memory.values()]
    stored: list[ast.expr] = [ast.Name(t, ast.Store()) for t in targets]
    line: ast.stmt = ast.Expr(call)
    if stored:
        target = stored[0] if len(stored) == 1 else ast.Tuple(stored, ast.Store())
        line = ast.Assign([target], call)
    sheet.add(piece.part, line, id(piece))


def _function(
    sheet: _Sheet, title: str, arguments: list[str], body: list[ast.stmt], meaning: str
) -> str:
    """A function with this body: one that is there already, or a new one."""
    body = _renumbered(joined(shared(body), set()), arguments)
    given = ast.arguments([], [ast.arg(a) for a in arguments], None, [], [], None, [])
    for known, function in sheet.functions.items():
        same = [a.arg for a in function.args.args] == arguments
        if same and laid_out(function.body) == laid_out(body):
            return known
    free, n = title, 1
    while free in sheet.functions:
        n += 1
        free = f"{title}_{n}"
    sheet.functions[free] = ast.FunctionDef(free, given, body, [])
    sheet.meanings[free] = meaning
    return free


def _renumbered(body: list[ast.stmt], arguments: list[str]) -> list[ast.stmt]:
    """Local names without gaps in their numbers; `x = f(x)` where the old x is not needed any more."""
    held = {
        n: n for n in (*arguments, *RESERVED)
    }  # the new names, and which old ones they stand for
    for n in {n for line in body for n in names_in(line)} - {
        n for line in body for n in _stored(line)
    }:
        held.setdefault(n, n)
    by: dict[str, ast.expr] = {}
    for i, line in enumerate(body):
        later = {n for rest in body[i + 1 :] for n in names_in(rest)}
        for n in _in_order(line):
            if n in by or n in arguments:
                continue
            stem = re.sub(r"_\d+$", "", n)
            new, count = stem, 1
            plain = isinstance(line, ast.Assign)
            while new in held and not (plain and held[new] not in later and held[new] in by):
                count += 1
                new = f"{stem}_{count}"
            held[new] = n
            by[n] = name(new)
    return [renamed(line, by) for line in body]


def _returned(sheet: _Sheet, recorder: Recorder, result: Any, left: list[Value]) -> ast.expr | None:
    """What the program returns."""
    if result is None:
        losses = list({id(v): v for v in recorder.losses}.values())
        answer = _nest(sheet, losses[0] if len(losses) == 1 else tuple(losses)) if losses else None
    else:
        answer = _nest(sheet, result)
    if not left:
        return answer
    first = answer if answer is not None else ast.Constant(None)
    return ast.Tuple([first, *(sheet.code(v) for v in left)], ast.Load())


def _nest(sheet: _Sheet, nest: Any) -> ast.expr:
    if isinstance(nest, Value):
        return sheet.code(nest)
    if isinstance(nest, (ReadFloat, ReadInt)):
        return ast.Call(ast.Attribute(sheet.code(nest.value), "item", ast.Load()), [], [])
    if isinstance(nest, tuple):
        return ast.Tuple([_nest(sheet, part) for part in nest], ast.Load())
    if isinstance(nest, list):
        return ast.List([_nest(sheet, part) for part in nest], ast.Load())
    if isinstance(nest, dict):
        keys: list[ast.expr | None] = [literal(key) for key in nest]
        return ast.Dict(keys, [_nest(sheet, part) for part in nest.values()])
    return literal(nest)


# -------------------------------------------------------------------------------------- names


class _Names:
    """Gives every token a name."""

    def __init__(self, sheet: _Sheet, recorder: Recorder, moved: dict[str, str]) -> None:
        self.sheet, self.recorder, self.moved = sheet, recorder, moved
        self.taken = RESERVED | set(recorder.settings) | set(sheet.functions)
        self.by: dict[str, str] = {}
        self.layers = 0
        self.numbers = _layer_numbers(recorder)

    def give(self, token: str, wish: str) -> str:
        """The wish, or with a number behind it where it is taken."""
        wish = re.sub(r"\W", "_", wish).strip("_") or "value"
        if keyword.iskeyword(wish) or wish[0].isdigit():
            wish = f"{wish}_" if not wish[0].isdigit() else f"value_{wish}"
        free, n = wish, 1
        while free in self.taken:
            n += 1
            free = f"{wish}_{n}"
        self.taken.add(free)
        self.by[token] = free
        return free

    def wish(self, token: str, part: str) -> str:
        """What a token would like to be called."""
        value = self.sheet.values.get(token)
        if value is None:
            return re.sub(r"_\d+$", "", self.sheet.hints[token])
        if value.kind == "gradient":
            return f"{value.hint}d_{self.owner(value)}"
        if value.named:
            return value.named
        if value.kind == "weight":
            return self.of_weight(value)
        if value.kind == "memory":
            _, _, title, weight = value.owner
            own = self.by.get(self.sheet.token(weight), "weight")
            return f"{own}_{MEMORIES.get(title, title)}"
        if value.kind == "constant" and is_written(value):
            return {0: "zeros", 1: "ones"}.get(value.array.reshape(-1)[0], "constant")
        if value.kind in ("input", "constant"):
            return value.hint or value.kind
        return self.of_result(value, part)

    def owner(self, value: Value) -> str:
        """What the value of a gradient is called; one within a longer line takes that line's name."""
        if value.owner is None:
            return "loss"
        token = self.sheet.tokens.get(id(value.owner), "")
        while token and token not in self.by and token in self.moved:
            token = self.moved[token]
        made: Value = value.owner
        return (
            self.by.get(token) or made.named or made.hint or CALLED.get(made.op, made.op) or "value"
        )

    def of_weight(self, value: Value) -> str:
        """`hidden.weight` is hidden_weight; `0.weight` the weight of the first layer, weight_1."""
        *path, last = value.hint.split(".") if value.hint else [value.named or "weight"]
        if path and all(p.isdecimal() for p in path):
            number = self.numbers.get(".".join(path))
            return f"{last}_{number}" if number else last
        own = {
            called
            for called, module in self.recorder.roots.values()
            if any(True for _ in module.parameters())
        }
        if not path and len(own) > 1:  # a layer that stands by itself
            path = [self.recorder.root_of.get(id(value.array), "")]
        return "_".join([*filter(None, path), last])

    def of_result(self, value: Value, part: str) -> str:
        """By the module, by its rule's own word, or by its place in the network."""
        if value.hint:
            return value.hint
        if any(value is loss for loss in self.recorder.losses):
            return "loss"
        pieces = value.module.split(".") if value.module else []
        if value.op in ARRANGING:
            pieces = []
        if pieces and not all(p.isdecimal() for p in pieces):
            wish = "_".join(p for p in pieces if not p.isdecimal())
            return CALLED.get(value.op, wish) if wish in self.sheet.functions else wish
        numbered = any(v.named.startswith("layer") for v in self.sheet.values.values())
        floats = value.array.dtype.kind == "f"
        if part == "predict" and value.op not in ARRANGING and floats and not numbered:
            self.layers += 1
            return f"layer_{self.layers}"
        return CALLED.get(value.op, value.op) or "value"


ARRANGING = {
    "getitem", "reshape", "flatten", "transpose", "permute", "squeeze", "unsqueeze", "expand", "cast",
}  # fmt: skip
MEMORIES = {
    "momentum_buffer": "velocity", "exp_avg": "mean", "exp_avg_sq": "squares",
    "max_exp_avg_sq": "largest", "square_avg": "squares", "grad_avg": "mean", "sum": "squares",
}  # fmt: skip


def _layer_numbers(recorder: Recorder) -> dict[str, int]:
    """The layers of a Sequential that have weights, counted from 1."""
    found: dict[str, int] = {}
    for _, root in recorder.roots.values():
        own: list[str] = []
        for path, _ in root.named_parameters():
            parent = path.rpartition(".")[0]
            if parent and parent not in own:
                own.append(parent)
        if len(own) > 1:
            found |= {p: i + 1 for i, p in enumerate(own)}
    return found


# ------------------------------------------------------------------------------------ the text


def _finished(
    sheet: _Sheet, recorder: Recorder, inputs: dict[str, Value], left: list[Value], title: str
) -> Assembled:
    parts = {id(line): part for part, line in sheet.lines}
    lines = shared([line for _, line in sheet.lines], parts, sheet.group)
    learned = {id(v) for _, v, _ in recorder.gradients.values()}
    own = {
        t
        for t, v in sheet.values.items()
        if (v.named and v.kind == "result") or (recorder.updates and id(v) in learned)
    }
    own |= {sheet.token(v) for v in left}
    rough, _ = _named(sheet, recorder, inputs, lines, parts, {})
    lengths = {token: name(n) for token, n in rough.by.items()}
    moved: dict[str, str] = {}
    lines, parts = _joined_within(lines, parts, sheet.group, own, lengths, moved)
    lines, origin = _joined_within(lines, parts, parts, own, lengths, moved)
    names, arguments = _named(sheet, recorder, inputs, lines, origin, moved)
    by = {token: name(n) for token, n in names.by.items()}
    finished = [(origin.get(id(line), ""), renamed(line, by)) for line in lines]
    gradients: list[str] = []
    for value in left:
        wish = f"d_{names.owner(value)}"
        gradients.append(wish if wish not in gradients else f"{wish}_{len(gradients) + 1}")
    source = _text(sheet, recorder, finished, arguments, title)
    counts = re.search(r"\bt\b", source.split("def ")[-1]) is not None
    values = {n: sheet.values[t] for t, n in names.by.items() if t in sheet.values}
    return Assembled(source, title, arguments, gradients, counts, values, _homes(names))


def _homes(names: _Names) -> dict[int, str]:
    """For each value the name in whose line it is computed: its own, or that of the line it went into."""
    found: dict[int, str] = {}
    for key, token in names.sheet.tokens.items():
        while token not in names.by and token in names.moved:
            token = names.moved[token]
        if token in names.by:
            found[key] = names.by[token]
    for key, code in names.sheet.alias.items():
        inner = [names.by[t] for t in sorted(names_in(code)) if t in names.by]
        if key not in found and inner:
            found[key] = inner[0]
    return found


def _named(
    sheet: _Sheet, recorder: Recorder, inputs: dict[str, Value], lines: list[ast.stmt],
    parts: dict[int, str], moved: dict[str, str],
) -> tuple[_Names, dict[str, Value]]:  # fmt: skip
    """Names for all tokens, and the arguments of the program."""
    names = _Names(sheet, recorder, moved)
    read = {n for line in lines for n in names_in(line)}
    arguments: dict[str, Value] = {}
    for n, value in inputs.items():
        arguments[names.give(sheet.token(value), n)] = value
    for kind in ("weight", "memory", "constant"):
        for token, value in list(sheet.values.items()):
            changed = kind != "constant" or not is_written(value)
            if value.kind == kind and token in read and token not in names.by and changed:
                arguments[names.give(token, names.wish(token, ""))] = value
    known = {**sheet.values, **sheet.hints}
    learned = {id(v): v for _, v, _ in recorder.gradients.values()}
    made = {n for line in lines for n in _stored(line)}
    for token, value in _by_place(sheet, lines):
        users = value.named and value.kind in ("result", "constant")
        if token in made and users and token not in names.by:
            names.give(token, value.named)
    for late in (False, True):
        for line in lines:
            for token in _in_order(line):
                if token in names.by or token not in known:
                    continue
                made_of = sheet.values.get(token)
                gradient = made_of is not None and made_of.kind == "gradient"
                if gradient and not late and id(made_of) not in learned:
                    continue
                names.give(token, names.wish(token, parts.get(id(line), "")))
    return names, arguments


def _by_place(sheet: _Sheet, lines: list[ast.stmt]) -> list[tuple[str, Value]]:
    """The values in the order in which the program makes them."""
    tokens = dict.fromkeys(token for line in lines for token in _in_order(line))
    return [(t, sheet.values[t]) for t in tokens if t in sheet.values]


def _joined_within(
    lines: list[ast.stmt], parts: dict[int, str], by: dict[int, Any], own: set[str],
    lengths: dict[str, ast.expr], moved: dict[str, str],
) -> tuple[list[ast.stmt], dict[int, str]]:  # fmt: skip
    """`joined`, group by group: first each operation for itself, then predict, compare and learn."""
    found: list[ast.stmt] = []
    origin: dict[int, str] = {}
    groups: list[list[ast.stmt]] = []
    for line in lines:
        same = groups and (by[id(groups[-1][-1])] == by[id(line)] or not parts[id(line)])
        if not same:
            groups.append([])
        groups[-1].append(line)
    for i, group in enumerate(groups):
        elsewhere = {n for j, g in enumerate(groups) if j != i for line in g for n in read_by(line)}
        part = parts[id(group[0])]
        after = joined(list(group), elsewhere, own, lengths)
        _note_moves(group, after, moved)
        origin |= {id(line): part if not isinstance(line, ast.Return) else "" for line in after}
        found += after
    return found, origin


def _note_moves(
    before: Sequence[ast.stmt], after: Sequence[ast.stmt], moved: dict[str, str]
) -> None:
    """For each name that has lost its line: which name's line it went into."""
    left = {n for line in after for n in _stored(line)}
    gone = [n for line in before for n in _stored(line) if n not in left]
    uses = {n: line for line in before for n in read_by(line) if n in gone}
    for n in gone:
        targets = _stored(uses[n]) if n in uses else set()
        if len(targets) == 1:
            moved[n] = targets.pop()


def _in_order(line: ast.stmt) -> list[str]:
    return [
        n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]


def _text(
    sheet: _Sheet, recorder: Recorder, lines: list[tuple[str, ast.stmt]],
    arguments: dict[str, Value], title: str,
) -> str:  # fmt: skip
    body: list[str] = []
    several_parts = len({part for part, _ in lines if part}) > 1
    before = ""
    for part, line in lines:
        if part and part != before and several_parts:
            body.append(f"    # {part}")
            before = part
        body += laid_out([line], 4)
    functions: list[str] = []
    for called, function in sheet.functions.items():
        functions += [f"def {called}({', '.join(a.arg for a in function.args.args)}):"]
        if sheet.meanings[called]:
            functions += _docstring(sheet.meanings[called])
        functions += [*laid_out(function.body, 4), "", ""]
    words = "\n".join([*body, *functions])
    counts = re.search(r"\bt\b", words) is not None
    head = _head(recorder, arguments, title, words)
    given = [*arguments, *(["t"] if counts else [])]
    return "\n".join([*head, *functions, *_signature(title, given), *(body or ["    pass"])]) + "\n"


def _docstring(words: str) -> list[str]:
    whole = f'    """{words}"""'
    if len(whole) <= WIDTH:
        return [whole]
    lines = textwrap.wrap(words, WIDTH - 7)
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def _signature(title: str, given: list[str]) -> list[str]:
    whole = f"def {title}({', '.join(given)}):"
    if len(whole) <= 88:
        return [whole]
    if len(", ".join(given)) <= 84:
        return [f"def {title}(", f"    {', '.join(given)}", "):"]
    return [f"def {title}(", *filled(given, 4), "):"]


def _head(recorder: Recorder, arguments: dict[str, Value], title: str, words: str) -> list[str]:
    groups = {"input": "inputs", "weight": "weights", "memory": "memory", "constant": "constants"}
    rows = []
    for kind, label in groups.items():
        shown = [f"{n} {_shape(v.array)}" for n, v in arguments.items() if v.kind == kind]
        if shown:
            lines = filled(shown, 15)
            lines[-1] = lines[-1].rstrip(",")
            lines[0] = f"    {label:<11}{lines[0].strip()}"
            rows += lines
    doing = (
        "One training step"
        if recorder.updates
        else "One step"
        if recorder.losses
        else "A prediction"
    )
    head = [f'"""{doing} in NumPy alone, as Pellucid wrote it down.', "", *rows]
    if recorder.updates:
        head.append(
            "\nWeights"
            + (" and memory" if any(v.kind == "memory" for v in arguments.values()) else "")
            + " are changed in place."
        )
    head += ['"""', ""]
    if re.search(r"\bmath\.", words):
        head += ["import math", ""]
    head += ["import numpy as np", ""]
    if re.search(r"\brng\.", words):
        head += ["rng = np.random.Generator(np.random.SFC64())", ""]
    used = {n: v for n, v in recorder.settings.items() if re.search(rf"\b{n}\b", words)}
    head += [f"{n} = {v!r}" for n, v in used.items()]
    return [*head, *([""] if used else []), ""]


def _shape(array: Any) -> str:
    kind = array.dtype.name
    return f"{array.shape}" if kind == "float32" else f"{array.shape} {kind}"
