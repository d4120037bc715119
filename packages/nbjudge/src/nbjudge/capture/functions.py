"""Functions stay where they are; what is handed out is a name to call them by, and facts."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import EnumMeta
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbjudge.capture import exceptions, kept
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.kept import KeptObject
from nbjudge.capture.kinds import bases_of
from nbjudge.capture.operations import OPERATIONS
from nbjudge.capture.places import LONGEST, place_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

# Classes that are values of their own, such as what `type(x)` gives; calling them is harmless.
_PLAIN_CLASSES: dict[type, str] = {
    kind: kind.__name__
    for kind in (
        type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset,
        dict, range, slice, object,
    )
}  # fmt: skip
_NUMPY_CLASSES = {
    "ndarray", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128", "str_", "bytes_", "datetime64",
    "timedelta64",
}  # fmt: skip
_KINDS = tuple(kind.name for kind in inspect._ParameterKind)
_TEXT = 20_000
_PARAMETERS = 200


@dataclass(frozen=True)
class ParameterFacts:
    """One parameter. ``default`` is None where ``has_default`` is false or it is no plain value;
    ``default_is_plain`` tells these apart from a default None."""

    name: str
    kind: str
    has_default: bool = False
    default: Any = None
    default_is_plain: bool = False


@dataclass(frozen=True)
class FunctionFacts:
    """What is known of a function without calling it.

    ``ref`` is how to call it; ``parameters`` is None where Python does not know them (some of
    numpy's own functions). ``place`` is where it says it was imported from, as in ``places``;
    ``kinds`` are a class's number and those of its bases. ``source`` is its text as the notebook's
    own process tells it, "" for what has none there; ``annotations`` are those that are classes
    of Python's or numpy's, None where others are among them. ``is_enumeration``: a class that has
    members, as those of ``enum``.
    """

    ref: str
    name: str
    qualname: str
    doc: str | None
    parameters: tuple[ParameterFacts, ...] | None
    is_class: bool
    place: str = ""
    kinds: tuple[int, ...] = ()
    source: str = ""
    annotations: Mapping[str, Any] | None = None
    is_enumeration: bool = False


@dataclass
class _State:
    """What all tables of one notebook share."""

    calls: dict[str, int] = field(default_factory=dict)
    randomness: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Any] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    numbered: list[Any] = field(default_factory=list)
    root: Path = field(default_factory=Path)
    namespace: dict[str, Any] = field(default_factory=dict)
    ask: Callable[[int, bytes], bytes] | None = None


class FunctionTable:
    """The functions and objects that were handed out, by reference; in the student's process.

    References are made of a prefix and of the function's place in what was handed out, so the
    same notebook gives the same references every time. ``ask`` has a function of the test's called
    by the judge, with its number and the arguments.
    """

    def __init__(self, prefix: str = "", state: _State | None = None) -> None:
        self.prefix = prefix
        self._state = state or _State()

    @property
    def randomness(self) -> dict[str, Any]:
        """Where the random numbers of the test's seed go on."""
        return self._state.randomness

    @property
    def ask(self) -> Callable[[int, bytes], bytes] | None:
        """How to have a function of the test's called; None where nobody listens."""
        return self._state.ask

    @ask.setter
    def ask(self, ask: Callable[[int, bytes], bytes] | None) -> None:
        self._state.ask = ask

    @property
    def root(self) -> Path:
        """The working folder that the notebook began in."""
        return self._state.root

    @root.setter
    def root(self, root: Path) -> None:
        self._state.root = root

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's global names."""
        return self._state.namespace

    @namespace.setter
    def namespace(self, namespace: dict[str, Any]) -> None:
        self._state.namespace = namespace

    def under(self, prefix: str) -> FunctionTable:
        """The same table for what is handed out under ``prefix``, such as "test_a/describe"."""
        return FunctionTable(prefix, self._state)

    def next_call(self, ref: str) -> str:
        """The prefix for what the next call of ``ref`` hands out."""
        number = self._state.calls[ref] = self._state.calls.get(ref, -1) + 1
        return f"{ref}()#{number}"

    def number_of(self, value: Any) -> int:
        """The number of an object, the same for the same object, which is kept."""
        number = self._state.numbers.setdefault(id(value), len(self._state.numbered))
        if number == len(self._state.numbered):
            self._state.numbered.append(value)
        return number

    def keep(self, path: str, function: Any) -> str:
        """Keep ``function``, or any other object; gives its reference.

        ``path`` is where it was found, "" for the value itself.
        """
        ref = "/".join(part for part in (self.prefix, path) if part) or "value"
        self._state.functions[ref] = function
        return ref

    def get(self, ref: str) -> Callable[..., Any]:
        """The function of a reference, or what one of ``operations`` does. Raises ``KeyError``."""
        name = ref.removeprefix("operation/")
        if name != ref and name in OPERATIONS:
            return OPERATIONS[name]
        found: Callable[..., Any] = self._state.functions[ref]
        return found

    def node(self, path: str, function: Callable[..., Any]) -> list[Any]:
        """The node of ``function``, which is kept from now on."""
        number = getattr(function, "number", None)
        if type(function).__name__ == "TestFunction" and type(number) is int:
            return ["callback", number]
        if isinstance(function, type) and issubclass(function, BaseException):
            return ["exception_class", *exceptions.class_node(self, function)]
        return ["function", _facts_node(self.keep(path, function), function, self)]


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a callable; the encoder's ``functions`` says what becomes of it."""
    if isinstance(value, KeptObject):
        return encoder.node_of_function(value)
    if not callable(value):
        return None
    if name := _class_name(value):
        return ["class", name]
    # What a function decorated by ``contextmanager`` gives can be called, too.
    is_own = kind.__module__ == "__main__" or hasattr(kind, "__enter__")
    if is_own and not isinstance(value, type) and hasattr(encoder.functions, "keep"):
        words = f"an object of the class {kind.__name__} cannot be handed out{encoder.place()}"
        return kept.node(encoder, value, kind, words)
    if encoder.functions is None:
        raise NotHandedOut(f"a function cannot be handed out here{encoder.place()}")
    return encoder.node_of_function(value)


def _class_name(value: Any) -> str:
    """The name of a class that is a value; "" for anything else."""
    if type(value) is not type:
        return ""
    return _PLAIN_CLASSES.get(value) or (f"numpy.{value.__name__}" if _is_numpy(value) else "")


def _class_of(name: Any) -> type:
    known = {place: value for value, place in _PLAIN_CLASSES.items()}
    if type(name) is str and name.startswith("numpy."):
        import numpy

        found: type | None = getattr(numpy, name[6:]) if name[6:] in _NUMPY_CLASSES else None
    else:
        found = known.get(name)
    if found is None:
        raise Damaged("an unknown class")
    return found


def facts_hook(make: Callable[[FunctionFacts], Any]) -> Callable[..., Any]:
    """A decoder's hook for function nodes, which calls ``make`` with the facts."""

    def function(decoder: Decoder, facts: Any) -> Any:
        return make(_facts(facts))

    return function


def name_of(function: Any) -> str | None:
    """The function's name; None where it has none."""
    return _text(function, "__name__")


def _is_numpy(value: type) -> bool:
    return value.__module__ == "numpy" and value.__name__ in _NUMPY_CLASSES


def _facts_node(ref: str, function: Callable[..., Any], table: FunctionTable) -> dict[Any, Any]:
    kind = type(function)
    name = name_of(function) or kind.__name__
    return {
        "ref": ref,
        "name": name,
        "qualname": _text(function, "__qualname__") or name,
        "doc": _text(function, "__doc__"),
        "parameters": _parameters(function),
        "is_class": issubclass(kind, type),
        "place": place_of(function),
        "source": _source(function),
        "annotations": _annotations(function),
        "is_enumeration": issubclass(kind, EnumMeta),
        "kinds": [table.number_of(base) for base in bases_of(function) if base is not object][:50]
        if isinstance(function, type)
        else [],
    }


def _text(function: Any, attribute: str) -> str | None:
    try:
        text = getattr(function, attribute, None)
    except Exception:
        return None
    return text[:_TEXT] if type(text) is str else None


def _source(function: Any) -> str:
    """The text of a function that the notebook defines; "" for others."""
    if type(function) is not FunctionType or function.__module__ != "__main__":
        return ""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except Exception:  # made by exec, or its cell is forgotten
        return ""
    return text if _is_clean(text) else ""


def _is_clean(text: str) -> bool:
    return len(text) <= _TEXT and text.encode("utf-8", "ignore").decode() == text


def _annotations(function: Any) -> dict[str, str] | None:
    """The names of the classes that annotations are; None where one is anything else."""
    try:
        found = dict(inspect.get_annotations(function))
    except Exception:
        return None
    names = {str(name): _class_name(value) for name, value in found.items()}
    names |= {name: "NoneType" for name, value in found.items() if value is None}
    return names if all(names.values()) and len(names) <= _PARAMETERS else None


def _parameters(function: Callable[..., Any]) -> list[Any] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
        if len(parameters) > _PARAMETERS:
            return None
        return [
            [
                str(parameter.name),
                parameter.kind.name,
                parameter.default is not inspect.Parameter.empty,
                *_default(parameter.default),
            ]
            for parameter in parameters
        ]
    except Exception:
        return None


def _default(value: Any) -> list[Any]:
    """``[True, value]`` for what JSON holds and is unchanging, else ``[False, None]``."""
    if value is None or type(value) in (bool, float):
        return [True, value]
    if type(value) is int and abs(value) < 2**63 or type(value) is str and len(value) <= 1000:
        return [True, value]
    if type(value) is tuple and len(value) <= 20:
        items = [_default(item) for item in value if type(item) is not tuple]
        if len(items) == len(value) and all(plain for plain, _ in items):
            return [True, list(value)]
    return [False, None]


def _facts(node: Any) -> FunctionFacts:
    if type(node) is not dict:
        raise Damaged("no facts of a function")
    ref, name, qualname = texts = [node.get(key, "") for key in ("ref", "name", "qualname")]
    doc, parameters = node.get("doc"), node.get("parameters")
    if not all(type(text) is str and len(text) <= _TEXT for text in texts):
        raise Damaged("a function without a name")
    if doc is not None and (type(doc) is not str or len(doc) > _TEXT):
        raise Damaged("no docstring")
    if parameters is not None:
        if type(parameters) is not list or len(parameters) > _PARAMETERS:
            raise Damaged("no parameters")
        parameters = tuple(map(_parameter, parameters))
    kinds = node.get("kinds", [])
    if type(kinds) is not list or len(kinds) > 50 or not all(type(n) is int for n in kinds):
        raise Damaged("no classes")
    place = node.get("place", "")
    if type(place) is not str or len(place) > LONGEST:
        raise Damaged("no place")
    source = node.get("source", "")
    if type(source) is not str or len(source) > _TEXT:
        raise Damaged("no source")
    return FunctionFacts(
        ref,
        name,
        qualname,
        doc,
        parameters,
        node.get("is_class") is True,
        place,
        tuple(kinds),
        source,
        _classes(node.get("annotations")),
        node.get("is_enumeration") is True,
    )


def _classes(annotations: Any) -> dict[str, Any] | None:
    """The classes of annotations, by name. A text would be evaluated by who asks for types."""
    if annotations is None:
        return None
    if type(annotations) is not dict or len(annotations) > _PARAMETERS:
        raise Damaged("no annotations")
    if not all(type(name) is str and name.isidentifier() for name in annotations):
        raise Damaged("annotations without names")
    return {
        name: None if text == "NoneType" else _class_of(text) for name, text in annotations.items()
    }


def _parameter(node: Any) -> ParameterFacts:
    if type(node) is not list or len(node) != 5:
        raise Damaged("no parameter")
    name, kind, has_default, plain, default = node
    if type(name) is not str or not name.isidentifier() or kind not in _KINDS:
        raise Damaged("no parameter")
    if type(default) is list:
        default = tuple(default)
        if any(type(item) in (list, dict) for item in default):
            raise Damaged("no default")
    elif type(default) is dict:
        raise Damaged("no default")
    return ParameterFacts(name, kind, has_default is True, default, plain is True)


DECODERS = {"class": lambda decoder, name: _class_of(name)}
