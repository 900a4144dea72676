"""The rules of an honest evaluation that can be checked before it runs."""

from collections.abc import Iterable, Mapping

from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.errors import CalibrationError, ManifestError
from earwitness.manifest import UNNAMED, Manifest, Row, check_leaks
from earwitness.types import Card, Task
from earwitness_registry import group_names

__all__ = ["check_pools", "current", "found_leaks", "groups_of", "require", "true_groups"]


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


def groups_of(rows: Iterable[Row], cards: Iterable[Card], task: Task) -> dict[str, tuple[str, ...]]:
    """The groups of each source that has some, from narrow to wide: as the manifest says, else its card.

    A manifest says it in the column `family`, or of a device in `vendor` and `model`.
    """
    told = {row.source: _told(row, task) for row in rows if row.source}
    found = {card.id: card.groups for card in cards} | {source: groups for source, groups in told.items() if groups}
    return {source: groups for source, groups in found.items() if groups}


def true_groups(row: Row, groups: Mapping[str, tuple[str, ...]], task: Task) -> tuple[str, ...]:
    """The groups of what made a clip: its row's, its source's, or the source alone; none where nothing is known."""
    return _told(row, task) or (groups.get(row.source, (row.source,)) if row.source else ())


def _told(row: Row, task: Task) -> tuple[str, ...]:
    """What a row says of the groups of its source."""
    said = (row.columns.get(name, "") for name in ("family", "vendor", "model"))
    family, vendor, model = (None if value in UNNAMED else value for value in said)
    return group_names(task, family, vendor, model)
