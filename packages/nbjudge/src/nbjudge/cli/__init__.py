"""The `nbjudge` command, and what commands share."""
