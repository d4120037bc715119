"""Names as a cell's text is gone through: where each is looked up, and what is bound by then."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nbjudge.cells.scopes import unbound_by


@dataclass(frozen=True)
class Scope:
    """Where a name is looked up: the class's own names, functions' locals, then the cell's.

    A class's names are kept among the cell's with ``prefix``, which is empty outside of classes;
    ``elsewhere`` are those that the class declares ``global`` or ``nonlocal``.
    """

    prefix: str = ""
    elsewhere: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    in_function: bool = False

    def key(self, name: str) -> str:
        """What a name that is bound here is kept under."""
        return name if name in self.elsewhere else self.prefix + name


class Lookup:
    """The names of a cell at one place in its text.

    ``free`` are those that were loaded so far and not surely bound before, ``called`` those that
    functions load from outside of themselves. ``bound`` is ``None`` where no run can come to, as
    behind a ``raise``; ``unsure`` are names that the cell's functions may delete.
    """

    def __init__(self, unsure: set[str]) -> None:
        self.free: set[str] = set()
        self.called: set[str] = set()
        self.bound: set[str] | None = set()
        self.scope = Scope()
        self.loads_when_called: dict[str, set[str]] = {}
        self._unsure = unsure

    def finish(self) -> None:
        """Functions that were not used may yet be, by a later cell."""
        if self.bound is None:
            self.bound = set()
        for name in self.loads_when_called:
            self.use(name)

    def load(self, name: str) -> None:
        """Look a name up from where the text is now."""
        key = self.scope.key(name)
        if key != name and (self.bound is None or key in self.bound):
            self.use(key)
        elif name not in self.scope.hidden:
            self.load_outside([name])

    def load_outside(self, names: Iterable[str]) -> None:
        """Load names of the cell itself, or of those before it."""
        for name in sorted(names):
            if self.bound is not None and name not in self.bound:
                self.free.add(name)
            self.use(name)

    def use(self, key: str) -> None:
        """Load what the function of this name, and those that it calls, load when called."""
        seen: set[str] = set()
        waiting = [key]
        while waiting and self.bound is not None:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                needed = self.loads_when_called.get(key, set())
                self.free |= needed - self.bound
                waiting += needed

    def bind(self, name: str) -> None:
        """Bind a name where the text is now."""
        key = self.scope.key(name)
        is_local = key == name and name in self.scope.hidden
        if self.bound is not None and not is_local and key not in self._unsure:
            self.bound.add(key)

    def bound_so_far(self) -> set[str] | None:
        """A copy of what is bound."""
        return None if self.bound is None else set(self.bound)

    def unbound_by(self, *nodes: ast.AST) -> set[str]:
        """What may no longer be bound when these have run in part."""
        return {self.scope.key(name) for name in unbound_by(nodes)}

    @contextmanager
    def within(self, scope: Scope) -> Iterator[None]:
        """Look names up in another scope for the block."""
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def forget(self, names: set[str]) -> None:
        """These are no longer surely bound."""
        if self.bound is not None:
            self.bound -= names
