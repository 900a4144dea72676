"""A screening loses no clip and repeats none, whatever happens to it, to its workers or to its files."""

import csv
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet
import pytest

from earwitness.engine import open_engine
from earwitness.errors import InputError, MissingExtraError, OptionError, RegistryMissingError
from earwitness.plugins import load_catalogue
from earwitness.screening import Tally, screen, sinks
from earwitness.screening import workers as workers_module
from earwitness.screening.journal import Journal
from earwitness.screening.sinks import COLUMNS
from earwitness.screening.workers import Work

HERE = Path(__file__).parent
SETTINGS = {"task": "all", "only_unknown": False}


@pytest.fixture
def fakes(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("screening_fakes")


def clip(folder, name, content):
    """A file that passes for audio by its first bytes; its last word tells the fake engine what to do."""
    folder.mkdir(exist_ok=True)
    path = folder / os.fsdecode(name)
    path.write_bytes(wav_header() + b" " + content.encode())
    return str(path)


def wav_header():
    data = bytes(3200)
    fmt = (
        b"fmt \x10\0\0\0\x01\0\x01\0" + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little") + b"\x02\0\x10\0"
    )
    body = b"WAVE" + fmt + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def rows_of(out):
    if out.suffix == ".jsonl":
        return [json.loads(line) for line in out.read_text().splitlines()]
    if out.suffix == ".csv":
        with out.open(newline="") as file:
            return list(csv.DictReader(file))
    return pyarrow.parquet.read_table(out).to_pylist()


def keys_of(out):
    return Counter((Path(row["clip"]).name, row["task"]) for row in rows_of(out))


def each_once(names, tasks=("system", "device")):
    return Counter((name, task) for name in names for task in tasks)


@pytest.fixture
def mixed(tmp_path):
    """Five clips, their verdicts: two known, two unknown, one bad."""
    for name, content in {"a": "known", "b": "unknown", "c": "bad", "d": "known", "e": "unknown"}.items():
        clip(tmp_path / "in", f"{name}.wav", content)
    return tmp_path / "in"


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_one_row_a_clip_and_task_in_every_format(fakes, mixed, tmp_path, ending):
    out = tmp_path / "new" / f"out.{ending}"
    tally = screen([mixed], out, workers=1, opener=fakes.open_fake)
    assert keys_of(out) == each_once(f"{name}.wav" for name in "abcde")
    assert (tally.clips, tally.known, tally.unknown, tally.abstain, tally.errors) == (5, 4, 4, 0, 1)


def test_all_formats_hold_the_same_rows(fakes, mixed, tmp_path):
    outs = {ending: tmp_path / f"out.{ending}" for ending in ("jsonl", "csv", "parquet")}
    for out in outs.values():
        screen([mixed], out, workers=1, opener=fakes.open_fake)
    plain = [fakes.FakeEngine().identify_many([str(mixed / f"{name}.wav")]) for name in "abcde"]
    expected = [json.loads(json.dumps(verdict.to_dict())) for verdicts in plain for verdict in verdicts]
    order = lambda rows: sorted(rows, key=lambda row: (row["clip"], row["task"]))  # noqa: E731
    assert order(rows_of(outs["jsonl"])) == order(expected)
    flat = order(
        {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in row.items()}
        for row in expected
    )
    assert order(rows_of(outs["parquet"])) == flat
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in flat]
    assert order(rows_of(outs["csv"])) == as_text


def test_parquet_columns_are_typed_even_when_every_value_is_null(fakes, tmp_path):
    out = tmp_path / "out.parquet"
    screen([clip(tmp_path / "in", "a.wav", "bad")], out, workers=1, opener=fakes.open_fake)
    schema = pyarrow.parquet.read_schema(out)
    assert [str(schema.field(name).type) for name in ("p_value", "source", "schema")] == ["double", "string", "int64"]
    assert schema.names == list(COLUMNS)


def test_names_with_newlines_and_stray_bytes_are_kept_apart(fakes, tmp_path):
    names = [b"new\nline.wav", b"stray\xff.wav", b"stray\\xff.wav", "größe.wav".encode(), b'quo"te,.wav']
    for name in names:
        clip(tmp_path / "in", name, "known")
    for ending in ("jsonl", "csv", "parquet"):
        out = tmp_path / f"out.{ending}"
        assert screen([tmp_path / "in"], out, workers=1, opener=fakes.open_fake).clips == len(names)
        assert len(rows_of(out)) == 2 * len(names)
        again = screen([tmp_path / "in"], out, workers=1, resume=True, opener=fakes.open_fake)
        assert (again.clips, again.skipped) == (0, len(names))


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_killed_again_and_again_then_resumed_loses_and_repeats_nothing(tmp_path, ending):
    names = [f"{i:03}.wav" for i in range(300)]
    for name in names:
        clip(tmp_path / "in", name, "unknown" if int(name[:3]) % 3 else "known")
    out, dice = tmp_path / f"out.{ending}", random.Random(0)
    command = [sys.executable, str(HERE / "screening_fakes.py"), str(tmp_path / "in"), str(out)]
    options = json.dumps({"workers": 2, "resume": True})
    journal = tmp_path / f"out.{ending}.journal"
    seen = 0
    for _ in range(3):
        with subprocess.Popen([*command, options], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
            goal = seen + dice.randint(1, 80)
            while run.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < goal):
                time.sleep(0.002)
            run.send_signal(signal.SIGKILL)
        seen = journal.read_bytes().count(b"\n")
    assert 1 < seen < 300, "the kills came while there was work"
    subprocess.run([*command, options], check=True, capture_output=True)
    assert keys_of(out) == each_once(names)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_torn_at_any_byte_the_output_recovers(tmp_path, fakes, ending):
    out = tmp_path / f"out.{ending}"
    answers = {
        f"{name}\udcff\n.wav": [v.to_dict() for v in fakes.FakeEngine().identify_many([clip(tmp_path, name, "known")])]
        for name in "abc"
    }
    with Journal(out, SETTINGS, resume=False) as journal:
        for path, rows in answers.items():
            journal.write(path, rows)
    body = next(file for file in tmp_path.glob("out.*") if file.suffix != ".journal")
    log = tmp_path / f"out.{ending}.journal"
    whole, logged, dice = body.read_bytes(), log.read_bytes(), random.Random(1)
    for _ in range(60):
        body.write_bytes(whole[: dice.randint(0, len(whole))])
        log.write_bytes(logged[: dice.randint(0, len(logged))])
        with Journal(out, SETTINGS, resume=True) as journal:
            for path, rows in answers.items():
                if path not in journal.done:
                    journal.write(path, rows)
        assert sorted(body.read_bytes().splitlines()) == sorted(whole.splitlines())
        assert journal.done == set(answers)


def test_a_real_engine_says_in_workers_what_it_says_alone(command, voices, tmp_path):
    registry, model, out = tmp_path / "registry", tmp_path / "model", tmp_path / "out.jsonl"
    model.mkdir()
    (model / "pipeline.yaml").write_text(load_catalogue().get("pipeline", "lfcc-stats"))
    command("registry", "init", "--registry", registry, "--model", model)
    command("enroll", "--manifest", voices, "--split", "train", "--registry", registry)
    for name, content in {"empty": b"", "text": b"no sound\n" * 99, "cut": wav_header()[:40]}.items():
        (tmp_path / f"{name}.wav").write_bytes(content)
    clips = [*voices.parent.glob("*.wav"), *tmp_path.glob("*.wav")]
    tally = screen(clips, out, registry=registry, workers=2)
    with open_engine(registry) as engine:
        alone = {verdict.clip: json.loads(json.dumps(verdict.to_dict())) for verdict in engine.identify_many(clips)}
    rows = {row["clip"]: row for row in rows_of(out)}
    assert rows == alone
    assert {Path(name).stem for name, row in rows.items() if row["verdict"] == "error"} == {"empty", "text", "cut"}
    assert (tally.clips, tally.errors) == (15, 3)


def test_a_clip_that_kills_its_worker_is_one_error_row_and_the_rest_go_on(fakes, tmp_path):
    for i in range(12):
        clip(tmp_path / "in", f"{i:02}.wav", "known")
    for name in ("exit", "segfault", "raise"):
        clip(tmp_path / "in", f"{name}.wav", name)
    out = tmp_path / "out.jsonl"
    tally = screen([tmp_path / "in"], out, task="system", workers=1, opener=fakes.open_fake)
    assert keys_of(out) == each_once(
        [f"{i:02}.wav" for i in range(12)] + ["exit.wav", "raise.wav", "segfault.wav"], ["system"]
    )
    errors = {Path(row["clip"]).stem: row["error"] for row in rows_of(out) if row["verdict"] == "error"}
    assert "exit code 7" in errors["exit"]
    assert "SIGSEGV" in errors["segfault"]
    assert "exit code 1" in errors["raise"]
    assert (tally.clips, tally.known, tally.errors) == (15, 12, 3)


def test_clips_lost_with_a_worker_are_tried_once_more_and_alone():
    work = Work(["a", "b", "c"], ("system",), workers=1)
    chunk = work.take()
    assert list(work.lost(chunk, "SIGKILL")) == []
    alone = [work.take() for _ in chunk]
    assert [len(one) for one in alone] == [1] * len(chunk)
    [(path, [row])] = work.lost(alone[0], "SIGKILL")
    assert (path, row["verdict"], row["task"]) == (chunk[0], "error", "system")


def test_chunks_cover_all_clips_and_shrink_towards_the_end():
    work, sizes = Work(map(str, range(200)), ("system",), workers=4), []
    while work:
        sizes.append(len(work.take()))
    assert sum(sizes) == 200
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (16, 1)


def test_workers_that_cannot_begin_end_the_run(fakes, mixed, tmp_path):
    with pytest.raises(OptionError, match=r"exit code 9.*--workers"):
        screen([mixed], tmp_path / "out.jsonl", workers=1, opener=fakes.open_once)


def test_an_engine_that_cannot_open_is_its_own_error_and_leaves_no_file(fakes, mixed, tmp_path):
    with pytest.raises(RegistryMissingError):
        screen([mixed], tmp_path / "out.jsonl", opener=fakes.open_missing)
    with pytest.raises(InputError):
        screen([tmp_path / "nowhere"], tmp_path / "out.jsonl", opener=fakes.open_fake)
    assert not list(tmp_path.glob("out*"))


def test_each_worker_has_one_thread_and_this_process_keeps_its_own(fakes, mixed, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    screen([mixed], tmp_path / "out.jsonl", workers=1, opener=fakes.open_threads)
    assert {tuple(row["warnings"]) for row in rows_of(tmp_path / "out.jsonl")} == {("1",)}
    assert os.environ["OMP_NUM_THREADS"] == "5"


def test_only_unknown_writes_unknown_rows_and_resumes_without_hearing_others_again(fakes, mixed, tmp_path):
    out = tmp_path / "out.jsonl"
    first = screen([mixed], out, only_unknown=True, workers=1, opener=fakes.open_fake)
    assert keys_of(out) == each_once(["b.wav", "e.wav"])
    assert (first.known, first.errors) == (4, 1)
    clip(mixed, "f.wav", "unknown")
    second = screen([mixed], out, only_unknown=True, resume=True, workers=1, opener=fakes.open_fake)
    assert (second.clips, second.skipped) == (1, 5)
    assert keys_of(out) == each_once(["b.wav", "e.wav", "f.wav"])


def test_an_output_is_never_written_over(fakes, mixed, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text("precious\n")
    with pytest.raises(OptionError, match="--resume"):
        screen([mixed], out, opener=fakes.open_fake)
    with pytest.raises(OptionError, match="no journal"):
        screen([mixed], out, resume=True, opener=fakes.open_fake)
    assert out.read_text() == "precious\n"


def test_a_run_is_resumed_only_with_its_own_options_and_by_one_process(fakes, mixed, tmp_path):
    out = tmp_path / "out.jsonl"
    screen([mixed], out, task="system", workers=1, opener=fakes.open_fake)
    before = out.read_bytes()
    with pytest.raises(OptionError, match="same options"):
        screen([mixed], out, resume=True, opener=fakes.open_fake)
    with Journal(out, {"task": "system", "only_unknown": False}, resume=True), pytest.raises(OptionError, match="wait"):
        Journal(out, SETTINGS, resume=True)
    assert out.read_bytes() == before
    (tmp_path / "out.jsonl.journal").write_text("{]\n")
    with pytest.raises(OptionError, match="damaged"):
        screen([mixed], out, resume=True, opener=fakes.open_fake)


def test_unknown_endings_and_missing_extras_are_said_before_the_run(monkeypatch):
    with pytest.raises(OptionError, match=r"\.jsonl, \.csv, \.parquet"):
        sinks.sink_for(Path("out.xlsx"))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        sinks.sink_for(Path("out.parquet"))


def test_watch_takes_up_later_files_once_they_are_whole_and_ends_on_ctrl_c(fakes, mixed, tmp_path, monkeypatch):
    monkeypatch.setattr("earwitness.screening.flow.POLL", 0.2)
    out = tmp_path / "out.parquet"
    journal = tmp_path / "out.parquet.journal"

    def wait_for(name):
        while not journal.exists() or name.encode() not in journal.read_bytes():
            time.sleep(0.01)

    ended = threading.Event()

    def visitor():
        wait_for("e.wav")
        for _ in range(8):
            clip(mixed, "growing.wav", "known")
            with (mixed / "growing.wav").open("ab") as file:
                file.write(b" bad")
            time.sleep(0.05)
        clip(mixed, "growing.wav", "known")
        wait_for("growing.wav")
        while not ended.is_set():  # Python drops an interrupt that comes while it collects garbage
            os.kill(os.getpid(), signal.SIGINT)
            ended.wait(5.0)

    thread = threading.Thread(target=visitor)
    thread.start()
    tally = screen([mixed], out, task="system", watch=True, workers=1, opener=fakes.open_fake)
    ended.set()
    thread.join()
    assert keys_of(out) == each_once([f"{n}.wav" for n in "abcde"] + ["growing.wav"], ["system"])
    assert (tally.clips, tally.known, tally.errors) == (6, 3, 1)


def test_watch_waits_at_an_empty_folder_but_not_at_a_wrong_path(fakes, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    assert screen([tmp_path / "in"], tmp_path / "a.csv", watch=True, opener=fakes.open_fake).clips == 0
    with pytest.raises(InputError):
        screen([tmp_path / "on"], tmp_path / "b.csv", watch=True, opener=fakes.open_fake)
    with pytest.raises(OptionError, match="@FILE"):
        screen(["-"], tmp_path / "b.csv", watch=True, opener=fakes.open_fake)


def test_ctrl_c_without_watch_is_an_interruption_that_resumes(fakes, mixed, tmp_path, monkeypatch):
    out = tmp_path / "out.jsonl"
    real = workers_module.LocalPool.run

    def interrupted(pool, clips):
        yield next(real(pool, clips))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(workers_module.LocalPool, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            screen([mixed], out, workers=1, opener=fakes.open_fake)
    assert len(rows_of(out)) == 2
    assert screen([mixed], out, workers=1, resume=True, opener=fakes.open_fake).clips == 4
    assert keys_of(out) == each_once(f"{name}.wav" for name in "abcde")


def test_the_bar_shows_clips_and_failures(fakes, mixed, tmp_path, capfd):
    screen([mixed], tmp_path / "a.jsonl", workers=1, progress=True, opener=fakes.open_fake)
    shown = capfd.readouterr().err
    assert "5/5" in shown
    assert "1 failed" in shown
    assert "clips/s" in shown
    screen([mixed], tmp_path / "b.jsonl", workers=1, opener=fakes.open_fake)
    assert capfd.readouterr().err == ""


def test_the_summary_says_it_in_one_line():
    tally = Tally(clips=10, known=6, unknown=3, abstain=0, errors=1, seconds=4.0, skipped=2)
    assert str(tally) == (
        "10 clips in 4.0 s (2.5 clips/s): 6 known, 3 unknown, 0 abstained, 1 failed; 2 were done before"
    )


def test_ray_without_ray_names_the_extra(fakes, mixed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="ray"):
        screen([mixed], tmp_path / "out.jsonl", engine="ray", opener=fakes.open_fake)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.filterwarnings("default")
def test_a_ray_cluster_gives_the_same_rows_and_survives_a_killer(fakes, mixed, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    clip(mixed, "exit.wav", "exit")
    out = tmp_path / "out.jsonl"
    with pytest.raises(OptionError, match="Ray cluster"):
        screen([mixed], out, engine="ray", workers=1, opener=fakes.open_fake)
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    tally = screen([mixed], out, engine="ray", workers=1, resume=True, opener=fakes.open_fake)
    assert keys_of(out) == each_once([f"{name}.wav" for name in "abcde"] + ["exit.wav"])
    assert (tally.clips, tally.known, tally.errors) == (6, 4, 2)
    assert Counter(row["verdict"] for row in rows_of(out)) == {"known": 4, "unknown": 4, "error": 4}
