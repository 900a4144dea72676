"""A family is said where a source can't be, and enrolled sources left out in turn stand in for strangers."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from earwitness.calibration import calibrate, naming_threshold, source_thresholds
from earwitness.engine import open_engine
from earwitness.errors import CalibrationError
from earwitness.evaluation import calibrate_registry, development
from earwitness.evaluation.scoring import hear_all, replay, score, score_rows
from earwitness.manifest import read_manifest
from earwitness.types import Card

FAMILIES = {"alpha": "bumps", "beta": "bumps", "gamma": None}
ALONE = {source: frozenset({source}) for source in FAMILIES}


@pytest.fixture
def dev(made):
    return read_manifest(made.manifest).select(split="dev")


@pytest.fixture
def of_families(made, tmp_path):
    """The made systems, two of which are of one family."""
    with open_engine(shutil.copytree(made.raw, tmp_path / "families")) as engine:
        for source, family in FAMILIES.items():
            engine.registry.update_card(Card(source, family=family))
        yield engine


def of(manifest, *sources):
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.source in sources))


@pytest.mark.parametrize(("n", "m"), [(4000, 4000), (4000, 1000), (500, 6000)])
def test_the_naming_threshold_is_where_the_densities_cross(n, m):
    """However many clips there are of each kind."""
    rng = np.random.default_rng(0)
    assert naming_threshold(rng.normal(5, 1.5, n), rng.normal(1, 1.5, m)) == pytest.approx(3.0, abs=0.15)


def test_no_naming_threshold_without_clips_or_without_difference():
    rng = np.random.default_rng(0)
    enrolled, other = rng.normal(3, 1, 40), rng.normal(0, 1, 40)
    assert naming_threshold(enrolled[:9], other) is naming_threshold(enrolled, other[:9]) is None
    assert naming_threshold(enrolled[:10], other[:10]) is not None
    assert naming_threshold(other, enrolled) is naming_threshold(np.ones(20), np.ones(20)) is None


def asked(engine, manifest, left_out):
    """The clips as an engine hears them, and what it would say without some sources."""
    judge, listened = engine.judge("system"), hear_all(engine, "system", manifest)
    scored = score(judge, listened)
    return scored, replay(judge, listened, scored, left_out)


@pytest.mark.parametrize("left_out", [("alpha", "beta"), ("alpha",)])
def test_a_source_left_out_is_heard_as_if_it_had_never_been_enrolled(of_families, dev, left_out):
    """With its family or alone: as a registry without these says, less what it says otherwise of those that stay."""
    scored, replayed = asked(of_families, dev, {"alpha": frozenset(left_out)})
    for source in left_out:
        of_families.registry.remove(source)
    without = score_rows(of_families, "system", dev, verdicts=False)
    kept = [k for k, source in enumerate(scored.sources) if source not in left_out]
    alphas, stay = scored.labels == 0, np.isin(scored.labels, kept)
    before, after = scored.opinions, without.opinions
    values = after.values[alphas] + (before.values[stay][..., kept] - after.values[stay]).mean(axis=0)
    knownness = after.knownness[alphas] + (before.knownness[stay] - after.knownness[stay]).mean(axis=0)
    np.testing.assert_allclose(replayed.opinions.values[..., kept], values, rtol=1e-5)
    np.testing.assert_allclose(replayed.opinions.knownness, knownness, rtol=1e-5)
    first = replayed.first(replayed.opinions.values[:, 0])
    np.testing.assert_array_equal(first, np.array(kept)[values[:, 0].argmax(axis=1)])
    assert replayed.labels.tolist() == [0] * 8
    assert replayed.left_out.sum() == len(left_out) * 8
    assert (len(scored.verdicts), without.verdicts) == (len(dev.rows), ())


@pytest.mark.parametrize("expert", [0, 1, 2])
def test_a_scale_that_moves_when_sources_go_is_put_back(ensemble, dev, expert):
    """On average clips of sources that stay keep what every expert said of them."""
    with open_engine(ensemble.registry) as engine:
        judge, listened = engine.judge("system"), hear_all(engine, "system", dev)
        scored, names = score(judge, listened, verdicts=False), frozenset({"gamma"})
        replayed = replay(judge, listened, scored, {"alpha": names, "beta": names})
        numbers = np.flatnonzero(np.isin(scored.labels, [0, 1]))
        said, before = replayed.opinions.knownness[:, expert], scored.opinions.knownness[numbers, expert]
    assert said.mean() == pytest.approx(before.mean(), rel=1e-4)
    assert not np.allclose(said, before, rtol=1e-4) or judge.experts[expert].name == "whole"


def test_nothing_is_heard_without_all_that_is_enrolled(of_families, dev):
    _, replayed = asked(of_families, dev, {"alpha": frozenset(FAMILIES), "gamma": frozenset({"gamma"})})
    assert set(replayed.labels) == {2}
    assert asked(of_families, dev, {"alpha": frozenset(FAMILIES)})[1] is None
    assert asked(of_families, of(dev, "beta"), {"alpha": frozenset({"alpha"})})[1] is None


def test_families_are_left_out_where_that_is_asked_for(of_families, dev):
    together = frozenset({"alpha", "beta"})
    _, replayed = asked(of_families, dev, {**ALONE, "alpha": together, "beta": together})
    scored = score_rows(of_families, "system", dev, estrange=True)
    np.testing.assert_array_equal(scored.estranged.knownness, replayed.opinions.knownness)
    assert score_rows(of_families, "system", dev).estranged is None


@pytest.fixture
def one_family(of_families):
    """All made systems as versions of one."""
    for source in FAMILIES:
        of_families.registry.update_card(Card(source, family="bumps"))
    return of_families


def test_a_family_bears_a_naming_threshold_on_its_clips_as_they_are_and_as_of_others(one_family, dev):
    (report,) = calibrate_registry(one_family, dev, 0.1)
    calibration = one_family.judge("system").calibration
    scored, versions = asked(one_family, of(dev, *FAMILIES), ALONE)
    others = versions.opinions.knownness[:, 0]
    expected = naming_threshold(scored.knownness.astype(float), others)
    assert calibration.naming == report["naming"] == dict.fromkeys(FAMILIES, pytest.approx(expected))
    assert others.mean() < expected < scored.knownness.mean()
    assert report["known_named"] <= report["known_accepted"]
    assert 0 <= report["ece"] < 0.2


def test_clips_that_pass_for_another_family_say_nothing_of_this_one(of_families, dev):
    """Left out alone, some clips of alpha and beta are ranked first for gamma."""
    scored, versions = asked(of_families, of(dev, *FAMILIES), {name: ALONE[name] for name in ("alpha", "beta")})
    taken = versions.first(versions.opinions.values[:, 0]) != 2
    assert 0 < taken.sum() < 10 < len(taken) == 16
    enrolled, others = scored.knownness[scored.labels != 2], versions.opinions.knownness[:, 0]
    assert naming_threshold(enrolled.astype(float), others) is not None
    (report,) = calibrate_registry(of_families, dev, 0.1)
    assert report["naming"] == {}  # under ten are left


def test_siblings_are_left_out_together(one_family, dev):
    """One that stayed would take the clips of the other, and rightly: two that are mixed up are no two versions."""
    other = {"alpha": "beta", "beta": "alpha"}
    swapped = [
        replace(row, source=other[row.source]) if row.source in other and i % 2 else row
        for i, row in enumerate(dev.rows)
    ]
    mixed = replace(dev, rows=tuple(swapped))
    (report,) = calibrate_registry(one_family, mixed, 0.1)
    assert report["siblings"] == [["alpha", "beta"]]
    together = frozenset({"alpha", "beta"})
    scored, versions = asked(one_family, of(mixed, *FAMILIES), {**ALONE, "alpha": together, "beta": together})
    expected = naming_threshold(scored.knownness.astype(float), versions.opinions.knownness[:, 0])
    assert report["naming"] == dict.fromkeys(FAMILIES, pytest.approx(expected))
    one_family.registry.remove("gamma")
    assert calibrate_registry(one_family, mixed, 0.1)[0]["naming"] == {}  # no other version is left


def test_between_the_two_thresholds_a_clip_is_an_unknown_system_of_the_family(made, of_families, dev):
    calibrate_registry(of_families, dev, 0.1)
    data = of_families.judge("system").calibration.to_dict()
    (before,) = of_families.identify(made.home / "test-alpha-0.wav")
    at = before.knownness
    cases = {
        (at - 1, at): ("known", "alpha", "bumps", at),
        (at, at - 1): ("known", "alpha", "bumps", at),
        (at - 1, at + 1): ("unknown", None, "bumps", at + 1),
        (at + 1, at - 1): ("unknown", None, None, at + 1),
        (at + 1, at + 2): ("unknown", None, None, at + 2),
    }
    for (floor, naming), expected in cases.items():
        changed = {**data, "threshold": -99.0, "thresholds": {"alpha": floor}, "naming": {"alpha": naming}}
        of_families.registry.save_calibration("system", changed)
        (verdict,) = of_families.identify(made.home / "test-alpha-0.wav")
        assert (verdict.verdict, verdict.source, verdict.family, verdict.threshold) == expected
        calibration = of_families.judge("system").calibration
        values, knownness = np.array([[9.0, 0.0, 0.0]]), np.array([at])
        (named,), (family,) = (
            calibration.answers(values, knownness),
            calibration.families(values, knownness, {"alpha": ("bumps",)}),
        )
        assert (named, family) == (0 if expected[1] else -1, expected[2])


def test_accepted_is_by_the_source_ranked_first():
    calibration = calibrate(np.eye(3), range(3), [0.0] * 3, np.arange(19.0), 0.05, ("a", "b", "c"))
    calibration = replace(calibration, threshold=1.0, thresholds={"b": 2.0}, naming={"b": 1.5, "c": 3.0})
    values, knownness = np.eye(3)[[0, 0, 1, 1, 2, 2]], np.array([0.9, 1.0, 1.9, 2.0, 2.9, 3.0])
    assert calibration.accepted(values, knownness).tolist() == [False, True, False, True, True, True]
    assert calibration.answers(values, knownness).tolist() == [-1, 0, -1, 1, -1, 2]
    assert calibration.families(values, knownness, {"b": ("f",), "c": ("f",)}) == [None, None, None, "f", "f", "f"]


def test_without_strangers_enrolled_families_stand_in_and_every_verdict_says_so(made, of_families, dev):
    known = of(dev, *FAMILIES)
    (report,) = calibrate_registry(of_families, known, 0.1)
    calibration = of_families.judge("system").calibration
    assert (report["stranger_clips"], report["estranged_clips"], report["pseudo_strangers"]) == (0, 24, True)
    assert (calibration.pseudo_strangers, calibration.strangers, calibration.stranger_sources) == (True, 24, ())
    together = frozenset({"alpha", "beta"})
    scored, replayed = asked(of_families, known, {**ALONE, "alpha": together, "beta": together})
    first = replayed.first(replayed.opinions.values[:, 0])
    shared, own = source_thresholds(replayed.opinions.knownness[:, 0].astype(np.float64), first, 0.1)
    least = scored.knownness.min()
    assert calibration.threshold == report["threshold"] == max(shared, least)
    assert report["thresholds"] == {scored.sources[k]: max(threshold, least) for k, threshold in own.items()}
    (verdict,) = of_families.identify(made.home / "test-alpha-0.wav")
    (told,) = verdict.warnings
    assert told == ("too few strangers were to be had: the threshold stands on enrolled sources left out in turn")


def test_too_few_strangers_are_joined_by_families_left_out_and_enough_are_not(of_families, dev):
    few = of(dev, *FAMILIES, "dev-one")
    (report,) = calibrate_registry(of_families, few, 0.05)
    assert (report["stranger_clips"], report["estranged_clips"], report["pseudo_strangers"]) == (12, 24, True)
    (report,) = calibrate_registry(of_families, few, 0.1)
    assert (report["stranger_clips"], report["estranged_clips"], report["pseudo_strangers"]) == (12, 0, False)
    assert of_families.judge("system").calibration.strangers == 12


def test_one_family_alone_has_no_strangers_of_its_own(of_families, dev):
    of_families.registry.remove("gamma")
    with pytest.raises(CalibrationError, match=r"^0 development clips of strangers .*19 are needed"):
        calibrate_registry(of_families, of(dev, "alpha", "beta"), 0.05)


def test_a_verdict_names_the_sources_that_are_left(made, of_families, dev):
    calibrate_registry(of_families, dev, 0.1)
    data = of_families.judge("system").calibration.to_dict()
    easy, hard = [0.001] * 39, [0.9999] * 39
    told = "several sources can't be told apart here: alpha, beta, gamma"
    cases = [
        ({"truths": easy}, "known", tuple(FAMILIES), (told,)),
        ({"truths": easy, "siblings": [[*FAMILIES]]}, "known", tuple(FAMILIES), ()),
        ({"truths": easy, "threshold": 99.0}, "unknown", tuple(FAMILIES), ()),
        ({"truths": hard, "own_truths": {"beta": easy}}, "known", ("beta",), ()),
        ({"truths": hard}, "known", (), ()),
        ({"truths": easy[:18]}, "known", (), ()),
    ]
    for changes, verdict, candidates, warnings in cases:
        changed = {**data, "threshold": -99.0, "thresholds": {}, "naming": {}, "temperature": 1e3, **changes}
        of_families.registry.save_calibration("system", changed)
        (found,) = of_families.identify(made.home / "test-alpha-0.wav")
        assert (found.verdict, found.candidates, found.warnings) == (verdict, candidates, warnings)
        assert found.to_dict()["candidates"] == candidates


def test_a_source_enrolled_after_calibration_shares_what_the_others_share(made, of_families, dev):
    calibrate_registry(of_families, dev, 0.1)
    of_families.enroll("newcomer", [made.home / f"test-test-one-{i}.wav" for i in range(3)])
    (verdict,) = of_families.identify(made.home / "test-test-one-4.wav")
    calibration = of_families.judge("system").calibration
    assert verdict.ranking[0].source == "newcomer"
    assert verdict.threshold == calibration.threshold
    assert set(verdict.candidates) <= {*FAMILIES, "newcomer"}
    assert any(warning.startswith("calibrated before newcomer") for warning in verdict.warnings)


@pytest.mark.parametrize(("members", "borne"), [(("alpha", "beta"), False), (("alpha", "beta", "gamma"), True)])
def test_a_family_of_two_teaches_no_naming_threshold(dev, of_families, members, borne, monkeypatch):
    """Each of the two would be the only example of a version of the other."""
    monkeypatch.setattr(development, "naming_threshold", lambda ours, others: float(min(len(ours), len(others))))
    for source in members:
        of_families.registry.update_card(Card(source, family="bumps"))
    (report,) = calibrate_registry(of_families, dev, 0.05)
    assert set(report["naming"]) == (set(members) if borne else set())
