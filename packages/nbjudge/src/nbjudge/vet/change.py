"""A changed solution cell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One small step away from a reference solution's cell.

    `operator` names the kind of step, `said` tells this one in a line ("filters 50 → 51, line 4"),
    `source` is the cell's whole new text.
    """

    operator: str
    said: str
    source: str
