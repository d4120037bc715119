"""Keras models and the like come back as they were."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from nbjudge.capture import NotHandedOut, encode
from two_ends import LIMIT, crossed

from dlcourse.checks import compiled as compiled_checks
from dlcourse.checks.layers import facts_of
from dlcourse.checks.models import ModelCheck
from dlcourse.checks.outcome import CheckFailed

HELPERS = ("get", "serialize", "deserialize")
# Keras itself cannot build a model with these, or not without more arguments.
NOT_IN_MODELS = ("hard_silu", "hard_swish", "mish", "sparsemax", "threshold")
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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
    check.has_parameters(114_510).is_the_model(model).has_optimizer("adam")
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


def test_a_function_compiles_and_trains_the_callers_model(notebook):
    def compile_model(model):
        model.compile(optimizer="adam", loss=LOGITS, metrics=["accuracy"])
        return model

    def train(model, x, y):
        return model.fit(x, y, epochs=2, verbose=0)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    before = [w.copy() for w in model.get_weights()]
    assert notebook.hand_out(compile_model)(model) is model
    check = ModelCheck("m", model).has_optimizer("adam").reports_accuracy()
    check.has_loss_for(np.zeros((2, 1)))
    assert all(map(np.array_equal, before, model.get_weights()))
    history = notebook.hand_out(train)(model, np.ones((4, 4)), np.zeros((4, 1)))
    assert len(history.history["loss"]) == 2
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert int(model.optimizer.iterations) == 2
    np.testing.assert_array_equal(
        notebook.hand_out(lambda m, x: m(x))(model, np.ones((1, 4))), model(np.ones((1, 4)))
    )
