"""What this machine has for Pellucid, and how to get what it has not.

Each check is one function that gives findings; `examine` gathers them and ends with a verdict.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from . import allocator, blas, kernels
from .book.said import Said, told

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# module, what pip calls it, the extra it belongs to, what for
OPTIONAL = (
    ("matplotlib", "matplotlib", "book", "pictures: the tour's page, --plot"),
    ("sklearn", "scikit-learn", "book", "real small digits without a download"),
    ("onnx", "onnx", "onnx", "pellucid export --to onnx"),
    ("starlette", "Starlette", "lab", "pellucid lab: all of it in the browser"),
    ("anywidget", "anywidget", "notebook", "the lab's views in notebooks"),
    (
        "numba",
        "Numba",
        "fast",
        "compiled kernels: images, text and word vectors, up to a hundred times faster",
    ),
)
PEER = "torch"  # numbers and speed are compared with it where it is; nobody lacks it


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: what it belongs to ("NumPy").
        what: what was found, in a few words.
        state: "good", "note" (works, and could be better), "absent" (optional, not there) or "bad".
        hint: what to do about it; empty where nothing needs doing.
    """

    topic: str
    what: str
    state: str = "good"
    hint: str = ""


@dataclass
class Health:
    """Everything that was found, and one sentence about it."""

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether everything that is needed is there."""
        return not any(f.state == "bad" for f in self.findings)

    @property
    def verdict(self) -> str:
        """One sentence."""
        return self.told("en")

    def told(self, language: str) -> str:
        """The verdict in a language."""
        bad = [f for f in self.findings if f.state == "bad"]
        if bad:
            listed = "; ".join(
                f"{told(f.topic, language)}: {told(f.hint or f.what, language)}" for f in bad
            )
            return Said("unwell", listed=listed).told(language)
        optional = [f for f in self.findings if f.topic == "Optional"]
        absent = [f.what.split(" ")[0] for f in optional if f.state == "absent"]
        notes = sum(f.state == "note" for f in self.findings)
        extra = Said("without", listed=", ".join(absent)) if absent else ""
        advice = Said("one note" if notes == 1 else "notes", count=notes) if notes else ""
        return Said("well", extra=extra, advice=advice).told(language)

    def plain(self) -> dict[str, Any]:
        """As plain data, for `--json`."""
        return {
            "well": self.well,
            "verdict": self.verdict,
            "findings": [asdict(f) for f in self.findings],
            **self.facts,
        }


def examine() -> Health:
    """Look at Python, NumPy and its BLAS, the allocator, optional parts, data and the terminal."""
    health = Health()
    for check in CHECKS:
        health.findings += check(health.facts)
    return health


# ------------------------------------------------------------------------------------------ checks


def _python(facts: dict[str, Any]) -> Iterator[Finding]:
    from . import __version__

    version = platform.python_version()
    facts["python"], facts["pellucid"] = version, __version__
    facts["platform"] = platform.platform()
    yield Finding("Pellucid", __version__)
    if tuple(int(n) for n in platform.python_version_tuple()[:2]) < (3, 11):
        yield Finding("Python", version, "bad", Said("old python"))
    else:
        facts["cores"] = cores = _cores()
        facts["memory"] = memory = _memory()
        said = Said(
            "python",
            version=version,
            system=platform.system(),
            machine=platform.machine(),
            cores=Said("one core" if cores == 1 else "cores", count=cores),
            memory=Said("memory", size=memory / 2**30) if memory else "",
        )
        yield Finding("Python", said)


def _cores() -> int:
    """The cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    """The machine's memory in bytes, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such call, or no such name
        return None


def _numpy(facts: dict[str, Any]) -> Iterator[Finding]:
    import numpy as np

    facts["numpy"] = np.__version__
    if int(np.__version__.split(".")[0]) < 2:
        yield Finding("NumPy", np.__version__, "bad", "pip install 'numpy>=2'")
    else:
        yield Finding("NumPy", np.__version__)
    config: Any = np.show_config(mode="dicts")
    built = config.get("Build Dependencies", {}).get("blas", {})
    facts["blas"] = {"name": built.get("name", "unknown"), "version": built.get("version", "")}
    yield _blas(facts)
    yield _threads(facts)


def _blas(facts: dict[str, Any]) -> Finding:
    """Which library multiplies matrices; threadpoolctl (with scikit-learn) knows what it chose."""
    found = facts["blas"]
    if find_spec("threadpoolctl"):
        threadpoolctl = import_module("threadpoolctl")
        pools = [p for p in threadpoolctl.threadpool_info() if p.get("user_api") == "blas"]
        if pools:
            found["threads"] = pools[0].get("num_threads")
            found["kernels"] = pools[0].get("architecture")
    name = f"{found['name']} {found['version']}".strip()
    if found["name"] in ("unknown", "blas", "none"):
        return Finding("BLAS", Said("slow blas", name=name), "note", Said("get blas"))
    used = Said("kernels for", processor=found["kernels"]) if found.get("kernels") else ""
    found["choice"] = blas.state
    said = Said("blas", name=name, used=used, **_set(blas.state))
    if found.get("kernels") in ("Haswell", "Zen") and blas.is_wide_amd():
        yours = "set by you" in blas.state
        return Finding(
            "BLAS", said, "note", Said("unset" if yours else "import first", name=blas.ASKED)
        )
    return Finding("BLAS", said)


def _set(state: str) -> dict[str, str]:
    """How something is set, and by what: "left alone", " (PELLUCID_BLAS=system)"."""
    how, bracket, what = state.partition(" (")
    return {"state": how, "detail": bracket + what}


def _threads(facts: dict[str, Any]) -> Finding:
    given = {name: os.environ[name] for name in THREAD_VARIABLES if os.environ.get(name)}
    facts["thread_variables"] = given
    running = facts["blas"].get("threads")
    said = Said("threads", count=running) if running else "as many as there are cores"
    if given:
        listed = ", ".join(f"{k}={v}" for k, v in given.items())
        said = Said("given", threads=said, listed=listed)
    cores = facts.get("cores") or 1
    if running and running > cores:
        return Finding("Threads", said, "note", Said("too many threads", cores=cores))
    return Finding("Threads", said)


def _allocator(facts: dict[str, Any]) -> Iterator[Finding]:
    """glibc gives large arrays back to the system at once, and asks for them again next step."""
    library = platform.libc_ver()[0] or platform.system()
    facts["allocator"] = library
    if library != "glibc":
        yield Finding("Memory", Said("allocator", library=library))
        return
    facts["allocator_state"] = allocator.state
    yield Finding("Memory", Said("glibc", **_set(allocator.state)))


def _kernels(facts: dict[str, Any]) -> Iterator[Finding]:
    """Whether loops are compiled by Numba."""
    facts["kernels"] = state = kernels.state()
    everywhere = state == "compiled" and kernels.least < kernels.WORTH
    yield Finding("Kernels", Said("everywhere" if everywhere else state, switch=kernels.SWITCH))


def _optional(facts: dict[str, Any]) -> Iterator[Finding]:
    facts["optional"] = {}
    for module, name, extra, purpose in OPTIONAL:
        if find_spec(module) is None:
            facts["optional"][name] = None
            hint = Said("for", extra=extra, purpose=purpose)
            yield Finding("Optional", Said("absent", name=name), "absent", hint)
        else:
            facts["optional"][name] = version = metadata.version(name)
            yield Finding("Optional", f"{name} {version}")
    if find_spec(PEER) is not None:
        facts["optional"][PEER] = version = metadata.version(PEER)
        yield Finding("Optional", Said("peer", name=PEER, version=version))


def _data(facts: dict[str, Any]) -> Iterator[Finding]:
    """Which datasets are here; those that can be fetched apart from those that one must bring."""
    from .data import sources

    places = [sources.locate(name) for name in sources.ALL]
    facts["data"] = {p.source.name: p.origin or None for p in places}
    here = [p.source.name for p in places if p.here]
    if here:
        yield Finding("Data", Said("data here", names=", ".join(here)))
    absent = [p for p in places if not p.here and p.source.files]
    for can_be_fetched, command in ((True, "get"), (False, "where")):
        names = [
            p.source.name
            for p in absent
            if all(p.source.file(f).urls for f in p.missing) is can_be_fetched
        ]
        if names:
            said = Said("data absent" if can_be_fetched else "data by hand", names=", ".join(names))
            yield Finding("Data", said, "absent", f"pellucid data {command} {' '.join(names)}")


def _terminal(facts: dict[str, Any]) -> Iterator[Finding]:
    from rich.console import Console

    from .explain.terminal import Ability

    console = Console()
    ability = Ability.of(console)
    columns = shutil.get_terminal_size().columns
    facts["terminal"] = {
        "is_terminal": console.is_terminal,
        "columns": columns,
        "colour": ability.colour,
        "encoding": console.encoding,
    }
    if not console.is_terminal:
        yield Finding("Terminal", Said("pipe"))
        return
    colour = Said("colour", system=console.color_system) if ability.colour else "no colour"
    said = Said("terminal", columns=columns, colour=colour, encoding=console.encoding)
    if columns < 80:
        yield Finding("Terminal", said, "note", Said("wide"))
    elif not ability.blocks:
        yield Finding("Terminal", said, "note", Said("pictures"))
    else:
        yield Finding("Terminal", said)


CHECKS: list[Callable[[dict[str, Any]], Iterator[Finding]]] = [
    _python,
    _numpy,
    _allocator,
    _kernels,
    _optional,
    _data,
    _terminal,
]
