"""Reads raw telephone recordings, .ul: 8 kHz, one channel, 8 bits a sample by the mu-law of ITU-T G.711."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from earwitness import hookimpl
from earwitness.types import Clip, Origin

RATE = 8000


@hookimpl
def read_clip(path: Path) -> Clip | None:
    """Return the clip; None for a file of another ending, so that another plugin is asked."""
    if path.suffix != ".ul":
        return None
    data = path.read_bytes()
    code = 255 - np.frombuffer(data, np.uint8).astype(int)
    size = ((2 * (code & 15) + 33) << (code >> 4 & 7)) - 33
    samples = np.asarray(np.where(code & 128, -size, size) / 8192, np.float32)  # (n,)
    digest, content = sha256(data).hexdigest(), sha256(samples.tobytes()).hexdigest()
    seconds = len(samples) / RATE
    return Clip(samples, RATE, Origin(str(path), digest, content, "raw", "mulaw", RATE, 1, seconds))
