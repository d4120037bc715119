"""The vet report as a page: what stands in it, and that nothing in it can run."""

import random
from html.parser import HTMLParser

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.by_hand import ByHand, Equivalent
from nbjudge.vet.cases import Case, Kind
from nbjudge.vet.change import Change
from nbjudge.vet.page import Line, diff_lines, make_page, write_page
from nbjudge.vet.report import make_report, only_changed
from nbjudge.vet.trying import Tried, Verdict
from nbjudge.vet.variants import Subject

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror='a'>\"\x1b\u202e{{ 7*7 }}"
TEXT = "def rate():\n    return 0.3"
_VOID = {"meta", "link", "br", "wbr"}


class Reader(HTMLParser):
    """The tags of a page, and its text by the tag that is around it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.texts = [], [], {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts.setdefault(tag, []).append(data)

    def text(self, tag="body"):
        return "".join(self.texts.get(tag, []))

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def verdict(score, message=""):
    return Verdict("test_rate", score, 2.0, message)


def tried(kind, said, *verdicts, source="", says="", reason="", passing=(), operator="constant"):
    change = Change(operator, said, source)
    answers = {"rate": source}
    case = Case(kind, "net", "rate", change, answers, ("test_rate",), frozenset(passing), says)
    return Tried(case, verdicts, reason)


def all_kinds():
    changed = TEXT.replace("0.3", "0.5")
    passing = ["test_rate"]
    return [
        tried(Kind.MISTAKE, "0.3 → 0.5", verdict(2.0), source=changed),
        tried(Kind.MISTAKE, "0.3 → 0.4", verdict(0.0, "No.")),
        tried(Kind.MISTAKE, "0.3 → .3", verdict(2.0), source=TEXT.replace("0.3", ".3")),
        tried(Kind.MISTAKE, "loops", reason="It took too long."),
        tried(Kind.RIGHT, "with a name", verdict(1.0, "Not what I expected."), passing=passing),
        tried(Kind.RIGHT, "with a helper", verdict(2.0), passing=passing),
        tried(Kind.MISCONCEPTION, "in per cent", verdict(0.0, "A RATE is < 1."), says="rate is <"),
        tried(Kind.MISCONCEPTION, "keeps what it drops", verdict(0.0, "Wrong."), says="keep"),
        tried(Kind.MISCONCEPTION, "as a text", verdict(2.0), says="number"),
        tried(Kind.BLANK, "", verdict(0.5, "Well.")),
        tried(Kind.ALONE, "", verdict(2.0), passing=passing),
    ]


def report_of(cases, assignment="net", seconds=75.0, remembered=()):
    grading = {"grade_id": "test_rate", "grade": True, "solution": False, "points": 2}
    cell = new_code_cell("assert rate() == 0.3  # hidden", metadata={"nbgrader": grading})
    notebook = new_notebook(cells=[cell])
    subject = Subject(Blueprint("net", (), (), None), notebook, {"rate": TEXT}, {}, {}, {})
    by_hand = ByHand(
        equivalents=(
            Equivalent("rate", "0.3 → .3", "One number, written in two ways."),
            Equivalent("rate", "0.3 → 3e-1", "The same."),
        )
    )
    return make_report(assignment, {"net": subject}, cases, by_hand, seconds, remembered)


def test_the_page_tells_the_figures_and_all_that_is_to_be_looked_at():
    page = Reader(make_page([report_of(all_kinds())]))
    text = page.text()
    for words in (
        "66.6% ✗",
        "2 of 3 that make the answer wrong",
        "1 more is equivalent",
        "6 to look at",
        "in 1 min 15 s",
        "1 of 2 given full marks",
        "1 of 2 given just what is due",
        "1 of 3 caught in their own words",
        "One number, written in two ways.",
        "No planted mistake in this task is called that.",
        "It took too long.",
        "assert rate() == 0.3  # hidden",
        "gave 1 of 2",
        "Not what I expected.",
        "none are due",
        "A RATE is < 1.",
    ):
        assert words in text, words
    assert page.text("mark") == "RATE is <"


def test_what_was_added_and_removed_is_marked_with_signs_too():
    page = Reader(make_page([report_of(all_kinds()[:1])]))
    assert page.text("ins") == "+    return 0.5"
    assert page.text("del") == "-    return 0.3"
    assert page.texts["b"] == ["3", "5"]


def test_what_is_to_be_looked_at_stands_open():
    page = make_page([report_of(all_kinds()[:1])])
    assert page.count("<details open>") == 1
    assert page.index("<details open>") < page.index("It slipped past")


def test_nothing_that_came_from_elsewhere_becomes_part_of_the_page():
    cases = [
        tried(
            kind,
            HOSTILE,
            verdict(score, HOSTILE),
            source=HOSTILE,
            says=says,
            operator=HOSTILE,
            passing=passing,
        )
        for kind in Kind
        for score in (0.0, 1.0, 2.0)
        for says in (HOSTILE, "else")
        for passing in ([], ["test_rate"])
    ]
    cases.append(tried(Kind.MISTAKE, "no verdict", reason=HOSTILE))
    raw = make_page([report_of(cases, assignment=HOSTILE)])
    page, plain = Reader(raw), Reader(make_page([report_of(all_kinds())]))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert not page.named("script") and not page.named("img")
    assert "\x1b" not in raw and "\u202e" not in raw
    assert "\\x1b\\u202e{{ 7*7 }}" in page.text()


def test_the_page_asks_for_nothing_and_lets_nothing_run():
    page = Reader(make_page([report_of(all_kinds())]))
    policy = next(m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy and "script-src" not in policy
    addresses = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert all(address.startswith(("#", "data:")) for address in addresses)


def test_calibration_is_put_at_the_end_as_it_is():
    fragment = "<h3>Accuracy & more</h3><svg viewBox='0 0 1 1'></svg>"
    page = make_page([report_of(all_kinds())], fragment)
    assert page.index("</article>") < page.index(fragment)
    assert 'id="calibration"' not in make_page([report_of(all_kinds())])


def test_the_same_findings_give_the_same_bytes_in_any_order():
    cases = all_kinds()
    expected = make_page([report_of(cases)])
    random.Random(7).shuffle(cases)
    assert make_page([report_of(cases)]) == expected


def test_where_nothing_was_tried_the_page_says_so():
    text = Reader(make_page([make_report("net", {}, [], ByHand(), 0.0)])).text()
    assert "nothing to look at" in text
    assert text.count("none tried") == 5
    assert "No assignment was vetted." in Reader(make_page([])).text()


def test_a_page_of_what_changed_says_that_it_is_partial():
    cases = all_kinds()
    full = report_of(cases[1:2], remembered=cases[2:])
    page = Reader(make_page([only_changed(full), report_of([], "two")]))
    text = page.text()
    assert "This is a partial report, of what changed" in text
    assert "Left out: 9 cases as before, 4 to look at." in text
    assert "✓ nothing to look at in what changed" in text
    assert text.count("only what changed: 100% caught") == 1
    assert "This is a partial report" not in make_page([full])


def test_several_assignments_are_one_after_another_and_can_be_jumped_to():
    page = Reader(make_page([report_of(all_kinds(), "one"), report_of([], "two")]))
    targets = {a["id"] for a in page.named("article")}
    assert (
        {a["href"].lstrip("#") for a in page.named("a")}
        == targets
        == {
            "assignment-1",
            "assignment-2",
        }
    )


@pytest.mark.parametrize(
    ("diff", "lines"),
    [
        ("", []),
        (
            "-a = 50\n+a = 51",
            [Line("-", "a = ", "50", ""), Line("+", "a = ", "51", "")],
        ),
        (
            "-a a\n+a a a",
            [Line("-", "a a", "", ""), Line("+", "a a", " a", "")],
        ),
        (
            "@@ -1,2 +1 @@\n x\n-a\n-b\n+c",
            [
                Line("@", "@@ -1,2 +1 @@", "", ""),
                Line(" ", "x", "", ""),
                Line("-", "a", "", ""),
                Line("-", "b", "", ""),
                Line("+", "c", "", ""),
            ],
        ),
        ("-f(inputs)\n+f(units)", [Line("-", "f(", "inputs", ")"), Line("+", "f(", "units", ")")]),
        ("-a\n \n+b", [Line("-", "a", "", ""), Line(" ", "", "", ""), Line("+", "b", "", "")]),
    ],
)
def test_a_line_of_a_diff_shows_what_changed_in_it(diff, lines):
    assert list(diff_lines(diff)) == lines


def test_the_page_is_written_whole(tmp_path):
    path = tmp_path / "docs" / "vet.html"
    write_page(path, [report_of(all_kinds())])
    assert path.read_text(encoding="utf-8") == make_page([report_of(all_kinds())])
    assert [file.name for file in path.parent.iterdir()] == ["vet.html"]
