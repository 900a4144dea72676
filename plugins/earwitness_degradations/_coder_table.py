"""Which of FFmpeg's encoders and decoders there are to choose from; apart from them, since PyAV loads slowly."""

from dataclasses import dataclass

_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True, slots=True)
class Coder:
    """One encoder and its decoder.

    Attributes:
        encoder: FFmpeg's name.
        decoder: FFmpeg's name.
        sample_format: What the encoder takes.
        delay: Samples by which the decoded sound comes late, at the codec's rate (measured by
            cross-correlation of noise before and after).
        rates: Sample rates it takes, ascending; empty means any.
        bitrates: Usual kilobits a second; empty means there is only one.
        tail: Samples of silence put after the sound, for an encoder that drops what doesn't fill a frame.
        options: The encoder's own, names and values.
    """

    encoder: str
    decoder: str
    sample_format: str
    delay: int
    rates: tuple[int, ...] = ()
    bitrates: tuple[float, ...] = ()
    tail: int = 0
    options: tuple[tuple[str, str], ...] = ()

    def rate_for(self, rate: int) -> int:
        """The lowest of its sample rates that loses nothing of sound at `rate`, or else its highest."""
        if not self.rates:
            return rate
        return next((own for own in self.rates if own >= rate), self.rates[-1])


CODERS = {
    "aac": Coder("aac", "aac", "fltp", 1024, _MPEG_RATES, (64.0, 32.0)),
    "amr": Coder("libopencore_amrnb", "amrnb", "s16", 40, (8000,), (12.2, 7.4)),
    "flac": Coder("flac", "flac", "s16", 0),
    "g723": Coder("g723_1", "g723_1", "s16", 60, (8000,), (6.3,)),
    "mp3": Coder("libmp3lame", "mp3float", "fltp", 1105, _MPEG_RATES, (64.0, 32.0, 24.0)),
    "msbc": Coder("sbc", "sbc", "s16", 73, (16_000,), tail=120, options=(("msbc", "1"),)),
    "mulaw": Coder("pcm_mulaw", "pcm_mulaw", "s16", 0, (8000,)),
    "opus": Coder("libopus", "opus", "flt", 312, (48000,), (32.0, 24.0, 16.0)),
    "realaudio": Coder("real_144", "real_144", "s16", 160, (8000,)),
    "wma": Coder("wmav2", "wmav2", "fltp", 0, _MPEG_RATES, (128.0, 64.0, 32.0)),
}
