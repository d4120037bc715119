"""What a test may look at of a function's text: its source, and the code that Python makes of it.

The text is what the notebook's process says; it is compiled, and never run.
"""

from __future__ import annotations

import ast
import linecache
from types import CodeType


def code_of(source: str, ref: str) -> CodeType | None:
    """The code of the first function in ``source``; None where there is none.

    Afterwards `inspect` finds the text by the code's file name, made of ``ref``.
    """
    file = f"<function {ref} of the notebook>"
    try:
        tree = ast.parse(source)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        first = next((node for node in ast.walk(tree) if isinstance(node, kinds)), None)
        code = compile(tree, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    name = getattr(first, "name", "<lambda>")
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return next((part for part in inner if part.co_name == name), None)
