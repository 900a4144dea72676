"""Speak English with Hibari, one clip for each JSON line on standard input.

Runs in an environment of its own that holds `hibari-tts`. A line is `{"text", "speed", "seed", "wav"}`. Each answer is
the path of the WAV file written: 24 kHz, mono, 16 bit.
"""

import json
import sys

from hibari import Hibari


def main() -> None:
    """Answer the lines of standard input until it ends."""
    model = Hibari()
    for line in sys.stdin:
        order = json.loads(line)
        print(model.save(order["text"], order["wav"], order["speed"], order["seed"]), flush=True)


if __name__ == "__main__":
    main()
