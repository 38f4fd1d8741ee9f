"""Real processes for tests: the server, PostgreSQL, Redis, a simulated Aura, and a network that can fail."""
