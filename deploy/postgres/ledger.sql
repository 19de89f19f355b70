-- Run once, when the volume is empty: our ledger beside Dagster's own database.
CREATE DATABASE ledger;
