"""Who issues certificates, for which course: `issuer.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from openbadgeslib.ob3 import did_web_from_url

from nbcertify.toml_table import Table, read_toml


@dataclass(frozen=True)
class Signatory:
    """Who stands for a certificate with a name and a role."""

    name: str
    role: str


@dataclass(frozen=True)
class Issuer:
    """The issuing organisation and its course.

    `did` is a `did:web:`; `site` is the https address, ending in a slash, at which the site's
    folder is published.
    """

    name: str
    did: str
    site: str
    email: str
    course: str
    description: str
    place: str
    signatories: tuple[Signatory, ...]


def read_issuer(path: Path) -> Issuer:
    """The issuer that the file describes.

    `CertificateError`, with file, line and key, unless there is every field of an `Issuer` and
    nothing else, and `did` is what the method did:web makes of `site`
    (https://w3c-ccg.github.io/did-method-web/): only then are its keys found on that site.
    """
    table = read_toml(path)
    table.only(*Issuer.__dataclass_fields__)
    site = _site(table)
    return Issuer(
        name=table.text("name"),
        did=_did(table, site),
        site=site,
        email=_email(table),
        course=table.text("course"),
        description=table.text("description"),
        place=table.text("place"),
        signatories=_signatories(table),
    )


def _site(table: Table) -> str:
    site = table.text("site")
    try:
        parts = urlsplit(site)
    except ValueError:
        raise table.error("site", f"is not an address: {site!r}") from None
    if parts.scheme != "https":
        raise table.error("site", f"must begin with https://, not {site!r}")
    if not site.endswith("/") or parts.query or parts.fragment:
        raise table.error("site", f"must be a folder and end in a slash, not {site!r}")
    if not site.isascii() or any(c.isspace() or not c.isprintable() for c in site):
        raise table.error("site", f"must be plain ASCII as browsers send it, not {site!r}")
    return site


def _did(table: Table, site: str) -> str:
    did = table.text("did")
    if not did.startswith("did:web:"):
        raise table.error("did", f"must begin with did:web:, not {did!r}")
    try:
        fitting = did_web_from_url(site)
    except ValueError as error:
        raise table.error("site", str(error).replace("did:web URL", "the address")) from None
    if did != fitting:
        raise table.error(
            "did", f"{did!r} does not match the site: whoever looks for its keys would not look "
            f"at {site}. For this site it is {fitting!r}"
        )  # fmt: skip
    return did


def _email(table: Table) -> str:
    email = table.text("email")
    name, _, host = email.rpartition("@")
    if not name or "." not in host or any(c.isspace() for c in email):
        raise table.error("email", f"must be an e-mail address, not {email!r}")
    return email


def _signatories(table: Table) -> tuple[Signatory, ...]:
    people = table.tables("signatories")
    if not people:
        raise table.error("signatories", "is missing: at least one [[signatories]] has to sign")
    for person in people:
        person.only(*Signatory.__dataclass_fields__)
    return tuple(Signatory(person.text("name"), person.text("role")) for person in people)
