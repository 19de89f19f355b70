"""The algorithm of the service that is being replaced, from its description, faults and all. Do not copy it.

    python -m bench.old_service TABLE ENDPOINT BUCKET PUBLIC_URL [ROWS]

All rows are loaded at once, base64 and all; batches of ten; three uploads at a time, and all three must end before the
next three start; 100 ms of sleep after each batch; a random key; the row is updated by its id alone, its base64 lost.
Threads and boto3 as they come, where it had promises and the AWS SDK for Node.
"""

import base64
import json
import random
import sqlite3
import string
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

BATCH = 10
CONCURRENCY = 3
PAUSE_S = 0.1


def main() -> None:
    table, endpoint, bucket, public_url, *rows = sys.argv[1:]
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint, region_name="auto")
    started = time.perf_counter()
    migrated = migrate(table, client, bucket, public_url, int(rows[0]) if rows else -1)
    print(json.dumps({"migrated": migrated, "duration_seconds": time.perf_counter() - started}))


def migrate(table: str, client: Any, bucket: str, public_url: str, limit: int) -> int:
    connection = sqlite3.connect(table)
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT * FROM images WHERE image_data IS NOT NULL LIMIT ?", [limit]).fetchall()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            for first in range(0, len(batch), CONCURRENCY):
                three = batch[first : first + CONCURRENCY]
                keys = list(pool.map(lambda row: upload(client, bucket, row), three))  # the barrier
                for row, key in zip(three, keys, strict=True):
                    connection.execute(
                        "UPDATE images SET image_url = ?, image_data = NULL, r2_key = ? WHERE id = ?",
                        [f"{public_url}/{key}", key, row["id"]],
                    )
                    connection.commit()
            time.sleep(PAUSE_S)
    connection.close()
    return len(rows)


def upload(client: Any, bucket: str, row: sqlite3.Row) -> str:
    name = "".join(random.choices(string.ascii_lowercase + string.digits, k=9))
    key = f"images/{row['persona_id']}/{int(time.time() * 1000)}-{name}.{row['image_mime_type'].removeprefix('image/')}"
    client.put_object(
        Bucket=bucket,
        Key=key,
        Body=base64.b64decode(row["image_data"]),
        ContentType=row["image_mime_type"],
        CacheControl="public, max-age=31536000",
        Metadata={"personaId": row["persona_id"], "prompt": row["prompt"], "originalId": row["id"]},
    )
    return key


if __name__ == "__main__":
    main()
