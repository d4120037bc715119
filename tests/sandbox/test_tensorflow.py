"""TensorFlow, imported by the server and used inside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from harness import as_user, confined

def train():
    import numpy, keras
    model = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    ones = numpy.ones((64, 4))
    losses = model.fit(ones, ones[:, 0], epochs=5, verbose=0).history["loss"]
    model.save("model.keras")
    return losses[-1] < losses[0]

def serve():
    import keras, tensorflow
    limits = {"memory_megabytes": 4000, "wall_seconds": 120, "cpu_seconds": 120}
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_CPP_MIN_LOG_LEVEL")
    environment = dict.fromkeys(names[:2], "1") | {names[2]: "3"}
    return vars(confined(train, tier=sys.argv[3], environment=environment, **limits))

print(json.dumps(as_user(sys.argv[2], serve)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["full", "filters"])
def test_a_model_is_trained(user, tier, folder):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder),
        "KERAS_HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), user, tier],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["ended"]["ended"], result["value"]) == ("exit", True), result
