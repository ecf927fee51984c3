"""The model card that travels with a bundle."""

from typing import Any


def table(rows: dict[str, Any]) -> str:
    """Two columns of Markdown."""
    lines = ["| measure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return "\n".join(lines)


def model_card(manifest: dict[str, Any]) -> str:
    """The card of the bundle that `manifest` describes."""
    trained, metrics, thresholds = manifest["trained_on"], manifest["metrics"], manifest["thresholds"]
    started = f", starting from the weights of {trained['started_from']}" if trained["started_from"] else ""
    sizes = ", ".join(f"{f['file']} {f['width']}x{f['height']}" for f in manifest["detector"]["files"])
    return f"""# {manifest["name"]} {manifest["version"]}

Finds and reads the plates of goods vehicles at a Hong Kong - Guangdong lane: Hong Kong plates of one and of
two rows, and the mainland cross-boundary plate 粤Z····港 / 粤Z····澳. It also reads Latin plates of other places.
Networks in {manifest["precision"]}.

## What is in it
- Detector ({sizes}; stride {manifest["detector"]["stride"]}): one heat map for each of
  {", ".join(manifest["detector"]["classes"])}, and four corners a plate.
- Refiner ({manifest["refiner"]["width"]}x{manifest["refiner"]["height"]}): looks at each plate again and corrects its corners.
- Reader ({manifest["reader"]["width"]}x{manifest["reader"]["height"]}): {manifest["reader"]["slots"]} slots of
  {len(manifest["alphabet"])} characters or none, and the layout.
- `manifest.json`: digests, thresholds, golden outputs that prove a build before it says ready.

Both take luma only, so day, night and infrared frames go the same way.

## Trained on
Rendered pictures only ({trained["renderer"]}, seeds {trained["seeds"] or "unrecorded"}): {trained["crops"]} crops and
{trained["tiles"]} tiles{started}. No photograph of a real vehicle took part in training or in calibration.

## Measured on held-out rendered pictures
Detector:

{table(metrics["detector"])}

Refiner (corner errors in parts of the plate's size):

{table(metrics["refiner"])}

Reader:

{table(metrics["reader"])}

A read at or above confidence {thresholds["read_certain"]} is taken as certain: that kept {metrics["certain_yield"]:.1%}
of held-out crops (half of them made harder) with {metrics["certain_error"]:.3%} wrong. A read below
{thresholds["read_least"]} is treated as absent. A first look at or above {manifest["reader"]["enough"]} is the only one, else there are
{len(manifest["reader"]["views"])}: {metrics["looks"]} in the mean.

What it came to on photographs, and what limits it there, stands in MEASURED.md beside this card, where somebody has measured it.

## Limits
- Rendered pictures are not a lane: measure on frames of the lane itself (`make evaluate`) before relying on it.
- Yellow rear plates, dirt, night and infrared light are rendered, but were not measured on photographs.
- Plates of other places are read less well; they must not open a gate, and a read alone never does.
- Plates narrower than about 25 pixels in the detector's input are not found.
"""
