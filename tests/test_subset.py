"""A gallery without some sources is the gallery that there would be had they never been enrolled."""

import numpy as np
import pytest

from earwitness.subset import Subset
from earwitness_scorers import CellLda, NearestNeighbours

SOURCES = ("a", "b", "c")


def rows(seed=0, each=20, dims=8):
    """Unit rows of three sources in two cells each."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), each)
    vectors = rng.standard_normal((len(labels), dims)) + 3 * rng.standard_normal((3, dims))[labels]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clips = np.arange(len(labels)) // 2
    heads = np.eye(3, dims, dtype=np.float32)
    return Subset(SOURCES, heads, vectors.astype(np.float32), labels, clips, 2 * labels + np.arange(len(labels)) % 2)


@pytest.mark.parametrize("left_out", [{"a"}, {"b"}, {"a", "c"}, set()])
def test_no_row_of_a_source_left_out_stays_and_every_other_does(left_out):
    whole = rows()
    rest = Subset.without(whole, frozenset(left_out))
    assert rest.sources == tuple(source for source in SOURCES if source not in left_out)
    kept = [k for k, label in enumerate(whole.labels) if SOURCES[label] not in left_out]
    np.testing.assert_array_equal(rest.embeddings, whole.embeddings[kept])
    np.testing.assert_array_equal(rest.clips, whole.clips[kept])
    np.testing.assert_array_equal(rest.heads, whole.heads[[SOURCES.index(source) for source in rest.sources]])
    np.testing.assert_array_equal(rest.cells, whole.cells[kept])
    assert [rest.sources[label] for label in rest.labels] == [SOURCES[whole.labels[k]] for k in kept]


def test_search_finds_the_nearest_by_brute_force():
    whole, queries = rows(), rows(seed=1).embeddings[:7]
    similarities, found = whole.search(queries, 5)
    cosines = queries.astype(np.float64) @ whole.embeddings.T.astype(np.float64)
    np.testing.assert_allclose(similarities, -np.sort(-cosines, axis=1)[:, :5], rtol=1e-5)
    np.testing.assert_array_equal(np.take_along_axis(cosines, found, axis=1).argsort(axis=1)[:, ::-1][:, 0], 0)
    assert whole.search(queries, 1000)[1].shape == (7, len(whole.labels))


@pytest.mark.parametrize("scorer", [CellLda(), NearestNeighbours()])
def test_a_clip_is_less_known_when_its_own_source_is_left_out(scorer):
    whole, asked = rows(), rows(seed=0).embeddings[:20]
    rest = Subset.without(whole, frozenset({"a"}))
    known = scorer.score(scorer.fit(whole), whole, asked).knownness
    strange = scorer.score(scorer.fit(rest), rest, asked).knownness
    assert np.mean(known > strange) > 0.9
