"""Keras models and the like come back as they were; hostile ones do not come back."""

from __future__ import annotations

import contextlib
import copy
import os
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dlcourse.checks import compiled as compiled_checks
from dlcourse.checks.layers import facts_of
from dlcourse.checks.models import ModelCheck
from dlcourse.checks.outcome import CheckFailed
from nbjudge.capture import (
    Damaged,
    FunctionTable,
    NotHandedOut,
    RemoteFunction,
    decode,
    encode,
    perform_call,
)
from nbjudge.capture.tree import Encoder

LIMIT = 100_000_000
HELPERS = ("get", "serialize", "deserialize")
# Keras itself cannot build a model with these, or not without more arguments.
NOT_IN_MODELS = ("hard_silu", "hard_swish", "mish", "sparsemax", "threshold")
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def crossed(value):
    return decode(encode(value, limit=LIMIT), limit=LIMIT)


def small():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(50, (3, 3), activation="relu")(inputs)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Conv2D(50, (3, 3), activation="relu")(x)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Flatten()(x)
    x = layers.Dense(50, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10)(x), name="cifar_model_small")


def operations():
    inputs = keras.Input((8, 8, 3))
    x = layers.BatchNormalization()(inputs / 255)
    x = layers.Dropout(0.3, seed=3)(keras.ops.relu(layers.Conv2D(4, 3)(x)))
    x = keras.ops.cast(keras.activations.relu(x), "float32")
    left, right = layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)
    x = layers.Concatenate()([left, right]) + layers.Add()([left, right])[:, :1]
    return keras.Model(inputs, [layers.Dense(3)(x), layers.Softmax()(x)])


def nested():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dropout(0.5)])
    inner.compile("sgd", "mse")
    inner.layers[0].trainable = False
    inputs = keras.Input((6,))
    return keras.Model(inputs, layers.Dense(2)(inner(inputs)))


def recurrent():
    return keras.Sequential(
        [
            keras.Input((20,)),
            layers.Embedding(100, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True, dropout=0.1)),
            layers.GRU(4),
            layers.Dense(3, kernel_regularizer="l2", kernel_constraint="max_norm"),
        ]
    )


def augmented():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.Rescaling(1 / 255),
            layers.Resizing(6, 6),
            layers.TimeDistributed(layers.Dense(3)),
            layers.SeparableConv2D(4, 3),
            layers.GroupNormalization(2),
            layers.Flatten(),
            layers.Dense(3, activation=layers.LeakyReLU()),
        ]
    )


def attention():
    inputs = keras.Input((5, 8))
    x = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    return keras.Model(inputs, layers.LayerNormalization()(x + inputs))


def built_late():
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model(np.zeros((1, 4)))
    return model


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, f in vars(keras.activations).items()
        if callable(f) and n not in HELPERS + NOT_IN_MODELS
    ],
)
def test_a_model_that_calls_an_activation_itself_comes_back(name):
    inputs = keras.Input((4, 6))
    model = keras.Model(inputs, getattr(keras.activations, name)(inputs))
    given = np.linspace(-2, 2, 24, dtype="float32").reshape(1, 4, 6)
    assert np.array_equal(crossed(model)(given), model(given))


MODELS = [small, operations, nested, recurrent, augmented, attention, built_late]


@pytest.mark.parametrize("make", MODELS)
def test_models_come_back(make):
    model = make()
    back = crossed(model)
    assert type(back) is type(model) and back.name == model.name
    assert settings_of(back.get_config()) == settings_of(model.get_config())
    shape = [n or 2 for n in model.input_shape]
    x = np.random.default_rng(1).integers(1, 9, shape).astype("float32")
    for a, b in zip(tf.nest.flatten(model(x)), tf.nest.flatten(back(x)), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [w.trainable for w in back.weights] == [w.trainable for w in model.weights]
    assert back.count_params() == model.count_params() and not back.compiled
    back.compile("adam", "mse")
    back.predict(x, verbose=0)
    assert encode(model, limit=LIMIT) == encode(model, limit=LIMIT)


def settings_of(config):
    """Without the compile settings of models within, and with lists where Keras makes lists."""
    if isinstance(config, dict):
        return {k: settings_of(v) for k, v in config.items() if k != "compile_config"}
    return list(map(settings_of, config)) if isinstance(config, (list, tuple)) else config


def test_random_states_come_back():
    model = keras.Sequential([keras.Input((50,)), layers.Dropout(0.5, seed=4)])
    model(np.ones((1, 50)), training=True)
    back = crossed(model)
    x = np.ones((1, 50))
    np.testing.assert_array_equal(model(x, training=True), back(x, training=True))


def test_a_model_without_input():
    back = crossed(keras.Sequential([layers.Dense(3), layers.Dropout(0.2)]))
    assert not back.built and [type(layer).__name__ for layer in back.layers] == [
        "Dense",
        "Dropout",
    ]


def own_loss(y, p):
    return keras.ops.mean(y - p)


class OwnOptimizer(keras.optimizers.SGD):
    pass


COMPILED = {
    "named": {
        "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    },
    "objects": {
        "optimizer": keras.optimizers.SGD(0.25, momentum=0.9),
        "loss": LOGITS,
        "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    },
    "schedule": {
        "optimizer": keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        ),
        "loss": [LOGITS],
        "weighted_metrics": ["mae"],
        "jit_compile": False,
    },
    "function": {"optimizer": "adam", "loss": keras.losses.mean_squared_error, "metrics": ["mae"]},
    "own loss": {"optimizer": "adam", "loss": own_loss, "metrics": ["accuracy"]},
    "lambda": {"optimizer": "adam", "loss": lambda y, p: p, "metrics": [lambda y, p: p, "mae"]},
    "own optimizer": {"optimizer": OwnOptimizer(0.5), "loss": LOGITS, "metrics": [own_loss]},
    "class": {"optimizer": "adam", "loss": keras.losses.SparseCategoricalCrossentropy},
    "nothing": {},
}


def said(work, *args):
    try:
        return work(*args)
    except CheckFailed as failed:
        return str(failed)


def verdict(ask, model):
    return said(lambda: ask(ModelCheck("m", model)) and "passed")


@pytest.mark.filterwarnings("ignore:The object being serialized")
@pytest.mark.parametrize("name", COMPILED)
def test_compile_settings_say_the_same(name):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile(**COMPILED[name])
    back = crossed(model)
    assert back.compiled
    facts = said(compiled_checks.compile_facts, "m", model)
    assert said(compiled_checks.compile_facts, "m", back) == facts
    for ask in (
        lambda check: check.reports_accuracy(),
        lambda check: check.has_optimizer("adam"),
        lambda check: check.has_loss_for(np.zeros((2, 1))),
    ):
        assert verdict(ask, back) == verdict(ask, model)
    again = crossed(back)
    assert said(compiled_checks.compile_facts, "m", again) == facts
    if name in ("named", "objects", "schedule", "function"):
        assert back.get_compile_config() == model.get_compile_config()
        back.fit(np.ones((2, 4)), np.zeros((2, 1)), verbose=0)


def test_the_course_checks_pass_on_what_came_back():
    model = small()
    model.compile("adam", LOGITS, metrics=["accuracy"])
    back = crossed(model)
    check = ModelCheck("m", back).has_input_shape(32, 32, 3).has_outputs(10).has_layer_count(7)
    check.has_parameters(114_510).has_the_weights_of(model).has_optimizer("adam")
    check.reports_accuracy().has_loss_for(np.array([[3]]))
    assert facts_of("m", back) == facts_of("m", model)
    for model in (nested(), operations()):
        assert said(facts_of, "m", crossed(model)) == said(facts_of, "m", model)
    tensor = back.layers[1].output
    assert tensor._keras_history.operation is back.layers[1]
    assert back.inputs[0].shape == (None, 32, 32, 3) and len(back.outputs) == 1


def test_steps_of_training_come_back():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.125), "mse")
    history = model.fit(np.ones((6, 4)), np.ones((6, 3)), 2, epochs=2, verbose=0)
    back = crossed({"model": model, "history": history})
    assert int(back["model"].optimizer.iterations) == 6
    assert float(back["model"].optimizer.learning_rate) == 0.125
    assert type(back["history"]) is keras.callbacks.History
    assert back["history"].history == history.history and back["history"].epoch == [0, 1]
    assert back["history"].params == history.params
    assert getattr(back["history"], "model", None) is None


def test_other_things_of_keras_come_back():
    layer = layers.Dense(3, "relu")
    layer.build((None, 4))
    np.testing.assert_array_equal(crossed(layer).kernel, layer.kernel)
    assert not crossed(layers.Conv2D(3, 2)).built
    for value in (
        keras.optimizers.RMSprop(0.5),
        keras.losses.Huber(2.0),
        keras.metrics.AUC(name="area"),
        keras.metrics.MeanIoU(num_classes=3),
        keras.initializers.HeNormal(seed=3),
        keras.regularizers.L1L2(0.1, 0.2),
        keras.constraints.MaxNorm(3),
        keras.optimizers.schedules.CosineDecay(0.1, 100),
    ):
        back = crossed(value)
        assert type(back) is type(value) and back.get_config() == value.get_config()


def test_tensors_come_back_as_tensors():
    for value in (
        tf.constant([[1.5, 2]]),
        tf.Variable([1, 2]),
        keras.Variable(np.ones(2)),
        tf.constant(3),
        tf.constant([True]),
    ):
        back = crossed(value)
        assert isinstance(back, tf.Tensor)
        np.testing.assert_array_equal(back, np.asarray(value))
    assert crossed(tf.constant(["a"])).numpy().tolist() == [b"a"]
    assert crossed(tf.float32) is tf.float32
    array = np.zeros(2)
    back = crossed([array, tf.constant(array)])
    assert isinstance(back[0], np.ndarray)


class OwnLayer(layers.Layer):
    def call(self, x):
        return x


class OwnModel(keras.Model):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable("mine")
class Registered(layers.Dense):
    pass


def own_activation(x, dtype=None):
    return x


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: [layers.Lambda(lambda x: x, name="mine")], "'mine' is a Lambda"),
        (lambda: [OwnLayer(name="mine")], r"'mine' is of a class of its own \(OwnLayer\)"),
        (lambda: [Registered(3)], "Registered"),
        (lambda: [layers.Dense(3, activation=own_activation)], "own_activation"),
        (lambda: [layers.Dense(3, activation=lambda x: x)], "an activation of its own"),
        (lambda: [layers.Dense(3, kernel_regularizer=own_activation)], "own_activation"),
        (lambda: [layers.Dense(3, kernel_regularizer=lambda x: 0.0)], "a function of its own"),
        (lambda: [keras.Sequential([OwnLayer(name="deep")])], "'deep'"),
    ],
)
def test_own_layers_are_refused_in_words(make, words):
    model = keras.Sequential([keras.Input((3,)), *make()], name="net")
    with pytest.raises(NotHandedOut, match=words):
        encode(model, limit=LIMIT)


def test_other_refusals():
    with pytest.raises(NotHandedOut, match=r"class of its own \(OwnModel\).*keras.Sequential"):
        encode(OwnModel(), limit=LIMIT)
    with pytest.raises(NotHandedOut, match="no values yet"):
        encode(keras.Input((3,)), limit=LIMIT)
    with pytest.raises(NotHandedOut, match="the optimizer is of a class of its own"):
        encode(OwnOptimizer(), limit=LIMIT)
    with pytest.raises(NotHandedOut, match="has .* may have"):
        encode(small(), limit=10_000)


def test_a_function_compiles_and_trains_the_callers_model():
    table = FunctionTable()

    def remote(function):
        data = encode(function, limit=LIMIT, functions=table.under("t/f"))
        return decode(
            data,
            limit=LIMIT,
            make_function=lambda facts: RemoteFunction(
                facts, lambda ref, request: perform_call(table, ref, request, limit=LIMIT)
            ),
        )

    def compile_model(model):
        model.compile(optimizer="adam", loss=LOGITS, metrics=["accuracy"])
        return model

    def train(model, x, y):
        return model.fit(x, y, epochs=2, verbose=0)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    before = [w.copy() for w in model.get_weights()]
    assert remote(compile_model)(model) is model
    check = ModelCheck("m", model).has_optimizer("adam").reports_accuracy()
    check.has_loss_for(np.zeros((2, 1)))
    assert all(map(np.array_equal, before, model.get_weights()))
    history = remote(train)(model, np.ones((4, 4)), np.zeros((4, 1)))
    assert len(history.history["loss"]) == 2
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert int(model.optimizer.iterations) == 2
    np.testing.assert_array_equal(
        remote(lambda m, x: m(x))(model, np.ones((1, 4))), model(np.ones((1, 4)))
    )


# What is hostile -------------------------------------------------------------------------------


def forged(config, weights=(), seeds=(), compiled=None, tag="model"):
    encoder = Encoder(LIMIT)
    node = [tag, encoder.node(config)]
    node += [[encoder.node(a) for a in arrays] for arrays in (weights, seeds)]
    if tag == "keras":
        node = node[:2]
    elif tag == "model":
        node.append(compiled and [encoder.node(compiled), "", 0])
    return encoder.message(node)


def config_of(*items, input_shape=(4,)):
    model = keras.Sequential([keras.Input(input_shape), *items])
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": model.get_config(),
        "registered_name": None,
    }


def dense(**changes):
    config = config_of(layers.Dense(3))
    config["config"]["layers"][1]["config"].update(changes)
    return config


def other_layer(module="keras.layers", name="Dense", registered=None, config=None):
    whole = config_of(layers.Dense(3))
    whole["config"]["layers"][1] = {
        "module": module,
        "class_name": name,
        "config": config or {"name": "x"},
        "registered_name": registered,
    }
    return whole


def many_layers(count):
    config = config_of(layers.ReLU())
    one = config["config"]["layers"][1]
    config["config"]["layers"] += [one] * count
    return config


def with_layer(change):
    config = config_of(layers.Dense(3))
    change(config["config"]["layers"][1])
    return config


def chain(order, loop=False):
    """A functional model of 300 layers, listed in another order or with a loop."""
    x = inputs = keras.Input((4,))
    for _ in range(300):
        x = layers.ReLU()(x)
    model = keras.Model(inputs, x)
    config = model.get_config()
    config["layers"] = order(config["layers"])
    if loop:
        names = [layer["name"] for layer in config["layers"]]
        call = config["layers"][5]["inbound_nodes"][0]
        call["args"][0]["config"]["keras_history"] = [names[9], 0, 0]
    module = "keras.src.models.functional"
    return {
        "module": module,
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


FN = {"module": "builtins", "class_name": "function", "registered_name": None}
LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}}
HOSTILE = {
    "lambda layer": other_layer(name="Lambda", config={"name": "x", "function": LAMBDA}),
    "lambda activation": dense(activation=LAMBDA),
    "saved model": other_layer(name="TFSMLayer", config={"name": "x", "filepath": "/tmp/x"}),
    "torch": other_layer(name="TorchModuleWrapper"),
    "jax": other_layer(name="JaxLayer"),
    "vocabulary": other_layer(name="StringLookup", config={"vocabulary": "/etc/passwd"}),
    "vectors": other_layer(name="TextVectorization", config={"vocabulary": "/etc/passwd"}),
    "os": other_layer("os", "system", config={"command": "true"}),
    "builtins": other_layer("builtins", "eval", config={"source": "1"}),
    "internal": other_layer("keras.src.utils.file_utils", "get_file"),
    "layers by their internal place": other_layer("keras.src.layers.core.lambda_layer", "Lambda"),
    "no module": with_layer(lambda layer: layer.pop("module")),
    "module None": other_layer(None, "Lambda"),
    "operation with a function": other_layer("keras.src.ops.core", "Map"),
    "registered": other_layer(registered="mine>Registered"),
    "registered name": other_layer("mine", "Registered", "mine>Registered"),
    "function of another module": dense(activation={**FN, "module": "os", "config": "system"}),
    "function that loads": dense(
        activation={**FN, "module": "keras.saving", "config": "load_model"}
    ),
    "builtin function": dense(activation={**FN, "config": "exec"}),
    "get": dense(activation={**FN, "module": "keras.losses", "config": "deserialize"}),
    "activation by a path": dense(activation="os.system"),
    "initializer of another module": dense(
        kernel_initializer={"module": "os", "class_name": "system", "config": {"command": "true"}}
    ),
    "typespec": dense(
        kernel_initializer={
            "class_name": "__typespec__",
            "spec_name": "system",
            "module": "os",
            "registered_name": None,
            "config": ["true"],
        }
    ),
    "units": dense(units=10**12),
    "units below": dense(units=10**7),
    "negative units": dense(units=-5),
    "units that are no number": dense(units="3"),
    "units NaN": dense(units=float("nan")),
    "more units than weights": dense(units=10_000),
    "dtype": dense(dtype="qint8"),
    "policy": dense(
        dtype={
            "module": "keras",
            "class_name": "DTypePolicyMap",
            "config": {},
            "registered_name": None,
        }
    ),
    "unknown setting": dense(foo=1),
    "text": dense(name="x" * 10**6),
    "million layers": many_layers(10**6),
    "many layers": many_layers(1500),
    "filters": config_of(layers.Conv2D(3, 2), input_shape=(8, 8, 3)),
    "huge output": config_of(layers.UpSampling2D(50_000), input_shape=(8, 8, 3)),
    "huge padding": config_of(layers.ZeroPadding1D(9 * 10**7), input_shape=(8, 3)),
    "layers in reverse": chain(lambda all_layers: all_layers[::-1]),
    "a loop": chain(lambda all_layers: all_layers, loop=True),
    "huge output within": config_of(
        keras.Sequential([keras.Input((8, 8, 3)), layers.UpSampling2D(50_000)]),
        input_shape=(8, 8, 3),
    ),
    "no config": {"module": "keras", "class_name": "Sequential", "registered_name": None},
    "a layer in place of a model": {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"units": 3},
        "registered_name": None,
    },
    "an array": {"a": np.zeros(3)},
    "nothing": None,
    "text alone": "Sequential",
}


WITHOUT_WEIGHTS = {name for name in HOSTILE if "huge" in name or "layers" in name or "loop" in name}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_configurations(name):
    started = time.perf_counter()
    weights = [np.zeros((4, 3), "float32"), np.zeros(3, "float32")]
    try:
        data = forged(HOSTILE[name], [] if name in WITHOUT_WEIGHTS else weights)
    except NotHandedOut:
        return  # such a tree cannot even be written down
    with pytest.raises(Damaged) as damaged:
        decode(data, limit=LIMIT)
    about_weights = "weights for" in str(damaged.value) or "weight of" in str(damaged.value)
    assert about_weights == (name in {"units below", "more units than weights", "filters"})
    assert time.perf_counter() - started < 10


def test_the_forged_configuration_would_be_taken_if_it_were_sound():
    weights = [np.ones((4, 3), "float32"), np.zeros(3, "float32")]
    model = decode(forged(dense(), weights), limit=LIMIT)
    assert model(np.ones((1, 4))).numpy().tolist() == [[4, 4, 4]]
    assert len(decode(forged(chain(list)), limit=LIMIT).layers) == 301


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [np.zeros((4, 3))],
        [np.zeros((3, 4)), np.zeros(3)],
        [np.zeros((4, 3)), np.zeros(4)],
        [np.zeros((4, 3)), np.zeros(3), np.zeros(3)],
        [np.zeros((4, 3), dtype="U3"), np.zeros(3)],
        [[1], 2],
        [np.array([[None] * 3] * 4), np.zeros(3)],
    ],
)
def test_weights_that_do_not_fit(weights):
    with pytest.raises(Damaged):
        decode(forged(dense(), weights), limit=LIMIT)


@pytest.mark.parametrize(
    "compiled",
    [
        {"optimizer": 5},
        {"loss": {"a": ["x", {}]}},
        {"steps_per_execution": 10**7, "optimizer": "adam"},
        {"loss": object},
        {"optimizer": "os.system"},
        {"loss": [[[]]], "metrics": 7},
    ],
)
def test_compile_settings_that_are_made_up(compiled):
    weights = [np.zeros((4, 3), "float32"), np.zeros(3, "float32")]
    try:
        data = forged(dense(), weights, compiled=compiled)
    except NotHandedOut:
        return
    try:
        model = decode(data, limit=LIMIT)
    except Damaged:
        return
    assert model.compiled


@pytest.mark.parametrize(
    "config",
    [
        {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**9}},
        {"module": "keras.metrics", "class_name": "MeanIoU", "config": {"num_classes": 10**6}},
        {"module": "keras.callbacks", "class_name": "ModelCheckpoint", "config": {"filepath": "x"}},
        {"module": "keras.utils", "class_name": "PyDataset", "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}},
        {"module": "keras.losses", "class_name": "Loss", "config": {}},
    ],
)
def test_hostile_settings(config):
    with pytest.raises(Damaged):
        decode(forged(config, tag="keras"), limit=LIMIT)


def test_altered_models_are_values_or_damaged():
    import random

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.5)])
    model.compile("adam", LOGITS, metrics=["accuracy"])
    data = encode(model, limit=LIMIT)
    chance = random.Random(3)
    started = time.perf_counter()
    for _ in range(250):
        altered = bytearray(data)
        at = chance.randrange(8, len(data) - 70)
        if chance.random() < 0.5:
            altered[at] = chance.choice(b'0123456789"[]{},:-eE')
        else:
            altered[at] ^= 1 << chance.randrange(8)
        with contextlib.suppress(Damaged):
            decode(bytes(altered), limit=LIMIT)
    assert time.perf_counter() - started < 20


def test_nothing_is_left_behind_by_a_refused_model():
    from keras.src.backend.common import global_state

    with pytest.raises(Damaged):
        decode(forged(dense(), []), limit=LIMIT)
    assert not global_state.get_global_attribute("uninitialized_variables", [])
    assert copy.copy(layers.Dense(2)(np.ones((1, 2)))).shape == (1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crossed(small())
