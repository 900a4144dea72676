"""Rules over distances against their definitions in double precision, and against other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors
from scipy.stats import multivariate_normal, ortho_group, spearmanr
from sklearn import covariance
from sklearn.decomposition import PCA
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from earwitness.contracts import Scorer, ScorerPanel
from earwitness.errors import PipelineError
from earwitness.scatter import scatter
from earwitness.subset import Subset
from earwitness_scorers import Auto, Mahalanobis, NearestNeighbours, Plda, Rmds, ZMin
from earwitness_scorers.anomalies import density_ratios, kth_of_other_clips, principal_axes
from earwitness_scorers.plda import scatter_of_clips
from earwitness_scorers.vim import residuals
from earwitness_scorers.zmin import folds, moments

SCORERS = [NearestNeighbours(), Mahalanobis(), Rmds(), Plda(), ZMin(), ZMin(fusion="mean")]


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def gallery(rows, labels, clips=None):
    """Unit rows (N, d), each a clip of its own unless told."""
    labels, clips = np.asarray(labels), np.arange(len(labels)) if clips is None else clips
    sources = tuple(f"s{k}" for k in range(labels.max() + 1))
    heads = np.zeros((len(sources), rows.shape[1]), np.float32)
    return Subset(sources, heads, unit(rows), labels, clips, labels)


def clouds(clips=(12, 10, 8, 6), windows=3, dims=12, spread=0.3, seed=0):
    """Clips of several windows, which lie nearer to one another than to other clips of their source."""
    rng = np.random.default_rng(seed)
    clip = np.repeat(np.arange(sum(clips)), windows)
    labels = np.repeat(np.arange(len(clips)), np.multiply(clips, windows))
    centres = unit(rng.normal(size=(len(clips), dims)))
    rows = centres[labels] + spread * rng.normal(size=(sum(clips), dims))[clip]
    return gallery(rows + 0.1 * rng.normal(size=rows.shape), labels, clip)


def asked(count=60, dims=12, seed=9):
    """Queries like the clouds' rows, and strangers."""
    return np.concatenate(
        [clouds(dims=dims, seed=0).embeddings[::5], unit(np.random.default_rng(seed).normal(size=(count, dims)))]
    )


def scored(scorer, enrolled, queries):
    return scorer.score(scorer.fit(enrolled), enrolled, queries)


def means_of(enrolled):
    rows = enrolled.embeddings.astype(float)
    return np.stack([rows[enrolled.labels == k].mean(axis=0) for k in range(len(enrolled.sources))])


def squared(apart, matrix):
    """(B, K, d) under a covariance -> (B, K)."""
    return np.einsum("bki,ij,bkj->bk", apart, np.linalg.inv(matrix), apart)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@pytest.mark.parametrize("windows", [1, 3])
def test_one_source_of_three_rows_is_told_from_its_opposite(scorer, windows):
    """Three clips of one window, or one clip of three."""
    rows = np.ones(8) + 0.2 * np.random.default_rng(1).normal(size=(3, 8))
    enrolled = gallery(rows, np.zeros(3, int), np.arange(3) // windows)
    scores = scored(scorer, enrolled, np.concatenate([enrolled.embeddings, -enrolled.embeddings]))
    assert scores.values.shape == (6, 1)
    assert scores.values.dtype == scores.knownness.dtype == np.float32
    assert np.isfinite(scores.values).all()
    assert scores.knownness[:3].min() > scores.knownness[3:].max()


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@pytest.mark.parametrize("spread", [0.0, 1e-7])
def test_rows_that_do_not_scatter_and_a_query_of_nothing_are_finite(scorer, spread):
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 8), 4, axis=0) + spread * rng.normal(size=(12, 8))
    enrolled = gallery(rows, np.repeat(np.arange(3), 4))
    scores = scored(scorer, enrolled, np.concatenate([np.eye(3, 8), np.zeros((1, 8)), -np.eye(1, 8)]).astype("f"))
    assert scores.values[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert np.isfinite(scores.values).all()
    assert np.isfinite(scores.knownness).all()
    assert scores.knownness[:3].min() > scores.knownness[3:].max()


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_all_rows_alike_are_finite(scorer):
    enrolled = gallery(np.ones((6, 8)), [0, 0, 1, 1, 2, 2])
    scores = scored(scorer, enrolled, unit(np.concatenate([np.ones((1, 8)), np.eye(8)])))
    assert np.isfinite(scores.values).all()
    assert np.isfinite(scores.knownness).all()
    np.testing.assert_allclose(scores.values[0], scores.values[0, 0], atol=1e-4)  # no source is preferred


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_a_query_is_judged_on_its_own_and_always_alike(scorer):
    enrolled = clouds()
    queries = unit(np.random.default_rng(3).normal(size=(300, 12)))
    together, again = scored(scorer, enrolled, queries), scored(scorer, enrolled, queries)
    np.testing.assert_array_equal(together.values, again.values)
    np.testing.assert_array_equal(together.knownness, again.knownness)
    for i in (0, 260, 299):
        alone = scored(scorer, enrolled, queries[i : i + 1])
        np.testing.assert_allclose(alone.values[0], together.values[i], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(alone.knownness[0], together.knownness[i], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_turning_the_space_changes_nothing(scorer, seed):
    turn = ortho_group.rvs(12, random_state=seed)
    enrolled, queries = clouds(), asked()
    turned = gallery(enrolled.embeddings @ turn, enrolled.labels, enrolled.clips)
    before, after = scored(scorer, enrolled, queries), scored(scorer, turned, (queries @ turn).astype(np.float32))
    np.testing.assert_allclose(after.values, before.values, rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(after.knownness, before.knownness, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("scorer", [Rmds(), Plda(), ZMin(), ZMin(fusion="mean")], ids=repr)
def test_sources_are_named_and_strangers_told_apart(scorer):
    rows = clouds(clips=(24, 20, 16, 12), seed=4)
    enrolled, known = rows.clips % 2 == 0, rows.clips % 2 == 1
    half = gallery(rows.embeddings[enrolled], rows.labels[enrolled], rows.clips[enrolled])
    own = scored(scorer, half, rows.embeddings[known])
    strange = scored(scorer, half, unit(np.random.default_rng(5).normal(size=(200, 12))))
    assert (own.values.argmax(axis=1) == rows.labels[known]).mean() > 0.85
    assert (own.knownness[:, None] > strange.knownness).mean() > 0.8


def test_a_far_source_leaves_the_nearest_neighbours_of_others_as_they_were():
    enrolled, queries = clouds(clips=(12, 12)), clouds(clips=(12, 12)).embeddings[::7]
    far = np.concatenate([enrolled.embeddings, -enrolled.embeddings[:9]])
    more = gallery(far, np.append(enrolled.labels, [2] * 9), np.append(enrolled.clips, 100 + np.arange(9)))
    before, after = (scored(NearestNeighbours(), each, queries) for each in (enrolled, more))
    np.testing.assert_allclose(after.values[:, :2], before.values, atol=1e-5)
    np.testing.assert_allclose(after.knownness, before.knownness, atol=1e-6)
    np.testing.assert_allclose(density_ratios(more, queries, 5), density_ratios(enrolled, queries, 5), rtol=1e-4)


@pytest.mark.parametrize("clips", [(20, 16, 12), (16,)], ids=str)
def test_rmds_is_the_distance_less_that_to_all_rows(clips):
    enrolled, queries = clouds(clips, windows=10), asked()  # more than ten rows a dimension: no projection
    means, rows = means_of(enrolled), enrolled.embeddings.astype(float)
    within, _ = covariance.ledoit_wolf(rows - means[enrolled.labels], assume_centered=True)
    middle = means.mean(axis=0) if len(means) > 1 else np.zeros(12)
    total = within + np.mean([np.outer(mean - middle, mean - middle) for mean in means], axis=0)
    own, all_rows = (squared(queries[:, None] - centre, s) for centre, s in ((means, within), (middle, total)))
    scores = scored(Rmds(), enrolled, queries)
    np.testing.assert_allclose(scores.values, -0.5 * (own - all_rows), rtol=1e-3, atol=5e-3)
    np.testing.assert_allclose(scores.knownness, np.arcsinh(scores.values.max(axis=1)), rtol=1e-5)


def test_the_background_of_rmds_is_what_all_rows_scatter():
    """By the law of total variance, but for the shrinkage, which vanishes as rows become many."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 5000)
    enrolled = gallery(unit(rng.normal(size=(4, 6)))[labels] + 0.2 * rng.normal(size=(20000, 6)), labels)
    state = Rmds().fit(enrolled)
    way = (state["whitener"] @ state["background"]).astype(float)
    total = np.cov(enrolled.embeddings.T.astype(float), bias=True)
    np.testing.assert_allclose(way.T @ total @ way, np.eye(6), atol=0.02)


def test_the_background_of_rmds_scatters_along_no_direction_less_than_sources_do():
    """Or what lies far out along it would count as better known; covariances shrunk apart do just that."""
    rows = np.eye(3, 8)[np.repeat(np.arange(3), 30)] + 0.3 * np.random.default_rng(0).normal(size=(90, 8))
    enrolled = gallery(rows, np.repeat(np.arange(3), 30))
    state = Rmds().fit(enrolled)
    way = state["whitener"].astype(float) @ state["background"]
    lead = state["whitener"].astype(float) @ state["whitener"].T - way @ way.T  # S^-1 - S_0^-1
    assert np.linalg.eigvalsh(lead).min() > -1e-4 * np.trace(lead)


def two_covariances(enrolled, within, between):
    """m (d,), the m_c (K, d), B and W (d, d), from clips one by one."""
    rows, dims = enrolled.embeddings.astype(float), enrolled.embeddings.shape[1]
    clips = [
        [rows[enrolled.clips == c] for c in np.unique(enrolled.clips[enrolled.labels == k])]
        for k in range(len(enrolled.sources))
    ]
    means = np.array([np.mean([clip.mean(axis=0) for clip in own], axis=0) for own in clips])
    spread = np.mean(
        [
            np.mean([(clip - m).T @ (clip - m) / len(clip) for clip in own], axis=0)
            for own, m in zip(clips, means, strict=True)
        ],
        axis=0,
    )
    middle = means.mean(axis=0)
    raw = np.cov(means.T) - spread * np.mean([1 / len(own) for own in clips])
    lengths, axes = np.linalg.eigh(raw)
    raw = axes @ np.diag(np.maximum(lengths, 0)) @ axes.T
    even = [share * np.trace(m) / dims * np.eye(dims) for share, m in ((between, raw), (within, spread))]
    return middle, means, (1 - between) * raw + even[0], (1 - within) * spread + even[1]


@pytest.mark.parametrize(("within", "between"), [(0.0, 0.0), (0.7, 0.9), (1.0, 1.0)])
def test_plda_is_the_ratio_of_joint_likelihoods(within, between):
    """Query and clips as one long normal vector, with and without a mean in common."""
    enrolled = clouds(clips=(4, 1, 2, 3, 2, 4, 3), windows=2, dims=3)
    queries = asked(10, dims=3)
    middle, _, b, w = two_covariances(enrolled, within, between)
    scores = scored(Plda(within=within, between=between), enrolled, queries)
    rows = enrolled.embeddings.astype(float)
    for k in range(7):
        own = np.unique(enrolled.clips[enrolled.labels == k])
        clips = [rows[enrolled.clips == c].mean(axis=0) - middle for c in own]

        def density(vectors, b=b, w=w):
            count = len(vectors)
            joint = np.kron(np.ones((count, count)), b) + np.kron(np.eye(count), w)
            return multivariate_normal.logpdf(np.concatenate(vectors), np.zeros(3 * count), joint)

        expected = [
            density([q - middle, *clips]) - density([q - middle]) - density(clips) for q in queries.astype(float)
        ]
        np.testing.assert_allclose(scores.values[:, k], expected, rtol=1e-3, atol=1e-3)
    together = np.log(np.exp(scores.values.astype(float)).mean(axis=1))
    np.testing.assert_allclose(scores.knownness, together, rtol=1e-4, atol=1e-4)


def speechbrain_scores(module, vectors, queries, middle, b, w):
    """SpeechBrain's log-likelihood ratios of vectors (K, d) that are a source each, (B, K)."""

    def sessions(rows, letter):
        names = np.array([f"{letter}{i:04d}" for i in range(len(rows))], dtype=object)
        none, ones = np.full(len(rows), None), np.ones((len(rows), 1))
        return module.StatObject_SB(names, names, none, none, ones, rows.astype(float))

    enrolled, tested = sessions(vectors, "m"), sessions(queries, "t")
    trials = module.Ndx(models=enrolled.modelset, testsegs=tested.segset)
    root = np.linalg.cholesky(b)
    return module.fast_PLDA_scoring(enrolled, tested, trials, middle, root, w).scoremat.T


def test_plda_gives_the_verification_scores_of_speechbrain():
    module = pytest.importorskip("speechbrain.processing.PLDA_LDA")
    enrolled, queries = clouds(clips=(1,) * 30, windows=6, dims=6), asked(40, dims=6)
    middle, means, b, w = two_covariances(enrolled, 0.7, 0.9)
    theirs = speechbrain_scores(module, means, queries, middle, b, w)
    np.testing.assert_allclose(scored(Plda(), enrolled, queries).values, theirs, rtol=1e-3, atol=2e-3)


def test_plda_learns_in_closed_form_what_speechbrain_learns_by_iteration():
    module = pytest.importorskip("speechbrain.processing.PLDA_LDA")
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(200), 8)
    rows = 0.5 * np.eye(1, 5) + (rng.normal(size=(200, 5)) * [0.3, 0.25, 0.2, 0.15, 0.1])[labels]
    enrolled = gallery(rows + 0.1 * rng.normal(size=(1600, 5)), labels)
    names = np.array([f"m{k:04d}" for k in labels], dtype=object)
    sessions = np.array([f"s{i:04d}" for i in range(1600)], dtype=object)
    none, ones = np.full(1600, None), np.ones((1600, 1))
    theirs = module.PLDA(rank_f=5, nb_iter=20)
    theirs.plda(module.StatObject_SB(names, sessions, none, none, ones, enrolled.embeddings.astype(float)))
    _, _, b, w = two_covariances(enrolled, 0.0, 0.0)
    for ours, other in ((b, theirs.F @ theirs.F.T), (w, theirs.Sigma)):
        assert np.corrcoef(ours.ravel(), other.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("clips", [(4, 1, 3), (5,)], ids=str)
def test_the_scatter_of_plda_is_that_of_cells_with_clips_for_cells(clips, monkeypatch):
    enrolled = clouds(clips)
    theirs = scatter(enrolled.embeddings.astype(float), enrolled.labels, enrolled.clips)
    for cells in (10**6, 24):  # at once, and two rows at a time
        monkeypatch.setattr("earwitness_scorers.prototypes.CELLS", cells)
        ours, counts = scatter_of_clips(enrolled)
        assert counts.tolist() == list(clips)
        for name in ("means", "within", "middle"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-12)


@pytest.mark.parametrize("scorer", [Mahalanobis(), Rmds(), Plda(), ZMin()], ids=repr)
@pytest.mark.parametrize("clips", [(6, 4), (30, 20)], ids=str)
def test_rows_may_be_read_a_few_at_a_time(scorer, clips, monkeypatch):
    enrolled = clouds(clips)
    at_once = scored(scorer, enrolled, asked())
    monkeypatch.setattr("earwitness_scorers.prototypes.CELLS", 100)
    in_parts = scored(scorer, enrolled, asked())
    np.testing.assert_allclose(in_parts.values, at_once.values, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(in_parts.knownness, at_once.knownness, rtol=1e-4, atol=1e-3)


def test_what_a_rule_learned_survives_a_registry(tmp_path):
    """Which keeps arrays as safetensors, and none of no dimensions."""
    for scorer in SCORERS:
        state, enrolled = scorer.fit(clouds()), clouds()
        safetensors.save_file({name: np.ascontiguousarray(array) for name, array in state.items()}, tmp_path / "state")
        kept = safetensors.load_file(tmp_path / "state")
        np.testing.assert_array_equal(
            scorer.score(kept, enrolled, asked()).knownness, scorer.score(state, enrolled, asked()).knownness
        )


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_the_residual_is_what_principal_components_leave(share):
    rows, queries = clouds().embeddings, asked()
    theirs = PCA(share, svd_solver="full").fit(rows.astype(float))
    centre, axes = principal_axes(rows, share)
    assert axes.shape == (12, theirs.n_components_)
    left = queries - theirs.inverse_transform(theirs.transform(queries))
    np.testing.assert_allclose(residuals(queries - centre, axes), np.linalg.norm(left, axis=1), atol=1e-5)


def test_rows_without_variance_have_no_principal_axis():
    _, axes = principal_axes(np.zeros((5, 3), np.float32), 0.9)
    assert axes.shape == (3, 0)


@pytest.mark.parametrize("k", [1, 4])
def test_the_density_ratio_is_by_the_neighbours_of_neighbours(k):
    """As scikit-learn finds them, among other clips for each neighbour."""
    enrolled, queries = clouds(), asked()
    rows, clips = enrolled.embeddings.astype(float), enrolled.clips
    distances, near = NearestNeighbors(metric="cosine").fit(rows).kneighbors(queries, k)
    expected = []
    for reach, neighbours in zip(distances[:, -1], near, strict=True):
        theirs = [np.sort(1 - rows[clips != clips[n]] @ rows[n])[k - 1] for n in neighbours]
        expected.append(reach / np.mean(theirs))
    ratios = density_ratios(enrolled, queries, k)
    clear = distances[:, -1] > 1e-3  # a row that is enrolled has itself for a neighbour
    np.testing.assert_allclose(ratios[clear], np.array(expected)[clear], rtol=1e-3)
    assert ratios[~clear].max(initial=0) < 0.1


def test_the_density_ratio_is_near_one_in_a_cloud_however_thin_and_orders_rows_as_local_outlier_factors_do():
    rng = np.random.default_rng(0)
    centres, spread = unit(rng.normal(size=(2, 8))), np.array([0.02, 0.2])
    labels = np.arange(4000) % 2
    out = np.where(np.arange(4000) < 3500, 1, rng.uniform(1, 5, 4000))
    rows = unit(centres[labels] + (out * spread[labels])[:, None] * rng.normal(size=(4000, 8)))
    ratios = density_ratios(gallery(rows[:3000], labels[:3000]), rows[3000:], 5)
    for source in (0, 1):
        assert np.median(ratios[:500][labels[3000:3500] == source]) == pytest.approx(1, abs=0.15)
    factors = LocalOutlierFactor(5, metric="cosine", novelty=True).fit(rows[:3000])
    assert spearmanr(ratios, -factors.score_samples(rows[3000:])).statistic > 0.9


def test_fewer_neighbours_of_other_clips_than_asked_for_are_made_do_with():
    enrolled = gallery(np.array([[1, 0], [1, 0.1], [0, 1]]), [0, 0, 0], np.array([0, 0, 1]))
    distances = kth_of_other_clips(enrolled, np.arange(3), 5, 8)
    cosines = enrolled.embeddings @ enrolled.embeddings.T
    np.testing.assert_allclose(distances, 1 - np.array([cosines[0, 2], cosines[1, 2], cosines[2, 0]]), atol=1e-6)
    assert kth_of_other_clips(gallery(np.eye(2), [0, 0], np.zeros(2, int)), np.arange(2), 5, 8).tolist() == [1, 1]


def by_hand(scorer, enrolled, row):
    """The four anomalies of one row."""
    own = [-scored(each, enrolled, row).knownness[0] for each in (NearestNeighbours(), Mahalanobis())]
    ratio = density_ratios(enrolled, row, min(scorer.k, int(np.median(np.bincount(enrolled.labels)) // 2)))[0]
    left = PCA(scorer.variance, svd_solver="full").fit(enrolled.embeddings.astype(float))
    apart = row - left.inverse_transform(left.transform(row))
    return [*own, ratio, np.linalg.norm(apart)]


@pytest.mark.parametrize("fusion", ["min", "mean"])
def test_zmin_measures_anomalies_by_those_of_rows_whose_clip_is_left_out(fusion):
    """The n-th clip of every source at a time; the fourth source has one clip, and nothing to leave out."""
    scorer, enrolled, queries = ZMin(fusion=fusion), clouds((4, 3, 3, 1), windows=2), asked(8)
    place = np.concatenate([np.arange(n) for n in (4, 3, 3, 1)]).repeat(2)
    left_out = []
    for i in np.flatnonzero(enrolled.labels < 3):
        kept = (place != place[i]) | (enrolled.labels == 3)
        rest = gallery(enrolled.embeddings[kept], enrolled.labels[kept], enrolled.clips[kept])
        left_out.append(by_hand(scorer, rest, enrolled.embeddings[i : i + 1]))
    anomalies = np.array([by_hand(scorer, enrolled, queries[i : i + 1]) for i in range(len(queries))])
    z = (anomalies - np.mean(left_out, axis=0)) / np.std(left_out, axis=0)
    scores = scored(scorer, enrolled, queries)
    expected = -(z.min(axis=1) if fusion == "min" else z.mean(axis=1))
    np.testing.assert_allclose(scores.knownness, expected, rtol=2e-3, atol=2e-3)
    np.testing.assert_array_equal(scores.values, scored(Mahalanobis(), enrolled, queries).values)


def test_no_fold_takes_all_clips_of_a_source():
    enrolled = clouds((25, 2, 1, 10), windows=2)
    fold = folds(enrolled)
    assert (fold[enrolled.labels == 2] == -1).all()
    for source in (0, 1, 3):
        own = enrolled.labels == source
        counts = np.bincount(fold[own], minlength=10)
        assert counts.max() - counts[counts > 0].min() <= 2  # a clip of two windows
        for each in set(fold[own]):
            assert (own & (fold != each)).any()
    for clip in set(enrolled.clips):
        assert len(set(fold[enrolled.clips == clip])) == 1


def test_anomalies_that_tell_nothing_are_left_as_they_are():
    assert [each.tolist() for each in moments(np.empty((0, 2)))] == [[0, 0], [1, 1]]
    assert [each.tolist() for each in moments(np.array([[0.0, 4.0], [0.0, 4.0]]))] == [[0, 4], [1, 0.2]]


def test_auto_is_a_panel_of_rules_by_name():
    panel = Auto(members=("plda", "knn"))
    assert isinstance(panel, ScorerPanel)
    assert panel.scorers == (Plda(), NearestNeighbours())
    assert {each.name for each in Auto().scorers} == set(Auto().members)
    assert all(isinstance(each, Scorer) for each in Auto().scorers)


@pytest.mark.parametrize(
    ("members", "why"),
    [(("kmn",), "'kmn' is none"), (("auto",), "'auto' is none"), ((), "once"), (("knn",) * 2, "once")],
)
def test_auto_names_the_rules_it_could_have(members, why):
    with pytest.raises(PipelineError, match=f"cell_lda.*knn.*plda.*{why}"):
        Auto(members=members)
