"""Take speech apart with WORLD and make it again at another pitch, one clip for each order of a JSON file.

Runs in an environment of its own that holds `pyworld` and `soundfile`. The file, this program's one argument, is a
list of `{"speech", "pitch", "wav"}`: the clip to read, the factor of its pitch, and the WAV file to write.

Paper: Morise, Yokomori, Ozawa 2016, "WORLD: A Vocoder-Based High-Quality Speech Synthesis System for Real-Time
Applications".
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyworld
import soundfile


def vocode(samples: np.ndarray, rate: int, pitch: float) -> np.ndarray:  # (samples,)
    """Return the speech made again from its pitch times a factor, its envelope and its aperiodicity."""
    coarse, times = pyworld.dio(samples, rate)
    f0 = pyworld.stonemask(samples, coarse, times, rate)
    envelope = pyworld.cheaptrick(samples, f0, times, rate)
    aperiodicity = pyworld.d4c(samples, f0, times, rate)
    return pyworld.synthesize(f0 * pitch, envelope, aperiodicity, rate)


def main() -> None:
    """Carry out the orders of the file that the command line names."""
    for order in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        samples, rate = soundfile.read(order["speech"])
        soundfile.write(order["wav"], vocode(samples, rate, order["pitch"]), rate, subtype="FLOAT")


if __name__ == "__main__":
    main()
