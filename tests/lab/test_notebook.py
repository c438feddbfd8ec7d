"""The views as widgets: the same module, the same numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pellucid import lab
from pellucid.errors import ArgumentError
from pellucid.lab import server
from pellucid.lab.codec import plain
from pellucid.lab.notebook import show

pytest.importorskip("anywidget", reason="pip install 'pellucid[notebook]'")
pytestmark = [
    pytest.mark.skipif(
        not (server.BUILT / "app.js").exists(),
        reason="the page has not been built: python hatch_build.py",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of what Jupyter brings along
]

PAGE = """<!doctype html><meta charset="utf-8"><style>{css}</style><div id="view"></div><script type="module">
import view from "data:text/javascript;base64,{module}";
const heard = {{}};
let state = {state};
const model = {{
  get: (name) => (name === "state" ? state : undefined),
  set() {{}}, save_changes() {{}},
  on: (what, call) => (heard[what] ??= []).push(call),
  off: (what, call) => (heard[what] = heard[what].filter((one) => one !== call)),
  send: async (message) => {{
    state = JSON.parse(await window.kernel(JSON.stringify(message)));
    for (const call of heard["change:state"]) call();
  }},
}};
view.render({{ model, el: document.getElementById("view") }});
</script>"""


@pytest.mark.parametrize("name", list(lab.every()))
def test_a_widget_answers_what_its_module_asks(name: str) -> None:
    widget, view = show(name), lab.open_view(name)
    told: list[dict] = []
    widget.send = told.append
    for message in ({"do": "step"}, {"do": "reset"}, {"do": "back"}):
        widget._handle_custom_msg(message, [])
        view.handle(message)
        ours = json.loads(json.dumps(plain(view.state()["shows"]), default=lambda b: b.array.size))
        seen = widget.state["shows"]
        theirs = json.loads(json.dumps(seen, default=lambda raw: len(raw) // 4))
        assert set(ours) == set(theirs)
        assert widget.state["say"] == view.state()["say"]
    widget._handle_custom_msg({"do": "nonsense"}, [])
    widget._handle_custom_msg({"save": "csv"}, [])
    assert [message["event"] for message in told] == ["problem", "file"]
    assert told[1]["text"] == view.csv()


def test_a_widget_can_be_stepped_from_python() -> None:
    widget = show("streetlights", seed=1)
    for _ in range(10):
        widget.do("whole_pass")
    np.testing.assert_allclose(widget.state["shows"]["errors"][-1], 0.6342311598444467, rtol=1e-9)
    with pytest.raises(ArgumentError):
        show("nonsense")


def test_the_module_works_with_the_model_of_a_notebook(browser) -> None:
    """anywidget's part is played by a few lines here, in another page than the site, without its styles."""
    import base64

    widget = show("streetlights")
    context = browser.new_context()
    page = context.new_page()

    def kernel(message: str) -> str:
        widget._handle_custom_msg(json.loads(message), [])
        return json.dumps(widget.state)

    troubles: list[str] = []
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.expose_function("kernel", kernel)
    page.set_content(
        PAGE.format(
            css=widget._css,
            module=base64.b64encode(widget._esm.encode()).decode(),
            state=json.dumps(widget.state),
        )
    )
    for _ in range(4):
        said = page.locator(".pv-say").text_content()
        page.locator('[data-do="step"]').click()
        for _ in range(100):
            if page.locator(".pv-say").text_content() != said:
                break
            page.wait_for_timeout(20)
        assert page.locator(".pv-say").text_content() == widget.view.state()["say"]
    delta = page.locator('[data-at="delta_2"]').first.text_content()
    assert float(delta.replace("−", "-")) == pytest.approx(
        widget.view.state()["shows"]["delta_2"], abs=0.005
    )
    assert not troubles
    context.close()
