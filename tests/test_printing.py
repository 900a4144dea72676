"""How a verdict reads on a terminal and on a picture: sets of siblings, experts, suspects, families."""

import re
from dataclasses import replace

import pytest

from earwitness.cli.printing import print_verdict
from earwitness.types import Rank, Share, Trace, Verdict

TRACE = Trace("upsampling", 80.0, "24 kHz, hop 300", 9.1, 1e-8, (15, 30), 0.0, 7.5)
KNOWN = Verdict(
    clip="a.wav",
    sha256="ab",
    task="system",
    verdict="known",
    source="alpha",
    probability=0.934,
    unknown_probability=0.066,
    ranking=(Rank("alpha", 0.6, 0.9), Rank("beta", 0.334, 0.8)),
)
UNKNOWN = replace(KNOWN, verdict="unknown", source=None)


@pytest.fixture
def printed(capsys):
    """The lines that a verdict is printed as."""

    def lines(verdict):
        print_verdict(verdict)
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.parametrize(
    ("siblings", "headline"),
    [
        ((), "alpha: probability 0.93"),
        (("alpha", "beta"), "alpha or beta (nothing tells them apart): probability 0.93"),
        (("alpha", "beta", "gamma"), "alpha, beta or gamma (nothing tells them apart): probability 0.93"),
    ],
)
def test_siblings_are_named_together(printed, siblings, headline):
    assert printed(replace(KNOWN, siblings=siblings))[1] == f"  {headline}"


def test_an_unknown_clip_may_have_a_family(printed):
    plain, told = printed(UNKNOWN), printed(replace(UNKNOWN, family="vits"))
    assert plain[1] == "  unknown: none of the enrolled sources (probability 0.07)"
    assert told[1] == "  unknown: none of the enrolled sources, but of the family vits (probability 0.07)"


def test_an_unknown_device_may_be_of_a_known_make_and_siblings_share_one(printed):
    unknown, siblings = replace(UNKNOWN, task="device", family="Acme One"), ("alpha", "beta")
    told = printed(unknown)[1], printed(replace(KNOWN, task="device", siblings=siblings, family="Acme"))[1]
    assert told == (
        "  unknown: none of the enrolled sources, but of the make Acme One (probability 0.07)",
        "  alpha or beta (nothing tells them apart), of the make Acme: probability 0.93",
    )


def test_experts_and_suspects_have_lines_where_there_are_any(printed):
    experts = (Share("cyclic", 3.14), Share("residual", 1.2), Share("dynamics", -0.04))
    lines = printed(replace(UNKNOWN, experts=experts, traces=(TRACE,), suspects=("kittentts", "kokoro")))
    assert "  experts   cyclic 3.1   residual 1.2   dynamics 0.0" in lines
    assert lines[-1] == "  suspects  kittentts, kokoro (their cards name this lattice)"
    assert not re.search("experts|suspects", "\n".join(printed(KNOWN)))


def test_a_picture_names_siblings_and_experts(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    from earwitness import plotting

    titles, colours = [], []

    def kept(figure, out):
        titles.extend(axes.get_title(loc="left") for axes in figure.axes)
        colours.extend(patch.get_facecolor() for patch in figure.axes[0].patches)
        save(figure, out)

    save = plotting._save
    monkeypatch.setattr(plotting, "_save", kept)
    ranking = (*KNOWN.ranking, Rank("gamma", 0.0, 0.1))
    verdict = replace(KNOWN, siblings=("alpha", "beta"), ranking=ranking, experts=(Share("cyclic", 3.14),))
    plotting.plot_verdicts([verdict], tmp_path / "out.png")
    assert titles[0] == "a.wav: alpha or beta\nexperts: cyclic 3.1"
    gamma, beta, alpha = colours
    assert alpha == beta != gamma
