"""Archives are read in passing: whatever is in them, nothing is written and nothing crashes."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import archive
from pellucid.data.archive import members
from pellucid.errors import DataError

Pack = Callable[[Mapping[str, bytes]], bytes]


def read(path: Path, names: str = r"[a-z]+/([a-z]+)\.txt") -> dict[str, bytes]:
    return {match[1]: content for match, content in members(path, names, "an archive of letters")}


def put(folder: Path, content: bytes) -> Path:
    (folder / "letters.tar.gz").write_bytes(content)
    return folder / "letters.tar.gz"


def test_files_whose_names_fit(pack: Pack, tmp_path: Path) -> None:
    files = {"a/x.txt": b"one", "a/README": b"no", "a/y.txt": b"", "deep/a/z.txt": b"no"}
    assert read(put(tmp_path, pack(files))) == {"x": b"one", "y": b""}


def test_names_that_lead_elsewhere_lead_nowhere(pack: Pack, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    tricks = {"../a/x.txt": b"out", "/a/x.txt": b"root", "a/../../x.txt": b"up", "a/x.txt": b"in"}
    assert read(put(inner, pack(tricks))) == {"x": b"in"}
    assert [path.name for path in tmp_path.rglob("*")] == ["inner", "letters.tar.gz"]


def test_links_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("a/x.txt")
            info.type, info.linkname = kind, str(tmp_path / "secret")
            tar.addfile(info)
    assert read(put(tmp_path, whole.getvalue())) == {}


def test_enormous_files_are_refused(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST", 100)
    path = put(tmp_path, pack({"b/big.bin": bytes(200), "a/x.txt": bytes(101)}))
    with pytest.raises(DataError, match=r"a/x\.txt claims to have 101 bytes, and 100 are the most"):
        read(path)


def test_damage_behind_the_last_file_is_seen(pack: Pack, tmp_path: Path) -> None:
    whole = pack({"a/x.txt": b"one"})
    path = put(tmp_path, whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(DataError, match=r"expected an archive of letters.*CRC"):
        read(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar"), b"\x1f\x8b"],
    ids=["empty", "text", "gzip of no tar", "cut off"],  # a gzip carries the time
)
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = put(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert f"{path} is damaged or no packed archive" in caught.value.message
    assert f"its {len(content)} bytes stopped" in caught.value.message


@given(
    content=st.binary(min_size=1, max_size=3000),
    tar=st.booleans(),
    cut=st.integers(0, 600),
    changes=st.lists(st.tuples(st.integers(0, 2999), st.integers(0, 255)), max_size=4),
)
def test_no_archive_at_all_breaks_the_reader(
    content: bytes,
    tar: bool,
    cut: int,
    changes: list[tuple[int, int]],
    pack: Pack,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Damage within the tar (`tar`), as a packer might do, or of the packed file."""
    whole = bytearray(pack({"a/x.txt": content, "a/y.txt": content}))
    if tar:
        whole = bytearray(gzip.decompress(whole))
    for place, value in changes:
        if place < len(whole):
            whole[place] = value
    spoilt = bytes(whole[: len(whole) - cut])
    path = put(tmp_path_factory.mktemp("letters"), gzip.compress(spoilt) if tar else spoilt)
    try:
        found = read(path)
    except DataError:
        return
    if not tar:
        assert found == {"x": content, "y": content}
