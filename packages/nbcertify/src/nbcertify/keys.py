"""The keys that sign certificates: ES256 (ECDSA on the curve P-256), outside every repository.

A key is two files in the folder, named after the moment it was made and its thumbprint: `.pem`, the
private half (PKCS #8), and `.jwk`, the public half. The newest private half signs. Public halves
stay for ever, so that certificates stay valid when the key is replaced or its private half is
deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError
from jwt.utils import der_to_raw_signature

from nbcertify.errors import CertificateError

ALGORITHM = "ES256"


class _Deterministic(ECAlgorithm):
    """ES256 with the nonces of RFC 6979, so that the same contents have the same signature."""

    def sign(self, msg: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
        try:
            der = key.sign(msg, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        except UnsupportedAlgorithm as error:
            raise CertificateError(
                "The installed package cryptography uses an OpenSSL older than 3.2. Install the "
                "one from PyPI: pip install --force-reinstall cryptography"
            ) from error
        return der_to_raw_signature(der, key.curve)


def _signer() -> PyJWS:
    jws = PyJWS(algorithms=[])
    jws.register_algorithm(ALGORITHM, _Deterministic(hashes.SHA256, ec.SECP256R1))
    return jws


@dataclass(frozen=True)
class Key:
    """A key that signs."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @cached_property
    def public(self) -> dict[str, Any]:
        """The public half as a JWK (RFC 7517)."""
        jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": thumbprint(jwk), "alg": ALGORITHM, "use": "sig"}

    @property
    def kid(self) -> str:
        """Its thumbprint."""
        return str(self.public["kid"])

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """The claims as a JWT (RFC 7519); the header gets its `alg` here."""
        payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
        return _signer().encode(payload, self.private, ALGORITHM, dict(header))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The thumbprint of an elliptic curve's JWK (RFC 7638): 43 characters."""
    needed = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(needed, separators=(",", ":"), sort_keys=True).encode())
    return urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def keys_folder() -> Path:
    """Where the keys are: $DLCOURSE_KEYS, or ~/.config/dlcourse/keys."""
    return Path(os.environ.get("DLCOURSE_KEYS") or Path.home() / ".config" / "dlcourse" / "keys")


def make_key(folder: Path, now: datetime) -> Key:
    """A new key in the folder, which signs from now on. No other key is changed.

    `CertificateError` if the folder is no place for keys, or has a key from later than `now`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_folder(folder)
    made = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    if later := [path.stem for path in _files(folder, ".jwk") if path.stem[: len(made)] >= made]:
        raise CertificateError(
            f"{folder}: there is a key of this very second or later ({later[-1]}), which would go "
            "on signing. Try again in a moment; if that does not help, set the clock right."
        )
    key = Key(ec.generate_private_key(ec.SECP256R1()))
    name = f"{made}-{key.kid}"
    public = json.dumps(key.public, indent=2) + "\n"
    private = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(folder / f"{name}.jwk", public.encode())
    _write_new(folder / f"{name}.pem", private)
    return key


def signing_key(folder: Path) -> Key:
    """The newest key that has its private half. `CertificateError` if none can be used."""
    _check_folder(folder)
    files = _files(folder, ".pem")
    if not files:
        raise CertificateError(
            f"{folder}: there is no key to sign with. Make one with: dlcourse keys new"
        )
    return _read_private(files[-1])


def public_keys(folder: Path) -> tuple[dict[str, Any], ...]:
    """The public halves of all keys there ever were, as JWKs, the newest first."""
    _check_folder(folder)
    return tuple(_read_public(path) for path in reversed(_files(folder, ".jwk")))


def _files(folder: Path, ending: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{ending}") if not path.name.startswith("."))


def _write_new(path: Path, data: bytes) -> None:
    """Write a file with mode 0600, whole or not at all, and never over another one."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        Path(draft).unlink(missing_ok=True)


def _check_folder(folder: Path) -> None:
    """Refuse a folder in a git work tree, or one that others can look into."""
    place = folder.resolve()
    for above in (place, *place.parents):
        if (above / ".git").exists():
            raise CertificateError(
                f"{folder}: is inside the git repository {above}, where a private key could be "
                "committed. Set DLCOURSE_KEYS to a folder outside of it."
            )
    if not folder.is_dir():
        raise CertificateError(
            f"{folder}: there is no such folder, so there are no keys. Make one with: "
            "dlcourse keys new (or set DLCOURSE_KEYS to the folder that has them)"
        )
    _check_private(folder, 0o700)
    for path in (*_files(folder, ".pem"), *_files(folder, ".jwk")):
        _check_private(path, 0o600)


def _check_private(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o077:
        raise CertificateError(
            f"{path}: others on this machine may read or change it. Run: chmod {mode:o} '{path}'"
        )


def _read_private(path: Path) -> Key:
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged(path, "it is not a private key without a password") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise _damaged(path, "it is not a key on the curve P-256")
    key = Key(private)
    if _read_public(path.with_suffix(".jwk"))["kid"] != key.kid:
        raise _damaged(path, "it is not the other half of the .jwk beside it")
    return key


def _read_public(path: Path) -> dict[str, Any]:
    try:
        jwk: dict[str, Any] = json.loads(path.read_bytes())
        public = ECAlgorithm.from_jwk(jwk)
        sound = (
            "d" not in jwk
            and public.curve.name == "secp256r1"
            and jwk["kid"] == thumbprint(jwk)
            and path.stem.endswith(f"-{jwk['kid']}")
        )
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, InvalidKeyError):
        sound = False
    if not sound:
        raise _damaged(path, "it is not the public key that its name says")
    return jwk


def _damaged(path: Path, how: str) -> CertificateError:
    return CertificateError(
        f"{path}: this key is damaged: {how}. Put it back from a backup. If there is none and it "
        "is a .pem, delete that one file and make a new key: dlcourse keys new"
    )
