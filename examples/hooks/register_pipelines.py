"""A pipeline of parts that others bring: MFCC, their means and deviations, the nearest references."""

from collections.abc import Iterable

from earwitness import hookimpl

PIPELINE = """
name: acme
task: system
rate: 16000
window: 4.0
hop: 2.0
frontend: mfcc40
embedder: stats
scorer: {knn: {k: 5}}
"""


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipeline."""
    return [PIPELINE]
