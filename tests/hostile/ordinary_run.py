"""Grades a course as an ordinary user: ``python ordinary_run.py COURSE``; tells what came of it."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent


def main(root: str) -> None:
    sys.path.insert(0, str(HERE))
    if os.getuid() == 0:
        place = HERE.parent / "sandbox" / "harness.py"
        spec = importlib.util.spec_from_file_location("sandbox_harness", place)
        harness = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = harness
        spec.loader.exec_module(harness)
        harness.become_ordinary()
    os.chdir(root)
    os.environ["HOME"] = root

    import hostile_class
    from nbjudge.course import load_course

    outcomes = hostile_class.grade_all(load_course(root), jobs=2)
    told = {"user": os.getuid(), "outcomes": [asdict(item) for item in outcomes.values()]}
    Path(root, "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
