"""Numbers in and out of files: safetensors for everything, never pickle.

checkpoint.py    everything a run needs to go on
tensors.py       `save` and `load`: weights, or nested dicts and lists with tensors in them
model.py         `save_model` and `load_model`: weights, and what the network is made of
exporting/       a network as a NumPy script, a PyTorch module, an ONNX file
"""

from .checkpoint import load_checkpoint, save_checkpoint
from .exporting import Exported, export
from .model import load_model, save_model
from .tensors import load, save

__all__ = [
    "Exported",
    "export",
    "load",
    "load_checkpoint",
    "load_model",
    "save",
    "save_checkpoint",
    "save_model",
]
