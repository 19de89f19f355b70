import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.doctor import Finding, diagnose, exit_code
from z_interact_assets.doctor.bucket import tiny_png
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.objects import R2Config, R2Store
from z_interact_assets.storage.public import PublicReader

KEY = "doctor/probe.png"
TABLE = "CREATE TABLE images (id TEXT, image_url TEXT, image_data TEXT, prompt TEXT)"
NAMES = [
    "settings", "table", "table_shape", "table_ids", "table_writable", "ledger", "bucket_access", "upload", "download",
    "metadata", "public_url", "cors", "conditional_put", "cleanup",
]  # fmt: skip

Fault = Callable[[IncomingRequest], Response | None]


class Clinic:
    """Everything the doctor looks at, on one real server; `fault` answers in its place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault: Fault = lambda _: None
        self.standin = StandIn(folder / "standin", faults=self._answer)
        self.parts: dict[str, Any] = {
            "settings_problems": [],
            "open_table": partial(open_table, f"file:{folder / 'local.db'}"),
            "open_ledger": partial(open_ledger, f"sqlite:///{folder / 'ledger.db'}"),
            "open_store": self.open_store,
            "open_public": partial(PublicReader, retries=0),
            "new_token": lambda: "probe",
        }

    def _answer(self, request: IncomingRequest) -> Response | None:
        return self.fault(request)

    def make_table(self, statement: str = TABLE) -> None:
        with closing(sqlite3.connect(self.folder / "local.db")) as connection, connection:
            connection.execute("DROP TABLE IF EXISTS images")
            connection.execute(statement)

    def open_store(self, **more: Any) -> R2Store:
        values = {
            "endpoint_url": self.standin.endpoint_url,
            "bucket": self.standin.bucket,
            "access_key_id": self.standin.access_key_id,
            "secret_access_key": self.standin.secret_access_key,
            "public_url": self.standin.public_url,
            "max_attempts": 1,
            **more,
        }
        return R2Store.from_config(R2Config(**values))

    def diagnose(self, **more: Any) -> dict[str, Finding]:
        findings = diagnose(**{**self.parts, **more})
        assert [finding.name for finding in findings] == NAMES
        return {finding.name: finding for finding in findings}

    def probe_is_there(self) -> bool:
        self.fault = lambda _: None
        with self.open_store() as store:
            return store.exists(KEY)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    made.make_table()
    with made.standin:
        yield made


def with_status(findings: dict[str, Finding], status: str) -> set[str]:
    return {name for name, finding in findings.items() if finding.status == status}


def answer_public(**headers: str) -> Fault:
    """Serve the probe's PNG as told, instead of the server's own public answer."""
    png: list[bytes] = []

    def fault(request: IncomingRequest) -> Response | None:
        if request.method == "PUT":
            png.append(request.body)
        if request.kind != "public":
            return None
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return Response(png[0], content_type="image/png", headers=named)

    return fault


def test_a_healthy_setting_passes_every_probe_but_cors(clinic: Clinic):
    findings = clinic.diagnose()
    assert with_status(findings, "ok") == set(NAMES) - {"cors"}
    assert findings["cors"].status == "warn"
    assert "canvas" in findings["cors"].message
    assert exit_code(findings.values()) == 0


def test_the_probe_is_written_once_and_deleted(clinic: Clinic):
    clinic.diagnose()
    assert clinic.standin.requests["DELETE", "object"] == 1
    assert not clinic.probe_is_there()


def test_random_keys_are_used_unless_told(clinic: Clinic):
    clinic.parts.pop("new_token")
    messages = {clinic.diagnose()["upload"].message for _ in range(2)}
    assert len(messages) == 2


@pytest.mark.parametrize("allowed", ["*", "https://app.example"])
def test_cors_passes_where_the_origin_is_allowed(clinic: Clinic, allowed):
    clinic.fault = answer_public(Cache_Control="public", Access_Control_Allow_Origin=allowed)
    findings = clinic.diagnose(origin="https://app.example")
    assert findings["cors"].status == "ok"


def test_another_origin_being_allowed_is_a_warning(clinic: Clinic):
    clinic.fault = answer_public(Cache_Control="public", Access_Control_Allow_Origin="https://other.example")
    assert clinic.diagnose(origin="https://app.example")["cors"].status == "warn"


def test_a_public_answer_without_cache_control_is_a_warning(clinic: Clinic):
    clinic.fault = answer_public()
    assert clinic.diagnose()["public_url"].status == "warn"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response("no", status=404), "404"),
        (Response("no", status=403), "403"),
        (Response("", status=302, headers={"Location": "https://elsewhere.example/"}), "302"),
        (Response("other bytes", content_type="image/png", headers={"Cache-Control": "public"}), "other bytes"),
    ],
)
def test_a_public_url_that_does_not_serve_the_image_fails_alone(clinic: Clinic, answer, words):
    clinic.fault = lambda request: answer if request.kind == "public" else None
    findings = clinic.diagnose()
    assert with_status(findings, "fail") == {"public_url"}
    assert with_status(findings, "skipped") == {"cors"}
    assert words in findings["public_url"].message
    assert findings["public_url"].remedy
    assert exit_code(findings.values()) == 2


def test_a_public_url_nobody_answers_at_is_a_failure_that_may_pass(clinic: Clinic):
    findings = clinic.diagnose(open_store=partial(clinic.open_store, public_url="http://127.0.0.1:1"))
    assert with_status(findings, "fail") == {"public_url"}
    assert findings["public_url"].transient
    assert exit_code(findings.values()) == 3


def test_a_missing_public_url_is_named(clinic: Clinic):
    findings = clinic.diagnose(open_store=partial(clinic.open_store, public_url=None))
    assert "R2_PUBLIC_URL" in findings["public_url"].message


def test_an_endpoint_that_ignores_if_none_match_fails(clinic: Clinic):
    def overwrite(request: IncomingRequest) -> Response | None:
        if request.method != "PUT" or request.number == 1:
            return None
        etag = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
        return Response("", headers={"ETag": f'"{etag}"'})

    clinic.fault = overwrite
    findings = clinic.diagnose()
    assert with_status(findings, "fail") == {"conditional_put"}
    assert "If-None-Match" in findings["conditional_put"].remedy


def test_metadata_that_comes_back_changed_fails(clinic: Clinic):
    def forget_metadata(request: IncomingRequest) -> Response | None:
        if request.method != "HEAD" or request.kind != "object":
            return None
        headers = {"ETag": '"x"', "Last-Modified": "Wed, 08 Oct 2025 00:00:00 GMT"}
        return Response("", content_type="image/png", headers=headers)

    clinic.fault = forget_metadata
    assert clinic.diagnose()["metadata"].status == "fail"


def test_wrong_credentials_fail_once_and_what_hangs_on_them_is_skipped(clinic: Clinic):
    findings = clinic.diagnose(open_store=partial(clinic.open_store, secret_access_key="a-wrong-secret"))
    assert with_status(findings, "fail") == {"bucket_access"}
    assert with_status(findings, "skipped") == set(NAMES[NAMES.index("upload") :])
    assert exit_code(findings.values()) == 2
    assert "a-wrong-secret" not in repr(findings)
    assert clinic.standin.secret_access_key not in repr(findings)


def test_a_bucket_that_does_not_exist_is_named(clinic: Clinic):
    finding = clinic.diagnose(open_store=partial(clinic.open_store, bucket="no-such-bucket"))["bucket_access"]
    assert finding.status == "fail"
    assert "no-such-bucket" in finding.message
    assert "R2_BUCKET_NAME" in finding.remedy


def test_a_server_that_is_down_leaves_the_databases_examined(clinic: Clinic):
    open_store = partial(clinic.open_store, endpoint_url="http://127.0.0.1:1")
    findings = clinic.diagnose(open_store=open_store)
    assert with_status(findings, "ok") == set(NAMES[: NAMES.index("bucket_access")])
    assert findings["bucket_access"].transient
    assert exit_code(findings.values()) == 3


def test_the_probe_is_deleted_although_its_download_failed(clinic: Clinic):
    clinic.fault = lambda request: (
        Response("", status=500) if (request.method, request.kind) == ("GET", "object") else None
    )
    findings = clinic.diagnose()
    assert with_status(findings, "fail") == {"download"}
    assert findings["cleanup"].status == "ok"
    assert not clinic.probe_is_there()


def test_the_probe_is_deleted_although_nobody_can_tell_whether_it_was_written(clinic: Clinic):
    with clinic.open_store() as store:
        store.upload(KEY, tiny_png(7))
    # The PUT finds the key taken, and the HEAD that would tell whether by itself gets no answer.
    clinic.fault = lambda request: (
        Response("", status=500) if (request.method, request.kind) == ("HEAD", "object") else None
    )
    findings = clinic.diagnose()
    assert (findings["upload"].status, findings["cleanup"].status) == ("fail", "skipped")
    assert not clinic.probe_is_there()


def test_the_probe_is_deleted_when_somebody_interrupts(clinic: Clinic):
    def interrupt() -> PublicReader:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diagnose(**{**clinic.parts, "open_public": interrupt})
    assert clinic.standin.requests["PUT", "object"] == 1
    assert not clinic.probe_is_there()


def test_a_probe_that_cannot_be_deleted_is_named(clinic: Clinic):
    clinic.fault = lambda request: Response("", status=500) if request.method == "DELETE" else None
    finding = clinic.diagnose()["cleanup"]
    assert finding.status == "fail"
    assert KEY in finding.message


def test_settings_problems_are_a_line_each():
    problems = ["A is wrong", "B is wrong"]
    findings = diagnose(settings_problems=problems, open_table=None, open_ledger=None, open_store=None)
    assert [finding.message for finding in findings[:2]] == problems
    assert {finding.status for finding in findings[2:]} == {"skipped"}
    assert exit_code(findings) == 2


def test_a_part_whose_settings_are_missing_fails_with_them(clinic: Clinic):
    def no_settings() -> R2Store:
        raise SettingsError(["R2_ACCESS_KEY_ID is not set"])

    assert clinic.diagnose(open_store=no_settings)["bucket_access"].message == "R2_ACCESS_KEY_ID is not set"


def test_a_missing_database_file_skips_the_other_probes_of_the_table(clinic: Clinic):
    findings = clinic.diagnose(open_table=partial(open_table, f"file:{clinic.folder / 'none.db'}"))
    assert with_status(findings, "fail") == {"table"}
    assert with_status(findings, "skipped") == {"table_shape", "table_ids", "table_writable"}


def test_an_unknown_column_and_rows_without_an_id_are_warnings(clinic: Clinic):
    clinic.make_table("CREATE TABLE images (id TEXT, image_url TEXT, image_data TEXT, surprise TEXT)")
    with closing(sqlite3.connect(clinic.folder / "local.db")) as connection, connection:
        connection.execute("INSERT INTO images (id, surprise) VALUES (NULL, 'a'), ('b', 'b')")
    findings = clinic.diagnose()
    assert with_status(findings, "warn") == {"table_shape", "table_ids", "cors"}
    assert "surprise" in findings["table_shape"].message
    assert "2 rows" in findings["table"].message


def test_a_table_without_image_data_is_a_warning(clinic: Clinic):
    clinic.make_table("CREATE TABLE images (id TEXT, image_url TEXT)")
    assert clinic.diagnose()["table_shape"].status == "warn"


def test_a_dump_can_only_be_read_which_is_a_warning(clinic: Clinic):
    dump = clinic.folder / "dump.sql"
    dump.write_text(f"{TABLE};\n")
    findings = clinic.diagnose(open_table=partial(open_table, f"dump:{dump}"))
    assert with_status(findings, "warn") == {"table_writable", "cors"}


def test_a_locked_database_is_a_failure_that_may_pass(clinic: Clinic):
    impatient = partial(open_table, f"file:{clinic.folder / 'local.db'}", busy_timeout=0.01)
    with closing(sqlite3.connect(clinic.folder / "local.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        findings = clinic.diagnose(open_table=impatient)
    assert with_status(findings, "fail") == {"table_writable"}
    assert findings["table_writable"].transient


def test_a_ledger_that_is_not_there_yet_fails_alone(clinic: Clinic):
    path = clinic.folder / "other.db"
    findings = clinic.diagnose(open_ledger=partial(open_ledger, f"sqlite:///{path}", create=False))
    assert with_status(findings, "fail") == {"ledger"}
    assert not path.exists()


def test_a_fault_in_a_probe_tells_its_type_and_nothing_it_holds(clinic: Clinic):
    def faulty() -> R2Store:
        raise RuntimeError("password=secret")

    findings = clinic.diagnose(open_store=faulty)
    assert "RuntimeError" in findings["bucket_access"].message
    assert "secret" not in repr(findings)


def test_a_finding_is_one_json_object(clinic: Clinic):
    assert clinic.diagnose()["cleanup"].to_json() == {
        "name": "cleanup", "status": "ok", "message": "The probe's object is deleted.", "remedy": "",
        "transient": False,
    }  # fmt: skip
