"""Reading request bodies without trusting their size, depth or characters."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from chargeamps.common.problems import Problem, too_large

# Far above anything this API takes.
BODY_BYTES = 256 * 1024


class JSONParser(BaseParser):
    """Strict JSON of bounded size. NUL and lone surrogates are refused here, since PostgreSQL cannot store them."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body: bytes = stream.read(BODY_BYTES + 1)
        if len(body) > BODY_BYTES:
            raise too_large()
        try:
            data = json.loads(body.decode(), parse_constant=_no_constants)
            json.dumps(data, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError from error
        if "\\u0000" in body.decode() and _holds_nul(data):
            raise Problem("The body holds a NUL character.", code="malformed-body")
        return data


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _holds_nul(data: Any) -> bool:
    if isinstance(data, str):
        return "\x00" in data
    if isinstance(data, dict):
        return any(_holds_nul(key) or _holds_nul(value) for key, value in data.items())
    return isinstance(data, list) and any(_holds_nul(item) for item in data)
