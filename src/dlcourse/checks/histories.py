"""Training histories: what a fit reported, epoch by epoch.

A history is what the student's process says of itself. It shows that training was set up as
asked; how good a model is, the judge measures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.arrays import Images
from dlcourse.checks.outcome import Check, fail, require_attempt, show


def columns_of(name: str, history: Any) -> dict[str, list[float]]:
    """The measurements of a Keras History (anything with such a `history`), epoch by epoch."""
    require_attempt(name, history)
    measurements: Any = getattr(history, "history", None)
    try:
        return {str(k): [float(value) for value in v] for k, v in measurements.items()}
    except (AttributeError, TypeError, ValueError):
        inside = isinstance(history, dict) or hasattr(history, "columns")
        what = "the measurements inside a history" if inside else show(history)
        fail(
            f"{name} is {what}.",
            expected="the history itself: what model.fit(…) returns",
            hint="a function that trains must return it: `return model.fit(…)`.",
        )


class HistoryCheck(Check):
    """What may be asked of a training history."""

    def __init__(self, name: str, history: Any) -> None:
        self.name = name
        self.columns = columns_of(name, history)

    @property
    def epochs(self) -> int:
        """How many epochs have a measurement."""
        return max(map(len, self.columns.values()), default=0)

    def has_epochs(self, count: int) -> HistoryCheck:
        """Training went on for `count` epochs."""
        got = self.epochs
        if got != count:
            fail(
                f"{self.name} has {got} epochs.",
                expected=f"{count} epochs: epochs={count}",
                hint="each call of fit starts a new history. A callback may stop training early."
                if got < count
                else "",
            )
        return self

    def has_validation(self) -> HistoryCheck:
        """Each epoch was also measured on validation data, loss and accuracy."""
        wanted = ("loss", "accuracy", "val_loss", "val_accuracy")
        missing = [key for key in wanted if key not in self.columns]
        if missing:
            fail(
                f"{self.name} has no {', '.join(missing)}. It has "
                f"{', '.join(self.columns) or 'nothing'}.",
                expected="loss and accuracy, for training and for validation",
                hint="validation_data=(images, labels) goes to fit. metrics=['accuracy'] goes to "
                "compile.",
            )
        for key in wanted:
            if (got := len(self.columns[key])) != self.epochs:
                fail(
                    f"{self.name} has {self.epochs} epochs, but {key} has only {got}.",
                    expected="all measurements in each epoch, without validation_freq",
                )
        return self

    def learned(self) -> HistoryCheck:
        """The training loss is finite and lower at the end than at the beginning."""
        losses = np.array(self.columns.get("loss", []))
        if not len(losses) or not np.isfinite(losses).all():
            fail(
                f"{self.name}: in some epoch the training loss is not a number.",
                hint="were the images normalised? Does the loss fit the output?",
            )
        if len(losses) > 1 and losses[-1] >= losses[0]:
            fail(
                f"{self.name}: the training loss went from {losses[0]:.3f} to {losses[-1]:.3f}.",
                expected="a loss that goes down",
            )
        return self

    def ends_with_losses_of(self, model_name: str, model: Any, **data: Images) -> HistoryCheck:
        """The last `loss` or `val_loss` it reports is what `model` has on the data of that name.

        A `loss` can only be asked of a model that the last epoch did not change.
        """
        from dlcourse.checks.models import losses_of

        for key, images in data.items():
            got, measured = self.columns[key][-1], float(losses_of(model, *images).mean())
            if not np.isclose(got, measured, rtol=0.01, atol=1e-3):
                fail(
                    f"{self.name} ends with the {key} {got:.3f}.",
                    expected=f"{measured:.3f}, the loss of {model_name} on the "
                    f"{'validation' if key == 'val_loss' else 'training'} images",
                    hint="fit trains on images and labels, and measures on validation_data. Were "
                    "both handed on as they are?",
                )
        return self
