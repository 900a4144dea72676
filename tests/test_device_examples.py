"""Scripts behind the starter's devices: who is enrolled, calibrated with and tested, and what ships of a model."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file, save_file

from earwitness.manifest import check_leaks, read_manifest

SCRIPTS = Path(__file__).parents[1] / "examples" / "devices"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recordings(tmp_path):
    """Five takes of a headset, one of them once more through a conference, and eight people's phones; 9 s each."""
    takes = [(f"mic/raw_{side}_1.flac", "mic", "prompt") for side in "LBRFS"]
    takes.append(("mic__voip/voip_S_1.flac", "mic__voip", "prompt"))
    takes += [(f"phones/{n}.flac", "phone-unspecified", f"person-{n}") for n in range(8)]
    with (tmp_path / "all.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "kind", "device", "speaker"])
        writer.writerows([(path, "real_recording", device, speaker) for path, device, speaker in takes])
        writer.writerow(["room.flac", "room_ir", "", ""])
    for path in [*(path for path, *_ in takes), "room.flac"]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / path, np.zeros(9 * 8000), 8000)
    return tmp_path / "all.csv"


def test_no_take_and_nobodys_phone_stands_on_two_sides(recordings):
    script("headsets").main(recordings, seconds=4.0)
    manifest = read_manifest(recordings.with_name("headsets.csv"))
    rows = [(row.columns["session"], row.split, row.source, row.start) for row in manifest.rows]
    headset = {row for row in rows if row[2] == "mic"}
    assert headset == {
        *((f"raw_{side}_1", "train", "mic", None) for side in "LBR"),
        *(("raw_S_1", "dev", "mic", start) for start in (0, 2, 4)),
        *(("raw_F_1", "test", "mic", start) for start in (0, 4)),
    }
    strangers = {(session, split) for session, split, source, _ in rows if source is None}
    assert {session for session, _ in strangers} == {str(n) for n in range(8)}
    assert len(strangers) == 8
    assert {split for _, split in strangers} == {"dev", "test"}
    assert check_leaks(manifest, ["session", "path"]) == []


def test_a_slim_model_keeps_its_network_and_forgets_whom_it_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    weights = {"network.a": rng.standard_normal((3, 4)).astype(np.float32), "network.steps": np.array(7)}
    save_file(weights | {"head.weight": np.ones((9, 4), np.float32)}, tmp_path / "weights.safetensors")
    save_file({"directions": np.ones((9, 4), np.float32)}, tmp_path / "head.safetensors")
    (tmp_path / "network.onnx").write_bytes(b"as it was")
    script("slim").main(tmp_path)
    kept = load_file(tmp_path / "weights.safetensors")
    assert {name: array.dtype for name, array in kept.items()} == {"network.a": np.float16, "network.steps": np.int64}
    np.testing.assert_allclose(kept["network.a"], weights["network.a"], rtol=1e-3)
    assert {file.name for file in tmp_path.iterdir()} == {"weights.safetensors", "network.onnx"}
    assert (tmp_path / "network.onnx").read_bytes() == b"as it was"
