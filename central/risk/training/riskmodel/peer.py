"""XGBoost with default settings, on the same features, trained on the same declarations: what the product is measured beside.

    python -m riskmodel.peer --train TRAIN.csv PART.csv...

Prints a JSON line for each part: the peer on our features, and on the declaration's own fields (texts as numbers).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from . import features, measure, train, trees
from .declarations import DataError, Declarations, read


def raw_fields(rows: Declarations, like: Declarations) -> np.ndarray:
    """The declaration's own fields f32 [rows, fields]: numbers as they are, texts numbered as `like` orders them."""
    made = [np.searchsorted(np.unique(like.texts[name]), rows.texts[name]) for name in rows.texts]
    return np.column_stack([*made, *rows.numbers.values(), rows.day % 7]).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("parts", type=Path, nargs="+")
    arguments = parser.parse_args()
    try:
        rows = read(arguments.train)
        parts = [(file, read(file)) for file in arguments.parts]
    except DataError as error:
        sys.exit(str(error))
    model, tables = train.fit(rows, trees.PEER, 1, "XGBoost with default settings")
    plain = trees.train(raw_fields(rows, rows), rows.fraud, trees.PEER, 1)
    for file, part in parts:
        same = measure.figures(part.fraud, model.margin(features.compute(part, tables)))
        own = measure.figures(part.fraud, plain.margin(raw_fields(part, rows)))
        print(json.dumps({"part": str(file), "same_features": same, "own_fields": own}), flush=True)


if __name__ == "__main__":
    main()
