"""An asserted expression, and the values that were seen when it was evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Node:
    """What an asserted expression is made of; ``place`` is where its value is recorded.

    ``kind`` is ``value``, ``compare``, ``and``, ``or``, ``not``, ``call`` or ``constant``.
    ``parts`` are its operands, of a call the function, then the arguments. ``is_own`` says that
    its value is the student's own: it is made of what the notebook handed out alone.
    """

    kind: str
    place: int = -1
    parts: list[Node] = field(default_factory=list)
    operators: list[str] = field(default_factory=list)
    is_literal: bool = False
    is_own: bool = False


class Record:
    """The values of one evaluation of an asserted expression."""

    def __init__(self, tree: Node) -> None:
        self.tree = tree
        self.values: dict[int, Any] = {}

    def see(self, place: int, value: Any) -> Any:
        """Keep ``value`` and hand it on."""
        self.values[place] = value
        return value
