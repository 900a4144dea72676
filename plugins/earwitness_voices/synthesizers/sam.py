"""SAM, the Software Automatic Mouth of 1982, in its JavaScript port (npm sam-js), run by Node."""

import json
import os
import re
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.speaking.programs import run_program

__all__ = ["Sam"]

RATE = 22050  # Hz, 8 bits, one channel

VERSION = """
let version = "";
try { version = require("sam-js/package.json").version; } catch { }
process.stdout.write(version);
"""

SPEAK = """
const fs = require("fs"), Sam = require("sam-js");
const { text, file, ...mouth } = JSON.parse(fs.readFileSync(0, "utf8"));
const sound = new Sam(mouth).buf8(text);
if (!sound) { console.error("SAM can't read this text"); process.exit(1); }
fs.writeFileSync(file, sound);
"""

UNREAD = r"[^ -_a-z]"
"""What SAM refuses: all but ASCII, and of that `{|}~; it becomes a blank."""

MOUTHS = {
    "sam": {"speed": 72, "pitch": 64, "throat": 128, "mouth": 128},
    "elf": {"speed": 72, "pitch": 64, "throat": 110, "mouth": 160},
    "little-robot": {"speed": 92, "pitch": 60, "throat": 190, "mouth": 190},
    "stuffy-guy": {"speed": 82, "pitch": 72, "throat": 110, "mouth": 105},
    "little-old-lady": {"speed": 82, "pitch": 32, "throat": 145, "mouth": 145},
    "extra-terrestrial": {"speed": 100, "pitch": 64, "throat": 150, "mouth": 200},
}
"""The voices of its manual. `speed` and `pitch` are durations: a higher number is slower, or lower."""


@dataclass(frozen=True, slots=True)
class Sam:
    """The voices of SAM's manual, English.

    Args:
        modules: The folder node_modules that holds sam-js; by default those of NODE_PATH and the global one.
        seconds: What a sentence may take.
    """

    name: ClassVar[str] = "sam"
    brings: ClassVar[str] = "npm install --global sam-js"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (0.8, 1.25)
    modules: str = ""
    seconds: float = 60.0

    def version(self) -> str | None:
        """The version of sam-js, or None without it or Node."""
        return (shutil.which("node") and self._node(VERSION, b"")) or None

    def voices(self) -> tuple[Voice, ...]:
        """The voices of the manual."""
        return tuple(Voice(name, "en") for name in MOUTHS)

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV."""
        mouth, raw = MOUTHS[utterance.voice.name], file.with_suffix(".raw")
        turned = {"speed": round(mouth["speed"] / utterance.rate), "pitch": round(mouth["pitch"] / utterance.pitch)}
        request = {**mouth, **turned, "text": re.sub(UNREAD, " ", utterance.text), "file": str(raw)}
        self._node(SPEAK, json.dumps(request).encode())
        with wave.open(str(file), "wb") as out:
            out.setparams((1, 1, RATE, 0, "NONE", ""))
            out.writeframes(raw.read_bytes())
        raw.unlink()

    def _node(self, script: str, request: bytes) -> str:
        """What a script says that may require sam-js."""
        shared = Path(shutil.which("node") or "node").resolve().parents[1] / "lib" / "node_modules"
        folders = self.modules or os.pathsep.join([os.environ.get("NODE_PATH", ""), str(shared)])
        return run_program(["node", "-e", script], request, seconds=self.seconds, variables={"NODE_PATH": folders})
