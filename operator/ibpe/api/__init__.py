"""What a user writes and reads: the spec, the status and the names that both sides agree on."""
