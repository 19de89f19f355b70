"""The sample table and the stand-in together, as the demo starts."""

import sqlite3

import urllib3

from z_interact_assets.demo.sample import make_sample_table


def test_rows_that_say_they_are_in_r2_are_served_from_the_public_url(standin, s3, tmp_path):
    def upload(key: str, data: bytes, content_type: str) -> None:
        s3.put_object(Bucket=standin.bucket, Key=key, Body=data, ContentType=content_type)

    sample = make_sample_table(tmp_path / "local.db", public_url=standin.public_url, uploader=upload)
    connection = sqlite3.connect(sample.path)
    urls = dict(connection.execute("SELECT id, image_url FROM images WHERE image_url LIKE 'http://127.0.0.1:%'"))
    connection.close()
    with urllib3.PoolManager(retries=False) as pool:
        statuses = {row_id: pool.request("GET", url).status for row_id, url in urls.items()}
    missing = sample.ids(kind="in_r2_but_missing")
    assert len(statuses) == 3
    assert statuses == {row_id: 404 if row_id in missing else 200 for row_id in urls}
