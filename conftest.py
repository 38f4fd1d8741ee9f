"""What must hold before Django reads its settings: a data folder of this test process's own.

Each xdist worker is a process that loads this file, so each has its own folder, and its own name on a shared Redis.
"""

import os
import shutil
import tempfile

pytest_plugins = ["tests.proof.plugin"]

_data = tempfile.mkdtemp(prefix="chargeamps-tests-")
os.environ["CHARGEAMPS_DATA_DIR"] = _data
os.environ["DJANGO_SETTINGS_MODULE"] = "chargeamps.settings"

from django.conf import settings  # noqa: E402  (reads the settings now, with the folder above)

# Argon2 is slow on purpose. Servers that tests start as processes keep it.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.CELERY_TASK_ALWAYS_EAGER = True
if settings.REDIS_URL:
    # Published messages reach every database of a Redis, so workers are told apart by prefix.
    _mine = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = _mine
    settings.CACHES["default"]["KEY_PREFIX"] = _mine

# xdist's workers inherit the environment. With this name in it pytest-django would load the settings in them before
# this file gave them a folder.
del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    shutil.rmtree(_data, ignore_errors=True)
