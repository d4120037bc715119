"""Text cells and outputs as HTML in which nothing can run, and that loads nothing from elsewhere.

nbgrader's pages, the feedback and the formgrader's, show the text cells of students as they are:
a script in one would run in the browser of whoever looks at it, the instructor's first of all, and
a picture from another server would tell that server who reads. Otherwise texts look as in
JupyterLab. The parser takes linear time, and each page has a limit of its own.
"""

from __future__ import annotations

import base64
import html
import re
import secrets
import time
from collections import Counter
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import (
    InvalidNotebook,
    IPythonRenderer,
    MarkdownWithMath,
)

from nbjudge.extensions.formulas import mathml

# What is longer is shown as it was written: the search for math takes quadratic time.
_LONGEST_TEXT = 50_000
_MOST_EQUATIONS = 200
_LONGEST_HTML = 2_000_000
_LONGEST_PICTURE = 10_000_000
# For all the texts of a page; then the rest of it is shown as it was written.
_SECONDS_FOR_A_PAGE = 20.0
# Deeper elements stand side by side. Browsers do the same, at 512.
_DEEPEST = 200

_TAGS = set(nh3.ALLOWED_TAGS) | {"font", "input", "big", "tfoot"}
_SHOWN = {"class", "style", "title", "align", "dir", "lang"}
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()} | {
    "*": _SHOWN,
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size"},
    "details": {"open"},
    "ol": {"start", "type"},
    "table": {"border", "width"},
    "th": {"colspan", "rowspan", "scope", "width", "valign"},
    "td": {"colspan", "rowspan", "width", "valign"},
    "input": {"checked", "disabled"},
}
_STYLES = {
    "background-color",
    "border",
    "border-collapse",
    "color",
    "display",
    "float",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-width",
    "padding",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
}
# Those of colours, tables and task lists; one of the page's own could cover a part of it.
_CLASS = re.compile(r"highlight|hl-\w+|ansi-[\w-]+|dataframe|(contains-)?task-list[\w-]*|\w{1,3}")
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);", re.IGNORECASE)
# A file beside the page: a path without a scheme, a server or a way to one.
_BESIDE = re.compile(r"[\w.%(][^:\\]*")
_COLOUR = re.compile(r"\b(rgba?|hsla?|calc)\(")
_SVG = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE[^>]*>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)


class _Renderer(IPythonRenderer):
    """Leaves an empty element in the place of each formula, whose MathML comes after the cleaning.

    Nobody can write such an element: its name is drawn for each text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._formulas: list[str] = []
        self._name = f"hl-{secrets.token_hex(8)}"

    def block_math(self, body: str) -> str:
        return self._place(body, True) or super().block_math(body)

    def inline_math(self, body: str) -> str:
        return self._place(body, False) or super().inline_math(body)

    def latex_environment(self, name: str, body: str) -> str:
        formula = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._place(formula, True) or super().latex_environment(name, body)

    def _place(self, latex: str, display: bool) -> str:
        made = mathml(latex, display=display) if len(self._formulas) < _MOST_EQUATIONS else ""
        if not made:
            return ""
        self._formulas.append(made)
        return f'<span class="{self._name}_{len(self._formulas) - 1}"></span>'

    def with_formulas(self, page: str) -> str:
        """The cleaned page with its formulas."""
        places = rf'<span class="{self._name}_(\d+)"></span>'
        return re.sub(places, lambda place: self._formulas[int(place[1])], page)

    def _embed_image_or_attachment(self, src: str) -> str:
        try:
            return super()._embed_image_or_attachment(src)
        except (InvalidNotebook, LookupError, StopIteration):
            return ""  # it names an attachment that is not there


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """The filter of this name that nbconvert has, for texts by anybody."""
    if len(source) > _LONGEST_TEXT or source.count(r"\begin{") > _MOST_EQUATIONS:
        return _as_written(source)
    attachments = (context.get("cell") or {}).get("attachments") or {}

    def render() -> str:
        renderer = _Renderer(escape=False, attachments=attachments)
        page = str(MarkdownWithMath(renderer=renderer).render(source))
        return renderer.with_formulas(_clean(page))

    return _in_time(context, render, source)


@pass_context
def clean_html(context: Context, element: object) -> str:
    """The filter of this name that nbconvert has, for what cells show: tables stay tables."""
    text = element.decode(errors="replace") if isinstance(element, bytes) else str(element)
    if _SVG.match(text[:2_000]):
        return _picture(text)
    if len(text) > _LONGEST_HTML:
        return _as_written(text)
    return _in_time(context, lambda: _clean(text), text)


def _in_time(context: Context, make: Any, source: str) -> str:
    """What ``make`` gives, unless the page's time is used up."""
    spent: dict[str, float] = context.get("resources", {}).setdefault("nbjudge_text", {})
    if spent.get("seconds", 0.0) > _SECONDS_FOR_A_PAGE:
        return _as_written(source)
    started = time.monotonic()
    made: str = make()
    spent["seconds"] = spent.get("seconds", 0.0) + time.monotonic() - started
    return made


def _as_written(text: str) -> str:
    return f"<pre>{html.escape(text[:_LONGEST_HTML])}</pre>"


def _picture(svg: str) -> str:
    """A drawing as a picture: in one, nothing runs and nothing is loaded."""
    if len(svg) > _LONGEST_PICTURE:
        return "<p>(a drawing that is too large to be shown)</p>"
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="drawing" src="data:image/svg+xml;base64,{data}">'


def _clean(text: str) -> str:
    # Each open element that a parser has to look through costs time again and again.
    if _depth(text) > _DEEPEST:
        return _as_written(text)
    return nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        set_tag_attribute_values={"input": {"disabled": ""}},
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "data"},
    )


_ELEMENT = re.compile(r"<(/?)([a-zA-Z][\w:-]*)[^<>]*>")
_VOID = {"br", "hr", "img", "input", "wbr", "col", "area", "link", "meta", "source", "track"}
# A parser closes these by itself.
_IMPLIED = {"p", "li", "td", "th", "tr", "dt", "dd", "option"}


def _depth(text: str) -> int:
    """How deep the elements of a text are in each other, about."""
    depth = deepest = 0
    opened: Counter[str] = Counter()
    for match in _ELEMENT.finditer(text):
        name = match[2].lower()
        if name in _VOID or name in _IMPLIED or (match[1] and not opened[name]):
            continue
        change = -1 if match[1] else 1
        opened[name] += change
        depth += change
        deepest = max(deepest, depth)
    return deepest


def _filtered(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute, or what is harmless of it."""
    match tag, name:
        case "img", "src":
            is_harmless = _PICTURE.match(value) or _BESIDE.fullmatch(value)
            return value if is_harmless else None
        case "a", "href":
            return None if "".join(value.split()).lower().startswith("data:") else value
        case _, "class":
            return " ".join(part for part in value.split() if _CLASS.fullmatch(part)) or None
        case _, "style":
            rest = _COLOUR.sub("", value.lower())
            return None if "(" in rest or "\\" in rest else value
    return value
