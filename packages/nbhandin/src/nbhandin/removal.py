"""A person is removed from the hand-in page's own files."""

from __future__ import annotations

import shutil

from nbhandin.attempts import Attempts
from nbhandin.links import LinkBook
from nbhandin.places import Places


def remove_student(places: Places, student: str) -> int:
    """Remove a student's attempts, links and drafts; returns how many attempts there were."""
    attempts = Attempts(places)
    attempts.refresh()
    own = [one.number for one in attempts.all() if one.receipt.student == student]
    for number in own:
        shutil.rmtree(places.attempt(number))
        places.asked_again(number).unlink(missing_ok=True)
    # Ids come from folders' names, and cannot lead elsewhere; one that does is nobody's.
    if own:
        shutil.rmtree(places.graded_now / student, ignore_errors=True)
        (places.mails / f"{student}.eml").unlink(missing_ok=True)
        (places.mails / "links.csv").unlink(missing_ok=True)
    LinkBook(places).remove(student)
    return len(own)
