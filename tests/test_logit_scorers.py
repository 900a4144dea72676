"""The rules over logits: each formula in float64, heads beside prototypes, one source of three rows, many of many."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from earwitness.subset import Subset
from earwitness_scorers import Energy, Gen, MaxLogit, NnGuide, OpenMax, Softmax, SoftmaxEnergy, Vim, prototypes
from earwitness_scorers.prototypes import blocks, directions, log_probabilities

RULES = [Softmax(), OpenMax(), Energy(), MaxLogit(), Gen(), SoftmaxEnergy(), NnGuide(), Vim()]
DIMS = 16


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def gallery_of(rows, labels):
    count = max(labels) + 1
    sources = tuple(f"s{k:03}" for k in range(count))
    heads, numbers = np.zeros((count, rows.shape[1]), np.float32), np.arange(len(rows))
    return Subset(sources, heads, rows, np.asarray(labels), numbers, np.asarray(labels))


def clouds(counts=(40, 30, 20, 12), dims=DIMS, spread=0.25, seed=0):
    rng = np.random.default_rng(seed)
    centres, labels = unit(rng.normal(size=(len(counts), dims))), np.repeat(np.arange(len(counts)), counts)
    return gallery_of(unit(centres[labels] + spread * rng.normal(size=(len(labels), dims))), labels)


def strangers(count, dims=DIMS, seed=9):
    return unit(np.random.default_rng(seed).normal(size=(count, dims)))


def scored(rule, gallery, queries):
    return rule.score(rule.fit(gallery), gallery, queries)


def own_rows(gallery, source):
    return gallery.embeddings[gallery.labels == source].astype(float)


def logits_of(gallery, queries, scale=30.0):
    """Cosine logits to the mean of each source's rows, in float64."""
    means = np.stack([own_rows(gallery, k).mean(axis=0) for k in range(len(gallery.sources))])
    return scale * queries.astype(float) @ unit(means).astype(float).T


def lse(values):
    return special.logsumexp(values, axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_energy_is_the_log_of_the_sum_of_exp(temperature):
    gallery, queries = clouds(), strangers(50)
    scores = scored(Energy(temperature=temperature, scale=20.0), gallery, queries)
    logits = logits_of(gallery, queries, 20.0)
    np.testing.assert_allclose(scores.values, logits, atol=1e-4)
    np.testing.assert_allclose(scores.knownness, temperature * lse(logits / temperature), atol=1e-4)


def test_max_logit_is_the_largest():
    gallery, queries = clouds(), strangers(50)
    scores = scored(MaxLogit(), gallery, queries)
    np.testing.assert_allclose(scores.knownness, logits_of(gallery, queries).max(axis=1), atol=1e-4)


@pytest.mark.parametrize(("gamma", "top"), [(0.1, 100), (0.5, 3), (1.0, 1)])
def test_gen_is_the_entropy_of_the_largest_probabilities(gamma, top):
    gallery, queries = clouds((5,) * 120), strangers(50)
    p = special.softmax(logits_of(gallery, queries, 6.0), axis=1)
    largest = -np.sort(-p, axis=1)[:, :top]
    expected = -(largest**gamma * (1 - largest) ** gamma).sum(axis=1)
    got = scored(Gen(gamma=gamma, top=top, scale=6.0), gallery, queries)
    np.testing.assert_allclose(got.knownness, expected, rtol=1e-4)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_softmax_energy_is_the_energy_of_the_probabilities(temperature):
    gallery, queries = clouds(), strangers(50)
    scores = scored(SoftmaxEnergy(temperature=temperature, scale=5.0), gallery, queries)
    p = special.softmax(logits_of(gallery, queries, 5.0), axis=1)
    bound = temperature * np.log(np.exp(1 / temperature) + 3)
    expected = temperature * lse(p / temperature)
    np.testing.assert_allclose(bound - np.exp(-scores.knownness.astype(float)), expected, rtol=1e-5)


def test_softmax_energy_tells_near_from_nearer_where_its_paper_rounds_both_to_the_bound():
    gallery = gallery_of(unit(np.eye(2)), [0, 1])
    queries = unit(np.array([[1, 0.01], [1, 0.1], [1, 0.5]]))
    p = special.softmax(100 * queries, axis=1)
    assert len(set(lse(p).tolist())) == 1
    known = scored(SoftmaxEnergy(scale=100.0), gallery, queries).knownness
    assert known[0] > known[1] + 1 > known[2] + 2


@pytest.mark.parametrize(("k", "hits"), [(100, 512), (7, 512), (7, 20), (30, 10)])
def test_nnguide_weighs_its_energy_by_that_of_the_nearest_rows(k, hits):
    gallery = clouds(spread=0.1)
    opposite = -unit(np.linalg.pinv(directions(gallery, "prototypes")).sum(axis=1)[None])  # to every source
    queries = np.concatenate([strangers(50), gallery.embeddings[::9], opposite])
    scores = scored(NnGuide(k=k, hits=hits, scale=10.0), gallery, queries)
    energies = np.log1p(np.exp(logits_of(gallery, gallery.embeddings, 10.0)).sum(axis=1))
    own = np.log1p(np.exp(logits_of(gallery, queries, 10.0)).sum(axis=1))
    negative, asked = 0, set()
    for query, energy, known in zip(queries.astype(float), own, scores.knownness, strict=True):
        cosines = gallery.embeddings @ query
        proposed = np.argsort(-cosines)[: max(k, hits)]
        few = min(k, np.bincount(gallery.labels)[gallery.labels[proposed[0]]] // 2)
        asked.add(few)
        guidance = np.sort((cosines * energies)[proposed])[::-1][:few].mean()
        assert known == pytest.approx(guidance * energy if guidance > 0 else guidance, rel=1e-3, abs=1e-4)
        negative += guidance < 0
    assert asked == {min(k, each) for each in (20, 15, 10, 6)}
    assert negative > 0


def test_nnguide_reads_rows_through_the_index_alone():
    gallery, queries = clouds(), strangers(5)
    rule = NnGuide()
    state = rule.fit(gallery)
    found = gallery.search(queries, 512)
    asked = []

    class Index:
        labels = gallery.labels

        def search(self, queries, k):
            asked.append((len(queries), k))
            return found

    expected = rule.score(state, gallery, queries).knownness
    np.testing.assert_array_equal(rule.score(state, Index(), queries).knownness, expected)
    assert asked == [(5, 512)]


@pytest.mark.parametrize(
    ("counts", "dims", "axes"), [((40, 30, 20, 12), 16, 8), ((5, 4), 16, 4), ((300, 300), 1001, 256)]
)
def test_vim_takes_the_residual_of_scikit_learns_principal_space(counts, dims, axes):
    decomposition = pytest.importorskip("sklearn.decomposition")
    gallery, queries = clouds(counts, dims), strangers(30, dims)
    both = np.concatenate([gallery.embeddings, -gallery.embeddings]).astype(float)  # about the origin
    pca = decomposition.PCA(axes, svd_solver="full").fit(both)

    def residuals(rows):
        return np.linalg.norm(rows - pca.inverse_transform(pca.transform(rows)), axis=1)

    state = Vim().fit(gallery)
    assert state["axes"].shape == (dims, axes)
    enrolled = logits_of(gallery, gallery.embeddings)
    alpha = enrolled.max(axis=1).sum() / residuals(gallery.embeddings.astype(float)).sum()
    assert state["alpha"] == pytest.approx(alpha, rel=1e-3)
    expected = lse(logits_of(gallery, queries)) - alpha * residuals(queries.astype(float))
    np.testing.assert_allclose(Vim().score(state, gallery, queries).knownness, expected, rtol=2e-3)


def test_vim_divides_by_no_residual_that_is_rounding():
    """Three rows, each many times: the space they span is theirs whole, and what they lack in it is nothing."""
    rows = np.repeat(strangers(3), 50, axis=0)
    state = Vim().fit(gallery_of(rows, np.repeat([0, 1, 2], 50)))
    assert state["axes"].shape == (DIMS, 3)
    assert state["alpha"] == pytest.approx(30 / 0.01, rel=1e-3)


def test_a_head_answers_while_it_knows_all_sources():
    gallery = clouds()
    own, learned = directions(gallery, "prototypes"), strangers(4)
    headed = replace(gallery, heads=learned)
    later = replace(gallery, heads=np.concatenate([learned[:3], np.zeros((1, DIMS), np.float32)]))
    np.testing.assert_array_equal(directions(headed, "head"), learned)
    np.testing.assert_array_equal(directions(headed, "prototypes"), own)
    np.testing.assert_array_equal(directions(later, "head"), own)
    np.testing.assert_array_equal(directions(gallery, "head"), own)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_takes_the_head_until_a_source_comes_that_it_never_saw(rule):
    """The head is worth what prototypes of the same directions are; then all have theirs, so that none is favoured."""
    known = clouds((40, 40, 40))
    more = clouds((40, 40, 40, 30))
    queries = np.concatenate([known.embeddings[::5], strangers(20)])
    ways = directions(clouds((40, 40, 40), seed=0, spread=0.6), "prototypes")  # not where the rows lie
    headed = replace(rule, logits="head")

    def values(gallery):
        heads = np.zeros((len(gallery.sources), DIMS), np.float32)
        heads[:3] = ways
        state = headed.fit(replace(gallery, heads=heads))
        return state["directions"], headed.score(state, gallery, queries).values

    (before, old), (after, new) = values(known), values(more)
    np.testing.assert_array_equal(before, ways)
    np.testing.assert_array_equal(after, directions(more, "prototypes"))
    np.testing.assert_array_equal(new, scored(rule, more, queries).values)
    if rule.name != "openmax":  # which revises the ranks of all
        np.testing.assert_allclose(old, 30 * queries @ ways.T, atol=1e-4)
    assert not np.allclose(scored(rule, known, queries).values, old, atol=0.1)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_one_source_of_three_rows_has_nearer_and_farther(rule):
    rows = clouds((1,), dims=64).embeddings + 0.05 * np.random.default_rng(1).normal(size=(3, 64))
    gallery = gallery_of(unit(rows), [0, 0, 0])
    angles = np.linspace(0, np.pi, 19)[:, None]
    start = unit(gallery.embeddings.mean(axis=0, keepdims=True))
    aside = strangers(1, 64)
    aside = unit(aside - (aside @ gallery.embeddings.T) @ np.linalg.pinv(gallery.embeddings.T.astype(float)))
    turned = unit(np.cos(angles) * start + np.sin(angles) * aside)
    scores = scored(rule, gallery, turned)
    steps = np.diff(scores.knownness)
    assert scores.values.shape == (19, 1)
    assert (steps[:8] < 0).all()
    if rule.name == "vim":  # the residual is as small on the other side
        assert scores.knownness[0] > scores.knownness[9:].max() + 30
    else:
        assert (steps < 0).all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rows_that_cancel_rows_that_are_equal_and_queries_that_are_nothing_stay_finite(rule):
    row = unit(np.ones((1, DIMS)))
    cancelling = np.concatenate([row, -row] * 20)
    gallery = gallery_of(np.concatenate([cancelling, np.repeat(strangers(1), 40, axis=0)]), np.repeat([0, 1], 40))
    queries = np.concatenate([np.zeros((1, DIMS), np.float32), row, strangers(1), -strangers(1)])
    for rows, labels in ((gallery.embeddings, gallery.labels), (cancelling, [0] * 40), (row, [0])):
        scores = scored(rule, gallery_of(rows, labels), queries)
        assert scores.values.dtype == scores.knownness.dtype == np.float32
        assert np.isfinite(scores.values).all()
        assert np.isfinite(scores.knownness).all()


@pytest.mark.parametrize("distance", ["euclidean", "cosine", "eucos"])
def test_openmax_learns_no_tail_from_rows_that_differ_by_rounding(distance):
    noise = 1e-7 * np.random.default_rng(0).normal(size=(300, DIMS))
    rows = unit(np.repeat(strangers(3), 100, axis=0) + noise)
    state = OpenMax(distance=distance).fit(gallery_of(rows, np.repeat([0, 1, 2], 100)))
    np.testing.assert_array_equal(state["scales"], np.inf)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_sources_are_fitted_in_blocks_to_the_same_and_kept_in_little(rule, monkeypatch):
    gallery, queries = clouds((10,) * 300), strangers(20)
    whole = rule.fit(gallery)
    expected = rule.score(whole, gallery, queries)
    monkeypatch.setattr(prototypes, "CELLS", 4000)  # 13 rows of logits
    parted = rule.fit(gallery)
    assert parted.keys() == whole.keys()
    for name, array in parted.items():
        np.testing.assert_allclose(array, whole[name], rtol=1e-5, atol=1e-6)
        assert array.size <= max(300 * DIMS, 3000)  # (K, d) or (N,), no (K, K) and no (N, K)
    scores = rule.score(parted, gallery, queries)
    np.testing.assert_allclose(scores.knownness, expected.knownness, rtol=1e-4, atol=1e-4)


@given(st.integers(0, 50), st.integers(1, 2 * prototypes.CELLS))
def test_blocks_are_every_row_once_and_bounded(rows, columns):
    parts = list(blocks(rows, columns))
    assert [row for part in parts for row in range(rows)[part]] == list(range(rows))
    assert all(part.stop - part.start <= max(1, prototypes.CELLS // columns) for part in parts)


LOGITS = arrays(np.float32, st.tuples(st.just(3), st.integers(2, 8)), elements=st.floats(-60, 60, width=32))


@given(LOGITS)
def test_log_probabilities_are_scipys_and_exact_where_those_round_to_zero(logits):
    got = log_probabilities(logits, -30.0)
    np.testing.assert_allclose(got, special.log_softmax(logits.astype(float), axis=1), rtol=1e-9, atol=1e-12)
    ordered = np.sort(logits.astype(float), axis=1)
    doubt = special.logsumexp(ordered[:, :-1], axis=1) - special.logsumexp(ordered, axis=1)
    np.testing.assert_allclose(np.log(-np.expm1(got.max(axis=1))), doubt, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 1000))
def test_knownness_keeps_to_its_bounds_and_to_its_own_row(sources, rows, seed):
    """Energy lies between the largest logit and T log K above; no rule looks at the other queries."""
    gallery, queries = clouds((rows,) * sources, seed=seed), strangers(6, seed=seed + 1)
    energy, largest = (scored(rule, gallery, queries).knownness for rule in (Energy(), MaxLogit()))
    assert (energy >= largest - 1e-4).all()
    assert (energy <= largest + np.log(sources) + 1e-4).all()
    for rule in RULES:
        state = rule.fit(gallery)
        together, alone = (rule.score(state, gallery, asked) for asked in (queries, queries[3:4]))
        np.testing.assert_allclose(alone.values[0], together.values[3], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(alone.knownness[0], together.knownness[3], rtol=1e-3, atol=1e-3)
