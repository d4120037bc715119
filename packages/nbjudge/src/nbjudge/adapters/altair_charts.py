"""altair's charts, as the JSON that draws them."""

from __future__ import annotations

import json
from typing import Any

import altair as alt


def pack(value: Any) -> str | None:
    """The chart's JSON, with its data."""
    return str(value.to_json()) if isinstance(value, alt.TopLevelMixin) else None


def unpack(parts: Any) -> Any:
    """The chart; altair checks it against Vega-Lite's schema."""
    return alt.Chart.from_dict(json.loads(parts))
