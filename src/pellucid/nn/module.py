"""Module: a part of a network that owns parameters, or other modules, or both.

There is no registration. What a module is made of is found by looking at its attributes, in the
order in which they were set, and into lists, tuples and dicts among them. A layer kept in a plain
list is therefore part of the network like any other: the first is called `layers.0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from .. import tape
from ..errors import ArgumentError, CheckpointError, DTypeError, PellucidError
from ..tensor import Handle, Tensor
from .hooks import AfterHook, BackwardHook, BeforeHook, Hooks
from .parameter import Parameter

if TYPE_CHECKING:
    from ..explain.drawing import Drawing
    from ..explain.summary import Summary

_NOT_PARTS = frozenset({"training", "_hooks", "_buffers"})


class Keys(NamedTuple):
    """What `load_state_dict(strict=False)` left untouched."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of all layers and networks: define `forward`, and call the module itself.

    >>> import pellucid
    >>> from pellucid import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         self.layers = [nn.Linear(3, 4), nn.Linear(4, 1)]
    ...     def forward(self, x):
    ...         return self.layers[1](self.layers[0](x).tanh())
    >>> net = Net()
    >>> [name for name, _ in net.named_parameters()]
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']
    >>> net(pellucid.ones(2, 3)).shape
    (2, 1)
    """

    training: bool = True
    _hooks: Hooks | None = None
    _buffers: dict[str, bool] | None = None  # name: whether it is saved

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """What the module computes. Call the module, not this, so that hooks are called too."""
        raise ArgumentError(
            f"{type(self).__name__} does not say what it computes; give it a method\n"
            "    def forward(self, x): ..."
        )

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*inputs, **settings) if settings else self.forward(*inputs)
            return self._hooks.run(self, inputs, settings)
        except PellucidError as error:
            error.layer = _layer_of(error.__traceback__)
            raise

    # --------------------------------------------------------------------------- what it is made of

    def _parts(self) -> list[tuple[str, Any]]:
        """The tensors and modules in this module's attributes, by name."""
        parts: list[tuple[str, Any]] = []
        for name, value in vars(self).items():
            if name not in _NOT_PARTS:
                _open(name, value, parts, ())
        return parts

    def _own_tensors(self, saved_only: bool = False) -> Iterator[tuple[str, Tensor]]:
        """This module's parameters, then its buffers."""
        parts = self._parts()
        yield from ((name, part) for name, part in parts if isinstance(part, Parameter))
        for name, saved in (self._buffers or {}).items():
            tensor = vars(self).get(name)
            if isinstance(tensor, Tensor) and (saved or not saved_only):
                yield name, tensor

    def _all_tensors(self, path: str, above: tuple[Module, ...]) -> Iterator[tuple[str, Tensor]]:
        """Everything that is saved, under every name it has."""
        for name, tensor in self._own_tensors(saved_only=True):
            yield path + name, tensor
        for name, part in self._parts():
            if isinstance(part, Module) and part is not self and part not in above:
                yield from part._all_tensors(f"{path}{name}.", (*above, self))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, each once, with their names."""
        seen: set[Module] = set()
        for name, part in self._parts():
            if isinstance(part, Module) and part not in seen:
                seen.add(part)
                yield name, part

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, Module]]:
        """This module (its name is empty) and all inside it at any depth, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        memo.add(self)
        yield prefix, self
        for name, part in self._parts():
            if isinstance(part, Module):
                yield from part.named_modules(memo, f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it at any depth, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their names; one that has several names comes once, under its first.

        Args:
            prefix: goes before every name, with a dot.
            recurse: also those of the modules inside.
            remove_duplicate: False to see a shared parameter under each of its names.
        """
        seen: set[int] = set()
        for path, module in self.named_modules(prefix=prefix) if recurse else [(prefix, self)]:
            for name, part in module._parts():
                if isinstance(part, Parameter) and id(part) not in seen:
                    if remove_duplicate:
                        seen.add(id(part))
                    yield f"{path}.{name}" if path else name, part

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimiser takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The tensors that belong to the modules but are not learned, with their names."""
        for path, module in self.named_modules(prefix=prefix) if recurse else [(prefix, self)]:
            for name, tensor in module._own_tensors():
                if not isinstance(tensor, Parameter):
                    yield f"{path}.{name}" if path else name, tensor

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The tensors that belong to the modules but are not learned."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep a tensor that is not learned, as the attribute `name`.

        Args:
            name: the attribute.
            tensor: its value, or None for one that comes later.
            persistent: whether it is part of `state_dict`.

        Raises:
            ArgumentError: there is already something else of that name.
        """
        if hasattr(self, name) and name not in (self._buffers or {}):
            raise ArgumentError(f"{type(self).__name__} has an attribute {name!r} already")
        self._buffers = {**(self._buffers or {}), name: persistent}
        setattr(self, name, tensor)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as setting the attribute: `self.name = param`."""
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """The same as setting the attribute: `self.name = module`."""
        setattr(self, name, module)

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The module of that name, such as "encoder.layers.0".

        Raises:
            ArgumentError: there is none; the message lists those there are.
        """
        for name, module in self.named_modules():
            if name == target:
                return module
        raise _not_found(self, "module", target, [name for name, _ in self.named_modules() if name])

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of that name, such as "encoder.layers.0.weight".

        Raises:
            ArgumentError: there is none; the message lists those there are.
        """
        found = dict(self.named_parameters(remove_duplicate=False))
        if target not in found:
            raise _not_found(self, "parameter", target, list(found))
        return found[target]

    # ----------------------------------------------------------------------------- saved and loaded

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and saved buffer by name: the same names and shapes as PyTorch's.

        The tensors share their memory with the module: for a snapshot, copy them
        (`{name: t.clone() for name, t in model.state_dict().items()}`).
        """
        return {name: tensor.detach() for name, tensor in self._all_tensors("", ())}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Keys:
        """Take over numbers by name, from tensors, NumPy arrays or PyTorch's tensors.

        Args:
            state_dict: arrays by name.
            strict: refuse names that are missing or that the module does not have. Shapes must
                always agree.

        Returns:
            The names that were missing and those that were surplus (both empty when strict).

        Raises:
            CheckpointError: listing every missing, surplus and mis-shaped name; nothing was
            changed.
        """
        own = dict(self._all_tensors("", ()))
        missing = [name for name in own if name not in state_dict]
        surplus = [name for name in state_dict if name not in own]
        arrays: dict[str, Any] = {}
        unfit: list[str] = []
        for name, tensor in own.items():
            if name in state_dict:
                try:
                    arrays[name] = _numbers(state_dict[name])
                except (TypeError, ValueError, RuntimeError) as error:
                    unfit.append(f"  unreadable:  {name}: {error}")
                    continue
                if arrays[name].shape != tensor.shape:
                    given = arrays[name].shape
                    unfit.append(f"  wrong shape: {name}: {given} given, {tensor.shape} needed")
        if unfit or (strict and (missing or surplus)):
            raise CheckpointError(_mismatch(type(self).__name__, strict, missing, surplus, unfit))
        for name, array in arrays.items():
            own[name]._value[...] = array
            tape.note_change(own[name]._value)
        return Keys(missing, surplus)

    # ---------------------------------------------------------------------------- all parts at once

    def train(self, mode: bool = True) -> Self:
        """Behave as in training: dropout drops, batch norm takes statistics from the batch."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Behave as in use: no dropout, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Learn all parameters, or (False) freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients.

        Args:
            set_to_none: False to set them to zeros, where there are any.
        """
        for parameter in self.parameters():
            forget_gradient(parameter, set_to_none)

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` on every module, the innermost first."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def to(self, *targets: Any, dtype: DTypeLike | None = None) -> Self:
        """Keep all parameters and buffers that have fractions in another type; "cpu" is accepted.

        Raises:
            DTypeError: the type has no fractions.
            ArgumentError: another device than the CPU.
        """
        for target in targets:
            if isinstance(target, Tensor):
                dtype = target.dtype
            elif isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda", "mps"):
                Tensor(0.0).to(target)  # says what it thinks of other devices
            else:
                dtype = target
        if dtype is None:
            return self
        if np.dtype(dtype).kind != "f":
            raise DTypeError(f"a network's weights need fractions, which {np.dtype(dtype)} has not")
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.dtype.kind == "f":
                tensor.data = tensor._value.astype(dtype, copy=False)
                if isinstance(tensor._grad, Tensor):
                    tensor._grad = Tensor(tensor._grad._value.astype(dtype, copy=False))
        return self

    def float(self) -> Self:
        """Keep everything in float32."""
        return self.to(dtype=np.float32)

    def double(self) -> Self:
        """Keep everything in float64."""
        return self.to(dtype=np.float64)

    def cpu(self) -> Self:
        """The module itself: it is on the CPU."""
        return self

    # ---------------------------------------------------------------------------------------- hooks

    def _own_hooks(self) -> Hooks:
        self._hooks = self._hooks or Hooks()
        return self._hooks

    def register_forward_pre_hook(self, hook: BeforeHook) -> Handle:
        """Call `hook(module, inputs)` before each forward; it may return other inputs.

        Returns:
            A handle; `handle.remove()` takes the hook away.
        """
        hooks = self._own_hooks().before
        hooks.append(hook)
        return Handle(self, hooks, hook)

    def register_forward_hook(self, hook: AfterHook) -> Handle:
        """Call `hook(module, inputs, result)` after each forward; it may return another result.

        Returns:
            A handle; `handle.remove()` takes the hook away.
        """
        hooks = self._own_hooks().after
        hooks.append(hook)
        return Handle(self, hooks, hook)

    def register_full_backward_hook(self, hook: BackwardHook) -> Handle:
        """Call `hook(module, grad_input, grad_output)` when gradients have passed the module.

        Both are tuples, None where no gradient goes. The hook is called when the gradient of the
        first input that needs one arrives, or, where no input needs one, that of the first result.
        For a module with one input the hook may return another gradient.

        Returns:
            A handle; `handle.remove()` takes the hook away.
        """
        hooks = self._own_hooks().backward
        hooks.append(hook)
        return Handle(self, hooks, hook)

    # --------------------------------------------------------------------------------- how it looks

    def draw(self, level: str = "layers", inputs: Any = None) -> Drawing:
        """A picture of the network, for a notebook, a file or (printed) a terminal.

        Args:
            level: "neurons" (every unit and weight), "layers" (boxes with shapes) or "letters"
                (algebra and code).
            inputs: what to predict from; with them, the values that flow are drawn as well.

        Returns:
            A `Drawing`: `print(it)`, `it.save("net.svg")`, `it.svg`.

        Raises:
            ArgumentError: there is no such level, or what the model takes could not be found out.
        """
        from ..explain.drawing import draw

        return draw(self, level, inputs)

    def summary(self, inputs: Any = None) -> Summary:
        """A table of the network: its layers, the shapes of what comes out, how much each has to learn.

        Args:
            inputs: what to predict from: a tensor or array, several in a tuple, or the shape of one
                example without the axis of the batch, such as (1, 28, 28). Without, they are guessed.

        Returns:
            A `Summary`: `print(it)`. It ends at a layer that refuses its input, and says why.

        Raises:
            ArgumentError: what the network takes could not be guessed.
        """
        from ..explain.summary import summarize

        return summarize(self, inputs)

    def extra_repr(self) -> str:
        """What stands in the brackets: sizes and settings."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        lines = [
            f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()
        ]
        if not lines:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}(", *([extra] if extra else []), *lines]) + "\n)"


# ------------------------------------------------------------------------------------------ helpers


def forget_gradient(tensor: Tensor, set_to_none: bool) -> None:
    """No gradient, or a new one of zeros where there was one."""
    if set_to_none or tensor._grad is None:
        tensor._grad = None
    else:
        tensor._grad = Tensor(np.zeros_like(tensor._value))


def _open(name: str, value: Any, parts: list[tuple[str, Any]], inside: tuple[int, ...]) -> None:
    """Collect the tensors and modules in a value, looking into lists, tuples and dicts."""
    if isinstance(value, (Tensor, Module)):
        parts.append((name, value))
    elif isinstance(value, (list, tuple, dict)) and id(value) not in inside:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in items:
            if isinstance(part, (Tensor, Module, list, tuple, dict)):
                _open(f"{name}.{key}", part, parts, (*inside, id(value)))


def _layer_of(traceback: TracebackType | None) -> str:
    """`classifier.hidden: Linear(100 -> 10)`: which module an error comes from.

    The modules being called are found in the traceback, from the outermost to the innermost.
    """
    chain: list[Module] = []
    while traceback is not None:
        if traceback.tb_frame.f_code is Module.__call__.__code__:
            chain.append(traceback.tb_frame.f_locals["self"])
        traceback = traceback.tb_next
    path = ""
    for outer, inner in pairwise(chain):
        known = next((name for name, module in outer.named_modules() if module is inner), None)
        path = "" if known is None else f"{path}.{known}" if path else known
    innermost = chain[-1]
    name = type(innermost).__name__
    looks = f"{name}({innermost.extra_repr()})" if not any(innermost.children()) else name
    return f"{path}: {looks}" if path else looks


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    """A tensor of ours or of PyTorch's, or anything like an array, as an array."""
    array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"they are {array.dtype}")
    return array


def _mismatch(
    name: str, strict: bool, missing: list[str], surplus: list[str], unfit: list[str]
) -> str:
    lines = [f"these weights do not fit {name}; nothing was changed"]
    if strict:
        lines += [f"  missing:     {key}" for key in missing]
        lines += [f"  surplus:     {key}" for key in surplus]
    lines += unfit
    if strict and not unfit:
        lines.append("To load what fits and leave the rest: load_state_dict(state, strict=False)")
    return "\n".join(lines)


def _not_found(module: Module, kind: str, target: str, names: list[str]) -> ArgumentError:
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return ArgumentError(
        f"{type(module).__name__} has no {kind} {target!r}.\nIt has: {listed or 'none'}"
    )
