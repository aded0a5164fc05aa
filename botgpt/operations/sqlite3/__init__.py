"""Django's SQLite backend, whose writers queue for the write lock instead of sleeping until they find it free."""
