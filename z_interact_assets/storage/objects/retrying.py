"""Which S3 requests are sent again, how often and after which pause. What may pass by itself, `failures` says.

botocore's own `standard` mode is replaced, for four reasons (measured with botocore 1.44):
- it does not know Retry-After, only AWS's `x-amz-retry-after`;
- its four pauses after a dropped connection or a 500 are 0.4 s together: no outage is bridged by them;
- a quota of its own ends all retrying of the client after about 35 retries, whichever requests they were for: with 64
  uploads in flight one short congestion made images fail at their first try;
- Cloudflare's own 520 to 530, which R2's edge answers when R2 is out of reach, are final to it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from z_interact_assets.storage.objects.failures import answer_may_pass, trouble_may_pass

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_PAUSE_S = 20.0
_BOTOCORES_HANDLER = "retry-config-s3"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """At most `max_attempts` requests for one call; pauses of half to all of `backoff` x 1, 2, 4 … seconds.

    A Retry-After makes a pause longer, never shorter. A server that asks for more than MAX_PAUSE_S is not asked again:
    it is out, and whoever called should know now. `random` gives 0 to 1; without its share the requests that one
    congestion refused would all come back together.
    """

    max_attempts: int
    backoff: float
    random: Callable[[], float] = random.random

    def pause(self, attempts: int, asked_for: float | None = None) -> float | None:
        """Seconds to wait after so many attempts; None: give up. `asked_for` is what the server wants."""
        if attempts >= self.max_attempts or (asked_for or 0) > MAX_PAUSE_S:
            return None
        share = self.random()
        pause = min(self.backoff * 2 ** (attempts - 1), MAX_PAUSE_S) * (0.5 + share / 2)
        return pause if asked_for is None else max(pause, asked_for + self.backoff * share)

    def install(self, client: "S3Client") -> None:
        """Take the place of botocore's own policy in this client."""
        events = cast("Any", client.meta.events)
        events.unregister("needs-retry.s3", unique_id=_BOTOCORES_HANDLER)
        events.register("needs-retry.s3", self._needs_retry, unique_id="z-interact-assets-retries")

    def _needs_retry(
        self, *, attempts: int, response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: object
    ) -> float | None:
        """Answer botocore's question: the pause before the next attempt, or None for no more."""
        if response is None:
            return self.pause(attempts) if caught_exception and trouble_may_pass(caught_exception) else None
        http, parsed = response
        if not answer_may_pass(http.status_code, str(parsed.get("Error", {}).get("Code", ""))):
            return None
        return self.pause(attempts, retry_after(http.headers.get("Retry-After")))


def retry_after(header: str | None) -> float | None:
    """Seconds, from either form of the header (a number or a date); None if there is none that can be read."""
    if header is None:
        return None
    try:
        return Retry().parse_retry_after(header)
    except InvalidHeader:
        return None
