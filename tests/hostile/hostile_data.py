"""The data of the hostile class: one file for students, one for the judge alone."""

from pathlib import Path

from nbjudge.course.data import GradingData


def find(root: Path) -> GradingData:
    return GradingData(
        environment={"HOSTILE_GIVEN": root / "given.txt"},
        judge_environment={"HOSTILE_LABELS": root / "labels.json"},
        context={"data": "hostile"},
    )
