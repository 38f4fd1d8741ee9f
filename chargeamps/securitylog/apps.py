from django.apps import AppConfig


class SecuritylogConfig(AppConfig):
    name = "chargeamps.securitylog"
