"""A pipeline is read back equal to what was written, and what can't be read is said in a sentence."""

import re
from dataclasses import fields, replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from earwitness.errors import PipelineError, UnknownPartError
from earwitness.loading import load_experts, load_pipeline, override
from earwitness.parts import describe
from earwitness.pipeline import Pipeline, Recipe
from earwitness.plugins import load_catalogue

CATALOGUE = load_catalogue()
BARE = {"name": "p", "frontend": "lfcc60", "embedder": "stats", "scorer": "knn"}
KINDS = ("frontend", "embedder", "scorer", "degradation")
PARTS = [(kind, name) for kind in KINDS for name in CATALOGUE.names(kind)]


def part(kind):
    return st.sampled_from(CATALOGUE.names(kind)).map(lambda name: CATALOGUE.get(kind, name)())


seconds = st.floats(0.01, 100, allow_nan=False)
recipes = st.builds(
    Recipe,
    epochs=st.integers(1, 1000),
    learning_rate=st.floats(1e-9, 1.0),
    margin=st.floats(0, 1),
    versions=st.lists(st.lists(part("degradation"), max_size=3).map(tuple), max_size=3).map(tuple),
)
pipelines = st.tuples(seconds, seconds).flatmap(
    lambda pair: st.builds(
        Pipeline,
        name=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1),
        frontend=part("frontend"),
        embedder=part("embedder"),
        scorer=part("scorer"),
        task=st.sampled_from(["system", "device"]),
        rate=st.integers(1, 192_000),
        window=st.just(max(pair)),
        hop=st.just(min(pair)),
        training=recipes,
    )
)


@given(pipelines)
def test_yaml_reads_back_equal(pipeline):
    assert Pipeline.from_yaml(pipeline.to_yaml(), CATALOGUE) == pipeline


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_a_part_spells_out_every_parameter(kind, name):
    made = CATALOGUE.get(kind, name)()
    ((spelt, parameters),) = describe(made).items()
    assert spelt == name
    assert list(parameters) == [field.name for field in fields(made)]
    assert yaml.safe_load(yaml.safe_dump(parameters)) == parameters


@pytest.mark.parametrize("name", CATALOGUE.names("pipeline"))
def test_every_registered_pipeline_can_be_read(name):
    experts = load_experts(name, CATALOGUE)
    assert experts
    assert len(experts) > 1 or experts[0].name == name


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"frontend": "lfc60"}, UnknownPartError, "did you mean lfcc60"),
        ({"embedder": "resnet"}, UnknownPartError, "did you mean resnet18"),
        ({"scorer": {"knn": {"neighbours": 3}}}, PipelineError, "no parameter 'neighbours'"),
        ({"scorer": {"knn": 3}}, PipelineError, "neither a name nor"),
        ({"scorer": ["knn"]}, PipelineError, "neither a name nor"),
        ({"frontends": "lfcc60"}, PipelineError, "no parameter 'frontends'"),
        ({"training": {"epoch": 3}}, PipelineError, "no parameter 'epoch'"),
        ({"task": "phone"}, PipelineError, "not one of system, device"),
        ({"hop": 5.0}, PipelineError, "hop <= window"),
        ({"hop": 0}, PipelineError, "0 < hop"),
        ({"rate": 0}, PipelineError, "rate > 0"),
        ({"rate": "clip"}, PipelineError, "rate is 'clip', not of type int or 'native'"),
        ({"rate": 8000.5}, PipelineError, "rate is 8000.5, not of type int or 'native'"),
        ({"rate": True}, PipelineError, "rate is True, not of type int or 'native'"),
        ({"scorer": {"softmax": {"logits": "heads"}}}, PipelineError, "logits is 'heads', not one of prototypes, head"),
        ({"rate": ["native"]}, PipelineError, "not of type int or 'native'"),
        ({"window": "native"}, PipelineError, "window is 'native', not a number or 'clip'"),
        ({"window": None}, PipelineError, "window is None, not a number or 'clip'"),
        ({"embedder": "resnet18", "window": "clip"}, PipelineError, "a network learns from windows of one shape"),
        ({"embedder": "resnet18", "rate": "native"}, PipelineError, "'rate' in Hz and 'window' in seconds"),
    ],
)
def test_what_cannot_be_read_is_said(change, error, text):
    with pytest.raises(error, match=text):
        Pipeline.from_dict({**BARE, **change}, CATALOGUE)


def test_rate_and_window_may_be_the_clips_own():
    pipeline = Pipeline.from_dict({**BARE, "rate": "native", "window": "clip"}, CATALOGUE)
    assert Pipeline.from_yaml(pipeline.to_yaml(), CATALOGUE) == pipeline
    assert [pipeline.rate_at(rate) for rate in (8000, 44100, 48000, 96000)] == [8000, 44100, 48000, 48000]
    assert pipeline.length == 4 * 16000
    assert Pipeline.from_dict({**BARE, "rate": "native", "window": 2}, CATALOGUE).length == 2 * 16000
    fixed = Pipeline.from_dict({**BARE, "rate": 8000, "window": "clip"}, CATALOGUE)
    assert (fixed.rate_at(44100), fixed.length) == (8000, 4 * 8000)


@pytest.mark.parametrize("text", ["- 1", "a: [", "just words", ""])
def test_other_yaml_is_no_pipeline(text):
    with pytest.raises(PipelineError):
        Pipeline.from_yaml(text, CATALOGUE)


@pytest.mark.parametrize("missing", Pipeline.REQUIRED)
def test_a_missing_line_is_named(missing):
    data = {key: value for key, value in BARE.items() if key != missing}
    with pytest.raises(PipelineError, match=f"{missing} is missing"):
        Pipeline.from_dict(data, CATALOGUE)


def test_yaml_runs_no_code():
    with pytest.raises(PipelineError):
        Pipeline.from_yaml("!!python/object/apply:os.getcwd []", CATALOGUE)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("rate=8000", {"rate": 8000}),
        ("scorer=softmax", {"scorer": "softmax"}),
        ("scorer.knn.k=3", {"scorer": {"knn": {"k": 3}}}),
        ("embedder.stats.x=[1, 2]", {"embedder": {"stats": {"x": [1, 2]}}}),
        ("training.epochs=5", {"training": {"epochs": 5}}),
        ("name=a=b", {"name": "a=b"}),
    ],
)
def test_set_changes_one_value_and_leaves_its_input(assignment, expected):
    before = dict(BARE)
    assert override(BARE, assignment) == {**BARE, **expected}
    assert before == BARE


def test_set_is_kept_to_the_end():
    pipeline = load_pipeline("lfcc-stats", CATALOGUE, ("training.epochs=5", "scorer=knn", "training.batch=7"))
    plain = load_pipeline("lfcc-stats", CATALOGUE)
    assert pipeline.training == replace(plain.training, epochs=5, batch=7)
    assert pipeline.scorer == CATALOGUE.get("scorer", "knn")()
    assert pipeline.frontend == plain.frontend


def test_set_without_a_value_is_an_error():
    with pytest.raises(PipelineError, match="key=value"):
        override(BARE, "rate")


def test_a_pipeline_is_read_from_a_file(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(BARE))
    assert load_pipeline(str(tmp_path / "mine.yaml"), CATALOGUE) == Pipeline.from_dict(BARE, CATALOGUE)
    with pytest.raises(UnknownPartError):
        load_pipeline(str(tmp_path / "other.yaml"), CATALOGUE)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("rate=[", "--set rate is not YAML"),
        ("rate=abc", "rate is 'abc', not of type int"),
        ("training=5", "training is 5, not keys"),
        ("training.epochs=abc", "epochs is 'abc', not of type int"),
        ("training.learning_rate=fast", "learning_rate is 'fast', not a number"),
        ("training.versions=3", "versions is 3, not of type tuple"),
        ("training.versions=[gain]", "version 'gain' is not a list"),
        ("name=3", "name is 3, not of type str"),
        ("scorer.mahalanobis.dims=x", "dims is 'x', not of type int"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(assignment, message):
    with pytest.raises(PipelineError, match=re.escape(message)):
        load_pipeline("lfcc-stats", load_catalogue(), (assignment,))


def test_numbers_may_be_written_with_exponents():
    """YAML 1.1 reads 1e-3 as text."""
    pipeline = load_pipeline("lfcc-stats", load_catalogue(), ("training.learning_rate=1e-3", "window=4"))
    assert (pipeline.training.learning_rate, pipeline.window) == (1e-3, 4.0)


def test_a_file_that_is_not_yaml_is_named(tmp_path):
    file = tmp_path / "torn.yaml"
    file.write_text("name: [")
    with pytest.raises(PipelineError, match=r"torn\.yaml is not YAML"):
        load_pipeline(str(file), load_catalogue())


@pytest.fixture
def of_experts(tmp_path):
    """(text of `experts`) -> a pipeline file."""

    def write(experts, more=""):
        (tmp_path / "wild.yaml").write_text(f"name: wild\nexperts: {experts}\n{more}")
        return str(tmp_path / "wild.yaml")

    return write


def test_a_pipeline_that_names_no_experts_is_its_only_one():
    assert load_experts("lfcc-stats", CATALOGUE) == (load_pipeline("lfcc-stats", CATALOGUE),)
    changed = ("window=3.0", "scorer={knn: {k: 3}}")
    assert load_experts("lfcc-stats", CATALOGUE, changed) == (load_pipeline("lfcc-stats", CATALOGUE, changed),)


def test_experts_are_pipelines_with_what_is_changed_in_them(of_experts):
    wild = of_experts("{lfcc-stats: {window: 6.0, scorer: {knn: {k: 3}}}, lfcc-resnet: {}}")
    stats, resnet = load_experts(wild, CATALOGUE)
    assert stats == load_pipeline("lfcc-stats", CATALOGUE, ("window=6.0", "scorer={knn: {k: 3}}"))
    assert resnet == load_pipeline("lfcc-resnet", CATALOGUE)
    assert load_experts(of_experts("{lfcc-stats: null}"), CATALOGUE) == load_experts("lfcc-stats", CATALOGUE)


def test_a_setting_reaches_one_expert(of_experts):
    wild = of_experts("{lfcc-stats: {window: 6.0}, lfcc-resnet: {}}")
    plain = load_experts(wild, CATALOGUE)
    stats, resnet = load_experts(wild, CATALOGUE, ("experts.lfcc-stats.hop=1.5", "experts.lfcc-resnet.rate=8000"))
    assert (stats, resnet) == (replace(plain[0], hop=1.5), replace(plain[1], rate=8000))


def test_a_changed_recipe_keeps_what_is_not_named(of_experts):
    wild = of_experts("{lfcc-resnet: {training: {epochs: 3}}}")
    (plain,), (changed,) = load_experts("lfcc-resnet", CATALOGUE), load_experts(wild, CATALOGUE)
    assert changed.training == replace(plain.training, epochs=3)
    assert plain.training.versions != ((),)
    (set_,) = load_experts(of_experts("{lfcc-resnet: {}}"), CATALOGUE, ("experts.lfcc-resnet.training.batch=8",))
    assert set_.training == replace(plain.training, batch=8)


def test_an_expert_may_be_a_file(of_experts, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(BARE))
    mine, _ = load_experts(of_experts(f"{{{tmp_path}/mine.yaml: {{}}, lfcc-stats: {{}}}}"), CATALOGUE)
    assert mine == Pipeline.from_dict(BARE, CATALOGUE)


@pytest.mark.parametrize(
    ("experts", "told"),
    [
        ("{}", "experts is {}, not names with what is changed"),
        ("[lfcc-stats, dynamics]", "not names with what is changed"),
        ("lfcc-stats", "experts is 'lfcc-stats', not names"),
        ("{lfcc-stast: {}}", "did you mean lfcc-stats"),
        ("{lfcc-stats: 3}", "expert 'lfcc-stats': 3 is not a pipeline's lines"),
        ("{lfcc-stats: {windows: 3}}", "no parameter 'windows'"),
        ("{lfcc-stats: {training: 5}}", "training is 5, not keys"),
        ("{lfcc-stats: {}, dynamics: {name: lfcc-stats}}", "a name each"),
        ("{lfcc-stats: {}, dynamics: {task: device}}", "all be of one task"),
        ("{lfcc-stats: {}}\nrate: 8000", "move 'rate' to an expert"),
    ],
)
def test_experts_that_cannot_be_read_are_said(of_experts, experts, told):
    with pytest.raises((PipelineError, UnknownPartError), match=re.escape(told)):
        load_experts(of_experts(experts), CATALOGUE)


def test_an_expert_of_experts_is_no_expert(of_experts, tmp_path):
    inner = of_experts("{lfcc-stats: {}}")
    (tmp_path / "outer.yaml").write_text(f"{{name: outer, experts: {{{inner}: {{}}}}}}")
    with pytest.raises(PipelineError, match="frontend is missing"):
        load_experts(str(tmp_path / "outer.yaml"), CATALOGUE)
    with pytest.raises(PipelineError, match="frontend is missing"):
        load_pipeline(inner, CATALOGUE)
