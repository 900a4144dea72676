"""Every error a user can meet, in one tree.

EarwitnessError
├── InputError              what the user gave can't be used
│   ├── AudioError          a file that can't be heard
│   ├── ManifestError       a manifest with a missing column, file or value
│   ├── CardError           a file of cards with a field that can't be so
│   └── OptionError         an option or a combination of options that makes no sense
├── PluginError             a plugin misbehaves
│   ├── PluginClashError    two plugins offer the same name
│   └── UnknownPartError    no plugin offers that name
├── PipelineError           a pipeline or model folder that can't be read
│   └── MissingWeightsError a network's weights that the user brings
├── ProbeError              a model no longer computes what it computed when it was enrolled with
├── CalibrationError        the data can't bear the promise asked for
├── TrainingError           training can't begin or go on
├── SynthesisError          a synthesizer is missing, fails or takes too long
├── MissingExtraError       an optional part of the installation is needed
└── RegistryError           (`earwitness_registry.errors`)
    ├── RegistryMissingError
    ├── RegistryDamagedError
    ├── RegistryReadOnlyError
    ├── SpaceMismatchError
    ├── SourceUnknownError
    ├── ClipConflictError
    └── BundleError

The text of each is one sentence fit for a user, and names the way out. The command line prints it
without a traceback and exits 2; in a batch it becomes one row. Anything else is a bug.
"""

from earwitness_registry.errors import (
    BundleError,
    ClipConflictError,
    EarwitnessError,
    RegistryDamagedError,
    RegistryError,
    RegistryMissingError,
    RegistryReadOnlyError,
    SourceUnknownError,
    SpaceMismatchError,
)

__all__ = [
    "AudioError",
    "BundleError",
    "CalibrationError",
    "CardError",
    "ClipConflictError",
    "EarwitnessError",
    "InputError",
    "ManifestError",
    "MissingExtraError",
    "MissingWeightsError",
    "OptionError",
    "PipelineError",
    "PluginClashError",
    "PluginError",
    "ProbeError",
    "RegistryDamagedError",
    "RegistryError",
    "RegistryMissingError",
    "RegistryReadOnlyError",
    "SourceUnknownError",
    "SpaceMismatchError",
    "SynthesisError",
    "TrainingError",
    "UnknownPartError",
]


class InputError(EarwitnessError):
    """What the user gave can't be used."""


class AudioError(InputError):
    """A file that can't be heard: missing, empty, truncated, not audio, without an audio stream."""


class ManifestError(InputError):
    """A manifest with a missing column, file or value; the text names the line."""


class CardError(InputError):
    """A file of cards with a field that can't be so; the text names file, line and field."""


class OptionError(InputError):
    """An option or a combination of options that makes no sense."""


class PluginError(EarwitnessError):
    """A plugin misbehaves; the text names its distribution."""


class PluginClashError(PluginError):
    """Two plugins offer the same name; the text names both."""


class UnknownPartError(PluginError):
    """No plugin offers that name; the text offers the nearest known ones."""


class PipelineError(EarwitnessError):
    """A pipeline or model folder that can't be read."""


class MissingWeightsError(PipelineError):
    """A network's weights that the user brings; the text says where to name them."""


class ProbeError(EarwitnessError):
    """A model no longer computes what it computed when its registry was filled."""


class CalibrationError(EarwitnessError):
    """The data can't bear the promise asked for; the text says how much would."""


class TrainingError(EarwitnessError):
    """Training can't begin or go on."""


class SynthesisError(EarwitnessError):
    """A synthesizer is missing, fails or takes too long; the text says what brings it, or what it said."""


class MissingExtraError(EarwitnessError):
    """An optional part of the installation is needed; the text is the command that brings it."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}': pip install 'earwitness[{extra}]'")
