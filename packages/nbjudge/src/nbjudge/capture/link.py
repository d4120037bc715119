"""The judge's end of the connection to one notebook: what was handed out, and what handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbjudge.capture import randomness
from nbjudge.capture.codec import guarded_decode, guarded_encode, opened
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.exceptions import class_of, exception_node
from nbjudge.capture.folders import JudgeFolder
from nbjudge.capture.functions import FunctionFacts, facts_hook
from nbjudge.capture.kept import RemoteObject, remote_object
from nbjudge.capture.patches import Patches
from nbjudge.capture.remote import DEFAULT_LIMIT, HandIn, RemoteEnumeration, RemoteFunction
from nbjudge.capture.tree import Decoder, Encoder

_OBJECTS = 100_000


class Link:
    """What stands for the functions, objects and exceptions of a notebook, each only once.

    ``send`` takes a reference and a request and gives the reply, ``limit`` is for the bytes of
    each. ``answer`` is for the calls that come back: a student's function calls one of the test's.
    ``hooks`` decode tags in another way than usual.
    """

    def __init__(
        self,
        send: Callable[[str, bytes], bytes],
        *,
        limit: int = DEFAULT_LIMIT,
        hooks: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.send, self.limit, self._hooks = send, limit, dict(hooks or {})
        self._handed_in: list[Callable[..., Any]] = []
        self._objects: dict[int, RemoteObject] = {}
        self._classes: set[int] = set()
        self._class_objects: dict[tuple[int, ...], RemoteFunction] = {}
        self._exceptions: dict[tuple[int, str], type[BaseException]] = {}
        self.folder: JudgeFolder | None = None
        self.patches = Patches({}, ())

    def function(self, facts: FunctionFacts) -> RemoteFunction:
        """What stands for a function or a class."""
        if not facts.kinds:
            return RemoteFunction(facts, self.send, limit=self.limit, link=self)
        self._classes.add(facts.kinds[0])
        known = self._class_objects.get(facts.kinds)
        if known is None:
            if len(self._class_objects) > _OBJECTS:
                raise Damaged("too many classes")
            kind = RemoteEnumeration if facts.is_enumeration else RemoteFunction
            known = kind(facts, self.send, limit=self.limit, link=self)
            self._class_objects[facts.kinds] = known
        return known

    def hand_in(self, function: Callable[..., Any]) -> int:
        """The number of a function of the test's, which the student's may call from now on."""
        for number, known in enumerate(self._handed_in):
            if known is function:
                return number
        self._handed_in.append(function)
        return len(self._handed_in) - 1

    def told(self) -> Iterator[tuple[str, Any]]:
        """What a call is told beside its arguments, by name."""
        luck = randomness.told()
        if luck is not None:
            yield "luck", luck
        if self.folder is not None:
            yield "files", self.folder.changes()
        if patches := self.patches.now():
            yield "patches", patches

    def take_files(self, files: Any) -> None:
        """Take the files that a call has changed. Raises ``Damaged``."""
        if self.folder is not None:
            self.folder.take(files)

    def hooks(self) -> dict[str, Callable[..., Any]]:
        """How a decoder takes what only this connection knows."""
        return {
            **self._hooks,
            "function": facts_hook(self.function),
            "kept": self._object,
            "callback": lambda decoder, number: self._test_function(number),
            "exception_class": self._exception_class,
        }

    def answer(self, number: int, request: bytes) -> bytes:
        """What comes of a call of the test's function ``number``, for the student's process.

        The request comes from there: it is decoded as everything else is.
        """

        def read() -> tuple[list[Any], dict[str, Any]]:
            (positional, keywords), buffers = opened(request, self.limit)
            decoder = Decoder(buffers, self.hooks())
            args = decoder.values(positional)
            kwargs = {str(name): decoder.value(node) for name, node in keywords}
            return args, kwargs

        try:
            args, kwargs = guarded_decode(read)
            function = self._test_function(number)
        except Damaged as error:
            return self._encoded("refused", f"the arguments did not arrive: {error}")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            return self._encoded("raised", error)
        try:
            return self._encoded("result", result)
        except NotHandedOut as error:
            return self._encoded("refused", str(error))

    def _encoded(self, form: str, value: Any) -> bytes:
        encoder = Encoder(self.limit, HandIn(self), "what the test's function gives")

        def work() -> bytes:
            if form == "raised":
                return encoder.message([form, exception_node(encoder, value)])
            return encoder.message([form, encoder.node(value)])

        return guarded_encode(work, encoder.name)

    def _test_function(self, number: Any) -> Callable[..., Any]:
        if type(number) is not int or not 0 <= number < len(self._handed_in):
            raise Damaged("a function that was not handed in")
        return self._handed_in[number]

    def _object(self, decoder: Decoder, *node: Any) -> RemoteObject:
        number, made = remote_object(node, self.operate, self._classes.__contains__)
        if len(self._objects) > _OBJECTS:
            raise Damaged("too many objects")
        known = self._objects.get(number)
        if known is not None and type(known) is type(made):
            return known
        self._objects[number] = made
        return made

    def operate(self, name: str, *arguments: Any) -> Any:
        """What one of ``operations`` gives, done in the student's process."""
        facts = FunctionFacts(f"operation/{name}", name, name, None, None, False)
        return RemoteFunction(facts, self.send, limit=self.limit, link=self)(*arguments)

    def _exception_class(self, decoder: Decoder, names: Any, numbers: Any) -> Any:
        return class_of(self._exceptions, names, numbers)
