"""The gradebook's points as files that learning platforms import.

Plugins of nbgrader: `nbgrader export --exporter=nbcertify.exports.CanvasExporter`, and the same
with `BrightspaceExporter` and `MoodleExporter`.
"""

from nbcertify.exports.brightspace import BrightspaceExporter
from nbcertify.exports.canvas import CanvasExporter
from nbcertify.exports.moodle import MoodleExporter

__all__ = ["BrightspaceExporter", "CanvasExporter", "MoodleExporter"]
