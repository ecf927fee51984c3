"""Write bundles: ONNX files, manifest with digests and golden outputs, model card. One in 32-bit floating point, and
beside it one in 8-bit whole numbers, which is what lanes use."""

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import calibrate, data, quantise, train_detector, train_reader, train_refiner
from .bundle import MANIFEST, DetectorFiles, digest, ramp, session
from .card import model_card
from .detector import CORNER_UNIT, REACH, STRIDE, Corners, Detector, Sight, cells
from .reader import Reader
from .refiner import Refiner

NAME = "lane-v2"
OPSET = 17
# Frames of 4:3 and of 16:9 cameras, height x width, multiples of 32.
DETECTOR_SIZES = {"detector.onnx": (480, 640), "detector-wide.onnx": (448, 800)}
READER, REFINER, CORNERS = "reader.onnx", "refiner.onnx", "corners.onnx"
READER_OUTPUTS, REFINER_OUTPUTS = ["logits", "layout"], ["offsets"]
SIGHT_OUTPUTS, CORNERS_OUTPUTS = ["heat", "features"], ["corners"]
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


class Exported:
    """An ONNX file called like the network it came from, a picture at a time: what is measured is what ships."""

    def __init__(self, file: Path, outputs: list[str]) -> None:
        self._session, self._outputs = session(file), outputs

    def __call__(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """f32 [N, 1, H, W] of the network's size -> its outputs."""
        answers = [self._session.run(self._outputs, {"pixels": picture[None]}) for picture in pixels.numpy()]
        return tuple(torch.from_numpy(np.concatenate(values)) for values in zip(*answers, strict=True))


class ExportedDetector:
    """An exported detector called like the network it came from, a picture at a time."""

    def __init__(self, folder: Path) -> None:
        self._files = DetectorFiles(folder / next(iter(DETECTOR_SIZES)), folder / CORNERS)

    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """f32 [N, 1, H, W], no larger than the detector's input -> heat logits and corners, cut to what lies over the pictures;
        corners only where there may be a plate."""
        height, width = pixels.shape[2:]
        heats, corners = [], []
        for picture in pixels[:, 0].numpy():
            frame = np.full((self._files.height, self._files.width), 114 / 255, np.float32)
            frame[:height, :width] = picture
            chances, found = self._files.maps(frame, SCORE_THRESHOLD)
            heats.append(chances[:, : height // STRIDE, : width // STRIDE])
            corners.append(found[:, : height // STRIDE, : width // STRIDE])
        return torch.from_numpy(np.stack(heats)).logit(1e-6), torch.from_numpy(np.stack(corners))


def averaged(network: nn.Module, *checkpoints: Path) -> nn.Module:
    """The network with the averaged weights of a checkpoint, or with the mean of several of one trajectory.

    Half-way between where a training began and where it ended, a network keeps what it knew and has most of what it learnt
    (WiSE-FT, Wortsman et al., 2022)."""
    weights = [torch.load(checkpoint, weights_only=True)["average"] for checkpoint in checkpoints]
    mean = {name: torch.stack([w[name] for w in weights]).mean(0) if value.is_floating_point() else value
            for name, value in weights[-1].items()}
    network.load_state_dict(mean)
    return network.eval()


# An exported file: the network, the shape of its input and its name, its outputs.
Form = tuple[nn.Module, tuple[int, ...], str, list[str]]


def forms(network: nn.Module) -> dict[str, Form]:
    """The files that a network is exported as."""
    crop = (1, 1, data.CROP_HEIGHT, data.CROP_WIDTH)
    if isinstance(network, Reader):
        return {READER: (network, crop, "pixels", READER_OUTPUTS)}
    if isinstance(network, Refiner):
        return {REFINER: (network, crop, "pixels", REFINER_OUTPUTS)}
    sizes = {file: (1, height // STRIDE + 1, width // STRIDE + 1, STRIDE * STRIDE)
             for file, (height, width) in DETECTOR_SIZES.items()}
    sights: dict[str, Form] = {file: (Sight(network), size, "pixels", SIGHT_OUTPUTS) for file, size in sizes.items()}
    channels = network.corners[-1].in_features
    return {**sights, CORNERS: (Corners(network), (1, REACH, REACH, channels), "features", CORNERS_OUTPUTS)}


def write(network: nn.Module, folder: Path) -> None:
    """Write the files of a network as ONNX, with batch 1 at fixed sizes."""
    for file, (part, shape, given, outputs) in forms(network.eval()).items():
        torch.onnx.export(part.eval(), (torch.zeros(shape),), folder / file, input_names=[given], output_names=outputs,
                          opset_version=OPSET, dynamo=False)


def write_proved(network: nn.Module, folder: Path) -> None:
    """As `write`, and prove that ONNX Runtime computes what the network does."""
    write(network, folder)
    for file, (part, shape, given, outputs) in forms(network).items():
        got = session(folder / file).run(outputs, {given: ramp(shape)})
        with torch.no_grad():
            wanted = part.eval()(torch.from_numpy(ramp(shape)))
        for name, ours, theirs in zip(outputs, got, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            if (gap := float(abs(ours - theirs.numpy()).max())) > 1e-3:
                raise ValueError(f"{file}: output {name} is {gap:.5f} off the trained network after export")


def golden(file: Path, output: str) -> list[float]:
    """First values of an output for the ramp."""
    network = session(file)
    given = network.get_inputs()[0]
    values = network.run([output], {given.name: ramp(given.shape)})[0]
    return [round(float(v), 6) for v in values.flatten()[:GOLDEN_VALUES]]


def features_of(corners: Path) -> int:
    """How many features of a cell the file takes."""
    return int(session(corners).get_inputs()[0].shape[-1])


def frames(scenes: data.Shards, height: int, width: int) -> Iterator[np.ndarray]:
    """Tiles joined to pictures of a detector's size, u8 [height, width]."""
    tiles = next(scenes.batches(quantise.CALIBRATED_ON))[0]
    down, across = -(-height // tiles.shape[1]), -(-width // tiles.shape[2])
    for start in range(0, len(tiles) - down * across + 1, down * across):
        block = tiles[start : start + down * across].reshape(down, across, *tiles.shape[1:])
        yield block.transpose(0, 2, 1, 3).reshape(down * tiles.shape[1], -1)[:height, :width]


def in_8_bits(fp32: Path, folder: Path, source: Source) -> None:
    """Write the networks of `fp32` in 8 bits into `folder`. Corners are told of few cells and stay as they are."""

    def pixels(pictures: Iterable[np.ndarray]) -> Iterator[Tensor]:
        return (torch.from_numpy(picture.astype(np.float32) / 255.0)[None, None] for picture in pictures)

    scenes = data.scenes([source.validation_scenes])
    for file, (height, width) in DETECTOR_SIZES.items():
        given = (cells(frame).numpy() for frame in pixels(frames(scenes, height, width)))
        quantise.quantise(fp32 / file, folder / file, given, ["heat"], quantise.OPERATORS + quantise.COPYING)
    shutil.copyfile(fp32 / CORNERS, folder / CORNERS)
    for file, outputs, shards in ((READER, READER_OUTPUTS, data.plates([source.validation_plates])),
                                  (REFINER, REFINER_OUTPUTS, data.corners([source.validation_corners]))):
        crops = next(shards.batches(quantise.CALIBRATED_ON))[0]
        quantise.quantise(fp32 / file, folder / file, (crop.numpy() for crop in pixels(crops)), outputs)


def describe(folder: Path, precision: str, name: str, source: Source) -> dict[str, Any]:
    """Measure the networks in `folder` and write their manifest and card; gives the manifest."""
    plates, scenes = data.plates([source.validation_plates]), data.scenes([source.validation_scenes])
    corners = data.corners([source.validation_corners])
    reader, refiner = Exported(folder / READER, READER_OUTPUTS), Exported(folder / REFINER, REFINER_OUTPUTS)
    detector = ExportedDetector(folder)
    measured = calibrate.calibrate(reader, plates).as_dict()
    crop = data.CROP_HEIGHT, data.CROP_WIDTH
    manifest = {
        "schema": 2,
        "name": name,
        "version": source.version,
        "precision": precision,
        "alphabet": data.ALPHABET,
        "detector": {
            "files": [
                {"file": file, "sha256": digest(folder / file), "height": h, "width": w}
                for file, (h, w) in DETECTOR_SIZES.items()
            ],
            "corners": {
                "file": CORNERS, "sha256": digest(folder / CORNERS), "reach": REACH, "features": features_of(folder / CORNERS),
            },
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
            "enough": measured["enough"],
        },
        "thresholds": {"read_certain": measured["read_certain"], "read_least": measured["read_least"]},
        "golden": {
            "tolerance": TOLERANCE[precision],
            "reader_logits": golden(folder / READER, "logits"),
            "refiner_offsets": golden(folder / REFINER, "offsets"),
            "detector_heat": {file: golden(folder / file, "heat") for file in DETECTOR_SIZES},
            "detector_corners": golden(folder / CORNERS, "corners"),
        },
        "trained_on": {"renderer": source.renderer, "seeds": source.seeds, "crops": source.crops, "tiles": source.tiles,
                       "started_from": source.started_from},
        "metrics": {
            "reader": train_reader.validate(reader, plates),
            "refiner": train_refiner.validate(lambda x: refiner(x)[0], corners),
            "detector": train_detector.validate(detector, scenes),
            "certain_yield": measured["certain_yield"],
            "certain_error": measured["certain_error"],
            "looks": measured["looks"],
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
    for network in (reader, averaged(Refiner(), source.refiner), averaged(Detector(), source.detector)):
        write_proved(network, fp32)
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
