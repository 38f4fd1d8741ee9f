"""The charger's core: a deterministic step machine. It never sleeps and does no I/O.

``advance`` moves the world on; ``receive`` takes a frame; ``drain`` gives the frames to write. Whoever drives it says
when the link is up (``connected``) or gone (``disconnected``)."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from . import memory, metering, power, transactions
from .car import Car
from .clock import Clock, Timers, iso, parse_iso
from .configuration import Configuration
from .incoming import perform
from .local_list import Cache, LocalList
from .messaging import Messaging
from .outgoing import Call
from .outlet import Outlet, Transaction
from .personas import Persona
from .profile_store import ProfileStore
from .profiles import Profile, read_profile
from .security import Security

JSON = dict[str, Any]
BOOT_RETRY_S = 30.0


class Aura:
    """One Charge Amps Aura: two outlets, its memory, its clock and its conversation with the central system."""

    def __init__(
        self,
        identity: str,
        *,
        key: bytes | None = None,
        persona: Persona | None = None,
        clock: Clock | None = None,
        seed: int | str | None = None,
        kept: JSON | None = None,
        configuration: dict[str, str] | None = None,
    ) -> None:
        self.identity = identity
        self.persona = persona or Persona()
        self.rng = Random(f"{seed}/{identity}")
        self.clock = clock or Clock(0.0)
        self.clock.offset += self.persona.clock_offset_s
        if self.persona.clock_1970:
            self.clock.set(0.0)
        self.world = Timers()  # what happens around the charger: survives its reboots
        self.timers = Timers()  # what the charger has in mind: does not
        self.key = key
        self._overrides = {**self.persona.configuration, **(configuration or {})}
        self.boots = 0
        self.running = False
        self.dirty = False
        self.link_wanted = False
        self.reconnect_wanted = False
        self.outlets = {n: Outlet(n) for n in (1, 2)}
        self.messaging = self._new_messaging()
        self._forget()
        self._power_up(kept)

    # --- memory -----------------------------------------------------------------------------------------------------

    def _new_messaging(self) -> Messaging:
        return Messaging(
            clock=self.clock,
            timers=self.timers,
            persona=self.persona,
            rng=self.rng,
            perform=lambda action, payload: perform(self, action, payload),
            answered=self._answered,
            number_of=lambda tx: self.numbers.get(tx),  # noqa: PLW0108 - the table is replaced at a boot
            retry=self._retry,
        )

    def _retry(self) -> tuple[int, int]:
        return (
            self.configuration.number("TransactionMessageAttempts"),
            self.configuration.number("TransactionMessageRetryInterval"),
        )

    def _forget(self) -> None:
        """Everything that lives in volatile memory, or is about to be read from the lasting one."""
        self.configuration = Configuration(self._overrides)
        self.profiles = ProfileStore(self.persona.abilities)
        self.local_list = LocalList(
            self.configuration.number("LocalAuthListMaxLength"), self.configuration.number("SendLocalListMaxLength")
        )
        self.cache = Cache()
        self.security = Security(self)
        self.numbers: dict[str, int] = {}
        self.duplicate_numbers: list[int] = []
        self.tx_count = 0
        self.was_accepted = False
        self.box_announced = ""
        self.boot_refusals = 0

    def dump_memory(self) -> JSON:
        """The non-volatile memory as JSON; the key is in it, as the charger has to keep it."""
        return memory.dump(self)

    # --- power ------------------------------------------------------------------------------------------------------

    def reboot(self, reason: str = "PowerLoss") -> None:
        """Power goes and comes back; running transactions end afterwards with this reason (§4.10, §5.14)."""
        kept = json.loads(json.dumps(self.dump_memory()))
        self.timers.cancel_all()
        self.running = self.link_wanted = False
        for outlet in self.outlets.values():
            outlet.offered_a = outlet.drawn_a = 0.0
            outlet.meter.set_load(0.0, 0, self.rng)
        self.world.at("power-up", self.clock.world + self.persona.boot_s, lambda: self._power_up(kept, reason))

    def _power_up(self, kept: JSON | None, reason: str = "PowerLoss") -> None:
        old = self.outlets
        self.messaging = self._new_messaging()
        self.outlets = {n: Outlet(n, car=o.car, plugged=o.plugged, fault=o.fault) for n, o in old.items()}
        self._forget()
        if kept is not None:
            memory.load(self, kept)
        if self.persona.clock_1970:
            self.clock.set(0.0)
        self.boots += 1
        self.running = self.link_wanted = self.dirty = True
        self.security.event("StartupOfTheDevice")
        for outlet in self.outlets.values():
            if outlet.transaction is not None:
                transactions.stop(self, outlet, reason)
                outlet.finishing = False
            if outlet.plugged:
                if outlet.car is not None:
                    outlet.car.plugged(self.clock.world)
                transactions.plugged_in(self, outlet)
        metering.arm_aligned(self)
        self.security.after_boot()

    # --- the link ---------------------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        return self.messaging.online

    def connected(self) -> None:
        """The WebSocket is open."""
        again = self.was_accepted
        self.reconnect_wanted = False
        self.messaging.link_up()
        if again and self.persona.forgets_profiles_on_reconnect:
            self.profiles.profiles.clear()
        if again and not self.persona.boots_on_reconnect:
            self.messaging.registration = "Accepted"
            self._registered()
        else:
            self.send_boot()
        self.messaging.pump()

    def disconnected(self) -> None:
        """The WebSocket is gone, or the charger believes so."""
        self.messaging.link_down()
        self.timers.cancel("heartbeat")
        self.timers.cancel("boot")

    def receive(self, text: str | bytes) -> None:
        """One frame from the central system."""
        if self.running and self.messaging.linked:
            self.messaging.receive(text)
            self.tick()

    def drain(self) -> list[str]:
        """The frames to write now, in order."""
        frames, self.messaging.frames = self.messaging.frames, []
        return frames

    def send(self, call: Call) -> None:
        self.messaging.queue.add(call)
        self.messaging.pump()

    def stamp(self) -> str:
        """Now, by the charger's clock, as it writes times."""
        return iso(self.clock.now(), self.persona.time_style)

    def send_boot(self, *, forced: bool = False) -> None:
        self.send(
            Call(
                "BootNotification",
                {
                    "chargePointVendor": "Charge Amps",
                    "chargePointModel": "AURA",
                    "chargePointSerialNumber": self.identity,
                    "firmwareVersion": self.configuration["FirmwareVersion"],
                    "iccid": "0",
                    "meterType": "ATM90E32AS",
                },
                forced=forced,
            )
        )

    def send_heartbeat(self, *, forced: bool = False) -> None:
        self.send(Call("Heartbeat", {}, forced=forced))

    def _answered(self, call: Call, answer: JSON) -> bool:
        if call.action == "BootNotification":
            self._boot_answered(answer)
        elif call.action == "Heartbeat":
            self._take_time(answer)
        elif call.action == "Authorize":
            transactions.authorise_answered(self, call, answer)
        elif call.action == "StartTransaction":
            if call.context.get("duplicate"):
                self.duplicate_numbers.append(answer.get("transactionId", -1))
                return True
            if not transactions.start_answered(self, call, answer):
                return False
            if self.persona.duplicates_start == "new":
                self.send(Call(call.action, call.payload, context={"duplicate": True}))
        elif call.action == "StopTransaction":
            info = answer.get("idTagInfo")
            if isinstance(info, dict) and "idTag" in call.payload:
                transactions.remember(self, call.payload["idTag"], info)
            self.numbers.pop(call.tx or "", None)
            self.dirty = True
        return True

    def _boot_answered(self, answer: JSON) -> None:
        status = answer.get("status", "")
        self.messaging.registration = status if status in ("Accepted", "Pending", "Rejected") else ""
        interval = answer.get("interval", 0)
        if status == "Accepted":
            self._take_time(answer)
            if isinstance(interval, int) and interval > 0:
                self.configuration.base["HeartbeatInterval"] = str(interval)
                self.configuration.written.pop("HeartbeatInterval", None)
            self._registered()
            return
        wait = interval if isinstance(interval, int) and interval > 0 else BOOT_RETRY_S
        self.timers.at("boot", self.clock.world + wait, self.send_boot)

    def _registered(self) -> None:
        self.was_accepted = True
        self.announce_box()
        for outlet in self.outlets.values():
            self.announce(outlet)
        self.arm_heartbeat()

    def arm_heartbeat(self) -> None:
        interval = self.configuration.number("HeartbeatInterval")
        if interval == 0 or not self.messaging.linked:
            self.timers.cancel("heartbeat")
            return

        def beat() -> None:
            self.send_heartbeat()
            self.arm_heartbeat()

        self.timers.at("heartbeat", self.clock.world + interval, beat)

    def _take_time(self, answer: JSON) -> None:
        """currentTime of BootNotification.conf and Heartbeat.conf sets the clock (§4.2, §4.6)."""
        if self.persona.ignores_server_time:
            return
        try:
            there = parse_iso(answer["currentTime"])
        except (KeyError, TypeError, ValueError):
            return
        if abs(there - self.clock.now()) >= 1.5:
            jump = self.clock.set(there)
            metering.arm_aligned(self)
            if abs(jump) > 60:
                self.security.event("SettingSystemTime", f"{jump:+.0f} s")

    # --- status -----------------------------------------------------------------------------------------------------

    def announce(self, outlet: Outlet, *, forced: bool = False) -> None:
        """StatusNotification of one outlet (§4.9); the vendor sends no timestamp."""
        outlet.announced = outlet.status
        error = outlet.fault if outlet.fault and outlet.status == "Faulted" else "NoError"
        self._notify(outlet.number, outlet.status, error, forced)

    def announce_box(self, *, forced: bool = False) -> None:
        """StatusNotification of connector 0: the box as a whole."""
        self.box_announced = self._box_status()
        self._notify(0, self.box_announced, "NoError", forced)

    def _box_status(self) -> str:
        outlets = self.outlets.values()
        if all(o.fault for o in outlets):
            return "Faulted"
        return "Available" if any(o.operative for o in outlets) else "Unavailable"

    def _notify(self, connector: int, status: str, error: str, forced: bool) -> None:
        if self.online or forced:
            payload = {"connectorId": connector, "errorCode": error, "status": status}
            self.send(Call("StatusNotification", payload, forced=forced))

    # --- what happens at the outlets --------------------------------------------------------------------------------

    def plug(self, connector: int, car: Car | None = None) -> None:
        """The cable goes in; without a car nothing is at its other end."""
        outlet = self.outlets[connector]
        if car is not None:
            if self.persona.car_wake_s is not None:
                car.wake_s = self.persona.car_wake_s
            if self.persona.car_sleep_after_s is not None:
                car.sleep_after_s = self.persona.car_sleep_after_s
            car.plugged(self.clock.world)
        outlet.car, outlet.plugged, outlet.finishing = car, True, False
        if self.running:
            self._announce_change(outlet)
            transactions.plugged_in(self, outlet)
        self.tick()

    def unplug(self, connector: int) -> Car | None:
        """The cable comes out, whatever is going on; returns the car that leaves."""
        outlet = self.outlets[connector]
        car, outlet.car, outlet.plugged = outlet.car, None, False
        self.timers.cancel(f"free-{connector}")
        outlet.authorised, outlet.remote_profile = None, None
        transactions.stop(self, outlet, "EVDisconnected")
        outlet.finishing = False
        self.tick()
        return car

    def tap(self, id_tag: str, connector: int | None = None) -> str:
        """A card at the reader; without a connector it means the outlet that waits for one, else the one in use."""
        if connector is None:
            free = [o for o in self.outlets.values() if o.plugged and o.transaction is None]
            own = [o for o in self.outlets.values() if o.transaction and o.transaction.id_tag == id_tag]
            connector = next(iter([*own, *free, self.outlets[1]])).number
        result = transactions.present(self, self.outlets[connector], id_tag)
        self.tick()
        return result

    def set_fault(self, connector: int, error_code: str | None) -> None:
        """A fault (a ChargePointErrorCode such as ``GroundFailure``) ends charging; None clears it."""
        outlet = self.outlets[connector]
        outlet.fault = error_code
        if error_code is not None:
            transactions.stop(self, outlet, "Other")
        self.tick()

    def tamper(self) -> None:
        """Somebody opens the cover."""
        self.security.event("TamperDetectionActivated", "cover opened")

    def install_for_transaction(self, profile: Profile, tx: Transaction) -> None:
        """The TxProfile that came with RemoteStart now applies to its transaction (§5.16.2)."""
        if not self.persona.ignores_profiles:
            self.profiles.put(read_profile(profile.raw, tx.connector, tx=tx.uid))

    # --- time -------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let so much world time pass, stopping wherever something changes by itself."""
        end = self.clock.world + seconds
        while (left := end - self.clock.world) > 1e-6:
            step = min(left, max(0.001, self.seconds_to_event()))
            for outlet in self.outlets.values():
                added = outlet.meter.run(step)
                if outlet.car is not None and added:
                    outlet.car.charge(added)
            self.clock.advance(step)
            self.world.run_due(self.clock.world)
            self.timers.run_due(self.clock.world)
            self.tick()

    def seconds_to_event(self) -> float:
        """World seconds until something changes by itself; infinity if nothing ever will."""
        world = self.clock.world
        due = [self.world.next_due(), self.timers.next_due(), self.messaging.queue.next_due(world)]
        return min([power.next_change(self), *(d for d in due if d is not None)]) - world

    def tick(self) -> None:
        """Bring outlets, loads and statuses in line with the present moment."""
        if not self.running:
            return
        for outlet in self.outlets.values():
            ready = outlet.plugged and outlet.operative and not outlet.fault and outlet.transaction is None
            if ready and outlet.authorised is not None:
                self._announce_change(outlet)
                transactions.start(self, outlet)
        power.share_current(self)
        for outlet in self.outlets.values():
            drawn = outlet.car.draw(outlet.offered_a, self.clock.world) if outlet.car is not None else 0.0
            outlet.drawn_a = drawn if outlet.transaction is not None else 0.0
            outlet.meter.set_load(outlet.drawn_a, outlet.car.phases if outlet.car else 0, self.rng)
            self._announce_change(outlet)
        if self._box_status() != self.box_announced and self.online:
            self.announce_box()
        self.messaging.pump()

    def _announce_change(self, outlet: Outlet) -> None:
        if outlet.status != outlet.announced and self.online:
            self.announce(outlet)

    def fuse(self) -> float:
        """What the installation gives the box, A per phase."""
        return float(self.configuration["InstallationCurrent"])
