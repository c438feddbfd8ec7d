"""Numbered items: rows of arrays, parts, several joined, random parts, and batches out of items."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

import pellucid
from pellucid.data import (
    ArrayDataset,
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    collate,
    random_split,
)
from pellucid.errors import ArgumentError, RangeError, ShapeError


class Squares(Dataset):
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[int, int]:
        return index, index**2


def test_array_dataset_gives_rows() -> None:
    images, labels = np.arange(12.0).reshape(4, 3), np.arange(4)
    data = ArrayDataset(images, labels)
    image, label = data[2]
    assert len(data) == 4
    assert image.tolist() == [6, 7, 8]
    assert label == 2
    assert TensorDataset is ArrayDataset


def test_rows_are_copies() -> None:
    data = ArrayDataset(np.zeros((4, 2)))
    for indices in (slice(0, 2), np.array([0, 1])):
        (batch,) = data.rows(indices)
        batch += 1
    assert not data.arrays[0].any()


def test_array_dataset_takes_tensors() -> None:
    data = ArrayDataset(pellucid.Tensor([[1.0], [2.0]]), pellucid.Tensor([0, 1]))
    assert isinstance(data.arrays[0], np.ndarray)
    assert data[1][1] == 1


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 2\), \(4,\) differ in length"):
        ArrayDataset(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(ShapeError, match="single number"):
        ArrayDataset(3.0)
    with pytest.raises(ArgumentError, match="at least one"):
        ArrayDataset()


def test_subset_and_subset_of_subset() -> None:
    part = Subset(Squares(10), [7, 3, 1])
    again = Subset(part, [2, 0])
    assert part[0] == (7, 49)
    assert [again[i] for i in range(len(again))] == [(1, 1), (7, 49)]
    numbers, squares = again.rows(slice(0, 2))
    assert numbers.tolist() == [1, 7]
    assert squares.tolist() == [1, 49]


def test_concat() -> None:
    joined = ConcatDataset([Squares(2), Squares(3)])
    assert [joined[i][0] for i in range(len(joined))] == [0, 1, 0, 1, 2]
    assert joined[-1] == (2, 4)
    with pytest.raises(IndexError):
        joined[5]
    with pytest.raises(IndexError):
        joined[-6]


@pytest.mark.parametrize(
    ("lengths", "sizes"), [([7, 3], [7, 3]), ([0.75, 0.25], [8, 2]), ([10], [10]), ([1.0], [10])]
)
def test_random_split_deals_everything_out_once(lengths: list[float], sizes: list[int]) -> None:
    parts = random_split(Squares(10), lengths, seed=3)
    assert [len(p) for p in parts] == sizes
    assert sorted(i for p in parts for i in p.indices.tolist()) == list(range(10))


def test_random_split_follows_the_seed() -> None:
    def order(**settings: object) -> list[int]:
        return random_split(range(50), [50], **settings)[0].indices.tolist()  # type: ignore[arg-type]

    assert order(seed=1) == order(seed=1) != order(seed=2)
    pellucid.manual_seed(5)
    first = order()
    assert order() != first
    pellucid.manual_seed(5)
    assert order() == first
    assert order(generator=np.random.default_rng(1)) == order(generator=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 6], "sum to 11, but the dataset has 10"),
        ([0.5, 0.3], "sum to 0.8, not to 1"),
        ([11, -1], "parts"),
    ],
)
def test_random_split_refuses_what_does_not_add_up(lengths: list[float], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        random_split(Squares(10), lengths)


def test_collate_goes_into_every_kind_of_item() -> None:
    pair = namedtuple("pair", "a b")
    batch = collate(
        [
            {"x": np.ones(2), "name": "one", "pair": pair(1, 2.0), "t": pellucid.Tensor([1.0])},
            {"x": np.zeros(2), "name": "two", "pair": pair(3, 4.0), "t": pellucid.Tensor([2.0])},
        ]
    )
    assert batch["x"].tolist() == [[1, 1], [0, 0]]
    assert batch["name"] == ["one", "two"]
    assert type(batch["pair"]) is pair
    assert batch["pair"].b.tolist() == [2, 4]
    assert batch["t"].tolist() == [[1], [2]]


def test_collate_names_the_odd_item() -> None:
    with pytest.raises(ShapeError, match=r"item 0 is \(2,\) and item 2 is \(3,\)"):
        collate([np.zeros(2), np.zeros(2), np.zeros(3)])
    with pytest.raises(ShapeError, match=r"\[2, 3\] parts"):
        collate([(1, 2), (1, 2, 3)])


def test_a_dataset_without_methods_says_what_it_lacks() -> None:
    with pytest.raises(ArgumentError, match="__len__"):
        len(Dataset())
    with pytest.raises(ArgumentError, match="__getitem__"):
        Dataset()[0]


def test_a_subset_by_true_and_false() -> None:
    labels = np.array([3, 1, 3, 2])
    threes = Subset(ArrayDataset(np.arange(4), labels), labels == 3)
    assert len(threes) == 2
    assert [int(item) for item, _ in threes] == [0, 2]  # type: ignore[attr-defined]
    assert len(Subset(Squares(3), [])) == 0
    assert Subset(Squares(3), [-1])[0] == (2, 4)


def test_a_subset_of_items_that_are_not_there() -> None:
    with pytest.raises(RangeError, match=r"Subset: number 5 is asked for, at place 1, .* 3 items"):
        Subset(Squares(3), [0, 5])
    with pytest.raises(RangeError, match="number -4"):
        Subset(Squares(3), [-4])
    for wrong in ([0.5, 1.0], [[0, 1]], ["a"], [True, False]):
        with pytest.raises(ArgumentError, match="Subset takes the numbers of items"):
            Subset(Squares(3), wrong)  # type: ignore[arg-type]


def test_items_that_are_not_alike() -> None:
    with pytest.raises(ShapeError, match=r"item 0 has \['a'\] and item 1 has \['b'\]"):
        collate([{"a": 1}, {"b": 2}])
    with pytest.raises(ShapeError, match=r"item 0 has \['a'\] and item 1 is of type int"):
        collate([{"a": 1}, 2])
    with pytest.raises(ShapeError, match="item 0 has 2 parts and item 1 is of type int"):
        collate([(1, 2), 3])
    with pytest.raises(ArgumentError, match="no items"):
        collate([])
    with pytest.raises(ShapeError, match=r"rows that differ in length.\nBring them"):
        ArrayDataset([[1, 2], [3]])
