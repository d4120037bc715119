"""Exceptions cross as the names of their classes, their message and their plain arguments."""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbjudge.capture.errors import Damaged
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

_TEXT = 20_000
_ARGUMENTS = 20
# By these the judge tells exceptions of its own kinds.
_NOT_TOLD = ("_", "is_", "measured")
_PLAIN = (type(None), bool, float, str, int)
# By module and name, as in "re.error".
_OF_LIBRARIES = {
    f"{module}.{name}": (module, name)
    for module, names in {
        "numpy.linalg": "LinAlgError",
        "numpy.exceptions": "AxisError DTypePromotionError VisibleDeprecationWarning",
        "json": "JSONDecodeError",
        "decimal": "InvalidOperation DivisionByZero",
        "statistics": "StatisticsError",
        "subprocess": "CalledProcessError TimeoutExpired",
        "binascii": "Error",
        "csv": "Error",
        "re": "error",
        "struct": "error",
        "zlib": "error",
        "pandas.errors": "MergeError ParserError EmptyDataError IndexingError OutOfBoundsDatetime "
        "UndefinedVariableError",
    }.items()
    for name in names.split()
}
_BUILTIN = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
# These build something else from their arguments, or are not for a caller to meet.
_BY_MESSAGE = {"UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"}
_BY_MESSAGE |= {"BaseExceptionGroup", "ExceptionGroup", "KeyboardInterrupt", "GeneratorExit"}
# They would end a loop of the test's own, such as that of `all(map(function, …))`.
_BY_MESSAGE |= {"StopIteration", "StopAsyncIteration"}


def class_node(functions: Any, kind: type) -> tuple[list[str], list[int | None]]:
    """The names of a class of exceptions and its bases, with the numbers of those of a notebook.

    ``functions`` numbers them, if it can.
    """
    bases = [base for base in bases_of(kind) if base is not object][:50]
    number_of = getattr(functions, "number_of", None)
    names = [_name(base)[:200] for base in bases]
    numbers = [
        None
        if number_of is None or name in _OF_LIBRARIES or _BUILTIN.get(name) is base
        else number_of(base)
        for name, base in zip(names, bases, strict=True)
    ]
    return names, numbers


def class_of(known: dict[tuple[int, str], type[BaseException]], names: Any, numbers: Any) -> Any:
    """The class that ``class_node`` told; ``known`` are the notebook's own, by number and name.

    Raises ``Damaged``.
    """
    if not (type(names) is list and type(numbers) is list and 0 < len(names) == len(numbers) <= 50):
        raise Damaged("no class of exceptions")
    if not all(type(name) is str and len(name) <= 200 for name in names):
        raise Damaged("an exception without a class")
    if not all(number is None or type(number) is int for number in numbers):
        raise Damaged("an exception whose class has no number")
    if numbers[0] is None:
        return _kind(names)
    key = numbers[0], names[0]
    if key not in known:
        later = [i for i, n in enumerate(numbers) if i and (n is not None or _is_known(names[i]))]
        base = class_of(known, names[later[0] :], numbers[later[0] :]) if later else Exception
        name = names[0] if names[0].isidentifier() else "NotebookError"
        if not issubclass(base, Exception) or base.__name__ in _BY_MESSAGE:
            base = Exception
        known[key] = type(name, (base,), {"__module__": "__main__"})
    return known[key]


def exception_node(encoder: Encoder, error: BaseException) -> list[Any]:
    """``[names of the class and its bases, message, arguments or None, numbers, attributes]``.

    Attributes are those with plain values, for tests that look at more than the message.
    """
    names, numbers = class_node(encoder.functions, type(error))
    try:
        message = str(error)[:_TEXT]
    except Exception:
        message = ""
    own = getattr(error, "__dict__", None)
    found = [
        [name, encoder.node(value)]
        for name, value in list(own.items() if type(own) is dict else ())[:_ARGUMENTS]
        if type(name) is str and name.isidentifier() and not name.startswith(_NOT_TOLD)
        if type(value) in _PLAIN and len(repr(value)) <= _TEXT
    ]
    return [names, encoder.node(message), _arguments(encoder, error), numbers, found]


def exception_of(decoder: Decoder, node: Any) -> BaseException:
    """An exception that a caller can tell like the original. Raises ``Damaged``."""
    if type(node) is not list or len(node) != 5 or type(node[0]) is not list:
        raise Damaged("no exception")
    names, message, arguments, numbers, attributes = (
        node[0], decoder.value(node[1]), node[2], node[3], node[4],
    )  # fmt: skip
    if not names or len(names) > 50 or not all(type(n) is str and len(n) <= 200 for n in names):
        raise Damaged("an exception without a class")
    if type(message) is not str:
        raise Damaged("an exception without a message")
    args = None if arguments is None else tuple(decoder.values(arguments))
    make: Callable[..., Any] = decoder.hooks.get("exception_class", _decode_class)
    error = _made(make(decoder, names, numbers), message, args)
    if type(attributes) is not list or len(attributes) > _ARGUMENTS:
        raise Damaged("an exception with too many attributes")
    for name, value in attributes:
        if type(name) is not str or not name.isidentifier() or name.startswith(_NOT_TOLD):
            raise Damaged("an exception with an attribute of no name")
        setattr(error, name, decoder.value(value))
    return error


def _made(kind: type[BaseException], message: str, args: tuple[Any, ...] | None) -> BaseException:
    if args is not None and kind.__name__ not in _BY_MESSAGE:
        try:
            error = kind(*args)
        except TypeError:  # of a library, which wants other arguments
            return _with_message(kind, message)
        if type(error) is kind and str(error) == message:
            return error
    return _with_message(kind, message)


def _is_known(name: str) -> bool:
    return name in _BUILTIN or name in _OF_LIBRARIES


def _decode_class(decoder: Decoder, names: Any, numbers: Any) -> Any:
    return class_of({}, names, numbers)


def _name(kind: type) -> str:
    """The bare name of a class, or the whole one of a library's that is known here."""
    name = str(kind.__name__)
    for whole, (module, known) in _OF_LIBRARIES.items():
        if known == name and getattr(sys.modules.get(module), name, None) is kind:
            return whole
    return name


def _arguments(encoder: Encoder, error: BaseException) -> list[Any] | None:
    args = BaseException.__dict__["args"].__get__(error)
    if type(args) is not tuple or len(args) > _ARGUMENTS:
        return None
    if not all(type(a) in _PLAIN and len(repr(a)) <= _TEXT for a in args):
        return None
    return [encoder.node(a) for a in args]


def _kind(names: list[str]) -> type[BaseException]:
    first = names[0]
    if first in _BUILTIN:
        return _BUILTIN[first]
    if first in _OF_LIBRARIES:
        module, name = _OF_LIBRARIES[first]
        found: type[BaseException] = getattr(importlib.import_module(module), name)
        if {_name(kind) for kind in found.__mro__} <= {*names, "object"}:
            return found
    base = next((_BUILTIN[name] for name in names[1:] if name in _BUILTIN), Exception)
    if not issubclass(base, Exception) or base.__name__ in _BY_MESSAGE:
        base = Exception
    name = first if first.isidentifier() else "NotebookError"
    return type(name, (base,), {"__module__": "__main__"})


def _with_message(kind: type[BaseException], message: str) -> BaseException:
    """An exception of ``kind`` whose text is ``message``, whatever the class makes of it."""
    if kind.__name__ in _BY_MESSAGE:
        name = kind.__name__
        bases = [k for k in kind.__mro__ if k.__name__ not in _BY_MESSAGE]
        base = bases[0] if issubclass(bases[0], Exception) else Exception
        kind = type(name, (base,), {"__module__": "builtins"})
    told: type[BaseException] = type(
        kind.__name__, (kind,), {"__str__": lambda self: message, "__module__": kind.__module__}
    )
    error = told.__new__(told, message)
    error.args = (message,)
    return error


DECODERS = {"exception_class": _decode_class}
