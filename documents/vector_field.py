"""The column that holds the vectors of a document's chunks: the one field that differs between the engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from numpy.typing import NDArray

FLOAT = np.dtype("<f4")


class MatrixField(models.Field):  # type: ignore[type-arg]  # not subscriptable when it runs
    """A float32 matrix of shape (chunks, dimension), whose values half precision holds exactly.

    On PostgreSQL an array of pgvector's `halfvec`, one element a row, so that the database can compare them; elsewhere
    the matrix's own bytes, little-endian, which numpy reads without a copy. It is written as an array and read as what
    the engine stores: only `documents.search.vectors` reads it.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "halfvec[]" if connection.vendor == "postgresql" else "BLOB"

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        return "%s::halfvec[]" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        if connection.vendor == "postgresql":
            return array_of_vectors(value)
        return value.astype(FLOAT).tobytes()


def array_of_vectors(matrix: NDArray[np.float32]) -> str:
    """The matrix as PostgreSQL reads an array of vectors: `{"[.5,.25]","[0,1]"}`."""
    rows = orjson.dumps(np.ascontiguousarray(matrix, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    quoted = rows[1:-1].replace("],[", ']","[')
    return f'{{"{quoted}"}}' if len(matrix) else "{}"


def vector(row: NDArray[np.float32]) -> str:
    """One vector as PostgreSQL reads it."""
    return orjson.dumps(np.ascontiguousarray(row, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY).decode()
