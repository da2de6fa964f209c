"""Query parameters that every listing takes."""

from typing import Annotated

from shared.runtime.web import Query

Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
MAX_NUMBER = 2**31 - 1
"""The greatest whole number that rows are counted with."""

Position = Annotated[int, Query(ge=0, le=MAX_NUMBER)]
Version = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]
Limit = Annotated[int, Query(ge=1, le=200, description="rows a page")]
