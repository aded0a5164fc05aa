"""The admin's filter by mode, however rare the mode is."""

from django.db import migrations, models

from documents.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0005_index_of_activity")]

    operations = [
        AddIndexLive(
            model_name="conversation",
            index=models.Index(fields=["mode", "-activity_at", "-id"], name="conversations_mode_recent"),
        ),
    ]
