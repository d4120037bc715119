"""What students find in their mail."""

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer, Signatory
from nbcertify.mail import make_mail, make_refusal
from nbcertify.roster import Person

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = Person("s1", "Ada Lovelace", "ada@example.org")
ISSUER = Issuer(
    name="Universität Beispiel",
    did="did:web:example.org",
    site="https://example.org/certificates/",
    email="office@example.org",
    course="Introduction to deep learning",
    description="",
    place="Delft",
    signatories=(Signatory("Dr. Grace Hopper", "course leader"),),
)
CERTIFICATE = Certificate(
    id="urn:uuid:12345678-1234-4234-8234-123456789012",
    tier="attendance",
    title="Certificate of attendance",
    name=ADA.name,
    email=ADA.email,
    statement=("Attended 6 of 6 sessions.", "That is 21 hours of teaching"),
    hours=21,
    ec=0.75,
    first_day=date(2026, 11, 16),
    last_day=date(2026, 11, 20),
    issued=NOON,
    expires=None,
    status_index=3,
)
PDF, TOKEN, ADDRESS = (
    b"%PDF-1.7\n\x00\xff\r\n",
    "head.body.signature",
    "https://example.org/c/#a=b&c",
)
REASONS = ["Points: 49 of 100 (49 %), and 60 % is needed", "dropout was not handed in."]


def mail_for(person=ADA, certificate=CERTIFICATE, issuer=ISSUER):
    return make_mail(person, certificate, issuer, PDF, TOKEN, ADDRESS)


def refusal_for(person=ADA, sentences=REASONS, issuer=ISSUER):
    return make_refusal(person, issuer, "Certificate of exercises", sentences, NOON)


def read(data):
    return message_from_bytes(data, policy=policy.default)


def texts(message):
    return [message.get_body([kind]).get_content() for kind in ("plain", "html")]


def recipients(data):
    """As mail programs read them: encoded words are put together after the addresses are split."""
    pairs = getaddresses([str(message_from_bytes(data)["To"])])
    return [(str(make_header(decode_header(name))), address) for name, address in pairs]


class TestMail:
    def test_a_mail_program_opens_it_as_a_draft_to_the_student(self):
        message = read(mail_for())
        assert message["X-Unsent"] == "1"
        assert str(message["To"]) == "Ada Lovelace <ada@example.org>"
        assert str(message["From"]) == "Universität Beispiel <office@example.org>"
        assert message["Subject"] == "Certificate of attendance: Introduction to deep learning"
        assert message["Date"].datetime == NOON
        assert not message.defects

    def test_the_files_come_through_byte_for_byte(self):
        pdf, token = read(mail_for()).iter_attachments()
        assert (pdf.get_content_type(), pdf.get_content()) == ("application/pdf", PDF)
        assert pdf.get_filename() == "attendance-12345678.pdf"
        assert (token.get_content_type(), token.get_content()) == (
            "application/jwt",
            TOKEN.encode(),
        )
        assert token.get_filename() == "attendance-12345678.jwt"

    def test_both_texts_say_what_it_is_and_where_to_check_it(self):
        plain, html = texts(read(mail_for()))
        for text in (plain, " ".join(text_of(html))):
            assert "Dear Ada Lovelace," in text
            assert "Attended 6 of 6 sessions. That is 21 hours of teaching." in text
            assert ADDRESS in text
            assert "office@example.org" in text
            assert "Dr. Grace Hopper, course leader" in text

    def test_the_html_loads_nothing_and_takes_nothing_for_markup(self):
        person = replace(ADA, name="<img src=https://evil.example/x>")
        html = texts(read(mail_for(person)))[1]
        tags = tags_of(html)
        assert {tag for tag, _ in tags} <= {"html", "head", "meta", "body", "p", "a", "br"}
        links = [dict(attributes)["href"] for tag, attributes in tags if tag == "a"]
        assert links[0] == ADDRESS
        assert [urlsplit(one).hostname for one in links[1:]] == ["www.linkedin.com"]
        assert "src" not in {name for _, attributes in tags for name, _ in attributes}

    def test_the_same_certificate_gives_the_same_bytes(self):
        other = replace(CERTIFICATE, id="urn:uuid:99999999-1234-4234-8234-123456789012")
        assert mail_for() == mail_for()
        assert read(mail_for())["Message-ID"] == read(mail_for())["Message-ID"]
        assert read(mail_for())["Message-ID"] != read(mail_for(certificate=other))["Message-ID"]

    @given(name=st.text(min_size=1, max_size=200))
    @example("Lovelace, Ada")
    @example('Ada "the first" Lovelace')
    @example("x " * 40 + ", <evil@example.com>, " + "y " * 50)
    @example("Ada\r\nBcc: evil@example.com")
    @example("\r\n\r\nbody")
    @example("=?utf-8?q?Bcc=3A?=")
    @example("Müller, Jürgen, " * 12)
    @example("\N{GRINNING FACE}" * 200)
    @example("محمد علي " * 20)
    @example("a" * 200)
    @example("\\" * 200)
    @example("(comment) <a@b.c>")
    def test_whatever_the_name_there_is_one_recipient(self, name):
        shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())
        for data in (mail_for(replace(ADA, name=name)), refusal_for(replace(ADA, name=name))):
            assert recipients(data) == [(shown, "ada@example.org")]
            message = read(data)
            assert {key.lower() for key in message} == {
                "subject",
                "from",
                "to",
                "date",
                "message-id",
                "x-unsent",
                "mime-version",
                "content-type",
            }
            assert [a.addr_spec for a in message["To"].addresses] == ["ada@example.org"]
            assert max(map(len, data.split(b"\r\n"))) <= 78
            assert data.count(b"\n") == data.count(b"\r\n")
            assert texts(message)[0].startswith(f"Dear {shown},")

    @given(course=st.text(min_size=1, max_size=200).filter(str.strip))
    def test_whatever_the_course_the_subject_is_one_header(self, course):
        message = message_from_bytes(mail_for(issuer=replace(ISSUER, course=course)))
        shown = " ".join("".join(c if c.isprintable() else " " for c in course).split())
        subject = str(make_header(decode_header(message["Subject"])))
        assert "".join(subject.split()) == "".join(f"Certificate of attendance:{shown}".split())
        assert len(message.keys()) == 8

    def test_a_domain_with_other_letters_is_written_as_servers_know_it(self):
        data = mail_for(replace(ADA, email="ada@bücher.example"))
        assert recipients(data)[0][1] == "ada@xn--bcher-kva.example"

    @pytest.mark.parametrize(
        "email", ["ädä@example.org", "ada", "", "a@b\r\nBcc: x@y.z", "a@b, c@d", "a<b@c.d", "@x.y"]
    )
    def test_an_address_that_cannot_stand_in_a_mail_is_refused(self, email):
        with pytest.raises(CertificateError, match="many mail servers refuse.*roster"):
            mail_for(replace(ADA, email=email))

    def test_an_odd_tier_gives_a_plain_file_name(self):
        odd = replace(CERTIFICATE, tier='../../"Übung"\r\n')
        names = [part.get_filename() for part in read(mail_for(certificate=odd)).iter_attachments()]
        assert names == ["bung-12345678.pdf", "bung-12345678.jwt"]


class TestRefusal:
    def test_it_reads_well_aloud(self):
        plain, html = texts(read(refusal_for()))
        assert plain.splitlines() == [
            "Dear Ada Lovelace,",
            "",
            "thank you for taking part in Introduction to deep learning. We cannot give you this "
            "certificate: Certificate of exercises. This is what it takes, and what you have "
            "reached:",
            "",
            "- Points: 49 of 100 (49 %), and 60 % is needed.",
            "- dropout was not handed in.",
            "",
            "We may have missed something. If you think so, or if something kept you from taking "
            "part, please reply to this mail, or write to office@example.org. A person reads it, "
            "looks at your case again, and answers you.",
            "",
            "With kind regards,",
            "",
            "Dr. Grace Hopper, course leader",
            "Universität Beispiel",
        ]
        assert [tag for tag, _ in tags_of(html)].count("li") == 2
        assert "Points: 49 of 100 (49 %), and 60 % is needed." in text_of(html)

    def test_it_is_a_draft_without_files_that_does_not_tell_in_its_subject(self):
        message = read(refusal_for())
        assert message["X-Unsent"] == "1"
        assert message["Subject"] == "Introduction to deep learning: about your certificate"
        assert list(message.iter_attachments()) == []
        assert refusal_for() == refusal_for()

    def test_a_reason_cannot_bring_markup_or_lines_along(self):
        message = read(refusal_for(sentences=["<b>bold</b>\n\nDear all,"]))
        plain, html = texts(message)
        assert "- <b>bold</b> Dear all,." in plain.splitlines()
        assert "b" not in {tag for tag, _ in tags_of(html)}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))

    def handle_data(self, data):
        self.texts.append(data.strip())


def tags_of(html):
    parser = _Tags()
    parser.feed(html)
    return parser.tags


def text_of(html):
    parser = _Tags()
    parser.feed(html)
    return parser.texts
