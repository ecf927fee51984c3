"""python -m unittest discover -s tests (in central/risk/training)"""

import json
import unittest
from pathlib import Path

import numpy as np

from riskmodel import bundle, calibrate, explore, features, measure, trees
from riskmodel.declarations import NUMBERS, TEXTS, DataError, Declarations, read

GOLDEN = Path(__file__).parents[2] / "golden" / "explore.json"


def made_up(count: int = 600, seed: int = 1) -> Declarations:
    """Declarations of ten weeks over few traders and goods."""
    draw = np.random.default_rng(seed)
    texts = {name: draw.choice(np.array(["", "a", "b", "c"]), count) for name in TEXTS}
    texts["hs6"] = draw.choice(np.array(["010121", "010129", "851712"]), count)
    numbers = {name: draw.choice(np.array([1.5, 2.25, 40.0, np.nan]), count) for name in NUMBERS}
    day = np.sort(draw.integers(737425, 737425 + 70, count))
    fraud = ((texts["hs6"] == "851712") & (draw.random(count) < 0.8)).astype(int)
    return Declarations(texts, numbers, day, fraud)


class Features(unittest.TestCase):
    def test_a_row_sees_no_outcome_of_its_own_week_or_later(self) -> None:
        rows = made_up()
        before, week = features.compute_in_time(rows)
        late = week >= 5
        other = Declarations(rows.texts, rows.numbers, rows.day, np.where(late, 1 - rows.fraud, rows.fraud))
        after, _ = features.compute_in_time(other)
        np.testing.assert_array_equal(before[week <= 5], after[week <= 5])
        self.assertTrue((before[week > 5] != after[week > 5]).any())

    def test_a_week_is_what_tables_of_the_weeks_before_give(self) -> None:
        rows = made_up()
        made, week = features.compute_in_time(rows)
        now = week == 6
        tables = features.learn(rows.where(week < 6))
        tables.usual = features.learn(rows).usual
        np.testing.assert_array_equal(made[now], features.compute(rows.where(now), tables))

    def test_names_are_as_many_as_features(self) -> None:
        self.assertEqual(features.compute_in_time(made_up())[0].shape[1], len(features.names()))

    def test_tables_come_back_as_they_were_written(self) -> None:
        tables = features.learn(made_up())
        self.assertEqual(bundle.read_tables(bundle.write_tables(tables), tables.prior), tables)


class Model(unittest.TestCase):
    def test_the_exported_model_computes_what_was_trained(self) -> None:
        rows = made_up()
        made, _ = features.compute_in_time(rows)
        model = trees.train(made, rows.fraud, {"rounds": 20, "max_depth": 3}, seeds=2)
        exported = bundle.margins(trees.to_onnx(model, made.shape[1]).SerializeToString(), made)
        np.testing.assert_allclose(exported, model.margin(made), atol=1e-5)

    def test_calibration_rises_and_is_true_of_what_it_was_fitted_on(self) -> None:
        draw = np.random.default_rng(3)
        margin = draw.normal(0, 2, 20000)
        fraud = (draw.random(20000) < 1 / (1 + np.exp(-2 * margin))).astype(int)
        curve = calibrate.isotonic(margin, fraud)
        self.assertTrue((np.diff(curve["probabilities"]) >= 0).all())
        self.assertLess(measure.calibration(fraud, calibrate.apply(curve, margin))["ece"], 0.02)

    def test_area_under_the_curve_counts_ties_as_half(self) -> None:
        self.assertEqual(measure.auc(np.array([1, 0]), np.array([0.5, 0.5])), 0.5)
        self.assertEqual(measure.auc(np.array([1, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1])), 0.875)


class Files(unittest.TestCase):
    def test_a_file_that_is_not_there_is_named(self) -> None:
        with self.assertRaisesRegex(DataError, "nowhere.csv.*--data wants"):
            read(Path("nowhere.csv"))


class Explore(unittest.TestCase):
    def test_choices_are_those_that_the_product_makes(self) -> None:
        for case in json.loads(GOLDEN.read_text(encoding="utf-8")):
            mix = explore.for_drift(case["drift"])
            columns = (np.array([c[name] for c in case["candidates"]]) for name in ("probability", "novelty", "draw"))
            chosen = explore.choose(*columns, case["budget"], mix)
            self.assertEqual([list(c) for c in chosen], case["chosen"])


if __name__ == "__main__":
    unittest.main()
