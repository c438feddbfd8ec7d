"""From memory, in Chromium: a wrong answer, hints, a right answer, and what the browser remembers."""

from __future__ import annotations

import pytest

from pellucid.lab import exercises, texts

WRONG = "def weighted_sum(inputs, weights):\n    return inputs * weights\n"
RIGHT = "def weighted_sum(inputs, weights):\n    return (inputs * weights).sum()\n"


def check(page, name: str, code: str, kind: str) -> str:
    """Type an answer and check it. What is said."""
    card = page.locator(f"#{name}")
    card.locator("textarea").fill(code)
    card.locator('[data-do="check"]').click()
    page.locator(f'#{name}[data-kind="{kind}"]').wait_for()
    card.locator('[data-do="check"]:enabled').wait_for()
    return card.locator(".say").inner_text()


def test_a_wrong_answer_then_a_right_one(site) -> None:
    with site.open("/chapter/3?lang=en") as page:
        card = page.locator("#weighted-sum")
        card.wait_for()
        assert page.locator(".exercise").count() == len(exercises.of_chapter(3))
        told = check(page, "weighted-sum", WRONG, "mistake")
        mistakes = texts.read("en", "exercises")["weighted-sum"]["mistakes"]
        assert told == mistakes["not added"]
        assert card.locator(".marks .no").count() == len(exercises.find("weighted-sum").cases)
        assert not card.locator(".solved").count()
        assert check(page, "weighted-sum", RIGHT, "right").startswith("All right")
        card.locator(".solved").wait_for()
        page.reload()
        card.locator(".solved").wait_for()
        assert card.locator("textarea").input_value() == RIGHT
        page.goto(site.root + "/")
        met = page.locator(".contents li").nth(2).locator(".met")
        page.locator(".contents li").nth(2).get_by_text("/").wait_for()
        assert met.inner_text().startswith("1/")


def test_numbers_are_shown_and_the_wrong_one_is_marked(site) -> None:
    code = "def vector_matrix(inputs, weights):\n    y = weights @ inputs\n    y[-1] += 1\n    return y\n"
    with site.open("/chapter/3?lang=en") as page:
        page.locator("#vector-matrix").wait_for()
        told = check(page, "vector-matrix", code, "differs")
        e = exercises.find("vector-matrix")
        wanted = e.right(e.cases[0])[0]
        rows = page.locator("#vector-matrix .row")
        shown = [rows.nth(i).locator("td").all_inner_texts() for i in range(3)]
        assert [float(x) for x in shown[1]] == pytest.approx(wanted)
        assert [float(x) for x in shown[2]] == pytest.approx([*wanted[:-1], wanted[-1] + 1])
        assert page.locator("#vector-matrix td.wrong").all_inner_texts() == shown[2][-1:]
        assert "vector_matrix[2] should be 0.965" in told


def test_hints_come_one_by_one_and_with_further_attempts(site) -> None:
    hints = texts.read("en", "exercises")["weighted-sum"]["hints"]
    with site.open("/chapter/3?lang=en") as page:
        card = page.locator("#weighted-sum")
        card.wait_for()
        shown = card.locator(".hints li span")
        assert shown.count() == 0
        check(page, "weighted-sum", WRONG, "mistake")
        assert shown.count() == 0
        check(page, "weighted-sum", "def weighted_sum(", "syntax")
        assert card.locator(".lines .blame").inner_text() == "1"
        assert shown.count() == 1
        card.locator('[data-do="hint"]').click()
        card.locator('[data-do="hint"]').click()
        assert shown.all_inner_texts() == [h.replace("`", "") for h in hints]
        assert card.locator('[data-do="hint"]').count() == 0
        card.locator('[data-do="over"]').click()
        assert card.locator("textarea").input_value().count("...") == 1


def test_the_editor_knows_tab_and_can_be_left(site) -> None:
    with site.open("/chapter/3?lang=en") as page:
        area = page.locator("#weighted-sum textarea")
        area.fill("")
        area.focus()
        page.keyboard.type("def weighted_sum(inputs, weights):\nif True:\nreturn inputs @ weights")
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("x = 1")
        assert area.input_value() == (
            "def weighted_sum(inputs, weights):\n    if True:\n        return inputs @ weights\n        x = 1"
        )
        page.keyboard.press("Control+a")
        page.keyboard.press("Tab")
        assert area.input_value().startswith("    def weighted_sum(inputs, weights):\n        if")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+Shift+z")
        page.keyboard.press("Control+Enter")
        page.locator('#weighted-sum[data-kind="right"]').wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.do") in ("check", "hint")


@pytest.mark.parametrize("number", [1, 6, 14])
def test_it_speaks_chinese_and_fits_a_phone(site, number: int) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with site.open(f"/chapter/{number}?lang=zh-CN", **phone) as page:
        for e in exercises.of_chapter(number):
            card = page.locator(f"#{e.name}")
            card.wait_for()
            assert (
                card.locator("h3").inner_text() == texts.read("zh-CN", "exercises")[e.name]["title"]
            )
        blank = card.locator("textarea").input_value()
        assert "返回" in blank
        told = check(page, e.name, blank + "\n", "blank")
        assert told == texts.read("zh-CN", "exercises")["say"]["blank"]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} pixels wider than the screen"


def test_an_exercise_that_is_not_there_is_refused(site) -> None:
    with site.open("/chapter/3?lang=en") as page:
        page.locator("#weighted-sum").wait_for()
        answer = page.evaluate("""() => new Promise((done) => {
            const socket = new WebSocket(`ws://${location.host}/live`);
            socket.onopen = () => socket.send('{"id": 1, "check": "../softmax", "code": "1"}');
            socket.onmessage = (event) => done(JSON.parse(event.data));
        })""")
        assert answer["event"] == "problem"
        assert answer["original"] == "there is no exercise ../softmax"
