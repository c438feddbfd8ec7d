"""Every reader and every kind of damage: an error in words with the path in it, or the data.

Never an error of gzip, tarfile, csv, json or NumPy, and never a loop without end.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pellucid
from pellucid.data import Vocabulary, datasets
from pellucid.data.archive import members
from pellucid.data.datasets.babi import parse
from pellucid.data.datasets.babi import read as read_babi
from pellucid.data.datasets.enron import read as read_enron
from pellucid.data.datasets.imdb import read as read_imdb
from pellucid.data.datasets.rt_polarity import read as read_polarity
from pellucid.data.datasets.shakespeare import read as read_shakespeare
from pellucid.data.idx import read_images, read_labels
from pellucid.errors import CheckpointError, DataError, ShapeError
from pellucid.io import load_checkpoint, save_checkpoint


def tar(files: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), {"mtime": "1.5"}
            archive.addfile(info, io.BytesIO(content))
    return whole.getvalue()


def written(write: Callable[[Path], object]) -> Callable[[Path], bytes]:
    def content(folder: Path) -> bytes:
        write(folder / "good.safetensors")
        return (folder / "good.safetensors").read_bytes()

    return content


REVIEWS = {f"aclImdb/train/{kind}/0_{n}.txt": b"Fine." for kind, n in (("pos", 9), ("neg", 2))}
MAILS = {f"enron{n}/{k}/1.txt": b"Subject: x\nHi." for n in range(1, 7) for k in ("ham", "spam")}
STORIES = {"tasksv11/en/qa1_x_train.txt": b"1 Mary ran.\n2 Where is Mary? \thome\t1\n"}
STATE = {"epoch": 3, "model": {"w": np.ones(3)}, "rates": (0.1, 0.2)}

# the reader, and what a good file of its kind has in it
Good = bytes | Callable[[Path], bytes]
READERS: dict[str, tuple[Callable[[Path], Any], Good]] = {
    "images": (read_images, struct.pack(">4I", 2051, 2, 2, 3) + bytes(range(12))),
    "images.gz": (read_images, gzip.compress(struct.pack(">4I", 2051, 2, 2, 3) + bytes(12))),
    "labels": (read_labels, struct.pack(">2I", 2049, 3) + b"\1\2\3"),
    "labels.gz": (read_labels, gzip.compress(struct.pack(">2I", 2049, 3) + b"\1\2\3")),
    "babi.tar.gz": (
        lambda path: parse(read_babi(path, 1, "train"), str(path)),
        gzip.compress(tar(STORIES)),
    ),
    "imdb.tar.gz": (lambda path: read_imdb(path, "train"), gzip.compress(tar(REVIEWS))),
    "enron.tar.gz": (read_enron, gzip.compress(tar(MAILS))),
    "polarity.txt": (lambda path: read_polarity(path, path), b"a fine film .\nwell made .\n"),
    "shakespear-100k.txt": (read_shakespeare, (b"To be or not to be,\n" * 5000)[:99_993]),
    "text.txt": (datasets.text, "Sein oder nicht sein, ä?\n".encode()),
    "table.csv": (datasets.table, b'kind,a,b\n0,1.5,-2e3\n1,"3",4\n'),
    "words.json": (
        Vocabulary.load,
        json.dumps({"unknown": "<unk>", "tokens": [["<unk>", 0], ["a", 2]]}).encode(),
    ),
    "weights.safetensors": (
        pellucid.load,
        written(lambda path: pellucid.save({"w": pellucid.ones(2, 3), "n": {"a": 1}}, path)),
    ),
    "checkpoint.safetensors": (load_checkpoint, written(lambda path: save_checkpoint(STATE, path))),
}


def good(name: str, folder: Path) -> bytes:
    content = READERS[name][1]
    return content if isinstance(content, bytes) else content(folder)


@pytest.mark.parametrize("name", READERS)
def test_good_files_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(good(name, tmp_path))
    assert READERS[name][0](path) is not None


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"<!DOCTYPE html><p>404", b"\xff\xfe\x00", b"PK\x03\x04"]
)
@pytest.mark.parametrize("name", READERS)
def test_what_downloads_often_are(name: str, content: bytes, tmp_path: Path) -> None:
    """Nothing, a zero, a page that says no, another encoding, another packer."""
    path = tmp_path / name
    path.write_bytes(content)
    if name == "text.txt" and content.startswith((b"<", b"PK")):
        return  # which is text
    with pytest.raises((DataError, CheckpointError)) as caught:
        READERS[name][0](path)
    told = caught.value.message
    assert str(path) in told
    assert any(word in told for word in ("expected", "found", "needs", "is no", "has no", "begins"))


@pytest.mark.parametrize("name", [n for n in READERS if not n.endswith((".txt", ".csv", ".json"))])
def test_cut_anywhere_it_is_noticed(name: str, tmp_path: Path) -> None:
    path, whole = tmp_path / name, good(name, tmp_path)
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises((DataError, CheckpointError)) as caught:
            READERS[name][0](path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize("name", READERS)
@given(
    cut=st.none() | st.integers(0, 4000),
    changes=st.lists(
        st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=9), st.booleans()),
        min_size=1,
        max_size=4,
    ),
)
def test_damage_of_any_kind(
    name: str,
    cut: int | None,
    changes: list[tuple[int, bytes, bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path, content = folder / name, bytearray(good(name, folder))
    for place, new, insert in changes:
        at = place % (len(content) + 1)
        content[at : at if insert else at + len(new)] = new
    path.write_bytes(content if cut is None else content[:cut])
    try:
        READERS[name][0](path)
        return
    except (DataError, CheckpointError) as error:
        told = error.message
    assert str(path) in told


# ------------------------------------------------------------------------ archives from within


def header(name: str, size: int, kind: bytes = b"0") -> bytes:
    """A tar header whose check sum is right, whatever size it claims."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = (size % (1 << 96)).to_bytes(12, "big")
    block[124] = 0xFF if size < 0 else 0x80
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "content",
    [
        header("a", -1024) + header("b", 0),  # back to where it was: without end
        header("z", 0) + header("b", -512),
        header("z", 1 << 70) + header("b", 0),  # far behind the end
        header("a", 1 << 40),
        header("a", -1024, b"L") * 3,
        header("a", 1 << 60, b"x") * 3,
        header("a", 0, b"L") * 3000,  # a name that belongs to a name that belongs to a name ...
        header("a", 0, b"x") * 3000,
        header("a", 1 << 40, b"S"),
        header("a", 512),
    ],
    ids=[
        "back",
        "back later",
        "far",
        "large",
        "long back",
        "far pax",
        "names",
        "pax",
        "gaps",
        "cut",
    ],
)
def test_headers_that_lie(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError) as caught:
        list(members(path, "a.*", "an archive of letters"))
    assert str(path) in caught.value.message


@given(
    form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]),
    changes=st.lists(
        st.tuples(
            st.integers(0, 3071),
            st.sampled_from([b"\0", b"\x80", b"\xff", b"L", b"x", b"g", b"S", b"K", b"-", b"999"])
            | st.binary(min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=5,
    ),
    mend=st.booleans(),
)
@example(form=tarfile.GNU_FORMAT, changes=[(124, b"\xff" * 11)], mend=True)
def test_damage_within_an_archive(
    form: int,
    changes: list[tuple[int, bytes]],
    mend: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """`mend` makes the check sums of the headers right again, so that the lies are believed."""
    content = bytearray(tar({"a/1": b"one", "b/2": b"two", "a/" + "long" * 20: b"three"}, form))
    for place, new in changes:
        content[place : place + len(new)] = new
    for start in range(0, len(content), 512) if mend else ():
        block = content[start : start + 512]
        if any(block[:100]):
            block[148:156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    path = tmp_path_factory.mktemp("within") / "a.tar.gz"
    path.write_bytes(gzip.compress(bytes(content)))
    try:
        found = list(members(path, "a/.*", "an archive of letters"))
    except DataError:
        return
    assert all(len(text) < 10_000 for _, text in found)


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    for name, (reader, _) in READERS.items():
        (tmp_path / name).mkdir()
        with pytest.raises((DataError, IsADirectoryError)) as caught:
            reader(tmp_path / name)
        assert name in str(caught.value)


def test_pictures_of_another_size_are_no_mnist(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("0,1,2\n")
    with pytest.raises(ShapeError, match="2 values in a row, and a picture of 2 x 2 has 4"):
        datasets.table(path).pictures(2, 2)
