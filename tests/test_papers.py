"""The tables of docs/papers.md: what papers print, what stands beside it, and whether an ordering held."""

import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import spectrogram as power_of
from scipy.stats import kendalltau

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from papers import asked, figures, named, put
from papers_answers import answers, clips_of, drawn_figures
from papers_order import Figure, order_of
from papers_page import CORPORA, UNORDERED, papers_page
from papers_pictures import FRAME, RANGE, same_sentence, spectrogram
from papers_publish import open_measured
from papers_read import FOLDER, key_of, read_measured, read_papers
from papers_transfer import cut
from papers_voters import SEGMENT, middle, voting

from earwitness.engine import open_engine
from earwitness.evaluation.conditions import CONDITIONS
from earwitness.evaluation.intervals import draws
from earwitness.loading import load_experts, load_pipeline
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.plugins import load_catalogue

CATALOGUE = load_catalogue()
PAPERS = read_papers()
RECIPES = {key_of(line.recipe): line.recipe for paper in PAPERS for line in paper.lines if line.recipe}
MACHINE = {"processor": "Abacus", "cores": 1, "versions": {"numpy": "2.0", "torch": "2.1"}}
PAPER = """
paper: "Somebody and others, Something, 2021"
on: "CORPUS, 45 phones"
tables:
  - name: Table 1
    about: which is best
    published: accuracy, %
    corpus: phones
    metric: accuracy
    rows:
      - {method: one, published: 90, recipe: mfcc39-svm}
      - {method: two, published: 80.5, recipe: {mfcc39-svm: {frontend: bed}}}
      - {method: three, published: 70, recipe: {mfcc39-svm: {frontend: gsv}}}
      - {method: four, published: 60, recipe: mfcc39-knn}
      - {method: five, published: 50, recipe: mfcc39-mlp}
      - {method: six, published: 40, why_not: no time}
      - {method: seven, published: null, special: [transfer, full]}
    note: Noted.
"""


def cell(value, low, high):
    return {"clean": {"accuracy": value, "intervals": {"accuracy": [low, high]}}}


@pytest.fixture
def page(tmp_path):
    """A page of one paper: two rows measured, one failed, one half measured, one not."""
    (tmp_path / "some.yaml").write_text(PAPER)
    rows = {
        '"mfcc39-svm"': cell(0.8, 0.7, 0.85),
        '{"mfcc39-svm":{"frontend":"bed"}}': cell(0.5, 0.4, 0.61234),
        '{"mfcc39-svm":{"frontend":"gsv"}}': {"clean": {"error": "out of luck"}},
        '"mfcc39-knn"': {"noise10": cell(0.1, 0.1, 0.1)["clean"]},
    }
    corpus = {"sources": 24, "clips": 999, "machine": MACHINE, "leaky": False}
    special = {"transfer": {"full": {"accuracy": 0.25, "intervals": {}}}}
    return papers_page(
        "<!-- note -->",
        read_papers(tmp_path),
        {"corpora": {"phones": corpus}, "rows": {"phones": rows}, "special": special},
    )


def test_a_page_has_both_figures_of_a_row_or_says_why_not(page):
    for line in (
        f"| phones | {CORPORA['phones']} | 24 | 999 | none | Abacus, 1 cores, numpy 2.0 and torch 2.1 |",
        "| method | accuracy, % | ours: accuracy, % (phones, clean) | recipe |",
        "| one | 90 | 80.0 [70.0, 85.0] | `mfcc39-svm` |",
        "| two | 80.5 | 50.0 [40.0, 61.2] | `mfcc39-svm` with `frontend: bed` |",
        "| three | 70 | failed: out of luck | `mfcc39-svm` with `frontend: gsv` |",
        "| four | 60 | not measured yet | `mfcc39-knn` |",
        "| six | 40 | – | no time |",
        "| seven | – | 25.0 | `benchmarks/papers_transfer.py` |",
        "Noted.",
    ):
        assert f"\n{line}\n" in page


def test_a_page_orders_only_what_is_measured(page):
    assert "**The ordering held**: of 1 pair of rows whose published figures differ, 1 in the same order" in page
    assert "| Somebody 2021 | Table 1 | which is best | held | 1 | 1 | 0 |" in page
    assert UNORDERED not in page


def test_a_page_can_be_written_before_anything_is_measured():
    text = papers_page("", PAPERS, read_measured(Path("nowhere.json")))
    assert text.count(UNORDERED) == sum(bool(table.lines) for paper in PAPERS for table in paper.tables)
    assert "Nothing is measured yet." in text
    assert "held**" not in text


def around(figures, width):
    """Figures with intervals of a width."""
    return [Figure(published, ours, ours - width / 2, ours + width / 2) for published, ours in figures]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=9))
def test_tau_and_counts_are_those_of_scipy_and_of_a_loop(pairs):
    found = order_of(around(pairs, 2.5))
    np.testing.assert_allclose(found.tau, kendalltau(*zip(*pairs, strict=True)).statistic, atol=1e-12)
    signs = [(np.sign(a[0] - b[0]) * np.sign(a[1] - b[1]), abs(a[1] - b[1]) > 2.5) for a, b in combinations(pairs, 2)]
    assert found.pairs == sum(a[0] != b[0] for a, b in combinations(pairs, 2))
    assert (found.same, found.turned) == (sum(s > 0 for s, _ in signs), sum(s < 0 for s, _ in signs))
    assert found.same_apart == sum(s > 0 and apart for s, apart in signs)
    assert found.turned_apart == sum(s < 0 and apart for s, apart in signs)


@pytest.mark.parametrize(
    ("ours", "width", "verdict"),
    [
        ((1, 2, 3, 4), 0.5, "held"),
        ((1, 2, 3, 4), 9.0, "can't be told"),
        ((4, 3, 2, 1), 9.0, "can't be told"),
        ((1, 3, 2, 4), 0.5, "held in the main"),  # 1 of 6 reversed
        ((1, 3, 2, 4), 1.5, "held"),  # which intervals don't tell apart
        ((2, 3, 1, 4), 0.5, "did not hold"),  # 2 of 6
        ((4, 3, 2, 1), 0.5, "did not hold"),
        ((7, 7, 7, 7), 0.0, "can't be told"),
    ],
)
def test_the_verdict_rests_on_pairs_told_apart(ours, width, verdict):
    found = order_of(around(zip(range(4), ours, strict=True), width))
    assert found.verdict == verdict
    assert verdict in found.sentence


def test_figures_are_told_apart_by_their_difference_where_it_is_drawn():
    """Sources are easy or hard, so that either figure may be anything; on each of them the second is better."""
    luck = np.random.default_rng(0).normal(0.5, 0.2, 500)
    first, second = (Figure(p, 0.5, 0.1, 0.9, luck + gain) for p, gain in ((1, 0.0), (2, 0.05)))
    assert first.apart(second)
    assert not first.apart(Figure(2, 0.5, 0.1, 0.9))
    assert not first.apart(Figure(2, 0.5, 0.1, 0.9, luck[::-1]))
    assert order_of([first, second]).pairs == 1


def f1(truth, said, label):
    """2TP / (2TP + FP + FN) of one source."""
    pairs = [(a == label, b == label) for a, b in zip(truth, said, strict=True)]
    return 2 * pairs.count((True, True)) / (sum(a for a, _ in pairs) + sum(b for _, b in pairs))


def test_draws_are_of_sources_and_voices_the_same_for_all_that_was_said():
    truth, voices, said = "aaaabbbb", "0 0 1 1 2 2 3 3", "aabbbbbb"  # one voice of a is taken for b
    units = [f"{source} {voice}" for source, voice in zip(truth, voices.split(), strict=True)]
    rows = list(draws([list(truth), units], count=500))
    pairs = [("".join(truth[i] for i in each), "".join(said[i] for i in each)) for each in rows]
    shares = [sum(a == b for a, b in zip(*pair, strict=True)) / len(pair[0]) for pair in pairs]
    means = [np.mean([f1(*pair, label) for label in sorted(set(pair[0]))]) for pair in pairs]
    assert {len(each) for each in rows} == {8}
    np.testing.assert_allclose(drawn_figures("accuracy", truth, voices, said), shares)
    np.testing.assert_allclose(drawn_figures("macro_f1_known", truth, voices, said), means)
    np.testing.assert_array_equal(drawn_figures("accuracy", truth, voices, truth), 1.0)


def test_answers_are_the_sources_that_the_engine_ranks_first(made, tmp_path):
    manifest = read_manifest(made.manifest)
    (tmp_path / "work" / "mine-0-abc").mkdir(parents=True)
    (tmp_path / "work" / "mine-0-abc" / "registry").symlink_to(made.registry)
    clips, said = clips_of(manifest), answers(tmp_path, "mine", manifest, "clean")
    learned = sorted({row.source for row in manifest.rows if row.split == "train"})
    rows = [row for row in manifest.rows if row.split == "test" and row.source in learned]
    letters = {source: chr(48 + number) for number, source in enumerate(learned)}
    assert clips["truth"] == "".join(letters[row.source] for row in rows)
    assert len(set(clips["voices"].split())) == len({row.voice for row in rows})
    with open_engine(made.registry) as engine:
        first = [engine.identify(row.path)[0].ranking[0].source for row in rows]
    assert said == "".join(letters[source] for source in first)


@settings(deadline=None)
@given(
    st.recursive(st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)),
    st.randoms(),
)
def test_a_key_is_the_recipe_whatever_the_order_of_its_lines(value, chance):
    recipe = {"name": {"frontend": value, "window": 1.0, "hop": 0.5}}
    lines = list(recipe["name"].items())
    chance.shuffle(lines)
    assert key_of({"name": dict(lines)}) == key_of(recipe)
    assert yaml.safe_load(key_of({"a": {"window": 1.0}})) == {"a": {"window": 1.0}}
    assert key_of({"name": {**recipe["name"], "window": 2.0}}) != key_of(recipe)


def test_there_are_five_papers_whose_rows_say_what_stands_beside_them():
    assert [paper.name for paper in PAPERS] == ["background_noise", "crossscale", "microphones", "pstnn", "sfr"]
    for paper in PAPERS:
        for line in paper.lines:
            assert sum(each is not None for each in (line.recipe, line.why_not, line.special)) == 1, line
            assert line.published is None or isinstance(line.published, int | float), line
            assert line.corpus in CORPORA, line
            assert line.condition in CONDITIONS, line


@pytest.mark.parametrize("key", RECIPES)
def test_every_recipe_is_a_pipeline(key, tmp_path):
    assert load_experts(named(RECIPES[key], tmp_path), CATALOGUE)


@pytest.mark.parametrize("file", sorted((FOLDER.parent / "recipes").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_recipe_of_the_results_changes_a_registered_one(file):
    (expert,) = load_experts(str(file), CATALOGUE)
    (registered,) = load_experts(expert.name, CATALOGUE)
    assert replace(expert, training=registered.training) == registered != expert


def test_pictures_are_there():
    folder = Path(__file__).parents[1] / "docs" / "pictures"
    for picture in {table.picture for paper in PAPERS for table in paper.tables} - {None}:
        assert (folder / f"{picture}.png").stat().st_size < 150_000


def test_a_recipe_is_asked_for_once_under_all_its_conditions():
    lines = [line for paper in PAPERS for line in paper.lines if line.corpus == "systems"]
    found = {key_of(recipe): set(conditions) for recipe, conditions in asked(lines)}
    assert len(found) == len(list(asked(lines)))
    assert found['"lfcc-lcnn-quick"'] == {"clean", "mp3", "amr"}


def test_changed_lines_have_a_file_of_the_same_name_each_time(tmp_path):
    recipe = {"mfcc39-svm": {"frontend": "bed"}}
    first, again = named(recipe, tmp_path), named(dict(recipe), tmp_path)
    assert first == again
    assert Path(first).name.startswith("mfcc39-svm-")
    assert load_experts(first, CATALOGUE)[0].frontend.name == "bed"
    assert named("mfcc39-svm", tmp_path) == "mfcc39-svm"


def test_figures_by_condition_or_the_error_without_folders():
    own = {"accuracy": 0.123456, "auroc": None, "intervals": {"accuracy": [0.1, 0.2], "auroc": [None, None]}}
    cost = {"parameters": 7, "ms_per_clip": 1.234, "training_seconds": 5.0, "bytes": 3}
    rows = [{"condition": "clean", "figures": own, "cost": cost}, {"error": "/home/me/x.wav: gone, 1/2"}]
    costs = {"parameters": 7, "ms_per_clip": 1.23, "training_seconds": 5.0}
    assert figures(rows, ("clean", "mp3")) == {
        "clean": {"accuracy": 0.1235, "intervals": {"accuracy": [0.1, 0.2]}, **costs},
        "mp3": {"error": "x.wav: gone, 1/2"},
    }


def test_figures_stand_together_only_with_those_that_rest_on_the_same(tmp_path):
    file, lock = tmp_path / "measured.json", tmp_path / "lock"
    for corpus, clips, key, found in (
        ("phones", 1, "a", {"clean": {"accuracy": 0.5}}),
        ("phones", 1, "a", {"mp3": {"accuracy": 0.25}}),
        ("systems", 9, "a", {"clean": {"accuracy": 1.0}}),
        ("phones", 1, "b", {"clean": {"accuracy": 0.75}}),
    ):
        with open_measured(file, lock) as data:
            put(data, corpus, {"clips": clips}, key, found)
    rows = read_measured(file)["rows"]
    assert rows["phones"] == {
        "a": {"clean": {"accuracy": 0.5}, "mp3": {"accuracy": 0.25}},
        "b": {"clean": {"accuracy": 0.75}},
    }
    with open_measured(file, lock) as data:
        put(data, "phones", {"clips": 2}, "b", {"clean": {"accuracy": 0.1}})
    assert read_measured(file)["rows"] == {
        "phones": {"b": {"clean": {"accuracy": 0.1}}},
        "systems": {"a": {"clean": {"accuracy": 1.0}}},
    }


def row(source, sentence, start=None, end=None):
    return Row(Path(f"{source}.wav"), 2, source, "system", "test", start, end, {"text_id": sentence})


@settings(deadline=None)
@given(st.floats(0, 10), st.floats(0.3, 9), st.integers(1, 5))
def test_voters_are_the_middle_of_a_clip_or_all_there_are(start, seconds, voters):
    found = middle(row("a", "1", start, start + seconds), voters * SEGMENT)
    np.testing.assert_allclose(found.end - found.start, min(seconds, voters * SEGMENT), atol=1e-9)
    np.testing.assert_allclose(found.end + found.start, 2 * start + seconds, atol=1e-9)


def test_only_test_clips_are_cut_to_their_voters():
    learned, asked = replace(row("a", "1", 0.0, 9.0), split="train"), row("a", "2", 0.0, 9.0)
    found = voting(Manifest(Path("m.csv"), (learned, asked)), 3)
    assert found.rows == (learned, middle(asked, 3 * SEGMENT))


@pytest.mark.parametrize(("network", "blocks"), [("all", (32, (16, 8))), ("transformer", (0, ()))])
def test_a_network_that_is_carried_over_has_its_blocks(network, blocks):
    embedder = cut(load_pipeline("crossscale-quick", CATALOGUE), network).embedder
    assert (embedder.units, embedder.kernels) == blocks
    assert embedder.encoders > 0


def test_the_sentence_shown_is_that_of_most_systems():
    rows = [row("a", "1"), row("a", "1"), row("b", "1"), row("a", "2"), row("b", "2"), row("c", "2"), row(None, "1")]
    assert same_sentence(Manifest(Path("m.csv"), tuple(rows))) == {"a": rows[3], "b": rows[4], "c": rows[5]}


def test_a_spectrogram_is_that_of_scipy():
    sound = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * np.linspace(0, 1, 16000) ** 3
    power = power_of(sound, window=np.hanning(FRAME), noverlap=0, detrend=False, mode="magnitude")[2] ** 2
    wanted = np.maximum(10 * np.log10(power / power.max()), -RANGE)
    np.testing.assert_allclose(spectrogram(sound), wanted, atol=1e-3)
