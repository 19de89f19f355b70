"""Resources: how assets get at R2, the table and the ledger. Configuration in, plain objects out."""

from dataclasses import replace
from threading import Event, Lock
from typing import Any

import dagster as dg
from dagster_aws.s3 import S3Resource
from pydantic import Field, PrivateAttr, SecretStr

from z_interact_assets.core.errors import ZInteractError
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate.outcomes import Totals
from z_interact_assets.settings import load_settings
from z_interact_assets.storage.objects import R2Config, R2Store
from z_interact_assets.storage.objects.client import account_endpoint
from z_interact_assets.workspace import Workspace, r2_config


class R2Resource(S3Resource):
    """A Cloudflare R2 bucket, tuned as R2 needs it (see storage.objects.client).

        @dg.asset
        def thumbnails(r2: R2Resource) -> None:
            r2.get_store().upload("thumbnails/1.png", png)  # closed with the run

    What is not configured here comes from the settings (R2_ACCOUNT_ID, R2_ACCESS_KEY_ID …) when it is first used, so
    that a code location loads without any. Configure credentials as `dg.EnvVar("NAME")` if at all: a literal of any
    resource ends up in Dagster's job snapshots and in its UI, an EnvVar only by name.
    `get_store` gives the whole API, `get_client` the boto3 client beneath.
    The base class's `profile_name`, `use_unsigned_session` and `use_ssl` have no meaning for R2 and are not used.
    """

    bucket: str | None = Field(default=None, description="Bucket. Default: R2_BUCKET_NAME.")
    account_id: str | None = Field(default=None, description="Cloudflare account id. Default: R2_ACCOUNT_ID.")
    jurisdiction: str | None = Field(default=None, description="`eu`, `fedramp` or `us`, if the bucket has one.")
    public_url: str | None = Field(default=None, description="Public base URL. Default: R2_PUBLIC_URL.")
    ca_bundle: str | None = Field(default=None, description="File of certificates to trust, for a private endpoint.")

    _store: R2Store | None = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=Lock)

    @classmethod
    def _is_dagster_maintained(cls) -> bool:
        return False

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Leave the credentials out of repr() and str()."""
        shown = ("bucket", "account_id", "endpoint_url", "public_url")
        return [(name, getattr(self, name)) for name in shown]

    def config(self) -> R2Config:
        """Return the complete configuration; SettingsError lists what is missing."""
        given: dict[str, Any] = {
            "r2_account_id": self.account_id,
            "r2_endpoint_url": self.endpoint_url or (
                account_endpoint(self.account_id, self.jurisdiction) if self.account_id else None
            ),
            "r2_access_key_id": _secret(self.aws_access_key_id),
            "r2_secret_access_key": _secret(self.aws_secret_access_key),
            "r2_bucket_name": self.bucket,
            "r2_public_url": self.public_url,
        }  # fmt: skip
        settings = load_settings().model_copy(update={name: value for name, value in given.items() if value})
        config = r2_config(settings)
        changes: dict[str, Any] = {"max_attempts": self.max_attempts, "region": self.region_name or config.region}
        if self.ca_bundle or self.verify is not None:
            changes["verify"] = self.ca_bundle or self.verify
        return replace(config, **changes)

    def get_store(self) -> R2Store:
        """Return the store; one client, made at first use and closed with the run."""
        with self._lock:
            if self._store is None:
                self._store = R2Store.from_config(self.config())
            return self._store

    def get_client(self) -> Any:
        """Return the boto3 client of the store."""
        return self.get_store().client

    def get_object_to_set_on_execution_context(self) -> Any:
        """Give `context.resources.r2` the resource itself; the base class would open a client in every run."""
        return self

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def _secret(value: str | None) -> SecretStr | None:
    return SecretStr(value) if value else None


class WorkspaceResource(dg.ConfigurableResource[Workspace]):
    """The app's table, the ledger and the services on them, from the settings; opened when first used."""

    _workspace: Workspace | None = PrivateAttr(default=None)

    def create_resource(self, context: dg.InitResourceContext) -> Workspace:  # noqa: ARG002 - Dagster's signature
        """Read the settings; SettingsError lists all problems."""
        self._workspace = Workspace(load_settings())
        return self._workspace

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Close what was opened."""
        if self._workspace is not None:
            self._workspace.close()


class RunObserver:
    """What somebody outside a run wants of it: the command line replaces it to show progress and to stop the run.

    `results` collects what the assets of the run report, by name.
    """

    def __init__(self) -> None:
        self.stop = Event()
        self.totals: list[Totals] = []
        self.results: dict[str, Any] = {}
        self.error: ZInteractError | None = None

    def progress(self, progress: Progress) -> None:
        """Hear of progress, often."""


def default_resources() -> dict[str, Any]:
    """Return the resources of the code location."""
    return {
        "r2": R2Resource(),
        "workspace": WorkspaceResource(),
        "observer": dg.ResourceDefinition(lambda _: RunObserver(), description="Hears of a run's progress."),
    }
