from django.apps import AppConfig


class LLMConfig(AppConfig):
    name = "llm"
    verbose_name = "Language models"

    def ready(self) -> None:
        from . import checks, embedding_calls  # noqa: F401  register themselves on import
