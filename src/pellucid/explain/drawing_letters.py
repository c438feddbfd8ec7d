"""A network as letters: algebra and code side by side, one line for each step.

Both come from the operations that ran. In the picture, pointing at a line lights its two forms, and
pointing at a letter lights it wherever it stands.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from html import escape
from itertools import count
from typing import Any

import numpy as np

from ..nn.recording import Call, Recording, Value
from . import svg
from .drawing_parts import Step, input_names, is_idle, shape, some, steps_of

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
NAMES = {  # of weights, by the end of their name: a letter each
    "weight": "W", "bias": "b", "running_mean": "m", "running_var": "v", "weight_ih": "W",
    "weight_hh": "U", "bias_ih": "b", "bias_hh": "c", "in_proj_weight": "W", "in_proj_bias": "b",
}  # fmt: skip

# how an operation is written: as algebra, and as code where that differs
WRITTEN: dict[str, tuple[str, str]] = {
    "add": ("{0} + {1}", "{0} + {1}"), "sub": ("{0} − {1}", "{0} - {1}"),
    "mul": ("{0} · {1}", "{0} * {1}"), "div": ("{0} / {1}", "{0} / {1}"),
    "neg": ("−{0}", "-{0}"), "pow": ("{0}^{1}", "{0} ** {1}"), "square": ("{0}²", "{0} ** 2"),
    "matmul": ("{0} {1}", "{0} @ {1}"), "sigmoid": ("σ({0})", "sigmoid({0})"),
    "sqrt": ("√({0})", "sqrt({0})"), "abs": ("|{0}|", "abs({0})"),
    "embedding": ("{1}[{0}]", "{1}[{0}]"), "transpose": ("{0}ᵀ", "{0}.transpose({dim0}, {dim1})"),
    "gt": ("{0} > {1}", "{0} > {1}"), "lt": ("{0} < {1}", "{0} < {1}"),
    "softmax": ("softmax({0})", "softmax({0}, dim={dim})"),
    "log_softmax": ("log softmax({0})", "log_softmax({0}, dim={dim})"),
    "flatten": ("flat({0})", "{0}.flatten({start_dim})"),
    "reshape": ("reshape({0})", "{0}.reshape{shape}"), "sum": ("Σ {0}", "{0}.sum(dim={dim})"),
    "mean": ("mean({0})", "{0}.mean(dim={dim})"),
    "scaled_dot_product_attention": (
        "softmax({0} {1}ᵀ / √e) {2}", "scaled_dot_product_attention({0}, {1}, {2})",
    ),
}  # fmt: skip
LOOSE = re.compile(r" [-+−*/@·><] | (?=\S*ᵀ)|(?<=\S) (?=\S)")  # text that wants brackets


class Letters:
    """Who is called what, in algebra and in code."""

    def __init__(self, recording: Recording, steps: list[Step]) -> None:
        self.recording = recording
        self.known: dict[int, str] = {}
        self.weights: list[Value] = []
        inputs = input_names(recording.inputs)
        for value, name in zip(inputs, _input_letters(len(inputs)), strict=True):
            self.known[id(value)] = name
        owners = list(
            dict.fromkeys(path for path, m in recording.model.named_modules() if m._parts())
        )
        numbers = {path: i for i, path in enumerate(p for p in owners if self._owns(p))}
        for value in recording.weights:
            self.weights.append(value)
            self.known[id(value)] = self._weight(value, numbers)
        hidden = (f"h{i}" for i in count(1))
        outputs = {id(v) for v in recording.outputs}
        for step in steps:
            last = id(step.result) in outputs and len(outputs) == 1
            name = "y" if last else next(hidden)
            for call in step.calls:
                self.known.setdefault(id(call.result), name)

    def _owns(self, path: str) -> bool:
        module = dict(self.recording.model.named_modules())[path]
        return any(True for _ in module._own_tensors())

    def _weight(self, value: Value, numbers: dict[str, int]) -> str:
        if value.kind == "constant":
            return f"k{value.name.rpartition('.')[2]}"
        path, _, last = value.name.rpartition(".")
        stem = re.sub(r"_l\d+.*", "", last)
        numbered = path.rpartition(".")[2]
        number = numbered if numbered.isdigit() and "." not in path else str(numbers.get(path, 0))
        letter = NAMES.get(stem, stem[:1].upper())
        found = f"{letter}{number}" if path else letter
        while found in self.known.values():
            found += "'"
        return found

    def code(self, value: Value) -> str:
        """A value's name in code."""
        return self.known[id(value)].replace("'", "_")

    def algebra(self, value: Value) -> str:
        """A value's name in algebra, with a small number below."""
        return self.known[id(value)].translate(SUBSCRIPTS)


def _input_letters(count: int) -> list[str]:
    return ["x"] if count == 1 else [f"x{i + 1}" for i in range(count)]


Named = Callable[[Value], str]


def _formula(step: Step, name: Named, form: int) -> str:
    """The right side of a step; form 0 is algebra, 1 code."""
    text = _call(step.head, name, form, None)
    for call in step.tail:
        if not is_idle(call):
            text = _call(call, name, form, text)
    return text


def _call(call: Call, name: Named, form: int, inner: str | None) -> str:
    """One operation; `inner` is what its first array came from, where that has no name."""
    parts = []
    for x in call.inputs:
        if isinstance(x, Value) and x.kind == "result" and inner is not None:
            parts.append(inner)
        elif isinstance(x, Value):
            parts.append(name(x))
        else:
            parts.append(_plain(x))
    settings = {key: _plain(v) for key, v in call.settings.items()}
    if call.op.name == "linear":
        times = (
            f"{_tight(parts[0])} {parts[1]}ᵀ" if form == 0 else f"{_tight(parts[0])} @ {parts[1]}.T"
        )
        return times if call.inputs[2] is None else f"{times} + {parts[2]}"
    if call.op.name in ("conv1d", "conv2d"):
        sign = f"{parts[1]} ∗ {_tight(parts[0])}"
        bias = f" + {parts[2]}" if call.inputs[2] is not None else ""
        if form == 0:
            return sign + bias
    if call.op.name == "getitem":
        return f"{_tight(parts[0])}[{_index(call.settings['index'])}]"
    if call.op.name in WRITTEN:
        pattern = WRITTEN[call.op.name][form]
        loose = pattern.startswith("{0}") or "{0} " in pattern or " {0}" in pattern
        tight = [_tight(p) for p in parts] if loose else parts
        return pattern.format(*tight, **settings)
    return f"{call.op.name}({', '.join(_arguments(call, parts, settings, form))})"


def _arguments(call: Call, parts: list[str], settings: dict[str, str], form: int) -> list[str]:
    """Inputs that were given and, in code, settings that are not the usual ones."""
    given = [p for p, x in zip(parts, call.inputs, strict=True) if x is not None]
    if form == 0:
        return given
    for key, value in call.settings.items():
        if isinstance(value, Value):
            continue
        usual = call.op.defaults.get(key)
        alike = set(value) == {usual} if isinstance(value, tuple) else value == usual
        if not (alike or (key == "training" and not value)):
            given.append(f"{key}={settings[key]}")
    return given


def _plain(x: Any) -> str:
    if isinstance(x, (float, np.floating)):
        return f"{float(x):.4g}"
    if isinstance(x, tuple):
        return f"({', '.join(_plain(p) for p in x)}{',' * (len(x) == 1)})"
    return "…" if isinstance(x, Value) else str(x)


def _index(index: Any) -> str:
    parts = index if isinstance(index, tuple) else (index,)
    written = []
    for part in parts:
        if isinstance(part, slice):
            ends = ["" if e is None else str(e) for e in (part.start, part.stop)]
            step = f":{part.step}" if part.step not in (None, 1) else ""
            written.append(f"{ends[0]}:{ends[1]}{step}")
        else:
            written.append("..." if part is Ellipsis else _plain(part))
    return ", ".join(written)


def _tight(text: str) -> str:
    """In brackets, if it is a sum or a product."""
    bare = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", text)
    return f"({text})" if LOOSE.search(bare) else text


# ------------------------------------------------------------------------------------------ drawing


Rows = list[tuple[str, str, Value]]


def draw(recording: Recording, values: bool) -> tuple[str, str]:
    """The picture, and the same made of characters."""
    rows, legend = rows_of(recording)
    return _svg(rows, legend, values), _text(rows, legend, values)


def rows_of(recording: Recording) -> tuple[Rows, Rows]:
    """The lines: algebra, code and what comes out of each step. And the letters: each with its value."""
    steps = steps_of(recording)
    letters = Letters(recording, steps)
    rows = [
        (
            f"{letters.algebra(step.result)} = {_formula(step, letters.algebra, 0)}",
            f"{letters.code(step.result)} = {_formula(step, letters.code, 1)}",
            step.result,
        )
        for step in steps
    ]
    legend = [
        *((letters.algebra(v), "the input", v) for v in input_names(recording.inputs)),
        *((letters.algebra(v), v.name, v) for v in letters.weights),
    ]
    return rows, legend


def _text(rows: Rows, legend: Rows, values: bool) -> str:
    lines = []
    left = min(36, max(28, *(len(a) for a, _, _ in rows))) if rows else 28
    for algebra, code, value in rows:
        room = 76 - left - len(shape(value))
        if len(algebra) <= left and max(30, len(code)) <= room:
            lines.append(f"{algebra:<{left}}  {code:<30}  {shape(value)}")
        else:
            lines += [*_wrapped(algebra, ""), *_wrapped(code, "    "), f"    {shape(value)}"]
        if values:
            lines.append(f"    = {some(value.numbers)}"[:80])
    lines.append("")
    wide = max((len(name) for name, _, _ in legend), default=0) + 1
    for name, meaning, value in legend:
        lines.append(f"{name:<{wide}}  {meaning:<23}  {shape(value)}"[:80])
        if values and meaning == "the input":
            lines.append(f"    = {some(value.numbers)}"[:80])
    return "\n".join(line.rstrip() for line in lines)


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(line, 80, initial_indent=indent, subsequent_indent=f"{indent}    ")


LETTER = re.compile(r"[A-Za-z][A-Za-z_]*[0-9₀-₉]*[_']*")
ROW, CHARACTER = 30, 8.1


def _svg(rows: Rows, legend: Rows, values: bool) -> str:
    own = {
        name.translate({ord(s): str(i) for i, s in enumerate("₀₁₂₃₄₅₆₇₈₉")})
        for name, _, _ in legend
    }
    own |= {code.partition(" = ")[0] for _, code, _ in rows}
    left = 24 + CHARACTER * max([len(a) for a, _, _ in rows] or [10]) + 24
    right = left + CHARACTER * max([len(c) for _, c, _ in rows] or [10]) + 24
    width = max(right + 120, 520)
    high = ROW + (16 if values else 0)
    parts = [
        svg.text(24, 28, "algebra", size=11, colour=svg.FAINT),
        svg.text(left, 28, "code", size=11, colour=svg.FAINT),
        svg.text(right, 28, "shape", size=11, colour=svg.FAINT),
    ]
    y = 40.0
    for algebra, code, value in rows:
        parts.append(
            f'<g class="row"><rect x="12" y="{y}" width="{width - 24:.0f}" height="{high}" rx="5"/>'
        )
        parts.append(_linked(24, y + 20, algebra, own))
        parts.append(_linked(left, y + 20, code, own))
        parts.append(svg.text(right, y + 20, shape(value), size=12, colour=svg.FAINT, mono=True))
        if values:
            parts.append(
                svg.text(
                    left, y + 36, "= " + some(value.numbers), size=10, colour=svg.BLUE, mono=True
                )
            )
        parts.append("</g>")
        y += high + 2
    y += 22
    for name, meaning, value in legend:
        parts.append(_linked(24, y, name, own))
        parts.append(svg.text(84, y, meaning, size=12))
        parts.append(svg.text(right, y, shape(value), size=12, colour=svg.FAINT, mono=True))
        y += 20
    names = sorted(_class(name) for name in own)
    style = ".row rect{fill:#fff}.row:hover rect{fill:#fef3c7}.l{cursor:default}"
    style += "".join(f"svg:has(.{n}:hover) .{n}{{fill:#c026d3;font-weight:700}}" for n in names)
    return svg.page(width, y + 8, parts, style)


def _class(name: str) -> str:
    return "l-" + re.sub(r"\W", "-", name)


def _linked(x: float, y: float, words: str, own: set[str]) -> str:
    """Words in which each letter of the network can be pointed at."""
    written, at = "", 0
    plain = words.translate({ord(s): str(i) for i, s in enumerate("₀₁₂₃₄₅₆₇₈₉")})
    for match in LETTER.finditer(plain):
        if match[0] in own:
            written += escape(words[at : match.start()])
            shown = escape(words[match.start() : match.end()])
            written += f'<tspan class="l {_class(match[0])}">{shown}</tspan>'
            at = match.end()
    written += escape(words[at:])
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" fill="{svg.INK}" xml:space="preserve" '
        f'font-family="{svg.MONO}">{written}</text>'
    )
