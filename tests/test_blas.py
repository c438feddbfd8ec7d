"""BLAS's kernels are asked for only before NumPy is loaded, and where nobody has chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pellucid import blas

AMD = "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu {}\n\nprocessor\t: 1\n"
WIDE = AMD.format(" ".join(sorted(blas.NEEDED)))


def state_with(cpu: Path, before: str = "", **settings: str) -> list[str]:
    """What another process says: the state, what the environment has while NumPy loads, and after."""
    program = f"""
import builtins, os, sys
{before}
before = set(sys.modules)
class Watch:
    def find_spec(self, name, *_):
        if name == "numpy":
            print(os.environ.get("OPENBLAS_CORETYPE"))
sys.meta_path.insert(0, Watch())
import pathlib, types
source = pathlib.Path({str(Path(blas.__file__))!r}).read_text().replace("/proc/cpuinfo", {str(cpu)!r})
module = types.ModuleType("blas")
exec(source, module.__dict__)
import numpy
print(module.state)
print(os.environ.get("OPENBLAS_CORETYPE"))
"""
    own = ("OPENBLAS_CORETYPE", "PELLUCID_BLAS")
    clean = {k: v for k, v in os.environ.items() if k not in own}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


linux = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="only Linux on x86-64 says"
)


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(WIDE)
    return path


@linux
def test_asked_for_and_taken_away(cpu: Path) -> None:
    assert state_with(cpu) == [
        blas.KERNELS, "asked for by Pellucid, since the processor has AVX-512", "None"
    ]  # fmt: skip


@linux
@pytest.mark.parametrize(
    "text",
    [WIDE.replace("AuthenticAMD", "GenuineIntel"), AMD.format("avx2 avx512f"), "", "nothing"],
)
def test_other_processors_choose_for_themselves(cpu: Path, text: str) -> None:
    cpu.write_text(text)
    assert state_with(cpu) == ["None", "as NumPy chose", "None"]


@linux
def test_who_has_chosen_is_left_alone(cpu: Path) -> None:
    chosen = state_with(cpu, OPENBLAS_CORETYPE="Haswell")
    assert chosen == ["Haswell", "set by you (OPENBLAS_CORETYPE=Haswell)", "Haswell"]
    alone = state_with(cpu, PELLUCID_BLAS="system")
    assert alone == ["None", "left alone (PELLUCID_BLAS=system)", "None"]
    assert state_with(cpu, before="import numpy") == ["as NumPy chose", "None"]


def test_no_processor_to_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blas, "CPU_INFO", str(tmp_path / "none"))
    assert not blas.is_wide_amd()


def test_it_comes_before_numpy() -> None:
    program = "import sys; import pellucid.blas as b; print('numpy' in sys.modules, b.state)"
    done: Any = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("True ")
