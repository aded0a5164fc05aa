"""Staff, superusers and those who are locked out are found among a million others without a look at these.

The index has few rows; making it takes one reading of the table, a second for a million users, in which none can be added.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_keys_and_audit")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_staff", True), ("is_superuser", True), ("is_active", False), _connector="OR"),
                fields=["id"],
                name="users_special",
            ),
        ),
    ]
