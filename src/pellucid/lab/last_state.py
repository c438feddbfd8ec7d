"""A recurrent layer that hands on one thing: what it makes of the whole sequence."""

from __future__ import annotations

from pellucid import Tensor, nn
from pellucid.errors import ShapeError


class LastState(nn.Module):
    """A recurrent layer, of which only the last state goes on: (N, T, features) -> (N, hidden).

    Args:
        layer: an RNN, GRU or LSTM with batch_first.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """The state after the last step.

        Raises:
            ShapeError: x is no sequence.
        """
        if x.ndim != 3:
            raise ShapeError(
                f"a recurrent layer reads sequences, (N, T, features), not {tuple(x.shape)}. "
                "Put it right after an embedding: it hands on its last state, and no sequence"
            )
        states, _ = self.layer(x)
        last: Tensor = states[:, -1]
        return last
