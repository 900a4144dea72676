"""The registry's promises, against a plain dict and brute force."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from earwitness_registry import Card, Registry, StoredClip
from earwitness_registry.errors import (
    ClipConflictError,
    RegistryDamagedError,
    RegistryError,
    RegistryMissingError,
    RegistryReadOnlyError,
    SourceUnknownError,
    SpaceMismatchError,
)

SPACE, DIMENSION = "space-a", 8


def unit(rows, seed=0, dimension=DIMENSION):
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clip(number, samples=None):
    return StoredClip(f"file{number}", samples or f"samples{number}", f"/clips/{number}.wav", {"codec": "pcm"}, 2.5)


def add_model(registry, folder, name="model", task="system", space=SPACE):
    folder.mkdir(exist_ok=True)
    (folder / "pipeline.yaml").write_text("rate: 16000")
    (folder / "network.onnx").write_bytes(b"network")
    probe = unit(1, 99)[0]
    registry.add_model(folder, name=name, task=task, space=space, pipeline="rate: 16000", probe=probe)
    return probe


def enroll(registry, source, number, rows=2, kind="system", space=SPACE):
    return registry.enroll(Card(source, kind=kind), clip(number), {space: (np.arange(rows), unit(rows, number))})


@pytest.fixture
def registry(tmp_path):
    with Registry.create(tmp_path / "registry", name="test") as made:
        add_model(made, tmp_path / "model")
        yield made


def test_create_refuses_a_second_and_open_a_missing_one(registry, tmp_path):
    with pytest.raises(RegistryError, match="already"):
        Registry.create(registry.folder)
    with pytest.raises(RegistryMissingError, match="registry init"):
        Registry.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_killed_create_can_be_repeated(tmp_path):
    (tmp_path / "registry.sqlite").touch()
    with pytest.raises(RegistryDamagedError):
        Registry.open(tmp_path)
    with Registry.create(tmp_path) as made:
        assert made.verify() == []


def test_model_comes_whole_and_only_once_per_name_and_space(registry, tmp_path):
    (model,) = registry.models()
    assert (model.name, model.task, model.space, model.pipeline) == ("model", "system", SPACE, "rate: 16000")
    np.testing.assert_array_equal(model.probe, unit(1, 99)[0])
    assert (model.folder / "network.onnx").read_bytes() == b"network"
    for name, space in (("model", "space-b"), ("other", SPACE)):
        with pytest.raises(RegistryError, match="'model' of space 'space-a' already"):
            add_model(registry, tmp_path / "model", name=name, task="device", space=space)
    with pytest.raises(RegistryError, match="can't name a file"):
        add_model(registry, tmp_path / "model", name="../out", task="device", space="space-b")
    with pytest.raises(RegistryError, match="no model folder"):
        registry.add_model(tmp_path / "none", name="n", task="device", space="space-b", pipeline="", probe=unit(1)[0])
    add_model(registry, tmp_path / "model", name="other", task="device", space="space-b")
    assert [held.task for held in registry.models()] == ["system", "device"]
    (model.folder / "network.onnx").write_bytes(b"altered")
    assert registry.verify() == ["model model: file network.onnx is missing, changed or new"]


def test_every_model_of_a_task_gets_every_clip(registry, tmp_path):
    add_model(registry, tmp_path / "model", name="second", space="space-b")
    add_model(registry, tmp_path / "model", name="phones", task="device", space="space-d")
    before, heard = registry.version, ([0.0], unit(1))
    for vectors in ({SPACE: heard}, {SPACE: heard, "space-b": ([], unit(1)[:0])}):
        with pytest.raises(RegistryError, match="without vectors of space 'space-b': every model of task 'system'"):
            registry.enroll(Card("piper"), clip(1), vectors)
    assert (registry.version, registry.cards()) == (before, ())
    assert registry.enroll(Card("piper"), clip(1), {SPACE: heard, "space-b": (np.arange(3), unit(3))})
    assert [len(registry.gallery(space).embeddings) for space in (SPACE, "space-b", "space-d")] == [1, 3, 0]
    assert registry.verify() == []
    assert registry.remove("piper") == 4


def test_a_model_comes_before_the_clips_of_its_task(registry, tmp_path):
    enroll(registry, "piper", 1)
    with pytest.raises(RegistryError, match="'second' has heard none of them"):
        add_model(registry, tmp_path / "model", name="second", space="space-b")
    add_model(registry, tmp_path / "model", name="phones", task="device", space="space-d")
    registry.remove("piper")
    add_model(registry, tmp_path / "model", name="second", space="space-b")
    assert [model.name for model in registry.models()] == ["model", "phones", "second"]


def test_a_clip_of_a_task_without_a_model_is_refused(registry):
    with pytest.raises(RegistryError, match="no model for task 'device'"):
        registry.enroll(Card("pixel", kind="device"), clip(1), {})
    assert registry.cards() == ()


def test_enroll_twice_adds_nothing(registry):
    assert enroll(registry, "piper", 1)
    before = registry.version
    assert registry.knows("samples1", "piper")
    assert not registry.knows("samples1", "kokoro")
    assert not enroll(registry, "piper", 1)
    again = StoredClip("another container", "samples1", "b.flac")
    assert not registry.enroll(Card("piper"), again, {SPACE: ([0.0], unit(1))})
    assert registry.version == before
    assert registry.stats()["rows"] == {SPACE: 2}
    assert registry.clips("piper")[0].origin == {"codec": "pcm"}


def test_one_clip_has_one_source_per_task(registry, tmp_path):
    add_model(registry, tmp_path / "model", name="phones", task="device", space="space-b")
    enroll(registry, "piper", 1)
    with pytest.raises(ClipConflictError, match="registry remove piper"):
        enroll(registry, "kokoro", 1)
    assert [card.id for card in registry.cards()] == ["piper"]
    assert enroll(registry, "pixel", 1, kind="device", space="space-b")
    assert [card.id for card in registry.cards("device")] == ["pixel"]


@pytest.mark.parametrize(
    ("space", "vectors", "error"),
    [
        ("space-x", unit(1), SpaceMismatchError),
        (SPACE, unit(1, dimension=9), SpaceMismatchError),
        (SPACE, np.full((1, DIMENSION), np.nan), RegistryError),
        (SPACE, 2 * unit(1), RegistryError),
        (SPACE, unit(1)[:0], RegistryError),
    ],
)
def test_bad_vectors_leave_no_trace(registry, space, vectors, error):
    before = registry.stats()
    with pytest.raises(error):
        registry.enroll(Card("piper"), clip(1), {space: (np.zeros(len(vectors)), vectors)})
    with pytest.raises(SpaceMismatchError, match="own task"):
        registry.enroll(Card("pixel", kind="device"), clip(1), {SPACE: ([0.0], unit(1))})
    assert {**registry.stats(), "bytes": 0} == {**before, "bytes": 0}


def test_cards_are_added_updated_and_missed_by_near_names(registry):
    registry.add_card(Card("piper", family="vits", languages=("de", "en")))
    with pytest.raises(RegistryError, match="already"):
        registry.add_card(Card("piper"))
    enroll(registry, "piper", 1)
    assert registry.card("piper").family == "vits"
    registry.update_card(Card("piper", vendor="rhasspy"))
    assert registry.card("piper") == Card("piper", vendor="rhasspy")
    with pytest.raises(RegistryError, match="another id"):
        registry.update_card(Card("piper", kind="device"))
    for ask in (registry.card, registry.clips, registry.remove):
        with pytest.raises(SourceUnknownError, match="did you mean piper"):
            ask("pipr")


def test_gallery_is_kept_until_its_rows_change_in_any_process(registry):
    enroll(registry, "b", 1)
    enroll(registry, "a", 2, rows=3)
    registry.add_card(Card("empty"))
    gallery = registry.gallery(SPACE)
    assert gallery.sources == ("a", "b")
    np.testing.assert_array_equal(gallery.labels, [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(gallery.clips, [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(gallery.embeddings, np.concatenate([unit(2, 1), unit(3, 2)]))
    assert gallery.embeddings.flags.c_contiguous
    assert gallery.reference(4) == ("a", "/clips/2.wav")
    registry.save_calibration("system", {"threshold": 0.5})
    assert registry.gallery(SPACE) is gallery
    with Registry.open(registry.folder) as other:
        enroll(other, "c", 3)
    assert registry.gallery(SPACE).sources == ("a", "b", "c")
    assert gallery.sources == ("a", "b")
    with pytest.raises(SpaceMismatchError):
        registry.gallery("space-x")


def test_cells_tell_sources_apart_and_voices_within_them(registry):
    owners = [("b", "anna"), ("a", "anna"), ("b", None), ("a", None), ("b", "anna"), ("b", "bert"), ("a", None)]
    for number, (source, cell) in enumerate(owners):
        stored = replace(clip(number), cell=cell)
        registry.enroll(Card(source), stored, {SPACE: (np.arange(2), unit(2, number))})
        assert registry.clips(source)[-1] == stored
    held = registry.gallery(SPACE)
    pairs = [owners[at] for at in held.clips]
    assert held.cells.dtype == np.int64
    same = held.cells[:, None] == held.cells
    assert same.tolist() == [[one == two for two in pairs] for one in pairs]
    assert set(held.cells) == set(range(len(set(owners))))


def test_clips_are_counted_by_source(registry):
    assert registry.counts() == {}
    registry.add_card(Card("without clips"))
    for number in range(5):
        enroll(registry, "ab"[number % 2], number)
    assert registry.counts() == {"a": 3, "b": 2, "without clips": 0}
    registry.remove("b", "file1")
    assert registry.counts() == {card.id: len(registry.clips(card.id)) for card in registry.cards()}


def test_calibration_keeps_its_past(registry):
    assert registry.calibration("system") is None
    assert not registry.calibration_is_current("system")
    registry.save_calibration("system", {"threshold": 0.5})
    registry.save_calibration("system", {"threshold": 0.7, "far": [0.05]})
    assert registry.calibration("system") == {"threshold": 0.7, "far": [0.05]}
    assert registry.calibration_is_current("system")
    enroll(registry, "piper", 1)
    assert not registry.calibration_is_current("system")
    assert [entry["what"] for entry in registry.history(3)] == ["enroll", "calibrate", "calibrate"]


def test_calibration_is_of_one_task_and_all_its_models(registry, tmp_path):
    with pytest.raises(RegistryError, match="no model for task 'device'"):
        registry.save_calibration("device", {"threshold": 0.5})
    registry.save_calibration("system", {"threshold": 0.5})
    add_model(registry, tmp_path / "model", name="phones", task="device", space="space-d")
    enroll(registry, "pixel", 1, kind="device", space="space-d")
    assert registry.calibration("device") is None
    assert registry.calibration_is_current("system")
    add_model(registry, tmp_path / "model", name="second", space="space-b")
    assert not registry.calibration_is_current("system")
    registry.save_calibration("system", {"threshold": 0.6})
    assert registry.calibration_is_current("system")


def test_state_is_absent_when_rows_changed_or_a_byte_did(registry):
    enroll(registry, "piper", 1)
    arrays = {"means": unit(3), "count": np.arange(3)}
    registry.save_state(SPACE, "d1gest", arrays)
    loaded = registry.load_state(SPACE, "d1gest")
    assert loaded.keys() == arrays.keys()
    np.testing.assert_array_equal(loaded["means"], arrays["means"])
    registry.record("identify", {"clip": "x.wav"})
    assert registry.load_state(SPACE, "d1gest") is not None
    assert registry.load_state(SPACE, "other") is None
    (file,) = (registry.folder / "index").iterdir()
    whole = file.read_bytes()
    for torn in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:20], b""):
        file.write_bytes(torn)
        assert registry.load_state(SPACE, "d1gest") is None
    file.write_bytes(whole)
    enroll(registry, "piper", 2)
    assert registry.load_state(SPACE, "d1gest") is None


def test_every_change_counts_and_records_itself(registry):
    changes = [
        lambda: registry.add_card(Card("a")),
        lambda: registry.update_card(Card("a", family="f")),
        lambda: enroll(registry, "a", 1),
        lambda: registry.save_calibration("system", {}),
        lambda: registry.remove("a"),
    ]
    for change in changes:
        before, newest = registry.version, registry.history(1)[0]["id"]
        change()
        assert registry.version == before + 1
        assert registry.history(1)[0]["id"] == newest + 1
    registry.record("identify", {"clip": "ä.wav"})
    assert registry.history(1)[0]["detail"] == {"clip": "ä.wav"}
    assert registry.version == before + 1


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET what = 'nothing'"])
def test_history_is_append_only(registry, statement):
    db = sqlite3.connect(registry.folder / "registry.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="only be added to"):
        db.execute(statement)
    db.close()


def test_read_only_writes_nothing(registry):
    enroll(registry, "piper", 1)
    registry.close()
    files = {path: path.read_bytes() for path in sorted(registry.folder.rglob("*")) if path.is_file()}
    registry.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with Registry.open(registry.folder, read_only=True) as reader:
        assert reader.read_only
        assert reader.gallery(SPACE).sources == ("piper",)
        assert reader.verify() == []
        reader.save_state(SPACE, "d", {"a": unit(1)})
        for write in (
            lambda: enroll(reader, "b", 2),
            lambda: reader.remove("piper"),
            lambda: reader.record("identify", {}),
            lambda: reader.save_calibration("system", {}),
            lambda: reader.add_card(Card("x")),
        ):
            with pytest.raises(RegistryReadOnlyError, match="registry init"):
                write()
    registry.folder.chmod(stat.S_IRWXU)
    assert {path: path.read_bytes() for path in sorted(registry.folder.rglob("*")) if path.is_file()} == files


def test_a_reader_sees_what_a_writer_did_meanwhile(registry):
    enroll(registry, "a", 1)
    registry.close()
    with Registry.open(registry.folder, read_only=True) as reader:
        assert reader.gallery(SPACE).sources == ("a",)
        with Registry.open(registry.folder) as writer:
            enroll(writer, "b", 2)
            assert reader.gallery(SPACE).sources == ("a", "b")
            enroll(writer, "c", 3)
        assert reader.gallery(SPACE).sources == ("a", "b", "c")


def test_threads_share_one_registry(registry):
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda number: enroll(registry, f"s{number % 3}", number), range(24)))
    assert registry.stats()["clips"] == 24
    assert registry.verify() == []


def alter(registry, *statements):
    db = sqlite3.connect(registry.folder / "registry.sqlite", isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def test_newer_schema_is_refused(registry):
    registry.close()
    alter(registry, "PRAGMA user_version = 999")
    for read_only in (True, False):
        with pytest.raises(RegistryError, match="pip install -U"):
            Registry.open(registry.folder, read_only=read_only)


def test_what_is_no_registry_is_refused(registry):
    registry.close()
    alter(registry, "PRAGMA application_id = 1")
    with pytest.raises(RegistryDamagedError, match="isn't a registry"):
        Registry.open(registry.folder)
    (registry.folder / "registry.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(RegistryDamagedError, match="restore"):
        Registry.open(registry.folder)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE embeddings SET vector = zeroblob(32) WHERE id = 1", "vector 1: length 0 instead of 1"),
        ("UPDATE embeddings SET vector = zeroblob(4) WHERE id = 1", "vector 1: 1 numbers instead of 8"),
        ("UPDATE embeddings SET vector = x'0000c07f" + 56 * "0" + "' WHERE id = 1", "vector 1: NaN or infinity"),
        ("DELETE FROM embeddings", "clip '/clips/1.wav' has no vectors of space space-a"),
        ("UPDATE clips SET source = 'nobody'", "table clips: row 1 refers to nothing"),
    ],
)
def test_verify_finds(registry, statement, fault):
    enroll(registry, "piper", 1)
    assert registry.verify() == []
    alter(registry, statement)
    assert fault in registry.verify()


class Enrolments(RuleBasedStateMachine):
    """Any sequence of enrolments and removals leaves what a dict of sets would hold."""

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.place = tempfile.TemporaryDirectory()
        self.registry = Registry.create(Path(self.place.name) / "r")
        add_model(self.registry, Path(self.place.name) / "model")
        self.model = {}

    @rule(source=st.sampled_from("abc"), number=st.integers(0, 6))
    def enroll(self, source, number):
        owner = self.model.get(number)
        if owner not in (None, source):
            with pytest.raises(ClipConflictError):
                enroll(self.registry, source, number)
            return
        assert enroll(self.registry, source, number) == (owner is None)
        self.model[number] = source

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove_clip(self, data):
        number = data.draw(st.sampled_from(sorted(self.model)))
        assert self.registry.remove(self.model.pop(number), f"file{number}") == 2

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove_source(self, data):
        source = data.draw(st.sampled_from(sorted(set(self.model.values()))))
        gone = [number for number, owner in self.model.items() if owner == source]
        assert self.registry.remove(source) == 2 * len(gone)
        for number in gone:
            del self.model[number]

    @rule()
    def reopen(self):
        self.registry.close()
        self.registry = Registry.open(self.registry.folder)

    @invariant()
    def same(self):
        gallery = self.registry.gallery(SPACE)
        held = {gallery.reference(row) for row in range(len(gallery.embeddings))}
        assert held == {(source, f"/clips/{number}.wav") for number, source in self.model.items()}
        for row in range(len(gallery.embeddings)):
            number = int(gallery.reference(row)[1].removeprefix("/clips/").removesuffix(".wav"))
            assert (unit(2, number) == gallery.embeddings[row]).all(axis=1).any()

    def teardown(self):
        assert self.registry.verify() == []
        self.registry.close()
        self.place.cleanup()


Enrolments.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestEnrolments = Enrolments.TestCase

WRITER = """
import sys
from pathlib import Path
import numpy as np
from earwitness_registry import Card, Registry, StoredClip

folder, source, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Registry.open(folder) as registry:
    for number in range(first, first + int(sys.argv[4])):
        clip = StoredClip(f"file{number}", f"samples{number}", f"/clips/{number}.wav")
        rows = np.eye(8, dtype=np.float32)
        registry.enroll(Card(source), clip, {"space-a": (np.arange(8), rows)})
        print(number, flush=True)
"""


def write(registry, source, first, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(registry.folder), source, str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )


def test_a_killed_process_leaves_whole_clips(registry):
    rng = np.random.default_rng(5)
    for attempt in range(25):
        process = write(registry, f"s{attempt}", attempt * 10_000, 10_000)
        said = [int(process.stdout.readline())]
        said += [int(process.stdout.readline()) for _ in range(rng.integers(0, 12))]
        if attempt % 2:
            process.stdout.read(int(rng.integers(1, 4)))
        process.kill()
        process.communicate()
        with Registry.open(registry.folder) as opened:
            clips = [int(held.sha256.removeprefix("file")) for held in opened.clips(f"s{attempt}")]
            assert opened.verify() == []
            gallery = opened.gallery(SPACE)
        assert clips == list(range(attempt * 10_000, attempt * 10_000 + len(clips)))
        assert len(clips) >= len(said)
        assert (np.bincount(gallery.clips) == 8).all()


def test_two_processes_enrol_at_once(registry):
    processes = [write(registry, source, first, 40) for source, first in (("a", 0), ("b", 1000), ("c", 2000))]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert registry.verify() == []
    assert registry.stats()["clips"] == 120
    entries = [entry["version"] for entry in registry.history(120)]
    assert entries == sorted(set(entries), reverse=True)


def test_importing_the_package_is_light():
    code = "import sys, json, earwitness_registry; print(json.dumps(sorted(sys.modules)))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout)
    assert not {"faiss", "torch", "sqlite3", "earwitness"} & set(loaded)
