"""A network drawn at three levels of detail: `model.draw(level=...)`.

    neurons   every unit a circle, every weight a line
    layers    every layer a box, with the shapes of its weights and of what comes out
    letters   algebra and code, line by line

All three are drawn from one prediction that really ran (`pellucid.nn.recording`), not from what
layers are called, so any module that is made of Pellucid's operations can be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..nn.recording import record
from ..nn.sample import sample_inputs
from . import drawing_layers, drawing_letters, drawing_neurons, svg

if TYPE_CHECKING:
    from ..nn.module import Module

LEVELS = {
    "neurons": drawing_neurons.draw,
    "layers": drawing_layers.draw,
    "letters": drawing_letters.draw,
}


@dataclass(frozen=True)
class Drawing:
    """A picture of a network, for a notebook, a file or a terminal.

    Attributes:
        level: "neurons", "layers" or "letters".
        svg: the picture as SVG.
        text: the picture made of characters, at most 80 to a line.
    """

    level: str
    svg: str
    text: str

    def save(self, path: str | Path) -> Path:
        """Write the picture as a file; .svg is added where the name has no ending.

        Raises:
            ArgumentError: the name has another ending.
        """
        goal = Path(path)
        goal = goal if goal.suffix else goal.with_suffix(".svg")
        if goal.suffix.lower() != ".svg":
            raise ArgumentError(f"a drawing is an SVG file: end {goal.name} in .svg")
        return svg.save(self.svg, goal)

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<drawing of a network, level {self.level!r}: print it, or .save('net.svg')>"


def draw(model: Module, level: str = "layers", inputs: Any = None) -> Drawing:
    """Draw a network.

    Args:
        model: any module made of Pellucid's operations.
        level: "neurons", "layers" or "letters".
        inputs: what to predict from; with them, the values that flow are drawn, too: those of the
            first example. Without, only the shapes are, found out with made-up inputs.

    Raises:
        ArgumentError: there is no such level; or what the model takes could not be found out.

    >>> from pellucid import nn
    >>> print(draw(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), "letters"))
    h₁ = relu(x W₀ᵀ + b₀)         h1 = relu(x @ W0.T + b0)        (1, 4)
    y = h₁ W₂ᵀ + b₂               y = h1 @ W2.T + b2              (1, 1)
    <BLANKLINE>
    x    the input                (1, 3)
    W₀   0.weight                 (4, 3)
    b₀   0.bias                   (4,)
    W₂   2.weight                 (1, 4)
    b₂   2.bias                   (1,)
    """
    if level not in LEVELS:
        raise ArgumentError(f"a network is drawn as {', '.join(LEVELS)}, not {level!r}")
    given = sample_inputs(model, rows=1) if inputs is None else inputs
    recording = record(model, given if isinstance(given, (tuple, list)) else (given,))
    return Drawing(level, *LEVELS[level](recording, inputs is not None))
