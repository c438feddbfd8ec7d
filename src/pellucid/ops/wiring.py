"""How an operation runs and how it is walked back through, written out for its own inputs.

Every operation does the same few things: take the arrays out of its tensors, call its forward rule,
wrap the result, note down what the walk back will need. A loop over inputs that asks at each what
this operation needs would take longer than the arithmetic of a small network. So the questions are
asked once, and the answers written down as two short functions, `run` and `pull`. For

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

Run = Callable[[Sequence[Any], dict[str, Any]], Any]
Pull = Callable[..., Sequence[Any]]

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
def run(inputs, settings):
{take}\
    try:
        y = forward({called_with})
    except PellucidError:
        raise
    except MISTAKES as error:
        raise reworded(error, inputs, {values}) from error
{set_aside}\
    if y.__class__ is not ndarray or y.dtype is not FLOAT32:
        y = settle(y, {values}) if settings.get("dtype") is None else asarray(y)
    result = new(Tensor)
    result._value = y
    result._grad = result._hooks = result._story = None
    if mode.recording and {wanted}:
        result._node = node = new(Node)
        result._requires_grad = True
        node.op, node.parents, node.values = op, {parents}, {kept}
        node.settings, node.result, node.memory = settings, {result}, {memory}
        node.number, node.hooks, node.line = tick(), None, None
    else:
        result._node = None
        result._requires_grad = False
        if mode.recording:
            result._story = name, origins(inputs)
    if mode.watched:
        watch(inputs, {values}, settings, result)
    return result
"""


def forward_source(op: Op) -> str:
    """The text of `run(inputs, settings)`: arrays out, forward rule, result in, history kept."""
    read = names_read(op)
    settings = "**settings" if op.defaults else ""
    if op.variadic is not None:
        take, values, parents = _TAKE_ALL, "values", "parents"
        called_with = ", ".join(["*values", settings]).rstrip(", ")
        wanted = "any([p is not None for p in parents])"
        shapes_only = op.variadic not in read
        kept = "[getattr(v, 'shape', ()) for v in values]" if shapes_only else values
    else:
        take = f"    {_tuple(op.inputs, '{}')} = inputs\n"
        take += "".join(_TAKE.format(x=x) for x in op.inputs)
        values, parents = _tuple(op.inputs, "v_{}"), _tuple(op.inputs, "p_{}")
        called_with = ", ".join([*(f"v_{x}" for x in op.inputs), settings]).rstrip(", ")
        wanted = f"({' or '.join(f'p_{x} is not None' for x in op.inputs)})"
        parts = [f"v_{x}" if x in read else f"getattr(v_{x}, 'shape', ())" for x in op.inputs]
        kept = _tuple(parts, "{}")
    return _RUN.format(
        take=take,
        called_with=called_with,
        values=values,
        parents=parents,
        kept=kept,
        set_aside="    y, memory = y\n" if op.remembers else "",
        wanted=f"{wanted} and y.dtype.kind == 'f'" if op.differentiable else "False",
        result="y" if "y" in read else "None",
        memory="memory" if op.remembers else "None",
    )


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


def forward_function(op: Op, known: dict[str, Any]) -> Run:
    """`forward_source`, compiled. `known`: what it calls by name."""
    names = {**known, "op": op, "name": op.name, "forward": op.forward}
    exec(_compiled(forward_source(op), f"<{op.name} runs>", "exec"), names)
    return names["run"]  # type: ignore[no-any-return]


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
