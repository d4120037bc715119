"""Run a submitted notebook within its limits, and say plainly why it could not be run."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade

from nbjudge.errors import NotGraded
from nbjudge.settings import Grading
from nbjudge.sockets import use_private_sockets


class RunCells(Execute):
    """Nbgrader's ``Execute`` with the limits of ``c.Grading``.

    A cell that is interrupted in time fails, as in stock nbgrader, and the next one runs. A
    dead kernel, or a cell that goes on in spite of the interrupt, raises ``NotGraded``.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all the cells in a fresh kernel."""
        grading = Grading(parent=self)
        seconds = grading.seconds_for(resources["nbgrader"]["assignment"])
        stopped = f"the cell was stopped because it ran longer than {seconds} s"
        self.timeout_func = lambda cell: seconds
        self.error_on_timeout = {
            "ename": "CellTimeoutError",
            "evalue": stopped,
            "traceback": [f"CellTimeoutError: {stopped}"],
        }
        # A TensorFlow step ends before Python sees the interrupt: stock's 4 s are short.
        self.iopub_timeout = round(grading.interrupt_seconds)
        # Nothing after the last cell counts, and a kernel's orderly end takes seconds.
        self.shutdown_kernel = "immediate"
        self._seconds = seconds
        self._environment = grading.kernel_environment
        self._output_limit = 1_000_000 * grading.max_output_megabytes
        self._output_size: dict[int, int] = {}
        with tempfile.TemporaryDirectory(prefix="nbjudge-") as self._sockets:
            return super().preprocess(nb, resources, km)

    def create_kernel_manager(self) -> Any:
        """Make the kernel's manager."""
        manager = super().create_kernel_manager()
        use_private_sockets(manager, self._sockets)
        return manager

    def start_new_kernel_client(self) -> Any:
        """Connect to the kernel; one that does not answer gets a second chance, as a new one."""
        try:
            return super().start_new_kernel_client()
        except RuntimeError:
            self.create_kernel_manager()
            self.start_new_kernel()
            return super().start_new_kernel_client()

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel in the environment that ``c.Grading.kernel_environment`` asks for."""
        environment = {**os.environ, **self._environment}
        # Not what cells print, only what the kernel says of itself in the grader's terminal.
        super().start_new_kernel(env=environment, stderr=subprocess.DEVNULL, **kwargs)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell."""
        try:
            return super().preprocess_cell(cell, resources, index)
        except DeadKernelError as error:
            raise NotGraded(
                f"The kernel died in {_name(cell, index)}: the memory ran out, or the code ended "
                "the process. In JupyterLab, choose Kernel > Restart Kernel and Run All Cells, "
                "mend the cell, and hand in again."
            ) from error
        except CellTimeoutError as error:
            raise NotGraded(
                f"{_name(cell, index)} ran longer than {self._seconds} s and could not be "
                "stopped. Look for a loop without an end, or one whose 'except' also catches "
                "KeyboardInterrupt."
            ) from error

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Collect an output; an endless print must not fill the grader's memory."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result"):
            content = msg["content"]
            size = len(content.get("text", "")) + sum(
                len(str(value)) for value in content.get("data", {}).values()
            )
            used = self._output_size.get(cell_index, 0) + size
            self._output_size[cell_index] = used
            if used > self._output_limit and msg["msg_type"] != "execute_result":
                return None
        return super().output(outs, msg, display_id, cell_index)


def _name(cell: NotebookNode, index: int) -> str:
    # A test's source may be hidden from the student; its id is not.
    if is_grade(cell):
        return f"test cell '{cell.metadata.nbgrader['grade_id']}'"
    first = next((line.strip() for line in cell.source.split("\n") if line.strip()), "")
    return f"cell {index + 1} ({first[:60]!r})"
