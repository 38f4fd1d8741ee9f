"""What we send to chargers. Built with the ``ocpp`` package's message classes and checked strictly against its schemas:
a charger must never get a message from us that the standard does not know."""

import secrets
from typing import Any

import ocpp.messages
from ocpp.exceptions import OCPPError

# The library would validate in a thread for each message, which costs more than the validation.
ocpp.messages.ASYNC_VALIDATION = False

VERSION = "1.6"


class InvalidCall(Exception):
    """A message of ours does not fit the OCPP 1.6 schema: our fault, never sent."""


def new_message_id() -> str:
    return secrets.token_hex(8)


async def validated(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return ``payload`` (camelCase JSON) if it fits the schema of ``action``; raise ``InvalidCall`` otherwise."""
    try:
        await ocpp.messages.validate_payload(ocpp.messages.Call("check", action, payload), VERSION)
    except OCPPError as error:
        raise InvalidCall(f"{action}: {error}") from error
    return payload
