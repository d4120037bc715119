"""What students and instructors see in JupyterLab, in a real browser."""

import json
import re

import pytest
from browser.chromium import CHROMIUM
from nbgrader.api import Gradebook
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium on PATH (Debian: apt-get install chromium)"
    ),
]

NOTEBOOK = "release/convnet/convnet.ipynb"
NOT_DONE = re.compile("NotImplementedError|NotAttempted")
# Importing TensorFlow in a fresh kernel takes its time on a small machine.
KERNEL = 240_000


def open_notebook(page: Page, lab) -> None:
    """Show the notebook by itself, its kernel ready."""
    # JupyterLab calls the kernel idle before there is one, and then forgets what it is told to run.
    with page.expect_websocket(lambda socket: "/channels" in socket.url, timeout=KERNEL):
        page.goto(lab.at(f"doc/tree/{NOTEBOOK}"))
    expect(page.locator(".jp-KernelName")).to_contain_text("Python 3")
    expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute(
        "data-status", "idle", timeout=KERNEL
    )


def test_a_student_runs_the_notebook_up_to_the_first_task(lab, page, screenshots):
    open_notebook(page, lab)
    page.screenshot(path=screenshots / "notebook.png")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    error = page.locator(".jp-OutputArea-output").filter(has_text=NOT_DONE).first
    expect(error).to_be_visible(timeout=KERNEL)
    expect(page.locator(".jp-InputPrompt").filter(has_text="[2]:")).to_be_attached()
    error.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "run.png")


def test_validate_tells_a_student_what_is_still_to_do(lab, page, screenshots):
    open_notebook(page, lab)
    page.get_by_role("button", name="Validate").click()

    dialog = page.locator(".jp-Dialog-content").filter(has_text="Validation Results")
    expect(dialog).to_contain_text("failed", timeout=KERNEL)
    expect(dialog).to_contain_text(NOT_DONE)
    page.screenshot(path=screenshots / "validate.png")


def test_the_formgrader_lists_the_graded_class(lab, course, page, screenshots):
    page.goto(lab.at("formgrader/manage_submissions/convnet"))
    rows = page.locator("table tbody tr")
    submissions = graded(course)
    expect(rows).to_have_count(len(submissions))
    for student, score in submissions.items():
        row = rows.filter(has=page.get_by_role("gridcell", name=student, exact=True))
        expect(row).to_contain_text(score)
    page.screenshot(path=screenshots / "formgrader.png")


def test_the_formgraders_button_judges_as_the_command_does(lab, course, page):
    record = course / "gradebook" / "records" / "convnet" / "bob.json"
    before = json.loads(record.read_text())
    page.goto(lab.at("formgrader/manage_submissions/convnet"))
    row = page.locator("table tbody tr").filter(
        has=page.get_by_role("gridcell", name="bob", exact=True)
    )
    row.locator("td.autograde a").click()
    told = page.locator(".modal-body").filter(has_text="Successfully autograded 'convnet'")
    expect(told).to_be_visible(timeout=KERNEL)
    after = json.loads(record.read_text())
    assert (after["status"], after["inputs"]) == ("graded", before["inputs"])
    assert after["started"] > before["started"]
    assert [cell["score"] for cell in after["cells"]] == [cell["score"] for cell in before["cells"]]


def graded(course) -> dict[str, str]:
    """What the database has for the assignment: `{"ada": "3 / 3"}`."""
    with Gradebook(f"sqlite:///{database(course)}") as gradebook:
        return {
            s.student.id: f"{round(s.score, 2):g} / {s.max_score:g}"
            for s in gradebook.assignment_submissions("convnet")
        }


def database(course):
    """The gradebook's file, wherever the course's configuration puts it."""
    (found,) = course.rglob("gradebook.db")
    return found
