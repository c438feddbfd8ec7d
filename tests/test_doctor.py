"""The doctor says what is there, what is not, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path

import numpy as np
import pytest

from pellucid import allocator, doctor


def found(health: doctor.Health, topic: str) -> list[doctor.Finding]:
    return [f for f in health.findings if f.topic == topic]


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let these modules look as if they were not installed."""
    real = importlib.util.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda n, *a: None if n in modules else real(n, *a))


def test_it_names_the_versions_that_run() -> None:
    health = doctor.examine()
    (python,) = found(health, "Python")
    assert python.what.startswith(platform.python_version())
    assert found(health, "NumPy") == [doctor.Finding("NumPy", np.__version__)]
    assert health.facts["numpy"] == np.__version__
    assert health.facts["blas"]["name"]


def test_every_topic_is_looked_at() -> None:
    topics = [f.topic for f in doctor.examine().findings]
    wanted = [
        "Pellucid",
        "Python",
        "NumPy",
        "BLAS",
        "Threads",
        "Memory",
        "Kernels",
        "Optional",
        "Data",
        "Terminal",
    ]
    assert list(dict.fromkeys(topics)) == wanted


def test_well_here() -> None:
    health = doctor.examine()
    assert health.well
    assert health.verdict.startswith("Everything Pellucid needs is here")
    assert health.plain()["well"] is True


def test_what_is_absent_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "matplotlib", "sklearn")
    health = doctor.examine()
    absent = [f for f in found(health, "Optional") if f.state == "absent"]
    assert [f.what for f in absent] == [
        "matplotlib is not installed",
        "scikit-learn is not installed",
    ]
    assert all("pip install 'pellucid[book]'" in f.hint for f in absent)
    assert health.well
    assert "without matplotlib, scikit-learn" in health.verdict
    assert health.facts["optional"]["matplotlib"] is None


def test_an_old_numpy_is_bad_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "__version__", "1.26.4")
    health = doctor.examine()
    assert not health.well
    assert found(health, "NumPy")[0].state == "bad"
    assert "pip install 'numpy>=2'" in health.verdict


def test_an_old_python_is_bad_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "9", "1"))
    health = doctor.examine()
    assert not health.well
    assert "3.11 or newer" in health.verdict


def test_thread_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    health = doctor.examine()
    assert "OPENBLAS_NUM_THREADS=1" in found(health, "Threads")[0].what
    assert health.facts["thread_variables"]["OPENBLAS_NUM_THREADS"] == "1"
    assert "OPENBLAS_CORETYPE=Haswell" in found(health, "BLAS")[0].what


def test_without_threadpoolctl_it_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "threadpoolctl")
    (threads,) = found(doctor.examine(), "Threads")
    assert threads.what.startswith("as many as there are cores")


def test_the_allocator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda *_: ("glibc", "2.36"))
    monkeypatch.setattr(allocator, "state", "keeps freed memory for the next step")
    (memory,) = found(doctor.examine(), "Memory")
    assert memory.what == "glibc; keeps freed memory for the next step"
    monkeypatch.setattr(platform, "libc_ver", lambda *_: ("", ""))
    assert "glibc" not in found(doctor.examine(), "Memory")[0].what


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        (["good"], "Everything Pellucid needs is here."),
        (["good", "note"], "Everything Pellucid needs is here; 1 note above could make it better."),
        (
            ["note", "note"],
            "Everything Pellucid needs is here; 2 notes above could make it better.",
        ),
        (["bad"], "Pellucid cannot work properly here yet (T: do this)."),
    ],
)
def test_the_verdict_is_one_sentence(states: list[str], sentence: str) -> None:
    health = doctor.Health(
        [doctor.Finding("T", "w", s, "do this" if s == "bad" else "") for s in states]
    )
    assert health.verdict == sentence


def test_datasets_are_told_with_the_way_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    health = doctor.examine()
    hints = [f.hint for f in found(health, "Data") if f.state == "absent"]
    assert hints[0].startswith("pellucid data get mnist")
    assert hints[1].startswith("pellucid data where")
    assert health.facts["data"]["mnist"] is None
    assert health.well
    assert "mnist" not in health.verdict


def test_nobody_lacks_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "torch")
    health = doctor.examine()
    assert not any("torch" in f.what for f in health.findings)
    assert "torch" not in health.verdict


def test_a_system_that_does_not_tell_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sysconf")
    assert doctor.examine().facts["memory"] is None
