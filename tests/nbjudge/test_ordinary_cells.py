"""Cells as ordinary people write them: programs, widgets, files."""

from pathlib import Path

import pytest
from nbjudge.course.settings import Grading
from nbjudge.execute.live import LiveRun
from nbjudge.execute.provisioner import KernelOrder
from nbjudge.sandbox import Confinement, Limits, readable_paths

TIERS = ["full", "filters"]


def run_cells(server, *cells: str, tier: str = "full", files: Path | None = None) -> list[str]:
    """What each cell shows as text, errors included, in a kernel of their own."""
    confinement = Confinement(tier, Limits(), files, readable_paths())
    live = LiveRun(Grading(), "ps1", KernelOrder(server.address, confinement))
    with live.kernel():
        outputs = [live.run(place, source) for place, source in enumerate(cells)]
    return ["".join(_text(output) for output in shown) for shown in outputs]


def _text(output) -> str:
    if output["output_type"] == "stream":
        return output["text"]
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    return str(output["data"].get("text/plain", ""))


@pytest.mark.parametrize("tier", TIERS)
def test_programs_run_and_the_cell_goes_on(warm_server, tier):
    shown, told, names, script = run_cells(
        warm_server,
        "word = 'hello'\n!echo $word; echo {1 + 1}\nprint('after')",
        "def show(text):\n    !echo '<{text}>' && exit 3\nshow('in')\nprint(_exit_code)",
        "found = !echo one; echo two\nfound[1]",
        "%%bash\necho from bash",
        tier=tier,
    )
    assert shown.split() == ["hello", "2", "after"]
    assert told.split() == ["<in>", "3"]
    assert names == "'two'"
    assert script == "from bash\n"


def test_an_installation_fails_as_offline_in_words_and_the_cell_goes_on(warm_server):
    missing, present = run_cells(
        warm_server,
        "%pip install no-such-package-of-anybody\nprint('after')",
        "!pip install numpy\nprint('after')",
    )
    assert "There is no network while a notebook is graded" in missing
    assert "after" in missing
    assert "Requirement already satisfied: numpy" in present
    assert "no network" not in present


@pytest.mark.parametrize(
    "cell",
    [
        "from ipywidgets import interact\n@interact(n=3)\ndef square(n):\n    print('shown', n)",
        "import ipywidgets\nout = ipywidgets.Output()\ndisplay(out)\n"
        "with out:\n    print('shown')\nout.clear_output()\nwith out:\n    display('shown')",
        "from tqdm.notebook import tqdm\nfor n in tqdm(range(3)): pass\nprint('shown')",
        "from ipywidgets import *\nbox = VBox([IntSlider(), Text('a')])\n"
        "box.children[0].value = 5\nprint('shown', box.children[0].value)",
    ],
)
def test_widgets_do_no_harm(warm_server, cell):
    shown, later = run_cells(warm_server, cell, "'later'")
    assert "shown" in shown
    assert later == "'later'"


@pytest.mark.parametrize("cell", ["exit()", "quit", "def leave():\n    quit()\nleave()"])
def test_exit_leaves_the_later_cells_a_kernel(warm_server, cell):
    shown, later = run_cells(warm_server, cell, "'later'")
    assert "the notebook goes on" in shown
    assert later == "'later'"


@pytest.mark.parametrize("ask", ["input('name? ')", "import getpass\ngetpass.getpass()"])
def test_a_question_is_refused_in_words_that_help(warm_server, ask):
    shown, later = run_cells(warm_server, ask, "'later'")
    assert "nobody is there to type an answer" in shown
    assert later == "'later'"
