from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from chargeamps.common import clock, rate
from chargeamps.common.models import RateBucket


def take(name: str = "test") -> float:
    return rate.take(name, capacity=3, refill_per_second=0.5)


def test_a_bucket_gives_its_tokens_then_says_how_long_to_wait(db: None) -> None:
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False) as traveller:
        assert [take() for _ in range(5)] == [0, 0, 0, 2, 2]
        traveller.shift(1)
        assert take() == 1
        traveller.shift(1)
        assert [take(), take()] == [0, 2]
        assert take("another") == 0
        traveller.shift(3600)
        assert [take() for _ in range(4)] == [0, 0, 0, 2]


def test_a_clock_set_back_gives_nothing_and_takes_nothing(db: None) -> None:
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False) as traveller:
        assert [take() for _ in range(3)] == [0, 0, 0]
        traveller.shift(-3600)
        assert take() == 2


def test_a_token_given_back_can_be_taken_again_but_not_more(db: None) -> None:
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False):
        rate.give_back("test", 3)
        assert [take() for _ in range(3)] == [0, 0, 0]
        rate.give_back("test", 3)
        assert [take(), take()] == [0, 2]
        for _ in range(9):
            rate.give_back("test", 3)
        assert [take() for _ in range(4)] == [0, 0, 0, 2]


def test_names_do_not_tell_whose_they_are() -> None:
    name = rate.bucket_name("sign-in", "alice@example.com", "192.0.2.1")
    assert "alice" not in name
    assert name != rate.bucket_name("sign-in", "alice@example.com1", "92.0.2.1")
    assert len(name) <= 150


def test_buckets_that_are_full_again_are_forgotten(db: None) -> None:
    with time_machine.travel(clock.now() - timedelta(days=8)):
        take("old")
    take("new")
    assert rate.purge() == 1
    assert [bucket.name for bucket in RateBucket.objects.all()] == ["new"]


@pytest.mark.django_db(transaction=True)
def test_parallel_takers_never_get_more_than_there_is() -> None:
    def taken(_: int) -> bool:
        try:
            return rate.take("test", capacity=5, refill_per_second=1e-9) == 0
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(taken, range(24))) == 5
