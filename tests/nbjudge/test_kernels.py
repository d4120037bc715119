"""Kernels in the sandbox, as anything that starts Jupyter kernels gets them."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbformat import v4
from nbjudge.course.settings import Grading
from nbjudge.errors import IsolationError
from nbjudge.execute.live import LiveRun
from nbjudge.execute.provisioner import PROVISIONER_NAME, KernelOrder, SandboxProvisioner
from nbjudge.sandbox import Confinement, Limits, readable_paths
from nbjudge.warm.client import ADDRESS, WarmServer

SECONDS = 20


@pytest.fixture(autouse=True)
def leaves_nothing_behind(monkeypatch, warm_server, tmp_path_factory):
    """No folder in /tmp, no process: a test's kernels end with it."""
    monkeypatch.setenv(ADDRESS, warm_server.address)
    tmp_path_factory.getbasetemp()  # pytest's own folder is not made in ours
    # A short name: the address of a socket has room for some hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []
    folder.rmdir()
    server = psutil.Process(warm_server.pid)
    deadline = time.monotonic() + SECONDS
    # The server reaps what has ended when it next looks.
    while left := [p for p in server.children(recursive=True) if not is_over(p)]:
        assert time.monotonic() < deadline, left
        psutil.wait_procs(left, timeout=0.1)


def is_over(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def ordered(server: WarmServer, seed: int = 0, shift: int = 0, **changes) -> KernelOrder:
    confinement = Confinement("full", Limits(), None, readable=readable_paths())
    return KernelOrder(server.address, changes.get("confinement", confinement), seed, shift)


def manager(kind: type = KernelManager) -> KernelManager:
    made = kind(kernel_name="python3")
    made.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": PROVISIONER_NAME}
    return made


@contextmanager
def kernel(**options) -> Iterator[tuple[KernelManager, object]]:
    """A kernel and a client that is connected to it."""
    km = manager()
    km.start_kernel(**options)
    kc = km.client()
    try:
        kc.start_channels()
        kc.wait_for_ready(timeout=SECONDS)
        yield km, kc
    finally:
        kc.stop_channels()
        km.shutdown_kernel(now=True)


def run(kc, code: str) -> tuple[str, list[dict]]:
    """Run a cell: what it wrote, and the contents of all its outputs."""
    said = []
    kc.execute_interactive(code, timeout=SECONDS, output_hook=said.append, allow_stdin=False)
    text = "".join(m["content"]["text"] for m in said if m["msg_type"] == "stream")
    return text, [m["content"] for m in said if m["msg_type"] not in ("stream", "status")]


def error_of(contents: list[dict]) -> str:
    return next((content["ename"] for content in contents if "ename" in content), "")


def test_a_kernel_runs_cells_and_keeps_its_variables():
    with kernel() as (km, kc):
        assert run(kc, "x = 6\nprint('wrote')")[0] == "wrote\n"
        assert run(kc, "x * 7")[1][-1]["data"]["text/plain"] == "42"
        assert error_of(run(kc, "1 / 0")[1]) == "ZeroDivisionError"
        assert km.is_alive()
        assert isinstance(km.provisioner, SandboxProvisioner)
        assert km.provisioner.tier == "full"
        assert run(kc, "import os; print(os.getcwd())")[0].startswith("/home/student")
    assert not km.is_alive()


def test_the_environment_variable_is_enough(monkeypatch):
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", PROVISIONER_NAME)
    monkeypatch.setattr(KernelProvisionerFactory, "_instance", None)  # as in a new process
    notebook = v4.new_notebook(cells=[v4.new_code_cell("import os\nos.getcwd(), os.getpid()")])
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3").execute()
    assert notebook.cells[0].outputs[0].data["text/plain"] == "('/home/student/work', 1)"


def test_an_asynchronous_manager_does_as_well():
    async def use() -> tuple[str, bool, bool]:
        km = manager(AsyncKernelManager)
        await km.start_kernel()
        kc = km.client()
        kc.start_channels()
        try:
            await kc.wait_for_ready(timeout=SECONDS)
            said = []
            await kc.execute_interactive("print(1 + 1)", timeout=SECONDS, output_hook=said.append)
            before = await km.is_alive()
        finally:
            kc.stop_channels()
            await km.shutdown_kernel()
        text = "".join(m["content"]["text"] for m in said if m["msg_type"] == "stream")
        return text, before, await km.is_alive()

    assert asyncio.run(use()) == ("2\n", True, False)


def test_an_interrupt_stops_a_cell_and_nothing_else():
    with kernel() as (km, kc):
        run(kc, "kept = 1")
        said: list[dict] = []

        def interrupt_when_it_runs(message):
            said.append(message)
            if message["msg_type"] == "stream":
                km.interrupt_kernel()

        kc.execute_interactive(
            "print('it runs', flush=True)\nwhile True: pass",
            timeout=SECONDS,
            output_hook=interrupt_when_it_runs,
        )
        assert error_of([m["content"] for m in said]) == "KeyboardInterrupt"
        assert run(kc, "kept + 1")[1][-1]["data"]["text/plain"] == "2"


@pytest.mark.parametrize("now", [True, False])
def test_shutdown_ends_the_kernel(now):
    km = manager()
    km.start_kernel()
    kc = km.client()
    kc.start_channels()
    kc.wait_for_ready(timeout=SECONDS)
    kc.stop_channels()
    km.shutdown_kernel(now=now)
    assert not km.is_alive()


@pytest.mark.parametrize("now", [True, False])
def test_a_restarted_kernel_knows_nothing_of_the_old_one(now):
    with kernel() as (km, kc):
        run(kc, "x = 1\nopen('left.txt', 'w').write('x')")
        kc.stop_channels()
        km.restart_kernel(now=now)
        again = km.client()
        again.start_channels()
        again.wait_for_ready(timeout=SECONDS)
        try:
            text, _ = run(again, "import os\nprint('x' in globals(), os.listdir())")
        finally:
            again.stop_channels()
        assert text == "False []\n"
        assert km.is_alive()


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        ("import os; os._exit(7)", "exit", 7),
        ("import ctypes; ctypes.string_at(0)", "signal", signal.SIGSEGV),
    ],
)
def test_a_kernel_that_ends_itself_is_noticed(code, reason, status):
    with kernel() as (km, kc):
        kc.execute(code)
        deadline = time.monotonic() + SECONDS
        while km.is_alive():
            assert time.monotonic() < deadline
            kc.is_alive()
        assert (km.provisioner.ending.reason, km.provisioner.ending.status) == (reason, status)


def test_a_kernel_that_is_killed_from_outside_is_noticed(warm_server):
    before = {p.pid for p in psutil.Process(warm_server.pid).children(recursive=True)}
    with kernel() as (km, kc):
        new = [
            process
            for process in psutil.Process(warm_server.pid).children(recursive=True)
            if process.pid not in before
        ]
        (guard,) = [process for process in new if process.ppid() == warm_server.pid]
        guard.kill()
        deadline = time.monotonic() + SECONDS
        while km.is_alive():
            assert time.monotonic() < deadline
            kc.is_alive()
        assert km.provisioner.ending.reason == "gone"


def test_the_heart_beats():
    with kernel() as (_, kc):
        beats = kc.hb_channel
        beats.unpause()
        deadline = time.monotonic() + SECONDS
        while beats.is_alive() and not beats.is_beating():
            assert time.monotonic() < deadline
        # The channel's own thread sends, and says so when no answer comes in its second.
        missed = []
        beats.call_handlers = missed.append
        beats.join(timeout=2 * beats.time_to_dead)
        assert beats.is_beating()
        assert missed == []


def test_two_kernels_at_once_share_nothing():
    with kernel() as (_, one), kernel() as (_, other):
        run(one, "x = 'one'\nopen('mine.txt', 'w').write('one')")
        run(other, "x = 'other'")
        assert run(one, "print(x)")[0] == "one\n"
        assert run(other, "import os\nprint(x, os.listdir())")[0] == "other []\n"


def test_figures_come_inline():
    with kernel() as (_, kc):
        _, contents = run(kc, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
        (figure,) = [c["data"] for c in contents if "image/png" in c.get("data", {})]
        assert base64.b64decode(figure["image/png"]).startswith(b"\x89PNG")


def test_input_is_refused_at_once():
    with kernel() as (_, kc):
        assert error_of(run(kc, "input('who? ')")[1]) == "StdinNotImplementedError"


def test_a_sandbox_that_cannot_be_had_is_refused(warm_server):
    gone = Confinement("full", Limits(), Path("/there/is/no/such/folder"))
    km = manager()
    with pytest.raises(IsolationError, match="No kernel could be shut in"):
        km.start_kernel(order=ordered(warm_server, confinement=gone))
    assert not km.is_alive()


DRAWN = "import random, numpy\n(random.random(), float(numpy.random.rand()))"
PLANTED = "import random, numpy\nrandom.seed(5)\nnumpy.random.seed(5)\n" + DRAWN.split("\n")[1]
GENERATED = "import numpy\nfloat(numpy.random.default_rng(5).random())"
UNSEEDED = "import numpy\nfloat(numpy.random.default_rng().random())"
WEIGHTS = (
    "import keras\nmodel = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
    "model.compile('sgd', 'mse')\nimport numpy as np\n"
    "x = np.random.rand(64, 3)\nmodel.fit(x, x[:, :2], epochs=2, verbose=0)\n"
    "[w.tolist() for w in model.get_weights()]"
)


def result(server: WarmServer, code: str, seed: int, shift: int = 0) -> str:
    """What a cell shows in a kernel of its own."""
    live = LiveRun(Grading(), "ps1", ordered(server, seed, shift))
    with live.kernel():
        (shown,) = [o for o in live.run(0, code) if o["output_type"] == "execute_result"]
    return shown["data"]["text/plain"]


def test_the_same_seed_gives_the_same_numbers_and_another_others(warm_server):
    first = result(warm_server, DRAWN, 3)
    assert result(warm_server, DRAWN, 3) == first
    others = [result(warm_server, DRAWN, *luck) for luck in ((4, 0), (3, 1000), (0, 0))]
    assert len({first, *others}) == 4


@pytest.mark.parametrize("code", [PLANTED, GENERATED])
def test_seeds_that_the_notebook_plants_are_its_own_but_for_the_shift(warm_server, code):
    first = result(warm_server, code, 3)
    assert result(warm_server, code, 4) == first
    shifted = result(warm_server, code, 3, 1000)
    assert shifted != first
    assert result(warm_server, code, 4, 1000) == shifted


def test_what_asks_for_no_seed_gets_none(warm_server):
    assert result(warm_server, UNSEEDED, 3) != result(warm_server, UNSEEDED, 3)


@pytest.mark.slow
def test_training_repeats_itself_at_a_seed():
    pytest.importorskip("keras")
    with WarmServer(("numpy", "tensorflow", "keras")) as server:
        server.wait_until_ready()
        first = result(server, WEIGHTS, 3)
        assert result(server, WEIGHTS, 3) == first
        assert result(server, WEIGHTS, 3, 1000) != first
        planted = "import keras\nkeras.utils.set_random_seed(5)\n" + WEIGHTS
        plain = result(server, planted, 3)
        assert result(server, planted, 4) == plain
        assert result(server, planted, 4, 1000) != plain


def test_a_live_run_keeps_what_came_of_it(warm_server):
    live = LiveRun(Grading(), "ps1", ordered(warm_server))
    with live.kernel():
        live.run(2, "x = [1, 2]\nprint('hello')\ndef f(n):\n    print('unseen')\n    return n")
        live.run_unseen("y = 1; print('never seen')")
        found = live.values("t", ["x", "y", "f", "z"])
    assert {name: value.state for name, value in found.items()} == {
        "x": "value",
        "y": "value",
        "f": "value",
        "z": "missing",
    }
    assert live.execution.values == {"t": found}
    assert live.execution.outputs == {
        2: [{"output_type": "stream", "name": "stdout", "text": "hello\n"}]
    }
    assert live.execution.tier == "full"
    assert live.execution.usage["seconds"] > 0
    assert live.execution.usage["cpu_seconds"] > 0


def test_no_kernel_needs_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # the client's
    with kernel() as (_, kc):
        text, _ = run(kc, "import os\nprint(os.path.expanduser('~'), os.environ['HOME'])")
    assert str(tmp_path) not in text
    assert text.split() == ["/home/student"] * 2
    assert os.environ["HOME"] == str(tmp_path / "no-home")
