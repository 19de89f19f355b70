"""Our signature against botocore's, at one moment."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from z_interact_assets.storage.objects.signing import Signer, query_string

MOMENT = datetime(2025, 9, 1, 23, 59, 58, tzinfo=UTC)
SIGNER = Signer(host="acc.r2.example:8443", region="auto", access_key_id="id", secret="s/e+c ret")


@pytest.fixture
def botocores(monkeypatch):
    """Sign by botocore at MOMENT."""
    for name in ("get_current_datetime", "datetime"):
        if hasattr(botocore.auth, name):
            monkeypatch.setattr(botocore.auth, name, _Moments if name == "datetime" else _moment)

    def sign(method: str, url: str) -> dict[str, str]:
        request = AWSRequest(method, url)
        S3SigV4Auth(Credentials("id", "s/e+c ret"), "s3", "auto").add_auth(request)
        return {name.lower(): text for name, text in request.headers.items()}

    return sign


def _moment(**_: object) -> datetime:
    return MOMENT.replace(tzinfo=None)


class _Moments(datetime):
    @classmethod
    def utcnow(cls) -> datetime:
        return MOMENT.replace(tzinfo=None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/bucket/images/s-1/gen-z/1757500000000-abc.png", {}),
        ("/base/bucket/a_b.c/d-e.svg", {}),
        (
            "/bucket",
            {"prefix": "images/", "list-type": "2", "start-after": "images/a b+ü/%~", "continuation-token": "1/="},
        ),
    ],
)
def test_the_signature_is_botocores(botocores, method, path, query):
    url = f"https://{SIGNER.host}{path}" + (f"?{query_string(query)}" if query else "")
    ours = {name.lower(): text for name, text in SIGNER.headers(method, path, query, at=MOMENT.timestamp()).items()}
    assert ours == botocores(method, url)


def test_another_day_another_secret_or_another_region_has_another_signature():
    signers = [SIGNER, Signer(host=SIGNER.host, region="eu", access_key_id="id", secret="s/e+c ret"),
               Signer(host=SIGNER.host, region="auto", access_key_id="id", secret="other")]  # fmt: skip
    moments = (MOMENT.timestamp(), MOMENT.timestamp() + 86_400)
    signatures = {
        signer.headers("GET", "/b/k", {}, at=at)["Authorization"].partition("Signature=")[2]
        for signer in signers for at in moments
    }  # fmt: skip
    assert len(signatures) == 6


def test_the_secret_is_not_shown():
    assert "e+c" not in repr(SIGNER)
