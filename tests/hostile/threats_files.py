"""What lies in the submission's folder, and how its notebook is written."""

import json
import os
import socket
from pathlib import Path

import nbformat
from hostile_course import by_id, cell
from hostile_threat import Threat, attack, ended, harmless

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


def notebook_text(change):
    """Rewrite the notebook's file as text."""

    def after(folder: Path) -> None:
        path = folder / "tasks.ipynb"
        path.write_text(change(path.read_text()), encoding="utf-8", errors="surrogatepass")

    return after


def with_metadata(text: str):
    def change(all: str) -> str:
        made = json.loads(all)
        made["metadata"]["x"] = "@HERE@"
        return json.dumps(made).replace('"@HERE@"', text)

    return notebook_text(change)


def same_ids(notebook) -> None:
    for item in notebook["cells"]:
        item["id"] = "same"


def long_ids(notebook) -> None:
    for number, item in enumerate(notebook["cells"]):
        item["id"] = "x" * 100_000 + str(number)


def odd_ids(notebook) -> None:
    odd = ["../../x", "", "<script>", 5, None, {"a": 1}, "\x00", "a/b", "ü", True, []]
    for item, id in zip(notebook["cells"], odd, strict=False):
        item["id"] = id


def odd_grade_ids(notebook) -> None:
    metadata = dict(by_id(notebook, "square")["metadata"]["nbgrader"])
    for id in (
        "../../x",
        "/etc/passwd",
        "",
        "x" * 100_000,
        5,
        None,
        ["a"],
        "test-square/../x",
        "a\nb",
    ):
        made = cell("code", "own", "1")
        made["metadata"]["nbgrader"] = metadata | {"grade_id": id, "points": 1e308, "grade": True}
        notebook["cells"].append(made)
    for odd in (5, [], "x", None, {"schema_version": "9" * 1000}):
        made = cell("code", "own", "1")
        made["metadata"]["nbgrader"] = odd
        notebook["cells"].append(made)


def odd_points(notebook) -> None:
    values = (float("nan"), float("inf"), -1e308, "8", None)
    for item, points in zip(notebook["cells"], values * 3, strict=False):
        if "nbgrader" in item["metadata"]:
            item["metadata"]["nbgrader"].update(points=points, schema_version=10**6)


def forged_notes(notebook) -> None:
    notebook["metadata"]["nbjudge"] = {"notes": ["FORGED"], "trial": {"scores": {"square": 8}}}
    notebook["metadata"]["nbgrader"] = {"score": 8}
    for item in notebook["cells"]:
        item["metadata"]["nbjudge"] = {"notes": ["FORGED"], "score": 8}


def forgery_is_gone(graded) -> None:
    assert "FORGED" not in str(graded.record) + str(graded.notebook) + graded.feedback


def forged_outputs(notebook) -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}}
    for item in notebook["cells"]:
        if item["cell_type"] == "code":
            item["outputs"] = [dict(result, execution_count=1)]
            item["execution_count"] = 1


def foreign_kernel(notebook) -> None:
    evil = ["/bin/sh", "-c", "touch /tmp/nbjudge-evil"]
    notebook["metadata"]["kernelspec"] = {
        "name": "evil", "display_name": "Evil", "language": "bash", "argv": evil,
        "metadata": {"kernel_provisioner": {"provisioner_name": "local-provisioner"}},
    }  # fmt: skip


def null_bytes(notebook) -> None:
    notebook["cells"].append(cell("code", "null", "x = 1\x00\nprint('\ud800')\n"))
    notebook["cells"].append(cell("code", "surrogate", "x = '\ud800'"))


def hard_to_parse(notebook) -> None:
    sources = ["(" * 5000, "-" * 20_000 + "1", "x = " + "(" * 150 + ")" * 150, "a" + ".a" * 20_000,
               "[" * 90 + "]" * 90, "f(" * 90 + ")" * 90, "1" + "+1" * 10_000, "x = 1\n" * 10_000,
               "if x:\n" * 90 + "pass", "\\\n" * 20_000, "'''" + "x" * 500_000, "lambda: " * 5000,
               "\n".join(" " * n + "if x:" for n in range(200)), "9" * 100_000]  # fmt: skip
    for number, source in enumerate(sources):
        notebook["cells"].append(cell("code", f"hard-{number}", source))


def many_magics(notebook) -> None:
    notebook["cells"].append(cell("code", "magics", "!ls\n" * 60_000))


def many_cells(notebook) -> None:
    notebook["cells"] += [cell("code", "same", "") for _ in range(60_000)]


def large_notebook(notebook) -> None:
    notebook["cells"].append(cell("markdown", "large", "x" * 19_000_000))


def old_notebook(folder: Path) -> None:
    path = folder / "tasks.ipynb"
    made = nbformat.convert(nbformat.reads(path.read_text(), as_version=4), 3)
    path.write_text(json.dumps(made))


def keeps_its_place(graded) -> None:
    names = {path.name for path in graded.course.gradebook_folder.parent.iterdir()}
    assert "x" not in names and not (graded.course.root.parent / "x").exists()


OUTSIDE = "outside the submission"
THREATS = {
    "shadows": harmless("modules and settings that stand in the way", after=shadows,
                        check=sets_aside_are_told, as_ordinary=True),
    "shadows-numpy": attack(
        "a numpy that passes tests",
        after=file("numpy.py", "import sys\nclass testing:\n    assert_allclose = print\n"
                   "def __getattr__(name): return lambda *a, **k: True\n"),
        first="import sys\nsys.path.insert(0, '')\nsys.modules.pop('numpy', None)",
    ),
    "odd-names": harmless("file names that are markup or commands", after=odd_names,
                          check=names_are_inert),
    "link-to-file": ended("a link to the gradebook", OUTSIDE,
                          after=link("data.db", "@ROOT@/gradebook/gradebook.db"), as_ordinary=True),
    "link-to-folder": ended("a link to the source", OUTSIDE, after=link("data", "@ROOT@/source")),
    "link-in-folder": ended("a link in a folder", OUTSIDE, after=link("a/b/c", "@ROOT@/labels.json")),
    "link-by-dots": ended("a link upwards", OUTSIDE, after=link("up", "../../classmate/h1")),
    "link-to-nothing": ended("a broken link", OUTSIDE, after=link("broken", "/nowhere/at/all")),
    "link-to-proc": ended("a link to /proc/self/environ", OUTSIDE,
                          after=link("environment", "/proc/self/environ")),
    "link-to-itself": ended("a link to itself", OUTSIDE, after=link("self", "self")),
    "notebook-link": ended(
        "the notebook is a link to the source", OUTSIDE,
        after=lambda folder: ((folder / "tasks.ipynb").unlink(),
                              link("tasks.ipynb", "@ROOT@/source/h1/tasks.ipynb")(folder)),
    ),
    "link-loop": harmless("links to the folder itself", after=loop),
    "hard-link": harmless("a hard link to the labels", after=linked, last="print(open('labels.csv').read()[:9])"),
    "fifo": ended("a FIFO", "is not a file", after=fifo("pipe")),
    "fifo-time": ended("timestamp.txt is a FIFO", "is not a file", after=fifo("timestamp.txt")),
    "fifo-notebook": ended("the notebook is a FIFO", "is not a file", after=fifo("tasks.ipynb")),
    "socket-file": ended("a socket file", "is not a file", after=socket_file),
    "link-time": ended("timestamp.txt is a link", OUTSIDE, after=link("timestamp.txt", "/etc/passwd")),
    "folder-time": ended("timestamp.txt is a folder", "is not a file", after=lambda f: (f / "timestamp.txt").mkdir()),
    "folder-notebook": ended(
        "the notebook is a folder", "is missing",
        after=lambda f: ((f / "tasks.ipynb").unlink(), (f / "tasks.ipynb").mkdir()),
    ),
    "locked-files": harmless("files that only root may read", after=locked),
    "deep-folders": ended("120 folders in each other", "deeper than", after=deep),
    "many-files": ended("6,000 files", "more than 1,000 files", after=many),
    "large-files": ended("63 MB, where 50 MB may be written", "45 MB are allowed", after=large),
    # The notebook's own file.
    "same-ids": harmless("all cells have one id", change=same_ids),
    "long-ids": ended("ids of 100,000 letters", "JupyterLab", change=long_ids),
    "odd-ids": ended("ids that are none", "JupyterLab", change=odd_ids),
    "odd-grade-ids": harmless("grade ids that are paths", change=odd_grade_ids, check=keeps_its_place),
    "odd-points": attack("points that are no numbers", change=odd_points),
    "forged-notes": harmless("notes of our own", change=forged_notes, check=forgery_is_gone),
    "forged-cell-outputs": attack("outputs that were there before", change=forged_outputs),
    "foreign-kernel": harmless("another kernel's command", change=foreign_kernel, check=no_evil),
    "null-bytes": harmless("null bytes and surrogates in cells", change=null_bytes),
    "hard-to-parse": harmless("cells that are hard to parse", change=hard_to_parse),
    "many-magics": harmless("60,000 magics in a cell", change=many_magics),
    "many-cells": ended("60,000 cells", "cells", change=many_cells),
    "large-notebook": harmless("a notebook of 19 MB", change=large_notebook),
    "too-large-notebook": ended(
        "a notebook of 21 MB", "MB", after=notebook_text(lambda all: all + " " * 21_000_000)
    ),
    "old-notebook": harmless("format 3", after=old_notebook),
    "deep-metadata": ended("metadata of 100,000 levels", "not valid JSON",
                           after=with_metadata("[" * 100_000 + "]" * 100_000)),
    "rather-deep-metadata": harmless("metadata of 400 levels",
                                     after=with_metadata("[" * 400 + "]" * 400)),
    "wide-metadata": harmless("a million lists", after=with_metadata("[" + "[]," * 1_000_000 + "1]")),
    "nan-metadata": harmless("NaN", after=with_metadata("[NaN, Infinity, -Infinity, 1e999]")),
    "huge-number": ended("a number of 10,000 digits", "not valid JSON",
                         after=with_metadata("9" * 10_000)),
    "twice": ended("keys that are there twice", "none of the cells",
                   after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": 4, "cells": []'))),
    "no-format": ended("nbformat is a text", "JupyterLab",
                       after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": "x"'))),
    "later-format": ended("nbformat 99", "JupyterLab",
                          after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": 99'))),
    "not-utf-8": ended("bytes that are no UTF-8", "not valid JSON",
                       after=lambda f: (f / "tasks.ipynb").write_bytes(b"\xff\xfe{}")),
    "surrogate-text": harmless(
        "an escaped surrogate in a text cell",
        after=notebook_text(lambda all: all.replace("My notes.", "My \\ud800 notes."))),
    "a-list": ended("a list", "JupyterLab", after=notebook_text(lambda all: "[]")),
    "a-number": ended("a number", "JupyterLab", after=notebook_text(lambda all: "1")),
    "bare-cells": ended("cells that are no cells", "JupyterLab",
                        after=notebook_text(lambda all: all.replace('"cells": [', '"cells": [1, null, [],', 1))),
}  # fmt: skip

# Names of students' folders: what an instructor's own unpacking may make of an upload.
STUDENTS = (
    "o'brien", "anna-maría", "a b", "-rf", "%s{}", "x;y", "a\nb", "<script>", "x" * 245, "$(id)",
    "[odd]", "a*", "学生", "\\x", "a.b+c(d)", os.fsdecode(b"\xff"), "\x1b[31m", "x" * 255,
)  # fmt: skip
