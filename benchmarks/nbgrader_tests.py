"""nbgrader's own tests, with this engine and without it: which come out different?

    python benchmarks/nbgrader_tests.py [--parts …] [--only EXPRESSION] [--results FILE] [--table]

The tests are those that nbgrader's wheel brings (`nbgrader.tests`), but for the ones that drive a
browser. They run twice, as an ordinary user would see it: the second time a configuration file
that Jupyter finds for every course holds the one line `configure(c)`. ``--parts apps`` are those
that start nbgrader's commands, and take long. ``--table`` prints what an earlier run found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

PARTS = ("apps", "api", "preprocessors", "nbgraderformat", "utils", "test_auth", "test_validator")
ENGINE = "c = get_config()\nfrom nbjudge.configure import configure\n\nconfigure(c, '{root}')\n"
# A test of nbgrader's starts servers and waits for them; none takes longer than this.
SECONDS = 300


def outcomes(report: Path) -> dict[str, str]:
    """Each test's outcome of a JUnit report, with the last line of what failed."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').removeprefix('nbgrader.tests.')}::{case.get('name')}"
        children = {child.tag: child.get("message") or "" for child in case}
        tag = next((tag for tag in ("failure", "error", "skipped") if tag in children), "")
        message = " ".join(children.get(tag, "").split())[:300]
        found[name] = f"{tag}: {message}" if tag else "passed"
    return found


def run(part: str, only: str, config: Path | None) -> dict[str, str]:
    """Run a part of the tests, with the configuration folder or without."""
    with tempfile.TemporaryDirectory(prefix="nbgrader-tests-") as name:
        report = Path(name, "report.xml")
        tools = Path(sys.executable).parent
        environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": name,
            "JUPYTER_CONFIG_PATH": str(config or name),
        }
        command = [sys.executable, "-m", "pytest", "--pyargs", f"nbgrader.tests.{part}"]
        command += ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
        command += ["--junitxml", str(report), "-o", f"faulthandler_timeout={SECONDS}"]
        subprocess.run(
            [*command, *(["-k", only] if only else [])],
            cwd=name,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return outcomes(report) if report.is_file() else {}


def differences(without: dict[str, str], with_it: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """The tests that come out different: name, outcome without the engine, outcome with it."""
    for name, outcome in without.items():
        other = with_it.get(name, "not run")
        if outcome.partition(":")[0] != other.partition(":")[0]:
            yield name, outcome, other


def report(results: dict[str, dict[str, str]]) -> str:
    """The counts, and each difference."""
    without, with_it = results["without"], results["with"]
    passed = sum(outcome == "passed" for outcome in without.values())
    also = sum(with_it.get(name) == outcome == "passed" for name, outcome in without.items())
    lines = [f"{len(without)} tests, {passed} pass without the engine, {also} of these with it"]
    lines += [
        f"{name}\n    {one}\n    {other}" for name, one, other in differences(without, with_it)
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the tests twice, part by part, and say what is different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("nbgrader-tests.json"))
    parser.add_argument("--only", default="", help="tests whose names match, as for pytest -k")
    parser.add_argument("--parts", nargs="*", default=PARTS)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    results: dict[str, dict[str, str]] = {"without": {}, "with": {}}
    if asked.results.is_file():
        results = json.loads(asked.results.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="nbgrader-engine-") as name:
        config = Path(name, "nbgrader_config.py")
        config.write_text(ENGINE.format(root=name), encoding="utf-8")
        for part in () if asked.table else asked.parts:
            results["without"] |= run(part, asked.only, None)
            results["with"] |= run(part, asked.only, Path(name))
            asked.results.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main()
