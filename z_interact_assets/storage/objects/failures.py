"""Failures of the S3 API in our own terms: botocore's and urllib3's exceptions become the tree of core.errors.

The originals are not chained: they hold request parameters (metadata with prompts) and response headers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import SSLError as TransportSSLError

from z_interact_assets.core.errors import (
    ObjectNotFoundError,
    PermanentError,
    StorageRefusedError,
    StorageUnavailableError,
    TransientError,
    ZInteractError,
)

_TRANSIENT_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
# 400s and 409s that say "send it again": the body was damaged or cut on its way, or another write was in progress.
_TRANSIENT_CODES = frozenset({
    "BadDigest", "IncompleteBody", "RequestTimeout", "SlowDown", "ConditionalRequestConflict", "OperationAborted",
    "InternalError", "ServiceUnavailable", "TooManyRequests",
})  # fmt: skip
# An answer that broke off: botocore's own retries end before the body is read.
BROKEN_BODY_ERRORS = (HTTPClientError, IncompleteReadError, HTTPError)
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_TRANSPORT_ERRORS = (BotoConnectionError, HTTPClientError, IncompleteReadError)
_REMEDIES = {
    "SignatureDoesNotMatch": "Check R2_SECRET_ACCESS_KEY.",
    "InvalidAccessKeyId": "Check R2_ACCESS_KEY_ID.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "MetadataTooLarge": "Shorten the metadata: 8,192 bytes in all.",
    "EntityTooLarge": "A single PUT carries 5 GiB at most.",
}
_CREDENTIALS_REMEDY = (
    "Check R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY, and that the token may read and write this bucket."
)
_BUCKET_REMEDY = "Create the bucket or correct R2_BUCKET_NAME (and R2_JURISDICTION, if the bucket has one)."
_REDIRECTED_REMEDY = (
    "Something between this machine and R2 answers in its place (a proxy, a sign-in page), or R2_ENDPOINT_URL is wrong."
)
_NETWORK_REMEDY = "Check the network and the endpoint (R2_ACCOUNT_ID, R2_ENDPOINT_URL)."


@contextmanager
def translated(bucket: str, key: str | None = None) -> Iterator[None]:
    """Raise what botocore or urllib3 raise inside the block as our own errors."""
    try:
        yield
    except ClientError as error:
        raise from_client_error(error, bucket=bucket, key=key) from None
    except (BotoCoreError, ResponseParserError, HTTPError, OSError) as error:
        raise _from_transport(error, bucket=bucket, key=key) from None


def status_of(error: ClientError) -> int:
    """The HTTP status of an error answer, 0 if there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """The S3 error code; a HEAD has no body, so its code is the status as text."""
    return str(error.response.get("Error", {}).get("Code", ""))


def answer_may_pass(status: int, code: str) -> bool:
    """Whether the same request may succeed later. Errors inside a server do, Cloudflare's 520 to 530 among them."""
    failed_inside = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    return failed_inside or status in _TRANSIENT_STATUSES or code in _TRANSIENT_CODES


def is_taken(status: int, code: str) -> bool:
    """Whether a conditional PUT was refused since something is there; 409 says that it is just being written."""
    return status == HTTPStatus.PRECONDITION_FAILED or code == "ConditionalRequestConflict"


def trouble_may_pass(error: Exception) -> bool:
    """Whether the same request may succeed after this exception: a certificate that is not trusted will not be."""
    if isinstance(error, SSLError | TransportSSLError) and _UNTRUSTED in str(error):
        return False
    return isinstance(error, (*_TRANSPORT_ERRORS, HTTPError, OSError))


def from_client_error(error: ClientError, *, bucket: str, key: str | None) -> ZInteractError:
    """The error of an answer that says no."""
    return error_of_answer(status_of(error), code_of(error), bucket=bucket, key=key)


def error_of_answer(status: int, code: str, *, bucket: str, key: str | None = None) -> ZInteractError:
    """The error of an HTTP status and an S3 error code."""
    thing = _thing(bucket, key)
    if answer_may_pass(status, code):
        return StorageUnavailableError(f"The object store could not serve {thing} ({status} {code}).")
    if status == HTTPStatus.NOT_FOUND or code in {"NoSuchKey", "NoSuchBucket"}:
        return _not_found(code, bucket=bucket, key=key)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return StorageRefusedError(
            f"The request for {thing} was redirected ({status} {code}).", code="Redirected", remedy=_REDIRECTED_REMEDY
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        code = code or str(int(status))  # a firewall's page instead of an S3 document names no code
        remedy = _REMEDIES.get(code, _CREDENTIALS_REMEDY)
        return StorageRefusedError(f"The object store denies access to {thing} ({code}).", code=code, remedy=remedy)
    return StorageRefusedError(
        f"The object store refused a request for {thing} ({status} {code}).", code=code, remedy=_REMEDIES.get(code, "")
    )


def _not_found(code: str, *, bucket: str, key: str | None) -> PermanentError:
    if key is None or code == "NoSuchBucket":
        return StorageRefusedError(f"There is no bucket {bucket!r}.", code="NoSuchBucket", remedy=_BUCKET_REMEDY)
    return ObjectNotFoundError(f"There is no object {key!r} in bucket {bucket!r}.", key=key)


def _from_transport(error: Exception, *, bucket: str, key: str | None) -> PermanentError | TransientError:
    thing = _thing(bucket, key)
    if isinstance(error, ParamValidationError):
        return StorageRefusedError(f"A request for {thing} breaks the S3 API's rules.", code="InvalidRequest")
    if isinstance(error, BotoCoreError) and not isinstance(error, _TRANSPORT_ERRORS):
        return StorageRefusedError(f"A request for {thing} could not be made ({type(error).__name__}).")
    return no_answer(type(error).__name__, bucket=bucket, key=key)


def no_answer(trouble: str, *, bucket: str, key: str | None) -> StorageUnavailableError:
    """The error of a request without an answer; `trouble` is an exception's name."""
    remedy = "Check the endpoint's certificate." if trouble == "SSLError" else _NETWORK_REMEDY
    return StorageUnavailableError(
        f"The object store did not answer for {_thing(bucket, key)} ({trouble}).", remedy=remedy
    )


def _thing(bucket: str, key: str | None) -> str:
    return f"bucket {bucket!r}" if key is None else f"object {key!r} in bucket {bucket!r}"
