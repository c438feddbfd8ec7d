"""A run for the tests to kill: dropout, Adam, a schedule, shuffling, early stopping.

    python longrun.py CHECKPOINT [slow]

With `slow` it takes its time, and waits before the end until somebody stops it.

Prints a fingerprint of the final weights, of what the optimiser remembers, and of the history.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from typing import Any

import numpy as np

import pellucid
from pellucid import nn, optim, schedules
from pellucid.data import ArrayDataset, DataLoader
from pellucid.train import Callback, Checkpoint, EarlyStopping, History, LearningRate, fit


class Slow(Callback):
    """Time for somebody to come and kill us."""

    def on_step(self, run: Any) -> None:
        time.sleep(0.01)
        until = time.monotonic() + 60
        while run.step == 40 and not run.stopped and time.monotonic() < until:
            time.sleep(0.002)


def long_run(path: str, slow: bool) -> tuple[History, str]:
    """Train, and return the history and the fingerprint."""
    pellucid.manual_seed(1)
    numbers = np.random.default_rng(0)
    inputs = numbers.normal(size=(96, 6)).astype(np.float32)
    targets = np.tanh(inputs[:, :2] * inputs[:, 2:4])
    model = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Dropout(0.3), nn.Linear(32, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    schedule = LearningRate(schedules.CosineAnnealingLR(optimizer, T_max=48), every="step")
    history = fit(
        model,
        DataLoader(ArrayDataset(inputs[:64], targets[:64]), batch_size=8, shuffle=True),
        lambda prediction, wanted: ((prediction - wanted) ** 2).mean(),
        optimizer,
        epochs=6,
        validation=DataLoader(ArrayDataset(inputs[64:], targets[64:]), batch_size=16, shuffle=True),
        schedule=schedule,
        clip=0.5,
        callbacks=[EarlyStopping(patience=50), *([Slow()] if slow else [])],
        checkpoint=Checkpoint(path, every_steps=3),
        progress=False,
    )
    return history, fingerprint(model, optimizer, history)


def fingerprint(model: Any, optimizer: Any, history: History) -> str:
    """All bits that matter."""
    bits = hashlib.sha256()
    for tensor in model.state_dict().values():
        bits.update(tensor.data.tobytes())
    for remembered in optimizer.state_dict()["state"].values():
        for value in remembered.values():
            bits.update(np.asarray(value).tobytes())
    bits.update(pellucid.random.generator().random(4).tobytes())
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history]
    bits.update(json.dumps(rows).encode())
    return bits.hexdigest()


if __name__ == "__main__":
    done, bits = long_run(sys.argv[1], "slow" in sys.argv)
    print(json.dumps({"stopped": done.stopped, "resumed_at": done.resumed_at, "bits": bits}))
