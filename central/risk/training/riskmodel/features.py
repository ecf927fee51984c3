"""What the model sees of a declaration. The crate `risk` computes the same values from the same tables, to the bit.

Three kinds of feature: the declaration's own numbers; the record of those who look like it (share of frauds among
earlier declarations with the same key, drawn to the mean of all where they are few, and how many they were); and a
number against what is usual for its goods. Only + - * / and comparisons: no logarithm that two languages round
differently; trees would not see the difference anyway.
"""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from .declarations import KEY_UNIT, Declarations

SEPARATOR = "\x1f"
# Declarations of no known record that the mean of all stands for, in a share of frauds.
SMOOTHING = 3.0
# Counts above it say nothing more; it also keeps a table that grew for a year comparable with one of a month.
COUNT_CAP = 20
# Fewest declarations that make something usual.
USUAL_LEAST = 3

OWN = ["tax_rate", "net_mass", "item_price", "price_per_kg", "duty", "countries_differ", "weekday"]

# (key parts, fewest declarations that count as a record)
RECORDS: list[tuple[tuple[str, ...], int]] = [
    *(((name,), 1) for name in (
        "office", "import_type", "import_use", "payment", "transport", "declarant", "importer", "seller", "courier",
        "hs6", "hs4", "hs2", "departure", "origin", "tax_type", "origin_indicator", "tax_rate", "net_mass", "item_price",
    )),
    *(((*parts,), 1) for parts in (
        ("hs6", "origin"), ("hs6", "departure"), ("hs6", "tax_type"), ("hs6", "tax_rate"), ("hs4", "origin"),
        ("hs6", "transport"), ("departure", "origin"), ("office", "hs4"), ("hs2", "origin"), ("origin", "tax_type"),
        ("item_price", "hs6"), ("net_mass", "hs6"), ("net_mass", "origin"), ("item_price", "net_mass"),
        ("item_price", "origin"), ("item_price", "net_mass", "hs6", "origin"), ("item_price", "transport"),
        ("item_price", "net_mass", "hs6", "origin", "departure", "tax_type", "tax_rate"),  # the same line, declared again
    )),
    *(((*parts,), 2) for parts in (
        ("importer", "hs4"), ("importer", "origin"), ("importer", "seller"), ("importer", "declarant"),
        ("declarant", "hs4"), ("seller", "hs4"), ("office", "hs6"), ("item_price", "office"),
    )),
]
USUAL: list[tuple[tuple[str, ...], str]] = [
    (key, value)
    for key in (("hs6",), ("hs4",), ("hs6", "origin"))
    for value in ("price_per_kg", "net_mass", "item_price")
]


def names() -> list[str]:
    """Names of the features, in order."""
    records = ["*".join(key) for key, _ in RECORDS]
    return [
        *OWN,
        *(f"record:{key}" for key in records),
        *(f"count:{key}" for key in records),
        *(f"usual:{value}/{'*'.join(key)}" for key, value in USUAL),
    ]


@functools.cache
def digest(key: str) -> int:
    """The first 8 bytes of a key's SHA-256: tables name traders and goods only by it."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")


@dataclass
class Columns:
    """The parts of keys, and the numbers, of declarations."""

    parts: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]


def columns(rows: Declarations) -> Columns:
    """Derived columns of declarations."""
    hs6 = rows.texts["hs6"]
    parts = {**rows.texts, "hs4": hs6.astype("U4"), "hs2": hs6.astype("U2")}
    for name, values in rows.numbers.items():
        whole = np.rint(np.where(np.isnan(values), 0.0, values) * KEY_UNIT).astype(np.int64)
        parts[name] = np.where(np.isnan(values), "", whole.astype(str))
    mass, price = rows.numbers["net_mass"], rows.numbers["item_price"]
    differ = np.where((parts["departure"] == "") | (parts["origin"] == ""), np.nan, parts["departure"] != parts["origin"])
    numbers = {
        **rows.numbers,
        "price_per_kg": np.where(mass > 0, price / np.where(mass > 0, mass, 1.0), np.nan),
        "duty": price * rows.numbers["tax_rate"] / 100.0,
        "countries_differ": differ,
        "weekday": ((rows.day + 6) % 7).astype(float),  # Monday is 0
    }
    return Columns(parts, numbers)


def codes(key: tuple[str, ...], *sets: Columns) -> tuple[list[np.ndarray], np.ndarray]:
    """Each set's keys as whole numbers that mean the same in all of them, and the text of each number."""
    joined = [_joined(key, one) for one in sets]
    texts, inverse = np.unique(np.concatenate(joined), return_inverse=True)
    return np.split(inverse, np.cumsum([len(one) for one in joined])[:-1]), texts


def _joined(key: tuple[str, ...], one: Columns) -> np.ndarray:
    text = one.parts[key[0]]
    for part in key[1:]:
        text = np.strings.add(np.strings.add(text, SEPARATOR), one.parts[part])
    return text


def share(frauds: np.ndarray, count: np.ndarray, prior: float) -> np.ndarray:
    """Share of frauds among `count` declarations, drawn to `prior`."""
    return (frauds + SMOOTHING * prior) / (count + SMOOTHING)


@dataclass
class Tables:
    """What was learnt of earlier declarations, as the bundle keeps it: per record digest -> (count, frauds), per usual
    digest -> median."""

    prior: float
    records: list[dict[int, tuple[int, int]]]
    usual: list[dict[int, float]]


def learn(rows: Declarations, known: np.ndarray | None = None) -> Tables:
    """Tables of `rows`. `known` masks the rows whose outcome is known; the others say nothing of fraud."""
    known = np.ones(len(rows), bool) if known is None else known
    seen = columns(rows.where(known))
    fraud = rows.fraud[known]
    records = []
    for key, least in RECORDS:
        (inverse,), texts = codes(key, seen)
        count = np.bincount(inverse, minlength=len(texts))
        frauds = np.bincount(inverse, weights=fraud, minlength=len(texts)).astype(int)
        records.append({digest(str(texts[i])): (int(count[i]), int(frauds[i])) for i in np.flatnonzero(count >= least)})
    everything = columns(rows)
    usual = [
        {digest(str(text)): median for text, median in medians(key, value, everything)} for key, value in USUAL
    ]
    return Tables(float(fraud.mean()), records, usual)


def medians(key: tuple[str, ...], value: str, seen: Columns) -> list[tuple[str, float]]:
    """Median of a number for each key that has enough of them and whose median is above 0."""
    (inverse,), texts = codes(key, seen)
    numbers = seen.numbers[value]
    fine = ~np.isnan(numbers)
    inverse, numbers = inverse[fine], numbers[fine]
    order = np.argsort(inverse, kind="stable")
    groups = np.split(numbers[order], np.cumsum(np.bincount(inverse, minlength=len(texts)))[:-1])
    found = [(str(text), float(np.median(group))) for text, group in zip(texts, groups) if len(group) >= USUAL_LEAST]
    return [(text, median) for text, median in found if median > 0.0]


def compute(rows: Declarations, tables: Tables) -> np.ndarray:
    """Features f32 [rows, features] from tables, as the product computes them."""
    seen = columns(rows)
    made = [seen.numbers[name] for name in OWN]
    shares, counts = [], []
    for (key, _), table in zip(RECORDS, tables.records, strict=True):
        (inverse,), texts = codes(key, seen)
        found = np.array([table.get(digest(str(text)), (0, 0)) for text in texts], float)[inverse]
        shares.append(share(found[:, 1], found[:, 0], tables.prior))
        counts.append(np.minimum(found[:, 0], COUNT_CAP))
    ratios = []
    for (key, value), table in zip(USUAL, tables.usual, strict=True):
        (inverse,), texts = codes(key, seen)
        median = np.array([table.get(digest(str(text)), np.nan) for text in texts])[inverse]
        ratios.append(seen.numbers[value] / median)
    return np.column_stack([*made, *shares, *counts, *ratios]).astype(np.float32)


def compute_in_time(rows: Declarations, days: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Features of rows that are learnt from: each sees only the outcomes of the periods of `days` before its own, as it
    would have on its day. Also the number of each row's period. What is usual comes from all rows: it has no outcome in it.
    """
    period = (rows.day - rows.day.min()) // days
    seen = columns(rows)
    before = np.array([rows.fraud[period < p].mean() if (period < p).any() else 0.5 for p in range(period.max() + 1)])
    prior = before[period]
    made = [seen.numbers[name] for name in OWN]
    shares, counts = [], []
    for key, least in RECORDS:
        (inverse,), _ = codes(key, seen)
        count, frauds = _earlier(inverse, period, rows.fraud)
        count, frauds = np.where(count >= least, count, 0), np.where(count >= least, frauds, 0)
        shares.append(share(frauds, count, prior))
        counts.append(np.minimum(count, COUNT_CAP))
    ratios = []
    for key, value in USUAL:
        (inverse,), texts = codes(key, seen)
        table = dict(medians(key, value, seen))
        ratios.append(seen.numbers[value] / np.array([table.get(str(t), np.nan) for t in texts])[inverse])
    return np.column_stack([*made, *shares, *counts, *ratios]).astype(np.float32), period


def _earlier(code: np.ndarray, period: np.ndarray, fraud: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row, declarations and frauds with its code in earlier periods."""
    order = np.lexsort((period, code))
    code, period = code[order], period[order]
    total = np.concatenate([[0.0], np.cumsum(fraud[order])])
    new_code = np.concatenate([[True], code[1:] != code[:-1]])
    new_period = new_code | np.concatenate([[True], period[1:] != period[:-1]])
    index = np.arange(len(code))
    group = np.maximum.accumulate(np.where(new_code, index, 0))
    start = np.maximum.accumulate(np.where(new_period, index, 0))
    count, frauds = np.empty(len(code)), np.empty(len(code))
    count[order], frauds[order] = start - group, total[start] - total[group]
    return count, frauds
