"""Seeing: what a tensor holds, what one step did, and pictures of both. Calling it explains a step.

explanation.py  `pellucid.explain(step)(inputs, targets)`: a step line by line, with its numbers (replay.py)
narration.py    the same in a terminal, and as a table (said.py: the sentences, texts/: the words)
page.py         the same as one HTML page to go through (step_view.js and .css: what is seen; figures.py)
summary.py      a network's layers, shapes and parameters: `model.summary()`
birth.py        where the first NaN was born: `pellucid.first_nan(step)(inputs, targets)`
statistics.py   activations and gradients layer by layer: `layer_statistics(step)(inputs, targets)`
html.py         a tensor as a small table, for notebooks
step.py         one training step, told with its actual numbers
terminal.py     digits, bars and curves made of characters
picture.py      digits, curves and confusions as PNG or SVG (matplotlib)
drawing.py      a network as neurons, layers or letters (drawing_*.py: one each; svg.py: the shapes)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .birth import Birth, first_nan
    from .explanation import Explanation, Line, Operation, explain
    from .statistics import LayerStatistics, Statistics, layer_statistics
    from .summary import Summary, summarize

__all__ = [
    "Birth",
    "Explanation",
    "LayerStatistics",
    "Line",
    "Operation",
    "Statistics",
    "Summary",
    "explain",
    "first_nan",
    "layer_statistics",
    "summarize",
]

_FROM = {
    "Explanation": "explanation",
    "Line": "explanation",
    "Operation": "explanation",
    "explain": "explanation",
    "Birth": "birth",
    "first_nan": "birth",
    "LayerStatistics": "statistics",
    "Statistics": "statistics",
    "layer_statistics": "statistics",
    "Summary": "summary",
    "summarize": "summary",
}


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f".{_FROM[name]}", __name__), name)
    raise AttributeError(f"pellucid.explain has no {name!r}")


class _Explain(ModuleType):
    """The package itself, which can be called: `pellucid.explain(step)` is `explain(step)` in it."""

    def __call__(self, step: Callable[..., Any]) -> Callable[..., Explanation]:
        from .explanation import explain

        return explain(step)


sys.modules[__name__].__class__ = _Explain
