"""Train on one CSV, calibrate on its last weeks, export and prove a bundle.

    python -m riskmodel.train --train DIR/df_syn_train_eng.csv --out models/bundles/risk-1
"""

import argparse
import datetime
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from . import bundle, calibrate, card, features, measure, trees
from .declarations import DataError, Declarations, read

# The first weeks have no record to look back on: they fill it and are not learnt from.
WARM_UP_WEEKS = 4
# The last weeks are kept from the trial model: they calibrate, and they chose the settings.
HELD_WEEKS = 13
PROVED_TO = 1e-5
FEW_KEYS = 1000


def say(stage: str, **more: Any) -> None:
    """One line of progress, as JSON, on standard error."""
    print(json.dumps({"stage": stage, "at": datetime.datetime.now().isoformat(timespec="seconds"), **more}), file=sys.stderr, flush=True)


def fit(rows: Declarations, parameters: dict[str, Any], seeds: int, stage: str) -> tuple[trees.Ensemble, features.Tables]:
    """A model and the tables that go with it."""
    made, period = features.compute_in_time(rows)
    learnt = period >= WARM_UP_WEEKS
    progress = lambda done, of: say(stage, trained=done, of=of)  # noqa: E731
    return trees.train(made[learnt], rows.fraud[learnt], parameters, seeds, say=progress), features.learn(rows)


def held_out(rows: Declarations) -> tuple[Declarations, Declarations]:
    """The declarations before the last weeks, and those of the last weeks."""
    late = rows.day > rows.day.max() - 7 * HELD_WEEKS
    return rows.where(~late), rows.where(late)


def drift_reference(late: Declarations, before: features.Tables, shipped: features.Tables) -> np.ndarray:
    """Features of the held weeks that drift is measured against. Records of few keys (offices, countries) come from the shipped
    tables, or each would seem to drift by what a table learnt since; those of many keys from the tables of before, or no
    declaration would be new."""
    few = [len(table) < FEW_KEYS for table in shipped.records]
    pick = lambda index: shipped.records[index] if few[index] else before.records[index]  # noqa: E731
    records = [pick(index) for index in range(len(few))]
    return features.compute(late, features.Tables(shipped.prior, records, shipped.usual))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="CSV of declarations whose outcome is known")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--name", default="risk-1")
    parser.add_argument("--seeds", type=int, default=trees.SEEDS)
    arguments = parser.parse_args()
    try:
        made = train(read(arguments.train), arguments.name, arguments.seeds, arguments.out)
    except DataError as error:
        sys.exit(str(error))
    print(json.dumps({"bundle": str(arguments.out), "held_out": made["metrics"]["held_out"]}))


def train(rows: Declarations, name: str, seeds: int, out: Path) -> dict[str, Any]:
    """Train on `rows` and write the bundle; gives its manifest."""
    began = time.monotonic()
    early, late = held_out(rows)
    if len(early) < 1000 or not 0 < late.fraud.sum() < len(late):
        raise DataError("fewer than 1,000 declarations before the last 13 weeks, or no fraud in these; give a longer time")
    say("trial", learns_from=len(early), measured_on=len(late))
    trial, tables = fit(early, trees.OURS, seeds, "trial")
    margin = trial.margin(features.compute(late, tables))
    # Calibrated on the one half of the held weeks, measured on the other; the shipped curve is of both.
    half = np.arange(len(late)) % 2 == 0
    checked = calibrate.apply(calibrate.isotonic(margin[half], late.fraud[half]), margin[~half])
    metrics = {"held_out": {**measure.figures(late.fraud, margin), **measure.calibration(late.fraud[~half], checked)}}
    curve = calibrate.isotonic(margin, late.fraud)
    say("final", learns_from=len(rows))
    final, tables = fit(rows, trees.OURS, seeds, "final")
    model = trees.to_onnx(final, len(features.names()))
    raw = model.SerializeToString()
    reference = drift_reference(late, features.learn(early), tables)
    mixed = bundle.mixed(rows)
    made = features.compute(mixed, bundle.read_tables(bundle.write_tables(tables), tables.prior))
    exported = bundle.margins(raw, made)
    if np.abs(exported - final.margin(made)).max() > PROVED_TO:
        raise SystemExit("the exported model does not compute what was trained: nothing is written")
    score = calibrate.apply(curve, margin)[:, None].astype(np.float32)
    manifest = {
        "name": name,
        "version": datetime.date.fromordinal(int(rows.day.max())).isoformat(),
        "opset_ml": trees.ML_OPSET,
        "calibration": curve,
        "reference": {
            "features": bundle.histograms(reference, features.names()),
            "score": bundle.histograms(score, ["score"])[0],
        },
        "golden": bundle.golden(mixed, made, exported),
        "metrics": metrics,
        "trained_on": {
            "sha256": rows.sha256,
            "declarations": len(rows),
            "frauds": int(rows.fraud.sum()),
            "first_day": datetime.date.fromordinal(int(rows.day.min())).isoformat(),
            "last_day": datetime.date.fromordinal(int(rows.day.max())).isoformat(),
            "settings": {**trees.OURS, "seeds": seeds},
        },
    }
    manifest = bundle.write(out, model, tables, manifest, card.model_card(manifest))
    say("done", seconds=round(time.monotonic() - began))
    return manifest


if __name__ == "__main__":
    main()
