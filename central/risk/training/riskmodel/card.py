"""The model card that travels with a bundle."""

from typing import Any


def model_card(manifest: dict[str, Any]) -> str:
    """The card of the bundle that `manifest` describes."""
    trained, held = manifest["trained_on"], manifest["metrics"]["held_out"]
    rows = "\n".join(
        f"| {share} | {held['precision'][share]:.4f} | {held['recall'][share]:.4f} |" for share in held["precision"]
    )
    return f"""# {manifest["name"]} {manifest["version"]}

Gives each import declaration a chance of fraud, for central's screening engine. Boosted trees in ONNX, tables of earlier
outcomes, a calibration curve. It ranks; what is done is decided by rules, lists and officers.

## Trained on
{trained["declarations"]:,} declarations of {trained["first_day"]} to {trained["last_day"]}, {trained["frauds"]:,} of them frauds
(SHA-256 `{trained["sha256"]}`). For the shipped bundle that is the public synthetic set of customs declarations of S. Jeong
and others (MIT licence): made-up traders and goods of one country. No person or firm is in it. Before real use, train on the
place's own outcomes (`risk train --data DIR`).
Tables hold keys only as the first 8 bytes of their SHA-256. The golden declarations of the manifest are mixed from several.

## Measured
On the last 13 weeks of that time, by a trial model that had not seen them: AUC {held["auc"]:.4f}, Brier {held["brier"]:.4f}, expected
calibration error {held["ece"]:.4f}.

| inspected | precision | recall |
|---|---|---|
{rows}

What it came to on declarations that had no part in it stands in MEASURED.md beside this card, where somebody has measured it.

## Limits
- Most of what it knows of this set is the record of goods with the same price, mass and code: about a sixth of later declarations
  have no such record, and on these it is little better than chance.
- Outcomes of inspected declarations only would bias it: keep the random stratum, and measure on that.
- It says nothing of why a trader did something; contributions say what in the declaration moved the number.
"""
