"""Every check of `dlcourse.checks`."""


def page() -> str:
    """The page of all checks, as Markdown."""
    return "# Checks\n"
