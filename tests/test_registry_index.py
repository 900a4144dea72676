"""The derived index against brute force, and against every way a snapshot can be wrong."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness_registry import Card, Registry, StoredClip, gallery
from earwitness_registry.errors import RegistryError, SpaceMismatchError
from earwitness_registry.index import buildable, load_faiss, on_gpus
from earwitness_registry.vectors import exact_search

SPACE, DIMENSION = "space-a", 16
EXACT = ["Flat", "IVF4,Flat"]
KINDS = [*EXACT, "HNSW16", "SQ8", "IVF4,SQ8", "PQ4x3np", "IVF4,PQ4x3np", "IVF4,SQ4,RFlat"]


def unit(rows, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute(embeddings, queries, k):
    """In float64: similarities of the k best, best first."""
    return -np.sort(-(queries.astype(np.float64) @ embeddings.astype(np.float64).T), axis=1)[:, :k]


@pytest.fixture(autouse=True)
def _always_indexed(monkeypatch):
    monkeypatch.setattr(gallery, "SMALL", 0)


def make(folder, kind="Flat", clips=40):
    (folder / "model").mkdir()
    registry = Registry.create(folder / "registry", index=kind)
    registry.add_model(folder / "model", name="m", task="system", space=SPACE, pipeline="", probe=unit(1)[0])
    enroll(registry, range(clips))
    return registry


def enroll(registry, numbers, rows=16):
    for number in numbers:
        clip = StoredClip(f"file{number}", f"samples{number}", f"{number}.wav")
        assert registry.enroll(Card(f"s{number % 5}"), clip, {SPACE: (np.arange(rows), unit(rows, number))})


def assert_exact(registry, k=7):
    held = registry.gallery(SPACE)
    queries = unit(20, 12345)
    similarities, rows = held.search(queries, k)
    assert rows.shape == (20, min(k, len(held.embeddings)))
    np.testing.assert_allclose(similarities, brute(held.embeddings, queries, k), atol=1e-5)
    np.testing.assert_allclose(np.einsum("bd,bkd->bk", queries, held.embeddings[rows]), similarities, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_enrols_removes_and_comes_back(tmp_path, kind):
    with make(tmp_path, kind) as registry:
        check(registry, kind)
        registry.remove("s1")
        check(registry, kind)
        registry.remove("s2", "file7")
        enroll(registry, [100, 101])
        check(registry, kind)
        assert registry.verify() == []
    with Registry.open(tmp_path / "registry") as registry:
        check(registry, kind)
        enroll(registry, [200])
        check(registry, kind)
    with Registry.open(tmp_path / "registry", read_only=True) as registry:
        check(registry, kind)


def check(registry, kind):
    """Rows are of this gallery, in order; exact kinds find the best, others most of it."""
    if kind in EXACT:
        return assert_exact(registry)
    held = registry.gallery(SPACE)
    similarities, rows = held.search(held.embeddings, 10)
    assert rows.min() >= 0
    assert rows.max() < len(held.embeddings)
    assert (np.diff(similarities, axis=1) <= 0).all()
    truth = np.einsum("bd,bkd->bk", held.embeddings, held.embeddings[rows])
    np.testing.assert_allclose(similarities, truth, atol=1e-6)
    itself = (rows == np.arange(len(rows))[:, None]).any(axis=1).mean()
    assert itself > (0.8 if "PQ" in kind else 0.99)
    label = json.loads(held.index.file.with_suffix(".json").read_text())
    assert label["factory"] == kind
    return None


def test_flat_stands_in_until_there_is_enough_to_train_on(tmp_path):
    assert buildable("IVF4,Flat", DIMENSION, 155) == "Flat"
    assert buildable("IVF4,Flat", DIMENSION, 156) == "IVF4,Flat"
    assert buildable("PQ4", DIMENSION, 9983) == "Flat"
    assert buildable("OPQ4,IVF4,Flat", DIMENSION, 9983) == "Flat"
    with make(tmp_path, "IVF4,Flat", clips=5) as registry:
        assert_exact(registry)
        label = registry.gallery(SPACE).index.file.with_suffix(".json")
        assert json.loads(label.read_text())["factory"] == "Flat"
        enroll(registry, range(5, 30))
        assert_exact(registry)
        assert json.loads(label.read_text())["factory"] == "IVF4,Flat"


def test_an_impossible_factory_is_refused_when_the_dimension_is_known(tmp_path):
    for kind in ("PQ5", "nonsense"):
        folder = tmp_path / kind
        folder.mkdir()
        with pytest.raises(RegistryError, match="try Flat"):
            make(folder, kind)


def flip(file, _label):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def truncate(file, _label):
    file.write_bytes(file.read_bytes()[:100])


def garbage(_file, label):
    label.write_text("{ not JSON")


def no_dictionary(_file, label):
    label.write_text("[]")


def foreign(_file, label):
    label.write_text(json.dumps({**json.loads(label.read_text()), "stamp": "2 2020-01-01T00:00:00"}))


def fewer(file, label):
    faiss = load_faiss()
    index = faiss.read_index(str(file))
    index.remove_ids(np.array([1, 2, 3]))
    faiss.write_index(index, str(file))
    relabel(file, label)


def relabel(file, label):
    import hashlib

    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    rows = load_faiss().read_index(str(file)).ntotal
    label.write_text(json.dumps({**json.loads(label.read_text()), "sha256": sha256, "rows": rows}))


@pytest.mark.parametrize("damage", [flip, truncate, garbage, no_dictionary, foreign, fewer])
def test_a_wrong_snapshot_is_found_and_built_anew(tmp_path, damage):
    with make(tmp_path) as registry:
        assert_exact(registry)
        file = registry.gallery(SPACE).index.file
    damage(file, file.with_suffix(".json"))
    with Registry.open(tmp_path / "registry") as registry:
        (fault,) = registry.verify()
        assert "builds it anew" in fault
        assert_exact(registry)
        assert registry.verify() == []


@pytest.mark.parametrize("suffix", [".faiss", ".json"])
def test_a_missing_snapshot_is_built_anew(tmp_path, suffix):
    with make(tmp_path) as registry:
        assert_exact(registry)
        file = registry.gallery(SPACE).index.file
    file.with_suffix(suffix).unlink()
    with Registry.open(tmp_path / "registry") as registry:
        assert_exact(registry)
        assert file.exists()
        assert registry.verify() == []


def test_an_old_snapshot_is_brought_up_to_date(tmp_path):
    with make(tmp_path) as registry:
        assert_exact(registry)
        file = registry.gallery(SPACE).index.file
        old = {path: path.read_bytes() for path in (file, file.with_suffix(".json"))}
        registry.remove("s1")
        enroll(registry, range(100, 130))
        assert_exact(registry)
    for path, data in old.items():
        path.write_bytes(data)
    with Registry.open(tmp_path / "registry") as registry:
        assert registry.verify() == []
        assert_exact(registry)


def test_a_snapshot_of_a_restored_database_is_not_believed(tmp_path):
    with make(tmp_path) as registry:
        folder = registry.folder
    before = (folder / "registry.sqlite").read_bytes()
    with Registry.open(folder) as registry:
        enroll(registry, range(100, 130))
        assert_exact(registry)
    (folder / "registry.sqlite").write_bytes(before)
    with Registry.open(folder) as registry:
        enroll(registry, range(200, 230))
        assert_exact(registry)


def test_small_changes_leave_the_snapshot_alone(tmp_path):
    with make(tmp_path) as registry:
        assert_exact(registry)
        label = registry.gallery(SPACE).index.file.with_suffix(".json")
        before = label.read_text()
        enroll(registry, [100])
        assert_exact(registry)
        assert label.read_text() == before
        enroll(registry, [101, 102])
        assert_exact(registry)
        assert label.read_text() != before


def test_an_older_gallery_still_answers_for_its_own_rows(tmp_path):
    with make(tmp_path) as registry:
        old = registry.gallery(SPACE)
        registry.remove("s1")
        enroll(registry, range(100, 108))
        assert_exact(registry)
        similarities, rows = old.search(unit(3, 9), 5)
        np.testing.assert_allclose(similarities, brute(old.embeddings, unit(3, 9), 5), atol=1e-5)
        assert rows.max() < len(old.embeddings)


def test_too_few_neighbours_are_made_up_for_by_brute_force(tmp_path, monkeypatch):
    monkeypatch.setattr("earwitness_registry.index.PROBES", 1)
    with make(tmp_path, "IVF8,Flat") as registry:
        held = registry.gallery(SPACE)
        similarities, rows = held.search(unit(4, 3), len(held.embeddings))
        assert held.index.search(held.rows, unit(4, 3), len(held.embeddings))[1].min() == -1
        np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(len(held.embeddings)), (4, 1)))
        np.testing.assert_allclose(similarities, brute(held.embeddings, unit(4, 3), len(held.embeddings)), atol=1e-5)


def test_queries_are_checked(tmp_path):
    with make(tmp_path, clips=2) as registry:
        held = registry.gallery(SPACE)
        with pytest.raises(RegistryError, match="NaN"):
            held.search(np.full((1, DIMENSION), np.nan, np.float32), 1)
        with pytest.raises(SpaceMismatchError):
            held.search(np.zeros((1, DIMENSION + 1), np.float32), 1)
        assert held.search(np.empty((0, DIMENSION), np.float32), 3)[1].shape == (0, 3)


@pytest.mark.parametrize("small", [0, 4096])
def test_an_empty_gallery_finds_nothing(tmp_path, monkeypatch, small):
    monkeypatch.setattr(gallery, "SMALL", small)
    with make(tmp_path, clips=0) as registry:
        similarities, rows = registry.gallery(SPACE).search(unit(2), 5)
        assert similarities.shape == rows.shape == (2, 0)
        assert registry.verify() == []


@given(st.integers(1, 60), st.integers(1, 9), st.data())
def test_exact_search_is_a_stable_sort(total, batch, data):
    k = data.draw(st.integers(0, total))
    embeddings = np.round(unit(total, total))  # many equals
    queries = np.round(unit(batch, batch + 100))
    similarities, rows = exact_search(embeddings, queries, k)
    np.testing.assert_array_equal(similarities, brute(embeddings, queries, k))
    np.testing.assert_array_equal(np.take_along_axis(queries @ embeddings.T, rows, axis=1), similarities)


class FakeFaiss:
    """A FAISS that sees two GPUs, and knows only one kind of index there."""

    def get_num_gpus(self):
        return 2

    def index_cpu_to_all_gpus(self, index):
        if index != "Flat":
            raise RuntimeError("This index type is not implemented on GPU.")
        return "Flat on 2"


def test_gpus_are_used_when_there_are_any_and_they_can():
    assert on_gpus(FakeFaiss(), "Flat") == "Flat on 2"
    assert on_gpus(FakeFaiss(), "HNSW") == "HNSW"
    assert on_gpus(object(), "Flat") == "Flat"
