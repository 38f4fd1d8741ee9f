"""The command line of the simulator."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .aura import Aura
from .car import Car
from .clock import Clock, parse_iso
from .control import Control, serve
from .fleet import Fleet, credentials_from, numbered
from .life import Life
from .personas import PERSONAS, combine
from .storage import Keeper, read_memory
from .wire import KEY_FORMS, Driver, Transport, tls_context

log = logging.getLogger("chargeamps.simulator")


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(prog="simulate", description="A Charge Amps Aura in software (OCPP 1.6J).")
    add_arguments(p)
    return p


def add_arguments(p: argparse.ArgumentParser) -> None:
    """Add the options to any parser, such as that of a management command (whose own ``--verbosity`` stays free)."""
    p.add_argument("--url", default="wss://127.0.0.1:8443/ocpp", help="the identity is appended if missing")
    p.add_argument("--identity", default="2000000001A", help="with --count: a prefix, or a pattern with {}")
    p.add_argument("--key", metavar="HEX", help="the AuthorizationKey, 32 to 40 hexadecimal digits")
    p.add_argument("--key-form", choices=KEY_FORMS, default="raw", help="how the key stands in the Basic header")
    p.add_argument("--ca-file", help="trust the authorities in this PEM file")
    p.add_argument("--insecure", action="store_true", help="accept any server certificate")
    p.add_argument(
        "--persona",
        action="append",
        default=[],
        choices=sorted(PERSONAS),
        metavar="NAME",
        help="repeatable: " + ", ".join(sorted(PERSONAS)),
    )
    p.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="factory value of a configuration key, repeatable",
    )
    p.add_argument("--state", type=Path, help="keep the non-volatile memory in this file")
    p.add_argument("--control-port", type=int, help="JSON lines on 127.0.0.1")
    p.add_argument("--life", action="store_true", help="a household comes and goes")
    p.add_argument("--plug", default="", metavar="1[,2]", help="cars are plugged in from the start")
    p.add_argument("--clock", metavar="TIME", help="world time to begin at, e.g. 2026-11-23T17:00:00Z")
    p.add_argument("--speed", type=float, default=1.0, help="world seconds per real second")
    p.add_argument("--seed", default=None)
    p.add_argument("--verbose", action="store_true", help="log every frame")
    p.add_argument("--count", type=int, default=1, help="so many chargers in this process")
    p.add_argument("--credentials", type=Path, help='JSON list of {"identity", "key_hex"}: one charger each')
    p.add_argument("--ramp", type=float, default=0.0, metavar="S", help="connect them over S seconds; 0: all at once")
    p.add_argument("--first-retry", type=float, default=1.0, metavar="S", help="first reconnect delay")
    p.add_argument("--longest-retry", type=float, default=60.0, metavar="S")
    p.add_argument("--heartbeat", type=int, metavar="S", help="HeartbeatInterval until the server sets one")
    p.add_argument("--sample-interval", type=int, metavar="S", help="MeterValueSampleInterval")


def _factory_values(options: argparse.Namespace) -> dict[str, str]:
    values = dict(s.split("=", 1) for s in options.settings)
    if options.heartbeat is not None:
        values["HeartbeatInterval"] = str(options.heartbeat)
    if options.sample_interval is not None:
        values["MeterValueSampleInterval"] = str(options.sample_interval)
    return values


async def run(options: argparse.Namespace) -> None:
    """Run what the options describe until cancelled."""
    persona = combine(options.persona)
    tls = tls_context(options.ca_file, insecure=options.insecure) if options.url.startswith("wss:") else None
    transport = Transport(
        options.url,
        tls=tls,
        key_form=options.key_form,
        first_retry_s=options.first_retry,
        longest_retry_s=options.longest_retry,
        speed=options.speed,
    )
    start = parse_iso(options.clock) if options.clock else time.time()
    key = bytes.fromhex(options.key) if options.key else None
    plugged = [int(n) for n in options.plug.split(",") if n]
    if options.count > 1 or options.credentials:
        known = (
            credentials_from(options.credentials)
            if options.credentials
            else numbered(options.identity, options.count, key)
        )
        known = known[: options.count] if options.count > 1 else known
        fleet = Fleet(
            known,
            transport,
            persona=persona,
            start=start,
            ramp_s=options.ramp,
            plugged=plugged,
            configuration=_factory_values(options),
            seed=options.seed,
        )
        drivers, work = fleet.drivers, fleet.run()
        keeper = None
    else:
        kept = read_memory(options.state) if options.state else None
        aura = Aura(
            options.identity,
            key=key,
            persona=persona,
            clock=Clock(start),
            seed=options.seed,
            kept=kept,
            configuration=_factory_values(options),
        )
        keeper = Keeper(aura, options.state) if options.state else None
        driver = Driver(aura, transport, after_step=keeper)
        if options.life:
            Life(aura, options.seed).begin()
        for connector in plugged:
            if not aura.outlets[connector].plugged:
                aura.plug(connector, Car())
        drivers, work = {aura.identity: driver}, driver.run()
    server = None
    if options.control_port is not None:
        server = await serve({n: Control(d.aura, d) for n, d in drivers.items()}, options.control_port)
    try:
        await work
    finally:
        if server is not None:
            server.close()
        if keeper is not None:
            keeper.write()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulator; returns the exit status. Ctrl-C and SIGTERM end it cleanly."""
    options = parser().parse_args(argv)
    return start(options)


def start(options: argparse.Namespace) -> int:
    """``main`` with options already parsed."""
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s"
    )
    logging.getLogger("websockets").setLevel(logging.WARNING)

    async def live() -> None:
        task = asyncio.ensure_future(run(options))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(live())
    except (ValueError, OSError) as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
