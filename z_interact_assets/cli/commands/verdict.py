"""`verdict`: is it safe to drop the base64 column?"""

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, OUT_OF_REACH
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_verdict


@examples("z-interact-assets verdict", "z-interact-assets verdict --json")
@click.command(short_help="Say whether the base64 column can be dropped.")
@as_json
@click.pass_context
def verdict(ctx: click.Context, *, as_json: bool) -> None:
    """Say whether image_data can be dropped without losing anything: every condition, its evidence, when it was proved.

    Table, ledger and bucket are read now, 20 images are fetched through their public URL; every byte must have been
    read back within the last 7 days (`validate --full`). Ends with 0 only if all conditions hold, with 1 if one does
    not, with 3 if R2 could not be asked. Changes nothing, and drops nothing.
    """
    from random import SystemRandom  # noqa: PLC0415 - see app

    from z_interact_assets.cli.session import opened  # noqa: PLC0415
    from z_interact_assets.storage.public import PublicReader  # noqa: PLC0415
    from z_interact_assets.verdict import judge  # noqa: PLC0415
    from z_interact_assets.verdict.gathering import gather  # noqa: PLC0415

    with opened(create_ledger=False) as workspace, PublicReader() as public:
        found = judge(gather(workspace.witnesses(public, SystemRandom())))
    document = found.to_json()
    print_json(document) if as_json else print_verdict(document)
    if found.is_safe:
        ctx.exit(0)
    ctx.exit(FINISHED_WITH_FINDINGS if found.found_false else OUT_OF_REACH)
