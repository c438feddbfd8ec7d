"""The plan: what is wrong with a file is said with what was meant; and all it says is done."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import ArgumentError, DataError, RoundError
from pellucid.federated import Budget, Identity
from pellucid.federated.errors import BudgetError
from pellucid.federated.example import write_example
from pellucid.federated.federation import EXAMPLE, Task, lead, party_of, read_task, rehearse
from pellucid.federated.keys import read_identity, write_identity
from pellucid.federated.plan import Division, Learning, Network, Plan, Privacy, Protection, Spent
from pellucid.federated.plan_file import read_plan

NAMES = ["anna", "ben", "cleo"]
PLAN = """
[learning]
task = "task.py"
rounds = 2
lr = 0.1

[parties]
anna = ""
ben = ""
"""


def plan_of(folder: Path, text: str) -> Plan:
    (folder / "plan.toml").write_text(text)
    return read_plan(folder / "plan.toml")


def test_a_plan_is_read(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PLAN + '\n[division]\nsizes = [3, "rest"]\nkind = "sizes"\n')
    assert plan.learning == Learning("task.py", 2, 0.1)
    assert plan.learners == ("anna", "ben")
    assert [len(part) for part in plan.divided(np.zeros(10)).values()] == [3, 7]


WRONG = {
    "[learning\n": r"plan\.toml is not TOML: ",
    "": r"has no section \[learning\]: what is learned, at least task, rounds and lr",
    PLAN.replace(
        "[parties]\nanna", "[people]\nanna"
    ): r"no section \[people\]\. There are: .*parties",
    PLAN.replace("[parties]\n", "[partys]\n"): r"no section \[partys\]\. Is parties meant\?",
    PLAN.replace("rounds", "runds"): r"\[learning\] has no key 'runds'\. Is rounds meant\?",
    PLAN.replace("rounds = 2", ""): r"\[learning\] lacks rounds, a whole number",
    PLAN.replace("2", '"two"'): r"\[learning\] rounds is a whole number, not 'two'",
    PLAN.replace("2", "true"): r"\[learning\] rounds is a whole number, not True",
    PLAN.replace("2", "2.0"): r"\[learning\] rounds is a whole number, not 2\.0",
    PLAN.replace("0.1", "-0.1"): r"\[learning\] lr is 0 or more, not -0\.1",
    PLAN.replace("0.1", "nan"): r"\[learning\] lr is 0 or more, not nan",
    PLAN.replace('anna = ""', "anna = 5"): r"\[parties\] anna is a public key in quotes, not 5",
    PLAN.replace('anna = ""\nben = ""', ""): r"\[parties\] names nobody who could learn",
    'network = "here"\n' + PLAN: r"network is a section: write \[network\], and its keys below",
    PLAN + '[protection]\nsum = "secrt"': r"sum is 'secrt'\. Is 'secret' meant\? There are: 'open'",
    PLAN + '[division]\nkind = "likes"': r"kind is 'likes'\. Is 'alike' meant\?",
    PLAN + '[division]\nsizes = ["all"]': r"""whole numbers and at most one "rest", not 'all'""",
    PLAN + '[protection]\nsum = "paillier"': r"holder is '': who holds the key of a locked sum",
    PLAN + '[protection]\nholder = "ben"': r"holder is 'ben', and a sum that is 'open' has no key",
    PLAN + "[privacy]\nclip = 1.0": r"\[privacy\] lacks epsilon, a number",
    PLAN
    + '[privacy]\nclip = 1.0\nepsilon = 1\n[protection]\nsum = "median"': "not 'median': noise",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises((ArgumentError, DataError), match=WRONG[text]):
        plan_of(tmp_path, text)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no plan .*\n.*pellucid federate new FOLDER"):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(DataError, match="is a folder; a plan is a file, such as"):
        read_plan(tmp_path)
    with pytest.raises(DataError, match=r"there is no key .*anna\.key\. Make one"):
        read_identity(tmp_path / "anna.key")
    (tmp_path / "anna.key").write_text("no key")
    with pytest.raises(DataError, match="holds 64 hex digits"):
        read_identity(tmp_path / "anna.key")
    plan = plan_of(tmp_path, PLAN)
    with pytest.raises(ArgumentError, match=r"\[parties\] anna is a public key, 64 hex digits"):
        _ = plan.registry
    with pytest.raises(ArgumentError, match=r"there is no file .*task\.py"):
        read_task(tmp_path / "task.py")
    (tmp_path / "task.py").write_text("def model(): ...\nloss = model")
    with pytest.raises(ArgumentError, match=r"task\.py has no data; it has: model, loss"):
        read_task(tmp_path / "task.py")
    too_few = plan_of(tmp_path, PLAN + '[division]\nkind = "sizes"\nsizes = [1]')
    with pytest.raises(ArgumentError, match="has 1 sizes, and there are 2 parties: anna, ben"):
        too_few.divided(np.zeros(5))


def test_a_key_is_written_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "anna.key"
    made = write_identity(path)
    assert read_identity(path).public == made.public
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ArgumentError, match="a key that is lost cannot be made again"):
        write_identity(path)
    assert read_identity(path).public == made.public


def test_what_is_agreed_on_is_marked_and_where_to_meet_is_not(tmp_path: Path) -> None:
    mark = plan_of(tmp_path, PLAN).mark
    assert plan_of(tmp_path, "# a note\n" + PLAN).mark == mark
    assert plan_of(tmp_path, PLAN + '[network]\naddress = "10.0.0.1:80"').mark == mark
    for change in (PLAN.replace("0.1", "0.2"), PLAN + '[protection]\nsum = "secret"'):
        assert plan_of(tmp_path, change).mark != mark
    assert plan_of(tmp_path, PLAN.replace('ben = ""', f'ben = "{"0" * 64}"')).mark != mark


def test_between_machines_everything_is_encrypted(tmp_path: Path) -> None:
    away = PLAN + '[network]\naddress = "10.0.0.1:9092"\n'
    assert plan_of(tmp_path, PLAN).authority is None
    with pytest.raises(ArgumentError, match=r"10\.0\.0\.1:9092, another machine, and nothing"):
        _ = plan_of(tmp_path, away).authority
    assert plan_of(tmp_path, away + 'authority = "none"').authority is None
    with pytest.raises(DataError, match=r"there is no file .*ca\.pem"):
        _ = plan_of(tmp_path, away + 'authority = "ca.pem"').authority
    (tmp_path / "ca.pem").write_text("")
    assert plan_of(tmp_path, away + 'authority = "ca.pem"').authority == tmp_path / "ca.pem"


# ----------------------------------------------------------------------- what it says is done


@pytest.fixture
def task(tmp_path: Path) -> Task:
    (tmp_path / "task.py").write_text(EXAMPLE)
    return read_task(tmp_path / "task.py")


def plan_for(folder: Path, protection: Protection, **more: Any) -> Plan:
    names = [*NAMES, *([protection.holder] if protection.holder else [])]
    learning = Learning("task.py", rounds=2, lr=0.1, passes=2, **more.pop("learning", {}))
    return Plan(folder, dict.fromkeys(names, ""), learning, protection=protection, **more)


def carried_out(plan: Plan, task: Task, **how: Any) -> dict[str, Any]:
    plan, engine, public = rehearse(plan, task)
    model, _ = lead(plan, task, engine, public=public, **how)
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


LOCKS = [
    Protection("secret", limit=1e4),
    Protection("paillier", limit=1e4, holder="dora"),
    pytest.param(
        Protection("ckks", limit=1e4, holder="dora"),
        marks=pytest.mark.skipif(find_spec("tenseal") is None, reason="no TenSEAL"),
    ),
]


@pytest.mark.parametrize("protection", LOCKS, ids=lambda p: p.sum)
def test_whichever_way_sums_are_hidden_the_same_is_learned(
    tmp_path: Path, task: Task, protection: Protection
) -> None:
    openly = carried_out(plan_for(tmp_path, Protection()), task)
    hidden = carried_out(plan_for(tmp_path, protection), task)
    for name, array in openly.items():
        assert np.allclose(hidden[name], array, atol=1e-3 if protection.sum == "ckks" else 1e-5)


def test_other_settings_do_something(tmp_path: Path, task: Task) -> None:
    openly = carried_out(plan_for(tmp_path, Protection()), task)
    others = [
        plan_for(tmp_path, Protection("median")),
        plan_for(tmp_path, Protection("trimmed")),
        plan_for(tmp_path, Protection(), learning={"mu": 0.5}),
        plan_for(tmp_path, Protection(), learning={"per_round": 2}),
        plan_for(tmp_path, Protection(), learning={"seed": 1}),
        plan_for(tmp_path, Protection(), learning={"batch_size": 10}),
    ]
    for plan in others:
        found = carried_out(plan, task)
        assert any(not np.array_equal(found[name], openly[name]) for name in found), plan
    again = carried_out(plan_for(tmp_path, Protection()), task)
    assert all(np.array_equal(again[name], openly[name]) for name in again)


@pytest.mark.skipif(find_spec("dp_accounting") is None, reason="no dp-accounting")
@pytest.mark.parametrize("sum", ["open", "secret"])
def test_a_privacy_budget(tmp_path: Path, task: Task, sum: str) -> None:
    private = Privacy(epsilon=50.0, clip=0.5)
    plan = plan_for(tmp_path, Protection(sum), privacy=private)
    first, second = carried_out(plan, task), carried_out(plan, task)
    assert any(not np.array_equal(first[name], second[name]) for name in first)  # noise
    journal = tmp_path / "j"
    carried_out(plan, task, journal=journal)
    assert (tmp_path / "j.spent").read_text() == "2"
    journal.unlink()  # as if the rounds had been lost: they were told all the same
    with pytest.raises(BudgetError, match="the privacy budget is spent"):
        carried_out(plan, task, journal=journal)
    budget = Spent(private, plan.noise, tmp_path / "j.spent")
    assert isinstance(budget, Budget)
    assert budget.rounds == 2


def test_who_is_no_party(tmp_path: Path, task: Task) -> None:
    plan = plan_for(tmp_path, Protection("secret"))
    with pytest.raises(
        ArgumentError, match="the plan has no party 'dora'; it has: anna, ben, cleo"
    ):
        party_of(plan, task, "dora")
    plan, *_ = rehearse(plan, task)
    with pytest.raises(ArgumentError, match="this is not the key of anna"):
        party_of(plan, task, "anna", Identity())


def test_too_few_are_left(tmp_path: Path, task: Task) -> None:
    plan, engine, _ = rehearse(plan_for(tmp_path, Protection(), learning={"at_least": 3}), task)
    del engine._parties["cleo"]
    engine._parties["cleo"] = lambda state, message: (None, state)
    with pytest.raises(RoundError, match="of 3 parties asked, 2 are in the sum"):
        lead(plan, task, engine)


@pytest.mark.parametrize("sum", ["open", "secret", "paillier"])
def test_an_example_to_begin_with(tmp_path: Path, sum: str) -> None:
    folder = tmp_path / "mine"
    path = write_example(folder, NAMES, sum, "task.py", "127.0.0.1:9092")
    plan = read_plan(path)
    assert plan.learners == tuple(NAMES)
    assert plan.registry["anna"] == read_identity(folder / "anna.key").public
    assert (plan.public_key() is not None) == (sum == "paillier")
    with pytest.raises(ArgumentError, match="is there already: name another folder"):
        write_example(folder, NAMES, sum, "task.py", "127.0.0.1:9092")


def test_the_example_learns(tmp_path: Path) -> None:
    plan = read_plan(write_example(tmp_path / "mine", NAMES, "open", "task.py", "127.0.0.1:9092"))
    task = read_task(plan.folder / "task.py")
    _, rounds = lead(plan, task, rehearse(plan, task)[1])
    assert rounds[-1]["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("names", "sum", "why"),
    [
        (["anna"], "open", "at least two parties"),
        (["anna", "anna"], "open", "a name of its own"),
        (["anna", "../ben"], "open", "'../ben' is no name for a party"),
        (["anna", "ben"], "sum", "the sum is 'sum'; there are: open, secret"),
    ],
)
def test_examples_that_make_no_sense(tmp_path: Path, names: list[str], sum: str, why: str) -> None:
    with pytest.raises(ArgumentError, match=why):
        write_example(tmp_path / "new", names, sum, "task.py", "127.0.0.1:9092")
    assert not (tmp_path / "new").exists()


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["federate.md", "federate.zh-CN.md"])
def test_the_page_about_plans_is_complete(page: str) -> None:
    """Every key that there is stands in its table, with what it is if it is left out."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"\| `\[(\w+)\]` \|", line):
            section = heading[1]
        elif row := re.match(r"\| `(\w+)` \| .* \| ?(.*?) ?\|$", line):
            found.setdefault(section, {})[row[1]] = row[2]
    for kind in (Learning, Division, Protection, Privacy, Network):
        rows = found[kind.__name__.lower()]
        assert set(rows) == {about.name for about in fields(kind)}
        for about in fields(kind):
            if about.default not in (MISSING, "") and rows[about.name]:
                assert tomllib.loads(f"x = {rows[about.name]}")["x"] == about.default, about.name
