"""A manifest is read whole or refused with the wrong line; groups on two sides of a split are named."""

import csv
import json

import pytest

from earwitness.errors import ManifestError
from earwitness.manifest import check_leaks, read_manifest

COLUMNS = ["path", "source", "task", "split", "speaker", "text_id", "start", "end", "voice"]
ROWS = [
    ["a.wav", "acme", "system", "train", "ann", "t1", "", "", "warm"],
    ["b.wav", "acme", "system", "dev", "bob", "t2", "0.5", "2", "warm"],
    ["c.wav", "", "system", "test", "cid", "t3", "", "", "cold, dry"],
    ["d.wav", "unknown", "device", "test", "", "", "", "", ""],
]


def write_csv(folder, rows=ROWS, columns=COLUMNS):
    for name in "abcd":
        (folder / f"{name}.wav").touch()
    path = folder / "manifest.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def changed(row, column, value):
    rows = [list(r) for r in ROWS]
    rows[row][COLUMNS.index(column)] = value
    return rows


def test_rows_carry_labels_lines_and_every_column(tmp_path):
    rows = read_manifest(write_csv(tmp_path)).rows
    assert [row.source for row in rows] == ["acme", "acme", None, None]
    assert [row.line for row in rows] == [2, 3, 4, 5]
    assert rows[0].path == (tmp_path / "a.wav").resolve()
    assert (rows[1].start, rows[1].end, rows[0].start) == (0.5, 2.0, None)
    assert rows[2].columns["voice"] == "cold, dry"


def test_csv_jsonl_and_parquet_say_the_same(tmp_path):
    expected = read_manifest(write_csv(tmp_path)).rows
    records = [
        {k: float(v) if k in ("start", "end") and v else v or None for k, v in zip(COLUMNS, row, strict=True)}
        for row in ROWS
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps(r) for r in records))
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(records), tmp_path / "m.parquet")
    for name, first_line in (("m.jsonl", 1), ("m.parquet", 1)):
        rows = read_manifest(tmp_path / name).rows
        for line, (got, wanted) in enumerate(zip(rows, expected, strict=True), start=first_line):
            for field in ("path", "source", "task", "split", "start", "end"):
                assert getattr(got, field) == getattr(wanted, field)
            assert got.columns["voice"] == wanted.columns["voice"]
            assert got.line == line


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (1, "path", "gone.wav", "there is no file"),
        (1, "path", "", "no 'path'"),
        (1, "task", "voice", "task 'voice' is none of system, device"),
        (1, "split", "valid", "split 'valid' is none of train, dev, test"),
        (1, "start", "soon", "isn't a number"),
        (1, "end", "nan", "isn't a number"),
        (1, "start", "-1", "isn't a number"),
        (1, "end", "0.5", "isn't after"),
    ],
)
def test_a_wrong_value_names_its_line(tmp_path, row, column, value, words):
    with pytest.raises(ManifestError, match=f"line {row + 2}: .*{words}"):
        read_manifest(write_csv(tmp_path, changed(row, column, value)))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "path\n", "no rows"),
        ("m.csv", "path,source\na.wav,x,y\n", "line 2: more fields"),
        ("m.csv", "source\nacme\n", "line 2: there is no 'path'"),
        ("m.csv", b"path\n\xff\xfe.wav\n", "UTF-8"),
        ("m.jsonl", '{"path": "a.wav"}\n{"path"\n', "line 2: not JSON"),
        ("m.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("m.txt", "a.wav\n", "one of .csv"),
    ],
)
def test_a_torn_manifest_is_refused(tmp_path, name, text, words):
    (tmp_path / "a.wav").touch()
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ManifestError, match=words):
        read_manifest(tmp_path / name)


def test_text_that_claims_to_be_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "m.parquet").write_text("path\na.wav\n")
    with pytest.raises(ManifestError, match="not Parquet"):
        read_manifest(tmp_path / "m.parquet")


def test_a_missing_manifest_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no such manifest"):
        read_manifest(tmp_path / "none.csv")


def test_selection_by_split_and_task(tmp_path):
    manifest = read_manifest(write_csv(tmp_path, changed(0, "task", "")))
    assert [r.line for r in manifest.select(split="test").rows] == [4, 5]
    assert [r.line for r in manifest.select(task="device").rows] == [2, 5]  # line 2 names no task
    assert [r.line for r in manifest.select("test", "device").rows] == [5]
    with pytest.raises(ManifestError, match="no row has split 'dev' and task 'device'"):
        manifest.select("dev", "device")
    with pytest.raises(ManifestError, match="none of train, dev, test"):
        manifest.select("eval")


def test_selection_and_groups_need_their_column(tmp_path):
    manifest = read_manifest(write_csv(tmp_path, [["a.wav"]], ["path"]))
    with pytest.raises(ManifestError, match="line 2: there is no column 'split'"):
        manifest.select(split="dev")
    with pytest.raises(ManifestError, match="line 2: there is no column 'corpus'"):
        manifest.groups("corpus")


def test_groups_keep_the_order_of_first_appearance(tmp_path):
    groups = read_manifest(write_csv(tmp_path)).groups("voice")
    assert {name: len(rows) for name, rows in groups.items()} == {"warm": 2, "cold, dry": 1, "": 1}
    assert list(groups) == ["warm", "cold, dry", ""]


@pytest.mark.parametrize(("column", "value"), [("speaker", "ann"), ("text_id", "t1"), ("path", "./a.wav")])
def test_a_group_on_two_sides_of_a_split_is_named(tmp_path, column, value):
    leaks = check_leaks(read_manifest(write_csv(tmp_path, changed(2, column, value))))
    assert len(leaks) == 1
    assert leaks[0].startswith(column)
    assert leaks[0].endswith("stands in train (line 2), test (line 4)")


def test_disjoint_splits_and_unnamed_groups_do_not_leak(tmp_path):
    assert check_leaks(read_manifest(write_csv(tmp_path))) == []
    rows = [list(row) for row in ROWS]
    for row, name in zip(rows, ["", "", "unknown", "unknown"], strict=True):
        row[COLUMNS.index("speaker")] = name
    assert check_leaks(read_manifest(write_csv(tmp_path, rows))) == []


def test_leaks_are_looked_for_in_the_columns_asked(tmp_path):
    manifest = read_manifest(write_csv(tmp_path, changed(2, "speaker", "ann")))
    assert check_leaks(manifest, columns=("text_id", "session", "path")) == []
