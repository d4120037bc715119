"""Mistakes in a network: its layers, their sizes, activations and order."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet.keras_calls import (
    ACTIVATED,
    CONVOLUTIONS,
    DROPOUTS,
    POOLINGS,
    argument,
    called,
    is_layer,
    keyword,
    named,
)
from nbjudge.vet.networks import Functional, chains, followed, is_input, left_out, rearranged
from nbjudge.vet.tree import (
    Cell,
    Step,
    closed,
    expression,
    first_of_each,
    inserted,
    number,
    quoted,
    string,
    without,
)

_OTHER_ACTIVATION = {
    "relu": "tanh",
    "tanh": "relu",
    "sigmoid": "softmax",
    "softmax": "sigmoid",
    "linear": "relu",
}
_OTHER_ACTIVATION_LAYER = {"ReLU": "ELU", "LeakyReLU": "ReLU", "ELU": "ReLU", "Softmax": "ReLU"}
# Applied a second time, or before instead of after a flatten, these change nothing.
_IDEMPOTENT = frozenset({"Flatten", "ReLU"})
_ELEMENTWISE = frozenset({"Dropout", "ReLU", "LeakyReLU", "ELU", "GaussianNoise"})


def _layers(cell: Cell) -> list[cst.Call]:
    return [call for call in cell.all(cst.Call) if is_layer(call)]


def _values(cell: Cell, *arguments: str) -> list[tuple[cst.Call, str, cst.BaseExpression]]:
    """The values of these arguments in all layers, in the order of the text."""
    found = [(call, name, argument(call, name)) for call in _layers(cell) for name in arguments]
    return [(call, name, arg.value) for call, name, arg in found if arg is not None]


def sizes(cell: Cell) -> set[cst.CSTNode]:
    """The nodes that the operators of this module change: other operators leave them alone."""
    known = ("filters", "units", "input_dim", "output_dim", "kernel_size", "pool_size", "strides")
    values = [value for _, _, value in _values(cell, *known, "rate", "activation", "padding")]
    values += [value for value in map(_shape, cell.all(cst.Call)) if value is not None]
    return {node for value in values for node in cell.nodes[cell.spans[value]]}


def units(cell: Cell) -> Iterator[Step]:
    """Filters, units and embedding sizes: one more at each place; the first of each text halved."""
    found = _values(cell, "filters", "units", "input_dim", "output_dim")
    known = [(*one, count) for one in found if (count := number(one[2])) is not None]
    first = first_of_each([call for call, *_ in known], cell.code)
    for call, name, value, count in known:
        others = (count + 1, count // 2) if call in first and count >= 2 else (count + 1,)
        for other in others:
            said = f"{name} {cell.brief(value)} → {other}"
            yield cell.step(said, value, {value: expression(str(other))})


def kernel_size(cell: Cell) -> Iterator[Step]:
    """Kernels two larger at each place; the first of each text with one side shorter by one."""
    found = _values(cell, "kernel_size")
    first = first_of_each([call for call, _, _ in found], cell.code)
    for call, name, value in found:
        whole = _grown(value, 2)
        side = _one_side(value, -1) if call in first else None
        for other in (whole, side):
            if other is not None:
                said = f"{name} {cell.brief(value)} → {cell.brief(other)}"
                yield cell.step(said, value, {value: other})


def pool_size(cell: Cell) -> Iterator[Step]:
    """Pooling over windows larger by one, at each place; the default is (2, 2)."""
    for call in _layers(cell):
        if called(call) not in POOLINGS:
            continue
        arg = argument(call, "pool_size")
        if arg is None:
            changed = call.with_changes(
                args=inserted(call.args, len(call.args), keyword("pool_size", cst.Integer("3")))
            )
            yield cell.step("pool_size 2 → 3", call, {call: changed})
        elif (other := _grown(arg.value, 1)) is not None:
            said = f"pool_size {cell.brief(arg.value)} → {cell.brief(other)}"
            yield cell.step(said, call, {arg.value: other})


def _grown(value: cst.BaseExpression, by: int) -> cst.BaseExpression | None:
    """A size, or each side of it, larger `by` so much; None when it is not written as numbers."""
    if (size := number(value)) is not None:
        return expression(str(size + by))
    if not isinstance(value, (cst.Tuple, cst.List)):
        return None
    sides = [side for item in value.elements if (side := number(item.value)) is not None]
    if not sides or len(sides) < len(value.elements):
        return None
    pairs = zip(value.elements, sides, strict=True)
    grown = [item.with_changes(value=expression(str(side + by))) for item, side in pairs]
    return value.with_changes(elements=grown)


def _one_side(value: cst.BaseExpression, by: int) -> cst.BaseExpression | None:
    """A size whose last side is longer `by` so much; None when it has no sides or gets empty."""
    if not isinstance(value, (cst.Tuple, cst.List)) or not value.elements:
        return None
    last = value.elements[-1]
    side = number(last.value)
    if side is None or side + by < 1:
        return None
    changed = last.with_changes(value=expression(str(side + by)))
    return value.with_changes(elements=[*value.elements[:-1], changed])


def _shape(call: cst.Call) -> cst.BaseExpression | None:
    arg = argument(call, "shape", ("shape",)) if is_input(call) else argument(call, "input_shape")
    return None if arg is None else arg.value


def input_shape(cell: Cell) -> Iterator[Step]:
    """Each input's shape with another last side, and without its last side."""
    for call in cell.all(cst.Call):
        shape = _shape(call)
        if not isinstance(shape, cst.Tuple) or not shape.elements:
            continue
        others = [_one_side(shape, 1)]
        if len(shape.elements) > 2:
            others.append(
                shape.with_changes(elements=without(shape.elements, len(shape.elements) - 1))
            )
        for other in others:
            if other is not None:
                said = f"shape {cell.brief(shape)} → {cell.brief(other)}"
                yield cell.step(said, call, {shape: other})


def activation_dropped(cell: Cell) -> Iterator[Step]:
    """Each layer without its activation."""
    for call in _layers(cell):
        arg = argument(call, "activation")
        if arg is not None and called(call) != "Activation":
            kept = without(call.args, list(call.args).index(arg))
            said = f"{called(call)} without {cell.brief(arg).rstrip(', ')}"
            yield cell.step(said, call, {call: call.with_changes(args=kept)})


def activation_swapped(cell: Cell) -> Iterator[Step]:
    """The first layer of each text with another activation; so are layers that are activations."""
    for call in first_of_each(_layers(cell), cell.code):
        arg = argument(call, "activation")
        value = arg.value if arg is not None else None
        if isinstance(value, cst.SimpleString) and (text := string(value)) is not None:
            other = _OTHER_ACTIVATION.get(text, "relu")
            if other != text:
                yield cell.to(value, quoted(other, value))
        elif isinstance(value, cst.Attribute):
            other = _OTHER_ACTIVATION.get(value.attr.value, "relu")
            if other != value.attr.value:
                yield cell.to(value, value.with_changes(attr=cst.Name(other)))
        elif called(call) in _OTHER_ACTIVATION_LAYER and not call.args:
            yield cell.to(call, named(call, _OTHER_ACTIVATION_LAYER[called(call)]))


def activation_added(cell: Cell) -> Iterator[Step]:
    """An activation where a convolution or dense layer has none: relu, and softmax for dense."""
    for call in first_of_each(_layers(cell), cell.code):
        if called(call) not in ACTIVATED or argument(call, "activation") is not None:
            continue
        for name in ("softmax", "relu") if called(call) == "Dense" else ("relu",):
            arg = keyword("activation", cst.SimpleString(f'"{name}"'))
            changed = call.with_changes(args=inserted(call.args, len(call.args), arg))
            yield cell.step(f'{called(call)} with activation="{name}"', call, {call: changed})


def layer_left_out(cell: Cell) -> Iterator[Step]:
    """Each layer of a chain left out, once."""
    for chain in chains(cell):
        for link in chain:
            said = f"without {cell.brief(link.layer)}"
            yield cell.step(said, link.layer, left_out(link))


def layer_doubled(cell: Cell) -> Iterator[Step]:
    """The first layer of each text twice in a row, unless a second one changes nothing."""
    links = [link for chain in chains(cell) for link in chain]
    for link in first_of_each(links, lambda link: cell.code(link.layer)):
        if called(link.layer) not in _IDEMPOTENT:
            said = f"{cell.brief(link.layer)} twice"
            yield cell.step(said, link.layer, followed(link, link.layer))


def layers_swapped(cell: Cell) -> Iterator[Step]:
    """Each two neighbours that are not alike, in the other order."""
    for chain in chains(cell):
        for one, two in zip(chain, chain[1:], strict=False):
            if _order_matters(cell, one.layer, two.layer):
                said = f"{cell.brief(two.layer)} before {cell.brief(one.layer)}"
                changes = {one.layer: two.layer, two.layer: one.layer}
                yield cell.step(said, one.layer, changes)


def _order_matters(cell: Cell, one: cst.Call, two: cst.Call) -> bool:
    kinds = {called(one), called(two)}
    alike = cell.code(one) == cell.code(two)
    return not alike and not ("Flatten" in kinds and kinds - {"Flatten"} <= _ELEMENTWISE)


def dropout_moved(cell: Cell) -> Iterator[Step]:
    """Each dropout to the beginning and to the end of its chain."""
    for chain in chains(cell):
        for place, link in enumerate(chain):
            if called(link.layer) not in DROPOUTS:
                continue
            layers = [other.layer for other in chain]
            rest = layers[:place] + layers[place + 1 :]
            for end, moved in (("first", [link.layer, *rest]), ("last", [*rest, link.layer])):
                if moved != layers:
                    said = f"{called(link.layer)} as the {end} layer"
                    yield cell.step(said, link.layer, rearranged(chain, moved))


def dropout_rate(cell: Cell) -> Iterator[Step]:
    """Each dropout rate as what is kept instead of dropped, halved, and a constant for a name."""
    for call, _, value in _values(cell, "rate"):
        rate = number(value)
        if rate is not None:
            others = [str(round(1 - rate, 6)), str(round(rate / 2, 6))]
        else:
            others = [f"1 - {cell.code(closed(value))}", "0.5"]
        for other in others:
            if other != cell.code(value):
                said = f"rate {cell.brief(value)} → {other}"
                yield cell.step(said, call, {value: expression(other)})


def padding(cell: Cell) -> Iterator[Step]:
    """The first layer of each text padded where it was not, and the other way round."""
    for call in first_of_each(_layers(cell), cell.code):
        if called(call) not in CONVOLUTIONS | POOLINGS:
            continue
        arg = argument(call, "padding")
        if arg is None:
            changed = inserted(
                call.args, len(call.args), keyword("padding", cst.SimpleString('"same"'))
            )
            said = f'{called(call)} with padding="same"'
            yield cell.step(said, call, {call: call.with_changes(args=changed)})
        elif isinstance(arg.value, cst.SimpleString) and string(arg.value) in ("same", "valid"):
            other = "valid" if string(arg.value) == "same" else "same"
            yield cell.to(arg.value, quoted(other, arg.value))


def strides(cell: Cell) -> Iterator[Step]:
    """The first layer of each text with larger strides; pooling without any gets strides of 1."""
    for call in first_of_each(_layers(cell), cell.code):
        if called(call) not in CONVOLUTIONS | POOLINGS:
            continue
        arg = argument(call, "strides")
        if arg is not None:
            if (other := _grown(arg.value, 1)) is not None:
                said = f"strides {cell.brief(arg.value)} → {cell.brief(other)}"
                yield cell.step(said, call, {arg.value: other})
            continue
        value = "1" if called(call) in POOLINGS else "2"
        changed = inserted(call.args, len(call.args), keyword("strides", cst.Integer(value)))
        said = f"{called(call)} with strides={value}"
        yield cell.step(said, call, {call: call.with_changes(args=changed)})


def fed_from_elsewhere(cell: Cell) -> Iterator[Step]:
    """A functional chain's second and last layer fed with what the first was: a part is cut off."""
    for chain in chains(cell):
        links = [link for link in chain if isinstance(link, Functional)]
        for link in dict.fromkeys((*links[1:2], *links[-1:])):
            start = links[0].fed
            if link.fed.value != start.value:
                said = f"{called(link.layer)} fed with {start.value}, not {link.fed.value}"
                yield cell.step(said, link.layer, {link.fed: start})


OPERATORS = {
    "units": units,
    "kernel size": kernel_size,
    "pool size": pool_size,
    "input shape": input_shape,
    "activation dropped": activation_dropped,
    "activation swapped": activation_swapped,
    "activation added": activation_added,
    "layer left out": layer_left_out,
    "layer doubled": layer_doubled,
    "layers swapped": layers_swapped,
    "dropout moved": dropout_moved,
    "dropout rate": dropout_rate,
    "padding": padding,
    "strides": strides,
    "layer fed from elsewhere": fed_from_elsewhere,
}
