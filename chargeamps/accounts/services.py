"""Writes about people: accounts, sign-in, sites, memberships, API keys."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from chargeamps.accounts.models import ApiKey, Membership, Site, User
from chargeamps.common import rate
from chargeamps.common.problems import Invalid, Problem, TooManyAttempts
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

_DEVICE_SALT = "chargeamps.accounts.device"
DEVICE_AGE = timedelta(days=365)


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


def check_credentials(*, email: str, password: str, source_address: str, device: str = "") -> User:
    """Return the person whose address and password these are; count and log the attempt.

    Raises ``InvalidCredentials`` (unknown address, wrong password and closed account look and take alike) or
    ``TooManyAttempts``. Not atomic as a whole: what a refusal counted and logged stays.
    """
    email = email.strip().lower()
    taken = _take_attempt(email, source_address, known_device(device, email))
    user = authenticate(username=email, password=password)
    # A failed attempt names the account by its id, so that its person can be shown it.
    account = user or User.objects.filter(email__iexact=email).first()
    record(
        kind="sign-in",
        outcome=Entry.Outcome.SUCCESS if user else Entry.Outcome.FAILURE,
        actor=str(account.pk) if account else "",
        source_address=source_address,
    )
    if not isinstance(user, User):
        raise InvalidCredentials
    for limit, parts in taken:
        limit.give_back(*parts)
    return user


def sign_in(*, request: HttpRequest, user: User) -> None:
    """Open a session for a person who proved who they are, under a new session key."""
    login(request, user)
    # login() keeps the key when the same person signs in anew; a planted key must not survive that either.
    request.session.cycle_key()


def mark_device(email: str) -> str:
    """Make the mark by which a browser that signed in to this account is known later."""
    return signing.dumps([_account_mark(email), secrets.token_hex(8)], salt=_DEVICE_SALT)


def known_device(mark: str, email: str) -> str:
    """Return what identifies the device if its mark is genuine and for this account, else nothing."""
    try:
        account, device = signing.loads(mark, salt=_DEVICE_SALT, max_age=DEVICE_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if account == _account_mark(email) else ""


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
    membership, _ = Membership.objects.update_or_create(site=site, user=user, defaults={"role": Membership.Role(role)})
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
    row = ApiKey.objects.create(user=user, name=name, digest=api_key_digest(key), expires=expires)
    record(kind="api-key-created", outcome=Entry.Outcome.SUCCESS, actor=str(user.pk), detail={"api_key": str(row.pk)})
    return key


def _account_mark(email: str) -> str:
    # A cookie may lie about in a shared browser; it need not say whose it is.
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]


def api_key_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


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
