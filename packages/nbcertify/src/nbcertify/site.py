"""The folder to publish: the issuer's keys, the status list, and the page that verifies."""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from nbjudge.files import write_atomically
from openbadgeslib.ob3 import build_did_document

from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer
from nbcertify.status import LIST_PATH

PAGE_PATH = "verify/index.html"


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


def write_site(
    folder: Path,
    issuer: Issuer,
    public_keys: Sequence[Mapping[str, Any]],
    status_list_jwt: str,
) -> None:
    """Write what is published at `issuer.site`; the same arguments give the same bytes.

    Other files in the folder stay. Nothing written here is private.
    """
    did_document = make_did_document(issuer, public_keys)
    page = make_page(issuer, did_document, status_list_jwt)
    # The page comes last: whoever sees the new one also finds the list that is in it.
    for path, text in {
        ".nojekyll": "",  # GitHub Pages would leave out .well-known
        did_path(issuer): json.dumps(did_document, indent=2) + "\n",
        LIST_PATH: status_list_jwt,
        PAGE_PATH: page,
    }.items():
        write_atomically(folder / path, text.encode())


def make_page(issuer: Issuer, did_document: Mapping[str, Any], status_list_jwt: str) -> str:
    """The page that verifies, with all it needs in one file: it may not load anything."""
    style = _source("page.css")
    script = _source("check.js") + _source("page.js")
    data = {"name": issuer.name, "did": did_document, "status": status_list_jwt}
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Template(_source("page.html")).substitute(
        policy=policy,
        issuer=html.escape(issuer.name),
        site=html.escape(issuer.site),
        style=style,
        script=script,
        # So that no text in it can end the element.
        data=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
    )


def _source(name: str) -> str:
    return (files("nbcertify") / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a content security policy names the text that may be in the page."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
