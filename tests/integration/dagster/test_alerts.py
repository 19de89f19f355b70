"""Alerts from real failed runs, by a real webhook and mail server: once each, in plain words, no secret."""

import dagster as dg
import pytest
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor
from dagster_shared.error import SerializableErrorInfo

from tests.integration.dagster.installation import Installation, check_of, failures, make_png
from tests.integration.dagster.ticking import tick_of
from tests.support.hooks import HookServer, MailServer, text_of

pytestmark = pytest.mark.slow

SENSOR = "failed_runs_are_told"
UI = "https://dagster.example.com"


class Teller:
    """Ticks of a run status sensor, from now on."""

    def __init__(self, installation: Installation, sensor: str = SENSOR) -> None:
        self._installation = installation
        self._sensor = sensor
        self._cursor = RunStatusSensorCursor(record_id=-1).to_json()

    def tick(self) -> list[SerializableErrorInfo]:
        """Tell of what ended since the last tick; the errors the daemon would show."""
        data = tick_of(self._installation, self._sensor, self._cursor)
        self._cursor = data.cursor or self._cursor
        return [reaction.error for reaction in data.dagster_run_reactions or () if reaction.error]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch):
    with HookServer() as server:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", server.url)
        monkeypatch.setenv("DAGSTER_UI_URL", UI)
        yield server


def failed_migration(installation: Installation) -> str:
    """A migration that finds no bucket; its run's id."""
    installation.add_rows(4)
    installation.plan()
    installation.standin.stop()
    result = installation.migrate()
    assert not result.success
    return result.run_id


def test_a_failed_migration_is_told_once_by_webhook_and_mail(
    installation: Installation, hook: HookServer, monkeypatch: pytest.MonkeyPatch
):
    run_id = failed_migration(installation)
    teller = Teller(installation)
    with MailServer() as mail:
        monkeypatch.setenv("ALERT_EMAIL_URL", mail.url)
        assert [teller.tick(), teller.tick()] == [[], []]

    (text,) = hook.texts
    title, reason, lost, advice, link = text.splitlines()
    assert title == "*migrate_images failed (batches b000001 to b000002)*"
    assert "2 batches are not done" in reason
    assert lost.startswith("Nothing is lost")
    assert advice.startswith("Mend the cause")
    assert link == f"<{UI}/runs/{run_id}|Open in Dagster>"
    (sent,) = mail.mails
    assert sent["Subject"] == "migrate_images failed (batches b000001 to b000002)"
    assert f"{UI}/runs/{run_id}" in text_of(sent)


def test_a_webhook_that_fails_is_the_ticks_error_and_the_mail_goes_out(
    installation: Installation, hook: HookServer, monkeypatch: pytest.MonkeyPatch
):
    hook.answers = [(404, {})]
    failed_migration(installation)
    teller = Teller(installation)
    with MailServer() as mail:
        monkeypatch.setenv("ALERT_EMAIL_URL", mail.url)
        (error,) = teller.tick()
        assert teller.tick() == []

    told = dg.serialize_value(error)
    assert "Not delivered by ALERT_WEBHOOK_URL: it answered HTTP 404." in told
    assert "hush" not in told
    assert hook.url not in told
    assert (len(hook.texts), len(mail.mails)) == (1, 1)


def test_without_a_channel_nothing_is_sent_nor_kept_for_later(installation: Installation, monkeypatch):
    failed_migration(installation)
    teller = Teller(installation)
    assert teller.tick() == []

    with HookServer() as hook:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", hook.url)
        assert teller.tick() == []
    assert hook.requests == []


def test_a_run_that_will_be_tried_again_is_not_told_until_its_last_try_fails(
    installation: Installation, hook: HookServer
):
    """The process of a run dies; the daemon tries it again twice. Its last failure is told, with that."""
    teller = Teller(installation)
    job = installation.defs.resolve_job_def("plan_batches")
    told: list[int] = []
    first: str | None = None
    for number in range(3):
        group = {"dagster/root_run_id": first, "dagster/parent_run_id": first} if first else {}
        tags = {**group, **({"dagster/retry_number": str(number)} if first else {})}
        run = installation.instance.create_run_for_job(job, tags=tags, root_run_id=first, parent_run_id=first)
        first = first or run.run_id
        installation.instance.report_run_failed(run, "The process has ended.")
        assert teller.tick() == []
        told.append(len(hook.texts))

    assert told == [0, 0, 1]
    assert "Its process ended" in hook.texts[0]
    assert "Dagster tried it again 2 times" in hook.texts[0]


def test_a_failure_of_ours_is_no_reason_to_run_it_again(installation: Installation):
    run = installation.instance.get_run_by_id(failed_migration(installation))
    assert run is not None
    assert run.tags["dagster/will_retry"] == "false"


def test_runs_of_the_command_line_are_their_operators(installation: Installation, hook: HookServer):
    installation.standin.stop()
    result = installation.run("take_stock", tags={"launched_by": "command line"})
    assert not result.success

    assert Teller(installation).tick() == []
    assert hook.requests == []


def test_of_a_strangers_error_only_its_class_is_told(installation: Installation, hook: HookServer, monkeypatch):
    """A row or a library may put anything into an error's text."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://app:hush@127.0.0.1:1/app")
    assert not installation.run("plan_batches").success
    broken = dg.Definitions(jobs=[a_broken_job]).resolve_job_def("a_broken_job")
    assert not broken.execute_in_process(instance=installation.instance, raise_on_error=False).success

    assert Teller(installation).tick() == []
    ours, strangers = hook.texts
    assert "The app's database is not available" in ours
    assert "An unexpected error, KeyError, ended it." in strangers
    assert "hush" not in "".join(hook.texts)


@dg.op
def breaks() -> None:
    raise KeyError("hush <!channel>")


@dg.job
def a_broken_job() -> None:
    breaks()


def test_the_weekly_summary_is_sent_and_shown(migrated: Installation, hook: HookServer):
    migrated.add_row("broken", "bm90IGFuIGltYWdl")
    migrated.plan()
    migrated.migrate()
    migrated.run("take_stock")

    result = migrated.run("weekly_summary")

    assert failures(result) == []
    (text,) = hook.texts
    title, week, states, health, *_ = text.splitlines()
    assert title == "*Weekly summary: nothing waits*"
    assert week.startswith("This week 7 images moved to R2")
    assert "1 set aside" in week
    assert states == "Images now: 7 published, 1 quarantined."
    assert health.startswith("Health: ")
    (event,) = [event for event in result.all_events if event.is_successful_output]
    metadata = event.step_output_data.metadata
    assert metadata["sent_by"].value == "ALERT_WEBHOOK_URL"
    assert str(metadata["summary"].value).startswith("Weekly summary: nothing waits")


def test_a_summary_nobody_took_fails_its_run_without_an_address(migrated: Installation, hook: HookServer):
    hook.answers = [(403, {})]

    result = migrated.run("weekly_summary")

    (event,) = [event for event in result.all_events if event.is_step_failure]
    told = dg.serialize_value(event)
    assert "ALERT_WEBHOOK_URL: it answered HTTP 403." in told
    assert "hush" not in told


def test_a_claim_that_is_found_false_is_told_once_with_its_figures(migrated: Installation, hook: HookServer):
    teller = Teller(migrated, "false_claims_are_told")
    teller.tick()
    hook.requests.clear()
    migrated.store.delete(migrated.key_of("image-002"))
    assert not failures(migrated.run("validate_migration"))
    assert [teller.tick(), teller.tick()] == [[], []]

    (text,) = hook.texts
    title, figures, advice, _, link = text.splitlines()
    assert title == "*A claim is false: every_object_is_stored*"
    assert figures == "every_object_is_stored: checked 7, failing 1, valid 6."
    assert "reclaim nothing" in advice
    assert link == (f"<{UI}/assets/migrated_images?view=checks&amp;checkDetail=every_object_is_stored|Open in Dagster>")


def test_a_warning_and_a_claim_that_holds_are_not_told(migrated: Installation, hook: HookServer):
    teller = Teller(migrated, "false_claims_are_told")
    teller.tick()
    hook.requests.clear()
    migrated.store.upload("images/gen-x/1700000000000-orphan.png", make_png(1))  # a warning
    assert not check_of(migrated.run("take_stock"), "no_orphan_objects").passed
    assert not failures(migrated.run("validate_migration"))
    assert teller.tick() == []
    assert hook.texts == []
