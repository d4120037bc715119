"""PDFs: signed so that others see a change, and valid only as the issuer signed them."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pikepdf
import pytest
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from asn1crypto.keys import PrivateKeyInfo
from certificates.signing import CERTIFICATE, ISSUER, LATER, REVOKED_INDEX, Signing, make_signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nbcertify.credential_files import certificate_in
from nbcertify.document import verify_document
from nbcertify.errors import CertificateError
from nbcertify.pdf import make_pdf
from nbcertify.pdf_signing import PASSPHRASE, PdfSigning, own_certificate, pdf_signer
from nbcertify.pdf_verification import Seal, key_of, seal_of
from nbcertify.texts import ENGLISH
from nbcertify.token import address
from nbcertify.verification import Outcome
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


@pytest.fixture(scope="module")
def signing(tmp_path_factory) -> Signing:
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def usual(signing) -> bytes:
    return signing.pdf()


@pytest.fixture
def verified(signing, tmp_path):
    """What comes out for a PDF."""

    def verified(pdf: bytes):
        path = tmp_path / "certificate.pdf"
        path.write_bytes(pdf)
        keys = [key.private.public_key() for key in (signing.key, signing.old)]
        return verify_document(
            certificate_in(path), signing.did_document, signing.status_list, keys, LATER
        )

    return verified


def rewritten(pdf: bytes, change) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        file = io.BytesIO()
        document.save(file)
    return file.getvalue()


def paint(document: pikepdf.Pdf) -> None:
    document.pages[0].contents_add(document.make_stream(b"q 1 g 200 300 400 100 re f Q"))


def unlink(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = pikepdf.Array()


def unsign(document: pikepdf.Pdf) -> None:
    paint(document)
    for each in document.objects:
        if isinstance(each, pikepdf.Dictionary) and "/ByteRange" in each:
            del each["/ByteRange"]


def appended(pdf: bytes) -> bytes:
    update = IncrementalPdfFileWriter(io.BytesIO(pdf))
    update.root["/PageLayout"] = update.root["/Type"]
    update.update_root()
    file = io.BytesIO()
    update.write(file)
    return file.getvalue()


class TestSignature:
    def test_others_find_it_intact_trusted_and_over_the_whole_file(self, signing, usual):
        (found,) = PdfFileReader(io.BytesIO(usual)).embedded_signatures
        root = asn1_x509.Certificate.load(
            own_certificate(ISSUER, signing.key).public_bytes(Encoding.DER)
        )
        status = validate_pdf_signature(found, ValidationContext(trust_roots=[root]))
        assert status.intact
        assert status.valid
        assert status.trusted
        assert status.coverage.name == "ENTIRE_FILE"
        assert str(found.sig_object["/SubFilter"]) == "/ETSI.CAdES.detached"
        assert found.sig_object["/Reference"][0]["/TransformParams"]["/P"] == 1

    def test_others_see_a_change(self, signing, usual):
        changed = usual.replace(b"/Lang", b"/Lanh", 1)
        (found,) = PdfFileReader(io.BytesIO(changed)).embedded_signatures
        root = asn1_x509.Certificate.load(
            own_certificate(ISSUER, signing.key).public_bytes(Encoding.DER)
        )
        assert not validate_pdf_signature(found, ValidationContext(trust_roots=[root])).intact

    def test_what_pdf_a_and_pdf_ua_look_at_stays(self, signing, usual):
        link = address(ISSUER, signing.token())
        plain = make_pdf(CERTIFICATE, ISSUER, link, signing.credential())
        assert usual.startswith(plain)
        with pikepdf.open(io.BytesIO(usual)) as pdf, pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:identifier"] == CERTIFICATE.id
            assert "/Version" not in pdf.Root
            (field,) = pdf.Root.AcroForm.Fields
            assert str(field.TU) == "Signature of Example Institute on this document"
            assert [int(edge) for edge in field.Rect] == [0, 0, 0, 0]
            assert field.F & 0b111 == 0b100  # printed, and not hidden
            assert pdf.pages[0].Tabs == pikepdf.Name.S

    def test_the_own_certificate_is_always_the_same(self, signing):
        one, other = (own_certificate(ISSUER, signing.key) for _ in range(2))
        assert one == other
        assert one != own_certificate(ISSUER, signing.old)
        assert own_certificate(replace(ISSUER, name="N" * 100), signing.key)

    def test_a_certificate_that_was_given_signs(self, signing, tmp_path, monkeypatch):
        private, certificate = given_certificate()
        sealed = pkcs12.serialize_key_and_certificates(
            b"office", private, certificate, None, BestAvailableEncryption(b"secret")
        )
        (tmp_path / "office.p12").write_bytes(sealed)
        issuer = replace(ISSUER, signing=PdfSigning("office.p12"))
        with pytest.raises(CertificateError, match=PASSPHRASE):
            pdf_signer(issuer, signing.key, tmp_path)
        monkeypatch.setenv(PASSPHRASE, "secret")
        signer = pdf_signer(issuer, signing.key, tmp_path)
        pdf = signer.sign(_plain(signing), ENGLISH)
        assert seal_of(pdf, [key_of(signer.certificate)]) is Seal.INTACT
        assert seal_of(pdf, [signing.key.private.public_key()]) is Seal.CHANGED

    def test_a_time_stamp_server_that_does_not_answer_is_told(self, signing, tmp_path):
        issuer = replace(ISSUER, signing=PdfSigning(timestamp="http://127.0.0.1:9/"))
        with pytest.raises(CertificateError, match="time-stamp server"):
            pdf_signer(issuer, signing.key, tmp_path).sign(_plain(signing), ENGLISH)

    def test_a_time_stamp_is_put_in(self, signing, tmp_path):
        private, certificate = given_certificate()
        stamper = DummyTimeStamper(
            asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
            PrivateKeyInfo.load(
                private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
        )

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            site = f"http://127.0.0.1:{server.server_port}/"
            issuer = replace(ISSUER, signing=PdfSigning(timestamp=site))
            signer = pdf_signer(issuer, signing.key, tmp_path)
            pdf, _ = (signer.sign(_plain(signing), ENGLISH) for _ in range(2))
            server.shutdown()
        (found,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        (attribute,) = found.signer_info["unsigned_attrs"]
        assert attribute["type"].native == "signature_time_stamp_token"
        assert seal_of(pdf, [signing.key.private.public_key()]) is Seal.INTACT


def _plain(signing: Signing) -> bytes:
    return make_pdf(CERTIFICATE, ISSUER, address(ISSUER, signing.token()), signing.credential())


def given_certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """As an authority gives one out; good for time stamps, too."""
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Office")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(private, hashes.SHA256())
    )
    return private, certificate


class TestVerification:
    def test_as_it_was_handed_over_it_is_valid_and_says_whose_it_is(self, verified, signing):
        found = verified(signing.pdf(name="Zoë Ødegård"))
        assert found.outcome is Outcome.VALID
        assert (found.facts.name, found.facts.course) == ("Zoë Ødegård", ISSUER.course)
        assert "as it was signed" in found.words
        assert found.facts.is_of("Zoë Ødegård")
        assert found.facts.is_of("ada@example.org")
        assert not found.facts.is_of("Ada Lovelace")

    @pytest.mark.parametrize(
        ("forge", "words"),
        [
            (lambda pdf: rewritten(pdf, paint), "was changed"),
            (lambda pdf: rewritten(pdf, unlink), "was changed"),
            (lambda pdf: rewritten(pdf, unsign), "not signed"),
            (appended, "was changed"),
            (lambda pdf: pdf + b"\n", "was changed"),
            (lambda pdf: pdf.replace(b"<30", b"<31", 1), "was changed"),
        ],
    )
    def test_a_changed_one_is_not_and_says_what_was_issued(self, verified, usual, forge, words):
        found = verified(forge(usual))
        assert found.outcome is Outcome.CHANGED
        assert words in found.words
        assert found.facts.id == CERTIFICATE.id
        assert found.facts.name in (CERTIFICATE.name, None)

    def test_every_byte_counts(self, signing, usual):
        keys = [signing.key.private.public_key()]
        hole = usual.rfind(b"/Contents <")
        for at in range(0, len(usual), len(usual) // 200):
            if hole < at < usual.index(b">", hole):
                continue
            changed = usual[:at] + bytes([usual[at] ^ 1]) + usual[at + 1 :]
            assert seal_of(changed, keys) is not Seal.INTACT, at

    def test_a_stranger_s_signature_is_a_change(self, verified, signing, tmp_path):
        stranger = make_signing(tmp_path / "others")
        pdf = pdf_signer(ISSUER, stranger.key, tmp_path).sign(_plain(signing), ENGLISH)
        assert verified(pdf).outcome is Outcome.CHANGED

    @pytest.mark.parametrize("part", ["link", "metadata"])
    def test_parts_of_different_certificates_are_told(self, verified, signing, tmp_path, part):
        other = {"id": "urn:uuid:00000000-6c1d-4b7a-9a55-0d1c2b3a4f5e"}
        link = address(ISSUER, signing.token(**(other if part == "link" else {})))
        printed = replace(CERTIFICATE, **(other if part == "metadata" else {}))
        plain = make_pdf(printed, ISSUER, link, signing.credential())
        found = verified(pdf_signer(ISSUER, signing.key, tmp_path).sign(plain, ENGLISH))
        assert found.outcome is Outcome.CHANGED
        assert "different certificates" in found.words

    def test_revoked_stays_revoked(self, verified, signing):
        assert verified(signing.pdf(status_index=REVOKED_INDEX)).outcome is Outcome.REVOKED

    def test_an_old_key_s_pdf_stays_valid(self, verified, signing):
        assert verified(signing.pdf(key=signing.old)).outcome is Outcome.VALID

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"/ByteRange",
            b"/ByteRange [0 1 2 3]",
            b"/ByteRange [" + b"0 " * 500_000,
            b"/ByteRange" * 100_000,
        ],
    )
    def test_nothing_crafted_is_intact(self, data):
        assert seal_of(data, []) is not Seal.INTACT
