"""Every operation in the registry, checked without anybody writing a test for it.

Sample calls come from the operation's own examples or, where the shape rule says enough, are made from
the rule. An operation from which neither can be had fails here, with words.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, grad, shapes
from pellucid.errors import GraphError
from pellucid.ops.base import OPS, REQUIRED, Op
from pellucid.sparse import RowSparse
from pellucid.testing import arrangements, gradcheck, gradgradcheck

# Inputs with fractions that are no variables: nothing is learned through them. (operation, input): why
CONSTANTS: dict[tuple[str, str], str] = {}

# Settings that mean a gradient which is not the slope: rows of padding learn nothing
UNFAITHFUL = ("padding_idx",)

EVERY = sorted(OPS)
SLOPED = [name for name in EVERY if OPS[name].differentiable]
Sample = tuple[tuple[Any, ...], dict[str, Any]]


# ------------------------------------------------------------------------------------------ samples

# sizes of the leading axes (...) of up to four inputs: alike, broadcast, single, none at all
LEADING = [
    [(2, 3)] * 4,
    [(2, 1), (3,), (), (2, 3)],
    [()] * 4,
    [(0, 3), (3,), (1, 3), ()],
]


def from_rule(op: Op) -> Iterator[Sample]:
    """Calls made from a shape rule and a domain."""
    r = np.random.default_rng(0)
    required = [name for name, default in op.defaults.items() if default is REQUIRED]
    if op.variadic or required or len(shapes.parse(op.rule or "")[0]) < len(op.inputs):
        lacking = (
            f"its settings {', '.join(required)} have no default"
            if required
            else "its rule is open"
        )
        pytest.fail(
            f"no sample call of {op.name} can be made: {lacking}.\n"
            f"Show how it is called:  @{op.name}.examples"
        )
    for alternative in op.rule.split("|"):
        inputs, _ = shapes.parse(alternative)
        letters = sorted({axis for axes, _ in inputs for axis in axes if axis != "..."})
        sizes = {letter: 2 + i for i, letter in enumerate(letters)}
        spread = any("..." in axes for axes, _ in inputs)
        broadcasts = spread and not alternative.endswith("?")
        for leading in LEADING if broadcasts else LEADING[:1]:
            arrays = []
            for (axes, _), front in zip(inputs, leading, strict=False):
                shape = tuple(sizes[axis] for axis in axes if axis != "...")
                arrays.append(r.uniform(*op.domain, (*front, *shape) if "..." in axes else shape))
            yield tuple(arrays), {}


@cache
def samples(name: str) -> list[Sample]:
    """All sample calls of an operation, the same in every test."""
    op = OPS[name]
    found = list(op.example(np.random.default_rng(1)) if op.example else from_rule(op))
    if not found:
        pytest.fail(f"the examples of {name} are empty: show at least one call")
    return found


def is_variable(op: Op, i: int, x: Any) -> bool:
    """Whether a gradient can be asked for this input."""
    kind = getattr(x, "dtype", np.dtype(bool)).kind
    return kind == "f" and (op.name, label(op, i)) not in CONSTANTS


def label(op: Op, i: int) -> str:
    return op.inputs[i] if i < len(op.inputs) else f"{op.variadic}[{i}]"


def prepared(op: Op, inputs: tuple[Any, ...], dtype: Any = np.float64) -> list[Any]:
    """Fresh inputs; those a gradient can be asked for as leaves."""
    return [
        Tensor(np.array(x, dtype), requires_grad=True) if is_variable(op, i, x) else x
        for i, x in enumerate(inputs)
    ]


def call(op: Op, inputs: Any, settings: dict[str, Any]) -> Tensor:
    """Run an operation; those that draw random numbers draw the same ones each time."""
    pellucid.manual_seed(3)
    if op.order and op.variadic is None:
        return op(**dict(zip(op.inputs, inputs, strict=False)), **settings)
    return op(*inputs, **settings) if not op.variadic else op(list(inputs), **settings)


def uneven(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(5).uniform(0.5, 1.5, shape)


def slopes_of(
    op: Op, leaves: list[Any], settings: dict[str, Any], dtype: Any
) -> tuple[Any, list[Any]]:
    """The result and the gradient of every leaf among the inputs, as arrays."""
    y = call(op, leaves, settings)
    asked = [x for x in leaves if isinstance(x, Tensor)]
    found = grad(y, asked, uneven(y.shape).astype(dtype), allow_unused=True)
    return y.numpy(), [None if g is None else dense(g) for g in found]


def dense(g: Any) -> Any:
    return np.asarray(g.to_dense() if isinstance(g, RowSparse) else g.numpy())


# ------------------------------------------------------------------------------------------- checks


@pytest.mark.parametrize("name", EVERY)
def test_result_has_the_shape_the_rule_promises(name: str) -> None:
    op = OPS[name]
    for inputs, settings in samples(name):
        y = call(op, inputs, settings)
        assert isinstance(y, Tensor)
        if op.rule is None or op.rule.endswith("?"):
            continue
        known = [None if x is None else np.shape(x) for x in inputs]
        promised = shapes.result_shape(op.rule, known)
        assert y.shape == promised, (
            f"{name} of {known}: the rule {op.rule} promises {promised}, not {y.shape}"
        )


@pytest.mark.parametrize("name", SLOPED)
def test_slopes_agree_with_small_steps(name: str) -> None:
    op = OPS[name]
    checked = 0
    for inputs, settings in samples(name):
        leaves = prepared(op, inputs)
        faithful = all(settings.get(name) is None for name in UNFAITHFUL)
        if faithful and any(isinstance(x, Tensor) for x in leaves):
            labels = [label(op, i) for i in range(len(leaves))]
            gradcheck(lambda *xs, s=settings: call(op, xs, s), leaves, names=labels, what=name)
            checked += 1
    assert checked, f"no example of {name} has an input with fractions to find the slope for"


@pytest.mark.parametrize("name", [n for n in SLOPED if not OPS[n].first_order])
def test_slopes_of_slopes_agree_with_small_steps(name: str) -> None:
    op = OPS[name]
    for inputs, settings in samples(name):
        leaves = prepared(op, inputs)
        if any(isinstance(x, Tensor) for x in leaves):
            labels = [label(op, i) for i in range(len(leaves))]
            gradgradcheck(lambda *xs, s=settings: call(op, xs, s), leaves, names=labels, what=name)


@pytest.mark.parametrize("name", [n for n in SLOPED if OPS[n].first_order])
def test_fused_operations_refuse_second_slopes(name: str) -> None:
    op = OPS[name]
    inputs, settings = samples(name)[0]
    leaves = prepared(op, inputs)
    y = call(op, leaves, settings)
    with pytest.raises(GraphError, match=f"{name} knows its slope but not the slope of its slope"):
        grad(
            y.sum(),
            [x for x in leaves if isinstance(x, Tensor)],
            create_graph=True,
            allow_unused=True,
        )


@pytest.mark.parametrize("name", EVERY)
def test_float32_stays_float32(name: str) -> None:
    op = OPS[name]
    for inputs, settings in samples(name):
        if settings.get("dtype") is not None or too_large(inputs):
            continue
        if not op.differentiable:
            short = [
                x.astype(np.float32) if is_variable(op, i, x) else x for i, x in enumerate(inputs)
            ]
            assert call(op, short, settings).dtype != np.float64 or not any(
                map(has_fractions, inputs)
            )
            continue
        leaves = prepared(op, inputs)
        if not any(isinstance(x, Tensor) for x in leaves):
            continue
        long_y, long_slopes = slopes_of(op, leaves, settings, np.float64)
        settings = {k: v.astype(np.float32) if has_fractions(v) else v for k, v in settings.items()}
        y, slopes = slopes_of(op, prepared(op, inputs, np.float32), settings, np.float32)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, long_y, rtol=2e-3, atol=2e-4)
        for i, (short, full) in enumerate(zip(slopes, long_slopes, strict=True)):
            if short is None:
                continue
            assert short.dtype == np.float32, f"gradient {i} of {name} is {short.dtype}"
            np.testing.assert_allclose(short, full, rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("name", SLOPED)
def test_slopes_leave_alone_what_is_not_theirs(name: str) -> None:
    """No slope writes into `d`, an input or the result, or hands one of the last two on as its own."""
    op = OPS[name]
    for inputs, settings in samples(name):
        leaves = prepared(op, inputs)
        y = call(op, leaves, settings)
        node = y._node
        if node is None:
            continue
        d = uneven(y.shape)
        theirs = [x.numpy() for x in leaves if isinstance(x, Tensor)] + [y.numpy()]
        for array in (*theirs, d):
            array.flags.writeable = False
        for gradient in op.pull(node, d, None, False):
            g = gradient.values if isinstance(gradient, RowSparse) else gradient
            if not isinstance(g, np.ndarray):
                continue
            for other in theirs:
                assert not np.may_share_memory(g, other), (
                    f"a slope of {name} returns an input or the result"
                )


@pytest.mark.parametrize("name", EVERY)
def test_inputs_may_lie_in_memory_as_they_like(name: str) -> None:
    op = OPS[name]
    inputs, settings = samples(name)[0]
    variants = [list(arrangements(x)) if isinstance(x, np.ndarray) else [] for x in inputs]
    plain = prepared(op, inputs)
    learns = op.differentiable and any(isinstance(x, Tensor) for x in plain)
    expected = (
        slopes_of(op, plain, settings, np.float64)
        if learns
        else (call(op, inputs, settings).numpy(), [])
    )
    for k, kind in enumerate(["transposed", "strided", "backwards"]):
        rearranged = [v[k][1] if v else x for v, x in zip(variants, inputs, strict=True)]
        if not learns:
            np.testing.assert_array_equal(call(op, rearranged, settings).numpy(), expected[0], kind)
            continue
        leaves = [
            Tensor(x, requires_grad=True) if is_variable(op, i, x) else x
            for i, x in enumerate(rearranged)
        ]
        y, slopes = slopes_of(op, leaves, settings, np.float64)
        np.testing.assert_allclose(y, expected[0], rtol=1e-12, atol=1e-12, err_msg=kind)
        for found, slope in zip(slopes, expected[1], strict=True):
            if slope is not None:
                np.testing.assert_allclose(found, slope, rtol=1e-12, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("name", EVERY)
def test_operations_say_what_they_mean(name: str) -> None:
    doc = inspect.getdoc(OPS[name]) or ""
    assert doc.split("\n")[0].endswith((".", "?")), (
        f"{name} lacks its meaning in one plain sentence"
    )


def has_fractions(x: Any) -> bool:
    return getattr(x, "dtype", np.dtype(bool)).kind == "f"


def too_large(inputs: tuple[Any, ...]) -> bool:
    """Whether numbers are beyond float32: such examples are about float64."""
    return any(has_fractions(x) and x.size and np.abs(x).max() > 1e30 for x in inputs)
