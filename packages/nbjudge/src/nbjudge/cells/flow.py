"""Which names a cell takes from outside: definite assignment over its top-level statements."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterable, Iterator
from types import CodeType

_GLOBAL_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "DELETE_GLOBAL"}


def free_names(tree: ast.Module) -> set[str]:
    """The names that running ``tree`` loads and that it has not surely bound itself before.

    What a function's body loads counts from where its name is first used, since it cannot be
    called before; a name bound only on some ways through the cell is not surely bound.
    """
    flow = _Flow()
    try:
        flow.run(tree.body)
        flow.finish()
    except RecursionError:  # an expression of hundreds of terms
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        return {node.id for node in names if not isinstance(node.ctx, ast.Store)}
    return flow.free


def surely_bound(tree: ast.Module) -> set[str]:
    """The names that ``tree`` has bound at top level once it has run to its end."""
    flow = _Flow()
    try:
        flow.run(tree.body)
    except RecursionError:
        return set()
    return flow.bound or set()


def code_objects(code: CodeType) -> Iterator[CodeType]:
    """``code`` and all code inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def compiled(node: ast.stmt | ast.expr) -> CodeType | None:
    """The code of a statement or an expression by itself; ``None`` if it has no meaning alone."""
    statement = ast.Expr(node) if isinstance(node, ast.expr) else node
    module = ast.fix_missing_locations(ast.Module([statement], []))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        code: CodeType = compile(module, "<cell>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return code


def _global_loads(node: ast.stmt | ast.expr) -> set[str]:
    """The names that a function, lambda or comprehension looks up outside of itself."""
    found: set[str] = set()
    code = compiled(node)
    for part in code_objects(code) if code else ():
        instructions = list(dis.get_instructions(part))
        loads = {item.argval for item in instructions if item.opname in _GLOBAL_LOADS}
        # In a class body a name may be the class's own.
        stores = {item.argval for item in instructions if item.opname == "STORE_NAME"}
        found |= loads - stores
    return found - {"__class__"}


def called_loads(node: ast.stmt) -> set[str]:
    """The names that a function or class looks up outside of itself once it is called."""
    code = compiled(node)
    parts = list(code_objects(code))[1:] if code else []
    instructions = [item for part in parts for item in dis.get_instructions(part)]
    return {item.argval for item in instructions if item.opname == "LOAD_GLOBAL"}


def _walrus_names(node: ast.AST) -> set[str]:
    return {item.target.id for item in ast.walk(node) if isinstance(item, ast.NamedExpr)}


class _Flow(ast.NodeVisitor):
    """``bound`` is ``None`` where no run can come to, as behind a ``raise``."""

    def __init__(self) -> None:
        self.free: set[str] = set()
        self.bound: set[str] | None = set()
        self._deferred: dict[str, set[str]] = {}
        self._class_names: list[set[str]] = []
        self._class_loads: list[set[str]] = []

    def run(self, statements: Iterable[ast.AST]) -> None:
        for statement in statements:
            self.visit(statement)

    def finish(self) -> None:
        """Functions that were not used may yet be, by a later cell."""
        while self._deferred:
            self._use(next(iter(self._deferred)))

    # Names

    def _load(self, name: str) -> None:
        if any(name in names for names in self._class_names):
            return
        if self.bound is not None and name not in self.bound:
            self.free.add(name)
        self._use(name)

    def _use(self, name: str) -> None:
        for needed in self._deferred.pop(name, ()):
            self._load(needed)

    def _bind(self, name: str) -> None:
        if self._class_names:
            self._class_names[-1].add(name)
        elif self.bound is not None:
            self.bound.add(name)

    def _branch(self, statements: Iterable[ast.AST], start: set[str] | None) -> set[str] | None:
        self.bound = None if start is None else set(start)
        self.run(statements)
        return self.bound

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
            return
        self._load(node.id)
        if isinstance(node.ctx, ast.Del) and self.bound is not None and not self._class_names:
            self.bound.discard(node.id)

    # Expressions that bind, or that are not run as a whole

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        after = None if self.bound is None else set(self.bound)
        self.run(node.values[1:])
        self.bound = after

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        start = self.bound
        self.bound = _join(self._branch([node.body], start), self._branch([node.orelse], start))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for name in sorted(_global_loads(node)):
            self._load(name)

    def _comprehension(self, node: ast.expr) -> None:
        for name in sorted(_global_loads(node) - _walrus_names(node)):
            self._load(name)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # Statements

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        self.run(node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._load(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        now = [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults, node.returns]
        now += [argument.annotation for argument in every]
        self.run(part for part in now if part is not None)
        loads = _global_loads(_without_signature(node))
        self._bind(node.name)
        if self._class_names:
            self._class_loads[-1] |= loads
        elif node.decorator_list:
            for name in sorted(loads):
                self._load(name)
        else:
            self._deferred[node.name] = self._deferred.get(node.name, set()) | loads

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.run([*node.decorator_list, *node.bases, *node.keywords])
        self._class_names.append({"__module__", "__qualname__", "__annotations__"})
        self._class_loads.append(set())
        self.run(node.body)
        self._class_names.pop()
        loads = self._class_loads.pop()
        self._bind(node.name)
        if self._class_names:
            self._class_loads[-1] |= loads
        else:
            self._deferred[node.name] = self._deferred.get(node.name, set()) | loads
            if node.decorator_list:
                self._use(node.name)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None:
            after = None if self.bound is None else set(self.bound)
            self.visit(node.msg)
            self.bound = after

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        start = self.bound
        self.bound = _join(self._branch(node.body, start), self._branch(node.orelse, start))

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        start = None if self.bound is None else set(self.bound)
        self.visit(node.target)
        self._loop(node, start)

    visit_For = visit_AsyncFor = _for

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._loop(node, None if self.bound is None else set(self.bound))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: set[str] | None) -> None:
        """The body may have run not once; only a ``break`` passes by the ``else``."""
        self.run(node.body)
        after = self._branch(node.orelse, start)
        breaks = any(isinstance(inner, ast.Break) for part in node.body for inner in ast.walk(part))
        self.bound = _join(after, start) if breaks else after

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        start = None if self.bound is None else set(self.bound)
        after = self._branch([*node.body, *node.orelse], start)
        for handler in node.handlers:
            after = _join(after, self._branch([handler], start))
        before_last = self._branch(node.finalbody, start)
        if before_last is None or after is None:
            self.bound = None
        else:
            self.bound = after | before_last

    visit_Try = visit_TryStar = _try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self._bind(node.name)
        self.run(node.body)
        if node.name and self.bound is not None:
            self.bound.discard(node.name)

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.visit(node.optional_vars)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = None if self.bound is None else set(self.bound)
        after = start
        for case in node.cases:
            after = _join(after, self._branch([case], start))
        self.bound = after

    def visit_match_case(self, node: ast.match_case) -> None:
        self.visit(node.pattern)
        if node.guard is not None:
            self.visit(node.guard)
        self.run(node.body)

    def _pattern(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self._bind(node.name)

    visit_MatchAs = visit_MatchStar = _pattern

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        self.bound = None

    def _jump(self, node: ast.Break | ast.Continue | ast.Return) -> None:
        self.generic_visit(node)
        self.bound = None

    visit_Break = visit_Continue = visit_Return = _jump


def _join(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _without_signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """The function without what is evaluated where it is defined."""
    given = node.args

    def bare(arguments: Iterable[ast.arg]) -> list[ast.arg]:
        return [ast.arg(argument.arg) for argument in arguments]

    arguments = ast.arguments(
        posonlyargs=bare(given.posonlyargs),
        args=bare(given.args),
        vararg=ast.arg(given.vararg.arg) if given.vararg else None,
        kwonlyargs=bare(given.kwonlyargs),
        kw_defaults=[None] * len(given.kwonlyargs),
        kwarg=ast.arg(given.kwarg.arg) if given.kwarg else None,
        defaults=[],
    )
    made = type(node)(name=node.name, args=arguments, body=node.body, decorator_list=[])
    return ast.copy_location(made, node)
