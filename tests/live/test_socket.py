"""The live socket of a running server: snapshot, numbered changes, and who is let in."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.cast import PASSWORD
from tests.gateway.installation import Installation
from tests.harness.server import Server

Json = dict[str, Any]


@pytest.fixture(scope="module")
def house(start_installation: Callable[..., Installation]) -> Installation:
    return start_installation()


class Browser:
    """A person's signed-in browser."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self._jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        try:
            self._opener.open(f"{server.url}/api/v1/me", timeout=30)
        except urllib.error.HTTPError as error:
            error.close()
        self.post("auth/sign-in", {"email": f"{name}@example.com", "password": PASSWORD})

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def post(self, path: str, body: Json) -> None:
        token = next(cookie.value for cookie in self._jar if cookie.name == "csrftoken")
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRFToken": token or ""},
        )
        self._opener.open(request, timeout=30).close()

    def live(self, *, cookies: bool = True, origin: Any = None) -> connect:
        headers = {"Cookie": self.cookies} if cookies else {}
        return connect(self.server.live_url, additional_headers=headers, origin=origin, open_timeout=30)


async def read(socket: ClientConnection, kind: str) -> Json:
    async with asyncio.timeout(20):
        while True:
            message: Json = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


async def test_hello_then_a_snapshot_then_a_number_to_each_change(house: Installation) -> None:
    alice = await asyncio.to_thread(Browser, house.server, "alice")
    async with alice.live(origin=house.server.url) as socket:
        assert (await read(socket, "hello"))["version"]
        first = await read(socket, "snapshot")
        assert first["seq"] == 0
        key = house.charge_points["AURA-ALICE"]["id"]
        assert set(first["charge_points"]) == {key}
        for number, name in enumerate(("Driveway", "Garage"), start=1):
            await asyncio.to_thread(house.rest().request, "PATCH", f"charge-points/{key}", {"name": name})
            change = await read(socket, "changes")
            assert change["seq"] == number
            assert [(c["collection"], c["value"]["name"]) for c in change["changes"]] == [("charge_points", name)]
        await socket.send('{"type": "snapshot"}')
        anew = await read(socket, "snapshot")
        assert anew["seq"] == 0
        assert anew["charge_points"][key]["name"] == "Garage"


async def test_nonsense_from_a_page_changes_nothing(house: Installation) -> None:
    alice = await asyncio.to_thread(Browser, house.server, "alice")
    async with alice.live() as socket:
        await read(socket, "snapshot")
        for nonsense in ("", "{", "[]", "null", '{"type": ["ping"]}', "x" * 5000, b"\x00\xff"):
            await socket.send(nonsense)
        await socket.send('{"type": "ping"}')
        assert (await read(socket, "pong"))["time"].endswith("Z")


async def test_a_stranger_hears_nothing_of_anothers_charger(house: Installation) -> None:
    charlie = await asyncio.to_thread(Browser, house.server, "charlie")
    async with charlie.live() as socket:
        seen = await read(socket, "snapshot")
        assert house.charge_points["AURA-ALICE"]["id"] not in json.dumps(seen)
        key = house.charge_points["AURA-ALICE"]["id"]
        await asyncio.to_thread(house.rest().request, "PATCH", f"charge-points/{key}", {"name": "Secret"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await socket.recv()


async def test_without_a_session_the_socket_says_so_and_closes(house: Installation) -> None:
    alice = await asyncio.to_thread(Browser, house.server, "alice")
    async with alice.live(cookies=False) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await read(socket, "snapshot")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_foreign_page_cannot_use_the_persons_cookie(house: Installation) -> None:
    alice = await asyncio.to_thread(Browser, house.server, "alice")
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus) as refused:
            async with alice.live(origin=origin):
                pass
        assert refused.value.response.status_code == 403


async def test_signing_out_ends_the_socket(house: Installation) -> None:
    alice = await asyncio.to_thread(Browser, house.server, "alice")
    async with alice.live() as socket:
        await read(socket, "snapshot")
        await asyncio.to_thread(alice.post, "auth/sign-out", {})
        with pytest.raises(ConnectionClosed):
            await read(socket, "never")
