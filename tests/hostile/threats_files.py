"""What lies in the submission's folder, and how its notebook is written."""

import os
import socket
from pathlib import Path

from hostile_threat import attack, ended, harmless

EVIL = "print('EVIL'); raise SystemExit('EVIL')\n"


def course_of(folder: Path) -> Path:
    return folder.parent.parent.parent


def file(name: str, text: str):
    def after(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return after


def link(name: str, target: str):
    def after(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target.replace("@ROOT@", str(course_of(folder))))

    return after


def shadows(folder: Path) -> None:
    for name in ("numpy", "nbjudge", "json", "ipykernel", "IPython", "zmq", "comm"):
        (folder / f"{name}.py").write_text(EVIL)
    (folder / "nbjudge").mkdir()
    (folder / "nbjudge" / "__init__.py").write_text(EVIL)
    for name in (
        "sitecustomize.py",
        "usercustomize.py",
        "conftest.py",
        "evil.pth",
        "_virtualenv.pth",
    ):
        (folder / name).write_text("import sys; " + EVIL)
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(EVIL)
    for name in ("ipython_config.py", "ipython_kernel_config.py", "jupyter_config.py"):
        (folder / ".ipython" / "profile_default" / name).write_text(EVIL)
        (folder / name).write_text(EVIL)
    (folder / "nbgrader_config.py").write_text(EVIL)
    (folder / "hostile_data.py").write_text(EVIL)
    (folder / "pyvenv.cfg").write_text("home = .")


def no_evil(graded) -> None:
    assert "EVIL" not in graded.all_outputs()


def sets_aside_are_told(graded) -> None:
    no_evil(graded)
    notes = str(graded.record.notebooks[0].notes)
    assert "numpy.py was set aside" in notes and "json.py" in notes


def odd_names(folder: Path) -> None:
    for name in (
        "json.<img src=x onerror=alert(1)>.py",
        'json."onmouseover=alert(1) [x](javascript:alert(1)) `.py',
        "json.\x1b[31m\x07.py",
        "json.\n* **Full marks**\n.py",
        "-rf",
        "$(touch evil).txt",
        "%s%n{}.txt",
        "ü" * 100,
    ):
        (folder / name).write_text("x")
    (folder / os.fsdecode(b"json.\xff.py")).write_text("x")


def names_are_inert(graded) -> None:
    graded.assert_feedback_is_inert()
    assert "\x1b" not in str(graded.record) and "\\x1b" not in str(graded.record)


def linked(folder: Path) -> None:
    os.link(course_of(folder) / "labels.json", folder / "labels.csv")


def fifo(name: str):
    return lambda folder: ((folder / name).unlink(missing_ok=True), os.mkfifo(folder / name))


def socket_file(folder: Path) -> None:
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(folder)
        try:
            made.bind("sock")
        finally:
            os.chdir(here)


def loop(folder: Path) -> None:
    (folder / "one").symlink_to(".")
    (folder / "two").symlink_to(".")


def locked(folder: Path) -> None:
    (folder / "locked").mkdir()
    (folder / "locked" / "x").write_text("x")
    (folder / "closed.txt").write_text("x")
    (folder / "closed.txt").chmod(0)
    (folder / "locked").chmod(0)


def deep(folder: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(120):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)


def many(folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(6000):
        (folder / "many" / str(number)).touch()


def large(folder: Path) -> None:
    for number in range(7):
        with (folder / f"large{number}").open("wb") as made:
            made.truncate(9_000_000)


OUTSIDE = "outside the submission"
THREATS = {
    "shadows": harmless(
        "modules and settings that stand in the way",
        after=shadows,
        check=sets_aside_are_told,
        as_ordinary=True,
    ),
    "shadows-numpy": attack(
        "a numpy that passes tests",
        after=file(
            "numpy.py",
            "import sys\nclass testing:\n    assert_allclose = print\n"
            "def __getattr__(name): return lambda *a, **k: True\n",
        ),
        first="import sys\nsys.path.insert(0, '')\nsys.modules.pop('numpy', None)",
    ),
    "odd-names": harmless(
        "file names that are markup or commands", after=odd_names, check=names_are_inert
    ),
    "link-to-file": ended(
        "a link to the gradebook",
        OUTSIDE,
        after=link("data.db", "@ROOT@/gradebook/gradebook.db"),
        as_ordinary=True,
    ),
    "link-to-folder": ended("a link to the source", OUTSIDE, after=link("data", "@ROOT@/source")),
    "link-in-folder": ended(
        "a link in a folder", OUTSIDE, after=link("a/b/c", "@ROOT@/labels.json")
    ),
    "link-by-dots": ended("a link upwards", OUTSIDE, after=link("up", "../../classmate/h1")),
    "link-to-nothing": ended("a broken link", OUTSIDE, after=link("broken", "/nowhere/at/all")),
    "link-to-proc": ended(
        "a link to /proc/self/environ", OUTSIDE, after=link("environment", "/proc/self/environ")
    ),
    "link-to-itself": ended("a link to itself", OUTSIDE, after=link("self", "self")),
    "notebook-link": ended(
        "the notebook is a link to the source",
        OUTSIDE,
        after=lambda folder: (
            (folder / "tasks.ipynb").unlink(),
            link("tasks.ipynb", "@ROOT@/source/h1/tasks.ipynb")(folder),
        ),
    ),
    "link-loop": harmless("links to the folder itself", after=loop),
    "hard-link": harmless(
        "a hard link to the labels", after=linked, last="print(open('labels.csv').read()[:9])"
    ),
    "fifo": ended("a FIFO", "is not a file", after=fifo("pipe")),
    "fifo-time": ended("timestamp.txt is a FIFO", "is not a file", after=fifo("timestamp.txt")),
    "fifo-notebook": ended("the notebook is a FIFO", "is not a file", after=fifo("tasks.ipynb")),
    "socket-file": ended("a socket file", "is not a file", after=socket_file),
    "link-time": ended(
        "timestamp.txt is a link", OUTSIDE, after=link("timestamp.txt", "/etc/passwd")
    ),
    "folder-time": ended(
        "timestamp.txt is a folder", "is not a file", after=lambda f: (f / "timestamp.txt").mkdir()
    ),
    "folder-notebook": ended(
        "the notebook is a folder",
        "is missing",
        after=lambda f: ((f / "tasks.ipynb").unlink(), (f / "tasks.ipynb").mkdir()),
    ),
    "locked-files": harmless("files that only root may read", after=locked),
    "deep-folders": ended("120 folders in each other", "deeper than", after=deep),
    "many-files": ended("6,000 files", "more than 1,000 files", after=many),
    "large-files": ended("63 MB, where 50 MB may be written", "45 MB are allowed", after=large),
}

# Names of students' folders: what an instructor's own unpacking may make of an upload.
STUDENTS = (
    "o'brien", "anna-maría", "a b", "-rf", "%s{}", "x;y", "a\nb", "<script>", "x" * 245, "$(id)",
    "[odd]", "a*", "学生", "\\x", "a.b+c(d)", os.fsdecode(b"\xff"), "\x1b[31m", "x" * 255,
)  # fmt: skip
