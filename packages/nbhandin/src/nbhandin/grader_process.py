"""The grader's process: ``python -m nbhandin.grader_process COURSE [--exchange] [--cluster X]``.

It is told on its standard input that there may be work, and says on its standard output what it
does. When the input ends, the page is gone: it stops at once, and the next one goes on.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from nbhandin.events import Event, Held, Ready, as_line

_SECONDS_TO_LOOK = 5.0
_SECONDS_TO_END = 10.0


def main() -> None:
    """Grade until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("course")
    parser.add_argument("--exchange", action="store_true")
    parser.add_argument("--cluster")
    options = parser.parse_args()
    # What libraries print must not come between the lines.
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    wake = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin, wake), daemon=True).start()

    from nbjudge.cohort import course_workers, use_cluster
    from nbjudge.course import load_course
    from nbjudge.errors import NbjudgeError

    from nbhandin.exchange import Exchange
    from nbhandin.grading import QueueGrader
    from nbhandin.settings import settings_of

    def say(event: Event) -> None:
        said.write(as_line(event) + "\n")
        said.flush()

    course = load_course(options.course)
    if options.cluster is not None:
        use_cluster(course, options.cluster)
    settings = settings_of(course)
    try:
        exchange = Exchange(course, settings) if options.exchange else None
        grader = QueueGrader(course, settings, _only_new(say), exchange=exchange)
        with course_workers(course) as workers:
            say(Ready())
            while True:
                grader.grade_all(workers)
                wake.wait(_SECONDS_TO_LOOK)
                wake.clear()
    except KeyboardInterrupt:
        pass
    except (NbjudgeError, OSError) as error:
        say(Held(str(error)))
        sys.exit(1)


def _only_new(say: Callable[[Event], None]) -> Callable[[Event], None]:
    """Says an event only if it is another one than the last."""
    last: list[Event] = []

    def say_new(event: Event) -> None:
        if last != [event]:
            last[:] = [event]
            say(event)

    return say_new


def _listen(lines: TextIO, wake: threading.Event) -> None:
    for _ in lines:
        wake.set()
    os.kill(os.getpid(), signal.SIGINT)
    threading.Timer(_SECONDS_TO_END, os._exit, (1,)).start()


if __name__ == "__main__":
    main()
