"""The reader's own code, in a process of its own with limits: what it prints, and what went wrong.

It is the reader's code on the reader's machine, so nothing is hidden from it; the limits are against
loops without an end, lists without an end, and output without an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

SECONDS = 10.0
MEMORY = 4 << 30  # bytes of addresses; NumPy's threads reserve much more than they use
FILE = 16 << 20  # bytes of a file it writes
OUTPUT = 20_000  # characters of what it prints
LONGEST = 100_000  # characters of code

LIMITED = """
import sys
try:
    import resource
    limits = {{resource.RLIMIT_AS: {memory}, resource.RLIMIT_CPU: {cpu}, resource.RLIMIT_FSIZE: {file}}}
    for what, most in limits.items():
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
except ImportError:
    pass
code = open({path!r}, encoding="utf-8").read()
exec(compile(code, "your code", "exec"), {{"__name__": "__main__"}})
"""


async def run(code: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Run it.

    Args:
        code: a whole program.
        seconds: how long it may take.

    Returns:
        `output`: what it printed, at most OUTPUT characters. `trouble`: "" where nothing went wrong, else
        "endless" (it took too long), "long" (the code itself), or the last lines of the error.
    """
    if len(code) > LONGEST:
        return {"output": "", "trouble": "long"}
    with tempfile.TemporaryDirectory(prefix="pellucid-lab-") as folder:
        path = Path(folder) / "code.py"
        path.write_text(code, encoding="utf-8")
        limits = LIMITED.format(memory=MEMORY, cpu=int(seconds) + 1, file=FILE, path=str(path))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", limits,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, cwd=folder, start_new_session=True,
            env={**os.environ, "PELLUCID_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(seconds):
                output, errors = await asyncio.gather(_some(process.stdout), _some(process.stderr))
                await process.wait()
        except TimeoutError:
            return {"output": "", "trouble": "endless"}
        finally:
            _end(process)
            await process.wait()
    trouble = "" if process.returncode == 0 else _told(errors) or "ended"
    return {"output": output, "trouble": trouble}


async def _some(stream: asyncio.StreamReader) -> str:
    """The first OUTPUT bytes; the rest is read and dropped, so that nobody waits."""
    kept = b""
    while piece := await stream.read(1 << 16):
        kept += piece[: OUTPUT - len(kept)]
    return kept.decode("utf-8", "replace")


def _end(process: asyncio.subprocess.Process) -> None:
    """End it, and whatever it has started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def _told(errors: str) -> str:
    """A traceback without the lines about how the code was started."""
    lines = errors.rstrip().splitlines()
    starts = [i for i, line in enumerate(lines) if 'File "your code"' in line]
    return "\n".join(lines[starts[0] :] if starts else lines[-3:])[-2000:]
