"""One sample certificate, to look at: made of policy and issuer alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from nbjudge.files import write_atomically

from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.office import Office
from nbcertify.pdf import make_sample

_ID = "urn:uuid:8c1f4f0e-7d2a-4b6e-9a31-5e0c2d7b94f6"
_TOKEN_CHARACTERS = 480


def write_preview(office: Office, target: Path, tier: str, language: str, name: str) -> None:
    """Write the sample; the policy's first tier and that one's language if none is named.

    `CertificateError` if there is no such tier or language, or something cannot be printed.
    """
    tiers = {one.name: one for one in office.policy.tiers}
    chosen = tiers.get(tier or next(iter(tiers)))
    if chosen is None:
        raise CertificateError(f"there is no tier {tier!r}; there are {', '.join(tiers)}")
    language = language or chosen.language
    if language not in office.texts:
        raise CertificateError(
            f"there are no texts in the language {language!r}; there are {', '.join(office.texts)}"
        )
    words = chosen.in_language(language)
    first, last = office.policy.days
    certificate = Certificate(
        _ID,
        chosen.name,
        words.title,
        name,
        "sample@example.org",
        words.statement,
        chosen.hours,
        chosen.ec,
        first,
        last,
        datetime(last.year, last.month, last.day, tzinfo=UTC),
        None,
        0,
        language,
    )
    address = f"{office.issuer.site}verify/#{'sample-' * (_TOKEN_CHARACTERS // 7)}"
    pdf = make_sample(
        certificate, office.issuer.in_language(language), address, office.texts[language]
    )
    write_atomically(target, pdf)
