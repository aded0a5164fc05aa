from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "botgpt.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import checks, schema  # noqa: F401  both register themselves on import
