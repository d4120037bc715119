"""Objects that stay in the student's process: the judge has a name for them, and asks them there.

The node ``["kept", reference, whether it is true, class name, why it is not handed out, number,
numbers of its classes, special methods, place]``; the place is where it says that it was imported
from, as in ``places``. The same object has the same number as long as the
notebook runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.kinds import bases_of
from nbjudge.capture.operations import BINARY, UNARY, methods_of
from nbjudge.capture.places import place_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

_TEXT = 2000
_CLASSES = 50
_COMPARED = (
    "a {name} of the notebook can't be compared with a value of the test, or be calculated with: "
    "the answer would come from the student's own code; compare its attributes, or run the test in "
    "the student's kernel, by the line `### RUN IN STUDENT KERNEL`"
)


class KeptObject:
    """Stands for an object of the notebook."""

    __slots__ = ("_kept",)
    __hash__ = object.__hash__
    _kept: tuple[str, bool, str, str]

    def __init__(self, ref: str, is_true: bool, words: str, place: str) -> None:
        object.__setattr__(self, "_kept", (ref, is_true, words, place))

    def __bool__(self) -> bool:
        return self._kept[1]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the notebook>"


class RefusedObject(KeptObject):
    """An object of which nothing can be asked: whatever is raises why not."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __copy__(self) -> KeptObject:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> KeptObject:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        raise NotHandedOut(self._kept[2])


def _refuse(self: KeptObject, *arguments: Any) -> Any:
    raise NotHandedOut(self._kept[2])


for _name in (*UNARY, *BINARY):
    if _name not in ("repr", "str", "format", "hash", "bool", "call"):
        setattr(RefusedObject, f"__{_name}__", _refuse)


class RemoteObject(KeptObject):
    """An object whose attributes, methods and operators are asked in the student's process.

    ``operate(name, *arguments)`` does what ``operations`` has under that name. ``is_expected``
    says whether the test names one of the object's classes. Only then may it be compared or
    calculated with a value of the test's own: a function that is to give a number could otherwise
    give an object that says to be equal to everything.
    """

    __slots__ = ("_operate", "_is_expected")
    __hash__ = object.__hash__
    kinds: tuple[int, ...] = ()
    _operate: Callable[..., Any]
    _is_expected: Callable[[], bool]

    def __init__(
        self,
        kept: tuple[str, bool, str, str],
        operate: Callable[..., Any],
        is_expected: Callable[[], bool],
    ) -> None:
        super().__init__(*kept)
        object.__setattr__(self, "_operate", operate)
        object.__setattr__(self, "_is_expected", is_expected)

    def __getattr__(self, name: str) -> Any:
        if name == "__dict__":
            return self._operate("vars", self)
        if name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(name)
        return self._operate("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._operate("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._operate("delattr", self, name)

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._operate("dir", self)]

    def __copy__(self) -> Any:
        return self._operate("copy", self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._operate("deepcopy", self)

    def __reduce__(self) -> Any:
        raise TypeError("an object of the notebook stays in the student's kernel")


def _special(name: str) -> Callable[..., Any]:
    def method(self: RemoteObject, *args: Any, **kwargs: Any) -> Any:
        if name in BINARY and not (isinstance(args[0], RemoteObject) or self._is_expected()):
            raise NotHandedOut(_COMPARED.format(name=type(self).__name__))
        found = self._operate("special", self, name, args, kwargs)
        return found[0] if type(found) is list and found else NotImplemented

    method.__name__ = f"__{name}__"
    return method


def _next(self: RemoteObject) -> Any:
    found = self._operate("next", self)
    if type(found) is not list or not found:
        raise StopIteration
    return found[0]


def _exit(self: RemoteObject, kind: Any, error: Any, trace: Any) -> bool:
    name = None if kind is None else str(kind.__name__)
    return self._operate("exit", self, name, str(error)[:_TEXT]) is True


def _array(self: RemoteObject, dtype: Any = None, copy: Any = None) -> Any:
    """The plain array of it, whatever the class makes of comparisons."""
    found = self._operate("array", self)
    if type(found).__name__ != "ndarray":
        raise NotHandedOut(self._kept[2])
    return found if dtype is None else found.astype(dtype)


_SPECIAL: dict[str, Any] = {
    **{f"__{name}__": _special(name) for name in (*UNARY, *BINARY)},
    "__array__": _array,
    "__next__": _next,
    "__exit__": _exit,
}


@functools.lru_cache(1000)
def _remote_class(name: str, kinds: tuple[int, ...], methods: tuple[str, ...]) -> type:
    """The class of objects of one class of the notebook."""
    namespace = {f"__{method}__": _SPECIAL[f"__{method}__"] for method in methods}
    if "__eq__" in namespace and "__hash__" not in namespace:
        namespace["__hash__"] = None
    own = {"__slots__": (), "__module__": "__main__", "kinds": kinds}
    return type(name, (RemoteObject,), {**namespace, **own})


def ref_of(value: KeptObject) -> str:
    """The name by which the student's process knows it."""
    return value._kept[0]


def claimed_place_of(value: KeptObject) -> str:
    """Where it says that it was imported from, as in ``places``."""
    return value._kept[3]


def node(encoder: Encoder, value: Any, kind: type, words: str) -> list[Any]:
    """The node of an object that stays; raises ``NotHandedOut`` where nobody keeps it."""
    functions = encoder.functions
    keep = getattr(functions, "keep", None)
    if keep is None:
        raise NotHandedOut(words)
    bases = bases_of(kind)
    methods = methods_of(bases)
    try:
        is_true = bool(value)
    except Exception:
        if "bool" not in methods:
            raise NotHandedOut(words) from None
        is_true = True  # asked again where it matters, and raises there
    return [
        "kept",
        keep(encoder.path(), value),
        is_true,
        str(kind.__name__)[:200],
        words[:_TEXT],
        functions.number_of(value),
        [functions.number_of(base) for base in bases if base is not object][:_CLASSES],
        methods,
        place_of(value),
    ]


def _checked(node: Sequence[Any]) -> tuple[tuple[str, bool, str, str], str]:
    """The parts of a node that are known everywhere. Raises ``Damaged``."""
    if len(node) != 8:
        raise Damaged("an object of another form")
    ref, is_true, name, words, place = *node[:4], node[7]
    if not all(type(text) is str and len(text) <= 20_000 for text in (ref, name, words, place)):
        raise Damaged("an object without a name")
    name = name if name.isidentifier() and name != "RemoteFunction" else "object"
    return (ref, is_true is True, words, place), name


def remote_object(
    node: Sequence[Any], operate: Callable[..., Any], is_known: Callable[[int], bool]
) -> tuple[int, RemoteObject]:
    """The number of the object of a node, and what stands for it. Raises ``Damaged``."""
    kept, name = _checked(node)
    number, kinds, methods = node[4:7]
    if type(number) is not int or type(kinds) is not list or type(methods) is not list:
        raise Damaged("an object without a number")
    if len(kinds) > _CLASSES or not all(type(kind) is int for kind in kinds):
        raise Damaged("an object without a class")
    if not all(type(one) is str and f"__{one}__" in _SPECIAL for one in methods):
        raise Damaged("an object with unknown methods")
    made = _remote_class(name, tuple(kinds), tuple(methods))
    return number, made(kept, operate, lambda: any(is_known(kind) for kind in kinds))


def _decode(decoder: Decoder, *node: Any) -> KeptObject:
    """What stands for an object where nobody can be asked."""
    kept, name = _checked(node)
    kind: type[KeptObject] = type(name, (RefusedObject,), {"__slots__": ()})
    return kind(*kept)


DECODERS = {"kept": _decode}
