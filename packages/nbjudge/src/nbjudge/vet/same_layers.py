"""The same network written another way: Sequential or functional, activations as layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from nbjudge.vet.keras_calls import (
    ACTIVATED,
    ACTIVATION_LAYERS,
    LAYERS,
    argument,
    called,
    is_layer,
    keyword,
    named,
)
from nbjudge.vet.lines import assigned, assignment, small, statements_of
from nbjudge.vet.names import fresh, variables
from nbjudge.vet.networks import (
    Functional,
    Link,
    Listed,
    chains,
    followed,
    functional,
    is_input,
    left_out,
    shortened,
)
from nbjudge.vet.tree import (
    GONE,
    Cell,
    Changes,
    Replacement,
    Statement,
    Step,
    number,
    string,
    swapped,
    without,
)


@dataclass(frozen=True)
class _Plain:
    """A network that is a plain chain: its input, its layers, the call that makes the model.

    `lines` are the statements that only build it; `made` is the call that the new one replaces.
    """

    input: cst.BaseExpression
    layers: tuple[cst.BaseExpression, ...]
    made: cst.Call
    lines: tuple[Statement, ...]


def functional_to_sequential(cell: Cell) -> Iterator[Step]:
    """A functional model that is one plain chain from its input to its output, as a list."""
    for function in cell.all(cst.FunctionDef):
        plain = _functional_network(cell, function)
        if plain is None:
            continue
        items = [plain.input, *plain.layers]
        sequential = named(plain.made, "Sequential").with_changes(
            args=[cst.Arg(_list_of(items)), *_named(plain.made)]
        )
        changes: dict[cst.CSTNode, Replacement] = {plain.made: _with_commas(sequential)}
        changes.update(dict.fromkeys(plain.lines, GONE))
        yield cell.step("as a Sequential model", plain.input, changes)


def _functional_network(cell: Cell, function: cst.FunctionDef) -> _Plain | None:
    """The one chain in this function, when no name of it is used for anything else."""
    body = statements_of(function)
    made = [call for call in cell.all(cst.Call, within=function) if called(call) == "Model"]
    inputs = [(place, found) for place, line in enumerate(body) if (found := _input_of(line))]
    if len(made) != 1 or len(inputs) != 1 or not isinstance(made[0].func, cst.Attribute):
        return None
    start, (first, given) = inputs[0]
    links: list[Functional] = []
    last = first
    for line in body[start + 1 :]:
        link = functional(line)
        if link is None or link.fed.value != last:
            break
        links.append(link)
        last = link.target.value
    following = body[start + 1 + len(links) :]
    if not links or not following or cell.statement(made[0]) is not following[0]:
        return None
    both = ("inputs", "outputs")
    ends = [end.value for name in both if (end := argument(made[0], name, both)) is not None]
    if [cell.code(end) for end in ends] != [first, last]:
        return None
    if len(made[0].args) != 2 + len(_named(made[0])) or not _opaque(cell, function):
        return None
    lines = (body[start], *(link.place for link in links))
    own = {first, *(link.target.value for link in links)}
    uses = [node for node in variables(cell, function) if node.value in own]
    # Each link has two names, the input one, the model two: more would be another use of them.
    if len(uses) != 2 * len(links) + 3 or own & {p.name.value for p in cell.all(cst.Param)}:
        return None
    if any(first == link.target.value for link in links):
        return None
    return _Plain(given, tuple(link.layer for link in links), made[0], lines)


def _opaque(cell: Cell, function: cst.FunctionDef, lines: Sequence[cst.CSTNode] = ()) -> bool:
    """Whether nothing but `lines` looks into the model: its layers are counted in another way."""
    if cell.all(cst.Global, cst.Nonlocal, cst.Lambda, within=function):
        return False
    looks = [
        node
        for node in cell.all(cst.Attribute, within=function)
        if node.attr.value in ("add", "pop", "layers", "get_layer")
        and not (isinstance(node.value, cst.Name) and node.value.value in ("keras", "tf"))
        and cell.code(node) != "tf.keras.layers"
    ]
    return all(cell.statement(node) in lines for node in looks)


def _input_of(line: cst.CSTNode) -> tuple[str, cst.BaseExpression] | None:
    """The name and the call in `inputs = keras.Input(…)`."""
    sides = assigned(line)
    return (sides[0].value, sides[1]) if sides is not None and is_input(sides[1]) else None


def sequential_to_functional(cell: Cell) -> Iterator[Step]:
    """A Sequential model, made of a list or by calls of `add`, as a functional one."""
    for function in cell.all(cst.FunctionDef):
        for line in statements_of(function):
            plain = _listed_network(line) or _added_network(cell, function, line)
            if plain is None or not all(is_layer(layer) for layer in plain.layers):
                continue
            if _opaque(cell, function, plain.lines):
                changes = _as_functional(cell, line, plain)
                yield cell.step("as a functional model", line, changes)


def _made(line: cst.CSTNode) -> cst.Call | None:
    """The call in `return keras.Sequential(…)` and in `model = keras.Sequential(…)`."""
    statement = small(line, cst.Return) or small(line, cst.Assign)
    made = None if statement is None else statement.value
    if not isinstance(made, cst.Call) or not isinstance(made.func, cst.Attribute):
        return None
    return made if called(made) == "Sequential" else None


def _listed_network(line: cst.CSTNode) -> _Plain | None:
    made = _made(line)
    if made is None:
        return None
    layers = argument(made, "layers", ("layers",))
    if layers is None or not isinstance(layers.value, (cst.List, cst.Tuple)):
        return None
    if len(made.args) != 1 + len(_named(made)):
        return None
    values = [item.value for item in layers.value.elements]
    if len(values) < 2 or not is_input(values[0]):
        return None
    return _Plain(values[0], tuple(values[1:]), made, ())


def _added_network(cell: Cell, function: cst.FunctionDef, line: Statement) -> _Plain | None:
    made, assign = _made(line), small(line, cst.Assign)
    if made is None or assign is None:
        return None
    if len(made.args) != len(_named(made)) or len(assign.targets) != 1:
        return None
    target = assign.targets[0].target
    body = statements_of(function)
    lines: list[Statement] = []
    values: list[cst.Call] = []
    for after in body[body.index(line) + 1 :]:
        value = _added_to(after, cell.code(target))
        if value is None:
            break
        lines.append(after)
        values.append(value)
    if len(values) < 2 or not is_input(values[0]):
        return None
    return _Plain(values[0], tuple(values[1:]), made, tuple(lines))


def _added_to(line: cst.CSTNode, model: str) -> cst.Call | None:
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="add")),
                        args=[cst.Arg(value=cst.Call() as layer, keyword=None, star="")],
                    )
                )
            ]
        ) if name == model:
            return layer
    return None


def _as_functional(cell: Cell, line: Statement, plain: _Plain) -> Changes:
    start, middle = fresh(cell, "inputs", "first"), fresh(cell, "x", "hidden")
    end = fresh(cell, "outputs", "last")
    names = [start, *[middle] * (len(plain.layers) - 1), end]
    lines = [assignment(start, plain.input)]
    for layer, fed, target in zip(plain.layers, names, names[1:], strict=False):
        call = cst.Call(layer, [cst.Arg(cst.Name(fed))])
        lines.append(assignment(target, call))
    args = [keyword("inputs", cst.Name(start)), keyword("outputs", cst.Name(end))]
    model = named(plain.made, "Model").with_changes(args=[*args, *_named(plain.made)])
    lines[0] = lines[0].with_changes(leading_lines=line.leading_lines)
    last = swapped(line, plain.made, _with_commas(model)).with_changes(leading_lines=[])
    return {line: cst.FlattenSentinel([*lines, last]), **dict.fromkeys(plain.lines, GONE)}


def _named(made: cst.Call) -> list[cst.Arg]:
    return [arg for arg in made.args if arg.keyword is not None and arg.keyword.value == "name"]


def _with_commas(call: cst.Call) -> cst.Call:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    args = [arg.with_changes(comma=comma) for arg in call.args[:-1]]
    last = call.args[-1].with_changes(
        comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace("")
    )
    return call.with_changes(args=[*args, last], whitespace_before_args=cst.SimpleWhitespace(""))


def _list_of(items: Sequence[cst.BaseExpression]) -> cst.List:
    """A list with each item on a line of its own, one step further in than its statement."""
    inner, outer = (
        cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(space))
        for space in ("    ", "")
    )
    commas = [cst.Comma(whitespace_after=inner)] * (len(items) - 1)
    commas.append(cst.Comma(whitespace_after=outer))
    elements = [cst.Element(item, comma) for item, comma in zip(items, commas, strict=True)]
    return cst.List(elements, lbracket=cst.LeftSquareBracket(whitespace_after=inner))


def activation_to_layer(cell: Cell) -> Iterator[Step]:
    """The activation of each dense and convolution layer as a layer of its own, all at once.

    Once as `Activation("relu")`, once as `ReLU()` where there is such a layer.
    """
    for short in (False, True):
        changes: dict[cst.CSTNode, Replacement] = {}
        lists: dict[cst.List, cst.List] = {}
        for link in _links(cell):
            arg = argument(link.layer, "activation")
            if arg is None or not isinstance(link.layer.func, cst.Attribute):
                continue
            name = string(arg.value)
            if name is None:
                continue
            if not _activated_last(link.layer):
                continue
            one = _activation_layer(link.layer, arg, name, short)
            index = list(link.layer.args).index(arg)
            # An argument that comes by its place must not move up.
            if one is None or any(after.keyword is None for after in link.layer.args[index + 1 :]):
                continue
            bare = link.layer.with_changes(args=without(link.layer.args, index))
            if isinstance(link, Listed):
                so_far = lists.get(link.around, link.around)
                lists[link.around] = _together(so_far, link, one, bare)
            else:
                changes.update(followed(link, one, bare))
        changes |= dict(lists.items())
        if changes:
            said = "activations as layers" + (" of their own name" if short else "")
            yield cell.step(said, next(iter(_links(cell))).layer, changes)


def _links(cell: Cell) -> list[Link]:
    return [link for chain in chains(cell) for link in chain]


def _activated_last(layer: cst.Call) -> bool:
    """Whether the activation is the very last thing that this layer does with its output."""
    plain = not any(arg.star for arg in layer.args)
    return plain and called(layer) in ACTIVATED and not argument(layer, "activity_regularizer", ())


def _activation_layer(layer: cst.Call, arg: cst.Arg, name: str, short: bool) -> cst.Call | None:
    if not short:
        given = arg.with_changes(
            keyword=None, equal=cst.MaybeSentinel.DEFAULT, comma=cst.MaybeSentinel.DEFAULT
        )
        return _with_commas(named(layer, "Activation").with_changes(args=[given]))
    known = {text: kind for kind, text in ACTIVATION_LAYERS.items()}
    return cst.Call(named(layer, known[name]).func) if name in known else None


def _together(so_far: cst.List, link: Listed, layer: cst.Call, bare: cst.Call) -> cst.List:
    """The change of one link, joined with those of its list that are there already."""
    place = next(item for item in so_far.elements if item is link.place)
    index = list(so_far.elements).index(place)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    commas = (item.comma for item in link.around.elements)
    comma = next((given for given in commas if isinstance(given, cst.Comma)), comma)
    both = [cst.Element(bare, comma), cst.Element(layer, place.comma)]
    elements = [*so_far.elements[:index], *both, *so_far.elements[index + 1 :]]
    return so_far.with_changes(elements=elements)


def layer_to_activation(cell: Cell) -> Iterator[Step]:
    """A layer that is only an activation, as the argument of the layer before it; one at a time."""
    for chain in chains(cell):
        for one, two in zip(chain, chain[1:], strict=False):
            value = _only_activation(two.layer)
            if value is None or not _activated_last(one.layer):
                continue
            if argument(one.layer, "activation") is not None or not _between(cell, one, two):
                continue
            args = [*one.layer.args, keyword("activation", value)]
            merged = _with_commas(one.layer.with_changes(args=args))
            changes: Changes
            if isinstance(two, Listed):
                changes = {two.around: swapped(shortened(two), one.layer, merged)}
            elif isinstance(one, Functional) and isinstance(two, Functional):
                changes = _joined(one, two, merged)
            else:
                changes = {one.layer: merged, **left_out(two)}
            yield cell.step(f"{called(two.layer)} as an argument", two.layer, changes)


def _joined(one: Functional, two: Functional, layer: cst.Call) -> Changes:
    """Two statements as one, whose layer is `layer`."""
    target = two.target.value
    if target == one.target.value:
        return {one.layer: layer, **left_out(two)}
    return {two.place: GONE, one.place: _renamed(one, target, layer)}


def _renamed(link: Functional, target: str, layer: cst.Call) -> cst.SimpleStatementLine:
    line = swapped(link.place, link.layer, layer)
    sides = assigned(line)
    return line if sides is None else swapped(line, sides[0], cst.Name(target))


def _only_activation(layer: cst.Call) -> cst.BaseExpression | None:
    if called(layer) in ACTIVATION_LAYERS and not layer.args:
        return cst.SimpleString(f'"{ACTIVATION_LAYERS[called(layer)]}"')
    if called(layer) == "Activation" and len(layer.args) == 1:
        arg = argument(layer, "activation")
        return arg.value if arg is not None and string(arg.value) is not None else None
    return None


def _between(cell: Cell, one: Link, two: Link) -> bool:
    """Whether nothing else uses what the first of two neighbours gives."""
    if isinstance(one, Listed) and isinstance(two, Listed):
        around = list(one.around.elements)
        return around.index(two.place) == around.index(one.place) + 1
    if not isinstance(one, Functional) or not isinstance(two, Functional):
        return True
    if one.target.value == two.target.value:
        return True
    within = cell.function(one.layer) or cell.module
    uses = [node for node in variables(cell, within) if node.value == one.target.value]
    return cell.function(one.layer) is not None and len(uses) == 2


def square_sizes(cell: Cell) -> Iterator[Step]:
    """A square kernel or window as one number, or one number as a square: all in one direction."""
    layers = [call for call in cell.all(cst.Call) if called(call) in _SQUARE]
    values = [argument(call, name) for call in layers for name in ("kernel_size", "pool_size")]
    given = [arg.value for arg in values if arg is not None]
    squares = {value: side for value in given if (side := _side(value)) is not None}
    lengths = [value for value in given if isinstance(value, cst.Integer)]
    if squares:
        yield cell.step("square sizes as one number", next(iter(squares)), squares)
    if lengths:
        pairs = {
            value: cst.parse_expression(f"({value.value}, {value.value})") for value in lengths
        }
        yield cell.step("square sizes as pairs", lengths[0], pairs)


# Here one number stands for two equal ones.
_SQUARE = frozenset(
    name
    for name in LAYERS
    if name.endswith(("Conv2D", "Pooling2D", "Pool2D")) and not name.startswith("Global")
)


def _side(value: cst.BaseExpression) -> cst.Integer | None:
    if not isinstance(value, cst.Tuple) or len(value.elements) != 2:
        return None
    one, two = (item.value for item in value.elements)
    return one if isinstance(one, cst.Integer) and number(one) == number(two) else None


OPERATORS = {
    "functional to Sequential": functional_to_sequential,
    "Sequential to functional": sequential_to_functional,
    "activation to layer": activation_to_layer,
    "layer to activation": layer_to_activation,
    "square sizes": square_sizes,
}
