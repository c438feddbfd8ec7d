"""A step as a page: one HTML file with everything in it, and the plain data that it is drawn from.

The drawing itself is `step_view.js`, a module with one function `render({ model, el })`. Here the data are
collected (`model_of`) and put beside it. The page allows itself nothing from outside: its own
Content-Security-Policy says so to the browser.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__, atomic
from ..errors import ArgumentError
from .figures import figure
from .said import LANGUAGES, meaning, sentences, texts

if TYPE_CHECKING:
    from .explanation import Explanation, Line, Operation

Array = Any
HERE = Path(__file__).parent
SMALLEST_IMAGE = 64  # pixels in a row that may be an image
FRAME = 860  # pixels: the height of the page in a notebook


# --------------------------------------------------------------------------------------- the data


def model_of(explanation: Explanation) -> dict[str, Any]:
    """All that the page needs, as JSON holds it."""
    squares = _squares(explanation)
    nodes, edges = _picture(explanation, squares)
    return {
        "version": __version__,
        "title": explanation.title,
        "language": "",
        "parts": [*dict.fromkeys(line.part for line in explanation.lines)],
        "source": explanation.program.source,
        "functions": _functions(explanation),
        "given": {
            name: {"kind": kind, "figure": figure(explanation.given[name], squares, kind == "weight")}
            for name, kind in explanation.kinds.items()
        },
        "lines": [_line(explanation, line, squares) for line in explanation.lines],
        "nodes": nodes,
        "edges": edges,
        "texts": {
            language: {**texts(language)["page"], **texts(language)["part"]}
            for language in LANGUAGES
        },
    }  # fmt: skip


def _squares(explanation: Explanation) -> frozenset[int]:
    """Lengths of rows among the inputs that are square images laid flat."""
    shapes = [a.shape for n, a in explanation.given.items() if explanation.kinds[n] == "input"]
    lengths = [s[1] for s in shapes if len(s) == 2 and s[1] >= SMALLEST_IMAGE]
    return frozenset(n for n in lengths if round(n**0.5) ** 2 == n)


def _line(explanation: Explanation, line: Line, squares: frozenset[int]) -> dict[str, Any]:
    weights = {n for n, kind in explanation.kinds.items() if kind == "weight"}

    def figures(arrays: dict[str, Array]) -> dict[str, Any]:
        return {
            n: figure(a, squares, bool({n, line.belongs.get(n, "")} & weights))
            for n, a in arrays.items()
        }

    return {
        "text": line.text,
        "part": line.part,
        "kind": line.kind,
        "place": list(line.place),
        "reads": list(line.reads),
        "makes": list(line.makes),
        "about": line.about,
        "belongs": line.belongs,
        "before": figures(line.before),
        "after": figures(line.after),
        "say": {language: sentences(explanation, line, language) for language in LANGUAGES},
        "operations": [_operation(o) for o in line.operations],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "module": operation.module,
        "shapes": [list(s) for s in operation.shapes],
        "shape": list(operation.result.shape),
        "meaning": {language: meaning(operation.name, language) for language in LANGUAGES},
    }


def _functions(explanation: Explanation) -> list[dict[str, str]]:
    """The functions before the program's own: rules that are too long for a line."""
    source = explanation.program.source
    lines = source.splitlines()
    return [
        {"name": node.name, "text": "\n".join(lines[node.lineno - 1 : node.end_lineno])}
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name != explanation.title
    ]


# ------------------------------------------------------------------------------------- the picture


def _picture(
    explanation: Explanation, squares: frozenset[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Nodes: inputs and what the lines of prediction and comparison make; edges: who reads whom."""
    forward = [(i, x) for i, x in enumerate(explanation.lines) if x.kind == "forward"]
    home = {n: line.name for _, line in forward for n in line.makes}
    inputs = [n for n, kind in explanation.kinds.items() if kind == "input"]
    read = {n for _, line in forward for n in line.reads}
    home |= {n: n for n in inputs if n in read}
    nodes: dict[str, dict[str, Any]] = {
        n: {"name": n, "line": None, "level": 0, "weights": []} for n in inputs if n in read
    }
    edges = []
    for i, line in forward:
        sources = [*dict.fromkeys(home[n] for n in line.reads if n in home and home[n] in nodes)]
        sources = [n for n in sources if n != line.name]
        level = 1 + max((nodes[n]["level"] for n in sources), default=-1)
        kept = [n for n in line.reads if explanation.kinds.get(n) in ("weight", "constant")]
        ties = _ties(explanation, line)
        if line.name not in nodes:
            nodes[line.name] = {"name": line.name, "line": i, "level": level, "weights": kept}
            edges += [{"from": n, "to": line.name, **ties.get(n, {})} for n in sources]
    for name, node in reversed(
        nodes.items()
    ):  # as late as can be: just above the first who reads it
        levels = [nodes[e["to"]]["level"] for e in edges if e["from"] == name]
        node["level"] = min(levels, default=node["level"] + 1) - 1
    for name, node in nodes.items():
        node["gradients"] = _gradients(explanation, name)
        if not node["gradients"] and node["line"] is not None:
            node |= _engine_gradient(explanation, explanation.lines[node["line"]], squares)
    return list(nodes.values()), edges


def _ties(explanation: Explanation, line: Line) -> dict[str, dict[str, str]]:
    """The products of a line whose weights can be drawn, one line for each: by the name of the source."""
    found = {}
    for operation in line.operations:
        if operation.name in ("matmul", "linear") and len(operation.sources) >= 2:
            source, weight = operation.sources[:2]
            if explanation.kinds.get(weight) == "weight" and explanation.given[weight].ndim == 2:
                by = "rows" if operation.name == "matmul" else "columns"
                found[source] = {"weight": weight, "by": by}
    return found


def _gradients(explanation: Explanation, name: str) -> list[dict[str, Any]]:
    """Where the program computes the gradient of a quantity, and what it calls it there."""
    return [
        {"line": i, "name": made}
        for i, line in enumerate(explanation.lines)
        if line.kind == "gradient"
        for made, about in line.belongs.items()
        if about == name
    ]


def _engine_gradient(
    explanation: Explanation, line: Line, squares: frozenset[int]
) -> dict[str, Any]:
    """The gradient of a quantity for which the program needs no line, and which of its numbers it is."""
    value = line.after[line.name]
    ran = [
        o for o in line.operations if o.gradient is not None and _alike(o.result, value)
    ]  # fmt: skip
    if not ran or ran[-1].gradient is None:
        return {}
    gradient = ran[-1].gradient
    found: dict[str, Any] = {"engine": figure(gradient, squares)}
    for other in explanation.lines:
        for name, array in other.after.items():
            if gradient.any() and gradient.ndim and _alike(gradient, array):
                return {**found, "same": name}
    return found


def _alike(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


# ---------------------------------------------------------------------------------------- the page


def page(model: dict[str, Any], language: str = "") -> str:
    """The whole page.

    Raises:
        ArgumentError: a language that is not spoken here.
    """
    if language:
        texts(language)
    script = (HERE / "step_view.js").read_text(encoding="utf-8")
    script = script.replace("export default ", "const view = ") + START
    style = (HERE / "step_view.css").read_text(encoding="utf-8")
    words = model["texts"][language or "en"]
    title = words["heading_step" if model["title"] == "step" else "heading"]
    title = title.format(title=model["title"])
    told = {**model, "language": language, "standalone": True}
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language or "en"}">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style>",
            '<main id="step"></main>',
            f'<script type="application/json" id="data">{_embedded(told)}</script>',
            f'<script type="module">{script}</script>',
            "</html>\n",
        ]
    )


START = """
const data = JSON.parse(document.getElementById("data").textContent);
const model = { get: (key) => data[key], set() {}, on() {}, off() {}, save_changes() {} };
view.render({ model, el: document.getElementById("step") });
"""


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _embedded(model: dict[str, Any]) -> str:
    """JSON in which nothing can end the element that it stands in."""
    plain = json.dumps(model, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        plain = plain.replace(sign, f"\\u{ord(sign):04x}")
    return plain


def save(explanation: Explanation, path: str | Path, language: str = "") -> Path:
    """Write the page as a file; .html is added where the name has no ending.

    Raises:
        ArgumentError: the name has another ending, or the language is not spoken here.
    """
    goal = Path(path)
    goal = goal if goal.suffix else goal.with_suffix(".html")
    if goal.suffix.lower() not in (".html", ".htm"):
        raise ArgumentError(f"an explanation is saved as a page: end {goal.name} in .html")
    atomic.write(goal, page(explanation.model, language))
    return goal


def framed(explanation: Explanation) -> str:
    """The page in a frame, for a notebook: what runs in it cannot reach what is around it."""
    return (
        f'<iframe sandbox="allow-scripts" title="{escape(explanation.title)}" '
        f'style="width:100%;height:{FRAME}px;border:0" '
        f'srcdoc="{escape(page(explanation.model))}"></iframe>'
    )
