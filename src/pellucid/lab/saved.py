"""A view as a file: CSV, or one HTML page that works offline and without Python.

A saved page is a recording: the engine takes some steps ahead now, and the page steps through what it
found. It says so.
"""

from __future__ import annotations

import base64
import copy
import json
import time
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, PellucidError
from .codec import Binary, plain
from .view import View

BUILT = Path(__file__).parent / "static"
AHEAD = 120  # steps that are recorded
SECONDS = 2.0  # that recording them may take
ONCE = ("view", "language", "title", "lead", "words")  # the same in every state
LARGEST = 20 << 20  # characters of all recorded states

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' data:;
 style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="alone"><div id="view"></div>
<script type="application/json" id="recording">{recording}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def file(view: View, kind: str) -> dict[str, str]:
    """A view as a file: its name, its type, its text (or its bytes as base64).

    Args:
        view: as it stands.
        kind: "csv", "html", or one of the view's own `files`.

    Raises:
        ArgumentError: another kind.
    """
    if kind == "csv":
        return {"name": f"{view.name}.csv", "type": "text/csv", "text": view.csv()}
    if kind == "html":
        return {"name": f"{view.name}.html", "type": "text/html", "text": page(view)}
    if kind in view.files:
        name, content = view.file(kind)
        packed = base64.b64encode(content).decode()
        return {"name": name, "type": "application/octet-stream", "base64": packed}
    raise ArgumentError(f"{view.name} is saved as csv, html {' '.join(view.files)}, not {kind!r}")


def recording(view: View) -> list[dict[str, Any]]:
    """The states of a view from where it stands, and so many steps ahead."""
    ahead = copy.copy(view)
    vars(ahead).update(view._aside(), _past=[])
    states, size, start = [ahead.state()], 0, time.perf_counter()
    for _ in range(AHEAD):
        size += len(json.dumps(plain(states[-1], _text)))
        slow = len(states) > 1 and time.perf_counter() - start > SECONDS
        if not ahead.can_step() or size > LARGEST or slow:
            break
        try:
            ahead.handle({"do": "step"})
        except PellucidError:
            break
        states.append({k: v for k, v in ahead.state().items() if k not in ONCE})
    return states


def page(view: View) -> str:
    """The recording as one HTML page."""
    states = recording(view)
    told = json.dumps(plain(states, _text), ensure_ascii=False).replace("<", "\\u003c")
    module = (BUILT / "views" / f"{view.name}.js").read_text(encoding="utf-8")
    player = (BUILT / "standalone.js").read_text(encoding="utf-8")
    address = base64.b64encode(module.encode()).decode()
    script = f'const VIEW = "data:text/javascript;base64,{address}";\n{player}'
    style = (BUILT / "view.css").read_text(encoding="utf-8")
    return PAGE.format(
        language=view.language,
        title=states[0]["title"],
        style=style,
        recording=told,
        script=script.replace("</script", "<\\/script"),
    )


def _text(b: Binary) -> dict[str, Any]:
    return b.as_dict(base64.b64encode(b.array.tobytes()).decode())
