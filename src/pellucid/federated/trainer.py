"""A party that trains: its data, a model of its own to work with, and the one thing it answers.

It is asked `{"do": "train", "weights": ..., "lr": ..., ...}`, goes on from these weights on its own
data, and says how far each weight has moved (`summing.py` tells in which form). Its data stay here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..data import DataLoader
from ..errors import MessageError
from ..nn.module import Module
from ..optim import SGD
from ..random import get_rng_state, manual_seed, set_rng_state
from ..sparse import RowSparse
from ..tensor import Tensor
from .engine import State
from .messages import Message
from .summing import Shapes

Array = Any
Loss = Callable[[Any, Any], Any]
MakeOptimizer = Callable[..., Any]

SETTINGS: dict[str, type] = {
    "round": int, "lr": float, "passes": int, "batch_size": int, "shuffle": bool, "mu": float,
    "seed": int,
}  # fmt: skip


class Trainer:
    """A party that trains a model on its own data.

    Args:
        model: of the same kind as the coordinator's. It is used as a workbench: the weights come
            with each message. In one process all parties can share one.
        dataset: pairs of inputs and targets, whatever a `DataLoader` takes.
        loss: compares prediction and targets; its mean or its sum over the batch.
        optimizer: made anew each round, `optimizer(parameters, lr=lr)`.
        seed: a number of this party's own, so that not all shuffle alike.

    FedAvg: McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
    Data", 2017. With mu above 0 the party is held back, the more the further it has gone: mu / 2
    times the squared distance from where it began is added to the loss (FedProx: Li et al.,
    "Federated Optimization in Heterogeneous Networks", 2020).
    """

    def __init__(
        self,
        model: Module,
        dataset: Any,
        loss: Loss,
        *,
        optimizer: MakeOptimizer = SGD,
        seed: int = 0,
    ) -> None:
        self.model, self.dataset, self.loss = model, dataset, loss
        self.optimizer, self.seed = optimizer, seed

    def __call__(self, state: State, message: Message) -> tuple[Message, State]:
        """Answer a message.

        Raises:
            MessageError: it asks for something else than training, or not completely.
            CheckpointError: the weights are not those of this model.
        """
        if message.get("do") != "train":
            raise MessageError(f"a Trainer is asked to train, not to {message.get('do')!r}")
        how, weights = settings_of(message), message.get("weights")
        if not isinstance(weights, Mapping):
            raise MessageError("to train, a party needs to know the weights: arrays by name")
        self.model.load_state_dict(weights)
        before = get_rng_state()
        manual_seed(_one_number(how["seed"], how["round"], self.seed))
        try:
            examples, loss = self._train(how)
        finally:
            set_rng_state(before)
        return {"sum": self._contribution(weights, examples, loss)}, state

    def _train(self, how: Mapping[str, Any]) -> tuple[int, float]:
        """Go through the data as often as asked; how many examples, and their summed loss."""
        self.model.train()
        count = len(self.dataset)
        loader = DataLoader(self.dataset, how["batch_size"], shuffle=how["shuffle"])
        optimizer = self.optimizer(self.model.parameters(), lr=how["lr"])
        start = {name: p.data.copy() for name, p in self.model.named_parameters()}
        seen, summed = 0, 0.0
        for _ in range(how["passes"] if count else 0):
            for inputs, targets in loader:
                prediction = self.model(inputs)  # predict
                error = self.loss(prediction, targets)  # compare
                optimizer.zero_grad()
                error.backward()  # learn
                hold_back(self.model.named_parameters(), start, how["mu"])
                optimizer.step()
                size = len(targets)
                seen += size
                summed += error.item() * size
        return count, count * summed / seen if seen else 0.0

    def _contribution(
        self, weights: Mapping[str, Array], examples: int, loss: float
    ) -> dict[str, Array]:
        moved = {
            f"update.{name}": examples * (tensor.numpy() - weights[name])
            for name, tensor in learned(self.model).items()
        }
        return {"examples": np.array(float(examples)), "loss": np.array(loss), **moved}


def settings_of(message: Message) -> dict[str, Any]:
    """How to train, as the message says.

    Raises:
        MessageError: something is not said, or makes no sense.
    """
    how = {}
    for name, kind in SETTINGS.items():
        value: Any = message.get(name)
        kinds = (int, float) if kind is float else (kind,)
        most = np.inf if kind is float else 2**63
        if type(value) not in kinds or not 0 <= value < most:
            raise MessageError(
                f"to train, a party needs to know {name}: {kind.__name__}, 0 or more; "
                f"this message has {value!r}"
            )
        how[name] = value
    return how


def hold_back(
    parameters: Iterable[tuple[str, Tensor]], start: Mapping[str, Array], mu: float
) -> None:
    """Add the slope of mu / 2 * |weight - start|² to the gradients (FedProx)."""
    if not mu:
        return
    for name, p in parameters:
        pull = mu * (p.data - start[name])
        gradient: Any = p._grad
        if gradient is None:
            p._grad = Tensor(pull)
        elif isinstance(gradient, RowSparse):
            p._grad = Tensor(gradient.to_dense() + pull)
        else:
            p._grad = Tensor(gradient.numpy() + pull)


def learned(model: Module) -> dict[str, Tensor]:
    """Of the state of a model what can be averaged: everything with fractions, also buffers."""
    return {name: t for name, t in model.state_dict().items() if t.dtype.kind == "f"}


def shapes_of(model: Module) -> Shapes:
    """What a contribution to training this model holds."""
    updates = {f"update.{name}": tuple(t.shape) for name, t in learned(model).items()}
    return {"examples": (), "loss": (), **updates}


def _one_number(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
