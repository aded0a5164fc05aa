"""Where vectors are kept and compared: the only module that asks which database engine it works on.

PostgreSQL compares where the vectors are, with pgvector; from elsewhere they are read and compared with numpy. Both
scan the whole scope: measured, an index with a filter found 2 to 54 % of the true ten best of 1,000 chunks.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection
from django.db.models.expressions import RawSQL

from documents.models import DocumentVectors
from documents.vector_field import FLOAT, vector

from .queries import among, streamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from documents.models import Document

# Vectors have length 1, so their inner product is the cosine; `<#>` is its negative.
IN_DATABASE = """
    ARRAY(SELECT (-(v <#> %s::halfvec))::float4 FROM unnest("document_vectors"."matrix") WITH ORDINALITY AS u(v, place)
          ORDER BY place)
"""


def store(document: Document, *, model: str, matrix: NDArray[np.float32] | None) -> None:
    """Replace the vectors of a document; one row a chunk, in order. None removes them."""
    if matrix is None:
        DocumentVectors.objects.filter(document=document).delete()
        return
    DocumentVectors.objects.update_or_create(
        document=document,
        defaults={"model": model, "dimension": matrix.shape[1], "matrix": matrix},
    )


def cosines(query: NDArray[np.float32], *, model: str, documents: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """The cosine of the query and every chunk of (document id, number of chunks), one behind the other.

    The same numbers on every engine, to the bit, for vectors that `embeddings.base.normalised` made.

    NaN where a document has no vectors of this model and length.
    """
    rows = DocumentVectors.objects.filter(
        document_id__in=among(key for key, _ in documents), model=model, dimension=len(query)
    ).order_by("document_id")
    compare = _compared_by_postgresql if connection.vendor == "postgresql" else _compared_here
    firsts = dict(zip((key for key, _ in documents), accumulate((n for _, n in documents), initial=0), strict=False))
    sizes = dict(documents)
    result = np.full(sum(sizes.values()), np.nan)
    for key, found in compare(rows, query):
        if len(found) == sizes[key]:
            result[firsts[key] : firsts[key] + sizes[key]] = found
    return result


def _compared_by_postgresql(
    rows: QuerySet[DocumentVectors], query: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    compared = rows.annotate(cosines=RawSQL(IN_DATABASE, [vector(query)]))  # noqa: S611  constant text
    for key, values in streamed(compared.values_list("document_id", "cosines")):
        yield key, np.array(values, dtype=np.float32)


def _compared_here(
    rows: QuerySet[DocumentVectors], query: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for key, matrix in streamed(rows.values_list("document_id", "matrix")):
        yield key, np.frombuffer(matrix, dtype=FLOAT).reshape(-1, len(query)) @ query
