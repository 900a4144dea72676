"""The figures of one task, on clips made of numbers: each against its definition, near and far strangers, intervals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, roc_auc_score

from earwitness.calibration import calibrate
from earwitness.evaluation import metrics
from earwitness.evaluation.measuring import FEW, measure
from earwitness.evaluation.scoring import STRANGER, Scored
from earwitness.fusion import Opinions
from earwitness.manifest import Row

SOURCES = ("espeak", "piper-amy", "piper-joe", "flite")
FAMILIES = {"piper-amy": ("piper",), "piper-joe": ("piper",), "piper-kim": ("piper",), "mms": ("vits",)}
STRANGERS = ("piper-kim", "espeak-old", "mms", "")
FAMILY_COLUMN = {"espeak-old": "espeak"}


def drawn(count, seed, spread=1.0):
    """Labels and values (n, K) of clips of every source and of strangers, half and half."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(count) % len(SOURCES), np.full(count, STRANGER)])
    values = rng.normal(size=(2 * count, len(SOURCES)))
    values[np.arange(count), labels[:count]] += rng.normal(3, spread, count)
    return labels, values


def row(number, label):
    source = SOURCES[label] if label >= 0 else STRANGERS[number % len(STRANGERS)] or None
    columns = {"family": FAMILY_COLUMN.get(source, ""), "speaker": f"s{number % 24}", "page": f"p{number % 3}"}
    return Row(Path("/nowhere"), number + 2, source, None, "test", None, None, columns)


@pytest.fixture(scope="module")
def calibration():
    labels, values = drawn(200, 1)
    known = labels != STRANGER
    knownness = values.max(axis=1)
    return calibrate(values[known], labels[known], knownness[known], knownness[~known], 0.1, SOURCES)


@pytest.fixture(scope="module")
def scored():
    labels, values = drawn(120, 2)
    return Scored(
        sources=SOURCES,
        rows=tuple(row(number, label) for number, label in enumerate(labels)),
        opinions=Opinions(values[:, None], values.max(axis=1)[:, None], np.ones((len(labels), 1))),
        estranged=None,
        values=values.astype(np.float32),
        knownness=values.max(axis=1).astype(np.float32),
        labels=labels,
        means=np.zeros((len(labels), 1), np.float32),
        verdicts=(),
        skipped=(),
    )


@pytest.fixture(scope="module")
def figures(scored, calibration):
    return measure(scored, calibration, by=("page",), groups=FAMILIES)


def stated(scored, calibration):
    """The probabilities of all sources and, last, of a stranger, clip by clip."""
    pairs = zip(scored.values, scored.knownness.astype(float), strict=True)
    return np.array([[*calibration.probabilities(v, k), calibration.unknown_probability(k)] for v, k in pairs])


def test_what_is_named_agrees_with_scikit_learn(scored, calibration, figures):
    known, first = scored.known, scored.values.argmax(axis=1)
    answers = np.where(scored.knownness.astype(float) >= calibration.threshold, first, STRANGER)
    assert figures["accuracy"] == pytest.approx(accuracy_score(scored.labels[known], first[known]))
    assert figures["macro_f1_known"] == pytest.approx(
        f1_score(scored.labels[known], first[known], average="macro", labels=range(len(SOURCES)))
    )
    assert figures["macro_f1_open"] == pytest.approx(f1_score(scored.labels, answers, average="macro"))
    assert figures["auroc"] == pytest.approx(roc_auc_score(known, scored.knownness))
    assert figures["far_realised"] == pytest.approx((answers[~known] != STRANGER).mean())
    assert figures["known_accepted"] == pytest.approx((answers[known] != STRANGER).mean())
    assert figures["clips"] == {"known": 120, "unknown": 120}


def test_what_is_promised_agrees_with_its_definition(scored, calibration, figures):
    shares, known = stated(scored, calibration), scored.known
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    truth = np.where(known, scored.labels, len(SOURCES))
    one_by_one = [brier_score_loss(truth == k, shares[:, k]) for k in range(len(SOURCES) + 1)]
    assert figures["brier"] == pytest.approx(sum(one_by_one))
    sets = np.array([calibration.prediction_set(value) for value in scored.values])[known]
    assert figures["coverage"] == pytest.approx(sets[np.arange(len(sets)), scored.labels[known]].mean())
    assert figures["set_size"] == pytest.approx(sets.sum(axis=1).mean())
    lr = np.array([calibration.log10_lr(k) for k in scored.knownness.astype(float)])
    assert figures["cllr"] == pytest.approx(metrics.cllr(lr[known], lr[~known]))
    assert figures["cllr_cal"] == pytest.approx(figures["cllr"] - figures["cllr_min"])
    assert 0 <= figures["cllr_cal"] < 0.1  # calibrated on clips drawn as these were
    answered = scored.knownness.astype(float) >= calibration.threshold
    confidence = np.where(answered, shares[:, :-1].max(axis=1), shares[:, -1])
    right = np.where(answered, scored.values.argmax(axis=1) == scored.labels, ~known)
    assert figures["ece"] == pytest.approx(metrics.ece(confidence, right))


def test_right_answers_where_few_strangers_pass(scored, figures):
    known, right = scored.known, scored.values.argmax(axis=1) == scored.labels
    for far in (0.01, 0.1):
        ceiling = np.sort(scored.knownness[~known])[::-1][int(far * 120)]
        assert figures["dir_at_far"][str(far)] == pytest.approx((right & (scored.knownness > ceiling))[known].mean())


def test_near_strangers_are_those_of_an_enrolled_family(scored, calibration, figures):
    """By card (piper-kim), by the manifest's column where the family is itself enrolled (espeak-old)."""
    names = np.array([each.source or "" for each in scored.rows])
    for pool, members in (("near", ("piper-kim", "espeak-old")), ("far", ("mms", ""))):
        found, chosen = figures["unknowns"][pool], np.isin(names, members) & ~scored.known
        rows = chosen | scored.known
        assert found["clips"] == {"known": 120, "unknown": int(chosen.sum())}
        assert found["auroc"] == pytest.approx(roc_auc_score(scored.known[rows], scored.knownness[rows]))
        accepted = scored.knownness[chosen].astype(float) >= calibration.threshold
        assert found["far_realised"] == pytest.approx(accepted.mean())
        low, high = found["intervals"]["auroc"]
        assert low < found["auroc"] < high
    assert figures["unknowns"]["far"]["family_right"] is None
    assert measure(scored, calibration)["unknowns"]["near"]["clips"]["unknown"] == 30  # the manifest's word remains


def test_a_family_is_right_where_nothing_is_named_and_the_family_is(scored, calibration, figures):
    """Above the threshold, but under the one for names, a clip is said to be of the family of its first rank."""
    assert figures["family_right"] == figures["family_wrong"] == 0.0
    cautious = measure(scored, with_names_from(calibration, np.inf), groups=FAMILIES)
    first = np.array(SOURCES)[scored.values.argmax(axis=1)]
    accepted = scored.knownness.astype(float) >= calibration.threshold
    said = np.array([FAMILIES.get(each, ("",))[0] for each in first])
    truths = np.array([FAMILY_COLUMN.get(each.source) or FAMILIES.get(each.source, ("",))[0] for each in scored.rows])
    strange, called = ~scored.known, accepted & (said != "")
    near = strange & np.isin(truths, ["piper", "espeak"])
    assert cautious["far_realised"] == cautious["known_accepted"] == 0.0
    assert cautious["family_right"] == pytest.approx((called & (said == truths))[near].mean())
    assert cautious["family_wrong"] == pytest.approx((called & (said != truths))[strange].mean())
    assert cautious["family_right"] > 0 < cautious["family_wrong"]
    silent = measure(scored, with_names_from(calibration, np.inf), groups=FAMILIES, cards={})
    assert silent["family_right"] == silent["family_wrong"] == 0.0  # verdicts say what the cards say
    assert silent["unknowns"]["near"]["clips"] == cautious["unknowns"]["near"]["clips"]


def with_names_from(calibration, knownness):
    return replace(calibration, naming=dict.fromkeys(SOURCES, knownness))


def test_every_figure_has_an_interval(figures):
    scalars = {name for name, value in figures.items() if isinstance(value, float)} - {"far_asked"}
    assert scalars | {"dir_at_far_0.01", "dir_at_far_0.1"} == set(figures["intervals"])
    for name in scalars - {"ece", "cllr_min", "cllr_cal"}:  # whose draws are biased: chance adds to ECE
        low, high = figures["intervals"][name]
        assert low <= figures[name] <= high, name
    assert figures["resampled"] == ["source", "voice"]


def test_intervals_draw_what_they_are_told_to(scored, calibration):
    """Values alike within a page make the interval of few pages wide, whatever the number of clips."""
    of_pages = measure(scored, calibration, resample="page", groups=FAMILIES)
    assert of_pages["resampled"] == ["source", "page"]
    assert of_pages["accuracy"] == measure(scored, calibration)["accuracy"]
    assert of_pages["intervals"] != measure(scored, calibration)["intervals"]


def test_columns_are_measured_apart_and_many_values_without_intervals(scored, calibration, figures):
    page = np.array([each.columns["page"] for each in scored.rows])
    for value, part in figures["by"]["page"].items():
        rows = page == value
        assert part["auroc"] == pytest.approx(roc_auc_score(scored.known[rows], scored.knownness[rows]))
        assert part["intervals"]["auroc"][0] < part["auroc"] < part["intervals"]["auroc"][1]
    speakers = measure(scored, calibration, by=("speaker",))["by"]["speaker"]
    assert len(speakers) == 24 > FEW
    assert {tuple(part["intervals"]["auroc"]) for part in speakers.values()} == {(None, None)}
    assert sum(part["clips"]["known"] for part in speakers.values()) == 120
