"""Moving images: planning, foretelling, migrating. Values and Protocols in, reports out; Dagster is unknown here."""
