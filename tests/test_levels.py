"""A device's unit, model and brand: each level has a threshold where development bears one, and verdicts back off."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from earwitness.calibration import calibrate, naming_threshold
from earwitness.evaluation import calibrate_registry, development
from earwitness.evaluation.protocol import groups_of, true_groups
from earwitness.evaluation.scoring import hear_all, replay, score
from earwitness.types import Card

ONE, TWO = ("Acme One", "Acme"), ("Acme Two", "Acme")
MODELS = {"phone-alpha": "One", "phone-beta": "Two", "phone-gamma": "Three"}


@pytest.fixture
def calibration():
    """Accepted from 1 on, named as a model of Acme from 2 or 3 on, as unit a from 4 on."""
    found = calibrate(np.eye(3), range(3), [0.0] * 3, np.arange(19.0), 0.05, ("a", "b", "c"))
    thresholds = {"naming": {"a": 4.0, "b": 3.0}, "group_naming": {"Acme One": 2.0, "Acme Two": 3.0}}
    return replace(found, threshold=1.0, thresholds={}, **thresholds)


@pytest.mark.parametrize(
    ("source", "groups", "knownness", "said"),
    [
        ("a", ONE, 0.9, None),
        ("a", ONE, 1.0, "Acme"),
        ("a", ONE, 2.0, "Acme One"),
        ("a", ONE, 4.0, "Acme One"),
        ("b", TWO, 2.9, "Acme"),
        ("b", TWO, 3.0, "Acme Two"),
        ("c", ("Zeta",), 1.0, "Zeta"),
        ("c", (), 9.0, None),
    ],
)
def test_the_narrowest_group_that_a_clip_bears_is_said(calibration, source, groups, knownness, said):
    assert calibration.group(source, knownness, groups) == said
    values = np.eye(3)["abc".index(source)][None]
    assert calibration.families(values, [knownness], {source: groups}) == [said]


def test_a_calibration_of_before_groups_had_thresholds_still_loads(calibration):
    data = replace(calibration, group_naming={}).to_dict()
    del data["group_naming"]
    assert type(calibration).from_dict(data) == replace(calibration, group_naming={})


def test_who_is_left_out_of_which_group():
    """Depth 0 takes units from their model, depth 1 models from their brand; siblings go together."""
    paths = {
        "a": ("a", *ONE),
        "b": ("b", *ONE),
        "c": ("c", *TWO),
        "d": ("d", "Zeta One", "Zeta"),
        "e": ("e", "bumps"),
        "f": ("f", "bumps"),
        "g": ("g",),
    }
    units, models = (development._versions(paths, (), depth) for depth in (0, 1))
    assert units == {name: frozenset(name) for name in "abef"}
    assert models == {"a": frozenset("ab"), "b": frozenset("ab"), "c": frozenset("c")}
    units, models = (development._versions(paths, [("a", "c")], depth) for depth in (0, 1))
    assert units == {"a": frozenset("ac"), "b": frozenset("b"), "e": frozenset("e"), "f": frozenset("f")}
    assert models == {"c": frozenset("ac")}  # without a, b and c nothing of Acme stays


def said(labels, knownness):
    """Clips that are each ranked first for their own source, or for another of its group."""
    return development._Said(labels, labels, knownness)


def test_thresholds_of_units_and_models_are_learned_apart_and_nested():
    """Clips of enrolled units lie about 8, of units left out about 5, of models left out about 1."""
    rng, sources = np.random.default_rng(0), tuple("abcdefg")
    paths = {name: (name, f"Acme {'One' if name in 'abc' else name}", "Acme") for name in "abcdef"}
    labels = np.repeat(np.arange(7), 40)
    known, units, models = (rng.normal(mean, 1, len(labels)) for mean in (8, 5, 1))
    of_one, of_acme = labels < 3, labels < 6
    clips = development._Clips(
        scored=SimpleNamespace(sources=sources),
        far=0.05,
        fusion=None,
        siblings=(),
        paths={**paths, "g": ("g",)},
        values=np.empty(0),
        known=said(labels, known),
        strangers=said(labels[:0], known[:0]),
        estranged=said(labels[:0], known[:0]),
        versions=(said(labels[of_one], units[of_one]), said(labels[of_acme], models[of_acme])),
    )
    levels = [clips._borne(depth) for depth in (0, 1)]
    unit = naming_threshold(known[of_one], units[of_one])
    model = naming_threshold(np.concatenate([known[of_acme], units[of_one]]), models[of_acme])
    assert levels[0] == dict.fromkeys("abc", pytest.approx(unit))
    names = ("Acme One", "Acme d", "Acme e", "Acme f")
    assert levels[1] == dict.fromkeys(names, pytest.approx(model))
    assert 1 < model < 5 < unit < 8
    assert clips._naming(levels) == levels[0] | dict.fromkeys("def", levels[1]["Acme d"])
    high = dict.fromkeys(names, 99.0)
    assert clips._naming([levels[0], high]) == dict.fromkeys("abcdef", 99.0)


def test_models_of_a_brand_bear_a_threshold_where_each_has_one_unit(phones, phone_dev):
    """Each model left out in turn; no model has units enough to tell what another unit looks like."""
    give_cards(phones, {source: {"vendor": "Acme", "model": model} for source, model in MODELS.items()})
    (report,) = calibrate_registry(phones, phone_dev, 0.1)
    judge, listened = phones.judge("device"), hear_all(phones, "device", phone_dev)
    scored = score(judge, listened, verdicts=False)
    alone = replay(judge, listened, scored, {source: frozenset({source}) for source in MODELS})
    expected = naming_threshold(scored.knownness[scored.known].astype(float), alone.opinions.knownness[:, 0])
    assert report["group_naming"] == {f"Acme {model}": pytest.approx(expected) for model in MODELS.values()}
    assert report["naming"] == dict.fromkeys(MODELS, pytest.approx(expected))
    assert judge.calibration.group_naming == report["group_naming"]


def test_units_of_one_model_bear_a_threshold_of_their_own(phones, phone_dev):
    give_cards(phones, {source: {"vendor": "Acme", "model": "One", "unit": source} for source in MODELS})
    (report,) = calibrate_registry(phones, phone_dev, 0.1)
    assert set(report["naming"]) == set(MODELS)
    assert report["group_naming"] == {}


def give_cards(engine, fields):
    for source, given in fields.items():
        engine.registry.update_card(Card(source, "device", **given))


def test_a_verdict_backs_off_from_unit_to_model_to_brand_to_nothing(made, phones):
    give_cards(phones, {source: {"vendor": "Acme", "model": "One"} for source in MODELS})
    data = phones.judge("device").calibration.to_dict()
    clip = made.home / "test-alpha-0.wav"
    (before,) = phones.identify(clip, "device")
    at = before.knownness
    cases = [
        ((at - 2, at - 1, at), ("known", "phone-alpha", "Acme One")),
        ((at - 2, at - 1, at + 1), ("unknown", None, "Acme One")),
        ((at - 2, at + 1, at + 2), ("unknown", None, "Acme")),
        ((at + 1, at + 2, at + 3), ("unknown", None, None)),
    ]
    for (brand, model, unit), expected in cases:
        thresholds = {"naming": {"phone-alpha": unit}, "group_naming": {"Acme One": model}}
        phones.registry.save_calibration("device", {**data, "thresholds": {"phone-alpha": brand}, **thresholds})
        (verdict,) = phones.identify(clip, "device")
        assert (verdict.verdict, verdict.source, verdict.family) == expected


@pytest.mark.parametrize(("other", "group"), [("One", "Acme One"), ("Two", "Acme")])
def test_siblings_are_named_with_the_group_that_they_share(made, phones, other, group):
    give_cards(
        phones, {"phone-alpha": {"vendor": "Acme", "model": "One"}, "phone-beta": {"vendor": "Acme", "model": other}}
    )
    siblings, data = ["phone-alpha", "phone-beta"], phones.judge("device").calibration.to_dict()
    phones.registry.save_calibration("device", {**data, "threshold": -99.0, "thresholds": {}, "siblings": [siblings]})
    (verdict,) = phones.identify(made.home / "test-alpha-0.wav", "device")
    assert (verdict.verdict, verdict.siblings, verdict.family) == ("known", tuple(siblings), group)


def test_units_that_nothing_tells_apart_become_siblings(phones, phone_dev):
    """Clips of two units, each labelled now as the one and now as the other."""
    other = {"phone-alpha": "phone-beta", "phone-beta": "phone-alpha"}
    rows = [
        replace(row, source=other[row.source]) if row.source in other and i % 2 else row
        for i, row in enumerate(phone_dev.rows)
    ]
    give_cards(phones, {source: {"vendor": "Acme", "model": "One"} for source in MODELS})
    (report,) = calibrate_registry(phones, replace(phone_dev, rows=tuple(rows)), 0.1)
    assert report["siblings"] == [["phone-alpha", "phone-beta"]]


def test_a_manifest_says_a_device_s_model_and_brand(phone_dev):
    def told(**columns):
        return replace(phone_dev.rows[0], source="x", columns=columns)

    row = told(vendor="Acme", model="One")
    assert true_groups(row, {}, "device") == ONE
    assert true_groups(row, {"x": ("bumps",)}, "system") == ("bumps",)
    assert true_groups(told(family="unknown"), {}, "device") == ("x",)
    assert true_groups(replace(told(), source=None), {}, "device") == ()
    assert groups_of([row], [Card("x", "device", vendor="Zeta"), Card("y", "device")], "device") == {"x": ONE}
