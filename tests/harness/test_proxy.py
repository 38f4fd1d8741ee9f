"""The fault proxy does to bytes what its methods say."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.harness.processes import wait_until
from tests.harness.proxy import FaultProxy

pytestmark = pytest.mark.once


@pytest.fixture
def echo() -> Iterator[int]:
    """Port of a server that says back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                while piece := connection.recv(65536):
                    connection.sendall(piece)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    # Shutting down wakes the accept; closing alone would not.
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[FaultProxy]:
    with FaultProxy(echo) as proxy:
        yield proxy


@pytest.fixture
def line(proxy: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hello"
        yield line


def hear(line: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        heard += line.recv(size - len(heard))
    return heard


def test_a_black_hole_swallows_and_closes_nothing(proxy, line):
    proxy.blackhole()
    line.sendall(b"lost")
    line.settimeout(0.3)
    with pytest.raises(TimeoutError):
        line.recv(100)
    assert proxy.open_connections == 1
    proxy.fine()
    line.settimeout(5)
    line.sendall(b"back")
    assert line.recv(100) == b"back"


def test_inside_a_black_hole_the_other_end_does_not_learn_of_a_close(proxy, line):
    proxy.blackhole()
    line.close()
    time.sleep(0.3)
    assert proxy.open_connections == 1
    proxy.fine()
    wait_until(lambda: proxy.open_connections == 0, seconds=5, what="the close comes through")


def test_a_cut_resets_open_connections_and_takes_new_ones(proxy, line):
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        line.recv(100)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
        again.sendall(b"again")
        assert again.recv(100) == b"again"
    assert proxy.connections_seen == 2


def test_a_refusing_proxy_cuts_newcomers_only(proxy, line):
    proxy.refuse()
    # The reset may come before the connect has returned, or after.
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as newcomer,
    ):
        newcomer.recv(100)
    line.sendall(b"still")
    assert line.recv(100) == b"still"


def test_delay_slow_and_slice_keep_every_byte_in_order(proxy, line):
    message = bytes(range(200))
    proxy.delay(0.1)
    start = time.monotonic()
    line.sendall(message)
    assert hear(line, 200) == message
    assert time.monotonic() - start >= 0.2
    proxy.fine()
    proxy.slice(7)
    line.sendall(message)
    assert hear(line, 200) == message
    proxy.slow(2000)
    start = time.monotonic()
    line.sendall(message)
    assert hear(line, 200) == message
    assert time.monotonic() - start >= 0.1
