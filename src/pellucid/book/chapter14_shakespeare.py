"""Chapter 14, in earnest: everything put right, on all of Tiny Shakespeare."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor, no_grad
from pellucid.data import Windows
from pellucid.optim import AdamW
from pellucid.schedules import CosineAnnealingLR, LinearWarmup

from .chapter14_gates import step_by_hand
from .chapter14_lstm import LetterLSTM
from .experiment import Result, experiment
from .letters import Learner, Letters, read_letters, show_writing, single_precision, unseen_loss
from .result import Array

KEPT_ASIDE = 0.1  # the end of the text, which is only read
WARM_UP = 50  # windows until the full learning rate
READERS = 32  # streams in which the end of the text is read


@experiment("14.12", long=True)
def shakespeare(
    result: Result,
    *,
    lr: float = 0.003,
    passes: int = 10,
    hidden: int = 512,
    size: int = 64,
    steps: int = 64,
    streams: int = 32,
    dropout: float = 0.4,
    clip: float = 1.0,
    temperature: float = 0.7,
    text: str = "",
    characters: int = 0,
    seed: int = 1,
) -> None:
    """An LSTM that really learns Shakespeare: all losses, Adam, clipping, dropout, a cosine.

    Args:
        lr: the learning rate of Adam; it warms up, and then falls to 0 along a cosine.
        passes: how often the text is read.
        hidden: how many numbers the state has, and the cell.
        size: how many numbers a letter has.
        steps: how many letters back the blame is followed.
        streams: how many places of the text are read at once.
        dropout: how likely a number of the state is left out before the scores.
        clip: the greatest length of a gradient.
        temperature: how daring it writes: 0.2 plays safe, 1 takes more risks.
        text: a text file of your own to learn from.
        characters: read only so many characters of the text (0 for all).
        seed: which random weights to start from.
    """
    known = read_letters(result, text, characters=characters)
    end = len(known.text) - int(len(known.text) * KEPT_ASIDE)
    windows = Windows(known.numbers[:end], streams, steps)
    readers = min(READERS, max((len(known.numbers) - end - 1) // steps, 1))
    unseen = Windows(known.numbers[end:], readers, steps)
    with single_precision():
        model = LetterLSTM(len(known), size, hidden, dropout)
        open_forget_gates(model)
        optimizer = AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.01)
        cosine = CosineAnnealingLR(optimizer, T_max=max(passes * len(windows) - WARM_UP, 1))
        learner = Learner(
            model, windows, optimizer, clip=clip,
            schedule=LinearWarmup(optimizer, WARM_UP, then=cosine),
            after_pass=lambda: {"unseen": unseen_loss(model, unseen)},
        )  # fmt: skip
        learner.learn(result, passes, "learning", tell=True)
        found = learner.passes
        result.number("loss on the text kept aside", found[-1]["unseen"])
        result.number("loss on the text learned from", found[-1]["loss"])
        minutes = np.cumsum([p["seconds"] for p in found]) / 60
        result.table(
            "after each pass",
            ("pass", "loss learning", "loss kept aside", "minutes"),
            [
                (n, f"{p['loss']:.4f}", f"{p['unseen']:.4f}", f"{m:.1f}")
                for n, (p, m) in enumerate(zip(found, minutes, strict=True), start=1)
            ],
        )
        result.plot(
            "loss per letter, in nats",
            {
                "learning, with dropout": (range(1, passes + 1), [p["loss"] for p in found]),
                "kept aside": (range(1, passes + 1), [p["unseen"] for p in found]),
            },
            x="pass",
            y="loss",
        )
        temperatures = dict.fromkeys([temperature, 0.3, 1.0])
        show_writing(result, model, known, temperatures, length=420)
        once, twice = forward_twice(model, known, end)
        result.agree("states on the text kept aside", once, twice, allowed=1e-4)


def open_forget_gates(model: LetterLSTM) -> None:
    """Start with forget gates open: remember first, learn to forget (Jozefowicz et al., 2015)."""
    quarter = model.lstm.hidden_size
    with no_grad():
        model.lstm.bias_ih_l0[quarter : 2 * quarter].fill_(1)


def forward_twice(
    model: LetterLSTM, known: Letters, begin: int, count: int = 100
) -> tuple[Array, Array]:
    """The states on some letters: by the fused layer, and in NumPy alone."""
    ids = known.numbers[begin : begin + count]
    with no_grad():
        states, _ = model(Tensor(ids[:, None]), model.start(1))
    weights = {name: w.numpy() for name, w in model.lstm.named_parameters()}
    state, cell = (part.numpy()[0] for part in model.start(1))
    by_hand = []
    for heard in model.letters.weight.numpy()[ids]:
        state, cell = step_by_hand(weights, heard[None], state, cell)
        by_hand.append(state[0])
    return states.numpy()[:, 0], np.array(by_hand)
