"""All workloads, in the order of the report."""

from __future__ import annotations

from ..errors import ArgumentError
from .digits import Batches, Convolution, LeNet, OneByOne
from .footprint import Import, Installed
from .locks import Paillier, SecureRound
from .scaling import CURVES, Curve
from .sequences import ByHand, Letters, Sentences
from .words import Blanks, Mails, Reviews
from .workload import Workload

WORKLOADS: list[Workload] = [
    OneByOne(),
    Batches(),
    Convolution(),
    LeNet(),
    Reviews(),
    Blanks(),
    Sentences(),
    ByHand(),
    Letters(),
    Letters(streams=32),
    Mails(),
    Import(memory=False),
    Import(memory=True),
    Installed(),
    Paillier(),
    SecureRound("H2", 100, 100_000, "s", most=20),
    SecureRound("H2b", 3, 10_000, "ms", most=0.05),
]


def chosen(ids: list[str]) -> tuple[list[Workload], list[Curve]]:
    """The workloads and curves named; all, if none is. S1 means all curves.

    Raises:
        ArgumentError: there is no such workload.
    """
    workloads, curves = {w.id.lower(): w for w in WORKLOADS}, {c.id.lower(): c for c in CURVES}
    wanted = [i.lower() for i in ids]
    unknown = [i for i in ids if i.lower() not in {*workloads, *curves, "s1"}]
    if unknown:
        known = ", ".join([*(w.id for w in WORKLOADS), "S1", *(c.id for c in CURVES)])
        raise ArgumentError(f"no workload {', '.join(unknown)}; there are {known}")
    if not wanted:
        return WORKLOADS, CURVES
    some = [c for i, c in curves.items() if i in wanted or "s1" in wanted]
    return [w for i, w in workloads.items() if i in wanted], some


def find(id: str) -> Workload:
    """The workload of an id: W1, or one point of a curve, such as S1-batch:32."""
    name, _, size = id.partition(":")
    if size:
        return next(c for c in CURVES if c.id == name).at(int(size))
    return next(w for w in WORKLOADS if w.id == id)
