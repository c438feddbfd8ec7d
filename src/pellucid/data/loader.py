"""DataLoader: a dataset in batches, shuffled anew each pass, that can go on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any

import numpy as np

from ..errors import ArgumentError, CheckpointError
from .dataset import Array, ArrayDataset, Indices, checked, dice, rows_of


class DataLoader:
    """Batches of a dataset, as tensors, in one process. Each `for` loop is one pass over the data.

    Rows of arrays are taken all at once, other items one by one. The order of a shuffled pass
    follows from one number: with `seed`, from the seed and the number of the pass; otherwise that
    number is drawn when the pass begins. So the state of a loader is three numbers, and a run that
    was stopped goes on with the same batches.

    Args:
        dataset: a Dataset, an array, a tuple of arrays, or anything with a length and numbered
            items.
        batch_size: how many items in a batch; None hands out the items as they are.
        shuffle: another random order in each pass.
        sampler: in place of `shuffle`, something that gives the item numbers of a pass.
        collate_fn: makes a batch from a list of items (`collate` by default). Its result is handed
            out as it is.
        drop_last: leave out the last batch when it is smaller than the others.
        generator: where the random numbers come from; by default Pellucid's own.
        seed: or a seed, so that the order depends on nothing else.
        wrap: what to make of each array. Tensors by default; `wrap=np.asarray` leaves arrays.

    Raises:
        ArgumentError: a batch size below 1, or settings that exclude each other.

    >>> import numpy as np
    >>> from pellucid.data import ArrayDataset, DataLoader
    >>> loader = DataLoader(ArrayDataset(np.arange(5)), batch_size=2, shuffle=True, seed=1)
    >>> len(loader)
    3
    >>> sorted(n for (batch,) in loader for n in batch.tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Any = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: np.random.Generator | None = None,
        seed: int | None = None,
        wrap: Callable[[Array], Any] | None = None,
    ) -> None:
        if batch_size is not None and not (_is_whole(batch_size) and batch_size >= 1):
            raise ArgumentError(
                f"batch_size is {batch_size!r}; it is a whole number, and a batch has at least one "
                "item"
            )
        if sampler is not None and shuffle:
            raise ArgumentError("give a sampler or shuffle=True, not both: each decides the order")
        if batch_size is None and drop_last:
            raise ArgumentError("without a batch_size there is no last batch to drop")
        if not hasattr(dataset, "__getitem__") or not isinstance(dataset, Sized):
            raise ArgumentError(
                "DataLoader needs a dataset with a length and numbered items, not "
                f"{type(dataset).__name__}"
            )
        self.dataset = _as_dataset(dataset)
        self.batch_size, self.shuffle, self.sampler = batch_size, shuffle, sampler
        self.collate_fn, self.drop_last = collate_fn, drop_last
        self.generator, self.seed, self.wrap = generator, seed, wrap
        self._pass = 0  # the pass being given, from 0
        self._position = 0  # how many of its batches were handed out
        self._order: int | None = None  # the number its order follows from
        self._goes_on = False  # whether the next loop goes on in the middle of a pass

    def __len__(self) -> int:
        """How many batches a pass has."""
        items = self._items()
        if self.batch_size is None:
            return items
        return items // self.batch_size if self.drop_last else -(-items // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._goes_on:
            self._goes_on = False
        else:
            self._pass += self._position > 0  # the last loop was left early
            self._position, self._order = 0, self._draw()
        order = self._item_numbers()
        for number in range(self._position, len(self)):
            self._position = number + 1
            yield self._batch(order, number)
        self._pass, self._position = self._pass + 1, 0

    # -------------------------------------------------------------------------- the order of a pass

    def _items(self) -> int:
        return len(self.dataset if self.sampler is None else self.sampler)

    def _draw(self) -> int | None:
        if not self.shuffle or self.seed is not None:
            return self.seed
        return int(dice(self.generator).integers(2**63))

    def _item_numbers(self) -> Array | None:
        """The items in the order of this pass; None stands for 0, 1, 2, ..."""
        if self.sampler is not None:
            return checked("the sampler", list(self.sampler), len(self.dataset))
        if not self.shuffle:
            return None
        roots: Any = self._order if self.seed is None else [self._order, self._pass]
        return np.random.Generator(np.random.SFC64(roots)).permutation(len(self.dataset))

    # -------------------------------------------------------------------------------------- a batch

    def _batch(self, order: Array | None, number: int) -> Any:
        if self.batch_size is None:
            return self._wrapped(self.dataset[number if order is None else int(order[number])])
        start, stop = number * self.batch_size, min((number + 1) * self.batch_size, self._items())
        indices: Indices = slice(start, stop) if order is None else order[start:stop]
        if self.collate_fn is None:
            return self._wrapped(rows_of(self.dataset, indices))
        chosen = range(start, stop) if order is None else indices.tolist()
        return self.collate_fn([self.dataset[i] for i in chosen])

    def _wrapped(self, batch: Any) -> Any:
        if isinstance(batch, tuple):
            parts = [self._wrapped(part) for part in batch]
            return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
        if isinstance(batch, list):
            return [self._wrapped(part) for part in batch]
        if isinstance(batch, Mapping):
            return {key: self._wrapped(part) for key, part in batch.items()}
        if not isinstance(batch, (np.ndarray, np.generic)) or batch.dtype.kind not in "fiub":
            return batch
        if self.wrap is not None:
            return self.wrap(batch)
        # Data knows only NumPy, and could be used without the rest. But whoever writes
        # `for inputs, targets in loader` goes on with inputs.view(...) or targets.float(), which
        # only tensors have; so the last step, and only it, looks up what a tensor is.
        from ..tensor import Tensor

        return Tensor(batch)

    # ------------------------------------------------------------------------ stopping and going on

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: which pass, how many of its batches were given, what order."""
        state: dict[str, Any] = {
            "pass": self._pass,
            "position": self._position,
            "order": self._order,
            "batch_size": self.batch_size,
            "items": self._items(),
            "shuffle": self.shuffle,
        }
        if self.generator is not None:
            state["generator"] = dict(self.generator.bit_generator.state)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where `state_dict` was taken; the next loop goes on with the batch after it.

        Raises:
            CheckpointError: in the middle of a pass, and this loader makes other batches; or it is
                the state of something else.
        """
        here = self.state_dict()
        missing = ", ".join(name for name in here if name not in (*state_dict, "generator"))
        if missing:
            raise CheckpointError(f"this is no state of a DataLoader: it lacks {missing}")
        for name in ("batch_size", "items", "shuffle"):
            if state_dict["position"] and state_dict[name] != here[name]:
                raise CheckpointError(
                    f"the data cannot go on in the middle of a pass: {name} was {state_dict[name]} "
                    f"and is {here[name]} now.\nUse the same data and settings, or begin anew"
                )
        self._pass, self._position = state_dict["pass"], state_dict["position"]
        self._order = state_dict["order"]
        self._goes_on = self._position > 0
        if self.generator is not None and "generator" in state_dict:
            self.generator.bit_generator.state = state_dict["generator"]


def _as_dataset(dataset: Any) -> Any:
    """A tuple of arrays is meant row by row."""
    if isinstance(dataset, tuple) and dataset and all(hasattr(part, "shape") for part in dataset):
        return ArrayDataset(*dataset)
    return dataset


def _is_whole(number: Any) -> bool:
    return hasattr(number, "__index__") and not isinstance(number, bool)
