"""Epoch after epoch: learn, look at dev, keep the best, leave a checkpoint."""

import math
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.progress import Progress as Bar
from sklearn.metrics import f1_score

from earwitness.errors import TrainingError
from earwitness.pipeline import Recipe
from earwitness.training import checkpoint
from earwitness.training.checkpoint import Progress
from earwitness.training.data import Corpus, batches
from earwitness.training.learner import Learner, reproducible

__all__ = ["evaluate", "fit"]


def fit(
    learner: Learner, recipe: Recipe, share: float, train: Corpus, dev: Corpus, file: Path, run: str, quiet: bool
) -> Progress:
    """Learn until `dev` stops getting better or the epochs are over.

    Args:
        learner: what learns; it ends with the weights of the last epoch, while the progress holds the best.
        recipe: for how long.
        share: of a window, the part that is one example.
        train: what is learned from, rendered.
        dev: what is watched, rendered.
        file: the checkpoint; one that is there is gone on with.
        run: the name of recipe, data, seed and start, which a checkpoint must share.
        quiet: whether to show no progress.

    Raises:
        TrainingError: the loss is no longer a number, or the checkpoint belongs to another run.
    """
    progress = checkpoint.load(file, learner, run)
    with Bar(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("training", total=recipe.epochs * recipe.steps, completed=progress.epochs * recipe.steps)
        while progress.epochs < recipe.epochs and not progress.stalled(recipe.patience):
            began = perf_counter()
            progress.losses.append(_epoch(learner, recipe, share, train, progress.epochs, lambda: bar.advance(task)))
            progress.figures.append(evaluate(learner, dev))
            if progress.best_epoch == progress.epochs - 1:
                progress.best = learner.weights()
            progress.seconds += perf_counter() - began
            checkpoint.save(file, learner, progress)
            bar.update(task, description=f"epoch {progress.epochs}, dev F1 {progress.figures[-1]:.3f}")
    return progress


def _epoch(
    learner: Learner, recipe: Recipe, share: float, train: Corpus, epoch: int, advance: Callable[[], None]
) -> float:
    """One epoch; its chance hangs on seed and epoch alone, so that going on gives what not stopping gives."""
    seeds = np.random.SeedSequence([learner.seed, epoch])
    losses = []
    with reproducible(int(seeds.generate_state(1)[0]), learner.device):
        for features, labels in batches(train, recipe, share, np.random.default_rng(seeds)):
            losses.append(learner.step(features, labels))
            advance()
    learner.settle(train)
    loss = math.fsum(losses) / len(losses)
    if not math.isfinite(loss):
        raise TrainingError(f"the loss is no number any more in epoch {epoch + 1}: lower training.learning_rate")
    return loss


def evaluate(learner: Learner, corpus: Corpus) -> float:
    """Macro-F1 by the head over every version of every clip, cosines averaged over a clip's windows."""
    answers = [
        learner.cosines(clip.windows(version)).mean(axis=0).argmax()
        for clip in corpus.clips
        for version in range(len(clip.files))
    ]
    truth = np.repeat(corpus.labels, [len(clip.files) for clip in corpus.clips])
    return float(f1_score(truth, answers, labels=np.unique(truth), average="macro"))
