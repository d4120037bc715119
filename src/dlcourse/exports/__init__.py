"""The gradebook's points as files that learning platforms import.

Plugins of nbgrader: `nbgrader export --exporter=dlcourse.exports.CanvasExporter`, and the same with
`BrightspaceExporter` and `MoodleExporter`.
"""

from dlcourse.exports.brightspace import BrightspaceExporter
from dlcourse.exports.canvas import CanvasExporter
from dlcourse.exports.moodle import MoodleExporter

__all__ = ["BrightspaceExporter", "CanvasExporter", "MoodleExporter"]
