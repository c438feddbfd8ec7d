"""Learning on data you cannot see: parties that keep their data, and a coordinator with one model.

messages.py    plain data as bytes, with a version and a limit
engine.py      `ask({party: message}) -> {party: reply}`, and all parties in one process
workers.py     the same with processes of their own
summing.py     what a coordinator needs: the sum of what the parties have found
trainer.py     a party that trains on its own data
averaging.py   FedAvg and FedProx: the coordinator
robust.py      means that bear a few wrong parties
journal.py     going on after the coordinator was killed
view.py        what each party saw
partition.py   dividing a dataset among parties, to try things out
"""

from .averaging import fedavg
from .engine import Engine, Local, Party, State
from .journal import Journal
from .messages import Message, pack, unpack
from .partition import by_label, by_size, dirichlet, iid
from .robust import clipped_mean, median, trimmed_mean
from .summing import Shapes, Summing, Total, plain_sum
from .trainer import Trainer
from .view import Exchange, Recorder
from .workers import Workers

__all__ = [
    "Engine", "Exchange", "Journal", "Local", "Message", "Party", "Recorder", "Shapes", "State",
    "Summing", "Total", "Trainer", "Workers", "by_label", "by_size", "clipped_mean", "dirichlet",
    "fedavg", "iid", "median", "pack", "plain_sum", "trimmed_mean", "unpack",
]  # fmt: skip
