"""Every metric against scikit-learn, SciPy, or its definition counted out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, roc_auc_score

from earwitness.evaluation import metrics
from earwitness.evaluation.intervals import bootstrap

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)  # many ties


def drawn(n=60, m=40, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    known, unknown = rng.normal(1, 1, n), rng.normal(0, 1, m)
    right = rng.random(n) < 0.8
    return (right, known.round(), unknown.round()) if ties else (right, known, unknown)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1))
def test_accuracy_and_macro_f1_agree_with_scikit_learn(pairs):
    truth, answer = np.array(pairs).T
    assert metrics.accuracy(truth, answer) == pytest.approx(accuracy_score(truth, answer))
    assert metrics.macro_f1(truth, answer) == pytest.approx(
        f1_score(truth, answer, labels=np.unique(truth), average="macro")
    )


@given(SCORES, SCORES)
def test_auroc_agrees_with_scikit_learn(known, unknown):
    truth = np.repeat([1, 0], [len(known), len(unknown)])
    assert metrics.auroc(known, unknown) == pytest.approx(roc_auc_score(truth, known + unknown))


@given(SCORES, SCORES)
def test_fpr95_by_trying_every_threshold(known, unknown):
    accepting = [t for t in known if np.mean(np.array(known) >= t) >= 0.95 - 1e-12]
    expected = np.mean(np.array(unknown) >= max(accepting))
    assert metrics.fpr95(known, unknown) == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_oscr_is_the_area_of_the_enumerated_curve(ties):
    right, known, unknown = drawn(ties=ties)
    thresholds = [np.inf, *np.unique(np.append(known, unknown))[::-1]]
    ccr = [np.mean(right & (known >= t)) for t in thresholds]
    fpr = [np.mean(unknown >= t) for t in thresholds]
    assert metrics.oscr(right, known, unknown) == pytest.approx(np.trapezoid(ccr, fpr))


@given(SCORES, SCORES, st.sampled_from([0.01, 0.1, 0.5, 1.0]))
def test_dir_at_far_by_trying_every_threshold(known, unknown, far):
    right = np.arange(len(known)) % 3 > 0
    s, u = np.array(known), np.array(unknown)
    bearable = [t for t in [*np.append(s, u), np.inf] if np.mean(u >= t) <= far + 1e-12]
    expected = max(np.mean(right & (s >= t)) for t in bearable)
    assert metrics.dir_at_far(right, s, u, far) == pytest.approx(expected)


@given(SCORES, SCORES)
def test_eer_is_where_the_interpolated_rates_cross(positive, negative):
    p, n = np.array(positive), np.array(negative)
    thresholds = [*np.unique(np.append(p, n)), np.inf]
    misses = np.array([np.mean(p < t) for t in thresholds])
    alarms = np.array([np.mean(n >= t) for t in thresholds])
    along = np.linspace(0, len(thresholds) - 1, 200 * (len(thresholds) - 1) + 1)
    fine_misses = np.interp(along, range(len(thresholds)), misses)
    fine_alarms = np.interp(along, range(len(thresholds)), alarms)
    nearest = np.abs(fine_misses - fine_alarms).argmin()
    middle = (fine_misses[nearest] + fine_alarms[nearest]) / 2
    assert metrics.eer(p, n) == pytest.approx(middle, abs=0.01)


def test_eer_of_two_gaussians():
    rng = np.random.default_rng(0)
    rate = metrics.eer(rng.normal(2, 1, 50_000), rng.normal(0, 1, 50_000))
    assert rate == pytest.approx(0.1587, abs=0.005)  # the normal tail beyond 1


def test_cllr_by_its_definition():
    same, different = np.array([100, 3, 0.5]), np.array([0.01, 2])
    expected = 0.5 * (np.mean(np.log2(1 + 1 / same)) + np.mean(np.log2(1 + different)))
    assert metrics.cllr(np.log10(same), np.log10(different)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("different", "same", "published"),
    [
        ([1, 1], [1, 1], 1.0),
        ([3.0] * 2, [1 / 3] * 2, 2.0),
        ([1 / 3] * 2, [3.0] * 2, 0.4150374992788437),
        ([1 / 3] * 2, [1], 0.7075187496394219),
        ([1 / 100] * 100, [1], 0.507177646488535),
        ([1 / 100] * 100 + [100], [1], 0.5400680236656377),
    ],
)
def test_cllr_is_that_of_the_forensic_institutes_toolkit(different, same, published):
    """The figures that LiR, of the Netherlands Forensic Institute, expects in its own tests."""
    assert metrics.cllr(np.log10(same), np.log10(different)) == pytest.approx(published, rel=1e-12)


def test_cllr_of_knowing_nothing_is_one_and_huge_ratios_stay_finite():
    assert metrics.cllr(np.zeros(5), np.zeros(7)) == pytest.approx(1.0)
    assert metrics.cllr_min(np.zeros(5), np.zeros(7)) == pytest.approx(1.0)
    assert metrics.cllr([1000.0], [1000.0]) == pytest.approx(500 * math.log2(10))
    assert metrics.cllr_min([2.0, 3.0], [0.0, 1.0]) == pytest.approx(0.0)


@given(SCORES, st.data())
def test_pav_agrees_with_scikit_learn(scores, data):
    size = len(scores)
    targets = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=size, max_size=size))
    weights = data.draw(st.lists(st.floats(0.5, 2), min_size=size, max_size=size))
    expected = IsotonicRegression().fit_transform(scores, targets, sample_weight=weights)
    np.testing.assert_allclose(metrics.pav(scores, targets, weights), expected, atol=1e-6)


def test_cllr_min_is_cllr_after_the_isotonic_map_and_never_above_cllr():
    rng = np.random.default_rng(0)
    same, different = rng.normal(1, 1, 200), rng.normal(-1, 1, 90)
    scores, truth = np.append(same, different), np.repeat([1, 0], [200, 90])
    weights = np.repeat([0.5 / 200, 0.5 / 90], [200, 90])
    posterior = IsotonicRegression().fit_transform(scores, truth, sample_weight=weights)
    with np.errstate(divide="ignore"):
        lr = np.log10(posterior) - np.log10(1 - posterior)
    assert metrics.cllr_min(same, different) == pytest.approx(metrics.cllr(lr[:200], lr[200:]))
    assert metrics.cllr_min(same, different) < metrics.cllr(same, different)


def test_ece_by_counting_bins_and_of_calibrated_data():
    confidence, right = [0.05, 0.15, 0.15, 0.95], [0, 1, 0, 1]
    expected = (1 * 0.05 + 2 * abs(0.5 - 0.15) + 1 * 0.05) / 4
    assert metrics.ece(confidence, right, bins=10) == pytest.approx(expected)
    rng = np.random.default_rng(0)
    stated = expit(rng.normal(size=20_000))
    assert metrics.ece(stated, rng.random(20_000) < stated) < 0.02
    assert metrics.ece([0.0, 1.0], [0, 1]) == 0.0


def test_squared_errors_agree_with_scikit_learns_brier_score():
    rng = np.random.default_rng(0)
    p, truth = rng.random(50), rng.integers(0, 2, 50)
    expected = 2 * brier_score_loss(truth, p)  # two classes: each error counts twice
    assert metrics.squared_errors(np.stack([1 - p, p], axis=1), truth).mean() == pytest.approx(expected)


def test_metrics_without_their_clips_are_nan():
    none, some, right = np.array([]), np.array([1.0]), np.array([True])
    for known, unknown in ((none, some), (some, none)):
        hits = right[: known.size]
        for value in (
            metrics.auroc(known, unknown),
            metrics.fpr95(known, unknown),
            metrics.oscr(hits, known, unknown),
            metrics.dir_at_far(hits, known, unknown, 0.1),
            metrics.eer(known, unknown),
            metrics.cllr(known, unknown),
            metrics.cllr_min(known, unknown),
        ):
            assert math.isnan(value)
    assert math.isnan(metrics.accuracy([], []))
    assert math.isnan(metrics.macro_f1([], []))
    assert math.isnan(metrics.ece([], []))
    assert math.isnan(metrics.mean([]))


def test_pav_where_one_violation_runs_through_all():
    """A low end pulls every block down with it, one after the other."""
    targets = np.append(np.linspace(0, 1, 300), -200.0)
    expected = IsotonicRegression().fit_transform(np.arange(301), targets)
    np.testing.assert_allclose(metrics.pav(np.arange(301), targets, np.ones(301)), expected, atol=1e-9)


def test_a_class_without_clips_has_no_score_and_costs_the_others():
    assert metrics.macro_f1(["a", "a", "b"], ["a", "c", "b"]) == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.macro_f1(["a", "b"], ["c", "c"]) == 0.0


def test_the_bootstrap_of_one_level_is_scipys():
    """A mean of single clips, and an AUROC with known clips and strangers drawn apart."""
    values = np.random.default_rng(0).gamma(2.0, size=60)
    ours = bootstrap(lambda rows: values[rows].mean(), [np.arange(60)], count=4000)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=1).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.05 * (theirs.high - theirs.low))
    _, known, unknown = drawn()
    scores, strange = np.append(known, unknown), np.repeat([False, True], [60, 40])
    ours = bootstrap(
        lambda rows: metrics.auroc(scores[rows][~strange[rows]], scores[rows][strange[rows]]),
        [np.arange(100)],
        strange,
        count=3000,
    )
    theirs = stats.bootstrap(
        (known, unknown), metrics.auroc, vectorized=False, method="percentile", n_resamples=3000, rng=1
    ).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.06 * (theirs.high - theirs.low))


def test_the_bootstrap_resamples_sources_not_clips():
    """Clips of one source agree, so the interval is as wide as the sources' number says, not the clips'."""
    rng = np.random.default_rng(0)
    source = np.repeat(np.arange(10), 100)
    values = rng.normal(size=10)[source]
    low, high = bootstrap(lambda rows: values[rows].mean(), [source])
    expected = 2 * 1.96 * values[::100].std() / np.sqrt(10)
    assert high - low == pytest.approx(expected, rel=0.15)
    clips = bootstrap(lambda rows: values[rows].mean(), [np.arange(1000)], count=200)
    assert clips[1] - clips[0] < 0.25 * (high - low)


def test_the_bootstrap_draws_speakers_within_sources():
    source, speaker = np.repeat([0, 1], 40), np.repeat(np.arange(8), 10)
    seen = []
    bootstrap(lambda rows: seen.append(rows) or 0.0, [source, speaker], count=50)
    for rows in seen:
        assert len(rows) == 80
        assert (np.bincount(rows, minlength=80)[::10] == np.bincount(rows, minlength=80).reshape(8, 10).T).all()
        assert (np.bincount(source[rows], minlength=2) % 40 == 0).all()
    assert len({tuple(np.unique(speaker[rows])) for rows in seen}) > 10


def test_the_bootstrap_is_seeded_keeps_its_strata_and_leaves_out_what_a_draw_cannot_bear():
    right, known, unknown = drawn()
    s, group = np.append(known, unknown), np.arange(100) // 10
    stratum = np.repeat([0, 1], [60, 40])
    assert right.any()

    def auroc(rows):
        return metrics.auroc(s[rows][stratum[rows] == 0], s[rows][stratum[rows] == 1])

    first = bootstrap(auroc, [group], stratum, count=100, seed=3)
    assert first == bootstrap(auroc, [group], stratum, count=100, seed=3)
    assert first != bootstrap(auroc, [group], stratum, count=100, seed=4)
    assert first[0] < auroc(np.arange(100)) < first[1]
    assert all(math.isnan(end) for end in bootstrap(lambda _: math.nan, [group], count=5))
    sizes = set()
    bootstrap(lambda rows: sizes.add((stratum[rows] == 1).sum()) or 0.0, [group], stratum, count=20)
    assert sizes == {40}
