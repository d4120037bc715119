"""Who was there, and for how long, from the reports of Zoom, Microsoft Teams and Google Meet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attended:
    """A student's time in one session, in seconds without the breaks.

    `low` is certain, `high` is what it may be if all that is unclear is theirs; `why` says what is
    unclear. Of `low`, `named` seconds rest on a name alone, which is in the rows that `rows` tells.
    ValueError unless 0 <= named <= low <= high <= possible.
    """

    student: str
    session: str
    low: float
    high: float
    possible: float
    why: str = ""
    named: float = 0.0
    rows: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.named <= self.low <= self.high <= self.possible:
            raise ValueError(f"impossible attendance: {self}")
