"""Readers of known corpora: a layout in, the rows of a manifest out."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import CorpusReader
from earwitness_corpora.add2023_track3 import ADD2023Track3
from earwitness_corpora.asvspoof2019_la import ASVspoof2019LA
from earwitness_corpora.asvspoof2021 import ASVspoof2021
from earwitness_corpora.ccnu_mobile import CCNUMobile
from earwitness_corpora.folders import Folders
from earwitness_corpora.kaldi import Kaldi
from earwitness_corpora.lhotse import Lhotse
from earwitness_corpora.librispeech import LibriSpeech
from earwitness_corpora.mlaad import MLAAD
from earwitness_corpora.mobiphone import MOBIPHONE
from earwitness_corpora.sfr import SFR
from earwitness_corpora.speechbrain import SpeechBrain
from earwitness_corpora.tau_mobile import TAUMobile
from earwitness_corpora.vctk import VCTK
from earwitness_corpora.wavefake import WaveFake

__all__ = [
    "MLAAD",
    "MOBIPHONE",
    "SFR",
    "VCTK",
    "ADD2023Track3",
    "ASVspoof2019LA",
    "ASVspoof2021",
    "CCNUMobile",
    "Folders",
    "Kaldi",
    "Lhotse",
    "LibriSpeech",
    "SpeechBrain",
    "TAUMobile",
    "WaveFake",
    "register_corpora",
]


@hookimpl
def register_corpora() -> Iterable[type[CorpusReader]]:
    """Return the corpus readers of this plugin."""
    return (
        ADD2023Track3,
        ASVspoof2019LA,
        ASVspoof2021,
        CCNUMobile,
        Folders,
        Kaldi,
        Lhotse,
        LibriSpeech,
        MLAAD,
        MOBIPHONE,
        SFR,
        SpeechBrain,
        TAUMobile,
        VCTK,
        WaveFake,
    )
