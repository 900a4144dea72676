"""A pipeline with scorer 'auto', from training to verdict: calibration chooses the rule that answers."""

import pytest

from earwitness.cli import main
from earwitness.engine import open_engine
from earwitness.evaluation import calibrate_registry
from earwitness.manifest import read_manifest


@pytest.fixture
def engine(made, tmp_path):
    """The made systems, enrolled for a panel of two rules of which the first knows nothing of strangers."""
    settings = ("window=1.0", "hop=0.5", "scorer={auto: {members: [max_logit, plda]}}")
    changes = [word for setting in settings for word in ("--set", setting)]
    for command in (
        ["train", "lfcc-stats", "--manifest", made.manifest, "--out", tmp_path / "model", *changes],
        ["registry", "init", "--registry", tmp_path / "registry", "--model", tmp_path / "model", "--name", "panel"],
        ["enroll", "--manifest", made.manifest, "--split", "train", "--registry", tmp_path / "registry"],
    ):
        with pytest.raises(SystemExit, match="0"):
            main([str(argument) for argument in command])
    with open_engine(tmp_path / "registry") as engine:
        yield engine


def test_calibration_chooses_one_rule_and_it_answers(made, engine, monkeypatch):
    asked = made.home / "test-alpha-0.wav"
    judge = engine.judge("system")
    assert judge.panels == (("lfcc-stats/max_logit", "lfcc-stats/plda"),)
    assert [expert.name for expert in judge.experts] == ["lfcc-stats/max_logit"]
    for chosen in judge.panels[0]:
        monkeypatch.setattr("earwitness.evaluation.development.choose", lambda *_, name=chosen: (name,))
        (report,) = calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
        assert report["experts"] == [chosen]
        (verdict,) = engine.identify(asked)
        assert (verdict.verdict, verdict.source) == ("known", "alpha")
        (expert,) = engine.judge("system").experts
        assert expert.name == chosen
        (heard,) = engine.listen([asked], "system")
        assert verdict.knownness == pytest.approx(expert.scores(heard).pooled().knownness[0], rel=1e-5)


def test_the_choice_is_by_development_clips(made, engine):
    (report,) = calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
    assert report["experts"][0] in ("lfcc-stats/max_logit", "lfcc-stats/plda")
