"""The hints for errors that learners of Keras are known to run into."""

from __future__ import annotations

import re

# Each: what the error's type and text match, and where to look. The first that matches is given.
_HINTS = (
    (
        r"Cannot convert .* to a shape",
        "a shape is a tuple, even with one number. For these images it is "
        "`keras.Input(shape=(32, 32, 3))`.",
    ),
    (
        r"'numpy.int64' object is not iterable",
        "argmax without an axis gives one number for everything. axis=1 gives one for each image.",
    ),
    (
        r"'int' object is not iterable",
        "`for i in 5` cannot work: write `for i in range(5)`, or `for item in items`.",
    ),
    (
        r"`target` and `output` must have the same (shape|rank)",
        "CategoricalCrossentropy needs one-hot labels of shape (images, classes). For class "
        "numbers of shape (images, 1), use SparseCategoricalCrossentropy.",
    ),
    (
        r"`output` must have rank \(ndim\)",
        "SparseCategoricalCrossentropy needs class numbers of shape (images,) or (images, 1), "
        "not one-hot labels.",
    ),
    (
        r"^(NameError|UnboundLocalError)",
        "in a function, use its arguments and the names that it defines. Check the spelling. "
        "Names from a module need the module in front, as in `keras.losses.` or `layers.`.",
    ),
    (
        r"^IndexError: index 25 is out of bounds for axis 0 with size 25",
        "there may be more images than places in the grid. Draw the first 25.",
    ),
    (
        r"\d MB; a value that a test looks at",
        "the arguments are small. Does the function use them, and not something large from "
        "another cell?",
    ),
    (
        r"^IndexError: (list|tuple) index|^IndexError: index \d+ is out of bounds",
        "the index is too large for the list. The first item has the index 0. Is it the list that "
        "the function was given?",
    ),
    (
        r"^KeyError: -1$",
        "in a column of a table, [-1] looks for a row named -1. `.iloc[-1]` is the last row.",
    ),
    (
        r"Cannot cast ufunc",
        "`/=` writes into the argument, an array of whole numbers. `images / 255` makes a new one "
        "of floats.",
    ),
    (
        r"'numpy.ndarray' object has no attribute '(imshow|set_title|axis)'",
        "plt.subplots(5, 5) gives 5 rows of 5 axes. `axes.flatten()` makes one row of 25.",
    ),
    (
        r"list indices must be integers or slices, not (numpy\.)?float",
        "the index of a list is a whole number. `max` gives the largest number, `argmax` gives its "
        "place.",
    ),
    (
        r"the output of a layer, which has no values yet",
        "this is the output of a layer. If the task asks for a Keras model, return the result of "
        "keras.Model(…): `return model`.",
    ),
    (
        r"TypeError: \w+\.set_(model|params)\(\) missing",
        "callbacks needs objects, not classes: `keras.callbacks.TensorBoard(…)`, with parentheses.",
    ),
    (
        r"Kernel shape must have the same length as input",
        "keras.Input takes the shape of one image, without the number of images.",
    ),
    (
        r"(?i)Only input tensors may be passed as positional|Received: .*<kerastensor",
        "a layer is first made and then called with a tensor: `layers.Conv2D(…)(x)`.",
    ),
    (
        r"Length of values .* does not match length of index|Length mismatch: Expected axis",
        "the table needs one row for each epoch, for any number of epochs.",
    ),
    (
        r"matmul: (Input operand|input operand)",
        "in A @ B, A has as many columns as B has rows. One row is one example: X @ W.",
    ),
    (
        r"operands could not be broadcast together",
        "the shapes of two arrays do not fit. A sum over an axis loses that axis, and "
        "keepdims=True keeps it. For the product of two matrices write `A @ B`, not `A * B`.",
    ),
    (
        r"only (length-1|0-dimensional) arrays can be converted",
        "functions of `math` and `float` take one number. Those of numpy, such as `np.exp`, take "
        "arrays. Labels of shape (n, 1) are arrays, too: `labels.flatten()`.",
    ),
    (
        r"truth value of an array",
        "Python's `min`, `max` and `if` cannot compare rows of numbers. `array.min()`, "
        "`array.max()` and `array.all()` make one value of all; `np.maximum(a, b)` compares number "
        "by number, and `np.where(condition, a, b)` chooses number by number.",
    ),
    (
        r"incompatible with the layer: expected .*ndim",
        "is the shape in keras.Input the shape of one image? Is there a Flatten before the first "
        "Dense?",
    ),
    (
        r"incompatible with the layer|incompatible shape",
        "the shape of the images does not fit the model's Input. Does the function use its "
        "arguments, images and model? A model takes many images at once: for a single one, use "
        "`image[None]`.",
    ),
    (
        r"output size would be zero or negative",
        "the image is now smaller than the kernel. There are too many convolutions or poolings.",
    ),
    (r"call `compile\(\)`", "the model is not compiled. Call compile_model(model) first."),
    (
        r"inputs? values must be KerasTensors",
        "keras.Model needs the result of keras.Input and the output of the last layer.",
    ),
    (
        r"^AttributeError: 'NoneType' object has no attribute",
        "a value is None. Does the function that made it end with `return …`?",
    ),
    (
        r"only (integer scalar|length-1|0-dimensional) arrays|unhashable type: 'numpy.ndarray'",
        "labels of shape (n, 1) are arrays with one number each. Take the number out, as in "
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
        return "the function must have the arguments that the task names, in that order."
    return f"look up the arguments of {match['callee']} with `help(…)`."
