"""The command line: names, JSON and exit codes to the letter; one line for a user's error, a traceback for a bug."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import earwitness.engine
from earwitness import places
from earwitness.cli.printing import worded
from earwitness_registry import Registry

RATE = 16000


def clip(made, name):
    return made.home / f"{name}.wav"


def strictly(text):
    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads(text, parse_constant=refuse)


def one_line(done):
    """The text of a user's error: exit code 2, one line on standard error, nothing on standard output."""
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("earwitness: ")
    assert done.err.count("\n") == 1
    return done.err


@pytest.fixture
def starter(made, tmp_path, monkeypatch):
    """The made registry in the place of the one that ships."""
    folder = Path(shutil.copytree(made.registry, tmp_path / "starter"))
    for module in (places, earwitness.engine):
        monkeypatch.setattr(module, "starter_folder", lambda: folder)
    return folder


def test_identify_prints_a_verdict_for_people(made, call):
    done = call("identify", clip(made, "test-beta-0"), "--registry", made.registry, "--segments")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"{clip(made, 'test-beta-0')}  (system)"
    assert re.fullmatch(r"  beta: probability 0\.\d\d", lines[1])
    assert re.fullmatch(r"  likelihood ratio known : unknown = 10\^\d\.\d \((weak|moderate) support\)", lines[2])
    assert lines[3].startswith("  ranking   beta ")
    assert lines[4].startswith("  nearest   beta: ")
    assert "     1.00 s to    2.00 s   beta" in lines


def test_identify_prints_json_for_programs(made, call, tmp_path):
    (tmp_path / "empty.wav").touch()
    asked = [clip(made, "test-alpha-0"), tmp_path / "empty.wav", clip(made, "test-test-one-2")]
    done = call("identify", *asked, "--json", "--top", "2", "--registry", made.registry)
    verdicts = strictly(done.out)
    assert [v["clip"] for v in verdicts] == list(map(str, asked))
    assert [v["verdict"] for v in verdicts] == ["known", "error", "unknown"]
    assert [len(v["ranking"]) for v in verdicts] == [2, 0, 2]
    assert verdicts[2]["source"] is None
    assert done.code == 0  # one bad clip of three
    assert done.err.startswith("earwitness: 1 of 3 failed; first: ")


def test_a_batch_without_one_good_clip_fails(call, made, tmp_path):
    (tmp_path / "empty.wav").touch()
    done = call("identify", tmp_path / "empty.wav", "--json", "--registry", made.registry)
    assert strictly(done.out)[0]["verdict"] == "error"
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_lists_folders_and_globs(made, call, tmp_path, monkeypatch):
    for name in ("test-alpha-0", "test-alpha-1"):
        shutil.copy(clip(made, name), tmp_path)
    (tmp_path / "list.txt").write_text("test-alpha-0.wav\ngone.wav\n")
    rows = strictly(call("identify", f"@{tmp_path}/list.txt", "--json", "--registry", made.registry).out)
    assert [row["verdict"] for row in rows] == ["known", "error"]
    assert "gone.wav does not exist" in rows[1]["error"]
    for given in (tmp_path, f"{tmp_path}/*.wav"):
        assert len(strictly(call("identify", given, "--json", "--registry", made.registry).out)) == 2
    names = f"{tmp_path}/test-alpha-1.wav\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(names)))
    assert len(strictly(call("identify", "-", "--json", "--registry", made.registry).out)) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("identify",), "Missing argument 'CLIP...'"),
        (("identify", "gone.wav"), "gone.wav matches no audio"),
        (("identify", "@gone.txt"), "gone.txt does not exist"),
        (("identify", "FOLDER"), "matches no audio"),
        (("identify", "CLIP", "--task", "voice"), "--task"),
        (("identify", "CLIP", "--task", "device"), "no model for task 'device'"),
        (("identify", "CLIP", "--top", "-1"), "--top"),
        (("identify", "CLIP", "--tpo", "1"), "No such option"),
        (("identify", "CLIP", "--registry", "gone"), "no registry at"),
        (("identify", "CLIP", "--registry", "FOLDER"), "earwitness registry init"),
        (("idnetify", "CLIP"), "No such command 'idnetify'"),
        (("verify", "CLIP"), "Missing argument"),
        (("verify", "CLIP", "gone.wav"), "gone.wav does not exist"),
        (("enroll",), "either SOURCE and its clips, or --manifest"),
        (("enroll", "alpha"), "either SOURCE and its clips, or --manifest"),
        (("enroll", "alpha", "CLIP", "--kind", "voice"), "--kind"),
        (("enroll", "unknown", "CLIP"), "'unknown' can't be a source"),
        (("enroll", "--manifest", "gone.csv"), "no such manifest"),
        (("calibrate", "--manifest", "gone.csv"), "no such manifest"),
        (("calibrate", "--manifest", "MANIFEST", "--far", "1.5"), "--far"),
        (("calibrate", "--manifest", "MANIFEST", "--far", "0.01"), "99 are needed"),
        (("calibrate", "--manifest", "MANIFEST", "--split", "devel"), "'devel' is none of train, dev, test"),
        (("evaluate", "--manifest", "MANIFEST"), "--out"),
        (("train", "lfcc-stast", "--manifest", "MANIFEST", "--out", "x"), "did you mean lfcc-stats"),
        (("train", "lfcc-stats", "--manifest", "MANIFEST", "--out", "x", "--set", "hop"), "not key=value"),
        (("registry", "show", "alhpa"), "did you mean alpha"),
        (("registry", "remove", "alpha", "--clip", "ab"), "has no clip ab"),
        (("registry", "init", "--registry", "REGISTRY", "--model", "MODEL"), "already"),
        (("registry", "init", "--registry", "x", "--model", "FOLDER"), "is not a model"),
        (("registry", "import", "MANIFEST"), "earwitness"),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_two(made, registry_copy, call, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(registry_copy))
    meant = {
        "CLIP": clip(made, "test-alpha-0"),
        "FOLDER": tmp_path / "folder",
        "MANIFEST": made.manifest,
        "MODEL": made.model,
        "REGISTRY": registry_copy,
    }
    assert told in one_line(call(*(meant.get(argument, argument) for argument in arguments)))


def test_help_is_no_error_and_no_arguments_are_answered_with_it(call):
    for arguments in (("--help",), ("-h",), ("identify", "--help"), ("registry", "--help")):
        done = call(*arguments)
        assert (done.code, done.err) == (0, "")
        assert "Usage: " in done.out
    for arguments in ((), ("registry",), ("plugins",)):
        done = call(*arguments)
        assert (done.code, done.err) == (2, "")
        assert "Usage: " in done.out


def test_a_bug_is_a_traceback_and_exit_code_one(command, made):
    code = """
import earwitness.engine
def broken(*_): raise ZeroDivisionError("a bug")
earwitness.engine.open_engine = broken
from earwitness.cli import main
main()
"""
    done = command("identify", clip(made, "test-alpha-0"), code=code, expect=1)
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError: a bug" in done.stderr


def test_ctrl_c_is_quiet(command, made):
    code = """
import earwitness.engine
def interrupted(*_): raise KeyboardInterrupt
earwitness.engine.open_engine = interrupted
from earwitness.cli import main
main()
"""
    done = command("identify", clip(made, "test-alpha-0"), code=code, expect=130)
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_bug():
    read, write = os.pipe()
    os.close(read)
    run = [sys.executable, "-c", "from earwitness.cli import main; main()", "plugins", "list", "--json"]
    with os.fdopen(write) as gone:
        done = subprocess.run(run, stdout=gone, stderr=subprocess.PIPE, text=True)
    assert "Traceback" not in done.stderr


def test_a_name_of_stray_bytes_is_one_line_in_a_real_process(made, command, tmp_path):
    stray = os.fsencode(tmp_path) + b"/new\nline\xe9.wav"
    shutil.copy(clip(made, "test-alpha-0"), stray)
    done = command("identify", os.fsdecode(stray), "--json", "--registry", made.registry)
    (verdict,) = strictly(done.stdout)
    assert (verdict["verdict"], verdict["source"]) == ("known", "alpha")
    assert verdict["clip"].endswith(r"new\nline\xe9.wav")


def test_verify(made, call):
    same = [clip(made, "test-gamma-0"), clip(made, "test-gamma-3")]
    done = call("verify", *same, "--registry", made.registry, "--json")
    answer = strictly(done.out)
    assert (answer["clip_a"], answer["clip_b"]) == tuple(map(str, same))
    assert {"schema", "task", "similarity", "log10_lr", "support", "warnings", "space", "engine"} <= set(answer)
    assert answer["log10_lr"] > 0
    text = call("verify", *same, "--registry", made.registry).out
    assert re.search(r"likelihood ratio same : different = 10\^\d\.\d \(\w+ support\)", text)


@pytest.mark.parametrize(
    ("support", "phrase"),
    [
        ("moderately strong", "moderately strong support"),
        ("weak against", "weak support against"),
        ("no support", "no support"),
    ],
)
def test_support_is_worded(support, phrase):
    assert worded(support) == phrase


def test_the_environment_names_the_registry(made, call, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(made.registry))
    (verdict,) = strictly(call("identify", clip(made, "test-alpha-0"), "--json").out)
    assert verdict["registry"]["name"] == "made"
    monkeypatch.setenv("EARWITNESS_REGISTRY", "/gone")
    assert "/gone" in one_line(call("identify", clip(made, "test-alpha-0")))
    assert call("identify", clip(made, "test-alpha-0"), "--registry", made.registry).code == 0


def test_the_starter_answers_and_enrolling_makes_an_own_copy(made, call, starter, tmp_path):
    own = tmp_path / "data" / "earwitness" / "registry"
    (verdict,) = strictly(call("identify", clip(made, "test-alpha-0"), "--json").out)
    assert (verdict["source"], own.exists()) == ("alpha", False)
    done = call("enroll", "acme/voice-2", clip(made, "test-test-one-0"))
    assert done.code == 0
    assert done.err.splitlines() == [
        f"earwitness: first use: copied the starter registry to {own}",
        f"earwitness: registry {own}",
    ]
    assert re.search(r"acme/voice-2 +1 +added", done.out)
    again = call("enroll", "acme/voice-2", clip(made, "test-test-one-0"))
    assert "first use" not in again.err
    assert re.search(r"acme/voice-2 +1 +already enrolled", again.out)
    assert strictly(call("registry", "list", "--json").out)[0]["id"] == "acme/voice-2"
    assert len(strictly(call("registry", "list", "--json", "--registry", starter).out)) == 3


def test_removing_from_the_starter_makes_a_copy_too(call, starter):
    assert "first use" in call("registry", "remove", "alpha").err
    assert "first use" not in call("registry", "remove", "beta").err
    assert [row["id"] for row in strictly(call("registry", "list", "--json").out)] == ["gamma"]
    assert len(strictly(call("registry", "list", "--json", "--registry", starter).out)) == 3


def test_enroll_tells_what_was_refused(made, call, registry_copy, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    asked = [clip(made, "test-alpha-0"), tmp_path / "silent.wav"]
    done = call("enroll", "alpha", *asked, "--json", "--registry", registry_copy)
    assert strictly(done.out) == [
        {"clip": str(asked[0]), "source": "alpha", "outcome": "added", "reason": None},
        {"clip": str(asked[1]), "source": "alpha", "outcome": "refused", "reason": "silent"},
    ]
    assert (done.code, done.err) == (0, f"earwitness: 1 of 2 failed; first: {asked[1]}: silent\n")
    assert call("enroll", "alpha", asked[1], "--registry", registry_copy).code == 2


def test_a_conflict_names_the_command_that_resolves_it(made, call, registry_copy):
    done = call("enroll", "beta", clip(made, "train-alpha-0"), "--registry", registry_copy)
    remedy = re.search(r"'earwitness (registry remove alpha --clip \w+)'", done.err)[1]
    assert call(*remedy.split(), "--registry", registry_copy).code == 0
    assert call("enroll", "beta", clip(made, "train-alpha-0"), "--registry", registry_copy).code == 0


def test_the_whole_path_with_an_own_corpus(made, call, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(tmp_path / "registry"))
    model, manifest = tmp_path / "model", made.manifest
    settings = ("--set", "window=1.0", "--set", "hop=0.5")
    assert call("train", "lfcc-stats", "--manifest", manifest, "--out", model, *settings).code == 0
    assert call("registry", "init", "--model", model, "--name", "own").code == 0
    (verdict,) = strictly(call("identify", clip(made, "test-alpha-0"), "--json").out)
    assert (verdict["verdict"], verdict["ranking"]) == ("abstain", [])
    done = call("enroll", "--manifest", manifest, "--split", "train", "--json")
    sources = {row["source"] for row in strictly(done.out)}
    assert sources == {"alpha", "beta", "gamma"}
    (report,) = strictly(call("calibrate", "--manifest", manifest, "--json").out)
    assert (report["task"], report["far"], report["stranger_clips"]) == ("system", 0.05, 24)
    done = call("evaluate", "--manifest", manifest, "--out", tmp_path / "out", "--by", "half", "--json")
    (figures,) = strictly(done.out)
    assert figures["accuracy"] == 1.0
    assert set(figures["by"]["half"]) == {"even", "odd"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"metrics.json", "predictions.jsonl", "report.html"}
    table = call("evaluate", "--manifest", manifest, "--out", tmp_path / "out")
    assert re.search(r"^accuracy +1\.0", table.out, re.MULTILINE)
    assert table.err == f"earwitness: report {tmp_path}/out/report.html\n"


def test_evaluate_refuses_leaks_unless_told(made, call, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    text = made.manifest.read_text().replace("test-beta-0,", "train-beta-0,")
    (made.home / "leaky.csv").write_text(text)
    asked = ("evaluate", "--manifest", made.home / "leaky.csv", "--out", tmp_path / "out", "--registry", made.registry)
    assert "speaker 'train-beta-0' stands in train" in one_line(call(*asked))
    done = call(*asked, "--allow-leak", "--json")
    assert strictly(done.out)[0]["stamp"] == "LEAKY SPLIT"


def test_a_manifest_enrols_stretches_and_kinds(made, call, registry_copy):
    rows = "path,source,task,start,end\ntest-test-one-0.wav,new,system,0,1\ntest-test-one-0.wav,new,system,1,2\n"
    (made.home / "stretches.csv").write_text(rows)
    done = call("enroll", "--manifest", made.home / "stretches.csv", "--registry", registry_copy, "--json")
    assert [row["clip"] for row in strictly(done.out)] == ["test-test-one-0.wav#0-1", "test-test-one-0.wav#1-2"]
    assert {row["outcome"] for row in strictly(done.out)} == {"added"}
    (made.home / "devices.csv").write_text("path,source,task\ntest-alpha-0.wav,phone,device\n")
    done = call("enroll", "--manifest", made.home / "devices.csv", "--registry", registry_copy)
    assert "no model for task 'device'" in one_line(done)
    (made.home / "nameless.csv").write_text("path,source\ntest-alpha-0.wav,unknown\n")
    done = call("enroll", "--manifest", made.home / "nameless.csv", "--registry", registry_copy)
    assert "no row names a source" in one_line(done)


def test_a_registry_takes_models_of_different_names_and_spaces(made, call, tmp_path, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(tmp_path / "registry"))
    device = tmp_path / "device"
    settings = ("--set", "task=device", "--set", "name=device-stats", "--set", "window=1.0", "--set", "hop=0.5")
    assert call("train", "lfcc-stats", "--manifest", made.manifest, "--out", device, *settings).code == 0
    for second in (made.model, device):  # the other task alone makes no other space
        answer = call("registry", "init", "--model", made.model, "--model", second)
        assert "a name and a space of its own" in one_line(answer)
    assert "can't make an index 'PQ7'" in one_line(call("registry", "init", "--model", device, "--index", "PQ7"))
    assert not (tmp_path / "registry").exists()  # so that a second try finds nothing in its way
    other = shutil.copytree(made.model, tmp_path / "other")
    recipe = (other / "pipeline.yaml").read_text()
    (other / "pipeline.yaml").write_text(recipe.replace("name: lfcc-stats", "name: short").replace("1.0", "0.5"))
    assert call("registry", "init", "--model", made.model, "--model", other).code == 0
    with Registry.open(tmp_path / "registry") as opened:
        assert [(model.name, model.task) for model in opened.models()] == [
            ("lfcc-stats", "system"),
            ("short", "system"),
        ]


def test_two_models_of_different_spaces_answer_a_clip_each(made, call, tmp_path, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(tmp_path / "registry"))
    device = tmp_path / "device"
    settings = ("--set", "task=device", "--set", "name=device-stats", "--set", "window=0.5", "--set", "hop=0.5")
    assert call("train", "lfcc-stats", "--manifest", made.manifest, "--out", device, *settings).code == 0
    assert call("registry", "init", "--model", made.model, "--model", device).code == 0
    rows = ["path,source,task,split"]
    for name in ("alpha", "beta"):
        rows += [f"train-{name}-{i}.wav,{name},system,train" for i in range(6)]
        rows += [f"train-{name}-{i}.wav,phone-{name},device,train" for i in range(6)]
    (made.home / "both.csv").write_text("\n".join(rows))
    assert call("enroll", "--manifest", made.home / "both.csv").code == 0
    kinds = {row["id"]: row["kind"] for row in strictly(call("registry", "list", "--json").out)}
    assert kinds == {"alpha": "system", "beta": "system", "phone-alpha": "device", "phone-beta": "device"}
    verdicts = strictly(call("identify", clip(made, "test-alpha-0"), clip(made, "test-beta-0"), "--json").out)
    found = [(Path(v["clip"]).stem, v["task"], v["ranking"][0]["source"]) for v in verdicts]
    assert sorted(found) == [
        ("test-alpha-0", "device", "phone-alpha"),
        ("test-alpha-0", "system", "alpha"),
        ("test-beta-0", "device", "phone-beta"),
        ("test-beta-0", "system", "beta"),
    ]
    assert len(strictly(call("identify", clip(made, "test-alpha-0"), "--task", "device", "--json").out)) == 1


def test_registry_commands(call, registry_copy, tmp_path):
    here = ("--registry", registry_copy)
    listed = strictly(call("registry", "list", "--json", *here).out)
    assert [(row["id"], row["kind"], row["clips"]) for row in listed] == [
        (name, "system", 6) for name in ("alpha", "beta", "gamma")
    ]
    shown = strictly(call("registry", "show", "beta", "--json", *here).out)
    assert {"sha256", "samples_sha256", "path", "duration", "origin", "added", "cell"} == set(shown["clips"][0])
    assert strictly(call("registry", "verify", "--json", *here).out) == {"sound": True, "faults": []}
    assert strictly(call("registry", "stats", "--json", *here).out)["clips"] == 18
    bundle = tmp_path / "beta.bundle"
    assert call("registry", "export", bundle, "--source", "beta", *here).code == 0
    assert call("registry", "remove", "beta", *here).err == "earwitness: removed 18 embeddings of beta\n"
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert call("registry", "import", bundle, *here).err == (
        f"earwitness: took up 6 clips from {bundle}, SHA-256 {digest}\n"
    )
    done = strictly(call("registry", "history", "--json", "--limit", "2", *here).out)
    assert [entry["what"] for entry in done] == ["import", "remove"]
    for command in (("list",), ("show", "beta"), ("verify",), ("stats",), ("history",)):
        done = call("registry", *command, *here)
        assert (done.code, done.err) == (0, "")
        assert done.out


def test_a_damaged_registry_does_not_verify(call, registry_copy):
    (registry_copy / "models" / "lfcc-stats" / "pipeline.yaml").write_text("name: changed")
    done = call("registry", "verify", "--registry", registry_copy)
    assert done.code == 2
    assert all(line.startswith("earwitness: ") for line in done.err.splitlines())
    assert strictly(call("registry", "verify", "--json", "--registry", registry_copy).out)["sound"] is False


def test_plugins_list(call):
    plugins = strictly(call("plugins", "list", "--json").out)
    ours = {plugin["name"]: plugin for plugin in plugins if plugin["distribution"] == "earwitness"}
    assert {"frontends", "embedders", "scorers", "degradations", "voices"} <= set(ours)
    assert {"cell_lda", "knn", "mahalanobis", "openmax", "softmax"} <= set(ours["scorers"]["offers"]["scorer"])
    assert {plugin["problem"] for plugin in plugins} == {None}
    table = call("plugins", "list")
    assert re.search(r"^scorers +earwitness \S+ +\d+ ms +scorer +auto, cell_lda, energy", table.out, re.MULTILINE)


def test_plot_draws_a_png(made, call, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    odd, silent = tmp_path / "a$b$c.wav", tmp_path / "silent.wav"
    shutil.copy(clip(made, "test-alpha-0"), odd)
    soundfile.write(silent, np.zeros(RATE), RATE)
    asked = [odd, silent, clip(made, "test-test-one-1"), "--registry", made.registry]
    done = call("identify", *asked, "--plot", tmp_path / "out.png")
    assert done.code == 0
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert (tmp_path / "out.png").stat().st_size > 20_000
    many = call("identify", made.home, "--registry", made.registry, "--plot", tmp_path / "many.png")
    assert (many.code, "at most 12 rows" in many.err) == (2, True)


def test_screened_tables_hold_no_nan(made, call, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "list.txt").write_text(f"silent.wav\nempty.wav\ngone.wav\n{clip(made, 'test-alpha-0')}\n")
    out = tmp_path / "out.csv"
    asked = ("screen", f"@{tmp_path}/list.txt", "--out", out, "--registry", made.registry, "--workers", "1")
    done = call(*asked, "--strict")
    assert (done.code, "2 failed" in done.err) == (3, True)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["verdict"] for row in rows) == ["abstain", "error", "error", "known"]
    assert not {value.lower() for row in rows for value in row.values()} & {"nan", "inf", "-inf"}


def test_what_was_asked_is_in_the_history(made, call, registry_copy):
    call("identify", clip(made, "test-alpha-0"), "--registry", registry_copy)
    with Registry.open(registry_copy, read_only=True) as registry:
        (entry,) = registry.history(1)
    assert entry["what"] == "identify"
    (answer,) = entry["detail"]["answers"]
    assert (answer["verdict"], answer["source"], answer["task"]) == ("known", "alpha", "system")


def test_experts_are_trained_each_into_a_folder_and_answer_as_one(made, ensemble, call, tmp_path):
    """Train, init, enroll and calibrate are the commands by which the fixture was made."""
    assert {path.name for path in ensemble.model.iterdir()} == {"lfcc-stats", "fine", "whole"}
    with Registry.open(ensemble.raw, read_only=True) as opened:
        assert [model.name for model in opened.models()] == ["fine", "lfcc-stats", "whole"]
    done = call("identify", clip(made, "test-beta-0"), "--registry", ensemble.registry, "--segments")
    (line,) = [line for line in done.out.splitlines() if line.startswith("  experts ")]
    assert re.fullmatch(r"  experts   (\S+ -?\d+\.\d(   )?){3}", line)
    (verdict,) = strictly(call("identify", clip(made, "test-beta-0"), "--registry", ensemble.registry, "--json").out)
    assert (verdict["source"], verdict["pipeline"]) == ("beta", "fine+lfcc-stats+whole")
    assert line.split()[1] == verdict["experts"][0]["expert"]
    out = tmp_path / "out.csv"
    assert call("screen", clip(made, "test-beta-0"), "--out", out, "--registry", ensemble.registry).code == 0
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert json.loads(row["experts"]) == verdict["experts"]
    assert json.loads(row["siblings"]) == []


def test_train_tells_the_folder_that_init_takes(made, ensemble, call, tmp_path):
    out = tmp_path / "model"
    asked = ("--manifest", made.manifest, "--out", out, "--set", "experts.lfcc-stats.window=0.8", "--epochs", "2")
    done = call("train", ensemble.pipeline, *asked)
    assert done.err.splitlines()[-1].endswith(f"'earwitness registry init --model {out}'")
    assert "window: 0.8" in (out / "lfcc-stats" / "pipeline.yaml").read_text()
    assert "epochs: 2" in (out / "fine" / "pipeline.yaml").read_text()
    assert "is a finished model" in one_line(call("train", ensemble.pipeline, *asked))
    (out / "whole" / "pipeline.yaml").unlink()  # as if killed before the last was done
    done = call("train", ensemble.pipeline, *asked)
    assert (done.code, done.err.count("is finished; going on")) == (0, 2)
    registry = tmp_path / "registry"
    assert call("registry", "init", "--registry", registry, "--model", out).code == 0
    again = call("registry", "init", "--registry", tmp_path / "x", "--model", out, "--model", out / "fine")
    assert "a name and a space of its own" in one_line(again)


def test_a_manifests_voices_are_the_cells_of_its_clips(made, call, registry_copy):
    rows = "path,source,speaker,corpus\ntest-test-one-0.wav,new,amy,page\ntest-test-one-1.wav,new,,page\n"
    (made.home / "voices.csv").write_text(rows)
    assert call("enroll", "--manifest", made.home / "voices.csv", "--registry", registry_copy).code == 0
    shown = strictly(call("registry", "show", "new", "--json", "--registry", registry_copy).out)
    assert [clip["cell"] for clip in shown["clips"]] == ["amy", "page"]


@pytest.mark.usefixtures("tracer")
def test_a_source_is_suspected_by_its_card_before_any_clip_of_it_is_enrolled(made, call, registry_copy):
    """The tracer sees 80 Hz in everything, and plugins have cards of systems that leave that lattice."""
    here = ("--registry", registry_copy)
    asked = clip(made, "test-test-one-0")
    (verdict,) = strictly(call("identify", asked, "--json", *here).out)
    assert {"kittentts", "kokoro"} <= set(verdict["suspects"])
    assert (verdict["verdict"], verdict["source"]) == ("unknown", None)
    assert re.search(r"^  suspects  .*kittentts, kokoro.* \(their cards name", call("identify", asked, *here).out, re.M)
    offers = {plugin["name"]: plugin["offers"] for plugin in strictly(call("plugins", "list", "--json").out)}
    assert {"kittentts", "vits", "piper"} <= set(offers["voices"]["source"])
    assert "kittentts" not in {row["id"] for row in strictly(call("registry", "list", "--json", *here).out)}
    assert call("enroll", "kittentts", asked, *here).code == 0
    shown = strictly(call("registry", "show", "kittentts", "--json", *here).out)
    assert (shown["family"], shown["native_rate"], shown["hop"]) == ("styletts2", 24000, 300)


def test_several_experts_are_evaluated_as_one(made, ensemble, call, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    rows = [f"test-{name}-{i}.wav,{name},test" for name in ("alpha", "gamma", "test-one") for i in range(2)]
    (made.home / "few.csv").write_text("\n".join(["path,source,split", *rows]))
    asked = ("--manifest", made.home / "few.csv", "--out", tmp_path, "--registry", ensemble.registry)
    (figures,) = strictly(call("evaluate", *asked, "--json").out)
    assert figures["clips"] == {"known": 4, "unknown": 2}
    assert figures["accuracy"] == figures["accuracy_sets"] == 1.0
    for line in (tmp_path / "predictions.jsonl").read_text().splitlines():
        row = strictly(line)
        assert {share["expert"] for share in row["experts"]} == {"fine", "lfcc-stats", "whole"}
        assert {"siblings", "suspects", "traces", "counted_as"} <= set(row)
