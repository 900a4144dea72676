"""The doctor says what is broken and how to mend it, and calls nothing broken that works."""

import json
from importlib.metadata import version

import pytest

from earwitness import doctor
from earwitness.doctor import Finding, examine
from earwitness.plugins import Catalogue


def found(findings, what):
    (finding,) = (f for f in findings if f.what == what)
    return finding


@pytest.fixture
def registry(command, voices, tmp_path):
    command("train", "lfcc-stats", "--manifest", voices, "--out", tmp_path / "model")
    command("registry", "init", "--model", tmp_path / "model", "--registry", tmp_path / "registry")
    command("enroll", "--manifest", voices, "--split", "train", "--registry", tmp_path / "registry")
    return tmp_path / "registry"


def test_a_sound_installation_has_no_fault(registry):
    findings = examine(registry)
    assert [f for f in findings if f.state == "fault"] == []
    assert found(findings, "numpy").detail == version("numpy")
    assert "2 sources" in found(findings, "registry").detail
    assert found(findings, "plugin voices").state == "ok"


def test_the_command_prints_the_same_as_json(registry, command):
    findings = json.loads(command("doctor", "--registry", registry, "--json").stdout)
    assert {finding["what"] for finding in findings} == {finding.what for finding in examine(registry)}


def test_a_damaged_registry_is_a_fault(registry, command):
    file = registry / "registry.sqlite"
    file.write_bytes(b"\0" * file.stat().st_size)
    assert found(examine(registry), "registry").state == "fault"
    assert "registry" in command("doctor", "--registry", registry, expect=2).stdout


def test_a_missing_registry_is_a_fault_that_names_the_way_out(tmp_path):
    finding = found(examine(tmp_path / "nothing"), "registry")
    assert finding.state == "fault"
    assert "earwitness registry init" in finding.detail


@pytest.mark.parametrize(
    ("owners", "state", "mend"),
    [
        (["onnxruntime"], "ok", ""),
        (["onnxruntime", "onnxruntime"], "ok", ""),
        ([], "fault", "pip install onnxruntime"),
        (
            ["onnxruntime", "onnxruntime-gpu"],
            "fault",
            "pip uninstall --yes onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu",
        ),
    ],
)
def test_two_wheels_of_one_module_are_a_fault(monkeypatch, owners, state, mend):
    monkeypatch.setattr(doctor, "packages_distributions", lambda: {"faiss": ["faiss-cpu"], "onnxruntime": owners})
    monkeypatch.setattr(doctor, "version", lambda _: "1.0")
    finding = found(doctor._twins(), "onnxruntime")
    assert (finding.state, finding.mend) == (state, mend)
    assert found(doctor._twins(), "faiss").state == "ok"


def test_a_missing_dependency_is_a_fault(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["no-such-thing>=1.0", 'torch; extra == "train"'])
    assert list(doctor._dependencies()) == [Finding("no-such-thing", "fault", "missing", "pip install no-such-thing")]


def test_extras_are_read_from_their_markers(monkeypatch):
    lines = ["numpy>=2", 'numpy~=2.0; extra == "train"', 'no-such-thing[x]>=1; extra == "ray"']
    monkeypatch.setattr(doctor, "requires", lambda _: lines)
    findings = list(doctor._extras())
    assert found(findings, "extra train").detail == f"numpy {version('numpy')}"
    assert "no-such-thing" in found(findings, "extra ray").detail
    assert "earwitness[ray]" in found(findings, "extra ray").mend


def test_a_broken_plugin_is_a_fault(install, monkeypatch):
    catalogue = Catalogue([install("broken", "raise RuntimeError('no licence')")])
    monkeypatch.setattr(doctor, "load_catalogue", lambda: catalogue)
    (finding,) = doctor._plugins()
    assert finding.state == "fault"
    assert "no licence" in finding.detail
    assert "pip uninstall broken" in finding.mend


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "fresh"))
    findings = list(doctor._folders())
    assert found(findings, "cache folder").state == "warning"
    assert found(findings, "data folder").state == "ok"
    assert not (tmp_path / "fresh").exists()


def test_a_missing_codec_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor, "DECODERS", ("aac", "no_such_codec"))
    finding = found(doctor._decoders(), "ffmpeg")
    assert finding.state == "warning"
    assert finding.detail.endswith("lacks no_such_codec")


def test_a_gpu_out_of_reach_is_a_warning_with_a_way(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "GPU_FILE", tmp_path)
    for name, reaches in (("onnxruntime", False), ("faiss", True), ("torch", True)):
        monkeypatch.setattr(doctor, f"_{name}_reaches", lambda reaches=reaches: reaches)
    findings = list(doctor._gpu())
    assert found(findings, "gpu by onnxruntime") == Finding(
        "gpu by onnxruntime", "warning", "not reached: it runs on the CPU", "follow docs/gpu.md"
    )
    assert found(findings, "gpu by faiss").state == "ok"


def test_the_trial_network_is_the_identity():
    import onnxruntime as ort

    session = ort.InferenceSession(doctor.IDENTITY, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"x": [1.5]})
    assert answer == [1.5]
