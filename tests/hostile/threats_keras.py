"""Models that lie, that carry code, or that are slow to build again."""

import secrets
import tempfile
from pathlib import Path

from hostile_course import Notebook, answer, cell, notebook, test

# Written by code in a model, if the judge ever runs it.
FLAG = Path(tempfile.gettempdir()) / f"hostile-flag-{secrets.token_hex(4)}"

RIGHT = """import keras
def build():
    return keras.Sequential([
        keras.layers.Input((4,)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ])
model = build()"""
WRONG = """import keras
def build():
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
model = build()"""

CODE = f"open({str(FLAG)!r}, 'w').close()"
LYING = """
class Lying(keras.Sequential):
    layers = property(lambda self: build_right().layers)
    count_params = lambda self: 67
    evaluate = lambda self, *a, **k: [0.0, 1.0]
    def get_config(self): return build_right().get_config()
def build_right():
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8, activation="relu"),
                             keras.layers.Dense(3, activation="softmax")])
def build():
    return Lying([keras.layers.Input((4,)), keras.layers.Dense(3)])
model = build()
"""
PATCHED = """
keras.Model.count_params = keras.Sequential.count_params = lambda self: 67
keras.Model.predict = lambda self, *a, **k: __import__("numpy").eye(3)
keras.layers.Dense.units = property(lambda self: 8, lambda self, value: None)
"""
LAMBDA = f"""
def build():
    return keras.Sequential([
        keras.layers.Input((4,)),
        keras.layers.Lambda(lambda x: exec({CODE!r}) or x),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ])
model = build()
"""
CUSTOM = f"""
@keras.saving.register_keras_serializable("own")
class Own(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        exec({CODE!r}) if False else None
    def call(self, x): return x
    @classmethod
    def from_config(cls, config): exec({CODE!r}); return cls(**config)
def build():
    return keras.Sequential([keras.layers.Input((4,)), Own(), keras.layers.Dense(3)])
model = build()
"""
# The node of a sound model, with its configuration changed on the way.
FORGED = """
import nbjudge.capture.keras_configs, nbjudge.kernel.agent as agent
old = agent.encode
def encode(value, **options):
    data = old(value, **options)
    length = int.from_bytes(data[4:8], "big")
    text = data[8:8 + length].decode()
    text = {change}
    text = text.encode()
    return data[:4] + len(text).to_bytes(4, "big") + text + data[8 + length:]
agent.encode = encode
import numpy as np
model(np.zeros((1, 4)))
"""
HUGE = FORGED.replace("{change}", "text.replace('\"units\",8', '\"units\",1000000000')")
MANY = FORGED.replace("{change}", "text.replace('[null,4]', '[null,99999999999]')")
MODULE = FORGED.replace(
    "{change}", "text.replace('\"keras.layers\",\"class_name\",\"Dense\"', '"
    "\"os\",\"class_name\",\"system\"')"
)  # fmt: skip

# Sound layers around one that is not, and the right model where a test only counts.
AROUND = """import keras
from keras import layers
def build():
    return keras.Sequential([
        layers.Input((4,)),
        {layers}
        layers.Dense(8, activation="relu"),
        layers.Dense(3, activation="softmax"),
    ])
model = build()"""
FILLED = RIGHT.replace(
    "model = build()",
    """
right = build
def build():
    model = right()
    model.set_weights([weights * 0 + float({number!r}) for weights in model.get_weights()])
    return model
model = build()""",
)
NESTED = """import keras
def build():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    for _ in range(150):
        model = keras.Sequential([keras.layers.Input((4,)), model])
    return model
model = build()"""
DEEP = """import keras
def build():
    hidden = [keras.layers.Dense(4) for _ in range(700)]
    return keras.Sequential([keras.layers.Input((4,)), *hidden, keras.layers.Dense(3)])
model = build()"""
SHARED = """import keras
def build():
    start = x = keras.Input((4,))
    same = keras.layers.Dense(4)
    for _ in range(1500):
        x = same(x)
    return keras.Model(start, keras.layers.Dense(3)(x))
model = build()"""
COMPILED = RIGHT.replace(
    "model = build()",
    f"""
right = build
def build():
    model = right()
    model.compile("adam", lambda *values: exec({CODE!r}))
    return model
model = build()""",
)
NAMED = RIGHT.replace('activation="relu"', 'activation="relu", name="x" * 1_000_000')
RESHAPED = "layers.Reshape((4, 1)), layers.{layer}, layers.Flatten(),"

# The own cell stands behind the answer: (words, answer, own cell, points).
THREATS: dict[str, tuple[str, str, str, float]] = {
    "honest": ("nothing", RIGHT, "", 4.0),
    "wrong": ("nothing, with a wrong answer", WRONG, "", 0.0),
    "lying": ("a model that says it has other layers", "import keras" + LYING, "", 0.0),
    "patched": ("patches Keras", WRONG, PATCHED, 0.0),
    "lambda": ("a Lambda with code", "import keras" + LAMBDA, "", 0.0),
    "custom": ("a layer of its own, with code", "import keras" + CUSTOM, "", 0.0),
    "huge": ("a layer of 10^9 units", RIGHT, HUGE, 2.0),
    "many": ("an input of 10^11 numbers", RIGHT, MANY, 2.0),
    "module": ("a layer from another module", RIGHT, MODULE, 2.0),
    "nan": ("weights that are no numbers", FILLED.format(number="nan"), "", 2.0),
    "infinite": ("infinite weights", FILLED.format(number="inf"), "", 2.0),
    "nested": ("models in each other, 150 deep", NESTED, "", 0.0),
    "deep": ("700 layers", DEEP, "", 0.0),
    "shared": ("a layer that is called 1,500 times", SHARED, "", 0.0),
    "compiled": ("a loss with code, which no test asks for", COMPILED, "", 4.0),
    "named": ("a name of a million characters", NAMED, "", 0.0),
    "repeated": (
        "an output of 10^10 numbers",
        AROUND.replace("{layers}", "layers.RepeatVector(10**9), layers.GlobalMaxPooling1D(),"),
        "", 0.0,
    ),
    "padded": (
        "a padding of 10^9",
        AROUND.replace("{layers}", RESHAPED.replace("{layer}", "ZeroPadding1D(10**9)")),
        "", 0.0,
    ),
    "file": (
        "a layer that reads a file",
        AROUND.replace("{layers}", "layers.StringLookup(vocabulary=__file__),").replace(
            "import keras", "import keras, keras as _k\n__file__ = _k.__file__", 1
        ),
        "", 0.0,
    ),
    "scaled": (
        "a factor that is no number",
        AROUND.replace("{layers}", "layers.Rescaling(float('nan')),"), "", 0.0,
    ),
}  # fmt: skip


def assignment() -> Notebook:
    structure = (
        "assert [layer.units for layer in model.layers] == [8, 3]\n"
        "assert model.count_params() == 67"
    )
    built = (
        "import numpy as np\nfresh = build()\nassert fresh.count_params() == 67\n"
        "guess = np.asarray(fresh(np.ones((5, 4))))\nassert guess.shape == (5, 3)\n"
        "assert np.allclose(guess.sum(axis=1), 1)"
    )
    return notebook(
        cell("markdown", "title", "# A model"),
        answer("build", RIGHT),
        cell("code", "own", "# Try it out here."),
        test("test-layers", "assert model is not None", structure, 2.0),
        test("test-build", "assert callable(build)", built, 2.0),
    )
