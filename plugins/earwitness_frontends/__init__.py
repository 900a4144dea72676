"""From windows of sound to features: cepstra, log-mel bands, dynamics, residuals and the bare waveform."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import Frontend
from earwitness_frontends.band_residual import BandResidual
from earwitness_frontends.dynamics import Dynamics
from earwitness_frontends.lfcc import Lfcc
from earwitness_frontends.log_mel import LogMel
from earwitness_frontends.mfcc import Mfcc
from earwitness_frontends.residual import Residual
from earwitness_frontends.waveform import Waveform

__all__ = ["BandResidual", "Dynamics", "Lfcc", "LogMel", "Mfcc", "Residual", "Waveform", "register_frontends"]


@hookimpl
def register_frontends() -> Iterable[type[Frontend]]:
    """Return the frontend classes of this plugin."""
    return (BandResidual, Dynamics, Lfcc, LogMel, Mfcc, Residual, Waveform)
