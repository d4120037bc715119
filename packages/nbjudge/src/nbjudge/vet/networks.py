"""Chains of layers in a cell: a list for Sequential, functional statements, calls of `add`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from nbjudge.vet.keras_calls import called, is_layer
from nbjudge.vet.tree import GONE, Cell, Changes, inserted, swapped, without


@dataclass(frozen=True)
class Listed:
    """A layer of a chain: the call that makes it, as the element `place` of the list `around`."""

    layer: cst.Call
    place: cst.Element
    around: cst.List


@dataclass(frozen=True)
class Added:
    """A layer of a chain: the call that makes it, in the statement `receiver.add(layer)`."""

    layer: cst.Call
    place: cst.SimpleStatementLine
    receiver: str


@dataclass(frozen=True)
class Functional:
    """A layer of a chain: the call that makes it, in the statement `target = layer(fed)`."""

    layer: cst.Call
    place: cst.SimpleStatementLine
    target: cst.Name
    fed: cst.Name


Link = Listed | Added | Functional
Chain = tuple[Link, ...]


def chains(cell: Cell) -> list[Chain]:
    """The chains in the order of the text; a layer that stands alone is a chain of one."""
    lists = [_listed(node) for node in cell.all(cst.List)]
    bodies = [node.body for node in cell.all(cst.Module, cst.IndentedBlock)]
    return [chain for chain in (*lists, *(c for body in bodies for c in _stated(body))) if chain]


def _listed(node: cst.List) -> Chain:
    return tuple(
        Listed(item.value, item, node)
        for item in node.elements
        if isinstance(item, cst.Element) and is_layer(item.value)
    )


def _stated(body: Sequence[cst.CSTNode]) -> list[Chain]:
    found: list[list[Added | Functional]] = [[]]
    for line in body:
        link = functional(line) or added(line)
        last = found[-1][-1] if found[-1] else None
        if link is None or (last is not None and not _follows(last, link)):
            found.append([])
        if link is not None:
            found[-1].append(link)
    return [tuple(links) for links in found]


def _follows(last: Added | Functional, link: Added | Functional) -> bool:
    if isinstance(last, Added):
        return isinstance(link, Added) and last.receiver == link.receiver
    return isinstance(link, Functional) and link.fed.value == last.target.value


def functional(line: cst.CSTNode) -> Functional | None:
    """The link in `x = layers.Dense(10)(x)`."""
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Assign(
                    targets=[cst.AssignTarget(target=cst.Name() as target)],
                    value=cst.Call(
                        func=cst.Call() as layer,
                        args=[cst.Arg(value=cst.Name() as fed, keyword=None, star="")],
                    ),
                )
            ]
        ) if is_layer(layer):
            return Functional(layer, line, target, fed)
    return None


def added(line: cst.CSTNode) -> Added | None:
    """The link in `model.add(layers.Dense(10))`."""
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(
                            value=cst.Name(value=receiver), attr=cst.Name(value="add")
                        ),
                        args=[cst.Arg(value=cst.Call() as layer, keyword=None, star="")],
                    )
                )
            ]
        ) if is_layer(layer):
            return Added(layer, line, receiver)
    return None


def left_out(link: Link) -> Changes:
    """The chain without this layer."""
    if isinstance(link, Listed):
        return {link.around: shortened(link)}
    if isinstance(link, Added) or link.fed.value == link.target.value:
        return {link.place: GONE}
    assign = link.place.body[0]
    return {assign: assign.with_changes(value=link.fed)}


def shortened(link: Listed) -> cst.List:
    """The list without this layer."""
    items = link.around.elements
    return link.around.with_changes(elements=without(items, list(items).index(link.place)))


def followed(link: Link, layer: cst.Call, instead: cst.Call | None = None) -> Changes:
    """The chain with `layer` right after this one, which becomes `instead` where that is given."""
    first = link.layer if instead is None else instead
    if isinstance(link, Listed):
        items = list(link.around.elements)
        index = items.index(link.place)
        items[index] = link.place.with_changes(value=first)
        longer = inserted(items, index + 1, cst.Element(value=layer))
        return {link.around: link.around.with_changes(elements=longer)}
    before = swapped(link.place, link.layer, first)
    after = swapped(link.place, link.layer, layer).with_changes(leading_lines=[])
    if (next_link := functional(after)) is not None and isinstance(link, Functional):
        after = swapped(after, next_link.fed, cst.Name(link.target.value))
    return {link.place: cst.FlattenSentinel([before, after])}


def rearranged(chain: Chain, layers: list[cst.Call]) -> Changes:
    """The chain with other layers in its places."""
    pairs = zip(chain, layers, strict=True)
    return {link.layer: layer for link, layer in pairs if link.layer is not layer}


def is_input(node: cst.CSTNode | None) -> bool:
    """Whether a call makes a model's input: `keras.Input(…)`."""
    return called(node) == "Input"
