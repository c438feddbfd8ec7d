"""The page of an explanation in a real Chromium: what one reads is what NumPy says, and one can walk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, relu
from pellucid.explain import Explanation

sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        pytest.skip("chromium is not installed: apt install chromium fonts-noto-cjk")
    with sync.sync_playwright() as p:
        started = p.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


def streetlights() -> Explanation:
    r = np.random.RandomState(1)
    weights_0_1 = Tensor(2 * r.random_sample((3, 4)) - 1, requires_grad=True)
    weights_1_2 = Tensor(2 * r.random_sample((4, 1)) - 1, requires_grad=True)
    optimizer = optim.SGD([weights_0_1, weights_1_2], lr=0.2)

    def step(lights: Tensor, walk: Tensor) -> Tensor:
        layer_1 = relu(lights @ weights_0_1)
        layer_2 = layer_1 @ weights_1_2
        error = ((layer_2 - walk) ** 2).sum()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error

    explanation: Explanation = pellucid.explain(step)(
        Tensor(np.array([[1.0, 0.0, 1.0]])), Tensor(np.array([[1.0]]))
    )
    return explanation


def pictures() -> Explanation:
    pellucid.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(108, 10)
    )
    optimizer, criterion = optim.Adam(model.parameters()), nn.CrossEntropyLoss()

    def step(images: Tensor, targets: Tensor) -> Tensor:
        prediction = model(images)
        loss = criterion(prediction, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    explained: Explanation = pellucid.explain(step)(
        pellucid.rand(4, 1, 14, 14), Tensor(np.array([1, 2, 3, 4]))
    )
    return explained


def opened(
    browser: Any, explanation: Explanation, folder: Path, lang: str = "en", width: int = 1280
) -> Any:
    path = explanation.save(folder / "step.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.wrong = []
    page.on("console", lambda message: page.wrong.append(message.text))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith("file:") else page.wrong.append(r.url))
    page.goto(f"{path.as_uri()}?lang={lang}")
    return page


def table(page: Any, name: str) -> np.ndarray[Any, Any]:
    """The numbers of an array as they can be read: the last figure of this name."""
    rows = page.locator(f'[data-figure="{name}"]').last.locator("tr").all()
    titles = [[c.get_attribute("title") for c in row.locator("td[title]").all()] for row in rows]
    return np.array([[float(t.partition(" = ")[2]) for t in row] for row in titles])


def lit(page: Any) -> set[str]:
    """What is lighted: lines of the program, nodes of the picture, figures."""
    found: set[str] = set(
        page.evaluate(
            """() => [...document.querySelectorAll(".pl-lit")].map((e) => e.dataset.line !== undefined
            ? `line ${e.dataset.line}` : e.dataset.node ? `node ${e.dataset.node}`
            : e.dataset.figure ? `figure ${e.dataset.figure}` : "").filter(Boolean)"""
        )
    )
    return found


def test_every_number_is_that_of_numpy(browser: Any, tmp_path: Path) -> None:
    explanation = streetlights()
    page = opened(browser, explanation, tmp_path)
    for i, line in enumerate(explanation.lines):
        page.keyboard.press("ArrowRight")
        assert page.locator(".pl-current").get_attribute("data-line") == str(i)
        for name in line.makes:
            assert np.array_equal(table(page, name), np.atleast_2d(line.after[name]))
    circles = page.locator('[data-node="layer_1"] .pl-number').all_text_contents()
    shown = [float(text.replace("−", "-")) for text in circles]
    assert shown == pytest.approx(explanation.value("layer_1")[0], abs=0.006)
    assert page.wrong == []


def test_forwards_and_backwards(browser: Any, tmp_path: Path) -> None:
    explanation = streetlights()
    page = opened(browser, explanation, tmp_path)
    here = page.locator(".pl-current")
    assert here.count() == 0
    assert page.locator("[data-go=back]").is_disabled()
    page.click("[data-go=step]")
    page.click("[data-go=step]")
    page.click("[data-go=back]")
    assert here.get_attribute("data-line") == "0"
    page.keyboard.press("End")
    assert here.get_attribute("data-line") == str(len(explanation.lines) - 1)
    assert page.locator("[data-go=step]").is_disabled()
    page.keyboard.press("Home")
    assert here.count() == 0
    page.click("[data-part=learn]")
    assert here.locator("code").text_content().startswith("d_")
    page.locator("input[type=range]").fill("2")
    assert here.get_attribute("data-line") == "2"
    page.locator("[data-line='1']").press("Enter")
    assert here.get_attribute("data-line") == "1"
    assert "layer_2: one number" in page.locator(".pl-say").text_content()
    assert page.wrong == []


def test_line_node_and_gradient_light_each_other(browser: Any, tmp_path: Path) -> None:
    explanation = streetlights()
    page = opened(browser, explanation, tmp_path)
    names = [line.name for line in explanation.lines]
    page.keyboard.press("End")
    forward, gradient = names.index("layer_1"), names.index("d_layer_1")
    together = {f"line {forward}", f"line {gradient}", "node layer_1"}
    for thing in (
        f"[data-line='{forward}']",
        f"[data-line='{gradient}']",
        "g[data-node=layer_1] .pl-name",
    ):
        page.hover(thing)
        assert together <= lit(page)
    page.hover("g[data-node=weights_0_1] rect")
    changed = names.index("d_weights_0_1"), names.index("weights_0_1")
    assert {f"line {i}" for i in changed} <= lit(page)
    page.locator(f"[data-line='{gradient}']").click()
    page.hover("[data-figure=d_layer_1]")
    assert together <= lit(page)
    page.click("g[data-node=layer_1] .pl-name")
    assert np.array_equal(table(page, "layer_1"), explanation.value("layer_1"))
    assert np.array_equal(table(page, "d_layer_1"), explanation.value("d_layer_1"))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_languages_and_a_telephone(browser: Any, tmp_path: Path, lang: str, width: int) -> None:
    page = opened(browser, pictures(), tmp_path, lang, width)
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.locator("h1").text_content() == {
        "en": "One step, number by number", "zh-CN": "一步学习，逐个数字",
    }[lang]  # fmt: skip
    for _ in range(6):
        page.click("[data-go=step]")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    other = "简体中文" if lang == "en" else "English"
    before = page.locator(".pl-say").text_content()
    page.click(f"nav >> text={other}")
    assert page.locator(".pl-say").text_content() != before
    assert page.locator(".pl-current").get_attribute("data-line") == "5"
    assert page.wrong == []


def test_on_paper_everything_is_there(browser: Any, tmp_path: Path) -> None:
    explanation = pictures()
    page = opened(browser, explanation, tmp_path)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".pl-words li").count() == len(explanation.lines)
    assert page.locator(".pl-words li").last.is_visible()
    assert not page.locator("[data-go=step]").is_visible()
    assert page.pdf()[:4] == b"%PDF"


def test_numbers_that_are_none_are_shown_as_such(browser: Any, tmp_path: Path) -> None:
    def step(x: Tensor) -> Tensor:
        y = x.log()
        return y * 2

    explanation = pellucid.explain(step)(Tensor(np.array([[1.0, 0.0, -1.0]])))
    page = opened(browser, explanation, tmp_path)
    page.keyboard.press("ArrowRight")
    cells = page.locator('[data-figure="y"] td').all_text_contents()
    assert cells == ["0", "−∞", "NaN"]
    assert "2 are NaN or infinite" in page.locator('[data-figure="y"]').text_content()
    assert page.wrong == []


def test_text_stays_text(browser: Any, tmp_path: Path) -> None:
    explanation = streetlights()
    explanation.model["lines"][0]["text"] = "<img src=x onerror=alert(1)>"
    explanation.model["title"] = "</script><script>document.title='bad'</script>"
    page = opened(browser, explanation, tmp_path)
    assert page.locator(".pl-line code").first.text_content() == "<img src=x onerror=alert(1)>"
    assert page.locator("img").count() == 0
    assert page.title() != "bad"
    assert page.wrong == []


def test_it_can_be_a_part_of_another_page(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, streetlights(), tmp_path)
    script = page.locator("script[type=module]").text_content().partition("\nconst data =")[0]
    shown = page.evaluate(
        f"""() => {{
            const view = (() => {{ {script}; return view; }})();
            const data = {{ ...JSON.parse(document.getElementById("data").textContent),
              standalone: false, show: ["program"] }};
            const el = document.createElement("div");
            document.body.append(el);
            const remove = view.render({{ model: {{ get: (key) => data[key] }}, el }});
            const parts = [el.querySelectorAll(".pl-line").length, el.querySelectorAll("svg").length];
            remove();
            return [...parts, el.children.length];
        }}"""
    )
    assert shown == [len(streetlights().lines), 0, 0]
