"""A plan to begin with, with notes, and the keys that it takes to try it on one machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .. import atomic
from ..errors import ArgumentError
from .federation import EXAMPLE, new_lock
from .keys import write_identity, write_secret
from .messages import pack
from .plan import LOCKED, SUMS
from .plan_file import read_plan

HOLDER = "holder"
LEARNING = {
    "digits": "rounds = 5\nlr = 0.1\npasses = 2  # through its own images, in each round\nbatch_size = 20",
    "spam": "rounds = 3\nlr = 0.01\npasses = 3  # through its own mails, in each round\n"
    "batch_size = 500\nshuffle = false",
    "own": "rounds = 20\nlr = 0.1\nbatch_size = 20",
}
DIVISION = {
    "spam": """
[division]  # of one dataset, to try things out: who has how many mails, in their order
kind = "sizes"  # or "alike", "labels", "mixtures"
sizes = [{sizes}]
""",
    "digits": """
[division]  # of one dataset, to try things out: each party sees some digits more than others
kind = "mixtures"  # or "alike", "sizes", "labels"
alpha = 0.5  # large, and all see the same; near 0, and each digit is with one party
""",
    "own": "",
}
PLAN = """# What is learned together, by whom, and how it is protected. The same file for all.

[learning]
task = "{task}"  # "spam", "digits", or a Python file of your own
{learning}
at_least = {least}  # with fewer parties a round is not finished
{division}
[parties]  # who takes part, and their public keys:  pellucid federate key FILE
{parties}

[protection]
sum = "{sum}"  # "open", "secret", "paillier", "ckks", "median" or "trimmed"
{protection}
# [privacy]  # a budget for what is told about one party; it takes hundreds of parties
# epsilon = 8.0
# delta = 1e-5
# clip = 0.25

[network]
address = "{address}"  # where the parties find the coordinator
coordinator = "{coordinator}"
deadline = 60.0  # seconds that a party has for one answer
"""


def write_example(folder: Path, parties: Sequence[str], sum: str, task: str, address: str) -> Path:
    """Write a plan and keys into a new folder.

    Args:
        folder: is made; the plan in it is `plan.toml`.
        parties: the names of those who learn.
        sum: how contributions are added up, one of `SUMS`.
        task: "spam", "digits" or the name of a Python file, of which an example is written.
        address: where the parties will find the coordinator.

    Raises:
        ArgumentError: the folder has a plan already, or a setting makes no sense.
    """
    plan = folder / "plan.toml"
    if plan.exists():
        raise ArgumentError(f"{plan} is there already: name another folder")
    if sum not in SUMS:
        raise ArgumentError(f"the sum is {sum!r}; there are: {', '.join(SUMS)}")
    names = [*parties, *([HOLDER] if sum in LOCKED else [])]
    if wrong := [n for n in names if not re.fullmatch(r"[\w-]+", n)]:
        raise ArgumentError(f"{wrong[0]!r} is no name for a party: letters, digits, - and _")
    if len(parties) < 2 or len(set(names)) < len(names):
        raise ArgumentError("there are at least two parties, each with a name of its own")
    folder.mkdir(parents=True, exist_ok=True)
    keys = {n: write_identity(folder / f"{n}.key").public.hex() for n in names}
    coordinator = write_identity(folder / "coordinator.key").public.hex()
    protection = "limit = 1e7  # the largest number in a contribution"
    if sum in LOCKED:
        public = write_lock(folder / "sum.key", sum)
        protection += f'\nholder = "{HOLDER}"  # opens sums\nkey = "{public.name}"'
    kind = task if task in DIVISION else "own"
    if kind == "own":
        script = folder / task
        if not script.exists():
            atomic.write(script, EXAMPLE)
    sizes = ", ".join([*(["1000"] * (len(parties) - 1)), '"rest"'])
    text = PLAN.format(
        task=task,
        learning=LEARNING[kind],
        least=min(2, len(parties)),
        division=DIVISION[kind].format(sizes=sizes),
        parties="\n".join(f'{n} = "{k}"' for n, k in keys.items()),
        sum=sum,
        protection=f"{protection}\n" if sum in ("secret", *LOCKED) else "",
        address=address,
        coordinator=coordinator,
    )
    atomic.write(plan, text)
    read_plan(plan)
    return plan


def write_lock(path: Path, sum: str) -> Path:
    """A new pair of keys for locked sums: the private one to `path`, the public one beside it.

    Raises:
        ArgumentError: the file is there already.
        MissingExtraError: CKKS needs an extra.
    """
    private = new_lock(sum)
    write_secret(path, pack(private.to_plain()))
    public = path.with_suffix(".public")
    atomic.write(public, pack(private.public.to_plain()))
    return public
