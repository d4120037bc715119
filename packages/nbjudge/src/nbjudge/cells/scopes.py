"""Which nodes of a syntax tree run in one scope, and which names they bind there."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def within_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes and those inside them, without what runs in a scope of its own.

    Of a function, a class, a lambda and a comprehension, only what is evaluated where it stands.
    """
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [*_evaluated_here(node)][::-1]


def bound_by(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """The names that nodes bind in their own scope, each with the import that does it, or ""."""
    for node in within_scope(nodes):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, ""
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, ""
            case ast.ClassDef(name=name) | ast.MatchMapping(rest=str(name)):
                yield name, ""
            case ast.ExceptHandler(name=str(name)):
                yield name, ""
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, ""
            case ast.Import(names):
                for alias in names:
                    text = ast.unparse(ast.Import([alias]))
                    yield alias.asname or alias.name.split(".")[0], text
            case ast.ImportFrom(module, names, level):
                for alias in names:
                    if alias.name != "*":
                        text = ast.unparse(ast.ImportFrom(module, [alias], level))
                        yield alias.asname or alias.name, text


def globals_bound_by(node: ast.AST) -> Iterator[str]:
    """The names that functions and classes inside ``node`` declare global, and bind."""
    for inner in ast.walk(node):
        if isinstance(inner, (*FUNCTIONS, ast.ClassDef)):
            declared = declared_in(inner.body, ast.Global)
            yield from sorted(declared & {name for name, _ in bound_by(inner.body)})


def globals_deleted_by(node: ast.AST) -> Iterator[str]:
    """The names that functions and classes inside ``node`` declare global, and delete."""
    for inner in ast.walk(node):
        if isinstance(inner, (*FUNCTIONS, ast.ClassDef)):
            declared = declared_in(inner.body, ast.Global)
            yield from (name for name in unbound_by(inner.body) if name in declared)


def unbound_by(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that nodes delete in their own scope."""
    for node in within_scope(nodes):
        match node:
            case ast.Name(id=name, ctx=ast.Del()) | ast.ExceptHandler(name=str(name)):
                yield name


def declared_in(nodes: Iterable[ast.AST], kind: type[ast.Global | ast.Nonlocal]) -> set[str]:
    """The names that nodes declare ``global`` or ``nonlocal`` in their own scope."""
    return {name for node in within_scope(nodes) if isinstance(node, kind) for name in node.names}


def locals_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The names that Python keeps in the function itself: parameters, and what it binds."""
    given = node.args
    found = {argument.arg for argument in parameters(given)}
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    found |= {name for name, _ in bound_by(body)} | {*unbound_by(body)}
    for inner in within_scope(body):
        match inner:
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found - declared_in(body, ast.Global) - declared_in(body, ast.Nonlocal)


def parameters(given: ast.arguments) -> list[ast.arg]:
    """All parameters."""
    packed = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *packed]


def defaults(given: ast.arguments) -> list[ast.expr]:
    """What is evaluated where the function is defined, annotations apart."""
    return [*given.defaults, *(value for value in given.kw_defaults if value is not None)]


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of a function's parameters and of its result."""
    every = [*(argument.annotation for argument in parameters(node.args)), node.returns]
    return [annotation for annotation in every if annotation is not None]


def type_parameters(node: ast.AST) -> dict[str, ast.AST]:
    """The ``[T]`` of a generic function, class or type by name, which Python has since 3.12."""
    return {parameter.name: parameter for parameter in getattr(node, "type_params", [])}


def _evaluated_here(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.decorator_list, *defaults(node.args), *annotations_of(node)]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *node.keywords]
        case ast.Lambda():
            return defaults(node.args)
        case ast.AnnAssign(target=ast.Name(), value=None):
            return [node.annotation]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return [node.generators[0].iter, *_walrus_targets(node)]
        case _:
            return ast.iter_child_nodes(node)


def _walrus_targets(comprehension: ast.expr) -> Iterator[ast.Name]:
    """What ``:=`` binds in a comprehension belongs to the scope that it stands in."""
    waiting: list[ast.AST] = [comprehension]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.NamedExpr):
            yield node.target
        if not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
