"""Training histories: what a fit reported, epoch by epoch.

A history is what the student's process says of itself: a claim. `fits` measures again what it says
of the model that came of it; how good a model is, the judge measures anyway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.arrays import Images
from dlcourse.checks.outcome import Check, fail, require_attempt, show

# The last training loss of a history is a mean over an epoch in which the model changed, with
# dropout at work: the model that came of it mostly has less, and by luck a little more. The runs in
# `dlcourse.thresholds` differ by 0.24 from seed to seed, and a dropout of 0.8 takes about 0.2.
_TRAINING_LOSS_BELOW, _TRAINING_LOSS_ABOVE = 1.2, 0.5
# Of the loss of guessing, ln(classes). In those runs: 0.25 to 0.57 after 20 epochs, with dropout or
# without; 0.91 and more after one epoch with dropout; 0.998 and more untrained.
_LOSS_OF_LEARNED = 0.85
# Keras rounds to 32 bits, and some pictures of a thousand may be a tie.
_ACCURACY_ROUNDING = 0.005


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
                answer=f"{count} epochs: epochs={count}",
                hint="each call of fit starts a new history. A callback may stop training early."
                if got < count
                else "",
            )
        return self

    def has_validation(self, *measures: str) -> HistoryCheck:
        """Each epoch was also measured on validation data, by default loss and accuracy."""
        measures = measures or ("loss", "accuracy")
        wanted = (*measures, *(f"val_{measure}" for measure in measures))
        missing = [key for key in wanted if key not in self.columns]
        if missing:
            fail(
                f"{self.name} has no {', '.join(missing)}. It has "
                f"{', '.join(self.columns) or 'nothing'}.",
                expected=f"{' and '.join(measures)}, for training and for validation",
                hint="validation_data=(images, labels) goes to fit. metrics=['accuracy'] goes to "
                "compile."
                if "accuracy" in wanted
                else "validation_data goes to fit, metrics go to compile.",
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
                hint="it is the same in every epoch, so no weight was changed: has a layer "
                "trainable=False, or is the learning rate 0?"
                if np.ptp(losses) < 1e-3 * abs(losses[0])
                else "",
            )
        return self

    def stopped_early(self, patience: int, best: int | None = None) -> HistoryCheck:
        """Training stopped after `patience` epochs without a lower validation loss.

        `best` is the epoch of the lowest validation loss, counted from 1, where the test knows it.
        """
        losses = self.columns.get("val_loss", [])
        if not losses:
            fail(
                f"{self.name} has no val_loss, so nothing could tell it when to stop.",
                expected="validation data, handed to fit as validation_data",
            )
        found = int(np.argmin(losses)) + 1
        waited = len(losses) - found
        if waited != patience:
            fail(
                f"{self.name} has {len(losses)} epochs. The validation loss is lowest in epoch "
                f"{found}, so it went on for {waited} more.",
                answer=f"{patience} more epochs: patience={patience}",
                hint="EarlyStopping watches val_loss. patience is how many epochs in a row may be "
                "no better. Is it the function's argument?",
            )
        if best is not None and found != best:
            fail(
                f"{self.name} has its lowest validation loss in epoch {found}.",
                answer=f"epoch {best} on this data",
                hint="does the function train on the training rows, and measure on the validation "
                "rows, with the model as it was compiled? Has it epochs enough?",
            )
        return self

    def left_the_best_weights(
        self, model_name: str, model: Any, validation: Images
    ) -> HistoryCheck:
        """`model`, as training left it, has the lowest validation loss, not the last epoch's.

        The loss is the mean squared error on `validation`, rows and answers.
        """
        from dlcourse.checks.models import rmse_of

        losses = self.columns["val_loss"]
        left, best, last = rmse_of(model, *validation) ** 2, min(losses), losses[-1]
        if not np.isclose(left, best, rtol=0.01, atol=1e-5):
            is_last = np.isclose(left, last, rtol=0.01, atol=1e-5)
            fail(
                f"{model_name} has a validation loss of {left:.4f}"
                f"{', that of the last epoch' if is_last else ''}.",
                expected=f"{best:.4f}, that of the best epoch",
                hint="EarlyStopping keeps the last weights, unless it is told "
                "restore_best_weights=True.",
            )
        return self

    def begins_higher_than(self, other_name: str, other: Any, times: float) -> HistoryCheck:
        """Its training loss in the first epoch is more than `times` that of the history `other`."""
        first = self.columns.get("loss", [np.nan])[0]
        others = columns_of(other_name, other).get("loss", [np.nan])[0]
        if not first > times * others:
            fail(
                f"The first epoch's loss is {first:.3g} in {self.name} and {others:.3g} in "
                f"{other_name}.",
                expected=f"more than {times:g} times as high in {self.name}",
                hint="was each model trained on the rows that the task says?",
            )
        return self

    def ends_with_losses_of(self, model_name: str, model: Any, **data: Images) -> HistoryCheck:
        """The last `loss` or `val_loss` it reports is what `model` has on the data of that name.

        A `loss` can only be asked of a model that the last epoch did not change. It is the
        cross-entropy, and the mean squared error of a model with one output.
        """
        from dlcourse.checks.models import losses_of, rmse_of

        is_number = model.output_shape[-1] == 1
        for key, images in data.items():
            got, what = self.columns[key][-1], ("rows and answers", "images and labels")
            measured = (
                rmse_of(model, *images) ** 2
                if is_number
                else float(losses_of(model, *images).mean())
            )
            if not np.isclose(got, measured, rtol=0.01, atol=1e-3):
                fail(
                    f"{self.name} ends with the {key} {got:.3f}.",
                    expected=f"{measured:.3f}, the loss of {model_name} on the "
                    f"{'validation' if key == 'val_loss' else 'training'} "
                    f"{'rows' if is_number else 'images'}",
                    hint=f"fit trains on {what[not is_number]}, and measures on "
                    "validation_data. Were both handed on as they are?",
                )
        return self

    def fits(self, model_name: str, model: Any, seen: Images, unseen: Images) -> HistoryCheck:
        """It tells of `model`, measured here, and that has learned.

        On `unseen`, the validation images, the model has the loss and the accuracy of the last
        epoch, or of the best one, whose weights a callback may have brought back. On `seen`, the
        training images, its loss is near the last one, and less than that of guessing.
        """
        from dlcourse.checks.models import accuracy_of, losses_of

        measured = float(losses_of(model, *unseen).mean())
        accuracy = accuracy_of(model, *unseen)
        losses, accuracies = self.columns["val_loss"], self.columns["val_accuracy"]
        last, best = len(losses) - 1, int(np.argmin(losses))
        if not any(
            np.isclose(losses[epoch], measured, rtol=0.01, atol=1e-3)
            and abs(accuracies[epoch] - accuracy) <= _ACCURACY_ROUNDING
            for epoch in (last, best)
        ):
            fail(
                f"{self.name} ends with a validation loss of {losses[last]:.3f} and an accuracy of "
                f"{accuracies[last]:.3f}. {model_name} has {measured:.3f} and {accuracy:.3f} on "
                "the validation images.",
                expected=f"the history of the very training that made {model_name}",
                hint="was the model trained again, or made anew, after the history was kept? "
                "Restart the kernel and run all cells.",
            )
        told, measured = self.columns["loss"][-1], float(losses_of(model, *seen).mean())
        if not -_TRAINING_LOSS_BELOW <= measured - told <= _TRAINING_LOSS_ABOVE:
            fail(
                f"{self.name} ends with a training loss of {told:.3f}, and {model_name} has "
                f"{measured:.3f} on the training images.",
                expected=f"the history of the very training that made {model_name}, on the "
                "training images as they are",
            )
        if not measured <= _LOSS_OF_LEARNED * np.log(model.output_shape[-1]):
            fail(
                f"{model_name} has a loss of {measured:.3f} on the training images; guessing has "
                f"{np.log(model.output_shape[-1]):.3f}.",
                expected="a model that has learned something",
                hint="were the images normalised? Does the loss fit the output?",
            )
        return self
