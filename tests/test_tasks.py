"""One registry that knows systems and devices: a model added later, one decode, the order of answers, splices."""

import json
from functools import partial
from pathlib import Path

import pytest

from earwitness import listening
from earwitness.engine import open_engine
from earwitness.errors import RegistryError
from earwitness.evaluation import calibrate_registry, evaluate_registry, splicing
from earwitness.screening.workers import Job
from earwitness.types import Card
from earwitness_registry import Registry


@pytest.fixture
def decoded(monkeypatch):
    """The names of files as they are opened for decoding."""
    opened, names = listening.open_audio, []
    monkeypatch.setattr(
        listening, "open_audio", lambda path, *a, **o: names.append(Path(path).name) or opened(path, *a, **o)
    )
    return names


@pytest.fixture
def mixed_kinds(phones):
    """All clips are accepted; those of beta count as genuine speech."""
    phones.registry.update_card(Card("beta", "genuine"))
    for task in ("system", "device"):
        data = phones.judge(task).calibration.to_dict()
        changes = {"threshold": -99.0, "thresholds": {}, "naming": {}, "siblings": []}
        phones.registry.save_calibration(task, {**data, **changes})
    return phones


def clips(made, *sources):
    return [made.home / f"test-{source}-0.wav" for source in sources]


ORDERS = {"alpha": ("system", "device"), "beta": ("device", "system"), "gamma": ("system", "device")}


def test_a_genuine_clip_gets_the_device_first_and_all_others_the_system(made, mixed_kinds, decoded):
    """Whatever the models are called: the device's comes first by name."""
    paths = clips(made, *ORDERS)
    verdicts = list(mixed_kinds.identify_many(paths))
    assert decoded == [path.name for path in paths]
    assert [(Path(v.clip).name, v.task) for v in verdicts] == [
        (path.name, task) for path, order in zip(paths, ORDERS.values(), strict=True) for task in order
    ]
    assert [v.source for v in verdicts if v.task == "system"] == list(ORDERS)
    assert [v.source for v in verdicts if v.task == "device"] == [f"phone-{source}" for source in ORDERS]


def test_a_clip_that_is_not_known_as_genuine_gets_the_system_first(made, mixed_kinds):
    data = mixed_kinds.judge("system").calibration.to_dict()
    mixed_kinds.registry.save_calibration("system", {**data, "threshold": 99.0})
    one, two = mixed_kinds.identify(*clips(made, "beta"))
    assert (one.task, one.verdict, one.ranking[0].source) == ("system", "unknown", "beta")
    assert two.task == "device"


def test_workers_hear_a_clip_once_and_keep_the_order(made, mixed_kinds, decoded):
    paths = [str(path) for path in clips(made, *ORDERS)]
    job = Job(partial(open_engine, mixed_kinds.registry.folder), "all")
    answers = list(job.answers(mixed_kinds, paths))
    assert [clip for clip, _ in answers] == paths
    assert [tuple(row["task"] for row in rows) for _, rows in answers] == list(ORDERS.values())
    assert len(decoded) == len(paths)


def test_rows_and_printed_text_keep_the_order(made, mixed_kinds, call, tmp_path):
    folder, (genuine, made_clip) = mixed_kinds.registry.folder, clips(made, "beta", "alpha")
    printed = call("identify", genuine, made_clip, "--registry", folder).out
    heads = [line.rpartition("(")[2] for line in printed.splitlines() if not line.startswith(" ")]
    assert heads == ["device)", "system)", "system)", "device)"]
    listed = json.loads(call("identify", genuine, made_clip, "--registry", folder, "--json").out)
    assert [each["task"] for each in listed] == ["device", "system", "system", "device"]
    out = tmp_path / "out.jsonl"
    assert call("screen", genuine, "--registry", folder, "--out", out, "--workers", 1).code == 0
    assert [json.loads(line)["task"] for line in out.read_text().splitlines()] == ["device", "system"]


def test_evaluation_keeps_to_one_task(phones, phone_registry, decoded, tmp_path):
    pytest.importorskip("matplotlib", reason="the report needs the extra report")
    (figures,) = evaluate_registry(phones, phone_registry.manifest, tmp_path / "out")
    assert (figures["task"], figures["accuracy"]) == ("device", pytest.approx(1.0, abs=0.1))
    verdicts = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert {verdict["task"] for verdict in verdicts} == {"device"}
    assert len([name for name in decoded if name.startswith("test-")]) == len(verdicts)


@pytest.fixture
def spliced(joined, phones, phone_dev, monkeypatch):
    """Phones calibrated so that a fifth of unmixed clips may be taken for mixed, and a clip of two of them."""
    monkeypatch.setattr(splicing, "FALSE_ALARMS", 0.2)
    calibrate_registry(phones, phone_dev, 0.05)
    return joined("alpha", "beta")


def test_a_change_of_device_is_told_with_its_second(phones, spliced):
    file, second = spliced
    (verdict,) = phones.identify(file, "device", segments=True)
    assert (verdict.mixed.before, verdict.mixed.after) == ("phone-alpha", "phone-beta")
    assert verdict.mixed.at == pytest.approx(second, abs=0.7)  # windows of 0.9 s, every 0.45
    first, last = verdict.segments[0], verdict.segments[-1]
    assert (first.source, last.source) == ("phone-alpha", "phone-beta")
    whole = phones.identify(file, "all", segments=True)
    assert whole[1].mixed == verdict.mixed


def test_segments_print_a_timeline_of_devices(phones, spliced, call):
    file, _ = spliced
    said = call("identify", file, "--task", "device", "--segments", "--registry", phones.registry.folder).out
    windows = [line.split()[-1] for line in said.splitlines() if " s to " in line and "trace" not in line]
    assert windows[0] == "phone-alpha"
    assert windows[-1] == "phone-beta"
    assert "note      mixed: phone-alpha until about" in said


def test_a_model_is_added_while_nothing_of_its_task_is_enrolled(made, phone_registry, registry_copy, call):
    added = call("registry", "add-model", phone_registry.model, "--registry", registry_copy)
    assert (added.code, added.out) == (0, "")
    assert added.err == f"earwitness: added a-phone to {registry_copy}\n"
    with open_engine(registry_copy) as engine:
        assert engine.tasks("all") == ("system", "device")
        assert engine.judge("system").stale is None  # systems stay calibrated
        engine.enroll("phone-alpha", clips(made, "alpha"), kind="device")
        device, system = engine.models["device"][0], engine.models["system"][0]
        with pytest.raises(RegistryError, match="clips of task 'device' are enrolled already"):
            engine.registry.add_model(
                phone_registry.model,
                name="late",
                task="device",
                space="late",
                pipeline=device.pipeline.to_yaml(),
                probe=system.probe(),
            )


@pytest.mark.parametrize("twice", [1, 2])
def test_a_model_is_not_added_twice(phone_registry, registry_copy, call, twice):
    assert call("registry", "add-model", phone_registry.model, "--registry", registry_copy).code == 0
    refused = call("registry", "add-model", *[phone_registry.model] * twice, "--registry", registry_copy)
    assert refused.code == 2
    assert ("a name and a space of its own" if twice == 2 else "holds model 'a-phone'") in refused.err
    with Registry.open(registry_copy) as registry:
        assert [model.name for model in registry.models()] == ["a-phone", "lfcc-stats"]


def test_who_is_asked_about_a_task_without_a_model_says_how_to_add_one(made, registry_copy, call):
    said = call("identify", *clips(made, "alpha"), "--task", "device", "--registry", registry_copy)
    assert said.code == 2
    assert "earwitness registry add-model" in said.err
