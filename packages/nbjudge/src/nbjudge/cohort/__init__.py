"""A whole class at once: work handed to an executor, grades recorded one by one.

``grade`` is the one way that many submissions are graded. Workers (``work``) get everything by
content and give back verdicts and what was executed; the head alone touches the gradebook.
"""

from nbjudge.cohort.grading import grade, plan_grading
from nbjudge.cohort.outcomes import GradingOutcome, Running, Summary, summarise
from nbjudge.cohort.planning import Planned

__all__ = ["GradingOutcome", "Planned", "Running", "Summary", "grade", "plan_grading", "summarise"]
