"""Who may ask: SigV4 in the Authorization header or in the query of a presigned URL.

The signature is computed again with botocore's own signers; only the parsing of what the client claims is ours.
"""

import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as BotocoreCredentials
from werkzeug.wrappers import Request

from z_interact_assets.demo.standin_rules import Refusal

MAX_SKEW = timedelta(minutes=15)
MAX_PRESIGNED_SECONDS = 7 * 24 * 3600

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_SIGNATURE = "X-Amz-Signature"
_HEADER = re.compile(
    rf"{_ALGORITHM}\s+Credential=(?P<credential>[^,\s]+)\s*,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+)\s*,\s*Signature=(?P<signature>\w+)"
)
_SCOPE_PARTS = 5  # access key / day / region / service / aws4_request


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one key pair the stand-in accepts."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    access_key_id: str
    region: str
    signed_headers: tuple[str, ...]
    timestamp: str
    signature: str = field(repr=False)
    expires_seconds: int | None = None

    @property
    def moment(self) -> datetime:
        try:
            return datetime.strptime(self.timestamp, _TIMESTAMP).replace(tzinfo=UTC)
        except ValueError:
            raise Refusal(403, "AccessDenied", "X-Amz-Date is not a valid time.") from None


class _ClaimedHeaders:
    """Sign exactly the headers the client says it signed; botocore leaves some out that other clients sign."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers


class _HeaderSigner(_ClaimedHeaders, S3SigV4Auth):
    pass


class _QuerySigner(_ClaimedHeaders, S3SigV4QueryAuth):
    pass


def check_signature(request: Request, raw_path: str, credentials: Credentials, now: datetime) -> None:
    """Refuse unless the request carries a signature made with these credentials that is valid now."""
    claim = _claim_in_query(request) if _SIGNATURE in request.args else _claim_in_header(request)
    if claim.access_key_id != credentials.access_key_id:
        raise Refusal(403, "InvalidAccessKeyId", "The access key id you provided does not exist.")
    if not hmac.compare_digest(_signature(request, raw_path, claim, credentials), claim.signature):
        raise Refusal(403, "SignatureDoesNotMatch", "The signature we calculated does not match the one you provided.")
    _check_time(claim, now)


def _claim_in_header(request: Request) -> _Claim:
    sent = request.headers.get("Authorization")
    if sent is None:
        raise Refusal(403, "AccessDenied", "The request is not signed.")
    match = _HEADER.fullmatch(sent.strip())
    if match is None:
        raise Refusal(400, "AuthorizationHeaderMalformed", f"The Authorization header is not {_ALGORITHM}.")
    if "x-amz-content-sha256" not in request.headers:
        raise Refusal(400, "MissingSecurityHeader", "x-amz-content-sha256 is missing.")
    return _claim(match["credential"], match["headers"], match["signature"], request.headers.get("X-Amz-Date", ""))


def _claim_in_query(request: Request) -> _Claim:
    sent = request.args
    seconds = sent.get("X-Amz-Expires", type=int, default=0)
    if sent.get("X-Amz-Algorithm") != _ALGORITHM or not 0 < seconds <= MAX_PRESIGNED_SECONDS:
        raise Refusal(400, "AuthorizationQueryParametersError", "The query parameters of the signature are not valid.")
    return _claim(
        sent.get("X-Amz-Credential", ""),
        sent.get("X-Amz-SignedHeaders", ""),
        sent[_SIGNATURE],
        sent.get("X-Amz-Date", ""),
        expires_seconds=seconds,
    )


def _claim(
    credential: str, headers: str, signature: str, timestamp: str, *, expires_seconds: int | None = None
) -> _Claim:
    scope = credential.split("/")
    well_formed = len(scope) == _SCOPE_PARTS and scope[3:] == ["s3", "aws4_request"] and scope[1] == timestamp[:8]
    names = tuple(headers.lower().split(";"))
    if not well_formed or "host" not in names:
        raise Refusal(400, "AuthorizationHeaderMalformed", "The credential scope or the signed headers are not valid.")
    return _Claim(
        access_key_id=scope[0],
        region=scope[2],
        signed_headers=names,
        timestamp=timestamp,
        signature=signature,
        expires_seconds=expires_seconds,
    )


def _signature(request: Request, raw_path: str, claim: _Claim, credentials: Credentials) -> str:
    presigned = claim.expires_seconds is not None
    signer_class: type[SigV4Auth] = _QuerySigner if presigned else _HeaderSigner
    pair = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key)
    signer = signer_class(pair, "s3", claim.region)
    sent = AWSRequest(
        method=request.method,
        url=f"http://{request.host}{raw_path}",
        headers={name: request.headers.get(name, "") for name in claim.signed_headers},
        params={name: value for name, value in request.args.items() if name != _SIGNATURE},
    )
    sent.context["timestamp"] = claim.timestamp
    return signer.signature(signer.string_to_sign(sent, signer.canonical_request(sent)), sent)


def _check_time(claim: _Claim, now: datetime) -> None:
    if claim.moment > now + MAX_SKEW or (claim.expires_seconds is None and claim.moment < now - MAX_SKEW):
        raise Refusal(403, "RequestTimeTooSkewed", "The request's time and the server's differ too much.")
    if claim.expires_seconds is not None and now > claim.moment + timedelta(seconds=claim.expires_seconds):
        raise Refusal(403, "AccessDenied", "Request has expired.")
