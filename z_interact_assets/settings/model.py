"""The settings themselves: names, types, defaults, and what follows from several of them.

A field's name in capitals is its environment variable; its description is what the README, `.env.example` and a problem
say about it. Reading files and the environment belongs to `load` and `sources`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.metadata import Cipher
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.settings import rules
from z_interact_assets.storage.ciphers import FernetCipher

_DEMO_HINT = "(`z-interact-assets demo` needs no settings.)"


def _secret(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


Bytes = Annotated[ByteSize, Field(ge=1)]
Cron = Annotated[str, AfterValidator(rules.check_cron)]
EncryptionKey = Annotated[SecretStr, _secret(rules.check_encryption_key)]
FormerBase = Annotated[str, AfterValidator(rules.check_known_base)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class R2Access:
    """Everything a client of the bucket needs; each value is there."""

    endpoint_url: str
    bucket: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    public_url: str


class AutomationSettings(BaseModel):
    """What the definitions themselves depend on: fixed when Dagster loads the code location, not when a run starts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    unattended: bool = Field(
        default=False,
        description="true: the sensor new_base64_images and the schedule nightly_migration are on until somebody turns "
        "them off in the UI; false: off until somebody turns them on. Reclaiming is never on by itself",
    )
    batches_per_run: Annotated[int, Field(ge=1)] | None = Field(
        None, description="batches of a backfill that one run takes, to share it among several workers; unset: all"
    )
    nightly_migration_cron: Cron = Field("0 2 * * *", description="when the nightly migration starts")
    nightly_reclaim_cron: Cron = Field("0 4 * * *", description="when base64 past its soak is cleared")
    daily_storage_report_cron: Cron = Field("0 6 * * *", description="when the storage report is made")
    weekly_full_validation_cron: Cron = Field("0 3 * * 0", description="when every byte is proved again")
    weekly_summary_cron: Cron = Field("0 7 * * 1", description="when the weekly summary is sent")
    schedule_time_zone: Annotated[str, AfterValidator(rules.check_time_zone)] = Field(
        "UTC", description="IANA time zone of the schedules, such as Europe/Zurich"
    )


class Settings(AutomationSettings):
    """All settings, valid. `load_settings` reads them; made directly, it knows only what it is given."""

    directory: Path = Field(default_factory=Path.cwd, description="the working folder; relative paths start there")
    dagster_home: Path = Field(
        default_factory=lambda data: data["directory"] / ".dagster_home",
        description="folder of Dagster's instance, of the ledger and of the reports",
    )

    d1_database_id: str | None = Field(None, description="D1 database of a DATABASE_URL that names none")
    database_url: Annotated[SecretStr, _secret(rules.check_table_url)] = Field(
        SecretStr("file:local.db"),
        description="the app's table: file:x.db, sqlite:///x.db, postgresql+psycopg://USER:PASSWORD@HOST/NAME, "
        "cloudflare_d1://ACCOUNT:TOKEN@DATABASE or dump:path.sql (read-only)",
    )
    ledger_url: Annotated[SecretStr, _secret(rules.check_ledger_url)] = Field(
        default_factory=lambda data: SecretStr(f"sqlite:///{data['dagster_home'] / 'ledger.db'}"),
        description="our ledger: sqlite:///path or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
    )

    r2_account_id: str | None = Field(
        None, pattern=r"^[0-9A-Za-z-]+$", description="Cloudflare account id, 32 hex digits: dashboard, R2, API"
    )
    r2_access_key_id: SecretStr | None = Field(None, description="access key id of an R2 API token")
    r2_secret_access_key: SecretStr | None = Field(None, description="secret access key of the same R2 API token")
    r2_bucket_name: str = Field(
        "z-interact-images", pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", description="name of the bucket"
    )
    r2_jurisdiction: Literal["eu", "fedramp", "us"] | None = Field(
        None, description="jurisdiction of the bucket, if it has one: eu, fedramp or us"
    )
    r2_endpoint_url: Annotated[str, AfterValidator(rules.check_safe_scheme)] | None = Field(
        default_factory=lambda data: _endpoint(data["r2_account_id"], data["r2_jurisdiction"]),
        description="S3 endpoint, where it is not the one of R2_ACCOUNT_ID: https, or http on localhost",
    )
    r2_public_url: Annotated[str, AfterValidator(rules.check_public_base)] | None = Field(
        None, description="public base of the bucket, a custom domain or https://pub-….r2.dev; http only on localhost"
    )
    r2_former_public_urls: Annotated[tuple[FormerBase, ...], BeforeValidator(rules.split_list)] = Field(
        (), description="comma list of earlier public bases, still recognised in rows"
    )
    enable_r2_storage: bool = Field(
        default=True, description="false: nothing is written to R2; generation stores base64"
    )

    migration_batch_size: int = Field(10, ge=1, le=100_000, description="rows a batch, 1 to 100000")
    max_upload_concurrency: int = Field(128, ge=1, le=1024, description="most uploads in flight at once, 1 to 1024")
    upload_concurrency: Literal["auto"] | int = Field(
        "auto",
        description="uploads in flight: auto starts at 5 and adapts up to MAX_UPLOAD_CONCURRENCY; a number fixes it",
    )
    max_in_flight_bytes: Bytes = Field(
        ByteSize(128 * 2**20), description="image bytes held in memory at once, such as 134217728, 128MiB or 50MB"
    )
    max_image_bytes: Bytes = Field(ByteSize(50 * 2**20), description="larger images are quarantined; such as 50MiB")
    warn_image_bytes: Bytes = Field(ByteSize(10 * 2**20), description="larger images are reported; such as 10MiB")
    cache_control: str = Field(
        "public, max-age=31536000", pattern=r"^[ -~]+$", description="Cache-Control of every object, printable ASCII"
    )
    reclaim_after_days: float = Field(
        7, ge=0, allow_inf_nan=False, description="days the base64 is kept after its row was switched; 0 = none"
    )
    metadata_encryption_keys: Annotated[tuple[EncryptionKey, ...], BeforeValidator(rules.split_list)] = Field(
        (), description="comma list of Fernet keys for prompts and participant ids; the first writes, all read"
    )
    static_dir: Path | None = Field(None, description="the app's static folder, for rows that say /images/x.jpg")
    report_dir: Path = Field(
        default_factory=lambda data: data["dagster_home"] / "reports", description="folder the reports are written to"
    )
    reports_kept: int = Field(30, ge=1, le=10_000, description="newest reports that are kept, 1 to 10000")
    report_personal_data: bool = Field(
        default=False,
        description="true: the report's files hold participants as they are, and prompts; false: pseudonyms, no "
        "prompts",
    )
    report_pseudonym_key: Annotated[SecretStr, _secret(rules.check_pseudonym_key)] | None = Field(
        None,
        description="secret that makes pseudonyms of participants, 16 characters or more: the same ones in every "
        "report; unset: new ones in each",
    )
    report_bucket_name: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        description="private bucket that reports are published to; unset: R2_BUCKET_NAME, under names nobody can guess",
    )
    report_link_hours: float = Field(
        24, gt=0, le=168, description="hours the links to a published report are good for, at most 168"
    )
    api_token: SecretStr | None = Field(None, description="bearer token of the HTTP API")

    dagster_ui_url: Annotated[str, AfterValidator(rules.check_web_url)] | None = Field(
        None, description="address of the Dagster UI, for the links in alerts, such as https://dagster.example.com"
    )
    alert_webhook_url: Annotated[SecretStr, _secret(rules.check_safe_scheme)] | None = Field(
        None,
        description="incoming webhook (Slack, or compatible with it) that hears of failed runs: https, or http on "
        "localhost",
    )
    alert_email_url: Annotated[SecretStr, _secret(rules.check_mail_url)] | None = Field(
        None,
        description="mail account that failed runs are told by, as Apprise writes it: "
        "mailtos://USER:PASSWORD@smtp.example.com?from=dagster@example.com&to=ops@example.com",
    )

    r2_storage_usd_per_gb_month: Price = Field(0.015, description="price of a GB stored for a month, for estimates")
    r2_class_a_usd_per_million: Price = Field(4.5, description="price of a million writes and listings, for estimates")
    r2_class_b_usd_per_million: Price = Field(0.36, description="price of a million reads, for estimates")
    r2_reads_per_month: int | None = Field(
        None,
        ge=0,
        description="reads of the bucket a month, from Cloudflare's dashboard, for estimates; unset: unknown",
    )
    database_usd_per_gb_month: Price = Field(
        0.75, description="price of a GB in the app's database for a month, for estimates; the default is D1's"
    )
    database_limit_bytes: Bytes | None = Field(
        None, description="size at which the app's database is full; unset: D1's 10 GB, for Postgres none"
    )

    @field_validator("dagster_home", "static_dir", "report_dir")
    @classmethod
    def _from_the_directory(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and info.data["directory"] / path.expanduser()

    @field_validator("database_url")
    @classmethod
    def _with_a_database(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        return SecretStr(rules.complete_d1_url(url.get_secret_value(), info.data.get("d1_database_id")))

    @field_validator("r2_jurisdiction", mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("upload_concurrency", mode="before")
    @classmethod
    def _within_the_maximum(cls, value: Any, info: ValidationInfo) -> object:
        return rules.check_concurrency(value, info.data.get("max_upload_concurrency", 1024))

    @property
    def home(self) -> Path:
        """DAGSTER_HOME, or `.dagster_home` in the working folder; absolute if that is."""
        return self.dagster_home

    def known_bases(self) -> KnownBases:
        """The bases under which a URL is one of our objects."""
        return KnownBases(
            self.r2_public_url,
            former_public_urls=self.r2_former_public_urls,
            account_id=self.r2_account_id,
            bucket=self.r2_bucket_name,
        )

    def cipher(self) -> Cipher | None:
        """The cipher of METADATA_ENCRYPTION_KEYS; None without keys, SettingsError without `cryptography`."""
        keys = [key.get_secret_value() for key in self.metadata_encryption_keys]
        return FernetCipher(keys) if keys else None

    def require_r2(self) -> R2Access:
        """What writing to R2 needs, or a SettingsError that lists what is not set."""
        endpoint, public_url = self.r2_endpoint_url, self.r2_public_url
        key_id, secret = self.r2_access_key_id, self.r2_secret_access_key
        if self.enable_r2_storage and endpoint and key_id and secret and public_url:
            return R2Access(
                endpoint_url=endpoint,
                bucket=self.r2_bucket_name,
                access_key_id=key_id.get_secret_value(),
                secret_access_key=secret.get_secret_value(),
                public_url=public_url,
            )
        needed = {
            "r2_account_id": endpoint,
            "r2_access_key_id": key_id,
            "r2_secret_access_key": secret,
            "r2_public_url": public_url,
        }
        problems = [_missing(name) for name, value in needed.items() if not value]
        if not self.enable_r2_storage:
            problems.insert(0, "ENABLE_R2_STORAGE is false, so nothing may be written to R2: set it to true")
        error = SettingsError(problems)
        error.remedy = _DEMO_HINT
        raise error


def _endpoint(account_id: str | None, jurisdiction: str | None) -> str | None:
    if account_id is None:
        return None
    return f"https://{account_id}.{f'{jurisdiction}.' if jurisdiction else ''}r2.cloudflarestorage.com"


def _missing(name: str) -> str:
    alternative = " (or R2_ENDPOINT_URL)" if name == "r2_account_id" else ""
    return f"{name.upper()}{alternative} is not set: {Settings.model_fields[name].description}"
