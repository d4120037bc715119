"""The commands from attendance reports to certificates: `nbcertify attendance`, `eligible`, …"""

import typer

from nbcertify.cli import decide, hand_over, issue, keys, purge, verify

app = typer.Typer()
for _group in (decide, issue, verify, hand_over, purge):
    app.add_typer(_group.app)
app.add_typer(keys.app, name="keys")
