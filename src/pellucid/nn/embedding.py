"""Embeddings: a table with a row of learned numbers for each word (or letter, or user, ...)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from .. import init, ops
from ..errors import ArgumentError, ShapeError
from ..ops.base import raw
from ..tensor import Tensor
from .linear import at_least_one
from .module import Module
from .parameter import Parameter, blank


class _Table(Module):
    """What both have in common: the table and its padding row."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        sparse: bool,
        weight: Any,
        dtype: DTypeLike | None,
    ) -> None:
        name = type(self).__name__
        at_least_one(name, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ArgumentError(
                f"{name}: padding_idx {padding_idx} is none of the {num_embeddings} rows"
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.sparse = sparse
        if weight is None:
            self.weight = blank(num_embeddings, embedding_dim, dtype=dtype)
            self.reset_parameters()
        else:
            self.weight = weight if isinstance(weight, Parameter) else Parameter(weight)
            if self.weight.shape != (num_embeddings, embedding_dim):
                raise ShapeError(
                    f"{name}: the table given is {self.weight.shape}, not "
                    f"({num_embeddings}, {embedding_dim})"
                )

    def reset_parameters(self) -> None:
        """Draw the rows anew: normal with mean 0 and standard deviation 1; the padding row is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight._value[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **settings: Any) -> Self:
        """A layer around a table that was learned elsewhere.

        Args:
            embeddings: the table, (rows, numbers per row).
            freeze: keep it as it is.
            settings: as for the layer, such as padding_idx.

        Raises:
            ShapeError: the table has not two axes.
        """
        table = np.asarray(raw(embeddings))
        if table.ndim != 2:
            raise ShapeError(f"{cls.__name__}.from_pretrained takes a table, not {table.shape}")
        made: Any = cls  # both kinds take _weight
        layer: Self = made(*table.shape, _weight=Parameter(table), **settings)
        layer.weight.requires_grad_(not freeze)
        return layer

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        sparse = ", sparse=True" if self.sparse else ""
        return f"{self.num_embeddings} x {self.embedding_dim}{padding}{sparse}"


class Embedding(_Table):
    """For each id, its row of a table.

    Args:
        num_embeddings: how many rows: the size of the vocabulary.
        embedding_dim: how many numbers each has.
        padding_idx: a row for "nothing here": starts at 0 and is not learned.
        sparse: keep gradients as the rows that were used (`RowSparse`): for large vocabularies.
        dtype: float32 or float64; by default the default type.

    Shapes:
        ids (...) -> (..., embedding_dim); weight (num_embeddings, embedding_dim).

    Raises:
        ArgumentError: sizes that are no counts, or a padding_idx that is no row.

    >>> import pellucid
    >>> from pellucid import nn
    >>> words = nn.Embedding(5, 3)
    >>> words(pellucid.tensor([[1, 2], [4, 4]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        sparse: bool = False,
        dtype: DTypeLike | None = None,
        _weight: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, sparse, _weight, dtype)

    def forward(self, ids: Tensor) -> Tensor:
        """The rows."""
        return ops.embedding(ids, self.weight, padding_idx=self.padding_idx, sparse=self.sparse)


class EmbeddingBag(_Table):
    """For each bag of ids, the sum, mean or largest numbers of their rows.

    Args:
        num_embeddings: how many rows: the size of the vocabulary.
        embedding_dim: how many numbers each has.
        mode: "sum", "mean" or "max".
        sparse: keep gradients as the rows that were used (`RowSparse`): for large vocabularies.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that does not count.
        dtype: float32 or float64; by default the default type.

    Shapes:
        ids (bags, n), or (n) with offsets (bags) -> (bags, embedding_dim).

    Raises:
        ArgumentError: sizes that are no counts, another mode, or a padding_idx that is no row.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: DTypeLike | None = None,
        _weight: Any = None,
    ) -> None:
        if mode not in ("sum", "mean", "max"):
            raise ArgumentError(f'EmbeddingBag: mode is "sum", "mean" or "max", not {mode!r}')
        super().__init__(num_embeddings, embedding_dim, padding_idx, sparse, _weight, dtype)
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(
        self, ids: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """One row for each bag."""
        return ops.embedding_bag(
            ids, self.weight, offsets, per_sample_weights, mode=self.mode, sparse=self.sparse,
            include_last_offset=self.include_last_offset, padding_idx=self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, the mode, and the settings that are not the usual ones."""
        return f"{super().extra_repr()}, mode={self.mode}"
