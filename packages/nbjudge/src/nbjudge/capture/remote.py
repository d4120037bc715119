"""The judge's side of a call: what stands for a function of the notebook, and what it sends."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbjudge import adapters
from nbjudge.capture import exceptions
from nbjudge.capture.codec import guarded_decode, guarded_encode, opened
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.functions import FunctionFacts, ParameterFacts
from nbjudge.capture.kept import KeptObject, RemoteObject, claimed_place_of, ref_of
from nbjudge.capture.patches import cannot_patch
from nbjudge.capture.sources import code_of
from nbjudge.capture.tree import Decoder, Encoder

if TYPE_CHECKING:
    from nbjudge.capture.link import Link

DEFAULT_LIMIT = 100_000_000
_STAYS = (
    "a test can call {function} and read its name, docstring and signature, but not its {name}, "
    "which is in the student's kernel; an instructor can run the test there, by the line "
    "`### RUN IN STUDENT KERNEL`"
)


class RemoteFunction:
    """A function of the notebook, called like any other; it runs in the student's process.

    Arguments that it changes in place are changed here too, and an argument that it returns,
    also within a tuple or list, is the very object that was passed. What it printed goes to a
    stream that the test has put in the place of ``sys.stdout``. It raises what the function
    raised; ``NotHandedOut`` for a result that stays there; ``Damaged`` for a reply that is none;
    and what ``send`` raises.
    """

    def __init__(
        self,
        facts: FunctionFacts,
        send: Callable[[str, bytes], bytes],
        *,
        limit: int = DEFAULT_LIMIT,
        link: Link | None = None,
    ):
        """``send`` takes a reference and a request, and gives the reply; ``limit``: its bytes.

        ``link`` knows what else was handed out and in; without one there is nothing else.
        """
        if link is None:
            from nbjudge.capture.link import Link

            link = Link(send, limit=limit)
        self.facts, self._send, self._limit, self._link = facts, send, limit, link
        self.__name__, self.__qualname__ = facts.name, facts.qualname
        self.__doc__ = facts.doc
        signature = _signature(facts)
        if signature is not None:
            self.__signature__ = signature
        if facts.source:
            self.__module__ = "__main__"

    @property  # type: ignore[misc]  # object's own can be written to
    def __class__(self) -> type:
        """A function for ``isinstance`` and ``inspect``, where it has a text."""
        return FunctionType if self.facts.source else RemoteFunction

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function with these arguments; see the class for what comes of it."""
        message, given = encoded_call(args, kwargs, self._limit, self._link)
        reply = self._send(self.facts.ref, message)
        changes, outcome, error, printed, files = guarded_decode(lambda: self._read(reply, given))
        guarded_decode(lambda: self._link.take_files(files))
        # Only a test that listens hears it: elsewhere it would show the arguments of hidden tests.
        if not getattr(sys.stdout, "is_output_of_cell", False):
            sys.stdout.write(printed)
        for number, new in changes:
            guarded_decode(partial(_update, given[number], new))
        if error is not None:
            raise error
        return outcome

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts")
        if facts is not None and (known := _known(facts, name)) is not _UNKNOWN:
            return known
        if facts is not None and facts.is_class and name in _OF_CLASSES:
            return self._link.operate("getattr", self, name)
        is_special = name.startswith(("__", "_repr_", "_ipython_")) and name != "__wrapped__"
        if facts is None or is_special:
            own = facts.name if facts is not None else "it"
            raise AttributeError(_STAYS.format(name=name, function=own))
        return self._link.operate("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") or name in ("facts", "_send", "_limit", "_link"):
            object.__setattr__(self, name, value)
        else:
            self._link.operate("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._link.operate("delattr", self, name)

    def __instancecheck__(self, instance: Any) -> bool:
        """Whether ``instance`` is an object of this class of the notebook's."""
        if not self.facts.kinds:
            raise TypeError(f"{self.__name__} is no class")
        return isinstance(instance, RemoteObject) and self.facts.kinds[0] in instance.kinds

    def __subclasscheck__(self, other: Any) -> bool:
        """Whether ``other`` is this class or one that comes from it."""
        if not self.facts.kinds:
            raise TypeError(f"{self.__name__} is no class")
        kinds = other.facts.kinds if isinstance(other, RemoteFunction) else vars(other).get("kinds")
        return self.facts.kinds[0] in (kinds or ())

    def __eq__(self, other: object) -> bool:
        """The class that ``type(object)`` gives is this one."""
        if isinstance(other, RemoteFunction):
            return (
                self is other
                or self.facts.ref == other.facts.ref
                or (bool(self.facts.kinds) and self.facts.kinds == other.facts.kinds)
            )
        if self.facts.kinds and isinstance(other, type) and issubclass(other, RemoteObject):
            return other.kinds[:1] == self.facts.kinds[:1]
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.facts.kinds or self.facts.ref)

    def __repr__(self) -> str:
        kind = "class" if self.facts.is_class else "function"
        return f"<{kind} {self.facts.name} of the notebook>"

    def __copy__(self) -> RemoteFunction:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> RemoteFunction:
        return self

    def _read(
        self, reply: bytes, given: list[Any]
    ) -> tuple[list[Any], Any, BaseException | None, str, Any]:
        (changes, outcome, printed, *rest_of_it), buffers = opened(reply, self._limit)
        used: list[int] = []

        def argument(decoder: Decoder, number: Any) -> Any:
            if type(number) is not int or not 0 <= number < len(given):
                raise Damaged("no such argument")
            used.append(number)
            return given[number]

        def view(decoder: Decoder, number: Any, offset: Any, strides: Any, node: Any) -> Any:
            from nbjudge.capture.arrays import array_of, view_of

            return view_of(argument(decoder, number), offset, strides, array_of(decoder, node))

        hooks: dict[str, Callable[..., Any]] = {
            **self._link.hooks(),
            "arg": argument,
            "view": view,
        }
        decoder = Decoder(buffers, hooks)
        values, holds = [], {}
        for number, node in changes:
            argument(decoder, number)
            used.clear()
            values.append((number, decoder.value(node)))
            holds[number] = list(used)
        _require_no_cycle(holds)
        if type(printed) is not str:
            raise Damaged("what it printed is no text")
        form, rest = outcome
        result = error = None
        if form == "result":
            result = decoder.value(rest)
        elif form == "raised":
            error = exceptions.exception_of(decoder, rest)
        elif form == "refused" and type(rest) is str:
            error = NotHandedOut(rest[:20_000])
        else:
            raise Damaged("a reply of another form")
        files = decoder.value(rest_of_it[0]) if rest_of_it else {}
        return values, result, error, printed, files


class RemoteEnumeration(RemoteFunction):
    """A class of the notebook with members: they can be counted, looked up and gone through."""

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return int(self._asked("len"))

    def __iter__(self) -> Any:
        return iter(self._link.operate("members", self))

    def __getitem__(self, name: Any) -> Any:
        return self._asked("getitem", name)

    def __contains__(self, value: Any) -> bool:
        return self._asked("contains", value) is True

    def _asked(self, name: str, *arguments: Any) -> Any:
        found = self._link.operate("special", self, name, arguments, {})
        if type(found) is not list or not found:
            raise TypeError(f"{self.__name__} has no {name}")
        return found[0]


_UNKNOWN = object()
_OF_CLASSES = {"__bases__", "__mro__", "__members__"}


def _known(facts: FunctionFacts, name: str) -> Any:
    """An attribute of a function that is known without asking; ``_UNKNOWN`` for others."""
    if name == "__code__" and facts.source:
        found = code_of(facts.source, facts.ref)
        return _UNKNOWN if found is None else found
    if name == "__annotations__" and facts.annotations is not None:
        return dict(facts.annotations)
    if name in ("__defaults__", "__kwdefaults__") and facts.parameters is not None:
        only = name == "__kwdefaults__"
        given = [
            p for p in facts.parameters if p.has_default and (p.kind == "KEYWORD_ONLY") is only
        ]
        if facts.is_class or not all(p.default_is_plain for p in given):
            return _UNKNOWN
        values: Any = (
            {p.name: p.default for p in given} if only else tuple(p.default for p in given)
        )
        return values or None
    return _UNKNOWN


def claimed_place(value: object) -> str:
    """Where a stand-in says that its object was imported from; "" for other values."""
    if isinstance(value, RemoteFunction):
        return value.facts.place
    return claimed_place_of(value) if isinstance(value, KeptObject) else ""


class HandIn:
    """What becomes of functions among the arguments: names that the student's process knows.

    A function of the test's own gets a number from ``link``, and is called back.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def node(self, path: str, function: Any) -> list[Any]:
        """The node of a function or of an object of the notebook."""
        if isinstance(function, RemoteFunction):
            return ["own", function.facts.ref]
        if isinstance(function, KeptObject):
            return ["own", ref_of(function)]
        name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
        owner = getattr(function, "__objclass__", None)  # of a method like str.upper
        module = getattr(function, "__module__", None) or getattr(owner, "__module__", "numpy")
        try:
            if name and module not in ("__main__", None) and place_of(module, name) is function:
                return ["import", module, name]
        except (ImportError, AttributeError, TypeError, ValueError):
            pass
        if isinstance(function, type):
            raise NotHandedOut(
                f"a test cannot hand its own class {name or ''} to a student's function; mark the "
                "cell `### RUN IN STUDENT KERNEL`"
            )
        shown = getattr(function, "__name__", None)
        return ["callback", self._link.hand_in(function), shown if type(shown) is str else "f"]


def encoded_call(
    args: tuple[Any, ...], kwargs: dict[str, Any], limit: int, link: Link
) -> tuple[bytes, list[Any]]:
    """The bytes of a request, and the objects in it by their number."""
    encoder = Encoder(limit, HandIn(link), "an argument of the call")

    def work() -> bytes:
        positional = [encoder.node(value, str(i)) for i, value in enumerate(args)]
        keywords = [[name, encoder.node(value, name)] for name, value in kwargs.items()]
        given.extend(encoder.shared)
        told = [[name, _told_node(encoder, name, value)] for name, value in link.told()]
        return encoder.message([positional, keywords, *([told] if told else [])])

    given: list[Any] = []
    return guarded_encode(work, encoder.name), given


def _told_node(encoder: Encoder, name: str, value: Any) -> Any:
    try:
        return encoder.node(value)
    except NotHandedOut as error:
        if name != "patches":
            raise
        raise cannot_patch([place for place, _, _ in value], error) from None


def place_of(module: str, qualname: str) -> Any:
    """What is at a place of a module that is imported already, or can be."""
    value = sys.modules.get(module) or importlib.import_module(module)
    for part in qualname.split("."):
        value = getattr(value, part)
    return value


def _signature(facts: FunctionFacts) -> inspect.Signature | None:
    if facts.parameters is None:
        return None
    annotations = facts.annotations or {}
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    p.name,
                    getattr(inspect.Parameter, p.kind),
                    default=_default(p) if p.has_default else inspect.Parameter.empty,
                    annotation=annotations.get(p.name, inspect.Parameter.empty),
                )
                for p in facts.parameters
            ],
            return_annotation=annotations.get("return", inspect.Signature.empty),
        )
    except ValueError:
        return None


def _default(parameter: ParameterFacts) -> Any:
    return parameter.default if parameter.default_is_plain else ...


def _require_no_cycle(holds: dict[int, list[int]]) -> None:
    done: set[int] = set()
    for start in holds:
        stack: list[tuple[int, bool]] = [(start, False)]
        open_: set[int] = set()
        while stack:
            number, leave = stack.pop()
            if leave:
                open_.discard(number)
                done.add(number)
            elif number in open_:
                raise Damaged("an argument that contains itself")
            elif number not in done:
                open_.add(number)
                stack.append((number, True))
                stack += [(n, False) for n in holds.get(number, ())]


def _update(old: Any, new: Any) -> None:
    """Make ``old`` hold what ``new`` holds; left alone where they are not of one kind."""
    if isinstance(old, list) and isinstance(new, list):
        old[:] = new
    elif any(isinstance(old, kind) and isinstance(new, kind) for kind in (dict, set)):
        old.clear()
        old.update(new)
    elif isinstance(old, deque) and isinstance(new, deque):
        old.clear()
        old.extend(new)
    elif isinstance(old, bytearray) and isinstance(new, bytearray):
        old[:] = new
    else:
        _update_large(old, new)


def _update_large(old: Any, new: Any) -> None:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(old, numpy.ndarray):
        same = isinstance(new, numpy.ndarray) and (old.shape, old.dtype) == (new.shape, new.dtype)
        if same and old.flags.writeable:
            old[...] = new
    elif pandas is not None and isinstance(old, (pandas.DataFrame, pandas.Series)):
        kind = pandas.DataFrame if isinstance(old, pandas.DataFrame) else pandas.Series
        if isinstance(new, kind):
            # What pandas does for its own `inplace=True`.
            kind.__init__(old, new)
    elif "keras" in sys.modules and isinstance(old, sys.modules["keras"].Model):
        from nbjudge.capture.keras_values import update_model

        update_model(old, new)
    else:
        adapters.update(old, new)
