"""Parameter: a tensor that a network learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..ops.base import default_dtype
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that belongs to a module and is changed by learning.

    Args:
        data: its first numbers; an array or a tensor is used as it is, not copied.
        requires_grad: False for one that is kept as it is (frozen).

    Raises:
        DTypeError: the data are no numbers, or integers while `requires_grad` is True.

    >>> from pellucid.nn import Parameter
    >>> Parameter([0.5, 0.48, -0.7])
    parameter([ 0.5 ,  0.48, -0.7 ], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)


def blank(*shape: int, dtype: DTypeLike | None = None) -> Parameter:
    """A parameter of this shape, all 0, in the default type unless another is given."""
    return Parameter(np.zeros(shape, default_dtype() if dtype is None else dtype))
