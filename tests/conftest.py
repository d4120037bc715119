"""For every test."""

import functools
import os
import sys
from pathlib import Path

# rich asks for these when a console is made: nothing is as wide as the terminal of who runs pytest,
# and a console that is made now takes its width from COLUMNS each time it prints.
os.environ.pop("COLUMNS", None)
os.environ["TERM"] = "xterm-256color"

import pytest
from hypothesis import HealthCheck, settings
from nbjudge.cli import terminal

# nbgrader runs alembic and jupyter by name, also when this environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

TESTS = Path(__file__).parent
# The commands' console is made by now, so no test makes it at a width of its own.
assert terminal.console

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


# Folders of which one worker at a time runs tests: they count processes, install programs, or
# share one warm server.
_ALONE = {
    "sandbox": "sandbox",
    "cluster": "services",
    "postgresql": "services",
    "handin": "handin",
}
# Fixtures that take long to make: all tests that share one are run by one worker. The longest come
# first, so that the workers are done at the same time.
_SHARED = ("hostile", "slow_half", "quick_half", "graded_class", "lab")
_SHARED_IN_A_FILE = (
    *("vetted", "mended", "tried", "graded", "before", "toy_class", "as_ordinary", "stock"),
    *("models", "released", "place", "term", "node", "logged"),
)


@pytest.hookimpl(tryfirst=True)  # before xdist takes the groups into the names
def pytest_collection_modifyitems(items):
    """Order the tests, and say which have to stay together on one worker.

    Those of the sandbox come first: they fork this process, while it has no threads yet.
    """
    order = ["sandbox", *_SHARED]
    places = {}
    for item in items:
        group = _group(item)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
        places[item] = order.index(group) if group in order else len(order) + (not group)
    items.sort(key=places.__getitem__)


def _group(item):
    for folder, group in _ALONE.items():
        if folder in item.path.relative_to(TESTS).parts:
            return group
    for fixture in _SHARED:
        if fixture in item.fixturenames:
            return fixture
    in_file = [fixture for fixture in _SHARED_IN_A_FILE if fixture in item.fixturenames]
    return f"{item.path.stem}-{in_file[0]}" if in_file else ""


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    """Let a worker report what hostile file names put into the log: not all of it is Unicode."""
    return _encodable((yield))


def _encodable(value):
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_encodable, value))
    return value


@pytest.fixture(scope="session")
def monkeypatch_session():
    """`monkeypatch` for fixtures that last as long as the session."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session", autouse=True)
def version_of_new_gradebooks(monkeypatch_session):
    """nbgrader starts a process for each new gradebook, which always gives the same answer."""
    api = sys.modules.get("nbgrader.api")  # if any test that was collected needs it
    if api is not None:
        version = functools.cache(api.get_alembic_version)
        monkeypatch_session.setattr(api, "get_alembic_version", version)


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
