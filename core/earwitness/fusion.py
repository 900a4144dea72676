"""Several experts, one answer: a logistic rule with non-negative weights that knows when to trust whom.

Expert e gives source k the value v_ek and the clip the knownness n_e. Both are standardised and summed:

    F_k = sum_e w_e(q) z_ek + sum_e u_e n_e + b,    w_e(q) = sum_j a_ej q_j,    a, u >= 0,

z_ek = (v_ek - c_e) / d_e with c_e and d_e the mean and deviation of v_ek over development clips that k did not make
(Z-norm), averaged over sources: with a centre and a width for each source, strangers were told apart less well. q are
the clip's merits in 0..1 (`earwitness.quality`): an expert gains as the clip gets longer, wider, cleaner, never the
other way. A stranger's logit is 0, so that softmax(F_1 ... F_K, 0) are probabilities and the knownness of the
whole is log sum_k exp F_k. An expert that abstains says z = n = 0, what it says of a stranger on average.

The loss is the cross-entropy over development clips, each source weighing alike and strangers as much as all of them
together, plus a ridge about even weights. It is convex, so the same clips give the same rule. Development clips are
made as the enrolled ones were: which expert survives the way from there into the world they can't show, and left to
themselves they trust the one that knows their studio best. So the ridge about the weights is a strong one.

Sources: Auckenthaler, Carey and Lloyd-Thomas, Score normalization for text-independent speaker verification systems,
Digital Signal Processing 10, 2000 (Z-norm); Brummer et al., Fusion of heterogeneous speaker recognition systems, IEEE
TASLP 15, 2007 (logistic fusion); Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm, SIAM J. Imaging
Sciences 2, 2009 (the descent).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import CalibrationError

__all__ = ["STRANGER", "Fusion", "Opinions", "even", "fit_fusion"]

Array = NDArray[np.float64]

STRANGER = -1
LEAST_SPREAD = 1e-6
EVEN = 0.5
"""The weight that every expert is drawn to, whatever the clip's merits."""
WEIGHT_RIDGE, TRUST_RIDGE = 0.3, 1e-3
"""How strongly weights are drawn to `EVEN`, and trust to none."""
STEPS = 2000
SETTLED = 1e-6
"""Change of every entry under which the descent ends."""
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Opinions:
    """What E experts say of n clips.

    `values` (n, E, K) and `knownness` (n, E), NaN where an expert abstains; the clips' `merits` (n, Q).
    """

    values: Array
    knownness: Array
    merits: Array

    @classmethod
    def joined(cls, clips: Sequence[Self]) -> Self:
        """Those of many clips as one."""
        parts = zip(*((each.values, each.knownness, each.merits) for each in clips), strict=True)
        return cls(*map(np.concatenate, parts))


@dataclass(frozen=True, slots=True)
class Fusion:
    """The rule that development clips taught, for these experts and any sources.

    `centres` and `widths` (E,) standardise values, `middles` and `spreads` (E,) knownness; `weights` (E, Q) are a,
    `trust` (E,) is u, `offset` b.
    """

    experts: tuple[str, ...]
    centres: Sequence[float]
    widths: Sequence[float]
    middles: Sequence[float]
    spreads: Sequence[float]
    weights: Sequence[Sequence[float]]
    trust: Sequence[float]
    offset: float

    def shares(self, opinions: Opinions) -> Array:
        """What each expert adds to each source's logit, (n, E, K); with `offset` they sum to F."""
        z, known = self.standardised(opinions)
        weights = np.einsum("nq,eq->ne", opinions.merits, self.weights)  # each clip on its own, as `@` isn't
        return np.asarray(weights[..., None] * z + (np.asarray(self.trust) * known)[..., None])

    def fuse(self, opinions: Opinions) -> tuple[Array, Array]:
        """F (n, K) and the knownness (n,)."""
        logits = self.shares(opinions).sum(axis=1) + self.offset
        top = logits.max(axis=1)
        return logits, np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))

    def standardised(self, opinions: Opinions) -> tuple[Array, Array]:
        """Give z (n, E, K) and the experts' knownness (n, E), 0 where one abstains."""
        z = (opinions.values - np.asarray(self.centres)[:, None]) / np.asarray(self.widths)[:, None]
        known = (opinions.knownness - np.asarray(self.middles)) / np.asarray(self.spreads)
        return np.nan_to_num(z), np.nan_to_num(known)

    @property
    def strengths(self) -> dict[str, float]:
        """The weight of each expert for a clip of full merit."""
        return dict(zip(self.experts, np.sum(self.weights, axis=1).tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The rule that `to_dict` laid down; one with a centre and a width for each source gets their means."""
        rest = {name: data[name] for name in ("middles", "spreads", "weights", "trust", "offset")}
        tables = (np.reshape(data[name], (len(data["experts"]), -1)) for name in ("centres", "widths"))
        centres, widths = (table.mean(axis=1).tolist() for table in tables)
        return cls(tuple(data["experts"]), centres, widths, **rest)


def even(values: Array) -> Array:
    """Logits of experts not yet weighed: the mean of their values, standardised over sources, (n, E, K) -> (n, K)."""
    spread = np.maximum(values.std(axis=2, keepdims=True), LEAST_SPREAD)
    z = (values - values.mean(axis=2, keepdims=True)) / spread
    return np.asarray(np.nan_to_num(z).mean(axis=1))


def fit_fusion(opinions: Opinions, labels: NDArray[np.int64], experts: Sequence[str]) -> Fusion:
    """Learn the rule from development clips, `labels` (n,) indexing into the sources, -1 for a stranger.

    Raises:
        CalibrationError: there is no clip of a known source, or none of a stranger.
    """
    strange = labels == STRANGER
    if strange.all() or not strange.any():
        raise CalibrationError(
            "experts are fused by development clips of enrolled sources and of strangers, and one kind is missing: "
            "list clips of both"
        )
    sources = range(opinions.values.shape[2])
    impostors = np.array([_moments(opinions.values[labels != k, :, k]) for k in sources])  # (K, 2, E)
    middles, spreads = _moments(opinions.knownness[strange])
    shape = len(experts), opinions.merits.shape[1]
    blank = Fusion(
        experts=tuple(experts),
        centres=impostors[:, 0].mean(axis=0).tolist(),
        widths=impostors[:, 1].mean(axis=0).tolist(),
        middles=middles.tolist(),
        spreads=spreads.tolist(),
        weights=np.ones(shape).tolist(),
        trust=[1.0] * len(experts),
        offset=0.0,
    )
    learned = _descend(_Loss.of(blank.standardised(opinions), opinions.merits, labels))
    weights, trust = learned[: shape[0] * shape[1]].reshape(shape), learned[shape[0] * shape[1] : -1]
    return replace(blank, weights=weights.tolist(), trust=trust.tolist(), offset=float(learned[-1]))


def _moments(scores: Array) -> tuple[Array, Array]:
    """Mean and deviation of what was said, (m, E) -> (E,) and (E,)."""
    said = np.isfinite(scores)
    count = np.maximum(said.sum(axis=0), 1)
    mean = np.where(said, scores, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(said, np.square(scores - mean), 0.0).sum(axis=0) / count)
    return mean, np.maximum(deviation, LEAST_SPREAD)


@dataclass(frozen=True, slots=True)
class _Loss:
    """Weighted cross-entropy of the rule, linear in x = (a, u, b): `features` (n, K, x), `targets` and `share` (n,).

    `ridge` (x,) is how strongly each entry is drawn to that of the `even` rule (x,).
    """

    features: Array
    targets: NDArray[np.int64]
    share: Array
    even: Array
    ridge: Array

    @classmethod
    def of(cls, standardised: tuple[Array, Array], merits: Array, labels: NDArray[np.int64]) -> Self:
        z, known = standardised
        count, _, sources = z.shape
        weighed = np.einsum("nek,nq->nkeq", z, merits).reshape(count, sources, -1)
        trusted = np.broadcast_to(known[:, None], (count, sources, known.shape[1]))
        features = np.concatenate([weighed, trusted, np.ones((count, sources, 1))], axis=2)
        sizes = np.bincount(labels + 1, minlength=sources + 1)
        share = np.where(labels == STRANGER, 1.0, 1.0 / np.count_nonzero(sizes[1:])) / (2 * sizes[labels + 1])
        counts = weighed.shape[2], known.shape[1]
        even = np.zeros(features.shape[2])
        even[: counts[0] : merits.shape[1]] = EVEN
        ridge = np.repeat([WEIGHT_RIDGE, TRUST_RIDGE, 0.0], [*counts, 1])
        return cls(features, np.where(labels == STRANGER, sources, labels), share, even, ridge)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """The loss and its gradient at x."""
        logits = np.pad(self.features @ x, ((0, 0), (0, 1)))  # (n, K + 1), a stranger's is 0
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        posterior = powers / powers.sum(axis=1, keepdims=True)
        rows = np.arange(len(logits))
        loss = -self.share @ np.log(np.maximum(posterior[rows, self.targets], np.finfo(np.float64).tiny))
        posterior[rows, self.targets] -= 1.0
        gradient = np.einsum("nk,nkx->x", posterior[:, :-1] * self.share[:, None], self.features)
        pull = self.ridge * (x - self.even)
        return float(loss + pull @ (x - self.even)), gradient + 2 * pull


def _descend(loss: _Loss) -> Array:
    """The x of least loss with every entry but the last at least 0, by accelerated projected gradient steps.

    Where a step leads uphill the momentum begins anew (O'Donoghue and Candes, Found. Comput. Math. 15, 2015).
    """
    x = ahead = np.zeros(loss.features.shape[2])
    value, rate, momentum = loss(x)[0], 1.0, 1.0
    for _ in range(STEPS):
        following, reached, rate = _step(loss, ahead, rate)
        if reached > value and ahead is not x:
            ahead, momentum = x, 1.0
            continue
        if np.abs(following - x).max() < SETTLED:
            return following
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / grown * (following - x)
        x, value, momentum = following, reached, grown
    return x


def _step(loss: _Loss, start: Array, rate: float) -> tuple[Array, float, float]:
    """One projected step, short enough for the quadratic bound to hold; where it ends, the loss, the next rate."""
    there, gradient = loss(start)
    while True:
        end = start - rate * gradient
        end[:-1] = np.maximum(end[:-1], 0.0)
        move = end - start
        reached, _ = loss(end)
        if reached <= there + gradient @ move + move @ move / (2 * rate) + ROUNDING:
            return end, reached, rate * 1.2
        rate /= 2
