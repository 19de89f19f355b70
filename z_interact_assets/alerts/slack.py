"""slack_sdk's webhook client, held to what an alert needs: no redirect, bounded retries, not a word in a log."""

import logging
from http.client import HTTPMessage, HTTPResponse
from typing import IO
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryHandler, RetryState
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.webhook import WebhookClient, WebhookResponse

LONGEST_WAIT_S = 3  # of what a server that limits its rate asks us to wait


def open_webhook(url: str, timeout_s: int) -> WebhookClient:
    """Return a client of the webhook."""
    # A logger of its own, known to nobody: at DEBUG the SDK logs the URL, in its errors what urllib says of it.
    silent = logging.Logger("webhook", level=logging.CRITICAL + 1)  # noqa: LOG001 - see above
    return _Client(url, timeout=timeout_s, logger=silent, retry_handlers=_retries())


def _retries() -> list[RetryHandler]:
    return [ConnectionErrorRetryHandler(), ServerErrorRetryHandler(), _PatientWithLimits()]


class _PatientWithLimits(RateLimitErrorRetryHandler):
    """Waits as long as the server asks for, unless that is long."""

    def _can_retry(
        self, *, state: RetryState, request: HttpRequest, response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:  # fmt: skip
        wait = response.headers.get("Retry-After") or ["1"] if response else ["1"]
        return (
            super()._can_retry(state=state, request=request, response=response, error=error)
            and wait[0].isdigit()
            and int(wait[0]) <= LONGEST_WAIT_S
        )


class _NoRedirect(HTTPRedirectHandler):
    """urllib turns a redirected POST into a GET without its body, which may well be answered with 200."""

    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str  # noqa: ARG002
    ) -> None:  # fmt: skip
        return None


class _Client(WebhookClient):
    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        handlers = [ProxyHandler({"http": self.proxy, "https": self.proxy})] if self.proxy else []
        answer: HTTPResponse
        with build_opener(_NoRedirect, *handlers).open(req, timeout=self.timeout) as answer:
            return WebhookResponse(url=url, status_code=answer.status, body="", headers=dict(answer.headers.items()))
