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

from a plan to the whole, in one process or between machines (extra: flower):

plan.py        what all have agreed on; plan_file.py reads it, example.py writes one, keys.py keeps keys
federation.py  parties and coordinator as a plan wants them
flower/        signed letters through Flower

and what hides a party's contribution (extras: federated, ckks, dp):

secure_aggregation/        masks that vanish from the sum
encrypted_sum.py           locked contributions, opened as a sum only
paillier.py  ckks.py       the two ways to lock them
differential_privacy.py    cut, blurred, and counted against a budget
sharing.py  shamir.py      secrets in parts: computing on them; any few of many are enough

packing.py, noise.py and primes.py serve Paillier, field.py the shares; fixed_point.py and layout.py write
fractions as whole numbers; errors.py says what was refused.
"""

from .averaging import fedavg
from .differential_privacy import Budget, Private, noisy
from .encrypted_sum import EncryptedSum, Encrypting, KeyHolder
from .engine import Engine, Local, Party, State
from .fixed_point import FixedPoint
from .journal import Journal
from .messages import Message, pack, unpack
from .partition import by_label, by_size, dirichlet, iid
from .robust import clipped_mean, median, trimmed_mean
from .secure_aggregation import Identity, Masked, SecureSum
from .summing import Shapes, Summing, Total, plain_sum
from .trainer import Trainer
from .view import Exchange, Recorder
from .workers import Workers

__all__ = [
    "Budget", "EncryptedSum", "Encrypting", "Engine", "Exchange", "FixedPoint", "Identity",
    "Journal", "KeyHolder", "Local", "Masked", "Message", "Party", "Private", "Recorder",
    "SecureSum", "Shapes", "State", "Summing", "Total", "Trainer", "Workers", "by_label",
    "by_size", "clipped_mean", "dirichlet", "fedavg", "iid", "median", "noisy", "pack",
    "plain_sum", "trimmed_mean", "unpack",
]  # fmt: skip
