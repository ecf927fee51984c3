"""Write bundles: ONNX files, manifest with digests and golden outputs, model card. One in 32-bit floating point, and
beside it one in 8-bit whole numbers, which is what lanes use."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import calibrate, data, quantise, train_detector, train_reader, train_refiner
from .bundle import MANIFEST, digest, ramp, session
from .card import model_card
from .detector import CORNER_UNIT, STRIDE, Detector
from .reader import Reader
from .refiner import Refiner

NAME = "lane-v2"
OPSET = 17
# Frames of 4:3 and of 16:9 cameras, height x width, multiples of 32.
DETECTOR_SIZES = {"detector.onnx": (480, 640), "detector-wide.onnx": (448, 800)}
READER, REFINER = "reader.onnx", "refiner.onnx"
READER_OUTPUTS, REFINER_OUTPUTS, DETECTOR_OUTPUTS = ["logits", "layout"], ["offsets"], ["heat", "corners"]
GOLDEN_VALUES = 16
# How far golden values may be off: 8-bit networks round differently on different processors.
TOLERANCE = {"fp32": 0.01, "int8": 0.25}
# Low, for what the detector is not sure of is confirmed by reading it.
SCORE_THRESHOLD, NMS_IOU = 0.25, 0.4


@dataclass
class Source:
    """Where a bundle comes from; all of it ends up in the manifest."""

    reader: Path
    detector: Path
    refiner: Path
    validation_plates: Path
    validation_scenes: Path
    validation_corners: Path
    version: str
    renderer: str
    started_from: str = ""
    # Where the reader's training began, to be averaged with where it ended.
    reader_began: Path | None = None
    seeds: list[int] = field(default_factory=list)
    crops: int = 0
    tiles: int = 0


class DetectorWithChances(nn.Module):
    """The detector with chances instead of logits for heat, as the product takes it."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """pixels [1, 1, H, W] -> heat [1, 3, H/4, W/4] in 0..1, corners [1, 8, H/4, W/4]."""
        heat, corners = self.detector(pixels)
        return heat.sigmoid(), corners


class Exported:
    """An ONNX file called like the network it came from, a picture at a time: what is measured is what ships."""

    def __init__(self, file: Path, outputs: list[str]) -> None:
        self._session, self._outputs = session(file), outputs
        self._size = self._session.get_inputs()[0].shape[2:]

    def __call__(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """f32 [N, 1, H, W], smaller than the network's input or equal -> its outputs, cut to what lies over the pictures."""
        height, width = pixels.shape[2:]
        answers = []
        for picture in pixels.numpy():
            frame = np.full((1, 1, *self._size), 114 / 255, np.float32)
            frame[0, :, :height, :width] = picture
            answers.append(self._session.run(self._outputs, {"pixels": frame}))
        joined = [torch.from_numpy(np.concatenate(values)) for values in zip(*answers, strict=True)]
        if (height, width) == tuple(self._size):
            return tuple(joined)
        return tuple(v[..., : height // STRIDE, : width // STRIDE] for v in joined)


def averaged(network: nn.Module, *checkpoints: Path) -> nn.Module:
    """The network with the averaged weights of a checkpoint, or with the mean of several of one trajectory.

    Half-way between where a training began and where it ended, a network keeps what it knew and has most of what it learnt
    (WiSE-FT, Wortsman et al., 2022)."""
    weights = [torch.load(checkpoint, weights_only=True)["average"] for checkpoint in checkpoints]
    mean = {name: torch.stack([w[name] for w in weights]).mean(0) if value.is_floating_point() else value
            for name, value in weights[-1].items()}
    network.load_state_dict(mean)
    return network.eval()


def onnx_form(network: nn.Module, file: Path, height: int, width: int, outputs: list[str]) -> None:
    """Write the network as ONNX with batch 1 at a fixed size."""
    torch.onnx.export(network.eval(), (torch.zeros(1, 1, height, width),), file, input_names=["pixels"],
                      output_names=outputs, opset_version=OPSET, dynamo=False)


def write_onnx(network: nn.Module, file: Path, height: int, width: int, outputs: list[str]) -> None:
    """As `onnx_form`, and prove that ONNX Runtime computes what the network does."""
    onnx_form(network, file, height, width, outputs)
    picture = ramp(height, width)
    got = session(file).run(outputs, {"pixels": picture})
    with torch.no_grad():
        wanted = network(torch.from_numpy(picture))
    for name, ours, theirs in zip(outputs, got, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        if (gap := float(abs(ours - theirs.numpy()).max())) > 1e-3:
            raise ValueError(f"{file.name}: output {name} is {gap:.5f} off the trained network after export")


def golden(file: Path, height: int, width: int, output: str) -> list[float]:
    """First values of an output for the ramp picture."""
    values = session(file).run([output], {"pixels": ramp(height, width)})[0]
    return [round(float(v), 6) for v in values.flatten()[:GOLDEN_VALUES]]


def frames(scenes: data.Shards, height: int, width: int) -> Iterator[np.ndarray]:
    """Tiles joined to pictures of a detector's size, u8 [height, width]."""
    tiles = next(scenes.batches(quantise.CALIBRATED_ON))[0]
    down, across = -(-height // tiles.shape[1]), -(-width // tiles.shape[2])
    for start in range(0, len(tiles) - down * across + 1, down * across):
        block = tiles[start : start + down * across].reshape(down, across, *tiles.shape[1:])
        yield block.transpose(0, 2, 1, 3).reshape(down * tiles.shape[1], -1)[:height, :width]


def in_8_bits(fp32: Path, folder: Path, source: Source) -> None:
    """Write the networks of `fp32` in 8 bits into `folder`."""
    scenes = data.scenes([source.validation_scenes])
    for file, (height, width) in DETECTOR_SIZES.items():
        quantise.quantise(fp32 / file, folder / file, frames(scenes, height, width))
    for file, shards in ((READER, data.plates([source.validation_plates])), (REFINER, data.corners([source.validation_corners]))):
        quantise.quantise(fp32 / file, folder / file, iter(next(shards.batches(quantise.CALIBRATED_ON))[0]))


def describe(folder: Path, precision: str, name: str, source: Source) -> dict[str, Any]:
    """Measure the networks in `folder` and write their manifest and card; gives the manifest."""
    plates, scenes = data.plates([source.validation_plates]), data.scenes([source.validation_scenes])
    corners = data.corners([source.validation_corners])
    reader, refiner = Exported(folder / READER, READER_OUTPUTS), Exported(folder / REFINER, REFINER_OUTPUTS)
    detector = Exported(folder / next(iter(DETECTOR_SIZES)), DETECTOR_OUTPUTS)
    measured = calibrate.calibrate(reader, plates).as_dict()
    crop = data.CROP_HEIGHT, data.CROP_WIDTH
    manifest = {
        "schema": 1,
        "name": name,
        "version": source.version,
        "precision": precision,
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
            "sure_score": train_detector.sure_score(detector, scenes),
            "nms_iou": NMS_IOU,
        },
        "refiner": {
            "file": REFINER, "sha256": digest(folder / REFINER), "height": crop[0], "width": crop[1],
            "margin": data.CORNER_MARGIN,
        },
        "reader": {
            "file": READER,
            "sha256": digest(folder / READER),
            "height": crop[0],
            "width": crop[1],
            "slots": data.SLOTS,
            "temperature": measured["temperature"],
            "views": [list(view) for view in calibrate.VIEWS],
        },
        "thresholds": {"read_certain": measured["read_certain"], "read_least": measured["read_least"]},
        "golden": {
            "tolerance": TOLERANCE[precision],
            "reader_logits": golden(folder / READER, *crop, "logits"),
            "refiner_offsets": golden(folder / REFINER, *crop, "offsets"),
            "detector_heat": {file: golden(folder / file, h, w, "heat") for file, (h, w) in DETECTOR_SIZES.items()},
        },
        "trained_on": {"renderer": source.renderer, "seeds": source.seeds, "crops": source.crops, "tiles": source.tiles,
                       "started_from": source.started_from},
        "metrics": {
            "reader": train_reader.validate(reader, plates),
            "refiner": train_refiner.validate(lambda x: refiner(x)[0], corners),
            "detector": train_detector.validate(detector, scenes, chances=True),
            "certain_yield": measured["certain_yield"],
            "certain_error": measured["certain_error"],
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(model_card(manifest), encoding="utf-8")
    return manifest


def export(source: Source, folder: Path) -> dict[str, Any]:
    """Write the 8-bit bundle into `folder` and the 32-bit one into `folder`-fp32; gives the 8-bit manifest."""
    fp32 = folder.with_name(f"{folder.name}-fp32")
    for place in (folder, fp32):
        place.mkdir(parents=True, exist_ok=True)
    reader = averaged(Reader(), *filter(None, [source.reader_began, source.reader]))
    write_onnx(reader, fp32 / READER, data.CROP_HEIGHT, data.CROP_WIDTH, READER_OUTPUTS)
    write_onnx(averaged(Refiner(), source.refiner), fp32 / REFINER, data.CROP_HEIGHT, data.CROP_WIDTH, REFINER_OUTPUTS)
    detector = DetectorWithChances(averaged(Detector(), source.detector))
    for file, (height, width) in DETECTOR_SIZES.items():
        write_onnx(detector, fp32 / file, height, width, DETECTOR_OUTPUTS)
    in_8_bits(fp32, folder, source)
    describe(fp32, "fp32", f"{NAME}-fp32", source)
    return describe(folder, "int8", NAME, source)


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument("--reader", type=Path, required=True, help="the reader's checkpoint")
    ap.add_argument("--detector", type=Path, required=True, help="the detector's checkpoint")
    ap.add_argument("--refiner", type=Path, required=True, help="the corner refiner's checkpoint")
    ap.add_argument("--validation-plates", type=Path, required=True, help="held-out crops")
    ap.add_argument("--validation-scenes", type=Path, required=True, help="held-out tiles")
    ap.add_argument("--validation-corners", type=Path, required=True, help="held-out crops with wide margins")
    ap.add_argument("--out", type=Path, required=True, help="the 8-bit bundle's folder; the other one is put beside it")
    ap.add_argument("--version", required=True, help="the bundle's version, such as 1.0.0")
    ap.add_argument("--renderer", default="datasets", help="name and version of the renderer")
    ap.add_argument("--started-from", default="", help="bundle and version whose weights the training started from")
    ap.add_argument("--seeds", type=int, nargs="*", default=[], help="the renderer's seeds")
    ap.add_argument("--crops", type=int, default=0, help="different crops trained on")
    ap.add_argument("--tiles", type=int, default=0, help="different tiles trained on")
    args = vars(ap.parse_args())
    folder = args.pop("out")
    manifest = export(Source(**args), folder)
    print(json.dumps({"thresholds": manifest["thresholds"], "metrics": manifest["metrics"]}))


if __name__ == "__main__":
    main()
