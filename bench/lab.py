"""How quick the lab is: `python bench/lab.py`, with Chromium and the page built.

Each figure is the best and the median of ten: from the start of `pellucid lab` to the first page on the
screen, and from its address; a step of each view, from the click to the drawn page; how much slower an
experiment runs for being watched; and, of three, how often it is heard of.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from pellucid import lab
from pellucid.book import find
from pellucid.lab import worker

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lab"))
from conftest import FLAGS  # how the tests start it

TIMES = 10
# an experiment of short turns: what watching costs, it costs most here
WATCHED, PASSES = "6.25", 20_000

# When the heading was painted; asked for within the page, for Playwright itself is slow to notice.
SEEN = """
window.seen = new Promise((tell) => {
  const look = () => document.querySelector("h1")
    ? requestAnimationFrame(() => setTimeout(() => tell(Date.now()))) : requestAnimationFrame(look);
  look();
});"""
STEP = """(times) => new Promise(async (tell) => {
  const view = document.querySelector(".pv"), took = [];
  for (let i = 0; i < times; i++) {
    const button = view.querySelector('[data-do="step"]');
    if (button.disabled) break;
    const start = performance.now();
    await new Promise((drawn) => {
      new MutationObserver((_, eye) => (eye.disconnect(), requestAnimationFrame(() => setTimeout(drawn))))
        .observe(view, { attributeFilter: ["data-states"] });
      button.click();
    });
    took.push(performance.now() - start);
  }
  tell(took);
})"""


@contextmanager
def started():
    """A lab of its own: its address, when it was started, and when it said where it is."""
    command = [sys.executable, "-m", "pellucid", "lab", "--no-browser"]
    begun = time.time()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    address = re.search(r"http://\S+", process.stdout.readline())
    assert address is not None
    try:
        yield address[0], begun, time.time()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def first_page(browser) -> tuple[float, float]:
    """Milliseconds until the first page is seen: from the start, and from the address."""
    page = browser.new_context().new_page()
    page.add_init_script(SEEN)
    with started() as (address, begun, ready):
        page.goto(address, wait_until="commit")
        seen = page.evaluate("window.seen") / 1000
        page.context.close()
    return 1000 * (seen - begun), 1000 * (seen - ready)


def steps(browser) -> dict[str, list[float]]:
    """Milliseconds from click to drawn page, for each view."""
    found = {}
    with started() as (address, _, _):
        page = browser.new_page()
        page.goto(address)
        root = address.partition("/?")[0]
        for name in lab.every():
            page.goto(f"{root}/view/{name}")
            page.locator(".pv-say").wait_for()
            found[name] = page.evaluate(STEP, TIMES)
    return found


def updates(browser) -> float:
    """How many updates a second reach the page while an experiment runs."""
    with started() as (address, _, _):
        page = browser.new_page()
        page.goto(address)
        page.goto(f"{address.partition('/?')[0]}/chapter/{WATCHED.partition('.')[0]}")
        card = page.locator(f'[id="e{WATCHED}"]')
        card.locator('[name="passes"]').fill(str(50 * PASSES))
        card.locator('[data-do="run"]').click()
        card.locator(".live canvas").wait_for()

        def heard() -> tuple[int, float]:
            return int(card.get_attribute("data-updates") or 0), time.perf_counter()

        (before, start), _ = heard(), page.wait_for_timeout(3000)
        after, end = heard()
        card.locator('[data-do="stop"]').click()
        return (after - before) / (end - start)


def slowdown() -> tuple[float, float]:
    """How much longer an experiment takes while it is watched, in percent of this thread's time."""
    experiment = find(WATCHED)
    label = worker.labels(experiment, "en")

    def run(on_progress) -> float:
        start = time.thread_time()
        experiment.run(on_progress=on_progress, passes=PASSES)
        return time.thread_time() - start

    alone, watched = [], []
    with Path(os.devnull).open("wb") as out:
        for _ in range(TIMES):
            alone.append(run(lambda done, total: None))
            watched.append(run(worker.Watch(worker.Frames(out), label)))
    best, median = (pick(watched) / pick(alone) for pick in (min, statistics.median))
    return 100 * (best - 1), 100 * (median - 1)


def say(what: str, found: list[float], unit: str = "ms") -> None:
    print(f"{what:45} {min(found):7.1f} {statistics.median(found):7.1f} {unit}", flush=True)


def main() -> None:
    print(f"{'':45} {'best':>7} {'median':>7}")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        seen = [first_page(browser) for _ in range(TIMES)]
        say("start to first page", [s for s, _ in seen])
        say("address to first page", [s for _, s in seen])
        for name, took in steps(browser).items():
            say(f"step: {name}", took)
        rates = [updates(browser) for _ in range(3)]
        print(f"{'updates':45} {max(rates):7.1f} {statistics.median(rates):7.1f} a second")
        browser.close()
    best, median = slowdown()
    print(f"{'slower for being watched':45} {best:7.1f} {median:7.1f} %")


if __name__ == "__main__":
    main()
