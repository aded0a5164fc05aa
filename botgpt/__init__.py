"""BOT GPT: the project package (settings, URLs, API plumbing, operations, accounts)."""
