from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "chargeamps.accounts"

    def ready(self) -> None:
        from chargeamps.accounts import openapi  # noqa: F401  (registers the schemes)
