"""Is it safe to drop the base64 column? Every condition with its evidence."""
