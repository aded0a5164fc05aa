"""Language models: context, retrieval, providers and the ledger. Knows nothing of HTTP or of conversations' rows."""
