"""Taking a migration back (rollback), and clearing the base64 it made superfluous (reclaim)."""
