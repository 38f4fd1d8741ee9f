from django.apps import AppConfig


class SecuritylogConfig(AppConfig):
    name = "chargeamps.securitylog"

    def ready(self) -> None:
        from chargeamps.securitylog import receivers  # noqa: F401  (connects them)
