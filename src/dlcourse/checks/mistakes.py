"""The hints for errors that learners of Keras are known to run into."""

from __future__ import annotations

import re

_HINTS = (
    (
        r"Cannot convert .* to a shape|'int' object is not iterable",
        "a shape is a tuple, even with one number in it; for these images it is "
        "`keras.Input(shape=(32, 32, 3))`.",
    ),
    (
        r"`target` and `output` must have the same (shape|rank)",
        "CategoricalCrossentropy wants one-hot labels of shape (images, classes). Labels that are "
        "class numbers, of shape (images, 1), go with SparseCategoricalCrossentropy.",
    ),
    (
        r"`output` must have rank \(ndim\)",
        "SparseCategoricalCrossentropy wants class numbers of shape (images,) or (images, 1), "
        "not one-hot labels.",
    ),
    (
        r"^(NameError|UnboundLocalError)",
        "inside a function use its arguments and what it makes itself, and check the spelling.",
    ),
    (
        r"^IndexError: (list|tuple) index|^IndexError: index \d+ is out of bounds",
        "an index is larger than the list is long. With argmax, axis=1 finds the class for each "
        "image; axis=0 finds the image for each class.",
    ),
    (
        r"incompatible with the layer: expected .*ndim",
        "is the shape that keras.Input gets the shape of one image, and is a Flatten in front of "
        "the first Dense?",
    ),
    (
        r"incompatible with the layer",
        "the shape of the images does not fit what the model's Input promised.",
    ),
    (
        r"output size would be zero or negative",
        "the picture has become smaller than the kernel: too many convolutions or poolings.",
    ),
    (r"call `compile\(\)`", "the model was not compiled: call compile_model(model) first."),
    (
        r"inputs? values must be KerasTensors",
        "keras.Model needs the tensor that keras.Input made, and the one that the last layer gave.",
    ),
    (
        r"^AttributeError: 'NoneType' object has no attribute",
        "something is None: does the function that made it end with `return …`?",
    ),
    (
        r"only integer scalar arrays|only length-1 arrays|unhashable type: 'numpy.ndarray'",
        "a label of shape (n, 1) is an array with one number in it: take the number out, as in "
        "`int(label[0])`, or flatten all labels first: `labels.flatten()`.",
    ),
    (
        r"takes \d+ positional arguments? but|required positional argument|"
        r"unexpected keyword argument",
        "the function's arguments must be those that the task names, in that order.",
    ),
)


def hint_for(error: BaseException) -> str:
    """Where to look after `error`, or "" where nothing is known about it."""
    text = f"{type(error).__name__}: {error}"
    return next((hint for pattern, hint in _HINTS if re.search(pattern, text)), "")
