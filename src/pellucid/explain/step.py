"""One training step, told with its actual numbers: predict, compare, learn.

`take_step` does what a training loop does once, and keeps every number it meets; `narrate` says it
in plain lines. The step is a real one: afterwards the weights have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape

if TYPE_CHECKING:
    from ..tensor import Tensor

Array = Any
SHOWN = 6  # numbers of an array in a line


@dataclass(frozen=True)
class Operation:
    """One operation as it ran.

    Attributes:
        name: of the operation ("relu").
        meaning: what it does, in a line.
        shapes: of its inputs.
        result: the numbers it made.
        gradient: what came back to its result, or None where nothing did.
    """

    name: str
    meaning: str
    shapes: tuple[tuple[int, ...], ...]
    result: Array
    gradient: Array | None


@dataclass(frozen=True)
class Change:
    """What happened to one parameter."""

    name: str
    before: Array
    gradient: Array
    after: Array

    @property
    def largest(self) -> tuple[int, ...]:
        """Where the gradient is largest: the weight that is most to blame."""
        place = np.unravel_index(np.abs(self.gradient).argmax(), self.gradient.shape)
        return tuple(int(i) for i in place)


@dataclass(frozen=True)
class Step:
    """Every number of one training step."""

    predict: tuple[Operation, ...]
    prediction: Array
    compare: tuple[Operation, ...]
    loss: float
    learn: tuple[Change, ...]
    prediction_after: Array
    loss_after: float

    def change(self, name: str) -> Change:
        """What happened to the parameter of this name."""
        return next(c for c in self.learn if c.name == name)


def take_step(
    model: Any,
    criterion: Callable[[Any, Any], Any],
    optimizer: Any,
    inputs: Any,
    targets: Any,
) -> Step:
    """Do one training step and keep its numbers; then predict once more, to see what it brought.

    Args:
        model: called with the inputs; has `named_parameters()`.
        criterion: called with prediction and targets; gives one number.
        optimizer: of the model's parameters; has `zero_grad()` and `step()`.
        inputs, targets: one batch.

    >>> import pellucid
    >>> from pellucid import nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> _ = model.weight.data.fill(0.5)
    >>> step = take_step(
    ...     model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1),
    ...     pellucid.tensor([[2.0]]), pellucid.tensor([[0.8]]),
    ... )
    >>> print(f"{step.loss:.4f} {step.change('weight').gradient[0, 0]:.2f} {step.loss_after:.4f}")
    0.0400 0.80 0.0016
    """
    optimizer.zero_grad()
    with _watching() as predicting:
        prediction = model(inputs)
    with _watching() as comparing:
        loss = criterion(prediction, targets)
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    loss.backward()
    reached = [(name, p) for name, p in model.named_parameters() if p.grad is not None]
    gradients = {name: _numbers(p.grad) for name, p in reached}
    predict, compare = _kept(predicting), _kept(comparing)
    said = prediction.numpy().copy()
    optimizer.step()
    learn = tuple(
        Change(name, before[name], gradients[name], p.numpy().copy()) for name, p in reached
    )
    with tape.no_grad():
        again = model(inputs)
        loss_after = criterion(again, targets)
    final = again.numpy().copy()
    return Step(predict, said, compare, loss.item(), learn, final, loss_after.item())


@contextmanager
def _watching() -> Iterator[list[tuple[Any, Any, Tensor]]]:
    """Collect the operations that run inside the block."""
    seen: list[tuple[Any, Any, Tensor]] = []
    before = tape.mode.listener

    def listen(op: Any, inputs: Any, settings: Any, result: Tensor) -> None:
        if before is not None:
            before(op, inputs, settings, result)
        if result.requires_grad:
            result.retain_grad()
        seen.append((op, inputs, result))

    with tape.listening(listen):
        yield seen


def _kept(seen: list[tuple[Any, Any, Tensor]]) -> tuple[Operation, ...]:
    operations = []
    for op, inputs, result in seen:
        gradient = result.grad if result.requires_grad else None
        operations.append(
            Operation(
                name=op.name,
                meaning=(op.__doc__ or "").strip().split("\n")[0],
                shapes=tuple(tuple(np.shape(x)) for x in inputs if x is not None),
                result=result.numpy().copy(),
                gradient=None if gradient is None else _numbers(gradient),
            )
        )
    return tuple(operations)


def _numbers(gradient: Any) -> Array:
    """A gradient as a plain array of its own, also where only some rows have one."""
    dense = gradient.to_dense() if hasattr(gradient, "to_dense") else gradient
    return np.array(dense)


# --------------------------------------------------------------------------------------- in words


def narrate(step: Step) -> list[str]:
    """The step in plain lines, at most 80 characters wide."""
    lines = ["predict"]
    lines += [line for operation in step.predict for line in _forward(operation)]
    lines += ["compare"]
    lines += [line for operation in step.compare for line in _forward(operation)]
    lines += [f"  the loss is {step.loss:.6g}; 0 would be perfect", "learn"]
    for operation in (*step.compare[::-1], *step.predict[::-1]):
        if operation.gradient is not None:
            lines.append(f"  blame of {operation.name}: {shown(operation.gradient)}"[:80])
    lines += [line for change in step.learn for line in _changed(change)]
    verb = "falls" if step.loss_after < step.loss else "does not fall"
    lines.append(f"  with these weights the loss {verb}: {step.loss:.6g} -> {step.loss_after:.6g}")
    return lines


def _forward(operation: Operation) -> list[str]:
    sizes = ", ".join(str(shape) for shape in operation.shapes)
    return [
        f"  {operation.name}: {operation.meaning}"[:80],
        f"    {sizes} -> {operation.result.shape}"[:80],
        f"    {shown(operation.result)}"[:80],
    ]


def _changed(change: Change) -> list[str]:
    at = change.largest
    place = f"[{', '.join(str(i) for i in at)}]" if at else ""
    before, slope, after = change.before[at], change.gradient[at], change.after[at]
    return [
        f"  {change.name} {change.before.shape}, most to blame: {change.name}{place}",
        f"    {before:.6g}, slope {slope:+.4g}, so it becomes {after:.6g}",
    ]


def shown(array: Array, most: int = SHOWN) -> str:
    """The first numbers of an array in a line."""
    flat = np.asarray(array).reshape(-1)
    listed = "  ".join(f"{v:.4g}" for v in flat[:most])
    return listed + (f"  ... ({flat.size} numbers)" if flat.size > most else "")
