"""Write a bundle: ONNX files, manifest with digests and golden outputs, model card."""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import calibrate, data, train_detector, train_reader
from .bundle import MANIFEST, digest, ramp, session
from .card import model_card
from .detector import CORNER_UNIT, STRIDE, Detector
from .reader import Reader

NAME = "lane-v1"
OPSET = 17
# Frames of 4:3 and of 16:9 cameras, height x width, multiples of 32.
DETECTOR_SIZES = {"detector.onnx": (480, 640), "detector-wide.onnx": (384, 640)}
READER = "reader.onnx"
GOLDEN_VALUES = 16
SCORE_THRESHOLD, NMS_IOU = 0.35, 0.4


@dataclass
class Source:
    """Where a bundle comes from; all of it ends up in the manifest."""

    reader: Path
    detector: Path
    validation_plates: Path
    validation_scenes: Path
    version: str
    renderer: str
    seeds: list[int] = field(default_factory=list)
    crops: int = 0
    tiles: int = 0


class DetectorWithChances(nn.Module):
    """The detector with chances instead of logits for heat, as the product takes it."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """pixels [1, 1, H, W] -> heat [1, 3, H/8, W/8] in 0..1, corners [1, 8, H/8, W/8]."""
        heat, corners = self.detector(pixels)
        return heat.sigmoid(), corners


def averaged(network: nn.Module, checkpoint: Path) -> nn.Module:
    """The network with the averaged weights of a checkpoint."""
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    return network.eval()


def write_onnx(network: nn.Module, file: Path, height: int, width: int, outputs: list[str]) -> list[float]:
    """Export with batch 1 at a fixed size; gives the first golden values of the first output as ONNX Runtime has them."""
    example = torch.zeros(1, 1, height, width)
    torch.onnx.export(network.eval(), (example,), file, input_names=["pixels"], output_names=outputs,
                      opset_version=OPSET, dynamo=False)
    picture = ramp(height, width)
    got = session(file).run(outputs, {"pixels": picture})
    with torch.no_grad():
        wanted = network(torch.from_numpy(picture))
    for name, ours, theirs in zip(outputs, got, wanted, strict=True):
        if (gap := float(abs(ours - theirs.numpy()).max())) > 1e-3:
            raise ValueError(f"{file.name}: output {name} is {gap:.5f} off the trained network after export")
    return [round(float(v), 6) for v in got[0].flatten()[:GOLDEN_VALUES]]


def export(source: Source, folder: Path) -> dict[str, Any]:
    """Write the bundle into `folder`; gives the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    reader, detector = averaged(Reader(), source.reader), averaged(Detector(), source.detector)
    plates = data.plates([source.validation_plates])
    calibration = calibrate.calibrate(reader, plates)
    golden: dict[str, Any] = {"reader_input": "ramp"}
    golden["reader_logits"] = write_onnx(reader, folder / READER, data.CROP_HEIGHT, data.CROP_WIDTH, ["logits", "layout"])
    golden["detector_heat"] = {
        file: write_onnx(DetectorWithChances(detector), folder / file, h, w, ["heat", "corners"])
        for file, (h, w) in DETECTOR_SIZES.items()
    }
    measured = calibration.as_dict()
    manifest = {
        "schema": 1,
        "name": NAME,
        "version": source.version,
        "alphabet": data.ALPHABET,
        "detector": {
            "files": [
                {"file": file, "sha256": digest(folder / file), "height": h, "width": w}
                for file, (h, w) in DETECTOR_SIZES.items()
            ],
            "stride": STRIDE,
            "corner_unit": CORNER_UNIT,
            "classes": list(data.LAYOUTS),
            "score_threshold": SCORE_THRESHOLD,
            "nms_iou": NMS_IOU,
        },
        "reader": {
            "file": READER,
            "sha256": digest(folder / READER),
            "height": data.CROP_HEIGHT,
            "width": data.CROP_WIDTH,
            "slots": data.SLOTS,
            "temperature": measured["temperature"],
        },
        "thresholds": {"read_certain": measured["read_certain"], "read_least": measured["read_least"]},
        "golden": golden,
        "trained_on": {"renderer": source.renderer, "seeds": source.seeds, "crops": source.crops, "tiles": source.tiles},
        "metrics": {
            "reader": train_reader.validate(reader, plates),
            "detector": train_detector.validate(detector, data.scenes([source.validation_scenes])),
            "certain_yield": measured["certain_yield"],
            "certain_error": measured["certain_error"],
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(model_card(manifest), encoding="utf-8")
    return manifest


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument("--reader", type=Path, required=True, help="the reader's checkpoint")
    ap.add_argument("--detector", type=Path, required=True, help="the detector's checkpoint")
    ap.add_argument("--validation-plates", type=Path, required=True, help="held-out crops")
    ap.add_argument("--validation-scenes", type=Path, required=True, help="held-out tiles")
    ap.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    ap.add_argument("--version", required=True, help="the bundle's version, such as 1.0.0")
    ap.add_argument("--renderer", default="datasets", help="name and version of the renderer")
    ap.add_argument("--seeds", type=int, nargs="*", default=[], help="the renderer's seeds")
    ap.add_argument("--crops", type=int, default=0, help="different crops trained on")
    ap.add_argument("--tiles", type=int, default=0, help="different tiles trained on")
    args = vars(ap.parse_args())
    folder = args.pop("out")
    manifest = export(Source(**args), folder)
    print(json.dumps({"thresholds": manifest["thresholds"], "metrics": manifest["metrics"]}))


if __name__ == "__main__":
    main()
