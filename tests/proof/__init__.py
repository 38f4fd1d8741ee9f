"""Which tests prove which rows of the requirements, and how they went: docs/requirements.md."""
