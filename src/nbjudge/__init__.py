"""Grading of notebook assignments with nbgrader: release, grading, records.

Knows notebooks, kernels and gradebooks; knows nothing of any particular course.
"""
