"""From gradebook and attendance to certificates that anyone can check."""
