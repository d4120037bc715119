"""Functions of the test as the student's process has them: called there, run by the judge."""

from __future__ import annotations

from typing import Any

from nbjudge.capture.codec import guarded_decode, guarded_encode, opened
from nbjudge.capture.errors import NotHandedOut
from nbjudge.capture.exceptions import exception_of
from nbjudge.capture.functions import FunctionTable
from nbjudge.capture.tree import Decoder, Encoder


class TestFunction:
    """A function of the test's, handed to a student's function; each call is a message.

    Raises what the test's function raises.
    """

    __test__ = False  # not a class of pytest's

    def __init__(self, table: FunctionTable, number: int, name: str, limit: int) -> None:
        self._table, self._limit, self.number = table, limit, number
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Have the judge call it."""
        table, limit = self._table, self._limit
        if table.ask is None:
            raise RuntimeError(f"{self.__name__} cannot be called any more")
        place = table.next_call(f"asked/{self.number}")
        encoder = Encoder(limit, table.under(place), f"an argument of {self.__name__}")

        def write() -> bytes:
            positional = [encoder.node(value, str(i)) for i, value in enumerate(args)]
            keywords = [[name, encoder.node(value, name)] for name, value in kwargs.items()]
            return encoder.message([positional, keywords])

        try:
            message = guarded_encode(write, encoder.name)
        except NotHandedOut as error:
            raise TypeError(str(error)) from None
        form, value = self._read(table.ask(self.number, message))
        if form == "raised":
            raise value
        if form == "refused":
            raise RuntimeError(value)
        return value

    def __repr__(self) -> str:
        return f"<function {self.__name__} of the test>"

    def __copy__(self) -> TestFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TestFunction:
        return self

    def _read(self, reply: bytes) -> tuple[str, Any]:
        def work() -> tuple[str, Any]:
            (form, node), buffers = opened(reply, self._limit)
            decoder = Decoder(buffers, hooks_of(self._table, self._limit))
            if form == "raised":
                return form, exception_of(decoder, node)
            return form, decoder.value(node)

        return guarded_decode(work)


def hooks_of(table: FunctionTable, limit: int) -> dict[str, Any]:
    """How the student's process takes what the judge's knows by name."""
    from nbjudge.capture.remote import place_of

    def masked(decoder: Decoder, *parts: Any) -> Any:
        from nbjudge.capture.arrays import decode_masked

        return decode_masked(decoder, *parts)

    return {
        "masked": masked,
        "own": lambda d, ref: table.get(ref),
        "import": lambda d, module, name: place_of(module, name),
        "callback": lambda d, number, name: TestFunction(table, number, name, limit),
    }
