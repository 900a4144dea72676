"""Which registry answers, and that the starter is copied rather than changed."""

import shutil
from pathlib import Path

import pytest

from earwitness import places


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folders and a starter of one file."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("EARWITNESS_REGISTRY", raising=False)
    starter = tmp_path / "starter"
    (starter / "models" / "lfcc").mkdir(parents=True)
    (starter / "registry.sqlite").write_text("starter")
    monkeypatch.setattr(places, "starter_folder", lambda: starter)
    return tmp_path


def test_asked_before_environment_before_own_before_starter(home, monkeypatch):
    own = home / "data" / "earwitness" / "registry"
    assert places.registry_place(None) == places.Place(home / "starter", starter=True)
    own.mkdir(parents=True)
    assert places.registry_place(None) == places.Place(own, starter=False)
    monkeypatch.setenv("EARWITNESS_REGISTRY", "named")
    assert places.registry_place(None) == places.Place(Path("named"), starter=False)
    assert places.registry_place(Path("asked")) == places.Place(Path("asked"), starter=False)


def test_a_new_registry_goes_where_it_is_asked_for(home, monkeypatch):
    assert places.new_registry_folder(None) == home / "data" / "earwitness" / "registry"
    monkeypatch.setenv("EARWITNESS_REGISTRY", "named")
    assert places.new_registry_folder(None) == Path("named")
    assert places.new_registry_folder(Path("asked")) == Path("asked")


def test_folders_follow_xdg_or_the_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")  # empty counts as unset, as XDG has it
    assert places.user_folder() == Path("/home/somebody/.local/share/earwitness/registry")
    assert places.cache_folder() == Path("/home/somebody/.cache/earwitness")


def test_the_starter_is_copied_once(home):
    own = places.adopt_starter()
    assert own == places.Place(home / "data" / "earwitness" / "registry", starter=False)
    (own.folder / "registry.sqlite").write_text("mine")
    assert places.adopt_starter() == own
    assert (own.folder / "registry.sqlite").read_text() == "mine"
    assert (home / "starter" / "registry.sqlite").read_text() == "starter"
    assert [path.name for path in own.folder.parent.iterdir()] == ["registry"]  # no scraps
    assert places.starter_models() == [home / "starter" / "models" / "lfcc"]


def test_the_first_of_two_processes_wins(home, monkeypatch):
    own, copytree = home / "data" / "earwitness" / "registry", shutil.copytree

    def interrupted(*arguments):
        monkeypatch.setattr(shutil, "copytree", copytree)
        made = copytree(*arguments)
        own.mkdir()
        (own / "registry.sqlite").write_text("theirs")
        return made

    monkeypatch.setattr(shutil, "copytree", interrupted)
    assert places.adopt_starter().folder == own
    assert (own / "registry.sqlite").read_text() == "theirs"
    assert [path.name for path in own.parent.iterdir()] == ["registry"]
