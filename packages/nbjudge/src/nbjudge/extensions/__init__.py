"""nbgrader's extension points: what its own commands call."""
