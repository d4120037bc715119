"""nbgrader's options: those that grading here cannot follow are refused, in words.

A course that sets one would get other grades than it asked for, or a release with solutions in it.
``docs/reference/nbgrader-options.md`` goes through all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from traitlets.config import Config

_DEFAULTS: dict[tuple[str, str], tuple[object, str]] = {
    ("CourseDirectory", "directory_structure"): (
        "{nbgrader_step}/{student_id}/{assignment_id}",
        "Only nbgrader's own structure is known",
    ),
    ("ClearSolutions", "begin_solution_delimeter"): (
        "BEGIN SOLUTION",
        "The release is proved to hold no solution by the usual markers",
    ),
    ("ClearSolutions", "end_solution_delimeter"): (
        "END SOLUTION",
        "The release is proved to hold no solution by the usual markers",
    ),
    ("ClearHiddenTests", "begin_test_delimeter"): (
        "BEGIN HIDDEN TESTS",
        "Feedback hides tests by the usual markers",
    ),
    ("ClearHiddenTests", "end_test_delimeter"): (
        "END HIDDEN TESTS",
        "Feedback hides tests by the usual markers",
    ),
    ("ClearMarkScheme", "begin_mark_scheme_delimeter"): (
        "BEGIN MARK SCHEME",
        "Feedback hides mark schemes by the usual markers",
    ),
    ("ClearMarkScheme", "end_mark_scheme_delimeter"): (
        "END MARK SCHEME",
        "Feedback hides mark schemes by the usual markers",
    ),
    ("Execute", "interrupt_on_timeout"): (True, "A cell that runs too long is always interrupted"),
    ("Execute", "execute_retries"): (0, "A notebook is run once, and again if a kernel cannot"),
    ("Execute", "extra_arguments"): ([], "Kernels are forked, not started by a command"),
    ("Execute", "kernel_name"): ("", "The kernel is the Python that grades"),
    ("Execute", "allow_errors"): (True, "A cell that fails never stops the others"),
    ("Execute", "startup_timeout"): (60, "Kernels are forked, and start at once"),
    ("GenerateAssignment", "no_database"): (
        False,
        "What is not in the gradebook cannot be graded",
    ),
}
# Without these, solutions would be released, or students' code would run unconfined.
_NEEDED = {
    ("GenerateAssignment", "preprocessors"): ("ClearSolutions", "ClearHiddenTests"),
    ("Autograde", "sanitize_preprocessors"): ("RestoreCells",),
    ("Autograde", "autograde_preprocessors"): ("JudgeCells", "SaveGrades", "WriteRecord"),
    ("GenerateFeedback", "preprocessors"): ("HideTests",),
}


def option_problems(config: Config) -> list[str]:
    """What cannot be followed of the options that are set, in words; empty if all can."""
    return [*_changed(config), *_left_out(config)]


def execute_seconds(config: Config) -> int | None:
    """The time for a cell that nbgrader's own option sets, in seconds; ``None`` if it sets none."""
    for section in ("Execute", "ExecutePreprocessor"):
        seconds = config[section].get("timeout", None)
        if isinstance(seconds, int) and seconds > 0:
            return seconds
    return None


def _changed(config: Config) -> Iterator[str]:
    for (section, name), (default, why) in _DEFAULTS.items():
        sections = ("Execute", "ExecutePreprocessor") if section == "Execute" else (section,)
        for place in sections:
            if name in config[place] and config[place][name] != default:
                yield (
                    f"c.{place}.{name} = {config[place][name]!r} cannot be followed. {why}. Take "
                    "that line out."
                )


def _left_out(config: Config) -> Iterator[str]:
    for (section, name), needed in _NEEDED.items():
        if name not in config[section]:
            continue
        names = [str(getattr(item, "__name__", item)) for item in config[section][name]]
        given = [item.rpartition(".")[2] for item in names]
        if missing := [item for item in needed if item not in given]:
            yield (
                f"c.{section}.{name} lacks {', '.join(missing)}. Change the list after "
                "configure(c), with append or insert, and keep what is in it."
            )
