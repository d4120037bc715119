"""Imports that take seconds and are of no use here, left out.

* jsonschema, which nbformat needs, looks for libraries that check formats (IRIs, durations) that
  no notebook's schema has. One of them compiles a grammar when it is imported.
* nbgrader, when it is imported, imports its four extensions of JupyterLab's server, and with them
  the server, the exchange and every command. They are loaded when a server asks for them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, MutableMapping
from types import ModuleType

_FORMATS = ("rfc3987_syntax", "isoduration")
_EXTENSIONS = tuple(
    f"nbgrader.server_extensions.{name}"
    for name in ("assignment_list", "course_list", "formgrader", "validate_assignment")
)

Modules = MutableMapping[str, ModuleType]


def leave_out_formats(modules: Modules) -> None:
    """See that jsonschema does not find them, unless they are imported already."""
    for name in _FORMATS:
        # This is Python's way to say that there is no such module.
        modules.setdefault(name, None)  # type: ignore[arg-type]


def let_in_formats(modules: Modules) -> None:
    """Undo ``leave_out_formats``, for code that may import them itself."""
    for name in _FORMATS:
        if name in modules and modules[name] is None:
            del modules[name]


def import_nbgrader_alone(modules: Modules) -> None:
    """Import nbgrader without its server extensions, unless it is imported already.

    Nothing is lost: an extension's function loads the extension when it is called, and its
    modules can be imported as ever.
    """
    if "nbgrader" in modules:
        return
    for name in _EXTENSIONS:
        modules[name] = _Extension(name)
    try:
        importlib.import_module("nbgrader")
    finally:
        for name in _EXTENSIONS:
            del modules[name]


class _Extension(ModuleType):
    """Stands for a module whose functions are loaded when they are called."""

    def __getattr__(self, attribute: str) -> Callable[..., object]:
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def load(*arguments: object, **named: object) -> object:
            function: Callable[..., object] = getattr(
                importlib.import_module(self.__name__), attribute
            )
            return function(*arguments, **named)

        return load
