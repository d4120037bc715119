"""Who issues certificates, for which course: `issuer.toml`."""

from dataclasses import dataclass


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
