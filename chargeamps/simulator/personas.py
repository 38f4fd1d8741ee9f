"""How chargers in the field differ from the standard, as data. Names can be combined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from .profile_store import DEFAULT, MAX, TX, Abilities


@dataclass(frozen=True)
class Persona:
    """The behaviour switches of one charger; the defaults are a well-behaved Aura."""

    abilities: Abilities = field(default_factory=Abilities)
    configuration: Mapping[str, str] = field(default_factory=dict)
    # profiles
    forgets_profiles_on_reconnect: bool = False
    ignores_profiles: bool = False  # answers Accepted, changes nothing
    # cars behave through the charger: these shape every car plugged in
    car_wake_s: float | None = None
    car_sleep_after_s: float | None = None
    # answers
    answer_delay_s: float = 0.0
    never_answers: tuple[str, ...] = ()
    deaf_before_boot: bool = False
    reboot_required_for: tuple[str, ...] = ()
    ignores_remote_start: bool = False
    configuration_max_keys_lies: bool = False  # announces 3, returns everything whatever was asked for
    # connection
    boots_on_reconnect: bool = True
    reuses_message_ids: bool = False
    # metering
    energy_unit: str = "Wh"
    register_per_transaction: bool = False
    per_phase_only: bool = False
    numbers_as_strings: bool = False  # connectorId, transactionId, meterStart, meterStop as JSON strings
    # time
    time_style: str = "zulu"
    clock_offset_s: float = 0.0
    clock_1970: bool = False
    ignores_server_time: bool = False
    # transactions
    duplicates_start: str = ""  # "same": the frame again; "new": again under a new message id
    repeats_stop_s: float = 0.0
    status_before_stop: bool = False
    # maintenance
    firmware: str = "Installed"  # or DownloadFailed, InstallationFailed, InvalidSignature
    upload: str = "Uploaded"  # or UploadFailure
    boot_s: float = 5.0


_NO_RECURRING = replace(Abilities(), recurring=False)
PERSONAS: dict[str, Persona] = {
    "aura": Persona(),
    "watts-only": Persona(abilities=Abilities(units=("W",)),
                          configuration={"ChargingScheduleAllowedChargingRateUnit": "Power"}),
    "amps-only": Persona(abilities=Abilities(units=("A",)),
                         configuration={"ChargingScheduleAllowedChargingRateUnit": "Current"}),
    "one-stack-level": Persona(abilities=Abilities(max_stack_level=0),
                               configuration={"ChargeProfileMaxStackLevel": "0"}),
    "few-periods": Persona(abilities=Abilities(max_periods=6), configuration={"ChargingScheduleMaxPeriods": "6"}),
    "few-profiles": Persona(abilities=Abilities(max_installed=3), configuration={"MaxChargingProfilesInstalled": "3"}),
    "no-recurring": Persona(abilities=_NO_RECURRING),
    "no-relative": Persona(abilities=Abilities(relative=False)),
    "hides-idle-relative": Persona(abilities=Abilities(shows_idle_relative=False)),
    "no-max-profile": Persona(abilities=Abilities(purposes=(DEFAULT, TX))),
    "no-default-profile": Persona(abilities=Abilities(purposes=(MAX, TX))),
    "tx-hides-default": Persona(abilities=Abilities(tx_hides_default=True)),
    "forgets-profiles": Persona(forgets_profiles_on_reconnect=True),
    "accepts-without-effect": Persona(ignores_profiles=True),
    "wakes-late": Persona(car_wake_s=90.0),
    "sleeps": Persona(car_sleep_after_s=600.0),
    "slow": Persona(answer_delay_s=8.0),
    "very-slow": Persona(answer_delay_s=45.0),
    "never-answers-trigger": Persona(never_answers=("TriggerMessage", "ExtendedTriggerMessage")),
    "never-answers": Persona(never_answers=("TriggerMessage", "ExtendedTriggerMessage", "GetCompositeSchedule",
                                            "UnlockConnector")),
    "deaf-before-boot": Persona(deaf_before_boot=True),
    "no-boot-on-reconnect": Persona(boots_on_reconnect=False),
    "odd-configuration": Persona(configuration_max_keys_lies=True, configuration={"GetConfigurationMaxKeys": "3"}),
    "kwh": Persona(energy_unit="kWh"),
    "register-per-transaction": Persona(register_per_transaction=True),
    "per-phase-only": Persona(per_phase_only=True),
    "numbers-as-strings": Persona(numbers_as_strings=True),
    "naive-time": Persona(time_style="naive"),
    "clock-1970": Persona(clock_1970=True, ignores_server_time=True),
    "clock-wrong-by-a-day": Persona(clock_offset_s=-86_400.0, ignores_server_time=True),
    "duplicate-start": Persona(duplicates_start="same"),
    "duplicate-start-new-id": Persona(duplicates_start="new"),
    "repeats-stop": Persona(repeats_stop_s=10.0),
    "reboot-required": Persona(reboot_required_for=("WebSocketPingInterval", "MeterValueSampleInterval",
                                                    "HeartbeatInterval")),
    "ignores-remote-start": Persona(ignores_remote_start=True),
    "status-before-stop": Persona(status_before_stop=True),
    "reuses-message-ids": Persona(reuses_message_ids=True),
    "firmware-fails": Persona(firmware="DownloadFailed"),
    "firmware-install-fails": Persona(firmware="InstallationFailed"),
    "firmware-bad-signature": Persona(firmware="InvalidSignature"),
    "upload-fails": Persona(upload="UploadFailure"),
}  # fmt: skip


def combine(names: Iterable[str]) -> Persona:
    """One persona out of several names; what differs from the default wins, the later over the earlier.

    Raises KeyError for an unknown name."""
    result, plain = Persona(), Persona()
    for name in names:
        persona = PERSONAS[name]
        for f in fields(Persona):
            value = getattr(persona, f.name)
            if value == getattr(plain, f.name):
                continue
            if f.name == "configuration":
                value = {**result.configuration, **persona.configuration}
            elif f.name == "abilities":
                changed = {a.name: getattr(value, a.name) for a in fields(Abilities)
                           if getattr(value, a.name) != getattr(plain.abilities, a.name)}  # fmt: skip
                value = replace(result.abilities, **changed)
            result = replace(result, **{f.name: value})
    return result
