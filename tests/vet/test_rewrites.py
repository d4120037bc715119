"""Rewritten cells mean the same: functions give the same results, networks are the same layers."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.vet.rewrites import rewrite

# Each with arguments that it is tried on; some look as if they could be rewritten and must not be.
PLAIN = {
    "equation": """\
def f(a, b, c):
    return (a * b + 1) * c - a
""",
    "texts": """\
def f(a, b, c):
    return str(a) + str(b) + 'x' * 2, 2 * [c] + [1]
""",
    "sums of texts": """\
def f(a, b, c):
    x = str(a)
    y = str(b)
    return x + y
""",
    "scaled": """\
def f(a, b, c):
    return a / 255, b / 3
""",
    "several lines": """\
def f(a, b, c):
    return {
        'a': a,  # one
        'b': [
            b, c],
    }
""",
    "branches": """\
def f(a, b, c):
    if a < b:
        return b - a
    c = c * 2
    return c
""",
    "choice": """\
def f(a, b, c):
    return 'less' if a < b <= c else ('more' if a != c else c)
""",
    "comprehension": """\
def f(a, b, c):
    return [i * a for i in range(b) if i != c if i]
""",
    "pairs": """\
def f(a, b, c):
    both = [x + y for x, y in zip(range(a), range(b))]
    return both
""",
    "comprehension of comprehensions": """\
def f(a, b, c):
    return [[i * j for i in range(a)] for j in range(b)]
""",
    "a global with the loop's name": """\
i = 5
def f(a, b, c):
    return [i for i in range(i)], i
""",
    "iterated by its own name": """\
i = (1, 2)
def f(a, b, c):
    return [i + a for i in i]
""",
    "a parameter with the loop's name": """\
def f(a, b, c):
    return [a for a in range(b)] + [a]
""",
    "loop variable used after": """\
def f(a, b, c):
    out = []
    for i in range(1, b + 2):
        out.append(i)
    return out, i
""",
    "loop": """\
def f(a, b, c):
    out = []
    for i in a, b, c:
        if i > 0:
            out.append(1 if i > b else i)
    return out
""",
    "loop that reads its list": """\
def f(a, b, c):
    out = []
    for i in range(b):
        out.append(len(out) * a)
    return out
""",
    "loop with else": """\
def f(a, b, c):
    out = []
    for i in range(b):
        out.append(i)
    else:
        out.append(c)
    return out
""",
    "independent": """\
def f(a, b, c):
    x = a + 1
    y = b * c
    return x, y
""",
    "dependent": """\
def f(a, b, c):
    x = a + 1
    y = x * c
    x = y
    return x, y
""",
    "swapped": """\
def f(a, b, c):
    x = a
    a = b
    b = x
    return a, b
""",
    "used up": """\
def f(a, b, c):
    left = iter(range(b))
    x = list(left)
    y = list(left)
    return x, y
""",
    "one after another": """\
def f(a, b, c):
    left = [a, b]
    x = left.pop()
    y = left.pop()
    return x, y
""",
    "named": """\
def f(a, b, c):
    total = a
    total = total + b
    return total
""",
    "perhaps unbound": """\
def f(a, b, c):
    if a > b:
        x = 1
    return c if a <= b else x
""",
    "unbound": """\
def f(a, b, c):
    if a > b:
        x = 1
    return (a, x)
""",
    "inner function": """\
def f(a, b, c):
    x = 1
    def g(y):
        return x + y
    x = 2
    return g(a)
""",
    "late": """\
def f(a, b, c):
    later = [lambda: i * a for i in range(b)]
    return [g() for g in later]
""",
    "locals": """\
def f(a, b, c):
    x = a
    return sorted(locals())
""",
    "shown by name": """\
def f(a, b, c):
    value = a * b
    return f'{value=} {c:>{4}}'
""",
    "formatted": """\
def f(a, b, c):
    value = a * b
    return f'{max(value, c)} {"x"}'
""",
    "quotes": '''\
def f(a, b, c):
    return 'it\\'s', "it's", '"', 'plain', r'\\n', b'x', """y"""
''',
    "global": """\
n = 0
def f(a, b, c):
    global n
    n = a
    m = n * 2
    return m
""",
    "generator": """\
def f(a, b, c):
    found = (i * a for i in range(b))
    return list(found)
""",
    "yielded": """\
def f(a, b, c):
    for i in range(b):
        yield i * a
""",
    "caught": """\
def f(a, b, c):
    x = 0
    try:
        x = a // b
    except ZeroDivisionError as e:
        x = str(e)
    return x
""",
    "keywords": """\
def f(a, b, c):
    x = dict(x=a, y=b)
    return max(x.values(), key=abs, default=c)
""",
    "augmented": """\
def f(a, b, c):
    x = [a]
    y = x
    x += [b]
    return x, y
""",
    "defaults": """\
x = 3
def f(a, b, c, x=x):
    y = x * 2
    return y
""",
    "walrus": """\
def f(a, b, c):
    return [y for i in range(b) if (y := i * a) > c]
""",
    "documented": '''\
def f(a, b, c):
    """What it does."""
    return a - 1 * b
''',
}
NUMBERS = st.integers(-6, 9) | st.sampled_from([0.5, -2.5, 1e9])


def outcome(source: str, arguments: tuple) -> object:
    space: dict = {}
    exec(source, space)
    try:
        result = space["f"](*copy.deepcopy(arguments))
        result = list(result) if inspect.isgenerator(result) else result
        return repr(result), space["f"].__doc__, sorted(space.keys() & {"n", "i", "x"})
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("name", PLAIN)
@given(arguments=st.tuples(NUMBERS, NUMBERS, NUMBERS))
@examples(25)
def test_a_rewritten_function_gives_what_it_gave(name, arguments):
    right = outcome(PLAIN[name], arguments)
    for change in rewritten(PLAIN[name]):
        assert outcome(change.source, arguments) == right, change


@cache
def rewritten(source: str) -> list:
    return list(rewrite(source))


ARRAYS = {
    "scaled": "def f(a, b):\n    return a / 255\n",
    "weighted": "def f(a, b):\n    return a * 2 + b * a + 1\n",
    "compared": "def f(a, b):\n    x = a <= b\n    return x\n",
    "largest": "def f(a, b):\n    return a.argmax(axis=0), np.sum(a, axis=0), a.sum(axis=0)\n",
}


@pytest.mark.parametrize("kind", ["uint8", "float32", "int64"])
@pytest.mark.parametrize("name", ARRAYS)
def test_a_rewritten_function_gives_the_same_arrays(name, kind):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 90, (3, 4)).astype(kind) for _ in range(2))

    def result(source: str) -> list:
        space = {"np": np}
        exec(source, space)
        found = space["f"](a, b)
        return list(found) if isinstance(found, tuple) else [found]

    changes = rewritten(ARRAYS[name])
    assert changes
    for change in changes:
        for one, two in zip(result(change.source), result(ARRAYS[name]), strict=True):
            assert one.dtype == two.dtype, change
            np.testing.assert_array_equal(one, two, str(change))


# A stand-in for Keras that writes down which layers a model has, with all their arguments.


class Layer:
    def __init__(self, kind: str, arguments: dict) -> None:
        self.kind, self.arguments = kind, arguments

    def __call__(self, before: tuple) -> tuple:
        return (*before, self)


def layer(*names: str, **defaults: object) -> Callable:
    kinds = inspect.Parameter
    given = [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in names]
    given += [kinds(n, kinds.POSITIONAL_OR_KEYWORD, default=v) for n, v in defaults.items()]
    signature = inspect.Signature([*given, kinds("name", kinds.KEYWORD_ONLY, default=None)])

    def bound(*args: object, **kwargs: object) -> dict:
        found = signature.bind(*args, **kwargs)
        found.apply_defaults()
        return dict(found.arguments)

    return bound


CONVOLUTION = layer(
    "filters",
    "kernel_size",
    strides=(1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1),
    groups=1,
    activation=None,
)
POOLING = layer(pool_size=(2, 2), strides=None, padding="valid")
SIGNATURES = {
    "Conv2D": CONVOLUTION,
    "MaxPooling2D": POOLING,
    "MaxPool2D": POOLING,
    "Dense": layer("units", activation=None, use_bias=True),
    "Dropout": layer("rate"),
    "Flatten": layer(),
    "Activation": layer("activation"),
    "ReLU": layer(max_value=None),
    "Softmax": layer(axis=-1),
    "Input": layer("shape"),
    "LSTM": layer("units", activation="tanh"),
}


class Layers:
    def __getattr__(self, kind: str) -> Callable:
        return lambda *args, **kwargs: Layer(kind, SIGNATURES[kind](*args, **kwargs))


class Functions:
    def __getattr__(self, name: str) -> str:
        return name


class Keras:
    layers = Layers()
    activations = Functions()

    @staticmethod
    def Input(*args: object, **kwargs: object) -> tuple:
        return (Layer("Input", SIGNATURES["Input"](*args, **kwargs)),)

    @staticmethod
    def Model(inputs: tuple, outputs: tuple, *, name: str | None = None) -> dict:
        assert outputs[: len(inputs)] == inputs
        return {"name": name, "layers": outputs}

    class Sequential:
        def __init__(self, layers: tuple = (), *, name: str | None = None) -> None:
            self.name, self.layers = name, ()
            for one in layers:
                self.add(one)

        def add(self, given: object) -> None:
            self.layers += given if isinstance(given, tuple) else (given,)


ALONE = {"ReLU": "relu", "Softmax": "softmax"}


def structure(model: object) -> object:
    """A model's layers with activations as layers and square sizes as pairs."""
    if not isinstance(model, (dict, Keras.Sequential)):
        return model
    if isinstance(model, Keras.Sequential):
        model = {"name": model.name, "layers": model.layers}
    found = []
    for one in model["layers"]:
        arguments = dict(one.arguments)
        for size in ("kernel_size", "pool_size"):
            if isinstance(arguments.get(size), int):
                arguments[size] = (arguments[size],) * 2
        if one.kind in ALONE or one.kind == "Activation":
            found.append(("activation", ALONE.get(one.kind) or arguments["activation"]))
            continue
        activation = None if one.kind == "LSTM" else arguments.pop("activation", None)
        kind = one.kind.replace("MaxPool2D", "MaxPooling2D")
        found.append((kind, json.dumps(arguments, sort_keys=True)))
        if activation is not None:
            found.append(("activation", activation))
    return model["name"], found


def built(source: str) -> object:
    space: dict = {"keras": Keras, "layers": Keras.layers}
    exec(source, space)
    function = space["network"]
    return structure(function(*[0.25] * len(inspect.signature(function).parameters)))


NETWORKS = {
    "functional": """\
def network(rate):
    inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(8, (3, 3), activation="relu")(inputs)  # first
    x = layers.MaxPooling2D((2, 2))(x)
    # then
    x = layers.Dropout(rate)(x)
    x = layers.Flatten()(x)
    outputs = layers.Dense(10, activation="softmax", name="last")(x)
    model = keras.Model(inputs=inputs, outputs=outputs, name="net")
    return model
""",
    "names of their own": """\
def network():
    a = keras.Input((8,))
    b = layers.Dense(units=4)(a)
    c = layers.ReLU()(b)
    d = layers.Dense(2, "tanh")(c)
    return keras.Model(a, d)
""",
    "list": """\
def network(rate):
    return keras.Sequential([
        keras.Input(shape=(8, 8, 3)),
        layers.Conv2D(filters=4, kernel_size=3, padding="same"),
        layers.Activation("tanh"),
        layers.MaxPool2D(),
        layers.Conv2D(4, 5, activation="relu"), layers.Flatten(),
        layers.LSTM(5, activation="relu"),
        layers.Dropout(rate=rate), layers.Dense(3, "relu")], name="net")
""",
    "added": """\
def network():
    model = keras.Sequential()
    model.add(keras.Input(shape=(8,)))
    model.add(layers.Dense(4, activation="relu"))
    model.add(layers.Dense(3))
    model.add(layers.Softmax())
    return model
""",
    "used twice": """\
def network():
    inputs = keras.Input(shape=(8,))
    x = layers.Dense(4)(inputs)
    y = layers.ReLU()(x)
    y = layers.Dense(1, activation="tanh")(y)
    return keras.Model(inputs, x)
""",
    "looked at": """\
def network():
    inputs = keras.Input(shape=(8,))
    x = layers.Dense(4)(inputs)
    outputs = layers.Dense(1)(x)
    return keras.Model(inputs, outputs) if len(x) == 2 else None
""",
    "added to later": """\
def network():
    model = keras.Sequential([keras.Input(shape=(8,)), layers.Dense(4)])
    if True:
        model.add(layers.Dense(3))
    return model
""",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_rewritten_network_has_the_same_layers(name):
    right = built(NETWORKS[name])
    changes = rewritten(NETWORKS[name])
    assert changes
    for change in changes:
        assert built(change.source) == right, change


class Recorder:
    """A model that writes down how it is compiled, trained and asked, as Keras would read it."""

    def __init__(self) -> None:
        self.calls: list = []

    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None):
        self.calls.append(("compile", optimizer, loss, loss_weights, metrics))

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None,
            validation_split=0.0, validation_data=None):  # fmt: skip
        self.calls.append((x, y, batch_size, epochs, verbose, callbacks, validation_data))
        return "history"

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto"):
        self.calls.append(("evaluate", x, y, batch_size, verbose))
        return 1, 2

    def predict(self, x, batch_size=None, verbose="auto"):
        self.calls.append(("predict", x, batch_size, verbose))
        return np.eye(3)


CALLS = {
    "by place": "def f(model, images, labels):\n    model.compile('adam', 'mse')\n"
    "    h = model.fit(images, labels, 32, epochs=3, validation_data=(labels, images))\n"
    "    return h, model.evaluate(images, labels, verbose=0)\n",
    "by keyword": "def f(model, images, labels):\n"
    "    model.compile(optimizer='adam', loss='mse', metrics=['mae'])\n"
    "    model.fit(x=images, y=labels, epochs=3)\n"
    "    return model.predict(x=images, verbose=0).argmax(axis=1)\n",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_rewritten_call_gives_a_model_the_same(name):
    def told(source: str) -> tuple:
        model, space = Recorder(), {"np": np}
        exec(source, space)
        return model.calls, str(space["f"](model, "images", "labels"))

    changes = rewritten(CALLS[name])
    assert {"keywords in another order"} < {c.operator for c in changes}
    for change in changes:
        assert told(change.source) == told(CALLS[name]), change


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        (
            "functional",
            {"functional to Sequential", "activation to layer", "square sizes", "direct return",
             "positional to keyword", "keyword to positional", "activation as a function",
             "renamed variables"},
        ),
        ("names of their own", {"functional to Sequential", "layer to activation"}),
        ("list", {"Sequential to functional", "layer to activation", "activation to layer"}),
        ("added", {"Sequential to functional", "layer to activation", "activation to layer"}),
    ],
)  # fmt: skip
def test_networks_are_rewritten_in_every_way_they_can_be(name, operators):
    assert operators <= {change.operator for change in rewritten(NETWORKS[name])}


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("equation", "factors the other way round"),
        ("scaled", "float divisor"),
        ("branches", "rest in an else"),
        ("choice", "choice to branches"),
        ("comprehension", "comprehension to loop"),
        ("pairs", "comprehension to loop"),
        ("loop", "loop to comprehension"),
        ("independent", "other order"),
        ("named", "direct return"),
        ("named", "renamed variables"),
        ("several lines", "helper function"),
        ("several lines", "local variable"),
        ("branches", "comparison turned round"),
        ("keywords", "other line breaks"),
        ("choice", "other quotes"),
        ("documented", "comments"),
        ("documented", "annotations"),
    ],
)
def test_functions_are_rewritten_in_every_way_they_can_be(name, operator):
    assert operator in {change.operator for change in rewritten(PLAIN[name])}


def test_activations_become_layers_both_by_name_and_of_their_own():
    sources = [
        c.source for c in rewritten(NETWORKS["added"]) if c.operator == "activation to layer"
    ]
    assert any('layers.Activation("relu")' in source for source in sources)
    assert any("layers.ReLU()" in source for source in sources)


def test_what_a_function_is_called_with_keeps_its_names():
    for cells in (PLAIN, NETWORKS, CALLS, ARRAYS):
        for source in cells.values():
            for change in rewritten(source):
                old, new = {}, {}
                exec(source, old)
                exec(change.source, new)
                for name, value in old.items():
                    if inspect.isfunction(value):
                        was, now = inspect.signature(value), inspect.signature(new[name])
                        assert list(was.parameters) == list(now.parameters), change


def test_variables_of_the_notebook_keep_their_names():
    source = "total = 1 + count\nnames = [n for n in known]\nmodel = keras.Sequential()\n"
    assert all("total" in c.source and "names" in c.source for c in rewrite(source))


def test_a_method_of_another_library_keeps_its_arguments():
    source = "def f(forest, X, y):\n    forest.fit(X, y)\n    return forest.predict(X)\n"
    assert not {"positional to keyword"} & {change.operator for change in rewrite(source)}


@pytest.mark.parametrize(
    "cells", [PLAIN, NETWORKS, CALLS, ARRAYS], ids=["plain", "networks", "calls", "arrays"]
)
def test_rewrites_differ_from_the_cell_and_from_each_other(cells):
    for source in cells.values():
        found = [change.source for change in rewritten(source)]
        assert len({source, *found}) == 1 + len(found)


def test_the_same_cell_is_rewritten_the_same_way():
    assert list(rewrite(CALLS["by place"])) == list(rewrite(CALLS["by place"]))


@pytest.mark.parametrize("source", ["%time f()", "def f(:", "x = 1\0", "", "return 3"])
def test_what_is_not_plain_python_is_not_rewritten(source):
    assert list(rewrite(source)) == []
