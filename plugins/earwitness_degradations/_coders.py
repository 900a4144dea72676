"""FFmpeg's encoders and decoders, packets handed from one to the other without a file between them."""

import io
from collections.abc import Iterable

import av
import numpy as np
from av.codec.context import Flags2

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_degradations._coder_table import Coder

_WMA_LEAD = 2048  # samples: no WMA frame is longer


def transcode(coder: Coder, samples: FloatArray, rate: int, bit_rate: int | None) -> FloatArray:
    """Encode and decode (n,) at one of the coder's rates; (n,) comes back, in time with it.

    Raises:
        OptionError: The encoder refuses that bit rate at that sample rate, or PyAV was built without it.
    """
    through = _through_asf if coder.encoder == "wmav2" else _through_packets
    try:
        decoded, delay = through(coder, samples, rate, bit_rate)
    except av.codec.codec.UnknownCodecError as error:
        raise OptionError(
            f"PyAV on this machine was built without {error}: install its wheel, or choose another codec"
        ) from error
    except av.error.FFmpegError as error:
        asked = f"{coder.encoder} can't code {rate} Hz at {bit_rate} bit/s"
        raise OptionError(f"{asked} ({error.strerror}): choose another bit rate") from error
    return decoded[delay : delay + len(samples)]


def _through_packets(coder: Coder, samples: FloatArray, rate: int, bit_rate: int | None) -> tuple[FloatArray, int]:
    """Encoder to decoder; returns the decoded sound and its delay in samples."""
    encoder = av.CodecContext.create(coder.encoder, "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", coder.sample_format
    encoder.options = dict(coder.options)
    if bit_rate is not None:
        encoder.bit_rate = bit_rate
    whole = np.pad(samples, (0, coder.delay + coder.tail))
    packets = [*encoder.encode(_frame(whole, rate)), *encoder.encode(None)]
    decoder = av.CodecContext.create(coder.decoder, "r")
    decoder.sample_rate, decoder.layout = rate, "mono"
    decoder.flags2 |= Flags2.skip_manual  # some codecs announce their delay, others don't: `delay` serves for all
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    return _joined(frame for packet in [*packets, None] for frame in decoder.decode(packet)), coder.delay


def _through_asf(coder: Coder, samples: FloatArray, rate: int, bit_rate: int | None) -> tuple[FloatArray, int]:
    """The same by way of an ASF file in memory: WMA's decoder needs what only the container tells.

    It drops the first frame, so one is put before the sound.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="asf") as box:
        stream = box.add_stream(coder.encoder, rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        box.mux(stream.encode(_frame(np.pad(samples, (_WMA_LEAD, _WMA_LEAD)), rate)))
        box.mux(stream.encode(None))
        delay = _WMA_LEAD - stream.codec_context.frame_size
    file.seek(0)
    with av.open(file, "r", format="asf") as box:
        return _joined(box.decode(audio=0)), delay


def _frame(samples: FloatArray, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def _joined(frames: Iterable[av.AudioFrame]) -> FloatArray:
    """All frames' samples, (n,) float32 in -1..1."""
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    sound = np.concatenate(parts)
    scale = 1.0 if sound.dtype.kind == "f" else 1.0 / -float(np.iinfo(sound.dtype).min)
    return sound.astype(np.float32) * np.float32(scale)
