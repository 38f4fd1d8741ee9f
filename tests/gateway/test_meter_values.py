"""What a person sees of MeterValues, whatever notation a charger uses (peers-and-field-quirks §5.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeamps.gateway import meter_values
from chargeamps.gateway.reading import Reader

pytestmark = pytest.mark.once

RECEIVED = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
STAMP = "2026-07-01T11:59:50Z"
ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"


def value(number: Any, measurand: str | None = None, unit: str | None = None, **more: Any) -> dict[str, Any]:
    given_ = {"value": number, "measurand": measurand, "unit": unit, **more}
    return {name: item for name, item in given_.items() if item is not None}


def read(*values: Any, timestamp: Any = STAMP) -> tuple[meter_values.Sample, list[str]]:
    reader = Reader({"connectorId": 1, "meterValue": [{"timestamp": timestamp, "sampledValue": list(values)}]})
    (sample,) = meter_values.read(reader, RECEIVED)
    return sample, reader.flags


FIGURES: list[tuple[str, list[Any], dict[str, float | None], list[str]]] = [
    ("no measurand is the register", [value("1500")], {"register_wh": 1500}, []),
    ("a number instead of text", [value(12.5)], {"register_wh": 12.5}, []),
    ("spaces", [value(" 12.5 ", ENERGY)], {"register_wh": 12.5}, []),
    ("kWh", [value("1.5", ENERGY, "kWh")], {"register_wh": 1500}, []),
    ("kW", [value("7.2", POWER, "kW")], {"power_w": 7200}, []),
    ("milliamperes", [value("16000", CURRENT, "mA")], {"current_a": 16, "power_w": 3680}, []),
    ("units in another case", [value("1.5", ENERGY, "KWH")], {"register_wh": 1500}, []),
    ("unit missing", [value("7200", POWER)], {"power_w": 7200}, []),
    ("unit unknown", [value("7200", POWER, "Celsius")], {"power_w": 7200}, []),
    ("measurand in lower case", [value("7200", "power.active.import")], {"power_w": 7200}, []),
    ("unknown measurand", [value("1", "Mood"), value("5", POWER)], {"power_w": 5}, []),
    ("empty text", [value("", POWER), value("10", ENERGY)], {"register_wh": 10}, ["sampled-value-not-a-number"]),
    ("NaN", [value("NaN")], {"register_wh": None}, ["sampled-value-not-a-number"]),
    ("infinite", [value("Infinity", POWER)], {"power_w": None}, ["sampled-value-not-a-number"]),
    ("1e308", [value("1e308")], {"register_wh": None}, ["register-not-credible"]),
    ("1e308 kWh", [value("1e308", ENERGY, "kWh")], {"register_wh": None}, ["register-not-credible"]),
    ("negative register", [value("-5")], {"register_wh": None}, ["register-not-credible"]),
    ("negative power", [value("-5", POWER)], {"power_w": None}, ["power-not-credible"]),
    ("more power than an Aura has", [value("7200", POWER, "kW")], {"power_w": None}, ["power-not-credible"]),
    ("zero is a figure", [value("0", POWER), value("0", CURRENT)], {"power_w": 0, "current_a": 0}, []),
    (
        "only phases",
        [value("1000", POWER, "W", phase=phase) for phase in ("L1", "L2", "L3")],
        {"power_w": 3000},
        [],
    ),
    ("only L1", [value("3600", POWER, "W", phase="L1")], {"power_w": 3600}, []),
    ("phase to neutral", [value("1000", POWER, "W", phase="L1-N"), value("5", CURRENT)], {"power_w": 1000}, []),
    (
        "a phase under both its names counts once",
        [value("1000", POWER, phase="L1"), value("1000", POWER, phase="L1-N")],
        {"power_w": 1000},
        [],
    ),
    (
        "a total beside the phases",
        [value("1000", POWER, phase="L1"), value("3000", POWER), value("1000", POWER, phase="L2")],
        {"power_w": 3000},
        [],
    ),
    (
        "phase in the measurand's name",
        [value("231", "Voltage.L1"), value("229", "Voltage.L2"), value("16", "Current.Import.L1")],
        {"voltage_v": 230, "current_a": 16, "power_w": 16 * 231},
        [],
    ),
    (
        "voltage between phases is not the socket's",
        [value("230", "Voltage", phase="L1-N"), value("400", "Voltage", phase="L1-L2")],
        {"voltage_v": 230},
        [],
    ),
    (
        "current of the neutral is not a phase's",
        [value("10", CURRENT, phase="L1"), value("14", CURRENT, phase="N")],
        {"current_a": 10, "power_w": 2300},
        [],
    ),
    (
        "power from currents and voltages",
        [value("10", CURRENT, phase=f"L{n}") for n in (1, 2, 3)]
        + [value("240", "Voltage", phase=f"L{n}") for n in (1, 2, 3)],
        {"power_w": 7200, "current_a": 10, "voltage_v": 240},
        [],
    ),
    (
        "the register of the beginning, sent last",
        [value("2500", ENERGY), value("1000", ENERGY, context="Transaction.Begin")],
        {"register_wh": 2500},
        [],
    ),
    (
        "the register of the beginning, sent first",
        [value("1000", ENERGY, context="Transaction.Begin"), value("2500", ENERGY, context="Sample.Periodic")],
        {"register_wh": 2500},
        [],
    ),
    (
        "nothing but the beginning",
        [
            value("1000", ENERGY, context="Transaction.Begin"),
            value("0", POWER, context="Transaction.Begin"),
        ],
        {"register_wh": 1000, "power_w": 0},
        [],
    ),
    (
        "another place than the outlet",
        [value("9000", POWER, location="Inlet"), value("7000", POWER, location="Outlet")],
        {"power_w": 7000},
        [],
    ),
    ("only another place", [value("9000", POWER, location="Inlet")], {"power_w": 9000}, []),
    ("offered", [value("16", "Current.Offered", "A")], {"current_offered_a": 16}, []),
    ("no object", ["7", value("5")], {"register_wh": 5}, ["sampled-value-not-an-object"]),
    ("measurand no text", [{"value": "5", "measurand": ["x"]}], {"register_wh": None}, ["measurand-not-text"]),
    ("unit no text", [{"value": "5", "unit": {"a": 1}}], {"register_wh": 5}, []),
]


@pytest.mark.parametrize(("values", "figures", "flags"), [row[1:] for row in FIGURES], ids=[row[0] for row in FIGURES])
def test_figures(values, figures, flags):
    sample, said = read(*values)
    assert {name: getattr(sample, name) for name in figures} == pytest.approx(figures)
    assert said == flags


@pytest.mark.parametrize(
    ("timestamp", "time", "flags"),
    [
        (STAMP, RECEIVED - timedelta(seconds=10), []),
        ("2026-06-20T11:59:50Z", datetime(2026, 6, 20, 11, 59, 50, tzinfo=UTC), []),
        ("1970-01-01T00:00:00Z", RECEIVED, ["timestamp-implausible"]),
        (None, RECEIVED, []),
        ("nonsense", RECEIVED, ["timestamp-unreadable"]),
    ],
)
def test_when(timestamp, time, flags):
    sample, said = read(value("5"), timestamp=timestamp)
    assert (sample.time, said) == (time, flags)


@pytest.mark.parametrize(
    ("payload", "flags"),
    [
        ({}, ["no-meter-values"]),
        ({"meterValue": []}, ["no-meter-values"]),
        ({"meterValue": None}, ["no-meter-values"]),
        ({"meterValue": {"timestamp": STAMP}}, ["no-meter-values"]),
        ({"meterValue": [7]}, ["meter-value-not-an-object"]),
    ],
)
def test_nothing_to_read(payload, flags):
    reader = Reader(payload)
    assert meter_values.read(reader, RECEIVED) == []
    assert reader.flags == flags


def test_entries_keep_the_order_in_which_they_were_sent():
    entries = [{"timestamp": f"2026-07-01T11:0{n}:00Z", "sampledValue": [value(str(n))]} for n in (3, 1, 2)]
    samples = meter_values.read(Reader({"meterValue": entries}), RECEIVED)
    assert [sample.register_wh for sample in samples] == [3, 1, 2]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "meterValue",
                    "timestamp",
                    "sampledValue",
                    "value",
                    "measurand",
                    "phase",
                    "unit",
                    "context",
                    "location",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(st.dictionaries(st.just("meterValue"), st.lists(anything, max_size=4)))
def test_reading_never_raises_and_shows_nothing_incredible(payload):
    for sample in meter_values.read(Reader(payload), RECEIVED):
        for figure, limit in (
            (sample.power_w, meter_values.MAX_POWER_W),
            (sample.current_a, meter_values.MAX_CURRENT_A),
            (sample.voltage_v, meter_values.MAX_VOLTAGE_V),
            (sample.register_wh, meter_values.MAX_REGISTER_WH),
        ):
            assert figure is None or 0 <= figure <= limit
