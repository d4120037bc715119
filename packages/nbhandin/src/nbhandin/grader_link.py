"""The grader's process as the page sees it: started, told of work, listened to, started again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nbhandin.events import Done, Event, Exchanged, Held, Idle, Now, Ready, read_line

_SECONDS_TO_RESTART = (0.5, 1.0, 2.0, 5.0, 15.0)
_LONGEST_LINE = 1_000_000


class GraderLink:
    """Keeps a grader running. ``held``, ``doing`` and ``running`` say what it is at.

    ``options`` are the grader's own. ``exchange_problems`` are for the instructor.
    """

    def __init__(
        self, course: Path, tell: Callable[[Event], None], options: Sequence[str] = ()
    ) -> None:
        self._course, self._tell, self._options = course, tell, options
        self._process: asyncio.subprocess.Process | None = None
        self.state = "starting"
        self.held = ""
        self.doing = ""
        self.running: frozenset[int] = frozenset()
        self.exchange_problems: tuple[str, ...] = ()

    async def run(self) -> None:
        """Start it, listen to it, and start it again where it ended; until cancelled."""
        ended = 0
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "nbhandin.grader_process", str(self._course)),
                *self._options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
            )
            self._process = process
            try:
                assert process.stdout is not None
                async for line in process.stdout:
                    event = read_line(line.decode("utf-8", "replace"))
                    if event is not None:
                        ended = 0 if isinstance(event, Done | Idle) else ended
                        self._hear(event)
                await process.wait()
            finally:
                # Whoever ends the page ends the grader: it goes when its input does.
                if process.stdin is not None:
                    process.stdin.close()
            self.state, self.running = "ended", frozenset()
            seconds = _SECONDS_TO_RESTART[min(ended, len(_SECONDS_TO_RESTART) - 1)]
            ended += 1
            self._tell(Idle())
            await asyncio.sleep(seconds)

    def wake(self) -> None:
        """Say that there may be work."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._process.stdin.write(b"look\n")

    async def end(self) -> None:
        """Wait until it has ended; it is ended where it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()

    def _hear(self, event: Event) -> None:
        match event:
            case Ready():
                self.state = "ready"
            case Now(doing, numbers):
                self.held, self.doing, self.running = "", doing, frozenset(numbers)
            case Held(why):
                self.held, self.doing, self.running = why, "", frozenset()
            case Idle():
                self.held, self.doing, self.running = "", "", frozenset()
            case Exchanged(problems):
                self.exchange_problems = problems
            case Done(number):
                self.running -= {number}
        self._tell(event)
