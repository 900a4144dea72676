"""Reports stand alone, show the figures that were measured, and can't be broken into."""

import base64
import hashlib
import io
import json
import re
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.signal
import scipy.stats
import soundfile
from sklearn.decomposition import PCA

from earwitness.audio import read_clip
from earwitness.calibration import support
from earwitness.engine import open_engine
from earwitness.errors import AudioError, MissingExtraError
from earwitness.evaluation import calibrate_registry, evaluate_registry
from earwitness.evaluation.examples import worst
from earwitness.evaluation.report import check_extras
from earwitness.evaluation.scoring import STRANGER, score_rows
from earwitness.evaluation.words import MEANING, headline, percent
from earwitness.listening import Excerpt
from earwitness.manifest import read_manifest
from earwitness.reporting import charts, maps
from earwitness.reporting.html import Html, facts, page, section, table, tag
from earwitness.reporting.maps import embedding_map, plane
from earwitness.reporting.sound import HEARD, beginning, levels, player
from earwitness.reporting.verdicts import LIMITS, statement, write_verdicts
from earwitness.types import Mixed, Verdict

HOSTILE = "<script>alert('1')<&\"x"


class Page(HTMLParser):
    """A page's elements in their order; a fault where an element isn't closed."""

    EMPTY = ("img", "meta")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.cells = [], [], [], [[]]
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name == "tr":
            self.cells.append([])
        if name in ("td", "th"):
            self.cells[-1].append("")
        if name not in self.EMPTY:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        if "style" not in self.open:
            self.texts.append(text)
        if {"td", "th"} & set(self.open):
            self.cells[-1][-1] += text

    @property
    def text(self):
        return " ".join(self.texts)

    def all(self, name):
        return [attributes for each, attributes in self.elements if each == name]


def stands_alone(text):
    """The page, after it was seen that it needs nothing but itself."""
    parsed = Page(text)
    assert text.startswith("<!doctype html><html")
    assert {name for name, _ in parsed.elements}.isdisjoint({"script", "link", "iframe", "object", "embed", "base"})
    for _, attributes in parsed.elements:
        assert attributes.get("src", "data:").startswith("data:")
        assert not {"href", "srcset", "background"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"@import|url\(", text)
    assert all(image["alt"] for image in parsed.all("img"))
    assert any("default-src 'none'" in meta.get("content", "") for meta in parsed.all("meta"))
    return parsed


@pytest.fixture(scope="module")
def evaluated(made, tmp_path_factory):
    """The page and the figures of an evaluation of the made registry."""
    out = tmp_path_factory.mktemp("evaluated")
    with open_engine(made.registry) as engine:
        evaluate_registry(engine, read_manifest(made.manifest), out, by=("half",))
    return stands_alone((out / "report.html").read_text("utf-8")), json.loads((out / "metrics.json").read_text())


@pytest.fixture(scope="module")
def scored(made):
    """The test clips of the made registry."""
    with open_engine(made.registry) as engine:
        return score_rows(engine, "system", read_manifest(made.manifest).select(split="test"))


def test_an_evaluation_shows_the_figures_that_were_measured(evaluated):
    parsed, figures = evaluated
    shown = {row[0]: row for row in parsed.cells if len(row) == 4}
    for name, (label, meaning) in MEANING.items():
        if name not in figures:
            continue
        value, bounds = figures[name], figures["intervals"].get(name)
        assert shown[label][1] == ("–" if value is None else f"{value:.3f}")
        assert shown[label][3] == meaning
        if bounds and None not in bounds:
            assert shown[label][2] == "{:.3f} to {:.3f}".format(*bounds)
    even = next(row for row in parsed.cells if row[:1] == ["even"])
    assert even[3] == f"{figures['by']['half']['even']['accuracy']:.3f}"
    for name, accuracy in figures["shortcuts"].items():
        assert [name, f"{accuracy:.3f}"] in parsed.cells


def test_an_evaluation_has_every_part(evaluated):
    parsed, figures = evaluated
    alts = " ".join(image["alt"] for image in parsed.all("img"))
    for part in ("Confusion", "Histogram", "softmax, openmax", "ROC", "OSCR", "DET", "Tippett", "Reliability", "Map"):
        assert part in alts
    assert alts.count("Spectrogram") == 5 + len(parsed.all("audio"))
    assert len(parsed.all("audio")) <= 12
    assert f"many clips are. ECE {figures['ece']:.3f}." in parsed.text  # the points of the diagram are the metric's
    for line in headline(figures):
        assert line in parsed.text
    for word in (
        "Command",
        "Seed",
        "Manifest",
        "Reference population",
        "Calibration of task",
        "What this does not mean",
    ):
        assert word in parsed.text


def test_provenance_holds_the_digests(made, evaluated):
    parsed, _ = evaluated
    assert hashlib.sha256(made.manifest.read_bytes()).hexdigest() in parsed.text
    (model,) = (made.registry / "models").iterdir()
    for file in model.iterdir():
        assert ["lfcc-stats", file.name, hashlib.sha256(file.read_bytes()).hexdigest()] in parsed.cells
    names = [row[0] for row in parsed.cells if row]
    assert {"earwitness", "earwitness_registry", "plugin scorers", "plugin frontends"} <= set(names)


def test_the_headline_is_the_figures_in_words():
    figures = {
        "clips": {"known": 120, "unknown": 1},
        "accuracy": 0.931,
        "known_accepted": 0.88,
        "far_realised": 0.04,
        "far_asked": 0.05,
        "intervals": {"accuracy": [0.89, 0.96], "known_accepted": [0.8, 0.93], "far_realised": [None, None]},
    }
    assert headline(figures) == [
        "Of 120 clips of known sources 93 % [89 to 96] had the right source in the first rank, "
        "and 88 % [80 to 93] were accepted as known.",
        "Of 1 clip of strangers 4 % were accepted, where 5 % were asked for.",
    ]
    nothing = headline({**figures, "clips": {"known": 0, "unknown": 0}})
    assert all("nothing can be said" in line for line in nothing)
    assert [percent(share) for share in (0.0, 0.004, 0.0125, 0.05, 0.5, 1.0)] == ["0", "0.4", "1.2", "5", "50", "100"]


def hostile_manifest(made, tmp_path):
    """The manifest with a hostile name for a stranger, its clips and a column."""
    rows = []
    for i, row in enumerate(made.rows):
        path = made.home / row["path"]
        if row["source"] == "test-one":
            path = shutil.copy(path, tmp_path / f"{HOSTILE}{i}.wav")
            row = {**row, "source": HOSTILE}
        rows.append({**row, "path": str(path), "page": HOSTILE})
    file = tmp_path / "manifest.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return read_manifest(file)


def test_names_from_outside_are_text_and_nothing_more(made, tmp_path):
    with open_engine(made.registry) as engine:
        evaluate_registry(engine, hostile_manifest(made, tmp_path), tmp_path / "out", by=("page",))
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script" not in text
    assert HOSTILE in stands_alone(text).text


@pytest.fixture
def alone(made, tmp_path):
    """A calibrated registry of one source."""
    folder = tmp_path / "alone"
    shutil.copytree(made.raw, folder)
    with open_engine(folder) as engine:
        for source in ("beta", "gamma"):
            engine.registry.remove(source)
        calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.1)
    return folder


def test_one_source_without_strangers_has_a_report_too(made, alone, tmp_path):
    manifest = read_manifest(made.manifest)
    own = replace(manifest, rows=tuple(row for row in manifest.rows if row.source == "alpha"))
    with open_engine(alone) as engine:
        (figures,) = evaluate_registry(engine, own, tmp_path / "out")
    parsed = stands_alone((tmp_path / "out" / "report.html").read_text("utf-8"))
    assert figures["auroc"] is None
    assert "No stranger was tested" in parsed.text
    assert not any("ROC" in image["alt"] for image in parsed.all("img"))


def test_what_draws_a_report_is_asked_for_before_the_work(made, tmp_path, monkeypatch, call):
    check_extras()
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingExtraError, match=r"earwitness\[report\]"):
        check_extras()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = call("identify", tmp_path / "missing.wav", "--report", tmp_path / "r.html", "--registry", made.registry)
    assert (done.code, "earwitness[report]" in done.err) == (2, True)


def test_the_worst_mistakes_come_first_and_siblings_are_none(scored):
    sources = [*scored.sources, None]
    verdicts = [
        replace(verdict, verdict="known", source=sources[label], siblings=(), probability=1.0)
        for verdict, label in zip(scored.verdicts, scored.labels, strict=True)
    ]
    for row, share in enumerate((0.6, 0.9, 0.7, 0.8)):
        other = scored.sources[(scored.labels[row] + 1) % 3]
        verdicts[row] = replace(verdicts[row], source=other, probability=share)
    verdicts[3] = replace(verdicts[3], siblings=(verdicts[3].source, scored.sources[scored.labels[3]]))
    index = {source: k for k, source in enumerate(scored.sources)}
    answers = np.array([index.get(verdict.source, STRANGER) for verdict in verdicts])
    assert worst(replace(scored, verdicts=tuple(verdicts)), answers).tolist() == [1, 2, 0]


@pytest.fixture(scope="module")
def identified(made, tmp_path_factory):
    """(registry) -> the report of a known clip and of one that can't be heard, and the known clip's verdict."""
    folder = tmp_path_factory.mktemp("identified")
    clip, bad = folder / f"{HOSTILE}.wav", folder / "bad.wav"
    shutil.copy(made.home / "test-alpha-0.wav", clip)
    bad.write_text("no sound")

    def write(registry):
        with open_engine(registry) as engine:
            verdicts = list(engine.identify_many([clip, bad], segments=True))
            write_verdicts(folder / "report.html", engine, [clip, bad], verdicts)
        text = (folder / "report.html").read_text("utf-8")
        assert "<script" not in text
        return stands_alone(text), verdicts[0], clip

    return write


def test_a_clip_is_reported_with_all_that_others_need(made, identified):
    parsed, verdict, clip = identified(made.registry)
    origin = read_clip(clip).origin
    for told in (origin.sha256, origin.samples_sha256, *statement(verdict), *LIMITS, "It could not be heard", HOSTILE):
        assert told in parsed.text
    for rank in verdict.ranking:
        assert [rank.source, f"{rank.probability:.3f}", f"{rank.similarity:.3f}", ""] in parsed.cells
    for near in verdict.evidence:
        assert [near.source, near.clip, f"{near.similarity:.3f}"] in parsed.cells
    alts = [image["alt"] for image in parsed.all("img")]
    assert [alt.split()[0] for alt in alts] == ["Timeline", "Spectrogram"]
    assert len(parsed.all("audio")) == 1


def test_without_calibration_there_is_no_ratio(made, identified):
    parsed, verdict, _ = identified(made.raw)
    assert "No likelihood ratio can be had" in statement(verdict)[-1]
    assert "None: no threshold has been set." in parsed.text
    assert [verdict.ranking[0].source, f"{verdict.ranking[0].similarity:.3f}"] in parsed.cells


def test_a_clip_that_changed_since_is_refused(made, tmp_path):
    clip = tmp_path / "clip.wav"
    shutil.copy(made.home / "test-alpha-0.wav", clip)
    with open_engine(made.registry) as engine:
        verdicts = list(engine.identify_many([clip]))
        shutil.copy(made.home / "test-beta-0.wav", clip)
        with pytest.raises(AudioError, match="changed"):
            write_verdicts(tmp_path / "report.html", engine, [clip], verdicts)


def test_identify_writes_a_report(made, call, tmp_path):
    out = tmp_path / "report.html"
    clips = [made.home / "test-alpha-0.wav", made.home / "test-test-one-0.wav"]
    done = call("identify", *clips, "--registry", made.registry, "--report", out)
    assert (done.code, "report.html" in done.err) == (0, True)
    parsed = stands_alone(out.read_text("utf-8"))
    assert [name for name, _ in parsed.elements].count("article") == 2


def verdict_of(log10_lr, **more):
    """A verdict with a likelihood ratio."""
    registry = {"name": "lab", "version": 3, "sources": 12}
    band = support(log10_lr)
    return Verdict(
        "a.wav", "00", "system", "known", knownness=1.0, log10_lr=log10_lr, support=band, registry=registry, **more
    )


@pytest.mark.parametrize(
    ("log10_lr", "told"),
    [
        (2.7, "about 500 times more probable under proposition 1 than under proposition 2: moderately strong support"),
        (-1.3, "about 20 times more probable under proposition 2 than under proposition 1: moderate support"),
        (0.5, "about 3.2 times more probable under proposition 1 than under proposition 2: weak support"),
        (4.2, "about 16,000 times more probable under proposition 1 than under proposition 2: very strong support"),
        (0.1, "support neither (likelihood ratio 1.3)"),
    ],
)
def test_a_statement_weighs_two_propositions_and_claims_none(log10_lr, told):
    first, second, weighed = statement(verdict_of(log10_lr))
    assert first == "Proposition 1: one of the 12 sources enrolled in the registry 'lab' made this clip."
    assert second == "Proposition 2: something else did."
    assert told in weighed


def test_a_clip_that_bears_no_answer_supports_nothing():
    (line,) = statement(replace(verdict_of(1.0), verdict="abstain", knownness=None))
    assert "neither" in line


def test_a_change_of_source_is_drawn_into_the_timeline(made):
    from earwitness.plotting import draw_timeline, load_pyplot

    with open_engine(made.registry) as engine:
        (verdict,) = engine.identify(made.home / "test-alpha-0.wav", segments=True)
    figure, axes = load_pyplot().subplots()
    draw_timeline(replace(verdict, mixed=Mixed(1.25, "alpha", "beta")), axes)
    marks = {line.get_label(): line.get_xdata() for line in axes.get_lines()}
    load_pyplot().close(figure)
    assert list(marks["change of source"]) == [1.25, 1.25]
    assert len(axes.collections) == len({segment.source for segment in verdict.segments})


def test_only_html_is_html():
    assert tag("p", "<b>", Html("<i></i>"), title='"&') == '<p title="&quot;&amp;">&lt;b&gt;<i></i></p>'
    assert tag("img", alt="a", src="data:,") == '<img alt="a" src="data:,">'
    assert section("nothing", Html()) == table(("a",), []) == facts([("a", None)]) == ""
    parsed = Page(page("<t>", table(("a", "b", "c"), [("x", None, (0.1, 0.25)), (2, float("nan"), None)])))
    assert parsed.cells[1:] == [["a", "b", "c"], ["x", "–", "0.100 to 0.250"], ["2", "–", "–"]]
    assert [attributes["class"] for attributes in parsed.all("th")] == ["t", "n", "n"]


def test_few_clips_are_shown_on_their_principal_axes():
    vectors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    theirs = PCA(2).fit_transform(vectors)
    assert np.allclose(np.abs(plane(vectors)), np.abs(theirs), atol=1e-5)
    assert plane(vectors[:1]).tolist() == [[0.0, 0.0]]


def test_many_clips_are_shown_near_their_like(monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, -1], 20)
    vectors = np.eye(3)[labels] + 0.1 * rng.normal(size=(60, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    distances = np.linalg.norm(plane(vectors)[:, None] - plane(vectors)[None], axis=2) + 1e9 * np.eye(60)
    assert (labels[distances.argmin(axis=1)] == labels).all()
    monkeypatch.setattr(maps, "MOST", 40)
    parsed = Page(embedding_map(vectors, labels, ("a", "b")))
    assert "Map of 40 clips" in parsed.text
    assert "t-SNE" in parsed.all("img")[0]["alt"]


def test_a_spectrogram_is_that_of_scipy(made):
    clip = read_clip(made.home / "test-alpha-0.wav")
    _, _, theirs = scipy.signal.spectrogram(
        clip.samples.astype(np.float64), clip.rate, np.hanning(512), 512, 512 - 128, detrend=False, scaling="spectrum"
    )
    theirs[1:-1] /= 2  # one-sided
    expected = np.maximum(10 * np.log10(theirs / theirs.max()), -70)
    assert np.allclose(levels(clip), expected, atol=0.05)
    assert levels(replace(clip, samples=np.zeros(10, np.float32))).max() <= 0


def test_a_player_holds_the_beginning_of_a_clip(tmp_path):
    rng = np.random.default_rng(0)
    sound = (0.3 * rng.standard_normal(16000 * 3)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, 16000, subtype="FLOAT")
    clip = beginning(Excerpt(tmp_path / "a.wav", 0.5, 2.5), 1.0)
    whole = read_clip(tmp_path / "a.wav", start=0.5, end=2.5)
    assert (clip.origin, len(clip.samples)) == (whole.origin, 16000)
    uri = Page(player(clip)).all("audio")[0]["src"]
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert rate == 16000
    assert np.abs(heard - np.clip(sound[8000:24000], -1, 1)).max() <= 2**-15
    fast = replace(clip, rate=48000)
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(Page(player(fast)).all("audio")[0]["src"][22:])))
    assert (rate, len(heard)) == (HEARD, 8000)


def test_of_a_long_clip_only_the_beginning_is_kept(tmp_path):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 8000 * 90).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", sound, 8000, subtype="FLOAT")
    clip = beginning(Excerpt(tmp_path / "long.wav"), 60.0)
    assert np.array_equal(clip.samples, sound[: 8000 * 60])
    assert clip.origin == read_clip(tmp_path / "long.wav").origin


@pytest.mark.parametrize(("count", "kind"), [(3, "plot"), (60, "wide")])
def test_a_matrix_is_as_large_as_its_classes(count, kind):
    names = [f"source {k} 名" for k in range(count)]
    parsed = Page(charts.matrix(np.eye(count, dtype=np.int64), names, names, ("truth", "answer", "alt", "caption")))
    assert parsed.all("figure")[0]["class"] == kind
    assert parsed.all("img")[0]["src"].startswith("data:image/svg+xml;base64,")


def test_normal_scores_make_a_det_line():
    assert charts.probit(np.array([0.5, 0.975])) == pytest.approx(scipy.stats.norm.ppf([0.5, 0.975]))
