"""The bundle as the crate `risk` loads it: manifest.json, model.onnx, tables.bin, MODEL_CARD.md."""

import datetime
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from . import features
from .declarations import KEY_UNIT, Declarations

SCHEMA = 1
MAGIC = b"RISKTAB1"
HISTOGRAM_BINS = 10
GOLDEN_ROWS = 24


def write_tables(tables: features.Tables) -> bytes:
    """Little-endian: magic; u32 number of record tables; each u32 length and rows (u64 key, u16 count, u16 frauds) by
    rising key; the same for usual tables with rows (u64 key, f64 median)."""
    out = [MAGIC, struct.pack("<I", len(tables.records))]
    for table in tables.records:
        rows = np.array(
            [(key, min(n, 65535), min(bad, 65535)) for key, (n, bad) in sorted(table.items())],
            dtype=[("k", "<u8"), ("n", "<u2"), ("f", "<u2")],
        )
        out += [struct.pack("<I", len(rows)), rows.tobytes()]
    out.append(struct.pack("<I", len(tables.usual)))
    for usual in tables.usual:
        rows = np.array(sorted(usual.items()), dtype=[("k", "<u8"), ("m", "<f8")])
        out += [struct.pack("<I", len(rows)), rows.tobytes()]
    return b"".join(out)


def read_tables(raw: bytes, prior: float) -> features.Tables:
    """The tables that `write_tables` wrote."""
    if raw[:8] != MAGIC:
        raise ValueError("tables.bin is no table file: export the bundle again")
    at = 8
    groups = []
    for kind in ([("k", "<u8"), ("n", "<u2"), ("f", "<u2")], [("k", "<u8"), ("m", "<f8")]):
        number = struct.unpack_from("<I", raw, at)[0]
        at += 4
        group = []
        for _ in range(number):
            length = struct.unpack_from("<I", raw, at)[0]
            rows = np.frombuffer(raw, dtype=kind, count=length, offset=at + 4)
            at += 4 + rows.nbytes
            group.append(rows)
        groups.append(group)
    records = [{int(k): (int(n), int(f)) for k, n, f in rows} for rows in groups[0]]
    usual = [{int(k): float(m) for k, m in rows} for rows in groups[1]]
    return features.Tables(prior, records, usual)


def histograms(values: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """For each column: edges of bins of about equal number, and the share in each (missing first): what drift is measured
    against."""
    out = []
    for index, name in enumerate(names):
        column = values[:, index].astype(np.float64)
        fine = column[~np.isnan(column)]
        edges = np.unique(np.quantile(fine, np.linspace(0, 1, HISTOGRAM_BINS + 1)[1:-1], method="lower")) if len(fine) else np.array([])
        counts = np.bincount(np.searchsorted(edges, fine, side="left"), minlength=len(edges) + 1)
        shares = [float(np.isnan(column).mean()), *(float(c) / len(column) for c in counts)]
        out.append({"name": name, "edges": [float(e) for e in edges], "shares": shares})
    return out


def session(model: bytes) -> ort.InferenceSession:
    """A session that uses one thread, as the product's do."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def margins(model: bytes, rows: np.ndarray) -> np.ndarray:
    """Margins f32 [rows] of features f32 [rows, features]."""
    return session(model).run(["margin"], {"features": rows})[0][:, 0]


def golden(rows: Declarations, made: np.ndarray, margin: np.ndarray) -> list[dict[str, Any]]:
    """Made-up declarations, their features and margins: what the other side must compute too. Nothing of them stands in the
    data: each takes its fields from different declarations."""
    return [
        {
            "declaration": {
                **{name: str(values[i]) for name, values in rows.texts.items()},
                **{name: None if np.isnan(values[i]) else float(values[i]) for name, values in rows.numbers.items()},
                "date": datetime.date.fromordinal(int(rows.day[i])).isoformat(),
            },
            "features": [None if np.isnan(v) else float(v) for v in made[i]],
            "margin": float(margin[i]),
        }
        for i in range(len(rows))
    ]


def mixed(rows: Declarations, count: int = GOLDEN_ROWS) -> Declarations:
    """Declarations whose goods are of one row, whose parties of another, whose offices of a third; some fields missing."""
    draw = np.random.default_rng(7)
    goods = draw.integers(0, len(rows), count)
    parties, places = (draw.integers(0, len(rows), count) for _ in range(2))
    of_party = {"declarant", "importer", "seller", "courier"}
    of_place = {"office", "departure", "transport", "payment"}
    pick = lambda name: parties if name in of_party else places if name in of_place else goods  # noqa: E731
    texts = {name: values[pick(name)].copy() for name, values in rows.texts.items()}
    numbers = {name: values[goods].copy() for name, values in rows.numbers.items()}
    for index, name in enumerate(("hs6", "origin", "importer", "office")):
        texts[name][index] = ""
    for index, name in enumerate(numbers):
        numbers[name][4 + index] = np.nan
    return Declarations(texts, numbers, rows.day[places].copy(), np.zeros(count, int))


def write(folder: Path, model: onnx.ModelProto, tables: features.Tables, manifest: dict[str, Any], card: str) -> dict[str, Any]:
    """Write a bundle; the manifest gets the digests and what the other side must agree with."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"model.onnx": model.SerializeToString(), "tables.bin": write_tables(tables)}
    manifest = {
        "schema": SCHEMA,
        **manifest,
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()},
        "smoothing": features.SMOOTHING,
        "count_cap": features.COUNT_CAP,
        "key_unit": KEY_UNIT,
        "own": features.OWN,
        "records": [list(key) for key, _ in features.RECORDS],
        "usual": [{"key": list(key), "value": value} for key, value in features.USUAL],
        "features": features.names(),
    }
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return manifest
