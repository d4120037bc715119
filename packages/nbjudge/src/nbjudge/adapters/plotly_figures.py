"""plotly's figures, as the JSON that draws them."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go


def pack(value: Any) -> str | None:
    """The figure's JSON."""
    return str(value.to_json()) if isinstance(value, go.Figure) else None


def unpack(parts: Any) -> Any:
    """The figure; plotly checks each of its parts."""
    told = json.loads(parts)
    return go.Figure(data=told.get("data"), layout=told.get("layout"))
