"""Charge points: list, claim, look, change; what they reported; commands to them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import person
from chargeamps.chargers import selectors
from chargeamps.chargers.access import access_charge_point, access_command, visible_charge_points
from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services import claiming, commands, settings
from chargeamps.common import context
from chargeamps.common.api import IDEMPOTENCY_KEY, ApiView, ProblemSerializer
from chargeamps.common.idempotency import idempotent
from chargeamps.common.problems import Invalid

Kind = Command.Kind
# Commands to the charger as a whole; those to a connector have addresses of their own.
KINDS = (Kind.RESET, Kind.UNLOCK, Kind.REFRESH, Kind.SET_AVAILABILITY)


class CommandReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class ScheduleOnChargerSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["verified", "sending", "not_yet", "refused", "unknown"])
    text = serializers.CharField()


class ConnectorReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    number = serializers.IntegerField()


class ChargePointSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    identity = serializers.CharField(help_text="The name by which the charger calls itself (OCPP-J).")
    name = serializers.CharField(allow_blank=True)
    site = serializers.CharField()
    vendor = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    serial_number = serializers.CharField(allow_null=True)
    firmware_version = serializers.CharField(allow_null=True)
    online = serializers.BooleanField()
    connected_since = serializers.DateTimeField(allow_null=True)
    offline_since = serializers.DateTimeField(allow_null=True)
    last_contact = serializers.DateTimeField(allow_null=True)
    free_charging = serializers.BooleanField(help_text="Whoever plugs in may charge.")
    installation_limit_a = serializers.IntegerField(
        allow_null=True, help_text="What the sockets may draw together, amperes per phase."
    )
    schedule_on_charger = ScheduleOnChargerSerializer()
    notices = CommandReasonSerializer(many=True, help_text="What the owner should know of this charger.")
    connectors = ConnectorReferenceSerializer(many=True)
    actions = serializers.ListField(child=serializers.CharField(), help_text="Kinds of command possible now.")


class ClaimSerializer(serializers.Serializer[Any]):
    identity = serializers.CharField(max_length=100)
    claim_code = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    site = serializers.CharField(max_length=100, required=False, allow_null=True)
    free_charging = serializers.BooleanField(required=False)


class SettingsSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    free_charging = serializers.BooleanField(required=False)
    installation_limit_a = serializers.IntegerField(min_value=6, max_value=80, required=False, allow_null=True)


class ConfigurationKeySerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.CharField(allow_null=True, allow_blank=True)
    read_only = serializers.BooleanField()  # type: ignore[assignment]


class ConfigurationSerializer(serializers.Serializer[Any]):
    reported_at = serializers.DateTimeField(allow_null=True)
    keys = ConfigurationKeySerializer(many=True)


class CommandSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    charge_point = serializers.CharField()
    connector = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(Command.State.choices)
    reason = CommandReasonSerializer(allow_null=True)
    created = serializers.DateTimeField()
    sent = serializers.DateTimeField(allow_null=True)
    answered = serializers.DateTimeField(allow_null=True)
    verified = serializers.DateTimeField(allow_null=True)
    deadline = serializers.DateTimeField(help_text="By when the effect must show.")


class CommandParametersSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["soft", "hard"], required=False, help_text="For reset.")
    available = serializers.BooleanField(required=False, help_text="For set-availability.")


class CommandRequestSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([str(kind) for kind in KINDS])
    connector = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True)
    parameters = CommandParametersSerializer(required=False)


class ChargePointsView(ApiView):
    @extend_schema(responses=ChargePointSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The charge points at my sites."""
        user = person(request)
        roles = dict(user.memberships.values_list("site_id", "role"))
        charge_points = selectors.with_parts(visible_charge_points(user))
        return self.page(charge_points, lambda row: selectors.charge_point_json(row, role=roles[row.site_id]))

    @extend_schema(
        request=ClaimSerializer,
        responses={201: ChargePointSerializer, 400: ProblemSerializer, 429: ProblemSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Claim a charge point with the identity and the code that came with it."""
        user, data = person(request), self.read(ClaimSerializer)
        wanted = data.get("site")
        charge_point = claiming.claim(
            user=user,
            identity=data["identity"],
            claim_code=data["claim_code"],
            site=access_site(user, wanted, manage=True).site if wanted else None,
            name=data.get("name"),
            free_charging=data.get("free_charging"),
            source_address=context.source_address.get(),
        )
        return Response(_as_seen(request, charge_point), status.HTTP_201_CREATED)


class ChargePointView(ApiView):
    @extend_schema(responses={200: ChargePointSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """One charge point."""
        return Response(_as_seen(request, access_charge_point(person(request), id)))

    @extend_schema(
        request=SettingsSerializer,
        responses={200: ChargePointSerializer, 400: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer},
    )
    def patch(self, request: Request, id: str) -> Response:
        """Change the name, whether whoever plugs in may charge, or what the installation can carry."""
        user = person(request)
        charge_point = access_charge_point(user, id)
        changes = self.read(SettingsSerializer)
        # What the installation can carry is the installer's to say too; all else is the owner's.
        access_charge_point(user, id, technical=True)
        if set(changes) != {"installation_limit_a"}:
            access_charge_point(user, id, manage=True)
        settings.change_settings(charge_point=charge_point, user=user, changes=changes)
        return Response(_as_seen(request, charge_point))


class ConfigurationView(ApiView):
    @extend_schema(responses={200: ConfigurationSerializer, 403: ProblemSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The configuration keys as the charger last reported them."""
        charge_point = access_charge_point(person(request), id, technical=True)
        return Response(selectors.configuration_json(charge_point))


class ChargePointCommandsView(ApiView):
    @extend_schema(responses=CommandSerializer(many=True))
    def get(self, request: Request, id: str) -> Response:
        """Commands to this charge point, newest first."""
        charge_point = access_charge_point(person(request), id)
        return self.page(charge_point.commands.all(), selectors.command_json)

    @extend_schema(
        request=CommandRequestSerializer,
        responses={
            202: CommandSerializer,
            400: ProblemSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Ask the charger for something once; the command's state tells whether it happened."""
        user = person(request)
        charge_point = access_charge_point(user, id, charge=True)
        data = self.read(CommandRequestSerializer)
        kind = Kind(data["kind"])
        if kind not in selectors.ACTIONS_OF_CHARGING_ROLES:
            access_charge_point(user, id, manage=True)
        connector = _connector(charge_point, data.get("connector"))
        if kind == Kind.UNLOCK and connector is None:
            raise Invalid({"connector": ["Say which socket to unlock."]})
        command = commands.request(
            charge_point=charge_point,
            connector=connector,
            kind=kind,
            parameters=_parameters(kind, data.get("parameters") or {}),
            user=user,
        )
        return Response(selectors.command_json(command), status.HTTP_202_ACCEPTED)


class CommandView(ApiView):
    @extend_schema(responses={200: CommandSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """One command and how far it got."""
        return Response(selectors.command_json(access_command(person(request), id)))


def _as_seen(request: Request, charge_point: ChargePoint) -> dict[str, Any]:
    membership = person(request).memberships.get(site=charge_point.site)
    return selectors.charge_point_json(charge_point, role=membership.role)


def _connector(charge_point: ChargePoint, number: int | None) -> Connector | None:
    if number is None:
        return None
    connector = charge_point.connectors.select_related("charge_point").filter(number=number).first()
    if connector is None:
        raise Invalid({"connector": ["This charger has no socket with that number."]})
    return connector


def _parameters(kind: Kind, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the kind takes, complete; one of another kind is refused."""
    takes: dict[Kind, dict[str, Any]] = {Kind.RESET: {"type": "soft"}, Kind.SET_AVAILABILITY: {"available": None}}
    defaults = takes.get(kind, {})
    errors = {f"parameters.{name}": [f"Not a parameter of {kind}."] for name in given if name not in defaults}
    parameters = {**defaults, **given}
    errors |= {f"parameters.{name}": ["This is required."] for name in defaults if parameters[name] is None}
    if errors:
        raise Invalid(errors)
    return parameters
