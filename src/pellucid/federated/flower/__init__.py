"""Parties on other machines: the same messages, carried by Flower (extra: flower).

letters.py     a message in an envelope: from whom, to whom, which one, signed
coordinator.py the engine: who is who, and letters to several at once
party.py       the party's side: opens letters, answers, remembers
connection.py  Flower itself: the one file that knows its insides
child.py       Flower's programs, which end when the one that started them does

Flower carries, and does nothing else: its way of adding up is not used, nor does a party run code that
a coordinator sends, as Flower's would. Who may speak is decided by keys of our own (Ed25519): so it
matters little what else Flower's server lets in, loses or says twice.
"""

from .coordinator import Flower, Transport
from .party import Desk

__all__ = ["Desk", "Flower", "Transport"]
