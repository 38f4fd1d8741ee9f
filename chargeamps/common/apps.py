from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "chargeamps.common"

    def ready(self) -> None:
        from chargeamps.common import checks  # noqa: F401  (registers the system checks)
