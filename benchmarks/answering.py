"""Answering: networks against torch eager, the engine against the bare network call, and cold starts of commands.

    python benchmarks/answering.py CLIP [--rounds 20]

Medians of interleaved rounds, one thread each. Networks have random weights: speed only.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from stopwatch import interleaved

import earwitness
from earwitness.network import OnnxNetwork
from earwitness.plugins import load_catalogue
from earwitness.training.export import export_network
from earwitness.types import FloatArray

FRAMES, DIMS = 398, 60  # four seconds of lfcc60
NETWORKS: Mapping[str, Mapping[str, Any]] = {"resnet18": {"width": 16}, "ecapa": {"channels": 512}}
PEER = """
import torch, torchaudio, sys
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
import soundfile
samples, rate = soundfile.read(sys.argv[1], dtype="float32")
features = torchaudio.transforms.LFCC(rate, n_lfcc=60)(torch.from_numpy(samples)[None]).transpose(1, 2)
with torch.no_grad():
    print(ECAPA_TDNN(60, channels=[512] * 4 + [1536], lin_neurons=192).eval()(features).shape)
"""


def networks(rounds: int) -> None:
    """ONNX Runtime against torch eager of the same weights, at batch 1 and 32."""
    print("| network | batch | torch eager ms | ONNX Runtime ms | times as fast | x real time |")
    print("|---|---|---|---|---|---|")
    with TemporaryDirectory() as scratch:
        for name, settings in NETWORKS.items():
            module = load_catalogue().get("embedder", name)(**settings).network(DIMS).eval()
            file = Path(scratch) / f"{name}.onnx"
            export_network(module, (FRAMES, DIMS), file)
            answer = OnnxNetwork(file)
            for batch in (1, 32):
                slow, fast = versus(module, answer, batch, rounds)
                cells = [
                    name,
                    batch,
                    f"{1e3 * slow:.1f}",
                    f"{1e3 * fast:.1f}",
                    f"{slow / fast:.2f}",
                    f"{4 * batch / fast:.0f}",
                ]
                print(f"| {' | '.join(map(str, cells))} |")


def versus(module: torch.nn.Module, answer: OnnxNetwork, batch: int, rounds: int) -> tuple[float, float]:
    """Median seconds of torch eager and of ONNX Runtime on one batch."""
    features = np.random.default_rng(0).standard_normal((batch, FRAMES, DIMS)).astype(np.float32)
    times = interleaved({"torch": lambda: eager(module, features), "onnx": lambda: answer(features)}, rounds)
    return times["torch"], times["onnx"]


def eager(module: torch.nn.Module, features: FloatArray) -> None:
    """One forward pass in torch."""
    with torch.inference_mode():
        module(torch.from_numpy(features))


def engine(clip: Path, rounds: int) -> None:
    """Where a warm answer's time goes: everything, against frontend and embedder on the same window."""
    with earwitness.open() as opened:
        (task, (model, *_)), *_ = opened.models.items()
        heard = next(iter(opened.listen([clip], task)))
        judge = opened.judge(task)
        track, rate = heard.tracks[model.space], model.pipeline.rate_at(heard.origin.native_rate if heard.origin else 0)
        shape = (len(track.starts), round(track.seconds * rate))
        window = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        features = model.pipeline.frontend(window, rate)
        jobs: dict[str, Callable[[], object]] = {
            "identify": lambda: list(opened.identify_many([clip])),
            "decode and embed": lambda: list(opened.listen([clip], task)),
            "frontend": lambda: model.pipeline.frontend(window, rate),
            "embedder": lambda: model.embed(features),
            "decide": lambda: judge.judge(heard),
        }
        times = interleaved(jobs, rounds)
        seconds = heard.origin.duration if heard.origin else 0.0
    print(
        f"\nWarm, {clip.name} ({seconds:.1f} s), {model.pipeline.name}:\n\n| part | ms | x real time |\n|---|---|---|"
    )
    for name, taken in times.items():
        print(f"| {name} | {1e3 * taken:.2f} | {seconds / taken:.0f} |")


def cold(clip: Path, rounds: int) -> None:
    """Commands from a cold process, against a script with torch and SpeechBrain that only embeds."""
    command = [str(Path(sys.executable).parent / "earwitness")]
    calls = {
        "earwitness identify": [*command, "identify", str(clip)],
        "torch + SpeechBrain script": [sys.executable, "-W", "ignore", "-c", PEER, str(clip)],
        "earwitness --help": [*command, "--help"],
        "earwitness plugins list": [*command, "plugins", "list"],
    }
    times = interleaved(
        {name: lambda call=call: subprocess.run(call, capture_output=True) for name, call in calls.items()}, rounds
    )
    print("\n| cold start | seconds |\n|---|---|")
    for name, taken in times.items():
        print(f"| {name} | {taken:.2f} |")


def main(
    clip: Annotated[Path, typer.Argument(help="A clip of some seconds.")],
    rounds: Annotated[int, typer.Option(help="Rounds of each comparison.")] = 20,
) -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    networks(rounds)
    engine(clip, rounds)
    cold(clip, max(3, rounds // 4))


if __name__ == "__main__":
    typer.run(main)
