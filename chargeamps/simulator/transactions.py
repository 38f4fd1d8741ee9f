"""Who may charge, and the life of a transaction (OCPP 1.6 §3.5, §3.7, §4.1, §4.8, §4.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .local_list import accepted
from .metering import arm_sampling
from .outgoing import Call
from .outlet import Outlet, Transaction
from .profiles import Profile

if TYPE_CHECKING:
    from .aura import Aura

JSON = dict[str, Any]


def known(aura: Aura, id_tag: str) -> JSON | None:
    """The idTagInfo the charger holds by itself: the local list goes before the cache (§3.5.3)."""
    if aura.configuration.flag("LocalAuthListEnabled"):
        info = aura.local_list.get(id_tag)
        if info is not None:
            return info
    return aura.cache.get(id_tag) if aura.configuration.flag("AuthorizationCacheEnabled") else None


def remember(aura: Aura, id_tag: str, info: JSON) -> None:
    """Keep what the central system said, unless the local list already speaks of this tag (§3.5.3)."""
    if aura.configuration.flag("AuthorizationCacheEnabled") and aura.local_list.get(id_tag) is None:
        aura.cache.put(id_tag, info)
        aura.dirty = True


def present(aura: Aura, outlet: Outlet, id_tag: str) -> str:
    """A card is held to the reader. Returns what the charger does: start, stop, ask, refuse."""
    tx, info = outlet.transaction, known(aura, id_tag)
    if tx is not None:
        same_group = tx.parent is not None and info is not None and info.get("parentIdTag") == tx.parent
        if id_tag.upper() == tx.id_tag.upper() or same_group:
            stop(aura, outlet, "Local", id_tag=id_tag)
            return "stop"
        return "refuse"
    if not outlet.operative or outlet.fault:
        return "refuse"
    fine = info is not None and accepted(info, aura.clock.now())
    if aura.online:
        if fine and aura.configuration.flag("LocalPreAuthorize"):
            authorise(aura, outlet, id_tag, info)
            return "start"
        ask(aura, outlet, id_tag)
        return "ask"
    if info is None:
        fine = aura.configuration.flag("AllowOfflineTxForUnknownId")
    elif not aura.configuration.flag("LocalAuthorizeOffline"):
        fine = False
    if fine:
        authorise(aura, outlet, id_tag, info)
        return "start"
    return "refuse"


def ask(aura: Aura, outlet: Outlet, id_tag: str) -> None:
    aura.send(Call("Authorize", {"idTag": id_tag}, context={"connector": outlet.number}))


def authorise_answered(aura: Aura, call: Call, answer: JSON) -> None:
    id_tag, info = call.payload["idTag"], answer.get("idTagInfo") or {}
    remember(aura, id_tag, info)
    outlet = aura.outlets[call.context["connector"]]
    if accepted(info, aura.clock.now()) and outlet.transaction is None:
        authorise(aura, outlet, id_tag, info)


def authorise(aura: Aura, outlet: Outlet, id_tag: str, info: JSON | None = None) -> None:
    """The tag may charge here: at once with a plug in, else within ConnectionTimeOut (§9.1.5)."""
    outlet.authorised = (id_tag, (info or {}).get("parentIdTag"))
    aura.timers.cancel(f"free-{outlet.number}")
    if not outlet.plugged:
        wait = aura.configuration.number("ConnectionTimeOut")
        aura.timers.at(f"connect-{outlet.number}", aura.clock.world + wait, lambda: _give_up(outlet))


def _give_up(outlet: Outlet) -> None:
    outlet.authorised = None
    outlet.remote_profile = None


def plugged_in(aura: Aura, outlet: Outlet) -> None:
    """With the RFID lock off the charger starts by itself a second later, under the free-charging tag."""
    aura.timers.cancel(f"connect-{outlet.number}")
    if outlet.authorised is None and aura.configuration.flag_for("FreeCharging", outlet.number):
        tag = aura.configuration["RfidTagFreeCharging"]
        aura.timers.at(f"free-{outlet.number}", aura.clock.world + 1, lambda: authorise(aura, outlet, tag))


def start(aura: Aura, outlet: Outlet) -> None:
    """Begin a transaction for the tag that is authorised; its number comes with StartTransaction.conf."""
    assert outlet.authorised is not None
    id_tag, parent = outlet.authorised
    aura.tx_count += 1
    tx = Transaction(
        f"{aura.boots}.{aura.tx_count}",
        outlet.number,
        id_tag,
        aura.clock.now(),
        outlet.meter.register_wh,
        parent,
        began=aura.clock.world,
    )
    outlet.transaction, outlet.authorised, outlet.finishing = tx, None, False
    outlet.offered_a = 0.0
    payload = {
        "connectorId": outlet.number,
        "idTag": id_tag,
        "timestamp": aura.stamp(),
        "meterStart": 0 if aura.persona.register_per_transaction else tx.meter_start,
    }
    aura.send(Call("StartTransaction", payload, tx=tx.uid, lasting=True))
    if outlet.remote_profile is not None:
        aura.install_for_transaction(outlet.remote_profile, tx)
        outlet.remote_profile = None
    arm_sampling(aura, outlet)
    aura.dirty = True


def start_answered(aura: Aura, call: Call, answer: JSON) -> bool:
    """Take number and idTagInfo from StartTransaction.conf; False when the answer is unusable."""
    number, info = answer.get("transactionId"), answer.get("idTagInfo")
    if not isinstance(number, int) or not isinstance(info, dict) or call.tx is None:
        return False
    aura.numbers[call.tx] = number
    remember(aura, call.payload["idTag"], info)
    outlet = aura.outlets[int(call.payload["connectorId"])]
    tx = outlet.transaction
    aura.dirty = True
    if tx is None or tx.uid != call.tx:
        return True
    tx.number, tx.parent = number, info.get("parentIdTag", tx.parent)
    aura.profiles.bind(tx.uid, number)
    if not accepted(info, aura.clock.now()):
        if aura.configuration.flag("StopTransactionOnInvalidId"):
            stop(aura, outlet, "DeAuthorized")
        else:
            tx.suspended = True
    return True


def stop(aura: Aura, outlet: Outlet, reason: str, *, id_tag: str | None = None) -> None:
    """End the running transaction: current off first, then StopTransaction, then the status that follows."""
    tx = outlet.transaction
    if tx is None:
        return
    persona = aura.persona
    outlet.drawn_a = outlet.offered_a = 0.0
    outlet.meter.set_load(0.0, 0, aura.rng)
    outlet.transaction, outlet.finishing = None, outlet.plugged
    aura.timers.cancel(f"sample-{outlet.number}")
    if outlet.operative_later is not None:
        outlet.operative, outlet.operative_later = outlet.operative_later, None
    if persona.status_before_stop:
        aura.announce(outlet)
    register = outlet.meter.register_wh
    payload: JSON = {
        "meterStop": register - tx.meter_start if persona.register_per_transaction else register,
        "timestamp": aura.stamp(),
        "reason": reason,
    }
    if id_tag is not None:
        payload["idTag"] = id_tag
    aura.send(Call("StopTransaction", payload, tx=tx.uid, lasting=True))
    aura.profiles.end_transaction(tx.uid)
    aura.dirty = True


def remote_start(aura: Aura, outlet: Outlet, id_tag: str, profile: Profile | None) -> None:
    """RemoteStartTransaction was accepted (§5.11): authorise first where the configuration wants it."""
    outlet.remote_profile = profile
    if aura.configuration.flag("AuthorizeRemoteTxRequests"):
        if present(aura, outlet, id_tag) == "refuse":
            outlet.remote_profile = None
    else:
        authorise(aura, outlet, id_tag, known(aura, id_tag))
