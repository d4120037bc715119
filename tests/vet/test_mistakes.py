"""Planted mistakes: what a student could do wrong is among them, and each is one small step."""

from __future__ import annotations

import ast
import difflib
import re

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.vet.mistakes import MOST, plant_mistakes

FUNCTIONAL = '''\
def small_network():
    """A network."""
    inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(8, (3, 3), activation="relu")(inputs)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Flatten()(x)
    outputs = layers.Dense(10)(x)
    return keras.Model(inputs, outputs)
'''
SEQUENTIAL = """\
def small_network(rate):
    return keras.Sequential([
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(units=64, activation="relu"),
        layers.Dropout(rate),
        layers.Dense(10, "softmax"),
    ])
"""
ADDED = """\
model = keras.Sequential()
model.add(layers.Dense(32))
model.add(layers.ReLU())
model.add(layers.Dense(1))
"""
TRAINING = """\
def train(model, train_images, train_labels, test_images, test_labels, epochs):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        train_images, train_labels, epochs=epochs, validation_data=(test_images, test_labels)
    )
    return history
"""
LOGITS = """\
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
"""
SCALED = """\
def scaled(train, test):
    return train / 255.0, test / 255.0
"""
CHOSEN = """\
def chosen(scores, names, limit):
    found = []
    for score, name in zip(scores, names):
        if score >= limit and not name.startswith("_"):
            found.append(name)
    return found
"""
PREDICTED = """\
def predicted(logits, names):
    best = logits.argmax(axis=1)
    return [names[index] for index in best]
"""
PARAMETERS = """\
def parameters(height, width, channels, filters):
    return (height * width * channels + 1) * filters
"""
HISTORY = """\
def best(history, start):
    return min(history["val_loss"][start:])
"""
SELECTED = """\
def selected(images, labels, count, names):
    chosen = [names[label] for label in labels.flatten()]
    return images[:count], chosen
"""
DIVIDED = """\
def divided(images):
    return images / 255
"""
LOWEST = """\
def lowest(table):
    return table["val_loss"].idxmin()
"""
FACTS = """\
def facts(array):
    return {"shape": array.shape, "largest": array.max()}
"""
TABLE = """\
def table_of(history):
    return pd.DataFrame(history)
"""
CELLS = {
    "functional": FUNCTIONAL,
    "sequential": SEQUENTIAL,
    "added": ADDED,
    "training": TRAINING,
    "logits": LOGITS,
    "scaled": SCALED,
    "chosen": CHOSEN,
    "predicted": PREDICTED,
    "parameters": PARAMETERS,
    "history": HISTORY,
    "selected": SELECTED,
    "divided": DIVIDED,
    "lowest": LOWEST,
    "facts": FACTS,
    "table": TABLE,
}


def mistakes(source: str, **how) -> list:
    return list(plant_mistakes(source, **how))


def texts(source: str) -> set[str]:
    """The planted mistakes as syntax alone: spaces, line breaks and quotes do not count."""
    return {ast.unparse(ast.parse(change.source)) for change in mistakes(source)}


def edited(source: str, old: str, new: str) -> str:
    assert source.count(old) >= 1, f"{old!r} is not in the cell"
    return ast.unparse(ast.parse(source.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        # Sizes.
        ("functional", "Conv2D(8,", "Conv2D(9,"),
        ("functional", "Conv2D(8,", "Conv2D(4,"),
        ("functional", "Dense(10)", "Dense(11)"),
        ("sequential", "units=64", "units=32"),
        ("functional", "(3, 3)", "(5, 5)"),
        ("functional", "(3, 3)", "(3, 2)"),
        ("functional", "(2, 2)", "(3, 3)"),
        ("functional", "(28, 28, 1)", "(28, 28)"),
        ("functional", '"relu")', '"relu", padding="same")'),
        ("functional", '"relu")', '"relu", strides=2)'),
        # Activations.
        ("functional", ', activation="relu"', ""),
        ("functional", '"relu"', '"tanh"'),
        ("functional", "Dense(10)", 'Dense(10, activation="softmax")'),
        ("sequential", '"softmax"', '"sigmoid"'),
        ("sequential", ', "softmax"', ""),
        ("added", "layers.ReLU()", "layers.ELU()"),
        # Layers left out, doubled, moved, wrongly joined.
        ("functional", "    x = layers.MaxPooling2D((2, 2))(x)\n", ""),
        ("functional", "outputs = layers.Dense(10)(x)", "outputs = x"),
        ("sequential", "        layers.Dropout(rate),\n", ""),
        ("added", "model.add(layers.ReLU())\n", ""),
        ("added", "model.add(layers.Dense(32))\n", "model.add(layers.Dense(32))\n" * 2),
        ("functional", "layers.Dropout(0.2)(x)", "layers.Dropout(0.2)(x)\n" + " " * 4
         + "x = layers.Dropout(0.2)(x)"),
        ("functional", "layers.MaxPooling2D((2, 2))(x)", "layers.MaxPooling2D((2, 2))(inputs)"),
        ("functional", "layers.Dense(10)(x)", "layers.Dense(10)(inputs)"),
        # Dropout.
        ("functional", "Dropout(0.2)", "Dropout(0.8)"),
        ("functional", "Dropout(0.2)", "Dropout(0.1)"),
        ("sequential", "Dropout(rate)", "Dropout(1 - rate)"),
        ("sequential", "Dropout(rate)", "Dropout(0.5)"),
        # Compiling and training.
        ("training", '"sparse_categorical_crossentropy"', '"categorical_crossentropy"'),
        ("training", "Adam(learning_rate=0.01)", "SGD(learning_rate=0.01)"),
        ("training", "learning_rate=0.01", "learning_rate=0.1"),
        ("training", "optimizer=keras.optimizers.Adam(learning_rate=0.01),", ""),
        ("training", 'metrics=["accuracy"],', ""),
        ("training", '["accuracy"]', "[]"),
        ("training", '["accuracy"]', '["mae"]'),
        ("training", "epochs=epochs", "epochs=epochs + 1"),
        ("training", "epochs=epochs,", ""),
        ("training", ", validation_data=(test_images, test_labels)", ""),
        ("training", "(test_images, test_labels)", "(train_images, train_labels)"),
        ("training", "train_images, train_labels, epochs", "train_labels, train_images, epochs"),
        ("training", "        train_images,", "        test_images,"),
        ("training", "return history", "return model"),
        ("logits", "from_logits=True", "from_logits=False"),
        ("logits", "from_logits=True", ""),
        ("logits", "SparseCategorical", "Categorical"),
        # Data.
        ("scaled", "train / 255.0", "train"),
        ("scaled", "test / 255.0", "test"),
        ("scaled", "train / 255.0", "train / 255.0 / 255.0"),
        ("scaled", "255.0", "256"),
        ("scaled", "255.0", "127.5"),
        ("scaled", "train / 255.0, test / 255.0", "test / 255.0, train / 255.0"),
        ("scaled", ", test / 255.0", ""),
        ("predicted", "axis=1", "axis=0"),
        ("predicted", "axis=1", ""),
        ("predicted", "argmax", "argmin"),
        ("predicted", "names[index]", "index"),
        ("predicted", "return [names[index] for index in best]", "return best"),
        ("history", '"val_loss"', '"loss"'),
        ("history", "start:", "start + 1:"),
        ("history", "start:", ":start"),
        ("history", "min(", "max("),
        # Equations.
        ("parameters", " + 1", ""),
        ("parameters", "+ 1", "+ 2"),
        ("parameters", "+ 1", "- 1"),
        ("parameters", " * channels", ""),
        ("parameters", "* filters", "+ filters"),
        ("parameters", " * filters", ""),
        ("parameters", "(height * width * channels", "(height * channels * channels"),
        ("parameters", "channels + 1", "1 + 1"),
        # How many, which sizes, which types, how far apart.
        ("selected", "[:count]", "[:min(count, 9)]"),
        ("selected", "in labels.flatten()", "in list(labels.flatten())[:9]"),
        ("selected", "flatten()", "squeeze()"),
        ("divided", "images / 255", "images.squeeze() / 255"),
        ("divided", "images / 255", "images.astype(int) / 255"),
        ("divided", "return images / 255", "images /= 255\n    return images"),
        ("lowest", "].idxmin()", "].round(1).idxmin()"),
        ("facts", "array.max()", "abs(array).max()"),
        ("facts", "array.max()}", 'array.max(), "extra": 0}'),
        ("chosen", "in zip(scores, names)", "in list(zip(scores, names))[:9]"),
        ("table", "DataFrame(history)", "DataFrame(history).assign(extra=0)"),
        # Plain Python.
        ("chosen", ">=", ">"),
        ("chosen", ">=", "<="),
        ("chosen", " and not", " or not"),
        ("chosen", "not name", "name"),
        ("chosen", "score >= limit and ", ""),
        ("chosen", "append(name)", "append(name)\n        break"),
        ("chosen", "zip(scores, names)", "zip(names, scores)"),
        ("chosen", "return found", "found"),
        ("chosen", "return found", "return scores"),
    ],
)  # fmt: skip
def test_what_a_student_could_do_wrong_is_planted(cell, old, new):
    assert edited(CELLS[cell], old, new) in texts(CELLS[cell])


@pytest.mark.parametrize(
    ("cell", "one", "two"),
    [
        ("sequential", "layers.Flatten()", 'layers.Dense(units=64, activation="relu")'),
        ("sequential", "layers.Dropout(rate)", 'layers.Dense(10, "softmax")'),
        ("functional", "layers.MaxPooling2D((2, 2))", "layers.Dropout(0.2)"),
        ("functional", "layers.Flatten()", "layers.Dense(10)"),
        ("added", "layers.Dense(32)", "layers.ReLU()"),
    ],
)
def test_neighbouring_layers_are_swapped(cell, one, two):
    swapped = CELLS[cell].replace(one, "?").replace(two, one).replace("?", two)
    assert ast.unparse(ast.parse(swapped)) in texts(CELLS[cell])


def test_a_missing_branch_or_call_is_planted():
    source = 'def f(x):\n    return "a" if len(x) > 2 else str(x)\n'
    planted = texts(source)
    assert edited(source, '"a" if len(x) > 2 else str(x)', '"a"') in planted
    assert edited(source, "len(x) > 2", "not len(x) > 2") in planted
    assert edited(source, "str(x)", "x") in planted


def test_a_dropout_is_moved_past_more_than_one_layer():
    planted = texts(FUNCTIONAL)
    moved = FUNCTIONAL.replace("    x = layers.Dropout(0.2)(x)\n", "")
    first = moved.replace(
        "    x = layers.Conv2D", "    x = layers.Dropout(0.2)(inputs)\n    x = layers.Conv2D"
    )
    first = first.replace('activation="relu")(inputs)', 'activation="relu")(x)')
    assert ast.unparse(ast.parse(first)) in planted


def test_a_global_of_a_similar_name_takes_the_place_of_an_argument():
    source = "def shape(images, count):\n    return images[:count].shape\n"
    known = ["train_images", "test_images", "test_labels", "np"]
    planted = {c.source for c in mistakes(source, globals_=known)}
    assert source.replace("images[", "train_images[") in planted
    assert source.replace("images[", "test_images[") in planted
    assert not any("test_labels" in text or "np" in text for text in planted)
    assert planted > {c.source for c in mistakes(source)}


@pytest.mark.parametrize("cell", CELLS)
def test_mistakes_differ_from_the_cell_and_from_each_other_and_compile(cell):
    found = mistakes(CELLS[cell])
    sources = [change.source for change in found]
    assert CELLS[cell] not in sources
    assert len(set(sources)) == len(sources)
    for source in sources:
        compile(source, "<cell>", "exec")
    assert found == mistakes(CELLS[cell])


@pytest.mark.parametrize("cell", CELLS)
def test_a_mistake_is_said_in_one_line_that_names_the_line_changed(cell):
    before = CELLS[cell].splitlines()
    for change in mistakes(CELLS[cell]):
        assert "\n" not in change.said
        line = int(re.search(r", line (\d+)$", change.said)[1])
        matcher = difflib.SequenceMatcher(None, before, change.source.splitlines(), autojunk=False)
        touched = [op for op in matcher.get_opcodes() if op[0] != "equal"]
        # One small step: what changed lies around the line it names.
        assert touched[0][1] - 8 <= line <= touched[-1][2] + 2, change


@pytest.mark.parametrize("cell", CELLS)
def test_no_operator_floods_a_cell(cell):
    found = mistakes(CELLS[cell])
    counts = [sum(c.operator == name for c in found) for name in {c.operator for c in found}]
    assert max(counts) <= MOST
    assert len(found) <= 60


def test_of_too_many_changes_some_are_taken_from_all_over_the_cell():
    source = "\n".join(f"v{place} = {place}" for place in range(10, 40)) + "\n"
    changed = [c.source for c in mistakes(source) if c.operator == "number"]
    assert len(changed) == MOST
    assert any("v10 = 11" in text or "v10 = 9" in text for text in changed)
    assert any("v39 = 40" in text or "v39 = 38" in text for text in changed)


def test_every_mistake_in_an_equation_shows_on_some_numbers():
    def results(source: str) -> list:
        space: dict = {}
        try:
            exec(source, space)
            return [space["parameters"](*numbers) for numbers in ((3, 5, 7, 11), (2, 4, 6, 8))]
        except Exception as error:
            return [type(error)]

    right = results(PARAMETERS)
    assert [c.said for c in mistakes(PARAMETERS) if results(c.source) == right] == []


def test_names_figures_and_printing_are_no_mistakes():
    source = (
        "figure = plt.figure(figsize=(8, 9), dpi=100)\n"
        'model = keras.Model(a, b, name="net")\n'
        "model.predict(images, verbose=0)\n"
    )
    for change in mistakes(source):
        if "plt.figure" in change.source:
            assert "plt.figure(figsize=(8, 9), dpi=100)" in change.source
        if "keras.Model" in change.source:
            assert 'name="net"' in change.source
        if "predict(" in change.source:
            assert "verbose=0" in change.source


def test_the_text_around_a_mistake_stays_as_it_was():
    source = "def f(a):  # why\n\n    # half\n    b = a  /  2   # odd spaces\n    return b\n"
    for change in mistakes(source):
        kept = set(change.source.splitlines()) & set(source.splitlines())
        assert len(kept) >= 4, change


@pytest.mark.parametrize(
    "source",
    ["%matplotlib inline\nx = 1", "!ls", "def f(:\n    pass", "return 3", "x = 1\0", "", "# only"],
    ids=["magic", "shell", "syntax error", "return outside", "null byte", "empty", "comment"],
)
def test_what_is_not_plain_python_has_no_mistakes(source):
    assert mistakes(source) == []


def test_a_cell_that_awaits_has_mistakes():
    assert any(c.source == "x = await f(2)" for c in mistakes("x = await f(1)"))


@pytest.mark.parametrize(
    "source",
    ["def f(x):\n    return(x)\n", "def f(x):\n    return [1]if(x)else 2\n", "y = not(x)\n"],
)
def test_tightly_spaced_code_is_no_error(source):
    for change in mistakes(source):
        compile(change.source, "<cell>", "exec")


OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "**", "%", "==", "<", "and", "in"])
NAMES = st.sampled_from(["a", "b", "c", "table", "images"])
VALUES = st.recursive(
    NAMES | st.integers(-3, 300).map(str) | st.sampled_from(['"loss"', "0.5", "None", "True"]),
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        st.tuples(NAMES, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
        st.tuples(NAMES, inner).map(lambda parts: f"{parts[0]}[:{parts[1]}]"),
        st.tuples(inner, inner).map(lambda parts: f"f({parts[0]}, axis={parts[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        inner.map(lambda value: f"layers.Dense({value})(a)"),
        inner.map(lambda value: f"[a for a in {value} if not a]"),
        inner.map(lambda value: f"(not {value})"),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda parts: f"{parts[0]} = {parts[1]}"),
    VALUES.map(lambda value: f"if {value}:\n        b = 1"),
    VALUES.map(lambda value: f"for c in {value}:\n        table.add(c)"),
)


@given(st.lists(STATEMENTS, max_size=2), VALUES)
@examples(25)
def test_whatever_the_function_its_mistakes_compile_and_differ(body, value):
    lines = "".join(f"    {line}\n" for line in body)
    source = f"def f(a, b):\n{lines}    return {value}\n"
    found = [change.source for change in mistakes(source)]
    assert len({source, *found}) == 1 + len(found)
    for text in found:
        compile(text, "<cell>", "exec")
