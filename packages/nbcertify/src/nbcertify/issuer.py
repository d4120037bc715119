"""Who issues certificates, for which course: `issuer.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from openbadgeslib.ob3 import did_web_from_url

from nbcertify.mail_server import MailServer, read_mail_server
from nbcertify.pdf_signing import PdfSigning, read_pdf_signing
from nbcertify.style import Style, picture_at, read_style
from nbcertify.texts import is_language
from nbcertify.toml_table import Table, read_toml

_KEYS = (
    *("name", "did", "site", "email", "course", "description", "place", "signatories"),
    *("style", "languages", "linkedin", "publish_log_head", "pdf_signature", "mail_server"),
)


@dataclass(frozen=True)
class Signatory:
    """Who stands for a certificate with a name and a role; `picture` is their signature's file."""

    name: str
    role: str
    picture: Path | None = None


@dataclass(frozen=True)
class Names:
    """What the issuer and its course are called in another language; "" for as they are."""

    name: str = ""
    course: str = ""
    description: str = ""
    place: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issuer:
    """The issuing organisation and its course.

    `did` is a `did:web:`; `site` is the https address, ending in a slash, at which the site's
    folder is published. `linkedin` is the organisation's number at LinkedIn, if it has a page
    there. `publish_log_head` says whether the digest of the log's last line is published.
    """

    name: str
    did: str
    site: str
    email: str
    course: str
    description: str
    place: str
    signatories: tuple[Signatory, ...]
    style: Style = Style()
    others: Mapping[str, Names] = field(default_factory=dict)
    linkedin: str = ""
    publish_log_head: bool = True
    signing: PdfSigning = PdfSigning()
    server: MailServer | None = None

    def in_language(self, language: str) -> Issuer:
        """The issuer with the names that it has in this language."""
        names = self.others.get(language, Names())
        own = {key: value for key, value in vars(names).items() if value and key != "roles"}
        roles = names.roles or tuple(one.role for one in self.signatories)
        people = zip(self.signatories, roles, strict=True)
        return replace(
            self, **own, signatories=tuple(replace(one, role=role) for one, role in people)
        )


def read_issuer(path: Path) -> Issuer:
    """The issuer that the file describes.

    `CertificateError`, with file, line and key, if one of its own fields is missing or unknown,
    or `did` is not what the method did:web makes of `site`
    (https://w3c-ccg.github.io/did-method-web/): only then are its keys found on that site.
    """
    table = read_toml(path)
    table.only(*_KEYS)
    site = _site(table)
    signatories = _signatories(table, path.parent)
    linkedin = table.text("linkedin") if "linkedin" in table else ""
    if not all(c in "0123456789" for c in linkedin):
        raise table.error("linkedin", "must be the number of the organisation's page, as a text")
    return Issuer(
        name=table.text("name"),
        did=_did(table, site),
        site=site,
        email=_email(table),
        course=table.text("course"),
        description=table.text("description"),
        place=table.text("place"),
        signatories=signatories,
        style=read_style(table.table("style"), path.parent),
        others=dict(_names(table, len(signatories))),
        linkedin=linkedin,
        publish_log_head=table.get("publish_log_head", bool, default=True),
        signing=read_pdf_signing(table.table("pdf_signature")),
        server=read_mail_server(table.table("mail_server")) if "mail_server" in table else None,
    )


def _names(table: Table, signatories: int) -> Iterator[tuple[str, Names]]:
    others = table.table("languages")
    for language in others:
        if not is_language(language):
            raise others.error(language, "is no language such as nl or pt-BR")
        one = others.table(language)
        one.only(*Names.__dataclass_fields__)
        said = {
            key: one.text(key) for key in ("name", "course", "description", "place") if key in one
        }
        roles = one.names("roles", None, "role", repeated=True) if "roles" in one else ()
        if roles and len(roles) != signatories:
            raise one.error("roles", f"must be one for each of the {signatories} signatories")
        yield language, Names(**said, roles=roles)


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


def _signatories(table: Table, folder: Path) -> tuple[Signatory, ...]:
    people = table.tables("signatories")
    if not people:
        raise table.error("signatories", "is missing: at least one [[signatories]] has to sign")
    for person in people:
        person.only(*Signatory.__dataclass_fields__)
    return tuple(
        Signatory(person.text("name"), person.text("role"), picture_at(person, "picture", folder))
        for person in people
    )
