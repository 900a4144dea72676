"""Learned networks as they answer: ONNX Runtime, without torch."""

from pathlib import Path
from typing import Literal

import numpy as np

from earwitness.errors import OptionError, PipelineError
from earwitness.types import FloatArray

__all__ = ["Device", "OnnxNetwork"]

Device = Literal["cpu", "cuda"]
BATCH = 32  # a larger batch gains nothing on a CPU and costs memory


class OnnxNetwork:
    """An exported network: features (B, frames, dims) -> embeddings (B, d).

    One intra-op thread: two fell to a quarter of the speed under contention, so work scales by processes.
    """

    def __init__(self, file: Path, device: Device = "cpu") -> None:
        import onnxruntime as ort
        from onnxruntime.capi import onnxruntime_pybind11_state as faults

        ort.set_default_logger_severity(3)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[device]
        if provider not in ort.get_available_providers():
            raise OptionError("--device cuda needs onnxruntime-gpu: 'earwitness doctor' tells how to install it")
        if device == "cuda":
            ort.preload_dlls()  # the wheel finds pip's CUDA libraries only so, and else falls back without a word
        if not file.is_file():
            raise PipelineError(f"{file} is missing: train the model again, or copy its folder whole")
        try:
            self._session = ort.InferenceSession(file, options, providers=[provider])
        except (faults.Fail, faults.InvalidArgument, faults.InvalidGraph, faults.InvalidProtobuf) as error:
            raise PipelineError(f"{file} is damaged: train the model again, or copy its folder whole") from error
        if provider not in self._session.get_providers():
            raise OptionError("--device cuda reached no GPU: 'earwitness doctor' tells what is missing")
        self._input = self._session.get_inputs()[0].name

    def __call__(self, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d)."""
        parts = [
            self._session.run(None, {self._input: features[i : i + BATCH]})[0] for i in range(0, len(features), BATCH)
        ]
        return np.concatenate(parts).astype(np.float32, copy=False)
