"""The admin lists the conversations of all users as the API lists those of one: by their last activity."""

from django.db import migrations, models

from documents.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0004_index_of_feedback")]

    operations = [
        AddIndexLive(
            model_name="conversation",
            index=models.Index(fields=["-activity_at", "-id"], name="conversations_recent"),
        ),
    ]
