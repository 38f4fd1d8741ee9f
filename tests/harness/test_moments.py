"""Named moments are in the past, and mean London's clock."""

from datetime import UTC, datetime

import pytest

from tests.harness.moments import LONDON, recent, recent_peak_hour

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T16:00Z", "2026-11-18T17:30Z"),
        # Today's moment counts an hour after it has passed.
        ("2026-11-18T18:29Z", "2026-11-11T17:30Z"),
        ("2026-11-18T18:31Z", "2026-11-18T17:30Z"),
        # The Wednesday before the clocks went back stands in summer time.
        ("2026-10-26T12:00Z", "2026-10-21T16:30Z"),
    ],
)
def test_the_latest_wednesday_half_past_five(now, expected):
    moment = recent(2, 17, 30, now=datetime.fromisoformat(now))
    assert moment == datetime.fromisoformat(expected)


def test_a_recent_peak_hour_is_one():
    moment = recent_peak_hour()
    assert moment < datetime.now(UTC)
    assert moment.astimezone(LONDON).strftime("%a %H:%M") == "Wed 17:30"
