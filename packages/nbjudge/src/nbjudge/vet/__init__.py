"""Trying an assignment's tests: on planted mistakes, and on right answers that look different."""
