"""The released notebooks as pages: what students get, with its pictures."""

from __future__ import annotations

import base64
import json
from pathlib import Path


def pages(release: Path) -> dict[str, bytes]:
    """The files of all assignments in the folder `release`, each under its path there.

    A picture attached to a cell becomes a file beside the notebook, which is what Sphinx knows.
    """
    found: dict[str, bytes] = {}
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release)
        if path.is_dir() or any(part.startswith(".") for part in name.parts):
            continue
        if path.suffix == ".ipynb":
            found |= _notebook(name, path.read_text())
        else:
            found[str(name)] = path.read_bytes()
    return found


def _notebook(name: Path, text: str) -> dict[str, bytes]:
    notebook = json.loads(text)
    made: dict[str, bytes] = {}
    for number, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        for attached, data in cell.pop("attachments", {}).items():
            kind, content = next(iter(data.items()))
            file = f"{name.stem}-{number}-{attached}"
            source = source.replace(f"attachment:{attached}", file)
            # Text, such as an SVG, is kept as it is; everything else in base64.
            is_text = kind.startswith(("text/", "image/svg"))
            made[str(name.with_name(file))] = (
                "".join(content).encode() if is_text else base64.b64decode("".join(content))
            )
        cell["source"] = source
        # What nbgrader notes of a cell is of no use on a page.
        cell["metadata"] = {}
    made[str(name)] = json.dumps(notebook, indent=1).encode()
    return made
