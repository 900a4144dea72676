"""The conformance kit: what is built in keeps its rules, and a careless plugin breaks exactly those that it breaks."""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest

from earwitness.errors import OptionError, PluginError
from earwitness.plugins import Catalogue, load_catalogue
from earwitness.testing import GROUPS, checks_of, parametrize_with_checks, run

BUILT_IN = [plugin.name for plugin in load_catalogue().plugins if plugin.distribution == "earwitness"]
NETWORKS = {"embedder.other_as_onnx", "embedder.own_chance", "embedder.forgets_its_norm", "embedder.steep_at_zero"}

BREAKS = {
    "plugin.careless": {"imports_nothing_heavy", "touches_no_network", "prints_nothing"},
    "frontend.thawed": {"frozen_dataclass_with_defaults"},
    "frontend.without_default": {"frozen_dataclass_with_defaults"},
    "frontend.without_method": {"meets_its_contract"},
    "frontend.not_in_yaml": {"comes_back_from_yaml"},
    "frontend.not_in_pickle": {"comes_back_from_pickling"},
    "frontend.hashed_by_place": {"equal_parts_have_equal_hashes"},
    "frontend.remembers": {"same_answer_twice"},
    "frontend.shares": {"same_answer_from_threads"},
    "frontend.divides": {"finite_for_odd_input"},
    "frontend.asserts": {"finite_for_odd_input"},
    "frontend.overwrites": {"leaves_its_input_alone"},
    "frontend.compares": {"each_row_on_its_own"},
    "frontend.flat": {"features_have_three_axes"},
    "frontend.one_rate": {"hears_any_rate"},
    "frontend.needs_a_crowd": {"learns_from_little"},
    "embedder.doubles": {"embeddings_have_one_length"},
    "embedder.constant": {"different_windows_differ"},
    "embedder.reads_peaks": {"reads_only_the_mean_of_a_window"},
    "embedder.fits_by_chance": {"learns_the_same_twice"},
    "embedder.keeps_to_itself": {"state_survives_another_process"},
    "embedder.no_arrays": {"state_survives_another_process"},
    "embedder.mixes_classes": {"the_class_of_a_clip_fits_it_best"},
    "embedder.scales_by_frames": {"learns_from_one_frame"},
    "embedder.other_as_onnx": {"onnx_equals_torch"},
    "embedder.own_chance": {"starts_from_the_seed"},
    "embedder.forgets_its_norm": {"weights_come_back"},
    "embedder.steep_at_zero": {"has_finite_slopes"},
    "scorer.names_unknown": {"scores_each_enrolled_source"},
    "scorer.mirrors": {"a_reference_is_most_like_its_own_source"},
    "scorer.distance": {"surer_of_its_own_than_of_strangers"},
    "scorer.first_row": {"row_order_does_not_matter"},
    "scorer.needs_scatter": {"works_from_one_row_on"},
    "scorer.twins": {"has_members_of_different_names"},
    "tracer.hears_beyond": {"traces_lie_within_the_clip"},
    "tracer.hears_what": {"traces_say_what_they_are"},
    "tracer.hears_nothing": {"silence_has_no_trace"},
    "degradation.shorter": {"keeps_length_and_rate"},
    "degradation.by_chance": {"all_chance_comes_from_its_generator", "same_answer_from_threads"},
    "degradation.late": {"stays_in_time"},
    "pipeline.misspelt": {"names_known_parts"},
    "pipeline.infinite": {"runs"},
    "pipeline.not_in_yaml": {"comes_back_from_its_own_yaml"},
    "source.nobody's": {"says_who_made_it"},
    "source.listed": {"comes_back_from_plain_data"},
    "source.unheard": {"some_pipeline_can_tell_it"},
    "synthesizer.brought_by_nobody": {"says_what_brings_it"},
    "synthesizer.same_voices": {"voices_have_names_and_languages"},
    "synthesizer.mumbles": {"speaks_in_its_voices"},
    "synthesizer.takes_options": {"text_is_only_text"},
    "synthesizer.stops_early": {"more_text_is_longer"},
    "synthesizer.never_hurries": {"faster_is_shorter"},
    "corpus.reads_nothing": {"an_empty_folder_is_an_error"},
    "corpus.reads_paths": {"strange_files_are_an_error"},
}
"""What each part breaks; those that are not here keep all rules."""


@pytest.fixture
def careless(install):
    """The entry point of the careless plugin."""
    point = install("careless", "")  # the package hides this empty module
    site = Path(point.dist.locate_file(""))
    shutil.copytree(Path(__file__).with_name("careless"), site / "careless", ignore=shutil.ignore_patterns("__py*"))
    (site / "tensorflow.py").write_text("")
    kept = {*sys.modules}
    yield point
    for name in {*sys.modules} - kept:
        if name.partition(".")[0] in ("careless", "tensorflow"):
            del sys.modules[name]


def all_built_in(test):
    """The checks of every built-in plugin."""
    checks = [check for plugin in BUILT_IN for check in parametrize_with_checks(plugin).args[1]]
    return pytest.mark.parametrize("check", checks)(test)


@all_built_in
def test_what_is_built_in_keeps_the_rules(check):
    check()


def test_a_careless_plugin_breaks_exactly_its_rules(careless):
    broken = defaultdict(set)
    for result in run(checks_of("careless", Catalogue([careless]))):
        if result.outcome == "failed":
            broken[f"{result.kind}.{result.part}"].add(result.check.rpartition(".")[2])
    assert broken == {part: rules for part, rules in BREAKS.items() if part not in NETWORKS or find_spec("torch")}


def test_every_rule_is_broken_by_some_careless_part():
    rules = [rule for group in GROUPS for rule in group.RULES]
    assert {rule.__name__ for rule in rules} == {"loads"}.union(*BREAKS.values())
    assert len({rule.__name__ for rule in rules}) == len(rules)


def test_every_rule_is_one_line():
    for rule in (rule for group in GROUPS for rule in group.RULES):
        sentence = rule.__doc__.splitlines()[0]
        assert sentence.endswith(".")
        assert sentence[0].isupper()


ACME = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from earwitness import hookimpl

@dataclass(frozen=True)
class Level:
    name: ClassVar[str] = "level"

    def __call__(self, samples, rate):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(samples).mean(axis=1))[:, None, None]

@hookimpl
def register_frontends():
    return [Level]
"""
FAULT = "frontend.level.finite_for_odd_input"


def test_the_command_says_what_is_broken_and_why(install, call):
    install("acme", ACME)
    done = call("plugins", "check", "acme")
    assert done.code == 2
    (line,) = (line for line in done.out.splitlines() if line.startswith("failed"))
    assert line.split("  ")[-1] == "silence: 1 of 1 figures are not finite"
    assert FAULT in line
    assert "16 checks in 0 s: 15 passed, 1 failed" in done.out
    results = {each["check"]: each for each in json.loads(call("plugins", "check", "acme", "--json").out)}
    assert len(results) == 16
    assert {name for name, each in results.items() if each["outcome"] == "failed"} == {FAULT}
    assert results[FAULT]["rule"].startswith("Gives finite figures for silence")


def test_an_excuse_needs_a_check_a_reason_and_a_fault(install, call):
    install("acme", ACME)
    excused = call("plugins", "check", "acme", "--excuse", f"{FAULT}=silence has no level")
    assert excused.code == 0
    assert "15 passed, 1 excused" in excused.out
    assert "silence has no level" in excused.out
    idle = call(
        "plugins", "check", "acme", "--excuse", "frontend.level.same_answer_twice=old", "--excuse", f"{FAULT}=x"
    )
    assert idle.code == 2
    assert "it passes: take the excuse back (old)" in idle.out
    assert (
        call("plugins", "check", "acme", "--excuse", FAULT).err
        == f"earwitness: --excuse '{FAULT}' is not CHECK=REASON\n"
    )
    assert f"the nearest is '{FAULT}'" in call("plugins", "check", "acme", "--excuse", f"{FAULT}s=x").err
    assert call("plugins", "check", "acme", "--excuse", f"{FAULT}= ").err.endswith("needs a reason\n")


def test_the_command_wants_names_or_all(call):
    assert call("plugins", "check").err == call("plugins", "check", "voices", "--all").err
    assert call("plugins", "check").code == 2
    assert "did you mean scorers or" in call("plugins", "check", "scorer").err


def test_all_are_checked_with_what_did_not_load(install, monkeypatch, call):
    broken, acme = install("broken", "import nowhere_at_all"), install("acme", ACME)
    catalogue = Catalogue([broken, acme])
    monkeypatch.setattr("earwitness.plugins.load_catalogue", lambda: catalogue)
    results = json.loads(call("plugins", "check", "--all", "--json").out)
    assert len(results) == 17
    assert results[0]["check"] == "plugin.broken.loads"
    assert results[0]["why"] == "it is set aside: ModuleNotFoundError: No module named 'nowhere_at_all'"
    (barred,) = run(checks_of("acme", Catalogue([acme], frozenset())))
    assert (barred.outcome, barred.why) == ("skipped", "EARWITNESS_PLUGINS doesn't list acme")


def test_excuses_are_strict_in_pytest(install, tmp_path):
    site = Path(install("acme", ACME).dist.locate_file(""))
    excuses = {FAULT: "silence has no level", "frontend.level.same_answer_twice": "it is no longer so"}
    (tmp_path / "test_acme.py").write_text(
        "from earwitness.testing import parametrize_with_checks\n"
        f"@parametrize_with_checks('acme', {excuses})\n"
        "def test_acme(check):\n"
        "    check()\n"
    )
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-rxf", "-p", "no:cacheprovider", "test_acme.py"]
    done = subprocess.run(pytest_alone, cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True)
    assert "1 failed, 14 passed, 1 xfailed" in done.stdout
    assert f"XFAIL test_acme.py::test_acme[{FAULT}] - silence has no level" in done.stdout
    assert "[XPASS(strict)] it is no longer so" in done.stdout


def test_decorating_with_a_wrong_excuse_or_plugin_is_an_error(install):
    install("acme", ACME)
    with pytest.raises(OptionError, match=r"no check 'frontend\.level\.finite'"):
        parametrize_with_checks("acme", {"frontend.level.finite": "x"})
    with pytest.raises(OptionError, match="needs a reason"):
        parametrize_with_checks("acme", {FAULT: ""})
    with pytest.raises(PluginError, match="no plugin 'acne' is installed; did you mean acme"):
        parametrize_with_checks("acne")


def test_a_missing_synthesizer_is_skipped_with_what_brings_it(careless):
    checks = [check for check in checks_of("careless", Catalogue([careless])) if check.part == "absent"]
    skipped = {result.why for result in run(checks) if result.outcome == "skipped"}
    assert skipped == {"absent is not installed: pip install speaks"}


def test_the_kit_needs_neither_pytest_nor_torch(command):
    code = "import earwitness.testing, sys; print({'pytest', 'torch', 'onnxruntime', 'scipy'} & sys.modules.keys())"
    assert command(code=code).stdout == "set()\n"
