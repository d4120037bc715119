"""The hints for errors that learners of Keras are known to run into."""

from __future__ import annotations

import re

# Each: what the error's type and text match, and where to look. The first that matches is given.
_HINTS = (
    (
        r"Cannot convert .* to a shape",
        "a shape is a tuple, even with one number in it; for these images it is "
        "`keras.Input(shape=(32, 32, 3))`.",
    ),
    (
        r"'numpy.int64' object is not iterable",
        "argmax without an axis gives one number for everything: axis=1 gives one for each image.",
    ),
    (
        r"'int' object is not iterable",
        "`for i in 5` cannot work: write `for i in range(5)`, or `for item in items`.",
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
        "inside a function use its arguments and what it makes itself, and check the spelling. "
        "What belongs to a module has its name in front, as in `keras.losses.` or `layers.`.",
    ),
    (
        r"^IndexError: index 25 is out of bounds for axis 0 with size 25",
        "more images may be handed in than the grid has places: draw the first 25.",
    ),
    (
        r"\d MB; a value that a test looks at",
        "what was handed in is small: does the function use its arguments, and not something large "
        "from elsewhere in the notebook?",
    ),
    (
        r"^IndexError: (list|tuple) index|^IndexError: index \d+ is out of bounds",
        "an index is larger than the list is long. The first item has the index 0. Is it the list "
        "that the function was given?",
    ),
    (
        r"^KeyError: -1$",
        "in a table's column, [-1] looks for a row that is called -1; `.iloc[-1]` is the last row.",
    ),
    (
        r"Cannot cast ufunc",
        "`/=` writes into the array of whole numbers that was handed in: `images / 255` makes a "
        "new one, of floats.",
    ),
    (
        r"'numpy.ndarray' object has no attribute '(imshow|set_title|axis)'",
        "plt.subplots(5, 5) gives 5 rows of axes: `axes.flatten()` makes one row of 25 of them.",
    ),
    (
        r"list indices must be integers or slices, not (numpy\.)?float",
        "a list is indexed by a whole number. `max` gives the largest number itself, `argmax` "
        "tells its place.",
    ),
    (
        r"the output of a layer, which has no values yet",
        "that is what a layer gives. Where a Keras model is asked for, return what keras.Model(…) "
        "gives: `return model`.",
    ),
    (
        r"TypeError: \w+\.set_(model|params)\(\) missing",
        "callbacks takes callbacks, not their class: `keras.callbacks.TensorBoard(…)`, with "
        "parentheses, makes one.",
    ),
    (
        r"Kernel shape must have the same length as input",
        "keras.Input takes the shape of one image, without the number of images.",
    ),
    (
        r"(?i)Only input tensors may be passed as positional|Received: .*<kerastensor",
        "a layer is first made and then called on a tensor: `layers.Conv2D(…)(x)`.",
    ),
    (
        r"Length of values .* does not match length of index|Length mismatch: Expected axis",
        "the table needs as many rows as there are epochs, however many those were.",
    ),
    (
        r"truth value of an array",
        "Python's own `min`, `max` and `if` cannot compare rows of numbers: an array has "
        "`array.min()`, `array.max()` and `array.all()`.",
    ),
    (
        r"incompatible with the layer: expected .*ndim",
        "is the shape that keras.Input gets the shape of one image, and is a Flatten in front of "
        "the first Dense?",
    ),
    (
        r"incompatible with the layer|incompatible shape",
        "the shape of the images does not fit what the model's Input promised. Does the function "
        "use the images and the model that are its arguments? A model takes many images at once: "
        "a single one needs `image[None]`.",
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
        r"only (integer scalar|length-1|0-dimensional) arrays|unhashable type: 'numpy.ndarray'",
        "a label of shape (n, 1) is an array with one number in it: take the number out, as in "
        "`int(label[0])`, or flatten all labels first: `labels.flatten()`.",
    ),
)
_ARGUMENTS = re.compile(
    r"^TypeError: (?P<callee>[\w.]+)\(\) "
    r"(takes \d+ positional|missing \d+ required|got an unexpected keyword)"
)


def hint_for(error: BaseException, function: str) -> str:
    """Where to look after `error` in a call of `function`, "" where nothing is known about it."""
    text = f"{type(error).__name__}: {error}"
    known = next((hint for pattern, hint in _HINTS if re.search(pattern, text)), "")
    if known or not (match := _ARGUMENTS.match(text)):
        return known
    if match["callee"].split(".")[-1] == function:
        return "the function's arguments must be those that the task names, in that order."
    return f"look up which arguments {match['callee']} takes: `help(…)` tells."
