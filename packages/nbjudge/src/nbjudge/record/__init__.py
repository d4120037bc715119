"""What is kept of a grade: the record beside it, and the marks that people gave."""
