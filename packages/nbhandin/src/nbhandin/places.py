"""Where the hand-in service keeps its files: all of them in ``gradebook/handin/``."""

from dataclasses import dataclass
from pathlib import Path

# The pages of an attempt: with all that tests say, and without what hidden ones say.
FULL, HELD_BACK = "feedback", "feedback-held-back"


@dataclass(frozen=True)
class Places:
    """The files of one course, by its gradebook folder."""

    gradebook: Path

    @property
    def root(self) -> Path:
        """The folder of all."""
        return self.gradebook / "handin"

    @property
    def attempts(self) -> Path:
        """Every attempt: ``attempts/000017/``, by the receipt's number."""
        return self.root / "attempts"

    @property
    def incoming(self) -> Path:
        """Uploads that are not whole yet; emptied when the service starts."""
        return self.root / "incoming"

    @property
    def graded_now(self) -> Path:
        """Which attempt the gradebook has: ``graded_now/STUDENT/ASSIGNMENT``, a number."""
        return self.root / "graded_now"

    @property
    def again(self) -> Path:
        """Which attempts are to be graded once more: an empty file for each."""
        return self.root / "again"

    @property
    def links(self) -> Path:
        """The personal links, without their secrets."""
        return self.root / "links.json"

    @property
    def secret(self) -> Path:
        """What cookies are signed with."""
        return self.root / "secret"

    @property
    def mails(self) -> Path:
        """Drafts and the table of links: whoever reads them can hand in for these people."""
        return self.root / "mails"

    @property
    def lock(self) -> Path:
        """Held by the service that runs."""
        return self.root / "service.lock"

    def attempt(self, number: int) -> Path:
        """The folder of one attempt."""
        return self.attempts / f"{number:06d}"

    def released(self, number: int) -> Path:
        """Which pages of an attempt the exchange has, and of when."""
        return self.attempt(number) / "released"

    @property
    def deaths(self) -> Path:
        """How often a grader died over an attempt: a number in a file for each under way."""
        return self.root / "deaths"

    def deaths_of(self, number: int) -> Path:
        """The file that counts the graders which died over one attempt."""
        return self.deaths / f"{number:06d}"

    def asked_again(self, number: int) -> Path:
        """The file that asks for one attempt to be graded once more."""
        return self.again / f"{number:06d}"
