"""The rules of an honest evaluation that can be checked before it runs."""

from collections.abc import Iterable, Mapping

from earwitness.errors import ManifestError

__all__ = ["check_pools"]


def check_pools(dev_unknown: Iterable[str], test_unknown: Iterable[str], families: Mapping[str, str] = {}) -> None:
    """Strangers that set the threshold must not stand in the test, nor must their near kin.

    Args:
        dev_unknown: the sources of the strangers among the development clips.
        test_unknown: those of the strangers among the test clips.
        families: the family of a source, where it has one.

    Raises:
        ManifestError: the pools share a source or a family; the text names them.
    """
    dev, test = set(dev_unknown), set(test_unknown)
    kin = {families[s] for s in dev if s in families} & {families[s] for s in test if s in families}
    if shared := sorted(dev & test) or sorted(f"family {name}" for name in kin):
        raise ManifestError(
            f"strangers that set the threshold also stand in the test: {', '.join(shared)}; "
            "keep each unknown source and its near kin in one split"
        )
