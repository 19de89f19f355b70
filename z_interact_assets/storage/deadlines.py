"""An end for a whole HTTP exchange. Sockets and a timer only; what is read from them is not known here.

A socket's own timeout starts anew with every byte, so a server that drips would hold its reader for ever.
"""

import socket
from contextlib import suppress
from threading import Lock, Timer
from types import TracebackType
from typing import Self


class DeadlineExpired(Exception):  # noqa: N818 - it names what happened; our own errors are made of it
    """The time was over before the exchange could begin. Not an OSError: urllib3 would try once more."""


class Deadline:
    """A context in which each watched socket is broken once `seconds` have passed."""

    def __init__(self, seconds: float) -> None:
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._expired = False
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()

    @property
    def expired(self) -> bool:
        """Whether the time is over. Ask it after reading: a broken socket may look like the end of the body."""
        return self._expired

    def watch(self, sock: socket.socket) -> None:
        """Break this socket, too, when the time is over; DeadlineExpired if it is."""
        with self._lock:
            if self._expired:
                raise DeadlineExpired
            self._sockets.append(sock)

    def _expire(self) -> None:
        with self._lock:
            self._expired = True
            for sock in self._sockets:
                # Not SSLSocket.shutdown: it drops the TLS layer, and a reader in another thread would go on in clear
                # text.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
