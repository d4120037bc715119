"""What the given cells of a notebook put on ``sys.path``, as statements for the judge."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence

from nbjudge.cells.parsing import parse

_CHANGES = ("append", "insert", "extend")
# What an argument may be made of beside texts and numbers.
_KNOWN = {
    "os": "__import__('os')",
    "sys": "__import__('sys')",
    "pathlib": "__import__('pathlib')",
    "Path": "__import__('pathlib').Path",
    "str": "str",
}
_MODULES = {name: ast.parse(text, mode="eval").body for name, text in _KNOWN.items()}


def path_statements(sources: Sequence[str]) -> list[str]:
    """The statements at the top of these cells that change ``sys.path``, each by itself.

    Names of texts, such as a folder's, are replaced by them. A statement that needs something else
    is left out.
    """
    found = []
    texts: dict[str, ast.expr] = {}
    names = {"path"} if any("from sys import path" in source for source in sources) else set()
    for source in sources:
        for statement in parse(source).body if "path" in source else ():
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    texts[name] = value
                case ast.Expr(
                    value=ast.Call(func=ast.Attribute(value=owner, attr=how), args=arguments)
                ) if how in _CHANGES and _is_path(owner, names):
                    filled = [_Fill(texts).visit(argument) for argument in arguments]
                    if all(_is_simple(argument) for argument in filled):
                        # No name is bound: the judge supplies none.
                        bare = [_Fill(_MODULES).visit(argument) for argument in filled]
                        given = ", ".join(map(ast.unparse, bare))
                        found.append(f"__import__('sys').path.{how}({given})")
    return found


class _Fill(ast.NodeTransformer):
    def __init__(self, texts: Mapping[str, ast.expr]) -> None:
        self._texts = texts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self._texts.get(node.id, node))


def _is_path(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
            return True
        case ast.Name(id=name):
            return name in names
        case _:
            return False


def _is_simple(node: ast.expr) -> bool:
    """Whether it is made of texts, numbers, lists and what ``os.path`` and ``pathlib`` do."""
    kinds = (
        *(ast.Constant, ast.List, ast.Tuple, ast.Call, ast.Attribute, ast.Name, ast.BinOp),
        *(ast.Load, ast.Add, ast.Div, ast.USub, ast.UnaryOp),
    )
    return all(
        isinstance(part, kinds) and (not isinstance(part, ast.Name) or part.id in _KNOWN)
        for part in ast.walk(node)
    )
