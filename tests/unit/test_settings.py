"""Settings: where each comes from, what is refused, and that no secret ever shows."""

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from dotenv import dotenv_values
from pydantic import ValidationError

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.settings import Settings, load_automation_settings, load_settings, redact_url

ROOT = Path(__file__).parents[2]
MIB = 2**20
SETTINGS = {name.upper() for name in Settings.model_fields} - {"DIRECTORY"}
ACCOUNT = "0123456789abcdef0123456789abcdef"
R2 = {
    "R2_ACCOUNT_ID": ACCOUNT,
    "R2_ACCESS_KEY_ID": "key-id-hush",
    "R2_SECRET_ACCESS_KEY": "secret-hush",
    "R2_PUBLIC_URL": "https://cdn.example.com/",
}
WRANGLER_TOML = """
name = "z-interact"
[vars]
R2_PUBLIC_URL = "https://wrangler.example.com"
MIGRATION_BATCH_SIZE = 25
R2_SECRET_ACCESS_KEY = "not-from-here"
[[r2_buckets]]
binding = "EMPTY"
[[r2_buckets]]
bucket_name = "from-wrangler"
[[d1_databases]]
database_id = "d1-id"
"""
WRANGLER_JSONC = """{
  // comments and trailing commas
  "vars": {"R2_PUBLIC_URL": "https://wrangler.example.com", "MIGRATION_BATCH_SIZE": "25",},
  "r2_buckets": [{"binding": "EMPTY"}, {"bucket_name": "from-wrangler"}],
  "d1_databases": [{"database_id": "d1-id"}],
}"""


def problems_of(directory: Path, **env: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(env, directory=directory)
    return list(caught.value.problems)


def names_in(problems: list[str]) -> list[str]:
    return [problem.replace(":", " ").split(" ")[0] for problem in problems]


def test_defaults_are_those_of_the_contract(tmp_path):
    settings = load_settings({}, directory=tmp_path)

    assert settings.database_url.get_secret_value() == "file:local.db"
    assert settings.home == tmp_path / ".dagster_home"
    assert settings.ledger_url.get_secret_value() == f"sqlite:///{tmp_path}/.dagster_home/ledger.db"
    assert settings.report_dir == tmp_path / ".dagster_home" / "reports"
    assert settings.r2_bucket_name == "z-interact-images"
    assert settings.r2_endpoint_url is None
    assert settings.enable_r2_storage is True
    assert settings.migration_batch_size == 10
    assert (settings.upload_concurrency, settings.max_upload_concurrency) == ("auto", 128)
    assert settings.max_in_flight_bytes == 128 * MIB
    assert (settings.max_image_bytes, settings.warn_image_bytes) == (50 * MIB, 10 * MIB)
    assert settings.cache_control == "public, max-age=31536000"
    assert settings.reclaim_after_days == 7
    assert settings.metadata_encryption_keys == ()
    assert settings.cipher() is None
    assert settings.static_dir is None


def test_settings_cannot_be_changed_nor_misspelt(tmp_path):
    settings = load_settings({}, directory=tmp_path)

    with pytest.raises(ValidationError):
        settings.migration_batch_size = 5
    with pytest.raises(ValidationError):
        Settings(migration_batch="5")  # type: ignore[call-arg] - that it fails is the point


def test_environment_wins_over_dotenv_and_dotenv_over_wrangler(tmp_path):
    (tmp_path / "wrangler.toml").write_text(WRANGLER_TOML)
    (tmp_path / ".env").write_text("R2_BUCKET_NAME=from-dotenv\nMIGRATION_BATCH_SIZE=50\n")

    settings = load_settings({"MIGRATION_BATCH_SIZE": "75"}, directory=tmp_path)

    assert settings.migration_batch_size == 75
    assert settings.r2_bucket_name == "from-dotenv"
    assert settings.r2_public_url == "https://wrangler.example.com"


def test_process_environment_is_read_when_none_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("R2_BUCKET_NAME", "from-process")
    monkeypatch.chdir(tmp_path)

    assert load_settings().r2_bucket_name == "from-process"
    assert load_settings({}).r2_bucket_name == "z-interact-images"


@pytest.mark.parametrize(
    ("name", "text"),
    [("wrangler.toml", WRANGLER_TOML), ("wrangler.jsonc", WRANGLER_JSONC), ("wrangler.json", WRANGLER_JSONC)],
)
def test_wrangler_configuration_gives_defaults(tmp_path, name, text):
    (tmp_path / name).write_text(text)

    settings = load_settings({"DATABASE_URL": "cloudflare_d1://account:token@"}, directory=tmp_path)

    assert settings.r2_bucket_name == "from-wrangler"
    assert settings.r2_public_url == "https://wrangler.example.com"
    assert settings.migration_batch_size == 25
    assert settings.database_url.get_secret_value() == "cloudflare_d1://account:token@d1-id"
    assert settings.r2_secret_access_key is None


@pytest.mark.parametrize("text", ["[]", "3", '{"vars": 3, "r2_buckets": "x", "d1_databases": [1, {}]}'])
def test_wrangler_configuration_of_another_shape_gives_nothing(tmp_path, text):
    nothing = load_settings({}, directory=tmp_path)
    (tmp_path / "wrangler.jsonc").write_text(text)

    assert load_settings({}, directory=tmp_path) == nothing


def test_empty_value_counts_as_unset(tmp_path):
    (tmp_path / ".env").write_text("R2_BUCKET_NAME=from-dotenv\nR2_PUBLIC_URL=\n")

    settings = load_settings({"R2_BUCKET_NAME": "", "MIGRATION_BATCH_SIZE": " ", "API_TOKEN": ""}, directory=tmp_path)

    assert settings.r2_bucket_name == "from-dotenv"
    assert settings.migration_batch_size == 10
    assert settings.api_token is None


def test_unknown_names_are_ignored(tmp_path):
    settings = load_settings({"R2_BUKET_NAME": "x", "DIRECTORY": "/", "PATH": "/bin"}, directory=tmp_path)

    assert settings.directory == tmp_path


def test_all_problems_are_listed_at_once_with_their_variables(tmp_path):
    (tmp_path / "wrangler.toml").write_text("[vars\n")
    env = {
        "DATABASE_URL": "mysql://user:hush@host/db",
        "LEDGER_URL": "redis://:hush@host",
        "R2_ACCOUNT_ID": "evil.example/",
        "R2_BUCKET_NAME": "No_Bucket",
        "R2_JURISDICTION": "moon",
        "R2_ENDPOINT_URL": "http://s3.example.com",
        "R2_PUBLIC_URL": "http://cdn.example.com",
        "R2_FORMER_PUBLIC_URLS": "https://fine.example.com, nonsense",
        "ENABLE_R2_STORAGE": "perhaps",
        "MIGRATION_BATCH_SIZE": "0",
        "UPLOAD_CONCURRENCY": "129",
        "MAX_IN_FLIGHT_BYTES": "lots",
        "MAX_IMAGE_BYTES": "0",
        "WARN_IMAGE_BYTES": "-1",
        "CACHE_CONTROL": "public\r\nX-Evil: 1",
        "RECLAIM_AFTER_DAYS": "-1",
        "METADATA_ENCRYPTION_KEYS": f"{Fernet.generate_key().decode()},hush",
        "NIGHTLY_MIGRATION_CRON": "nightly",
        "SCHEDULE_TIME_ZONE": "Mars/Olympus",
    }

    problems = problems_of(tmp_path, **env)

    assert sorted(names_in(problems)) == sorted(["wrangler.toml", *env])
    assert "hush" not in str(problems)
    assert str(tmp_path) not in str(problems)


@pytest.mark.parametrize("name", [".env", "wrangler.toml", "wrangler.json"])
def test_file_that_is_not_text_is_a_problem_that_names_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")

    assert names_in(problems_of(tmp_path)) == [name]


@pytest.mark.parametrize(
    ("text", "size"), [("1048576", MIB), ("128 MiB", 128 * MIB), ("128MiB", 128 * MIB), ("50MB", 50_000_000)]
)
def test_sizes_are_read_with_their_units(tmp_path, text, size):
    assert load_settings({"MAX_IN_FLIGHT_BYTES": text}, directory=tmp_path).max_in_flight_bytes == size


@pytest.mark.parametrize(("text", "value"), [("auto", "auto"), (" AUTO ", "auto"), ("1", 1), ("128", 128)])
def test_upload_concurrency_is_auto_or_a_number(tmp_path, text, value):
    assert load_settings({"UPLOAD_CONCURRENCY": text}, directory=tmp_path).upload_concurrency == value


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "\u0663", "129"])
def test_other_upload_concurrency_is_refused(tmp_path, text):
    assert names_in(problems_of(tmp_path, UPLOAD_CONCURRENCY=text)) == ["UPLOAD_CONCURRENCY"]


def test_upload_concurrency_is_bounded_by_its_own_maximum(tmp_path):
    env = {"UPLOAD_CONCURRENCY": "200", "MAX_UPLOAD_CONCURRENCY": "256"}

    assert load_settings(env, directory=tmp_path).upload_concurrency == 200


@pytest.mark.parametrize(
    ("jurisdiction", "host"),
    [
        ("", f"{ACCOUNT}.r2.cloudflarestorage.com"),
        ("EU", f"{ACCOUNT}.eu.r2.cloudflarestorage.com"),
        ("fedramp", f"{ACCOUNT}.fedramp.r2.cloudflarestorage.com"),
    ],
)
def test_endpoint_follows_from_account_and_jurisdiction(tmp_path, jurisdiction, host):
    settings = load_settings({"R2_ACCOUNT_ID": ACCOUNT, "R2_JURISDICTION": jurisdiction}, directory=tmp_path)

    assert settings.r2_endpoint_url == f"https://{host}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://localhost:8787/cdn-cgi/local/r2/s3"])
def test_endpoint_of_a_stand_in_on_this_machine_needs_no_account(tmp_path, url):
    access = load_settings(R2 | {"R2_ACCOUNT_ID": "", "R2_ENDPOINT_URL": url}, directory=tmp_path).require_r2()

    assert access.endpoint_url == url


def test_bases_cover_current_and_former_urls(tmp_path):
    env = R2 | {"R2_FORMER_PUBLIC_URLS": "https://old.example.com/, http://older.example.com"}

    bases = load_settings(env, directory=tmp_path).known_bases()

    assert bases.public_url("a.png") == "https://cdn.example.com/a.png"
    assert bases.key_of("https://old.example.com/a.png") == "a.png"
    assert bases.key_of("http://older.example.com/a.png") == "a.png"
    assert bases.key_of(f"https://{ACCOUNT}.r2.cloudflarestorage.com/z-interact-images/a.png") == "a.png"
    assert bases.key_of(f"https://{ACCOUNT}.r2.cloudflarestorage.com/other/a.png") is None


def test_required_r2_settings_come_back_whole(tmp_path):
    access = load_settings(R2, directory=tmp_path).require_r2()

    assert asdict(access) == {
        "endpoint_url": f"https://{ACCOUNT}.r2.cloudflarestorage.com",
        "bucket": "z-interact-images",
        "access_key_id": "key-id-hush",
        "secret_access_key": "secret-hush",
        "public_url": "https://cdn.example.com",
    }
    assert "hush" not in repr(access)


@pytest.mark.parametrize("missing", [*R2])
def test_required_r2_setting_that_is_missing_is_named_alone(tmp_path, missing):
    env = {name: value for name, value in R2.items() if name != missing}

    with pytest.raises(SettingsError) as caught:
        load_settings(env, directory=tmp_path).require_r2()

    assert names_in(list(caught.value.problems)) == [missing]
    assert "z-interact-assets demo" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_r2_that_is_switched_off_is_refused_with_all_else_that_is_missing(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_settings({"ENABLE_R2_STORAGE": "false"}, directory=tmp_path).require_r2()

    assert names_in(list(caught.value.problems)) == ["ENABLE_R2_STORAGE", *R2]


def test_relative_folders_start_at_the_working_folder(tmp_path):
    env = {"DAGSTER_HOME": "state", "STATIC_DIR": "static", "REPORT_DIR": "/elsewhere"}

    settings = load_settings(env, directory=tmp_path)

    assert settings.home == tmp_path / "state"
    assert settings.ledger_url.get_secret_value() == f"sqlite:///{tmp_path}/state/ledger.db"
    assert settings.static_dir == tmp_path / "static"
    assert settings.report_dir == Path("/elsewhere")


def test_encryption_keys_make_a_cipher_that_reads_the_older_ones(tmp_path):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before = load_settings({"METADATA_ENCRYPTION_KEYS": old}, directory=tmp_path).cipher()
    after = load_settings({"METADATA_ENCRYPTION_KEYS": f"{new}, {old}"}, directory=tmp_path).cipher()

    assert before is not None
    assert after is not None
    assert after.decrypt(before.encrypt("text")) == "text"


def test_d1_url_without_a_database_says_what_to_set(tmp_path):
    [problem] = problems_of(tmp_path, DATABASE_URL="cloudflare_d1://account:hush@")

    assert "D1_DATABASE_ID" in problem
    assert "hush" not in problem


def test_secrets_show_neither_in_repr_nor_in_json(tmp_path):
    env = R2 | {
        "API_TOKEN": "hush",
        "DATABASE_URL": "postgresql://user:hush@host/db",
        "LEDGER_URL": "postgresql://user:hush@host/ledger",
        "METADATA_ENCRYPTION_KEYS": (key := Fernet.generate_key().decode()),
    }

    settings = load_settings(env, directory=tmp_path)

    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hush" not in text
        assert key not in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:local.db", "file:local.db"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
        ("postgresql+psycopg://user:hush@host:5432/db", "postgresql+psycopg://user:***@host:5432/db"),
        ("postgresql://user:hu@sh:hush@host/db", "postgresql://user:***@host/db"),
        ("postgresql://host/db?user=u&password=hu@sh", "postgresql://host/db?user=u&password=***"),
        ("cloudflare_d1://account:hush@database", "cloudflare_d1://account:***@database"),
        ("file:x.db?authToken=hush", "file:x.db?authToken=***"),
        ("https://h.example/a?X-Amz-Signature=hush&x=1", "https://h.example/a?X-Amz-Signature=***&x=1"),
    ],
)
def test_url_is_shown_without_its_secrets(url, shown):
    assert redact_url(url) == shown


def test_example_file_names_every_setting_with_its_default(tmp_path):
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assignments = [match[1] for line in lines if (match := re.fullmatch(r"# ([A-Z][A-Z0-9_]+=.*)", line))]
    (tmp_path / ".env").write_text("\n".join(assignments))

    assert all(line.startswith("# ") for line in lines if line)
    assert sorted(dotenv_values(tmp_path / ".env")) == sorted(SETTINGS)
    settings = load_settings({}, directory=tmp_path)
    (tmp_path / ".env").unlink()
    assert settings == load_settings({}, directory=tmp_path)


def test_import_is_light_and_reads_nothing():
    heavy = ["boto3", "dagster", "sqlalchemy", "cryptography", "json5", "dotenv", "pandas", "PIL"]
    script = f"import sys, z_interact_assets.settings; print([name for name in {heavy} if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env={})

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "cron",
    ["0 2 * * *", "00 02 * * *", "*/15 * * * *", "5/10 * * * *", "1-30/5 * * * *", "0 0 1,15 jan-mar MON", "0 0 * * 7"],
)
def test_cron_expressions_dagster_takes_are_taken(cron):
    assert load_automation_settings({"NIGHTLY_MIGRATION_CRON": cron}).nightly_migration_cron == cron.lower()


@pytest.mark.parametrize(
    "cron",
    [
        "nightly", "@daily", "* * * *", "* * * * * *", "99 * * * *", "* 24 * * *", "0 0 0 * *", "0 0 32 * *",
        "0 0 * 13 *", "0 0 * * 8", "*/0 * * * *", "*/60 * * * *", "5-1 * * * *", ", * * * *", "1- * * * *", "- * * * *",
        "0 0 * * mon-", "0 0 * foo *",
    ],
)  # fmt: skip
def test_a_cron_expression_out_of_range_is_refused_by_its_variable(cron):
    with pytest.raises(SettingsError) as caught:
        load_automation_settings({"WEEKLY_SUMMARY_CRON": cron})
    assert names_in(list(caught.value.problems)) == ["WEEKLY_SUMMARY_CRON"]


def test_automation_settings_have_all_problems_in_one_error_and_read_no_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("BATCHES_PER_RUN=none\n")
    monkeypatch.chdir(tmp_path)

    assert load_automation_settings({}).batches_per_run is None
    with pytest.raises(SettingsError) as caught:
        load_automation_settings(
            {"UNATTENDED": "perhaps", "BATCHES_PER_RUN": "0", "SCHEDULE_TIME_ZONE": "Mars/Olympus"}
        )
    assert names_in(list(caught.value.problems)) == ["UNATTENDED", "BATCHES_PER_RUN", "SCHEDULE_TIME_ZONE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERT_WEBHOOK_URL", "http://hooks.example.com/hush"),
        ("ALERT_WEBHOOK_URL", "https://user:hush@hooks.example.com/"),
        ("ALERT_EMAIL_URL", "mailto://user:hush@smtp.example.com"),
        ("ALERT_EMAIL_URL", "json://hush"),
        ("DAGSTER_UI_URL", "https://user:hush@dagster.example.com"),
        ("DAGSTER_UI_URL", "javascript:hush"),
    ],
)
def test_an_unsafe_address_of_alerts_is_refused_without_being_shown(tmp_path, name, value):
    problems = problems_of(tmp_path, **{name: value})

    assert names_in(problems) == [name]
    assert "hush" not in "".join(problems)
