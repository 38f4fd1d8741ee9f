"""The Celery application. Without a broker the same functions are run by the embedded clock."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")

app = Celery("chargeamps")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["chargeamps.runtime", "chargeamps.usage"])
