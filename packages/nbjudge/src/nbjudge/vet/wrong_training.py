"""Mistakes in training and in its data: compile, fit, normalisation, sets swapped, wrong axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import libcst as cst

from nbjudge.vet.keras_calls import COSMETIC, argument, called, is_layer, keyword, named
from nbjudge.vet.names import variables
from nbjudge.vet.tree import (
    Cell,
    Changes,
    Step,
    arranged,
    closed,
    expression,
    first_of_each,
    in_place_of,
    number,
    quoted,
    string,
    without,
)

# Each loss, optimizer and metric with those that are taken for it.
_LOSSES = {
    "SparseCategoricalCrossentropy": ("CategoricalCrossentropy", "MeanSquaredError"),
    "CategoricalCrossentropy": ("SparseCategoricalCrossentropy", "BinaryCrossentropy"),
    "BinaryCrossentropy": ("CategoricalCrossentropy", "MeanSquaredError"),
    "MeanSquaredError": ("MeanAbsoluteError", "BinaryCrossentropy"),
    "MeanAbsoluteError": ("MeanSquaredError",),
}
_LOSS_STRINGS = {
    "sparse_categorical_crossentropy": ("categorical_crossentropy", "mse"),
    "categorical_crossentropy": ("sparse_categorical_crossentropy", "binary_crossentropy"),
    "binary_crossentropy": ("categorical_crossentropy", "mse"),
    "mse": ("mae", "binary_crossentropy"),
    "mean_squared_error": ("mean_absolute_error", "binary_crossentropy"),
    "mae": ("mse",),
    "mean_absolute_error": ("mean_squared_error",),
}
_OPTIMIZERS = {"adam": ("sgd",), "sgd": ("adam",), "rmsprop": ("sgd",), "adamw": ("sgd",)}
_METRICS = {
    "accuracy": ("mae",),
    "acc": ("mae",),
    "sparse_categorical_accuracy": ("categorical_accuracy",),
    "mae": ("mse",),
    "mse": ("mae",),
}
_OPTIMIZER_CLASSES = {"Adam": ("SGD",), "SGD": ("Adam",), "RMSprop": ("SGD",), "AdamW": ("SGD",)}
_METRIC_CLASSES = {
    "SparseCategoricalAccuracy": ("CategoricalAccuracy",),
    "CategoricalAccuracy": ("SparseCategoricalAccuracy",),
    "BinaryAccuracy": ("CategoricalAccuracy",),
    "Accuracy": ("BinaryAccuracy",),
}
Neighbours = Mapping[str, tuple[str, ...]]
_CLASSES: dict[str, Neighbours] = {
    "loss": _LOSSES,
    "optimizer": _OPTIMIZER_CLASSES,
    "metrics": _METRIC_CLASSES,
}
_STRINGS: dict[str, Neighbours] = {
    "loss": _LOSS_STRINGS,
    "optimizer": _OPTIMIZERS,
    "metrics": _METRICS,
}
_PAIRS = (("train", "test"), ("train", "val"), ("training", "validation"), ("images", "labels"))
_NORMALISING = ("normal", "rescale", "scale", "standard", "preprocess")
_OPPOSITES = {
    "argmax": "argmin",
    "idxmax": "idxmin",
    "nanargmax": "nanargmin",
    "max": "min",
    "cummax": "cummin",
    "mean": "sum",
    "std": "var",
    "any": "all",
    "head": "tail",
    "zeros": "ones",
    "floor": "ceil",
    "nlargest": "nsmallest",
    "set_xlabel": "set_ylabel",
    "xlabel": "ylabel",
}
_OPPOSITE = _OPPOSITES | {two: one for one, two in _OPPOSITES.items()}
_WITH_AXIS = frozenset(
    {"argmax", "argmin", "max", "min", "mean", "sum", "std", "var", "any", "all", "prod", "cumsum"}
)


def _swap_known(cell: Cell, what: str) -> Iterator[Step]:
    """A known class, or a known string in this argument, replaced by each of its neighbours."""
    for node in cell.all(cst.Call):
        for other in _CLASSES[what].get(called(node), ()):
            new = _accepted(named(node, other))
            yield cell.step(f"{called(node)} → {other}", node, {node: new})
    for call in cell.all(cst.Call):
        arg = argument(call, what)
        texts = [] if arg is None else cell.all(cst.SimpleString, within=arg)
        for text in texts:
            for other in _STRINGS[what].get((string(text) or "").lower(), ()):
                yield cell.to(text, quoted(other, text))


def _accepted(call: cst.Call) -> cst.Call:
    """The call without `from_logits` where the loss it names knows none."""
    arg = argument(call, "from_logits", ())
    if arg is None or called(call).endswith("Crossentropy"):
        return call
    return call.with_changes(args=without(call.args, list(call.args).index(arg)))


def loss(cell: Cell) -> Iterator[Step]:
    """Each loss replaced by at most two that are mistaken for it."""
    return _swap_known(cell, "loss")


def optimizer(cell: Cell) -> Iterator[Step]:
    """Each optimizer replaced by another; a learning rate ten times as large."""
    yield from _swap_known(cell, "optimizer")
    for call in cell.all(cst.Call):
        arg = argument(call, "learning_rate", ("learning_rate",))
        if arg is None or called(call) not in _OPTIMIZER_CLASSES:
            continue
        rate = number(arg.value)
        if rate is not None:
            yield cell.to(arg.value, expression(f"{rate * 10:g}"))


def metrics(cell: Cell) -> Iterator[Step]:
    """Each metric replaced by another, and no metric at all."""
    yield from _swap_known(cell, "metrics")
    for call in cell.all(cst.Call):
        arg = argument(call, "metrics")
        if arg is not None and isinstance(arg.value, cst.List) and arg.value.elements:
            yield cell.step("no metrics", call, {arg.value: cst.List([])})


def from_logits(cell: Cell) -> Iterator[Step]:
    """`from_logits` flipped, dropped, or given where it was not."""
    for call in cell.all(cst.Call):
        arg = argument(call, "from_logits", ())
        if arg is not None:
            value = cell.code(arg.value)
            if value in ("True", "False"):
                yield cell.to(arg, arg.with_changes(value=cst.Name(str(value == "False"))))
            kept = without(call.args, list(call.args).index(arg))
            if value != "False":
                yield cell.step("no from_logits", call, {call: call.with_changes(args=kept)})
        elif called(call).endswith("Crossentropy") and called(call) in _LOSSES and not call.args:
            given = call.with_changes(args=[keyword("from_logits", cst.Name("True"))])
            yield cell.to(call, given)


def compile_missing(cell: Cell) -> Iterator[Step]:
    """Each `compile` and `fit` that is a statement of its own, left out."""
    for line in cell.all(cst.Expr):
        if called(line.value) in ("compile", "fit"):
            yield cell.step(f"no {called(line.value)}", line, {line: cst.Pass()})


def epochs(cell: Cell) -> Iterator[Step]:
    """Another number of epochs: one more, one less, and 1 for what is not a number."""
    for call in cell.all(cst.Call):
        arg = argument(call, "epochs")
        if arg is None:
            continue
        count = number(arg.value)
        if count is None:
            others = [f"{cell.code(closed(arg.value))} + 1", "1"]
        else:
            others = [str(count + 1), str(count - 1)]
        for other in others:
            said = f"epochs {cell.brief(arg.value)} → {other}"
            yield cell.step(said, call, {arg.value: expression(other)})


def validation_data(cell: Cell) -> Iterator[Step]:
    """Validation on nothing, and on what the model is trained on."""
    for call in cell.all(cst.Call):
        arg = argument(call, "validation_data")
        if arg is None:
            continue
        kept = without(call.args, list(call.args).index(arg))
        yield cell.step("no validation_data", call, {call: call.with_changes(args=kept)})
        x, y = argument(call, "x"), argument(call, "y")
        if x is not None and y is not None:
            trained = f"({cell.code(x.value)}, {cell.code(y.value)})"
            if trained != cell.code(arg.value):
                said = f"validation_data={trained}"
                yield cell.step(said, call, {arg.value: expression(trained)})


def normalisation(cell: Cell) -> Iterator[Step]:
    """Each division by a number above 1: missing, doubled, by another number near it.

    Each call of a function that is named after normalising: missing and doubled.
    """
    for node in cell.all(cst.BinaryOperation):
        by = number(node.right)
        if not isinstance(node.operator, cst.Divide) or by is None or by <= 1:
            continue
        yield cell.step("not normalised", node, {node: in_place_of(node, node.left)})
        twice = node.with_changes(left=_parenthesised(node), lpar=node.lpar, rpar=node.rpar)
        yield cell.step("normalised twice", node, {node: twice})
        for other in ("256", "127.5", "100") if by in (255, 256) else ():
            if float(other) != by:
                yield cell.to(node.right, expression(other))
    for call in cell.all(cst.Call):
        if called(call).startswith(_NORMALISING) and len(call.args) == 1 and not call.args[0].star:
            value = call.args[0].value
            said = f"{cell.brief(value)} not normalised"
            yield cell.step(said, call, {call: in_place_of(call, value)})
            doubled = call.with_changes(args=[call.args[0].with_changes(value=call)])
            yield cell.step(f"{cell.brief(value)} normalised twice", call, {call: doubled})


def _parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    return node if node.lpar else closed(node)


def data_swapped(cell: Cell) -> Iterator[Step]:
    """Neighbours swapped: arguments of a call, of a returned tuple, of an unpacked call's result.

    Literals and what is alike stay; so do the arguments of layers. A name of one set is replaced
    by its counterpart where the cell knows it: train and test, images and labels; each place once.
    """
    for node in cell.all(cst.Call, cst.Tuple):
        items: Sequence[cst.Arg | cst.BaseElement]
        items = node.args if isinstance(node, cst.Call) else node.elements
        if is_layer(node) or (isinstance(node, cst.Tuple) and not _is_result(cell, node)):
            continue
        for place in range(len(items) - 1):
            one, two = items[place], items[place + 1]
            if not _swappable(cell, one, two):
                continue
            said = f"{cell.brief(one.value)} and {cell.brief(two.value)} swapped"
            changes: Changes
            if isinstance(node, cst.Call):
                changes = {one.value: two.value, two.value: one.value}
            else:
                order = list(range(len(items)))
                order[place], order[place + 1] = place + 1, place
                changes = {node: node.with_changes(elements=arranged(node.elements, order))}
            yield cell.step(said, one, changes)
    known = {name.value for name in variables(cell, cell.module)}
    known |= {param.name.value for param in cell.all(cst.Param)}
    for name in variables(cell, cell.module):
        other = next((o for o in _counterparts(name.value) if o in known), None)
        if other is not None:
            yield cell.to(name, cst.Name(other))


def _is_result(cell: Cell, node: cst.Tuple) -> bool:
    parent = cell.parents[node]
    if isinstance(parent, cst.AssignTarget):
        assign = cell.parents[parent]
        return isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call)
    return isinstance(parent, cst.Return)


def _swappable(cell: Cell, one: cst.Arg | cst.BaseElement, two: cst.Arg | cst.BaseElement) -> bool:
    if isinstance(one, cst.StarredElement) or isinstance(two, cst.StarredElement):
        return False
    if any(isinstance(item, cst.Arg) and item.star for item in (one, two)):
        return False
    keywords = [arg.keyword for arg in (one, two) if isinstance(arg, cst.Arg) and arg.keyword]
    if len(keywords) == 1 or any(name.value in COSMETIC for name in keywords):
        return False
    literals = (cst.SimpleString, cst.Integer, cst.Float)
    if keywords and not all(isinstance(item.value, cst.Name) for item in (one, two)):
        return False
    written = all(isinstance(item.value, literals) for item in (one, two))
    return not written and cell.code(one.value) != cell.code(two.value)


def _counterparts(name: str) -> Iterator[str]:
    words = name.split("_")
    for pair in (*_PAIRS, ("x", "y"), ("X", "y")):
        for old, new in (pair, pair[::-1]):
            if old in words and len(words) > 1:
                yield "_".join(new if word == old else word for word in words)


def axis(cell: Cell) -> Iterator[Step]:
    """Another axis, and none, wherever one is given by keyword or to a known reduction's method."""
    for call in cell.all(cst.Call):
        if is_layer(call):
            continue
        arg = argument(call, "axis", ())
        if arg is None and called(call) in _WITH_AXIS and len(call.args) == 1:
            arg = call.args[0] if number(call.args[0].value) is not None else None
        if arg is None or arg.star:
            continue
        value = number(arg.value)
        if value is not None:
            yield cell.to(arg.value, cst.Integer("1" if value == 0 else "0"))
        kept = without(call.args, list(call.args).index(arg))
        yield cell.step("no axis", call, {call: call.with_changes(args=kept)})


def opposite(cell: Cell) -> Iterator[Step]:
    """The opposite function: argmax and argmin, mean and sum, first and last; each text once."""
    calls = [call for call in cell.all(cst.Call) if called(call) in _OPPOSITE]
    for call in first_of_each(calls, cell.code):
        other = _OPPOSITE[called(call)]
        yield cell.step(f"{called(call)} → {other}", call, {call: named(call, other)})


OPERATORS = {
    "loss": loss,
    "from_logits": from_logits,
    "optimizer": optimizer,
    "metrics": metrics,
    "compile or fit missing": compile_missing,
    "epochs": epochs,
    "validation data": validation_data,
    "normalisation": normalisation,
    "data swapped": data_swapped,
    "axis": axis,
    "opposite function": opposite,
}
