"""Chapter 13, first part: tensors that remember, and a rule for every operation.

What is built from them stands in `chapter13_layers.py`, `chapter13_framework.py` and
`chapter13_stories.py`; the tensor itself, in seven small steps, in `seven_steps`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from pellucid import Tensor, no_grad, tape

from .experiment import Figure, Result, experiment
from .result import Array

# ------------------------------------------------------------------------- 13.2 a graph, and back


@experiment("13.2", to="13.6", figures=[Figure("b.grad", [2, 2, 2, 2, 2], "f = (a + b) + (b + c)")])
def graph(result: Result) -> None:
    """Every result remembers what made it, so blame finds its way back, also along two paths."""
    a, b, c = (
        Tensor(numbers, dtype="float64", requires_grad=True)
        for numbers in ([1, 2, 3, 4, 5], [2, 2, 2, 2, 2], [5, 4, 3, 2, 1])
    )
    d = a + b
    e = b + c
    f = d + e
    made: dict[str, Tensor] = {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f}
    for tensor in (d, e, f):
        tensor.retain_grad()
    parents = family(made)
    f.backward(np.ones(5))
    used = Counter(parent for several in parents.values() for parent in several)
    result.table(
        "the graph, what was made last first",
        ("tensor", "made of", "value", "used", "gradient"),
        [
            (name, " + ".join(parents[name]) or "-", tensor, used[name], tensor.grad)
            for name, tensor in reversed(made.items())
        ],
    )
    if result.step("f = (a + b) + (b + c)"):
        for name in "abc":
            result.predict(name, "given", made[name])
        for name in "def":
            result.predict(name, " + ".join(parents[name]), made[name])
        result.compare("f", "its own slope is 1", np.ones(5))
        for name in reversed("abcde"):
            users = [user for user in "def" if name in parents[user]]
            reports = " + ".join(f"{user}.grad" for user in users)
            result.learn(f"{name}.grad", reports, made[name].grad)
    result.number("b.grad", b.grad)
    result.number("how often b is used", used["b"])
    counted = by_counting(parents, "f")
    for name in "abc":
        result.agree(f"{name}.grad", made[name].grad, np.full(5, counted[name]))
    doublings(result)


def family(made: Mapping[str, Tensor]) -> dict[str, tuple[str, ...]]:
    """For each tensor the names of those it was made of, as the tape knows them."""
    names = {id(tensor): name for name, tensor in made.items()}
    names |= {id(t.grad_fn): name for name, t in made.items() if t.grad_fn is not None}
    return {
        name: tuple(names[id(p)] for p in tensor.grad_fn.parents) if tensor.grad_fn else ()
        for name, tensor in made.items()
    }


def by_counting(parents: Mapping[str, tuple[str, ...]], last: str) -> dict[str, float]:
    """The gradients of sums of sums, without a tape: each waits until all users have reported."""
    waits_for = Counter(parent for several in parents.values() for parent in several)
    gradient, ready = Counter({last: 1}), [last]
    while ready:
        name = ready.pop()
        for parent in parents[name]:
            gradient[parent] += gradient[name]
            waits_for[parent] -= 1
            if not waits_for[parent]:
                ready.append(parent)
    return dict(gradient)


def doublings(result: Result) -> None:
    """Something doubled again and again: few tensors, but far more paths through them."""
    rows = []
    for times in (1, 2, 3, 10, 50):
        first = last = Tensor(1.0, requires_grad=True)
        for _ in range(times):
            last = last + last
        assert last.grad_fn is not None
        steps = len(tape.newest_first([last.grad_fn]))
        last.backward()
        rows.append((times, first.grad.item(), steps, 2.0**times))
        result.agree(f"gradient after {times} doublings", first.grad.item(), 2.0**times)
    result.table(
        "x + x, and that plus itself, and so on",
        ("doublings", "gradient of x", "steps of the walk back", "paths back to x"),
        rows,
    )


# --------------------------------------------------------------------------- 13.7 rules, and trying

Function = Callable[..., Tensor]


class Rule(NamedTuple):
    """An operation of the book: what it does, and how blame passes it."""

    name: str
    function: Function
    rule: str  # in words
    by_hand: Callable[..., tuple[Array, ...]]  # d and the inputs, in NumPy: the gradients
    shapes: tuple[tuple[int, ...], ...] = ((2, 3),)


PAIR = ((2, 3), (2, 3))

RULES = (
    Rule("a + b", lambda a, b: a + b, "d to both", lambda d, a, b: (d, d), PAIR),
    Rule("-a", lambda a: -a, "-d", lambda d, a: (-d,)),
    Rule("a - b", lambda a, b: a - b, "d to a, -d to b", lambda d, a, b: (d, -d), PAIR),
    Rule(
        "a * b", lambda a, b: a * b, "d * b to a, d * a to b", lambda d, a, b: (d * b, d * a), PAIR
    ),
    Rule(
        "a.sum(0)",
        lambda a: a.sum(0),
        "d, a copy for each row",
        lambda d, a: (np.tile(d, (len(a), 1)),),
    ),
    Rule(
        "a.sum(1)",
        lambda a: a.sum(1),
        "d, a copy for each column",
        lambda d, a: (np.tile(d[:, None], (1, a.shape[1])),),
    ),
    Rule(
        "a.expand(4, 2, 3)",
        lambda a: a.expand(4, 2, 3),
        "d, summed over the copies",
        lambda d, a: (d.sum(0),),
    ),
    Rule("a.T", lambda a: a.T, "d, transposed", lambda d, a: (d.T,)),
    Rule(
        "a @ b",
        lambda a, b: a @ b,
        "d @ b.T to a, a.T @ d to b",
        lambda d, a, b: (d @ b.T, a.T @ d),
        ((2, 3), (3, 4)),
    ),
)


@experiment("13.7", to="13.9")
def rules(result: Result, *, seed: int = 0) -> None:
    """Every operation brings a rule for the way back, and every rule can be checked by trying.

    Args:
        seed: which numbers the rules are tried on.
    """
    random = np.random.RandomState(seed)
    rows = []
    for rule in result.track(RULES):
        arrays = [random.randn(*shape) for shape in rule.shapes]
        inputs = [Tensor(x.copy(), requires_grad=True) for x in arrays]
        y = rule.function(*inputs)
        d = random.randn(*y.shape)  # what arrives: different for each number of the result
        y.backward(d)
        gradients = [x.grad.numpy() for x in inputs]
        tried = [by_trying(rule.function, arrays, i, d) for i in range(len(arrays))]
        apart = max(np.abs(g - t).max() for g, t in zip(gradients, tried, strict=True))
        rows.append((rule.name, rule.rule, apart))
        flat = np.concatenate([g.ravel() for g in gradients])
        by_rule = np.concatenate([g.ravel() for g in rule.by_hand(d, *arrays)])
        result.agree(f"{rule.name}: the rule in NumPy", flat, by_rule)
        by_trial = np.concatenate([t.ravel() for t in tried])
        result.agree(f"{rule.name}: by trying", flat, by_trial, allowed=1e-7)
        if result.step(rule.name):
            for name, x in zip("ab", arrays, strict=False):
                result.predict(name, "given", x)
            result.predict("y", rule.name, y)
            result.compare("d", "what arrives at y", d)
            for name, g in zip("ab", gradients, strict=False):
                result.learn(f"{name}.grad", rule.rule, g)
    result.table(
        "d is the gradient that arrives at the result",
        ("operation", "its rule", "rule and trying differ by"),
        rows,
    )


def by_trying(f: Function, inputs: list[Array], which: int, d: Array, nudge: float = 1e-6) -> Array:
    """The gradient of one input without any rule: each number moved up a little, and down.

    Args:
        f: takes tensors, gives a tensor.
        inputs: arrays to hand it.
        which: the input that is moved.
        d: how much each number of the result counts.
        nudge: how far each number is moved.
    """
    slopes = np.zeros_like(inputs[which])
    with no_grad():
        for place in np.ndindex(slopes.shape):
            ends = []
            for step in (nudge, -nudge):
                moved = [x.copy() for x in inputs]
                moved[which][place] += step
                ends.append(float((f(*map(Tensor, moved)).numpy() * d).sum()))
            slopes[place] = (ends[0] - ends[1]) / (2 * nudge)
    return slopes
