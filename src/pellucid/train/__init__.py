"""Training: fit a network to data, and the callbacks that watch it."""

from .callbacks import Callback, Checkpoint, EarlyStopping, LearningRate
from .history import History
from .loop import evaluate, fit
from .metrics import accuracy
from .progress import Progress
from .run import Run

__all__ = [
    "Callback", "Checkpoint", "EarlyStopping", "History", "LearningRate", "Progress", "Run",
    "accuracy", "evaluate", "fit",
]  # fmt: skip
