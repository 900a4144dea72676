"""One POST, and what comes back; imported when something is sent, since this part of Python loads slowly."""

from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from earwitness.errors import SynthesisError

__all__ = ["post"]

LARGEST = 64 * 1024 * 1024  # bytes of an answer


class _Staying(HTTPRedirectHandler):
    """Follows no redirection: a key is meant for one server."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None: the redirection becomes an error."""


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> bytes:
    """The answer to a POST; `seconds` are what each wait for the server may take.

    Raises:
        SynthesisError: The server can't be reached, refuses, or answers without end.
    """
    request = Request(url, body, dict(headers), method="POST")  # noqa: S310 - the caller has checked the scheme
    try:
        with build_opener(_Staying).open(request, timeout=seconds) as answer:
            sound: bytes = answer.read(LARGEST + 1)
    except HTTPError as error:
        error.close()
        raise SynthesisError(f"{url} answered {error.code} {error.reason}: check url, model, voice and key") from error
    except (URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise SynthesisError(f"{url} can't be reached ({reason}): check url and network") from error
    if len(sound) > LARGEST:
        raise SynthesisError(f"{url} answered with more than {LARGEST >> 20} MiB for one sentence: check url")
    return sound
