from zoneinfo import ZoneInfo

from django.db import migrations


def place(apps, schema_editor):
    """Give the sessions that are there their site, and the day they count in; their figures follow by themselves."""
    sessions = apps.get_model("usage", "ChargingSession")
    for session in sessions.objects.select_related("charge_point__site").iterator():
        site = session.charge_point.site
        zone = ZoneInfo(site.time_zone if site else "Europe/London")
        session.site = site
        session.local_day = session.started.astimezone(zone).date()
        session.flow_ms = session.flow_seconds * 1000
        # Without readings a session that has no stop could only lose by being counted anew.
        session.recount = session.stopped is not None
        session.save()


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_readings"), ("accounts", "0001_initial")]

    operations = [migrations.RunPython(place, migrations.RunPython.noop)]
