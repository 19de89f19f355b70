"""The code location on a store that keeps nothing, so that a run costs what the migration and Dagster cost."""

import os
from typing import Any

from bench.null_store import NullStore
from z_interact_assets.defs.build import build_defs


class NullResource:
    def get_store(self) -> NullStore:
        return NullStore(public_url=os.environ["R2_PUBLIC_URL"])


def build(**resources: Any):
    return build_defs({"r2": NullResource(), **resources})


defs = build()
