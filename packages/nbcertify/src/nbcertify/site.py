"""The folder to publish: the issuer's keys, the status list, and the page that verifies."""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nbjudge.files import write_atomically
from openbadgeslib.ob3 import build_did_document

from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer
from nbcertify.lookup import Lookup
from nbcertify.pdf_verification import key_of
from nbcertify.status import LIST_PATH
from nbcertify.texts import DEFAULT, Texts, shipped

PAGE_PATH = "verify/index.html"
ROOT_PATH = "index.html"


def make_did_document(issuer: Issuer, public_keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The issuer's DID document: all public keys, each under its thumbprint.

    `CertificateError` if there are none.
    """
    if not public_keys:
        raise CertificateError("There is no key to publish. Make one with: dlcourse keys new")
    return build_did_document(issuer.did, [(key["kid"], dict(key)) for key in public_keys])


def did_path(issuer: Issuer) -> str:
    """Where the DID document has to be in the site's folder, by the method did:web."""
    in_a_folder = ":" in issuer.did.removeprefix("did:web:")
    return "did.json" if in_a_folder else ".well-known/did.json"


@dataclass(frozen=True)
class More:
    """What the site has beside keys and status list.

    `texts` are the languages of the page; `signers` the certificates (DER) of those who sign PDFs;
    `lookup` is the table to find certificates in, if the policy has one; `files` are further ones,
    by path.
    """

    texts: Mapping[str, Texts] = field(default_factory=shipped)
    signers: tuple[bytes, ...] = ()
    lookup: Lookup | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


def write_site(
    folder: Path,
    issuer: Issuer,
    public_keys: Sequence[Mapping[str, Any]],
    status_list_jwt: str,
    more: More | None = None,
) -> None:
    """Write what is published at `issuer.site`; the same arguments give the same bytes.

    Other files in the folder stay. Nothing written here is private.
    """
    more = more or More()
    did_document = make_did_document(issuer, public_keys)
    page = make_page(issuer, did_document, status_list_jwt, more)
    for path, data in more.files.items():
        write_atomically(folder / path, data)
    # The page comes last: whoever sees the new one also finds the list that is in it.
    for path, text in {
        ".nojekyll": "",  # GitHub Pages would leave out .well-known
        did_path(issuer): json.dumps(did_document, indent=2) + "\n",
        LIST_PATH: status_list_jwt,
        ROOT_PATH: make_root(issuer, more),
        PAGE_PATH: page,
    }.items():
        write_atomically(folder / path, text.encode())


def make_page(
    issuer: Issuer,
    did_document: Mapping[str, Any],
    status_list_jwt: str,
    more: More | None = None,
) -> str:
    """The page that verifies, with all it needs in one file: it may not load anything."""
    more = more or More()
    style = _source("page.css")
    script = _source("page.js")
    worker = "".join(map(_source, ("check.js", "pdf.js", "worker.js")))
    data = {
        "name": issuer.name,
        "site": issuer.site,
        "did": did_document,
        "status": status_list_jwt,
        "signers": [_key(one) for one in more.signers],
        "lookup": None if more.lookup is None else asdict(more.lookup),
        "linkedin": issuer.linkedin,
        "worker": worker,
        "languages": {
            language: {
                "name": texts.name,
                "issuer": issuer.in_language(language).name,
                "says": texts.section("page") | texts.section("work"),
            }
            for language, texts in more.texts.items()
        },
    }
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; worker-src blob:; "
        f"style-src {_digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    english = more.texts[DEFAULT]
    said = {
        f"say_{key}": html.escape(text.replace("{issuer}", issuer.name))
        for key, text in english.section("page").items()
    }
    return Template(_source("page.html")).substitute(
        said,
        policy=policy,
        issuer=html.escape(issuer.name),
        site=html.escape(issuer.site),
        style=style,
        script=script,
        # So that no text in it can end the element.
        data=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
    )


def make_root(issuer: Issuer, more: More | None = None) -> str:
    """The page at the site's root: it says what is here, in all languages, and leads there."""
    texts = (more or More()).texts
    style = _source("page.css")
    sections = "\n".join(
        Template(_source("root_section.html")).substitute(
            language=language,
            title=html.escape(one.say("page.root_title", issuer=names.name)),
            words=html.escape(one.say("page.root_words", issuer=names.name)),
            link=html.escape(one.say("page.start")),
        )
        for language, one in texts.items()
        for names in [issuer.in_language(language)]
    )
    return Template(_source("root.html")).substitute(
        policy=f"default-src 'none'; style-src {_digest(style)}; base-uri 'none'; "
        "form-action 'none'; img-src data:",
        title=html.escape(texts[DEFAULT].say("page.root_title", issuer=issuer.name)),
        style=style,
        sections=sections,
    )


def _key(certificate: bytes) -> str:
    """The public key in a certificate, as browsers import it."""
    key = key_of(certificate)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(spki).decode()


def _source(name: str) -> str:
    return (files("nbcertify") / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a content security policy names the text that may be in the page."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
