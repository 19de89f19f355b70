"""Dagster assets that move z-interact's base64 images from SQL to Cloudflare R2.

`R2Store` and `MemoryStore` are object stores to use anywhere, `R2Resource` the same in Dagster, `build_defs` the whole
code location. They are imported when they are first asked for, since Dagster and boto3 take a second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from z_interact_assets.core.models import ImageMetadata, UploadRequest
    from z_interact_assets.defs.build import build_defs
    from z_interact_assets.defs.resources import R2Resource
    from z_interact_assets.storage.objects import MemoryStore, R2Config, R2Store

_HOMES = {
    "ImageMetadata": "z_interact_assets.core.models",
    "MemoryStore": "z_interact_assets.storage.objects",
    "R2Config": "z_interact_assets.storage.objects",
    "R2Resource": "z_interact_assets.defs.resources",
    "R2Store": "z_interact_assets.storage.objects",
    "UploadRequest": "z_interact_assets.core.models",
    "build_defs": "z_interact_assets.defs.build",
}

__all__ = ["ImageMetadata", "MemoryStore", "R2Config", "R2Resource", "R2Store", "UploadRequest", "build_defs"]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
