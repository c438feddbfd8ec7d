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
        bad = [f for f in self.findings if f.state == "bad"]
        if bad:
            listed = "; ".join(f"{f.topic}: {f.hint or f.what}" for f in bad)
            return f"Pellucid cannot work properly here yet ({listed})."
        optional = [f for f in self.findings if f.topic == "Optional"]
        absent = [f.what.split(" ")[0] for f in optional if f.state == "absent"]
        notes = sum(f.state == "note" for f in self.findings)
        extra = f", without {', '.join(absent)}" if absent else ""
        advice = f"; {notes} note{'s' * (notes > 1)} above could make it better" if notes else ""
        return f"Everything Pellucid needs is here{extra}{advice}."

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
        yield Finding("Python", version, "bad", "Python 3.11 or newer is needed")
    else:
        facts["cores"] = cores = _cores()
        where = f"{platform.system()} {platform.machine()}, {cores} core{'s' * (cores != 1)}"
        facts["memory"] = memory = _memory()
        room = f", {memory / 2**30:.1f} GiB of memory" if memory else ""
        yield Finding("Python", f"{version} on {where}{room}")


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
        hint = "NumPy from PyPI brings OpenBLAS: pip install --force-reinstall numpy"
        return Finding("BLAS", f"{name}: products of matrices may be slow", "note", hint)
    used = f", kernels for {found['kernels']}" if found.get("kernels") else ""
    found["choice"] = blas.state
    if found.get("kernels") in ("Haswell", "Zen") and blas.is_wide_amd():
        way = (
            f"unset {blas.ASKED}" if "set by you" in blas.state else "import pellucid before numpy"
        )
        hint = f"its kernels for AVX-512 are up to twice as fast: {way}"
        return Finding("BLAS", f"{name}{used}; {blas.state}", "note", hint)
    return Finding("BLAS", f"{name}{used}; {blas.state}")


def _threads(facts: dict[str, Any]) -> Finding:
    given = {name: os.environ[name] for name in THREAD_VARIABLES if os.environ.get(name)}
    facts["thread_variables"] = given
    running = facts["blas"].get("threads")
    said = f"{running} at once" if running else "as many as there are cores"
    if given:
        said = f"{said} ({', '.join(f'{k}={v}' for k, v in given.items())})"
    cores = facts.get("cores") or 1
    if running and running > cores:
        hint = f"more than cores slow each other down: export OPENBLAS_NUM_THREADS={cores}"
        return Finding("Threads", said, "note", hint)
    return Finding("Threads", said)


def _allocator(facts: dict[str, Any]) -> Iterator[Finding]:
    """glibc gives large arrays back to the system at once, and asks for them again next step."""
    library = platform.libc_ver()[0] or platform.system()
    facts["allocator"] = library
    if library != "glibc":
        yield Finding("Memory", f"allocator of {library}")
        return
    facts["allocator_state"] = allocator.state
    yield Finding("Memory", f"glibc; {allocator.state}")


def _kernels(facts: dict[str, Any]) -> Iterator[Finding]:
    """Whether loops are compiled by Numba."""
    facts["kernels"] = state = kernels.state()
    said = {
        "compiled": "compiled by Numba where there is much to do (PELLUCID_KERNELS=0: never)",
        "switched off": f"switched off ({kernels.SWITCH}=0): NumPy alone",
        "not installed": "NumPy alone: the same numbers, more slowly",
    }
    if state == "compiled" and kernels.least < kernels.WORTH:
        said[state] = f"compiled by Numba everywhere ({kernels.SWITCH}=1)"
    yield Finding("Kernels", said[state])


def _optional(facts: dict[str, Any]) -> Iterator[Finding]:
    facts["optional"] = {}
    for module, name, extra, purpose in OPTIONAL:
        if find_spec(module) is None:
            facts["optional"][name] = None
            hint = f"pip install 'pellucid[{extra}]'   for {purpose}"
            yield Finding("Optional", f"{name} is not installed", "absent", hint)
        else:
            facts["optional"][name] = version = metadata.version(name)
            yield Finding("Optional", f"{name} {version}")
    if find_spec(PEER) is not None:
        facts["optional"][PEER] = version = metadata.version(PEER)
        yield Finding("Optional", f"{PEER} {version}: numbers and speed can be compared with it")


def _data(facts: dict[str, Any]) -> Iterator[Finding]:
    """Which datasets are here; those that can be fetched apart from those that one must bring."""
    from .data import sources

    places = [sources.locate(name) for name in sources.ALL]
    facts["data"] = {p.source.name: p.origin or None for p in places}
    here = [p.source.name for p in places if p.here]
    if here:
        yield Finding("Data", f"{', '.join(here)}: here")
    absent = [p for p in places if not p.here and p.source.files]
    for can_be_fetched, command in ((True, "get"), (False, "where")):
        names = [
            p.source.name
            for p in absent
            if all(p.source.file(f).urls for f in p.missing) is can_be_fetched
        ]
        if names:
            said = "not here" if can_be_fetched else "not here, to be brought by hand"
            hint = f"pellucid data {command} {' '.join(names)}"
            yield Finding("Data", f"{', '.join(names)}: {said}", "absent", hint)


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
        yield Finding("Terminal", "output goes to a file or a pipe: plain lines, no colour")
        return
    colour = f"{console.color_system} colour" if ability.colour else "no colour"
    said = f"{columns} columns, {colour}, {console.encoding}"
    if columns < 80:
        yield Finding("Terminal", said, "note", "80 columns show everything")
    elif not ability.blocks:
        yield Finding("Terminal", said, "note", "for pictures: export LANG=C.UTF-8")
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
