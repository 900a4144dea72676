"""Reading audio: what goes in comes out, whatever the container; bad files say what is wrong."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from earwitness.audio import Resampler, find_clips, is_audio, open_audio, printable, read_clip, resampled
from earwitness.errors import AudioError, InputError, OptionError
from earwitness.types import Clip, Origin

RATE = 16000


def speechlike(seconds: float, rate: int = RATE) -> np.ndarray:
    """A sweep from 200 Hz to 2 kHz: every lag but the right one decorrelates."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 * t + 900 / seconds * t**2))).astype(np.float32)


def mux(path: Path, form: str, codec: str | None, samples: np.ndarray, rate: int, video: bool = False) -> Path:
    with av.open(str(path), "w", format=form) as out:
        picture = out.add_stream("mpeg4", rate=10) if video else None
        sound = out.add_stream(codec, rate=rate) if codec else None
        if sound:
            sound.layout = "mono"
            if codec == "wmav2":
                sound.bit_rate = 64000
            sound.codec_context.open()
        if picture:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
            for _ in range(5):
                out.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
            out.mux(picture.encode())
        if sound:
            frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            frame.sample_rate = rate
            fit = av.AudioResampler(sound.format.name, "mono", rate, sound.codec_context.frame_size or 1024)
            for piece in fit.resample(frame) + fit.resample(None):
                out.mux(sound.encode(piece))
            out.mux(sound.encode())
    return path


def agreement(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest normalised correlation over lags of up to 4800 samples."""
    size = min(len(found), len(expected))
    a, b = np.zeros(2 * size), np.zeros(2 * size)
    a[:size], b[:size] = found[:size], expected[:size]
    lags = np.fft.irfft(np.fft.rfft(a) * np.fft.rfft(b).conj())
    near = np.concatenate([lags[:4800], lags[-4800:]])
    return near.max() / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize(
    ("name", "form", "codec", "rate", "video"),
    [
        ("a.mp4", "mp4", "aac", 16000, True),
        ("a.mov", "mov", "pcm_s16le", 16000, True),
        ("a.avi", "avi", "libmp3lame", 16000, True),
        ("a.flv", "flv", "libmp3lame", 44100, False),
        ("a.wmv", "asf", "wmav2", 44100, True),
        ("a.wma", "asf", "wmav2", 44100, False),
        ("a.amr", "amr", "libopencore_amrnb", 8000, False),
        ("a.aac", "adts", "aac", 16000, False),
        ("a.m4a", "ipod", "aac", 16000, False),
        ("a.webm", "webm", "libopus", 48000, False),
    ],
)
def test_ffmpeg_containers(tmp_path, name, form, codec, rate, video):
    wave = speechlike(3, rate)
    path = mux(tmp_path / name, form, codec, wave, rate, video)
    clip = read_clip(path)
    assert clip.rate == clip.origin.native_rate == rate
    assert clip.origin.duration == pytest.approx(3, abs=0.15)
    assert agreement(clip.samples, wave) > 0.94
    assert clip.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    renamed = path.rename(tmp_path / "renamed.wav")
    assert is_audio(renamed)
    np.testing.assert_array_equal(read_clip(renamed).samples, clip.samples)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_libsndfile_containers(tmp_path, name):
    wave = speechlike(3)
    soundfile.write(tmp_path / name, wave, RATE)
    clip = read_clip(tmp_path / name)
    assert (clip.rate, clip.origin.channels, clip.origin.duration) == (RATE, 1, pytest.approx(3))
    assert agreement(clip.samples, wave) > 0.99
    assert clip.origin.container == name[2:]


def test_digests_are_of_the_bytes_and_of_the_samples_alone(tmp_path):
    stereo = np.round(32767 * np.stack([speechlike(5), speechlike(5)[::-1]], axis=1)).astype(np.int16)
    paths = [tmp_path / name for name in ("a.wav", "b.flac", "c.aiff")]
    for path in paths:
        soundfile.write(path, stereo, RATE, subtype="PCM_16")
    origins = [read_clip(path, 8000).origin for path in paths]
    expected = soundfile.read(paths[0], dtype="float32")[0].mean(axis=1, dtype=np.float64).astype(np.float32)
    assert {o.samples_sha256 for o in origins} == {hashlib.sha256(expected.tobytes()).hexdigest()}
    assert [o.sha256 for o in origins] == [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192000, 1), (44100, 8), (16000, 2)])
def test_rates_and_channels(tmp_path, rate, channels):
    wave = speechlike(2, rate)
    gains = np.linspace(0.2, 1.0, channels)
    soundfile.write(tmp_path / "a.wav", wave[:, None] * gains, rate, subtype="FLOAT")
    np.testing.assert_allclose(read_clip(tmp_path / "a.wav").samples, wave * gains.mean(), atol=1e-6)
    clip = read_clip(tmp_path / "a.wav", RATE)
    assert len(clip.samples) == 2 * RATE
    inner = slice(2000, -2000)
    np.testing.assert_allclose(clip.samples[inner], (speechlike(2) * gains.mean())[inner], atol=2e-3)


def test_the_resampler_agrees_with_scipy(tmp_path):
    wave = speechlike(6, 44100)
    soundfile.write(tmp_path / "a.wav", wave, 44100, subtype="FLOAT")
    ours, theirs = read_clip(tmp_path / "a.wav", RATE).samples, resample_poly(wave, 160, 441)
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours[500:-500], theirs[500:-500], atol=1e-3)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_how_a_stream_is_split_changes_nothing_when_resampling(rate):
    wave, resampler = speechlike(4, 44100), Resampler(44100, rate)
    pieces = [resampler.hear(block) for block in np.split(wave, [1, 5000, 5001, 70000])] + [resampler.finish()]
    whole = Clip(wave, 44100, Origin("a", "", "", "wav", "float", 44100, 1, 4.0))
    np.testing.assert_array_equal(np.concatenate(pieces), resampled(whole, rate).samples)
    assert resampled(whole, rate).rate == rate
    assert resampled(whole, rate).origin == whole.origin


def test_a_stretch_of_a_stream_tells_where_it_comes_from(tmp_path):
    soundfile.write(tmp_path / "a.wav", speechlike(9), RATE)
    with open_audio(tmp_path / "a.wav") as audio:
        part = audio.stretch(np.concatenate([*audio.blocks()])[56000:132000])
    alone = read_clip(tmp_path / "a.wav", start=3.5, end=8.25)
    np.testing.assert_array_equal(part.samples, alone.samples)
    assert (part.rate, part.origin) == (alone.rate, alone.origin)


def test_a_stretch_is_that_of_the_whole(tmp_path):
    soundfile.write(tmp_path / "a.wav", speechlike(9), RATE)
    whole, part = read_clip(tmp_path / "a.wav"), read_clip(tmp_path / "a.wav", start=3.5, end=8.25)
    np.testing.assert_array_equal(part.samples, whole.samples[56000:132000])
    assert part.origin.duration == 4.75
    assert part.origin.sha256 == whole.origin.sha256
    assert part.origin.samples_sha256 != whole.origin.samples_sha256
    with pytest.raises(AudioError, match="no samples"):
        read_clip(tmp_path / "a.wav", start=20)
    with pytest.raises(OptionError):
        read_clip(tmp_path / "a.wav", start=2, end=1)


@pytest.mark.parametrize("name", ["long.wav", "long.mka"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    path, second = tmp_path / name, speechlike(1)
    if name.endswith("wav"):
        with soundfile.SoundFile(path, "w", RATE, 1) as out:
            for _ in range(600):
                out.write(second)
    else:
        mux(path, "matroska", "pcm_s16le", np.tile(second, 600), RATE)
    tracemalloc.start()
    resampler = Resampler(RATE, 8000)
    with open_audio(path) as audio:
        total = sum(len(resampler.hear(block)) for block in audio.blocks()) + len(resampler.finish())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == pytest.approx(600 * 8000, abs=8000)
    assert peak < 4e6  # the file is 38 MB of float32


def test_origin_is_withheld_until_all_is_heard(tmp_path):
    soundfile.write(tmp_path / "a.wav", speechlike(1), RATE)
    with open_audio(tmp_path / "a.wav") as audio, pytest.raises(RuntimeError):
        _ = audio.origin


def bad(path: Path, kind: str) -> Path:
    if kind == "folder":
        path.mkdir()
    elif kind == "header only":
        soundfile.write(path, np.zeros(0), RATE, format="WAV")
    elif kind == "silent film":
        mux(path, "mp4", None, np.zeros(0), 0, video=True)
    elif kind == "headless mp4":
        mux(path, "mp4", "aac", speechlike(1), RATE)
        path.write_bytes(path.read_bytes()[:2000])
    elif kind in ("nan", "inf"):
        wave = speechlike(1)
        wave[500] = float(kind)
        soundfile.write(path, wave, RATE, format="WAV", subtype="FLOAT")
    elif kind == "playlist":
        mux(path.with_name("other.mp4"), "mp4", "aac", speechlike(1), RATE)
        path.write_text("ffconcat version 1.0\nfile other.mp4\n")
    elif kind != "missing":
        contents = {"empty": b"", "text": b"hello\n" * 99, "png": b"\x89PNG\r\n\x1a\n" + bytes(99)}
        path.write_bytes(contents[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "text", "audio"),
    [
        ("missing", "does not exist", True),
        ("folder", "is a folder", False),
        ("empty", "is empty", False),
        ("text", "not audio", False),
        ("png", "no sound|not audio", False),
        ("silent film", "no sound", False),
        ("headless mp4", "not audio", False),
        ("header only", "no samples", True),
        ("nan", "not numbers", True),
        ("inf", "not numbers", True),
        ("playlist", "not audio", False),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, monkeypatch, kind, text, audio):
    monkeypatch.chdir(tmp_path)
    path = bad(Path("clip\n\x07.wav"), kind)
    with pytest.raises(AudioError, match=text) as caught:
        read_clip(path, 8000)
    assert r"clip\n\x07.wav" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert is_audio(path) is audio


def test_forbidden_files(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", speechlike(1), RATE)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioError, match="may not be read"):
        read_clip(tmp_path / "a.wav")
    assert find_clips([tmp_path]) == [tmp_path / "a.wav"]  # reported later, not lost now


def test_a_fifo_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioError, match="regular file"):
        read_clip(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.aiff", "a.webm", "a.amr"])
def test_truncated_files_keep_what_is_there_and_warn(tmp_path, name):
    path, rate = tmp_path / name, {"a.webm": 48000, "a.amr": 8000}.get(name, RATE)
    wave = speechlike(8, rate)
    if rate == RATE:
        soundfile.write(path, wave, rate)
    else:
        form, codec = {"a.webm": ("webm", "libopus"), "a.amr": ("amr", "libopencore_amrnb")}[name]
        mux(path, form, codec, wave, rate)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(0.6 * len(whole)) | 1])
    with open_audio(path) as audio:
        samples = np.concatenate(list(audio.blocks()))
    assert 0.3 * len(wave) < len(samples) < 0.9 * len(wave)
    assert agreement(samples, wave) > 0.9
    assert any("cut short" in w or "damaged" in w for w in audio.warnings)


def test_whole_files_warn_of_nothing(tmp_path):
    soundfile.write(tmp_path / "a.mp3", speechlike(3), RATE)
    mux(tmp_path / "b.mp4", "mp4", "aac", speechlike(3), RATE, video=True)
    for name in ("a.mp3", "b.mp4"):
        with open_audio(tmp_path / name) as audio:
            assert sum(map(len, audio.blocks()))
        assert audio.warnings == ()


def test_the_fallback_reads_what_core_cannot(tmp_path):
    path = tmp_path / "a.secret"
    path.write_bytes(b"secret" * 50)
    origin = Origin(str(path), "", "", "secret", "rot13", 32000, 2, 1.0)
    clip = read_clip(path, RATE, fallback=lambda _: Clip(speechlike(1, 32000), 32000, origin))
    assert (len(clip.samples), clip.origin.codec, clip.origin.channels) == (RATE, "rot13", 2)
    assert clip.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(AudioError):
        read_clip(path, fallback=lambda _: None)


def test_finding_clips(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sub/deep").mkdir(parents=True)
    names = ["b.wav", "sub/a.dat", "sub/deep/new\nline", os.fsdecode(b"sub/caf\xe9.wav"), "x[1].wav"]
    for name in names:
        with Path(name).open("wb") as out:
            soundfile.write(out, speechlike(0.5), RATE, format="WAV")
    Path("sub/notes.wav").write_text("no audio\n" * 9)
    b, dat, newline, stray, bracket = map(Path, names)
    Path("sub/list.txt").write_bytes(b"a.dat\r\n\n../b.wav\ncaf\xe9.wav\n")
    assert find_clips(["sub"]) == [dat, stray, newline]
    assert find_clips(["."]) == [b, bracket, dat, stray, newline]
    assert find_clips(["b.wav", "*.wav", str(tmp_path / "*.wav"), "x[1].wav"]) == [b, bracket]
    assert find_clips(["**/*.dat"]) == [dat]
    assert [p.resolve() for p in find_clips(["@sub/list.txt"])] == [p.resolve() for p in (dat, b, stray)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"b.wav\nsub/caf\xe9.wav\n")))
    assert find_clips(["-"]) == [b, stray]
    for clip in (newline, stray):
        name = read_clip(clip).origin.path
        assert name == printable(clip)
        assert json.loads(json.dumps(name).encode()) == name
    assert printable(stray) == r"sub/caf\xe9.wav"
    for missing in ("no.wav", "no*.wav", "@no.txt"):
        with pytest.raises(InputError, match=r"no\.|no\*|matches no"):
            find_clips([missing])


def test_a_list_passes_on_what_is_missing_and_a_glob_what_holds_no_audio(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("silent folder").mkdir()
    soundfile.write("a.wav", speechlike(0.5), RATE)
    Path("list.txt").write_text("gone.wav\na.wav\nno*.wav\nsilent folder\n")
    assert find_clips(["@list.txt"]) == [Path(name) for name in ("gone.wav", "a.wav", "no*.wav", "silent folder")]
    assert find_clips(["*"]) == [Path("a.wav"), Path("list.txt")]  # a folder without audio in it is no obstacle
    Path("empty.txt").write_text("\n \n")
    with pytest.raises(InputError, match="names no clip"):
        find_clips(["@empty.txt"])


def test_a_wav_is_read_without_ffmpeg(tmp_path):
    soundfile.write(tmp_path / "a.wav", speechlike(1), RATE)
    code = (
        "import sys; from earwitness.audio import read_clip; read_clip(sys.argv[1], 8000); print('av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.wav"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
