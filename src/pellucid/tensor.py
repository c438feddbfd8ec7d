"""Tensor: an array that remembers what made it.

Here: its value, its gradient, its operators, and changes in place. The methods that only hand on to an
operation (`x.sum()`, `x.tanh()`, …) stand in `methods.py`, written out one by one.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

import numpy as np

from . import ops, protocols, tape
from .errors import ArgumentError, DTypeError, GraphError, ShapeError
from .methods import Methods, Shape, TensorLike
from .ops.base import default_dtype, raw, results_are
from .ops.index import frozen, misplaced, plain
from .ops.shape import axis_of
from .sparse import RowSparse
from .tape import Node, mode

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Tensor(Methods):
    """An array with a memory: its value, its gradient, and the operation that made it.

    Args:
        data: numbers, nested lists of numbers, an array, or a tensor. Arrays are used as they are,
            not copied; numbers with fractions take the default dtype.
        dtype: float32, float64, an integer type or bool; by default as the data.
        requires_grad: keep track of operations, so that `backward` fills `grad`.

    Raises:
        DTypeError: the data are no numbers, or gradients are asked of integers.

    >>> from pellucid import Tensor
    >>> x = Tensor([2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([4., 6.])
    """

    __slots__ = ("__weakref__", "_grad", "_hooks", "_node", "_requires_grad", "_story", "_value")

    __array_priority__ = 1000.0

    _value: Any
    _node: Node | None
    _grad: Tensor | RowSparse | None
    _requires_grad: bool
    _hooks: list[tape.Hook] | None
    _story: tuple[str, tuple[tuple[str, Shape], ...]] | None

    def __init__(
        self, data: TensorLike, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> None:
        self._value = as_array(data, dtype)
        self._node = self._grad = self._hooks = self._story = None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad_()

    # ------------------------------------------------------------------------------ what it is made of

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array itself. What is written to it changes the tensor, unrecorded."""
        return self._value  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: TensorLike) -> None:
        tape.note_change(self._value)
        self._value = as_array(value, None)
        tape.note_change(self._value)

    @property
    def grad(self) -> Any:
        """The gradient that `backward` left here, or None. Only leaves have one (see `retain_grad`).

        A tensor of this tensor's shape; for an embedding with `sparse=True` a `RowSparse`.

        Raises:
            GraphError: the tensor was made by an operation and did not ask to keep its gradient.
        """
        if self._grad is None and self._node is not None:
            raise GraphError(
                f"this tensor was made by {self._node.op.name}, and only leaves (tensors nobody made) "
                "keep their gradient.\nCall x.retain_grad() before backward to keep this one too"
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | RowSparse | None) -> None:
        if value is not None and tuple(value.shape) != self.shape:
            raise GraphError(
                f"a gradient of shape {value.shape} cannot belong to a tensor {self.shape}"
            )
        self._grad = value

    @property
    def shape(self) -> Shape:
        """The size along each axis."""
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self._value.ndim  # type: ignore[no-any-return]

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Record (or no longer record) what is done with this leaf; returns the tensor.

        Raises:
            DTypeError: the tensor holds integers or booleans.
            GraphError: the tensor was made by an operation.
        """
        if requires_grad and self._value.dtype.kind != "f":
            raise DTypeError(
                f"only numbers with fractions can have gradients, and this tensor is {self.dtype}: "
                "there is no small step from one integer to the next.\n"
                "Make it float: x.float(), or write 3.0 in place of 3"
            )
        if not requires_grad and self._node is not None:
            raise GraphError(
                "only a leaf can stop being recorded; cut this one off with x.detach()"
            )
        self._requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor."""
        return self._node

    def numel(self) -> int:
        """How many elements there are."""
        return self._value.size  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one axis of it."""
        return (
            self.shape if dim is None else self.shape[axis_of(dim, self.ndim, "size", alone=False)]
        )

    def dim(self) -> int:
        """How many axes there are."""
        return self.ndim

    # --------------------------------------------------------------------------------- the way back

    def backward(
        self,
        gradient: TensorLike | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Walk back from here and add to `grad` of every leaf how much it is to blame.

        Args:
            gradient: what each element counts, in this tensor's shape; may be left out for one number.
            retain_graph: keep what is needed to walk again; by default only with `create_graph`.
            create_graph: record the walk too, so that gradients can be differentiated.

        Raises:
            GraphError: nothing leads here; it is no single number; the values were freed by an
                earlier walk or changed since.
        """
        start = tape.check_start(self, gradient)
        if mode.witness is not None:
            mode.witness("backward", self, start, create_graph)
        keep = create_graph if retain_graph is None else retain_graph
        for leaf, d in _walk([(self, start)], keep, create_graph).items():
            _accumulate(leaf, d, create_graph)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call `hook(gradient)` whenever a gradient arrives here; what it returns takes its place.

        Returns:
            A handle; `handle.remove()` takes the hook away.

        Raises:
            GraphError: no gradient will ever arrive here.
        """
        if not self._requires_grad:
            raise GraphError("no gradient will arrive at a tensor without requires_grad=True")

        def on_raw(d: Any) -> Any:
            answer = hook(d if isinstance(d, Tensor) else Tensor(d))
            return answer if answer is None or isinstance(d, Tensor) else raw(answer)

        keeper = self if self._node is None else self._node
        if self._node is None:
            self._hooks = hooks = self._hooks or []
        else:
            self._node.hooks = hooks = self._node.hooks or []
        kept = bool(hooks) and hooks[-1].__class__ is _Keeper  # it keeps what the hooks make of it
        hooks.insert(len(hooks) - kept, on_raw)
        return Handle(keeper, hooks, on_raw)

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is no leaf, as the hooks leave it.

        Raises:
            GraphError: no gradient will ever arrive here.
        """
        if not self._requires_grad:
            raise GraphError("no gradient will arrive at a tensor without requires_grad=True")
        if self._node is not None:
            self._node.hooks = hooks = self._node.hooks or []
            if not hooks or hooks[-1].__class__ is not _Keeper:
                hooks.append(_Keeper(self))

    def detach(self) -> Tensor:
        """The same numbers (the same memory) without the past: a constant."""
        return wrap(self._value, None)

    def detach_(self) -> Tensor:
        """Forget the past, in place."""
        self._node = None
        self._requires_grad = False
        return self

    # -------------------------------------------------------------------------- in and out of Pellucid

    def numpy(self) -> np.ndarray[Any, Any]:
        """The array itself (not a copy)."""
        return self._value  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The one number of a tensor with one element, as a Python number."""
        if self._value.size != 1:
            raise ArgumentError(
                f"item() is for one element, and this tensor has shape {self.shape}"
            )
        if mode.witness is not None:
            return mode.witness("item", self)
        return self._value.item()

    def tolist(self) -> Any:
        """Nested Python lists."""
        return self._value.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self._value, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        return protocols.ufunc(ufunc, method, inputs, settings)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return protocols.function(func, args, kwargs)

    def __dlpack__(self, **settings: Any) -> Any:
        return self._value.__dlpack__(**settings)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._value.__dlpack_device__()  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise DTypeError(
            "tensors are not pickled: opening a pickle can run any code it holds.\n"
            "Save weights with pellucid.save(model.state_dict(), 'weights.safetensors'), and read "
            "them with pellucid.load"
        )

    def __copy__(self) -> Tensor:
        return self.detach()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None:
            raise GraphError("only leaves can be copied deeply; copy x.detach()")
        copied = self.__class__.__new__(self.__class__)
        copied._value = self._value.copy()
        copied._node = copied._hooks = copied._story = None
        copied._requires_grad = self._requires_grad
        copied._grad = None if self._grad is None else self._grad.clone()
        memo[id(self)] = copied
        return copied

    # ------------------------------------------------------------------------------- how it looks

    def __repr__(self) -> str:
        return describe(self)

    def __format__(self, spec: str) -> str:
        return format(self._value.item(), spec) if self._value.size == 1 and spec else repr(self)

    def _repr_html_(self) -> str:
        from .explain.html import tensor_html

        return tensor_html(self)

    # -------------------------------------------------------------------------------- as a number

    def __bool__(self) -> bool:
        if self._value.size != 1:
            raise ArgumentError(
                f"a tensor of shape {self.shape} is neither true nor false.\n"
                "Ask (x > 0).any() or (x > 0).all()"
            )
        if mode.witness is not None:
            mode.witness("bool", self)
        return bool(self._value)

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __index__(self) -> int:
        return self._value.__index__()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        if not self._value.ndim:
            raise ArgumentError("a single number has no length")
        return len(self._value)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._value.ndim:
            raise ArgumentError("a single number has nothing to iterate over")
        return (self[i] for i in range(len(self._value)))

    def __contains__(self, element: Any) -> bool:
        return bool((self._value == raw(element)).any())

    __hash__ = object.__hash__

    # ---------------------------------------------------------------------------------- operators

    def __add__(self, other: TensorLike) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return ops.sub(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return ops.sub(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return ops.mul(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return ops.mul(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return ops.div(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return ops.div(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return ops.remainder(other, self)

    def __pow__(self, exponent: TensorLike) -> Tensor:
        return self.pow(exponent)

    def __rpow__(self, base: TensorLike) -> Tensor:
        return ops.pow(base, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __invert__(self) -> Tensor:
        return ops.bitwise_not(self)

    def __and__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_and(self, other)

    def __or__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_left_shift(self, other)

    def __rlshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_left_shift(other, self)

    def __rshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_right_shift(self, other)

    def __rrshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_right_shift(other, self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return NotImplemented if _is_no_number(other) else ops.eq(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return NotImplemented if _is_no_number(other) else ops.ne(self, other)

    def __lt__(self, other: TensorLike) -> Tensor:
        return ops.lt(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return ops.le(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return ops.gt(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return ops.ge(self, other)

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index=frozen(index))

    # ------------------------------------------------------------------------------ changes in place

    def _may_change(self, *others: Any) -> None:
        """Refuse a change that the tape would not know of.

        Raises:
            GraphError: the tensor, or what is written to it, has a recorded history.
        """
        if mode.recording and (self._requires_grad or any(_recorded(o) for o in others)):
            what = (
                "a leaf that requires gradients"
                if self._requires_grad and self._node is None
                else "a recorded history"
            )
            raise GraphError(
                f"this change in place involves {what}, and the tape records no changes in place.\n"
                "Make a new tensor (x = x + y, pellucid.where, x.index_copy), or, if it is not part "
                "of what is learned, change it inside `with pellucid.no_grad():`"
            )

    def _write(self, value: Any) -> Tensor:
        """Put new numbers into this tensor's memory, keeping its type."""
        if mode.witness is not None:
            mode.witness("write", self, ..., value)
        try:
            self._value[...] = raw(value)
        except (ValueError, TypeError) as error:
            raise self._unwritten(error, value) from None
        tape.note_change(self._value)
        return self

    def _unwritten(self, error: Exception, value: Any) -> Exception:
        """Why numbers could not be written here, in words."""
        if not self._value.flags.writeable:
            return ArgumentError(
                f"this tensor {self.shape} cannot be written to: it reads the same memory several times "
                "(after expand), or memory that is not its own.\nWrite to a copy: x = x.clone()"
            )
        kind = DTypeError if isinstance(error, TypeError) else ShapeError
        return kind(f"{np.shape(raw(value))} cannot be written into a tensor {self.shape}: {error}")

    def __setitem__(self, index: Any, value: TensorLike) -> None:
        self._may_change(value)
        index = plain(index)
        if mode.witness is not None:
            mode.witness("write", self, index, value)
        try:
            self._value[index] = raw(value)
        except IndexError as error:
            raise misplaced(error, self.shape, index) from None
        except (ValueError, TypeError) as error:
            raise self._unwritten(error, value) from None
        tape.note_change(self._value)

    def __iadd__(self, other: TensorLike) -> Tensor:
        return self + other if self._must_record(other) else self.add_(other)

    def __isub__(self, other: TensorLike) -> Tensor:
        return self - other if self._must_record(other) else self.sub_(other)

    def __imul__(self, other: TensorLike) -> Tensor:
        return self * other if self._must_record(other) else self.mul_(other)

    def __itruediv__(self, other: TensorLike) -> Tensor:
        return self / other if self._must_record(other) else self.div_(other)

    def _must_record(self, other: Any) -> bool:
        """Whether `x += y` has to make a new tensor: part of it has a history already."""
        if mode.recording and self._requires_grad and self._node is None:
            self._may_change()
        return mode.recording and (self._node is not None or _recorded(other))

    def _become(self, result: Tensor) -> Tensor:
        """Take over what an operation made of this tensor.

        Raises:
            DTypeError: the result has fractions, or is no truth value, and this tensor cannot hold it.
        """
        if _KINDS[result.dtype.kind] > _KINDS[self.dtype.kind]:
            raise DTypeError(
                f"the result is {result.dtype}, and cannot be written into a tensor of {self.dtype}.\n"
                "Make a new tensor (x = x + y), or turn this one into floats first: x = x.float()"
            )
        return self._write(result)

    def add_(self, other: TensorLike, alpha: float = 1) -> Tensor:
        """Add in place."""
        self._may_change(other)
        return self._become(ops.add(self, other, alpha=alpha))

    def sub_(self, other: TensorLike, alpha: float = 1) -> Tensor:
        """Subtract in place."""
        return self.add_(other, alpha=-alpha)

    def mul_(self, other: TensorLike) -> Tensor:
        """Multiply in place."""
        self._may_change(other)
        return self._become(ops.mul(self, other))

    def div_(self, other: TensorLike) -> Tensor:
        """Divide in place."""
        self._may_change(other)
        return self._become(ops.div(self, other))

    def fill_(self, value: float) -> Tensor:
        """Set every element."""
        self._may_change()
        return self._write(value)

    def zero_(self) -> Tensor:
        """Set every element to 0."""
        return self.fill_(0)

    def copy_(self, source: TensorLike) -> Tensor:
        """Take over the numbers of another tensor."""
        self._may_change(source)
        return self._write(source)

    def clamp_(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Clamp in place."""
        self._may_change()
        return self._write(np.clip(self._value, min, max))

    def uniform_(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Fill with random numbers from low up to high."""
        from .random import generator

        self._may_change()
        return self._become(wrap(generator().uniform(low, high, self.shape), None))

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Fill with normally distributed random numbers."""
        from .random import generator

        self._may_change()
        return self._become(wrap(generator().normal(mean, std, self.shape), None))

    # ----------------------------------------------------------------------------------- other types

    def to(self, *targets: Any, dtype: DTypeLike | None = None) -> Tensor:
        """The tensor in another type, and in the type of another tensor; "cpu" is accepted."""
        for target in targets:
            if isinstance(target, Tensor):
                dtype = target.dtype
            elif isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda", "mps"):
                if target.split(":")[0] != "cpu":
                    raise ArgumentError(
                        f"Pellucid works on the CPU only; there is no device {target!r}"
                    )
            else:
                dtype = target
        return (
            self if dtype is None or np.dtype(dtype) == self.dtype else ops.cast(self, dtype=dtype)
        )

    def type(self, dtype: DTypeLike) -> Tensor:
        """The tensor in another type."""
        return self.to(dtype=dtype)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> Tensor:
        """The tensor in another type (NumPy's name for `to`)."""
        return self.to(dtype=dtype)

    def float(self) -> Tensor:
        """As float32."""
        return self.to(dtype=np.float32)

    def double(self) -> Tensor:
        """As float64."""
        return self.to(dtype=np.float64)

    def int(self) -> Tensor:
        """As int32, fractions cut off."""
        return self.to(dtype=np.int32)

    def long(self) -> Tensor:
        """As int64, fractions cut off."""
        return self.to(dtype=np.int64)

    def bool(self) -> Tensor:
        """As booleans: what is not 0 is true."""
        return self.to(dtype=np.bool_)

    def cpu(self) -> Tensor:
        """The tensor itself: it is on the CPU."""
        return self

    def is_floating_point(self) -> Any:
        """Whether the elements have fractions."""
        return self.dtype.kind == "f"

    def contiguous(self) -> Tensor:
        """The tensor with its elements in order in memory."""
        return self if self._value.flags.c_contiguous else self.clone()

    def is_contiguous(self) -> Any:
        """Whether the elements lie in order in memory."""
        return self._value.flags.c_contiguous

    def clone(self) -> Tensor:
        """A copy with memory of its own; gradients pass through."""
        return ops.clone(self)


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}  # each can hold those before it


class _Keeper:
    """The last hook of a tensor that wants to keep its gradient though it is no leaf."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = weakref.ref(tensor)

    def __call__(self, d: Any) -> None:
        tensor = self._tensor()
        if tensor is not None:
            before = tensor._grad
            d = d.clone() if isinstance(d, Tensor) else wrap(np.array(d), None)
            tensor._grad = d if before is None else before + d


class Handle:
    """What `register_hook` returns: `remove()` takes the hook away again."""

    def __init__(self, keeper: object, hooks: list[Any], hook: Any) -> None:
        self._keeper, self._hooks, self._hook = keeper, hooks, hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)


# ---------------------------------------------------------------------------------- making tensors


def as_array(data: TensorLike, dtype: DTypeLike | None) -> np.ndarray[Any, Any]:
    """Numbers in any form as an array; Python's floats take the default dtype.

    Raises:
        DTypeError: something in it is no number.
    """
    if isinstance(data, Tensor):
        data = data._value
    if isinstance(data, (list, tuple)) and any(isinstance(part, Tensor) for part in data):
        data = [np.asarray(part) for part in data]
    given_type = isinstance(data, (np.ndarray, np.generic))
    try:
        array = np.asarray(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise DTypeError(f"these data make no tensor: {error}") from None
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            f"a tensor holds numbers or booleans, not {array.dtype}"
            + (" (rows of different length?)" if array.dtype.kind == "O" else "")
        )
    if dtype is None and not given_type and array.dtype.kind == "f":
        array = array.astype(default_dtype())
    return array


_new = object.__new__


def wrap(value: Any, node: Node | None) -> Tensor:
    """A tensor around an array, without looking at it twice."""
    result = _new(Tensor)
    result._value = value
    result._node = node
    result._requires_grad = node is not None
    result._grad = result._hooks = result._story = None
    return result


results_are(Tensor, wrap)


def _is_no_number(value: object) -> bool:
    """Whether Python shall answer that a tensor is not equal to this: None, a string."""
    return value is None or isinstance(value, str)


def _recorded(value: Any) -> bool:
    return isinstance(value, Tensor) and value._requires_grad


# ------------------------------------------------------------------------------------ walking back


def _walk(
    starts: Sequence[tuple[Tensor, Any]],
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Tensor] | None = None,
) -> dict[Any, Any]:
    if create_graph:
        starts = [(t, d if isinstance(d, Tensor) else wrap(d, None)) for t, d in starts]
        with tape.enable_grad():
            return tape.walk_back(
                starts, retain_graph=retain_graph, create_graph=True, targets=targets
            )
    return tape.walk_back(starts, retain_graph=retain_graph, create_graph=False, targets=targets)


def _accumulate(leaf: Tensor, d: Any, create_graph: bool) -> None:
    """Add what arrived to the leaf's gradient, whose memory is nobody else's."""
    if leaf._hooks is not None:
        d = tape.through(leaf._hooks, d)
        if not create_graph and not isinstance(d, RowSparse):
            d = np.array(d)  # a hook may have given something of its own
    before: Any = leaf._grad
    if d.__class__ is np.ndarray and before is None and d.dtype is leaf._value.dtype:
        leaf._grad = wrap(d, None)
    elif create_graph and isinstance(d, Tensor):
        with tape.enable_grad():
            leaf._grad = d.clone() if before is None else before + d
    elif isinstance(d, RowSparse) or before.__class__ is RowSparse:
        leaf._grad = d if before is None else before + d
    else:
        d = np.asarray(d, dtype=leaf._value.dtype)
        if before is None:
            leaf._grad = wrap(d, None)
        else:
            np.add(before._value, d, out=before._value)
            tape.note_change(before._value)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: TensorLike | Sequence[TensorLike] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, without touching anybody's `grad`.

    Args:
        outputs: one or several tensors, added up where there are several.
        inputs: one or several tensors, leaves or not.
        grad_outputs: what each element of the outputs counts; may be left out for single numbers.
        retain_graph: keep what is needed to walk again; by default only with `create_graph`.
        create_graph: record the walk, for second derivatives.
        allow_unused: give None for an input that no output depends on.

    Raises:
        GraphError: as `Tensor.backward`; or an input is not part of what made the outputs.

    >>> import pellucid
    >>> x = pellucid.tensor(3.0, requires_grad=True)
    >>> (slope,) = pellucid.grad(x**3, x, create_graph=True)
    >>> slope.item(), pellucid.grad(slope, x)[0].item()
    (27.0, 18.0)
    """
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    ins = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    weights = (
        grad_outputs if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outs)
    )
    if mode.witness is not None:
        mode.witness("grad", outs)
    if any(not t._requires_grad for t in ins):
        raise GraphError("every input needs requires_grad=True, or there is no gradient to find")
    starts = [
        (t, w if create_graph and isinstance(w, Tensor) else tape.check_start(t, w))
        for t, w in zip(outs, weights, strict=True)
    ]
    keep = create_graph if retain_graph is None else retain_graph
    reached = _walk(starts, keep, create_graph, ins)
    found = []
    for i, t in enumerate(ins):
        d = reached.get(t._node or t)
        if d is not None and t._node is None and t._hooks:
            d = tape.through(t._hooks, d)
        if d is None and not allow_unused:
            raise GraphError(
                f"input {i} {t.shape} is not part of what made the outputs; allow_unused=True gives None for it"
            )
        found.append(d if d is None or isinstance(d, (Tensor, RowSparse)) else Tensor(d))
    return tuple(found)


# --------------------------------------------------------------------------------------- how it looks


def describe(tensor: Tensor) -> str:
    """`tensor([[1., 2.]], shape=(1, 2), ...)`: the numbers, what they are and what made them."""
    value = tensor._value
    kind = tensor.__class__.__name__.lower()
    with np.printoptions(precision=4, threshold=60, edgeitems=3, linewidth=88):
        body = np.array2string(value, separator=", ", prefix=f"{kind}(")
    notes = []
    if value.ndim and (value.ndim > 1 or value.size > 6):
        notes.append(f"shape={value.shape}")
    if value.dtype not in (default_dtype(), np.dtype(np.int64), np.dtype(np.bool_)):
        notes.append(f"dtype={value.dtype}")
    if tensor._node is not None:
        notes.append(f"made by {tensor._node.op.name}")
    elif tensor._requires_grad:
        notes.append("requires_grad=True")
    return f"{kind}({', '.join([body, *notes])})"
