"""Small parties to train with: straight lines through a few points each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.data import ArrayDataset
from pellucid.federated import Trainer

SIZES = {"anna": 3, "ben": 8, "cleo": 17}


@pytest.fixture
def line() -> nn.Linear:
    """A model with weights that are the same each time, in float64."""
    pellucid.manual_seed(3)
    return nn.Linear(4, 2).double()


@pytest.fixture
def points() -> Mapping[str, ArrayDataset]:
    """What each party has."""
    dice = np.random.Generator(np.random.SFC64(5))
    return {
        name: ArrayDataset(dice.normal(size=(n, 4)), dice.normal(size=(n, 2)))
        for name, n in SIZES.items()
    }


@pytest.fixture
def trainers(line: nn.Linear, points: Mapping[str, Any]) -> dict[str, Trainer]:
    """The three parties, sharing the coordinator's model as their workbench."""
    return {
        name: Trainer(line, data, nn.MSELoss(), seed=i)
        for i, (name, data) in enumerate(points.items())
    }
