"""The code location as Dagster's tools load it: in a fresh interpreter, with no settings, touching nothing."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster import Enum as DagsterEnum

from tests.integration.dagster.installation import REPOSITORY, Installation
from z_interact_assets.defs.build import build_defs
from z_interact_assets.defs.jobs import ALL_JOBS
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.settings import load_automation_settings

MAX_KINDS = 3  # Dagster's limit
BIN = Path(sys.executable).parent
# Raised inside dagster 1.13, which asks pydantic 2 models for their v1 attribute. Everything else is an error.
STRICT = ("-W", "error", "-W", "ignore:The `__fields__` attribute is deprecated")

# Reports each file outside the installed Python that is opened, each folder or database made and each connection.
WATCH_THE_IMPORT = """
import os, sys
installed = tuple(map(os.path.realpath, (sys.prefix, sys.base_prefix, *(path for path in sys.path if path)))) + (%r,)
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        writes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and not path.endswith(".pyc")
        if writes and path != "/dev/null" or not path.startswith((*installed, "/proc", "/sys", "/dev", "/etc", "/usr")):
            touched.append(f"{event} {path}")
    elif event in ("sqlite3.connect", "os.mkdir", "socket.connect", "socket.getaddrinfo"):
        touched.append(f"{event} {arguments}")
touched = []
sys.addaudithook(watch)
from z_interact_assets.definitions import defs
defs.resolve_all_job_defs()
print(*touched, sep="\\n", end="")
"""


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_the_code_location_loads_without_settings_files_network_or_warnings(tmp_path):
    # What would be found if somebody looked: settings that do not even parse.
    (tmp_path / ".env").write_text("R2_ENDPOINT_URL=ftp://nowhere\nMIGRATION_BATCH_SIZE=none\n")
    (tmp_path / "wrangler.toml").write_text("not toml")
    source = WATCH_THE_IMPORT % str(REPOSITORY / "z_interact_assets")
    done = run(sys.executable, "-B", *STRICT, "-c", source, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "wrangler.toml"]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_dagster_validates_the_workspace_with_no_warning_of_ours(tmp_path):
    workspace = REPOSITORY / "workspace.yaml"
    done = run(str(BIN / "dagster"), "definitions", "validate", "-w", str(workspace), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location z_interact_assets." in done.stderr + done.stdout
    # The command warns of itself; nothing else may warn.
    warnings = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert [line for line in warnings if "definitions_validate_command" not in line] == []
    assert "z_interact_assets/" not in done.stderr


@pytest.mark.slow
def test_dg_checks_the_definitions(tmp_path):
    environment = {"PATH": f"{BIN}:{os.defpath}", "VIRTUAL_ENV": str(BIN.parent), "HOME": str(tmp_path)}
    done = run(str(BIN / "dg"), "check", "defs", "--no-check-yaml", cwd=REPOSITORY, **environment)
    assert done.returncode == 0, done.stderr
    assert "All definitions loaded successfully." in done.stdout + done.stderr
    assert "Warning" not in done.stderr


def test_definitions_take_other_resources(installation: Installation):
    observer = RunObserver()
    defs = build_defs({"observer": observer})
    defs.resolve_job_def("plan_batches").execute_in_process(instance=installation.instance)
    assert observer.results["plan"].batches == 0
    assert set(defs.resources or ()) == {"r2", "workspace", "observer"}


def test_every_asset_has_group_kinds_and_description():
    specs = {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}
    assert {name: spec.group_name for name, spec in specs.items()} == {
        "legacy_images": "legacy",
        "migration_batches": "migration",
        "migrated_images": "migration",
        "reclaimed_images": "migration",
        "r2_inventory": "inventory",
        "storage_stats": "reports",
        "storage_report": "reports",
    }
    assert [name for name, spec in specs.items() if not spec.kinds or not spec.description] == []
    assert {name: list(spec.owners) for name, spec in specs.items()} == {name: ["team:z-interact"] for name in specs}
    assert max(len(spec.kinds) for spec in specs.values()) <= MAX_KINDS


def test_every_run_of_a_job_has_a_time_limit():
    defs = build_defs()
    limits = {job.name: defs.resolve_job_def(job.name).run_tags.get("dagster/max_runtime") for job in ALL_JOBS}
    moving = {"migrate_images", "validate_migration", "backup_images", "restore_images", "reclaim_base64",
              "rollback_migration"}  # fmt: skip
    assert limits == {name: "86400" if name in moving else "7200" for name in limits}


def test_whatever_writes_the_table_waits_for_its_pool():
    defs = build_defs()
    pools: dict[str, set[str]] = {}
    for job in defs.resolve_all_job_defs():
        for node in job.nodes_in_topological_order:
            for pool in node.definition.pools:
                pools.setdefault(pool, set()).add(node.name)
    assert pools == {
        "images_table": {"migrated_images", "reclaimed_images", "rollback", "restore"},
        "r2_reads": {"r2_inventory", "validation", "migrated_images_public_urls_serve_the_images"},
    }


@pytest.mark.parametrize("name", ["rollback_migration", "reclaim_base64", "restore_images"])
def test_a_job_that_destroys_opens_in_the_launchpad_as_a_dry_run(name: str):
    job = build_defs().resolve_job_def(name)
    partitioned = job.partitioned_config
    filled = partitioned.get_run_config_for_partition_key("b000001") if partitioned else (job.run_config or {})
    ((_, config),) = filled["ops"].items()
    assert config["config"]["dry_run"] is True


def test_everything_that_can_be_configured_is_described_and_choices_are_offered_as_such():
    defs = build_defs()
    fields = {
        (node.name, name): field
        for job in ALL_JOBS
        for node in defs.resolve_job_def(job.name).nodes_in_topological_order
        if node.definition.config_schema
        for name, field in getattr(node.definition.config_schema.as_field().config_type, "fields", {}).items()
    }
    assert ("rollback", "dry_run") in fields
    assert [key for key, field in fields.items() if not field.description] == []
    modes = fields["validation", "mode"].config_type
    assert isinstance(modes, DagsterEnum)
    assert [choice.config_value for choice in modes.enum_values] == ["head", "full", "public"]


def test_every_check_is_a_described_claim():
    graph = build_defs().resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name): graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert set(checks) == {
        ("legacy_images", "table_shape_is_known"),
        ("legacy_images", "no_new_base64"),
        ("migrated_images", "every_image_is_migrated"),
        ("migrated_images", "every_object_is_stored"),
        ("migrated_images", "every_checksum_matches"),
        ("migrated_images", "every_row_points_at_its_object"),
        ("migrated_images", "public_urls_serve_the_images"),
        ("r2_inventory", "no_orphan_objects"),
        ("r2_inventory", "no_missing_objects"),
        ("storage_stats", "totals_reconcile"),
    }
    blocking = {spec.name for key in graph.asset_check_keys if (spec := graph.get_check_spec(key)).blocking}
    assert blocking == {"totals_reconcile"}
    assert [key for key, spec in checks.items() if not spec.description] == []


def test_the_migration_job_plans_no_check_it_would_skip():
    job = build_defs().resolve_job_def("migrate_images")
    assert [node.name for node in job.nodes_in_topological_order] == ["migrated_images"]


@pytest.mark.parametrize(("setting", "most"), [({}, None), ({"BATCHES_PER_RUN": "100"}, 100)])
def test_a_backfill_is_one_run_unless_batches_per_run_shares_it(setting: dict[str, str], most: int | None):
    graph = build_defs(settings=load_automation_settings(setting)).resolve_asset_graph()
    for name in ("migrated_images", "reclaimed_images"):
        policy = graph.get(dg.AssetKey(name)).backfill_policy
        assert policy is not None
        assert policy.max_partitions_per_run == most
