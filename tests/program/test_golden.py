"""The programs in `golden` and in `docs/programs.md` are what is written today."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gallery import IN_LOOPS, PAGE, Exhibit, exhibits, in_loops, page

ALL = exhibits()


@pytest.mark.parametrize("exhibit", ALL, ids=[e.name for e in ALL])
def test_golden_program_is_current(exhibit: Exhibit) -> None:
    program = exhibit.program()
    golden = exhibit.golden.read_text(encoding="utf-8")
    assert program.source == golden, "python tests/program/gallery.py writes it anew"
    first = program.run(*exhibit.inputs)
    second = program.run(*exhibit.inputs)
    assert np.isfinite([first, second]).all()
    assert second != first  # it has learned something


def test_golden_loops_are_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert in_loops() == IN_LOOPS.read_text(encoding="utf-8"), "python tests/program/gallery.py"


def test_page_shows_them() -> None:
    texts = {e.name: e.golden.read_text(encoding="utf-8") for e in ALL}
    assert PAGE.read_text(encoding="utf-8") == page(texts), "python tests/program/gallery.py"
