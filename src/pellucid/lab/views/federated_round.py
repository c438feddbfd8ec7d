"""Chapter 15: a federated round, message by message, and what each of those who take part can see."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_bytes
from typing import Any

import numpy as np

from pellucid.errors import ArgumentError

from ..one_round import (
    COORDINATOR,
    HOLDER,
    NAMES,
    WORDS,
    Done,
    Round,
    Sent,
    contributions,
    lesson_keys,
    mails,
    play,
    room,
    written,
)  # fmt: skip
from ..settings import Choice, Slider
from ..view import Sentence, View, action

Array = Any
Cell = dict[str, Any]

WINDOW = 9  # messages in the picture
PROTECTIONS = ("open", "masks", "paillier", "shares")
FIRST_UPDATE = 2  # a contribution is examples, loss, and an update for each word


class FederatedRound(View):
    """Parties keep their mails and learn one spam filter: a lane for each, and who knows what.

    Break it: unplug a party, change a message, send one twice, leave out the protection, leave only two
    parties, or let two of them put together what they know.
    """

    name = "federated-round"
    chapter = 15
    shared = ("data", "secrets")
    settings = {
        "protection": Choice("open", PROTECTIONS),
        "parties": Slider(3, 2, 4, 1),
        "together": Choice("nobody", ("nobody", "holder", "ben")),
    }

    def start(self) -> None:
        self.names = NAMES[: int(self.value["parties"])]
        self.data = mails(self.names, self.seed)
        self.secrets = {name: token_bytes(32) for name in self.names}
        self.weights = np.zeros(len(WORDS))
        self.states: dict[str, bytes] = {}
        self.number, self.at = 1, 0
        self.chosen, self.whose = 0, self.names[0]
        self.rounds: list[
            tuple[tuple[str, ...], bool, Array]
        ] = []  # in the sum, forged, weights after
        self.begin()

    def changed(self, name: str) -> None:
        if name != "together":
            self.start()

    # ------------------------------------------------------------------------------ a round, and faults

    def begin(self) -> None:
        """A round with the weights as they are."""
        self.done, self.at = Done(), 0
        self.round = Round([], self.weights, self.states)
        self.play()

    def play(self) -> None:
        """The whole round, with what the reader has done to it; what has been seen stays as it was."""
        seen = {s.key for s in self.round.sent[: self.at]}
        kept = self.done.kept
        self.done.kept = {k: v for k, v in kept.items() if k in seen or not _exchange(k)}
        self.round = play(
            self.value["protection"], self.data, self.weights, self.secrets, self.states, self.number,
            self.done,
        )  # fmt: skip

    def over(self) -> bool:
        """Whether the round is over: the sum is known, or it was given up."""
        return self.at > len(self.round.sent)

    def last(self) -> Sent | None:
        """The message that was seen last."""
        return self.round.sent[self.at - 1] if 0 < self.at <= len(self.round.sent) else None

    def ahead(self) -> Sent | None:
        """The message that comes next."""
        return self.round.sent[self.at] if self.at < len(self.round.sent) else None

    def step(self) -> None:
        if self.over():
            self.weights, self.states = self.round.weights, self.round.states
            self.number += 1
            self.begin()
        self.at += 1
        if self.over():
            total = self.round.total
            self.rounds.append(
                (total.parties if total else (), bool(self.done.changed), self.round.weights)
            )

    @action
    def whole_question(self) -> None:
        """On to the last answer to the question at hand."""
        self.step()
        while (last := self.last()) and (ahead := self.ahead()) and ahead.key[0] == last.key[0]:
            self.step()

    @action
    def whole_round(self) -> None:
        """On to the end of the round."""
        self.step()
        while not self.over():
            self.step()

    @action
    def unplug(self, party: str) -> None:
        """Pull a party's plug: it says nothing from now on, until the next round."""
        if party not in (*self.names, HOLDER):
            raise ArgumentError(f"there is no party {party!r}; there are: {', '.join(self.names)}")
        if self.over() or party in self.done.silent:
            return
        answered = [s.key[0] for s in self.round.sent[: self.at] if s.sender == party]
        later = [
            s.key[0] for s in self.round.sent[self.at :]
            if s.sender == party and s.key[0] not in answered
        ]  # fmt: skip
        if not later:
            return
        self.done.silent[party] = later[0]
        self.done.kept.pop((later[0], party), None)
        self.play()

    @action
    def tamper(self) -> None:
        """Change the next message on its way."""
        message = self.ahead()
        if message is None or message.message is None or message.was == "again":
            return
        way = "down" if message.receiver == message.key[1] else "up"
        self.done.changed.add((*message.key, message.receiver if message.kind == "part" else way))
        self.play()
        self.step()

    @action
    def resend(self) -> None:
        """Send the last question once more to the party that has it."""
        last = self.last()
        if last is None or last.kind == "part" or (last.sender == COORDINATOR and not self.ahead()):
            return
        if last.sender == COORDINATOR:
            self.step()  # let it answer first
            last = self.round.sent[self.at - 1]
        if last.was in ("silent", "refused", "again"):
            return
        self.done.again.add(last.key)
        self.play()
        self.step()
        if (ahead := self.ahead()) and ahead.key == last.key:
            self.step()

    @action
    def look(self, word: int) -> None:
        """Look at another word."""
        self.chosen = max(0, min(len(WORDS) - 1, word))

    @action
    def visit(self, party: str) -> None:
        """Look at the mails of another party."""
        if party in self.names:
            self.whose = party

    # ------------------------------------------------------------------------------- who knows what

    def viewers(self) -> list[str]:
        """Who looks on: the coordinator, the parties, and the holder of the key where there is one."""
        holder = [HOLDER] if self.value["protection"] == "paillier" else []
        return [COORDINATOR, *self.names, *holder]

    def known(self) -> dict[str, dict[str, Cell]]:
        """By party, and by who looks: the update of the chosen word, its cover, or nothing.

        Made from the messages that each has sent or received so far, and from nothing else.
        """
        place = FIRST_UPDATE + self.chosen
        viewers = self.viewers()
        cells: dict[str, dict[str, Cell]] = {
            n: {v: {} for v in viewers} for n in (*self.names, "sum")
        }
        own: dict[str, Array] = {}
        for s in self.round.sent[: self.at]:
            if s.message is not None and s.was != "again" and (asked := weights_in(s.message)):
                name = s.receiver
                own[name] = contributions({name: self.data[name]}, asked["weight"][0])[name]
            cut = s.kind in ("part", "parts-up")  # with shares a party trains, and tells nobody
            if s.sender in own and (
                cut or (s.message and s.kind in ("train-up", "lock-up", "mask-up"))
            ):
                cells[s.sender][s.sender] = {"value": own[s.sender][place]}
            if s.message is None:
                continue
            if "sum" in s.message and s.receiver in viewers and s.message["sum"]:
                values = np.concatenate([np.ravel(a) for a in s.message["sum"].values()])
                cells[s.sender][COORDINATOR] = {"value": values[place]}
            elif s.kind == "mask-up":
                cells[s.sender][COORDINATOR] = {"cover": str(int(s.message["masked"][place]))}
            elif s.kind == "lock-up":
                cells[s.sender][COORDINATOR] = {"cover": s.message["locked"]["locked"].hex()}
            elif s.kind == "open-sum":
                cells["sum"][COORDINATOR] = {"cover": s.message["locked"]["locked"].hex()}
            elif s.kind == "open-sum-up":
                cells["sum"][HOLDER] = {"value": s.message["numbers"][place]}
            elif s.kind == "part":
                cells[s.sender][s.receiver] = {"cover": str(int(s.message["part"][place]))}
            elif s.kind == "parts-up" and self.value["protection"] == "shares":
                cells["sum"][s.sender] = {"cover": str(int(s.message["part"][place]))}
                cells["sum"][COORDINATOR] = {"cover": str(int(s.message["part"][place]))}
        if self.over() and self.round.total is not None:
            cells["sum"][COORDINATOR] = {"value": self.total()[place]}
        self.put_together(cells, place)
        return cells

    def put_together(self, cells: dict[str, dict[str, Cell]], place: int) -> None:
        """What the coordinator knows besides, where somebody tells it all that they know."""
        together = self.value["together"]
        if together == "holder" and self.value["protection"] == "paillier":
            keys, encoding = lesson_keys(), room(len(self.names))
            for s in self.round.sent[: self.at]:
                if s.kind == "lock-up" and s.message is not None:
                    locked = keys.public.vector_from_plain(s.message["locked"], encoding)
                    opened = keys.decrypt_vector(locked)[place]
                    cells[s.sender][COORDINATOR] = {"value": opened, "worked_out": True}
        if together != "ben" or "Ben" not in self.names:
            return
        for name in self.names:
            if "value" in cells[name]["Ben"] and "value" not in cells[name][COORDINATOR]:
                cells[name][COORDINATOR] = {**cells[name]["Ben"], "worked_out": True}
        total, own = cells["sum"][COORDINATOR], cells["Ben"][COORDINATOR]
        if self.round.total is None or "value" not in total or "value" not in own:
            return
        others = [n for n in self.round.total.parties if n != "Ben"]
        if len(others) == 1 and "value" not in cells[others[0]][COORDINATOR]:
            rest = total["value"] - (own["value"] if "Ben" in self.round.total.parties else 0.0)
            cells[others[0]][COORDINATOR] = {"value": rest, "worked_out": True}

    def total(self) -> Array:
        """The sum of the round: (6,) examples, loss, and four updates."""
        assert self.round.total is not None
        return np.concatenate([np.ravel(a) for a in self.round.total.sums.values()])

    # ---------------------------------------------------------------------------------- what is seen

    def shows(self) -> Mapping[str, Any]:
        viewers, known = self.viewers(), self.known()
        first = max(0, self.at - WINDOW)
        if self.over():
            first = max(0, len(self.round.sent) - WINDOW)
        seen = self.round.sent[first : self.at]
        words, spam = self.data[self.whose]
        last, ahead = self.last(), self.ahead()
        total = self.total() if self.over() and self.round.total is not None else None
        return {
            "round": self.number,
            "viewers": viewers,
            "labels": [self.word(v) for v in viewers],
            "silent": list(self.done.silent),
            "first": first,
            "sent": [self.row(s, viewers) for s in seen],
            "ahead": self.row(ahead, viewers) if ahead is not None else None,
            "error": "" if last is None else last.error,
            "ended": self.round.ended if self.over() else "",
            "over": self.over(),
            "fields": self.parts(),
            "words": [self.word(w) for w in WORDS],
            "word": self.chosen,
            "known": [
                {"name": self.word(n), "cells": [known[n][v] for v in viewers]} for n in known
            ],
            "whose": self.whose,
            "who": self.word(self.whose),
            "mails": np.column_stack([words, spam]),
            "weights": self.round.weights if self.over() else self.weights,
            "total": total,
            "bytes": sum(s.size for s in self.round.sent[: self.at]),
            "messages": min(self.at, len(self.round.sent)),
            "can_tamper": bool(ahead and ahead.message is not None and ahead.was != "again"),
            "can_again": bool(last and last.kind != "part" and last.was not in ("silent", "refused", "again")),
        }  # fmt: skip

    def parts(self) -> list[dict[str, Any]]:
        """What is in the message that was seen last, or in the sum."""
        if self.over():
            return fields(self.round.total.sums) if self.round.total is not None else []
        last = self.last()
        return fields(last.message) if last is not None and last.message is not None else []

    def row(self, s: Sent, viewers: list[str]) -> dict[str, Any]:
        """A message as the picture needs it."""
        return {
            "kind": s.kind,
            "from": viewers.index(s.sender),
            "to": viewers.index(s.receiver),
            "size": s.size,
            "was": s.was,
            "noticed": bool(s.error) and s.was != "silent",
        }

    def sentence(self) -> Sentence:
        last = self.last()
        values: dict[str, Any] = {
            "round": self.number,
            "parties": len(self.names),
            "word": self.word(WORDS[self.chosen]),
        }
        if self.at == 0:
            return "start", values
        if last is None:
            return self.ending(values)
        values |= {
            "sender": self.word(last.sender), "receiver": self.word(last.receiver),
            "size": last.size, "party": self.word(last.key[1]),
        }  # fmt: skip
        if last.was == "silent":
            return "silent", values
        if last.error:
            return ("refused" if last.message is None else "not-accepted"), values
        if last.was == "changed":
            return ("changed-part" if last.kind in ("part", "parts-up") else "changed"), values
        if last.was == "again":
            return "again", values
        if last.kind == "train-up":
            assert last.message is not None
            met = self.data[last.sender][0].any(axis=0)
            told = last.message["sum"]["update.weight"][0]
            never = [w for w, m, u in zip(WORDS, met, told, strict=True) if not m and u == 0]
            if never:
                return "leak", {**values, "never": self.word(never[0])}
        return last.kind, values

    def ending(self, values: dict[str, Any]) -> Sentence:
        """What has come of the round, and what its protection does not do."""
        total = self.round.total
        if total is None:
            return "given-up", values
        values |= {
            "inside": len(total.parties),
            "total": self.total()[FIRST_UPDATE + self.chosen],
            "weight": self.round.weights[self.chosen],
        }
        if self.done.changed and not any(s.error and s.was != "silent" for s in self.round.sent):
            return "unnoticed", values
        known, others = self.known(), [n for n in self.names if n != "Ben"]
        caught = [n for n in others if known[n][COORDINATOR].get("worked_out")]
        if caught:
            cell = known[caught[0]][COORDINATOR]["value"]
            caught_values = {**values, "name": self.word(caught[0]), "update": cell}
            return f"together-{self.value['together']}", caught_values
        if len(total.parties) == 2 and self.value["protection"] != "open":
            one, other = (self.word(name) for name in total.parties)
            return "two", {**values, "one": one, "other": other}
        if len(total.parties) == 1:
            return "one", {**values, "one": self.word(total.parties[0])}
        return f"done-{self.value['protection']}", values

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = [
            (s.key[0], self.word(s.sender), self.word(s.receiver), self.word(s.kind), s.size,
             self.word(s.was) if s.was else "", s.error)
            for s in self.round.sent[: self.at]
        ]  # fmt: skip
        headings = ("question", "from", "to", "message", "bytes", "what happened", "error")
        return headings, rows or [(0, "", "", "", 0, "", "")]

    def python(self) -> str:
        return written(self.value["protection"], self.data, self.rounds)


def weights_in(message: Mapping[str, Any]) -> Any:
    """The weights that a party is to go on from, by name; None where a message asks for something else."""
    return (message.get("ask") or message).get("weights")


def _exchange(key: Any) -> bool:
    """Whether this is the key of a question to a party."""
    return isinstance(key, tuple) and isinstance(key[0], int)


def fields(message: Mapping[str, Any], at: str = "") -> list[dict[str, Any]]:
    """What is in a message, part by part: numbers where there are few, else how they begin."""
    found: list[dict[str, Any]] = []
    for name, value in message.items():
        path = f"{at}.{name}" if at else str(name)
        if isinstance(value, Mapping):
            found += fields(value, path)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            found.append({"name": path, "numbers": value.ravel()[:8]})
        elif isinstance(value, np.ndarray):
            found.append({"name": path, "text": " ".join(str(int(v)) for v in value.ravel()[:8])})
        elif isinstance(value, bytes):
            found.append({"name": path, "text": f"{value.hex()[:40]}…", "bytes": len(value)})
        elif isinstance(value, list):
            found.append({"name": path, "text": f"({', '.join(map(str, value))})"})
        else:
            found.append({"name": path, "text": str(value)})
    return found
