"""`asvspoof2021`: ASVspoof 2021, logical access (LA) and deepfake (DF), by the keys published afterwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, audio_by_stem, fields, files_below, named

SPLITS = {"progress": "dev", "eval": "test"}
VOCODER = ("vocoder", "vcc_task", "vcc_team", "gender_pair", "language_pair")
"""What a line of DF goes on with."""


@dataclass(frozen=True, slots=True)
class ASVspoof2021:
    """Trials of `trial_metadata.txt`: source is the attack id, of bonafide speech `genuine`.

    The layout is that of the organisers' evaluation package (github.com/asvspoof-challenge/2021, eval-package; Liu et
    al., "ASVspoof 2021: towards spoofed and deepfake speech detection in the wild", IEEE/ACM TASLP 31, 2023):

        keys/{LA,DF}/CM/trial_metadata.txt
            LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
            LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -
        ASVspoof2021_{LA,DF}_eval[_partNN]/.../flac/LA_E_9332881.flac

    The fields are speaker, trial, codec, transmission (LA) or origin (DF), attack, key, trim and subset; DF adds the
    kind of vocoder and what the Voice Conversion Challenges say. A07 to A19 are those of ASVspoof 2019; attacks of the
    Voice Conversion Challenges are named after their origin too, as `vcc2020-Task1-team20`. The subset `progress` is
    the split `dev`, `eval` is `test`, and `hidden`, whose silence was trimmed, is in no split. Keys for physical access
    and for speaker verification are passed over.
    """

    name: ClassVar[str] = "asvspoof2021"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no keys are found, or a line is none of LA or DF."""
        files = files_below(root)
        audio = audio_by_stem(files, ".flac")
        keys = [
            key for key in named(files, "trial_metadata.txt") if not {"ASV", "PA"} & set(key.relative_to(root).parts)
        ]
        if not keys:
            raise absent(
                root,
                "CM/trial_metadata.txt",
                "unpack LA-keys-full.tar.gz or DF-keys-full.tar.gz of asvspoof.org beside the audio, or use "
                "'asvspoof2019-la' for the earlier corpus",
            )
        for key in keys:
            for line in fields(key, 8):
                yield _row(key, line, root, audio)


def _row(file: Path, line: list[str], root: Path, audio: Mapping[str, Path]) -> Mapping[str, str]:
    speaker, trial, codec, channel, attack, key, trim, subset, *vocoder = line
    track, _, _ = trial.partition("_")
    if track not in ("LA", "DF") or key not in ("bonafide", "spoof"):
        raise ManifestError(f"{file}: {' '.join(line)!r} is no trial of LA or DF; fetch the keys again")
    origin = channel if track == "DF" else "asvspoof"
    known = attack if origin == "asvspoof" else f"{origin}-{attack}"
    return {
        "path": str(audio.get(trial) or root / f"ASVspoof2021_{track}_eval" / "flac" / f"{trial}.flac"),
        "source": "genuine" if key == "bonafide" else known,
        "task": "system",
        "split": SPLITS.get(subset, ""),
        "speaker": speaker,
        "corpus": f"asvspoof2021-{track.lower()}",
        "codec": codec,
        "origin" if track == "DF" else "transmission": channel,
        "trim": trim,
        "subset": subset,
        **{column: "" if value == "-" else value for column, value in zip(VOCODER, vocoder, strict=False)},
    }
