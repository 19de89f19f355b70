"""Secrets in every setting that is one or may hold one, and in rows; each can be told from any other text."""

from collections.abc import Mapping

from cryptography.fernet import Fernet

from tests.support.images import base64_of, make_png, with_comment
from tests.support.tables import AppTable

WRONG = "planted-wrong-r2-secret-0123456789"
WRONG_ID = "planted-wrong-r2-key-id-0123456789"
API_TOKEN = "planted-api-token-0123456789"
PASSWORD = "planted/p@ssword+0123456789"
PARAMETER = "planted-query-parameter-0123456789"
SIGNATURE = "plantedsignatureofapresignedurl0123456789"
PROMPT = "planted prompt of a participant 0123456789"
KEYS = (Fernet.generate_key().decode(), Fernet.generate_key().decode())
PAYLOAD = base64_of(with_comment(make_png(7), b"planted payload " * 40))
NO_IMAGE = base64_of(b"planted payload that is no image, " * 9)

SECRETS: Mapping[str, str] = {
    "wrong secret key": WRONG, "wrong key id": WRONG_ID, "API token": API_TOKEN, "password": PASSWORD,
    "query parameter": PARAMETER, "signature": SIGNATURE, "prompt": PROMPT, "first encryption key": KEYS[0],
    "second encryption key": KEYS[1], "payload": PAYLOAD[200:400], "payload that is no image": NO_IMAGE[40:200],
}  # fmt: skip

SETTINGS: Mapping[str, str] = {"API_TOKEN": API_TOKEN, "METADATA_ENCRYPTION_KEYS": ",".join(KEYS)}

PRESIGNED = f"https://bucket.s3.amazonaws.com/x.png?X-Amz-Credential={SIGNATURE}&X-Amz-Signature={SIGNATURE}&v=2"

# Nobody listens on port 9. A password may be written escaped or, by mistake, as it is.
_POSTGRES = "postgresql+psycopg://app:{password}@127.0.0.1:9/app{parameters}"
DATABASES: Mapping[str, str] = {
    "escaped password": _POSTGRES.format(password=PASSWORD.replace("/", "%2F").replace("@", "%40"), parameters=""),
    "raw password": _POSTGRES.format(password=PASSWORD, parameters=""),
    "password as a parameter": f"postgresql+psycopg://app@127.0.0.1:9/app?password={PARAMETER}",
    "unknown parameter": f"postgresql+psycopg://app@127.0.0.1:9/app?token={PARAMETER}",
    "no driver": f"postgresql+nothing://app:{PARAMETER}@127.0.0.1:9/app",
    "no port": f"postgresql+psycopg://app:{PARAMETER}@127.0.0.1:port/app",
    "other database": f"mysql://app:{PARAMETER}@127.0.0.1:9/app",
}

# Settings that are refused, or that end a command early; by what is wrong.
MISTAKES: Mapping[str, Mapping[str, str]] = {
    **{f"DATABASE_URL: {name}": {"DATABASE_URL": url} for name, url in DATABASES.items()},
    **{f"LEDGER_URL: {name}": {"LEDGER_URL": url} for name, url in DATABASES.items()},
    "D1": {"DATABASE_URL": f"cloudflare_d1://account:{PARAMETER}@database"},
    "D1 without a database": {"DATABASE_URL": f"cloudflare_d1://account:{PARAMETER}@"},
    "file": {"DATABASE_URL": f"file:nowhere.db?authToken={PARAMETER}"},
    "public URL with a parameter": {"R2_PUBLIC_URL": f"https://img.example.com/?token={PARAMETER}"},
    "public URL with a user": {"R2_PUBLIC_URL": f"https://user:{PARAMETER}@img.example.com"},
    "former public URL": {"R2_FORMER_PUBLIC_URLS": f"https://img.example.com,https://x.example/?sig={PARAMETER}"},
    "endpoint with a parameter": {"R2_ENDPOINT_URL": f"http://127.0.0.1:9/?X-Amz-Signature={PARAMETER}"},
    "endpoint with a user": {"R2_ENDPOINT_URL": f"https://user:{PARAMETER}@r2.example.com"},
    "account id": {"R2_ACCOUNT_ID": f"{PARAMETER}!", "R2_ENDPOINT_URL": ""},
    "bucket": {"R2_BUCKET_NAME": f"{PARAMETER}!"},
    "encryption key": {"METADATA_ENCRYPTION_KEYS": f"{KEYS[0]},{PARAMETER}"},
    "batch size": {"MIGRATION_BATCH_SIZE": PARAMETER},
    "time zone": {"SCHEDULE_TIME_ZONE": PARAMETER},
    "cron": {"NIGHTLY_MIGRATION_CRON": PARAMETER},
    "wrong secret key": {"R2_SECRET_ACCESS_KEY": WRONG},
    "wrong key id": {"R2_ACCESS_KEY_ID": WRONG_ID, "R2_SECRET_ACCESS_KEY": WRONG},
}


def add_rows(app: AppTable, count: int = 3) -> None:
    """Rows whose prompt, payload or URL is a secret: images, one that is none, one at a presigned URL."""
    app.add("payload", image_data=PAYLOAD, image_url=PRESIGNED, prompt=PROMPT, participant_id=PROMPT)
    app.add("no image", image_data=NO_IMAGE, prompt=PROMPT)
    app.add("presigned", image_url=PRESIGNED, prompt=PROMPT)
    app.add("odd", image_data=f"{PAYLOAD[:-8]}!{PAYLOAD[-8:]}", prompt=PROMPT)
    app.add_many([
        {"id": f"image-{n}", "image_data": base64_of(make_png(n + 50)), "image_url": PRESIGNED, "prompt": PROMPT}
        for n in range(count)
    ])  # fmt: skip
