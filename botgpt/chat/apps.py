from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "botgpt.chat"
    label = "chat"
