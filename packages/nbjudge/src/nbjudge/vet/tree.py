"""The syntax tree of a cell: its nodes in the order of the text, and texts with some replaced."""

from __future__ import annotations

import ast
import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, overload

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

Node = TypeVar("Node", bound=cst.CSTNode)
Two = TypeVar("Two", bound=cst.CSTNode)
Three = TypeVar("Three", bound=cst.CSTNode)
Four = TypeVar("Four", bound=cst.CSTNode)
Item = TypeVar("Item", cst.Arg, cst.BaseElement, cst.BaseDictElement)
Thing = TypeVar("Thing")
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
Replacement = cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[Any]
Changes = Mapping[cst.CSTNode, Replacement]

GONE = cst.RemoveFromParent()
_LONGEST = 40  # characters of code in a sentence about it


class Step(NamedTuple):
    """A changed text of the cell, and what was changed in a line."""

    said: str
    source: str


@dataclass(frozen=True)
class Cell:
    """A parsed cell. Nodes are told apart by identity: each stands at one place in the text.

    `spans` tells where in `nodes` a node and all within it are; `lines` count from 1.
    """

    source: str
    module: cst.Module
    nodes: tuple[cst.CSTNode, ...]
    spans: Mapping[cst.CSTNode, slice]
    parents: Mapping[cst.CSTNode, cst.CSTNode]
    lines: Mapping[cst.CSTNode, int]

    @overload
    def all(self, one: type[Node], /, *, within: cst.CSTNode | None = None) -> list[Node]: ...
    @overload
    def all(
        self, one: type[Node], two: type[Two], /, *, within: cst.CSTNode | None = None
    ) -> list[Node | Two]: ...
    @overload
    def all(
        self,
        one: type[Node],
        two: type[Two],
        three: type[Three],
        /,
        *,
        within: cst.CSTNode | None = None,
    ) -> list[Node | Two | Three]: ...
    @overload
    def all(
        self,
        one: type[Node],
        two: type[Two],
        three: type[Three],
        four: type[Four],
        /,
        *,
        within: cst.CSTNode | None = None,
    ) -> list[Node | Two | Three | Four]: ...
    @overload
    def all(
        self, *kinds: type[cst.CSTNode], within: cst.CSTNode | None = None
    ) -> list[cst.CSTNode]: ...

    def all(
        self, *kinds: type[cst.CSTNode], within: cst.CSTNode | None = None
    ) -> Sequence[cst.CSTNode]:
        """The nodes of these kinds in the order of the text, of the cell or `within` a node."""
        among = self.nodes if within is None else self.nodes[self.spans[within]]
        return [node for node in among if isinstance(node, kinds)]

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around `node`, from its parent to the module."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def inside(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> bool:
        """Whether a node of one of these kinds is around `node`."""
        return any(isinstance(around, kinds) for around in self.above(node))

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost function around `node`."""
        return next((up for up in self.above(node) if isinstance(up, cst.FunctionDef)), None)

    def statement(self, node: cst.CSTNode) -> Statement:
        """The simple statement line or compound statement that `node` stands in."""
        return next(up for up in (node, *self.above(node)) if isinstance(up, Statement))

    def code(self, node: cst.CSTNode) -> str:
        """The text of `node`, without comments and blank lines before it."""
        return self.module.code_for_node(node).strip()

    def brief(self, node: cst.CSTNode) -> str:
        """The text of `node` in at most one short line."""
        text = " ".join(self.code(node).split())
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    def replaced(self, changes: Mapping[Node, Replacement]) -> str:
        """The cell's text with each node of `changes` replaced; what is within these is left."""
        path = {up for node in changes for up in self.above(node)}
        replaced = self.module.visit(_Replace({old: changes[old] for old in changes}, path))
        assert isinstance(replaced, cst.Module)  # nothing stands in its place
        return replaced.code

    def step(self, said: str, at: cst.CSTNode, changes: Mapping[Node, Replacement]) -> Step:
        """The text with `changes`, and what was done with the line of the node `at`."""
        return Step(f"{said}, line {self.lines[at]}", self.replaced(changes))

    def to(self, old: cst.CSTNode, new: cst.CSTNode) -> Step:
        """The step from one node to another: "50 → 51, line 4"."""
        return self.step(f"{self.brief(old)} → {self.brief(new)}", old, {old: new})


Operator = Callable[[Cell], Iterator[Step]]


def steps(operator: Operator, cell: Cell) -> Iterator[Step]:
    """The steps of an operator, up to code that is spaced too tightly to change it: `return(a)`."""
    with contextlib.suppress(cst.CSTValidationError):
        yield from operator(cell)


class _Replace(cst.CSTTransformer):
    def __init__(self, changes: Changes, path: Set[cst.CSTNode]) -> None:
        super().__init__()
        self.changes = changes
        self.path = path

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node in self.path and node not in self.changes

    # Any node may take another's place: the types of libcst do not foresee that.
    def on_leave(  # type: ignore[override]
        self, original: cst.CSTNode, updated: cst.CSTNode
    ) -> Replacement:
        return self.changes.get(original, updated)


def parse(source: str) -> Cell | None:
    """The cell of this text; None when it is not plain Python (a magic, a syntax error)."""
    if not runs(source):
        return None
    try:
        wrapper = MetadataWrapper(cst.parse_module(source))
    except cst.ParserSyntaxError:
        return None
    module = wrapper.module
    nodes = tuple(walk(module))
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    spans: dict[cst.CSTNode, slice] = {}
    for place in reversed(range(len(nodes))):
        children = nodes[place].children
        parents |= dict.fromkeys(children, nodes[place])
        spans[nodes[place]] = slice(place, spans[children[-1]].stop if children else place + 1)
    ranges = wrapper.resolve(PositionProvider)
    lines = {node: place.start.line for node, place in ranges.items()}
    return Cell(source, module, nodes, spans, parents, lines)


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """`node` and all within it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def swapped(within: Node, old: cst.CSTNode, new: cst.CSTNode) -> Node:
    """`within` with `old`, which is a part of it, replaced."""
    made = within.deep_replace(old, new)
    assert isinstance(made, type(within))
    return made


def runs(source: str) -> bool:
    """Whether a notebook could run `source`: it compiles, with `await` outside functions too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            compile(source, "<cell>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def expression(text: str) -> cst.BaseExpression:
    """The expression of this text."""
    return cst.parse_expression(text)


def in_place_of(old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
    """`new` with the parentheses of `old` around it, so that it binds as tightly as `old` did."""
    return new.with_changes(lpar=[*old.lpar, *new.lpar], rpar=[*new.rpar, *old.rpar])


def closed(node: cst.BaseExpression) -> cst.BaseExpression:
    """`node` in parentheses where it is more than a name, literal, call, attribute or subscript."""
    single = (cst.Name, cst.Integer, cst.Float, cst.SimpleString, cst.Call, cst.Attribute)
    if node.lpar or isinstance(node, (*single, cst.Subscript, cst.List, cst.Dict)):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def without(items: Sequence[Item], index: int) -> list[Item]:
    """The arguments or elements without one; the last one's comma stays last."""
    kept = [item for place, item in enumerate(items) if place != index]
    if kept and index == len(items) - 1:
        kept[-1] = kept[-1].with_changes(comma=items[index].comma)
    return kept


def arranged(items: Sequence[Item], order: Sequence[int]) -> list[Item]:
    """The arguments or elements in another order; the commas stay where they are."""
    pairs = zip(items, order, strict=True)
    return [items[source].with_changes(comma=item.comma) for item, source in pairs]


def inserted(items: Sequence[Item], index: int, new: Item) -> list[Item]:
    """The arguments or elements with one more before place `index`."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    given = next((i.comma for i in items if isinstance(i.comma, cst.Comma)), comma)
    if index < len(items):
        return list(items[:index]) + [new.with_changes(comma=given)] + list(items[index:])
    if not items:
        return [new]
    last = items[-1]
    between = items[-2].comma if len(items) > 1 else given
    pair = [last.with_changes(comma=between), new.with_changes(comma=last.comma)]
    return list(items[:-1]) + pair


def number(node: cst.CSTNode | None) -> int | float | None:
    """The value of a number written out, with a minus sign or without; None for all else."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        value = number(node.expression)
        return None if value is None else -value
    if isinstance(node, (cst.Integer, cst.Float)):
        return node.evaluated_value
    return None


def string(node: cst.CSTNode | None) -> str | None:
    """The value of a plain string written out; None for all else."""
    if isinstance(node, cst.SimpleString) and isinstance(node.evaluated_value, str):
        return node.evaluated_value
    return None


def quoted(text: str, like: cst.SimpleString) -> cst.SimpleString:
    """A string in the quotes of another one, or in Python's own where these would not do."""
    quote = like.quote if len(like.quote) == 1 else '"'
    plain = not any(mark in text for mark in "\"'\\\n")
    return cst.SimpleString(f"{quote}{text}{quote}" if plain else repr(text))


def first_of_each(nodes: Sequence[Thing], text: Callable[[Thing], str]) -> list[Thing]:
    """The first thing of each text: what a cell has several times is changed once."""
    return list({text(node): node for node in reversed(nodes)}.values())[::-1]
