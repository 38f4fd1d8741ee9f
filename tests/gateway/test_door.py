"""Who gets in: Security Profile 2, decided before the upgrade, at the real server over real TLS."""

import asyncio
import json
import socket
import ssl
import statistics
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from websockets.http11 import Response

from tests.gateway.installation import Installation
from tests.gateway.wire import basic, charger, knock

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "authorization-keys.json").read_text())["vectors"]
pytestmark = [pytest.mark.requirement("S1-17", "S1-30")]


@pytest.fixture(scope="module")
def house(start_installation) -> Installation:
    return start_installation(more=30, vectors=True)


# Failures count against their source for minutes, so each test comes from an address of its own.
@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    number = sum(map(ord, request.node.name)) * 31 % 60000
    return f"127.1.{number // 250 + 1}.{number % 250 + 1}"


def at(house: Installation, identity: str) -> str:
    return f"{house.server.charger_url}/{quote(identity, safe='')}"


def look(response: Response) -> tuple:
    """All that a stranger sees of an answer, but the time."""
    headers = sorted((name.lower(), value) for name, value in response.headers.raw_items() if name.lower() != "date")
    return response.status_code, response.reason_phrase, headers, response.body


@pytest.mark.parametrize("form", ["basic_header_raw", "basic_header_hex_upper", "basic_header_hex_lower"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["identity"] for vector in VECTORS])
async def test_every_form_of_every_key_is_let_in(house, vector, form):
    response = await knock(at(house, vector["identity"]), header=vector[form], tls=house.server.tls())
    assert response.status_code == 101
    assert response.headers["Sec-WebSocket-Protocol"] == "ocpp1.6"


async def test_without_a_subprotocol_a_charger_is_let_in(house):
    """Grizzl-E and others offer none (peers-and-field-quirks §5.1)."""
    header = basic("AURA-1", house.key("AURA-1"))
    response = await knock(at(house, "AURA-1"), header=header, tls=house.server.tls(), subprotocols=())
    assert response.status_code == 101
    assert "Sec-WebSocket-Protocol" not in response.headers


async def test_one_right_subprotocol_of_several_is_chosen(house):
    header = basic("AURA-1", house.key("AURA-1"))
    response = await knock(
        at(house, "AURA-1"), header=header, tls=house.server.tls(), subprotocols=("ocpp2.0.1", "ocpp1.6")
    )
    assert (response.status_code, response.headers["Sec-WebSocket-Protocol"]) == (101, "ocpp1.6")


KEY, OTHER = b"\x01the key of AURA-2!\xff", b"the key of another!!"
RIGHT = basic("AURA-2", KEY)
# (identity in the path, header) by what is wrong with it.
WRONG: dict[str, tuple[str, str | None]] = {
    "unknown identity": ("AURA-99", basic("AURA-99", KEY)),
    "wrong key": ("AURA-2", basic("AURA-2", OTHER)),
    "no header": ("AURA-2", None),
    "empty key": ("AURA-2", basic("AURA-2", b"")),
    "key and more": ("AURA-2", basic("AURA-2", KEY + b"x")),
    "hex in both cases": ("AURA-2", basic("AURA-2", KEY.hex().replace("f", "F").encode())),
    "another's user name": ("AURA-2", basic("AURA-3", KEY)),
    "user name in another case": ("AURA-2", basic("aura-2", KEY)),
    "path in another case": ("aura-2", basic("aura-2", KEY)),
    "slash after the identity": ("AURA-2/", RIGHT),
    "line end after the identity": ("AURA-2\n", RIGHT),
    "NUL after the identity": ("AURA-2\x00", RIGHT),
    "space after the identity": ("AURA-2 ", RIGHT),
    "look-alike": ("\N{GREEK CAPITAL LETTER ALPHA}URA-2", RIGHT),
    "bearer": ("AURA-2", "Bearer " + RIGHT.split()[1]),
    "not base64": ("AURA-2", "Basic !!!"),
    "only a scheme": ("AURA-2", "Basic"),
    "long identity": ("A" * 5000, RIGHT),
}


@pytest.fixture(scope="module")
def known_key(house) -> None:
    """AURA-2 gets ``KEY``, so that the wrong ones can be written down beforehand."""
    house.run(
        "from chargeamps.chargers.services.credentials import digest",
        f"Credential.objects.filter(charge_point__identity='AURA-2').update(digest=digest({KEY!r}, b's'), salt=b's')",
    )


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.usefixtures("known_key")
async def test_what_is_wrong_is_refused_before_the_upgrade(house, case, source):
    identity, header = WRONG[case]
    before = house.charge_point("AURA-2")
    response = await knock(at(house, identity), header=header, tls=house.server.tls(), source=source)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="ocpp"')
    assert house.charge_point("AURA-2") == before
    assert before["online"] is False


@pytest.mark.usefixtures("known_key")
async def test_and_what_is_right_is_let_in(house):
    assert (await knock(at(house, "AURA-2"), header=RIGHT, tls=house.server.tls())).status_code == 101


async def test_another_subprotocol_is_refused(house, source):
    header = basic("AURA-1", house.key("AURA-1"))
    response = await knock(
        at(house, "AURA-1"), header=header, tls=house.server.tls(), subprotocols=("ocpp2.0.1",), source=source
    )
    assert response.status_code == 400


async def test_an_unknown_path_is_not_found(house):
    for path in ("/ocpp", "/ocpp/", "/", "/other/AURA-1", "/ws/live"):
        response = await knock(
            f"wss://127.0.0.1:{house.server.tls_port}{path}",
            header=basic("AURA-1", house.key("AURA-1")),
            tls=house.server.tls(),
        )
        assert response.status_code == 404, path


async def test_plain_ws_is_refused_even_with_the_right_key(house, source):
    url = f"ws://127.0.0.1:{house.server.http_port}/ocpp/AURA-1"
    header = basic("AURA-1", house.key("AURA-1"))
    assert (await knock(url, header=header, source=source)).status_code == 403
    # Nobody trusted says that TLS ended before us.
    answer = await knock(url, header=header, source=source, X_Forwarded_Proto="https")
    assert answer.status_code == 403


async def test_unknown_identity_and_wrong_key_look_alike(house, source):
    key = house.key("AURA-4")
    answers = [
        await knock(at(house, identity), header=basic(identity, wrong), tls=house.server.tls(), source=source)
        for identity, wrong in (("AURA-4", key[::-1]), ("AURA-X", key[::-1]), ("AURA-4", b"short"), ("AURA-X", key))
    ]
    assert len({str(look(answer)) for answer in answers}) == 1


async def test_and_take_about_as_long(house, capsys):
    tls, wrong = house.server.tls(), b"x" * 20
    seconds: dict[str, list[float]] = {"AURA-5": [], "AURA-Y": []}
    for turn in range(60):
        for identity, times in seconds.items():
            # A new address each time: a source that guesses too often gets no check at all.
            address = f"127.2.{turn}.{len(times) % 250 + (1 if identity == 'AURA-5' else 101)}"
            begun = time.perf_counter()
            response = await knock(at(house, identity), header=basic(identity, wrong), tls=tls, source=address)
            times.append(time.perf_counter() - begun)
            assert response.status_code == 401
    known, unknown = (statistics.median(times) * 1000 for times in seconds.values())
    with capsys.disabled():
        print(f"\n    wrong key {known:.2f} ms, unknown identity {unknown:.2f} ms (medians of 60)")
    assert abs(known - unknown) < 0.5 * max(known, unknown)


async def test_refusals_are_in_the_security_log_without_any_secret(house, source):
    wrong = b"not-the-key-canary-0"
    await knock(at(house, "AURA-6"), header=basic("AURA-6", wrong), tls=house.server.tls(), source=source)
    entries = house.ask(
        "[(e.outcome, e.source_address, e.detail, e.charge_point) for e in "
        f"Entry.objects.filter(kind='charge-point-authentication', source_address='{source}')]"
    )
    assert entries == [["refused", source, {"reason": "wrong-credentials", "identity": "AURA-6"}, ""]]
    log = house.server.log()
    assert "charger_refused" in log
    for secret in (wrong.decode(), wrong.hex(), basic("AURA-6", wrong).split()[1]):
        assert secret not in log


class TestGuessing:
    """SEC-04: limited for each source, and no stranger locks the real charger out."""

    async def _guess(self, house, identity: str, source: str, times: int) -> list[int]:
        tls, found = house.server.tls(), []
        for number in range(times):
            wrong = basic(identity, f"guess{number:015d}".encode())
            found.append((await knock(at(house, identity), header=wrong, tls=tls, source=source)).status_code)
        return found

    async def test_a_source_that_guesses_is_refused_without_a_check(self, house, source):
        found = await self._guess(house, "AURA-7", source, 26)
        assert found[:20] == [401] * 20
        assert found[-1] == 429
        # Whatever identity it tries next, and with the right key too: it had never signed in from there.
        right = basic("AURA-8", house.key("AURA-8"))
        response = await knock(at(house, "AURA-8"), header=right, tls=house.server.tls(), source=source)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "60")

    async def test_the_real_charger_comes_in_from_elsewhere_meanwhile(self, house, source):
        attack = asyncio.create_task(self._guess(house, "AURA-9", source, 40))
        await asyncio.sleep(0.2)
        header = basic("AURA-9", house.key("AURA-9"))
        for _ in range(3):
            begun = time.monotonic()
            response = await knock(at(house, "AURA-9"), header=header, tls=house.server.tls(), source="127.3.0.9")
            assert response.status_code == 101
            assert time.monotonic() - begun < 5
        await attack

    async def test_the_real_charger_comes_in_from_the_very_same_address(self, house, source):
        """Both behind one router: the pair of identity and address has signed in before."""
        header, tls = basic("AURA-10", house.key("AURA-10")), house.server.tls()
        assert (await knock(at(house, "AURA-10"), header=header, tls=tls, source=source)).status_code == 101
        assert (await self._guess(house, "AURA-11", source, 25))[-1] == 429
        assert (await knock(at(house, "AURA-10"), header=header, tls=tls, source=source)).status_code == 101

    async def test_the_log_takes_a_few_refusals_of_a_source_and_not_all(self, house, source):
        await self._guess(house, "AURA-12", source, 30)
        logged = house.ask(f"Entry.objects.filter(source_address='{source}').count()")
        assert 1 <= logged <= 11


async def test_a_second_socket_with_a_wrong_key_leaves_the_first_alone(house, source):
    async with charger(house.server, "AURA-13", house.key("AURA-13")) as wire:
        await wire.boot()
        refused = await knock(
            at(house, "AURA-13"), header=basic("AURA-13", b"x" * 20), tls=house.server.tls(), source=source
        )
        assert refused.status_code == 401
        assert "currentTime" in await wire.call("Heartbeat")
        assert house.charge_point("AURA-13")["online"] is True


class TestTls:
    def _shake(self, house, **how) -> tuple[str, str, str]:
        """(version, cipher, kind of the certificate's key) of a handshake."""
        context = house.server.tls()
        for name, value in how.items():
            if name == "ciphers":
                context.set_ciphers(value)
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            else:
                setattr(context, name, value)
        with (
            socket.create_connection(("127.0.0.1", house.server.tls_port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as line,
        ):
            found = line.getpeercert(binary_form=True)
            assert found is not None
            assert line.compression() is None
            kind = type(x509.load_der_x509_certificate(found).public_key()).__name__
            cipher = line.cipher()
            return line.version() or "", cipher[0] if cipher else "", kind

    def test_the_newest_version_is_spoken(self, house):
        assert self._shake(house)[0] == "TLSv1.3"

    @pytest.mark.parametrize(
        ("cipher", "kind"),
        [
            ("ECDHE-ECDSA-AES128-GCM-SHA256", "EC"),
            ("ECDHE-ECDSA-AES256-GCM-SHA384", "EC"),
            ("ECDHE-RSA-AES128-GCM-SHA256", "RSA"),
            ("AES128-GCM-SHA256", "RSA"),
            ("AES256-GCM-SHA384", "RSA"),
        ],
    )
    def test_the_suites_and_both_kinds_of_certificate_that_profile_2_asks_for(self, house, cipher, kind):
        version, chosen, key = self._shake(house, ciphers=cipher)
        assert (version, chosen) == ("TLSv1.2", cipher)
        assert key.startswith(kind)

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
    def test_old_versions_are_refused(self, house, version):
        context = house.server.tls()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = version
        context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", house.server.tls_port), timeout=10) as raw,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(raw, server_hostname="127.0.0.1")

    @pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305"])
    def test_weak_or_unasked_suites_are_refused(self, house, cipher):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            self._shake(house, ciphers=cipher)

    async def test_plain_text_on_the_chargers_port_is_hung_up(self, house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.tls_port)
        writer.write(b"GET /ocpp/AURA-1 HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        assert b"HTTP/" not in answer
        writer.close()
        await writer.wait_closed()


async def test_a_trusted_proxy_and_nobody_else_may_say_that_it_ended_tls(start_installation):
    house = start_installation(environment={"CHARGEAMPS_TRUSTED_PROXIES": "127.0.0.5"}, more=1)
    url = f"ws://127.0.0.1:{house.server.http_port}/ocpp/AURA-1"
    header = basic("AURA-1", house.key("AURA-1"))
    said = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    assert (await knock(url, header=header, source="127.0.0.6", **said)).status_code == 403
    assert (await knock(url, header=header, source="127.0.0.5", X_Forwarded_Proto="http")).status_code == 403
    assert (await knock(url, header=header, source="127.0.0.5")).status_code == 403
    assert (await knock(url, header=header, source="127.0.0.5", **said)).status_code == 101
    address = house.ask("ChargePoint.objects.get(identity='AURA-1').source_address")
    assert address == "203.0.113.9"
