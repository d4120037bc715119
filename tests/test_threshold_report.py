"""What is said of a threshold follows from its runs."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from dlcourse.thresholds import load
from dlcourse.thresholds.chances import describe, odds
from dlcourse.thresholds.claims import CLAIMS
from dlcourse.thresholds.report import make_fragment, threshold_tables

SOURCES = ("cifar10", "stand-in", "neurons", "penguins")


def described(file: dict, name: str = "convnet_accuracy"):
    return next(one for one in describe(file) if one.name == name)


@pytest.fixture
def file() -> dict:
    """A file whose every threshold holds with room to spare."""
    spread = [-2.0, -1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 0.0]

    def runs(mean: float) -> list[dict]:
        return [{"seed": i, "accuracy": mean + 0.01 * s} for i, s in enumerate(spread)]

    dropout = [
        {
            "seed": i,
            "plain_accuracy": 0.6 + 0.01 * s,
            "dropout_accuracy": 0.6 - 0.01 * s,
            "plain_loss": 1.2 - 0.01 * s,
            "dropout_loss_gap": 0.1 + 0.01 * s,
            "plain_loss_gap": 0.6 - 0.01 * s,
            "loss_saved": 0.1 + 0.01 * s,
            "gap_sampling_sd": 0.01,
            "saved_sampling_sd": 0.01,
        }
        for i, s in enumerate(spread)
    ]

    def weak_pairs(mean: float) -> list[dict]:
        return [
            {
                "seed": i,
                "plain_accuracy": mean + 0.01 * s,
                "dropout_accuracy": mean - 0.01 * s,
                "dropout_loss": 2.2 + 0.01 * s,
            }
            for i, s in enumerate(spread)
        ]

    return {
        "source": "stand-in",
        "data": {"training": 5000, "measured_on": 2000, "judge_has_others": False},
        "thresholds": {
            "convnet_accuracy": 0.4,
            "dropout_accuracy": 0.4,
            "dropout_gap": 0.3,
            "dropout_loss_tolerance": 0.1,
        },
        "told_apart": {
            claim.name: dict.fromkeys((weak.about for weak in claim.weak), True)
            for claim in CLAIMS["stand-in"]
        },
        "evidence": {
            "convnet": runs(0.6),
            "untrained": runs(0.1),
            "unnormalised": runs(0.1),
            "dense-only": runs(0.2),
            "dropout": dropout,
            "dropout-untrained": weak_pairs(0.1),
            "dropout-one-epoch": weak_pairs(0.2),
            "dropout-unnormalised": weak_pairs(0.1),
        },
    }


class TestChances:
    def test_the_reference_s_chance_is_a_prediction_for_one_more_run(self, file):
        file["thresholds"]["convnet_accuracy"] = 0.57
        reference = described(file).reference
        values = [run["accuracy"] for run in file["evidence"]["convnet"]]
        spread = stats.sem(values) * math.sqrt(len(values) + 1)
        assert reference.chance == pytest.approx(stats.t(9, 0.6, spread).cdf(0.57))
        assert reference.margin == pytest.approx(0.03 / np.std(values, ddof=1))
        assert reference.worst == pytest.approx(0.58)

    def test_other_images_of_the_judge_s_make_both_chances_larger(self, file):
        file["thresholds"]["convnet_accuracy"] = 0.5
        here = described(file)
        file["data"]["judge_has_others"] = True
        elsewhere = described(file)
        assert elsewhere.reference.chance > here.reference.chance
        assert all(a.chance > b.chance for a, b in zip(elsewhere.weak, here.weak, strict=True))

    def test_what_holds_has_no_faults(self, file):
        assert all(one.holds and not one.faults for one in describe(file))

    @pytest.mark.parametrize(
        ("name", "threshold", "word"),
        [
            ("convnet_accuracy", 0.57, "The reference fails"),
            ("convnet_accuracy", 0.22, "without convolutions passes"),
            ("dropout_accuracy", 0.57, "The reference fails"),
            ("dropout_accuracy", 0.22, "one epoch, its higher model passes"),
            ("dropout_gap", 0.12, "The reference fails"),
            ("dropout_gap", 0.58, "without dropout passes"),
            ("dropout_loss_tolerance", -0.09, "The reference fails"),
            ("dropout_loss_tolerance", 0.97, "its dropout model not trained passes"),
        ],
    )
    def test_a_threshold_at_the_wrong_place_does_not_hold(self, file, name, threshold, word):
        file["thresholds"][name] = threshold
        one = described(file, name)
        assert not one.holds
        assert word in one.faults[0]
        assert "would do" in one.faults[-1]

    def test_when_no_threshold_will_do_it_is_said(self, file):
        file["evidence"]["dense-only"] = file["evidence"]["convnet"]
        one = described(file)
        assert "No threshold" in one.faults[-1]

    def test_a_solution_with_two_models_fails_by_either(self, file):
        file["thresholds"]["dropout_accuracy"] = 0.597
        one = described(file, "dropout_accuracy")
        # In the made-up runs, where one model is above 0.6, the other is as much below.
        assert one.reference.mean == pytest.approx(0.593)
        assert one.reference.passed == 4

    def test_of_two_weak_models_either_is_stopped(self, file):
        pairs = file["evidence"]["dropout-untrained"]
        for pair, (plain, dropout) in zip(pairs, [(0.1, 0.3), (0.35, 0.1)] * 5, strict=True):
            pair |= {"plain_accuracy": plain, "dropout_accuracy": dropout}
        untrained, *_ = described(file, "dropout_accuracy").weak
        assert (min(untrained.values), untrained.worst) == (0.3, 0.35)

    def test_a_weak_dropout_model_stands_beside_the_plain_model_of_its_seed(self, file):
        for run in file["evidence"]["dropout"]:
            run["plain_loss"] = 1.0 + 0.1 * run["seed"]
        for run in file["evidence"]["dropout-one-epoch"]:
            run["dropout_loss"] = 2.0 + 0.3 * run["seed"]
        file["evidence"]["dropout"].reverse()
        _, one_epoch = described(file, "dropout_loss_tolerance").weak
        assert one_epoch.values == pytest.approx([1.0 + 0.2 * seed for seed in range(10)])

    def test_a_weak_dropout_model_without_a_plain_one_is_an_error(self, file):
        file["evidence"]["dropout"] = file["evidence"]["dropout"][:-1]
        with pytest.raises(KeyError):
            describe(file)

    @pytest.mark.parametrize(
        "name",
        ["convnet_accuracy", "dropout_accuracy", "dropout_gap", "dropout_loss_tolerance"],
    )
    def test_the_ends_of_the_room_hold_and_what_is_beyond_does_not(self, file, name):
        low, high = described(file, name).room
        for end, beyond in ((low, low - 1e-3), (high, high + 1e-3)):
            inside = end + math.copysign(1e-6, end - beyond)
            file["thresholds"][name] = inside
            assert described(file, name).holds
            file["thresholds"][name] = beyond
            assert not described(file, name).holds

    def test_what_is_not_told_apart_is_no_claim_and_is_said(self, file):
        file["thresholds"]["convnet_accuracy"] = 0.22
        file["told_apart"]["convnet_accuracy"]["without convolutions"] = False
        one = described(file)
        assert one.holds
        assert [weak.about for weak in one.weak] == [
            "not trained",
            "trained on images not normalised",
        ]
        words = "Not told apart: without convolutions passes by a chance of "
        console = Console(width=160)
        with console.capture() as capture:
            console.print(*threshold_tables([one]))
        assert words in capture.get()
        assert words in make_fragment([one])

    def test_where_nothing_is_told_apart_it_is_said(self, file):
        file["told_apart"]["dropout_gap"]["without dropout"] = False
        one = described(file, "dropout_gap")
        assert math.isinf(one.room[1])
        assert "No weak solution is claimed" in make_fragment([one])

    def test_it_is_said_that_nothing_else_is_told_apart(self, file):
        html = make_fragment([described(file)])
        assert "claims to tell apart the weak solutions listed here, and no others" in html
        assert "No weak solution" not in html

    def test_the_observed_rate_is_an_interval_of_clopper_and_pearson(self, file):
        reference = described(file).reference
        assert reference.passed == 10
        # With 10 of 10 the exact interval begins at 0.025 ** (1 / 10).
        assert reference.pass_interval == pytest.approx((0.025**0.1, 1))

    def test_runs_that_do_not_look_normal_are_said_so(self, file):
        file["evidence"]["convnet"] = [
            {"seed": i, "accuracy": 0.9 if i else 0.6} for i in range(12)
        ]
        reference = described(file).reference
        assert "12 runs" in reference.rests_on
        assert "do not look it" in reference.rests_on

    def test_runs_that_are_all_alike_decide_for_certain(self, file):
        file["evidence"]["convnet"] = [{"seed": i, "accuracy": 0.6} for i in range(5)]
        assert described(file).reference.chance == 0
        file["thresholds"]["convnet_accuracy"] = 0.7
        assert described(file).reference.chance == 1

    @examples(20)
    @given(st.floats(0.3, 0.55), st.floats(0.001, 0.05))
    def test_a_higher_threshold_fails_more_and_lets_fewer_pass(self, threshold, more):
        file = load("stand-in")
        file["thresholds"]["convnet_accuracy"] = threshold
        one = described(file)
        file["thresholds"]["convnet_accuracy"] = threshold + more
        other = described(file)
        assert other.reference.chance > one.reference.chance
        assert all(a.chance < b.chance for a, b in zip(other.weak, one.weak, strict=True))


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.001, "1 in 1,000"),
        (1 / 1340.2, "1 in 1,340"),
        (0.01, "1 in 100"),
        (1 / 589.4, "1 in 589"),
        (0.5, "50%"),
        (1.0, "100%"),
        (0.0, "less than 1 in 1,000,000"),
    ],
)
def test_chances_are_said_as_people_say_them(chance, words):
    assert odds(chance) == words


@pytest.mark.parametrize("source", SOURCES)
class TestShipped:
    def test_every_threshold_holds(self, source):
        assert [one.faults for one in describe(load(source)) if not one.holds] == []

    def test_every_threshold_is_described(self, source):
        assert {one.name for one in describe(load(source))} == set(load(source)["thresholds"])


class TestFragment:
    def test_it_has_a_dot_for_every_run(self, file):
        one = described(file)
        svg = ElementTree.fromstring(self._svg(one))
        dots = svg.findall(".//{*}circle")
        assert len(dots) == sum(m.n for m in (one.reference, *one.weak)) == 40

    def test_the_line_parts_the_runs_that_pass_from_those_that_do_not(self, file):
        for one in describe(file):
            svg = ElementTree.fromstring(self._svg(one))
            box = svg.find("{*}rect")
            left = float(box.get("x"))
            right = left + float(box.get("width"))
            inside = [left < float(c.get("cx")) < right for c in svg.findall(".//{*}circle")]
            assert sum(inside) == sum(m.passed for m in (one.reference, *one.weak))

    def test_the_figures_and_what_they_rest_on_stand_beside_it(self, file):
        file["thresholds"]["convnet_accuracy"] = 0.57
        html = make_fragment([described(file)])
        reference = described(file).reference
        for text in (
            "at least 0.57",
            "10 of 10 (69% to 100%)",
            f"fails: {odds(reference.chance)}",
            "does not hold",
            "without convolutions",
            "Shapiro–Wilk",
        ):
            assert text in html

    def test_the_same_figures_give_the_same_bytes(self, file):
        again = copy.deepcopy(file)
        assert make_fragment(describe(file)) == make_fragment(describe(again))

    def test_nothing_is_fetched_or_run(self, file):
        html = make_fragment(describe(file))
        rest = html.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not [word for word in ("http", "src=", "url(", "<script", "@import") if word in rest]

    def test_text_takes_the_page_s_colour(self, file):
        svg = self._svg(described(file))
        assert 'fill="currentColor"' in svg.split("\n")[0]
        assert all("fill" not in text.attrib for text in ElementTree.fromstring(svg).iter("text"))

    def test_names_are_text_not_markup(self, file):
        one = replace(described(file), name="<b>&")
        assert "<b>" not in make_fragment([one])

    @staticmethod
    def _svg(one) -> str:
        html = make_fragment([one])
        return html[html.index("<svg") : html.index("</svg>") + len("</svg>")]


class TestTables:
    def test_each_has_its_threshold_its_models_and_what_is_wrong(self, file):
        file["thresholds"]["convnet_accuracy"] = 0.22
        tables = threshold_tables(describe(file))
        assert len(tables) == 4
        console = Console(width=160)
        with console.capture() as capture:
            console.print(tables[0])
        text = capture.get()
        for words in ("at least 0.22", "does not hold", "without convolutions passes by a chance"):
            assert words in text
