"""What an experiment of the book is, and how one is written.

An experiment is one function. It sets up, goes round the loop of predict, compare, learn, and
writes what it finds into the `Result` it is handed:

    @experiment(
        "4.24", to="4.25",
        figures=[Figure("last error", "1.485e-10", how="20 steps, alpha 0.1")],
    )
    def alpha(result: Result, *, lr: float = 0.1, steps: int = 20) -> None:
        '''A small step in place of a wild one.

        Args:
            lr: how much of each correction is made (the book's alpha).
            steps: how often to predict, compare and learn.
        '''
        weight = Tensor(0.5, requires_grad=True)
        optimizer = SGD([weight], lr=lr)
        errors = []
        for n in result.track(range(steps)):
            prediction = 2.0 * weight                  # predict
            error = (prediction - 0.8) ** 2            # compare
            optimizer.zero_grad()
            (error / 2).backward()                     # learn
            if result.step(f"step {n + 1}"):
                result.predict("prediction", "input * weight", prediction)
                ...
            optimizer.step()
            errors.append(error.item())
        result.number("last error", errors[-1])        # compared with the figure of that name
        result.plot("error at each step", {"error": errors}, x="step", y="error", log=True)

- **Parameters** are the keyword-only arguments: name, type, default and the help in the docstring
  become `pellucid run 4.24 --lr 0.3`. Their defaults are the published settings.
- **Figures** are published numbers, declared beside the function and never used inside it: the
  function says what it found (`result.number`), and `compare` sets the two side by side. A figure
  written as a number must be met within 1e-6 of its size; one written as text, as it was printed
  (`"1.485e-10"`), must be met to its last digit. With other settings than the published ones, or
  with stand-in data (`result.stand_in`), nothing is compared.
- **By hand too**: where the chapter works by hand, write the few lines of NumPy as a function of
  their own, and let `result.agree("weights", ours, theirs)` hold the two together.
- **Numbers are float64** while an experiment runs (the published runs are), and `seed`, if it is
  a parameter, has been given to `pellucid.manual_seed`.
- **Interrupted runs go on** where the long loop says what its turns change:

      for n in result.track(range(passes), keep=run, name="corrected"):
          run.one_pass()

  `run` has `state_dict` and `load_state_dict`, with everything in it that a turn changes, curves
  included; what the experiment reports comes after the loop, out of `run`. From the command line
  it is then kept on the disk now and then, and the same command goes on after Ctrl-C or worse,
  with the same bits; called from Python nothing is written.
- **Texts** stand in `texts/<language>/chapterNN.toml`, one table per experiment: title, shows,
  look, next; sentences for `result.say` under `[says."4.24"]`; names, headings and labels under
  `[words]`.
- **Mistakes of the published run** are told in `errata`, beside title and shows: a paragraph about
  what the mistake is and does. The number "loss" (or "loss, as published") of that run has its true
  counterpart in "loss, corrected"; `pellucid errata` sets the two side by side.

A file `chapterNN.py` in this package is found by itself; nothing has to be registered elsewhere.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

import pellucid

from ..errors import ArgumentError
from .keeping import Keeper
from .refusal import Refusal
from .result import Progress, Result

__all__ = ["Comparison", "Experiment", "Figure", "Parameter", "Result", "experiment"]

RELATIVE = 1e-6  # how closely an exactly known figure must be met
LARGEST_SEED = 2**32 - 1  # of NumPy's RandomState, which the published runs draw from


@dataclass(frozen=True)
class Figure:
    """A published figure: a fact to be reached by computing.

    Args:
        name: the name under which the experiment gives its own (`result.number`).
        published: a number or nested lists of numbers, met within 1e-6 of their size; text as it
            was printed ("0.7073", or a list of such), met to its last digit; or words, met
            literally.
        how: the run it belongs to, in a few words.
        within: another distance that still counts as met, for figures given as "about".
        at_least: the published number is a lower bound.
    """

    name: str
    published: Any
    how: str = ""
    within: float | None = None
    at_least: bool = False

    def met_by(self, ours: Any) -> bool:
        """Whether our number is the published one."""
        if isinstance(self.published, (list, tuple)):
            if isinstance(ours, np.ndarray):
                ours = ours.tolist()
            return (
                isinstance(ours, (list, tuple))
                and len(ours) == len(self.published)
                and all(
                    Figure(self.name, p, within=self.within, at_least=self.at_least).met_by(o)
                    for p, o in zip(self.published, ours, strict=True)
                )
            )
        printed = as_printed(self.published)
        if printed is None or not isinstance(ours, (int, float)):
            return bool(self.published == ours)
        value, half_a_digit = printed
        if self.at_least:
            return bool(ours >= value)
        allowed = half_a_digit if self.within is None else self.within
        return bool(abs(ours - value) <= allowed * (1 + 1e-9) + 2 * math.ulp(value))


def as_printed(published: Any) -> tuple[float, float] | None:
    """A published number and how far ours may lie from it; None for words.

    >>> as_printed("0.7073")
    (0.7073, 5e-05)
    >>> as_printed(0.98) == (0.98, 0.98e-6)
    True
    """
    if isinstance(published, bool):
        return None
    if isinstance(published, (int, float)):
        return float(published), abs(published) * RELATIVE
    match = re.fullmatch(r"-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?", str(published))
    if match is None:
        return None
    decimals, power = match.groups()
    last_digit = int(power or 0) - len(decimals or "")
    return float(published), float(f"5e{last_digit - 1}")


@dataclass(frozen=True)
class Comparison:
    """A published figure beside ours. `met` is None where nothing can be compared."""

    figure: Figure
    ours: Any
    met: bool | None


@dataclass(frozen=True)
class Parameter:
    """A setting of an experiment: what the reader may turn.

    A whole number counts something and is at least 1; a seed, or what is 0 by default, at least 0.
    """

    name: str
    type: type
    default: Any
    help: str

    def accept(self, value: Any, span: str) -> Any:
        """The value as this setting takes it.

        Args:
            value: what was given.
            span: what the experiment is called.

        Raises:
            Refusal: it is of the wrong kind, not finite, or out of range.
        """
        mine: dict[str, Any] = {"name": self.name, "span": span}
        kind = {int: "whole number", float: "any number"}.get(self.type, "kind")
        try:
            accepted = self.type(value)
        except (TypeError, ValueError, OverflowError):
            raise Refusal(kind, **mine, kind=self.type.__name__, value=repr(value)) from None
        if self.type is float and not math.isfinite(accepted):
            raise Refusal("finite", **mine, value=value)
        if self.type is not int:
            return accepted
        if not isinstance(value, str) and accepted != value:
            raise Refusal(kind, **mine, value=repr(value))
        seed = self.name == "seed"
        least, most = (0, LARGEST_SEED) if seed else (min(self.default, 1), sys.maxsize)
        if not least <= accepted <= most:
            limit, bound = ("at least", least) if accepted < least else ("at most", most)
            raise Refusal(limit, **mine, bound=bound, value=value)
        return accepted


class Experiment:
    """One experiment of the book: its place, its settings, its published figures, its function."""

    def __init__(
        self,
        function: Callable[..., None],
        first: str,
        last: str,
        figures: Sequence[Figure],
        slow: bool,
        long: bool = False,
    ) -> None:
        self.id = first
        self.span = first if first == last else f"{first}–{last}"
        self.chapter = place(first)[0]
        self.figures = tuple(figures)
        self.slow, self.long = slow or long, long
        self.function = function
        self.name = function.__name__
        self.summary = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
        self.parameters = _parameters_of(function)
        self._ends = place(first), place(last)

    def __repr__(self) -> str:
        return f"<experiment {self.span}: {self.summary}>"

    def covers(self, id: str) -> bool:
        """Whether a section number lies in this experiment's span."""
        return self._ends[0] <= place(id) <= self._ends[1]

    def run(
        self,
        *,
        on_progress: Progress | None = None,
        watch: int = 3,
        keeper: Keeper | None = None,
        **parameters: Any,
    ) -> Result:
        """Run it.

        Args:
            on_progress: called with (turns done, turns in all).
            watch: how many steps to keep with all their values.
            keeper: lets a run that was interrupted go on.
            parameters: settings other than the published ones, by name.

        Returns:
            Everything the experiment found.

        Raises:
            ArgumentError: there is no such setting, or it is of the wrong kind.
        """
        settings = self.settle(parameters)
        result = Result(watch=watch, on_progress=on_progress, keeper=keeper)
        result.parameters = settings
        changed = self.changed(settings)
        if changed:
            result.incomparable = f"{', '.join(changed)} other than published"
        start = time.perf_counter()
        with _double_precision(), np.errstate(over="ignore", invalid="ignore"):
            if "seed" in settings:
                pellucid.manual_seed(settings["seed"])
            self.function(result, **settings)
        result.seconds = time.perf_counter() - start
        if keeper is not None:
            result.seconds += keeper.seconds
        return result

    def changed(self, settings: dict[str, Any]) -> list[str]:
        """The names of settings that are other than published."""
        return [p.name for p in self.parameters if settings[p.name] != p.default]

    def compare(self, result: Result) -> list[Comparison]:
        """The published figures beside the result's own.

        Raises:
            KeyError: the experiment did not compute a figure it declares.
        """
        if result.incomparable:
            return [Comparison(f, result.numbers.get(f.name), None) for f in self.figures]
        return [
            Comparison(f, result.numbers[f.name], f.met_by(result.numbers[f.name]))
            for f in self.figures
        ]

    def settle(self, given: dict[str, Any]) -> dict[str, Any]:
        """All settings: those given, and for the others the published ones.

        Raises:
            ArgumentError: there is no such setting, or it is of the wrong kind.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                listed = ", ".join(known) or "none"
                raise Refusal("no setting", span=self.span, name=name, listed=listed)
        settings = {name: p.default for name, p in known.items()}
        for name, value in given.items():
            if value is None:
                continue
            settings[name] = known[name].accept(value, self.span)
        return settings


_experiments: list[Experiment] = []


def experiment(
    id: str,
    *,
    to: str | None = None,
    figures: Sequence[Figure] = (),
    slow: bool = False,
    long: bool = False,
) -> Callable[[Callable[..., None]], Experiment]:
    """Decorator: make a function an experiment of the book.

    Args:
        id: the section it belongs to ("6.20").
        to: the last section it covers, where it covers several.
        figures: what was published.
        slow: it takes more than a few seconds; left out of a quick check.
        long: it takes many minutes; left out of every check that does not name it.
    """

    def define(function: Callable[..., None]) -> Experiment:
        made = Experiment(function, id, to or id, figures, slow, long)
        _experiments[:] = [e for e in _experiments if e.id != id]
        _experiments.append(made)
        return made

    return define


# ------------------------------------------------------------------------------------ finding them


def place(id: str) -> tuple[int, int]:
    """Where a section stands: its chapter and its number in it.

    What comes after the book's own sections is "15+", and more of it "15+2", "15+3".

    >>> place("6.20"), place("10+"), place("15+2")
    ((6, 20), (10, 1000), (15, 1002))

    Raises:
        ArgumentError: it does not look like a section.
    """
    match = re.fullmatch(r"(\d+)(?:\.(\d+)|\+(\d*))", id.strip())
    if match is None:
        raise ArgumentError(f"{id!r} is no section of the book; sections look like 6.20")
    return int(match[1]), int(match[2]) if match[2] else 1000 + int(match[3] or 0)


def all_experiments() -> list[Experiment]:
    """Every experiment, in the order of the book."""
    for module in pkgutil.iter_modules([__path_of_the_book()]):
        if module.name.startswith("chapter"):
            importlib.import_module(f"{__package__}.{module.name}")
    return sorted(_experiments, key=lambda e: place(e.id))


def find(id: str) -> Experiment:
    """The experiment of a section: the one that is named so, or else the one whose span covers it.

    Raises:
        ArgumentError: there is none; the message lists what the chapter has.
    """
    found = all_experiments()
    first = re.split("[-–]", id.strip())[0]
    if re.fullmatch(r"\d+", first):
        whole = [e for e in found if e.chapter == int(first)]
        if len(whole) == 1:  # a chapter of one experiment
            return whole[0]
        raise ArgumentError(f"chapter {first} has: {_listed(found, int(first))}")
    named = [e for e in found if e.id == first] or [e for e in found if e.covers(first)]
    if not named:
        chapter = place(first)[0]
        raise ArgumentError(
            f"there is no experiment {first}; chapter {chapter} has: {_listed(found, chapter)}"
        )
    return named[0]


def select(ids: Sequence[str] = ()) -> list[Experiment]:
    """The experiments of sections ("6.20") and whole chapters ("6"), in the order of the book."""
    if not ids:
        return all_experiments()
    chosen: dict[str, Experiment] = {}
    for named in ids:
        if re.fullmatch(r"\d+", named.strip()):
            whole = [e for e in all_experiments() if e.chapter == int(named)]
            if not whole:
                raise ArgumentError(f"chapter {named} has no experiments")
        else:
            whole = [find(named)]
        chosen.update((e.id, e) for e in whole)
    return sorted(chosen.values(), key=lambda e: place(e.id))


def _listed(found: Sequence[Experiment], chapter: int) -> str:
    spans = [e.span for e in found if e.chapter == chapter]
    return ", ".join(spans) if spans else "no experiments"


def __path_of_the_book() -> str:
    return __file__.rpartition("experiment.py")[0]


# ------------------------------------------------------------------------------- reading a function


def _parameters_of(function: Callable[..., None]) -> tuple[Parameter, ...]:
    hints = get_type_hints(function)
    helps = dict(_described(function.__doc__ or ""))
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        if name not in helps or parameter.default is inspect.Parameter.empty:
            raise TypeError(
                f"setting {name} of experiment {function.__name__} needs a default and a help"
            )
        found.append(Parameter(name, hints[name], parameter.default, helps[name]))
    return tuple(found)


def _described(doc: str) -> Iterator[tuple[str, str]]:
    """Pairs of a name and its description, from the `Args:` of a docstring."""
    _, _, text = inspect.cleandoc(doc).partition("Args:\n")
    for entry in re.findall(r"^ {4}(\w+): (.*(?:\n {6,}.*)*)", text, flags=re.MULTILINE):
        yield entry[0], " ".join(entry[1].split())


@contextmanager
def _double_precision() -> Iterator[None]:
    """Float64 for everything made inside: the published runs were."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    try:
        yield
    finally:
        pellucid.set_default_dtype(before)
