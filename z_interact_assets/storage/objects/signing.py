"""AWS Signature Version 4 of a request without a body, for keys that need no escaping. Pure: the time is passed in.

botocore's own takes 0.2 ms for it, half of what a HEAD over urllib3 takes in all; a test holds the two together.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

_NO_BODY = hashlib.sha256(b"").hexdigest()
_SIGNED = "host;x-amz-content-sha256;x-amz-date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs requests to one host. `host` is as in the Host header."""

    host: str
    region: str
    access_key_id: str = field(repr=False)
    secret: str = field(repr=False)

    def headers(self, method: str, path: str, query: Mapping[str, str], *, at: float) -> dict[str, str]:
        """Return the headers that sign the request at that moment (seconds since 1970)."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        request = (
            f"{method}\n{path}\n{query_string(query)}\nhost:{self.host}\nx-amz-content-sha256:{_NO_BODY}\n"
            f"x-amz-date:{moment}\n\n{_SIGNED}\n{_NO_BODY}"
        )
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(_key(self.secret, moment[:8], self.region), text.encode(), "sha256").hex()
        return {
            "x-amz-content-sha256": _NO_BODY,
            "x-amz-date": moment,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{scope}, SignedHeaders={_SIGNED}, "
            f"Signature={signature}",
        }


def query_string(query: Mapping[str, str]) -> str:
    """Return a query in the form that is signed, which is the one to send, too."""
    return "&".join(f"{_escaped(name)}={_escaped(text)}" for name, text in sorted(query.items()))


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")


@lru_cache(maxsize=8)  # it changes once a day
def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
