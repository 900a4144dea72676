"""Calibrating and measuring: honest rules are kept, files hold what they promise, figures agree with the clips."""

import csv
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from sklearn.metrics import f1_score, roc_auc_score

from earwitness.engine import open_engine
from earwitness.errors import CalibrationError, ManifestError, OptionError, RegistryError
from earwitness.evaluation import calibrate_registry, evaluate_registry
from earwitness.evaluation.conditions import CONDITIONS, Condition
from earwitness.evaluation.measuring import measure
from earwitness.evaluation.protocol import check_pools
from earwitness.evaluation.scoring import score_rows
from earwitness.evaluation.shortcuts import shortcut_accuracies
from earwitness.manifest import read_manifest

METRICS = """
    task clips accuracy accuracy_sets macro_f1_known macro_f1_sets macro_f1_open auroc fpr95 oscr dir_at_far eer
    cllr cllr_min coverage far_asked far_realised intervals shortcuts siblings by
    cllr_cal brier set_size family_right family_wrong unknowns conditions shortcut_warning
"""
PER_TASK = {"task", "intervals", "shortcuts", "siblings", "by", "unknowns", "conditions", "shortcut_warning"}


def strictly(text):
    """JSON in which NaN is an error."""

    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def rewrite(made, tmp_path):
    """(change) -> the manifest with each row changed in a copy, or left out where the change gives None."""

    def write(change):
        rows = [row for row in (change(dict(row)) for row in made.rows) if row]
        rows = [{**row, "path": made.home / row["path"]} for row in rows]
        with (tmp_path / "changed.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, dict.fromkeys(key for row in rows for key in row))
            writer.writeheader()
            writer.writerows(rows)
        return read_manifest(tmp_path / "changed.csv")

    return write


@pytest.fixture
def undrawn(monkeypatch):
    """No report: drawing one takes most of an evaluation of few clips, and has tests of its own."""
    monkeypatch.setattr("earwitness.evaluation.evaluate.write_report", lambda *_: None)


@pytest.fixture(scope="module")
def evaluated(made, tmp_path_factory):
    """The folder of an evaluation of the made registry, by halves."""
    out = tmp_path_factory.mktemp("evaluated")
    with open_engine(made.registry) as engine:
        evaluate_registry(engine, read_manifest(made.manifest), out, by=("half",))
    return out


@pytest.fixture(scope="module")
def figures(evaluated):
    return strictly((evaluated / "metrics.json").read_text())


@pytest.fixture(scope="module")
def predictions(evaluated):
    return [strictly(line) for line in (evaluated / "predictions.jsonl").read_text().splitlines()]


def test_metrics_hold_what_others_rely_on(figures):
    assert set(METRICS.split()) <= set(figures)
    assert figures["clips"] == {"known": 18, "unknown": 10}
    assert set(figures["dir_at_far"]) == {"0.01", "0.1"}
    assert (figures["far_asked"], figures["skipped"], figures["split"]) == (0.05, [], "test")
    assert set(figures["by"]["half"]) == {"even", "odd"}
    assert set(METRICS.split()) - PER_TASK <= set(figures["by"]["half"]["odd"])
    assert figures["conditions"] == {}


def test_figures_agree_with_the_predictions(figures, predictions):
    known = np.array([row["counted_as"] is not None for row in predictions])
    first = np.array([row["ranking"][0]["source"] for row in predictions])
    truth = np.array([row["counted_as"] or "unknown" for row in predictions])
    answers = np.array([row["source"] or "unknown" for row in predictions])
    knownness = np.array([row["knownness"] for row in predictions])
    assert figures["accuracy"] == pytest.approx((first == truth)[known].mean())
    assert figures["auroc"] == pytest.approx(roc_auc_score(known, knownness))
    assert figures["macro_f1_open"] == pytest.approx(f1_score(truth, answers, average="macro"))
    assert figures["macro_f1_known"] == pytest.approx(f1_score(truth[known], first[known], average="macro"))
    assert figures["siblings"] == []
    assert figures["accuracy_sets"] == figures["accuracy"]
    assert figures["macro_f1_sets"] == figures["macro_f1_known"]
    assert figures["far_realised"] == pytest.approx((answers[~known] != "unknown").mean())
    lr = np.array([row["log10_lr"] for row in predictions])
    costs = np.log2(1 + 10.0 ** -lr[known]).mean(), np.log2(1 + 10.0 ** lr[~known]).mean()
    assert figures["cllr"] == pytest.approx(np.mean(costs))
    halves = figures["by"]["half"]
    even = np.array(["even" if int(row["clip"][-5]) % 2 == 0 else "odd" for row in predictions]) == "even"
    assert halves["even"]["auroc"] == pytest.approx(roc_auc_score(known[even], knownness[even]))
    assert sum(half["clips"]["known"] for half in halves.values()) == 18


def test_intervals_hold_their_values(figures):
    assert set(figures["intervals"]) >= {"accuracy", "macro_f1_open", "auroc", "fpr95", "oscr", "eer"}
    for name in set(figures["intervals"]) & {"accuracy", "macro_f1_open", "auroc", "fpr95", "oscr", "eer", "cllr"}:
        low, high = figures["intervals"][name]
        assert low <= figures[name] <= high, name
    assert figures["intervals"]["family_right"] == [None, None]  # no stranger is of an enrolled family


def test_predictions_are_verdicts_with_the_truth(made, predictions):
    with open_engine(made.registry) as engine:
        asked = [row["clip"] for row in predictions]
        verdicts = {v.clip: json.loads(json.dumps(v.to_dict())) for v in engine.identify_many(asked)}
    assert len(predictions) == 28
    for row in predictions:
        truth, counted = row.pop("truth"), row.pop("counted_as")
        assert f"test-{truth}" in row["clip"]
        assert counted == (truth if truth in ("alpha", "beta", "gamma") else None)
        alone = verdicts[row["clip"]]
        assert row["knownness"] == pytest.approx(alone["knownness"], rel=1e-4)
        same = set(row) - {"knownness", "ranking", "evidence", "p_value", "log10_lr", "probability"}
        assert {key: row[key] for key in same - {"unknown_probability"}} == {
            key: alone[key] for key in same - {"unknown_probability"}
        }
        assert set(row) == set(alone)


def test_the_report_stands_alone(evaluated):
    page = (evaluated / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert 'src="data:image/' in page
    assert not re.search(r'(src|href)="(?!data:)|<script|@import|url\(', page)
    assert "LEAKY" not in page
    assert "OSCR" in page.upper()
    assert "siblings counted as one" in page


def test_shortcuts_are_told_and_can_be_taken(made, figures, tmp_path, rewrite):
    names = {"prior", "duration", "level", "silence", "bandwidth", "native_rate", "container"}
    assert set(figures["shortcuts"]) == names
    for name in ("prior", "native_rate", "container", "duration"):  # all made alike: nothing to tell them by
        assert figures["shortcuts"][name] == pytest.approx(1 / 3), name
    assert figures["shortcut_warning"] is None

    def by_length(row):
        """Each source has a length of its own."""
        samples, rate = soundfile.read(made.home / row["path"])
        seconds = {"alpha": 0.5, "beta": 1.0, "gamma": 1.5}.get(row["source"], 2.0)
        soundfile.write(tmp_path / row["path"], samples[: int(seconds * rate)], rate)
        return {**row, "path": tmp_path / row["path"]}

    assert shortcut_accuracies(rewrite(by_length), "test")["duration"] == 1.0

    def by_rate(row):
        """Each source comes at a rate of its own, and what alpha says has no highs."""
        samples, _ = soundfile.read(made.home / row["path"])
        samples = samples if row["source"] != "alpha" else np.convolve(samples, np.ones(32) / 32, "same")
        new = {"alpha": 16000, "beta": 16000}.get(row["source"], 22050)
        soundfile.write(tmp_path / row["path"], np.tanh(samples), new)
        return {**row, "path": tmp_path / row["path"]}

    found = shortcut_accuracies(rewrite(by_rate), "test")
    assert found["native_rate"] == pytest.approx(2 / 3)  # alpha and beta share a rate
    assert found["bandwidth"] > 0.6
    assert shortcut_accuracies(rewrite(lambda row: row if row["split"] != "train" else None), "test") == {}


def test_groups_that_span_splits_are_refused_by_name_or_stamped(made, rewrite, tmp_path):
    def leak(row):
        return {**row, "speaker": "bob"} if row["path"] in ("train-alpha-0.wav", "test-beta-1.wav") else row

    manifest = rewrite(leak)
    with open_engine(made.registry) as engine:
        with pytest.raises(ManifestError, match=r"speaker 'bob' stands in train .*, test .*--allow-leak"):
            evaluate_registry(engine, manifest, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        (figures,) = evaluate_registry(engine, manifest, tmp_path / "out", allow_leak=True)
    assert figures["stamp"] == "LEAKY SPLIT"
    assert strictly((tmp_path / "out" / "metrics.json").read_text())["leaks"] == figures["leaks"]
    assert "LEAKY SPLIT" in (tmp_path / "out" / "report.html").read_text()


def test_one_text_on_two_sides_is_a_leak(made, rewrite, tmp_path):
    manifest = rewrite(lambda row: {**row, "text_id": "harvard-1"} if row["path"].endswith("-0.wav") else row)
    with open_engine(made.registry) as engine, pytest.raises(ManifestError, match="text_id 'harvard-1'"):
        evaluate_registry(engine, manifest, tmp_path / "out")


def test_strangers_of_development_may_not_stand_in_the_test(made, rewrite, tmp_path):
    same = rewrite(lambda row: {**row, "source": "dev-one"} if row["source"] == "test-one" else row)
    with open_engine(made.registry) as engine, pytest.raises(ManifestError, match="also stand in the test: dev-one"):
        evaluate_registry(engine, same, tmp_path / "out")
    with pytest.raises(ManifestError, match="family tacotron"):
        check_pools(["a"], ["b"], {"a": "tacotron", "b": "tacotron"})
    with pytest.raises(ManifestError, match="family espeak"):
        check_pools(["espeak"], ["espeak-old"], {"espeak-old": "espeak"})
    check_pools(["a"], ["b"], {"a": "tacotron", "b": "vits"})


def test_near_kin_of_strangers_of_development_may_not_stand_in_the_test(made, rewrite, tmp_path):
    """By the family that the manifest names on either side; or where one is the family of the other."""
    families = {"dev-one": "bumpy", "test-two": "bumpy"}
    kin = rewrite(lambda row: {**row, "family": families.get(row["source"], "")})
    with open_engine(made.registry) as engine, pytest.raises(ManifestError, match=r"stand in the test: family bumpy"):
        evaluate_registry(engine, kin, tmp_path / "out")
    told = rewrite(lambda row: {**row, "family": "dev-one" if row["source"] == "test-two" else ""})
    with open_engine(made.registry) as engine, pytest.raises(ManifestError, match=r"family dev-one"):
        evaluate_registry(engine, told, tmp_path / "out")


@pytest.mark.usefixtures("undrawn")
def test_strangers_of_an_enrolled_family_are_told_apart_from_far_ones(made, rewrite, tmp_path):
    kin = rewrite(lambda row: {**row, "family": "alpha" if row["source"] == "test-one" else ""})
    with open_engine(made.registry) as engine:
        (figures,) = evaluate_registry(engine, kin, tmp_path / "out")
    near, far = figures["unknowns"]["near"], figures["unknowns"]["far"]
    assert (near["clips"], far["clips"]) == ({"known": 18, "unknown": 5}, {"known": 18, "unknown": 5})
    assert (near["auroc"] + far["auroc"]) / 2 == pytest.approx(figures["auroc"])
    assert figures["family_right"] == 0.0  # no card has a family, so that no verdict names one


@pytest.mark.usefixtures("undrawn")
def test_conditions_are_measured_on_the_clips_that_count(made, rewrite, tmp_path):
    """What comes after a cut is what clips cut by hand come to; the threshold stays."""
    soundfile.write(tmp_path / "silent.wav", np.zeros(32000), 16000)

    def cut(row):
        samples, rate = soundfile.read(made.home / row["path"], dtype="float32")
        middle = (len(samples) - rate) // 2
        soundfile.write(tmp_path / row["path"], samples[middle : middle + rate], rate, subtype="FLOAT")
        return {**row, "path": tmp_path / row["path"]}

    clips = rewrite(lambda row: row if row["split"] == "test" else None)
    odd = replace(clips, rows=(*clips.rows, replace(clips.rows[0], path=tmp_path / "silent.wav")))
    with open_engine(made.registry) as engine:
        (figures,) = evaluate_registry(engine, odd, tmp_path / "out", conditions=("clean", "1s"))
        by_hand = measure(
            score_rows(engine, "system", rewrite(lambda row: cut(row) if row["split"] == "test" else None)),
            engine.judge("system").calibration,
        )
        with pytest.raises(OptionError, match="no condition 'mp4'"):
            evaluate_registry(engine, clips, tmp_path / "never", conditions=("mp4",))
    assert not (tmp_path / "never").exists()
    assert set(figures["conditions"]) == {"clean", "1s"}
    clean, short = figures["conditions"]["clean"], figures["conditions"]["1s"]
    assert len(figures["skipped"]) == 1
    assert clean["clips"] == figures["clips"]
    assert clean["skipped"] == []
    for name in ("accuracy", "auroc", "cllr", "brier", "far_realised"):
        assert clean[name] == pytest.approx(figures[name], abs=1e-6)
        assert short[name] == pytest.approx(by_hand[name], abs=1e-6)
    assert short["intervals"]["auroc"] == pytest.approx(by_hand["intervals"]["auroc"], abs=1e-6)
    assert short["cllr"] != clean["cllr"]


def test_the_command_line_tells_strangers_conditions_and_a_shortcut(made, rewrite, call, tmp_path):
    """The clips of one source alone: whoever always says its name is right."""
    few = rewrite(lambda row: row if row["source"] in ("alpha", "test-one") else None)
    asked = ("evaluate", "--manifest", few.path, "--registry", made.registry, "--out", tmp_path / "out")
    done = call(*asked, "--conditions", "1s, noise10", "--resample", "half")
    assert done.code == 0
    assert re.search(r"^accuracy +1\.000 +1\.000 to 1\.000$", done.out, re.MULTILINE)
    assert re.search(r"^far_asked +0\.050$", done.out, re.MULTILINE)
    strangers, conditions = done.out.split("\n\n")[1:]
    assert [line.split()[0] for line in strangers.splitlines()] == ["strangers", "near", "far"]
    assert [line.split()[0] for line in conditions.splitlines()] == ["condition", "1s", "noise10"]
    warning, report = done.err.splitlines()
    assert warning.startswith("earwitness: accuracy 1.00 is nearly reached without hearing a source (prior alone 1.00")
    assert report == f"earwitness: report {tmp_path}/out/report.html"
    figures = strictly((tmp_path / "out" / "metrics.json").read_text())
    assert figures["shortcut_warning"] == warning.removeprefix("earwitness: ")
    assert figures["resampled"] == ["source", "half"]
    assert "there is no condition 'mp4'" in call(*asked, "--conditions", "mp4").err


@pytest.mark.usefixtures("undrawn")
def test_a_condition_that_leaves_nothing_to_count_has_no_figures(made, rewrite, tmp_path, monkeypatch):
    monkeypatch.setitem(CONDITIONS, "gone", Condition(seconds=0.001))
    few = rewrite(lambda row: row if row["path"] in ("test-alpha-0.wav", "test-test-one-0.wav") else None)
    with open_engine(made.registry) as engine:
        (figures,) = evaluate_registry(engine, few, tmp_path / "out", conditions=("gone",))
    assert figures["conditions"]["gone"]["clips"] == {"known": 0, "unknown": 0}
    assert "no clip can be counted; first: " in figures["conditions"]["gone"]["skipped"][0]


@pytest.mark.usefixtures("undrawn")
def test_a_column_can_make_strangers(made, rewrite, tmp_path):
    manifest = rewrite(lambda row: {**row, "hidden": "1" if row["source"] == "gamma" else "0"})
    with open_engine(made.registry) as engine:
        (figures,) = evaluate_registry(engine, manifest, tmp_path, unknown_column="hidden")
        assert figures["clips"] == {"known": 12, "unknown": 16}
        with pytest.raises(ManifestError, match=r"'concealed'.*--unknown-column"):
            evaluate_registry(engine, manifest, tmp_path, unknown_column="concealed")
        with pytest.raises(ManifestError, match=r"'halves'.*--by"):
            evaluate_registry(engine, manifest, tmp_path, by=("halves",))
        with pytest.raises(ManifestError, match=r"'page'.*--resample"):
            evaluate_registry(engine, manifest, tmp_path, resample="page")


def test_without_strangers_or_known_clips_figures_are_null_not_invented(made, rewrite, tmp_path):
    with open_engine(made.registry) as engine:
        for kept, null in ((("alpha", "beta"), "far_realised"), (("test-one",), "accuracy")):
            manifest = rewrite(lambda row, kept=kept: row if row["source"] in kept else None)
            (figures,) = evaluate_registry(engine, manifest, tmp_path / "out")
            assert strictly((tmp_path / "out" / "metrics.json").read_text()) == json.loads(json.dumps(figures))
            assert figures[null] is figures["auroc"] is figures["eer"] is None
            assert figures["intervals"]["auroc"] == [None, None]


@pytest.mark.usefixtures("undrawn")
def test_bad_clips_are_left_out_and_told(made, rewrite, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(32000), 16000)
    train = made.home / "train-alpha-1.wav"
    odd = {"test-alpha-0.wav": tmp_path / "silent.wav", "test-alpha-1.wav": train}
    odd_rows = rewrite(
        lambda row: {**row, "path": odd.get(row["path"], row["path"])} if row["split"] == "test" else None
    )
    with open_engine(made.registry) as engine:
        (figures,) = evaluate_registry(engine, odd_rows, tmp_path / "out")
        assert figures["clips"]["known"] == 16
        assert figures["skipped"] == [f"{tmp_path}/silent.wav: silent", f"{train}: is enrolled itself"]
        nothing = replace(odd_rows, rows=odd_rows.rows[:2])
        with pytest.raises(ManifestError, match=r"no clip can be counted; first: .*silent"):
            evaluate_registry(engine, nothing, tmp_path / "out")


def test_stretches_are_scored_as_clips_of_their_own(made, rewrite, tmp_path):
    rows = [row for row in made.rows if row["split"] == "test"]
    samples = [soundfile.read(made.home / row["path"])[0] for row in rows]
    soundfile.write(tmp_path / "all.flac", np.concatenate(samples), 16000)
    place = {row["path"]: 2.0 * k for k, row in enumerate(rows)}
    stretches = rewrite(
        lambda row: (
            {**row, "path": tmp_path / "all.flac", "start": place[row["path"]], "end": place[row["path"]] + 2}
            if row["split"] == "test"
            else None
        )
    )
    with open_engine(made.registry) as engine:
        apart = score_rows(engine, "system", read_manifest(made.manifest).select(split="test"))
        found = score_rows(engine, "system", stretches)
    np.testing.assert_array_equal(found.labels, apart.labels)
    np.testing.assert_allclose(found.knownness, apart.knownness, rtol=0.02, atol=0.05)


def test_the_threshold_is_set_by_the_strangers_of_development(made, registry_copy):
    manifest = read_manifest(made.manifest).select(split="dev")
    with open_engine(registry_copy) as engine:
        scored = score_rows(engine, "system", manifest)
        strangers = np.sort(scored.knownness[~scored.known].astype(np.float64))
        thresholds = []
        for far, rank in ((0.04, 1), (0.2, 5), (0.4, 10)):
            (report,) = calibrate_registry(engine, manifest, far)
            thresholds.append(report["threshold"])
            assert thresholds[-1] == max(np.nextafter(strangers[-rank], np.inf), scored.knownness[scored.known].min())
            assert engine.judge("system").calibration.threshold == thresholds[-1]
        assert thresholds == sorted(thresholds, reverse=True)
        assert engine.judge("system").calibration.stranger_sources == ("dev-one", "dev-two")
        assert (report["known_clips"], report["stranger_clips"], report["pairs"]) == (24, 24, True)


def test_too_few_strangers_bear_no_promise(rewrite, registry_copy):
    """Of one family alone: what is enrolled of others could stand in for strangers."""
    few = rewrite(lambda row: row if row["split"] == "dev" and row["source"] in ("alpha", "dev-one") else None)
    with open_engine(registry_copy) as engine:
        engine.registry.remove("beta")
        engine.registry.remove("gamma")
        before = engine.registry.calibration("system")
        with pytest.raises(CalibrationError, match=r"12 .*0\.05.*19 are needed.*at least 0\.077"):
            calibrate_registry(engine, few, 0.05)
        assert engine.registry.calibration("system") == before
        assert calibrate_registry(engine, few, 0.1)[0]["stranger_clips"] == 12
        known = replace(few, rows=tuple(row for row in few.rows if row.source == "alpha"))
        strangers = replace(few, rows=tuple(row for row in few.rows if row.source == "dev-one"))
        with pytest.raises(CalibrationError, match="0 development clips of strangers"):
            calibrate_registry(engine, known, 0.1)
        with pytest.raises(CalibrationError, match="no development clip of an enrolled source"):
            calibrate_registry(engine, strangers, 0.1)


def test_what_was_never_calibrated_or_changed_since_is_not_measured(made, registry_copy, tmp_path):
    manifest = read_manifest(made.manifest)
    with open_engine(made.raw) as engine, pytest.raises(CalibrationError, match="earwitness calibrate"):
        evaluate_registry(engine, manifest, tmp_path / "out")
    with open_engine(registry_copy) as engine:
        engine.enroll("newcomer", [made.home / "test-test-one-0.wav"])
        with pytest.raises(CalibrationError, match="calibrated before newcomer came or went"):
            evaluate_registry(engine, manifest, tmp_path / "out")


def test_rows_of_another_task_alone_are_an_error(made, rewrite, tmp_path):
    devices = rewrite(lambda row: {**row, "task": "device"})
    with open_engine(made.registry) as engine:
        for run in (
            lambda: calibrate_registry(engine, devices, 0.05),
            lambda: evaluate_registry(engine, devices, tmp_path),
        ):
            with pytest.raises(ManifestError, match="no row is for system"):
                run()


def test_an_empty_registry_has_nothing_to_calibrate(made, registry_copy):
    with open_engine(registry_copy) as engine:
        for source in ("alpha", "beta", "gamma"):
            engine.registry.remove(source)
        with pytest.raises(RegistryError, match="no source is enrolled"):
            calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)


def test_a_sibling_of_the_truth_is_right_where_it_was_declared(made, rewrite):
    """Some clips of alpha are labelled beta, as if nobody could tell these two apart."""
    swapped = rewrite(lambda row: {**row, "source": "beta"} if re.match("test-alpha-[0-3]", row["path"]) else row)
    with open_engine(made.registry) as engine:
        scored = score_rows(engine, "system", swapped.select(split="test"))
        calibration = engine.judge("system").calibration
    apart = measure(scored, calibration)
    figures = measure(scored, replace(calibration, siblings=(("alpha", "beta"),)), by=("half",))
    truth, first = scored.labels[scored.known], scored.values[scored.known].argmax(axis=1)
    merged = [np.where(side == 2, "gamma", "set") for side in (truth, first)]
    assert figures["accuracy"] == apart["accuracy"] == apart["accuracy_sets"] == pytest.approx(14 / 18)
    assert figures["accuracy_sets"] == 1.0
    assert figures["macro_f1_sets"] == pytest.approx(f1_score(*merged, average="macro"))
    assert figures["macro_f1_known"] == apart["macro_f1_sets"] < figures["macro_f1_sets"]
    assert (figures["siblings"], apart["siblings"]) == ([["alpha", "beta"]], [])
    assert figures["by"]["half"]["odd"]["accuracy_sets"] == 1.0
    assert figures["intervals"]["accuracy_sets"] == [1.0, 1.0]


def test_sets_are_found_on_development_clips(rewrite, registry_copy):
    """Two systems whose names are mixed up are a set; a third stays apart."""
    other = {"alpha": "beta", "beta": "alpha"}
    mixed = rewrite(
        lambda row: {**row, "source": other[row["source"]]} if re.match("dev-(al|be).*[0-3].wav", row["path"]) else row
    )
    with open_engine(registry_copy) as engine:
        (report,) = calibrate_registry(engine, mixed.select(split="dev"), 0.1)
        assert engine.judge("system").calibration.siblings == (("alpha", "beta"),)
    assert (report["siblings"], report["weights"]) == ([["alpha", "beta"]], None)


def test_several_experts_are_fused_and_measured(made, ensemble):
    with open_engine(ensemble.registry) as engine:
        calibration = engine.judge("system").calibration
        scored = score_rows(engine, "system", read_manifest(made.manifest).select(split="test"))
    assert calibration.fusion.experts == ("fine", "lfcc-stats", "whole")
    assert np.min(calibration.fusion.weights) >= 0
    values, knownness = calibration.fusion.fuse(scored.opinions)
    np.testing.assert_allclose(scored.values, values, rtol=1e-5, atol=1e-5)
    assert scored.opinions.values.shape == (28, 3, 3)
    figures = measure(scored, calibration)
    assert figures["accuracy"] >= 17 / 18
    assert figures["auroc"] == pytest.approx(roc_auc_score(scored.known, knownness), abs=0.01)
    np.testing.assert_allclose([verdict.knownness for verdict in scored.verdicts], scored.knownness)
    assert {each.expert for verdict in scored.verdicts for each in verdict.experts} == set(calibration.fusion.experts)


def test_calibrating_several_tells_their_weights(made, ensemble, tmp_path):
    registry = shutil.copytree(ensemble.raw, tmp_path / "registry")
    with open_engine(registry) as engine:
        (report,) = calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
        fusion = engine.judge("system").calibration.fusion
    assert (
        report["weights"]
        == fusion.strengths
        == dict(zip(fusion.experts, [sum(row) for row in fusion.weights], strict=True))
    )
    assert report["known_accepted"] >= 0.9
