"""Languages, house style, badges, look-up: what an office asks for."""

import email
import email.policy
import io
import json
from base64 import b64decode
from dataclasses import replace
from datetime import date
from hashlib import sha256

import pikepdf
import pytest
from certificates.signing import CERTIFICATE, ISSUER, NOW, claims_of, make_signing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nbcertify.badge import make_badge, with_credential
from nbcertify.credential import make_credential
from nbcertify.errors import CertificateError
from nbcertify.issued import Issued
from nbcertify.issuer import read_issuer
from nbcertify.lookup import make_lookup
from nbcertify.pdf import make_pdf
from nbcertify.texts import FOLDER, read_languages, shipped
from openbadgeslib.baking import ITXT_KEYWORD_OB3, extract_png
from PIL import Image
from typer.testing import CliRunner

from dlcourse.cli import app

DUTCH = shipped()["nl"]
DUTCH_TIERS = """
[tiers.attendance.nl]
title = "Certificaat van deelname"
statement = ["was beide dagen aanwezig."]
mail = "Je was beide dagen aanwezig."

[tiers.exercises.nl]
title = "Certificaat van deelname en opdrachten"
statement = ["was beide dagen aanwezig en maakte de opdrachten."]
"""


def in_dutch(classroom, *students):
    """The roster asks for Dutch for these."""
    lines = classroom.places.roster.read_text("utf-8-sig").splitlines()
    rows = [f"{line},{'nl' if line.split(',')[0] in students else ''}" for line in lines[1:]]
    classroom.places.roster.write_text("\n".join([f"{lines[0]},language", *rows]) + "\n")


def text_of(mail: bytes) -> str:
    message = email.message_from_bytes(mail, policy=email.policy.default)
    return " ".join(message.get_body(("plain",)).get_content().split())


class TestLanguages:
    def test_certificate_mail_and_credential_are_in_the_person_s_language(self, classroom, call):
        with classroom.places.policy.open("a") as file:
            file.write(DUTCH_TIERS)
        in_dutch(classroom, "zoe")
        call("certify", "--yes")
        (pdf,), (jwt,), (mail,) = (
            classroom.files("zoe", kind) for kind in (".pdf", ".jwt", ".eml")
        )
        with pikepdf.open(pdf) as document, document.open_metadata() as metadata:
            assert document.Root.Lang == "nl"
            assert metadata["dc:title"].startswith("Certificaat van deelname: ")
        achievement = claims_of(jwt.read_text())["credentialSubject"]["achievement"]
        assert achievement["inLanguage"] == "nl"
        assert "Een badge met de woorden" in achievement["image"]["caption"]
        text = text_of(mail.read_bytes())
        for words in ("Beste Zoë de Vries,", "Je was beide dagen aanwezig.", "vriendelijke groet"):
            assert words in text
        with pikepdf.open(classroom.files("dan", ".pdf")[0]) as document:
            assert document.Root.Lang == "en"
        assert call("verify", pdf).count(": valid") == 1

    def test_a_refusal_is_too_with_its_reasons(self, classroom, call):
        with classroom.places.policy.open("a") as file:
            file.write(DUTCH_TIERS)
        in_dutch(classroom, "bob")
        shown = CliRunner().invoke(app, ["refusals", "--course", str(classroom.root)])
        assert shown.exit_code in (0, 1), shown.output
        text = text_of(classroom.files("bob", "attendance-refusal.eml")[0].read_bytes())
        assert "Dit certificaat kunnen we je niet geven" in text
        assert "1 h van 2 h 30 min aanwezig (40 %); ten minste 80 % is nodig" in text
        log = classroom.places.log.read_text()
        assert '"event":"refusal written"' in log
        assert "Bob" not in log

    def test_words_that_are_missing_stop_that_person_alone(self, classroom, call):
        in_dutch(classroom, "zoe")
        shown = call("certify", "--yes", code=1)
        assert "[tiers.attendance.nl]" in shown
        assert not classroom.files("zoe", ".pdf")
        assert classroom.files("ada", ".pdf")

    def test_a_course_s_own_language_is_a_file(self, classroom, call):
        classroom.places.texts.mkdir()
        own = (FOLDER / "nl.toml").read_text().replace("Beste {name},", "Moin {name},")
        (classroom.places.texts / "nds.toml").write_text(own)
        with classroom.places.policy.open("a") as file:
            file.write(DUTCH_TIERS.replace(".nl]", ".nds]"))
        text = classroom.places.roster.read_text("utf-8-sig")
        in_dutch(classroom, "zoe")
        text = classroom.places.roster.read_text().replace(",nl", ",nds")
        classroom.places.roster.write_text(text)
        call("certify", "--yes", "--student", "zoe")
        (mail,) = classroom.files("zoe", ".eml")
        assert "Moin Zoë de Vries," in text_of(mail.read_bytes())

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('dear = "Beste {name},"\n', "", "mail.dear"),
            ("{name},", "{nam},", "names in braces"),
            ("{name},", "{name,", "names in braces"),
            ('"december",', "", "twelve months"),
        ],
    )
    def test_a_mistake_in_such_a_file_is_told(self, tmp_path, old, new, said):
        text = (FOLDER / "nl.toml").read_text()
        assert old in text
        (tmp_path / "de.toml").write_text(text.replace(old, new))
        with pytest.raises(CertificateError, match=said):
            read_languages(tmp_path)

    def test_dates_and_numbers_follow(self):
        assert DUTCH.days(date(2026, 6, 8), date(2026, 6, 11)) == "8–11 juni 2026"
        assert DUTCH.work(20, 20 / 28) == "20 uur (0,71 EC)"

    def test_what_a_rule_says_newly_stays_english(self):
        assert DUTCH.reason("not submitted; something new") == "niet ingeleverd; something new"
        assert DUTCH.reason("1 h to 2 h of 3 h present") == "1 h to 2 h of 3 h present"

    def test_a_range_is_translated_within(self):
        said = DUTCH.reason("3 to 5 of 10 points (30 % to 50 %); at least 60 % is needed")
        assert said == "3 tot 5 van 10 punten (30 % tot 50 %); ten minste 60 % is nodig"


def test_every_sentence_is_whole(classroom, call):
    """It read "attended both days,. and solved the exercises."."""
    call("certify", "--yes", "--student", "ada")
    mails = [text_of(path.read_bytes()) for path in classroom.files("ada", ".eml")]
    assert any("Ada Abel attended both days, and solved the exercises." in text for text in mails)
    criteria = [
        claims_of(path.read_text())["credentialSubject"]["achievement"]["criteria"]["narrative"]
        for path in classroom.files("ada", ".jwt")
    ]
    assert "The holder attended both days, and solved the exercises." in criteria
    assert not any(",." in text for text in (*mails, *criteria))


class TestStyle:
    def issuer(self, tmp_path, more):
        path = tmp_path / "issuer.toml"
        path.write_text(
            'name = "N"\nemail = "a@example.org"\nsite = "https://example.org/"\n'
            'did = "did:web:example.org"\ncourse = "C"\ndescription = "D"\nplace = "P"\n'
            f'[[signatories]]\nname = "S"\nrole = "R"\n{more}'
        )
        return read_issuer(path)

    def test_logo_and_signature_are_printed_and_described(self, tmp_path):
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
        )
        (tmp_path / "logo.svg").write_text(svg)
        Image.new("RGBA", (40, 20), "blue").save(tmp_path / "robin.png")
        issuer = self.issuer(
            tmp_path, 'picture = "robin.png"\n[style]\nlogo = "logo.svg"\naccent = "#0b5394"\n'
        )
        with pikepdf.open(
            io.BytesIO(make_pdf(CERTIFICATE, issuer, "https://e.org/#a", "x"))
        ) as pdf:
            described = {
                str(each.Alt)
                for each in pdf.objects
                if isinstance(each, pikepdf.Dictionary) and "/Alt" in each
            }
        assert {"Logo of N", "Signature of S"} <= described

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ('[style]\naccent = "#ffcc00"', "contrast"),
            ('[style]\naccent = "red"', "must be a colour"),
            ('[style]\nlogo = "none.svg"', "there is no file"),
            ('picture = "x.pdf"', "must be a picture"),
            ('[style]\nfont = "Arial"', "unknown key"),
            ('[languages.nl]\nroles = ["A", "B"]', "one for each"),
            ('[pdf_signature]\ncertificate = "../x.p12"', "folder of the keys"),
            ('[mail_server]\nhost = "h"\nsecurity = "ssl"', "must be one of"),
        ],
    )
    def test_a_mistake_is_told(self, tmp_path, more, said):
        with pytest.raises(CertificateError, match=said):
            self.issuer(tmp_path, more)

    def test_a_preview_reads_policy_and_issuer_alone(self, classroom, call, tmp_path):
        classroom.places.roster.unlink()
        (classroom.root / "gradebook" / "gradebook.db").unlink()
        for path in classroom.keys.iterdir():
            path.unlink()
        call("preview", tmp_path / "sample.pdf", "--tier", "exercises")
        with pikepdf.open(tmp_path / "sample.pdf") as pdf:
            assert not pdf.attachments
            assert "Johanna" in str(pdf.docinfo.Title)
        assert not classroom.places.certificates.exists()
        assert "no tier" in call("preview", tmp_path / "x.pdf", "--tier", "x", code=2)


class TestBadge:
    def test_it_is_published_named_and_has_the_credential_in_it(self, classroom, call):
        call("certify", "--yes", "--student", "zoe")
        (jwt,), (png,) = (classroom.files("zoe", kind) for kind in (".jwt", ".png"))
        baked = extract_png(png.read_bytes(), keyword=ITXT_KEYWORD_OB3)
        assert baked == jwt.read_text()
        image = claims_of(baked)["credentialSubject"]["achievement"]["image"]
        site = "https://certificates.example.org/"
        published = classroom.places.site / image["id"].removeprefix(site)
        assert published.read_bytes()[:4] == b"\x89PNG"
        assert "Certificate of attendance" in image["caption"]

    def test_it_is_square_and_large_enough_and_always_the_same(self):
        badge = make_badge("A title", "A course", "An issuer", "#86202f", "en")
        picture = Image.open(io.BytesIO(badge))
        assert picture.size[0] == picture.size[1] >= 400
        assert picture.getpixel((0, 0))[3] == 0
        make_badge.cache_clear()
        assert make_badge("A title", "A course", "An issuer", "#86202f", "en") == badge
        assert with_credential(badge, "eyJ.a.b") == with_credential(badge, "eyJ.a.b")

    def test_a_long_title_fits(self):
        assert make_badge("Certificate " * 20, "Course " * 20, "Issuer " * 20, "#000000", "en")


def test_results_and_alignment_are_in_the_credential_if_the_policy_says_so(classroom, call):
    policy = classroom.places.policy
    policy.write_text(
        policy.read_text().replace("hours = 14", "hours = 14\nresults = true")
        + '[[tiers.exercises.alignment]]\nname = "machine learning"\n'
        'url = "http://data.europa.eu/esco/skill/x"\nframework = "ESCO"\n'
    )
    call("certify", "--yes", "--student", "ada")
    files = classroom.files("ada", ".jwt")
    subjects = [claims_of(path.read_text())["credentialSubject"] for path in files]
    attendance, exercises = sorted(subjects, key=lambda subject: len(subject["result"]))
    assert [one["value"] for one in exercises["result"]] == ["14", "9"]
    assert exercises["achievement"]["alignment"][0]["targetFramework"] == "ESCO"
    assert len(attendance["result"]) == 1
    shown = call("verify", *files)
    assert "Points: convnet 9 / 10" in shown


def test_the_credential_s_words_are_of_its_language(tmp_path):
    signing = make_signing(tmp_path / "keys")
    certificate = replace(CERTIFICATE, language="nl")
    claims = claims_of(make_credential(certificate, ISSUER, signing.key, "salt", DUTCH))
    results = claims["credentialSubject"]["achievement"]["resultDescription"]
    assert [one["name"] for one in results] == ["Uren"]


class TestLookup:
    ONE = Issued(
        *("urn:uuid:3f2b1c9e-6c1d-4b7a-9a55-0d1c2b3a4f5e", "s1", "t", "A title", ("x",), 1, 1),
        *(date(2026, 6, 8), date(2026, 6, 9), NOW, None, 7, "salt", "person", "decision"),
    )

    def test_only_who_has_the_number_reads_an_entry(self):
        lookup = make_lookup([self.ONE], "pepper")
        ((name, entry),) = lookup.entries.items()
        number = self.ONE.id.removeprefix("urn:uuid:")
        assert name == sha256(f"name pepper {number}".encode()).hexdigest()
        key, sealed = sha256(f"key pepper {number}".encode()).digest(), b64decode(entry)
        opened = json.loads(AESGCM(key).decrypt(sealed[:12], sealed[12:], None))
        assert opened == {"t": "A title", "d": int(NOW.timestamp()), "i": 7}
        for secret in (number, "A title", "s1", "salt"):
            assert secret not in json.dumps(lookup.entries)
        assert make_lookup([self.ONE], "other").entries.keys() != lookup.entries.keys()

    def test_the_page_has_it_only_where_the_policy_says_so(self, classroom, call):
        page = classroom.places.site / "verify" / "index.html"
        call("certify", "--yes", "--student", "zoe")
        assert '"lookup": null' in page.read_text()
        policy = classroom.places.policy
        policy.write_text("lookup = true\n" + policy.read_text())
        call("certify", "--yes", "--student", "ada")
        assert '"entries": {' in page.read_text()


class TestLogHeads:
    def test_each_issue_publishes_one_and_a_rewritten_log_is_found(self, classroom, call, tmp_path):
        call("certify", "--yes", "--student", "zoe")
        call("certify", "--yes", "--student", "ada")
        heads = classroom.places.site / "log" / "heads.txt"
        kept = tmp_path / "heads.txt"
        kept.write_bytes(heads.read_bytes())
        assert len(kept.read_text().split()) == 2
        assert "2 digests" in call("verify", "--log")
        # Somebody writes list, log and published folder anew.
        for path in (classroom.places.issued, classroom.places.log, heads):
            path.unlink()
        call("certify", "--yes", "--student", "zoe")
        call("verify", "--log")
        assert "is missing" in call("verify", "--log", "--head", kept, code=1)

    def test_without_any_it_says_what_was_not_looked_at(self, classroom, call):
        issuer = classroom.places.issuer
        issuer.write_text("publish_log_head = false\n" + issuer.read_text())
        call("certify", "--yes", "--student", "zoe")
        assert not (classroom.places.site / "log").exists()
        assert "rewritten from its start" in call("verify", "--log")

    def test_what_is_no_digest_is_refused(self, classroom, call):
        call("certify", "--yes", "--student", "zoe")
        assert "neither a digest" in call("verify", "--log", "--head", "nothing", code=2)


def test_a_purged_person_s_certificate_is_told_beside_the_second(classroom, call):
    call("certify", "--yes")
    certificates = json.loads(classroom.places.issued.read_text())["certificates"]
    first = next(one["id"] for one in certificates if one["student"] == "zoe")
    roster = classroom.places.roster.read_bytes()
    reports = {path: path.read_bytes() for path in classroom.places.attendance.glob("day-*.csv")}
    call("purge", "zoe", "--yes")
    classroom.places.roster.write_bytes(roster)
    for path, data in reports.items():
        path.write_bytes(data)
    shown = call("certify", "--dry-run")
    assert first.removeprefix("urn:uuid:")[:8] in shown
    assert "valid" in shown
