"""Where the models of a pipeline's experts go, and which of them are ready."""

from collections.abc import Sequence
from pathlib import Path

from earwitness.pipeline import Pipeline

__all__ = ["expert_folders", "finished"]


def expert_folders(experts: Sequence[Pipeline], out: Path) -> dict[Path, Pipeline]:
    """The model folder of each expert: `out` itself for one alone, a folder in it for each of several."""
    return {out / each.name: each for each in experts} if len(experts) > 1 else {out: experts[0]}


def finished(folder: Path, expert: Pipeline) -> bool:
    """Whether a run had this expert ready."""
    file = folder / "pipeline.yaml"
    return file.is_file() and file.read_text(encoding="utf-8") == expert.to_yaml()
