"""``make bench``: the project's figures, each beside what the same server does with nothing to do."""
