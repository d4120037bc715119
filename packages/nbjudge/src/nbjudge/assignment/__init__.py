"""An assignment as it was released: what its cells are, hold back and give points for."""

from nbjudge.assignment.assignment import Assignment, find_assignment, read_assignment

__all__ = ["Assignment", "find_assignment", "read_assignment"]
