"""What was logged for TensorBoard, as the table that `dlcourse.event_files` reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.outcome import Check, fail
from dlcourse.checks.tables import TableCheck


class EventsCheck(Check):
    """What may be asked of a table of logged scalars (columns run, tag, step, value)."""

    def __init__(self, name: str, events: Any) -> None:
        self.name = name
        self.events = TableCheck(name, events).has_columns("run", "tag", "step", "value").table

    def has_runs(self, *runs: str) -> EventsCheck:
        """Something was logged in each of these folders."""
        found = sorted(set(self.events["run"]))
        missing = [run for run in runs if run not in found]
        if missing:
            fail(
                f"{self.name}: nothing was logged in {', '.join(missing)}. There are logs in "
                f"{', '.join(found) or 'no folder'}.",
                expected="keras.callbacks.TensorBoard(log_dir), given to fit as callbacks=[…]",
                hint="the folder must be the argument log_dir. For the validation log, fit needs "
                "validation_data.",
            )
        return self

    def hold(self, run: str, tag: str, values: list[float]) -> EventsCheck:
        """In `run`, `tag` was logged once for each epoch, with these values."""
        self.has_runs(run)
        rows = self.events[(self.events["run"] == run) & (self.events["tag"] == tag)]
        got = rows.sort_values("step")["value"].to_numpy()
        if len(got) != len(values) or not np.allclose(got, values, rtol=1e-3, atol=1e-5):
            fail(
                f"{self.name}: {run} has {len(got)} values of {tag}, which differ from the "
                f"{len(values)} values in the history.",
                expected="the same values: log and history of the same training",
            )
        return self
