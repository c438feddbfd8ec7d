"""A network in a table: its layers, what comes out of each, how much each has to learn.

The network predicts once, and every layer that is called writes a line. If a layer refuses what it is given,
the table ends there, and says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape
from ..errors import ArgumentError, PellucidError
from ..nn.sample import _tries, sample_inputs
from ..tensor import Tensor
from .narration import aligned

if TYPE_CHECKING:
    from ..nn.module import Module

MISTAKES = (PellucidError, TypeError, ValueError, IndexError, AttributeError)


@dataclass
class Layer:
    """One call of a layer.

    Attributes:
        path: its name in the network; empty for the network itself.
        kind: what it is, with its sizes: "Linear(3 -> 4)".
        depth: how many layers it stands in.
        inputs: shapes of the tensors that it was given.
        output: the shape of what came out, nested as it came; None where nothing did.
        parameters: how many numbers of its own it learns; those of layers in it are counted there.
        again: whether it was called before, so that its numbers are counted already.
    """

    path: str
    kind: str
    depth: int
    inputs: tuple[tuple[int, ...], ...]
    output: Any = None
    parameters: int = 0
    again: bool = False


@dataclass
class Summary:
    """A network in a table; print it.

    Attributes:
        title: the class of the network.
        layers: every call of a layer, in the order in which they began.
        unused: paths of layers that were never called.
        parameters: how many numbers can be learned, each counted once.
        frozen: how many of these are not learned at the moment (`requires_grad=False`).
        size: bytes of parameters and buffers.
        error: why it ends early, or None.
    """

    title: str
    layers: list[Layer] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    parameters: int = 0
    frozen: int = 0
    size: int = 0
    error: Exception | None = None

    @property
    def failed(self) -> Layer | None:
        """The innermost layer that refused what it was given, or None."""
        open_ones = [layer for layer in self.layers if layer.output is None]
        return open_ones[-1] if self.error is not None and open_ones else None

    def __str__(self) -> str:
        head = ["layer", "what", "out", "parameters"]
        rows = [self._row(layer) for layer in self.layers]
        lines = [aligned([head, *rows], left=(0, 1, 2))]
        lines += [f"not called: {path}" for path in self.unused] if self.error is None else []
        lines += ["", self._total()]
        if self.error is not None:
            lines += ["", *self._why()]
        return "\n".join(lines)

    __repr__ = __str__

    def _row(self, layer: Layer) -> list[str]:
        name = "  " * layer.depth + (layer.path.rpartition(".")[2] or "network")
        out = _shapes(layer.output)
        if layer.output is None:
            out = "<- stops here" if layer is self.failed else ""
        count = f"{layer.parameters:,}" if layer.parameters else ""
        return [name, layer.kind, out, "as above" if layer.again and count else count]

    def _total(self) -> str:
        learned = self.parameters - self.frozen
        kept = f", {learned:,} of them learned" if self.frozen else ""
        return f"{self.parameters:,} parameters{kept}; {_bytes(self.size)}"

    def _why(self) -> list[str]:
        failed = self.failed
        where = f"{failed.path or self.title}: {failed.kind}" if failed else self.title
        given = f" It was given {', '.join(map(str, failed.inputs))}." if failed else ""
        said = getattr(self.error, "message", None) or str(self.error)
        return [f"It stops in {where}.{given}", *said.splitlines()]


def summarize(model: Module, inputs: Any = None) -> Summary:
    """A network's layers, the shapes of what comes out of each, and what it has to learn.

    Args:
        model: the network; it predicts once, as in use, and is left as it was.
        inputs: what to predict from: a tensor or array, several of them in a tuple, or the shape of one
            example without the axis of the batch, such as (1, 28, 28). Without, they are guessed.

    Returns:
        A `Summary` to print. Where a layer refuses its input the table ends there; nothing is raised.

    Raises:
        ArgumentError: what the network takes could not be guessed.

    >>> from pellucid import nn
    >>> print(summarize(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1)), (3,)))
    ... # doctest: +ELLIPSIS
    layer    what            out            parameters
    -------  --------------  -------------  ----------
    network  Sequential
      0      Linear(3 -> 4)  (1, 4)                 16
      1      ReLU()          (1, 4)
      2      Linear(5 -> 1)  <- stops here           6
    <BLANKLINE>
    22 parameters; 88 bytes
    <BLANKLINE>
    It stops in 2: Linear(5 -> 1). It was given (1, 4).
    linear cannot combine x (1, 4), weight (1, 5) and bias (1,): ... but 4 is not 5
    """
    given = _given(model, inputs)
    found = Summary(type(model).__name__)
    _count(model, found)
    modes = [(module, module.training) for module in model.modules()]
    handles = _listen(model, found)
    model.eval()
    try:
        with tape.no_grad():
            model(*given)
    except MISTAKES as error:
        found.error = error
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    called = {layer.path for layer in found.layers}
    found.unused = [
        path for path, module in model.named_modules() if path not in called and _has_work(module)
    ]
    return found


def _given(model: Module, inputs: Any) -> tuple[Any, ...]:
    """Inputs to call the network with."""
    if isinstance(inputs, (Tensor, np.ndarray)):
        return (inputs if isinstance(inputs, Tensor) else Tensor(inputs),)
    if inputs is not None and not isinstance(inputs, (tuple, list)):
        raise ArgumentError(
            f"a summary is made from an input or its shape, such as (1, 28, 28), not from {inputs!r}"
        )
    if inputs is not None and not all(isinstance(n, (int, np.integer)) for n in inputs):
        return tuple(x if isinstance(x, Tensor) else Tensor(x) for x in inputs)
    shape = None if inputs is None else tuple(int(n) for n in inputs)
    try:
        return sample_inputs(model, shape, rows=1)
    except ArgumentError:
        first = next(_tries(model, shape, 1), None)
        if first is None:
            raise
        return first  # it fails with these as well: the table says where


def _count(model: Module, found: Summary) -> None:
    for parameter in model.parameters():
        found.parameters += parameter._value.size
        found.frozen += 0 if parameter.requires_grad else parameter._value.size
        found.size += parameter._value.nbytes
    found.size += sum(buffer._value.nbytes for buffer in model.buffers())


def _listen(model: Module, found: Summary) -> list[Any]:
    """Every layer tells when it begins and when it has finished."""
    running: list[Layer] = []
    seen: set[int] = set()
    handles = []

    def begin(path: str, module: Module, inputs: Any) -> None:
        own = sum(t._value.size for _, t in module._own_tensors() if _is_parameter(t))
        layer = Layer(path, _looks(module), len(running), _all_shapes(inputs))
        layer.parameters, layer.again = own, id(module) in seen
        seen.add(id(module))
        running.append(layer)
        found.layers.append(layer)

    def end(result: Any) -> None:
        running.pop().output = _nested_shapes(result)

    def beginning(path: str) -> Any:
        return lambda module, inputs: begin(path, module, inputs)

    for path, module in model.named_modules():
        handles += [
            module.register_forward_pre_hook(beginning(path)),
            module.register_forward_hook(lambda _module, _inputs, result: end(result)),
        ]
    return handles


def _is_parameter(tensor: Tensor) -> bool:
    from ..nn.parameter import Parameter

    return isinstance(tensor, Parameter)


def _has_work(module: Module) -> bool:
    """Whether a layer has numbers of its own."""
    return any(_is_parameter(tensor) for _, tensor in module._own_tensors())


def _looks(module: Module) -> str:
    name = type(module).__name__
    return name if any(module.children()) else f"{name}({module.extra_repr()})"


def _all_shapes(given: Any) -> tuple[tuple[int, ...], ...]:
    if isinstance(given, (Tensor, np.ndarray)):
        return (tuple(given.shape),)
    if isinstance(given, (tuple, list)):
        return tuple(shape for part in given for shape in _all_shapes(part))
    return ()


def _nested_shapes(result: Any) -> Any:
    if isinstance(result, (Tensor, np.ndarray)):
        return tuple(result.shape)
    if isinstance(result, (tuple, list)):
        return [_nested_shapes(part) for part in result]
    if isinstance(result, dict):
        return {key: _nested_shapes(part) for key, part in result.items()}
    return "None" if result is None else type(result).__name__


def _shapes(output: Any) -> str:
    if isinstance(output, list):
        return ", ".join(_shapes(part) for part in output)
    if isinstance(output, dict):
        return ", ".join(f"{key} {_shapes(part)}" for key, part in output.items())
    return "" if output is None else str(output)


def _bytes(size: int) -> str:
    """A size as people read it.

    >>> _bytes(88), _bytes(125_600), _bytes(10_000_000)
    ('88 bytes', '126 kB', '10.0 MB')
    """
    if size < 1000:
        return f"{size} bytes"
    power = min(int(math.log10(size) // 3), 4)
    value = size / 1000**power
    return f"{value:.{0 if power == 1 else 1}f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"
