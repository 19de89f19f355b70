"""Workspace: settings turned into opened things (table, ledger, store) and services built on them. No Dagster here.

What a thing needs is imported when it is made: `status` asks the ledger alone, and boto3 takes longer than it does.
"""

# ruff: noqa: PLC0415

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.execution.progress import ProgressListener, ignore_progress
from z_interact_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from random import Random

    from z_interact_assets.core.costs import Prices
    from z_interact_assets.core.planning import Rules
    from z_interact_assets.core.preparation import Preparation
    from z_interact_assets.core.urls import KnownBases
    from z_interact_assets.doctor import Finding
    from z_interact_assets.migrate.migration import Engine
    from z_interact_assets.migrate.planner import Planner
    from z_interact_assets.report import ReportOptions
    from z_interact_assets.reverse import Means
    from z_interact_assets.stats import Sources
    from z_interact_assets.storage.ledger import Ledger
    from z_interact_assets.storage.legacy import LegacyTable
    from z_interact_assets.storage.objects import R2Config, R2Store
    from z_interact_assets.storage.public import PublicReader
    from z_interact_assets.verdict import Witnesses

DEFAULT_CONCURRENCY = 64  # of what reads R2, where UPLOAD_CONCURRENCY says auto: past it two cores gain nothing


class _Opened(Protocol):
    def close(self) -> None: ...


@dataclass
class Workspace:
    """Everything a command or an asset works with. Things are opened when they are first used; `close` closes them.

    `create_ledger=False` is for commands that must not make one.
    """

    settings: Settings
    create_ledger: bool = True
    _opened: list[_Opened] = field(default_factory=list[_Opened])

    @cached_property
    def table(self) -> "LegacyTable":
        """The app's table (TableUnusableError, TableUnavailableError)."""
        from z_interact_assets.storage.legacy import open_table

        table = open_table(self.settings.database_url.get_secret_value(), directory=self.settings.directory)
        self._opened.append(table)
        return table

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger (LedgerUnusableError, LedgerUnavailableError)."""
        from z_interact_assets.storage.ledger import open_ledger

        ledger = open_ledger(self.settings.ledger_url.get_secret_value(), create=self.create_ledger)
        self._opened.append(ledger)
        return ledger

    @cached_property
    def store(self) -> "R2Store":
        """The bucket of the settings (SettingsError lists what is not set)."""
        from z_interact_assets.storage.objects import R2Store

        store = R2Store.from_config(r2_config(self.settings))
        self._opened.append(store)
        return store

    @cached_property
    def report_store(self) -> "R2Store":
        """The bucket reports are published to (SettingsError lists what is not set)."""
        from z_interact_assets.storage.objects import R2Store

        config = r2_config(self.settings)
        bucket = self.settings.report_bucket_name
        store = R2Store.from_config(replace(config, bucket=bucket) if bucket else config)
        self._opened.append(store)
        return store

    @cached_property
    def bases(self) -> "KnownBases":
        """The URLs that are ours."""
        return self.settings.known_bases()

    @property
    def rules(self) -> "Rules":
        """What planning depends on besides the rows."""
        from z_interact_assets.core.planning import Rules

        return Rules(self.bases, static_files=self.settings.static_dir is not None)

    def planner(self, batch_size: int | None = None) -> "Planner":
        """Return a planner; `batch_size` overrides MIGRATION_BATCH_SIZE."""
        from z_interact_assets.migrate.migration import clock_ms
        from z_interact_assets.migrate.planner import Planner

        size = batch_size or self.settings.migration_batch_size
        return Planner(self.table, self.ledger, self.rules, batch_size=size, clock_ms=clock_ms)

    def engine(self, *, concurrency: int | None = None, stop: threading.Event | None = None) -> "Engine":
        """Return an engine; `concurrency` overrides UPLOAD_CONCURRENCY, `stop` ends its runs early."""
        from z_interact_assets.migrate.migration import Engine

        settings = self.settings
        most = settings.max_upload_concurrency
        if concurrency is not None and concurrency > most:
            raise SettingsError([f"{concurrency} uploads at once are more than MAX_UPLOAD_CONCURRENCY, {most}"])
        configured = None if settings.upload_concurrency == "auto" else settings.upload_concurrency
        return Engine(
            table=self.table,
            preparation=self._preparation(),
            max_in_flight_bytes=settings.max_in_flight_bytes,
            concurrency=concurrency or configured,
            max_concurrency=settings.max_upload_concurrency,
            stop=stop or threading.Event(),
        )

    @property
    def reads_at_once(self) -> int:
        """How many images a validation, a reclaim or a rollback has in flight."""
        configured = self.settings.upload_concurrency
        return min(DEFAULT_CONCURRENCY, self.settings.max_upload_concurrency) if configured == "auto" else configured

    def means(
        self,
        *,
        run_id: str | None = None,
        dry_run: bool = False,
        stop: threading.Event | None = None,
        listen: ProgressListener = ignore_progress,
    ) -> "Means":
        """Return what a rollback or a reclaim works with."""
        from z_interact_assets.migrate.migration import clock_ms
        from z_interact_assets.reverse import Means

        return Means(
            table=self.table,
            ledger=self.ledger,
            clock_ms=clock_ms,
            run_id=run_id,
            concurrency=self.reads_at_once,
            max_in_flight_bytes=self.settings.max_in_flight_bytes,
            dry_run=dry_run,
            stop=stop or threading.Event(),
            listen=listen,
        )

    def witnesses(self, public: "PublicReader", random: "Random") -> "Witnesses":
        """Return whom to ask for a verdict."""
        from z_interact_assets.migrate.migration import clock_ms
        from z_interact_assets.verdict import Witnesses

        return Witnesses(
            table=self.table,
            ledger=self.ledger,
            store=self.store,
            public=public,
            rules=self.rules,
            clock_ms=clock_ms,
            random=random,
            cache_control=self.settings.cache_control,
        )

    def prices(self) -> "Prices":
        """Return what R2 and the database cost, for estimates."""
        from z_interact_assets.core.costs import Prices

        return Prices(
            storage_gb_month=self.settings.r2_storage_usd_per_gb_month,
            class_a_million=self.settings.r2_class_a_usd_per_million,
            class_b_million=self.settings.r2_class_b_usd_per_million,
            database_gb_month=self.settings.database_usd_per_gb_month,
        )

    def sources(self) -> "Sources":
        """Return what statistics are made from."""
        from z_interact_assets.reverse.reclaim import DAY_MS
        from z_interact_assets.stats import D1_LIMIT_BYTES, Sources, Terms

        settings = self.settings
        limit = settings.database_limit_bytes
        if limit is None and not settings.database_url.get_secret_value().lower().startswith("postgres"):
            limit = D1_LIMIT_BYTES
        terms = Terms(
            prices=self.prices(),
            soak_ms=int(settings.reclaim_after_days * DAY_MS),
            limit_bytes=limit,
            reads_a_month=settings.r2_reads_per_month,
        )
        return Sources(table=self.table, ledger=self.ledger, bases=self.bases, terms=terms)

    def report_options(self, directory: str | None = None) -> "ReportOptions":
        """Return how reports are written; `directory` overrides REPORT_DIR."""
        from z_interact_assets.report import ReportOptions

        key = self.settings.report_pseudonym_key
        return ReportOptions(
            directory=self.settings.report_dir if directory is None else self.settings.directory / directory,
            keep=self.settings.reports_kept,
            personal_data=self.settings.report_personal_data,
            pseudonym_key=None if key is None else key.get_secret_value(),
        )

    def close(self) -> None:
        """Close what was opened."""
        while self._opened:
            self._opened.pop().close()

    def _preparation(self) -> "Preparation":
        from z_interact_assets.core.models import ImageLimits
        from z_interact_assets.core.preparation import Preparation
        from z_interact_assets.migrate.static_files import StaticFolder

        limits = ImageLimits(max_bytes=self.settings.max_image_bytes, warn_bytes=self.settings.warn_image_bytes)
        folder = self.settings.static_dir
        if folder is None:
            return Preparation(self.bases, limits)
        static = StaticFolder(Path(folder), max_bytes=limits.max_bytes)
        return Preparation(self.bases, limits, static.read, static.size)


def diagnose_all() -> "list[Finding]":
    """Probe all that the settings of this process name; what is wrong with the settings is a finding, too."""
    from z_interact_assets.doctor import diagnose

    try:
        settings = load_settings()
    except SettingsError as error:
        return diagnose(settings_problems=error.problems, open_table=None, open_ledger=None, open_store=None)
    problems: tuple[str, ...] = ()
    try:
        settings.require_r2()
    except SettingsError as error:
        problems = error.problems
    workspace = Workspace(settings)
    return diagnose(
        settings_problems=problems,
        open_table=lambda: workspace.table,
        open_ledger=lambda: workspace.ledger,
        open_store=None if problems else lambda: workspace.store,
    )


def r2_config(settings: Settings) -> "R2Config":
    """Return how to reach the bucket of the settings; SettingsError lists all that is missing."""
    from z_interact_assets.storage.objects import R2Config

    access = settings.require_r2()
    return R2Config(
        endpoint_url=access.endpoint_url,
        bucket=access.bucket,
        access_key_id=access.access_key_id,
        secret_access_key=access.secret_access_key,
        public_url=access.public_url,
        former_public_urls=settings.r2_former_public_urls,
        cache_control=settings.cache_control,
        max_pool_connections=settings.max_upload_concurrency,
        cipher=settings.cipher(),
    )
