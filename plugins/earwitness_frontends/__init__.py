"""From windows of sound to features: cepstra, bands, dynamics, residuals, figures of mixtures, the bare waveform."""

from collections.abc import Iterable
from importlib.resources import files

from earwitness import hookimpl
from earwitness.contracts import Frontend
from earwitness_frontends.acoustic_stats import AcousticStats
from earwitness_frontends.band_residual import BandResidual
from earwitness_frontends.cqcc import Cqcc
from earwitness_frontends.dynamics import Dynamics
from earwitness_frontends.fingerprint import Fingerprint
from earwitness_frontends.gsv import Gsv
from earwitness_frontends.gsv_mfcc import GsvMfcc
from earwitness_frontends.ivector import Ivector
from earwitness_frontends.lfcc import Lfcc
from earwitness_frontends.log_mel import LogMel
from earwitness_frontends.mfcc import Mfcc
from earwitness_frontends.mfcc39 import Mfcc39
from earwitness_frontends.residual import Residual
from earwitness_frontends.tandem import Tandem
from earwitness_frontends.waveform import Waveform

__all__ = [
    "AcousticStats",
    "BandResidual",
    "Cqcc",
    "Dynamics",
    "Fingerprint",
    "Gsv",
    "GsvMfcc",
    "Ivector",
    "Lfcc",
    "LogMel",
    "Mfcc",
    "Mfcc39",
    "Residual",
    "Tandem",
    "Waveform",
    "register_frontends",
    "register_pipelines",
]

FRONTENDS: tuple[type[Frontend], ...] = (
    AcousticStats,
    BandResidual,
    Cqcc,
    Dynamics,
    Fingerprint,
    Gsv,
    GsvMfcc,
    Ivector,
    Lfcc,
    LogMel,
    Mfcc,
    Mfcc39,
    Residual,
    Tandem,
    Waveform,
)


@hookimpl
def register_frontends() -> Iterable[type[Frontend]]:
    """Return the frontend classes of this plugin."""
    return FRONTENDS


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipelines of this plugin as YAML texts."""
    folder = files("earwitness_frontends") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]
