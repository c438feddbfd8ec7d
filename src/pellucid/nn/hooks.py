"""Hooks: looking at what goes into a module, what comes out, and the gradients on their way back.

Only a module that has hooks pays for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import GraphError
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

BeforeHook = Callable[[Any, tuple[Any, ...]], Any]  # hook(module, inputs) -> other inputs or None
AfterHook = Callable[[Any, tuple[Any, ...], Any], Any]  # hook(module, inputs, result) -> ...
Gradients = tuple[Any, ...]
BackwardHook = Callable[[Any, Gradients, Gradients], Any]  # hook(module, grad_input, grad_output)


class Hooks:
    """The hooks of one module."""

    def __init__(self) -> None:
        self.before: list[BeforeHook] = []
        self.after: list[AfterHook] = []
        self.backward: list[BackwardHook] = []

    def run(self, module: Module, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Call the module with its hooks around it."""
        for before in list(self.before):
            answer = before(module, inputs)
            if answer is not None:
                inputs = answer if isinstance(answer, tuple) else (answer,)
        border = _Border(module, self.backward) if self.backward else None
        if border is not None:
            inputs = border.enter(inputs)
        result = module.forward(*inputs, **settings)
        for after in list(self.after):
            answer = after(module, inputs, result)
            result = result if answer is None else answer
        return result if border is None else border.leave(result)


class _Border:
    """One call's crossing of the module's border: values going in and out, gradients coming back.

    Whatever crosses passes through an operation that changes nothing, so that the gradients seen
    there are those of this call alone, not of other uses of the same tensor.
    """

    def __init__(self, module: Module, hooks: list[BackwardHook]) -> None:
        self._module, self._hooks = module, list(hooks)
        self._into: list[Any] = []  # gradients of the inputs, None until they arrive
        self._out: list[Any] = []  # gradients of the results
        self._last_in: int | None = None  # the input whose gradient arrives last

    def enter(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        self._into = [None] * len(inputs)
        passed = list(inputs)
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor) and x.requires_grad:
                passed[i] = _same(x)
                if passed[i].requires_grad:
                    # the walk back goes from new to old, so the first one made is met last
                    self._last_in = i if self._last_in is None else self._last_in
                    passed[i].register_hook(partial(self._input_gradient, i))
        return tuple(passed)

    def leave(self, result: Any) -> Any:
        single = isinstance(result, Tensor)
        results = [result] if single else list(result) if isinstance(result, tuple) else []
        self._out = [None] * len(results)
        for i in reversed(range(len(results))):
            y = results[i]
            if isinstance(y, Tensor) and y.requires_grad:
                results[i] = y = _same(y)
                if y.requires_grad:
                    y.register_hook(partial(self._result_gradient, i))
        return (results[0] if single else tuple(results)) if results else result

    def _result_gradient(self, i: int, d: Tensor) -> None:
        self._out[i] = d
        if i == 0 and self._last_in is None:
            self._tell()

    def _input_gradient(self, i: int, d: Tensor) -> Any:
        self._into[i] = d
        if i != self._last_in:
            return None
        seen = list(self._into)
        answer = self._tell()
        late = [k for k in range(len(seen)) if k != i and answer[k] is not seen[k]]
        if late:
            raise GraphError(
                f"a backward hook of {type(self._module).__name__} gave another gradient for input "
                f"number {late[0]}, which has already gone its way.\n"
                "With several inputs, change gradients by x.register_hook(...) on each"
            )
        return answer[i]

    def _tell(self) -> list[Any]:
        """Call the hooks; returns the gradients of the inputs, as the hooks want them."""
        into = tuple(self._into)
        for hook in self._hooks:
            answer = hook(self._module, into, tuple(self._out))
            if answer is not None:
                into = answer if isinstance(answer, tuple) else (answer,)
        if len(into) != len(self._into):
            raise GraphError(
                f"a backward hook of {type(self._module).__name__} gave {len(into)} gradients for "
                f"{len(self._into)} inputs"
            )
        self._into, self._out = [None] * len(self._into), [None] * len(self._out)
        return list(into)


def _same(x: Tensor) -> Tensor:
    result: Tensor = ops.reshape(x, shape=x.shape)
    return result
