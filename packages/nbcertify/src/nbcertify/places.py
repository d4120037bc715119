"""Where the certificates' files are: all of them in the gradebook's folder, but for the keys."""

from dataclasses import dataclass
from pathlib import Path


def is_file_name(text: str) -> bool:
    """Whether a text can be the name of a folder of its own."""
    return text not in ("", ".", "..") and not set(text) & {"/", "\\", "\0"}


def badge_path(tier: str, language: str) -> str:
    """Where a tier's badge is in the published folder."""
    return f"badges/{tier}-{language}.png"


def badge_address(site: str, tier: str, language: str) -> str:
    """Where a tier's badge is published."""
    return site + badge_path(tier, language)


@dataclass(frozen=True)
class Places:
    """The files of one course, by its gradebook folder."""

    gradebook: Path

    @property
    def policy(self) -> Path:
        """What certificates take."""
        return self.gradebook / "policy.toml"

    @property
    def issuer(self) -> Path:
        """Who issues them, for which course."""
        return self.gradebook / "issuer.toml"

    @property
    def texts(self) -> Path:
        """The folder of the course's own languages: a file of texts for each."""
        return self.gradebook / "texts"

    @property
    def roster(self) -> Path:
        """Names and e-mail addresses. Never in git."""
        return self.gradebook / "roster.csv"

    @property
    def attendance(self) -> Path:
        """The folder of Zoom's reports, of `aliases.csv` and of `review.csv`. Never in git."""
        return self.gradebook / "attendance"

    @property
    def certificates(self) -> Path:
        """The folder of all that is issued. Never in git."""
        return self.gradebook / "certificates"

    @property
    def decisions(self) -> Path:
        """The decisions as last reported."""
        return self.certificates / "decisions.json"

    @property
    def issued(self) -> Path:
        """Every certificate ever issued, by pseudonym."""
        return self.certificates / "issued.json"

    @property
    def log(self) -> Path:
        """The chained log."""
        return self.certificates / "log.jsonl"

    @property
    def people(self) -> Path:
        """The folder of what is handed over to each person."""
        return self.certificates / "people"

    @property
    def site(self) -> Path:
        """The folder to publish: the issuer's keys, the status list, the page that verifies."""
        return self.certificates / "site"
