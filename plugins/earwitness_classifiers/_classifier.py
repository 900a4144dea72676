"""What classifiers of scikit-learn share: fitted to the gallery, kept as ONNX, asked without scikit-learn."""

import warnings
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from earwitness.contracts import Gallery
from earwitness.errors import MissingExtraError
from earwitness.types import FloatArray, Scores, State

__all__ = ["Classifier", "ask"]

OPSET = 18
LEAST = 1e-12
"""The probability under which a value sinks no further."""
TIE = 1e-3
"""What a cosine of 1 adds to knownness."""


@dataclass(frozen=True, slots=True)
class Classifier(ABC):
    """A classifier with scikit-learn's default settings over standardised embeddings.

    Values are log P(c | z). Knownness is the probability of the best source, ties broken by the cosine to the mean of
    its rows: max_c P(c | z) + 0.001 cos(z, mean_c). A tree is always sure, and one source alone has probability 1.

    Rows are fitted in an order of their own, so that the order in which they were enrolled decides nothing.
    """

    seed: int = 42

    @abstractmethod
    def model(self) -> Any:
        """The unfitted classifier."""

    def probabilities(self, output: FloatArray) -> FloatArray:
        """(B, C) as the network gives it -> (B, C), summing to 1."""
        return output

    def fit(self, gallery: Gallery) -> State:
        """The network as bytes, what standardises its input, and the mean of each source's rows.

        Raises:
            MissingExtraError: scikit-learn or skl2onnx isn't installed.
        """
        order = np.lexsort((*gallery.embeddings.T, gallery.labels))
        rows, labels = gallery.embeddings[order], gallery.labels[order]
        centre, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), np.finfo(np.float32).eps)
        classes = np.unique(labels)
        network = self._network((rows - centre) / scale, labels) if len(classes) > 1 else b""
        means = np.zeros((len(gallery.sources), rows.shape[1]), np.float32)
        for source in classes:
            means[source] = rows[labels == source].mean(axis=0)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        stored = np.frombuffer(network, np.uint8)
        return {"network": stored, "classes": classes, "centre": centre, "scale": scale, "means": means}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:
        """(B, d) -> log-probabilities (B, K), knownness (B,)."""
        found = np.zeros((len(queries), len(gallery.sources)), np.float32)
        found[:, state["classes"]] = self._asked(state, queries)
        best = found.argmax(axis=1)
        cosines = np.einsum("bd,bd->b", queries, state["means"][best])
        return Scores(np.log(np.maximum(found, LEAST)), (found.max(axis=1) + TIE * cosines).astype(np.float32))

    def _asked(self, state: State, queries: FloatArray) -> FloatArray:
        """(B, d) -> probabilities (B, C) of the sources that have rows."""
        if len(state["classes"]) == 1:
            return np.ones((len(queries), 1), np.float32)
        rows = np.asarray((queries - state["centre"]) / state["scale"], np.float32)
        return self.probabilities(ask(state["network"], rows))

    def _network(self, rows: FloatArray, labels: Any) -> bytes:
        """The classifier fitted to standardised rows (N, d) of classes (N,), as ONNX."""
        try:
            from skl2onnx import to_onnx
            from sklearn.exceptions import ConvergenceWarning
        except ImportError as error:
            raise MissingExtraError("fitting a classifier of scikit-learn", "train") from error
        model = self.model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # by default some stop after so many steps
            warnings.simplefilter("ignore", FutureWarning)  # skl2onnx reads what scikit-learn will drop
            model.fit(rows, labels)
            exported = to_onnx(model, rows[:1], options={id(model): self.options()}, target_opset=OPSET)
        serialised: bytes = exported.SerializeToString()
        return serialised

    def options(self) -> dict[str, bool]:
        """How the network gives its probabilities: as one array."""
        return {"zipmap": False}


_SESSIONS: dict[int, Any] = {}
"""Open networks by the arrays that hold them, as long as these live: opening one takes longer than asking it."""


def ask(network: Any, rows: FloatArray) -> FloatArray:
    """What an ONNX network, its bytes as an array, says second of rows: (B, d) -> (B, C)."""
    key = id(network)
    if key not in _SESSIONS:
        _SESSIONS[key] = _opened(network.tobytes())
        weakref.finalize(network, _SESSIONS.pop, key, None)
    session = _SESSIONS[key]
    answer: FloatArray = session.run(None, {session.get_inputs()[0].name: rows})[1]
    return answer


def _opened(network: bytes) -> Any:
    """A session on one thread: work scales by processes."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
