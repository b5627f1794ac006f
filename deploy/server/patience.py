"""A connection has to send its request and to read its reply within a time: it would hold on for ever else.

Import this module late: uvicorn is needed to define it.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_RECEIVING = (h11.IDLE, h11.SEND_BODY)  # what a client does whose request is not all there


def patient(seconds: float) -> type[H11Protocol]:
    """Uvicorn's HTTP protocol, which closes a connection that has not sent a whole request in `seconds`.

    The time begins with the connection, or with the first byte of a further request on it; how long the
    answer takes does not count. Between two requests uvicorn's own `timeout_keep_alive` counts. A client that
    takes nothing of a reply for as long is dropped as well.
    """

    class PatientProtocol(H11Protocol):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self._late: asyncio.TimerHandle | None = None
            self._stuck: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state in _RECEIVING:
                self._wait()
            else:
                self._rest()

        def pause_writing(self) -> None:
            super().pause_writing()
            # Not closed: that would wait until all is sent.
            self._stuck = self.loop.call_later(seconds, self.transport.abort)

        def resume_writing(self) -> None:
            self._flow()
            super().resume_writing()

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest()
            self._flow()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._late is None:  # a further byte gives no further time
                self._late = self.loop.call_later(seconds, self._give_up)

        def _rest(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _flow(self) -> None:
            if self._stuck is not None:
                self._stuck.cancel()
                self._stuck = None

        def _give_up(self) -> None:
            self._late = None
            if not self.transport.is_closing():
                self.transport.close()

    return PatientProtocol
