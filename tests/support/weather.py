"""What may befall a request on its way: the `faults` of a StandIn, changed by a test while it serves, and counted."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from werkzeug.wrappers import Response

from tests.support.toll import note_fault
from z_interact_assets.demo.standin_app import IncomingRequest

Befalls = Callable[[IncomingRequest], Response]
Where = Callable[[IncomingRequest], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls a request, with its name in the toll."""

    name: str
    befall: Befalls

    def __call__(self, request: IncomingRequest) -> Response:
        """Befall it."""
        return self.befall(request)


def named(name: str) -> Callable[[Befalls], Fault]:
    """Make a function a Fault."""
    return lambda befall: Fault(name, befall)


def answer(status: int, code: str = "", headers: Mapping[str, str] | None = None) -> Fault:
    """S3's error answer; without a code it has no body, as from a gateway."""
    document = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
    name = ", ".join([str(int(status)), *(headers or {})])
    return Fault(name, lambda _: Response(document, status=status, content_type="application/xml", headers=headers))


@named("late")
def late(request: IncomingRequest) -> Response:
    """Answer late, but in time."""
    time.sleep(0.05)
    return request.serve()


@named("dropped before")
def drop_before(_: IncomingRequest) -> Response:
    """Hang up before anything was done."""
    raise ConnectionAbortedError


@named("dropped after")
def drop_after(request: IncomingRequest) -> Response:
    """Do what was asked for, then hang up instead of answering."""
    request.serve()
    raise ConnectionAbortedError


@named("cut body")
def cut_body(request: IncomingRequest) -> Response:
    """Send half of the body that the headers announce."""
    whole = request.serve()
    data = whole.get_data()
    headers = [(name, text) for name, text in whole.headers if name != "Content-Length"]
    return Response(
        iter([data[: len(data) // 2]]), status=whole.status, headers=[*headers, ("Content-Length", str(len(data)))]
    )


@named("wrong ETag")
def wrong_etag(request: IncomingRequest) -> Response:
    """Do what was asked for and answer with the ETag of something else."""
    whole = request.serve()
    whole.headers["ETag"] = f'"{0:032x}"'
    return whole


@named("sign-in page")
def sign_in_page(_: IncomingRequest) -> Response:
    """Answer as a captive portal does: 200 and a page that happens to be well-formed XML."""
    return Response("<html><body>Welcome!</body></html>", content_type="text/html")


# What may pass by itself, for every operation. Cut bodies and wrong ETags are for some only.
PASSING: Mapping[str, Fault] = {
    "429": answer(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests"),
    "429, no body": answer(HTTPStatus.TOO_MANY_REQUESTS),
    "429, Retry-After": answer(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", {"Retry-After": "0"}),
    "500": answer(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError"),
    "502, no body": answer(HTTPStatus.BAD_GATEWAY),
    "503": answer(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown"),
    "503, Retry-After": answer(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown", {"Retry-After": "0"}),
    "503, no body": answer(HTTPStatus.SERVICE_UNAVAILABLE),
    "Cloudflare's 522": answer(522),
    "dropped before": drop_before,
    "dropped after": drop_after,
}

# What would be the same at any repetition, and concerns every request. The second is a firewall's page.
REFUSALS: Mapping[str, Fault] = {
    "403": answer(HTTPStatus.FORBIDDEN, "AccessDenied"),
    "403, a page": Fault(
        "403, a page", lambda _: Response("<html><body>no</body></html>", status=403, content_type="text/html")
    ),
    "404, the bucket": answer(HTTPStatus.NOT_FOUND, "NoSuchBucket"),
    "302": answer(HTTPStatus.FOUND, headers={"Location": "https://portal.example/"}),
}


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    befalls: Befalls
    where: Where
    times: float


def everywhere(_: IncomingRequest) -> bool:
    """Any request."""
    return True


class Weather:
    """The hook. `injected` counts faults by rule; since the last `clear` `asked` counts requests by (method, kind) and
    `asked_for` by (method, kind, key).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rule: _Rule | None = None
        self._hits: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._busy = 0
        self.injected: Counter[str] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.asked_for: Counter[tuple[str, str, str]] = Counter()
        self.busiest = 0
        self.watch: Callable[[IncomingRequest], None] = lambda _: None

    def __call__(self, request: IncomingRequest) -> Response | None:
        """Befall the request, or let it be."""
        with self._lock:
            self.asked[request.method, request.kind] += 1
            self.asked_for[request.method, request.kind, request.key] += 1
            befalls = self._choose(request)
        self.watch(request)
        with self._serving():
            return befalls(request) if befalls else request.serve()

    def turn(self, name: str, befalls: Befalls, where: Where = everywhere, *, times: float = float("inf")) -> None:
        """From now on this befalls the first `times` requests of each method and key that are `where`."""
        with self._lock:
            self._rule = _Rule(name, befalls, where, times)
            self._hits.clear()

    def clear(self) -> None:
        """Fair weather, and counting starts anew (but for `injected`)."""
        with self._lock:
            self._rule = None
            self.asked.clear()
            self.asked_for.clear()
            self.busiest = 0

    @contextmanager
    def holding(self, where: Where = everywhere, *, times: float = float("inf")) -> Iterator[None]:
        """Within the block such requests get no answer until it ends."""
        over = threading.Event()

        def hold(request: IncomingRequest) -> Response:
            over.wait(60)
            return drop_before(request)

        self.turn("silence", Fault("silence", hold), where, times=times)
        try:
            yield
        finally:
            over.set()

    def _choose(self, request: IncomingRequest) -> Befalls | None:
        rule = self._rule
        if rule is None or not rule.where(request):
            return None
        self._hits[request.method, request.kind, request.key] += 1
        if self._hits[request.method, request.kind, request.key] > rule.times:
            return None
        self.injected[rule.name] += 1
        note_fault(getattr(rule.befalls, "name", rule.name), f"{request.method} {request.kind}")
        return rule.befalls

    @contextmanager
    def _serving(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
