"""The root of Earwitness' one error tree, and the branch that belongs to the registry.

The whole tree is drawn at the top of `earwitness.errors`.
"""


class EarwitnessError(Exception):
    """Something a user can mend; its text is one sentence that names the way out."""


class RegistryError(EarwitnessError):
    """A registry can't do what was asked of it."""


class RegistryMissingError(RegistryError):
    """There is no registry at that place."""


class RegistryDamagedError(RegistryError):
    """What the registry holds contradicts itself or its digests."""


class RegistryReadOnlyError(RegistryError):
    """The registry may be asked, not changed."""


class SpaceMismatchError(RegistryError):
    """Vectors of one space met a registry, or a file, of another."""


class SourceUnknownError(RegistryError):
    """The registry holds no source of that name."""


class ClipConflictError(RegistryError):
    """A clip is enrolled already, as another source."""


class BundleError(RegistryError):
    """An exported file is torn, changed or of another format."""
