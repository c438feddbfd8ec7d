"""The methods of a tensor that are operations: each hands on to `pellucid.ops`.

Its rule, its slopes and its meaning stand there, under the same name. Written out one by one, so that
a search for a method's name finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import ops
from .errors import ShapeError
from .ops.base import raw
from .ops.index import frozen

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .tensor import Tensor

Shape = tuple[int, ...]
Dim = int | Sequence[int] | None
TensorLike = Any  # a Tensor, an array, a number, or nested lists of numbers


class Methods:
    """What one can do with a tensor. `Tensor` inherits from this and adds the rest."""

    __slots__ = ()

    # ------------------------------------------------------------------------ element by element

    def add(self, other: TensorLike, *, alpha: float = 1) -> Tensor:
        """Plus `alpha` times `other`."""
        return ops.add(self, other, alpha=alpha)

    def sub(self, other: TensorLike, *, alpha: float = 1) -> Tensor:
        """Less `alpha` times `other`."""
        return ops.sub(self, other, alpha=alpha)

    def mul(self, other: TensorLike) -> Tensor:
        """Times `other`."""
        return ops.mul(self, other)

    def div(self, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
        """Divided by `other`; rounded by "trunc" or "floor" where asked."""
        return ops.div(self, other, rounding_mode=rounding_mode)

    def floor_divide(self, other: TensorLike) -> Tensor:
        """How many whole times `other` fits, rounded down."""
        return ops.floor_divide(self, other)

    def remainder(self, other: TensorLike) -> Tensor:
        """What `floor_divide` leaves over, with the sign of `other`."""
        return ops.remainder(self, other)

    def fmod(self, other: TensorLike) -> Tensor:
        """What division rounded towards 0 leaves over, with the sign of this tensor."""
        return ops.fmod(self, other)

    def lerp(self, end: TensorLike, weight: TensorLike) -> Tensor:
        """The point a share `weight` of the way to `end`."""
        return ops.lerp(self, end, weight)

    def addcmul(self, tensor1: TensorLike, tensor2: TensorLike, *, value: float = 1) -> Tensor:
        """Plus `value` times `tensor1` times `tensor2`."""
        return ops.addcmul(self, tensor1, tensor2, value=value)

    def addcdiv(self, tensor1: TensorLike, tensor2: TensorLike, *, value: float = 1) -> Tensor:
        """Plus `value` times `tensor1` divided by `tensor2`."""
        return ops.addcdiv(self, tensor1, tensor2, value=value)

    def neg(self) -> Tensor:
        """The opposite of each element."""
        return ops.neg(self)

    def reciprocal(self) -> Tensor:
        """1 divided by each element."""
        return ops.reciprocal(self)

    def pow(self, exponent: TensorLike) -> Tensor:
        """To the power of `exponent`."""
        if exponent.__class__ is int and exponent == 2:
            return ops.square(self)
        return ops.pow(self, exponent)

    def square(self) -> Tensor:
        """Each element times itself."""
        return ops.square(self)

    def sqrt(self) -> Tensor:
        """The square root."""
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        """1 divided by the square root."""
        return ops.rsqrt(self)

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return ops.exp(self)

    def exp2(self) -> Tensor:
        """2 to the power of each element."""
        return ops.exp2(self)

    def expm1(self) -> Tensor:
        """exp(x) - 1, exact where x is tiny."""
        return ops.expm1(self)

    def log(self) -> Tensor:
        """The logarithm, to base e."""
        return ops.log(self)

    def log2(self) -> Tensor:
        """The logarithm to base 2."""
        return ops.log2(self)

    def log10(self) -> Tensor:
        """The logarithm to base 10."""
        return ops.log10(self)

    def log1p(self) -> Tensor:
        """log(1 + x), exact where x is tiny."""
        return ops.log1p(self)

    def logaddexp(self, other: TensorLike) -> Tensor:
        """log(exp(this) + exp(other)), without overflow."""
        return ops.logaddexp(self, other)

    def logaddexp2(self, other: TensorLike) -> Tensor:
        """log2(2^this + 2^other), without overflow."""
        return ops.logaddexp2(self, other)

    def xlogy(self, other: TensorLike) -> Tensor:
        """Times log(other), and 0 where this is 0."""
        return ops.xlogy(self, other)

    def abs(self) -> Tensor:
        """The size without the sign."""
        return ops.abs(self)

    def absolute(self) -> Tensor:
        """The size without the sign."""
        return ops.abs(self)

    def sign(self) -> Tensor:
        """1, -1 or 0, as the element is positive, negative or 0."""
        return ops.sign(self)

    def signbit(self) -> Tensor:
        """Where it carries a minus sign; -0.0 does."""
        return ops.signbit(self)

    def copysign(self, other: TensorLike) -> Tensor:
        """The size of this with the sign of `other`."""
        return ops.copysign(self, other)

    def positive(self) -> Any:
        """The tensor as it is: what a plus sign in front does."""
        return ops.positive(self)

    def floor(self) -> Tensor:
        """Rounded down."""
        return ops.floor(self)

    def ceil(self) -> Tensor:
        """Rounded up."""
        return ops.ceil(self)

    def trunc(self) -> Tensor:
        """Rounded towards 0."""
        return ops.trunc(self)

    def round(self, decimals: int = 0) -> Tensor:
        """Rounded to so many decimals; halves go to the even neighbour."""
        return ops.round(self, decimals=decimals)

    def frac(self) -> Tensor:
        """The fraction, which `trunc` cuts off."""
        return ops.frac(self)

    def clamp(self, min: TensorLike = None, max: TensorLike = None) -> Tensor:
        """Nowhere below `min` or above `max`."""
        return ops.clamp(self, min, max)

    def clip(self, min: TensorLike = None, max: TensorLike = None) -> Tensor:
        """Nowhere below `min` or above `max`."""
        return ops.clamp(self, min, max)

    def clamp_min(self, min: TensorLike) -> Tensor:
        """Nowhere below `min`."""
        return ops.clamp(self, min)

    def clamp_max(self, max: TensorLike) -> Tensor:
        """Nowhere above `max`."""
        return ops.clamp(self, None, max)

    def nan_to_num(
        self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
    ) -> Tensor:
        """NaN and the infinities replaced by numbers."""
        return ops.nan_to_num(self, nan=nan, posinf=posinf, neginf=neginf)

    def sin(self) -> Tensor:
        """The sine of an angle in radians."""
        return ops.sin(self)

    def cos(self) -> Tensor:
        """The cosine of an angle in radians."""
        return ops.cos(self)

    def tan(self) -> Tensor:
        """The tangent of an angle in radians."""
        return ops.tan(self)

    def asin(self) -> Tensor:
        """The angle whose sine this is."""
        return ops.asin(self)

    def acos(self) -> Tensor:
        """The angle whose cosine this is."""
        return ops.acos(self)

    def atan(self) -> Tensor:
        """The angle whose tangent this is."""
        return ops.atan(self)

    def atan2(self, other: TensorLike) -> Tensor:
        """The angle of the point this far up and `other` to the right."""
        return ops.atan2(self, other)

    def hypot(self, other: TensorLike) -> Tensor:
        """The length of a diagonal: the root of the sum of both squares."""
        return ops.hypot(self, other)

    def sinc(self) -> Tensor:
        """sin(pi x) / (pi x), and 1 at 0."""
        return ops.sinc(self)

    def deg2rad(self) -> Tensor:
        """An angle in degrees as radians."""
        return ops.deg2rad(self)

    def rad2deg(self) -> Tensor:
        """An angle in radians as degrees."""
        return ops.rad2deg(self)

    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
        return ops.sinh(self)

    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
        return ops.cosh(self)

    def tanh(self) -> Tensor:
        """Squashed into (-1, 1)."""
        return ops.tanh(self)

    def asinh(self) -> Tensor:
        """The number whose sinh this is."""
        return ops.asinh(self)

    def acosh(self) -> Tensor:
        """The number, 0 or more, whose cosh this is."""
        return ops.acosh(self)

    def atanh(self) -> Tensor:
        """The number whose tanh this is."""
        return ops.atanh(self)

    def erf(self) -> Tensor:
        """The share of the bell curve between -x and x."""
        return ops.erf(self)

    def erfc(self) -> Tensor:
        """1 - erf(x), to full precision where it is tiny."""
        return ops.erfc(self)

    def erfinv(self) -> Tensor:
        """The number whose erf this is."""
        return ops.erfinv(self)

    def logit(self, eps: float | None = None) -> Tensor:
        """log(x / (1 - x)): the number whose sigmoid this is."""
        return ops.logit(self, eps=eps)

    def relu(self) -> Tensor:
        """0 where it is negative."""
        return ops.relu(self)

    def prelu(self, weight: TensorLike) -> Any:
        """Times a learned weight where it is negative."""
        return ops.prelu(self, weight)

    def hardshrink(self, lambd: float = 0.5) -> Tensor:
        """0 between -lambd and lambd."""
        return ops.hardshrink(self, lambd=lambd)

    def sigmoid(self) -> Tensor:
        """Squashed into (0, 1)."""
        return ops.sigmoid(self)

    def softmax(self, dim: int, dtype: DTypeLike | None = None) -> Tensor:
        """Scores along an axis as shares that add up to 1."""
        return ops.softmax(self, dim=dim, dtype=dtype)

    def log_softmax(self, dim: int, dtype: DTypeLike | None = None) -> Tensor:
        """The logarithm of `softmax`, computed safely."""
        return ops.log_softmax(self, dim=dim, dtype=dtype)

    # ------------------------------------------------------------------------ compared and chosen

    def eq(self, other: TensorLike) -> Tensor:
        """Where it equals `other`."""
        return ops.eq(self, other)

    def ne(self, other: TensorLike) -> Tensor:
        """Where it differs from `other`."""
        return ops.ne(self, other)

    def lt(self, other: TensorLike) -> Tensor:
        """Where it is less than `other`."""
        return ops.lt(self, other)

    def le(self, other: TensorLike) -> Tensor:
        """Where it is less than `other` or equal."""
        return ops.le(self, other)

    def gt(self, other: TensorLike) -> Tensor:
        """Where it is greater than `other`."""
        return ops.gt(self, other)

    def ge(self, other: TensorLike) -> Tensor:
        """Where it is greater than `other` or equal."""
        return ops.ge(self, other)

    def isclose(
        self, other: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
    ) -> Tensor:
        """Where both differ by at most `atol` plus `rtol` times the size of `other`."""
        return ops.isclose(self, other, rtol=rtol, atol=atol, equal_nan=equal_nan)

    def allclose(
        self, other: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
    ) -> bool:
        """Whether all elements are close, in the sense of `isclose`."""
        return ops.allclose(self, other, rtol=rtol, atol=atol, equal_nan=equal_nan)

    def equal(self, other: TensorLike) -> bool:
        """Whether both have the same shape and the same elements."""
        return ops.equal(self, other)

    def isnan(self) -> Tensor:
        """Where it is no number (NaN)."""
        return ops.isnan(self)

    def isinf(self) -> Tensor:
        """Where it is infinite."""
        return ops.isinf(self)

    def isfinite(self) -> Tensor:
        """Where it is neither infinite nor NaN."""
        return ops.isfinite(self)

    def isposinf(self) -> Tensor:
        """Where it is plus infinity."""
        return ops.isposinf(self)

    def isneginf(self) -> Tensor:
        """Where it is minus infinity."""
        return ops.isneginf(self)

    def logical_and(self, other: TensorLike) -> Tensor:
        """Where both are not 0."""
        return ops.logical_and(self, other)

    def logical_or(self, other: TensorLike) -> Tensor:
        """Where at least one is not 0."""
        return ops.logical_or(self, other)

    def logical_xor(self, other: TensorLike) -> Tensor:
        """Where exactly one is not 0."""
        return ops.logical_xor(self, other)

    def bitwise_and(self, other: TensorLike) -> Tensor:
        """The bits set in both."""
        return ops.bitwise_and(self, other)

    def bitwise_or(self, other: TensorLike) -> Tensor:
        """The bits set in at least one."""
        return ops.bitwise_or(self, other)

    def bitwise_xor(self, other: TensorLike) -> Tensor:
        """The bits set in exactly one."""
        return ops.bitwise_xor(self, other)

    def logical_not(self) -> Tensor:
        """Where it is 0."""
        return ops.logical_not(self)

    def bitwise_not(self) -> Tensor:
        """Every bit turned over; of truth values: the other one."""
        return ops.bitwise_not(self)

    def bitwise_left_shift(self, other: TensorLike) -> Tensor:
        """Every bit moved up by `other` places."""
        return ops.bitwise_left_shift(self, other)

    def bitwise_right_shift(self, other: TensorLike) -> Tensor:
        """Every bit moved down by `other` places."""
        return ops.bitwise_right_shift(self, other)

    def where(self, condition: TensorLike, other: TensorLike) -> Tensor:
        """This tensor where `condition` is true, `other` elsewhere."""
        return ops.where(condition, self, other)

    def masked_fill(self, mask: TensorLike, value: TensorLike) -> Tensor:
        """`value`, a single number, wherever `mask` is true."""
        return ops.masked_fill(self, mask, value)

    def maximum(self, other: TensorLike) -> Tensor:
        """The larger of both, element by element."""
        return ops.maximum(self, other)

    def minimum(self, other: TensorLike) -> Tensor:
        """The smaller of both, element by element."""
        return ops.minimum(self, other)

    def fmax(self, other: TensorLike) -> Tensor:
        """The larger of both; a number is preferred to NaN."""
        return ops.fmax(self, other)

    def fmin(self, other: TensorLike) -> Tensor:
        """The smaller of both; a number is preferred to NaN."""
        return ops.fmin(self, other)

    # --------------------------------------------------------------------- from many numbers to few

    def sum(self, dim: Dim = None, keepdim: bool = False, dtype: DTypeLike | None = None) -> Tensor:
        """All elements, or those along `dim`, added up."""
        return ops.sum(self, dim=dim, keepdim=keepdim, dtype=dtype)

    def mean(
        self, dim: Dim = None, keepdim: bool = False, dtype: DTypeLike | None = None
    ) -> Tensor:
        """The sum, divided by how many there are."""
        return ops.mean(self, dim=dim, keepdim=keepdim, dtype=dtype)

    def prod(
        self, dim: int | None = None, keepdim: bool = False, dtype: DTypeLike | None = None
    ) -> Tensor:
        """All elements, or those along `dim`, multiplied."""
        return ops.prod(self, dim=dim, keepdim=keepdim, dtype=dtype)

    def var(
        self,
        dim: Dim = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        correction: float | None = 1,
    ) -> Tensor:
        """How widely the elements lie around their mean: the mean squared distance."""
        return ops.var(self, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)

    def std(
        self,
        dim: Dim = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        correction: float | None = 1,
    ) -> Tensor:
        """The square root of `var`."""
        return ops.std(self, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The largest element; along `dim` a pair (values, indices)."""
        return ops.max(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The smallest element; along `dim` a pair (values, indices)."""
        return ops.min(self, dim, keepdim)

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The largest element; equal ones share the gradient."""
        return ops.amax(self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The smallest element; equal ones share the gradient."""
        return ops.amin(self, dim=dim, keepdim=keepdim)

    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
        """The smallest and the largest element."""
        return ops.aminmax(self, dim=dim, keepdim=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The position of the largest element."""
        return ops.argmax(self, dim=dim, keepdim=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The position of the smallest element."""
        return ops.argmin(self, dim=dim, keepdim=keepdim)

    def any(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Whether at least one element is true."""
        return ops.any(self, dim=dim, keepdim=keepdim)

    def all(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Whether every element is true."""
        return ops.all(self, dim=dim, keepdim=keepdim)

    def count_nonzero(self, dim: Dim = None) -> Tensor:
        """How many elements are not 0."""
        return ops.count_nonzero(self, dim=dim)

    def cumsum(self, dim: int, dtype: DTypeLike | None = None) -> Tensor:
        """Running sums along an axis."""
        return ops.cumsum(self, dim=dim, dtype=dtype)

    def cumprod(self, dim: int, dtype: DTypeLike | None = None) -> Tensor:
        """Running products along an axis."""
        return ops.cumprod(self, dim=dim, dtype=dtype)

    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Tensor:
        """log(sum(exp(x))), without overflow."""
        return ops.logsumexp(self, dim=dim, keepdim=keepdim)

    def norm(
        self,
        p: float | str = "fro",
        dim: Dim = None,
        keepdim: bool = False,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """How large it is: by default the root of the sum of squares."""
        return ops.norm(self, p=p, dim=dim, keepdim=keepdim, dtype=dtype)

    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The element in the middle; along `dim` a pair (values, indices)."""
        return ops.median(self, dim, keepdim)

    def sort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
        """In order of size along an axis: a pair (values, indices)."""
        return ops.sort(self, dim, descending, stable)

    def argsort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
        """The positions of the elements in order of size."""
        return ops.argsort(self, dim=dim, descending=descending, stable=stable)

    def msort(self) -> Any:
        """In order of size along the first axis."""
        return ops.msort(self)

    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """The `k` largest (or smallest) along an axis: a pair (values, indices)."""
        return ops.topk(self, k, dim, largest, sorted)

    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """The `k`-th smallest along an axis: a pair (values, indices)."""
        return ops.kthvalue(self, k, dim, keepdim)

    # --------------------------------------------------------------------------- arranged otherwise

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; one size may be -1."""
        return ops.reshape(self, shape=sizes(shape))

    def reshape_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of another tensor."""
        return ops.reshape_as(self, other)

    def view(self, *shape: Any) -> Tensor:
        """The same memory in another shape; refused where the elements would have to be copied."""
        return ops.view(self, sizes(shape))

    def view_as(self, other: Tensor) -> Tensor:
        """The same memory in the shape of another tensor."""
        return ops.view_as(self, other)

    def ravel(self) -> Tensor:
        """All elements in one row."""
        return ops.ravel(self)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """The axes from `start_dim` to `end_dim` laid out as one."""
        return ops.flatten(self, start_dim=start_dim, end_dim=end_dim)

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Tensor:
        """One axis split into several."""
        return ops.unflatten(self, dim, sizes)

    def permute(self, *dims: Any) -> Tensor:
        """The axes in another order."""
        return ops.permute(self, dims=sizes(dims))

    def transpose(self, *dims: Any, **named: int) -> Tensor:
        """Two axes exchanged; without arguments, or with all axes, as NumPy's `transpose`."""
        if len(dims) + len(named) == 2:
            return ops.transpose(self, *dims, **named)
        return ops.permute(self, dims=sizes(dims) or range(raw(self).ndim)[::-1], **named)

    def swapaxes(self, axis0: int, axis1: int) -> Tensor:
        """Two axes exchanged."""
        return ops.transpose(self, dim0=axis0, dim1=axis1)

    def swapdims(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged."""
        return ops.transpose(self, dim0=dim0, dim1=dim1)

    def movedim(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
        """Some axes moved to new places; the others keep their order."""
        return ops.movedim(self, source, destination)

    moveaxis = movedim

    def t(self) -> Tensor:
        """Rows and columns of a matrix exchanged."""
        return ops.t(self)

    @property
    def T(self) -> Tensor:
        """All axes in reverse order: rows and columns of a matrix exchanged."""
        return ops.permute(self, dims=range(raw(self).ndim)[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged: every matrix of a stack on its side."""
        return ops.matrix_transpose(self)

    def squeeze(self, dim: Dim = None) -> Tensor:
        """Without axes of size 1."""
        return ops.squeeze(self, dim=dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """One more axis, of size 1, at `dim`."""
        return ops.unsqueeze(self, dim=dim)

    def expand(self, *size: Any) -> Tensor:
        """Repeated along axes of size 1 and new leading axes, without copying; -1 keeps a size."""
        return ops.expand(self, size=sizes(size))

    def broadcast_to(self, size: Sequence[int]) -> Tensor:
        """Repeated to a shape, as when tensors of different shapes meet."""
        return ops.expand(self, size=size)

    def expand_as(self, other: Tensor) -> Tensor:
        """Repeated to the shape of another tensor, without copying."""
        return ops.expand_as(self, other)

    def repeat(self, *repeats: Any) -> Tensor:
        """The whole tensor laid down again and again, so often along each axis; copied."""
        return ops.tile(self, dims=repeats_of(sizes(repeats), raw(self).ndim))

    def tile(self, *dims: Any) -> Tensor:
        """The whole tensor laid down again and again; missing leading axes count as 1."""
        return ops.tile(self, dims=sizes(dims))

    def repeat_interleave(self, repeats: Any, dim: int | None = None) -> Tensor:
        """Each element several times, one copy after the other."""
        return ops.repeat_interleave(self, repeats, dim)

    def flip(self, *dims: Any) -> Tensor:
        """The elements in reverse order along `dims`."""
        return ops.flip(self, dims=sizes(dims))

    def fliplr(self) -> Tensor:
        """The columns in reverse order."""
        return ops.fliplr(self)

    def flipud(self) -> Tensor:
        """The rows in reverse order."""
        return ops.flipud(self)

    def roll(self, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
        """The elements moved on; what falls off the end comes in at the front."""
        return ops.roll(self, shifts=shifts, dims=dims)

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Cut along an axis into pieces of one size, or of the sizes listed."""
        return ops.split(self, split_size, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Cut along an axis into a number of equal pieces; the last may be smaller."""
        return ops.chunk(self, chunks, dim)

    def tensor_split(
        self, indices_or_sections: int | Sequence[int], dim: int = 0
    ) -> tuple[Tensor, ...]:
        """Cut along an axis into nearly equal pieces, or before the positions listed."""
        return ops.tensor_split(self, indices_or_sections, dim)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """Every position along an axis as a tensor of its own."""
        return ops.unbind(self, dim)

    def tril(self, diagonal: int = 0) -> Tensor:
        """The lower triangle of each matrix: zeros above the given diagonal."""
        return ops.tril(self, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """The upper triangle of each matrix: zeros below the given diagonal."""
        return ops.triu(self, diagonal=diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """The elements whose positions along two axes are equal (or `offset` apart)."""
        return ops.diagonal(self, offset=offset, dim1=dim1, dim2=dim2)

    def diag(self, diagonal: int = 0) -> Tensor:
        """Of a vector, the matrix with it on the diagonal; of a matrix, its diagonal."""
        return ops.diag(self, diagonal)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
        """Matrices with the last axis on a diagonal, zeros elsewhere."""
        return ops.diag_embed(self, offset, dim1, dim2)

    # ------------------------------------------------------------------------------ picking elements

    def gather(self, dim: int, index: TensorLike) -> Tensor:
        """From each line along `dim`, the elements at the positions that stand in `index`."""
        return ops.gather(self, dim, index)

    def scatter(self, dim: int, index: TensorLike, src: TensorLike) -> Tensor:
        """A copy with the elements of `src` written where `index` says along `dim`."""
        return ops.scatter(self, dim, index, src)

    def scatter_add(self, dim: int, index: TensorLike, src: TensorLike) -> Tensor:
        """A copy with the elements of `src` added where `index` says along `dim`."""
        return ops.scatter_add(self, dim, index, src)

    def index_select(self, dim: int, index: TensorLike) -> Tensor:
        """Along one axis, the positions listed in `index`; the other axes whole."""
        return ops.index_select(self, dim, index)

    def index_add(
        self, dim: int, index: TensorLike, source: TensorLike, *, alpha: float = 1
    ) -> Tensor:
        """A copy with the slices of `source` added at the positions `index` along one axis."""
        return ops.index_add(self, dim, index, source, alpha=alpha)

    def index_copy(self, dim: int, index: TensorLike, source: TensorLike) -> Tensor:
        """A copy with the slices of `source` written at the positions `index` along one axis."""
        return ops.index_copy(self, dim, index, source)

    def index_fill(self, dim: int, index: TensorLike, value: TensorLike) -> Tensor:
        """A copy with one number written at the positions `index` along one axis."""
        return ops.index_fill(self, dim, index, value)

    def index_put(self, indices: Any, values: TensorLike, accumulate: bool = False) -> Tensor:
        """A copy with `values` written at (or added to) what `x[indices]` reads."""
        return ops.index_put(self, frozen(indices), values, accumulate=accumulate)

    def take_along_dim(self, indices: TensorLike, dim: int | None = None) -> Tensor:
        """Elements picked along an axis by positions, as `argsort` gives them."""
        return ops.take_along_dim(self, indices, dim)

    def take(self, index: TensorLike) -> Tensor:
        """Elements picked by their position when all stand in one row."""
        return ops.take(self, index)

    def masked_select(self, mask: TensorLike) -> Tensor:
        """The elements where `mask` is true, in one row."""
        return ops.masked_select(self, mask)

    def nonzero(self, as_tuple: bool = False) -> Any:
        """Where the elements are that are not 0: a row of positions each."""
        return ops.nonzero(self, as_tuple)

    def argwhere(self) -> Tensor:
        """Where the elements are that are not 0: a row of positions each."""
        return ops.argwhere(self)

    def narrow(self, dim: int, start: int, length: int) -> Tensor:
        """`length` positions along an axis, from `start` on."""
        return ops.narrow(self, dim, start, length)

    def select(self, dim: int, index: int) -> Tensor:
        """One position along an axis, which disappears."""
        return ops.select(self, dim, index)

    # ----------------------------------------------------------------------- rows meeting columns

    def matmul(self, other: TensorLike) -> Tensor:
        """Rows of this tensor meet columns of `other`."""
        return ops.matmul(self, other)

    def mm(self, mat2: TensorLike) -> Tensor:
        """The product of two matrices."""
        return ops.mm(self, mat2)

    def mv(self, vec: TensorLike) -> Tensor:
        """This matrix times a vector."""
        return ops.mv(self, vec)

    def bmm(self, mat2: TensorLike) -> Tensor:
        """The products of two stacks of matrices, pair by pair."""
        return ops.bmm(self, mat2)

    def dot(self, tensor: TensorLike) -> Tensor:
        """The elements of two vectors multiplied in pairs and added up."""
        return ops.dot(self, tensor)

    def outer(self, vec2: TensorLike) -> Tensor:
        """Each element of this vector times each of the other."""
        return ops.outer(self, vec2)

    def inner(self, other: TensorLike) -> Tensor:
        """Sums of products along the last axis of both."""
        return ops.inner(self, other)

    def addmm(
        self, mat1: TensorLike, mat2: TensorLike, *, beta: float = 1, alpha: float = 1
    ) -> Tensor:
        """`beta` times this plus `alpha` times the product of two matrices."""
        return ops.addmm(self, mat1, mat2, beta=beta, alpha=alpha)

    def trace(self) -> Tensor:
        """The sum of the diagonal."""
        return ops.trace(self)

    # ------------------------------------------------------------------- the same, by other names

    subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh = asinh, acosh, atanh
    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
    fix, sgn = trunc, sign


def sizes(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` mean the same."""
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def repeats_of(repeats: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """How often along each axis, at least as many numbers as there are axes.

    Raises:
        ShapeError: there are fewer.
    """
    if len(repeats) < ndim:
        raise ShapeError(
            f"repeat needs a number for each of {ndim} axes, not {repeats}; tile fills up with ones"
        )
    return repeats
