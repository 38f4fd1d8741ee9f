"""Writes about people: accounts, sign-in, sites, memberships, API keys."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from chargeamps.accounts.authentication import digest
from chargeamps.accounts.models import ApiKey, Membership, Site, User
from chargeamps.common import rate
from chargeamps.common.problems import Invalid, Problem, TooManyAttempts
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

_DEVICE_SALT = "chargeamps.accounts.device"


@dataclass(frozen=True)
class Limit:
    """So many tries at once, then one each ``seconds``."""

    purpose: str
    tries: int
    seconds: float

    def take(self, *parts: object) -> float:
        return rate.take(rate.bucket_name(self.purpose, *parts), self.tries, 1 / self.seconds)

    def give_back(self, *parts: object) -> None:
        rate.give_back(rate.bucket_name(self.purpose, *parts), self.tries)


# A browser that signed in to this account before has a limit of its own: however hard a stranger tries, from wherever,
# the person's usual device is not locked out.
PER_DEVICE = Limit("sign-in-device", 10, 60)
# Everybody else is limited by place and account, by place, and by account over all places.
PER_ACCOUNT_AND_SOURCE = Limit("sign-in-account-source", 5, 60)
PER_SOURCE = Limit("sign-in-source", 30, 10)
PER_ACCOUNT = Limit("sign-in-account", 30, 60)


class InvalidCredentials(Problem):
    code = "invalid-credentials"
    detail = "That e-mail address and password do not match an account."


@transaction.atomic
def create_person(*, email: str, password: str, name: str = "", actor: str = "") -> User:
    """Create an account; ``Invalid`` for a taken or malformed address or a weak password."""
    email = email.strip().lower()
    errors: dict[str, list[str]] = {}
    try:
        validate_email(email)
    except ValidationError as error:
        errors["email"] = error.messages
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        errors["password"] = error.messages
    if errors:
        raise Invalid(errors)
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name)
    except IntegrityError as error:
        raise Invalid({"email": ["There is already an account with this e-mail address."]}) from error
    record(kind="account-created", outcome=Entry.Outcome.SUCCESS, actor=actor or str(user.pk))
    return user


def sign_in(*, request: HttpRequest, email: str, password: str, device: str = "") -> tuple[User, str]:
    """Sign a person in on this session; return them and the mark by which this device is known from now on.

    Raises ``InvalidCredentials`` (unknown address, wrong password and closed account look and take alike) or
    ``TooManyAttempts``. Not atomic as a whole: what a refusal counted and logged stays.
    """
    email = email.strip().lower()
    source: str = getattr(request, "client_address", "")
    taken = _take_attempt(email, source, _known_device(device, email))
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        # The account is named by its id, so that its owner's log can show the attempt.
        found = User.objects.filter(email__iexact=email).first()
        record(
            kind="sign-in",
            outcome=Entry.Outcome.FAILURE,
            actor=str(found.pk) if found else "",
            source_address=source,
        )
        raise InvalidCredentials
    with transaction.atomic():
        for limit, parts in taken:
            limit.give_back(*parts)
        login(request, user)
        # login() keeps the key when the same person signs in anew; a planted key must not survive that either.
        request.session.cycle_key()
        record(kind="sign-in", outcome=Entry.Outcome.SUCCESS, actor=str(user.pk), source_address=source)
    return user, signing.dumps([email, secrets.token_hex(8)], salt=_DEVICE_SALT)


def sign_out(*, request: HttpRequest) -> None:
    """End this session, if there is one."""
    user = request.user
    if isinstance(user, User):
        with transaction.atomic():
            record(kind="sign-out", outcome=Entry.Outcome.SUCCESS, actor=str(user.pk))
            logout(request)


@transaction.atomic
def create_site(*, name: str, owner: User, kind: str = Site.Kind.HOME) -> Site:
    """Create a site; its maker becomes owner of a home, administrator of a workplace."""
    site = Site.objects.create(name=name, kind=kind)
    role = Membership.Role.OWNER if kind == Site.Kind.HOME else Membership.Role.ADMINISTRATOR
    add_member(site=site, user=owner, role=role, actor=owner)
    return site


@transaction.atomic
def add_member(*, site: Site, user: User, role: str, actor: User | None = None) -> Membership:
    """Give a person a role at a site, in place of the one they had."""
    membership, _ = Membership.objects.update_or_create(
        site=site, user=user, defaults={"role": Membership.Role(role)}
    )
    record(
        kind="membership",
        outcome=Entry.Outcome.SUCCESS,
        actor=str(actor.pk) if actor else "",
        site=str(site.pk),
        detail={"member": str(user.pk), "role": membership.role},
    )
    return membership


@transaction.atomic
def create_api_key(*, user: User, name: str, expires: datetime | None = None) -> str:
    """Create an API key and return it: it is shown once and kept only as a digest."""
    key = f"ca_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(user=user, name=name, digest=digest(key), expires=expires)
    record(
        kind="api-key-created", outcome=Entry.Outcome.SUCCESS, actor=str(user.pk), detail={"api_key": str(row.pk)}
    )
    return key


Taken = list[tuple[Limit, tuple[object, ...]]]


def _take_attempt(email: str, source: str, device: str) -> Taken:
    """Count the attempt before the password is looked at, so that parallel guesses count too."""
    limits: Taken = (
        [(PER_DEVICE, (device,))]
        if device
        else [(PER_ACCOUNT_AND_SOURCE, (email, source)), (PER_SOURCE, (source,)), (PER_ACCOUNT, (email,))]
    )
    taken: Taken = []
    for limit, parts in limits:
        if wait := limit.take(*parts):
            # A try that was not made costs nothing: else waiting for one limit would use up another.
            for other, others_parts in taken:
                other.give_back(*others_parts)
            raise TooManyAttempts(wait)
        taken.append((limit, parts))
    return taken


def _known_device(device: str, email: str) -> str:
    """Return the device's mark if it was given to a browser that signed in to this account, else nothing."""
    try:
        known_email, mark = signing.loads(device, salt=_DEVICE_SALT, max_age=60 * 60 * 24 * 365)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return f"{mark}" if known_email == email else ""
