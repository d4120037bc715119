"""Preprocessors that ``nbjudge.configure`` puts into nbgrader's lists, one a module."""
