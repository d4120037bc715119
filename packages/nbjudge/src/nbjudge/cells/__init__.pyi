from .flow import called_loads as called_loads, free_names as free_names
from .metadata import (
    is_grade as is_grade,
    is_solution as is_solution,
    is_test as is_test,
    is_unanswered as is_unanswered,
)
from .names import (
    Needs as Needs,
    SourceCell as SourceCell,
    kernel_prelude as kernel_prelude,
    needs_of as needs_of,
    replaced as replaced,
    replaced_functions as replaced_functions,
    runs_in_kernel as runs_in_kernel,
)
from .parsing import bindings as bindings, parse as parse
