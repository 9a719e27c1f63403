"""Answers encoded beforehand: an ASGI extension of the live server for what is the same for thousands.

ASGI's own two sends check, join and write an answer's headers each time, a third of the price of a small answer. So
the server hands the app each request as the extension `onsale.answer`, and `write_whole` writes bytes made once.
"""

from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

EXTENSION: Final = "onsale.answer"


def encoded_head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return status line and headers as bytes, up to where the date is put in (RFC 9112, 2.1)."""
    return STATUS_LINE[status] + b"".join(b"%s: %s\r\n" % header for header in headers) + b"date: "


def write_whole(request: Any, head: bytes, body: bytes) -> bool:
    """Answer the request of the extension at once; False, and nothing written, if it must be answered by sends.

    So it is when the connection is to close after the answer, or its reader is slow.
    """
    if not request.keep_alive or request.disconnected or request.flow.write_paused or request.response_started:
        return False
    request.response_started = request.response_complete = True
    # The first default header is the date, renewed by the server every second.
    request.transport.write(b"%s%s\r\n\r\n%s" % (head, request.default_headers[0][1], body))
    request.message_event.set()
    request.on_response()
    return True


class AnswersProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the extension."""

    def on_headers_complete(self) -> None:
        """Offer the extension to the app, whose task begins after this call."""
        super().on_headers_complete()
        cast("dict[str, Any]", self.scope)["extensions"] = {EXTENSION: self.cycle}
