"""Texts by anybody on nbgrader's pages: as in JupyterLab, and harmless, in bounded time."""

from __future__ import annotations

import base64
import re
from itertools import pairwise

import pytest
from nbformat import v4
from nbjudge.extensions.feedback import FeedbackExporter, cut
from nbjudge.extensions.safe_html import clean_html, markdown2html


def context(**cell):
    return {"cell": cell, "resources": {}}


def text(source: str, **cell) -> str:
    return markdown2html(context(**cell), source)


SHOWN = {
    "subscript": ("H<sub>2</sub>O", "H<sub>2</sub>O"),
    "break": ("one<br>two", "one<br>two"),
    "table": ("|a|b|\n|-|:-:|\n|1|2|", '<td style="text-align:center">2</td>'),
    "html table": ("<table><tr><td colspan=2>x</td></tr></table>", '<td colspan="2">x</td>'),
    "size of a picture": (
        '<img src="data:image/png;base64,iVBO" width="50" align="right">',
        '<img src="data:image/png;base64,iVBO" width="50" align="right">',
    ),
    "picture beside": ("![a](images/a%20b.png)", 'src="images/a%20b.png"'),
    "colour": ('<span style="color: red">x</span>', '<span style="color:red">x</span>'),
    "font": ('<font color="blue">x</font>', '<font color="blue">x</font>'),
    "centred": ("<center>x</center>", "<center>x</center>"),
    "details": ("<details><summary>s</summary>x</details>", "<summary>s</summary>"),
    "key": ("<kbd>Ctrl</kbd> <u>u</u> <mark>m</mark>", "<kbd>Ctrl</kbd> <u>u</u> <mark>m</mark>"),
    "link": ("[x](https://example.org)", '<a href="https://example.org"'),
    "math": ("$a < b$", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    "fraction": (
        "$$\\frac{1}{n}$$",
        "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>n</mi></mrow></mfrac>",
    ),
    "display": ("$$x$$", '<math display="block">'),
    "equation": ("\\begin{equation}x\\end{equation}", '<math display="block">'),
    "aligned": ("$$\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}$$", "<mtr>"),
    "unknown formula": ("$\\nosuchthing{x}$", "$\\nosuchthing{x}$"),
    "broken formula": ("$\\frac{$", "$\\frac{$"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_text_looks_as_in_jupyterlab(case):
    source, shown = SHOWN[case]
    assert shown in text(source)


def test_a_task_list_has_its_boxes_and_nobody_can_tick_them():
    boxes = re.findall(r"<input[^>]*>", text("- [x] done\n- [ ] to do"))
    assert len(boxes) == 2
    assert all('type="checkbox"' in box and "disabled" in box for box in boxes)
    assert ["checked" in box for box in boxes] == [True, False]


def test_a_drawing_that_is_attached_is_shown_as_a_picture():
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    made = text("![d](attachment:d.svg)", attachments={"d.svg": {"image/svg+xml": svg}})
    assert f'src="data:image/svg+xml;base64,{svg}"' in made


def test_a_drawing_of_a_cell_is_a_picture_in_which_nothing_runs():
    made = clean_html(context(), b'<?xml version="1.0"?>\n<svg onload="alert(1)"><path/></svg>')
    assert made.startswith('<img alt="drawing" src="data:image/svg+xml;base64,')
    assert "alert" not in made


DANGEROUS = [
    "$\\text{<script>alert(1)</script><img src=x onerror=alert(1)>}$",
    "$\\text{<style><!--</style><table><mglyph><img src=1 onerror=alert(1)>-->}$",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\style{background:url(//evil.example)}{x}$ $\\class{navbar-fixed-top}{x}$",
    "![$x$](//evil.example/a)",
    "<a title='$x$' href='javascript:alert(1)'>x</a>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\tscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<svg onload=alert(1)><style>@import url(//evil.example)</style></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<div style='background: url(//evil.example/a)'>x</div>",
    "<div style='width: expression(alert(1)); position: fixed'>x</div>",
    "<iframe src=//evil.example></iframe><object data=//evil.example></object>",
    "<form action=//evil.example><button>x</button></form>",
    "<!--><script>alert(1)</script>-->",
    "<div class='navbar-fixed-top'>x</div>",
]
ELSEWHERE = [
    "![x](https://evil.example/a.png)",
    "<img src='//evil.example/a.png'>",
    "<img src='/\\evil.example/a.png'>",
    "<img src='\\\\evil.example\\a.png'>",
    "<img src='https:evil.example/a.png'>",
    "<img srcset='https://evil.example/a.png 2x' src='a.png'>",
    "<video src='https://evil.example/a.mp4' poster='https://evil.example/a.png'></video>",
    "<table background='https://evil.example/a.png'><tr><td>x</td></tr></table>",
    "<link rel=stylesheet href=https://evil.example/a.css>",
    "<p style='list-style: url(https://evil.example/a)'>x</p>",
    "<p style='content: u\\rl(https://evil.example/a)'>x</p>",
]


@pytest.mark.parametrize("source", DANGEROUS + ELSEWHERE)
@pytest.mark.parametrize("made", [text, lambda source: clean_html(context(), source)])
def test_nothing_runs_covers_or_is_loaded_from_elsewhere(made, source):
    shown = made(source)
    tags = " ".join(re.findall(r"<[a-zA-Z][^>]*>", shown)).lower()
    for word in ("script", "onerror", "onload", "evil.example", "expression", "iframe", "fixed"):
        assert word not in tags


HOSTILE = {
    "formulas": "$x^2$ " * 8_000,
    "a formula that grows": r"$\def\a{xxxxxxxxxx}"
    + "".join(rf"\def\{b}{{" + rf"\{a}" * 10 + "}" for a, b in pairwise("abcdefghijk"))
    + r"\k$",
    "a deep formula": "$" + "{" * 1_900 + "$",
    "a long formula": "$" + r"\frac{x" * 280 + "$",
    "styles": "<style " * 60_000,
    "elements": "<div>" * 60_000,
    "other ends": "".join(f"<b id={n}></i>" for n in range(30_000)),
    "equations": r"\begin{a}" * 60_000,
    "a few equations": r"\begin{a}" * 5_000,
    "lists": "- " * 20_000,
    "links": "[a](b" * 60_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_text_is_shown_as_it_was_written_or_cleaned(case):
    """In a time that a person would wait; a quadratic search would take minutes here."""
    page = context()
    for number in range(4):
        assert isinstance(markdown2html(page, HOSTILE[case] + str(number)), str)
        assert isinstance(clean_html(page, HOSTILE[case] + str(number)), str)


def test_an_image_whose_alternative_text_is_a_formula_is_an_image_alone():
    made = text("![$x$ y](a.png)")
    assert re.fullmatch(r'<p><img src="a.png" alt="[^"]*"></p>', made.strip()), made


def test_a_page_says_what_it_may_load_and_shows_raw_cells_as_text():
    nb = v4.new_notebook(cells=[v4.new_raw_cell("#include <stdio.h>")])
    page, _ = FeedbackExporter(template_name="classic").from_notebook_node(nb)
    assert "&lt;stdio.h&gt;" in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "img-src 'self' data:" in policy


def test_what_is_too_large_for_a_page_is_cut_and_says_so():
    shown = v4.new_output("stream", text="x" * 39_000_000)
    cells = [v4.new_code_cell("x = 1\n" * 20_000) for _ in range(30)]
    cells += [v4.new_code_cell("1", outputs=[shown]), v4.new_code_cell("2", outputs=[shown])]
    made = cut(v4.new_notebook(cells=cells))
    assert sum(len(cell.source) for cell in made.cells) < 1_100_000
    assert "left out" in made.cells[0].source
    assert len(made.cells[-2].outputs[0].text) == 39_000_000
    assert "left out" in made.cells[-1].outputs[0].text
