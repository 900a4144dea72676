"""How an evaluation tells known from unknown, as pictures: threshold, errors, likelihood ratios and probabilities."""

import numpy as np
from numpy.typing import NDArray

from earwitness.deciding import Judge
from earwitness.evaluation.curves import at_least, oscr_curve, reliability, sweep
from earwitness.evaluation.metrics import macro_f1
from earwitness.evaluation.scoring import STRANGER, Scored
from earwitness.model import unit
from earwitness.plugins import Catalogue
from earwitness.reporting import charts
from earwitness.reporting.html import Html, pictures
from earwitness.types import IntArray, Scores

__all__ = ["plots"]

Array = NDArray[np.float64]

RIVALS = ("softmax", "openmax")
"""Rules whose thresholds are swept beside the chosen one's, where plugins offer them."""


def plots(catalogue: Catalogue, judge: Judge, scored: Scored, answers: IntArray) -> Html:
    """What the clips bear, by the answers (n,) given to them: without strangers hardly any."""
    calibration = judge.calibration
    knownness = scored.knownness.astype(np.float64)
    known, strangers = knownness[scored.known], knownness[~scored.known]
    shown = [charts.histogram(known, strangers, calibration.threshold)] if calibration else []
    shown.append(_sweeps(catalogue, judge, scored, answers))
    if known.size and strangers.size:
        shown += _operating(scored, answers)
    return pictures(*shown, *_calibrated(scored))


def _sweeps(catalogue: Catalogue, judge: Judge, scored: Scored, answers: IntArray) -> Html:
    """Macro-F1 at every threshold of the chosen rule and of its rivals, and where the threshold in use stands."""
    rules = {"this registry": Scores(scored.values, scored.knownness), **_rivals(catalogue, judge, scored)}
    curves = {name: sweep(scored.labels, each.values.argmax(axis=1), each.knownness) for name, each in rules.items()}
    return charts.sweeps(curves, (float((answers == STRANGER).mean()), macro_f1(scored.labels, answers)))


def _rivals(catalogue: Catalogue, judge: Judge, scored: Scored) -> dict[str, Scores]:
    """What other rules say of the same embeddings: the clips' means in the space of the first windowed expert."""
    experts = judge.experts
    chosen = next((expert for expert in experts if expert.windowed), experts[0])
    sizes = {expert.model.space: expert.gallery.embeddings.shape[1] for expert in experts}
    start = sum(list(sizes.values())[: list(sizes).index(chosen.model.space)])
    queries = unit(scored.means[:, start : start + sizes[chosen.model.space]])
    offered = [name for name in RIVALS if name in catalogue.names("scorer")]
    rules = {name: catalogue.get("scorer", name)() for name in offered}
    return {name: rule.score(rule.fit(chosen.gallery), chosen.gallery, queries) for name, rule in rules.items()}


def _operating(scored: Scored, answers: IntArray) -> list[Html]:
    """ROC, OSCR and DET, with the threshold in use."""
    known, strange = scored.known, ~scored.known
    pair, right = (scored.knownness[known], scored.knownness[strange]), (scored.values.argmax(axis=1) == scored.labels)
    far, accepted = float((answers[strange] != STRANGER).mean()), float((answers[known] != STRANGER).mean())
    named = float((answers == scored.labels)[known].mean())
    roc = oscr_curve(np.ones(known.sum(), bool), *pair)
    roc_words = ("% of known clips accepted", "ROC curve", "ROC: known clips accepted against strangers accepted.")
    words = ("% of known clips named rightly", "OSCR curve", "OSCR: known clips accepted under their own name.")
    return [
        charts.operating_curve(roc, (far, accepted), roc_words),
        charts.operating_curve(oscr_curve(right[known], *pair), (far, named), words),
        charts.det(roc),
    ]


def _calibrated(scored: Scored) -> list[Html]:
    """Tippett plot and reliability of the figures that the verdicts state."""
    if any(verdict.log10_lr is None for verdict in scored.verdicts):
        return []
    ratios = np.array([verdict.log10_lr for verdict in scored.verdicts], np.float64)
    x = np.linspace(ratios.min() - 0.2, ratios.max() + 0.2, 400)
    lines = [(x, at_least(ratios[chosen], x)) for chosen in (scored.known, ~scored.known)]
    both = scored.known.any() and (~scored.known).any()
    found = reliability(*_stated(scored))
    ece = charts.reliability_diagram(found.stated, found.right, found.count)
    return [*([charts.tippett(*lines)] if both else []), ece]


def _stated(scored: Scored) -> tuple[Array, NDArray[np.bool_]]:
    """The probability that each answer states, and whether it is right, (n,) and (n,); siblings are one answer."""
    stated = [verdict.stated for verdict in scored.verdicts]
    names = [[*scored.sources, None][label] for label in scored.labels]
    right = [name in (v.siblings or (v.source,)) for name, v in zip(names, scored.verdicts, strict=True)]
    return np.array(stated, np.float64), np.array(right)
