"""Numbers in and out of files: safetensors for everything, never pickle."""

from .checkpoint import load_checkpoint, save_checkpoint
from .tensors import load, save

__all__ = ["load", "load_checkpoint", "save", "save_checkpoint"]
