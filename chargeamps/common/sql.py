"""Statements of the hot path, written out.

Django takes ten times as long to build a statement as SQLite takes to run it. What thousands of chargers ask for at
once is therefore written here as SQL that both databases understand; everything else goes through the ORM.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection


def fetch(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows. Ids come back as the database has them; ``as_uuid`` reads them."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _bound(values))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(statement: str, *values: Any) -> int:
    """Run a statement and return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _bound(values))
        changed: int = cursor.rowcount
        return changed


def execute_many(statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement once for each tuple of values."""
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_bound(row) for row in rows])


def as_uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _bound(values: tuple[Any, ...]) -> list[Any]:
    """The values in the form that Django stores them in."""
    if connection.features.has_native_uuid_field:
        return list(values)
    adapt = connection.ops.adapt_datetimefield_value
    return [
        value.hex if isinstance(value, UUID) else adapt(value) if isinstance(value, datetime) else value
        for value in values
    ]
