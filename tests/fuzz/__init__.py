"""A fuzzer for what strangers' rows hold: image proofs, base64 texts, object metadata. Opt-in: `make fuzz`."""
