"""Personal links: no secret is kept, and each can be taken back or renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from nbhandin.errors import HandInError
from nbhandin.links import LinkBook, find_link
from nbhandin.places import Places

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def book(tmp_path) -> LinkBook:
    return LinkBook(Places(tmp_path))


def test_a_link_opens_for_its_student_and_its_secret_is_nowhere(book, tmp_path):
    token = book.renew("student", "ada", NOW, 30)
    found = find_link(book.links(), token, NOW)
    assert (found.student, found.role) == ("ada", "student")
    kept = Places(tmp_path).links
    assert token not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_link_ends_when_it_is_renewed_taken_back_or_old(book):
    first = book.renew("student", "ada", NOW, 30)
    second = book.renew("student", "ada", NOW, 30)
    other = book.renew("student", "bob", NOW, 30)
    assert find_link(book.links(), first, NOW) is None
    assert find_link(book.links(), second, NOW + timedelta(days=29)) is not None
    assert find_link(book.links(), second, NOW + timedelta(days=30)) is None
    book.take_back("student", "ada")
    assert find_link(book.links(), second, NOW) is None
    assert find_link(book.links(), other, NOW) is not None


def test_an_instructor_is_not_the_student_of_no_name(book):
    token = book.renew("instructor", "", NOW, 30)
    book.renew("student", "", NOW, 30)
    assert find_link(book.links(), token, NOW).role == "instructor"


@pytest.mark.parametrize("token", ["", "x", "\ud800", "../../etc/passwd", "0" * 100_000])
def test_forged_secrets_open_nothing(book, token):
    book.renew("student", "ada", NOW, 30)
    assert find_link(book.links(), token, NOW) is None
    assert find_link(book.links(), book.links()[0].digest, NOW) is None


def test_a_damaged_file_is_told_and_opens_nothing(book, tmp_path):
    Places(tmp_path).root.mkdir()
    Places(tmp_path).links.write_text("[{}]")
    with pytest.raises(HandInError, match="links.json is damaged"):
        book.links()
