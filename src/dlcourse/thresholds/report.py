"""How well thresholds are founded, as a person reads it: tables in the terminal, HTML with plots.

The same figures give the same bytes. Nothing is fetched; text and axes take the page's colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
from scipy import stats

from dlcourse.thresholds.bounds import CHANCE_OF_FAILING, CHANCE_OF_PASSING
from dlcourse.thresholds.chances import Calibrated, Measured, odds

_COLUMNS = ("solution", "runs", "mean ± sd", "nearest", "margin", "passes (95%)", "chance")
# Of the plot, in pixels: its width, the part with names, the rim on the right; heights.
_WIDTH, _NAMES, _RIM, _ROW, _TOP, _AXIS, _CURVE = 720, 190, 14, 66, 22, 30, 36
# Readable on white and on black, and told apart by those who do not tell red from green.
_REFERENCE, _WEAK = "#2f80c2", "#d1662a"
_STYLE = f"""\
.calibration .beside {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: center; }}
.calibration figure {{ margin: 0; flex: 1 1 30rem; max-width: {_WIDTH}px; }}
.calibration svg {{ width: 100%; height: auto; color: inherit; }}
.calibration table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
.calibration th, .calibration td {{ padding: .15rem .6rem; text-align: right;
  border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }}
.calibration th:first-child, .calibration td:first-child {{ text-align: left; }}
.calibration .scroll {{ overflow-x: auto; }}"""


# From a figure to its place on the plot, in pixels.
Place = Callable[[float], float]


def threshold_tables(calibrated: Iterable[Calibrated]) -> tuple[Table, ...]:
    """A table for each threshold: its models in rows, then what is wrong or not claimed."""
    return tuple(map(_table, calibrated))


def _table(one: Calibrated) -> Table:
    title = Text(f"{_heading(one)}: ", style="bold")
    title.append("holds", "green") if one.holds else title.append("does not hold", "bold red")
    table = Table(
        *_COLUMNS,
        box=SIMPLE_HEAD,
        title=title,
        caption=Text("\n").join(
            [*(Text(words, "red") for words in one.faults), *map(Text, _not_claimed(one))]
        )
        or None,
        title_justify="left",
        caption_justify="left",
    )
    for model, is_reference in _models(one):
        table.add_row(*map(Text, _cells(model, is_reference)))
    return table


def make_fragment(calibrated: Iterable[Calibrated]) -> str:
    """HTML for a page's body: for each threshold its runs in a plot, and the figures beside it."""
    sections = "\n".join(map(_section, calibrated))
    return f'<div class="calibration">\n<style>\n{_STYLE}\n</style>\n{sections}\n</div>\n'


def _heading(one: Calibrated) -> str:
    return f"{one.source}, {one.name}, {one.direction} {one.threshold:g}"


def _models(one: Calibrated) -> list[tuple[Measured, bool]]:
    return [(one.reference, True), *((weak, False) for weak in one.weak)]


def _not_claimed(one: Calibrated) -> list[str]:
    """In words, what was measured against the threshold and is not stopped by it."""
    return [
        f"Not told apart: {model.about} passes by a chance of {odds(model.chance)}."
        for model in one.not_told_apart
    ]


def _cells(model: Measured, is_reference: bool) -> tuple[str, ...]:
    low, high = model.pass_interval
    return (
        model.about,
        f"{model.n}",
        f"{model.mean:.3f} ± {model.sd:.3f}",
        f"{model.worst:.3f}",
        f"{model.margin:.1f} sd",
        f"{model.passed} of {model.n} ({low:.0%} to {high:.0%})",
        f"{'fails' if is_reference else 'passes'}: {odds(model.chance)}",
    )


def _section(one: Calibrated) -> str:
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(model, is_reference))}</tr>"
        for model, is_reference in _models(one)
    )
    head = "".join(f"<th>{escape(column)}</th>" for column in _COLUMNS)
    verdict = "It holds." if one.holds else "It does not hold: " + " ".join(one.faults)
    claim = (
        "It claims to tell apart the weak solutions listed here, and no others."
        if one.weak
        else "No weak solution is claimed to be told apart by it."
    )
    claims = " ".join([claim, *_not_claimed(one)])
    rests = "".join(f"<li>{escape(model.rests_on)}</li>" for model, _ in _models(one))
    return f"""\
<section>
<h3>{escape(_heading(one))}</h3>
<p>{escape(verdict)} From these runs, {one.chosen:g} would be chosen. Allowed are \
{odds(CHANCE_OF_FAILING)} for the reference to fail and {odds(CHANCE_OF_PASSING)} for each weak \
solution to pass. {escape(claims)}</p>
<div class="beside">
<figure>
{_plot(one)}
</figure>
<div class="scroll"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</div>
<details><summary>What the chances rest on</summary><ul>{rests}</ul></details>
</section>"""


def _plot(one: Calibrated) -> str:
    """An SVG: a row for each kind of model, a dot for each run, the fitted curve above them."""
    models = _models(one)
    low, high = _limits(one)

    def x(value: float) -> float:
        return round(_NAMES + (value - low) / (high - low) * (_WIDTH - _RIM - _NAMES), 1)

    bottom = _TOP + _ROW * len(models)
    line = x(one.threshold)
    left, right = (line, _WIDTH - _RIM) if one.at_least else (_NAMES, line)
    anchor = "end" if line > (_NAMES + _WIDTH) / 2 else "start"
    arrow = "passes →" if one.at_least else "← passes"
    title = f"{one.name}, {one.source}: runs and fitted curves beside the threshold"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + _AXIS}" '
            'role="img" font-family="sans-serif" font-size="12" fill="currentColor">',
            f"<title>{escape(title)}</title>",
            f'<rect x="{left}" y="{_TOP}" width="{round(right - left, 1)}" '
            f'height="{bottom - _TOP}" opacity="0.07"/>',
            *(
                _row(model, is_reference, _TOP + _ROW * place, x, low, high)
                for place, (model, is_reference) in enumerate(models)
            ),
            f'<path d="M{line} {_TOP - 6}V{bottom}" stroke="currentColor" stroke-width="2"/>',
            f'<text x="{line}" y="{_TOP - 9}" text-anchor="{anchor}">{one.direction} '
            f"{one.threshold:g}: {arrow}</text>",
            _axis(low, high, bottom, x),
            "</svg>",
        ]
    )


def _limits(one: Calibrated) -> tuple[float, float]:
    models = [model for model, _ in _models(one)]
    lows = [min(*model.values, model.mean - 3.5 * model.spread) for model in models]
    highs = [max(*model.values, model.mean + 3.5 * model.spread) for model in models]
    low, high = min(one.threshold, *lows), max(one.threshold, *highs)
    rim = 0.02 * (high - low) or 1.0
    return low - rim, high + rim


def _row(model: Measured, is_reference: bool, top: int, x: Place, low: float, high: float) -> str:
    colour = _REFERENCE if is_reference else _WEAK
    base = top + 8 + _CURVE
    return "\n".join(
        [
            _curve(model, colour, base, x, low, high),
            *(
                # In three lines, so that runs with like figures stay apart.
                f'<circle cx="{x(value)}" cy="{base + 6 + 6 * (place % 3)}" r="2.8" '
                f'fill="{colour}"/>'
                for place, value in enumerate(sorted(model.values))
            ),
            f'<text x="0" y="{base}">{escape(model.about)}</text>',
        ]
    )


def _curve(model: Measured, colour: str, base: int, x: Place, low: float, high: float) -> str:
    """The density of one more run's figure, its peak `_CURVE` high."""
    if not model.spread:
        return ""
    reach = 4 * model.spread
    start, end = max(low, model.mean - reach), min(high, model.mean + reach)
    steps = 60
    values = [start + (end - start) * i / steps for i in range(steps + 1)]
    density = stats.t.pdf([(v - model.mean) / model.spread for v in values], model.n - 1)
    peak = stats.t.pdf(0, model.n - 1)
    points = " ".join(
        f"{x(value)},{base - _CURVE * height / peak:.1f}"
        for value, height in zip(values, np.atleast_1d(density), strict=True)
    )
    return (
        f'<polygon points="{x(start)},{base} {points} {x(end)},{base}" fill="{colour}" '
        f'fill-opacity="0.25" stroke="{colour}" stroke-width="1.5"/>'
    )


def _axis(low: float, high: float, y: int, x: Place) -> str:
    ticks = _ticks(low, high)
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]))) if len(ticks) > 1 else 3
    return "\n".join(
        [
            f'<path d="M{_NAMES} {y}H{_WIDTH - _RIM}" stroke="currentColor"/>',
            *(
                f'<path d="M{x(tick)} {y}v5" stroke="currentColor"/>'
                f'<text x="{x(tick)}" y="{y + 19}" text-anchor="middle">{tick:.{digits}f}</text>'
                for tick in ticks
            ),
        ]
    )


def _ticks(low: float, high: float) -> Sequence[float]:
    """About six round numbers from `low` to `high`."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(i * step, 10) + 0.0 for i in range(first, last + 1)]
