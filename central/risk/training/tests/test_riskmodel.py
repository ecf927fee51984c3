"""python -m unittest discover -s tests (in central/risk/training)"""

import contextlib
import csv
import datetime
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

from riskmodel import bundle, calibrate, explore, features, measure, stream, trees
from riskmodel.declarations import DATE, FRAUD, NUMBERS, TEXTS, DataError, Declarations, read

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


def weeks_of_two_chapters(file: Path, weeks: int, each: int) -> None:
    """A CSV of declarations in which goods of two chapters are frauds, more often than others, in each week."""
    draw = np.random.default_rng(5)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, [*TEXTS.values(), *NUMBERS.values(), DATE, FRAUD])
        writer.writeheader()
        for at in range(weeks * each):
            code = str(draw.choice(["010121", "010129", "851712", "851713"]))
            fraud = draw.random() < (0.8 if code in ("010129", "851713") else 0.05)
            day = datetime.date(2020, 1, 6) + datetime.timedelta(days=7 * (at // each))
            texts = {column: code if name == "hs6" else str(draw.choice(["a", "b"])) for name, column in TEXTS.items()}
            numbers = {column: draw.choice([1.5, 40.0]) for column in NUMBERS.values()}
            writer.writerow({**texts, **numbers, DATE: day.isoformat(), FRAUD: int(fraud)})


class Stream(unittest.TestCase):
    def told(self, *arguments: str) -> tuple[list[dict], str]:
        """What a short stream prints on standard output, line by line, and on standard error."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.multiple(stream, WEEKS=8, SHIFT=4),
            mock.patch.object(sys, "argv", ["stream", *arguments]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            stream.main()
        return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()

    def test_a_short_stream_tells_a_figure_for_each_chooser_and_its_progress_aside(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            weeks_of_two_chapters(Path(folder) / "made-up.csv", weeks=stream.WARM_UP + 8, each=60)
            weekly = Path(folder) / "weekly.jsonl"
            figures, progress = self.told("--data", folder, "--weekly", str(weekly))
            again, _ = self.told("--data", folder)
            lines = [json.loads(line) for line in weekly.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(figures, again)
        self.assertEqual([f["figure"] for f in figures], [
            f"risk.stream.{name}.{chooser}" for name in ("found", "found_after_the_shift") for chooser in stream.CHOOSERS
        ])  # fmt: skip
        self.assertEqual(len(lines), 8 * len(stream.CHOOSERS))
        for figure, chooser in zip(figures, stream.CHOOSERS):
            own = [line for line in lines if line["chooser"] == chooser]
            self.assertEqual((figure["value"], figure["weeks"]), (own[-1]["cumulative"], 8))
            self.assertEqual(figure["inspected"], 8 * 3)
        for figure, chooser in zip(figures[3:], stream.CHOOSERS):
            late = [line["found"] for line in lines if line["chooser"] == chooser and line["week"] > 4]
            self.assertEqual((figure["value"], figure["weeks"], figure["shift_after_week"]), (sum(late), 4, 4))
        self.assertEqual(progress.splitlines(), [f"week {week} of 8" for week in range(1, 9)])
        found = {f["figure"]: f["value"] for f in figures}
        self.assertGreater(found["risk.stream.found.exploitation"], found["risk.stream.found.random"])

    def test_the_mix_must_find_no_fewer_than_either_of_the_others(self) -> None:
        finds = {"adaptive": (5, 3), "exploitation": (6, 0), "random": (1, 2)}
        lines = [
            {"week": week, "chooser": chooser, "found": found[late], "inspected": 10}
            for chooser, found in finds.items()
            for late, week in enumerate((1, stream.SHIFT + 1))
        ]
        told = {f["figure"]: f for f in stream.figures(lines, seed=1)}
        self.assertEqual((told["risk.stream.found.adaptive"]["value"], told["risk.stream.found.adaptive"]["kept"]), (8, True))
        lines[0]["found"] = 2
        told = {f["figure"]: f for f in stream.figures(lines, seed=1)}
        self.assertEqual(told["risk.stream.found.adaptive"]["limit"], {"at_least": 6})
        self.assertFalse(told["risk.stream.found.adaptive"]["kept"])
        self.assertTrue(told["risk.stream.found_after_the_shift.adaptive"]["kept"])
        self.assertNotIn("kept", told["risk.stream.found.random"])

    def test_too_short_a_time_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            weeks_of_two_chapters(Path(folder) / "made-up.csv", weeks=5, each=20)
            with self.assertRaisesRegex(SystemExit, "spans 5 weeks; 12 are needed"):
                self.told("--data", folder)
            with self.assertRaisesRegex(SystemExit, "no CSV file in it; --data wants"):
                self.told("--data", str(Path(folder) / "nowhere"))


if __name__ == "__main__":
    unittest.main()
