"""Every setting under `c.Grading` and `c.HandIn`, from the traits themselves."""

from __future__ import annotations

from collections.abc import Mapping

from nbhandin.settings import HandIn
from nbjudge.course.settings import Grading
from traitlets import TraitType

_HEAD = """\
# Settings: c.Grading

What you may set in `nbgrader_config.py`, after `configure(c)`:

```python
c.Grading.cell_seconds = 60
```

nbgrader's own settings (`c.CourseDirectory`, `c.Autograde`, …) are in
[its documentation](https://nbgrader.readthedocs.io/en/stable/configuration/config_options.html).
"""


_HANDIN = """\
# Settings: c.HandIn

What you may set in `nbgrader_config.py` for [the hand-in page](../how-to/hand-in-page.md):

```python
c.HandIn.counts = "best"
```

The service reads them when it starts.
"""


def page() -> str:
    """The page of all settings of grading, as Markdown."""
    return _page(_HEAD, Grading.class_own_traits(config=True))


def handin_page() -> str:
    """The page of all settings of the hand-in page, as Markdown."""
    return _page(_HANDIN, HandIn.class_own_traits(config=True))


def _page(head: str, traits: Mapping[str, TraitType]) -> str:
    return "\n".join([head, *(_entry(name, trait) for name, trait in sorted(traits.items()))])


def _entry(name: str, trait: TraitType) -> str:
    default = trait.default_value_repr()
    kind = type(trait).__name__
    values = getattr(trait, "values", None)
    if values:
        kind = "one of " + ", ".join(f"`{value!r}`" for value in values)
    lowest = getattr(trait, "min", None)
    limit = f", at least {lowest}" if lowest is not None else ""
    return f"## {name}\n\n{trait.help}\n\nType: {kind}{limit}. Default: `{default}`.\n"
