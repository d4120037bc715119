"""Values of libraries that cross by an adapter, and hostile parts."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge import adapters
from nbjudge.capture import Damaged, FunctionTable, decode, encode

LIMIT = 50_000_000


def crossed(value):
    return decode(encode(value, limit=LIMIT, functions=FunctionTable()), limit=LIMIT)


def there(value):
    """The value at the other end, which has to be of the same class."""
    found = crossed(value)
    assert type(found) is type(value)
    return found


def test_numpys_polynomials_and_generators():
    polynomial = np.polynomial.Polynomial([1.0, 2.0, 3.0], domain=[0, 2])
    assert there(polynomial) == polynomial and there(polynomial)(2.0) == polynomial(2.0)
    assert there(np.poly1d([1, 2]))(3) == 5
    generator = np.random.default_rng(5)
    generator.random(3)
    assert (there(generator).random(4) == generator.random(4)).all()
    old = np.random.RandomState(5)
    assert (there(old).rand(3) == old.rand(3)).all()


def test_the_order_of_an_array_stays_for_it_changes_sums():
    rng = np.random.default_rng(0)
    table = np.asfortranarray(rng.random((300, 200)).astype("float32"))
    assert there(table).flags.f_contiguous and there(table).sum() == table.sum()
    assert (there(table) == table).all() and there(table.T).flags.c_contiguous


def test_regular_expressions():
    pattern = re.compile(r"(\d+)-(\w+)", re.IGNORECASE)
    assert there(pattern) == pattern and there(re.compile(b"a")).match(b"ab")


def test_scipys():
    sparse, stats = pytest.importorskip("scipy.sparse"), pytest.importorskip("scipy.stats")
    from scipy.optimize import OptimizeResult

    for form in ("csr", "csc", "coo", "lil", "dok"):
        matrix = sparse.random_array((5, 7), density=0.4, rng=1).asformat(form)
        assert (there(matrix).toarray() == matrix.toarray()).all()
    assert there(stats.norm(1, 2)).cdf(1) == 0.5
    result = there(OptimizeResult(x=np.array([1.0]), success=True, message="done"))
    assert result.x == 1 and result["success"] and result.message == "done"


def test_pandas_groups_and_images():
    pd, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    table = pd.DataFrame({"kind": list("abab"), "n": [1, 2, 3, 4], "m": [1.0, 2.0, 3.0, 4.0]})
    for groups in (table.groupby("kind"), table.groupby("kind")["n"], table.groupby(["kind"])):
        assert there(groups).sum().equals(groups.sum())
    for mode in ("L", "RGB", "1", "P"):
        picture = image.new("RGB", (5, 3), (1, 200, 3)).convert(mode)
        found = crossed(picture)
        assert (found.mode, found.size) == (mode, (5, 3)) and found.tobytes() == picture.tobytes()


def test_graphs():
    nx = pytest.importorskip("networkx")
    for kind in (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph):
        graph = kind(name="roads")
        graph.add_edge("a", "b", weight=2)
        graph.add_edge("b", "c", weight=3)
        graph.add_edge("b", "c", weight=1)
        graph.add_node("d", colour="red")
        found = there(graph)
        assert nx.utils.graphs_equal(found, graph) and list(found) == list(graph)


def test_expressions():
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y", positive=True)
    f = sympy.Function("f")
    for expression in (
        x**2 + sympy.sin(y) / 3,
        sympy.Eq(f(x).diff(x), 2 * x),
        sympy.Integral(sympy.exp(-(x**2)), (x, 0, sympy.oo)),
        sympy.Matrix([[x, 1], [0, y]]),
        sympy.Piecewise((x, x > 1), (0, True)),
        sympy.FiniteSet(1, 2),
        sympy.Rational(1, 3) * sympy.pi,
    ):
        assert there(expression) == expression


@pytest.mark.parametrize(
    "text",
    [
        'sin(\'__import__("os").system("true")\')',
        "Matrix(['__import__(\"os\")'])",
        "__import__('os')",
        "sympify('1')",
        "Symbol.__subclasses__()",
        "Pow(Integer(10), Integer(10000000000))",
        "factorial(Integer(100000000))",
        "(lambda: 1)()",
        "[x for x in ()]",
        "Add(*[1])",
        "S('1')",
        "parse_expr('1')",
        "(" * 300,
    ],
)
def test_hostile_expressions_are_refused(text):
    pytest.importorskip("sympy")
    with pytest.raises((ValueError, SyntaxError, MemoryError)):
        adapters.unpacked("sympy", text)


def test_estimators_hold_what_they_learned_and_ask_for_predictions():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    assert there_of(LinearRegression(fit_intercept=False)).get_params()["fit_intercept"] is False
    x, y = np.arange(6.0).reshape(6, 1), np.array([0, 0, 0, 1, 1, 1])
    tree = DecisionTreeClassifier(max_depth=2).fit(x, y)
    found = there_of(tree)
    assert isinstance(found, DecisionTreeClassifier) and found.max_depth == 2
    assert list(found.classes_) == [0, 1] and found.predict.facts.name == "predict"
    line = there_of(LinearRegression().fit(x, 2 * x[:, 0]))
    assert np.allclose(line.coef_, [2])
    pipeline = there_of(make_pipeline(StandardScaler(), tree))
    assert [type(step).__name__ for _, step in pipeline.steps] == [
        "StandardScaler",
        "DecisionTreeClassifier",
    ]


def there_of(value):
    from nbjudge.capture import Link

    link = Link(lambda ref, request: pytest.fail("nobody asks"))
    data = encode(value, limit=LIMIT, functions=FunctionTable())
    found = decode(data, limit=LIMIT, hooks=link.hooks())
    assert type(found) is type(value)
    return found


def test_a_class_that_is_no_estimator_is_not_made():
    pytest.importorskip("sklearn")
    parts = {"parameters": {}, "learned": {}, "methods": {}}
    for place in (["os", "system"], ["sklearn.utils", "os"], ["sklearn.externals", "x"]):
        with pytest.raises((ValueError, AttributeError, ImportError)):
            adapters.unpacked("sklearn", {"class": place, **parts})


def test_figures_of_plotly_and_altair():
    go = pytest.importorskip("plotly.graph_objects")
    figure = go.Figure(go.Bar(x=["a", "b"], y=[1, 2]), layout={"title": {"text": "Points"}})
    assert there(figure).data[0].y == (1, 2) and there(figure).layout.title.text == "Points"
    alt = pytest.importorskip("altair")
    pd = pytest.importorskip("pandas")
    chart = alt.Chart(pd.DataFrame({"a": [1, 2]})).mark_bar().encode(x="a:Q")
    assert there(chart).to_dict()["mark"] == chart.to_dict()["mark"]


def test_arrays_of_jax():
    jax = pytest.importorskip("jax")
    found = crossed(jax.numpy.arange(3.0))
    assert isinstance(found, jax.Array) and float(found.sum()) == 3


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([[1.0, 2.0]], requires_grad=True)
    found = crossed(tensor)
    assert torch.equal(found, tensor) and found.requires_grad
    assert crossed(torch.tensor([1.5], dtype=torch.bfloat16)).dtype is torch.bfloat16


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


HERE = [name for name in adapters._BUILT_IN if importlib.util.find_spec(name) is not None]


@given(st.sampled_from([*HERE, "x"]), PARTS)
def test_whatever_the_parts_are_there_is_a_value_or_a_refusal(library, parts):
    data = encode(parts, limit=LIMIT)
    length = int.from_bytes(data[4:8], "big")
    node, sizes = json.loads(data[8 : 8 + length])
    tree = json.dumps([["adapted", library, node], sizes]).encode()
    hostile = data[:4] + len(tree).to_bytes(4, "big") + tree + data[8 + length :]
    with contextlib.suppress(Damaged):
        decode(hostile, limit=LIMIT)


def test_a_course_brings_an_adapter_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "chess_of_ours.py").write_text(
        "class Board:\n    def __init__(self, moves):\n        self.moves = moves\n"
    )
    (tmp_path / "chess_adapter.py").write_text(
        "import chess_of_ours\n"
        "def pack(value):\n"
        "    return value.moves if isinstance(value, chess_of_ours.Board) else None\n"
        "def unpack(parts):\n"
        "    return chess_of_ours.Board([str(move) for move in parts])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    told = adapters.environment({"chess_of_ours": "chess_adapter"})
    monkeypatch.setenv(*next(iter(told.items())))
    import chess_of_ours

    assert there(chess_of_ours.Board(["e4"])).moves == ["e4"]


def test_predictions_are_asked_and_what_a_function_does_to_an_argument_is_seen(notebook):
    pytest.importorskip("sklearn")
    nx = pytest.importorskip("networkx")
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeClassifier

    x, y = np.arange(6.0).reshape(6, 1), np.array([0, 0, 0, 1, 1, 1])

    def trained(depth):
        return DecisionTreeClassifier(max_depth=depth).fit(x, y)

    tree = notebook.hand_out(trained)(2)
    assert isinstance(tree, DecisionTreeClassifier)
    assert list(tree.predict(x)) == list(y) and tree.score(x, y) == 1.0

    def fit(model):
        model.fit(x, 2 * x[:, 0])

    model = LinearRegression()
    notebook.hand_out(fit)(model)
    assert np.allclose(model.coef_, [2]) and np.allclose(model.predict([[10.0]]), [20])

    def connect(graph):
        graph.add_edge("a", "b")
        graph.remove_node("c")

    graph = nx.Graph()
    graph.add_node("c")
    notebook.hand_out(connect)(graph)
    assert list(graph.edges) == [("a", "b")] and list(graph) == ["a", "b"]

    def draw(rng):
        return rng.random()

    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    drawn = [notebook.hand_out(draw)(rng), notebook.hand_out(draw)(rng)]
    assert drawn == [other.random(), other.random()]
