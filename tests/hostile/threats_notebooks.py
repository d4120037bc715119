"""How the notebook itself is written: ids, metadata, cells, formats."""

import json
from pathlib import Path

import nbformat
from hostile_course import by_id, cell
from hostile_threat import attack, ended, harmless
from threats_files import no_evil


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


THREATS = {
    "same-ids": harmless("all cells have one id", change=same_ids),
    "long-ids": harmless("ids of 100,000 letters", change=long_ids),
    "odd-ids": harmless("ids that are none", change=odd_ids),
    "odd-grade-ids": harmless(
        "grade ids that are paths", change=odd_grade_ids, check=keeps_its_place
    ),
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
    "deep-metadata": ended(
        "metadata of 100,000 levels",
        "not valid JSON",
        after=with_metadata("[" * 100_000 + "]" * 100_000),
    ),
    "rather-deep-metadata": harmless(
        "metadata of 400 levels", after=with_metadata("[" * 400 + "]" * 400)
    ),
    "wide-metadata": harmless(
        "a million lists", after=with_metadata("[" + "[]," * 1_000_000 + "1]")
    ),
    "nan-metadata": harmless("NaN", after=with_metadata("[NaN, Infinity, -Infinity, 1e999]")),
    "huge-number": ended(
        "a number of 10,000 digits", "not valid JSON", after=with_metadata("9" * 10_000)
    ),
    "twice": ended(
        "keys that are there twice",
        "none of the cells",
        after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": 4, "cells": []')),
    ),
    "no-format": ended(
        "nbformat is a text",
        "JupyterLab",
        after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": "x"')),
    ),
    "later-format": ended(
        "nbformat 99",
        "JupyterLab",
        after=notebook_text(lambda all: all.replace('"nbformat": 4', '"nbformat": 99')),
    ),
    "not-utf-8": ended(
        "bytes that are no UTF-8",
        "not valid JSON",
        after=lambda f: (f / "tasks.ipynb").write_bytes(b"\xff\xfe{}"),
    ),
    "surrogate-text": harmless(
        "an escaped surrogate in a text cell",
        after=notebook_text(lambda all: all.replace("My notes.", "My \\ud800 notes.")),
    ),
    "a-list": ended("a list", "JupyterLab", after=notebook_text(lambda all: "[]")),
    "a-number": ended("a number", "JupyterLab", after=notebook_text(lambda all: "1")),
    "bare-cells": ended(
        "cells that are no cells",
        "JupyterLab",
        after=notebook_text(lambda all: all.replace('"cells": [', '"cells": [1, null, [],', 1)),
    ),
}
