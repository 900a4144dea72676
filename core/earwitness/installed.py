"""What is installed beside us."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_version"]


def installed_version(distribution: str) -> str | None:
    """The version of a distribution; None where it isn't installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
