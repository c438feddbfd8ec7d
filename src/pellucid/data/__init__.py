"""Data: numbered items, batches of them, text as numbers, and real datasets. Knows only NumPy."""

from . import datasets, sources
from .dataset import (
    ArrayDataset,
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    collate,
    random_split,
)
from .loader import DataLoader
from .text import PADDING, UNKNOWN, Vocabulary, Windows, pad, tokenize

__all__ = [
    "PADDING",
    "UNKNOWN",
    "ArrayDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Subset",
    "TensorDataset",
    "Vocabulary",
    "Windows",
    "collate",
    "datasets",
    "default_collate",
    "pad",
    "random_split",
    "sources",
    "tokenize",
]


default_collate = collate

__all__ = [
    "PADDING", "UNKNOWN", "ArrayDataset", "ConcatDataset", "DataLoader", "Dataset", "Subset",
    "TensorDataset", "Vocabulary", "Windows", "collate", "datasets", "default_collate", "pad",
    "random_split", "sources", "tokenize",
]  # fmt: skip
