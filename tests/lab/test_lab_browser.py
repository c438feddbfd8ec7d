"""The lab in Chromium, from the installed wheel: what the page shows is what the engine computed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from pellucid import lab
from pellucid.book import find
from pellucid.lab import texts
from pellucid.lab.codec import plain
from pellucid.lab.view import View

NAMES = list(lab.every())
NUMBERS = """() => [...document.querySelectorAll('.pv [data-at]')].map(e => [
    e.dataset.at, Number(e.dataset.digits), e.value ?? e.textContent])"""
SLIDE = """(e, v) => { e.value = v; for (const what of ['input', 'change'])
    e.dispatchEvent(new Event(what, {bubbles: true})) }"""
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def read(text: str) -> float:
    """A number as it stands on the page."""
    text = re.sub(r"[↑↓·+\s]", "", text).replace("−", "-")
    for word, value in (("∞", np.inf), ("-∞", -np.inf), ("NaN", np.nan)):
        if text == word:
            return value
    mantissa, _, power = text.partition("×10")
    return float(mantissa) * 10.0 ** int(power.translate(RAISED) or 0)


def found(shows, path: str):
    """The number of the engine at such a path, also within what travels as float32."""
    for key in re.findall(r"[^.\[\]]+", path):
        if hasattr(shows, "array"):
            shows = shows.array if key == "data" else shows
            shows = shows.ravel() if key == "data" else shows
            continue
        shows = shows[int(key)] if isinstance(shows, (list, np.ndarray)) else shows[key]
    return float(shows)


def until(page, question: str, answer) -> None:
    """Wait until the page answers so. (The page's policy forbids Playwright's own way to wait.)"""
    for _ in range(300):
        found = page.evaluate(question)
        if found == answer or (callable(answer) and answer(found)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{question} is {found!r}, not {answer!r}")


def assert_shown(page, view: View) -> int:
    """Every number on the page is the engine's. How many there are."""
    assert page.locator(".pv-say").text_content() == view.state()["say"]
    shows = plain(view.state()["shows"])
    seen = page.evaluate(NUMBERS)
    assert seen
    for path, digits, text in seen:
        ours, shown = found(shows, path), read(text)
        if not np.isfinite(ours):
            assert str(ours) == str(shown), path
            continue
        allowed = 0.051 * abs(ours) if "×" in text else 0.5 * 10**-digits
        assert abs(ours - shown) <= allowed * (1 + 1e-9), f"{path}: {text} is not {ours}"
    return len(seen)


STATES = "Number(document.querySelector('.pv')?.dataset.states ?? 0)"


def both(page, view: View, on_the_page, message) -> None:
    """Do it on the page and in a model of our own, and compare what is shown."""
    before = page.evaluate(STATES)
    on_the_page()
    view.handle(message)
    until(page, STATES, lambda n: n > before)
    assert_shown(page, view)


def do(page, view: View, button: str, **message) -> None:
    """Click a button, and compare."""
    both(page, view, page.locator(f'[data-do="{button}"]').click, {"do": button, **message})


def opened(page, view: View) -> None:
    """Wait until the view is drawn, and compare."""
    until(page, STATES, lambda n: n > 0)
    assert_shown(page, view)


@pytest.mark.parametrize("name", NAMES)
def test_step_back_reset_seed_and_keys_show_the_engines_numbers(site, name: str) -> None:
    view = lab.open_view(name)
    with site.open(f"/view/{name}?lang=en") as page:
        opened(page, view)
        for _ in range(3):
            if view.can_step():
                do(page, view, "step")
        if view.state()["can"]["back"]:
            do(page, view, "back")
            if view.state()["can"]["back"]:
                both(page, view, lambda: page.keyboard.press("ArrowLeft"), {"do": "back"})
        if view.can_step():
            both(page, view, lambda: page.keyboard.press("ArrowRight"), {"do": "step"})
        both(page, view, lambda: page.keyboard.press("r"), {"do": "reset"})
        if view.seeded:
            do(page, view, "seed", value=2)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_can_be_turned_on_the_page(site, name: str) -> None:
    view = lab.open_view(name)
    with site.open(f"/view/{name}?lang=en") as page:
        opened(page, view)
        for which, s in view.settings.items():
            own = page.locator(f'[data-set="{which}"]')
            if not own.count():  # shown only where it means something
                continue
            if s.kind == "slider":
                value, place = s.low, float(np.log10(s.low) if s.log else s.low)

                def turn(own=own, place=place) -> None:
                    own.evaluate(SLIDE, place)
            elif s.kind == "switch":
                value, turn = not s.start, own.click
            elif s.kind == "choice":
                value = s.choices[-1]
                turn = page.locator(f'[data-set="{which}"][data-value="{value}"]').click
            else:
                continue
            both(page, view, turn, {"do": "set", "name": which, "value": value})
            if view.can_step():
                do(page, view, "step")


@pytest.mark.parametrize("name", NAMES)
def test_it_speaks_chinese_and_fits_a_phone(site, name: str) -> None:
    view = lab.open_view(name, "zh-CN")
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with site.open(f"/view/{name}?lang=zh-CN", **phone) as page:
        opened(page, view)
        assert page.locator(".pv-head h2").inner_text() == texts.read("zh-CN", name)["title"]
        if view.can_step():
            do(page, view, "step")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} pixels wider than the screen"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_saved_as_picture_table_and_page(site, name: str, tmp_path) -> None:
    view = lab.open_view(name)
    with site.open(f"/view/{name}?lang=en") as page:
        opened(page, view)
        if view.can_step():
            do(page, view, "step")
        for kind in ("png", "csv", "html"):
            with page.expect_download() as waiting:
                page.locator(f'[data-save="{kind}"]').click()
            waiting.value.save_as(tmp_path / f"{name}.{kind}")
    assert (tmp_path / f"{name}.png").read_bytes()[1:4] == b"PNG"
    assert (tmp_path / f"{name}.csv").read_bytes().decode() == view.csv()
    context = site.fresh(offline=True)
    alone = context.new_page()
    troubles: list[str] = []
    alone.on("console", lambda m: m.type == "error" and troubles.append(m.text))
    alone.on("pageerror", lambda e: troubles.append(str(e)))
    alone.goto((tmp_path / f"{name}.html").as_uri())
    opened(alone, view)
    if view.can_step():
        do(alone, view, "step")
    assert not troubles, troubles
    context.close()


def test_all_chapters_are_there_in_both_languages(site) -> None:
    for language, word in (("en", "Chapter 6"), ("zh-CN", "第 6 章")):
        with site.open(f"/?lang={language}") as page:
            page.locator(".contents li").nth(15).wait_for()
            assert page.locator(".contents li").count() == 16
            page.locator(".contents li a").nth(5).click()
            page.get_by_text(word, exact=True).wait_for()
            page.locator(".experiment").nth(8).wait_for()


def test_the_language_is_the_one_asked_for_then_the_one_chosen_then_the_browsers(site) -> None:
    lang = "document.documentElement.lang"
    with site.open("/", locale="zh-CN") as page:
        assert page.evaluate(lang) == "zh-CN"
        page.goto(site.root + "/?lang=en")
        assert page.evaluate(lang) == "en"
        page.goto(site.root + "/")
        assert page.evaluate(lang) == "en"


def test_an_experiment_runs_meets_the_published_figures_and_is_saved(site, tmp_path) -> None:
    with site.open("/chapter/6?lang=en") as page:
        card = page.locator('[id="e6.20"]')
        card.locator('[data-do="run"]').click()
        card.locator(".figures").wait_for()
        assert card.locator('tr[data-met="true"]').count() == 6
        shown = card.locator(".figures tbody tr td:nth-child(3)").all_inner_texts()
        published = [f.published for f in find("6.20").figures]
        assert [read(s) for s in shown] == pytest.approx(published, rel=1e-14, abs=0)
        with page.expect_download() as waiting:
            card.locator('[data-save="html"]').click()
        waiting.value.save_as(tmp_path / "found.html")
        alone = site.fresh(offline=True, java_script_enabled=False).new_page()
        alone.goto((tmp_path / "found.html").as_uri())
        assert alone.locator('tr[data-met="true"]').count() == 6
        assert "0.6342311598444467" in alone.locator(".figures").inner_text()
        alone.context.close()
        page.goto(site.root + "/")
        met = "document.querySelectorAll('.contents li')[5].querySelector('.met').innerText"
        until(page, met, lambda text: text.startswith("1/"))


def test_curves_grow_while_it_runs_and_it_can_be_stopped(site) -> None:
    with site.open("/chapter/6?lang=en") as page:
        card = page.locator('[id="e6.25"]')
        card.locator('[name="passes"]').fill("200000")
        card.locator('[data-do="run"]').click()
        until(page, "Number(document.getElementById('e6.25').dataset.updates)", lambda n: n > 20)
        assert card.locator(".live canvas").count() == 1
        card.locator('[data-do="stop"]').click()
        until(page, "document.getElementById('e6.25').dataset.state", "stopped")


def test_a_setting_that_makes_no_sense_is_told(site) -> None:
    with site.open("/chapter/6?lang=en") as page:
        card = page.locator('[id="e6.20"]')
        card.locator('[name="passes"]').fill("many")
        card.locator('[data-do="run"]').click()
        assert "whole number" in card.locator(".pv-problem").inner_text()


def test_the_readers_own_code_runs(site) -> None:
    with site.open("/view/dot-product?lang=en") as page:
        page.locator("summary").click()
        page.locator("textarea").fill("print(6 * 7)\nprint(1 / 0)")
        page.locator('[data-do="code"]').click()
        page.locator(".output").wait_for()
        assert page.locator(".output").inner_text().strip() == "42"
        assert "line 2" in page.locator("pre.pv-problem").inner_text()
        assert "ZeroDivisionError" in page.locator("pre.pv-problem").inner_text()


def test_the_first_page_is_small(installed) -> None:
    static = installed / "pellucid" / "lab" / "static"
    assert (
        sum((static / name).stat().st_size for name in ("app.js", "page.css", "view.css")) < 300e3
    )
    assert (static / "THIRD-PARTY.txt").read_text(encoding="utf-8").count("MIT") >= 5
    assert not (installed / "pellucid" / "lab" / "page").exists()


def test_the_bench_takes_a_table_a_drawing_and_gives_a_network_away(site, tmp_path) -> None:
    rows = "\n".join(f"{i},{i * i},{'odd' if i % 2 else 'even'}" for i in range(40))
    (tmp_path / "mine.csv").write_text(f"a,b,kind\n{rows}")
    (tmp_path / "bad.csv").write_text("1,2,x\n1,2\n")
    with site.open("/bench?lang=en") as page:
        until(page, STATES, lambda n: n > 0)
        page.locator('input[type="file"]').wait_for(state="detached")
        page.locator('[data-value="table"]').click()
        page.locator('input[type="file"]').set_input_files(tmp_path / "bad.csv")
        assert "Columns in line 2: 2" in page.locator(".pv-problem").inner_text()
        page.locator('input[type="file"]').set_input_files(tmp_path / "mine.csv")
        until(page, "document.querySelector('.bench-axes').textContent", "a → · b ↑")
        page.locator('[data-do="step"]').click()
        with page.expect_download() as waiting:
            page.locator('[data-save="onnx"]').click()
        assert waiting.value.suggested_filename == "network-onnx.zip"
        page.locator('[data-value="digits"]').click()
        field = page.locator("canvas.draw")
        field.wait_for()
        box = field.bounding_box()
        page.mouse.move(box["x"] + 90, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 95, box["y"] + 160, steps=8)
        page.mouse.up()
        page.locator("text=yours").wait_for()


def picture(path, size, colours) -> None:
    """A picture file: the left half in one colour, the right in another."""
    image = pytest.importorskip("PIL.Image")
    width, height = size
    made = image.new("RGBA", size, colours[1])
    made.paste(image.new("RGBA", (width // 2, height), colours[0]), (0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)


def folder(at, names=("left", "right"), count=6):
    """A folder of pictures: darker on one side or the other, some of them lying, some transparent."""
    for kind, name in enumerate(names):
        for n in range(count):
            dark, light = (10 * n, 20, 30, 255), (0, 0, 0, 0) if n % 2 else (220, 230, 240, 255)
            picture(
                at / name / f"{n}.png", (60 + n, 40), (dark, light) if kind == 0 else (light, dark)
            )
    (at / names[0] / ".DS_Store").write_bytes(b"not shown by the system that left it")
    (at / "notes.txt").write_text("in no subfolder")
    return at


def test_the_bench_learns_from_a_folder_of_pictures(site, tmp_path) -> None:
    mine = folder(tmp_path / "mine")
    with site.open("/bench?lang=en") as page:
        mirror = Mirror(page, "bench")
        assert mirror.click('[data-value="images"]') == ["set"]
        assert mirror.after(
            lambda: page.locator(".bench-bring input").set_input_files(mine)
        ) == ["load_images"]  # fmt: skip
        known = mirror.view.data
        assert known.classes == ("left", "right")
        assert len(known.inputs) + len(known.test_inputs) == 12
        left, right = known.inputs[..., :13].mean((1, 2, 3)), known.inputs[..., 15:].mean((1, 2, 3))
        np.testing.assert_array_equal(left < right, known.targets == 1)
        assert known.inputs.min() == 0  # transparent is white: no ink
        assert page.locator(".bench-gallery canvas").count() == 2
        for _ in range(3):
            assert mirror.click('[data-do="step"]') == ["step"]
        while page.locator('[data-do="follow"]').is_enabled():
            assert mirror.click('[data-do="follow"]') == ["follow"]
        assert page.locator(".pv-say").get_attribute("data-said") == "walked"
        assert mirror.view.test_right[-1] == 1.0


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_folder_that_cannot_be_learned_from_is_refused(site, tmp_path, language) -> None:
    flat, one, few = tmp_path / "flat", tmp_path / "one", tmp_path / "few"
    picture(flat / "a.png", (30, 30), ("red", "blue"))
    picture(one / "cat" / "a.png", (30, 30), ("red", "blue"))
    folder(few, count=3)
    broken = folder(tmp_path / "broken")
    (broken / "left" / "letter.txt").write_text("no picture")
    large = folder(tmp_path / "large")
    with (large / "right" / "huge.png").open("wb") as file:
        file.truncate(21_000_000)
    many = folder(tmp_path / "many")
    for n in range(800):
        (many / "left" / f"more-{n}.png").touch()
    page_words, server_says = (
        texts.read(language, "bench")["words"], texts.read(language, "own-data")["say"],
    )  # fmt: skip
    expected = {
        flat: server_says["images-folders"],
        one: server_says["images-one"].format(label="cat"),
        few: server_says["images-few"].format(label="left", count=3, fewest=4),
        broken: page_words["# is no picture"].replace("#", "letter.txt"),
        large: page_words["# is too large"].replace("#", "huge.png"),
        many: page_words["# pictures, at most #"].replace("#", "812", 1).replace("#", "800"),
    }
    with site.open(f"/bench?lang={language}") as page:
        until(page, STATES, lambda n: n > 0)
        page.locator('[data-value="images"]').click()
        chooser = page.locator(".bench-bring input")
        for path, reason in expected.items():
            chooser.set_input_files(path)
            told = "document.querySelector('.pv-problem')?.innerText ?? ''"
            until(page, told, lambda said, reason=reason: reason in said)
        assert page.locator(".bench-gallery canvas").count() == 3  # still those to try


def test_the_bench_sorts_pasted_lines_and_goes_on_with_a_pasted_text(site) -> None:
    with site.open("/bench?lang=en") as page:
        mirror = Mirror(page, "bench")
        mirror.click('[data-value="lines"]')
        lines = "sweet\thoney and jam\nsour\tlemon and vinegar\n" * 8
        page.locator('[data-own="lines"]').fill(lines)
        assert mirror.click('[data-do="learn"]') == ["load_text"]
        for _ in range(3):
            mirror.click('[data-do="step"]')
        page.locator('[data-own="line"]').fill("Honey, honey!")
        assert mirror.click('[data-do="line"]') == ["line"]
        assert page.locator(".bench-word").inner_text() == "honey 2"
        while page.locator('[data-do="follow"]').is_enabled():
            mirror.click('[data-do="follow"]')
        assert float(page.locator(".bench-says .num").first.inner_text()) > 0.8
        page.locator('[data-own="lines"]').fill("sweet: honey\nsour lemon\n")
        page.locator('[data-do="learn"]').click()
        assert "Line 2 has no label" in page.locator(".pv-problem").inner_text()

        mirror.click('[data-value="letters"]')
        page.locator('[data-own="letters"]').fill("round and round we go, " * 20)
        assert mirror.click('[data-do="learn"]') == ["load_text"]
        for _ in range(6):
            mirror.click('[data-do="step"]')
        page.locator('[data-own="line"]').fill("and round")
        assert mirror.click('[data-do="line"]') == ["line"]
        assert mirror.click('[data-do="write"]') == ["write"]
        assert page.locator(".wrote").text_content() == mirror.view.wrote
        assert "round we go, " in mirror.view.wrote
        while page.locator('[data-do="follow"]').is_enabled():
            mirror.click('[data-do="follow"]')


def test_a_pasted_text_that_is_too_long_never_leaves_the_page(site) -> None:
    with site.open("/bench?lang=zh-CN") as page:
        until(page, STATES, lambda n: n > 0)
        sent: list[str] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda m: sent.append(str(m))))
        page.reload()
        until(page, STATES, lambda n: n > 0)
        for task, most in (("letters", 12_000), ("lines", 100_000)):
            page.locator(f'[data-value="{task}"]').click()
            page.locator(f'[data-own="{task}"]').fill("长" * (most + 1))
            page.locator('[data-do="learn"]').click()
            said = page.locator(".pv-problem").inner_text()
            assert str(most + 1) in said
            assert "最多" in said
        assert not any("load_text" in message for message in sent)


def test_an_impossible_layer_is_explained_at_once(site) -> None:
    with site.open("/bench?lang=en") as page:
        until(page, STATES, lambda n: n > 0)
        page.locator('[data-add="1"]').select_option("conv")
        assert "conv2d" in page.locator(".pv-problem").inner_text()
        assert page.locator('[data-do="step"]').is_disabled()
        page.locator('[data-remove="1"]').click()
        page.locator(".pv-problem").wait_for(state="detached")


# --------------------------------------------------------------------- with the pointer, view by view


class Mirror:
    """A model of our own that does whatever the page asks the engine for, and is then compared with it."""

    def __init__(self, page, name: str) -> None:
        self.page, self.view = page, lab.open_view(name)
        self.sent: list[str] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda m: self.sent.append(m)))
        page.reload()
        opened(page, self.view)

    def after(self, gesture) -> list[str]:
        """Make a gesture, wait for all answers, and compare. What was asked for."""
        before = self.page.evaluate(STATES)
        self.sent.clear()
        gesture()
        for _ in range(100):
            count = len(self.sent)
            self.page.wait_for_timeout(120)
            answered = self.page.evaluate(STATES) - before
            if count == len(self.sent) == answered:
                break
        assert self.sent, "the page asked for nothing"
        asked = [json.loads(text) for text in self.sent]
        for message in asked:
            message.pop("id")
            self.view.handle(message)
        assert_shown(self.page, self.view)
        return [message["do"] for message in asked]

    def drag(self, selector: str, *points: tuple[float, float], nth: int = 0) -> list[str]:
        """Drag over an element: points as shares of its width and height."""
        target = self.page.locator(selector).nth(nth)
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]

        def gesture() -> None:
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place, steps=4)
            self.page.mouse.up()

        return self.after(gesture)

    def slide(self, selector: str, value: float) -> list[str]:
        """Slide a slider to a value."""
        return self.after(lambda: self.page.locator(selector).first.evaluate(SLIDE, value))

    def click(self, selector: str) -> list[str]:
        """Click."""
        return self.after(self.page.locator(selector).first.click)


def test_weights_as_images_are_scrubbed_through_and_a_digit_is_drawn(site) -> None:
    with site.open("/view/weight-images?lang=en") as page:
        mirror = Mirror(page, "weight-images")
        assert set(mirror.drag(".pv-plot", (0.3, 0.5), (0.5, 0.5), (0.7, 0.5))) == {"scrub"}
        assert set(mirror.slide("[data-scrub]", 12)) == {"scrub"}
        assert mirror.click('[data-digit="3"]') == ["look"]
        assert mirror.drag("canvas.draw", (0.3, 0.2), (0.7, 0.3), (0.4, 0.8)) == ["draw"]
        assert np.any(mirror.view.ink)
        page.locator(".pv-field").first.hover()
        assert "×" in page.get_by_text("pixel (").first.inner_text()
        assert mirror.click('[data-do="clear"]') == ["clear"]


def test_the_activations_input_and_the_scores_are_dragged(site) -> None:
    with site.open("/view/activation?lang=en") as page:
        mirror = Mirror(page, "activation")
        assert set(mirror.drag(".pv-plot", (0.5, 0.5), (0.8, 0.5))) == {"drag"}
        assert mirror.view.x > 2
        assert mirror.slide('[data-score="1"]', 4.2) == ["score"]
        assert mirror.click('[data-aim="3"]') == ["aim"]
        assert mirror.slide('[data-set="shift"]', 990) == ["set"]
        assert page.locator(".pv-say").get_attribute("data-said") == "overflow"


def test_the_window_is_dragged_a_kernel_painted_and_the_image_pushed(site) -> None:
    with site.open("/view/convolution?lang=en") as page:
        mirror = Mirror(page, "convolution")
        assert set(mirror.drag(".pv-field", (0.2, 0.2), (0.5, 0.6))) == {"over"}
        assert set(mirror.drag(".pv-field", (0.4, 0.4), (0.9, 0.9), nth=1)) == {"place"}
        page.locator('[data-weight="00"]').fill("−2.5")
        assert mirror.after(lambda: page.keyboard.press("Tab")) == ["weight"]
        page.locator('[data-brush="1"]').click()
        assert set(mirror.drag('[data-weight="11"]', (0.5, 0.5), (1.6, 0.5))) == {"weight"}
        assert mirror.view.kernel[0, 0] == -2.5
        assert mirror.view.kernel[1].tolist() == [-1, 1, 1]
        assert mirror.click('[data-do="push"]') == ["push"]
        assert mirror.drag("canvas.draw", (0.5, 0.2), (0.5, 0.8)) == ["draw"]


def test_a_network_is_looked_into_at_every_level(site) -> None:
    with site.open("/view/network?lang=en") as page:
        mirror = Mirror(page, "network")
        assert mirror.click('[data-unit="0.1"]') == ["light"]
        page.locator('[data-line="1.1.2"]').dispatch_event("pointerenter")
        assert "0.weight[1, 2]: weight" in page.locator(".pv-card").first.inner_text()
        assert_shown(page, mirror.view)
        assert mirror.click('[data-at="matrix.numbers[2][1]"]') == ["pick"]
        assert set(mirror.slide("[data-edit]", 0.5)) == {"edit"}
        for network in ("digits", "kernels", "streetlights"):
            mirror.click(f'[data-set="network"][data-value="{network}"]')
            for level in ("layers", "letters", "neurons"):
                mirror.click(f'[data-set="level"][data-value="{level}"]')
                for _ in range(4):
                    mirror.click('[data-do="step"]')
            mirror.click('.pv-bar [data-open="0.weight"] >> nth=0')
            if network != "streetlights":
                mirror.click('[data-tile="3"]')
