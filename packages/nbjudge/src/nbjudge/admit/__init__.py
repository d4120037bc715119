"""What was handed in: which files, when, and whether they can be graded at all."""
