"""The object store: Cloudflare R2, and its like in memory. Nothing here knows the table or the ledger."""

from z_interact_assets.storage.objects.client import R2Config
from z_interact_assets.storage.objects.fetch import ImageFetcher
from z_interact_assets.storage.objects.files import FileHeaders
from z_interact_assets.storage.objects.memory import MemoryStore
from z_interact_assets.storage.objects.r2 import R2Store

__all__ = ["FileHeaders", "ImageFetcher", "MemoryStore", "R2Config", "R2Store"]
