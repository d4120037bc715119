"""How a model was compiled: loss against output and labels, optimizer, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from dlcourse.checks.outcome import fail, show

_SPARSE, _ONE_HOT = "SparseCategoricalCrossentropy", "CategoricalCrossentropy"
_ACCURACIES = ("SparseCategoricalAccuracy", "CategoricalAccuracy")
# A lambda, or a function that is none of Keras'.
_OWN = "__lambda__"
_LOSS_NAMES = {
    "sparse_categorical_crossentropy": _SPARSE,
    "categorical_crossentropy": _ONE_HOT,
}


@dataclass(frozen=True)
class CompileFacts:
    """Keras' own compile settings, in plain words."""

    optimizer: str
    loss: str
    from_logits: bool
    ignored_class: int | None
    metrics: tuple[str, ...]


def compile_facts(name: str, model: keras.Model) -> CompileFacts:
    """Read `model.get_compile_config()`. Raises `CheckFailed` for a model not compiled."""
    if not model.compiled:
        fail(f"{name} is not compiled.", expected="model.compile(optimizer=…, loss=…, metrics=…)")
    try:
        config = model.get_compile_config() or {}
    except TypeError:
        fail(
            f"{name} is compiled with a class instead of an object, or with your own function, "
            "which the test cannot read.",
            expected="a loss of Keras, with parentheses: "
            "`SparseCategoricalCrossentropy(from_logits=True)`",
        )
    loss = config.get("loss")
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    loss_name, loss_config = _name(loss), {}
    if isinstance(loss, dict):
        if loss.get("class_name") == "function" and not hasattr(keras.losses, loss_name):
            loss_name = _OWN
        # That of a function is its name.
        if isinstance(loss.get("config"), dict):
            loss_config = loss["config"]
    return CompileFacts(
        optimizer=_name(config.get("optimizer")).lower(),
        loss=_LOSS_NAMES.get(loss_name, loss_name),
        from_logits=bool(loss_config.get("from_logits", False)),
        ignored_class=loss_config.get("ignore_class"),
        metrics=tuple(_metric_names(config.get("metrics"))),
    )


def require_loss(
    name: str,
    facts: CompileFacts,
    output_activation: str,
    label_shape: tuple[int, ...],
    classes: int,
) -> None:
    """The loss fits the labels' form and the last layer's output.

    Args:
        label_shape: (n,) or (n, 1) for class numbers, (n, classes) for one-hot labels.
    """
    one_hot_labels = len(label_shape) == 2 and label_shape[1] == classes and classes > 1
    if facts.loss == _OWN:
        fail(
            f"{name} is compiled with a loss of your own, which the test cannot read.",
            expected="a loss of Keras: keras.losses.…",
        )
    if facts.loss not in (_SPARSE, _ONE_HOT):
        fail(
            f"{name} is compiled with the loss {facts.loss or 'None'}.",
            expected="a cross-entropy for several classes",
            hint="mean squared error is for numbers, binary cross-entropy is for two classes. "
            "Also check the spelling.",
        )
    if facts.loss == _ONE_HOT and not one_hot_labels:
        fail(
            f"{name} is compiled with {_ONE_HOT}, but the labels are class numbers, one per image "
            f"(shape {label_shape}).",
            expected=f"{_SPARSE} for class numbers",
            hint=f"{_ONE_HOT} needs one-hot labels of shape (images, {classes}).",
        )
    if facts.loss == _SPARSE and one_hot_labels:
        fail(
            f"{name} is compiled with {_SPARSE}, but the labels are one-hot (shape {label_shape}).",
            expected=f"{_ONE_HOT} for one-hot labels, or labels that are class numbers",
        )
    if facts.ignored_class is not None:
        fail(
            f"{name} is compiled with a loss that ignores class {facts.ignored_class}.",
            expected="a loss of all classes, without ignore_class",
        )
    if facts.from_logits and output_activation == "softmax":
        fail(
            f"{name}: the last layer has a softmax, and the loss has from_logits=True. So softmax "
            "is applied twice.",
            expected="no activation with from_logits=True, or softmax with from_logits=False",
            hint="the accuracy does not show this mistake, but the loss is wrong.",
        )
    if not facts.from_logits and output_activation == "linear":
        fail(
            f"{name}: the last layer has no activation, so its outputs are logits. The loss has "
            "from_logits=False, so it takes them for probabilities.",
            expected=f"{facts.loss}(from_logits=True)",
            hint="a loss given as a string always has from_logits=False. Write "
            "keras.losses.…(from_logits=True).",
        )
    if output_activation not in ("linear", "softmax"):
        fail(
            f"{name}: the last layer has the activation {output_activation}.",
            expected="no activation, since the loss with from_logits=True takes logits",
        )


def require_loss_named(name: str, facts: CompileFacts, loss: str) -> None:
    """The loss is the one with this long name, such as "mean_squared_error", however spelled."""
    if facts.loss == _OWN or _full_name(facts.loss) != loss:
        fail(
            f"{name} is compiled with the loss "
            f"{'of your own' if facts.loss == _OWN else facts.loss or 'None'}.",
            answer=loss,
            hint="`rmse` is no loss of Keras. The root of a number is smallest where the number "
            "is, so the mean squared error does the same."
            if _bare(facts.loss) in ("rmse", "rootmeansquarederror")
            else "",
        )


def require_metric(name: str, facts: CompileFacts, metric: str) -> None:
    """The metric named, such as "RootMeanSquaredError", is among those of the model."""
    if _bare(metric) not in map(_bare, facts.metrics):
        fail(
            f"{name} is compiled with these metrics: {', '.join(facts.metrics) or 'none'}.",
            answer=f"metrics=[keras.metrics.{metric}()]",
            hint="accuracy counts right answers, and a number is never exactly right."
            if "accuracy" in facts.metrics
            else "",
        )


def require_optimizer(name: str, facts: CompileFacts, optimizer: str, hint: str = "") -> None:
    """The optimizer is the one named, such as "adam"."""
    if facts.optimizer != optimizer.lower():
        fail(
            f"{name} is compiled with the optimizer {facts.optimizer or 'None'}.",
            answer=optimizer,
            hint=hint,
        )


def require_accuracy_metric(name: str, facts: CompileFacts, one_hot: bool) -> None:
    """Accuracy for the labels is among the metrics, and is called "accuracy"."""
    kind = "CategoricalAccuracy" if one_hot else "SparseCategoricalAccuracy"
    if not {"accuracy", f"{kind} accuracy"}.intersection(facts.metrics):
        named = ", ".join(facts.metrics) or "none"
        fail(
            f"{name} is compiled with these metrics: {named}.",
            expected="metrics=['accuracy'], so that the history has a column accuracy",
            hint="with the name 'accuracy', Keras picks the kind that fits the labels and the "
            "outputs. Accuracy() would compare numbers with labels. CategoricalAccuracy() is for "
            "one-hot labels, SparseCategoricalAccuracy() for class numbers.",
        )


def _bare(name: str) -> str:
    return name.lower().replace("_", "")


def _full_name(loss: str) -> str:
    """Keras' long name of a loss, of whatever spelling, such as `mse`; "" for none of its."""
    try:
        found = keras.losses.get(loss)
    except (ValueError, TypeError):
        return ""
    return str(getattr(found, "__name__", "") or getattr(found, "name", ""))


def _name(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        inner = value.get("config")
        if value.get("class_name") == "function" and isinstance(inner, str):
            return inner
        return str(value.get("class_name", ""))
    return "" if value is None else show(value)


def _metric_names(metrics: Any) -> list[str]:
    """What the history will call each metric; other kinds of accuracy by their class."""
    if isinstance(metrics, dict) and "class_name" not in metrics:
        metrics = list(metrics.values())
    if isinstance(metrics, (list, tuple)):
        return [name for metric in metrics for name in _metric_names(metric)]
    if isinstance(metrics, dict) and metrics["class_name"] in _ACCURACIES:
        return [f"{metrics['class_name']} {metrics['config']['name']}"]
    return [_name(metrics)] if metrics is not None else []
