"""Where datasets are looked for, how they are fetched (never in a test), and the stand-in."""

from __future__ import annotations

import gzip
import hashlib
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data import DataLoader, catalogue, datasets, sources
from pellucid.data.catalogue import File, Source
from pellucid.errors import ArgumentError, DataError, DownloadError, MissingExtraError

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def small_mnist(folder: Path, count: int = 4, first: int = 0) -> None:
    folder.mkdir(parents=True)
    pixels = (np.arange(count * 784) % 256).astype(np.uint8).tobytes()
    (folder / IMAGES).write_bytes(gzip.compress(struct.pack(">4I", 2051, count, 28, 28) + pixels))
    classes = bytes((first + i) % 10 for i in range(count))
    (folder / LABELS).write_bytes(gzip.compress(struct.pack(">2I", 2049, count) + classes))


# --------------------------------------------------------------------------------------- the table


def test_the_table_is_complete() -> None:
    assert set(sources.ALL) == {
        "mnist", "fashion-mnist", "digits", "imdb", "babi", "shakespeare", "enron", "rt-polarity",
    }  # fmt: skip
    for name, source in sources.ALL.items():
        assert source.name == name
        assert source.licence
        assert source.citation
        assert source.home.startswith("http")
        for file in source.files:
            assert len(file.sha256) == 64
            assert int(file.sha256, 16)
            assert file.bytes > 0
            assert source.file(file.name) is file
        if any(not file.urls and not file.optional for file in source.files):
            assert source.note


def test_the_table_says_what_the_real_files_are(real: Callable[[str], None]) -> None:
    """All but their SHA-256, which would take long: `pellucid data verify` does that."""
    real("mnist")
    for name, source in sources.ALL.items():
        for file in source.files:
            place = sources.find(name, file.name)
            if place is not None and place[0].name == file.name:
                assert place[0].stat().st_size == file.bytes


def test_names_are_forgiving() -> None:
    assert sources.source("Fashion_MNIST") is catalogue.FASHION_MNIST
    with pytest.raises(ArgumentError, match="no dataset 'mnits'; there are mnist, fashion-mnist"):
        sources.source("mnits")


# ---------------------------------------------------------------------------------- looking for it


def test_the_named_folder_comes_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_mnist(tmp_path / "cache" / "mnist", first=3)
    assert datasets.mnist().source == "cache"
    small_mnist(tmp_path / "mine" / "mnist", first=5)
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "mine"))
    digits = datasets.mnist()
    assert (digits.source, digits.announce, digits.name) == ("PELLUCID_DATA", "", "mnist")
    assert digits.labels.tolist() == [5, 6, 7, 8]


def test_pixels_and_images(tmp_path: Path) -> None:
    small_mnist(tmp_path / "cache" / "mnist")
    digits = datasets.mnist()
    assert digits.pixels.dtype == np.uint8
    assert digits.images.dtype == np.float32
    assert digits.images.max() == 1
    assert (digits.images * 255 == digits.pixels).all()
    assert digits.images is digits.images
    assert (digits.shape, len(digits), len(datasets.mnist(limit=2))) == ((28, 28), 4, 2)
    images, labels = next(iter(DataLoader(digits.dataset(), batch_size=3)))
    assert images.shape == (3, 28, 28)
    assert labels.tolist() == [0, 1, 2]


def test_fashion_has_names(tmp_path: Path) -> None:
    small_mnist(tmp_path / "cache" / "fashion-mnist")
    clothes = datasets.fashion_mnist()
    assert clothes.classes[clothes.labels[1]] == "Trouser"


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    small_mnist(tmp_path / "cache" / "mnist")
    (tmp_path / "cache" / "mnist" / LABELS).write_bytes(b"oops")
    with pytest.raises(DataError, match=LABELS):
        datasets.mnist()


def test_locate(tmp_path: Path) -> None:
    place = sources.locate("mnist")
    assert not place.here
    assert len(place.missing) == 4
    assert place.folder == tmp_path / "cache" / "mnist"
    small_mnist(tmp_path / "cache" / "mnist")
    assert len(sources.locate("mnist").missing) == 2
    assert sources.locate("digits").origin == "scikit-learn"


def test_verify(tmp_path: Path) -> None:
    assert {check.state for check in sources.verify("mnist")} == {"missing"}
    small_mnist(tmp_path / "cache" / "mnist")
    damaged = sources.verify("mnist")[0]
    assert damaged.state == "damaged"
    assert damaged.words.endswith("expected 9,912,422")
    assert sources.verify("digits") == []


# --------------------------------------------------------------------------------------- fetching


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A dataset of one small file, at two addresses."""
    content = b"hello, digits"
    urls = ("https://first.invalid/toy.txt", "https://second.invalid/toy.txt")
    file = File("toy.txt", len(content), hashlib.sha256(content).hexdigest(), "a toy", urls)
    toy = Source("toy", "Toy", "for tests", (file,), "https://toy.invalid", "none", "nobody")
    monkeypatch.setitem(sources.ALL, "toy", toy)
    monkeypatch.delenv("PELLUCID_OFFLINE")
    return content


def servers(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> list[str]:
    """In place of the network: what each server answers."""
    import requests

    asked: list[str] = []

    class Answer:
        def __init__(self, content: bytes) -> None:
            self.content = content
            self.headers = {"content-length": str(len(content))}

        def raise_for_status(self) -> None:
            pass

        def iter_content(self, chunk_size: int) -> list[bytes]:
            return [self.content]

    class Refusal(Answer):
        status_code, reason = 404, "Not Found"

        def raise_for_status(self) -> None:
            raise requests.HTTPError("404", response=self)  # type: ignore[arg-type]

    def get(url: str, **_: Any) -> Answer:
        asked.append(url)
        found = answers[url.split("/")[2]]
        if isinstance(found, Exception):
            raise found
        return Refusal(b"") if found is None else Answer(found)

    monkeypatch.setattr(requests, "get", get)
    return asked


def test_fetching_checks_and_keeps(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = servers(monkeypatch, {"first.invalid": toy})
    place = sources.fetch("toy")
    assert place.origin == "cache"
    assert (tmp_path / "cache" / "toy" / "toy.txt").read_bytes() == toy
    assert [check.state for check in sources.verify("toy")] == ["good"]
    sources.fetch("toy")
    assert len(asked) == 1


def test_the_next_server_is_asked(toy: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = servers(monkeypatch, {"first.invalid": None, "second.invalid": toy})
    assert sources.fetch("toy").here
    assert len(asked) == 2


def test_a_bar_is_shown_where_wanted(
    toy: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    servers(monkeypatch, {"first.invalid": toy})
    assert sources.fetch("toy", progress=True).here
    assert capsys.readouterr().out == ""


def test_without_a_network_one_is_told_what_to_do(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers(monkeypatch, {"first.invalid": OSError("no route"), "second.invalid": None})
    with pytest.raises(DownloadError) as caught:
        sources.fetch("toy")
    told = caught.value.message
    assert "https://first.invalid/toy.txt: no connection" in told
    assert "https://second.invalid/toy.txt: the server answered 404 Not Found" in told
    assert f"put this file into {tmp_path / 'cache' / 'toy'}" in told
    assert "toy.txt  13 bytes  SHA-256" in told
    assert "set PELLUCID_DATA" in told


def test_another_file_than_the_published_is_not_kept(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers(monkeypatch, {"first.invalid": b"something else", "second.invalid": b"<html>"})
    with pytest.raises(DownloadError, match="its SHA-256 differs"):
        sources.fetch("toy")
    assert not (tmp_path / "cache" / "toy" / "toy.txt").exists()
    assert not sources.locate("toy").here


def test_nothing_is_fetched_offline(toy: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = servers(monkeypatch, {"first.invalid": toy})
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    with pytest.raises(DownloadError, match="while PELLUCID_OFFLINE is set"):
        sources.fetch("toy")
    assert asked == []


def test_only_what_is_asked_for_is_fetched(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sources.ALL["toy"].files[0]
    other = replace(file, name="other.txt", urls=("https://other.invalid/other.txt",))
    monkeypatch.setitem(sources.ALL, "toy", replace(sources.ALL["toy"], files=(other, file)))
    asked = servers(monkeypatch, {"first.invalid": toy, "other.invalid": toy})
    with pytest.raises(DownloadError, match=r"Toy is not on this machine\. How to get it"):
        sources.obtain("toy", "toy.txt", download=False)
    path = tmp_path / "cache" / "toy" / "toy.txt"
    assert sources.obtain("toy", "toy.txt") == ([path], "download")
    assert sources.obtain("toy", "toy.txt") == ([path], "cache")
    assert asked == ["https://first.invalid/toy.txt"]
    assert sources.locate("toy").missing == ("other.txt",)


def test_a_part_that_is_enough_serves_for_the_whole(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sources.ALL["toy"].files[0]
    part = replace(file, name="part.txt", urls=(), optional=True, serves_for="toy.txt")
    monkeypatch.setitem(sources.ALL, "toy", replace(sources.ALL["toy"], files=(file, part)))
    asked = servers(monkeypatch, {"first.invalid": toy})
    assert sources.locate("toy").missing == ("toy.txt",)
    path = tmp_path / "cache" / "toy" / "part.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(toy)
    assert sources.obtain("toy", "toy.txt") == ([path], "cache")
    assert [(check.path, check.state) for check in sources.verify("toy")] == [(path, "good")]
    assert asked == []


def test_what_is_published_otherwise_is_not_fetched(
    toy: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = replace(sources.ALL["toy"].files[0], urls=())
    only_here = replace(sources.ALL["toy"], files=(file,), note="repacked")
    monkeypatch.setitem(sources.ALL, "toy", only_here)
    with pytest.raises(DownloadError, match=r"repacked: https://toy\.invalid"):
        sources.fetch("toy")


def test_a_cache_that_cannot_be_written(
    toy: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DownloadError, match="Name another folder: PELLUCID_CACHE"):
        sources.fetch("toy")


# -------------------------------------------------------------------------- digits and the stand-in


def test_digits_are_divided_fairly() -> None:
    train, test = datasets.digits(), datasets.digits(train=False)
    assert (len(train), len(test)) == (1540, 257)
    assert min(np.bincount(test.labels)) >= 23
    assert (train.shape, train.source, train.announce) == ((8, 8), "scikit-learn", "")
    assert train.images.max() == 1
    assert not {p.tobytes() for p in test.pixels} & {p.tobytes() for p in train.pixels}


def test_digits_stand_in_for_mnist_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DownloadError, match="With stand_in=True, scikit-learn's"):
        datasets.mnist()
    digits = datasets.mnist(stand_in=True)
    assert (
        "MNIST is not at hand, so scikit-learn's real handwritten digits" in capsys.readouterr().err
    )
    assert digits.stands_in
    assert digits.name == "digits"
    datasets.mnist(stand_in=True, quiet=True)
    assert capsys.readouterr().err == ""


def test_without_permission_to_fetch() -> None:
    with pytest.raises(DownloadError, match="pellucid data get mnist"):
        datasets.mnist(download=False)


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pellucid\[book\]"):
        datasets.digits()
