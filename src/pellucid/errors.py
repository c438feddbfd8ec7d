"""Every error Pellucid raises on purpose, and the words around them.

    PellucidError
    ├── ShapeError       (ValueError)       sizes that do not fit together
    ├── DTypeError       (TypeError)        numbers of the wrong kind
    ├── ArgumentError    (ValueError)       a setting outside what makes sense
    ├── RangeError       (IndexError)       a position that a tensor does not have
    ├── LabelError       (ValueError)       targets that are no classes of the network
    ├── GraphError       (RuntimeError)     a backward walk that cannot be walked
    ├── AnomalyError     (ArithmeticError)  the first NaN or infinity, where it was born
    ├── DataError        (ValueError)       a file that is not what it should be
    ├── DownloadError    (OSError)          data that could not be fetched
    ├── CheckpointError  (ValueError)       saved weights that do not match the model
    ├── MissingExtraError(ImportError)      an optional part that is not installed
    ├── MessageError     (ValueError)       what one party sent another cannot be used
    ├── PartyError       (LookupError)      a party that nobody knows
    └── RoundError       (RuntimeError)     a round of parties that cannot be finished

    PellucidWarning      (UserWarning)      it works, but is hardly what was meant

Each is also the built-in error in brackets, so that code which catches `ValueError` keeps working.
A message names the operation, the layer's path, the shapes, the rule and the likely fix.
"""

from __future__ import annotations

import os.path
import sys
import warnings

_PACKAGE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the time to import this


class PellucidError(Exception):
    """The root of all errors above. `layer` and `line` say where it happened, once that is known."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.layer: str | None = None
        self.line: str | None = user_line()

    def __str__(self) -> str:
        where = [f"in {self.layer}"] if self.layer else []
        if self.line:
            where.append(f"from {self.line}")
        return "\n".join([self.message, *(["   ".join(where)] if where else [])])


class ShapeError(PellucidError, ValueError):
    """Sizes that do not fit together."""


class DTypeError(PellucidError, TypeError):
    """Numbers of the wrong kind, such as gradients asked of integers."""


class ArgumentError(PellucidError, ValueError):
    """A setting outside what makes sense, such as a negative learning rate."""


class RangeError(PellucidError, IndexError):
    """A position that a tensor does not have: which, along which axis, of what size."""


class LabelError(PellucidError, ValueError):
    """Targets that are no classes of the network."""


class GraphError(PellucidError, RuntimeError):
    """A backward walk that cannot be walked."""


class AnomalyError(PellucidError, ArithmeticError):
    """The first NaN or infinity, where it was born (under `detect_anomaly`)."""


class DataError(PellucidError, ValueError):
    """A data file that is not what it should be."""


class DownloadError(PellucidError, OSError):
    """Data that could not be fetched, and what to do instead."""


class CheckpointError(PellucidError, ValueError):
    """Saved weights that do not match the model."""


class MissingExtraError(PellucidError, ImportError):
    """An optional part that is not installed.

    Args:
        what: what was asked for, as a reader would say it ("plots").
        extra: the name in `pip install 'pellucid[extra]'`; kept as `extra`.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{what} need{'' if what.endswith('s') else 's'} an optional part that is not "
            f"installed.\nGet it with:  pip install 'pellucid[{extra}]'"
        )


class MessageError(PellucidError, ValueError):
    """What one party sent another cannot be used: too large, another version, damaged, NaN."""


class PartyError(PellucidError, LookupError):
    """A party that nobody knows."""


class RoundError(PellucidError, RuntimeError):
    """A round of parties that cannot be finished: too few are left, and why."""


class PellucidWarning(UserWarning):
    """It works, but is hardly what was meant: the message says why and what to write instead."""


def warn(message: str) -> None:
    """Give a `PellucidWarning` that points at the nearest line outside this package."""
    frame, depth = sys._getframe(1), 2
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, PellucidWarning, stacklevel=depth)


def user_line() -> str | None:
    """The nearest line outside this package, as `train.py line 18: prediction = model(images)`."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    path = frame.f_code.co_filename
    import linecache

    text = linecache.getline(path, frame.f_lineno).strip()
    name = path if path.startswith("<") else os.path.basename(path)  # noqa: PTH119
    return f"{name} line {frame.f_lineno}" + (f": {text}" if text else "")
