"""The pages that come from the code: commands, settings, checks, and the released notebooks.

Each module makes its pages as text; only this one writes files. They are not in git.
"""

from __future__ import annotations

from pathlib import Path

from generate import checks, commands, exercises, layouts, settings


def write_pages(docs: Path) -> None:
    """Write the generated pages below the folder `docs`; those that have not changed stay."""
    course = docs.parent
    pages = {
        "reference/checks.md": checks.page(),
        "reference/settings.md": settings.page(),
        "reference/handin-settings.md": settings.handin_page(),
        "reference/layouts.md": layouts.page(),
        **{f"reference/{name}.md": commands.page(name) for name in commands.COMMANDS},
    }
    for name, text in pages.items():
        _write(docs / name, text.encode())
    notebooks = exercises.pages(course / "release")
    for name, content in notebooks.items():
        _write(docs / "exercises" / name, content)
    for path in (docs / "exercises").glob("*/*"):
        if str(path.relative_to(docs / "exercises")) not in notebooks:
            path.unlink()  # of an assignment that is no more


def _write(path: Path, content: bytes) -> None:
    # Sphinx reads again what is newer than the page that it made.
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
