"""Chapter 15's round against the same learning by hand, its refusals, and who gets to know what."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.lab.codec import plain
from pellucid.lab.views.federated_round import PROTECTIONS

ALL = pytest.mark.parametrize("protection", PROTECTIONS)


def opened(**settings):
    view = lab.open_view("federated-round")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view):
    return plain(view.state()["shows"])


def until(view, kind: str, receiver: str | None = None, sender: str | None = None) -> None:
    """Step until such a message comes next."""
    for _ in range(60):
        ahead = view.ahead()
        if (
            ahead.kind == kind
            and receiver in (None, ahead.receiver)
            and sender in (None, ahead.sender)
        ):
            return
        view.handle({"do": "step"})
    raise AssertionError(kind)


def by_hand(data, weights):
    """Each party's examples times what its weights moved, and the mean."""
    updates, count = {}, 0
    for name, (words, spam) in data.items():
        chance = 1 / (1 + np.exp(-(words @ weights)))
        slope = (2 * (chance - spam) * chance * (1 - chance)) @ words
        updates[name] = -0.5 * slope * len(words)
        count += len(words)
    return updates, weights + sum(updates.values()) / count


def numbers_told(view) -> list[float]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {"__name__": "program"})
    return [float(n) for n in printed.getvalue().replace("[", " ").replace("]", " ").split()]


@ALL
def test_two_rounds_are_the_weighted_mean_by_hand(protection: str) -> None:
    view, weights = opened(protection=protection), np.zeros(4)
    for _ in range(2):
        _, weights = by_hand(view.data, weights)
        view.handle({"do": "whole_round"})
        np.testing.assert_allclose(shown(view)["weights"], weights, atol=1e-9)
    np.testing.assert_allclose(numbers_told(view)[-4:], weights, atol=1e-7)


@ALL
def test_a_party_knows_its_own_and_the_coordinator_only_what_it_was_shown(protection: str) -> None:
    view = opened(protection=protection)
    updates, _ = by_hand(view.data, np.zeros(4))
    view.handle({"do": "look", "word": 2})
    view.handle({"do": "whole_round"})
    seen = shown(view)
    *rows, total = seen["known"]
    for name, row in zip(view.names, rows, strict=True):
        for viewer, cell in zip(seen["viewers"], row["cells"], strict=True):
            if viewer == name or (viewer == "coordinator" and protection == "open"):
                assert cell["value"] == pytest.approx(updates[name][2], abs=1e-9)
            else:
                assert "value" not in cell
    assert total["cells"][0]["value"] == pytest.approx(
        sum(u[2] for u in updates.values()), abs=1e-9
    )


def test_nobody_knows_anything_before_the_first_message() -> None:
    assert all(cell == {} for row in shown(opened())["known"] for cell in row["cells"])


@pytest.mark.parametrize("protection", ["masks", "paillier", "shares"])
def test_of_two_in_a_sum_ben_gives_the_other_away(protection: str) -> None:
    view = opened(protection=protection, parties=2, together="ben")
    updates, _ = by_hand(view.data, np.zeros(4))
    view.handle({"do": "whole_round"})
    anna = shown(view)["known"][0]["cells"][0]
    assert anna["worked_out"]
    assert anna["value"] == pytest.approx(updates["Anna"][0], abs=1e-9)
    assert view.state()["said"] == "together-ben"


def test_of_three_in_a_sum_ben_gives_nobody_away() -> None:
    view = opened(protection="masks", together="ben")
    view.handle({"do": "whole_round"})
    assert "value" not in shown(view)["known"][0]["cells"][0]


def test_the_holder_of_the_key_can_give_everybody_away() -> None:
    view = opened(protection="paillier", together="holder")
    updates, _ = by_hand(view.data, np.zeros(4))
    until(view, "lock-up", sender="Ben")
    view.handle({"do": "step"})
    assert shown(view)["known"][1]["cells"][0]["value"] == pytest.approx(updates["Ben"][0])


@pytest.mark.parametrize("at", ["keys-up", "share-up", "mask-up", "agree-up", "unmask-up"])
def test_masks_bear_a_party_that_falls_silent(at: str) -> None:
    view = opened(protection="masks")
    until(view, at, sender="Cleo")
    view.handle({"do": "unplug", "party": "Cleo"})
    view.handle({"do": "step"})
    assert view.state()["said"] == "silent"
    view.handle({"do": "whole_round"})
    delivered = at in ("agree-up", "unmask-up")
    inside = ("Anna", "Ben", "Cleo") if delivered else ("Anna", "Ben")
    _, weights = by_hand({n: view.data[n] for n in inside}, np.zeros(4))
    np.testing.assert_allclose(shown(view)["weights"], weights, atol=1e-9)
    np.testing.assert_allclose(numbers_told(view)[-4:], weights, atol=1e-7)


def test_shares_do_not() -> None:
    view = opened(protection="shares")
    until(view, "parts-up", sender="Ben")
    view.handle({"do": "unplug", "party": "Ben"})
    view.handle({"do": "whole_round"})
    assert shown(view)["ended"].startswith("ShareError: the share of party 1 is missing")
    assert shown(view)["weights"] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("protection", "kind", "error"),
    [
        ("masks", "keys", "threshold is 1 of 3"),
        ("masks", "share", "Anna did not show these keys"),
        ("masks", "share-up", "the seal is broken"),
        ("masks", "agree-up", "not accepted"),
        ("masks", "unmask", "WrongKeyError"),
        ("masks", "unmask-up", "TamperedError"),
        ("shares", "part", "these shares do not belong together"),
        ("shares", "parts-up", "these shares do not belong together"),
    ],
)
def test_forgeries_that_are_noticed(protection: str, kind: str, error: str) -> None:
    view = opened(protection=protection)
    until(view, kind)
    view.handle({"do": "tamper"})
    told = shown(view)["error"]
    while not view.over():
        view.handle({"do": "step"})
        told += shown(view)["error"] + shown(view)["ended"]
    assert error in told
    view.handle({"do": "step"})  # and on it goes, with the next round
    assert view.number == 2


@pytest.mark.parametrize(
    ("protection", "kind"), [("open", "train-up"), ("masks", "mask-up"), ("paillier", "lock-up")]
)
def test_forgeries_that_nobody_notices(protection: str, kind: str) -> None:
    view = opened(protection=protection)
    _, weights = by_hand(view.data, np.zeros(4))
    until(view, kind, sender="Ben")
    view.handle({"do": "tamper"})
    assert view.state()["said"] == "changed"
    view.handle({"do": "whole_round"})
    assert view.state()["said"] == "unnoticed"
    assert shown(view)["weights"][0] == pytest.approx(weights[0] + 10 / 18)
    np.testing.assert_allclose(numbers_told(view)[-4:], shown(view)["weights"], atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("keys-up", "ReplayError"),
        ("mask-up", "OutOfOrderError"),
        ("unmask-up", "SecondUnmaskError"),
    ],
)
def test_what_is_sent_again_is_refused(kind: str, error: str) -> None:
    view = opened(protection="masks")
    until(view, kind, sender="Ben")
    view.handle({"do": "step"})
    view.handle({"do": "resend"})
    assert view.state()["said"] == "refused"
    assert shown(view)["error"].startswith(error)
    view.handle({"do": "whole_round"})
    _, weights = by_hand(view.data, np.zeros(4))
    np.testing.assert_allclose(shown(view)["weights"], weights, atol=1e-9)


def test_what_was_seen_stays_as_it_was_when_the_reader_steps_in() -> None:
    view = opened(protection="paillier")
    until(view, "lock-up", sender="Ben")
    view.handle({"do": "tamper"})
    before = [s.message for s in view.round.sent[: view.at]]
    view.handle({"do": "unplug", "party": "Cleo"})
    after = [s.message for s in view.round.sent[: view.at]]
    assert str(before) == str(after)


def test_openly_a_zero_gives_a_word_away() -> None:
    view = opened()
    until(view, "train-up", sender="Anna")
    view.handle({"do": "step"})
    state = view.state()
    assert state["said"] == "leak"
    assert "lottery" in state["say"]
    assert not view.data["Anna"][0][:, 1].any()
    until(view, "train-up", sender="Cleo")  # whose 0 for lunch is spam and ham in balance: no leak
    view.handle({"do": "step"})
    assert view.last().message["sum"]["update.weight"][0, 3] == 0
    assert view.data["Cleo"][0][:, 3].any()
    assert view.state()["said"] == "train-up"


def test_without_the_extra_the_masks_say_what_is_missing_and_the_rest_goes_on(monkeypatch) -> None:
    import sys

    from pellucid.errors import MissingExtraError

    gone = "cryptography.hazmat.primitives.asymmetric"
    monkeypatch.setitem(sys.modules, gone, None)
    view = opened()
    with pytest.raises(MissingExtraError, match="federated"):
        view.handle({"do": "set", "name": "protection", "value": "masks"})
    view.handle({"do": "set", "name": "protection", "value": "shares"})
    view.handle({"do": "whole_round"})
    assert view.state()["said"] == "done-shares"
