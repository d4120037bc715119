"""Time a kernel until TensorFlow is imported: stock jupyter_client beside warm and sandboxed.

    python benchmarks/kernels.py [--rounds 10]

Memory is what each kernel has for itself: private memory, which for a forked kernel leaves out what
it shares with the server and with the other kernels.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable

import psutil
from jupyter_client.manager import start_new_kernel
from nbjudge.course.settings import Grading
from nbjudge.execute.live import LiveRun
from nbjudge.execute.provisioner import KernelOrder
from nbjudge.warm.client import WarmServer
from rich.console import Console
from rich.table import Table

IMPORT = "import tensorflow, keras"
MODULES = ("keras", "tensorflow", "numpy", "pandas", "matplotlib.pyplot")
Figures = tuple[float, float, float]


def stock() -> Figures:
    """Seconds until ready, until imported; private megabytes."""
    began = time.monotonic()
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    try:
        ready = time.monotonic() - began
        client.execute_interactive(IMPORT, output_hook=lambda message: None, timeout=300)
        imported = time.monotonic() - began
        memory = psutil.Process(manager.provisioner.pid).memory_full_info().uss / 2**20
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return ready, imported, memory


def warm(server: WarmServer) -> Callable[[], Figures]:
    """The same for a kernel of the warm server."""
    grading = Grading()

    def measure() -> Figures:
        began = time.monotonic()
        order = KernelOrder(server.address, grading.confinement(None))
        run = LiveRun(grading, "benchmark", order)
        with run.kernel():
            ready = time.monotonic() - began
            run.run(0, IMPORT)
            imported = time.monotonic() - began
            memory = psutil.Process(run.km.provisioner.pid).memory_full_info().uss / 2**20
        return ready, imported, memory

    return measure


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began = time.monotonic()
    with WarmServer(MODULES) as server:
        server.wait_until_ready()
        start = time.monotonic() - began
        measured: dict[str, list[Figures]] = {"jupyter_client": [], "nbjudge": []}
        measure = warm(server)
        for number in range(rounds):
            if number < max(2, rounds // 3):  # stock takes its time
                measured["jupyter_client"].append(stock())
            measured["nbjudge"].append(measure())
    table = Table("kernel", "ready", "TensorFlow imported", "private memory", "rounds")
    for name, figures in measured.items():
        ready, imported, memory = (
            statistics.median(column) for column in zip(*figures, strict=True)
        )
        table.add_row(
            name, f"{ready:.2f} s", f"{imported:.2f} s", f"{memory:.0f} MB", str(len(figures))
        )
    Console().print(table)
    print(f"The warm server itself was ready after {start:.1f} s, once.")


if __name__ == "__main__":
    main()
