"""Grading of notebook assignments with nbgrader: release, grading, records.

Knows notebooks, kernels and gradebooks; knows nothing of any particular course.
"""

import sys

# jsonschema takes this, if it is there, to check IRIs, of which no notebook's schema has any. To
# import it takes longer than all the rest: it compiles a grammar.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None refuses it
