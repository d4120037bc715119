"""What comes out of a verification, and what people keep a certificate in."""

import base64
import gzip
import json
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from datetime import date, timedelta

import pikepdf
import pytest
from certificates.signing import (
    CERTIFICATE,
    ISSUER,
    LATER,
    NOW,
    REVOKED_INDEX,
    Signing,
    claims_of,
    encoded,
    hostile,
    make_signing,
    signed,
    with_claims,
)
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm
from nbcertify.credential_files import credential_in
from nbcertify.errors import CertificateError
from nbcertify.keys import Key
from nbcertify.status import make_status_list
from nbcertify.token import address
from nbcertify.verification import Outcome, verify, verify_credential, verify_token

STRANGER = Key(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="module")
def signing(tmp_path_factory) -> Signing:
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def outcome_of(signing):
    def outcome_of(text, did_document=None, status_list=None, now=LATER):
        did_document = signing.did_document if did_document is None else did_document
        status_list = signing.status_list if status_list is None else status_list
        return verify(text, did_document, status_list, now)

    return outcome_of


def test_a_genuine_token_is_valid_and_says_whose_it_is(outcome_of, signing):
    verification = outcome_of(signing.token(expires=LATER + timedelta(days=1)))
    facts = verification.facts
    assert verification.outcome is Outcome.VALID
    assert verification.as_of == NOW
    assert "9 March 2026" in verification.words
    assert (facts.id, facts.name, facts.title) == (
        CERTIFICATE.id, CERTIFICATE.name, CERTIFICATE.title
    )  # fmt: skip
    assert (facts.course, facts.hours, facts.ec) == (ISSUER.course, 28, 1)
    assert (facts.first_day, facts.last_day) == (date(2026, 3, 2), date(2026, 3, 6))
    assert (facts.issued, facts.expires) == (NOW, LATER + timedelta(days=1))
    assert facts.is_of("ada  lovelace".title())
    assert not facts.is_of("Ada")


def test_a_genuine_credential_is_valid_and_tells_a_name_only_to_who_knows_it(outcome_of, signing):
    verification = outcome_of(signing.credential(name="Zoë Ødegård"))
    facts = verification.facts
    assert verification.outcome is Outcome.VALID
    assert "compare" in verification.words
    assert (facts.name, facts.title, facts.course) == (None, CERTIFICATE.title, ISSUER.course)
    assert (facts.hours, facts.ec, facts.issuer) == (28, 1, ISSUER.name)
    assert (facts.first_day, facts.last_day) == (date(2026, 3, 2), date(2026, 3, 6))
    assert facts.is_of("Zoe\u0308  Ødega\u030ard")
    assert facts.is_of("ADA@example.org")
    assert not facts.is_of("Zoe Odegard")
    assert not facts.is_of("")


def test_what_an_old_key_signed_stays_valid(outcome_of, signing):
    for text in (signing.token(key=signing.old), signing.credential(key=signing.old)):
        assert outcome_of(text).outcome is Outcome.VALID


def test_a_list_signed_with_the_old_key_still_counts(outcome_of, signing):
    old = make_status_list({REVOKED_INDEX}, ISSUER, signing.old, NOW)
    assert outcome_of(signing.token(), status_list=old).outcome is Outcome.VALID
    revoked = signing.token(status_index=REVOKED_INDEX)
    assert outcome_of(revoked, status_list=old).outcome is Outcome.REVOKED


def test_it_expires_at_its_last_second(outcome_of, signing):
    for text in (signing.token(expires=LATER), signing.credential(expires=LATER)):
        before = LATER - timedelta(seconds=1)
        assert outcome_of(text, now=before).outcome is Outcome.VALID
        expired = outcome_of(text, now=LATER)
        assert expired.outcome is Outcome.EXPIRED
        assert "8 April 2026" in expired.words
        assert expired.facts is not None


def test_a_clock_that_is_a_little_slow_is_forgiven(outcome_of, signing):
    assert outcome_of(signing.token(), now=NOW - timedelta(minutes=9)).outcome is Outcome.VALID
    early = outcome_of(signing.token(), now=NOW - timedelta(minutes=11))
    assert early.outcome is Outcome.UNREADABLE
    assert "clock" in early.words


def test_nothing_hostile_is_valid(outcome_of, signing):
    cases = hostile(signing, STRANGER)
    found = {why: outcome_of(text) for why, (text, _) in cases.items()}
    expected = {why: outcome for why, (_, outcome) in cases.items()}
    assert {why: one.outcome for why, one in found.items()} == expected
    for why, one in found.items():
        genuine = "genuine, but" in one.words or expected[why] in ("revoked", "expired")
        assert (one.facts is not None) == genuine, why
        assert one.words.endswith((".", "?")), why


@pytest.mark.parametrize("more", ["==", " ", "\n", ".", "%0A"])
def test_what_is_checked_has_to_be_the_signed_text_alone(outcome_of, signing, more):
    assert outcome_of(signing.token() + more).outcome is Outcome.UNREADABLE


def test_each_kind_is_only_taken_for_what_it_is(signing):
    rest = (signing.did_document, signing.status_list, LATER)
    assert verify_credential(signing.credential(), *rest).outcome is Outcome.VALID
    assert verify_token(signing.token(), *rest).outcome is Outcome.VALID
    assert verify_credential(signing.token(), *rest).outcome is Outcome.UNREADABLE
    assert verify_token(signing.credential(), *rest).outcome is Outcome.UNREADABLE


@pytest.mark.parametrize("which", ["token", "credential"])
def test_no_single_changed_character_is_valid(outcome_of, signing, which):
    text = getattr(signing, which)()

    @given(st.integers(0, len(text) - 1), st.characters(max_codepoint=0x3FF))
    def change(place, character):
        if text[place] != character:
            changed = text[:place] + character + text[place + 1 :]
            assert outcome_of(changed).outcome is not Outcome.VALID

    change()


@given(st.text() | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*"))
def test_no_text_is_a_crash(outcome_of, text):
    assert outcome_of(text).outcome is Outcome.UNREADABLE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_nothing_odd_that_the_issuer_signs_is_a_crash(outcome_of, signing, data):
    which = data.draw(st.sampled_from(["token", "credential"]))
    claims = claims_of(getattr(signing, which)())
    name = data.draw(st.sampled_from(sorted(claims.keys() - {"n", "t", "c", "@context"})))
    odd = data.draw(JSON.filter(lambda value: value != claims[name]))
    header = {"typ": "C", "kid": signing.key.kid[:8]} if which == "token" else {}
    outcome_of(signed(signing.key, claims | {name: odd}, **header))


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"ES256","typ":"C","kid":"%s"}',
        b'{"alg":"ES256","typ":"C","kid":"%s","a":NaN}',
        b'{"alg":"ES256","typ":"C","kid":"%s","a":1e999}',
        b'{"alg":"ES256","typ":"C","kid":"%s","a":"\\ud800"}',
    ],
)
def test_doubtful_json_is_unreadable(outcome_of, signing, header):
    _, claims, signature = signing.token().split(".")
    text = f"{encoded(header % signing.key.kid[:8].encode())}.{claims}.{signature}"
    assert outcome_of(text).outcome is Outcome.UNREADABLE


def test_json_nested_too_deep_is_unreadable(outcome_of, signing):
    header, _, signature = signing.token().split(".")
    for depth in (900, 30_000):
        deep = b'{"iss":' + b"[" * depth + b"]" * depth + b"}"
        outcome = outcome_of(f"{header}.{encoded(deep)}.{signature}").outcome
        assert outcome in (Outcome.UNREADABLE, Outcome.UNKNOWN_ISSUER)


def test_another_issuers_name_is_shown_harmless_and_short(outcome_of, signing):
    words = outcome_of(with_claims(signing.token(), iss="\x1b[31m" + "x" * 5_000)).words
    assert "\x1b" not in words
    assert len(words) < 300


# --- what the issuer has published, damaged or not the issuer's ---


def list_with(signing, key=None, **changes) -> str:
    claims = claims_of(signing.status_list)
    subject = claims["credentialSubject"] | changes.pop("subject", {})
    return signed(key or signing.key, claims | {"credentialSubject": subject} | changes)


def packed(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(data)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: "",
        lambda s: "nothing",
        lambda s: s.credential(),
        lambda s: s.token(),
        lambda s: with_claims(s.status_list, jti="another"),
        lambda s: list_with(s, key=STRANGER),
        lambda s: list_with(s, iss="did:web:example.com"),
        lambda s: list_with(s, subject={"encodedList": packed(bytes(16_000))}),
        lambda s: list_with(s, subject={"encodedList": "u!!!"}),
        lambda s: list_with(s, subject={"encodedList": 5}),
        lambda s: list_with(s, subject={"statusPurpose": "suspension"}),
        lambda s: list_with(s, type=["VerifiableCredential"]),
        lambda s: list_with(s, nbf="yesterday"),
        lambda s: list_with(s, nbf=1e300),
        lambda s: None,
    ],
)
def test_without_a_sound_status_list_nothing_is_valid(signing, damage):
    text = signing.token()
    verification = verify(text, signing.did_document, damage(signing), LATER)
    assert verification.outcome is Outcome.UNREADABLE
    assert "revoked" in verification.words


def test_a_status_list_that_unpacks_to_gigabytes_is_refused_early(outcome_of, signing):
    bomb = list_with(signing, subject={"encodedList": packed(bytes(30_000_000))})
    tracemalloc.start()
    started = time.process_time()
    assert outcome_of(signing.token(), status_list=bomb).outcome is Outcome.UNREADABLE
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
    assert time.process_time() - started < 5


@pytest.mark.parametrize("document", [{}, [], None, "x", {"id": 5}, {"id": "did:web:a"}])
def test_without_sound_keys_nothing_is_valid(signing, document):
    verification = verify(signing.token(), document, signing.status_list, LATER)
    assert verification.outcome is Outcome.UNREADABLE
    assert "did.json" in verification.words


def test_a_key_that_is_not_for_assertions_verifies_nothing(outcome_of, signing):
    document = signing.did_document | {"assertionMethod": []}
    assert outcome_of(signing.token(), document).outcome is Outcome.UNKNOWN_ISSUER


def test_a_key_on_another_curve_is_refused(outcome_of, signing):
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    document = json.loads(json.dumps(signing.did_document))
    document["verificationMethod"][0]["publicKeyJwk"] = ECAlgorithm.to_jwk(other, as_dict=True)
    assert outcome_of(signing.token(), document).outcome is Outcome.UNREADABLE


# --- where a certificate is found ---


def pdf_with(path, attached: dict[str, bytes], **saving):
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for name, data in attached.items():
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)
        pdf.save(path, **saving)
    return path


def test_it_is_found_in_a_jwt_file(signing, tmp_path):
    path = tmp_path / "certificate.jwt"
    for text in (signing.credential(), f"\ufeff{signing.credential()}\r\n"):
        path.write_text(text, encoding="utf-8")
        assert credential_in(path) == credential_in(str(path)) == signing.credential()


@pytest.mark.parametrize("compress", [True, False])
def test_it_is_found_in_a_pdf(signing, tmp_path, compress):
    files = {"notes.txt": signing.token().encode(), "ada.jwt": signing.credential().encode()}
    path = pdf_with(tmp_path / "a.pdf", files, compress_streams=compress)
    assert credential_in(path) == signing.credential()


def test_it_is_found_in_an_address_and_in_a_text_around_it(signing, tmp_path):
    token = signing.token()
    link = address(ISSUER, token)
    broken = "\n".join(link[i : i + 70] for i in range(0, len(link), 70))
    for text in (token, link, f"  {link}\n", broken, f"See <{link}>, and again {link}."):
        assert credential_in(text) == token
    path = tmp_path / "mail.txt"
    path.write_text(f"Dear Ada,\n{link}\n")
    assert credential_in(path) == token


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no signed certificate"),
        (b"Dear Ada", "no signed certificate"),
        (bytes(range(256)) * 100, "no signed certificate"),
        (b"eyJ" * 1_000_000, "no signed certificate"),
        (b"eyJ.eyJ." * 400_000, "no signed certificate"),
        (b"%PDF-1.7 and then nothing", "damaged PDF"),
    ],
)
def test_a_file_without_one_is_told_what_to_do(tmp_path, content, said):
    path = tmp_path / "file"
    path.write_bytes(content)
    started = time.process_time()
    with pytest.raises(CertificateError, match=said):
        credential_in(path)
    assert time.process_time() - started < 5


def test_two_certificates_at_once_are_not_guessed_between(signing, tmp_path):
    two = f"{signing.token()} {signing.token(name='Eve')}"
    with pytest.raises(CertificateError, match="one at a time"):
        credential_in(two)
    files = {"a.jwt": b"x", "b.jwt": b"y"}
    with pytest.raises(CertificateError, match="2 credentials attached"):
        credential_in(pdf_with(tmp_path / "two.pdf", files))


def test_pdfs_that_do_not_have_it_are_told_apart(signing, tmp_path):
    credential = {"a.jwt": signing.credential().encode()}
    locked = pdf_with(
        tmp_path / "locked.pdf", credential, encryption=pikepdf.Encryption(user="x", owner="y")
    )
    with pytest.raises(CertificateError, match="password"):
        credential_in(locked)
    with pytest.raises(CertificateError, match="printing or scanning"):
        credential_in(pdf_with(tmp_path / "none.pdf", {}))


def test_an_attachment_that_unpacks_to_gigabytes_is_refused_early(tmp_path):
    path = pdf_with(tmp_path / "bomb.pdf", {"a.jwt": b"eyJ" * 20_000_000}, compress_streams=True)
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    with pytest.raises(CertificateError, match="no signed certificate"):
        credential_in(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def bomb_pdf() -> bytes:
    """A PDF whose catalogue is in an object stream with 200 MB of blanks."""
    objects = b"<</Type/Catalog/Pages 2 0 R>>    <</Type/Pages/Kids[]/Count 0>>"
    stream = zlib.compress(b"1 0 2 33 " + objects + b" " * 200_000_000)
    said = b"/Type/ObjStm/N 2/First 9/Filter/FlateDecode"
    data = b"%%PDF-1.5\n3 0 obj<<%s/Length %d>>stream\n" % (said, len(stream))
    data += stream + b"\nendstream endobj\n"
    # Kinds and places of the objects 0 to 4: 1 and 2 are in 3, which begins at byte 9.
    places = [(0, 0, 0), (2, 3, 0), (2, 3, 1), (1, 9, 0), (1, len(data), 0)]
    table = b"".join(struct.pack(">BIB", *place) for place in places)
    said = b"/Type/XRef/Size 5/W[1 4 1]/Root 1 0 R"
    start = len(data)
    data += b"4 0 obj<<%s/Length %d>>stream\n" % (said, len(table)) + table
    return data + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF" % start


def test_a_pdf_whose_objects_unpack_to_gigabytes_is_refused_early(tmp_path):
    path = tmp_path / "bomb.pdf"
    path.write_bytes(bomb_pdf())
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from nbcertify.credential_files import credential_in\n"
        "from nbcertify.errors import CertificateError\n"
        "def most():\n"
        "    (line,) = (l for l in open('/proc/self/status') if l.startswith('VmHWM'))\n"
        "    return int(line.split()[1])\n"
        "before = most()\n"
        "try: credential_in(Path(sys.argv[1]))\n"
        "except CertificateError: print(most() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100_000  # KB


@pytest.mark.parametrize("source", ["nowhere.jwt", "", "x" * 10_000, "a\0b", "/"])
def test_what_is_no_file_either_is_an_error_in_words(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CertificateError, match="neither a certificate nor a file") as told:
        credential_in(source)
    assert len(str(told.value)) < 400


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(sys.maxsize // 2**24)
    with pytest.raises(CertificateError, match="larger than 20 MB"):
        credential_in(path)
