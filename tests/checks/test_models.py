"""Models: equivalents are right, each mistake is named with layer, numbers and equation."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from dlcourse import checks as check
from dlcourse.checks.models import accuracy_of, losses_of

SMALL = (
    layers.Conv2D(50, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Conv2D(50, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Flatten(),
    layers.Dense(50, activation="relu"),
    layers.Dense(10),
)
CLASS_NUMBERS = np.array([[3], [0], [9]])
ONE_HOT = np.eye(10)[[3, 0, 9]]


def chain(*parts, shape=(32, 32, 3)):
    """A functional model of these layers or functions."""
    inputs = x = keras.Input(shape)
    for item in parts:
        x = item(x)
    return keras.Model(inputs, x)


def fresh():
    """The reference's layers, not yet part of any model."""
    return [layer.__class__.from_config(layer.get_config() | {"name": None}) for layer in SMALL]


def small(**changes):
    """The reference with some layers replaced by others, or left out where None."""
    parts = fresh()
    for place, new in changes.items():
        parts[int(place[1:])] = new
    return chain(*[layer for layer in parts if layer is not None])


def ask(model):
    return check.model("model", model)


def message(question) -> str:
    with pytest.raises(check.CheckFailed) as caught:
        question()
    return str(caught.value)


def _pooled_twice():
    pool = layers.MaxPooling2D(2)
    return small(_1=pool, _3=pool)


EQUIVALENTS = {
    "functional": lambda: small(),
    "sequential": lambda: keras.Sequential([keras.Input((32, 32, 3)), *small().layers[1:]]),
    "relu layers": lambda: chain(
        layers.Conv2D(50, 3),
        layers.ReLU(),
        layers.MaxPool2D(),
        layers.Conv2D(50, 3),
        layers.Activation("relu"),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.Dense(50),
        layers.ReLU(),
        layers.Dense(10, activation="linear"),
    ),
    "relu functions": lambda: chain(
        layers.Conv2D(50, 3),
        keras.activations.relu,
        layers.MaxPool2D(),
        layers.Conv2D(50, 3, activation=keras.activations.relu),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.Dense(50),
        keras.ops.relu,
        layers.Dense(10, activation=None),
    ),
    "relu after pooling": lambda: chain(
        layers.Conv2D(50, 3),
        layers.MaxPool2D(),
        layers.ReLU(),
        layers.Conv2D(50, 3),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.ReLU(),
        layers.Dense(50, "relu"),
        layers.Dense(10),
    ),
    "reshape": lambda: small(_4=layers.Reshape((-1,))),
    "nested": lambda: chain(
        keras.Sequential([layers.Conv2D(50, 3, activation="relu"), layers.MaxPool2D()]),
        keras.Sequential(
            [keras.Input((15, 15, 50)), layers.Conv2D(50, 3, activation="relu"), layers.MaxPool2D()]
        ),
        layers.Flatten(),
        layers.Dense(50, "relu"),
        layers.Dense(10),
    ),
    "one pooling used twice": lambda: _pooled_twice(),
    "explicit defaults": lambda: small(
        _0=layers.Conv2D(50, [3, 3], strides=1, padding="valid", activation="relu", name="eyes")
    ),
    "dropout of nothing": lambda: chain(*[*fresh()[:6], layers.Dropout(0.0), fresh()[6]]),
    "linear activation": lambda: chain(*fresh(), layers.Activation("linear")),
}


@pytest.mark.parametrize("make", EQUIVALENTS.values(), ids=EQUIVALENTS)
def test_equivalent_models_are_right(make):
    ask(make()).has_input_shape(32, 32, 3).has_outputs(10).has_layer_count(7).has_layers(
        *SMALL
    ).has_parameters(114_510).has_layer_shapes(
        (30, 30, 50), (15, 15, 50), (13, 13, 50), (6, 6, 50), (1800,), (50,), (10,)
    )


MISTAKES = {
    "filters": (
        lambda: small(_2=layers.Conv2D(32, 3, activation="relu")),
        ["layer 3 (Conv2D", "filters 32", "(3·3·50 + 1)·32 = 14,432", "(3·3·50 + 1)·50 = 22,550"],
    ),
    "kernel": (
        lambda: small(_0=layers.Conv2D(50, 5, activation="relu")),
        ["layer 1 (Conv2D", "kernel_size 5×5", "Expected: kernel_size 3×3"],
    ),
    "units": (
        lambda: small(_5=layers.Dense(64, "relu")),
        ["units 64", "(1800 + 1)·64 = 115,264", "(1800 + 1)·50 = 90,050"],
    ),
    "padding": (
        lambda: small(_2=layers.Conv2D(50, 3, padding="same", activation="relu")),
        ["padding same", "Expected: padding valid"],
    ),
    "strides": (
        lambda: small(_2=layers.Conv2D(50, 3, strides=2, activation="relu")),
        ["strides 2×2"],
    ),
    "no bias": (
        lambda: small(_5=layers.Dense(50, "relu", use_bias=False)),
        ["use_bias False", "(1800)·50 = 90,000"],
    ),
    "pool size": (lambda: small(_1=layers.MaxPool2D(3)), ["layer 2", "pool_size 3×3"]),
    "average pooling": (
        lambda: small(_1=layers.AveragePooling2D(2)),
        ["layer 2 is an AveragePooling2D"],
    ),
    "no activation": (
        lambda: small(_0=layers.Conv2D(50, 3)),
        ["has no activation", "Expected: the activation relu"],
    ),
    "another activation": (
        lambda: small(_0=layers.Conv2D(50, 3, activation="tanh")),
        ["the activation tanh"],
    ),
    "softmax": (
        lambda: small(_6=layers.Dense(10, "softmax")),
        ["the activation softmax", "Expected: no activation"],
    ),
    "softmax layer": (lambda: chain(*fresh(), layers.Softmax()), ["the activation softmax"]),
    "relu6": (lambda: small(_5=layers.Dense(50, keras.activations.relu6)), ["relu6"]),
    "relu with a maximum": (
        lambda: chain(*fresh()[:5], layers.Dense(50), layers.ReLU(max_value=6.0), layers.Dense(10)),
        ["max_value=6"],
    ),
    "no second pooling": (
        lambda: small(_3=None),
        ["has 6 layers instead of 7", "a MaxPooling2D is missing after layer 3"],
    ),
    "no flatten in its place": (
        lambda: small(_4=layers.GlobalAveragePooling2D()),
        ["layer 5 is a GlobalAveragePooling2D", "Expected: Flatten"],
    ),
    "a layer too many": (
        lambda: small(_5=lambda x: layers.Dense(50, "relu")(layers.Dense(50, "relu")(x))),
        ["has 8 layers instead of 7", "should not be there"],
    ),
    "dropout added": (
        lambda: small(_4=lambda x: layers.Flatten()(layers.Dropout(0.5)(x))),
        ["Dropout", "should not be there"],
    ),
    "order": (
        lambda: chain(
            layers.Conv2D(50, 3, activation="relu"),
            layers.Conv2D(50, 3, activation="relu"),
            layers.MaxPool2D(),
            layers.MaxPool2D(),
            layers.Flatten(),
            layers.Dense(50, "relu"),
            layers.Dense(10),
        ),
        ["in another order"],
    ),
    "batch normalisation": (
        lambda: small(_1=lambda x: layers.MaxPool2D()(layers.BatchNormalization()(x))),
        ["BatchNormalization"],
    ),
}


@pytest.mark.parametrize(("make", "words"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_named(make, words):
    told = message(lambda: ask(make()).has_layers(*SMALL))
    for word in words:
        assert word in told


def test_an_empty_model_is_not_taken_for_a_right_one():
    assert "no layers" in message(lambda: ask(keras.Sequential()).has_layers(*SMALL))
    just_input = keras.Sequential([keras.Input((32, 32, 3))])
    message(lambda: ask(just_input).has_layers(*SMALL))


def test_a_model_that_skips_connections_is_no_chain():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same")(inputs)
    model = keras.Model(inputs, layers.Flatten()(layers.Add()([inputs, x])))
    assert "expected" in message(lambda: ask(model).has_layer_count(3)).lower()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activation": None}, "layer 1 (Conv2D 'one') has no activation."),
        ({"activation": "softmax"}, "layer 1 (Conv2D 'one') has the activation softmax."),
    ],
)
def test_activations_are_told_layer_by_layer(change, words):
    def made(**options):
        return ask(
            chain(
                layers.Conv2D(3, 3, name="one", **options),
                layers.Flatten(),
                layers.Dense(2),
                shape=(8, 8, 3),
            )
        )

    made(activation="relu").has_activations("relu", "linear")
    assert words in message(lambda: made(**change).has_activations("relu", "linear"))
    assert "2 layers with weights" in message(lambda: made().has_activations("relu"))


def test_kinds_are_told_without_sizes():
    model = ask(chain(layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2), shape=(8, 8, 3)))
    model.has_kinds("Conv2D", "Flatten", "Dense")
    told = message(lambda: model.has_kinds("Conv2D", "MaxPooling2D", "Flatten", "Dense"))
    assert "3 layers instead of 4: a MaxPooling2D is missing after layer 1" in told


def test_strides_are_named_where_they_make_an_output_smaller():
    strided = layers.Conv2D(3, 3, strides=2)
    model = ask(chain(strided, layers.Flatten(), layers.Dense(2), shape=(9, 9, 3)))
    told = message(lambda: model.has_layer_shapes((7, 7, 3), (147,), (2,)))
    assert "has outputs of shape (4, 4, 3)" in told and "its strides are larger than 1" in told


def test_one_layer_used_twice_is_no_chain():
    shared = layers.Conv2D(3, 3, padding="same")
    assert "used 2 times" in message(
        lambda: ask(chain(shared, shared, shape=(8, 8, 3))).has_layer_count(2)
    )


def test_a_class_of_its_own_is_refused_kindly():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(10)

        def call(self, x):
            return self.dense(x)

    model = Mine()
    model(np.zeros((1, 4)))
    assert "keras.Sequential" in message(lambda: ask(model).has_layer_count(1))


def test_parameters_are_told_layer_by_layer():
    told = message(lambda: ask(small(_5=layers.Dense(51, "relu"))).has_parameters(114_510))
    assert "(3·3·3 + 1)·50 = 1,400" in told
    assert "(1800 + 1)·51 = 91,851" in told


def test_input_shape_of_one_number():
    told = message(lambda: ask(chain(layers.Dense(10), shape=(4,))).has_input_shape(32, 32, 3))
    assert "takes inputs of shape (4,)" in told


def test_a_model_without_flatten_gives_too_many_numbers():
    assert "(32, 32, 10) for each image" in message(
        lambda: ask(chain(layers.Dense(10))).has_outputs(10)
    )


def test_a_layer_that_does_not_learn():
    model = chain(layers.Conv2D(50, (3, 3), activation="relu", trainable=False))
    told = message(lambda: ask(model).has_layers(layers.Conv2D(50, (3, 3), activation="relu")))
    assert "has trainable False" in told and "learns nothing" in told


class TestDropout:
    def test_the_rate(self):
        model = chain(layers.Flatten(), layers.Dropout(0.3), layers.Dense(10))
        ask(model).has_dropout(0.3)
        assert "rate 0.3" in message(lambda: ask(model).has_dropout(0.8))

    def test_a_dropout_rate_of_single_precision(self):
        model = chain(layers.Dropout(np.float32(0.3)))
        ask(model).has_dropout(0.3).has_layers(layers.Dropout(0.3))

    def test_none_and_two(self):
        assert "has 0 Dropout" in message(lambda: ask(chain(layers.Flatten())).has_dropout(0.3))
        two = chain(layers.Dropout(0.3), layers.Dropout(0.3))
        assert "has 2 Dropout" in message(lambda: ask(two).has_dropout(0.3))

    def test_another_kind_is_named(self):
        model = chain(layers.SpatialDropout2D(0.3))
        assert "a SpatialDropout2D is a different layer" in message(
            lambda: ask(model).has_dropout(0.3)
        )

    def test_one_that_stays_on_when_predicting(self):
        dropout = layers.Dropout(0.3)
        always = chain(lambda x: dropout(x, training=True))
        within = chain(lambda x: chain(layers.Dropout(0.3))(x, training=True))
        for model in (always, within, keras.Sequential([keras.Input((32, 32, 3)), always])):
            told = message(lambda model=model: ask(model).has_layers(layers.Dropout(0.3)))
            assert "has training True" in told
            assert "drop numbers in predictions too" in told

    def test_one_that_is_told_what_it_does_anyway(self):
        dropout = layers.Dropout(0.3)
        ask(chain(lambda x: dropout(x, training=False))).has_layers(layers.Dropout(0.3))

    def test_one_that_drops_numbers_together(self):
        model = chain(layers.Dropout(0.3, noise_shape=(None, 32, 32, 1)))
        told = message(lambda: ask(model).has_layers(layers.Dropout(0.3)))
        assert "has noise_shape None×32×32×1" in told


def compiled(loss, activation=None, optimizer="adam", metrics=("accuracy",)):
    model = chain(layers.Flatten(), layers.Dense(10, activation=activation), shape=(4, 4, 1))
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return ask(model)


SPARSE, CATEGORICAL = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalCrossentropy,
)


class TestLoss:
    @pytest.mark.parametrize(
        ("loss", "activation", "labels"),
        [
            (SPARSE(from_logits=True), None, CLASS_NUMBERS),
            (SPARSE(from_logits=True), None, CLASS_NUMBERS.ravel()),
            (SPARSE(), "softmax", CLASS_NUMBERS),
            ("sparse_categorical_crossentropy", "softmax", CLASS_NUMBERS),
            (keras.losses.sparse_categorical_crossentropy, "softmax", CLASS_NUMBERS),
            (CATEGORICAL(from_logits=True), None, ONE_HOT),
            ("categorical_crossentropy", "softmax", ONE_HOT),
        ],
    )
    def test_what_fits_together_is_right(self, loss, activation, labels):
        compiled(loss, activation).has_loss_for(labels)

    @pytest.mark.parametrize(
        ("loss", "activation", "labels", "words"),
        [
            (CATEGORICAL(from_logits=True), None, CLASS_NUMBERS, "needs one-hot labels"),
            (SPARSE(from_logits=True), None, ONE_HOT, "the labels are one-hot"),
            (SPARSE(), None, CLASS_NUMBERS, "takes them for probabilities"),
            ("sparse_categorical_crossentropy", None, CLASS_NUMBERS, "given as a string"),
            (SPARSE(from_logits=True), "softmax", CLASS_NUMBERS, "softmax is applied twice"),
            (SPARSE(from_logits=True), "relu", CLASS_NUMBERS, "has the activation relu"),
            ("mse", None, CLASS_NUMBERS, "for numbers"),
            ("binary_crossentropy", None, CLASS_NUMBERS, "two classes"),
            (None, None, CLASS_NUMBERS, "the loss None"),
        ],
    )
    def test_each_mistake_has_its_words(self, loss, activation, labels, words):
        assert words in message(lambda: compiled(loss, activation).has_loss_for(labels))

    def test_softmax_as_a_layer_is_seen_too(self):
        model = chain(layers.Flatten(), layers.Dense(10), layers.Softmax(), shape=(4, 4, 1))
        model.compile(loss=SPARSE(from_logits=True))
        assert "softmax is applied twice" in message(lambda: ask(model).has_loss_for(CLASS_NUMBERS))

    def test_not_compiled(self):
        model = chain(layers.Flatten())
        assert "is not compiled" in message(lambda: ask(model).has_loss_for(CLASS_NUMBERS))


class TestOptimizerAndMetrics:
    @pytest.mark.parametrize("optimizer", ["adam", "Adam", keras.optimizers.Adam(0.01)])
    def test_adam_in_any_spelling(self, optimizer):
        compiled(SPARSE(), optimizer=optimizer).has_optimizer("adam")

    def test_another_optimizer(self):
        assert "optimizer sgd" in message(
            lambda: compiled(SPARSE(), optimizer="sgd").has_optimizer("adam")
        )

    @pytest.mark.parametrize(
        "metric", ["accuracy", keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    )
    def test_accuracy_in_any_spelling(self, metric):
        compiled(SPARSE(), metrics=[metric]).reports_accuracy()

    @pytest.mark.parametrize(
        "metrics",
        [[], ["mse"], ["acc"], [keras.metrics.Accuracy()], [keras.metrics.CategoricalAccuracy()]],
    )
    def test_no_accuracy(self, metrics):
        message(lambda: compiled(SPARSE(), metrics=metrics).reports_accuracy())


class TestCompiling:
    def test_a_class_in_place_of_an_object(self):
        assert "parentheses" in message(lambda: compiled(SPARSE).has_loss_for(CLASS_NUMBERS))

    def test_a_list_with_one_loss(self):
        compiled([SPARSE(from_logits=True)]).has_loss_for(CLASS_NUMBERS)

    def test_a_loss_of_ones_own(self):
        def loss(true, got):
            return got

        for own in (loss, lambda true, got: got):
            told = message(lambda own=own: compiled(own).has_loss_for(CLASS_NUMBERS))
            assert "a loss of your own" in told

    def test_another_model_than_the_one_given(self):
        given, other = small(), small()
        ask(given).is_the_model(given)
        on_top = chain(given, layers.Softmax())
        for wrong in (other, on_top):
            told = message(lambda wrong=wrong: ask(wrong).is_the_model(given))
            assert "not the model that was handed in" in told

    def test_a_class_that_the_loss_ignores(self):
        loss = SPARSE(from_logits=True, ignore_class=0)
        assert "ignores class 0" in message(lambda: compiled(loss).has_loss_for(CLASS_NUMBERS))


class TestMeasured:
    @staticmethod
    def bright_or_dark(scale=10.0):
        """A model that tells bright pictures (1) from dark ones (0)."""
        model = chain(layers.Flatten(), layers.Dense(2), shape=(2, 2, 1))
        model.set_weights([np.array([[-scale, scale]] * 4), np.zeros(2)])
        return model

    IMAGES = np.array([1.0, -1, 1, -1]).repeat(4).reshape(4, 2, 2, 1)
    LABELS = np.array([[1], [0], [1], [1]])

    def test_accuracy_is_the_share_that_is_right(self):
        assert accuracy_of(self.bright_or_dark(), self.IMAGES, self.LABELS) == 0.75

    def test_the_threshold_itself_is_enough(self):
        ask(self.bright_or_dark()).reaches_accuracy(0.75, self.IMAGES, self.LABELS)

    def test_below_it_the_message_has_both_figures(self):
        told = message(
            lambda: ask(self.bright_or_dark()).reaches_accuracy(0.8, self.IMAGES, self.LABELS)
        )
        assert "75.0% of 4 unseen images" in told
        assert "at least 80.0%" in told

    @pytest.mark.parametrize(("luck", "is_narrow"), [(0.0, False), (0.04, False), (0.06, True)])
    def test_a_miss_by_less_than_luck_may_decide_is_told_to_the_grader(self, luck, is_narrow):
        with pytest.raises(check.CheckFailed) as failed:
            ask(self.bright_or_dark()).reaches_accuracy(0.8, self.IMAGES, self.LABELS, luck=luck)
        assert failed.value.is_narrow_miss == is_narrow
        assert list(failed.value.measured.values()) == [0.75]

    def test_cross_entropy_is_kerass(self):
        model = self.bright_or_dark(0.5)
        expected = float(SPARSE(from_logits=True)(self.LABELS, model(self.IMAGES)))
        assert losses_of(model, self.IMAGES, self.LABELS).mean() == pytest.approx(expected, 1e-5)

    def test_what_the_student_did_to_evaluate_does_not_matter(self):
        model = self.bright_or_dark()
        model.evaluate = model.predict = lambda *args, **kwargs: 1.0
        assert accuracy_of(model, self.IMAGES, self.LABELS) == 0.75

    def test_the_model_stays_as_it_was(self):
        model = self.bright_or_dark()
        model.compile("sgd", "mse")
        before = [w.copy() for w in model.get_weights()], model.get_compile_config()
        ask(model).reaches_accuracy(0.5, self.IMAGES, self.LABELS)
        assert all(
            np.array_equal(a, b) for a, b in zip(before[0], model.get_weights(), strict=True)
        )
        assert model.get_compile_config() == before[1]

    def test_nan_is_never_good_enough(self):
        broken, fine = self.bright_or_dark(float("nan")), self.bright_or_dark()
        data = self.IMAGES, self.LABELS
        message(lambda: ask(broken).has_no_higher_loss_than("fine", fine, data, tolerance=9.0))
        message(lambda: ask(broken).has_smaller_gap_than("fine", fine, data, data, at_most=9.0))

    def test_a_history_that_was_measured_on_other_images(self):
        model, data = self.bright_or_dark(0.5), (self.IMAGES, self.LABELS)
        loss = float(losses_of(model, *data).mean())
        true = SimpleNamespace(history={"loss": [9.0, loss], "val_loss": [9.0, loss]})
        check.history("h", true).ends_with_losses_of("model", model, loss=data, val_loss=data)
        false = SimpleNamespace(history={"loss": [loss], "val_loss": [loss - 0.1]})
        assert "Were both handed on as they are" in message(
            lambda: check.history("h", false).ends_with_losses_of("model", model, val_loss=data)
        )

    def history_of(self, model, **changes):
        """Asks whether a history that fits the model, but for the changes, fits it."""
        data = self.IMAGES, np.array([[1], [0], [1], [0]])
        loss, accuracy = float(losses_of(model, *data).mean()), accuracy_of(model, *data)
        told = {"loss": [0.69, loss + 0.1], "val_loss": [0.8, loss]}
        told |= {"accuracy": [0.4, 0.6], "val_accuracy": [0.5, accuracy]} | changes
        history = check.history("history", SimpleNamespace(history=told)).has_validation()
        return lambda: history.fits("model", model, data, data)

    def test_the_history_of_the_model_fits(self):
        model = self.bright_or_dark(0.2)
        self.history_of(model)()
        loss = float(np.log1p(np.exp(-1.6)))
        # A callback has brought the best weights back.
        self.history_of(
            model,
            loss=[0.7, 0.2, 0.1],
            accuracy=[0.6, 0.7, 0.8],
            val_loss=[0.8, loss, 0.9],
            val_accuracy=[0.5, 1.0, 0.5],
        )()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"val_loss": [0.8, 0.6]}, "validation loss of 0.600"),
            ({"val_accuracy": [0.5, 0.9]}, "accuracy of 0.900"),
            ({"val_loss": [0.8, float("nan")]}, "validation loss of nan"),
            ({"loss": [5.0, 2.0]}, "training loss of 2.000"),
            ({"loss": [5.0, float("nan")]}, "training loss of nan"),
        ],
    )
    def test_an_invented_history_does_not_fit(self, changes, words):
        assert words in message(self.history_of(self.bright_or_dark(0.2), **changes))

    def test_an_untrained_model_has_learned_nothing_whatever_its_history_says(self):
        assert "has learned something" in message(self.history_of(self.bright_or_dark(0.0)))
        assert "model has nan" in message(self.history_of(self.bright_or_dark(float("nan"))))

    def test_gaps_and_losses_are_compared(self):
        seen, unseen = (self.IMAGES[:3], self.LABELS[:3]), (self.IMAGES[3:], self.LABELS[3:])
        learned_by_heart, sure = self.bright_or_dark(), self.bright_or_dark()
        guessing = self.bright_or_dark(0.0)
        ask(guessing).has_smaller_gap_than("other", learned_by_heart, seen, unseen, at_most=0.1)
        ask(guessing).has_no_higher_loss_than("other", sure, unseen, tolerance=0.0)
        assert "higher on new images than on training images" in message(
            lambda: ask(sure).has_smaller_gap_than(
                "other", learned_by_heart, seen, unseen, at_most=50.0
            )
        )
        close = self.bright_or_dark(0.5)
        assert "of at most 0.100" in message(
            lambda: ask(close).has_smaller_gap_than(
                "other", learned_by_heart, seen, unseen, at_most=0.1
            )
        )
        assert "the loss is" in message(
            lambda: ask(sure).has_no_higher_loss_than("other", guessing, unseen, tolerance=0.1)
        )
