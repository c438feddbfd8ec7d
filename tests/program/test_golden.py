"""The programs in `golden` and in `docs/programs.md` are what is written today."""

from __future__ import annotations

import numpy as np
import pytest
from gallery import PAGE, Exhibit, exhibits, page

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


def test_page_shows_them() -> None:
    texts = {e.name: e.golden.read_text(encoding="utf-8") for e in ALL}
    assert PAGE.read_text(encoding="utf-8") == page(texts), "python tests/program/gallery.py"
