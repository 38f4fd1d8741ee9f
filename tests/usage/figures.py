"""Figures of usage for the benchmarks: run inside an installation, on whatever database it has.

``python -m tests.usage.figures 200000`` prints them all, and leaves what it made: use a throw-away installation.
"""

import os
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")
    django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargeamps.accounts.models import Site, User
from chargeamps.accounts.services import create_site
from chargeamps.chargers.models import Connector
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common import clock
from chargeamps.usage.access import visible_sessions
from chargeamps.usage.models import Export, PowerBlock
from chargeamps.usage.packing import Reading
from chargeamps.usage.questions import read_question
from chargeamps.usage.selectors.power import milliseconds, points_by_second
from chargeamps.usage.selectors.reports import summary_json
from chargeamps.usage.services import exports, power, store_readings
from tests.usage.history import past_sessions


def prepare(sessions: int, sockets: int = 100) -> User:
    """An owner of a fleet with so many sessions in the last twelve months."""
    owner = User.objects.create(email=f"fleet-{clock.now().timestamp()}@example.com", name="Fleet")
    site = create_site(name="Fleet", owner=owner, kind=Site.Kind.WORKPLACE)
    now, each = clock.now(), sessions // sockets
    for n in range(sockets):
        point = register_charge_point(identity=f"FLEET-{site.pk.hex[:8]}-{n}", site=site).charge_point
        connector = Connector.objects.select_related("charge_point__site").get(charge_point=point, number=1)
        step = timedelta(days=360) / each
        past_sessions(connector, (now - timedelta(hours=2) - step * k for k in range(each)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return owner


def summary(owner: User, *, group: str = "month", rounds: int = 20) -> dict[str, float]:
    """p50 and p95 in ms of the last twelve months, how many statements it takes, and the bare SQL's p50 beside it."""
    question = read_question({"period": "last_12_months", "group": group}, time_zone="Europe/London", now=clock.now())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        summary_json(visible_sessions(owner), question, owner)
    whole = _times(lambda: summary_json(visible_sessions(owner), question, owner), rounds)
    sites = [
        site.hex if connection.vendor == "sqlite" else site
        for site in owner.memberships.values_list("site_id", flat=True)
    ]
    bare = _times(lambda: _bare(sites[0], question.first_day, question.last_day), rounds)
    return {"p50_ms": whole[len(whole) // 2], "p95_ms": whole[int(len(whole) * 0.95)], "statements": len(queries),
            "bare_sql_p50_ms": bare[len(bare) // 2]}  # fmt: skip


def _bare(site: Any, first: Any, last: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT local_day, SUM(energy_import_wh), SUM(energy_export_wh), SUM(flow_seconds), COUNT(*),"
            " SUM(cost_micros) FROM usage_chargingsession"
            " WHERE site_id = %s AND local_day BETWEEN %s AND %s GROUP BY local_day",
            [site, first, last],
        )
        return cursor.fetchall()


def _times(work: Callable[[], object], rounds: int) -> list[float]:
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)


def ingestion(samples: int = 100_000, sockets: int = 500) -> dict[str, float]:
    """Readings stored and counted a second, in group commits of one reading a socket; bytes a reading afterwards."""
    site = create_site(name="Bench", owner=User.objects.create(email=f"ingest-{clock.now().timestamp()}@example.com"))
    connectors = [
        register_charge_point(identity=f"INGEST-{site.pk.hex[:8]}-{n}", site=site).charge_point.connectors.get(number=1)
        for n in range(sockets)
    ]
    from chargeamps.usage.services.sessions import start_transaction

    start = clock.now() - timedelta(hours=6)
    for connector in connectors:
        start_transaction(
            charge_point=connector.charge_point_id,
            connector_number=1,
            id_tag="A",
            meter_start_wh=0,
            started=start,
            received=start,
            raw_timestamp="",
            flags=[],
        )
    first, rounds = milliseconds(start) + 1000, samples // sockets
    keys = [connector.pk for connector in connectors]
    statements = 0
    began, cpu = time.perf_counter(), time.process_time()
    for n in range(rounds):
        batch = {key: [Reading(first + n * 1000, 11_000 + n % 50, n * 3055)] for key in keys}
        if n == rounds // 2:
            with CaptureQueriesContext(connection) as queries:
                store_readings(batch)
            statements = len(queries)
        else:
            store_readings(batch)
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    power.compact()
    kept = sum(len(data) for data in PowerBlock.objects.filter(connector__in=keys).values_list("data", flat=True))
    began_read = time.perf_counter()
    points = sum(1 for _ in points_by_second(keys[0], start, None))
    return {
        "samples": rounds * sockets,
        "samples_per_second": rounds * sockets / spent,
        "python_us_per_sample": used / (rounds * sockets) * 1e6,
        "statements_per_sample": statements / sockets,
        "bytes_per_sample_in_blocks": kept / (rounds * sockets),
        "read_ms_per_1000_points": (time.perf_counter() - began_read) * 1e6 / max(1, points),
    }


def export(owner: User, format: str = "csv") -> dict[str, float]:
    """Seconds, rows and peak memory of an export of everything an owner has."""
    question = read_question(
        {"period": "last_12_months", "group": "session"}, time_zone="Europe/London", now=clock.now()
    )
    job = exports.request_export(user=owner, format=format, question=question)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    began = time.perf_counter()
    exports.make_export(job.pk)
    spent = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    job = Export.objects.get(pk=job.pk)
    return {
        "rows": job.rows,
        "seconds_while_traced": spent,
        "peak_python_mib": peak / 2**20,
        "peak_process_growth_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "file_mib": job.bytes / 2**20,
    }


def main() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    owner = prepare(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    print(f"{connection.vendor}, prepared in {time.perf_counter() - began:.0f} s")
    for group in ("month", "day"):
        print("summary by", group, _rounded(summary(owner, group=group)))
    print("ingestion", _rounded(ingestion()))
    for kind in ("csv", "xlsx"):
        print("export", kind, _rounded(export(owner, kind)))


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
