"""The few shapes that drawings are made of, as SVG text."""

from __future__ import annotations

from html import escape
from pathlib import Path

from .. import atomic

INK, FAINT, PAPER = "#1f2937", "#9ca3af", "#ffffff"
BLUE, ORANGE = "#2166ac", "#d95f0e"  # below 0, above 0: told apart also by the colour-blind
SANS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def page(width: float, height: float, parts: list[str], style: str = "") -> str:
    """A whole picture: white paper with the parts on it, the first behind the last."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{SANS}" font-size="12">\n'
        f"<style>{style}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def text(
    x: float, y: float, words: str, *, size: float = 12, colour: str = INK, anchor: str = "start",
    bold: bool = False, mono: bool = False, halo: bool = False,
) -> str:  # fmt: skip
    """Words; `anchor` says which end of them stands at x; `halo` clears the paper around them."""
    more = ' font-weight="600"' if bold else ""
    more += f' font-family="{MONO}"' if mono else ""
    more += f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" '
        f'text-anchor="{anchor}" xml:space="preserve"{more}>{escape(words)}</text>'
    )


def rect(
    x: float, y: float, width: float, height: float, *, fill: str = "none", line: str = INK,
    round: float = 4, tip: str = "",
) -> str:  # fmt: skip
    """A box; `tip` is what pointing at it tells."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round:g}" '
        f'fill="{fill}" stroke="{line}">{title(tip)}</rect>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, colour: str = FAINT, width: float = 1,
    opacity: float = 1, tip: str = "",
) -> str:  # fmt: skip
    """A straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:.2f}" stroke-opacity="{opacity:.2f}">{title(tip)}</line>'
    )


def circle(
    x: float, y: float, radius: float, *, fill: str = PAPER, line: str = INK, tip: str = ""
) -> str:
    """A circle."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{line}">'
        f"{title(tip)}</circle>"
    )


def path(points: str, *, colour: str = FAINT, width: float = 1.2) -> str:
    """A curve with an arrow's head at its end."""
    return (
        f'<path d="{points}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        'marker-end="url(#head)"/>'
    )


HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{FAINT}"/></marker></defs>'
)


def title(words: str) -> str:
    """What a browser shows when one points at the thing."""
    return f"<title>{escape(words)}</title>" if words else ""


def tint(share: float) -> str:
    """A colour for a number from -1 to 1: blue below 0, white at 0, orange above."""
    share = max(-1.0, min(1.0, share))
    end = (217, 95, 14) if share > 0 else (33, 102, 172)
    strength = 0.75 * abs(share)
    return "#" + "".join(f"{round(255 + (c - 255) * strength):02x}" for c in end)


def save(svg: str, file: str | Path) -> Path:
    """Write a picture as a file."""
    goal = Path(file)
    atomic.write(goal, svg)
    return goal
