"""Every open-set rule against its formula written out, and on the smallest galleries there are."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial import distance
from sklearn import covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from earwitness.contracts import Scorer, ScorerPanel
from earwitness.scatter import scatter
from earwitness_scorers import (
    CellLda,
    Energy,
    Gen,
    Mahalanobis,
    MaxLogit,
    NearestNeighbours,
    NnGuide,
    OpenMax,
    Softmax,
    SoftmaxEnergy,
    Vim,
    register_scorers,
)
from earwitness_scorers.gaussian import inverse_root, ledoit_wolf
from earwitness_scorers.openmax import knownness as openmax_knownness
from earwitness_scorers.weibull import fit_weibull, weibull_cdf

LOGIT_RULES = [Softmax(), OpenMax(), OpenMax(distance="cosine"), Energy(), MaxLogit(), Gen(), SoftmaxEnergy(), Vim()]
SCORERS = [*LOGIT_RULES, NnGuide(), NearestNeighbours(), Mahalanobis(), CellLda()]
AS_SURE_OF_AN_OPPOSITE = {"softmax", "gen", "softmax_energy"}


@dataclass(frozen=True)
class Rows:
    """A gallery that searches by brute force."""

    sources: tuple[str, ...]
    embeddings: np.ndarray
    labels: np.ndarray
    voices: int = 1

    @property
    def heads(self):
        return np.zeros((len(self.sources), self.embeddings.shape[1]), np.float32)

    @property
    def clips(self):
        return np.arange(len(self.labels))

    @property
    def cells(self):
        return self.voices * self.labels + self.clips % self.voices

    def search(self, queries, k):
        similarities = queries @ self.embeddings.T
        rows = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(similarities, rows, axis=1), rows


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clouds(counts=(40, 30, 20, 12), dims=16, spread=0.25, seed=0):
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(len(counts), dims)))
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = centres[labels] + spread * rng.normal(size=(len(labels), dims))
    return Rows(tuple(f"s{k}" for k in range(len(counts))), unit(rows), labels)


def halves(gallery):
    """Every second row enrolled, the others asked."""
    enrolled = Rows(gallery.sources, gallery.embeddings[::2], gallery.labels[::2])
    return enrolled, gallery.embeddings[1::2], gallery.labels[1::2]


def scored(scorer, gallery, queries):
    return scorer.score(scorer.fit(gallery), gallery, queries)


def test_the_hook_offers_every_rule_by_name():
    offered = list(register_scorers())
    over_logits = {"softmax", "openmax", "energy", "max_logit", "gen", "softmax_energy", "nnguide", "vim"}
    over_distances = {"knn", "mahalanobis", "rmds", "cell_lda", "plda", "zmin"}
    assert {each.name for each in offered} == {*over_logits, *over_distances, "auto"}
    assert all(isinstance(each(), ScorerPanel if each.name == "auto" else Scorer) for each in offered)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_sources_are_named_and_strangers_told_apart(scorer):
    enrolled, queries, labels = halves(clouds(seed=1))
    strangers = unit(np.random.default_rng(2).normal(size=(200, 16)))
    known, unknown = scored(scorer, enrolled, queries), scored(scorer, enrolled, strangers)
    assert known.values.shape == (len(queries), 4)
    assert (known.values.argmax(axis=1) == labels).mean() > 0.9
    above = known.knownness[:, None] > unknown.knownness[None]
    assert above.mean() > 0.8


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@pytest.mark.parametrize("counts", [(1,), (1, 1), (2,), (30,), (1, 40), (3, 1, 5)], ids=str)
def test_small_galleries_give_finite_answers(scorer, counts):
    gallery = clouds(counts)
    queries = np.concatenate([gallery.embeddings, -gallery.embeddings, unit(np.eye(16))])
    scores = scored(scorer, gallery, queries)
    assert scores.values.shape == (len(queries), len(counts))
    assert scores.values.dtype == scores.knownness.dtype == np.float32
    assert np.isfinite(scores.values).all()
    assert np.isfinite(scores.knownness).all()
    if scorer.name not in AS_SURE_OF_AN_OPPOSITE or len(counts) == 1:
        assert scores.knownness[0] > scores.knownness[len(gallery.labels)]


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_equal_rows_give_finite_answers(scorer):
    row = unit(np.ones((1, 16)))
    gallery = Rows(("a", "b"), np.concatenate([row] * 20 + [-row] * 20), np.repeat([0, 1], 20))
    scores = scored(scorer, gallery, np.concatenate([row, -row]))
    assert scores.values.argmax(axis=1).tolist() == [0, 1]
    assert np.isfinite(scores.knownness).all()


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_a_query_is_judged_on_its_own(scorer):
    enrolled, _, _ = halves(clouds())
    queries = unit(np.random.default_rng(3).normal(size=(600, 16)))
    together = scored(scorer, enrolled, queries)
    for i in (0, 300, 599):
        alone = scored(scorer, enrolled, queries[i : i + 1])
        np.testing.assert_allclose(alone.values[0], together.values[i], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(alone.knownness[0], together.knownness[i], rtol=1e-4, atol=1e-4)


def test_softmax_knownness_is_the_log_odds_of_the_best_probability():
    enrolled, queries, _ = halves(clouds())
    scores = scored(Softmax(scale=10.0), enrolled, queries)
    means = np.stack([enrolled.embeddings[enrolled.labels == k].astype(float).mean(0) for k in range(4)])
    logits = 10 * queries @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    np.testing.assert_allclose(scores.values, logits, atol=1e-4)
    np.testing.assert_allclose(scores.knownness, special.logit(special.softmax(logits, axis=1).max(1)), atol=1e-3)


def test_softmax_tells_near_from_nearer_where_the_probability_rounds_to_one():
    gallery = Rows(("a", "b"), unit(np.eye(2)), np.arange(2))
    queries = unit(np.array([[1, 0.01], [1, 0.1]]))
    near = scored(Softmax(scale=200.0), gallery, queries).knownness
    assert near[0] > near[1] > 100


@pytest.mark.parametrize("hits", [512, 20])
def test_knn_takes_the_mean_of_each_sources_nearest_rows(hits):
    enrolled, queries, labels = halves(clouds())
    scores = scored(NearestNeighbours(hits=hits, scale=1.0), enrolled, queries)
    cosines = queries.astype(float) @ enrolled.embeddings.T.astype(float)
    for i, row in enumerate(cosines):
        best = [np.sort(row[enrolled.labels == k])[::-1] for k in range(4)]
        expected = [b[: max(1, min(5, len(b) // 2))].mean() for b in best]
        exact = range(4) if hits == 512 else [int(np.argmax(expected))]
        np.testing.assert_allclose(scores.values[i, exact], np.array(expected)[exact], atol=1e-5)
        owner = enrolled.labels[row.argmax()]
        k = max(1, min(5, len(best[owner]) // 2))
        assert scores.knownness[i] == pytest.approx(np.sort(row)[-k], abs=1e-5)
    assert (scores.values.argmax(axis=1) == labels).mean() > 0.9


def test_knn_fills_unseen_sources_no_better_than_the_last_hit():
    enrolled, queries, _ = halves(clouds())
    exact = scored(NearestNeighbours(scale=1.0), enrolled, queries).values
    filled = scored(NearestNeighbours(hits=8, scale=1.0), enrolled, queries).values
    last = -np.sort(-(queries @ enrolled.embeddings.T), axis=1)[:, 7]
    assert (filled <= exact + 1e-5).all()
    unseen = exact < last[:, None]
    assert unseen.any()
    assert (filled <= np.maximum(exact, last[:, None]) + 1e-5).all()


def test_ledoit_wolf_agrees_with_scikit_learn():
    for count, dims in ((10, 20), (50, 8), (500, 5), (3, 2)):
        rows = np.random.default_rng(count).normal(size=(count, dims)) @ np.diag(np.linspace(0.1, 2, dims))
        rows -= rows.mean(axis=0)
        expected, _ = covariance.ledoit_wolf(rows, assume_centered=True)
        np.testing.assert_allclose(ledoit_wolf([rows[:4], rows[4:]]), expected, atol=1e-12)


def test_the_inverse_root_undoes_the_covariance():
    matrix = ledoit_wolf([np.random.default_rng(0).normal(size=(30, 6))])
    root = inverse_root(matrix)
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(matrix), atol=1e-9)


def test_mahalanobis_is_the_distance_under_the_pooled_covariance():
    gallery = clouds((100, 80, 60))  # more than ten rows a dimension: no projection
    queries = unit(np.random.default_rng(5).normal(size=(20, 16)))
    scores = scored(Mahalanobis(), gallery, queries)
    means = np.stack([gallery.embeddings[gallery.labels == k].mean(0, dtype=float) for k in range(3)])
    shrunk, _ = covariance.ledoit_wolf(gallery.embeddings - means[gallery.labels], assume_centered=True)
    apart = queries[:, None] - means  # (B, K, d)
    expected = -0.5 * np.einsum("bki,ij,bkj->bk", apart, np.linalg.inv(shrunk), apart)
    np.testing.assert_allclose(scores.values, expected, rtol=1e-3)
    np.testing.assert_allclose(scores.knownness, -np.log1p(-2 * expected.max(axis=1)), rtol=1e-3)


def test_mahalanobis_projects_where_rows_are_few():
    state = Mahalanobis().fit(clouds((12, 12)))
    assert state["whitener"].shape == (16, 6)  # N / 4


def test_mahalanobis_with_fewer_rows_than_dims_looks_along_the_leading_axes_of_the_rows():
    gallery = clouds((4, 3, 2))
    rows = gallery.embeddings.astype(float)
    leading = np.linalg.eigh(rows.T @ rows)[1][:, -2:]  # N / 4
    whitener = Mahalanobis().fit(gallery)["whitener"]
    assert whitener.shape == (16, 2)
    np.testing.assert_allclose(leading @ leading.T @ whitener, whitener, atol=1e-4)


def test_mahalanobis_of_single_rows_is_the_cosine_logit():
    gallery = clouds((1, 1, 1))
    queries = unit(np.random.default_rng(5).normal(size=(20, 16)))
    expected = 30 * (queries @ gallery.embeddings.T - 1)
    np.testing.assert_allclose(scored(Mahalanobis(), gallery, queries).values, expected, atol=1e-3)


def shrunk_within(gallery, shrinkage):
    """Scikit-learn's shrunk covariance of sources that count alike, and their means; classes are cells."""
    classes = len(gallery.sources)
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage, priors=np.full(classes, 1 / classes))
    return lda.fit(gallery.embeddings.astype(float), gallery.labels)


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 1.0])
def test_cell_lda_finds_the_directions_of_scikit_learn(shrinkage):
    """The K - 1 leading ones span what the coefficients do, and all are orthonormal under the shrunk covariance."""
    gallery = clouds()
    projection = CellLda(shrinkage=shrinkage).fit(gallery)["projection"].astype(float)
    theirs = shrunk_within(gallery, shrinkage)
    np.testing.assert_allclose(projection.T @ theirs.covariance_ @ projection, np.eye(16), atol=1e-4)
    wanted = np.diff(theirs.coef_, axis=0).T
    (left, *_), kept = np.linalg.lstsq(projection[:, :3], wanted), CellLda(shrinkage=shrinkage, least=1).fit(gallery)
    assert np.linalg.norm(projection[:, :3] @ left - wanted) < 0.02 * np.linalg.norm(wanted)
    np.testing.assert_array_equal(kept["projection"], projection[:, :3].astype(np.float32))


@pytest.mark.parametrize("voices", [1, 3])
@pytest.mark.parametrize("k", [1, 15])
def test_cell_lda_is_cosines_under_the_shrunk_within_scatter(voices, k):
    """With every direction kept V V' = W_s^-1, so all cosines can be had without any axis."""
    enrolled, queries, _ = halves(clouds((80, 30, 20, 12), spread=0.4))
    enrolled = Rows(enrolled.sources, enrolled.embeddings, enrolled.labels, voices)
    scores = scored(CellLda(k=k, scale=10.0), enrolled, queries)
    rows = enrolled.embeddings.astype(float)
    found = scatter(rows, enrolled.labels, enrolled.cells)
    inverse = np.linalg.inv(covariance.shrunk_covariance(found.within, 0.5))

    def cosines(a, b):
        a, b = a - found.means.mean(axis=0), b - found.means.mean(axis=0)
        lengths = [np.sqrt(np.einsum("ni,ij,nj->n", x, inverse, x)) for x in (a, b)]
        return a @ inverse @ b.T / np.outer(*lengths)

    np.testing.assert_allclose(scores.values, 10 * cosines(queries, found.means), atol=1e-3)
    to_rows, halved = cosines(queries, rows), np.array([20, 7, 5, 3])
    asked = np.minimum(halved, k)[enrolled.labels[to_rows.argmax(axis=1)]]
    assert len(set(asked)) == (1 if k == 1 else 4)
    expected = [np.sort(row)[-n] for row, n in zip(to_rows, asked, strict=True)]
    np.testing.assert_allclose(scores.knownness, expected, atol=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cell_lda_looks_where_sources_differ_and_not_where_their_voices_do(seed):
    """Sources differ along one axis, voices twice as much along two others; the voices asked are new."""
    rng = np.random.default_rng(seed)
    voice = np.repeat(np.arange(60), 10)
    source, new = voice % 2, voice >= 30
    places = np.zeros((60, 64))
    places[:, 1:3] = rng.normal(size=(60, 2))
    places[:, 0] = np.arange(60) % 2 - 0.5
    rows = unit(places[voice] + 0.05 * rng.normal(size=(600, 64)))
    gallery = Rows(("a", "b"), rows[~new], source[~new])
    ours, nearest = (
        (scored(each, gallery, rows[new]).values.argmax(axis=1) == source[new]).mean()
        for each in (CellLda(), NearestNeighbours())
    )
    assert ours == 1 > nearest + 0.02


def test_a_source_enrolled_moves_the_directions_of_cell_lda():
    """A third source differs where two did not: their directions, one kept, can't tell it, and three sources' can."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    rows = unit(np.eye(8)[0] + np.array([-1, 1, 0])[labels, None] * np.eye(8)[1] + 0.1 * rng.normal(size=(120, 8)))
    rows[80:] = unit(rows[80:] + np.eye(8)[5])
    two = CellLda(least=1).fit(Rows(("a", "b"), rows[:80], labels[:80]))["projection"]
    three = CellLda(least=1).fit(Rows(("a", "b", "c"), rows, labels))["projection"]
    assert (two.shape, three.shape) == ((8, 1), (8, 2))
    assert np.abs(two[5]).max() < 0.1 * np.abs(two[1]).max()
    assert np.abs(three[5]).max() > 0.5 * np.abs(three[1]).max()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_cell_lda_knows_a_source_alone_from_strangers(count):
    rng = np.random.default_rng(0)
    own, strange = rng.normal(size=64), rng.normal(size=(200, 64))
    rows = unit(own + 0.8 * rng.normal(size=(count + 50, 64)))
    gallery = Rows(("a",), rows[:count], np.zeros(count, int))
    knownness = scored(CellLda(), gallery, np.concatenate([rows[count:], unit(strange)])).knownness
    assert (knownness[:50, None] > knownness[50:]).mean() > 0.99


def test_cell_lda_survives_windows_that_are_equal_to_the_last_bit():
    """Scatter that is rounding alone must not be divided by."""
    gallery = clouds((1, 1, 1), dims=300)
    rows = Rows(gallery.sources, np.repeat(gallery.embeddings, 3, axis=0), np.repeat(gallery.labels, 3))
    once, thrice = (CellLda().score(CellLda().fit(g), g, gallery.embeddings) for g in (gallery, rows))
    np.testing.assert_allclose(thrice.values, once.values, atol=1e-3)
    np.testing.assert_allclose(thrice.knownness, once.knownness, atol=1e-4)


@pytest.mark.parametrize(("shape", "scale"), [(0.7, 0.01), (1.5, 3.0), (12.0, 40.0)])
def test_the_weibull_fit_agrees_with_scipy(shape, scale):
    sample = stats.weibull_min.rvs(shape, scale=scale, size=20, random_state=1)
    expected_shape, _, expected_scale = stats.weibull_min.fit(sample, floc=0)
    assert fit_weibull(sample) == pytest.approx((expected_shape, expected_scale), rel=1e-3)
    x = np.linspace(0, 3 * scale, 50)[:, None]
    got = weibull_cdf(x, np.array([shape]), np.array([scale]))
    np.testing.assert_allclose(got, stats.weibull_min.cdf(x, shape, scale=scale), atol=1e-12)


@pytest.mark.parametrize("tail", [[], [0.3], [0.2, 0.3], [0.5] * 20, [0.0] * 20])
def test_a_tail_that_teaches_nothing_takes_no_mass(tail):
    shape, scale = fit_weibull(np.array(tail))
    assert weibull_cdf(np.array([[5.0]]), np.array([shape]), np.array([scale])) == 0


def apart(kind, a, b):
    """The distances of the paper, between two activation vectors."""
    euclidean, cosine = distance.euclidean(a, b), distance.cosine(a, b)
    return {"euclidean": euclidean, "cosine": cosine, "eucos": euclidean / 200 + cosine}[kind]


def openmax_learned(scorer, gallery):
    """The paper's first algorithm on vectors of K activations; -> prototypes, and a mean and a tail a source."""
    sources = range(len(gallery.sources))
    means = [gallery.embeddings[gallery.labels == k].astype(float).mean(axis=0) for k in sources]
    prototypes = np.stack([mean / np.linalg.norm(mean) for mean in means])
    models = []
    for k in sources:
        right = []
        for row, label in zip(gallery.embeddings.astype(float), gallery.labels, strict=True):
            activations = scorer.scale * prototypes @ row
            if label == k == activations.argmax():
                right.append(activations)
        mean = np.mean(right, axis=0)
        distances = sorted(apart(scorer.distance, each, mean) for each in right)
        tail = distances[len(distances) - min(scorer.tail, len(distances) // 10) :]
        models.append((mean, stats.weibull_min.fit(tail, floc=0) if len(tail) > 2 else (1, 0, np.inf)))
    return prototypes, models


def openmax_by_formula(scorer, prototypes, models, query):
    """The paper's second algorithm for one query; -> revised activations and probabilities, unknown last."""
    v = scorer.scale * prototypes @ query
    revised, lost = v.copy(), 0.0
    alpha = min(scorer.alpha, len(v))
    for rank, i in enumerate(np.argsort(-v)[:alpha]):
        mean, weibull = models[i]
        cdf = stats.weibull_min.cdf(apart(scorer.distance, v, mean), *weibull)
        taken = max(v[i], 0) * (alpha - rank) / alpha * cdf
        revised[i] -= taken
        lost += taken
    return revised, special.softmax(np.append(revised, lost))


@pytest.mark.parametrize("kind", ["euclidean", "cosine", "eucos"])
@pytest.mark.parametrize(("alpha", "counts"), [(1, (400, 300, 200, 100)), (10, (400, 300, 200, 100)), (3, (80,) * 20)])
def test_openmax_follows_the_paper_and_one_threshold_says_both_ways_of_being_unknown(kind, alpha, counts):
    """With fewer sources than dimensions and with more."""
    enrolled, queries, _ = halves(clouds(counts, spread=0.3))
    queries = queries[::10]
    queries = np.concatenate([queries, unit(np.random.default_rng(8).normal(size=(200, 16)))])
    scorer = OpenMax(alpha=alpha, distance=kind, scale=8.0)
    state = scorer.fit(enrolled)
    scores = scorer.score(state, enrolled, queries)
    learned = openmax_learned(scorer, enrolled)
    rejected = 0
    assert np.isfinite(state["scales"]).any()
    for query, values, s in zip(queries, scores.values, scores.knownness, strict=True):
        revised, probabilities = openmax_by_formula(scorer, *learned, query.astype(float))
        np.testing.assert_allclose(values, revised, atol=1e-3)
        best, unknown = probabilities[:-1].max(), probabilities[-1]
        rejected += unknown > best
        for least in (0.26, 0.4, 0.6, 0.9):  # over 1 / K, where the paper's threshold can matter
            if min(abs(best - least), abs(best - unknown)) > 1e-3:
                assert (s >= special.logit(least)) == (best >= least and best > unknown)
    assert rejected > 20


def test_openmax_knownness_ranks_every_win_of_unknown_below_every_source():
    rng = np.random.default_rng(0)
    revised, unknown = rng.normal(size=(2000, 5)).astype(np.float32), rng.normal(size=2000).astype(np.float32)
    s = openmax_knownness(revised, unknown)
    wins = unknown > revised.max(axis=1)
    assert s[wins].max() <= -np.log(5) + 1e-5 <= s[~wins].min() + 2e-5
