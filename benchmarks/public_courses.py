"""Public nbgrader courses, graded by stock nbgrader and here: are the scores the same?

    python benchmarks/public_courses.py FOLDER [REPOSITORY …]

FOLDER holds clones of the repositories below, each as OWNER+NAME or NAME; those that are not
there are skipped. Nothing is fetched, and nothing of theirs is kept. Of each assignment the
instructor's own solution is graded, what students are given (blank), and the solution with every
number in its answers one larger (broken). What the courses import has to be installed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

VARIANTS = ("solution", "blank", "broken")
STOCK = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///{root}/gradebook.db'\n"
HERE = """c = get_config()
from nbjudge.configure import configure
configure(c)
c.CourseDirectory.db_url = 'sqlite:///{root}/gradebook.db'
"""


@dataclass(frozen=True)
class PublicCourse:
    """A repository at a commit, with the folder that holds ASSIGNMENT/*.ipynb."""

    repository: str
    commit: str
    source: str = "source"


COURSES = (
    PublicCourse(
        "219project/num_meth_nbgrader",
        "8246e07eef02092ed9ed23a82b0ee8d9c5b49f5e",
        "TestCourse/source",
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
)
Scores = dict[tuple[str, str, str], float | None]


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
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(tools / arguments[0]), *arguments[1:]],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def hand_in(root: Path, assignment: str) -> None:
    """Put the three variants of an assignment into ``submitted/``."""
    source = root / "source" / assignment
    for variant in VARIANTS:
        folder = root / "submitted" / variant / assignment
        shutil.copytree(root / "release" / assignment, folder)
        for path in sorted(source.glob("*.ipynb")) if variant != "blank" else ():
            notebook = json.loads(path.read_text(encoding="utf-8"))
            chosen = broken(notebook) if variant == "broken" else notebook
            (folder / path.name).write_text(json.dumps(chosen), encoding="utf-8")


def scores(root: Path, assignment: str) -> Scores:
    """The scores by variant, notebook and test cell; None where a person has to decide."""
    found: Scores = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        for variant in VARIANTS:
            try:
                submission = gradebook.find_submission(assignment, variant)
            except MissingEntry:
                continue
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.cell.cell_type == "code":
                        found[variant, notebook.name, grade.name] = grade.auto_score
    return found


def graded(
    folder: Path, source: Path, config: str, assignment: str
) -> tuple[Scores, str, set[str]]:
    """The scores of an assignment, what was said where there are none, and cells in the kernel."""
    root = folder
    shutil.copytree(source, root / "source")
    (root / "nbgrader_config.py").write_text(config.format(root=root), encoding="utf-8")
    command(root, "nbgrader", "update", "source")
    said = command(root, "nbgrader", "generate_assignment", assignment, "--force")
    if not (root / "release" / assignment).is_dir():
        return {}, said, set()
    hand_in(root, assignment)
    if config is STOCK:
        said = command(root, "nbgrader", "autograde", assignment)
        return scores(root, assignment), said, set()
    in_kernel = kernel_cells(root, assignment)
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(
            f"c.Grading.tests_in_student_kernel = {{{assignment!r}: {sorted(in_kernel)!r}}}\n"
        )
    said = command(root, "nbjudge", "grade", assignment)
    return scores(root, assignment), said, in_kernel


def kernel_cells(root: Path, assignment: str) -> set[str]:
    """The test cells that `nbjudge check` would run in the student's kernel."""
    said = command(root, "nbjudge", "check", assignment)
    lines = [line for line in said.splitlines() if "tests_in_student_kernel[" in line]
    return {name for line in lines for name in ast.literal_eval(line.partition("] = ")[2])}


def main() -> None:
    """Grade what is there, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("repositories", nargs="*")
    asked = parser.parse_args()
    print("course | assignment | cells | same | outside the kernel | solution, stock / here")
    for course in COURSES:
        if asked.repositories and course.repository not in asked.repositories:
            continue
        git = git_folder(asked.folder, course)
        if git is None:
            print(f"{course.repository} | not in {asked.folder}, skipped")
            continue
        with tempfile.TemporaryDirectory(prefix="public-") as folder:
            source = Path(folder, "source")
            extract(git, course, source)
            for assignment in sorted({path.parent.name for path in source.glob("*/*.ipynb")}):
                print(
                    f"{course.repository} | {compared(Path(folder), source, assignment)}",
                    flush=True,
                )


def compared(folder: Path, source: Path, assignment: str) -> str:
    """One line of the table: how the scores of an assignment agree, and where they do not."""
    one = folder / f"only-{assignment}"
    shutil.copytree(source / assignment, one / assignment)
    stock, said, _ = graded(folder / f"stock-{assignment}", one, STOCK, assignment)
    if not stock:
        return f"{assignment} | stock nbgrader grades nothing: {said.strip().splitlines()[-1:]}"
    here, said, in_kernel = graded(folder / f"here-{assignment}", one, HERE, assignment)
    cells = {(notebook, name) for _, notebook, name in stock}
    same = sum(here.get(key) == score for key, score in stock.items())
    totals = [
        sum(v or 0.0 for (who, *_), v in x.items() if who == "solution") for x in (stock, here)
    ]
    line = (
        f"{assignment} | {len(cells)} | {same} of {len(stock)} | {len(cells) - len(in_kernel)} | "
        f"{totals[0]:g} / {totals[1]:g}"
    )
    differ = [
        f"{key}: {stock[key]} / {here.get(key)}" for key in stock if here.get(key) != stock[key]
    ]
    return (
        line
        + "".join(f"\n    {text}" for text in differ)
        + ("" if here else f"\n    {said[-600:]}")
    )


if __name__ == "__main__":
    main()
