"""Export and import: what goes out comes in, and nothing else does."""

import hashlib
import json
import zipfile

import numpy as np
import pytest

from earwitness_registry import Card, Registry, StoredClip
from earwitness_registry.errors import (
    BundleError,
    ClipConflictError,
    EarwitnessError,
    RegistryError,
    SourceUnknownError,
    SpaceMismatchError,
)

DIMENSION = 4


def make(folder, space="space-a"):
    folder.mkdir()
    (folder / "model").mkdir()
    registry = Registry.create(folder / "registry")
    probe = np.eye(DIMENSION, dtype=np.float32)[0]
    registry.add_model(folder / "model", name="m", task="system", space=space, pipeline="", probe=probe)
    return registry


def enroll(registry, source, number):
    angle = np.linspace(0.1, 1, 3) * (number + 1)
    rows = np.stack([np.cos(angle), np.sin(angle), 0 * angle, 0 * angle], axis=1).astype(np.float32)
    cell = "anna" if number % 2 else None
    clip = StoredClip(f"file{number}", f"samples{number}", f"ü {number}.wav", {"rate": 8000}, 1.5, cell=cell)
    return registry.enroll(
        Card(source, family="f", hop=256, stages=(8, 8, 4)), clip, {"space-a": (np.arange(3) / 2, rows)}
    )


@pytest.fixture
def full(tmp_path):
    with make(tmp_path / "full") as registry:
        for number in range(6):
            enroll(registry, "abc"[number % 3], number)
        registry.add_card(Card("without-clips", vendor="v"))
        yield registry


@pytest.fixture
def empty(tmp_path):
    with make(tmp_path / "empty") as registry:
        yield registry


def content(registry):
    held = registry.gallery("space-a")
    rows = {(*held.reference(row), held.embeddings[row].tobytes()) for row in range(len(held.embeddings))}
    return registry.cards(), [registry.clips(card.id) for card in registry.cards()], rows


def test_what_goes_out_comes_in_once(full, empty, tmp_path):
    file = tmp_path / "all.zip"
    full.export(None, file)
    assert empty.import_bundle(file) == 6
    assert content(empty) == content(full)
    assert empty.verify() == []
    before = empty.version
    assert empty.import_bundle(file) == 0
    assert empty.version == before
    assert empty.history(1)[0]["detail"] == {"file": "all.zip", "sources": 4, "clips": 6}
    starts = "SELECT start FROM embeddings ORDER BY id"
    with empty._store.reading() as db:
        assert [start for (start,) in db.execute(starts)] == [0.0, 0.5, 1.0] * 6


def test_only_the_sources_asked_for(full, empty, tmp_path):
    full.export(["b"], tmp_path / "b.zip")
    assert empty.import_bundle(tmp_path / "b.zip") == 2
    assert [card.id for card in empty.cards()] == ["b"]
    with pytest.raises(SourceUnknownError, match="did you mean"):
        full.export(["without-clip"], tmp_path / "no.zip")
    assert not (tmp_path / "no.zip").exists()
    with pytest.raises(RegistryError, match="another place"):
        full.export(None, tmp_path / "b.zip" / "inside.zip")


def test_another_space_and_a_conflict_are_refused_whole(full, empty, tmp_path):
    file = tmp_path / "all.zip"
    full.export(None, file)
    with make(tmp_path / "other", space="space-b") as other:
        way_out = "all.zip .*'space-a', here 'space-b'.* ask for the clips and enrol them, or .*registry init --model"
        with pytest.raises(SpaceMismatchError, match=way_out):
            other.import_bundle(file)
        assert other.cards() == ()
    enroll(empty, "z", 5)
    with pytest.raises(ClipConflictError):
        empty.import_bundle(file)
    assert [card.id for card in empty.cards()] == ["z"]


def test_every_changed_byte_is_noticed_or_harmless(full, tmp_path):
    file = tmp_path / "all.zip"
    full.export(None, file)
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    noticed = 0
    for at in rng.choice(len(whole), 300, replace=False):
        torn = bytearray(whole)
        torn[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(torn)
        try:
            assert full.import_bundle(file) == 0  # a byte of the zip that says nothing, such as a date
        except BundleError:
            noticed += 1
    assert noticed > 200
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(BundleError, match="torn"):
            full.import_bundle(file)


def rewrite(file, name, change):
    with zipfile.ZipFile(file) as archive:
        members = {held: archive.read(held) for held in archive.namelist()}
    members[name] = change(members[name])
    with zipfile.ZipFile(file, "w") as archive:
        for held, data in members.items():
            archive.writestr(held, data)


def test_a_bundle_without_vectors_for_every_model_is_refused_whole(full, empty, tmp_path):
    file = tmp_path / "all.zip"
    full.export(None, file)
    probe = np.eye(DIMENSION, dtype=np.float32)[0]
    model = tmp_path / "empty" / "model"
    empty.add_model(model, name="second", task="system", space="space-b", pipeline="", probe=probe)
    with pytest.raises(RegistryError, match="without vectors of space 'space-b'"):
        empty.import_bundle(file)
    assert empty.cards() == ()


def seal(format_, members):
    """A manifest as the first format had it, computed from its description."""

    def digest(data):
        return hashlib.sha256(data).hexdigest()

    sealed = {"format": format_, "members": {name: digest(data) for name, data in members.items()}}
    return json.dumps({**sealed, "sha256": digest(json.dumps(sealed, sort_keys=True).encode())}).encode()


def test_the_first_format_which_knew_no_cells_is_still_read(full, empty, tmp_path):
    file = tmp_path / "old.zip"
    full.export(None, file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in ("sources.json", "embeddings.safetensors")}
    sources = json.loads(members["sources.json"])
    for line in sources["clips"]:
        del line["clip"]["cell"]
    members["sources.json"] = json.dumps(sources).encode()
    rewrite(file, "sources.json", lambda _: members["sources.json"])
    rewrite(file, "manifest.json", lambda _: seal("earwitness-bundle-1", members))
    assert empty.import_bundle(file) == 6
    assert {clip.cell for card in empty.cards() for clip in empty.clips(card.id)} == {None}
    assert len(set(empty.gallery("space-a").cells)) == 3
    rewrite(file, "manifest.json", lambda _: seal("earwitness-bundle-3", members))
    with pytest.raises(BundleError, match="another format"):
        empty.import_bundle(file)


@pytest.mark.parametrize("name", ["manifest.json", "sources.json"])
def test_a_well_formed_forgery_by_hand_is_noticed(full, tmp_path, name):
    file = tmp_path / "all.zip"
    full.export(None, file)

    def change(data):
        return json.dumps({**json.loads(data), "extra": 1}).encode()

    rewrite(file, name, change)
    with pytest.raises(BundleError, match="changed after"):
        full.import_bundle(file)


def test_what_is_no_bundle_is_refused(full, tmp_path):
    with pytest.raises(BundleError, match="can't read"):
        full.import_bundle(tmp_path / "missing.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for file in (tmp_path / "other.zip", tmp_path):
        with pytest.raises(EarwitnessError):
            full.import_bundle(file)


FORGERIES = {
    "no cards": {"clips": []},
    "a list": [],
    "a card that is none": {"cards": [7], "clips": []},
    "a clip with a field of its own": {
        "cards": [{"id": "a"}],
        "clips": [{"source": "a", "clip": {"x": 1}, "rows": {}}],
    },
    "a clip of nobody": {"cards": [], "clips": [{"source": "a", "clip": {}, "rows": {}}]},
    "rows that are none": {"cards": [{"id": "a"}], "clips": [{"source": "a", "clip": {}, "rows": {"space-a": "xy"}}]},
}


@pytest.mark.parametrize("forged", [*FORGERIES, "vectors that are none"])
def test_a_forgery_with_good_digests_is_refused_too(full, empty, tmp_path, forged):
    file = tmp_path / "all.zip"
    full.export(None, file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in ("sources.json", "embeddings.safetensors")}
    if forged in FORGERIES:
        members["sources.json"] = json.dumps(FORGERIES[forged]).encode()
    else:
        members["embeddings.safetensors"] = b"\xff" * 64
    for name, data in members.items():
        rewrite(file, name, lambda _, data=data: data)
    rewrite(file, "manifest.json", lambda _: seal("earwitness-bundle-2", members))
    with pytest.raises(BundleError, match="export it again"):
        empty.import_bundle(file)
    assert empty.cards() == ()


def test_a_compressed_file_is_not_unpacked(full, tmp_path):
    """Ours are not; a small file of somebody else's can't fill the memory."""
    file = tmp_path / "all.zip"
    full.export(None, file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(BundleError, match="is compressed"):
        full.import_bundle(file)
