"""Which keys may be removed together."""

from uuid import UUID

import pytest

from shared.domain.documents import extracted_key, upload_key
from shared.domain.objects import deletable_prefix, under

TENANT, DOCUMENT = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    "prefix",
    [
        f"{TENANT}/{DOCUMENT}/",
        f"extracted/{TENANT}/{DOCUMENT}/",
        upload_key(TENANT, DOCUMENT, 1),
        extracted_key(TENANT, DOCUMENT, 1),
    ],
)
def test_deletable_prefix_of_one_document_is_accepted(prefix: str) -> None:
    assert deletable_prefix(prefix) == prefix


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        " ",
        "*",
        "extracted/",
        f"{TENANT}",
        f"{TENANT}/",
        f"extracted/{TENANT}/",
        f"{TENANT}//",
        f"{TENANT}/x/",
        f"//{TENANT}/{DOCUMENT}/",
    ],
)
def test_deletable_prefix_of_more_than_a_document_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="one tenant and one document"):
        deletable_prefix(prefix)


def test_under_tells_a_key_from_a_longer_one() -> None:
    assert under("a/b/", "a/b/1")
    assert under("a/b/1", "a/b/1")
    assert not under("a/b/1", "a/b/10")
    assert not under("a/b/", "a/bc/1")
