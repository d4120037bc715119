"""Grading of notebook assignments with nbgrader: release, grading, records.

Knows notebooks, kernels and gradebooks; knows nothing of any particular course.
"""

import sys

import lazy_loader

from nbjudge.lean import import_nbgrader_alone, leave_out_formats

# Every process that grades waits for its imports: they make up most of the time to a first grade.
leave_out_formats(sys.modules)
import_nbgrader_alone(sys.modules)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
