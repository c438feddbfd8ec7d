"""Losses as modules, under a short address: `losses.MSELoss` is `nn.MSELoss`.

| what is predicted            | loss                                      | what comes before it |
|------------------------------|-------------------------------------------|----------------------|
| numbers                      | MSELoss, L1Loss, HuberLoss, SmoothL1Loss  | nothing              |
| one of several classes       | CrossEntropyLoss (or NLLLoss)             | nothing (LogSoftmax) |
| yes or no                    | BCEWithLogitsLoss (or BCELoss)            | nothing (Sigmoid)    |
| a distribution               | CrossEntropyLoss, KLDivLoss               | nothing, LogSoftmax  |
| a side, 1 or -1              | HingeLoss, SoftMarginLoss                 | nothing              |
| a word out of very many      | NegativeSamplingLoss                      | nothing              |
"""

from .nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeEmbeddingLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    Loss,
    MarginRankingLoss,
    MSELoss,
    MultiMarginLoss,
    NegativeSamplingLoss,
    NLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
)

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NegativeSamplingLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
]
