"""A program once more, as explicit, fused loops that Numba compiles.

    layer_1 = np.maximum(images @ hidden_weight.T, 0)      for i in range(40):
                                                               sums = f32(0)
                                                               for j in range(784):
                                                                   sums += images[0, j] * hidden_weight[i, j]
                                                               layer_1[0, i] = largest(sums, f32(0))

`reading` goes through the text of the program and makes terms of it; `planning` decides what is kept in memory
and writes a loop for each; `fusing` puts loops together; `writing` makes a text of them; `running` has it
compiled. Nothing here is imported before a step is compiled, and Numba not before one has been read.
"""

from .running import LoopProgram
from .writing import OUT_OF_RANGE, Fused

__all__ = ["OUT_OF_RANGE", "Fused", "LoopProgram"]
