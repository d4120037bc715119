"""Public nbgrader courses, graded by stock nbgrader and here: are the scores the same?

    python benchmarks/public_courses.py FOLDER [REPOSITORY …] [--results FOLDER] [--again] [--table]

FOLDER holds clones of the repositories below, each as OWNER+NAME or NAME; those that are not
there are skipped. Nothing is fetched, and nothing of theirs is kept but scores, in a JSON file for
each course. Of each notebook the instructor's own solution is graded, what students are given
(blank), and the solution with every number in its answers one larger (broken). What the courses
import has to be installed. Notebooks whose own solution gets no full marks in stock nbgrader, for
example because a file is missing, are counted and left out. ``--again`` grades here only, and
keeps stock nbgrader's scores of an earlier run at the same commit. ``--table`` prints what is in
the results, for the documentation.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VARIANTS = ("solution", "blank", "broken")
STOCK = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///{root}/gradebook.db'\n"
HERE = f"{STOCK}from nbjudge.configure import configure\n\nconfigure(c)\n"
# The longest time for one step of a course.
SECONDS = 2_400


@dataclass(frozen=True)
class PublicCourse:
    """A repository at a commit, with the folder that holds ASSIGNMENT/*.ipynb."""

    repository: str
    commit: str
    source: str = "source"
    part: str = ""

    @property
    def name(self) -> str:
        """The repository, and the part of it where it holds several courses."""
        return f"{self.repository} {self.part}".strip()


COURSES = (
    PublicCourse(
        "219project/num_meth_nbgrader",
        "8246e07eef02092ed9ed23a82b0ee8d9c5b49f5e",
        "TestCourse/source",
    ),
    PublicCourse(
        "219project/num_meth_nbgrader",
        "8246e07eef02092ed9ed23a82b0ee8d9c5b49f5e",
        "TestCourse/source/drafts",
        "drafts",
    ),
    PublicCourse("spanto/2021WNPhys260", "26c72724c31253d16ac3644c12f0f453d2f16a47"),
    PublicCourse(
        "rameshsrinivasanuci/COGS14P_F25_Assignments",
        "df9f673b13149b4776fdff689fefe0893f9200f9",
        "classwork/source",
    ),
    PublicCourse("ccha23/cs1302i21a", "52ad875cc49cf51f805d3c7797ff0a2f808fb7a6"),
    PublicCourse(
        "lukassnoek/introPy", "3df98e53810a96bbdd6ac91d0aa35ef2fb3295ef", "intropy/solutions"
    ),
    PublicCourse("madclam/info113", "a36cc6bf5e378d9a4d35899e8b9be52c21badd17"),
    PublicCourse(
        "jhamrick/nbgrader-demo", "05a5c90582fc3a575e70f94a0cc214c275311264", "instructor/source"
    ),
    PublicCourse("alexshunyaev/nbgrader_inf2", "5e8416e0c0888e3fae48b0a0151d9a856ac65a8a"),
    PublicCourse(
        "LucVermeer/grading_environment",
        "0a7441b00a472375058a5ab444fe0d45a7a41236",
        "digital_expertise/source",
    ),
    PublicCourse("DS4Earth/sp2020", "a288deb16d849f7f442c347ad3fb0a333e523146", "DS4Earth/source"),
    PublicCourse("ComplexNetTSP/ComplexNetTD", "94dbdf5b17e2a31c73376a8ba8ddd797681e430b"),
    PublicCourse("havardei/nbgrader-exercises", "be0606cb1dbfffd3310048f7df2d5d9400a4d7e8"),
    PublicCourse(
        "rameshsrinivasanuci/COGS14P_F25_PS_DIS_2",
        "f005fb3986e2ce2bb20d48b64485e0215c9de2cc",
        "classwork/source",
    ),
    PublicCourse("SoutikNandy/python_assign", "0dbe5317ffe6625a84bdf77e3e98c16c13e21f6d"),
    PublicCourse(
        "abbasidaniyalorg/ids-assignment-hub-sample", "a82e1453ae5f0ab808f024c32ca4fcd306cd2790"
    ),
    PublicCourse("bacross/python_assessments", "cdc1f3be5a53f43376fa8abddc23ba841a2ccc55"),
    PublicCourse("earthlab/nbgrader-test-course", "0d446e9e9a1a4abf9b90e1e3391b22a47eba73ec"),
    PublicCourse("rcprati/PI", "9d669b19426503706791d7ed6b6a89257aa5cb87", "PI/source"),
    PublicCourse("zichengliao/zuics101-fa17", "436a53caff3b4e3588fc0ae3d9ce5a4b645bcdfa"),
)


@dataclass
class Result:
    """What came of one course. Scores are by variant, assignment, notebook and cell."""

    repository: str
    commit: str
    stock: dict[str, float | None] = field(default_factory=dict)
    here: dict[str, float | None] = field(default_factory=dict)
    full: dict[str, bool] = field(default_factory=dict)
    in_kernel: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def git_folder(folder: Path, course: PublicCourse) -> Path | None:
    """The git directory of a clone in ``folder``; None where there is none."""
    owner, name = course.repository.split("/")
    for base in (folder / f"{owner}+{name}", folder / name):
        for inner in (".git", "repo/.git", "repo"):
            if (base / inner / "HEAD").is_file():
                return base / inner
    return None


def extract(git: Path, course: PublicCourse, target: Path) -> None:
    """Write the files of the course's source folder, as committed, below ``target``."""

    def run(*arguments: str) -> bytes:
        command = ["git", "-c", "safe.directory=*", "--git-dir", str(git), *arguments]
        return subprocess.run(command, capture_output=True, check=False).stdout

    listed = run("ls-tree", "-r", "-z", "--name-only", course.commit, "--", course.source)
    for name in filter(None, listed.decode().split("\0")):
        file = target / Path(name).relative_to(course.source)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(run("show", f"{course.commit}:{name}"))


class _OneMore(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if type(node.value) in (int, float):
            return ast.Constant(node.value + 1)
        return node


def broken(notebook: dict) -> dict:
    """The notebook with every number in its answers one larger, where they are plain Python."""
    changed = json.loads(json.dumps(notebook))
    for cell in changed["cells"]:
        flags = cell.get("metadata", {}).get("nbgrader", {})
        if flags.get("solution") and cell["cell_type"] == "code":
            try:
                tree = _OneMore().visit(ast.parse("".join(cell["source"])))
            except SyntaxError:
                continue
            cell["source"] = ast.unparse(ast.fix_missing_locations(tree))
    return changed


def command(root: Path, *arguments: str) -> str:
    """Run a command of this environment in ``root``; what it says."""
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "1000",
    }
    try:
        done = subprocess.run(
            [str(tools / arguments[0]), *arguments[1:]],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"{arguments[0]} took longer than {SECONDS} s"
    return done.stdout + done.stderr


def step(root: Path, name: str, assignments: Collection[str]) -> list[str]:
    """Do a step for the assignments as the formgrader's buttons do it; what failed."""
    script = str(Path(__file__).with_name("formgrader_steps.py"))
    said = command(root, "python", script, name, *sorted(assignments))
    return [line for line in said.splitlines() if line.startswith(f"{name}, ")]


def notebooks(root: Path) -> list[Path]:
    """The notebooks of a course folder's assignments."""
    return sorted((root / "source").glob("*/*.ipynb"))


def assignments(root: Path) -> set[str]:
    """The assignments of a course folder that hold notebooks."""
    return {path.parent.name for path in notebooks(root)}


def has_tests(path: Path) -> bool:
    """Whether the notebook has a cell that is a test."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    except ValueError:
        return False
    flags = [cell.get("metadata", {}).get("nbgrader", {}) for cell in cells]
    return any(flag.get("grade") and not flag.get("solution") for flag in flags)


def is_old(path: Path) -> bool:
    """Whether the notebook's cells have metadata of an older form of nbgrader's."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    flags = [cell.get("metadata", {}).get("nbgrader", {}) for cell in cells]
    return any(flag.get("schema_version", 0) < 3 for flag in flags if flag)


def prepare(root: Path, config: str, source: Path) -> None:
    """Make a course folder at ``root``, with its configuration and sources."""
    root.mkdir()
    shutil.copytree(source, root / "source")
    for path in notebooks(root):
        if not has_tests(path):
            path.unlink()
    (root / "nbgrader_config.py").write_text(config.format(root=root), encoding="utf-8")


def release(root: Path) -> None:
    """Make the student versions, by nbgrader itself."""
    if any(is_old(path) for path in notebooks(root)):
        command(root, "nbgrader", "update", "source")
    step(root, "generate", assignments(root))


def hand_in(root: Path) -> None:
    """Put the three variants of each released assignment into ``submitted/``."""
    for assignment in assignments(root):
        if not (root / "release" / assignment).is_dir():
            continue
        source = root / "source" / assignment
        for variant in VARIANTS:
            folder = root / "submitted" / variant / assignment
            shutil.copytree(root / "release" / assignment, folder)
            for path in sorted(source.glob("*.ipynb")) if variant != "blank" else ():
                notebook = json.loads(path.read_text(encoding="utf-8"))
                chosen = broken(notebook) if variant == "broken" else notebook
                (folder / path.name).write_text(json.dumps(chosen), encoding="utf-8")


def scores(root: Path) -> tuple[dict[str, float | None], dict[str, bool]]:
    """The scores of all test cells, and whether each notebook's solution has full marks."""
    from nbgrader.api import Gradebook

    found: dict[str, float | None] = {}
    full: dict[str, bool] = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        for assignment in gradebook.assignments:
            for submission in assignment.submissions:
                for notebook in submission.notebooks:
                    place = f"{assignment.name}/{notebook.name}"
                    tests = [grade for grade in notebook.grades if grade.cell.cell_type == "code"]
                    tests = [grade for grade in tests if not _by_hand(grade)]
                    for grade in tests:
                        key = f"{submission.student.id}/{place}/{grade.name}"
                        found[key] = grade.auto_score
                    if submission.student.id == "solution" and tests:
                        full[place] = all(grade.auto_score == grade.max_score for grade in tests)
    return found, full


def _by_hand(grade: Any) -> bool:
    """Whether the cell is an answer that a person grades."""
    return any(cell.name == grade.name for cell in grade.notebook.notebook.solution_cells)


def in_stock(folder: Path, source: Path, result: Result) -> None:
    """Grade all in stock nbgrader."""
    root = folder / "stock"
    prepare(root, STOCK, source)
    release(root)
    hand_in(root)
    started = time.monotonic()
    said = step(root, "autograde:solution", assignments(root))
    _, result.full = scores(root)
    full = {place.split("/")[0] for place, is_full in result.full.items() if is_full}
    for variant in VARIANTS[1:]:
        said += step(root, f"autograde:{variant}", full)
    result.said += [f"stock, {line}" for line in said]
    result.seconds["stock"] = time.monotonic() - started
    result.stock, _ = scores(root)


def in_this(folder: Path, source: Path, result: Result) -> None:
    """Grade here what gets full marks in stock nbgrader."""
    root = folder / "here"
    prepare(root, HERE, source)
    for path in notebooks(root):
        if not result.full.get(f"{path.parent.name}/{path.stem}"):
            path.unlink()
    release(root)
    hand_in(root)
    started = time.monotonic()
    said = command(root, "nbjudge", "grade")
    result.seconds["here"] = time.monotonic() - started
    result.here, _ = scores(root)
    graded = {key.split("/")[1] for key in result.here}
    if refused := sorted(assignments(root) - graded):
        result.said.append(said[-3000:])
        _with_cells_in_the_kernel(root, refused, result)
    result.said += not_graded(root)


def _with_cells_in_the_kernel(root: Path, refused: list[str], result: Result) -> None:
    """Grade again assignments whose own solution gets no full marks outside the kernel."""
    said = command(root, "nbjudge", "check", *refused)
    lines = re.findall(r"(c\.Grading\.tests_in_student_kernel\['(.*?)'\] = (\[.*?\]))", said)
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line, _, _ in lines)
    for _, assignment, ids in lines:
        result.in_kernel += [f"{assignment}/{name}" for name in ast.literal_eval(ids)]
    result.said += [line for line in said.splitlines() if line.startswith("│")]
    said = command(root, "nbjudge", "grade")
    result.here, _ = scores(root)
    if refused := sorted(assignments(root) - {key.split("/")[1] for key in result.here}):
        result.said.append(f"not graded: {', '.join(refused)}\n{said[-3000:]}")


def not_graded(root: Path) -> Iterator[str]:
    """Why hand-ins were not graded, as their records say."""
    for path in sorted((root / "gradebook" / "records").glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("status") == "not graded":
            yield f"{path.stem}/{path.parent.name}: {record.get('reason')}"


def compared(course: PublicCourse, git: Path, before: Result | None) -> Result:
    """Grade a course in both ways; in stock nbgrader only where ``before`` is None."""
    result = Result(course.name, course.commit)
    if before:
        result.stock, result.full = before.stock, before.full
        result.seconds["stock"] = before.seconds["stock"]
        result.said = [said for said in before.said if said.startswith("stock, ")]
    with tempfile.TemporaryDirectory(prefix="public-") as name:
        folder = Path(name)
        source = folder / "source"
        extract(git, course, source)
        if not before:
            in_stock(folder, source, result)
        if any(result.full.values()):
            in_this(folder, source, result)
    return result


def stored(path: Path, course: PublicCourse) -> Result | None:
    """What came of an earlier run at the same commit; None where there was none."""
    if not path.is_file():
        return None
    result = Result(**json.loads(path.read_text(encoding="utf-8")))
    return result if result.commit == course.commit else None


def row(result: Result) -> list[str]:
    """A row of the table."""
    full = {place for place, is_full in result.full.items() if is_full}
    cells = {
        key.partition("/")[2]: key
        for key in result.stock
        if key.startswith("solution/") and _place(key) in full
    }
    outside = len(cells) - len(result.in_kernel)
    parts = [result.repository, str(len(full)), str(len(cells)), str(outside)]
    for variant in VARIANTS:
        keys = [f"{variant}/{cell}" for cell in cells]
        same = sum(result.here.get(key) == result.stock.get(key) for key in keys)
        parts.append(f"{same}")
    return parts


def differences(result: Result) -> Iterator[str]:
    """The cells with another score than in stock nbgrader."""
    for key, score in result.stock.items():
        if result.full.get(_place(key)) and result.here.get(key) != score:
            yield f"{key}: {score} / {result.here.get(key)}"


def _place(key: str) -> str:
    return "/".join(key.split("/")[1:3])


def table(results: list[Result]) -> str:
    """The table for the documentation."""
    titles = ["course", "notebooks", "cells", "outside", *VARIANTS]
    rows = [row(result) for result in results]
    total = [str(sum(int(one[i]) for one in rows)) for i in range(1, len(titles))]
    lines = [titles, ["---"] * len(titles), *rows, ["all", *total]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Grade what is there, or print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("repositories", nargs="*")
    parser.add_argument("--results", type=Path, default=Path("public-courses"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    if asked.table:
        files = sorted(asked.results.glob("*.json"))
        results = [Result(**json.loads(path.read_text(encoding="utf-8"))) for path in files]
        print(table(results))
        for result in results:
            for line in differences(result):
                print(f"    {result.repository} {line}")
        return
    for course in COURSES:
        if asked.repositories and course.name not in asked.repositories:
            continue
        git = git_folder(asked.folder, course)
        if git is None:
            print(f"{course.repository}: not in {asked.folder}, skipped")
            continue
        path = asked.results / f"{course.name.replace('/', '+')}.json"
        before = stored(path, course) if asked.again else None
        result = compared(course, git, before)
        path.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
        print(table([result]), *differences(result), *result.said, sep="\n", flush=True)


if __name__ == "__main__":
    main()
