"""Does the time of a feedback page grow with its text, or with the square? Hostile texts, twice.

    python benchmarks/feedback_pages.py [--characters 40000] [--limit 20]

Each text is a pattern that some sanitiser or Markdown reader goes through again and again, written
out to 1, 2 and 4 quarters of so many characters. nbjudge's two filters for the texts of cells and
nbconvert's own, which stock nbgrader uses, turn it into HTML; processor time, in a process that is
ended after the limit.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Callable

from jinja2 import Environment
from nbconvert.filters import clean_html, markdown2html
from nbjudge.extensions import safe_html
from rich.console import Console
from rich.table import Table

PATTERNS = {
    "a style never closed": "<style ",
    "elements in each other": "<div>",
    "an equation never closed": "\\begin{a}",
    "links never closed": "<a href=x ",
    "brackets": "[",
    "stars": "**a ",
    "formulas never closed": "$a ",
    "comments never closed": "<!--",
}


def ours(text: str) -> None:
    """The filters of a feedback page, one after the other as its template has them."""
    context = Environment().from_string("").new_context({"resources": {}})
    safe_html.clean_html(context, safe_html.markdown2html(context, text))


def stock(text: str) -> None:
    """Those of nbconvert."""
    clean_html(markdown2html(text))


def seconds(render: Callable[[str], None], text: str, limit: float) -> float | None:
    """Processor time of one rendering; ``None`` where it did not end."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_timed, args=(render, text, sender))
    process.start()
    found: float | None = receiver.recv() if receiver.poll(limit) else None
    process.kill()
    process.join()
    return found


def _timed(
    render: Callable[[str], None], text: str, sender: multiprocessing.connection.Connection
) -> None:
    began = time.process_time()
    render(text)
    sender.send(time.process_time() - began)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--characters", type=int, default=40_000)
    parser.add_argument("--limit", type=float, default=20.0, help="seconds for one rendering")
    options = parser.parse_args()
    sizes = [options.characters // 4, options.characters // 2, options.characters]
    table = Table(
        "text", *(f"{who}, {size:,}" for who in ("nbjudge", "nbconvert") for size in sizes)
    )
    for name, pattern in PATTERNS.items():
        row = []
        for render in (ours, stock):
            for size in sizes:
                found = seconds(render, pattern * (size // len(pattern)), options.limit)
                row.append(f"> {options.limit:g} s" if found is None else f"{found:.3f} s")
        table.add_row(name, *row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
