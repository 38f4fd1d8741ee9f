import json
import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargeamps.common import clock
from chargeamps.schedules.compliance import check


class Command(BaseCommand):
    help = "Work out from the journal of random delays whether regulation 11 was kept; exit 1 where it was not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="DATE", help="YYYY-MM-DD in UTC; without it, the whole journal")
        parser.add_argument("--json", action="store_true", help="print {since, delays, sessions, findings: [...]}")

    def handle(self, *args: Any, **options: Any) -> None:
        report = check(clock.now(), _day(options["since"]))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            for finding in report.findings:
                where = f"{finding.charge_point}/{finding.connector}"
                self.stdout.write(f"{clock.isoformat(finding.at)}  {where}  {finding.code}: {finding.text}")
            checked = f"{report.delays} delays and {report.sessions} sessions since {report.since:%Y-%m-%d}"
            self.stdout.write(f"{checked}: {len(report.findings) or 'no'} findings.")
        if report.findings:
            sys.exit(1)


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise CommandError(f"{text} is no date like 2026-07-01.") from error
