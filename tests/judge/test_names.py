"""What test cells need, read from text."""

from __future__ import annotations

from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbjudge.assignment.markers import split
from nbjudge.cells.names import (
    Needs,
    SourceCell,
    kernel_prelude,
    needs_of,
    replaced_functions,
    runs_in_kernel,
)

ROOT = Path(__file__).parents[2]
GUIDE = Path(nbgrader.__file__).parent / "docs/source/user_guide/source/ps1/problem1.ipynb"


def read_cells(path: Path) -> list[SourceCell]:
    found = []
    for number, cell in enumerate(nbformat.read(path, 4).cells):
        if cell.cell_type == "code":
            about = cell.metadata.get("nbgrader", {})
            solution = bool(about.get("solution"))
            test = bool(about.get("grade")) and not solution
            name = about.get("grade_id", f"cell {number}")
            found.append(SourceCell(name, cell.source, test, solution))
    return found


COURSE = {
    "image-data": {
        "test_first_images": "first_images",
        "test_describe": "describe",
        "test_label_names": "label_names",
        "test_show_images": "show_images",
        "test_normalise": "normalise",
        "test_normalise_both": "normalise_both",
        "test_flat_length": "flat_length",
        "test_dense_params": "dense_params",
    },
    "convnet": {
        "test_dense_params": "dense_params",
        "test_conv_params": "conv_params",
        "test_conv_output_shape": "conv_output_shape",
        "test_pool_output_shape": "pool_output_shape",
        "test_model_in_and_out": "cifar_model_small",
        "test_model_layers": "cifar_model_small",
        "test_model_size": "cifar_model_small",
        "test_model_deeper": "cifar_model_deeper",
        "test_model_no_pooling": "cifar_model_no_pooling",
        "test_compile_loss": "compile_model",
        "test_compile_optimizer": "compile_model",
        "test_train_model": "train_model",
        "test_trained": "history model train_labels",
        "test_history_table": "history_table",
        "test_plot_history": "plot_history",
        "test_best_epoch": "best_epoch",
        "test_unseen_images": "model",
    },
    "dropout": {
        "test_repaired_runs": "create_nn",
        "test_repaired_layers": "create_nn",
        "test_dropout_rate": "create_nn",
        "test_dropout_place": "create_nn",
        "test_compile": "compile_model",
        "test_train_history": "train_with_log",
        "test_train_log": "logged_in train_with_log",
        "test_trained": "dropout_history dropout_model plain_history plain_model train_labels",
        "test_event_files": "dropout_history dropout_model logged plain_history plain_model",
        "test_gap": "gap",
        "test_gap_closed": "dropout_model plain_model",
        "test_loss_not_higher": "dropout_model plain_model",
        "test_test_performance": "test_performance",
        "test_predict_list": "predict_labels",
        "test_predict_names": "predict_labels",
        "test_show_predictions": "show_predictions",
    },
}


@pytest.mark.parametrize("name", COURSE)
def test_this_course_needs_just_the_students_answers(name):
    cells = read_cells(ROOT / "source" / name / f"{name}.ipynb")
    needs = {cell.grade_id: needs_of(cells, cell.grade_id) for cell in cells if cell.is_test}
    assert needs == {
        grade_id: Needs(values=tuple(values.split()), imports=(), from_tests=())
        for grade_id, values in COURSE[name].items()
    }


def test_nbgraders_own_example():
    cells = read_cells(GUIDE)
    needs = {cell.grade_id: needs_of(cells, cell.grade_id).values for cell in cells if cell.is_test}
    assert needs == {
        "correct_squares": ("squares",),
        "squares_invalid_input": ("squares",),
        "correct_sum_of_squares": ("sum_of_squares",),
        "sum_of_squares_uses_squares": ("squares", "sum_of_squares"),
    }


def test_a_test_that_replaces_a_students_function_is_found():
    cells = read_cells(GUIDE)
    found = {c.grade_id: replaced_functions(cells, c.grade_id) for c in cells if c.is_test}
    assert {name: names for name, names in found.items() if names} == {
        "sum_of_squares_uses_squares": ("squares",)
    }
    for name in COURSE:
        cells = read_cells(ROOT / "source" / name / f"{name}.ipynb")
        assert not any(replaced_functions(cells, c.grade_id) for c in cells if c.is_test)


def needs(*sources: str, tests: tuple[int, ...] = ()) -> Needs:
    """The needs of the last cell."""
    last = len(sources) - 1
    cells = [SourceCell(str(i), s, i in tests or i == last, False) for i, s in enumerate(sources)]
    return needs_of(cells, str(last))


IMPORTS = [
    ("import numpy as np", "np", ["import numpy as np"]),
    ("import os, sys", "sys", ["import sys"]),
    ("from keras import layers, models as m", "m.x", ["from keras import models as m"]),
    ("import a.b\nimport a.c", "a.b", ["import a.b", "import a.c"]),
    (
        "try:\n    import cupy as xp\nexcept ImportError:\n    import numpy as xp",
        "xp",
        ["try:\n    import cupy as xp\nexcept ImportError:\n    import numpy as xp"],
    ),
    (
        "try:\n    import torch\nexcept ImportError:\n    torch = None",
        "torch",
        ["try:\n    import torch\nexcept ImportError:\n    torch = None"],
    ),
    ("if True:\n    from os import path", "path", ["from os import path"]),
    ("def f():\n    import os\nimport os", "os", ["import os"]),
    ("import os; os = 3; import os", "os", ["import os"]),
    ("%%time\nimport os", "os", ["import os"]),
]


@pytest.mark.parametrize(("before", "test", "imports"), IMPORTS)
def test_the_judge_imports_for_itself(before, test, imports):
    assert needs(before, test) == Needs((), tuple(imports), ())
    # Also from a test cell, and with cells in between that bind nothing of the kind.
    assert needs(before, "y = 3", "def broken(:", test, tests=(0,)).imports == tuple(imports)


def test_what_a_test_cells_function_reads_is_needed_where_it_is_called():
    sources = (
        "def f(): ...",
        "import re\ndef check(n):\n    assert f(n) and re and other",
        "check(1)",
    )
    found = needs(*sources, tests=(1,))
    assert found.values == ("f", "other")
    assert found.from_tests == ("check",)
    assert found.imports == ("import re",)


def test_the_last_binder_counts():
    assert needs("import np", "np = 3", "np").values == ("np",)
    assert needs("np = 3", "import np", "np").imports == ("import np",)
    assert needs("import np; np = 3", "np").values == ("np",)
    assert needs("def f(): ...", "f = 1", "f", tests=(1,)).from_tests == ("f",)
    assert needs("f = 1", "def f(): ...", "f", tests=(0,)).values == ("f",)
    assert needs("f = 1", "f").unbound == ()
    assert needs("f", "f = 3").values == ()


def test_what_a_test_in_the_kernel_binds_is_a_value():
    marked = "### RUN IN STUDENT KERNEL\nf = 1"
    assert needs(marked, "f", tests=(0,)).values == ("f",)


def test_a_rebound_builtin_is_a_value():
    assert needs("x = 1", "sum(x)").values == ("x",)
    assert needs("sum = 1", "sum(x)").values == ("sum", "x")
    assert needs("def f():\n    sum = 1", "sum(x)").values == ("x",)


def test_what_ipython_has_is_not_needed():
    assert needs("x", "display(_, In, Out, _3, _i, get_ipython(), exit, __name__)").values == ()


def test_star_imports_may_bind_what_no_cell_does():
    found = needs("from math import *\nx = 1", "sin(x)")
    assert found == Needs(("sin", "x"), ("from math import *",), (), unbound=("sin",))
    assert needs("from math import *\nx = 1", "x").imports == ()


def test_future_imports_come_first():
    future = "from __future__ import annotations"
    assert needs(f"{future}\nimport os", "os").imports == (future, "import os")


def test_no_such_cell():
    with pytest.raises(KeyError):
        needs_of([], "test")


PRELUDES = [
    ("import numpy as np\nassert f(np.ones(3))", ["np.zeros(3)"], "import numpy as np"),
    ("import numpy as np\nx = f(np)", ["np.zeros(3)"], "import numpy as np"),
    ("import numpy as np\nx = f(np)", ["np.zeros(3) + x"], "import numpy as np\nx = f(np)"),
    ("import numpy as np\nx = f(np)", ["x = 3\nx", "x"], ""),
    ("import numpy as np\nx = f(np)", ["if a:\n    x = 3", "x"], "import numpy as np\nx = f(np)"),
    ("x = 3", ["def g():\n    return x"], "x = 3"),
    ("x = 3", ["def g(x):\n    return x"], ""),
    ("x = 3", ["x = (", "y"], ""),
    ("x = (", ["x"], ""),
    ("x = 3", [], ""),
    ("assert f", ["f()"], ""),
    ("import os\ntry:\n    import sys\nexcept E:\n    pass", ["sys, os"], "import os\nimport sys"),
]


@pytest.mark.parametrize(("visible", "later", "prelude"), PRELUDES)
def test_kernel_prelude(visible, later, prelude):
    assert kernel_prelude(visible, later) == prelude


def test_the_courses_later_cells_need_no_more_than_imports():
    for name in COURSE:
        cells = read_cells(ROOT / "source" / name / f"{name}.ipynb")
        for place, cell in enumerate(cells):
            later = [other.source for other in cells[place + 1 :] if not other.is_test]
            if cell.is_test:
                visible = "\n".join(split(cell.source, ("HIDDEN TESTS",))[0])
                lines = kernel_prelude(visible, later).splitlines()
                assert all(line.startswith(("import ", "from ")) for line in lines)


def test_the_kernel_marker_is_a_line_of_its_own():
    assert runs_in_kernel("x\n    ### RUN IN STUDENT KERNEL  \ny")
    assert not runs_in_kernel("x  ### RUN IN STUDENT KERNEL")
    assert not runs_in_kernel("### run in student kernel")
    assert not runs_in_kernel("#### RUN IN STUDENT KERNEL")
    assert not runs_in_kernel("### RUN IN STUDENT KERNEL, please")


REPLACED = [
    ("rate = 1\ndef tax(x): return x * rate", "rate = 2\nassert tax(4) == 8", ("rate",)),
    ("def g(): return 1\ndef f(): return g()", "g = lambda: 5\nassert f() == 5", ("g",)),
    ("def g(): return n\ndef f(): return g()", "n = 5\nassert f() == 5", ("n",)),
    ("def f(): print(1)", "with patch('builtins.print'):\n    f()", ("builtins.print",)),
    ("import numpy as np\ndef f(x): return np.sum(x)", "import numpy as np\nx = 1\nf(x)", ()),
    ("def f(x):\n    return x", "x = 1\nassert f(x)", ()),
    ("def f(x): return x\ndef unused(): return x", "x = 1\nassert f(x)", ()),
]


@pytest.mark.parametrize(("answer", "test", "names"), REPLACED)
def test_what_functions_read_and_a_test_replaces_is_found(answer, test, names):
    cells = [SourceCell("a", answer, False, True), SourceCell("t", test, True, False)]
    assert replaced_functions(cells, "t") == names


ANSWER_IMPORTS = [
    # given before, answer, its stub, test, what the judge imports, what the student is to import
    ("", "from math import gcd", "", "gcd(1, 2)", (), ("gcd",)),
    ("", "import numpy as np\nx = np.ones(3)", "", "np.sum(x) == 3", (), ("np",)),
    ("import numpy as np", "import numpy as np\nx = 1", "", "np, x", ("import numpy as np",), ()),
    ("", "import os\nx = 1", "import os\nx = ...", "os, x", ("import os",), ()),
    ("import os", "import os.path", "", "os", ("import os",), ()),
    ("import os", "import sys as os", "", "os", (), ("os",)),
    ("from math import gcd", "from slow import gcd", "", "gcd", (), ("gcd",)),
    ("import a.b", "import a.c\nimport a.d", "", "a", ("import a.b",), ()),
    ("from math import gcd", "def gcd(a, b): ...", "", "gcd", (), ()),
    ("", "from math import *", "", "sin(1)", (), ()),
    ("", "from __future__ import annotations\nimport os", "import os", "os", ("import os",), ()),
]  # fmt: skip


@pytest.mark.parametrize(("before", "solution", "stub", "test", "imports", "own"), ANSWER_IMPORTS)
def test_what_only_an_answer_imports_is_the_students_to_import(
    before, solution, stub, test, imports, own
):
    answer = SourceCell("answer", solution, False, True, stub)
    cells = [SourceCell("", before, False, False), answer, SourceCell("t", test, True, False)]
    found = needs_of(cells, "t")
    assert tuple(dict.fromkeys(found.imports)) == imports
    assert tuple(name for name, _ in found.answer_imports) == own
    assert set(own) <= set(found.values)
