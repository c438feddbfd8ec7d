"""`pellucid federate`: learn together on data that stay where they are."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ArgumentError, DataError
from .common import WIDTH, Json, Lang, console, show_json

if TYPE_CHECKING:
    from ..federated.averaging import Row
    from ..federated.federation import Task
    from ..federated.flower.connection import Tls
    from ..federated.plan import Plan

EXAMPLES = """
\b
Examples:
  pellucid federate new spam                      a plan, and keys to try it with
  pellucid federate simulate spam/plan.toml       all parties in this process
  pellucid federate coordinator spam/plan.toml    in earnest: one leads, and
  pellucid federate party spam/plan.toml anna     each party runs this
"""
NEW = """
\b
Examples:
  pellucid federate new spam                      three parties, a secret sum
  pellucid federate new spam --sum paillier       with locked sums
  pellucid federate new mine --task task.py       a task of your own
"""
SIMULATE = """
\b
Examples:
  pellucid federate simulate spam/plan.toml
  pellucid federate simulate spam/plan.toml --fresh -o filter.safetensors
"""
COORDINATOR = """
\b
Examples:
  pellucid federate coordinator spam/plan.toml
  pellucid federate coordinator spam/plan.toml --fresh
  pellucid federate coordinator plan.toml --certificate c.pem --tls-key c.key
"""
PARTY = """
\b
Examples:
  pellucid federate party spam/plan.toml anna
  pellucid federate party spam/plan.toml anna --secret /safe/anna.key
"""
KEY = """
\b
Examples:
  pellucid federate key anna.key                  who one is
  pellucid federate key sum.key --sum paillier    for whoever opens sums
"""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
    help="Learn together on data that stay where they are.",
)

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a TOML file.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Begin anew, where an interrupted training would go on.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Where the weights go; else beside the plan."),
]
Sum = Annotated[
    str,
    typer.Option("--sum", metavar="KIND", help="open, secret, paillier, ckks, median or trimmed."),
]


@app.command(epilog=SIMULATE)
def simulate(
    plan: PlanFile,
    out: Out = None,
    fresh: Fresh = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Carry out a plan with all parties in this process, each with its part of the data.

    Parties and coordinator are the ones that work over a network, and what comes out is the same.
    Keys are made for the occasion. After Ctrl-C the same command goes on.
    """
    from ..federated.federation import rehearse
    from ..federated.plan_file import read_plan
    from .tasks import task_of

    agreed = read_plan(plan)
    screen = Screen(agreed, lang, quiet=as_json)
    task = task_of(agreed)
    screen.begins(task)
    agreed, engine, public = rehearse(agreed, task)
    journal = plan.with_suffix(".simulated.journal")
    _lead(agreed, task, engine, screen, public, journal, fresh, out or _weights(plan, "simulated"))


@app.command(epilog=COORDINATOR)
def coordinator(
    plan: PlanFile,
    secret: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its key; else coordinator.key beside the plan."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For TLS: its certificate, PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For TLS: the key to it, PEM.")
    ] = None,
    out: Out = None,
    fresh: Fresh = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Lead a plan over the network: wait for the parties, and learn with them.

    It starts a Flower SuperLink at the plan's address and ends it again. Every finished round is in
    a journal beside the plan: after Ctrl-C, or whatever else, the same command goes on.
    """
    from ..federated.flower import Flower
    from ..federated.flower.connection import Link, check_installed
    from ..federated.keys import public_of, read_identity
    from ..federated.plan_file import read_plan
    from .tasks import task_of

    check_installed()
    agreed = read_plan(plan)
    identity = read_identity(secret or plan.parent / "coordinator.key")
    if identity.public != public_of("[network] coordinator", agreed.network.coordinator):
        raise ArgumentError(
            "[network] coordinator is another key than this one's public half, "
            f"{identity.public.hex()}"
        )
    screen = Screen(agreed, lang, quiet=as_json)
    task, public = task_of(agreed), agreed.public_key()
    screen.begins(task)
    folder, net = plan.parent / ".flower" / "coordinator", agreed.network
    with _ended_calmly(), Link(folder, net.address, _tls(agreed, certificate, tls_key)) as link:
        engine = Flower(
            link,
            identity,
            agreed.registry,
            plan=agreed.mark,
            deadline=net.deadline,
            most_bytes=net.most_bytes,
            note=screen.note,
        )
        journal = plan.with_suffix(".journal")
        if not _finished(journal, agreed) or fresh:
            screen.say("waits", parties=", ".join(agreed.parties), address=net.address)
            engine.wait(len(agreed.parties), net.patience, at_least=_needed(agreed))
        _lead(agreed, task, engine, screen, public, journal, fresh, out or _weights(plan))


@app.command(epilog=PARTY)
def party(
    plan: PlanFile,
    name: Annotated[str, typer.Argument(help="Which party of the plan.")],
    secret: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key; else NAME.key beside the plan.")
    ] = None,
    lock: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For who opens locked sums: its key; else sum.key."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Take part in a plan over the network, until Ctrl-C.

    It starts a Flower SuperNode that looks for the coordinator. What leaves this machine is what the
    plan says; no code comes in. What the party remembers is in NAME.memory beside the plan.
    """
    from ..federated.federation import party_of
    from ..federated.flower import Desk
    from ..federated.flower.connection import check_installed, serve
    from ..federated.keys import public_of, read_identity
    from ..federated.plan_file import read_plan
    from .tasks import task_of

    check_installed()
    agreed = read_plan(plan)
    identity = read_identity(secret or plan.parent / f"{name}.key")
    if agreed.registry.get(name, identity.public) != identity.public:
        raise ArgumentError(
            f"[parties] {name} is another key than this one's public half, {identity.public.hex()}"
        )
    screen = Screen(agreed, lang)
    task = task_of(agreed)
    screen.replaced(task)
    keys: Any = agreed.public_key()
    if name == agreed.protection.holder:
        keys = _private_key(agreed, lock or plan.parent / "sum.key")
    desk = Desk(
        party_of(agreed, task, name, identity, keys),
        name,
        identity,
        coordinator=public_of("[network] coordinator", agreed.network.coordinator),
        plan=agreed.mark,
        memory=plan.parent / f"{name}.memory",
        most_bytes=agreed.network.most_bytes,
        on_message=screen.asked,
    )
    screen.say("party", name=name, address=agreed.network.address)
    with _ended_calmly():
        serve(
            plan.parent / ".flower" / name,
            agreed.network.address,
            desk.answer,
            tls=_tls(agreed),
            note=screen.note,
        )


@app.command(epilog=NEW)
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is made.")],
    parties: Annotated[
        str, typer.Option(metavar="NAMES", help="Who takes part, with commas.")
    ] = "anna,ben,cleo",
    sum: Sum = "secret",
    task: Annotated[str, typer.Option(help="spam, digits, or a Python file of your own.")] = "spam",
    address: Annotated[
        str, typer.Option(help="Where the parties will find the coordinator.")
    ] = "127.0.0.1:9092",
    lang: Lang = None,
) -> None:
    """Write an example: a plan with notes, and all keys that it takes to try it on one machine.

    In earnest each party makes its own key, on its own machine, and shows the public half.
    """
    from ..federated.example import write_example

    write_example(folder, [n.strip() for n in parties.split(",") if n.strip()], sum, task, address)
    screen = Screen(None, lang)
    screen.say("new", folder=folder, plan=folder / "plan.toml")


@app.command(epilog=KEY)
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the secret goes.")],
    sum: Annotated[
        str | None,
        typer.Option("--sum", metavar="KIND", help="paillier or ckks: a key that opens sums."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Make a key, and say what of it others are to know."""
    from ..federated.example import write_lock
    from ..federated.keys import write_identity
    from ..federated.plan import LOCKED

    screen = Screen(None, lang)
    if sum is None:
        screen.say("key", file=file)
        typer.echo(write_identity(file).public.hex())
    elif sum in LOCKED:
        public = write_lock(file, sum)
        screen.say("lock", file=file, public=public)
    else:
        raise typer.BadParameter(f"--sum is paillier or ckks, not {sum}")


# ------------------------------------------------------------------------------------------ on screen


class Screen:
    """What is said while parties learn: a line for each round, in the reader's language."""

    def __init__(self, plan: Plan | None, language: str | None, *, quiet: bool = False) -> None:
        self.plan, self.language, self.quiet = plan, language or "en", quiet
        self.out = console()
        self._round = 0

    def say(self, key: str, style: str = "", **values: Any) -> None:
        """A sentence."""
        if not self.quiet:
            self.out.print(self.sentence(key, **values), style=style, soft_wrap=True, markup=False)

    def sentence(self, key: str, **values: Any) -> str:
        """The sentence itself."""
        from ..book.texts import sentence

        return sentence("15.0", f"federate.{key}", values, self.language)

    def word(self, text: str) -> str:
        """What something is called."""
        from ..book.texts import word

        return word(text, "15.0", self.language)

    def begins(self, task: Task) -> None:
        """What is about to be learned."""
        self.replaced(task)
        assert self.plan is not None
        kind = self.plan.protection.sum
        self.say(
            "begins",
            task=self.word(task.name),
            parties=len(self.plan.learners),
            rounds=self.plan.learning.rounds,
            sum=self.word(f"{kind} sum"),
        )

    def replaced(self, task: Task) -> None:
        """That other data stand in for real ones."""
        if task.replaced and not self.quiet:
            from ..book.texts import sentence

            words = {name: self.word(text) for name, text in task.replaced.items()}
            told = sentence("15.0", "stand-in", words, self.language)
            self.out.print(told, style="yellow", soft_wrap=True)

    def round(self, row: Row) -> None:
        """How a round went."""
        megabytes = (row["sent"] + row["received"]) / 1e6
        right = ""
        if row.get("accuracy") is not None:
            right = self.sentence("right", accuracy=f"{row['accuracy']:.2%}")
        self.say(
            "round",
            round=row["round"],
            names=", ".join(row["parties"]),
            loss=f"{row['loss']:.4g}",
            right=right,
            megabytes=f"{megabytes:.1f}",
            seconds=f"{row['seconds']:.1f}",
        )
        for name, reason in row["missing"].items():
            self.say("missing", style="yellow", name=name, reason=reason)

    def asked(self, message: Mapping[str, Any]) -> None:
        """That this party is asked to something, once a round."""
        ask = message.get("ask")
        inner = ask if isinstance(ask, Mapping) else message
        number = inner.get("round")
        if message.get("do") == "open":
            self.say("opens")
        elif isinstance(number, int) and number != self._round:
            self._round = number
            self.say("asked", round=number)

    def note(self, sentence: str) -> None:
        """Something that went wrong elsewhere."""
        typer.echo(sentence, err=True)


# -------------------------------------------------------------------------------------------- inside


def _lead(
    plan: Plan,
    task: Task,
    engine: Any,
    screen: Screen,
    public: Any,
    journal: Path,
    fresh: bool,
    out: Path,
) -> None:
    """Learn, show the rounds, write the weights."""
    from .. import save
    from ..federated.federation import lead

    if fresh:
        journal.unlink(missing_ok=True)
        journal.with_suffix(".spent").unlink(missing_ok=True)
    before = _finished(journal, plan, rounds=False)
    if before:
        screen.say("goes_on", round=before, journal=journal)
    start = time.perf_counter()
    try:
        model, history = lead(
            plan, task, engine, public=public, journal=journal, on_round=screen.round
        )
    except KeyboardInterrupt:
        typer.echo("\n" + screen.sentence("interrupted", journal=journal), err=True)
        raise
    save(model.state_dict(), out)
    if screen.quiet:
        show_json({"rounds": history, "weights": out, "journal": journal})
        return
    last = history[-1]
    accuracy = last.get("accuracy")
    if accuracy is not None:
        screen.say("accuracy", style="bold", accuracy=f"{accuracy:.2%}")
    screen.say("done", seconds=f"{time.perf_counter() - start:.1f}", out=out)


def _finished(journal: Path, plan: Plan, *, rounds: bool = True) -> int:
    """How many rounds the journal has; with `rounds`, 0 unless these are all."""
    from ..federated.journal import rounds_in

    found = rounds_in(journal)
    return found if not rounds or found >= plan.learning.rounds else 0


def _needed(plan: Plan) -> int:
    """Without how many parties it makes no sense to begin."""
    least = plan.threshold if plan.protection.sum == "secret" else plan.learning.at_least
    return least + bool(plan.protection.holder)


def _weights(plan: Path, what: str = "") -> Path:
    return plan.with_suffix(f".{what}.safetensors" if what else ".safetensors")


def _tls(plan: Plan, certificate: Path | None = None, key: Path | None = None) -> Tls | None:
    from ..federated.flower.connection import Tls

    authority = plan.authority
    if authority is None:
        if certificate or key:
            raise ArgumentError(
                "[network] authority names the certificate that the parties trust; without it nothing "
                "is encrypted, and --certificate has no use"
            )
        return None
    for file in (certificate, key):
        if file is not None and not file.exists():
            raise DataError(f"there is no file {file}")
    return Tls(authority, certificate, key)


def _private_key(plan: Plan, path: Path) -> Any:
    from ..federated import ckks, paillier
    from ..federated.keys import read_plain

    kind = paillier.PrivateKey if plan.protection.sum == "paillier" else ckks.PrivateKey
    return kind.from_plain(read_plain(path))


@contextmanager
def _ended_calmly() -> Iterator[None]:
    """Being told to end, or losing the terminal, is as Ctrl-C: what was started is ended as well."""
    told = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in told}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
