"""Two figures of Yan and others (SFR) on clips of our own, for docs/papers.md.

    python benchmarks/papers_pictures.py --manifest MANIFEST --model DIR/systems/work/NAME/model --out docs/pictures

`sfr-tsne.png`: test clips by the embeddings of a model, such as a recipe of `benchmarks/papers.py` left behind, in two
dimensions by t-SNE (van der Maaten and Hinton, JMLR 2008), a colour and mark a source.
`sfr-spectrograms.png`: the sentence (column text_id) that most sources speak, by each of them.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from earwitness.audio import read_clip
from earwitness.listening import Excerpt, listen
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.model import Model
from earwitness.plotting import PALETTE, load_pyplot
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray

MARKS = "osD^v"
RATE, FRAME, HOP = 16000, 256, 256
PANELS, SECONDS, RANGE, SHADES = 6, 2.5, 70.0, 16
"""At most so many spectrograms, so long, of so many dB in so many colours: the file stays small."""


def embeddings(folder: Path, clips: Manifest) -> tuple[FloatArray, list[str]]:
    """The mean unit embedding (n, d) of each clip that can be heard, and its source."""
    vectors, sources = [], []
    model = Model.load(folder, load_catalogue())
    heard = listen([Excerpt(row.path, row.start, row.end) for row in clips.rows], [model])
    for row, each in zip(clips.rows, heard, strict=True):
        if model.space in each.tracks and len(found := each.tracks[model.space].embeddings):
            vectors.append(found.mean(axis=0))
            sources.append(row.source or "unknown")
    stacked = np.stack(vectors)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True), sources


def draw_embeddings(vectors: FloatArray, sources: list[str], file: Path) -> None:
    """A point a clip."""
    from sklearn.manifold import TSNE

    places = TSNE(perplexity=min(30.0, len(vectors) / 4), init="pca", metric="cosine", random_state=0)
    points, owner = places.fit_transform(vectors), np.array(sources)  # (n, 2), (n,)
    figure, axes = load_pyplot().subplots(figsize=(7.5, 5), layout="constrained")
    for number, source in enumerate(sorted(set(sources))):
        colour, mark = PALETTE[number % len(PALETTE)], MARKS[number % len(MARKS)]
        axes.scatter(*points[owner == source].T, s=18, color=colour, marker=mark, label=source, linewidths=0)
    axes.set(xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8)
    save(figure, file)


def same_sentence(manifest: Manifest) -> Mapping[str, Row]:
    """The clips of the sentence that most sources speak, the first of each source."""
    spoken: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in manifest.rows:
        if row.source:
            spoken[row.columns["text_id"]].setdefault(row.source, row)
    return max(spoken.values(), key=len)


def spectrogram(samples: FloatArray) -> FloatArray:
    """(n,) -> (FRAME // 2 + 1, frames), dB under the loudest."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, axis=1)).T ** 2
    decibels: FloatArray = 10 * np.log10(np.maximum(power / power.max(), 10 ** (-RANGE / 10))).astype(np.float32)
    return decibels


def draw_sentence(spoken: Mapping[str, Row], file: Path) -> None:
    """A panel a source."""
    shown = dict(sorted(spoken.items())[:PANELS])
    pyplot = load_pyplot()
    figure, grid = pyplot.subplots(2, 3, figsize=(9, 4.4), layout="constrained", sharex=True, sharey=True)
    look = {"cmap": pyplot.get_cmap("magma", SHADES), "vmin": -RANGE, "vmax": 0, "interpolation": "nearest"}
    for axes, (source, row) in zip(grid.flat, shown.items(), strict=False):
        sound = read_clip(row.path, RATE).samples[: round(SECONDS * RATE)]
        image, extent = spectrogram(sound), (0, len(sound) / RATE, 0, RATE / 2000)
        axes.imshow(image, origin="lower", aspect="auto", extent=extent, **look)
        axes.set_title(source, loc="left", fontsize=9)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel("seconds", fontsize=9)
    figure.supylabel("kHz", fontsize=9)
    save(figure, file)


def save(figure: Any, file: Path) -> None:
    """Write a small PNG."""
    figure.savefig(file, dpi=90, metadata={"Software": None}, pil_kwargs={"optimize": True})
    typer.echo(f"{file}: {file.stat().st_size // 1000} kB")


def main(
    manifest: Annotated[Path, typer.Option(help="Clips of systems, with columns split and text_id.")],
    model: Annotated[Path, typer.Option(help="Folder of a model that was trained on them.")],
    out: Annotated[Path, typer.Option(help="Folder of pictures.")],
) -> None:
    """Draw both."""
    clips = read_manifest(manifest)
    draw_embeddings(*embeddings(model, clips.select(split="test", task="system")), out / "sfr-tsne.png")
    draw_sentence(same_sentence(clips), out / "sfr-spectrograms.png")


if __name__ == "__main__":
    typer.run(main)
