"""The baselines of benchmarks/devices.py: classic features and classifiers, trained on what is enrolled.

Each row is a window of 4 s, of which there is one a second, levelled as the engine levels it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from devices_clips import RATE
from devices_methods import Answerer, Ear, Method, Rule
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from earwitness.contracts import Frontend
from earwitness.plugins import load_catalogue
from earwitness.subset import Subset
from earwitness.types import FloatArray, Scores
from earwitness.windows import cut

WINDOW, HOP = 4.0, 1.0
FRAME, STEP = 512, 256
QUIET, LOUD = (0.0, 0.2), (0.6, 1.0)
"""Which of a window's frames by level are taken for quiet, and for speech."""

QUIET_LDA, QUIET_DISTANCE = "quiet spectrum + LDA", "quiet spectrum + LDA, distance"


@dataclass(frozen=True, eq=False)
class Pooled:
    """Windows to one row each, by something that takes (B, n) to (B, d)."""

    rows: Callable[[FloatArray], FloatArray]

    def __call__(self, samples: FloatArray) -> FloatArray:
        """(n,) -> (B, d)."""
        found = [self.rows(windows.samples) for windows in cut([samples], RATE, WINDOW, HOP)]
        return np.concatenate(found) if found else np.empty((0, 0), np.float32)


def spectrum(windows: FloatArray, between: tuple[float, float]) -> FloatArray:
    """The mean log spectrum of frames whose level is between two quantiles of the window's, (B, n) -> (B, bins)."""
    frames = np.lib.stride_tricks.sliding_window_view(windows, FRAME, axis=1)[:, ::STEP]  # (B, frames, FRAME)
    logs = np.log(np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME)))) + 1e-9)
    order = np.argsort(np.square(frames).sum(axis=2), axis=1)
    low, high = (round(share * frames.shape[1]) for share in between)
    chosen = np.take_along_axis(logs, order[:, low:high, None], axis=1)
    return np.asarray(chosen.mean(axis=1), np.float32)


def mean(windows: FloatArray, frontend: Frontend) -> FloatArray:
    """The mean frame of a frontend, (B, n) -> (B, dims)."""
    return np.asarray(frontend(windows, RATE).mean(axis=1), np.float32)


def mean_and_spread(windows: FloatArray, frontend: Frontend) -> FloatArray:
    """The mean frame of a frontend and the deviations from it, (B, n) -> (B, 2 dims)."""
    features = frontend(windows, RATE)
    return np.concatenate([features.mean(axis=1), features.std(axis=1)], axis=1)


def odds(values: FloatArray) -> FloatArray:
    """Log-odds of the largest probability, of logits (B, K) -> (B,)."""
    ordered = np.sort(values, axis=1)
    return np.asarray(ordered[:, -1] - np.logaddexp.reduce(ordered[:, :-1], axis=1))


def largest(values: FloatArray) -> FloatArray:
    """The largest decision, (B, K) -> (B,)."""
    return np.asarray(values.max(axis=1))


def trained(make: Callable[[], Any], method: str, knownness: Callable[[FloatArray], FloatArray]) -> Rule:
    """A classifier on standardised rows; `method` names what gives its K values."""

    def enrol(gallery: Subset) -> Answerer:
        fitted = make_pipeline(StandardScaler(), make()).fit(gallery.embeddings, gallery.labels)

        def answer(rows: FloatArray) -> Scores:
            values = getattr(fitted, method)(rows)
            return Scores(values, knownness(values))

        return answer

    return enrol


def lda() -> Rule:
    """Linear discriminants, the covariance shrunk after Ledoit and Wolf."""
    make = partial(LinearDiscriminantAnalysis, solver="lsqr", shrinkage="auto")
    return trained(make, "decision_function", odds)


@dataclass(frozen=True)
class LdaSpace:
    """Where sources differ most for their scatter; the covariance is shrunk after Ledoit and Wolf."""

    project: Callable[[FloatArray], FloatArray]

    @classmethod
    def of(cls, gallery: Subset) -> "LdaSpace":
        """Learned from rows enrolled."""
        discriminants = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
        return cls(make_pipeline(StandardScaler(), discriminants).fit(gallery.embeddings, gallery.labels).transform)


def lda_distance() -> Rule:
    """The nearest mean among linear discriminants, which is also near or far."""

    def enrol(gallery: Subset) -> Answerer:
        space = LdaSpace.of(gallery)
        rows = space.project(gallery.embeddings)
        means = np.stack([rows[gallery.labels == k].mean(axis=0) for k in range(len(gallery.sources))])

        def answer(asked: FloatArray) -> Scores:
            z = space.project(asked)
            squares = np.square(z).sum(axis=1)[:, None] - 2 * z @ means.T + np.square(means).sum(axis=1)
            return Scores(-squares, largest(-squares))

        return answer

    return enrol


def svm() -> Rule:
    """Support vectors with a radial kernel."""
    return trained(partial(SVC, C=10.0), "decision_function", largest)


def mlp() -> Rule:
    """A perceptron with one hidden layer."""
    make = partial(MLPClassifier, (64,), max_iter=60, tol=1e-3, random_state=0)
    return trained(make, "predict_log_proba", largest)


def _frontend(name: str) -> Frontend:
    frontend: Frontend = load_catalogue().get("frontend", name)()
    return frontend


_QUIET_EAR = Pooled(partial(spectrum, between=QUIET))  # one, so that two methods hear a clip once

BASELINES: Mapping[str, Callable[[], tuple[Ear, Rule]]] = {
    QUIET_LDA: lambda: (_QUIET_EAR, lda()),
    QUIET_DISTANCE: lambda: (_QUIET_EAR, lda_distance()),
    "speech spectrum + LDA": lambda: (Pooled(partial(spectrum, between=LOUD)), lda()),
    "BED + SVM": lambda: (Pooled(partial(mean, frontend=_frontend("bed"))), svm()),
    "MFCC + SVM": lambda: (Pooled(partial(mean_and_spread, frontend=_frontend("mfcc40"))), svm()),
    "noise spectrum + MLP": lambda: (Pooled(partial(mean, frontend=_frontend("noise_spectrum"))), mlp()),
}


def baselines(names: Iterable[str]) -> list[Method]:
    """Those named."""
    return [Method(name, *BASELINES[name]()) for name in names]
