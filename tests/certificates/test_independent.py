"""Others verify what is issued here: another library, another language, 1EdTech's schema."""

import base64
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
from certificates.signing import (
    ISSUER,
    LATER,
    REVOKED_INDEX,
    Signing,
    claims_of,
    header_of,
    make_signing,
    with_claims,
)
from nbcertify.site import write_site
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier
from openvc.did.did_web import DidWebResolver
from openvc.keys import jwk_thumbprint, verify_signature
from openvc.status import StatusResult, check_credential_status

HERE = Path(__file__).parent / "independent"
SCHEMA = HERE / "ob_v3p0_achievementcredential_schema.json"
FUTURE = LATER + timedelta(days=36_500)


@pytest.fixture(scope="module")
def signing(tmp_path_factory) -> Signing:
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def site(signing, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, ISSUER, signing.public, signing.status_list)
    return folder


@pytest.fixture(scope="module")
def published(site):
    """What a server at the issuer's site gives for an address."""

    def read(address: str) -> str:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}/" == ISSUER.site
        return (site / parts.path.lstrip("/")).read_text()

    return read


# --- another library: openvc-core ---
# Its pieces, as its pipeline takes a credential only in a `vc` claim, as before Open Badges 3.0.


@pytest.fixture(scope="module")
def openvc(published):
    did = DidWebResolver(lambda address: json.loads(published(address))).resolve(ISSUER.did)

    def verified(jwt: str) -> dict:
        """The claims of a JWT that the issuer signed."""
        header, claims, signature = jwt.split(".")
        method = did.key_by_kid(header_of(jwt)["kid"])
        assert method.id == f"{ISSUER.did}#{jwk_thumbprint(method.public_key_jwk)}"
        assert verify_signature(
            alg=header_of(jwt)["alg"],
            public_jwk=method.public_key_jwk,
            signing_input=f"{header}.{claims}".encode(),
            signature=base64.urlsafe_b64decode(signature + "=="),
        ), "the signature does not fit"
        return claims_of(jwt)

    def openvc(jwt: str) -> StatusResult:
        return check_credential_status(
            verified(jwt), resolve_status_list=lambda address: verified(published(address))
        )

    return openvc


def test_another_library_finds_credentials_genuine_and_not_revoked(openvc, signing):
    for key in (signing.key, signing.old):
        status = openvc(signing.credential(key=key))
        assert [one.entry.index for one in status.entries] == [4711]
        assert not status.revoked


def test_another_library_finds_the_revoked_one(openvc, signing):
    assert openvc(signing.credential(status_index=REVOKED_INDEX)).revoked


def test_another_library_finds_the_changed_one(openvc, signing):
    with pytest.raises(AssertionError, match="does not fit"):
        openvc(with_claims(signing.credential(), name="Doctorate"))


# --- the library that makes them, with its own verifier ---


def test_the_librarys_own_verifier_agrees(published, signing):
    def download(address: str) -> bytes:
        return published(address).encode()

    verifier = OB3Verifier.for_issuer_did(ISSUER.did, download=download)
    for key in (signing.key, signing.old):
        found = verifier.verify(signing.credential(key=key), check_status=True, download=download)
        assert found.achievement.name.startswith(ISSUER.course)
    with pytest.raises(OB3VerificationError, match="revocation"):
        revoked = signing.credential(status_index=REVOKED_INDEX)
        verifier.verify(revoked, check_status=True, download=download)
    with pytest.raises(OB3VerificationError, match="signature"):
        verifier.verify(with_claims(signing.credential(), name="Doctorate"))


# --- 1EdTech's schema ---


@pytest.fixture(scope="module")
def schema():
    kind = jsonschema.Draft201909Validator
    return kind(json.loads(SCHEMA.read_text()), format_checker=kind.FORMAT_CHECKER)


def test_credentials_follow_the_schema_of_1edtech(schema, signing):
    for changes in ({}, {"expires": FUTURE}, {"hours": 20.0, "ec": 20 / 28}):
        claims = claims_of(signing.credential(**changes))
        assert [error.message for error in schema.iter_errors(claims)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"validFrom": "yesterday"},
        {"issuer": 5},
        {"credentialSubject": {}},
        {"@context": ["https://www.w3.org/ns/credentials/v2"]},
    ],
)
def test_the_schema_finds_what_is_wrong(schema, signing, change):
    assert not schema.is_valid(claims_of(signing.credential()) | change)


def test_every_identity_is_of_a_kind_that_the_schema_knows(schema, signing):
    claims = claims_of(signing.credential())
    kinds = [one["identityType"] for one in claims["credentialSubject"]["identifier"]]
    assert kinds == ["emailAddress", "name"]
    claims["credentialSubject"]["identifier"][0]["identityType"] = "shoeSize"
    assert not schema.is_valid(claims)


# --- another language: JavaScript, with jose on Node.js ---


@pytest.fixture(scope="module")
def node(site, tmp_path_factory):
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node.js with npm on PATH (Debian: apt-get install npm)")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(HERE / name, folder)
    made = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        pytest.skip(f"npm could not install jose, which it needs a network for: {made.stderr}")

    def node(*credentials: str) -> list[dict]:
        paths = []
        for number, text in enumerate(credentials):
            paths.append(folder / f"{number}.jwt")
            paths[-1].write_text(text)
        done = subprocess.run(
            ["node", "verify.mjs", site, *paths], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return node


@pytest.mark.slow
def test_another_language_agrees(node, signing):
    good = {"name": "Certificate of attendance and exercises", "revoked": False}
    assert node(
        signing.credential(),
        signing.credential(key=signing.old, expires=FUTURE),
        signing.credential(status_index=REVOKED_INDEX),
        signing.credential(expires=LATER),
        with_claims(signing.credential(), name="Doctorate"),
        signing.status_list,
    ) == [
        good,
        good,
        good | {"revoked": True},
        {"error": "ERR_JWT_EXPIRED"},
        {"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"},
        {"error": "not a OpenBadgeCredential"},
    ]
