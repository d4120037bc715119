"""The page as a browser sees it: links, uploads, receipts, and what must never work."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta

import pytest
import toy_course as toy
from handin.conftest import HOST, NOON, Page, Site, notebook
from nbhandin import storing
from nbhandin.attempts import Graded, NotGraded, TaskResult, now_utc, write_state
from nbhandin.errors import HandInError
from starlette.testclient import TestClient

OTHER = json.dumps(toy.notebook(toy.code("mine", "print('mine')"))).encode()


def test_a_link_becomes_a_cookie_and_leaves_the_address(site):
    here = site()
    token = here.desk.links.renew("student", "ada", now_utc(), 30)
    client = TestClient(here.app, base_url=HOST)
    answer = client.get(f"/in/{token}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and token.lower() not in cookie
    assert "Signed in as ada" in client.get("/").text
    assert "ps1" in client.get("/").text


def test_behind_tls_the_cookie_is_secure_and_other_hosts_are_not_answered(site):
    here = site(address="https://handin.example.org")
    token = here.desk.links.renew("student", "ada", now_utc(), 30)
    client = TestClient(here.app, base_url="https://handin.example.org")
    answer = client.get(f"/in/{token}", follow_redirects=False)
    assert answer.headers["set-cookie"].startswith("__Host-handin=")
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_student_hands_in_and_has_a_receipt_at_once(site, course):
    here = site()
    data = notebook(course)
    answer = here.open().hand_in(("convnet (2).ipynb", data))
    assert answer.status_code == 200 and answer.url.path == "/attempt/1"
    assert hashlib.sha256(data).hexdigest() in answer.text
    assert "safely stored" in answer.text and "ps1: receipt 1" in answer.text
    kept = here.desk.places.attempt(1)
    assert (kept / "files" / "toys.ipynb").read_bytes() == data


def test_the_same_files_again_are_the_same_receipt(site, course):
    here = site()
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    answer = page.hand_in(("b.ipynb", notebook(course)))
    assert answer.url.path == "/attempt/1" and "exactly these files before" in answer.text
    assert here.desk.attempts.last_number() == 1
    page.hand_in(("b.ipynb", notebook(course, why="Another.")))
    assert here.desk.attempts.last_number() == 2


def test_what_is_not_ours_is_said_and_not_kept(site):
    here = site()
    answer = here.open().hand_in(("a.ipynb", OTHER))
    assert answer.status_code == 422
    assert "none of the cells" in answer.text
    assert here.desk.attempts.all() == []
    assert list(here.desk.places.incoming.iterdir()) == []


def test_no_more_attempts_than_are_allowed_in_a_day(site, course):
    here = site(attempts_a_day=2)
    page = here.open()
    for number in range(2):
        page.hand_in(("a.ipynb", notebook(course, why=str(number))))
    answer = page.hand_in(("a.ipynb", notebook(course, why="third")))
    assert answer.status_code == 429 and "2 times within 24 hours" in answer.text
    assert here.desk.attempts.last_number() == 2
    assert here.open("bob").hand_in(("a.ipynb", notebook(course))).status_code == 200


def test_a_full_disk_is_said_and_nothing_is_acknowledged(site, course, monkeypatch):
    here = site()
    page = here.open()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing.os, "fsync", full)
    answer = page.hand_in(("a.ipynb", notebook(course)))
    assert answer.status_code == 503 and "disk is full" in answer.text
    assert "not your fault" in answer.text
    monkeypatch.undo()
    assert here.desk.attempts.last_number() == 0


def test_too_large_too_many_and_no_form_are_refused_in_words(site):
    here = site(megabytes=1, uploads_a_minute=100)
    page = here.open()
    answer = page.hand_in(("a.ipynb", b"x" * 1_300_000))
    assert answer.status_code == 413 and "larger than 1 MB" in answer.text
    parts = [(f"{n}.txt", b"x") for n in range(500)]
    assert page.hand_in(*parts).status_code == 400
    fields = {f"f{n}": "x" for n in range(10_000)}
    assert page.client.post("/hand-in", data=fields, files={"a": b""}).status_code == 400
    assert page.client.post("/hand-in", content=b"{}").status_code == 400
    bad = {"content-type": "multipart/form-data; boundary=x"}
    assert page.client.post("/hand-in", content=b"--y", headers=bad).status_code in (400, 403)
    assert here.desk.attempts.all() == []
    assert here.desk.open_uploads == {}


def test_many_uploads_in_a_minute_are_slowed_down(site):
    here = site(uploads_a_minute=3)
    page = here.open()
    codes = [page.hand_in(("a.ipynb", OTHER)).status_code for _ in range(5)]
    assert codes == [422, 422, 422, 429, 429]


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/cron.d/x.ipynb",
        "/etc/passwd.ipynb",
        "..\\..\\x.ipynb",
        "a\0b.ipynb",
        ".bashrc.ipynb",
        "timestamp.txt.ipynb",
        "CON.ipynb",
        "<script>alert(1)</script>.ipynb",
        "é" * 300 + ".ipynb",
        "a\r\nSet-Cookie: x=1.ipynb",
    ],
)
def test_a_file_name_leads_nowhere(site, course, name):
    here = site()
    answer = here.open().hand_in((name, notebook(course)))
    assert answer.status_code == 200
    inside = here.desk.places.attempt(1)
    assert {path.name for path in inside.iterdir()} == {"files", "receipt.json"}
    assert [path.name for path in (inside / "files").iterdir()] == ["toys.ipynb"]
    assert "<script>alert" not in answer.text


def graded(message: str = "") -> Graded:
    tasks = (TaskResult("test-double", 0.0, 2.0, message, hidden=True),)
    return Graded(3.0, 7.0, True, 0.0, NOON, tasks, ("A note <b>.",))


def finish(here: Site, number: int, state) -> None:
    write_state(here.desk.places.attempt(number), state)
    here.desk.attempts.reread(number)


def test_what_came_of_it_is_shown_and_hostile_text_is_only_text(site, course):
    here = site()
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    finish(here, 1, graded("<script>alert(1)</script> should be 42"))
    text = page.client.get("/attempt/1").text
    assert "3 of 7 points so far" in text and "should be 42" in text
    assert "<script>alert" not in text and "A note &lt;b&gt;." in text


@pytest.mark.parametrize("shown", ["after due", "never"])
def test_what_hidden_tests_say_is_shown_when_it_is_due(site, course, shown):
    here = site(hidden_messages=shown)
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    finish(here, 1, graded("should be 42"))
    folder = here.desk.places.attempt(1)
    for part, text in (("feedback", "full page"), ("feedback-held-back", "less")):
        (folder / part).mkdir()
        (folder / part / "toys.html").write_text(text)
    assert "should be 42" not in page.client.get("/attempt/1").text
    assert page.client.get("/attempt/1/feedback/toys.html").text == "less"
    with course.gradebook() as gradebook:
        due = now_utc() - timedelta(hours=1)
        gradebook.update_or_create_assignment("ps1", duedate=f"{due:%Y-%m-%d %H:%M:%S} UTC")
    here.desk.gradebook.forget()
    assert ("should be 42" in page.client.get("/attempt/1").text) == (shown == "after due")
    teacher = here.open("", "instructor")
    assert "should be 42" in teacher.client.get("/attempt/1").text


def test_an_attempt_that_could_not_be_graded_says_why_and_accuses_nobody(site, course):
    here = site()
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    finish(here, 1, NotGraded("The kernel died.", NOON))
    text = page.client.get("/attempt/1").text
    assert "The kernel died." in text and "does not count against your limit" in text
    teacher = here.open("", "instructor")
    assert "Not graded" in teacher.client.get("/?show=not_graded").text


def test_the_graded_notebook_is_shown_where_nothing_of_it_can_run(site, course):
    here = site()
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    finish(here, 1, graded())
    (here.desk.places.attempt(1) / "feedback").mkdir()
    (here.desk.places.attempt(1) / "feedback" / "toys.html").write_text("<script>1</script>")
    answer = page.client.get("/attempt/1/feedback/toys.html")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy and "allow" not in policy and "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "<iframe sandbox " in page.client.get("/attempt/1").text
    own = page.client.get("/attempt/1/file/toys.ipynb")
    assert own.headers["content-disposition"].startswith("attachment")
    assert own.headers["content-type"] == "application/octet-stream"


ANOTHERS = [
    "/attempt/1",
    "/attempt/1/feedback/toys.html",
    "/attempt/1/file/toys.ipynb",
    "/attempt/1/record",
    "/certificate?id=urn:uuid:1",
    "/attempt/999",
]


@pytest.mark.parametrize("address", ANOTHERS)
def test_a_student_reaches_nothing_of_anothers_and_learns_not_whether_it_is_there(
    site, course, address
):
    here = site()
    here.open("ada").hand_in(("a.ipynb", notebook(course)))
    for page in (here.open("bob"), Page(TestClient(here.app, base_url=HOST), "")):
        assert page.client.get(address).status_code == 404
    assert "ada" not in here.open("bob").client.get("/").text


@pytest.mark.parametrize("address", ["/again", "/links", "/attempt/1/again", "/leave", "/hand-in"])
def test_what_changes_something_takes_the_pages_own_form(site, course, address):
    here = site()
    here.open("ada").hand_in(("a.ipynb", notebook(course)))
    who = {"/hand-in": here.open("bob")}.get(address) or here.open("", "instructor")
    good = {"csrf": who.csrf(), "student": "ada"}
    form = {"files": ("a.ipynb", b"{}")} if address == "/hand-in" else None

    def post(data, **headers):
        return who.client.post(
            address, data=data, files=form, headers=headers, follow_redirects=False
        ).status_code

    assert post({"student": "ada"}) == 403
    assert post(good | {"csrf": "0" * 64}) == 403
    assert post(good | {"csrf": here.open("eve").csrf()}) == 403
    assert post(good, **{"sec-fetch-site": "cross-site"}) == 403
    assert post(good, origin="https://evil.example") == 403
    assert post(good, origin="null") == 403
    assert here.desk.attempts.find(1).again is False
    assert post(good, origin=HOST) in (200, 303, 422)


@pytest.mark.parametrize("address", ["/again", "/links", "/attempt/1/again"])
def test_what_is_the_instructors_is_no_students(site, course, address):
    here = site()
    page = here.open("ada")
    page.hand_in(("a.ipynb", notebook(course)))
    data = {"csrf": page.csrf(), "student": "bob"}
    assert page.client.post(address, data=data).status_code == 404


def test_a_link_that_is_renewed_ends_what_was_opened_with_it(site, course):
    here = site()
    page, teacher = here.open("ada"), here.open("", "instructor")
    page.hand_in(("a.ipynb", notebook(course)))
    answer = teacher.client.post(
        "/links", data={"csrf": teacher.csrf(), "student": "ada", "do": "renew"}
    )
    new = re.search(r"/in/([\w-]+)</code>", answer.text)[1]
    assert page.client.get("/attempt/1").status_code == 404
    assert "does not open anything" in page.client.get(f"/in/{page.token}").text
    fresh = TestClient(here.app, base_url=HOST)
    fresh.get(f"/in/{new}")
    assert fresh.get("/attempt/1").status_code == 200
    assert new not in "".join(
        path.read_text(errors="replace") for path in here.desk.places.root.rglob("*.json")
    )


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "eyJhIjoxfQ.x.y", "[]", "\\x00" * 50])
def test_forged_cookies_open_nothing(site, cookie):
    client = TestClient(site().app, base_url=HOST)
    client.cookies.set("handin", cookie)
    assert "Open your personal link" in client.get("/").text


def test_no_folder_is_listed_and_no_file_of_the_course_is_served(site):
    client = site().open("", "instructor").client
    for address in (
        "/static/",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/attempt/1/file/..%2f..%2f..%2fsecret",
        "/gradebook/handin/links.json",
    ):
        answer = client.get(address)
        assert answer.status_code in (404, 405), address


def test_each_answer_has_the_strict_headers(site):
    page = site().open()
    for address in ("/", "/attempt/7", "/static/style.css", "/in/wrong"):
        headers = page.client.get(address, follow_redirects=False).headers
        assert "script-src 'self'" in headers["content-security-policy"], address
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


def test_an_instructor_sees_the_class_and_what_stands_in_the_way(site, course):
    here = site()
    here.open("ada").hand_in(("a.ipynb", notebook(course)))
    here.open("bob")
    teacher = here.open("", "instructor")
    text = teacher.client.get("/").text
    assert "1 waiting, 0 running" in text and "ada" in text and "bob" in text
    assert "bob" not in teacher.client.get("/?show=waiting").text
    here.desk.grader.held = "Certificates of this course are being issued, by eva"
    assert "being issued, by eva" in teacher.client.get("/").text
    teacher.client.post("/attempt/1/again", data={"csrf": teacher.csrf()})
    assert here.desk.attempts.find(1).again


def test_the_class_page_leads_to_the_formgrader(site):
    where = "http://localhost:8888/formgrader"
    teacher = site(formgrader=where).open("", "instructor")
    assert f'<a href="{where}">' in teacher.client.get("/").text
    assert "jupyter lab" in site().open("", "instructor").client.get("/").text
    with pytest.raises(HandInError, match="formgrader"):
        site(formgrader="javascript:alert(1)")


def test_a_clock_that_was_set_back_is_said_to_the_instructor(site, queue):
    queue.hand_in("ada", b"{}", now_utc() + timedelta(days=400))
    teacher = site().open("", "instructor")
    assert "clock is behind the last receipt (1" in teacher.client.get("/").text


def test_the_gradebook_gone_for_a_moment_is_said_and_the_page_is_there(site, course):
    here = site()
    page, teacher = here.open("ada"), here.open("", "instructor")
    assert "ps1" in page.client.get("/").text
    file = course.gradebook_folder / "gradebook.db"
    file.rename(file.with_suffix(".away"))
    file.write_text("not a database, and never was one: " * 20)
    here.desk.gradebook.forget()
    assert page.client.get("/").status_code == 200
    assert "gradebook cannot be read now" in teacher.client.get("/").text
