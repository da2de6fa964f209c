"""Query parameters that every listing takes."""

from typing import Annotated

from fastapi import Query

Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="rows a page")]
