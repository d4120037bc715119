"""As a new user would, in headless Chromium: link, upload, receipt, feedback, second attempt."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from handin.conftest import notebook
from handin.test_service import PATIENCE, served
from nbhandin.attempts import now_utc
from nbhandin.links import LinkBook
from playwright.sync_api import expect

pytestmark = pytest.mark.slow
WRONG = "def double(x):\n    return x if x > 9 else 2 * x"


def upload(name: str, data: bytes) -> dict:
    return {"name": name, "mimeType": "application/json", "buffer": data}


def problems(page) -> list[str]:
    """What axe-core finds: WCAG 2.1 A and AA, and best practices."""
    found = Axe().run(page, options={"iframes": False}).response["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_new_user_from_the_link_to_a_second_attempt(course, browser, scheme):
    with served(course) as service:
        book = LinkBook(service.places)
        token = book.renew("student", "ada", now_utc(), 30)
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": 390, "height": 800}, locale="en"
        )
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(f"{service.address}/in/{token}")
        assert token not in page.url
        expect(page.get_by_text("Not handed in")).to_be_visible()
        assert problems(page) == []

        page.set_input_files("input[type=file]", upload("x.ipynb", b"{}"))
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_text("is not a Jupyter notebook")).to_be_visible()
        assert problems(page) == []
        page.get_by_text("Back to the exercises").click()

        wrong = notebook(course, double=WRONG)
        page.set_input_files("input[type=file]", upload("toys (2).ipynb", wrong))
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("heading", name="ps1: receipt 1")).to_be_visible()
        # Nobody reloads: the page hears of it.
        expect(page.get_by_text("3 of 7 points so far")).to_be_visible(timeout=1000 * PATIENCE)
        expect(page.get_by_text("double(21) should be 42")).to_be_visible()
        shown = page.frame_locator("iframe").get_by_text("def double")
        expect(shown.first).to_be_visible()
        assert problems(page) == []

        page.get_by_text("Back to the exercises").click()
        # Dropped, as from a folder.
        right = json.dumps(notebook(course).decode())
        page.evaluate(
            f"""() => {{
                const data = new DataTransfer();
                data.items.add(new File([{right}], "Untitled.ipynb"));
                document.getElementById("upload").dispatchEvent(
                    new DragEvent("drop", {{ dataTransfer: data, cancelable: true }}));
            }}"""
        )
        expect(page.get_by_text("5 of 7 points so far")).to_be_visible(timeout=1000 * PATIENCE)
        assert page.url.endswith("/attempt/2")

        teacher = browser.new_context(color_scheme=scheme).new_page()
        teacher.goto(f"{service.address}/in/{book.renew('instructor', '', now_utc(), 30)}")
        expect(teacher.get_by_text("0 waiting, 0 running, 2 graded")).to_be_visible()
        assert problems(teacher) == []
        context.close()


def test_without_javascript_it_works_too(course, browser):
    with served(course) as service:
        token = LinkBook(service.places).renew("student", "ada", now_utc(), 30)
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{service.address}/in/{token}")
        page.set_input_files("input[type=file]", upload("a.ipynb", notebook(course)))
        page.get_by_role("button", name="Hand in").press("Enter")
        expect(page.get_by_text("Your work is")).to_be_visible()
        context.close()
