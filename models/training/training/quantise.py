"""From a bundle's networks in 32-bit floating point to ones in 8-bit whole numbers, two to four times as fast on a
processor with dot products of bytes.

Static quantisation (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", 2018) as ONNX Runtime does it: ranges of activations are measured on held-out rendered pictures, weights are
scaled channel by channel. Weights use 7 of their 8 bits, so that processors without such instructions, whose 16-bit sums
would overflow, give the same answers. The last layers stay in floating point: corners and chances need more than 256 steps.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATED_ON = 160
OPERATORS = ("Conv", "MatMul", "Gemm", "Add", "Relu")
# Only copy: bytes in, bytes out.
COPYING = ("Concat", "Reshape", "Transpose")


class Inputs(CalibrationDataReader):
    """Hands inputs f32, as the network takes them, to the calibration."""

    def __init__(self, inputs: Iterator[np.ndarray]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next input, or none."""
        given = next(self._inputs, None)
        return None if given is None else {"pixels": given}


def last_nodes(file: Path, outputs: Sequence[str]) -> list[str]:
    """Names of the convolutions and matrix products nearest to these outputs."""
    graph = onnx.load(file).graph
    maker = {output: node for node in graph.node for output in node.output}
    names = []
    for output in outputs:
        node = maker[output]
        while node.op_type not in ("Conv", "MatMul", "Gemm"):
            node = maker[next(name for name in node.input if name in maker)]
        names.append(node.name)
    return names


def quantise(source: Path, target: Path, inputs: Iterator[np.ndarray], exact: Sequence[str],
             operators: Sequence[str] = OPERATORS) -> None:
    """Write `target`, the 8-bit form of the network `source`; `inputs` are f32 like those it will see, the last layers before
    the outputs `exact` stay in floating point."""
    prepared = target.with_suffix(".prepared")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared, target, Inputs(inputs), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=list(operators),
        nodes_to_exclude=last_nodes(prepared, exact), calibrate_method=CalibrationMethod.MinMax,
    )
    prepared.unlink()
