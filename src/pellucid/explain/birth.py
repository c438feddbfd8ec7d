"""Where the first NaN or infinity was born: `pellucid.first_nan`.

`detect_anomaly` stops at the birth with an error. Here the step is run for the purpose of finding it, and
what is found is said in words: the operation, the layer, the line, the numbers it was given there, and
what usually leads to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import tape
from ..errors import AnomalyError, PellucidError, user_line
from ..ops.base import Op
from ..program.program import _Keeper
from ..program.record import Recorder, variables_of
from ..tensor import Tensor
from .said import short

Array = Any
LARGE = 1e4  # weights of this size are those of a network that has lost its way


@dataclass(frozen=True)
class Birth:
    """Where the first number that is none was born; false where there is none.

    Attributes:
        where: "before" (it was there before the step), "forwards", "backwards", "update" (in the
            optimiser's step), or "" where everything stayed finite.
        what: "NaN" or "infinity".
        op: the operation's name, or the optimiser's.
        layer: the layer in which it ran.
        line: the line of source that ran it.
        index: where in the result; for "before", where in the tensor.
        inputs: the numbers that the operation had there, by name.
        reason: what usually leads to it, and what to do.
        step: in which of the steps, counted from 1.
        steps: how many were run.
    """

    where: str = ""
    what: str = ""
    op: str = ""
    layer: str = ""
    line: str = ""
    index: tuple[int, ...] = ()
    inputs: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    step: int = 0
    steps: int = 1

    def __bool__(self) -> bool:
        return bool(self.where)

    def __str__(self) -> str:
        if not self:
            many = "in one step" if self.steps == 1 else f"in {self.steps} steps"
            return f"no NaN and no infinity {many}, forwards or backwards"
        place = f" at {list(self.index)}" if self.index else ""
        lines = {
            "before": f"{self.op} holds {self.what}{place} before the step begins",
            "forwards": f"the first {self.what} is born forwards, in {self.op}{place}",
            "backwards": f"the first {self.what} is born backwards, in the slope of {self.op}{place}",
            "update": f"the first {self.what} is born when {self.op} changes the weights{place}",
        }
        told = [lines[self.where] + (f", in step {self.step}" if self.steps > 1 else "")]
        told += [f"  from   {n} = {v}" for n, v in self.inputs.items()]
        told += [f"  layer  {self.layer}"] if self.layer else []
        told += [f"  line   {self.line}"] if self.line else []
        told += [
            f"  why    {line}" if i == 0 else f"         {line}" for i, line in _lines(self.reason)
        ]
        return "\n".join(told)

    __repr__ = __str__


def _lines(text: str) -> list[tuple[int, str]]:
    import textwrap

    return list(enumerate(textwrap.wrap(text, 71)))


class _BornError(PellucidError):
    """Carries what was found out of the step."""

    def __init__(self, birth: dict[str, Any]) -> None:
        super().__init__("found")
        self.birth = birth


def first_nan(step: Callable[..., Any], steps: int = 1) -> Callable[..., Birth]:
    """Run a step and say where the first NaN or infinity is born.

    An infinity that was asked for is none: one that is an input or a setting (a mask of -inf before
    softmax).

    Args:
        step: a function that predicts, or predicts, compares and learns; or a module.
        steps: how often to run it, with the same inputs, until something is found.

    Returns:
        A function to call with inputs as the step is called. Afterwards weights, gradients, optimisers and
        random numbers are as they were. It returns a `Birth`, to be printed; false if all is well.

    >>> import pellucid
    >>> def step(chances):
    ...     return pellucid.log(chances).mean()
    >>> birth = pellucid.first_nan(step)(pellucid.tensor([0.5, 0.0]))
    >>> birth.where, birth.op, birth.what, birth.index
    ('forwards', 'log', 'infinity', (1,))
    >>> print(pellucid.first_nan(step)(pellucid.tensor([0.5, 0.1])))
    no NaN and no infinity in one step, forwards or backwards
    """

    def finder(*arguments: Any, **named: Any) -> Birth:
        keeper = _Keeper(step, Recorder(step))
        for thing in (*arguments, *named.values()):
            keeper.find("", thing)
        try:
            return _Search(step, arguments, named, steps).run()
        finally:
            keeper.put_back()

    return finder


class _Search:
    """Looks at every number while the step runs."""

    def __init__(
        self, step: Callable[..., Any], arguments: Sequence[Any], named: dict[str, Any], steps: int
    ) -> None:
        self.step, self.arguments, self.named, self.steps = step, arguments, named, steps
        self.number = 0
        self.optimizer: Any = None
        self.sizes: list[float] = []  # of the largest weight before each step

    def run(self) -> Birth:
        """All steps, or those up to the birth."""
        given = self._before()
        if given is not None:
            return Birth(**given, step=1, steps=self.steps)
        for number in range(1, self.steps + 1):
            self.number = number
            weights = self._weights()
            self.sizes.append(max((_size(t._value) for _, t in weights), default=0.0))
            found = self._once()
            if found is None:
                found = self._after(weights)
            if found is not None:
                found["reason"] = self._grown() or found["reason"]
                return Birth(**found, step=self.number, steps=self.steps)
        return Birth(steps=self.steps)

    def _once(self) -> dict[str, Any] | None:
        try:
            with self._looking():
                self.step(*self.arguments, **self.named)
        except _BornError as error:
            return {**error.birth, "layer": error.layer or ""}
        except AnomalyError as error:
            found = _of_traceback(error)
            if found is None:
                raise
            return found
        return None

    # -------------------------------------------------------------------------- forwards and backwards

    @contextmanager
    def _looking(self) -> Iterator[None]:
        before = tape.mode.witness, tape.mode.anomaly
        tape.mode.witness, tape.mode.anomaly = self._witness, False
        try:
            with tape.listening(self._hear):
                yield
        finally:
            tape.mode.witness, tape.mode.anomaly = before

    def _hear(self, op: Op, inputs: Any, settings: dict[str, Any], result: Tensor) -> None:
        """An operation has run."""
        tape.mode.anomaly = False
        if result._node is not None:
            result._node.line = user_line()
        y = result._value
        if y.dtype.kind != "f" or np.isfinite(y).all():
            return
        values = [x._value if isinstance(x, Tensor) else x for x in inputs]
        if any(_is_bad(v) for v in (*values, *settings.values())):
            return  # it came in, or was asked for
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
        there = _there(op, values, y, at)
        birth = {
            "where": "forwards",
            "what": "NaN" if np.isnan(y[at]) else "infinity",
            "op": op.name,
            "index": at,
            "inputs": there,
            "line": user_line() or "",
            "reason": _why_forwards(op.name, there, values, y),
        }
        raise _BornError(birth)

    def _witness(self, event: str, *what: Any) -> Any:
        """What is no operation: on the way back, the tape itself looks at every gradient."""
        if event == "backward":
            tape.mode.anomaly = True
        if event == "step":
            self.optimizer = what[0]
        return what[0]._value.item() if event == "item" else None

    # ------------------------------------------------------------------------------ before and after

    def _before(self) -> dict[str, Any] | None:
        """A number that is none in what the step is given, or in its weights."""
        function = self.step if not hasattr(self.step, "forward") else self.step.forward
        bound = inspect.signature(function).bind(*self.arguments, **self.named).arguments
        for name, thing in (*_tensors("", bound), *self._weights()):
            bad = _first_bad(thing._value if isinstance(thing, Tensor) else thing)
            if bad is not None:
                return {
                    "where": "before", "what": bad[1], "op": name, "index": bad[0],
                    "reason": "it did not come from this step: look at where these numbers are made or "
                    "read, or at the step before",
                }  # fmt: skip
        return None

    def _after(self, weights: list[tuple[str, Tensor]]) -> dict[str, Any] | None:
        """Weights that are no numbers any more though every gradient was one."""
        for name, tensor in weights:
            bad = _first_bad(tensor._value)
            if bad is not None:
                gradient = getattr(tensor._grad, "_value", None)
                inputs = {"weight": name}
                if gradient is not None and gradient.shape == tensor._value.shape:
                    inputs["gradient"] = short(gradient[bad[0]])
                rates = [g.get("lr") for g in getattr(self.optimizer, "param_groups", [])]
                inputs |= {"lr": short(rates[0])} if rates else {}
                return {
                    "where": "update", "what": bad[1],
                    "op": type(self.optimizer).__name__ if self.optimizer else "the step",
                    "index": bad[0], "inputs": inputs,
                    "reason": "lr times the gradient is too large for this type of numbers: lower the "
                    "learning rate, or shorten the gradients (nn.utils.clip_grad_norm_)",
                }  # fmt: skip
        return None

    def _weights(self) -> list[tuple[str, Tensor]]:
        own = {"": self.step} if hasattr(self.step, "named_parameters") else {}
        found: dict[int, tuple[str, Tensor]] = {}
        for name, thing in (*variables_of(self.step).items(), *own.items()):
            for path, tensor in _tensors(name, thing):
                if isinstance(tensor, Tensor) and tensor._requires_grad:
                    found.setdefault(id(tensor), (path, tensor))
        return list(found.values())

    def _grown(self) -> str:
        """What to say about weights that grew and grew."""
        first, last = self.sizes[0], self.sizes[-1]
        if self.number > 1 and last > max(LARGE, 100 * first):
            return (
                f"the largest weight grew from {short(first)} to {short(last)} in {self.number - 1} "
                "steps: the learning rate is too large. Lower it, or shorten the gradients "
                "(nn.utils.clip_grad_norm_)"
            )
        return ""


def _tensors(name: str, thing: Any) -> list[tuple[str, Any]]:
    """The tensors and arrays in a thing, with their names."""
    if isinstance(thing, (Tensor, np.ndarray)):
        return [(name, thing)]
    if hasattr(thing, "named_parameters"):
        inner = [*thing.named_parameters(), *thing.named_buffers()]
        return [(f"{name}.{path}" if name else path, tensor) for path, tensor in inner]
    if isinstance(thing, dict):
        items = [(f"{name}.{k}" if name else str(k), v) for k, v in thing.items()]
        return [pair for key, part in items for pair in _tensors(key, part)]
    if isinstance(thing, (tuple, list)):
        return [p for i, part in enumerate(thing) for p in _tensors(f"{name}[{i}]", part)]
    return []


def _is_bad(thing: Any) -> bool:
    if isinstance(thing, (Tensor, np.ndarray, float, np.floating)):
        array = np.asarray(thing._value if isinstance(thing, Tensor) else thing)
        return array.dtype.kind == "f" and not bool(np.isfinite(array).all())
    if isinstance(thing, (tuple, list)):
        return any(_is_bad(part) for part in thing)
    return False


def _first_bad(array: Array) -> tuple[tuple[int, ...], str] | None:
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return at, "NaN" if np.isnan(array[at]) else "infinity"


def _size(array: Array) -> float:
    return float(np.abs(array).max()) if array.size and array.dtype.kind == "f" else 0.0


def _there(op: Op, values: Sequence[Any], y: Array, at: tuple[int, ...]) -> dict[str, Any]:
    """What the operation had at this place; where it mixes many places, how large they are."""
    found: dict[str, Any] = {}
    for name, value in zip(op._input_names(values), values, strict=False):
        array = None if value is None or isinstance(value, str) else np.asarray(value)
        if array is None or array.dtype.kind not in "fiu" or not array.size:
            continue
        try:
            found[name] = short(np.broadcast_to(array, y.shape)[at])
        except ValueError:
            low, high = short(array.min()), short(array.max())
            found[name] = f"{array.shape}, from {low} to {high}"
    return found


def _of_traceback(error: AnomalyError) -> dict[str, Any] | None:
    """What the walk back held when it met the first bad gradient: node, gradients, what had arrived."""
    frame: Any = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code is Op.pull.__code__:
            frame = traceback.tb_frame
        traceback = traceback.tb_next
    if frame is None:
        return None
    node, gradients, d = (frame.f_locals[n] for n in ("node", "gradients", "d"))
    op: Op = node.op
    arrays = [
        getattr(getattr(g, "values", g), "_value", getattr(g, "values", g)) for g in gradients
    ]
    i, bad = next((i, b) for i, g in enumerate(arrays) if g is not None and (b := _first_bad(g)))
    found: dict[str, Any] = {}
    shape = arrays[i].shape
    names = op._input_names(node.values)
    for name, value in (*zip(names, node.values, strict=False), ("result", node.result)):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.shape == shape:
            found[name] = short(value[bad[0]])
    arrived = np.asarray(getattr(d, "_value", d))
    if arrived.shape == shape:
        found["gradient that arrives"] = short(arrived[bad[0]])
    return {
        "where": "backwards",
        "what": bad[1],
        "op": op.name,
        "index": bad[0],
        "inputs": found,
        "line": node.line or "",
        "reason": _why_backwards(op.name, found, names[i]),
    }


# ------------------------------------------------------------------------------------------- reasons

LOGS = {"log", "log2", "log10", "log1p", "xlogy", "logit"}
POWERS = {"exp", "exp2", "expm1", "sinh", "cosh", "square", "pow", "cumprod", "prod"}
SUMS = {"matmul", "linear", "conv1d", "conv2d", "einsum", "mul", "sum", "add", "sub", "addmm"}


def _number(inputs: dict[str, Any], place: int = 0) -> float | None:
    """One of the inputs at the place, if it is a single number there."""
    values = list(inputs.values())
    try:
        return float(values[place])
    except (IndexError, ValueError):
        return None


def _why_forwards(op: str, there: dict[str, Any], values: Sequence[Any], y: Array) -> str:
    """The likely reason, in words."""
    x = _number(there)
    most = short(np.finfo(y.dtype).max)
    if op in LOGS and x is not None:
        start = _number(there, 1) if op == "xlogy" else x
        if start is not None and start < 0 and op != "log1p":
            return "a negative number has no logarithm"
        return (
            "the logarithm of 0 is minus infinity. If these are probabilities, use the loss that takes "
            "scores (cross_entropy, binary_cross_entropy_with_logits) or log_softmax; else keep the "
            "numbers above 0: x.clamp(min=1e-7)"
        )
    if op in ("sqrt", "rsqrt") and x is not None:
        return (
            "a negative number has no square root" if x < 0 else "1 divided by the root of 0"
        ) + ": keep the numbers above 0, as in (x + 1e-8).sqrt()"
    if op in ("div", "reciprocal", "floor_divide", "remainder", "fmod"):
        below = x if op == "reciprocal" else _number(there, 1)
        if below == 0:
            return "a division by 0: add something small below the line, x / (y + 1e-8)"
    if op in ("asin", "acos", "atanh", "acosh", "erfinv"):
        return f"{op} has no such number: keep its input inside of its range with clamp"
    if op in ("mean", "var", "std") and any(getattr(v, "size", 1) == 0 for v in values):
        return "the mean of no numbers at all"
    if op in ("var", "std"):
        return "the spread of a single number: take more numbers, or correction=0"
    if op == "pow" and x is not None and x < 0:
        return "a negative number has no power that is a fraction"
    if op == "pow" and x == 0:
        return "0 to a negative power is 1 divided by 0"
    if op in POWERS:
        return (
            f"the result is larger than {y.dtype.name} can hold ({most}). Keep what goes in small: subtract "
            "the largest number first, as softmax and logsumexp do, or look at why it has grown"
        )
    if op in SUMS or op.endswith(("_loss", "_layer")):
        return (
            f"the numbers are too large for {y.dtype.name} (at most {most}). Weights that grow like this "
            "usually mean that the learning rate is too large: lower it, or shorten the gradients "
            "(nn.utils.clip_grad_norm_)"
        )
    return f"{op} has no finite result for these numbers"


def _why_backwards(op: str, there: dict[str, Any], name: str) -> str:
    x = _number(there)
    roots = {"sqrt", "pow", "norm", "std", "cdist", "cosine_similarity", "rsqrt"}
    if op in roots and (x == 0 or x is None):
        return (
            f"the slope of {op} at 0 is infinite: keep away from 0, as in (x + 1e-8).sqrt(). Mind that "
            "where(x > 0, x.sqrt(), 0) computes the slope of both branches: use "
            "where(x > 0, x, 1).sqrt() inside"
        )
    if op in ("div", "reciprocal", *LOGS):
        return (
            f"the slope of {op} divides by something that is 0 or very small: keep it away from 0, as in "
            "x / (y + 1e-8)"
        )
    if op in ("asin", "acos", "atanh"):
        return f"the slope of {op} is infinite at the ends of its range: clamp its input inside"
    return (
        f"the gradient of {name} became too large on the way back. Exploding gradients come from large "
        "weights or many steps in a row: shorten them (nn.utils.clip_grad_norm_), lower the learning "
        "rate, or begin with smaller weights"
    )
