"""Who was there, and for how long, from Zoom's reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attended:
    """A student's time in one session, in seconds without the breaks.

    `low` is certain, `high` is what it may be if all that is unclear is theirs; `why` says what is
    unclear. ValueError unless 0 <= low <= high <= possible.
    """

    student: str
    session: str
    low: float
    high: float
    possible: float
    why: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= self.possible:
            raise ValueError(f"impossible attendance: {self}")
