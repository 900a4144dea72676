"""A judge: threshold, calibrated figures, ranking, evidence and timeline, against formulas written here."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp

from earwitness.calibration import Calibration, LikelihoodRatio, support
from earwitness.deciding import NOTHING_ENROLLED, UNCALIBRATED, Judge
from earwitness.errors import AudioError
from earwitness.fusion import Fusion
from earwitness.listening import Excerpt, Heard, Track
from earwitness.model import Model
from earwitness.quality import Quality
from earwitness.types import Card, Origin, Scores, Share, Trace

SOURCES = ("alpha", "beta", "gamma")
ROWS = np.eye(8, dtype=np.float32)[[0, 1, 2, 0, 1]]
LABELS = np.array([0, 1, 2, 0, 0])
PATHS = ("a1", "b1", "g1", "a2")
OF_CLIP = np.array([0, 1, 2, 3, 3])  # the last two rows are windows of one clip


@dataclass(frozen=True)
class Rows:
    """Five rows of three sources, searched in full."""

    sources: tuple[str, ...] = SOURCES
    heads: np.ndarray = field(default_factory=lambda: np.zeros((len(SOURCES), ROWS.shape[1]), np.float32))
    embeddings, labels, clips = ROWS, LABELS, OF_CLIP

    def search(self, queries, k):
        cosines = queries @ ROWS.T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(cosines, order, axis=1), order

    def reference(self, row):
        return SOURCES[LABELS[row]], PATHS[OF_CLIP[row]]


@dataclass(frozen=True)
class Nearest:
    """Ten times the best cosine to each source; knownness is the best of these."""

    name: ClassVar[str] = "nearest"
    scale: float = 10.0

    def score(self, _state, gallery, queries):
        cosines = queries @ gallery.embeddings.T
        values = self.scale * np.stack(
            [cosines[:, k == LABELS].max(axis=1) for k in range(len(gallery.sources))], axis=1
        )
        return Scores(values, values.max(axis=1))


TRACE = Trace("upsampling", 80.0, "24 kHz, hop 300", 9.1, 1e-8, (15, 30), 0.0, 7.5)

CALIBRATION = Calibration(
    sources=SOURCES,
    far=0.05,
    threshold=6.0,
    temperature=2.0,
    ratio=LikelihoodRatio.line(slope=1.5, intercept=-9.0, lowest=-2.0, highest=2.0),
    strangers=99,
    known=(5.0, 7.0, 8.0, 9.0),
    truths=(0.9, 0.95),
)


def judge_of(calibration=CALIBRATION, gallery=None, current=True, names=("test",), cards=()):
    """A judge of experts of these names, in the spaces 'space', 'space 1' ...; each scores ten times as high."""
    models = [
        Model(SimpleNamespace(name=name, task="system", window=4.0, scorer=Nearest(10.0 ** (k + 1))), SPACES[k], None)
        for k, name in enumerate(names)
    ]
    registry = SimpleNamespace(
        name="made",
        version=3,
        gallery=lambda _: gallery or Rows(),
        card=lambda source: Card(source, family=f"{source} family"),
        cards=lambda _: [Card(source, family=f"{source} family") for source in SOURCES],
        calibration=lambda _: calibration and calibration.to_dict(),
        calibration_is_current=lambda _: current,
        load_state=lambda *_: {},
    )
    return Judge(registry, tuple(models), cards)


SPACES = ("space", "space 1", "space 2")


def track_of(*vectors, seconds=4.0, every=2.0, **changes):
    """Windows of some seconds, some seconds apart, that point in these directions, (8,) each."""
    rows = np.zeros((len(vectors), 8), np.float32)
    for row, vector in zip(rows, vectors, strict=True):
        row[: len(vector)] = vector
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Track(every * np.arange(len(rows), dtype=np.float32), rows, seconds, **changes)


def heard(*vectors, warnings=(), **changes):
    """What one expert heard in windows of four seconds, two seconds apart."""
    return heard_by(track_of(*vectors, **changes), warnings=warnings)


def heard_by(*tracks, warnings=(), traces=(TRACE,)):
    """What several experts heard in one file."""
    origin = Origin("x.wav", "ab", "cd", "wav", "pcm_16", 16000, 1, 7.5)
    named = dict(zip(SPACES, tracks, strict=False))
    return Heard(Excerpt("x.wav"), origin, named, traces, Quality(7.5, 8000.0, 25.0, lossless=True), warnings)


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
    empty = Rows(sources=())
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


NAMES = ("near", "far")
MERITS = np.array([1.0, 0.75, 1.0, 0.5, 1.0])
RULE = Fusion(
    experts=NAMES,
    centres=[4.0, 40.0],
    widths=[1.5, 12.5],
    middles=[6.0, 60.0],
    spreads=[1.0, 15.0],
    weights=[[0.5, 0.2, 0.0, 0.1, 0.0], [0.0, 1.0, 0.0, 2.0, 0.3]],
    trust=[0.1, 0.4],
    offset=-1.5,
)
FUSED = replace(CALIBRATION, fusion=RULE, experts=NAMES, threshold=1.0)
ALPHA, BETA = track_of([0.9, 0.1, 0.2], [0.8, 0.3, 0.1]), track_of([0.2, 0.7, 0.1], seconds=7.5)


def said(track, scale):
    """Values (K,) and knownness of one expert, by the formula."""
    cosines = track.embeddings.astype(np.float64) @ ROWS.T
    values = scale * np.stack([cosines[:, k == LABELS].max(axis=1) for k in range(3)], axis=1)
    return values.mean(axis=0), values.max(axis=1).mean()


def shares_of(*tracks):
    """What each expert adds to each source's logit (E, K) by the formula of the rule, 0 where it abstains."""
    shares = np.zeros((2, 3))
    for e, track in enumerate(tracks):
        if not track.abstention:
            values, knownness = said(track, (10.0, 100.0)[e])
            weight = np.dot(RULE.weights[e], MERITS)
            shares[e] = weight * (values - RULE.centres[e]) / RULE.widths[e]
            shares[e] += RULE.trust[e] * (knownness - RULE.middles[e]) / RULE.spreads[e]
    return shares


@given(arrays(np.float32, (3, 8), elements=st.floats(0.125, 1.0, width=32)))
def test_an_expert_alone_answers_with_its_scorers_own_figures(vectors):
    judge, asked = judge_of(), heard(*vectors)
    (windows,) = judge.scores(asked)
    pooled = windows.pooled()
    for fusion in (None, RULE):
        fused = judge.fused(judge.opinions(asked, (windows,)), fusion)
        assert fused.values.dtype == fused.knownness.dtype == np.float32
        np.testing.assert_array_equal(fused.values, pooled.values)
        np.testing.assert_array_equal(fused.knownness, pooled.knownness)
    verdict = judge.judge(asked)
    assert (verdict.knownness, verdict.experts, verdict.space) == (float(pooled.knownness[0]), (), "space")
    assert (verdict.pipeline, verdict.siblings) == ("test", ())


def test_several_experts_are_one_by_the_rule_and_each_is_told_its_share():
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(ALPHA, BETA), top=0)
    shares = shares_of(ALPHA, BETA)
    logits = shares.sum(axis=0) + RULE.offset
    best = int(logits.argmax())
    assert verdict.knownness == pytest.approx(logsumexp(logits), rel=1e-6)
    assert [rank.source for rank in verdict.ranking] == [SOURCES[k] for k in np.argsort(-logits)]
    assert [each.expert for each in verdict.experts] == [NAMES[e] for e in np.argsort(-shares[:, best])]
    np.testing.assert_allclose([each.share for each in verdict.experts], np.sort(shares[:, best])[::-1], rtol=1e-6)
    assert (verdict.pipeline, len(verdict.space)) == ("near+far", 16)
    assert verdict.space not in SPACES


@pytest.mark.parametrize(("tracks", "lead"), [((ALPHA, BETA), 1), ((track_of([1.0]), track_of([0.1, 0, 0, 1.0])), 0)])
def test_evidence_is_of_the_expert_that_carries_the_answer(tracks, lead):
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(*tracks))
    assert verdict.experts[0].expert == NAMES[lead]
    nearest = (tracks[lead].embeddings @ ROWS.T).max()
    assert verdict.evidence[0].similarity == pytest.approx(nearest, rel=1e-6)
    similarity = {rank.source: rank.similarity for rank in verdict.ranking}
    assert similarity["beta"] == pytest.approx(float(tracks[lead].mean[1]), rel=1e-6)


def test_an_expert_that_abstains_says_so_and_the_others_answer():
    mute = track_of(abstention="silent", warnings=("silent: 100% of windows left out",))
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(ALPHA, mute), segments=True)
    shares = shares_of(ALPHA, mute)
    assert verdict.knownness == pytest.approx(logsumexp(shares.sum(axis=0) + RULE.offset), rel=1e-6)
    assert {each.expert: each.share for each in verdict.experts}["far"] == 0.0
    assert verdict.verdict == "known"
    assert verdict.warnings == ("silent: 100% of windows left out", "expert 'far' abstains: silent")
    assert verdict.evidence[0].similarity == pytest.approx((ALPHA.embeddings @ ROWS.T).max(), rel=1e-6)
    assert len(verdict.segments) == 2


def test_the_first_expert_may_abstain_even_where_its_silence_weighs_most():
    """Both others speak against every source, and so an expert that says nothing has the highest share."""
    against = track_of([0.0, 0.0, 0.0, 1.0])
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(track_of(abstention="silent"), against))
    assert verdict.experts[0] == Share("near", 0.0)
    assert verdict.experts[1].share < 0
    assert (verdict.verdict, verdict.evidence[0].similarity) == ("unknown", 0.0)


def test_where_all_experts_abstain_there_is_no_answer():
    mute = heard_by(track_of(abstention="silent"), track_of(abstention="too short"), warnings=("cut short",))
    verdict = judge_of(FUSED, names=NAMES).judge(mute)
    assert (verdict.verdict, verdict.warnings, verdict.experts) == ("abstain", ("silent", "cut short"), ())


def test_warnings_that_experts_share_are_told_once():
    tracks = (track_of([1.0], warnings=("repeated",)), track_of([1.0], warnings=("repeated", "clipped")))
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(*tracks, warnings=("cut short",)))
    assert verdict.warnings == ("cut short", "repeated", "clipped")


def test_before_calibration_experts_count_alike_and_claim_nothing():
    verdict = judge_of(None, names=NAMES).judge(heard_by(ALPHA, BETA), segments=True)
    assert (verdict.verdict, verdict.warnings, verdict.experts) == ("abstain", (UNCALIBRATED,), ())
    values = np.array([said(ALPHA, 10)[0], said(BETA, 100)[0]])
    z = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    assert verdict.knownness == pytest.approx(z.mean(axis=0).max(), rel=1e-5)
    assert verdict.ranking[0].source == SOURCES[z.mean(axis=0).argmax()]
    assert {each.source for each in verdict.segments} == {None}


@pytest.mark.parametrize(
    ("calibration", "names"),
    [(CALIBRATION, NAMES), (FUSED, ("near", "other")), (FUSED, ("far", "near")), (FUSED, ("near",))],
)
def test_the_calibration_of_other_experts_is_none_of_these(calibration, names):
    judge = judge_of(calibration, names=names)
    assert (judge.calibration, judge.fusion, judge.stale) == (None, None, None)
    assert judge.judge(heard_by(ALPHA, BETA)).warnings == (UNCALIBRATED,)


def test_a_source_enrolled_after_calibration_is_answered_for_too():
    judge = judge_of(replace(FUSED, sources=SOURCES[:2]), names=NAMES, current=False)
    gamma = track_of([0.0, 0.1, 1.0])
    verdict = judge.judge(heard_by(gamma, gamma))
    assert (verdict.verdict, verdict.source) == ("known", "gamma")
    assert verdict.warnings == ("calibrated before gamma came or went: run 'earwitness calibrate' again",)
    total = sum(rank.probability for rank in verdict.ranking) + verdict.unknown_probability
    assert total == pytest.approx(1.0)


def test_no_answer_depends_on_what_else_is_asked():
    judge = judge_of(FUSED, names=NAMES)
    rng = np.random.default_rng(0)
    clips = [heard_by(*(track_of(*rng.random((3, 8))) for _ in NAMES)) for _ in range(50)]
    opinions = [judge.opinions(clip, judge.scores(clip)) for clip in clips]
    together = judge.fused(type(opinions[0]).joined(opinions), judge.fusion)
    alone = [judge.fused(each, judge.fusion) for each in opinions]
    np.testing.assert_array_equal(together.values, np.concatenate([each.values for each in alone]))
    np.testing.assert_array_equal(together.knownness, np.concatenate([each.knownness for each in alone]))


def test_the_timeline_is_of_the_expert_that_cuts_most_and_the_others_speak_of_the_whole():
    fine = track_of([1.0], [0.0, 1.0], [0.0, 0.0, 1.0], seconds=1.0, every=1.0)
    whole = track_of([1.0, 0.2], seconds=3.0)
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(fine, whole), segments=True)
    assert [(each.start, each.end) for each in verdict.segments] == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    for at, segment in enumerate(verdict.segments):
        window = Track(fine.starts[at : at + 1], fine.embeddings[at : at + 1], 1.0)
        logits = shares_of(window, whole).sum(axis=0) + RULE.offset
        assert segment.knownness == pytest.approx(logsumexp(logits), rel=1e-6)
        assert segment.source == (SOURCES[logits.argmax()] if logsumexp(logits) >= 1.0 else None)


def test_experts_that_cut_alike_answer_window_by_window():
    one, two = track_of([1.0], [0.0, 1.0]), track_of([1.0, 0.1], [0.2, 1.0])
    verdict = judge_of(FUSED, names=NAMES).judge(heard_by(one, two), segments=True)
    for at, segment in enumerate(verdict.segments):
        windows = (Track(each.starts[at : at + 1], each.embeddings[at : at + 1], 4.0) for each in (one, two))
        assert segment.knownness == pytest.approx(logsumexp(shares_of(*windows).sum(axis=0) + RULE.offset), rel=1e-6)


def test_of_a_panel_the_first_rule_answers_until_another_is_asked_or_chosen():
    one, ten = Nearest(1.0), type("Ten", (Nearest,), {"name": "ten"})(10.0)
    pipeline = SimpleNamespace(
        name="test", task="system", window=4.0, scorer=SimpleNamespace(name="x", scorers=(one, ten))
    )
    judge, asked = judge_of(None), heard([1.0, 0.2], [0.3, 0.9])
    by_panel = replace(judge, models=(replace(judge.models[0], pipeline=pipeline),))
    assert by_panel.panels == (("test/nearest", "test/ten"),)
    (first,) = by_panel.scores(asked)
    both = replace(by_panel, asked=by_panel.panels[0]).scores(asked)
    np.testing.assert_array_equal(first.values, both[0].values)
    np.testing.assert_allclose(10 * first.values, both[1].values, rtol=1e-6)
    calibrated = replace(judge_of(replace(CALIBRATION, experts=("test/ten",))), models=by_panel.models)
    assert [expert.name for expert in calibrated.experts] == ["test/ten"]
    assert calibrated.judge(asked).threshold == CALIBRATION.threshold
    assert by_panel.mean(asked) == pytest.approx(judge.mean(asked))


def test_the_product_of_means_is_the_mean_cosine_over_experts():
    judge = judge_of(FUSED, names=NAMES)
    other = track_of([0.1, 0.5, 0.9]), track_of([0.3, 0.4, 0.0])
    product = judge.mean(heard_by(ALPHA, BETA)) @ judge.mean(heard_by(*other))
    assert product == pytest.approx(np.mean([ALPHA.mean @ other[0].mean, BETA.mean @ other[1].mean]), rel=1e-6)


def test_siblings_are_answered_as_a_set_with_the_probability_of_all():
    judge = judge_of(replace(CALIBRATION, siblings=(("alpha", "beta"),)))
    named, other = judge.judge(heard([0.9, 0.1, 0.2]), top=1), judge.judge(heard([0.1, 0.1, 0.9]), top=0)
    ranking = {rank.source: rank.probability for rank in judge.judge(heard([0.9, 0.1, 0.2]), top=0).ranking}
    assert (named.source, named.siblings) == ("alpha", ("alpha", "beta"))
    assert named.probability == pytest.approx(ranking["alpha"] + ranking["beta"])
    assert named.probability > named.ranking[0].probability
    assert (other.source, other.siblings, other.probability) == ("gamma", (), other.ranking[0].probability)
    unknown = judge.judge(heard([0.3, 0.2, 0.1, 0.0, 1.0]))
    assert (unknown.verdict, unknown.source, unknown.siblings) == ("unknown", None, ())


SUSPECTED = Card("kokoro", family="styletts2", native_rate=24000, hop=300)


def test_an_unknown_clip_is_suspected_by_its_lattice():
    judge = judge_of(cards=(SUSPECTED, Card("piper", family="vits", native_rate=22050, hop=256)))
    unknown, known = judge.judge(heard([0.3, 0.2, 0.1, 0.0, 1.0])), judge.judge(heard([1.0]))
    assert (unknown.suspects, unknown.family) == (("kokoro",), "styletts2")
    assert (known.suspects, known.family) == (("kokoro",), "alpha family")
    mute = judge.judge(heard(abstention="silent"))
    assert (mute.verdict, mute.suspects, mute.family) == ("abstain", ("kokoro",), "styletts2")
    plain = judge.judge(heard_by(track_of([0.3, 0.2, 0.1, 0.0, 1.0]), traces=()))
    assert (plain.suspects, plain.family) == ((), None)


def test_a_registrys_own_card_goes_before_a_plugins():
    judge = judge_of(cards=(replace(SUSPECTED, id="alpha"), SUSPECTED))
    assert judge.judge(heard([1.0])).suspects == ("kokoro",)


def test_without_sources_suspects_are_named_still():
    verdict = judge_of(gallery=Rows(sources=()), cards=(SUSPECTED,)).judge(heard([1.0]))
    assert (verdict.suspects, verdict.warnings) == (("kokoro",), (NOTHING_ENROLLED,))
