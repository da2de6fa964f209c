"""What e-mail formats share: headers, body, attachments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.adapters.files.html_items import html_items
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.spans import fill
from shared.adapters.files.text import clean, one_line
from shared.domain.extracted import BlockKind

HEADERS = ("Subject", "From", "To", "Cc", "Date")
"""What is written above the body, in this order."""
SEALED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
"""Content types of encrypted messages."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. It is listed, never opened, and its name is never used as a path."""

    name: str
    media_type: str
    size: int


def write_message(
    manuscript: Manuscript, headers: Mapping[str, str], *, plain: str, html: str, attachments: Iterable[Attachment]
) -> None:
    """Write headers and body, plain text preferred over HTML, and list attachments as warnings."""
    manuscript.title = one_line(headers.get("Subject", ""))
    for name in HEADERS:
        manuscript.describe(name.lower(), headers.get(name))
    lines = [f"{name}: {one_line(headers[name])}" for name in HEADERS if headers.get(name, "").strip()]
    manuscript.add(BlockKind.PARAGRAPH, "\n".join(lines))
    body = clean(plain).strip()
    if body:
        manuscript.source(body, fill(body, []))
    elif html:
        manuscript.extend(html_items(html, depth=manuscript.limits.depth)[0])
    for attachment in attachments:
        name = one_line(attachment.name)[:200] or "without a name"
        manuscript.warn(
            f"the attachment {name} ({attachment.media_type}, {attachment.size:,} bytes) was not read;"
            " upload it as a document of its own"
        )
