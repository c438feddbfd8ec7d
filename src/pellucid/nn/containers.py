"""Modules that hold other modules: in a row, in a list, in a dict.

Their parts are ordinary attributes, named 0, 1, 2, ... or by the key, which is where the names in
`state_dict` come from. `ModuleList` and `ModuleDict` are there for PyTorch's sake: a plain list or
dict as an attribute of a module does the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from ..errors import ArgumentError
from .module import Module
from .parameter import Parameter


class _Numbered(Module):
    """Parts named 0, 1, 2, ...: what Sequential, ModuleList and ParameterList have in common."""

    _kind: type = Module

    def _items(self) -> list[Any]:
        return [part for part in vars(self).values() if isinstance(part, self._kind)]

    def _renumber(self, parts: Iterable[Any]) -> Self:
        """Hold these parts in place of those held so far."""
        parts = list(parts)
        for name, part in list(vars(self).items()):
            if isinstance(part, self._kind):
                delattr(self, name)
        for i, part in enumerate(parts):
            setattr(self, str(i), self._checked(part))
        return self

    def _checked(self, part: Any) -> Any:
        if not isinstance(part, self._kind):
            what = part.__name__ if isinstance(part, type) else repr(part)
            hint = f"; did you mean {what}()?" if isinstance(part, type) else ""
            raise ArgumentError(
                f"{type(self).__name__} holds {self._kind.__name__}s, and {what} is none{hint}"
            )
        return part

    def append(self, part: Any) -> Self:
        """Add one at the end."""
        setattr(self, str(len(self)), self._checked(part))
        return self

    def extend(self, parts: Iterable[Any]) -> Self:
        """Add several at the end."""
        for part in parts:
            self.append(part)
        return self

    def insert(self, index: int, part: Any) -> Self:
        """Put one in, before the one at `index`; all are numbered anew."""
        parts = self._items()
        parts.insert(index, part)
        return self._renumber(parts)

    def pop(self, index: int = -1) -> Any:
        """Take one out and return it; the rest are numbered anew."""
        part = self[index]
        del self[index]
        return part

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __contains__(self, part: object) -> bool:
        return any(part is held for held in self._items())

    def __getitem__(self, index: int | slice) -> Any:
        parts = self._items()
        if isinstance(index, slice):
            return type(self).__new__(type(self))._renumber(parts[index])
        self._must_have(index, len(parts))
        return parts[index]

    def __setitem__(self, index: int, part: Any) -> None:
        self._must_have(index, len(self))
        names = [name for name, held in vars(self).items() if isinstance(held, self._kind)]
        setattr(self, names[index], self._checked(part))

    def __delitem__(self, index: int | slice) -> None:
        parts = self._items()
        if isinstance(index, int):
            self._must_have(index, len(parts))
        del parts[index]
        self._renumber(parts)

    def _must_have(self, index: int, n: int) -> None:
        if not -n <= index < n:
            raise IndexError(f"{type(self).__name__} has {n} parts; there is no number {index}")


class Sequential(_Numbered):
    """Modules one after the other: each takes what the one before it gives.

    Args:
        modules: the modules, or one dict of them whose keys become their names.

    Raises:
        ArgumentError: something among them is no module.

    >>> from pellucid import nn
    >>> nn.Sequential(nn.Linear(784, 40), nn.ReLU(), nn.Linear(40, 10))
    Sequential(
      (0): Linear(784 -> 40)
      (1): ReLU()
      (2): Linear(40 -> 10)
    )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                _free_name(self, name)
                setattr(self, name, self._checked(module))
        else:
            self._renumber(modules)

    def forward(self, x: Any) -> Any:
        """Through all modules in turn."""
        for part in self.__dict__.values():
            if isinstance(part, Module):
                x = part(x)
        return x


class ModuleList(_Numbered):
    """A list of modules; `forward` is up to whoever owns it.

    Args:
        modules: the modules.

    >>> from pellucid import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 4)])
    >>> len(layers), layers[-1]
    (2, Linear(3 -> 4))
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._renumber(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])


class ParameterList(_Numbered):
    """A list of parameters.

    Args:
        values: the parameters; tensors and arrays are made into parameters.
    """

    _kind = Parameter

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._renumber(values)

    def _checked(self, part: Any) -> Any:
        return part if isinstance(part, Parameter) else Parameter(part)

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(str(parameter.shape) for parameter in self)


class ModuleDict(Module):
    """A dict of modules; `forward` is up to whoever owns it.

    Args:
        modules: the modules by name.

    Raises:
        ArgumentError: a name that a module has for something else already, such as "forward".
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add several; those of the same name are replaced."""
        for name, module in dict(modules).items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        found = dict(self.items())
        if name not in found:
            raise KeyError(f"there is no module {name!r} among {', '.join(found) or 'none'}")
        return found[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if name not in self:
            _free_name(self, name)
        if not isinstance(module, Module):
            raise ArgumentError(f"ModuleDict holds modules, and {name!r} is {module!r}")
        setattr(self, name, module)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Module:
        """Take one out and return it."""
        module = self[name]
        delattr(self, name)
        return module

    def __contains__(self, name: object) -> bool:
        return isinstance(vars(self).get(str(name)), Module)

    def __len__(self) -> int:
        return len(self.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, _ in self.items()]

    def values(self) -> list[Module]:
        """The modules."""
        return [module for _, module in self.items()]

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules."""
        return [(name, part) for name, part in vars(self).items() if isinstance(part, Module)]


def _free_name(holder: Module, name: str) -> None:
    """Refuse a name that would hide a method or another attribute."""
    if not isinstance(name, str) or not name or "." in name or hasattr(holder, name):
        raise ArgumentError(
            f"{type(holder).__name__} cannot name a part {name!r}: names are strings without dots, "
            "and not those of its own methods"
        )
