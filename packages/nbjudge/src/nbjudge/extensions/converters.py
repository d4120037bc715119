"""What nbgrader's converters lack: they log why a notebook failed, and do not say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nbgrader.converters import BaseConverter


class KeepsFailure(BaseConverter):
    """A mixin, to stand in front of a converter: ``failure`` is what stopped it."""

    failure: BaseException | None = None

    @contextmanager
    def _keep(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.failure = error
            raise

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy the files, and enter what is converted into the gradebook."""
        with self._keep():
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Convert one notebook."""
        with self._keep():
            super().convert_single_notebook(notebook_filename)
