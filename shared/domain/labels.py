"""Names, tags and metadata that people give to things: what is accepted."""

import json
import re
from collections.abc import Mapping, Sequence

from shared.domain.errors import Invalid
from shared.domain.filters import METADATA_KEY
from shared.domain.storable import storable

MAX_NAME = 255
MAX_TAGS = 50
MAX_TAG = 100
MAX_METADATA_BYTES = 8192
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def clean_name(name: str, what: str = "name") -> str:
    """Trim a name.

    Raises:
        Invalid: empty, over 255 characters, or with control characters in it.
    """
    name = name.strip()
    if not name:
        raise Invalid(f"the {what} is empty", code="invalid_name")
    if len(name) > MAX_NAME:
        raise Invalid(f"the {what} has {len(name)} characters; {MAX_NAME} at most", code="invalid_name")
    if CONTROL.search(name):
        raise Invalid(f"the {what} contains control characters", code="invalid_name")
    return name


def clean_path(path: str) -> str:
    """Check an uploader's own key for a document; '' means it has none. It is a label: nothing ever opens it.

    Raises:
        Invalid: over 1024 characters, or with control characters in it.
    """
    if len(path) > 1024:
        raise Invalid(f"the path has {len(path)} characters; 1024 at most", code="invalid_path")
    if CONTROL.search(path):
        raise Invalid("the path contains control characters", code="invalid_path")
    return path


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Trim tags and drop repeats, keeping their order.

    Raises:
        Invalid: more than 50 tags, or one that is empty, over 100 characters or has control characters.
    """
    cleaned = tuple(dict.fromkeys(tag.strip() for tag in tags))
    if len(cleaned) > MAX_TAGS:
        raise Invalid(f"{len(cleaned)} tags; {MAX_TAGS} at most", code="invalid_tags")
    for tag in cleaned:
        if not tag or len(tag) > MAX_TAG or CONTROL.search(tag):
            raise Invalid(
                f"the tag {tag[:40]!r} must have 1-{MAX_TAG} characters and no control characters", code="invalid_tags"
            )
    return cleaned


def clean_metadata(metadata: Mapping[str, object]) -> dict[str, object]:
    """Check metadata: keys of 1-64 letters, digits, '_' or '-'; values text, numbers, true, false or lists of text.

    8 KiB as JSON.

    Raises:
        Invalid: naming the key that is wrong.
    """
    for key, value in metadata.items():
        if not METADATA_KEY.fullmatch(key):
            raise Invalid(
                f"the metadata key {key[:80]!r} must be 1-64 letters, digits, '_' or '-'", code="invalid_metadata"
            )
        scalar = isinstance(value, str | int | float | bool)
        if not scalar and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise Invalid(
                f"metadata.{key} must be text, a number, true, false or a list of text", code="invalid_metadata"
            )
    try:
        written = json.dumps(metadata, allow_nan=False)
    except ValueError as error:
        raise Invalid("metadata holds a number JSON cannot carry", code="invalid_metadata") from error
    if len(written) > MAX_METADATA_BYTES:
        raise Invalid(f"metadata is over {MAX_METADATA_BYTES} bytes as JSON", code="invalid_metadata")
    if not storable(metadata):
        raise Invalid("metadata holds a NUL character or half a surrogate pair", code="invalid_metadata")
    return dict(metadata)
