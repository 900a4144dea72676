"""A judge: threshold, calibrated figures, ranking, evidence and timeline, against formulas written here."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from earwitness.calibration import Calibration, LikelihoodRatio, support
from earwitness.deciding import UNCALIBRATED, Judge
from earwitness.errors import AudioError
from earwitness.listening import Excerpt, Heard, Track
from earwitness.model import Model
from earwitness.pipeline import load_pipeline
from earwitness.plugins import load_catalogue
from earwitness.types import Card, Origin, Scores, Trace

SOURCES = ("alpha", "beta", "gamma")
ROWS = np.eye(8, dtype=np.float32)[[0, 1, 2, 0, 1]]
LABELS = np.array([0, 1, 2, 0, 0])
PATHS = ("a1", "b1", "g1", "a2")
OF_CLIP = np.array([0, 1, 2, 3, 3])  # the last two rows are windows of one clip


class Rows:
    """Five rows of three sources, searched in full."""

    sources, embeddings, labels, clips = SOURCES, ROWS, LABELS, OF_CLIP

    def search(self, queries, k):
        cosines = queries @ ROWS.T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(cosines, order, axis=1), order

    def reference(self, row):
        return SOURCES[LABELS[row]], PATHS[OF_CLIP[row]]


class Nearest:
    """Ten times the best cosine to each source; knownness is the best of these."""

    def score(self, _state, gallery, queries):
        cosines = queries @ gallery.embeddings.T
        values = 10 * np.stack([cosines[:, k == LABELS].max(axis=1) for k in range(len(gallery.sources))], axis=1)
        return Scores(values, values.max(axis=1))


TRACE = Trace("upsampling", 80.0, "24 kHz, hop 300", 9.1, 1e-8, (15, 30), 0.0, 7.5)

CALIBRATION = Calibration(
    sources=SOURCES,
    far=0.05,
    threshold=6.0,
    temperature=2.0,
    ratio=LikelihoodRatio(slope=1.5, intercept=-9.0, lowest=-2.0, highest=2.0),
    strangers=99,
    known=(5.0, 7.0, 8.0, 9.0),
    truths=(0.9, 0.95),
)


def judge_of(calibration=CALIBRATION, gallery=None, current=True):
    pipeline = load_pipeline("lfcc-stats", load_catalogue())
    model = Model(SimpleNamespace(name="test", task="system", window=pipeline.window, scorer=Nearest()), "space", None)
    registry = SimpleNamespace(
        name="made",
        version=3,
        gallery=lambda _: gallery or Rows(),
        card=lambda source: Card(source, family=f"{source} family"),
        calibration=lambda _: calibration and calibration.to_dict(),
        calibration_is_current=lambda _: current,
    )
    judge = Judge(registry, model)
    judge.__dict__["state"] = {}
    return judge


def heard(*vectors, warnings=(), **changes):
    """Windows of four seconds, two seconds apart, that point in these directions, (8,) each."""
    rows = np.zeros((len(vectors), 8), np.float32)
    for row, vector in zip(rows, vectors, strict=True):
        row[: len(vector)] = vector
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    origin = Origin("x.wav", "ab", "cd", "wav", "pcm_16", 16000, 1, 7.5)
    starts = 2 * np.arange(len(rows), dtype=np.float32)
    track = Track(starts, rows, 4.0, **changes)
    return Heard(Excerpt("x.wav"), origin, {"space": track}, (TRACE,), warnings)


def test_a_known_clip_is_named_with_every_figure():
    verdict = judge_of().judge(heard([0.9, 0.1, 0.2], [0.8, 0.3, 0.1]))
    windows = Nearest().score({}, Rows(), heard([0.9, 0.1, 0.2], [0.8, 0.3, 0.1]).tracks["space"].embeddings)
    values, knownness = windows.values.mean(axis=0, dtype=np.float64), windows.knownness.mean(dtype=np.float64)
    log10_lr = min(2.0, (1.5 * knownness - 9.0) / np.log(10))
    unknown = 1 / (1 + 10**log10_lr)
    share = np.exp(values / 2) / np.exp(values / 2).sum()
    assert (verdict.verdict, verdict.source, verdict.family) == ("known", "alpha", "alpha family")
    assert verdict.knownness == pytest.approx(knownness, rel=1e-6)
    assert (verdict.threshold, verdict.duration, verdict.sha256) == (6.0, 7.5, "ab")
    assert verdict.log10_lr == pytest.approx(log10_lr)
    assert verdict.support == support(log10_lr)
    assert verdict.unknown_probability == pytest.approx(unknown)
    assert verdict.p_value == (1 + sum(k <= knownness for k in CALIBRATION.known)) / 5
    assert [rank.source for rank in verdict.ranking] == ["alpha", "beta", "gamma"]
    np.testing.assert_allclose([rank.probability for rank in verdict.ranking], (1 - unknown) * share, rtol=1e-5)
    assert verdict.probability == verdict.ranking[0].probability
    assert verdict.registry == {"name": "made", "version": 3, "sources": 3}
    assert verdict.warnings == ()


def test_probability_and_unknown_probability_share_the_whole():
    for strength in (0.1, 0.5, 2.0):
        verdict = judge_of().judge(heard([strength, 0.3, 0.1, 1.0]), top=0)
        total = sum(rank.probability for rank in verdict.ranking) + verdict.unknown_probability
        assert total == pytest.approx(1.0)


def test_an_unknown_clip_has_no_source_and_still_its_ranking():
    verdict = judge_of().judge(heard([0.3, 0.2, 0.1, 0.0, 1.0]))
    assert (verdict.verdict, verdict.source, verdict.family) == ("unknown", None, None)
    assert verdict.knownness < verdict.threshold
    assert verdict.unknown_probability > 0.5 > verdict.probability
    assert verdict.ranking[0].source == "alpha"
    assert "against" in verdict.support


def test_the_threshold_itself_is_known():
    asked = heard([0.3, 0.2, 0.1, 0.0, 1.0])
    at = judge_of().judge(asked).knownness
    for threshold, answer in ((at, "known"), (np.nextafter(at, np.inf), "unknown")):
        calibration = Calibration.from_dict({**CALIBRATION.to_dict(), "threshold": float(threshold)})
        assert judge_of(calibration).judge(asked).verdict == answer


def test_top_shortens_the_ranking_and_nothing_else():
    whole, short = (judge_of().judge(heard([0.9, 0.1, 0.2]), top=top) for top in (0, 2))
    assert len(whole.ranking) == 3
    assert short.ranking == whole.ranking[:2]
    assert short.probability == whole.probability


def test_similarity_is_the_cosine_to_the_nearest_reference():
    asked = heard([0.9, 0.1, 0.2], [0.1, 0.9, 0.2])
    mean = asked.tracks["space"].embeddings.astype(np.float64).mean(axis=0)
    cosines = ROWS @ (mean / np.linalg.norm(mean))
    expected = {source: cosines[k == LABELS].max() for k, source in enumerate(SOURCES)}
    found = {rank.source: rank.similarity for rank in judge_of().judge(asked).ranking}
    assert found == pytest.approx(expected, abs=1e-6)


def test_evidence_is_the_nearest_references_each_clip_once():
    evidence = judge_of().judge(heard([0.9, 0.1, 0.2])).evidence
    norm = np.linalg.norm([0.9, 0.1, 0.2])
    assert [(each.source, each.clip) for each in evidence] == [("alpha", "a1"), ("alpha", "a2"), ("gamma", "g1")]
    np.testing.assert_allclose([each.similarity for each in evidence], np.array([0.9, 0.9, 0.2]) / norm, rtol=1e-6)


def test_segments_answer_for_each_window():
    asked = heard([1.0], [0.1, 0.1, 0.1, 1.0], [0.0, 0.0, 1.0])
    verdict = judge_of().judge(asked, segments=True)
    assert [each.source for each in verdict.segments] == ["alpha", None, "gamma"]
    assert [(each.start, each.end) for each in verdict.segments] == [(0.0, 4.0), (2.0, 6.0), (4.0, 8.0)]
    assert np.mean([each.knownness for each in verdict.segments]) == pytest.approx(verdict.knownness)
    assert judge_of().judge(asked).segments == ()


def test_without_calibration_nothing_is_claimed():
    verdict = judge_of(calibration=None).judge(heard([1.0]), segments=True)
    assert (verdict.verdict, verdict.source, verdict.warnings) == ("abstain", None, (UNCALIBRATED,))
    claims = ("threshold", "probability", "unknown_probability", "p_value", "log10_lr", "support", "error")
    assert [getattr(verdict, claim) for claim in claims] == [None] * len(claims)
    assert verdict.ranking[0].source == "alpha"
    assert verdict.ranking[0].probability is None
    assert [each.source for each in verdict.segments] == [None]


def test_without_sources_nothing_is_asked():
    empty = SimpleNamespace(sources=())
    verdict = judge_of(gallery=empty).judge(heard([1.0]))
    assert (verdict.verdict, verdict.knownness, verdict.ranking) == ("abstain", None, ())
    assert "earwitness enroll" in verdict.warnings[0]


def test_what_cannot_be_heard_is_an_error_and_what_cannot_be_judged_an_abstention():
    error = judge_of().judge(Heard(Excerpt("x.wav"), error=AudioError("torn")))
    assert (error.verdict, error.error, error.sha256, error.warnings) == ("error", "torn", None, ())
    mute = judge_of().judge(heard(abstention="silent", warnings=("cut short",)))
    assert (mute.verdict, mute.error, mute.warnings) == ("abstain", None, ("silent", "cut short"))
    assert mute.duration == 7.5


def test_a_calibration_older_than_the_rows_is_told():
    (told,) = judge_of(current=False).judge(heard([1.0])).warnings
    assert told == "calibrated before clips came or went: run 'earwitness calibrate' again"
    fewer = Calibration.from_dict({**CALIBRATION.to_dict(), "sources": ["alpha", "beta"]})
    (told,) = judge_of(fewer, current=False).judge(heard([1.0])).warnings
    assert told.startswith("calibrated before gamma came or went")


def test_traces_stand_beside_every_answer():
    answers = {
        "known": heard([1.0]),
        "unknown": heard([0.3, 0.2, 0.1, 0.0, 1.0]),
        "abstain": heard(abstention="silent"),
    }
    for verdict, asked in answers.items():
        found = judge_of().judge(asked)
        assert (found.verdict, found.traces) == (verdict, (TRACE,))
    assert judge_of().judge(Heard(Excerpt("x.wav"), error=AudioError("torn"))).traces == ()


def test_a_window_as_long_as_its_clip_is_one_segment():
    asked = heard([1.0])
    track = replace(asked.tracks["space"], seconds=7.5)
    (segment,) = judge_of().judge(replace(asked, tracks={"space": track}), segments=True).segments
    assert (segment.start, segment.end) == (0.0, 7.5)
