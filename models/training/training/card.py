"""The model card that travels with a bundle."""

from typing import Any


def table(rows: dict[str, Any]) -> str:
    """Two columns of Markdown."""
    lines = ["| measure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return "\n".join(lines)


def model_card(manifest: dict[str, Any]) -> str:
    """The card of the bundle that `manifest` describes."""
    trained, metrics, thresholds = manifest["trained_on"], manifest["metrics"], manifest["thresholds"]
    sizes = ", ".join(f"{f['file']} {f['width']}x{f['height']}" for f in manifest["detector"]["files"])
    return f"""# {manifest["name"]} {manifest["version"]}

Finds and reads the plates of goods vehicles at a Hong Kong - Guangdong lane: Hong Kong plates of one and of
two rows, and the mainland cross-boundary plate 粤Z····港 / 粤Z····澳.

## What is in it
- Detector ({sizes}): one heat map for each of {", ".join(manifest["detector"]["classes"])}, and four corners a plate.
- Reader ({manifest["reader"]["width"]}x{manifest["reader"]["height"]}): {manifest["reader"]["slots"]} slots of
  {len(manifest["alphabet"])} characters or none, and the layout.
- `manifest.json`: digests, thresholds, golden outputs that prove a build before it says ready.

Both take luma only, so day, night and infrared frames go the same way.

## Trained on
Rendered pictures only ({trained["renderer"]}, seeds {trained["seeds"] or "unrecorded"}): {trained["crops"]} crops and
{trained["tiles"]} tiles. No photograph of a real vehicle took part in training or in choosing thresholds.

## Measured on held-out rendered pictures
Detector:

{table(metrics["detector"])}

Reader:

{table(metrics["reader"])}

A read at or above confidence {thresholds["read_certain"]} is taken as certain: that kept {metrics["certain_yield"]:.1%}
of held-out crops (half of them made harder) with {metrics["certain_error"]:.3%} wrong. A read below
{thresholds["read_least"]} is treated as absent.

## Limits
- Rendered pictures are not a lane: measure on frames of the lane itself (`python -m training.evaluate`) before relying on it.
- Yellow rear plates, dirt, night and infrared light are rendered, but were not measured on photographs.
- Plates of other jurisdictions are found at times and read badly; they must not open a gate, and a read alone never does.
- Plates narrower than about 35 pixels at 640 pixels of picture width are not found.
"""
