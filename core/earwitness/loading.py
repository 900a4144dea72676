"""Pipelines by name or from a file, alone or as experts, with some of their values set anew.

Several pipelines make one that asks them all and fuses what they say:

    name: wild
    experts: {cyclic: {}, residual: {window: 6.0}}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earwitness.errors import PipelineError
from earwitness.pipeline import Pipeline, read_yaml
from earwitness.plugins import Catalogue

__all__ = ["load_experts", "load_pipeline", "override"]


def load_pipeline(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> Pipeline:
    """A pipeline by its registered name or from a YAML file, with `--set` assignments applied."""
    return Pipeline.from_dict(_read(name, catalogue, settings), catalogue)


def load_experts(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> tuple[Pipeline, ...]:
    """The experts of a pipeline, by its registered name or from a YAML file; one that names none is its only expert.

    `experts:` maps the names of registered pipelines to what is changed in them, `{}` for nothing, so that an
    assignment reads `--set experts.residual.window=6`.

    Raises:
        PipelineError: an expert's name or changes can't be read, two have one name, or they answer different tasks.
    """
    data = _read(name, catalogue, settings)
    if not isinstance(data, Mapping) or "experts" not in data:
        return (Pipeline.from_dict(data, catalogue),)
    if strange := [key for key in data if key not in ("name", "experts")]:
        raise PipelineError(f"{name} has experts, and so only 'name' and 'experts': move {strange[0]!r} to an expert")
    if not isinstance(changes := data["experts"], Mapping) or not changes:
        raise PipelineError(f"{name}: experts is {changes!r}, not names with what is changed, as in {{residual: {{}}}}")
    experts = tuple(_changed(each, values or {}, catalogue) for each, values in changes.items())
    if len({expert.task for expert in experts}) != 1 or len({expert.name for expert in experts}) != len(experts):
        raise PipelineError(f"{name}: its experts must have a name each and all be of one task")
    return experts


def override(data: dict[str, Any], assignment: str) -> dict[str, Any]:
    """Plain pipeline data with one value set: `training.epochs=5`, `embedder.resnet18.width=8`, `scorer=knn`."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise PipelineError(f"--set {assignment!r} is not key=value, as in training.epochs=5")
    head, _, rest = path.partition(".")
    value = override(_opened(data.get(head)), f"{rest}={text}") if rest else read_yaml(text, f"--set {path}")
    return {**data, head: value}


def _opened(value: Any) -> dict[str, Any]:
    """A value that can hold keys: a bare part name becomes name -> parameters."""
    return dict(value) if isinstance(value, Mapping) else {value: {}} if isinstance(value, str) else {}


def _changed(name: str, changes: Any, catalogue: Catalogue) -> Pipeline:
    """A registered pipeline with some of its lines changed; of its training recipe only those that are named."""
    data = _read(name, catalogue)
    if not isinstance(data, Mapping) or not isinstance(changes, Mapping):
        raise PipelineError(f"expert {name!r}: {changes!r} is not a pipeline's lines, as in {{window: 6.0}}")
    training = changes.get("training", {})
    if isinstance(training, Mapping):
        training = {**_opened(data.get("training")), **training}
    return Pipeline.from_dict({**data, **changes, "training": training}, catalogue)


def _read(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> Any:
    """The plain data of a registered pipeline or a YAML file."""
    file = Path(name)
    text = (
        file.read_text(encoding="utf-8")
        if file.suffix in {".yaml", ".yml"} and file.is_file()
        else catalogue.get("pipeline", name)
    )
    data = read_yaml(text, name)
    for assignment in settings:
        data = override(_opened(data), assignment)
    return data
