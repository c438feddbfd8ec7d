"""How an operation is called and how it is walked back through, written out for its own inputs.

Every operation does the same few things: take the arrays out of its tensors, call its forward rule,
wrap the result, note down what the walk back will need. A loop over inputs that asks at each what
this operation needs would take longer than the arithmetic of a small network. So the questions are
asked once, and the answers written down as two short functions, `call` and `pull`. For

    @op
    def mul(a, b): return a * b

    @mul.slope("a")
    def _(d, b): return d * b

`print(forward_source(mul))` and `print(backward_source(mul))` show them.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Op

Call = Callable[..., Any]
Pull = Callable[..., Sequence[Any]]

# Called as it is written: inputs in their places, settings by name. All else is spelled out first.
_USUAL = """\
def call(self, {arguments}*spare, {keywords}**named):
    if spare or named or {last_required} is REQUIRED:
        return spelled_out({inputs}, spare, {settings}, named)
"""

_OTHER = """\
def call(self, *inputs, **given):
    inputs, settings = bind(inputs, given)
"""

_TAKE = """\
    if isinstance({x}, Tensor):
        v_{x} = {x}._value
        p_{x} = ({x}._node or {x}) if {x}._requires_grad else None
    else:
        v_{x} = {x} if {x}.__class__ is not list else from_list({x})
        p_{x} = None
"""

_TAKE_ALL = """\
    values, parents = [], []
    for x in inputs:
        if isinstance(x, Tensor):
            values.append(x._value)
            parents.append((x._node or x) if x._requires_grad else None)
        else:
            values.append(x if x.__class__ is not list else from_list(x))
            parents.append(None)
"""

_RUN = """\
    try:
        _y = rule({called_with})
    except PellucidError:
        raise
    except MISTAKES as error:
        raise reworded(error, {inputs}, {values}) from error
{set_aside}\
    if _y.__class__ is not ndarray or _y.dtype is not FLOAT32:
        _y = {settled}
    _result = new(Tensor)
    _result._value = _y
    _result._grad = _result._hooks = _result._story = None
    if STATE.recording and {wanted}:
        _result._node = _node = new(Node)
        _result._requires_grad = True
        _node.op, _node.parents, _node.values = self, {parents}, {kept}
        _node.settings, _node.result, _node.memory = {settings}, {result}, {memory}
        _node.number, _node.hooks, _node.line = tick(), None, None
    else:
        _result._node = None
        _result._requires_grad = False
        if STATE.recording:
            _result._story = NAME, origins({inputs})
    if STATE.watched:
        watch({inputs}, {values}, {settings}, _result)
    return _result
"""


def forward_source(op: Op) -> str:
    """The text of `call(self, ...)`: arrays out, forward rule, result in, history kept."""
    parts = _several(op) if op.variadic is not None else _each(op)
    usual = op.variadic is None and not op.order
    settled = f"settle(self, _y, {parts['values']}, {parts['settings']})"
    if "dtype" in op.defaults:
        asked = "dtype" if usual else "settings['dtype']"
        settled = f"{settled} if {asked} is None else asarray(_y)"
    parts |= {
        "set_aside": "    _y, _memory = _y\n" if op.remembers else "",
        "settled": settled,
        "result": "_y" if "y" in names_read(op) else "None",
        "memory": "_memory" if op.remembers else "None",
    }
    parts["wanted"] += " and _y.dtype.kind == 'f'" if op.differentiable else " and False"
    return (parts["head"] + parts["take"] + _RUN).format(**parts)


def _each(op: Op) -> dict[str, str]:
    """The pieces of an operation whose inputs have names."""
    read = names_read(op)
    inputs, values = _tuple(op.inputs, "{}"), _tuple(op.inputs, "v_{}")
    kept = [f"v_{x}" if x in read else f"getattr(v_{x}, 'shape', ())" for x in op.inputs]
    by_name = [f"{name}={name}" for name in op.defaults]
    parts = {
        "head": _USUAL,
        "take": "".join(_TAKE.replace("{x}", x) for x in op.inputs),
        "inputs": inputs,
        "values": values,
        "parents": _tuple(op.inputs, "p_{}"),
        "kept": _tuple(kept, "{}"),
        "wanted": f"({' or '.join(f'p_{x} is not None' for x in op.inputs)})",
        "called_with": ", ".join([*(f"v_{x}" for x in op.inputs), *by_name]),
        "settings": f"{{{', '.join(f'{name!r}: {name}' for name in op.defaults)}}}",
        "arguments": _tuple(op.inputs, "{0}=default_{0}")[1:-1],
        "keywords": _tuple(list(op.defaults), "{0}=default_{0}")[1:-1],
        "last_required": [*op.inputs[: op.fewest], *op.required][-1],
    }
    if not op.defaults:
        parts["settings"] = "NO_SETTINGS"
    if op.order:
        parts["head"] = _OTHER + f"    {inputs} = inputs\n"
        parts["called_with"] = ", ".join([*(f"v_{x}" for x in op.inputs), "**settings"])
        parts["settings"] = "settings"
    return parts


def _several(op: Op) -> dict[str, str]:
    """The pieces of an operation that takes any number of inputs."""
    kept = (
        "values" if op.variadic in names_read(op) else "[getattr(v, 'shape', ()) for v in values]"
    )
    return {
        "head": _OTHER,
        "take": _TAKE_ALL,
        "inputs": "inputs",
        "values": "values",
        "parents": "parents",
        "kept": kept,
        "wanted": "any([p is not None for p in parents])",
        "called_with": "*values, **settings",
        "settings": "settings",
    }


def backward_source(op: Op) -> str:
    """The text of `pull(d, y, v, s, m, p)`: each slope called with what it names.

    d, y: gradient and result; v, s: inputs and settings; m: what forward set aside; p: per input
    where its gradient goes, None where nobody asks for it.
    """
    if op.joint is not None:
        return f"lambda d, y, v, s, m, p: slope({_passed(op, op.joint)})"
    # an input is only stretched where several have free axes
    stretches = op.rule is not None and op.rule.partition("->")[0].count("...") > 1
    parts = []
    for i, name in enumerate(op.inputs):
        if name not in op.slopes:
            parts.append("None")
            continue
        call = f"slope_{i}({_passed(op, op.slopes[name])})"
        if stretches:
            call = f"sum_to({call}, {_shape(op, i)})"
        parts.append(f"None if p[{i}] is None else {call}")
    return f"lambda d, y, v, s, m, p: ({', '.join(parts)},)"


def forward_function(op: Op, known: dict[str, Any]) -> Call:
    """`forward_source`, compiled. `known`: what it calls by name."""
    names = {**known, "NAME": op.name, "rule": op.forward, "NO_SETTINGS": op.defaults}
    names |= {f"default_{name}": value for name, value in op.defaults.items()}
    usual = op.forward.__defaults__ or ()
    values = (known["REQUIRED"],) * op.fewest + usual
    names |= {f"default_{name}": value for name, value in zip(op.inputs, values, strict=True)}
    exec(_compiled(forward_source(op), f"<{op.name} runs>", "exec"), names)
    return names["call"]  # type: ignore[no-any-return]


def backward_function(op: Op, known: dict[str, Any]) -> Pull:
    """`backward_source`, compiled."""
    names = {**known, "slope": op.joint}
    names |= {f"slope_{i}": op.slopes.get(name) for i, name in enumerate(op.inputs)}
    source = _compiled(backward_source(op), f"<back through {op.name}>", "eval")
    return eval(source, names)  # type: ignore[no-any-return]


def _compiled(source: str, title: str, kind: str) -> CodeType:
    """Code whose lines tracebacks can show, and that counts as a part of this package."""
    path = str(Path(__file__).with_name(title))
    linecache.cache[path] = len(source), None, source.splitlines(keepends=True), path
    return compile(source, path, kind)


# --------------------------------------------------------------------------- what slopes ask for


def names_read(op: Op) -> set[str]:
    """What the slopes name, all together."""
    functions = [op.joint] if op.joint else list(op.slopes.values())
    return {name for f in functions for name in _named(f)}


def _named(slope: Callable[..., Any]) -> Sequence[str]:
    return slope.__code__.co_varnames[: slope.__code__.co_argcount]


def _passed(op: Op, slope: Callable[..., Any]) -> str:
    """What a slope names, as arguments: `d, v[1]` for one that names (d, b)."""
    known = {"d": "d", "y": "y", "memory": "m", "needs": "tuple([x is not None for x in p])"}
    known |= {name: f"s[{name!r}]" for name in op.defaults}
    for i, name in enumerate(op.inputs):
        known[f"{name}_shape"] = _shape(op, i)
        known[name] = f"v[{i}]"
    if op.variadic is not None:
        kept = op.variadic in names_read(op)
        known[f"{op.variadic}_shape"] = "[x.shape for x in v]" if kept else "v"
        known[op.variadic] = "v"
    for name in _named(slope):
        if name not in known:
            raise TypeError(f"a slope of {op.name} asks for {name!r}, which {op.name} has not")
    return ", ".join(known[name] for name in _named(slope))


def _shape(op: Op, i: int) -> str:
    """The shape of an input; where no slope reads the input, its shape is all that was kept."""
    return f"getattr(v[{i}], 'shape', ())" if op.inputs[i] in names_read(op) else f"v[{i}]"


def _tuple(names: Sequence[str], pattern: str) -> str:
    return f"({''.join(pattern.format(name) + ', ' for name in names)})"
