"""The pages of docs/ are true: their transcripts run, their examples are plugins, their tables name what there is.

In a page, `console` blocks are typed line by line (`$ ...`) into a folder of the page's own, and what stands below a
command is what it says, `...` standing for anything and decimals for other decimals; `# exit code 2` follows a command
that fails. A block with a `title` is a file, and is written there. `python` blocks without one are run.
"""

import contextlib
import doctest
import io
import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from dataclasses import fields
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest
import soundfile

from earwitness import hookspecs
from earwitness.cards import read_cards
from earwitness.cli import main
from earwitness.contracts import Voice
from earwitness.errors import EarwitnessError
from earwitness.evaluation.words import MEANING
from earwitness.loading import load_experts
from earwitness.manifest import read_manifest
from earwitness.places import starter_folder
from earwitness.plugins import Catalogue, load_catalogue
from earwitness.scaffold import write_plugin
from earwitness.testing import checks_of
from earwitness.types import Verdict
from earwitness_registry.cards import card_fields

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
DECIMAL = re.compile(r"-?\d+\.\d+(e-?\d+)?")

RATE = 16000
MADE = {
    "piper": {"en_US-joe-medium": ("piper", 3000)},
    "espeak-ng": {"en-us": ("espeak-ng-formant", 700), "en-us+klatt": ("espeak-ng-klatt", 1500)},
    "flite": {"kal": ("flite-diphone", 4500), "slt": ("flite-clustergen", 6000)},
}
"""Synthesizers of the pages, with made-up voices: by name the source, and the Hz at which it is loudest."""


def hiss(loudest, seed, seconds=2.0, rate=RATE):
    """(n,): noise of the seed's own around a frequency, that swells and falls."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    gains = np.exp(-(((np.fft.rfftfreq(len(time), 1 / rate) - loudest) / 500) ** 2)) + 0.02
    noise = np.fft.irfft(gains * np.fft.rfft(rng.standard_normal(len(time))), len(time))
    sound = noise * (1 + 0.5 * np.sin(2 * np.pi * rng.uniform(2, 5) * time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def blocks(page):
    """The fenced blocks of a page: language, title and text."""
    return [found.groups() for found in BLOCK.finditer((DOCS / page).read_text("utf-8"))]


def typed(text):
    """The commands of a transcript, each with what it says and its exit code."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        command, _, code = command.partition("  # exit code ")
        yield command, said, int(code or 0)


def same(wanted, said):
    """Whether a command said what the page has, if it has anything."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    wanted, said = (DECIMAL.sub("0.0", text) for text in (wanted, said))
    return not wanted or doctest.OutputChecker().check_output(wanted, said, flags)


@pytest.fixture(autouse=True)
def no_acme():
    """Forget the module of an example, so that the next can be imported."""
    yield
    sys.modules.pop("acme", None)


@pytest.fixture
def speakers(monkeypatch):
    """Have the synthesizers of the pages installed, with voices that are made up."""
    noise = itertools.count()

    def speak(self, utterance, file):
        loudest = MADE[self.name][utterance.voice.name][1]
        soundfile.write(file, hiss(loudest, next(noise)), RATE, format="WAV")

    for name, made in MADE.items():
        kind = load_catalogue().get("synthesizer", name)
        voices = tuple(Voice(voice, "en", source) for voice, (source, _) in made.items())
        monkeypatch.setattr(kind, "version", lambda _: "1.0")
        monkeypatch.setattr(kind, "voices", lambda _, voices=voices: voices)
        monkeypatch.setattr(kind, "speak", speak)


class Shell:
    """A folder in which commands are typed: earwitness runs in this process, pip installs by pretence."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.monkeypatch, self.modules = folder, monkeypatch, []

    def run(self, command):
        """The exit code of a command, and what it says."""
        words = shlex.split(command)
        if words[0] == "earwitness":
            return self.earwitness(words[1:])
        if words[:3] == ["pip", "install", "-e"]:
            return self.install(self.folder / words[3])
        if words[0] == "pip" or ".venv" in command:  # what a reader needs, and a test has
            return 0, ""
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    def earwitness(self, arguments):
        self.forget()
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(SystemExit) as stop:
                main(arguments)
        return stop.value.code, said.getvalue()

    def install(self, package):
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        name, version = project["name"], project["version"]
        points = project["entry-points"]["earwitness"]
        info = package / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("[earwitness]\n" + "".join(f"{n} = {m}\n" for n, m in points.items()))
        self.monkeypatch.syspath_prepend(package)
        self.modules.extend(points.values())
        return 0, ""

    def forget(self):
        """Have plugins imported anew, as they are now."""
        for module in self.modules:
            sys.modules.pop(module, None)
        load_catalogue.cache_clear()


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell in a folder of its own, with a home of its own."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("EARWITNESS_REGISTRY", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    opened = Shell(folder, monkeypatch)
    yield opened
    opened.forget()


@pytest.mark.skipif(not starter_folder().exists(), reason="the starter registry has not been built")
@pytest.mark.usefixtures("speakers")
@pytest.mark.parametrize("page", ["first-source.md", "first-plugin.md"])
def test_a_page_can_be_followed_word_for_word(page, shell):
    commands = 0
    for language, title, text in blocks(page):
        if title:
            (shell.folder / title).write_text(text)
        elif language == "console":
            for command, wanted, code in typed(text):
                done, said = shell.run(command)
                assert (command, done) == (command, code), said
                assert same(wanted, said), f"$ {command}\n{said}"
                commands += 1
    assert commands > 10


def test_a_transcript_that_is_wrong_is_told():
    (first, second) = typed("$ a b  # exit code 2\nsaid 0.5 and\n...\n$ c\n")
    assert (first, second) == (("a b", "said 0.5 and\n...\n", 2), ("c", "", 0))
    assert same(first[1], "said 0.75   and\nmore\n")
    assert not same(first[1], "said 1 and\nmore\n")
    assert not same(first[1], "said 0.75\n")
    assert same("", "anything")


def test_no_page_has_a_block_that_is_not_looked_at():
    looked_at = {"first-source.md", "first-plugin.md", "hooks.md", "formats.md", "index.md", "plugins.md"}
    for page in DOCS.glob("*.md"):
        strange = {language for language, _, _ in blocks(page.name)} - {"text", "yaml", "toml", "csv"}
        assert not strange or page.name in looked_at, page


def test_the_start_page_tells_python_how(shell, voices, monkeypatch, capsys, made):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(made.registry))
    for name, seed in (("known.wav", 4), ("strange.wav", 5)):
        (shell.folder / name).write_bytes((voices.parent / f"zeta-{seed}.wav").read_bytes())
    ((_, _, code),) = (block for block in blocks("index.md") if block[0] == "python")
    exec(compile(code, "index.md", "exec"), {})
    assert [line.split()[0] in ("known", "unknown") for line in capsys.readouterr().out.splitlines()] == [True, True]


HOOKS = [name for name, hook in vars(hookspecs).items() if hasattr(hook, "earwitness_spec")]
EXAMPLES = [code for _, title, code in blocks("hooks.md") if title == "acme/__init__.py"]
EXAMPLE = dict(zip(HOOKS, EXAMPLES, strict=True))


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_is_a_plugin_that_keeps_the_rules(hook, install):
    point = install("acme", EXAMPLE[hook])
    ours = [
        point for each in distributions(name="earwitness") for point in each.entry_points.select(group="earwitness")
    ]
    catalogue = Catalogue([*dict.fromkeys(ours), point])
    plugin = catalogue.plugins[-1]
    assert plugin.problem is None
    assert hook in (*plugin.hooks, *(f"register_{kind}s" for kind in plugin.offers), "register_corpora")
    assert plugin.offers or plugin.hooks == (hook,)
    for check in checks_of("acme", catalogue):
        with contextlib.suppress(SkipTest):  # the program acme isn't there
            check()


def loaded(install, hook):
    """The module of a hook's example."""
    return install("acme", EXAMPLE[hook]).load()


def test_the_example_of_a_tracer_finds_joints_and_nothing_in_noise(install):
    from earwitness.testing.made import clip_of

    tracer = loaded(install, "register_tracers").AcmeTracer()
    for seed in range(20):
        noise = 0.1 * np.random.default_rng(seed).standard_normal(3 * RATE).astype(np.float32)
        assert tracer(clip_of(noise)) == ()
        noise[:: RATE // 80] += 0.3
        (trace,) = tracer(clip_of(noise))
        assert (trace.kind, trace.spacing_hz, trace.start, trace.end) == ("upsampling", 80.0, 0.0, 3.0)


def test_the_example_of_a_corpus_reader_gives_its_list(install, tmp_path):
    (tmp_path / "systems.tsv").write_text("a.wav\tacme\tanna\nb.wav\tunknown\tben\n")
    rows = list(loaded(install, "register_corpora").AcmeCorpus("dev")(tmp_path))
    assert [(row["path"], row["source"], row["speaker"], row["split"]) for row in rows] == [
        ("a.wav", "acme", "anna", "dev"),
        ("b.wav", "unknown", "ben", "dev"),
    ]


def test_the_example_of_a_command_counts(install, call, tmp_path):
    install("acme", EXAMPLE["register_commands"])
    lines = [{"source": source, "verdict": "unknown"} for source in ("piper", None, "piper")]
    (tmp_path / "v.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert call("tally", tmp_path / "v.jsonl").out.split() == ["2", "piper", "1", "unknown"]


def test_the_example_of_a_decoder_reads_what_libsndfile_wrote(install, tmp_path):
    file, sound = tmp_path / "a.ul", hiss(700, 1, seconds=0.5, rate=8000)
    soundfile.write(file, sound, 8000, subtype="ULAW", format="RAW")
    decoder = loaded(install, "read_clip")
    clip = decoder.read_clip(file)
    wanted, _ = soundfile.read(file, channels=1, samplerate=8000, subtype="ULAW", format="RAW", dtype="float32")
    np.testing.assert_allclose(clip.samples, wanted, atol=1e-6)
    assert (clip.rate, clip.origin.duration) == (8000, 0.5)
    assert decoder.read_clip(tmp_path / "a.wav") is None


def test_the_example_of_a_listener_logs_the_unknown(install, caplog):
    listener = loaded(install, "verdict_reached")
    for kind in ("known", "unknown"):
        listener.verdict_reached("a.wav", Verdict("a.wav", None, "system", kind, family="vits"))
    assert caplog.messages == ["a.wav: an unknown system of the family vits"]


def test_the_formats_are_read_as_the_page_has_them(tmp_path):
    for _, title, text in blocks("formats.md"):
        (tmp_path / title).write_text(text)
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / name).touch()
    assert [row.source for row in read_manifest(tmp_path / "manifest.csv").rows] == ["acme/voice-2"] * 2 + [None]
    (mine,) = load_experts(str(tmp_path / "pipeline.yaml"), load_catalogue())
    assert (mine.name, mine.scorer.k, [len(chain) for chain in mine.training.versions]) == ("mine", 5, [0, 2])
    (plain,) = load_experts(str(tmp_path / "pipeline.yaml"), load_catalogue(), ("training={}",))
    bare = tmp_path / "bare.yaml"
    bare.write_text("{name: mine, frontend: lfcc60, embedder: stats, scorer: {knn: {k: 5}}}")
    assert (plain,) == load_experts(str(bare), load_catalogue())
    experts = load_experts(str(tmp_path / "experts.yaml"), load_catalogue())
    assert [(each.name, each.window) for each in experts] == [("lfcc-stats", 4.0), ("residual", 4.0)]
    text = (DOCS / "formats.md").read_text("utf-8")
    assert [field.about for field in card_fields().values() if f"| `{field.name}` | {field.about} |" not in text] == []


def test_the_plugins_page_shows_what_is_written(tmp_path):
    shown = {title or language: text for language, title, text in blocks("plugins.md")}
    (tmp_path / "acme.yaml").write_text(shown["yaml"])
    assert [card.id for card in read_cards(tmp_path / "acme.yaml")] == ["acme/voice-2"]
    written = write_plugin("acme", "frontend", tmp_path, load_catalogue()) / "tests" / "test_acme.py"
    assert shown["tests/test_acme.py"] in written.read_text("utf-8")


def test_a_slip_in_a_card_is_told_as_the_pages_have_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cards = {"acme.yaml": ("plugins.md", "yaml"), "acme-voice-2.yaml": ("first-source.md", "yaml")}
    for file, (page, language) in cards.items():
        (text,) = (text for each, _, text in blocks(page) if each == language)
        Path(file).write_text(text.replace("'2025'", "2025"))
        with pytest.raises(EarwitnessError) as told:
            read_cards(Path(file))
        assert f"`{told.value}`" in (DOCS / page).read_text("utf-8")


def documented(heading):
    """The fields that the JSON page has below a heading."""
    text = (DOCS / "json.md").read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \| ", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


ASKED = {
    "Verdict": "identify {clip} --segments",
    "trace": "trace {clip}",
    "verify": "verify {clip} {other}",
    "enroll": "enroll alpha {clip}",
    "calibrate": "calibrate --manifest {manifest}",
    "registry stats": "registry stats",
    "registry history": "registry history",
    "registry verify": "registry verify",
    "plugins list": "plugins list",
    "plugins check": "plugins check degradations",
    "corpus list": "corpus list",
    "corpus make": "corpus make --system flite --count 2 --out made",
    "corpus read": "corpus read folders {folder} --out read.csv",
    "doctor": "doctor",
}


@pytest.mark.usefixtures("speakers")
@pytest.mark.parametrize("heading", ASKED)
def test_json_has_the_fields_that_the_page_has(heading, shell, made, registry_copy, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(registry_copy))
    clips = sorted(made.home.glob("train-alpha-*.wav"))
    (shell.folder / "clips" / "alpha").mkdir(parents=True)
    (shell.folder / "clips" / "alpha" / clips[0].name).write_bytes(clips[0].read_bytes())
    places = {"clip": clips[0], "other": clips[1], "manifest": made.manifest, "folder": "clips"}
    code, said = shell.run(f"earwitness {ASKED[heading].format(**places)} --json")
    assert code == 0, said
    found = json.loads(said)
    assert set(found[0] if isinstance(found, list) else found) == documented(heading)


def test_json_of_sources_is_their_cards(shell, made, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(made.registry))
    listed = json.loads(shell.run("earwitness registry list --json")[1])
    assert {name for card in listed for name in card} == {"id", "kind", "clips"}
    shown = json.loads(shell.run("earwitness registry show alpha --json")[1])
    assert set(shown["clips"][0]) == documented("registry show")


def test_json_of_an_evaluation_has_every_metric(shell, made, monkeypatch):
    if not (find_spec("matplotlib") and find_spec("sklearn")):
        pytest.skip("a report needs the extra report")
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(made.registry))
    said = shell.run(f"earwitness evaluate --manifest {made.manifest} --out out --json")[1]
    assert set(json.loads(said[said.index("[\n") :])[0]) | set(MEANING) == documented("evaluate")


def test_every_field_of_a_verdict_is_told():
    assert documented("Verdict") >= {field.name for field in fields(Verdict)}
