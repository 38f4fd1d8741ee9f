from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from chargeamps.common import clock
from chargeamps.common.ids import new_id


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_account_per_email_address")]

    def __str__(self) -> str:
        return self.email


class Site(models.Model):
    """A place with charge points: a home or a workplace."""

    class Kind(models.TextChoices):
        HOME = "home"
        WORKPLACE = "workplace"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HOME)
    country = models.CharField(max_length=2, default="GB")
    time_zone = models.CharField(max_length=50, default="Europe/London")
    created = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What a person may do at a site."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MANAGER = "manager"
        USER = "user"
        ADMINISTRATOR = "administrator"
        DRIVER = "driver"
        INSTALLER = "installer"

    # Roles that may change what lasts: the charger's name and settings, its hours, who may charge.
    MANAGING = (Role.OWNER, Role.MANAGER, Role.ADMINISTRATOR)
    # Roles that may start and stop charging.
    CHARGING = (*MANAGING, Role.USER, Role.DRIVER)
    # Roles that may look into the charger's works: its configuration and its message trace.
    TECHNICAL = (*MANAGING, Role.INSTALLER)

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=15, choices=Role)
    created = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "user"], name="one_role_per_person_and_site")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.site_id}"


class ApiKey(models.Model):
    """A key for scripts; only its SHA-256 is kept (256 random bits need no slow hash)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=clock.now)
    last_used = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
