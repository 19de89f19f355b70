import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from z_interact_assets.core.errors import ObjectNotFoundError, StorageRefusedError, StorageUnavailableError
from z_interact_assets.storage.objects.failures import translated


def answer(status: int, code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "a message of the server"},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"x-secret": "hunter2"}},  # pyright: ignore[reportArgumentType]
        },
        "PutObject",
    )


def raised_for(error: Exception, key: str | None = "images/a.png") -> Exception:
    with pytest.raises(Exception) as caught, translated("pictures", key):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "BadDigest", StorageUnavailableError),
        (400, "IncompleteBody", StorageUnavailableError),
        (400, "RequestTimeout", StorageUnavailableError),
        (408, "408", StorageUnavailableError),
        (409, "OperationAborted", StorageUnavailableError),
        (429, "TooManyRequests", StorageUnavailableError),
        (429, "429", StorageUnavailableError),
        (500, "InternalError", StorageUnavailableError),
        (502, "502", StorageUnavailableError),
        (503, "SlowDown", StorageUnavailableError),
        (504, "504", StorageUnavailableError),
        (400, "MetadataTooLarge", StorageRefusedError),
        (400, "EntityTooLarge", StorageRefusedError),
        (400, "InvalidArgument", StorageRefusedError),
        (401, "Unauthorized", StorageRefusedError),
        (403, "AccessDenied", StorageRefusedError),
        (403, "403", StorageRefusedError),
        (403, "InvalidAccessKeyId", StorageRefusedError),
        (403, "RequestTimeTooSkewed", StorageRefusedError),
        (403, "SignatureDoesNotMatch", StorageRefusedError),
        (404, "NoSuchBucket", StorageRefusedError),
        (404, "NoSuchKey", ObjectNotFoundError),
        (404, "404", ObjectNotFoundError),
        (501, "NotImplemented", StorageRefusedError),
    ],
)
def test_an_answer_becomes_an_error_that_tells_whether_repeating_may_help(status, code, expected):
    error = raised_for(answer(status, code))
    assert type(error) is expected
    assert getattr(error, "code", code) == code
    assert getattr(error, "key", "images/a.png") == "images/a.png"


def test_a_404_without_a_key_is_a_missing_bucket():
    error = raised_for(answer(404, "404"), key=None)
    assert isinstance(error, StorageRefusedError)
    assert error.code == "NoSuchBucket"
    assert "R2_BUCKET_NAME" in error.remedy


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://x"),
        ConnectTimeoutError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
        SSLError(endpoint_url="https://x", error=ValueError("self-signed")),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ResponseParserError("<html>"),
        ProtocolError("reset"),
        ConnectionResetError(),
    ],
)
def test_trouble_on_the_way_may_pass(error):
    assert isinstance(raised_for(error), StorageUnavailableError)


def test_a_request_that_cannot_be_made_is_refused_without_its_parameters():
    error = raised_for(ParamValidationError(report="Metadata: my private prompt"))
    assert isinstance(error, StorageRefusedError)
    assert "private" not in str(error)


def test_the_original_is_not_shown_as_the_cause():
    error = raised_for(answer(403, "AccessDenied"))
    assert error.__suppress_context__
    assert error.__cause__ is None
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AccessDenied", "R2_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "R2_SECRET_ACCESS_KEY"),
        ("RequestTimeTooSkewed", "clock"),
    ],
)
def test_a_refusal_says_what_to_do(code, word):
    error = raised_for(answer(403, code))
    assert isinstance(error, StorageRefusedError)
    assert word in error.remedy
