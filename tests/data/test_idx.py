"""The IDX reader: right files are read, and every kind of wrong file is named for what it is."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pellucid.data.idx import read_images, read_labels, read_pair
from pellucid.errors import DataError


def images(count: int = 3, rows: int = 2, columns: int = 4, magic: int = 2051) -> bytes:
    pixels = np.arange(count * rows * columns) % 256
    return struct.pack(">4I", magic, count, rows, columns) + pixels.astype(np.uint8).tobytes()


def labels(values: bytes = b"\x00\x09\x05", magic: int = 2049, count: int | None = None) -> bytes:
    return struct.pack(">2I", magic, len(values) if count is None else count) + values


def put(folder: Path, content: bytes, name: str = "file.gz") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def test_images_and_labels(tmp_path: Path) -> None:
    for name in ("packed.gz", "plain"):
        pictures = read_images(put(tmp_path, images(), name))
        assert pictures.shape == (3, 2, 4)
        assert pictures.dtype == np.uint8
        assert pictures[1].tolist() == [[8, 9, 10, 11], [12, 13, 14, 15]]
        found = read_labels(put(tmp_path, labels(), name))
        assert found.tolist() == [0, 9, 5]
        assert found.dtype == np.int64


def test_only_so_many(tmp_path: Path) -> None:
    path = put(tmp_path, images(5))
    assert read_images(path, limit=2).tolist() == read_images(path)[:2].tolist()
    assert len(read_images(path, limit=99)) == 5
    assert read_labels(put(tmp_path, labels()), limit=2).tolist() == [0, 9]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with 16 bytes, and it has 0"),
        (images()[:10], "begins with 16 bytes, and it has 10"),
        (images(magic=2052), "begin with the number 2051, and begins with 2052"),
        (labels() + b"........", "begins with 2049, which marks labels"),
        (images()[:-1], "promises 3 images of 8 bytes, and it holds 2"),
        (images() + b"12345", "3 images take 24 bytes, and 5 more follow"),
        (struct.pack(">4I", 2051, 2**31, 2**31, 2**31), "which cannot be"),
        (struct.pack(">4I", 2051, 3, 0, 0), "claims 3 x 0 x 0 bytes, which cannot be"),
    ],
)
@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_wrong_images(content: bytes, words: str, name: str, tmp_path: Path) -> None:
    path = put(tmp_path, content, name)
    with pytest.raises(DataError, match=words) as caught:
        read_images(path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (labels(b"\x01\x0a"), "label 1 is 10, but there are 10 classes, 0 to 9"),
        (labels(count=5), "promises 5 labels of 1 byte, and it holds 3"),
        (images(), "begins with 2051, which marks images"),
    ],
)
def test_wrong_labels(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read_labels(put(tmp_path, content))


def test_counts_that_differ(tmp_path: Path) -> None:
    pictures, classes = put(tmp_path, images(4), "images.gz"), put(tmp_path, labels(), "labels.gz")
    with pytest.raises(
        DataError, match=r"images\.gz holds 4 images, but .*labels\.gz holds 3 labels"
    ):
        read_pair(pictures, classes)


def test_files_that_are_not_gzip(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(images())
    with pytest.raises(
        DataError, match=r"file\.gz is not a whole gzip file .* found 40 bytes beginning"
    ):
        read_images(path)
    path.write_bytes(b"<!DOCTYPE html><p>404")
    with pytest.raises(DataError, match="found a web page"):
        read_images(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="begins with 16 bytes, and it has 0"):
        read_images(path)


def test_a_packed_file_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    whole = gzip.compress(images(200))
    for size in range(1, len(whole), 17):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"file\.gz"):
            read_images(path)


good = st.sampled_from([images(), labels(), gzip.compress(images()), gzip.compress(labels())])


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A right file, cut, with some bytes changed or put in."""
    content = bytearray(draw(good))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        how = draw(st.sampled_from(["cut", "change", "insert"]))
        if how == "cut":
            del content[place:]
        elif how == "change" and place < len(content):
            content[place] = draw(st.integers(0, 255))
        else:
            content[place:place] = draw(st.binary(max_size=9))
    return bytes(content)


@given(
    content=spoilt() | st.binary(max_size=60),
    packed=st.sampled_from(["raw", "raw.gz", "packed.gz"]),
)
@example(content=struct.pack(">4I", 2051, 0, 28, 28), packed="raw")
def test_no_file_at_all_breaks_the_reader(
    content: bytes, packed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("idx") / packed
    path.write_bytes(gzip.compress(content) if packed == "packed.gz" else content)
    for read, axes in ((read_images, 3), (read_labels, 1)):
        try:
            found = read(path)
        except DataError:
            continue
        assert found.ndim == axes
