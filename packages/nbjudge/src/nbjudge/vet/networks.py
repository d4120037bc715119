"""Chains of layers in a cell: a list for Sequential, functional statements, calls of `add`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from nbjudge.vet.keras_calls import called, is_layer
from nbjudge.vet.tree import GONE, Cell, Changes, inserted, without


@dataclass(frozen=True)
class Link:
    """A layer of a chain: the call that makes it, and the list element or statement it stands in.

    `target` and `fed` are set in functional statements: `target = layer(fed)`.
    """

    layer: cst.Call
    place: cst.Element | cst.SimpleStatementLine
    target: str = ""
    fed: cst.Name | None = None


Chain = tuple[Link, ...]


def chains(cell: Cell) -> list[Chain]:
    """The chains in the order of the text; a layer that stands alone is a chain of one."""
    lists = [_listed(node) for node in cell.all(cst.List)]
    bodies = [node.body for node in cell.all(cst.Module, cst.IndentedBlock)]
    return [chain for chain in (*lists, *(c for body in bodies for c in _stated(body))) if chain]


def _listed(node: cst.List) -> Chain:
    links = [Link(item.value, item) for item in node.elements if is_layer(item.value)]
    return tuple(links)


def _stated(body: list[cst.CSTNode]) -> list[Chain]:
    found: list[list[Link]] = [[]]
    for line in body:
        link = functional(line) or added(line)
        last = found[-1][-1] if found[-1] else None
        if link is None or (last is not None and not _follows(last, link)):
            found.append([])
        if link is not None:
            found[-1].append(link)
    return [tuple(links) for links in found]


def _follows(last: Link, link: Link) -> bool:
    if link.fed is None or last.fed is None:
        return link.fed is last.fed and _receiver(last) == _receiver(link)
    return link.fed.value == last.target


def _receiver(link: Link) -> str:
    call = link.place.body[0].value
    return call.func.value.value


def functional(line: cst.CSTNode) -> Link | None:
    """The link in `x = layers.Dense(10)(x)`."""
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Assign(
                    targets=[cst.AssignTarget(target=cst.Name(value=target))],
                    value=cst.Call(
                        func=cst.Call() as layer,
                        args=[cst.Arg(value=cst.Name() as fed, keyword=None, star="")],
                    ),
                )
            ]
        ) if is_layer(layer):
            return Link(layer, line, target, fed)
    return None


def added(line: cst.CSTNode) -> Link | None:
    """The link in `model.add(layers.Dense(10))`."""
    match line:
        case cst.SimpleStatementLine(
            body=[
                cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(value=cst.Name(), attr=cst.Name(value="add")),
                        args=[cst.Arg(value=cst.Call() as layer, keyword=None, star="")],
                    )
                )
            ]
        ) if is_layer(layer):
            return Link(layer, line)
    return None


def left_out(cell: Cell, link: Link) -> Changes:
    """The chain without this layer."""
    if isinstance(link.place, cst.Element):
        around = cell.parents[link.place]
        index = list(around.elements).index(link.place)
        return {around: around.with_changes(elements=without(around.elements, index))}
    if link.fed is None or link.fed.value == link.target:
        return {link.place: GONE}
    assign = link.place.body[0]
    return {assign: assign.with_changes(value=link.fed)}


def followed(cell: Cell, link: Link, layer: cst.Call, instead: cst.Call | None = None) -> Changes:
    """The chain with `layer` right after this one, which becomes `instead` where that is given."""
    first = link.layer if instead is None else instead
    if isinstance(link.place, cst.Element):
        around = cell.parents[link.place]
        index = list(around.elements).index(link.place)
        items = list(around.elements)
        items[index] = link.place.with_changes(value=first)
        return {
            around: around.with_changes(
                elements=inserted(items, index + 1, cst.Element(value=layer))
            )
        }
    before = link.place.deep_replace(link.layer, first)
    after = link.place.deep_replace(link.layer, layer).with_changes(leading_lines=[])
    if link.fed is not None:
        after = after.deep_replace(functional(after).fed, cst.Name(link.target))
    return {link.place: cst.FlattenSentinel([before, after])}


def rearranged(chain: Chain, layers: list[cst.Call]) -> Changes:
    """The chain with other layers in its places."""
    pairs = zip(chain, layers, strict=True)
    return {link.layer: layer for link, layer in pairs if link.layer is not layer}


def is_input(node: cst.CSTNode | None) -> bool:
    """Whether a call makes a model's input: `keras.Input(…)`."""
    return called(node) == "Input"
