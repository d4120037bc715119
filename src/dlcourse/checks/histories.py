"""Training histories: what a fit reported, epoch by epoch.

A history is what the student's process says of itself. It shows that training was set up as
asked; how good a model is, the judge measures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.outcome import Check, fail, require_attempt, show


def columns_of(name: str, history: Any) -> dict[str, list[float]]:
    """The metrics of a Keras History, a dictionary of lists, or a DataFrame; by epoch."""
    require_attempt(name, history)
    if hasattr(history, "history"):
        history = history.history
    if hasattr(history, "to_dict"):
        history = history.to_dict(orient="list")
    if not isinstance(history, dict):
        fail(
            f"{name} is {show(history)}.",
            expected="what model.fit(…) returns",
            hint="a function that trains must return it: `return model.fit(…)`.",
        )
    return {str(key): [float(value) for value in values] for key, values in history.items()}


class HistoryCheck(Check):
    """What may be asked of a training history."""

    def __init__(self, name: str, history: Any) -> None:
        self.name = name
        self.columns = columns_of(name, history)

    def has_epochs(self, count: int) -> HistoryCheck:
        """Training went on for `count` epochs."""
        got = max(map(len, self.columns.values()), default=0)
        if got != count:
            fail(f"{self.name} has {got} epochs.", expected=f"{count} epochs: epochs={count}")
        return self

    def has_validation(self) -> HistoryCheck:
        """Each epoch was also measured on validation data, loss and accuracy of some kind."""
        training = {key for key in self.columns if not key.startswith("val_")}
        validation = {key.removeprefix("val_") for key in self.columns if key not in training}
        for where, found in (("training", training), ("validation", validation)):
            if "loss" not in found or not any(key.endswith("accuracy") for key in found):
                fail(
                    f"{self.name} has {', '.join(self.columns) or 'nothing'}.",
                    expected=f"loss and accuracy for training and validation; of {where} "
                    "something is missing",
                    hint="validation_data=(images, labels) goes to fit, metrics=['accuracy'] to "
                    "compile.",
                )
        return self

    def learned(self) -> HistoryCheck:
        """The training loss is finite and lower at the end than at the beginning."""
        losses = np.array(self.columns.get("loss", []))
        if not len(losses) or not np.isfinite(losses).all():
            fail(
                f"{self.name}: the training loss is not a number in every epoch.",
                hint="were the images normalised, and does the loss fit the output?",
            )
        if len(losses) > 1 and losses[-1] >= losses[0]:
            fail(
                f"{self.name}: the training loss went from {losses[0]:.3f} to {losses[-1]:.3f}.",
                expected="a loss that goes down",
            )
        return self
