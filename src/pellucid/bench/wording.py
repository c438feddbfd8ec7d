"""Results in words: the same in the terminal and on the page."""

from __future__ import annotations

from .results import Reached, Report, Row

COMPILING = ("compiled", "torch.compile", "jax")
OWN_NAMES = {"torch": "PyTorch", "jax": "JAX"}


def name(variant: str) -> str:
    """What a library calls itself."""
    return OWN_NAMES.get(variant, variant)


def amount(value: float, scale: float = 1.0) -> str:
    """A number with three digits that count.

    >>> amount(0.0000023, 1e6), amount(0.012345, 1e6), amount(42.0)
    ('2.30', '12,345', '42.0')
    """
    value *= scale
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(ratio: float) -> str:
    """How many times as fast.

    >>> times(1.234), times(41.26), times(1142.2)
    ('1.23', '41', '1,142')
    """
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def goal(row: Row, reached: Reached) -> str:
    """A goal, and how near one came."""
    if reached.goal.most is not None:
        return f"at most {reached.goal.most * row.workload.scale:g}"
    if reached.ratio is None or reached.spread is None:
        return f"to be {reached.goal.floor:g} x {name(row.workload.peer or '')}"
    low, high = (times(r) for r in reached.spread)
    peer = name(row.workload.peer or "")
    return f"{times(reached.ratio)} x {peer} ({low} to {high}), floor {reached.goal.floor:g}"


def wrong(part: dict[str, float]) -> list[str]:
    """Whose numbers differ."""
    return [f"{who}: numbers differ, by {far:.1e} of their size" for who, far in part.items()]


def installed(report: Report) -> str:
    """The peers that are, with their versions."""
    versions = report.machine["versions"]
    found = [f"{name(p)} {versions[p]}" for p in ("torch", "jax", "gensim", "phe") if p in versions]
    return ", ".join(found) or "nobody"


def first_steps(row: Row) -> str:
    """How long the first step took of those that compile it, when nothing was compiled yet."""
    found = []
    for variant in COMPILING if "compiled" in row.workload.ours else ():
        seconds = [s for who, s in row.starts.items() if who.rpartition(" ")[0] == variant]
        if seconds:
            found.append(f"{name(variant)} {max(seconds):.1f} s")
    return ", ".join(found)


def disturbed(others: float | None) -> str:
    """Somebody else was at work."""
    return f"disturbed: others kept {others or 0:.1f} processors busy"


def ignored(report: Report) -> str:
    """Settings that were not handed on."""
    return f"{', '.join(report.ignored)}: set here, ignored; each library chooses its own kernels"
