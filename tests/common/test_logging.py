import json
import os
import subprocess
import sys

import pytest

from chargeamps.common.logging import REDACTED, redact, redact_value

CANARY = "CANARY0123456789"


@pytest.mark.requirement("S1-15")
@pytest.mark.parametrize(
    "event",
    [
        {"password": CANARY},
        {"Authorization": CANARY},
        {"request": {"headers": {"Cookie": CANARY}}},
        {"api_key": CANARY},
        {"key_hex": CANARY},
        {"sessions": [{"csrftoken": CANARY}]},
        {"claim_code": CANARY},
        {"idTag": CANARY},
        {"id_tag": CANARY},
        {"event": f"header Basic {CANARY}=="},
        {"event": f"Authorization: Bearer {CANARY}"},
        {"payload": {"key": "AuthorizationKey", "value": CANARY}},
        {"event": f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{CANARY}"}}]'},
        {"event": f'{{"value": "{CANARY}", "key": "AuthorizationKey"}}'},
        {"event": f"{{'key': 'AuthorizationKey', 'readonly': False, 'value': '{CANARY}'}}"},
        {"event": f'[2,"1","Authorize",{{"idTag":"{CANARY}"}}]'},
        {"frame": json.dumps(json.dumps({"idTag": CANARY}))},
        {"body": CANARY.encode()},
    ],
)
def test_secrets_do_not_reach_the_log(event: dict[str, object]) -> None:
    assert CANARY not in str(redact(None, "info", event))


def test_the_rest_is_left_as_it_is() -> None:
    event = {
        "event": "command_sent",
        "key": "HeartbeatInterval",
        "value": "300",
        "keyboard": "de",
        "password": "",
        "count": 3,
    }
    assert redact(None, "info", dict(event)) == event | {"key": REDACTED}
    assert redact_value({"key": "HeartbeatInterval", "value": "300"}) == {"key": "HeartbeatInterval", "value": "300"}


def log_lines(code: str, **environment: str) -> list[str]:
    setup = "import chargeamps.settings as s; from chargeamps.common.logging import configure; configure(s.LOGGING)\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + code],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "chargeamps.settings"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_json_lines_carry_utc_and_the_request_and_libraries_are_tamed() -> None:
    code = f"""
import logging, structlog
structlog.contextvars.bind_contextvars(request_id="abc")
structlog.get_logger("ours").info("hello", password={CANARY!r}, charger="AURA-0001")
logging.getLogger("library").warning("Bearer %s", {CANARY!r})
logging.getLogger("ocpp").info("frame with %s", {CANARY!r})
logging.getLogger("daphne.server").info("listening")
try:
    raise ValueError("Basic {CANARY}")
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""
    lines = [json.loads(line) for line in log_lines(code, CHARGEAMPS_LOG_JSON="true")]
    assert [line["event"] for line in lines] == ["hello", f"Bearer {REDACTED}", "failed"]
    assert lines[0]["charger"] == "AURA-0001"
    assert lines[0]["timestamp"].endswith("Z")
    assert {line["request_id"] for line in lines} == {"abc"}
    assert CANARY not in str(lines)
    assert "ValueError" in lines[2]["exception"]


def test_the_console_gets_text() -> None:
    lines = log_lines("import structlog; structlog.get_logger('ours').warning('hello', charger='AURA-0001')")
    assert "hello" in lines[0]
    assert "charger=AURA-0001" in lines[0]
