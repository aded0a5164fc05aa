"""Who is calling: users, API keys and the ways to authenticate with them."""
