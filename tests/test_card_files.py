"""Cards in files: what is written is read, a fault is named with file, line and field, and editors know the fields."""

import json
import re
import runpy
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from earwitness.cards import read_cards
from earwitness.errors import CardError, OptionError, RegistryError
from earwitness.scaffold import write_card
from earwitness.scaffold.form import card_form
from earwitness_registry import Card, Registry
from earwitness_registry.cards import card_fields

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json.loads((DOCS / "card.schema.json").read_text("utf-8"))

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
ids = words.filter(lambda text: text != "unknown")


@st.composite
def cards(draw):
    """Any card that may be."""
    filled = {}
    for field in card_fields().values():
        one = st.sampled_from(field.words) if field.words else st.integers(1, 12) if field.whole else words
        filled[field.name] = draw(st.lists(one, max_size=3).map(tuple) if field.many else st.none() | one)
    return Card.from_dict({**filled, "id": draw(ids), "hop": None})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "cards.yaml"


def as_yaml(*written):
    return yaml.safe_dump({card.id: {k: v for k, v in plain(card).items() if k != "id"} for card in written})


def plain(card):
    return json.loads(json.dumps(card.to_dict()))


@given(st.lists(cards(), min_size=1, max_size=3, unique_by=lambda card: card.id))
def test_what_is_written_is_read(tmp_path_factory, written):
    file = tmp_path_factory.getbasetemp() / "written.yaml"
    file.write_text(as_yaml(*written), "utf-8")
    assert sorted(read_cards(file), key=lambda card: card.id) == sorted(written, key=lambda card: card.id)


def test_a_field_may_stay_empty_and_a_date_is_text(file):
    file.write_text("acme/voice-2:\n  vendor:\n  released: 2025-03-01\n  languages: ~\nbare:\n", "utf-8")
    assert read_cards(file) == (Card("acme/voice-2", released="2025-03-01"), Card("bare"))


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("acme:\n  vendor: Acme\n  hop: 256.5\n", 3, "hop takes whole numbers from 1 on, not 256.5"),
        ("acme:\n  kind: phone\n", 2, "kind 'phone' is none of system, device, genuine"),
        ("acme:\n\n  # new\n  languages: en\n", 4, r"languages is a list, such as \[en\]"),
        ("acme:\n  languages: [en, no]\n", 2, "languages is text, not False: put it in quotes"),
        ("acme:\n  released: 2025\n", 2, "released is text, not 2025: put it in quotes"),
        ("acme:\n  model:\n    name: two\n", 2, "model is text, not {'name': 'two'}"),
        ("a:\n  vendor: A\nb:\n  vender: B\n", 4, "unknown field 'vender'; known are .*vendor"),
        ("acme:\n  hop: 300\n  stages: [8, 8, 4]\n", 3, "its stages multiply to 256, its hop is 300"),
        ("acme:\n  vendor: A\n  vendor: B\n", 3, "'vendor' stands in line 2 already"),
        ("acme:\nother:\nacme:\n", 3, "'acme' stands in line 1 already"),
        ("acme:\nunknown:\n", 2, "'unknown' can't be a source"),
        ("' acme':\n", 1, "id ' acme' is not a name"),
        ("acme:\n  id: other\n", 2, "the id of this card is 'acme', as its first line says"),
        ("acme:\n- vendor\n", 2, "here are no fields, as 'vendor: Acme'"),
        ("id: acme\nvendor: Acme\n", 1, "here are no fields, as 'vendor: Acme'"),
        ("- acme\n", 1, "here are no cards, as 'acme/voice-2: {vendor: Acme}'"),
        ("acme:\n  [a, b]: c\n", 2, "a key is plain text"),
        ("acme:\n  vendor: [A\n  model: B\n", 3, "not YAML"),
        ("acme:\n  vendor: !!python/name:os.system\n", 2, "not YAML"),
        ("acme:\n\tvendor: A\n", 2, "not YAML"),
    ],
)
def test_a_fault_is_named_with_file_line_and_field(file, text, line, fault):
    file.write_text(text, "utf-8")
    with pytest.raises(CardError, match=rf"^{re.escape(str(file))}, line {line}: .*{fault}"):
        read_cards(file)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"# nothing\n", "holds no card"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"acme: {notes: \x07}", "is not YAML"),
        (None, "check the path"),
    ],
)
def test_what_is_no_text_is_named(file, data, fault):
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(CardError, match=fault):
        read_cards(file)


@given(ids, st.sampled_from(("system", "device")))
def test_the_form_of_a_card_is_a_card(tmp_path_factory, source, kind):
    file = tmp_path_factory.getbasetemp() / "form.yaml"
    file.write_text(card_form(source, kind), "utf-8")
    vendor, _, model = source.partition("/")
    model = model or (vendor if kind == "device" else "")
    assert read_cards(file) == (Card(source, kind, vendor=vendor or None, model=model or None),)


def test_a_form_asks_what_its_kind_has(tmp_path):
    system, device = (write_card(f"acme/{kind}", kind, tmp_path).read_text("utf-8") for kind in ("system", "device"))
    assert "\n  unit:" in device
    assert "\n  unit:" not in system
    assert "\n  languages:" in system
    assert "\n  hop:" not in device
    assert {path.name for path in tmp_path.iterdir()} == {"acme-system.yaml", "acme-device.yaml"}
    with pytest.raises(OptionError, match="exists already"):
        write_card("acme/system", "system", tmp_path)
    with pytest.raises(OptionError, match="--kind scorer brings no card"):
        write_card("acme", "scorer", tmp_path)
    with pytest.raises(RegistryError, match="'unknown' can't be a source"):
        write_card("unknown", "system", tmp_path)


def allows(schema, value):
    """What the keywords that the schema of cards has say of a value (JSON Schema 2020-12)."""
    types = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    named = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ())
    if named and (isinstance(value, bool) or not isinstance(value, tuple(types[name] for name in named))):
        return False
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        return False
    if isinstance(value, str):
        return ("pattern" not in schema or re.search(schema["pattern"], value) is not None) and (
            "not" not in schema or not allows(schema["not"], value)
        )
    if isinstance(value, list):
        return all(allows(schema["items"], item) for item in value)
    if isinstance(value, dict):
        own, others = schema.get("properties", {}), schema["additionalProperties"]
        return all(
            allows(schema.get("propertyNames", {}), key)
            and (allows(own.get(key, others), item) if own.get(key, others) else False)
            for key, item in value.items()
        )
    return value is None or value >= schema.get("minimum", value)


WHATEVER = ["Acme", "system", 3, 0, 2.5, True, None, ["en"], [8, 8], [0], [None], {"a": "b"}, []]


@pytest.mark.parametrize("name", [*card_fields(), "vender"])
def test_editors_find_fault_with_what_we_do(file, name):
    for value in WHATEVER:
        data = {"acme": {name: value}}
        file.write_text(yaml.safe_dump(data), "utf-8")
        try:
            read_cards(file)
        except CardError:
            assert not allows(SCHEMA, data), value
        else:
            assert allows(SCHEMA, data), value


@pytest.mark.parametrize("source", ["acme/voice-2", "a b", "unknown", "", " a", "a ", "a\tb", "ü"])
def test_editors_find_fault_with_ids_as_we_do(source):
    try:
        Card(source)
    except RegistryError:
        assert not allows(SCHEMA, {source: None})
    else:
        assert allows(SCHEMA, {source: None})


def test_every_field_is_explained_to_editors_in_the_generated_schema():
    own = SCHEMA["additionalProperties"]["properties"]
    assert {name: field["description"] for name, field in own.items()} == {
        name: field.about for name, field in card_fields().items() if name != "id"
    }
    generate = runpy.run_path(str(DOCS / "generate.py"))
    assert (DOCS / "card.schema.json").read_text("utf-8") == generate["card_schema"]()


@pytest.fixture
def clips(made):
    return sorted(made.home.glob("train-gamma-*.wav"))[:2]


def test_enrolling_with_a_card_file_writes_that_card(clips, file, call, registry_copy):
    here = ("--registry", registry_copy)
    call("registry", "remove", "gamma", *here)
    file.write_text("acme/voice-2: {vendor: Acme, languages: [en]}\nother: {vendor: O}\n", "utf-8")
    assert call("enroll", "acme/voice-2", *clips, "--card", file, *here).code == 0
    with Registry.open(registry_copy) as registry:
        assert registry.card("acme/voice-2") == Card("acme/voice-2", vendor="Acme", languages=("en",))
        assert "other" not in {card.id for card in registry.cards()}
    file.write_text("acme/voice-2: {vendor: Acme, family: vits}\n", "utf-8")
    again = call("enroll", "acme/voice-2", *clips, "--card", file, "--json", *here)
    assert {outcome["outcome"] for outcome in json.loads(again.out)} == {"already enrolled"}
    with Registry.open(registry_copy) as registry:
        assert registry.card("acme/voice-2") == Card("acme/voice-2", vendor="Acme", family="vits")


@pytest.mark.parametrize(
    ("text", "arguments", "fault"),
    [
        ("acme: {vendor: Acme}", ("beta",), "has no card of 'beta', only of acme: add one"),
        ("beta: {vendor: 2}", ("beta",), "line 1: vendor is text, not 2"),
        ("beta: {kind: device}", ("beta",), "known for task 'system'"),
        ("beta: {vendor: Acme}", ("beta", "--kind", "genuine"), "of kind 'system', not 'genuine'"),
    ],
)
def test_a_card_file_that_does_not_fit_changes_nothing(clips, file, call, registry_copy, text, arguments, fault):
    file.write_text(text, "utf-8")
    done = call("enroll", *arguments, *clips, "--card", file, "--registry", registry_copy)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert fault in done.err
    with Registry.open(registry_copy) as registry:
        assert registry.card("beta") == Card("beta")


def test_from_no_card_to_an_enrolled_source_in_two_commands(clips, call, registry_copy, tmp_path):
    call("registry", "remove", "gamma", "--registry", registry_copy)
    wrote = call("plugins", "new", "acme/voice-2", "--kind", "system", "--card-only", "--out", tmp_path)
    file = tmp_path / "acme-voice-2.yaml"
    assert f"wrote {file}: fill it in, then 'earwitness enroll acme/voice-2 CLIP... --card {file}'" in wrote.err
    call("enroll", "acme/voice-2", *clips, "--card", file, "--registry", registry_copy)
    shown = json.loads(call("registry", "show", "acme/voice-2", "--json", "--registry", registry_copy).out)
    assert (shown["vendor"], shown["model"], len(shown["clips"])) == ("acme", "voice-2", 2)
