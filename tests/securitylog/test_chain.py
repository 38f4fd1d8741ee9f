from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from chargeamps.securitylog import services
from chargeamps.securitylog.models import ChainHead, Entry, ImmutableError
from chargeamps.securitylog.services import Fault, record, verify

TABLE = Entry._meta.db_table
SWAP = (
    f"UPDATE {TABLE} SET sequence = CASE sequence WHEN 2 THEN -3 ELSE -2 END WHERE sequence IN (2, 3);"
    f"UPDATE {TABLE} SET sequence = -sequence WHERE sequence < 0"
)


def fill(count: int = 5) -> None:
    for number in range(count):
        record(kind="test", outcome="notice", actor=f"person {number}", detail={"number": number})


def tamper(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_entries_are_numbered_without_gaps_and_linked(db: None) -> None:
    fill(3)
    first, second, third = Entry.objects.order_by("sequence")
    assert [first.sequence, second.sequence, third.sequence] == [1, 2, 3]
    assert (first.previous_hash, second.previous_hash) == (services.GENESIS, first.hash)
    assert services.head() == (3, third.hash)
    assert verify() is None


def test_an_empty_log_is_in_order(db: None) -> None:
    assert verify() is None


@pytest.mark.requirement("S1-30")
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (f"UPDATE {TABLE} SET actor = 'nobody' WHERE sequence = 3", Fault(3, "altered")),
        (f"UPDATE {TABLE} SET outcome = 'success' WHERE sequence = 5", Fault(5, "altered")),
        (f"UPDATE {TABLE} SET hash = '{'0' * 64}' WHERE sequence = 2", Fault(2, "altered")),
        (f"DELETE FROM {TABLE} WHERE sequence = 3", Fault(3, "missing")),
        (f"DELETE FROM {TABLE} WHERE sequence = 1", Fault(1, "missing")),
        (f"DELETE FROM {TABLE} WHERE sequence >= 4", Fault(4, "missing")),
        (f"DELETE FROM {TABLE}", Fault(1, "missing")),
        (SWAP, Fault(2, "out-of-order")),
    ],
)
def test_the_first_altered_missing_or_swapped_entry_is_named(db: None, sql: str, fault: Fault) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {TABLE}_sequence_check")
    fill()
    for statement in sql.split(";"):
        tamper(statement)
    assert verify() == fault


def test_a_cut_tail_with_an_altered_head_is_found_by_an_anchor_kept_elsewhere(db: None) -> None:
    fill()
    anchor = services.head()
    third = Entry.objects.get(sequence=3)
    tamper(f"DELETE FROM {TABLE} WHERE sequence > 3")
    ChainHead.objects.update(sequence=3, hash=third.hash)
    assert verify() is None
    assert verify(anchor=anchor) == Fault(4, "missing")


def test_a_chain_forged_from_end_to_end_is_found_by_an_anchor(db: None) -> None:
    fill()
    anchor = services.head()
    tamper(f"DELETE FROM {TABLE}")
    ChainHead.objects.all().delete()
    fill()
    assert verify() is None
    assert verify(anchor=anchor) == Fault(5, "altered")


def test_rows_refuse_to_be_changed_or_removed(db: None) -> None:
    fill(1)
    entry = Entry.objects.get()
    entry.actor = "somebody else"
    for act in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(actor="x"),
        lambda: Entry.objects.bulk_update([entry], ["actor"]),
    ):
        with pytest.raises(ImmutableError):
            act()
    assert verify() is None


def test_an_entry_belongs_to_its_transaction(db: None) -> None:
    fill(2)
    with transaction.atomic():
        record(kind="test", outcome="success")
        transaction.set_rollback(True)
    fill(1)
    assert Entry.objects.count() == 3
    assert verify() is None


def test_odd_details_come_back_as_they_were_hashed(db: None) -> None:
    record(
        kind="test",
        outcome="refused",
        source_address="x" * 100,
        detail={
            "text": "line\nbreak \x00 \x1b[31m \u202e \ud800",
            "numbers": [1e22, 0.1, -0.0, 10**30, True, None],
            "größe": {"nested": ("a", 1)},
            "long": "y" * 10_000,
        },
    )
    entry = Entry.objects.get()
    assert verify() is None
    assert entry.detail["text"] == "line\\nbreak \\x00 \\x1b[31m \\u202e \\ud800"
    assert len(entry.detail["long"]) == 500


def test_an_unknown_outcome_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="perhaps"):
        record(kind="test", outcome="perhaps")


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            with transaction.atomic():
                record(kind="test", outcome="notice", detail={"number": number})
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert list(Entry.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, 41))
    assert verify() is None


def test_the_command_prints_an_anchor_or_names_the_fault(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    call_command("verify_security_log")
    printed = capsys.readouterr().out
    anchor = printed.split()[-1]
    assert printed.startswith("5 entries in order.")
    call_command("verify_security_log", "--anchor", anchor)
    with pytest.raises(CommandError, match="SEQUENCE:HASH"):
        call_command("verify_security_log", "--anchor", "rubbish")
    tamper(f"UPDATE {TABLE} SET kind = 'other' WHERE sequence = 2")
    with pytest.raises(CommandError, match="Entry 2 is altered"):
        call_command("verify_security_log")
