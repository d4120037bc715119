"""The data that this course is graded with: what students get, and what only the judge has.

c.Grading.data = "dlcourse.grading:grading_data"
"""

from __future__ import annotations

import os
import secrets
from importlib.metadata import version
from pathlib import Path

from nbjudge.course.data import GradingData
from nbjudge.errors import CourseError
from nbjudge.files import write_atomically

from dlcourse.data import (
    PENGUINS,
    PLACES,
    PRIVATE_SEED_VARIABLE,
    SIGNALS,
    STAND_IN,
    VARIABLE,
    WEATHER_VARIABLE,
    DataError,
    find_source,
    find_weather,
    students_file,
    students_weather,
)


def grading_data(root: Path) -> GradingData:
    """Find the data once for all submissions of the course in `root`.

    Kernels get files without the judge's part, `gradebook/data/DIGEST.npz` and `.csv`, made where
    they are not there yet, so that none of them goes looking (or downloading) by itself. Raises
    `CourseError` where the data that was named cannot be used.
    """
    try:
        source, weather = find_source(), find_weather()
    except DataError as error:
        raise CourseError(str(error)) from error
    file = root / "gradebook" / "data" / f"{source.sha256}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        students_file(file, source.path)
    # Simulated days need no file: the word draws them.
    days: str | Path = STAND_IN
    if weather.path != STAND_IN:
        days = root / "gradebook" / "data" / f"{weather.sha256}.csv"
        if not days.exists():
            students_weather(days, weather.path)
    seed = _private_seed(root / "gradebook" / "private_seed")
    context = {"data": source.name, "data_sha256": source.sha256}
    context |= {"weather": weather.name, "weather_sha256": weather.sha256}
    context |= {f"{shipped.name}_sha256": shipped.sha256 for shipped in (PENGUINS, PLACES, SIGNALS)}
    context |= {name: version(name) for name in ("dlcourse", "keras", "numpy", "tensorflow")}
    return GradingData(
        environment={VARIABLE: file, WEATHER_VARIABLE: days},
        judge_environment={
            WEATHER_VARIABLE: days if days == STAND_IN else Path(weather.path),
            VARIABLE: source.path if source.path == STAND_IN else Path(source.path),
            PRIVATE_SEED_VARIABLE: str(seed),
        },
        context=context,
    )


def _private_seed(file: Path) -> int:
    """The seed of what is drawn for the judge alone: a secret of this course's, made once."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, b"%d\n" % (10**6 + secrets.randbelow(10**9)))
        os.chmod(file, 0o600)
    return int(file.read_text())
