"""Text cells as HTML in which nothing can run.

nbgrader's pages, the feedback and the formgrader's, show the text cells of students as they are:
a script in one would run in the browser of whoever looks at it, the instructor's first of all.
"""

from __future__ import annotations

import re
from typing import Any

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import (
    InvalidNotebook,
    IPythonRenderer,
    MarkdownWithMath,
)

_TAGS = frozenset(bleach.ALLOWED_TAGS) | frozenset(
    [
        "p",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "div",
        "span",
        "pre",
        "s",
        "del",
        "ins",
        "sub",
        "sup",
        "small",
        "kbd",
        "dl",
        "dt",
        "dd",
        "img",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "caption",
    ]
)
_CLASSES = ("div", "span", "pre", "code", "table")
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_IMAGES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;")


class _Renderer(IPythonRenderer):
    def _embed_image_or_attachment(self, src: str) -> str:
        try:
            return super()._embed_image_or_attachment(src)
        except (InvalidNotebook, LookupError, StopIteration):
            return ""  # it names an attachment that is not there


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """The filter of this name that nbconvert has, for texts by anybody."""
    attachments = (context.get("cell") or {}).get("attachments") or {}
    rendered = MarkdownWithMath(renderer=_Renderer(attachments=attachments)).render(source)
    return _clean(rendered)


def clean_html(element: object) -> str:
    """The filter of this name that nbconvert has, for what cells show: whole tables stay tables."""
    text = element.decode(errors="replace") if isinstance(element, bytes) else str(element)
    # What would be escaped, and then be read as text: pandas puts one before each table.
    return _clean(_STYLE.sub("", text))


def _clean(html: str) -> str:
    return bleach.clean(
        html,
        tags=_TAGS,
        attributes=_is_harmless,
        protocols={"http", "https", "mailto", "data"},
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    match tag, name:
        case "a", "href":
            return not _scheme_is_data(value)
        case "img", "src":
            return value.startswith(_IMAGES) or not _scheme_is_data(value)
        case ("img", "alt" | "width" | "height") | (_, "title") | ("th" | "td", "align"):
            return True
        case _, "class":
            return tag in _CLASSES
    return False


def _scheme_is_data(value: Any) -> bool:
    return "".join(str(value).split()).lower().startswith("data:")
