"""Models that were made up to do harm do not come back."""

from __future__ import annotations

import contextlib
import copy
import random
import time
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.backend.common import global_state
from nbjudge.capture import Damaged, NotHandedOut, decode, encode
from nbjudge.capture.tree import Encoder
from two_ends import LIMIT, crossed


def sound():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.5)])


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
    started = time.process_time()
    weights = [np.zeros((4, 3), "float32"), np.zeros(3, "float32")]
    try:
        data = forged(HOSTILE[name], [] if name in WITHOUT_WEIGHTS else weights)
    except NotHandedOut:
        return  # such a tree cannot even be written down
    with pytest.raises(Damaged) as damaged:
        decode(data, limit=LIMIT)
    about_weights = "weights for" in str(damaged.value) or "weight of" in str(damaged.value)
    assert about_weights == (name in {"units below", "more units than weights", "filters"})
    assert time.process_time() - started < 10


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
    model = sound()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    data = encode(model, limit=LIMIT)
    chance = random.Random(3)
    started = time.process_time()
    for _ in range(250):
        altered = bytearray(data)
        at = chance.randrange(8, len(data) - 70)
        if chance.random() < 0.5:
            altered[at] = chance.choice(b'0123456789"[]{},:-eE')
        else:
            altered[at] ^= 1 << chance.randrange(8)
        with contextlib.suppress(Damaged):
            decode(bytes(altered), limit=LIMIT)
    assert time.process_time() - started < 20


def test_nothing_is_left_behind_by_a_refused_model():
    with pytest.raises(Damaged):
        decode(forged(dense(), []), limit=LIMIT)
    assert not global_state.get_global_attribute("uninitialized_variables", [])
    assert copy.copy(layers.Dense(2)(np.ones((1, 2)))).shape == (1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crossed(sound())
