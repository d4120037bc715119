"""Plain ``assert`` statements that tell values when they fail, without the test's text.

An assert is rewritten so that each operand passes through a recorder when Python evaluates it:
once, in Python's own order, and not at all where Python would not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container, Iterable
from typing import Any

from nbjudge.judge.asserted import Node, Record
from nbjudge.judge.discreet import kind_of_failure
from nbjudge.judge.explain import explain
from nbjudge.judge.withheld import withholds

# No identifier, so no notebook can have it; looked up among the builtins by rewritten code.
_HELPER = "@nbjudge"
RECORD = "@nbjudge_record"


class Helper:
    """What rewritten code calls; one for all cells of a process."""

    def __init__(self) -> None:
        self._trees: list[Node] = []

    def add(self, tree: Node) -> int:
        """The number of a new asserted expression."""
        self._trees.append(tree)
        return len(self._trees) - 1

    def record(self, number: int) -> Record:
        """A record for one evaluation."""
        return Record(self._trees[number])

    def failure(self, record: Record, *message: Any) -> AssertionError:
        """The error for an assert that does not hold, with its own ``message`` if it has one."""
        told = kind_of_failure(record) if withholds() else explain(record)
        own = str(message[0]).strip() if message and message[0] is not None else ""
        if not own:
            return AssertionError(told)
        # A literal says nothing, and a long second line would hide the test's own words.
        if record.tree.kind == "constant" or len(told) > 200 or "\n" in told:
            return AssertionError(message[0])
        return AssertionError(f"{own}\n({told})")


class TellValues(ast.NodeTransformer):
    """Rewrites every assert of a cell; for ``InteractiveShell.ast_transformers``."""

    def __init__(self) -> None:
        self._helper = Helper()
        self._own: set[str] = set()
        setattr(builtins, _HELPER, self._helper)

    def begin(self, own: Iterable[str]) -> None:
        """A cell begins in which the names ``own`` stand for values of the student's."""
        self._own = set(own)

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """What is bound to a student's value is the student's, too; to another, no longer."""
        names = {
            part.id
            for target in node.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        self._own = self._own | names if is_own(node.value, self._own) else self._own - names
        return node

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        """The statements in place of one assert."""
        maker = _Maker(self._own)
        tree, test = maker.asserted(node.test)
        number = self._helper.add(tree)
        arguments = [ast.Name(RECORD, ast.Load())] + ([node.msg] if node.msg else [])
        made: list[ast.stmt] = [
            ast.Assign(
                [ast.Name(RECORD, ast.Store())], _helper_call("record", ast.Constant(number))
            ),
            ast.If(
                ast.UnaryOp(ast.Not(), test),
                [ast.Raise(_helper_call("failure", *arguments), None)],
                [],
            ),
            # The values may be large.
            ast.Delete([ast.Name(RECORD, ast.Del())]),
        ]
        for statement in made:
            for part in ast.walk(statement):
                if "lineno" in part._attributes and not hasattr(part, "lineno"):
                    ast.copy_location(part, node)
        return made


def _helper_call(method: str, *arguments: ast.expr) -> ast.expr:
    function = ast.Attribute(ast.Name(_HELPER, ast.Load()), method, ast.Load())
    return ast.Call(function, list(arguments), [])


class _Maker:
    """Makes of one asserted expression a ``Node`` and the code that records its values."""

    def __init__(self, own: Container[str]) -> None:
        self._places = 0
        self._own = own

    def asserted(self, expression: ast.expr) -> tuple[Node, ast.expr]:
        match expression:
            case ast.Compare():
                return self._compare(expression)
            case ast.BoolOp(operator, values):
                node = Node("and" if isinstance(operator, ast.And) else "or")
                code = []
                for value in values:
                    part, seen = self.asserted(value)
                    if part.place < 0:
                        part.place, seen = self._seen(seen)
                    node.parts.append(part)
                    code.append(seen)
                return node, ast.BoolOp(operator, code)
            case ast.UnaryOp(ast.Not(), operand):
                part, seen = self.asserted(operand)
                return Node("not", parts=[part]), ast.UnaryOp(ast.Not(), seen)
            case ast.Call():
                return self._call(expression)
            case ast.Constant():
                return Node("constant"), expression
        return self._value(expression)

    def _seen(self, code: ast.expr) -> tuple[int, ast.expr]:
        place = self._places
        self._places += 1
        see = ast.Attribute(ast.Name(RECORD, ast.Load()), "see", ast.Load())
        return place, ast.Call(see, [ast.Constant(place), code], [])

    def _value(self, expression: ast.expr) -> tuple[Node, ast.expr]:
        place, code = self._seen(expression)
        node = Node("value", place, is_literal=_is_literal(expression))
        node.is_own = is_own(expression, self._own)
        return node, code

    def _operand(self, expression: ast.expr) -> tuple[Node, ast.expr]:
        if isinstance(expression, ast.Call):
            return self._call(expression)
        return self._value(expression)

    def _compare(self, expression: ast.Compare) -> tuple[Node, ast.expr]:
        names = [type(operator).__name__ for operator in expression.ops]
        made = [self._operand(item) for item in (expression.left, *expression.comparators)]
        first, *rest = [code for _, code in made]
        node = Node("compare", parts=[part for part, _ in made], operators=names)
        return node, ast.Compare(first, expression.ops, rest)

    def _call(self, expression: ast.Call) -> tuple[Node, ast.expr]:
        """A call; a comparison inside of it, as in ``(a == b).all()``, tells its values too."""
        function: ast.expr = expression.func
        parts: list[Node] = []
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Compare):
            part, code = self._compare(function.value)
            parts.append(part)
            function = ast.Attribute(code, function.attr, function.ctx)
        place, function = self._seen(function)
        arguments = []
        for argument in expression.args:
            if isinstance(argument, ast.Starred):
                part, code = self._value(argument.value)
                code = ast.Starred(code, argument.ctx)
            elif isinstance(argument, ast.Compare):
                part, code = self._compare(argument)
            else:
                part, code = self._value(argument)
            parts.append(part)
            arguments.append(code)
        keywords = []
        for keyword in expression.keywords:
            part, code = self._value(keyword.value)
            parts.append(part)
            keywords.append(ast.keyword(keyword.arg, code))
        callee = Node("value", place)
        result, code = self._seen(ast.Call(function, arguments, keywords))
        own = is_own(expression, self._own)
        return Node("call", result, [callee, *parts], is_own=own), code


# What these make of a student's value is as much the student's.
_KEEPING = {"len", "type", "str", "int", "float", "bool", "repr", "sum", "min", "max", "round"}
_KEEPING |= {"sorted", "list", "tuple", "set", "dict"}


def is_own(expression: ast.expr, own: Container[str]) -> bool:
    """Whether an expression is made of the names ``own`` alone, or calls one of them."""
    match expression:
        case ast.Name(name):
            return name in own
        case ast.Attribute(value):
            return is_own(value, own)
        case ast.Subscript(value, index):
            return is_own(value, own) and (_is_literal(index) or is_own(index, own))
        case ast.Call(ast.Name(name)) if name in own:
            return True
        case ast.Call(ast.Name(name), [argument], []) if name in _KEEPING:
            return is_own(argument, own)
        case ast.Call(ast.Attribute(value), [], []):
            return is_own(value, own)
    return False


def _is_literal(expression: ast.expr) -> bool:
    if isinstance(expression, (ast.Tuple, ast.List, ast.Set)):
        return all(map(_is_literal, expression.elts))
    if isinstance(expression, ast.Dict):
        return all(map(_is_literal, [*filter(None, expression.keys), *expression.values]))
    if isinstance(expression, ast.UnaryOp):
        return _is_literal(expression.operand)
    return isinstance(expression, ast.Constant)
