"""Downloads: whole, exact, harmless in a spreadsheet, and resumed where they were killed."""

import csv
import io
import json
import re
import shutil
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from itertools import count

import openpyxl
import pytest
import time_machine

from chargeamps.usage.models import ChargingSession, Export, ExportPart, Tariff
from chargeamps.usage.services import exports
from chargeamps.usage.writers.rows import inert
from tests.cast import Phone
from tests.usage.history import past_session, past_sessions

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
DANGEROUS = ["=cmd()|A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x")', "\n=1"]


@pytest.fixture(autouse=True)
def in_july():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def alice(cast):
    return Phone(cast.alice)


def download(phone, **question) -> bytes:
    answer = phone.send("POST", "usage/exports", question)
    assert answer.status_code == 202, answer.content
    export = answer.json()
    assert (export["state"], export["url"]) == ("queued", None)
    assert phone.get(f"/api/v1/usage/exports/{export['id']}/file").status_code == 409
    exports.make_waiting()
    done = phone.get(f"/api/v1/usage/exports/{export['id']}").json()
    assert (done["state"], done["progress"], done["rows"]) == ("ready", 1.0, done["rows_total"])
    file = phone.get(done["url"])
    content = b"".join(file.streaming_content)
    assert len(content) == done["bytes"] == int(file["Content-Length"])
    assert "attachment" in file["Content-Disposition"]
    return content


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[dict]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Charging"]
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=False)) for row in rows]


def read_pdf(content: bytes) -> str:
    if shutil.which("pdftotext"):
        return subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
        ).stdout.decode()
    streams = re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    return "\n".join(
        re.sub(r"\\(.)", r"\1", text)
        for stream in streams
        for text in re.findall(r"\((.*?)\) Tj", zlib.decompress(stream).decode("cp1252"))
    )


QUESTION = {"from": "2026-06-01", "to": "2026-07-31"}


@pytest.mark.requirement("R9-3", "R9-4", "R9-5")
def test_every_format_says_what_the_database_says(cast, alice):
    past_sessions(cast.socket, [NOW - timedelta(hours=5 * n) for n in range(120)])
    rows = ChargingSession.objects.order_by("started")
    energy = [row.energy_import_wh for row in rows]
    as_csv = read_csv(download(alice, format="csv", **QUESTION))
    as_xlsx = read_xlsx(download(alice, format="xlsx", **QUESTION))
    as_json = json.loads(download(alice, format="json", **QUESTION))
    for table in (as_csv, as_xlsx, as_json["rows"]):
        assert [int(row["energy_import_wh"]) for row in table] == energy
        assert [row["session"] for row in table] == [str(row.pk) for row in rows]
        assert table[0]["started_utc"] == rows[0].started.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert table[0]["started_local"].endswith("+01:00")
    assert as_json["total"]["energy_import_wh"] == sum(energy)
    text = read_pdf(download(alice, format="pdf", **QUESTION))
    assert f"imported {sum(energy) / 1000:.3f} kWh" in re.sub(" +", " ", text)
    for wh in energy:
        assert f"{wh / 1000:.3f}" in text


def test_groups(cast, alice):
    Tariff.objects.create(site=cast.home, valid_from=NOW - timedelta(days=99), price="0.30")
    past_session(cast.socket, datetime(2026, 6, 30, 22, 59, tzinfo=UTC), wh=1000, cost_micros=300_000, currency="GBP")
    past_session(cast.socket, datetime(2026, 6, 30, 23, 1, tzinfo=UTC), wh=2000, cost_micros=600_000, currency="GBP")
    rows = read_csv(download(alice, format="csv", group="month", **QUESTION))
    assert [(r["first_day"], r["energy_import_wh"], r["cost"]) for r in rows] == [
        ("2026-06-01", "1000", "0.300000"),
        ("2026-07-01", "2000", "0.600000"),
    ]
    assert "2.000" in read_pdf(download(alice, format="pdf", group="month", **QUESTION))


def test_a_session_over_midnight_of_the_month_s_end_is_whole(cast, alice):
    past_session(cast.socket, datetime(2026, 6, 30, 20, 0, tzinfo=UTC), minutes=600, wh=9000)
    [row] = read_csv(download(alice, format="csv", period="last_month"))
    assert (row["energy_import_wh"], row["stopped_utc"]) == ("9000", "2026-07-01T06:00:00Z")
    assert read_csv(download(alice, format="csv", period="this_month")) == []


@pytest.mark.parametrize("name", DANGEROUS)
def test_no_cell_is_a_formula(cast, alice, name):
    cast.aura.name = name
    cast.aura.save()
    cast.bob.name = name
    cast.bob.save()
    past_session(cast.socket, NOW, id_tag=name, person=cast.bob)
    [row] = read_csv(download(alice, format="csv", **QUESTION))
    book = openpyxl.load_workbook(io.BytesIO(download(alice, format="xlsx", **QUESTION)))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    for text in (*row.values(), *(cell.value for cell in cells)):
        assert not str(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


@pytest.mark.once
def test_honest_text_stays_as_it_is():
    for text in ("Garage", "Zoë's car", "7 - left", "", 12, None):
        assert inert(text) == text


@pytest.mark.parametrize("format", ["csv", "json", "xlsx", "pdf"])
def test_a_killed_run_is_finished_by_the_next_one(cast, alice, in_july, monkeypatch, format):
    past_sessions(cast.socket, [NOW - timedelta(minutes=9 * n) for n in range(2500)])
    monkeypatch.setattr(exports, "PAGE", 500)
    whole = download(alice, format=format, **QUESTION)
    export = alice.send("POST", "usage/exports", {"format": format, **QUESTION}).json()["id"]
    kills = count()

    def killed(*args, **more):
        if next(kills) == 3:
            raise KeyboardInterrupt
        return stored(*args, **more)

    name = "_store" if format in ("csv", "json") else "_progress"
    stored = getattr(exports, name)
    monkeypatch.setattr(exports, name, killed)
    with pytest.raises(KeyboardInterrupt):
        exports.make_waiting()
    assert exports.make_waiting() == 0, "held by the run that was killed"
    in_july.shift(61)
    assert exports.make_waiting() == 1
    file = b"".join(alice.get(f"/api/v1/usage/exports/{export}/file").streaming_content)
    if format in ("csv", "json"):
        assert file == whole
    assert Export.objects.get(pk=export).rows == 2500
    in_july.shift(timedelta(days=8))
    assert exports.forget_exports() == 2
    assert not ExportPart.objects.exists()


def test_a_download_is_its_asker_s_alone(cast, alice):
    export = alice.send("POST", "usage/exports", {"format": "csv"}).json()["id"]
    for name in ("bob", "charlie", "sam"):
        for path in ("", "/file"):
            assert Phone(cast.people[name]).get(f"/api/v1/usage/exports/{export}{path}").status_code == 404
    assert [row["id"] for row in alice.get("/api/v1/usage/exports").json()["results"]] == [export]


def test_a_driver_downloads_their_own(cast):
    work = cast.work_aura.connectors.get(number=1)
    past_session(work, NOW, person=cast.dan, wh=1)
    past_session(work, NOW + timedelta(hours=2), wh=2)
    assert [row["energy_import_wh"] for row in read_csv(download(Phone(cast.dan), format="csv"))] == ["1"]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"format": "exe"}, "format"),
        ({"format": "csv", "from": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"format": "csv", "colour": "red"}, "colour"),
        ({}, "format"),
    ],
)
def test_questions_that_make_no_sense_say_why(alice, question, field):
    answer = alice.send("POST", "usage/exports", question)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_few_at_a_time(alice):
    codes = [alice.send("POST", "usage/exports", {"format": "csv"}).status_code for _ in range(6)]
    assert codes == [202] * 5 + [409]
