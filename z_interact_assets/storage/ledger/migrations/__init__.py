"""History of the ledger's schema."""
