"""``python -m nbhandin``."""

from nbhandin.cli import app

app()
