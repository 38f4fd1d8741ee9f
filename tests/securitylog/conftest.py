from pathlib import Path

from django.conf import settings

# Parallel writers are tested on the database as it is used: SQLite's shared in-memory database locks by table and does
# not wait, a file in WAL mode does.
if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(settings.DATA_FOLDER.path) / "test.sqlite3")
