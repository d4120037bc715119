"""The signature on a PDF: PAdES, with the issuer's key or a certificate that was given to it.

With it, programs that show PDFs tell whether the document was changed. Level B-B; B-T where a
time-stamp server is configured (ETSI EN 319 142-1).
"""

from __future__ import annotations

import asyncio
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from nbcertify.errors import CertificateError
from nbcertify.keys import Key
from nbcertify.texts import Texts
from nbcertify.toml_table import Table

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.timestamps import TimeStamper

    from nbcertify.issuer import Issuer

PASSPHRASE = "DLCOURSE_PDF_PASSPHRASE"
_FIELD = "Signature"
_TIMESTAMP_SECONDS = 10
_LONGEST_NAME = 64  # characters of a name in a certificate (X.520)
_CURVES = ("secp256r1", "secp384r1")


@dataclass(frozen=True)
class PdfSigning:
    """How PDFs are signed, from `issuer.toml`.

    `certificate` names a PKCS #12 file in the folder of keys, "" for the issuer's own key;
    `timestamp` is the address of a time-stamp server (RFC 3161), "" for none.
    """

    certificate: str = ""
    timestamp: str = ""


@dataclass(frozen=True)
class PdfSigner:
    """All that PDFs are signed with. `certificate` is the signer's, as DER."""

    certificate: bytes
    _signer: SimpleSigner
    _timestamper: TimeStamper | None
    _name: str

    @property
    def _reserved(self) -> int | None:
        """Hexadecimal digits kept free for the signature; None to find out by signing twice."""
        if self._timestamper is not None:
            return None
        chain = sum(len(one.dump()) for one in self._signer.cert_registry)
        return 2 * (len(self.certificate) + chain + 4_096)

    def sign(self, pdf: bytes, texts: Texts) -> bytes:
        """The PDF with a signature that permits no change; what was there stays byte for byte.

        `CertificateError` if the time-stamp server does not answer.
        """
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign import fields, signers

        class Update(IncrementalPdfFileWriter):
            """Leaves what PDF/A looks at as it is: the version, and the metadata, kept twice."""

            def ensure_output_version(self, version: tuple[int, int]) -> None:
                pass

            def _update_meta(self) -> None:
                pass

        from pyhanko.sign.timestamps import TimestampRequestError

        name = f"{_FIELD}: {self._name}"
        meta = signers.PdfSignatureMetadata(
            field_name=_FIELD,
            md_algorithm="sha256",
            name=self._name,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            subfilter=fields.SigSeedSubFilter.PADES,
        )
        # PDF/UA asks for a name that is read out, PDF/A for a field that is printed.
        field = fields.SigFieldSpec(
            _FIELD, readable_field_name=texts.say("certificate.signed", issuer=self._name) or name
        )
        signer = signers.PdfSigner(
            meta, self._signer, timestamper=self._timestamper, new_field_spec=field
        )
        try:
            # In a thread of its own, since a notebook or a server has a loop already.
            with ThreadPoolExecutor(1) as pool:
                signing = signer.async_sign_pdf(
                    Update(io.BytesIO(pdf)), bytes_reserved=self._reserved
                )
                done = pool.submit(asyncio.run, signing).result()
        except (TimestampRequestError, OSError, TimeoutError) as error:
            raise CertificateError(
                f"The time-stamp server did not answer as it should: {error}. Try again later, or "
                "take `timestamp` out of [pdf_signature] in issuer.toml."
            ) from error
        data: bytes = done.getvalue()
        return data


def read_pdf_signing(table: Table) -> PdfSigning:
    """What a table of `issuer.toml` says. `CertificateError` for what cannot be."""
    table.only(*PdfSigning.__dataclass_fields__)
    certificate = table.text("certificate") if "certificate" in table else ""
    if Path(certificate).name != certificate:
        raise table.error("certificate", "must be the name of a file in the folder of the keys")
    timestamp = table.text("timestamp") if "timestamp" in table else ""
    if timestamp and not timestamp.startswith(("https://", "http://")):
        raise table.error("timestamp", f"must be an address on the web, not {timestamp!r}")
    return PdfSigning(certificate, timestamp)


def pdf_signer(issuer: Issuer, key: Key, folder: Path) -> PdfSigner:
    """What the issuer's PDFs are signed with; `folder` has the keys.

    `CertificateError` if the certificate given to it cannot be used.
    """
    from asn1crypto.keys import PrivateKeyInfo
    from asn1crypto.x509 import Certificate
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.timestamps import HTTPTimeStamper
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    if issuer.signing.certificate:
        private, certificate, others = _given(folder / issuer.signing.certificate)
    else:
        private, certificate, others = key.private, own_certificate(issuer, key), []
    chain = [Certificate.load(one.public_bytes(Encoding.DER)) for one in others]
    der = certificate.public_bytes(Encoding.DER)
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        signing_cert=Certificate.load(der),
        signing_key=PrivateKeyInfo.load(pkcs8),
        cert_registry=SimpleCertificateStore.from_certs(chain),
    )
    server = issuer.signing.timestamp
    timestamper = HTTPTimeStamper(server, timeout=_TIMESTAMP_SECONDS) if server else None
    return PdfSigner(der, signer, timestamper, issuer.name)


def own_certificate(issuer: Issuer, key: Key) -> x509.Certificate:
    """The issuer's key as a certificate that it signs itself; always the same bytes.

    It has no well-defined end (RFC 5280, 4.1.2.5): the key is good as long as it is published.
    """
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, issuer.name[:_LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, issuer.name[:_LONGEST_NAME]),
        ]
    )
    serial = sha256(f"{key.kid} {issuer.name}".encode()).digest()[:19]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        **dict.fromkeys(
            (
                *("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"),
                *("crl_sign", "encipher_only", "decipher_only"),
            ),
            False,
        ),
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(int.from_bytes(serial) | 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key.private, hashes.SHA256(), ecdsa_deterministic=True)
    )


def _given(
    path: Path,
) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, x509.Certificate, list[x509.Certificate]]:
    passphrase = os.environ.get(PASSPHRASE)
    try:
        private, certificate, others = pkcs12.load_key_and_certificates(
            path.read_bytes(), passphrase.encode() if passphrase else None
        )
    except (OSError, ValueError) as error:
        raise CertificateError(
            f"{path}: cannot be read ({error}). It must be a PKCS #12 file, its passphrase in "
            f"the environment variable {PASSPHRASE}."
        ) from error
    usual = isinstance(private, RSAPrivateKey) or (
        isinstance(private, EllipticCurvePrivateKey) and private.curve.name in _CURVES
    )
    if certificate is None or not usual:
        raise CertificateError(
            f"{path}: must have a certificate and its private key, RSA or on P-256 or P-384."
        )
    assert isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey)
    return private, certificate, others
