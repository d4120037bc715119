"""For every test."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# nbgrader runs alembic and jupyter by name, also when this environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# What decides whether a change is good draws the same examples each time; `make fuzz` draws others,
# and many more. A busy machine is not a failure.
settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=100 * int(os.environ.get("FUZZ_TIMES", "20")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fixed")


def pytest_collection_modifyitems(items):
    """Those of the sandbox come first: they fork this process, while it has no threads yet."""
    items.sort(key=lambda item: "sandbox" not in item.path.parts)


@pytest.fixture(scope="session")
def monkeypatch_session():
    """`monkeypatch` for fixtures that last as long as the session."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def browser():
    """The machine's Chromium, one for all tests: playwright cannot be started twice."""
    from browser.chromium import ARGUMENTS, CHROMIUM, PATIENCE
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
