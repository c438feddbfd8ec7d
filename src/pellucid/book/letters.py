"""What the networks of chapter 14 share: a text as letters, learning it window by window, writing.

Such a network takes letters, (steps, streams) of their numbers, and the state it was left in, and
gives the states it went through and the one it ends in. `model.scores(states)` says what it expects
next. A letter here is any character: a blank and a line's end are letters as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor, no_grad
from pellucid.data import Vocabulary, Windows, datasets
from pellucid.nn import CrossEntropyLoss
from pellucid.nn.utils import clip_grad_norm_

from ..tour.wrapping import fold
from .experiment import Result
from .refusal import Refusal
from .result import Array

Compare = Callable[[Any, Tensor, Tensor], tuple[Tensor, float]]
State = tuple[Tensor, ...]

IMITATION = 99_993  # characters of the published text; a stand-in is cut to as many
WIDE, MOST_LINES = 74, 9  # of a sample that is shown
LINE_END = "\n"


@dataclass(frozen=True)
class Letters:
    """A text, and a number for each letter that occurs in it, in the order of Unicode."""

    name: str
    text: str
    known: Vocabulary
    numbers: Array

    def __len__(self) -> int:
        return len(self.known)


def read_letters(
    result: Result, file: str, *, imitation: bool = False, characters: int = 0
) -> Letters:
    """The reader's own text, or the one of the chapter, or what stands in for it.

    Args:
        result: where a stand-in is announced.
        file: a text file; "" for the chapter's text.
        imitation: the 100 KB text of the published runs in place of the plays.
        characters: read no more than so many; 0 for all.
    """
    if file:
        found = datasets.text(file)
    else:
        found = datasets.shakespeare(imitation, stand_in=True, quiet=True)
    text = found.text
    if found.stands_in:
        result.stand_in("Tiny Shakespeare", "what Python's help() says about the language")
        text = text[:IMITATION] if imitation else text
    text = text[: characters or None]
    known = Vocabulary(sorted(set(text)), specials=(), unknown=None)
    return Letters(found.name, text, known, known.encode(text))


@contextmanager
def single_precision() -> Iterator[None]:
    """Float32 for everything made inside: half the memory, twice the speed, seven digits."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float32)
    try:
        yield
    finally:
        pellucid.set_default_dtype(before)


# ------------------------------------------------------------------------------------------ learning


def all_letters(model: Any, states: Tensor, targets: Tensor) -> tuple[Tensor, float]:
    """The loss of every letter of a window: their mean is sent back, and printed."""
    loss = CrossEntropyLoss()(_rows(model.scores(states)), targets.reshape(-1))
    return loss, loss.item()


def _rows(scores: Tensor) -> Tensor:
    return scores.reshape(-1, scores.shape[-1])


class Learner:
    """A network that learns a text, window by window; everything it needs in order to go on.

    Args:
        model: called with letters and a state; see above.
        windows: the text.
        optimizer: changes the weights.
        compare: from model, states and targets to what is sent back and what is printed.
        decay: what the learning rate is multiplied by after each pass.
        schedule: or else sets the learning rate after each window.
        clip: shorten the gradients to this length where they are longer.
        after_pass: gives figures to remember after each pass, by name.
    """

    def __init__(
        self,
        model: Any,
        windows: Windows,
        optimizer: Any,
        compare: Compare = all_letters,
        *,
        decay: float = 1.0,
        schedule: Any = None,
        clip: float | None = None,
        after_pass: Callable[[], dict[str, float]] = dict,
    ) -> None:
        self.model, self.windows, self.optimizer, self.compare = model, windows, optimizer, compare
        self.decay, self.schedule, self.clip, self.after_pass = decay, schedule, clip, after_pass
        self.state: State = ()
        self.losses: list[float] = []  # of the windows of this pass
        self.seconds = 0.0  # that this pass has taken, in all sittings
        self.passes: list[dict[str, float]] = []

    def learn(self, result: Result, passes: int, name: str, tell: bool = False) -> None:
        """Go through the text so often; what an earlier sitting did is not done again."""
        turns = range(passes * len(self.windows))
        for n in result.track(turns, keep=self, name=name):
            self.one_window(n % len(self.windows), result if tell else None)

    def one_window(self, n: int, result: Result | None = None) -> None:
        """Read a window, from the state in which the one before it ended."""
        began = time.perf_counter()
        if n == 0:
            self.state = self.model.start(self.windows.streams)
            self.losses, self.seconds = [], 0.0
        letters, targets = (Tensor(part.T) for part in self.windows[n])
        states, end = self.model(letters, self.state)  # predict
        sent, printed = self.compare(self.model, states, targets)  # compare
        self.optimizer.zero_grad()
        sent.backward()  # learn: who is to blame, by how much
        if self.clip is not None:
            clip_grad_norm_(self.model.parameters(), self.clip)
        if result is not None and result.step(f"window {n}"):
            tell_window(result, self, letters, targets, states, printed)
        self.optimizer.step()  #        change the weights
        self.state = tuple(part.detach() for part in end)
        self.losses.append(printed)
        if self.schedule is not None:
            self.schedule.step()
        self.seconds += time.perf_counter() - began
        if len(self.losses) == len(self.windows):
            self._end_of_pass()

    def _end_of_pass(self) -> None:
        found = {"loss": float(np.mean(self.losses)), "seconds": self.seconds}
        self.passes.append({**found, **self.after_pass()})
        for group in self.optimizer.param_groups:
            group["lr"] *= self.decay

    @property
    def perplexities(self) -> list[float]:
        """Per pass: among how many equally likely letters it felt lost, on average."""
        with np.errstate(over="ignore"):
            return [float(np.exp(p["loss"])) for p in self.passes]

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how it goes on."""
        return {
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule is not None else None,
            "state": list(self.state),
            "losses": self.losses,
            "seconds": self.seconds,
            "passes": self.passes,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.model.load_state_dict(state_dict["model"])
        self.optimizer.load_state_dict(state_dict["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state_dict["schedule"])
        self.state = tuple(state_dict["state"])
        self.losses, self.passes = list(state_dict["losses"]), list(state_dict["passes"])
        self.seconds = state_dict["seconds"]


def tell_window(
    result: Result, learner: Learner, letters: Tensor, targets: Tensor, states: Tensor, loss: float
) -> None:
    """All values of one window, for its first stream."""
    with no_grad():
        scores = learner.model.scores(states).numpy()
    result.predict("letters", "numbers of the first stream's letters", letters.numpy()[:, 0])
    result.predict("states", "one row for each letter", states.numpy()[:, 0])
    result.predict("scores", "output(states)", scores[:, 0])
    result.compare("target", "the letters one place further on", targets.numpy()[:, 0])
    result.compare("loss", "-log of the share of the right letters", loss)
    for name, parameter in learner.model.named_parameters():
        result.learn(f"{name}.grad", "gradient of what is sent back", parameter.grad)


def unseen_loss(model: Any, windows: Windows) -> float:
    """The mean loss on a text that is only read: nats per letter."""
    mode, losses = model.training, []
    model.eval()
    with no_grad():
        state = model.start(windows.streams)
        for n in range(len(windows)):
            letters, targets = (Tensor(part.T) for part in windows[n])
            states, state = model(letters, state)
            losses.append(all_letters(model, states, targets)[1])
    model.train(mode)
    return float(np.mean(losses))


# ------------------------------------------------------------------------------------------- writing


def write(model: Any, letters: Letters, length: int, temperature: float, seed: int = 0) -> str:
    """Let a network write: it draws a letter from what it expects, reads it, and so on.

    Args:
        model: a network of this chapter.
        letters: which letters there are.
        length: how many to write.
        temperature: what the scores are divided by: small plays safe, 1 trusts the network's own
            shares, more is daring; 0 always takes the likeliest.
        seed: of what is drawn.

    Raises:
        Refusal: the temperature is below 0.
    """
    if temperature < 0:
        raise Refusal("temperature", temperature=temperature)
    random, written = np.random.RandomState(seed), []
    mode = model.training
    model.eval()
    with no_grad():
        state, number = model.start(1), letters.known.number.get(LINE_END, 0)
        for _ in range(length):
            states, state = model(Tensor(np.array([[number]])), state)
            scores = model.scores(states).numpy().ravel().astype(np.float64)
            number = drawn(scores, temperature, random)
            written.append(number)
    model.train(mode)
    return "".join(letters.known.decode(written))


def drawn(scores: Array, temperature: float, random: np.random.RandomState) -> int:
    """The number of a letter: likelier, the higher its score.

    >>> drawn(np.array([0.0, 2.0, 1.0]), 0.0, np.random.RandomState(0))
    1
    """
    if temperature == 0:
        return int(scores.argmax())
    shares = np.exp((scores - scores.max()) / temperature)
    return int((random.random_sample() * shares.sum() < np.cumsum(shares)).argmax())


def show_writing(
    result: Result,
    model: Any,
    letters: Letters,
    temperatures: Iterable[float],
    length: int = 320,
    title: str = "written with temperature {}",
) -> None:
    """Samples, as they are read in a terminal."""
    for temperature in temperatures:
        written = write(model, letters, length, temperature)
        result.sheet(title.format(f"{temperature:g}"), printable(written))


def printable(written: str) -> str:
    """A text in lines that are not too long, without signs that a terminal would obey."""
    signs = "".join(c if c.isprintable() or c == LINE_END else "." for c in written)
    lines = [line for line in fold(signs.strip(LINE_END), WIDE).split(LINE_END) if line]
    return LINE_END.join(f"  {line}" for line in lines[:MOST_LINES])
