"""The rules of an honest evaluation that can be checked before it runs."""

from collections.abc import Iterable, Mapping

from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.errors import CalibrationError, ManifestError
from earwitness.manifest import UNNAMED, Manifest, Row, check_leaks
from earwitness.types import Card

__all__ = ["check_pools", "current", "families_of", "family_of", "found_leaks", "require"]


def found_leaks(manifest: Manifest, allowed: bool) -> list[str]:
    """The groups that span splits, one sentence each.

    Raises:
        ManifestError: there are some, and they aren't `allowed`; the text names the first.
    """
    leaks = check_leaks(manifest)
    if leaks and not allowed:
        raise ManifestError(
            f"{manifest.path}: {len(leaks)} groups span splits; first: {leaks[0]}; mend the splits or give --allow-leak"
        )
    return leaks


def check_pools(dev_unknown: Iterable[str], test_unknown: Iterable[str], families: Mapping[str, str] = {}) -> None:
    """Strangers that set the threshold must not stand in the test, nor must their near kin.

    Args:
        dev_unknown: the sources of the strangers among the development clips.
        test_unknown: those of the strangers among the test clips.
        families: the family of a source, where it has one; else it is a family of its own.

    Raises:
        ManifestError: the pools share a source or a family; the text names them.
    """
    dev, test = set(dev_unknown), set(test_unknown)
    kin = {families.get(s, s) for s in dev} & {families.get(s, s) for s in test}
    if shared := sorted(dev & test) or sorted(f"family {name}" for name in kin):
        raise ManifestError(
            f"strangers that set the threshold also stand in the test: {', '.join(shared)}; "
            "keep each unknown source and its near kin in one split"
        )


def require(manifest: Manifest, column: str, option: str) -> None:
    """Raise a ManifestError that names the first line without a column that an option asks for."""
    if missing := [row for row in manifest.rows if column not in row.columns]:
        raise ManifestError(
            f"{manifest.path}, line {missing[0].line}: there is no column {column!r}; name another with {option}"
        )


def current(judge: Judge) -> Calibration:
    """The calibration to test, set on the rows that are enrolled now.

    Raises:
        CalibrationError: there is none, or the rows have changed since.
    """
    if judge.calibration is None:
        raise CalibrationError(
            "this registry has no threshold to test: run 'earwitness calibrate' on development clips"
        )
    if judge.stale:
        raise CalibrationError(f"this registry was {judge.stale}")
    return judge.calibration


def families_of(rows: Iterable[Row], cards: Iterable[Card]) -> dict[str, str]:
    """The family of each source that has one: what the manifest's column `family` says, else its card."""
    told = {row.source: row.columns.get("family", "") for row in rows if row.source}
    return {card.id: card.family for card in cards if card.family} | {
        source: family for source, family in told.items() if family not in UNNAMED
    }


def family_of(row: Row, families: Mapping[str, str]) -> str:
    """The family of what made a clip: its row's, its source's, or the source itself; empty where nothing is known."""
    own, source = row.columns.get("family", ""), row.source or ""
    return own if own not in UNNAMED else families.get(source, source)
