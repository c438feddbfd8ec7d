"""`pellucid data`: what is here, where it is, whether it is whole, how to get it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from pellucid.data import sources
from pellucid.data.catalogue import ALL, File, Source

CONTENT = b"3 1 4 1 5"


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A dataset of two files, one of which is in PELLUCID_DATA; returns its folder there."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    files = tuple(
        File(name, len(CONTENT), sha256, "numbers", ("http://localhost:9/" + name,))
        for name in ("first", "second")
    )
    made = Source("little", "Little", "nine numbers", files, "http://localhost:9", "CC0", "nobody")
    monkeypatch.setitem(ALL, "little", made)
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "little"
    folder.mkdir(parents=True)
    (folder / "first").write_bytes(CONTENT)
    return folder


def test_list_says_what_how_large_where_and_on_what_terms(pellucid: Any) -> None:
    shown = pellucid("data", "list")
    assert shown.exit_code == 0
    for source in ALL.values():
        assert source.name in shown.stdout
    assert "11.6 MB" in shown.stdout
    assert "not here" in shown.stdout
    assert "CC BY-SA 3.0" in shown.stdout
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80


def test_everything_is_told_in_chinese(pellucid: Any, little: Path) -> None:
    shown = pellucid("data", "list", "--lang", "zh-CN").stdout
    assert "七万个手写数字" in shown
    assert "licence" not in shown
    assert max(map(cell_len, shown.splitlines())) <= 80
    shown = pellucid("data", "where", "little", "--lang", "zh-CN").stdout
    assert "second  9 字节" in shown
    assert "放进" in shown
    (little / "first").write_bytes(b"2 7 1 8 2")
    shown = pellucid("data", "verify", "little", "--lang", "zh-CN").stdout
    assert "✗ first  已损坏" in shown
    assert "重新取一次：  pellucid data get little" in shown


def test_list_for_machines(pellucid: Any, little: Path) -> None:
    (little / "second").write_bytes(CONTENT)
    told = {d["name"]: d for d in json.loads(pellucid("data", "list", "--json").stdout)}
    assert list(told) == list(ALL)
    assert told["mnist"]["here"] is False
    assert told["mnist"]["missing"][0] == "train-images-idx3-ubyte.gz"
    assert told["little"]["here"] is True
    assert told["little"]["origin"] == "PELLUCID_DATA"
    assert told["little"]["folder"] == str(little)
    assert told["little"]["bytes"] == 18
    assert told["little"]["licence"] == "CC0"


def test_where_each_file_is_or_would_be(pellucid: Any, little: Path) -> None:
    shown = pellucid("data", "where", "little").stdout
    assert str(little / "first") in shown
    assert "second  9 bytes" in shown
    assert f"put them into {sources.cache() / 'little'}" in shown
    assert "or set PELLUCID_DATA to a folder that has them in little/" in shown
    (little / "second").write_bytes(CONTENT)
    shown = pellucid("data", "where", "little").stdout
    assert str(little / "second") in shown
    assert "put them" not in shown
    (told,) = json.loads(pellucid("data", "where", "little", "--json").stdout)
    assert told["folder"] == str(little)


def test_verify_what_is_whole(pellucid: Any, little: Path) -> None:
    (little / "second").write_bytes(CONTENT)
    shown = pellucid("data", "verify", "little")
    assert shown.exit_code == 0
    assert "✓ first  ok" in shown.stdout
    assert "✓ second  ok" in shown.stdout


def test_verify_what_is_damaged(pellucid: Any, little: Path) -> None:
    (little / "first").write_bytes(b"3 1 4 1 6")
    (little / "second").write_bytes(CONTENT[:4])
    shown = pellucid("data", "verify")
    assert shown.exit_code == 1
    assert "✗ first  damaged\n      SHA-256 " in shown.stdout
    assert "✗ second  damaged\n      4 bytes, expected 9" in shown.stdout
    assert "get it again:  pellucid data get little" in shown.stdout
    told = pellucid("data", "verify", "little", "--json")
    assert told.exit_code == 1
    assert [f["state"] for f in json.loads(told.stdout)["little"]] == ["damaged", "damaged"]


def test_what_is_missing_fails_only_where_it_was_asked_for(pellucid: Any, little: Path) -> None:
    shown = pellucid("data", "verify")
    assert shown.exit_code == 0
    assert "· second  missing" in shown.stdout
    assert pellucid("data", "verify", "little").exit_code == 1


def test_get_what_is_here_already(pellucid: Any, little: Path) -> None:
    (little / "second").write_bytes(CONTENT)
    shown = pellucid("data", "get", "little")
    assert shown.exit_code == 0
    assert str(little) in shown.stdout


def test_get_while_offline_says_what_to_do(pellucid: Any, little: Path) -> None:
    failed = pellucid("data", "get", "little")
    assert failed.exit_code == 1
    assert "nothing is fetched while PELLUCID_OFFLINE is set" in failed.stderr
    assert f"put this file into {sources.cache() / 'little'}" in failed.stderr
    assert "second  9 bytes  SHA-256" in failed.stderr
    told = pellucid("data", "get", "little", "--json")
    assert told.exit_code == 1
    (answer,) = json.loads(told.stdout)
    assert "PELLUCID_OFFLINE" in answer["error"]


def test_get_without_a_network(
    pellucid: Any, little: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PELLUCID_OFFLINE")  # nobody listens at port 9 of this machine
    failed = pellucid("data", "get", "little")
    assert failed.exit_code == 1
    assert "http://localhost:9/second: no connection" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_get_goes_on_with_the_next(pellucid: Any, little: Path) -> None:
    (little / "second").write_bytes(CONTENT)
    done = pellucid("data", "get", "mnist", "little")
    assert done.exit_code == 1
    assert "MNIST is not on this machine" in done.stderr
    assert str(little) in done.stdout


def test_data_that_come_with_another_package(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    assert "in scikit-learn" in pellucid("data", "list", "digits").stdout
    shown = pellucid("data", "verify", "digits")
    assert shown.exit_code == 0
    assert "nothing to verify" in shown.stdout
    monkeypatch.setattr(sources, "find_spec", lambda _: None)
    assert "pip install 'pellucid[book]'" in pellucid("data", "list", "digits").stdout


@pytest.mark.parametrize("command", ["list", "where", "get", "verify"])
def test_a_dataset_that_does_not_exist(pellucid: Any, command: str) -> None:
    failed = pellucid("data", command, "minst")
    assert failed.exit_code == 1
    assert "there is no dataset 'minst'; there are mnist, fashion-mnist" in failed.stderr
    assert failed.stdout == ""


def test_get_needs_a_name(pellucid: Any) -> None:
    failed = pellucid("data", "get")
    assert failed.exit_code == 2
    assert "names" in failed.stderr.lower()


def test_data_alone_shows_its_help(pellucid: Any) -> None:
    shown = pellucid("data").output
    for command in ("list", "where", "get", "verify"):
        assert command in shown


def test_a_file_without_an_address_is_to_be_brought(
    pellucid: Any, little: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PELLUCID_OFFLINE")
    source = ALL["little"]
    bare = tuple(replace(file, urls=()) for file in source.files)
    monkeypatch.setitem(ALL, "little", replace(source, files=bare, note="cut from a larger one"))
    failed = pellucid("data", "get", "little")
    assert failed.exit_code == 1
    assert "cut from a larger one: http://localhost:9" in failed.stderr
