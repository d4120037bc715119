"""An assignment as it was released: what its cells are, hold back and give points for."""

from nbjudge.assignment.assignment import Assignment, read_assignment

__all__ = ["Assignment", "read_assignment"]
