"""Documents: extraction, chunking, indexing and search. Knows nothing of conversations or model providers."""
