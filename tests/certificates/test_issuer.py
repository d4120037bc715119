"""issuer.toml: what is read, and what is said about a mistake in it."""

from pathlib import Path

import pytest
from nbcertify.errors import CertificateError
from nbcertify.issuer import Signatory, read_issuer

EXAMPLE = Path(__file__).parents[2] / "gradebook" / "issuer.toml"
GOOD = """\
name = "Example Institute"
did = "did:web:certificates.example.org"
site = "https://certificates.example.org/"
email = "certificates@example.org"
course = "Introduction to deep learning"
description = "A workshop."
place = "Amsterdam"
[[signatories]]
name = "Robin"
role = "Lead"
[[signatories]]
name = "Sam"
role = "Head"
"""


def read(tmp_path, text):
    path = tmp_path / "issuer.toml"
    path.write_text(text)
    return read_issuer(path)


def test_the_example_that_comes_with_the_course_can_be_read():
    issuer = read_issuer(EXAMPLE)
    assert issuer.name == "Example Institute"
    assert issuer.course == "Introduction to deep learning"


def test_every_field_is_read(tmp_path):
    issuer = read(tmp_path, GOOD)
    assert issuer.site == "https://certificates.example.org/"
    assert issuer.did == "did:web:certificates.example.org"
    assert issuer.email == "certificates@example.org"
    assert issuer.place == "Amsterdam"
    assert issuer.signatories == (Signatory("Robin", "Lead"), Signatory("Sam", "Head"))


@pytest.mark.parametrize(
    ("site", "did"),
    [
        ("https://example.github.io/course/", "did:web:example.github.io:course"),
        ("https://example.org:8443/", "did:web:example.org%3A8443"),
    ],
)
def test_a_site_in_a_folder_or_at_a_port_has_its_own_did(tmp_path, site, did):
    text = GOOD.replace("https://certificates.example.org/", site)
    assert read(tmp_path, text.replace("did:web:certificates.example.org", did)).did == did


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('place = "Amsterdam"', 'plaice = "Amsterdam"', 7, "plaice: unknown key"),
        ('place = "Amsterdam"\n', "", None, "place: is missing"),
        ('course = "Introduction to deep learning"', "course = 5", 5, "course: must be a text"),
        ('name = "Example Institute"', 'name = ""', 1, "name: is empty"),
        ("did:web:certificates", "did:key:certificates", 2, "did: must begin with did:web:"),
        ("https://", "http://", 3, "site: must begin with https://"),
        ('org/"', 'org"', 3, "site: must be a folder and end in a slash"),
        ('org/"', 'org/?a=/"', 3, "site: must be a folder and end in a slash"),
        ("https://certificates", "https://me:secret@certificates", 3, "site: "),
        ("did:web:certificates.", "did:web:", 2, "did: 'did:web:example.org' does not match"),
        ("certificates@example.org", "nobody", 4, "email: must be an e-mail address"),
        ('role = "Head"', "", 11, "signatories[2].role: is missing"),
        ('role = "Head"', 'role = ""', 13, "signatories[2].role: is empty"),
        ('role = "Head"', 'role = "H"\nage = 5', 14, "signatories[2].age: unknown key"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path, old, new, line, said):
    assert GOOD.count(old) >= 1
    with pytest.raises(CertificateError) as told:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert "issuer.toml" in str(told.value)
    assert said in str(told.value)
    if line is not None:
        assert f"line {line}:" in str(told.value)


def test_a_did_that_does_not_fit_is_told_the_one_that_does(tmp_path):
    text = GOOD.replace("certificates.example.org/", "certificates.example.org/2026/")
    with pytest.raises(CertificateError, match="did:web:certificates.example.org:2026"):
        read(tmp_path, text)


def test_somebody_has_to_sign(tmp_path):
    with pytest.raises(CertificateError, match="at least one .*signatories"):
        read(tmp_path, GOOD.split("[[")[0])


def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path):
    with pytest.raises(CertificateError, match="cannot be read"):
        read_issuer(tmp_path / "none.toml")
