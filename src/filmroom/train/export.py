"""From a trained torch network to a small ONNX file: export, calibrate, quantise to int8."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

log = logging.getLogger(__name__)


class _Reader(CalibrationDataReader):
    def __init__(self, name: str, samples: Iterable[NDArray[Any]]) -> None:
        self.feeds = ({name: sample} for sample in samples)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self.feeds, None)


def export_onnx(
    net: nn.Module,
    example: torch.Tensor,
    path: Path,
    *,
    input_name: str = "pixels",
    output_names: Sequence[str] = ("output",),
    dynamic_axes: dict[str, dict[int, str]] | None = None,
) -> None:
    """Write `net` in evaluation mode as ONNX, opset 17."""
    torch.onnx.export(
        net.eval().float().cpu(),
        (example,),
        str(path),
        input_names=[input_name],
        output_names=list(output_names),
        dynamic_axes=dynamic_axes or {},
        opset_version=17,
        dynamo=False,
    )


def quantise(
    source: Path,
    target: Path,
    samples: Iterable[NDArray[Any]],
    *,
    input_name: str = "pixels",
    keep_float: Sequence[str] = (),
    percentile: float | None = None,
) -> None:
    """Static int8 (QDQ, per channel, uint8 activations) of an ONNX file.

    `keep_float`: nodes whose name contains one of these stay in float32.
    `percentile`: clip the calibrated range there instead of at the extremes.
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        nodes = [node.name for node in onnx.load(str(prepared)).graph.node]
        kept = [name for name in nodes if any(part in name for part in keep_float)]
        log.info("kept in float32: %s", kept)
        options: dict[str, Any] = {}
        method = CalibrationMethod.MinMax
        if percentile is not None:
            method = CalibrationMethod.Percentile
            options = {"CalibPercentile": percentile}
        quantize_static(
            str(prepared),
            str(target),
            _Reader(input_name, samples),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            nodes_to_exclude=kept,
            extra_options=options,
        )


def as_batch(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """RGB pictures of one size as (N, 3, H, W)."""
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
