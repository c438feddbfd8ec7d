"""Learning on data you cannot see: parties that keep their data, and a coordinator with one model."""

from .engine import Engine, Local, Party, State
from .messages import MOST_BYTES, VERSION, Message, pack, unpack

__all__ = [
    "MOST_BYTES",
    "VERSION",
    "Engine",
    "Local",
    "Message",
    "Party",
    "State",
    "pack",
    "unpack",
]
