"""The class of all threats, graded once, and what can be seen of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hostile_course as course_files
import threats_files
import threats_limits
import threats_notebooks
import threats_outputs
import threats_sandbox
import threats_tests
import threats_values
from hostile_course import Secrets
from hostile_threat import Threat
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import GradingOutcome, grade
from nbjudge.course import Course
from nbjudge.record.records import Record, read_record

MODULES = (
    threats_tests,
    threats_sandbox,
    threats_limits,
    threats_files,
    threats_notebooks,
    threats_outputs,
    threats_values,
)
THREATS: dict[str, Threat] = {
    f"{module.__name__.removeprefix('threats_')}.{name}": threat
    for module in MODULES
    for name, threat in module.THREATS.items()
}


class Listener:
    """Sockets of the test's own that no notebook must reach; ``heard`` says which were."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        self.abstract = f"hostile-{secrets.token_hex(8)}"
        self.path = folder / "listener"
        tcp, udp, path, abstract = (
            socket.socket(socket.AF_INET),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            socket.socket(socket.AF_UNIX),
            socket.socket(socket.AF_UNIX),
        )
        self._sockets = {"tcp": tcp, "udp": udp, "path": path, "abstract": abstract}
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        path.bind(str(self.path))
        abstract.bind(f"\0{self.abstract}")
        self.tcp, self.udp = tcp.getsockname()[1], udp.getsockname()[1]
        for name, made in self._sockets.items():
            if name != "udp":
                made.listen()
            threading.Thread(target=self._listen, args=(name, made), daemon=True).start()

    def _listen(self, name: str, made: socket.socket) -> None:
        try:
            _ = made.recv(10) if name == "udp" else made.accept()
        except OSError:
            return
        self.heard.append(name)

    def close(self) -> None:
        for made in self._sockets.values():
            made.close()


@dataclass
class Graded:
    """One submission of the class after it was graded."""

    name: str
    course: Course
    outcome: GradingOutcome
    heard: list[str] = field(default_factory=list)

    @cached_property
    def record(self) -> Record:
        found = read_record(self.course.gradebook_folder, "h1", self.outcome.student)
        assert found is not None
        return found

    @cached_property
    def notebook(self) -> dict[str, Any] | None:
        path = self.course.autograded / self.outcome.student / "h1" / "tasks.ipynb"
        return json.loads(path.read_text()) if path.exists() else None

    @cached_property
    def feedback(self) -> str:
        """The page that the student gets; made now."""
        path = self.course.feedback / self.outcome.student / "h1" / "tasks.html"
        if not path.exists():
            result = self.course.api().generate_feedback("h1", self.outcome.student)
            assert result["success"], result
        return path.read_text()

    def outputs(self, id: str) -> list[dict[str, Any]]:
        return next(item["outputs"] for item in self.notebook["cells"] if item.get("id") == id)

    def text(self, id: str) -> str:
        """What the cell printed."""
        return "".join("".join(out.get("text", "")) for out in self.outputs(id))

    def all_outputs(self) -> str:
        """Everything but the sources of the cells: tests are the instructor's own copies."""
        if self.notebook is None:
            return ""
        rest = [
            {key: value for key, value in item.items() if key != "source"}
            for item in self.notebook["cells"]
        ]
        return json.dumps([rest, self.notebook["metadata"]], ensure_ascii=False)

    def probe(self) -> dict[str, str]:
        return json.loads(re.search("PROBE(.*)", self.text("own-last"))[1])

    def assert_feedback_is_inert(self) -> None:
        assert active_parts(self.feedback) == []


def active_parts(page: str) -> list[str]:
    """What would run or load something in a page, but for nbgrader's own parts."""
    parser = _Active()
    parser.feed(page)
    return parser.found


MATHML = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle"),
    *("msup", "msub", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts"),
    *("mtable", "mtr", "mtd", "mpadded", "mphantom", "menclose", "none"),
}


class _Active(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_formula = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            value = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if (
                name.startswith("on")
                or name == "srcdoc"
                or value.startswith(("javascript:", "vbs"))
            ):
                self.found.append(f"<{tag} {name}={value[:80]!r}>")
            if name in ("src", "href") and value.startswith("data:text"):
                self.found.append(f"<{tag} {name}={value[:80]!r}>")
        if tag in ("iframe", "object", "embed", "base", "form", "svg", "applet", "frame"):
            self.found.append(f"<{tag}>")
        # Formulas are MathML, and nothing but formulas may be in them.
        self._in_formula = self._in_formula or tag == "math"
        loads = {"href", "src", "style", "xlink:href"} & {name for name, _ in attrs}
        if self._in_formula and (tag not in MATHML or loads):
            self.found.append(f"<{tag}> in a formula")

    def handle_endtag(self, tag: str) -> None:
        self._in_formula = self._in_formula and tag != "math"

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in ("script", "style") and re.search(
            r"stolen|alert\(1\)|@import 'x'", data
        ):
            self.found.append(f"<{self.cdata_elem}>{data[:80]!r}")


def places_of(root: Path, listener: Listener) -> dict[str, str]:
    return {
        "@ROOT@": str(root),
        "@TESTS@": str(Path(__file__).parent),
        "@TMP@": os.environ.get("TMPDIR", "/tmp"),
        "@TCP@": str(listener.tcp),
        "@UDP@": str(listener.udp),
        "@ABSTRACT@": listener.abstract,
        "@SOCKET@": str(listener.path),
    }


def student_of(name: str) -> str:
    return name.replace(".", "-")


def hand_in_all(root: Path, threats: Mapping[str, Threat], places: Mapping[str, str]) -> None:
    for name, threat in threats.items():
        student = student_of(name)
        course_files.hand_in(
            root, student, threat.answers, threat.first, threat.last, threat.change, threat.after,
            places,
        )  # fmt: skip


def hand_in_classmate(root: Path, hidden: Secrets) -> None:
    """One whose notebook and whose place in the gradebook hold something worth stealing."""
    course_files.hand_in(root, "classmate", course_files.RIGHT, last=f"# {hidden.classmate}")
    course_files.hand_in(root, "honest", course_files.RIGHT)


def grade_all(course: Course, **options: Any) -> dict[str, GradingOutcome]:
    return {o.student: o for o in grade(course, find_submissions(course), **options)}


def digest_of(folder: Path) -> dict[str, str]:
    """Every file below a folder by its name, whatever it is."""
    found, waiting = {}, [str(folder)]
    while waiting:
        parent = waiting.pop()
        for name in os.listdir(parent):
            path = os.path.join(parent, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
            elif os.path.isdir(path):
                waiting.append(path)
                found[path] = "folder"
            elif os.path.isfile(path):
                with open(path, "rb") as opened:
                    found[path] = hashlib.file_digest(opened, "sha256").hexdigest()
            else:
                found[path] = "special"
    return found


@contextmanager
def listening(folder: Path) -> Iterator[Listener]:
    listener = Listener(folder)
    try:
        yield listener
    finally:
        listener.close()
