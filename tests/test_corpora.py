"""Corpora: each layout in miniature gives the rows that a person would write, and a manifest that is read back."""

import csv
import json
import os
import pickle
import runpy
from pathlib import Path
from types import SimpleNamespace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.contracts import CorpusReader
from earwitness.corpora import gather, write_manifest
from earwitness.errors import ManifestError, OptionError
from earwitness.manifest import check_leaks, read_manifest
from earwitness.plugins import load_catalogue
from earwitness_corpora import _files

MADE = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("corpus_layouts.py"))))
LAYOUTS, lay, cut, packed = MADE.LAYOUTS, MADE.lay, MADE.cut, MADE.packed


def rows_of(reader, root):
    """A reader's rows without their empty fields, paths from the root on."""
    rows = [{column: value for column, value in row.items() if value} for row in reader(root)]
    return [{**row, "path": os.path.relpath(row["path"], root)} for row in rows]


def reader_of(name, **parameters):
    return load_catalogue().get("corpus", name)(**parameters)


@pytest.fixture
def corpus(tmp_path):
    def make(name, **more):
        return lay(tmp_path / "corpus", LAYOUTS[name][0] | more)

    return make


def test_every_reader_has_a_layout_here_and_keeps_to_the_contract():
    assert set(load_catalogue().names("corpus")) == LAYOUTS.keys()
    for name in LAYOUTS:
        reader = reader_of(name)
        assert isinstance(reader, CorpusReader)
        assert pickle.loads(pickle.dumps(reader)) == reader
        assert reader.__dataclass_params__.frozen


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_are_what_a_person_would_write(corpus, name):
    assert rows_of(reader_of(name), corpus(name)) == LAYOUTS[name][1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_manifest_is_read_back_without_complaint(corpus, tmp_path, name):
    root = corpus(name)
    found = gather(reader_of(name)(root), root)
    write_manifest(tmp_path / "out" / "m.csv", found.rows)
    manifest = read_manifest(tmp_path / "out" / "m.csv")
    assert found.missing == ()
    for row, expected in zip(manifest.rows, LAYOUTS[name][1], strict=True):
        assert row.path == root / expected["path"]
        assert row.source == (None if expected.get("source") == "unknown" else expected.get("source"))
        said = {column: value for column, value in row.columns.items() if value and column != "path"}
        assert said == {column: value for column, value in expected.items() if column != "path"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_order_is_not_the_file_systems(corpus, monkeypatch, name):
    walk = os.walk

    def backwards(*arguments, **options):
        for parent, subfolders, names in walk(*arguments, **options):
            subfolders.reverse()
            yield parent, subfolders, sorted(names, reverse=True)

    monkeypatch.setattr(_files.os, "walk", backwards)
    assert rows_of(reader_of(name), corpus(name)) == LAYOUTS[name][1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_systems_hide_in_folders_is_no_clip(corpus, name):
    root = corpus(name)
    for file in [*root.rglob("*.*")]:
        hidden = root / "__MACOSX" / file.relative_to(root)
        lay(root, {str(file.parent / f"._{file.name}"): "x", str(hidden): "x", str(file.parent / ".DS_Store"): "x"})
    assert rows_of(reader_of(name), root) == LAYOUTS[name][1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_links_to_folders_are_followed_and_loops_end(corpus, tmp_path, name):
    root = corpus(name)
    linked = tmp_path / "linked" / "corpus"
    linked.mkdir(parents=True)
    for entry in root.iterdir():
        (linked / entry.name).symlink_to(entry)
    (linked / "zz").symlink_to(linked, target_is_directory=True)
    assert rows_of(reader_of(name), linked) == LAYOUTS[name][1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_another_layout_is_refused_with_the_file_looked_for_and_a_way_out(tmp_path, name):
    root = lay(tmp_path / "strange", {"notes.txt": "x"})
    with pytest.raises(ManifestError, match=r"strange: there is no .+ in it or below; .+"):
        list(reader_of(name)(root))
    with pytest.raises(ManifestError, match="nowhere is no folder: check the path"):
        list(reader_of(name)(tmp_path / "nowhere"))


def test_no_split_of_the_phones_shares_a_text(corpus):
    for name in ("ccnu-mobile", "mobiphone"):
        root = corpus(name)
        write_manifest(root / f"{name}.csv", gather(reader_of(name)(root), root).rows)
        assert check_leaks(read_manifest(root / f"{name}.csv")) == []


@pytest.mark.parametrize(
    ("name", "listed", "there"),
    [
        ("asvspoof2019-la", "LA/ASVspoof2019_LA_train/flac/LA_T_2.flac", "converted/LA_T_2.WAV"),
        ("mlaad", "fake/en/bark/b.wav", "fake/en/bark/b.flac"),
        ("tau-mobile", "dev/audio/bus-lyon-7-3-b.wav", "dev/audio/bus-lyon-7-3-b.FLAC"),
        ("add2023-track3", "test/wav/ADD2023_T3_E_0.wav", "test/wav/ADD2023_T3_E_0.mp3"),
    ],
)
def test_audio_is_found_with_another_ending(corpus, name, listed, there):
    root = corpus(name, **{there: None})
    (root / listed).unlink()
    expected = [row | {"path": there} if row["path"] == listed else row for row in LAYOUTS[name][1]]
    assert rows_of(reader_of(name), root) == expected


@pytest.mark.parametrize("name", ["kaldi", "speechbrain"])
def test_names_with_accents_are_found_however_they_are_composed(tmp_path, name):
    composed, decomposed = normalize("NFC", "wav/ünï.wav"), normalize("NFD", "wav/ünï.wav")
    lists = {"wav.scp": f"u {composed}\n", "train.csv": f"ID,wav\n1,{composed}\n"}
    root = lay(tmp_path, lists | {decomposed: None})
    assert [row["path"] for row in rows_of(reader_of(name), root)] == [decomposed]


def test_a_corpus_own_ending_goes_before_a_converted_copy(corpus):
    root = corpus("asvspoof2019-la", **{"LA/A/LA_T_1.wav": None})
    assert rows_of(reader_of("asvspoof2019-la"), root) == LAYOUTS["asvspoof2019-la"][1]


def test_listed_clips_without_audio_are_counted_and_an_empty_corpus_is_refused(corpus):
    root = corpus("asvspoof2019-la")
    lost = root / "LA/ASVspoof2019_LA_eval/flac/LA_E_1.flac"
    lost.unlink()
    found = gather(reader_of("asvspoof2019-la")(root), root)
    assert (len(found.rows), found.missing) == (3, (str(lost),))
    with pytest.raises(ManifestError, match=r"no clip is there, the first of 1, .*gone.wav, is missing; unpack"):
        gather([{"path": "gone.wav"}], root)
    with pytest.raises(ManifestError, match=r"no clip is there, none is listed"):
        gather([], root)
    with pytest.raises(ManifestError, match=r"nowhere does not exist: check the path"):
        gather([], root / "nowhere")


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        ("asvspoof2019-la", "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt", "LA_E_1\n", "line 1: 1 "),
        ("asvspoof2021", "keys/DF/CM/trial_metadata.txt", "PA_1 PA_E_1 R3 M3 d4 r1 m1 s4\n", "no trial of LA or DF"),
        ("mlaad", "fake/en/bark/meta.csv", "path|language\na.wav|en\n", "no column 'original_file', only path, langu"),
        ("add2023-track3", "train/label.txt", "a.wav fake\n", "'fake' is no class of track 3"),
        ("tau-mobile", "dev/meta.csv", "filename\tscene_label\n", "no column 'identifier'"),
        ("kaldi", "data/test/wav.scp", "a a.wav\n\nb sph2pipe -f wav b.sph |\n", r"line 3: 'sph2pipe -f wav b.sph \|'"),
        ("kaldi", "data/test/wav.scp", "a raw.ark:17\n", "line 1: 'raw.ark:17' is no file; write each sound to a file"),
        ("kaldi", "data/train_clean/segments", "u1 r9 0 1\n", "'r9' isn't in wav.scp"),
        ("kaldi", "data/test/utt2lang", "t1\n", "line 1: 1 fields of 2"),
        ("kaldi", "data/test/wav.scp", b"t1 \xff.wav\n", "can't be read as UTF-8 text"),
        ("lhotse", "my_cuts.jsonl", "[]\n", "line 1: no cut of a file of sound"),
        ("lhotse", "my_cuts.jsonl", "{\n", "line 1: no cut of a file of sound .+; save cuts with CutSet.save_audios"),
        ("lhotse", "cuts_train.jsonl.gz", packed(cut("a", "a.wav"))[:-9], "can't be read"),
        ("lhotse", "cuts_train.jsonl.gz", b"no gzip", "can't be read"),
        ("speechbrain", "csv/valid.csv", "name,wav\n", "no column 'ID', only name, wav; check that this is the reader"),
        ("speechbrain", "csv/valid.csv", "ID,wav,start,stop\n1,a.wav,0.5,1\n", "'0.5' is no number of samples"),
        ("folders", "train/loose.wav", None, "loose.wav lies in no class; move it into a folder named after what made"),
    ],
)
def test_lists_that_are_wrong_are_refused_by_name(corpus, name, file, text, message):
    root = corpus(name, **{file: text})
    with pytest.raises(ManifestError, match=message) as refused:
        list(reader_of(name)(root))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["command", "url", "shar", "memory"])
def test_cuts_of_sound_that_is_in_no_file_are_refused(tmp_path, kind):
    made = cut("c1", "sox a.wav -")
    made["recording"]["sources"][0]["type"] = kind
    root = lay(tmp_path, {"cuts.jsonl": json.dumps(made), "mixed_cuts.jsonl": json.dumps({"type": "MixedCut"})})
    for file in root.iterdir():
        with pytest.raises(ManifestError, match=rf"{file.name}, line 1: no cut of a file of sound \(.+\); save cuts"):
            list(reader_of("lhotse")(file))


def test_a_cut_of_several_files_is_the_one_of_its_first_channel(tmp_path):
    made = cut("c1", "left.wav", channel=[1, 0])
    made["recording"]["sources"].append({"type": "file", "channels": [1], "source": "right.wav"})
    root = lay(tmp_path, {"cuts.jsonl": json.dumps(made)})
    assert [row["path"] for row in rows_of(reader_of("lhotse"), root)] == ["right.wav"]


def test_a_reader_takes_the_one_list_of_a_corpus(corpus):
    for name, file, count in (("lhotse", "cuts_train.jsonl.gz", 2), ("speechbrain", "csv/train.csv", 1)):
        root = corpus(name)
        rows = list(reader_of(name, **({"data_folder": ".."} if name == "speechbrain" else {}))(root / file))
        assert len(gather(rows, root / file).rows) == len(rows) == count


@pytest.mark.parametrize(
    ("name", "parameters", "column", "values"),
    [
        ("add2023-track3", {"genuine": 3, "unknown": 0}, "source", ["add2023-7", "unknown", "genuine"]),
        ("ccnu-mobile", {"train": 1}, "split", ["test", "test", "train"]),
        ("vctk", {"microphone": "mic2"}, "microphone", ["mic2"]),
        ("vctk", {"microphone": "both"}, "text_id", ["001", "001", "p225_366", "024"]),
        ("kaldi", {"source": "utt2spk", "task": "device"}, "source", [None, "ann", None, "bob"]),
        ("kaldi", {"task": "device"}, "task", ["device"] * 4),
        ("kaldi", {"base": "../elsewhere"}, "path", [f"../elsewhere/audio/{n}.wav" for n in ("t", "r 1", "r 1", "r2")]),
        ("lhotse", {"source": "snr", "base": "sub"}, "source", ["12.5", "12.5", None]),
        ("lhotse", {"base": "sub"}, "path", ["sub/a.wav", "sub/b.wav", "sub/a.wav"]),
        ("speechbrain", {"speaker": "ID", "source": "spk_id"}, "source", ["id1", "id2"]),
        ("speechbrain", {"rate": 8000}, "end", ["6.0", None]),
        ("speechbrain", {"data_folder": "/data"}, "path", ["/data/wav/1.wav", "/data/wav/2.wav"]),
        ("folders", {"task": "device"}, "task", ["device"] * 3),
    ],
)
def test_parameters_say_what_the_layout_leaves_open(corpus, name, parameters, column, values):
    root = corpus(name)
    rows = rows_of(reader_of(name, **parameters), root)
    expected = [os.path.relpath(root / value, root) if column == "path" else value for value in values]
    assert [row.get(column) for row in rows] == expected


def test_old_vctk_and_plain_classes_are_read_too(tmp_path):
    old = lay(tmp_path / "VCTK-Corpus", {"wav48/p225/p225_001.wav": None})
    assert [row["speaker"] for row in rows_of(reader_of("vctk"), old)] == ["p225"]
    plain = lay(tmp_path / "plain", {"acmé/ünï.wav": None, "test/1.wav": None})
    assert [(row["source"], row.get("split")) for row in rows_of(reader_of("folders"), plain)] == [
        ("acmé", None),
        ("test", None),
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-clean-100", "train"),
        ("dump_valid.csv", "dev"),
        ("eval1", "test"),
        ("Evaluation", "test"),
        ("train_dev", ""),
        ("trainer", ""),
        ("contest", ""),
    ],
)
def test_a_split_is_what_exactly_one_word_of_a_name_says(name, split):
    assert _files.split_of(name) == split


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@given(st.lists(st.tuples(NAMES, VALUES, VALUES), min_size=1, max_size=5, unique_by=lambda row: row[0]))
def test_any_name_and_label_survive_the_manifest(tmp_path_factory, clips):
    folder = tmp_path_factory.mktemp("corpus")
    rows = [
        {"path": str(folder / f"{name}.wav"), "source": source, "speaker": speaker} for name, source, speaker in clips
    ]
    for row in rows:
        Path(row["path"]).touch()
    write_manifest(folder / "m.csv", gather(rows, folder).rows)
    read = read_manifest(folder / "m.csv").rows
    assert [str(row.path) for row in read] == [row["path"] for row in rows]
    for row, (_, source, speaker) in zip(read, clips, strict=True):
        assert row.columns["source"] == source.strip()
        assert row.columns.get("speaker", "") == speaker.strip()


def header(file):
    with file.open(newline="", encoding="utf-8") as text:
        return next(csv.reader(text))


def test_paths_count_from_the_manifest_where_they_lie_below_it(tmp_path):
    near, far = lay(tmp_path, {"data/a.wav": None}) / "data/a.wav", lay(tmp_path / "far", {"b.wav": None}) / "b.wav"
    out = tmp_path / "data" / "m.csv"
    write_manifest(out, [{"path": str(near), "extra": "1"}, {"path": str(far), "split": "test", "note": ""}])
    assert [row.columns["path"] for row in read_manifest(out).rows] == ["a.wav", str(far)]
    assert header(out) == ["path", "source", "split", "extra"]


def test_manifests_that_cannot_be_written_say_so(tmp_path):
    file = lay(tmp_path, {"a.wav": None}) / "a.wav"
    with pytest.raises(OptionError, match=r"a manifest is written as CSV; let its name end in \.csv"):
        write_manifest(tmp_path / "m.parquet", [{"path": str(file)}])
    with pytest.raises(OptionError, match=r"can't be written \(.+\): choose another place"):
        write_manifest(file / "m.csv", [{"path": str(file)}])
    with pytest.raises(ManifestError, match=r"a\\xff.wav: the name isn't UTF-8, and a manifest is; rename the file"):
        write_manifest(tmp_path / "m.csv", [{"path": os.fsdecode(b"/a\xff.wav")}])
    with pytest.raises(ManifestError, match="the name ends in a blank"):
        write_manifest(tmp_path / "m.csv", [{"path": "/a "}])


def test_the_command_writes_a_manifest_and_counts_by_split_and_source(corpus, call, tmp_path):
    root = corpus("asvspoof2019-la")
    (root / "LA/ASVspoof2019_LA_eval/flac/LA_E_1.flac").unlink()
    out = tmp_path / "m.csv"
    done = call("corpus", "read", "asvspoof2019-la", root, "--out", out)
    assert (done.code, " ".join(done.out.split())) == (
        0,
        "split source clips dev A06 1 train A01 1 train genuine 1",
    )
    assert "1 of 4 listed clips are missing and left out, first " in done.err
    assert f"manifest {out}: 3 clips" in done.err
    assert all(row.columns["path"].startswith("corpus/LA/") for row in read_manifest(out).rows)


def test_the_command_answers_programs_and_takes_parameters(corpus, call, tmp_path):
    out = tmp_path / "m.csv"
    done = call("corpus", "read", "folders", corpus("folders"), "--out", out, "--set", "task=device", "--json")
    assert json.loads(done.out) == {
        "manifest": str(out),
        "clips": 3,
        "missing": [],
        "counts": [
            {"split": "test", "source": "unknown", "clips": 1},
            {"split": "test", "source": "zeta", "clips": 1},
            {"split": "train", "source": "acme", "clips": 1},
        ],
    }
    assert {row.task for row in read_manifest(out).rows} == {"device"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("librspeech", "."), "no plugin offers the corpus 'librspeech'; did you mean librispeech"),
        (("folders", ".", "--set", "job=device"), "corpus 'folders' has no parameter 'job'; it has task"),
        (("folders", ".", "--set", "task=both"), "task is 'both', not one of"),
        (
            ("librispeech", "."),
            "there is no <reader>-<chapter>-<utterance>.flac in it or below; use 'folders' for others",
        ),
        (("librispeech", "nowhere"), "nowhere does not exist: check the path"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(call, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = call("corpus", "read", *arguments, "--out", tmp_path / "m.csv")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert not (tmp_path / "m.csv").exists()
