"""Names and e-mail addresses of the students: `roster.csv`, which never enters git."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Whom a pseudonym stands for. `student` is the id in the gradebook."""

    student: str
    name: str
    email: str
