"""Operations of migrations for tables that are being written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.migrations import AddIndex

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState


class AddIndexLive(AddIndex):
    """`AddIndex` that lets others write meanwhile: CONCURRENTLY on PostgreSQL, as usual elsewhere.

    Its migration must have `atomic = False` and no other operation. One that was interrupted leaves an invalid index
    behind, which has to be dropped before the migration is run again.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make the index."""
        operation = self._on(schema_editor)
        operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop it."""
        operation = self._on(schema_editor)
        operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def _on(self, schema_editor: BaseDatabaseSchemaEditor) -> AddIndex:
        if schema_editor.connection.vendor != "postgresql":
            return AddIndex(self.model_name, self.index)
        from django.contrib.postgres.operations import AddIndexConcurrently  # needs psycopg

        return AddIndexConcurrently(self.model_name, self.index)
