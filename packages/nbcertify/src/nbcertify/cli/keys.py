"""The keys that certificates are signed with."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from nbjudge.cli.terminal import console, errors, errors_told

app = typer.Typer(no_args_is_help=True, help="The keys that certificates are signed with.")


@app.command("new")
def new_key() -> None:
    """Make a key; from now on it signs. Certificates signed with earlier keys stay valid."""
    with errors_told():
        from nbcertify.keys import keys_folder, make_key

        key = make_key(keys_folder(), datetime.now(UTC))
        console.print(f"Made {key.kid} in {keys_folder()}", highlight=False)
        errors.print("Keep a copy of that folder where only you can read it.")


@app.command("list")
def list_keys() -> None:
    """List the keys; the first one signs."""
    with errors_told():
        from nbcertify.keys import keys_folder, public_keys

        for key in public_keys(keys_folder()):
            console.print(key["kid"], highlight=False)
