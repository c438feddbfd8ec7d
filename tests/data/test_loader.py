"""DataLoader: every item once, in a reproducible order, and going on where it stopped."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import Tensor
from pellucid.data import ArrayDataset, DataLoader, Subset
from pellucid.errors import ArgumentError, CheckpointError, RangeError


def numbers(batches: Any) -> list[list[int]]:
    return [batch.tolist() for (batch,) in batches]


def loader(count: int = 10, batch_size: int = 3, **settings: Any) -> DataLoader:
    return DataLoader(ArrayDataset(np.arange(count)), batch_size, **settings)


def test_batches_in_order() -> None:
    assert numbers(loader()) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert numbers(loader(drop_last=True)) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert (len(loader()), len(loader(drop_last=True)), len(loader(count=0))) == (4, 3, 0)


def test_batches_are_tensors_of_the_data_s_types() -> None:
    data = ArrayDataset(np.ones((4, 2), np.float32), np.zeros(4, np.int64), np.zeros(4, np.uint8))
    inputs, labels, flags = next(iter(DataLoader(data, batch_size=2)))
    assert isinstance(inputs, Tensor)
    assert (inputs.dtype, labels.dtype, flags.dtype) == (np.float32, np.int64, np.uint8)
    assert inputs.shape == (2, 2)
    (as_array, *_) = next(iter(DataLoader(data, batch_size=2, wrap=np.asarray)))
    assert type(as_array) is np.ndarray


def test_a_changed_batch_leaves_the_data_alone() -> None:
    data = ArrayDataset(np.zeros(4))
    for (batch,) in DataLoader(data, batch_size=2):
        batch += 1
    assert not data.arrays[0].any()


def test_other_kinds_of_data() -> None:
    assert [b.tolist() for b in DataLoader(np.arange(3), batch_size=2)] == [[0, 1], [2]]
    assert [b.tolist() for b in DataLoader([5, 6, 7], batch_size=2)] == [[5, 6], [7]]
    ((a, b),) = DataLoader((np.arange(2), np.arange(2, 4)), batch_size=2)
    assert (a.tolist(), b.tolist()) == ([0, 1], [2, 3])
    (named,) = DataLoader([{"x": 1.0, "word": "a"}, {"x": 2.0, "word": "b"}], batch_size=2)
    assert named["x"].tolist() == [1, 2]
    assert named["word"] == ["a", "b"]


def test_fast_and_slow_way_agree() -> None:
    arrays = ArrayDataset(np.random.default_rng(1).random((20, 3)), np.arange(20))
    part = Subset(arrays, np.arange(19, 0, -2))

    class OneByOne:
        def __len__(self) -> int:
            return len(part)

        def __getitem__(self, index: int) -> Any:
            return part[index]

    for settings in ({}, {"shuffle": True, "seed": 4}):
        fast = list(DataLoader(part, 4, **settings))  # type: ignore[arg-type]
        slow = list(DataLoader(OneByOne(), 4, **settings))  # type: ignore[arg-type]
        assert [[t.tolist() for t in batch] for batch in fast] == [
            [t.tolist() for t in batch] for batch in slow
        ]


def test_without_a_batch_size_items_come_as_they_are() -> None:
    items = list(DataLoader([(np.ones(2), 1), (np.ones(3), 2)], batch_size=None))
    assert isinstance(items[1][0], Tensor)
    assert items[1][0].shape == (3,)
    assert items[1][1] == 2


def test_collate_fn_has_the_last_word() -> None:
    made = list(DataLoader(["a", "bb", "c"], batch_size=2, collate_fn="+".join))
    assert made == ["a+bb", "c"]


def test_sampler_decides_the_order() -> None:
    assert numbers(loader(sampler=[4, 2, 0])) == [[4, 2, 0]]
    assert numbers(loader(batch_size=2, sampler=[4, 2, 0])) == [[4, 2], [0]]


def test_samplers_that_name_no_items() -> None:
    with pytest.raises(
        RangeError, match=r"sampler: number 10 is asked for, at place 1, .* 10 items"
    ):
        list(loader(sampler=[4, 10]))
    with pytest.raises(ArgumentError, match="the sampler takes the numbers of items"):
        list(loader(sampler=[0.5, 1.5]))


def test_a_state_of_something_else() -> None:
    with pytest.raises(CheckpointError, match="no state of a DataLoader: it lacks pass, position"):
        loader().load_state_dict({})
    with pytest.raises(CheckpointError, match="it lacks order"):
        loader().load_state_dict({k: v for k, v in loader().state_dict().items() if k != "order"})


@pytest.mark.parametrize("how", ["middle", "end"])
def test_dropping_the_last_goes_on_like_the_rest(how: str) -> None:
    def fresh() -> DataLoader:
        return loader(11, 3, shuffle=True, drop_last=True, seed=6)

    reference = fresh()
    expected = [numbers(reference), numbers(reference)]
    assert [len(one) for one in expected] == [3, 3]
    old, new = fresh(), fresh()
    taken = zip(range(2), old, strict=False) if how == "middle" else enumerate(old)
    given = [batch.tolist() for _, (batch,) in taken]
    new.load_state_dict(old.state_dict())
    rest = [*given, *numbers(new)] if how == "middle" else numbers(new)
    assert rest == expected[how == "end"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": 0}, "at least one item"),
        ({"batch_size": -1}, "at least one item"),
        ({"batch_size": 2.5}, "batch_size is 2.5; it is a whole number"),
        ({"batch_size": "3"}, "batch_size is '3'"),
        ({"batch_size": True}, "batch_size is True"),
        ({"sampler": [1], "shuffle": True}, "not both"),
        ({"batch_size": None, "drop_last": True}, "no last batch"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        DataLoader(np.arange(3), **settings)


def test_a_generator_is_no_dataset() -> None:
    with pytest.raises(ArgumentError, match="not generator"):
        DataLoader(i for i in range(3))


# -------------------------------------------------------------------------------------- the order


def test_each_pass_has_another_order_and_every_item() -> None:
    shuffled = loader(50, 7, shuffle=True, seed=1)
    passes = [numbers(shuffled) for _ in range(3)]
    assert passes[0] != passes[1] != passes[2]
    for one in passes:
        assert sorted(n for batch in one for n in batch) == list(range(50))


def test_the_seed_decides_the_order() -> None:
    def two_passes(seed: int) -> list[Any]:
        again = loader(50, 7, shuffle=True, seed=seed)
        return [numbers(again), numbers(again)]

    assert two_passes(1) == two_passes(1) != two_passes(2)


def test_without_a_seed_pellucid_s_own_decides() -> None:
    shuffled = loader(50, 7, shuffle=True)
    pellucid.manual_seed(1)
    first = numbers(shuffled)
    assert numbers(shuffled) != first
    pellucid.manual_seed(1)
    assert numbers(shuffled) == first


def test_a_generator_decides_where_one_is_given() -> None:
    def one_pass() -> Any:
        return numbers(loader(50, 7, shuffle=True, generator=np.random.default_rng(3)))

    pellucid.manual_seed(1)
    before = pellucid.get_rng_state()["state"]["state"].tolist()
    assert one_pass() == one_pass()
    assert pellucid.get_rng_state()["state"]["state"].tolist() == before


def test_a_pass_that_was_left_early_is_over() -> None:
    shuffled = loader(50, 7, shuffle=True, seed=1)
    reference = loader(50, 7, shuffle=True, seed=1)
    for _ in shuffled:
        break
    numbers(reference)
    assert numbers(shuffled) == numbers(reference)


# ----------------------------------------------------------------------------- stopping, going on


@given(
    count=st.integers(1, 30),
    batch_size=st.integers(1, 8),
    taken=st.integers(0, 60),
    how=st.sampled_from(["plain", "seed", "shared", "generator"]),
)
def test_a_new_loader_goes_on_where_the_old_one_stopped(
    count: int, batch_size: int, taken: int, how: str
) -> None:
    settings: dict[str, Any] = {
        "plain": {},
        "seed": {"shuffle": True, "seed": 3},
        "shared": {"shuffle": True},
        "generator": {"shuffle": True, "generator": np.random.default_rng(2)},
    }[how]

    def endless(batches: DataLoader) -> Any:
        while True:
            for (batch,) in batches:
                yield batch.tolist()

    pellucid.manual_seed(7)
    old = loader(count, batch_size, **settings)
    stream = endless(old)
    for _ in range(taken):
        next(stream)
    state, random = old.state_dict(), pellucid.get_rng_state()
    expected = [next(stream) for _ in range(12)]

    pellucid.manual_seed(99)
    new = loader(count, batch_size, **settings)
    new.load_state_dict(state)
    pellucid.set_rng_state(random)
    stream = endless(new)
    assert [next(stream) for _ in range(12)] == expected


def test_the_state_of_a_seeded_loader_is_json() -> None:
    shuffled = loader(shuffle=True, seed=1)
    next(iter(shuffled))
    state = shuffled.state_dict()
    assert json.loads(json.dumps(state)) == state


def test_other_batches_cannot_go_on_in_the_middle() -> None:
    old = loader(10, 3)
    next(iter(old))
    for other, name in (
        (loader(10, 4), "batch_size was 3 and is 4"),
        (loader(9, 3), "items was 10"),
    ):
        with pytest.raises(CheckpointError, match=name):
            other.load_state_dict(old.state_dict())
    with pytest.raises(CheckpointError, match="shuffle was False and is True"):
        loader(10, 3, shuffle=True).load_state_dict(old.state_dict())


def test_between_passes_the_batch_size_may_change() -> None:
    old = loader(10, 3)
    numbers(old)
    other = loader(10, 5)
    other.load_state_dict(old.state_dict())
    assert numbers(other) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
