"""Declarations as columns: the CSV form of the public customs data sets, read and checked."""

import csv
import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TEXTS = {
    "office": "Office ID",
    "process": "Process Type",
    "import_type": "Import Type",
    "import_use": "Import Use",
    "payment": "Payment Type",
    "transport": "Mode of Transport",
    "declarant": "Declarant ID",
    "importer": "Importer ID",
    "seller": "Seller ID",
    "courier": "Courier ID",
    "hs6": "HS6 Code",
    "departure": "Country of Departure",
    "origin": "Country of Origin",
    "tax_type": "Tax Type",
    "origin_indicator": "Country of Origin Indicator",
}
NUMBERS = {"tax_rate": "Tax Rate", "net_mass": "Net Mass", "item_price": "Item Price"}
DATE, FRAUD = "Date", "Fraud"
# Thousandths: the exact value of a number as a key. The data has at most two decimals.
KEY_UNIT = 1000.0


class DataError(Exception):
    """What is wrong with a file of declarations, which one, and how to mend it."""


@dataclass
class Declarations:
    """Columns of equal length, in the order of the file. `fraud` is 0 or 1; `day` counts from 0001-01-01."""

    texts: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    day: np.ndarray
    fraud: np.ndarray
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.day)

    def where(self, rows: np.ndarray) -> "Declarations":
        """The rows that `rows` (a mask or indices) picks."""
        pick = lambda columns: {name: values[rows] for name, values in columns.items()}  # noqa: E731
        return Declarations(pick(self.texts), pick(self.numbers), self.day[rows], self.fraud[rows], self.sha256)


def read(file: Path) -> Declarations:
    """Read a CSV of declarations; raises `DataError` that names file, line, cause and mend."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; --data wants the folder with the CSV files") from error
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    wanted = [*TEXTS.values(), *NUMBERS.values(), DATE, FRAUD]
    missing = [name for name in wanted if not rows or name not in rows[0]]
    if missing:
        raise DataError(f"{file}: no rows, or no column {', '.join(missing)}; give a CSV with these columns")
    return Declarations(
        texts={name: np.array([(row[column] or "").strip() for row in rows]) for name, column in TEXTS.items()},
        numbers={name: np.array([number(file, i, row, column) for i, row in enumerate(rows)]) for name, column in NUMBERS.items()},
        day=np.array([day(file, i, row) for i, row in enumerate(rows)]),
        fraud=np.array([int(number(file, i, row, FRAUD) == 1.0) for i, row in enumerate(rows)]),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def number(file: Path, index: int, row: dict[str, str], column: str) -> float:
    """A number of a row; NaN where it is empty."""
    text = (row[column] or "").strip()
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        raise DataError(f"{file}: line {index + 2}: {column} {text!r} is no number; correct it") from error


def day(file: Path, index: int, row: dict[str, str]) -> int:
    """The day of a row, counted from 0001-01-01."""
    try:
        return datetime.date.fromisoformat(row[DATE].strip()).toordinal()
    except ValueError as error:
        raise DataError(f"{file}: line {index + 2}: {DATE} {row[DATE]!r} is not YYYY-MM-DD; correct it") from error
