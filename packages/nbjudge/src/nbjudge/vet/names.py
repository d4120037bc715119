"""Which names of a cell are variables, where they are bound and where they are read."""

from __future__ import annotations

import libcst as cst

from nbjudge.vet.tree import Cell, walk

COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_SEQUENCES = (cst.Tuple, cst.List, cst.Element, cst.StarredElement)
_BINDS = {
    cst.AssignTarget: "target",
    cst.AnnAssign: "target",
    cst.AugAssign: "target",
    cst.For: "target",
    cst.CompFor: "target",
    cst.NamedExpr: "target",
    cst.AsName: "name",
}
_ELSEWHERE = (cst.ImportAlias, cst.NameItem, cst.Param, cst.FunctionDef, cst.ClassDef)


def variables(cell: Cell, within: cst.CSTNode) -> list[cst.Name]:
    """The names in a node that stand for variables, not for attributes, keywords or parameters."""
    return [node for node in cell.all(cst.Name, within=within) if _is_variable(cell, node)]


def _is_variable(cell: Cell, node: cst.Name) -> bool:
    parent = cell.parents[node]
    if isinstance(parent, cst.Attribute):
        return parent.value is node
    if isinstance(parent, cst.Arg):
        return parent.value is node
    if isinstance(parent, cst.Param):
        return parent.default is node
    if isinstance(parent, cst.AsName):
        return not isinstance(cell.parents[parent], cst.ImportAlias)
    return not isinstance(parent, _ELSEWHERE)


def binder(cell: Cell, node: cst.CSTNode) -> cst.CSTNode | None:
    """The assignment target, loop, `with` item or comprehension that binds this name; or None."""
    parent = cell.parents[node]
    while isinstance(parent, _SEQUENCES):
        node, parent = parent, cell.parents[parent]
    field = _BINDS.get(type(parent))
    return parent if field and getattr(parent, field) is node else None


def reads(cell: Cell, within: cst.CSTNode) -> list[cst.Name]:
    """The variables that a node reads; `x += 1` reads `x` too."""
    found = [(node, binder(cell, node)) for node in variables(cell, within)]
    return [node for node, how in found if how is None or isinstance(how, cst.AugAssign)]


def binds(cell: Cell, within: cst.CSTNode) -> list[cst.Name]:
    """The variables that a node binds, those of comprehensions among them."""
    return [node for node in variables(cell, within) if binder(cell, node) is not None]


def parameters(function: cst.FunctionDef | cst.Lambda) -> list[str]:
    """The names of all parameters in their order."""
    return [node.name.value for node in walk(function.params) if isinstance(node, cst.Param)]


def locals_of(cell: Cell, function: cst.FunctionDef) -> list[str]:
    """The variables that a function's own statements bind, each once.

    Parameters are not among them, nor what only a comprehension binds.
    """
    found = [
        node.value
        for node in binds(cell, function.body)
        if not isinstance(binder(cell, node), cst.CompFor) and cell.function(node) is function
    ]
    return [name for name in dict.fromkeys(found) if name not in parameters(function)]


def names(cell: Cell) -> set[str]:
    """Every name in the cell, whatever it stands for."""
    return {node.value for node in cell.all(cst.Name)}


def fresh(cell: Cell, *wishes: str) -> str:
    """The first of `wishes` that the cell does not use, or the last one with a number after it."""
    taken = names(cell)
    counted = (f"{wishes[-1]}_{count}" for count in range(2, len(taken) + 3))
    return next(name for name in (*wishes, *counted) if name not in taken)
