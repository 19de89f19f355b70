"""Table, ledger and bucket reconciled: one pass over each, then a second look at whatever did not fit."""

from z_interact_assets.core.keys import IMAGE_PREFIX
from z_interact_assets.core.ports import ObjectReader
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.inventory.claims import read_claims
from z_interact_assets.inventory.confirming import Confirmation
from z_interact_assets.inventory.inventory import Inventory
from z_interact_assets.inventory.matching import match
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.scratch import Scratch

_OBJECTS_A_PART = 900  # that the ledger knows: with some it does not know, they are still one page


def take_inventory(store: ObjectReader, table: LegacyTable, ledger: Ledger, bases: KnownBases) -> Inventory:
    """Read every row's head, list every page, and match. A page that cannot be read raises: unknown is not empty.

    Memory is bounded: a byte an item, and lists of at most MAX_LISTED_KEYS.
    """
    inventory = Inventory()
    with Scratch() as scratch:
        seen = read_claims(table, ledger, bases, scratch)
        listing = store.list(IMAGE_PREFIX, cuts=ledger.ask.key_marks(_OBJECTS_A_PART))
        match(listing, ledger.ask.recorded_objects(), seen, scratch, inventory)
        Confirmation(store, table, ledger, bases, scratch).settle(inventory)
    return inventory
