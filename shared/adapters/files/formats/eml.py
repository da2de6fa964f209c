"""Internet messages."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from typing import Any, cast

from shared.adapters.files.decoding import decode
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.message import HEADERS, SEALED, Attachment, write_message
from shared.adapters.files.source import Source
from shared.domain.errors import Rejected

_SAMPLE = 4096
_LONGEST_HEADER = 20_000
"""Characters; parsing a header takes time by the square of its length."""


class _Policy(EmailPolicy):
    """Today's rules for mail, with headers cut where no mail program would write on."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """See `email.policy.Policy`."""
        return super().header_fetch_parse(name, value[:_LONGEST_HEADER])


_POLICY = _Policy()


def read(source: Source, manuscript: Manuscript) -> None:
    """Write headers and body. Attached messages and files are listed only.

    Raises:
        Rejected: `encrypted`; `too_deep` or `archive_limits` when the message has absurdly many parts.
    """
    data = source.data
    if (decoded := decode(data[:_SAMPLE])) and decoded[1].startswith(("utf-16", "utf-32", "utf-8-sig")):
        # Saved by a text editor: headers are ASCII by their standard.
        data = (decode(data) or decoded)[0].encode()
    message = cast(EmailMessage, message_from_bytes(data, policy=_POLICY))
    if message.get_content_type() in SEALED and message.get_param("smime-type") != "signed-data":
        raise Rejected("the message is encrypted; save it decrypted and upload it again", code="encrypted")
    bodies: dict[str, list[str]] = {"plain": [], "html": []}
    attachments: list[Attachment] = []
    for count, part in enumerate(_leaves(message, source.limits.depth)):
        if count > source.limits.archive_entries:
            raise Rejected("the message has more parts than any ordinary message", code="archive_limits")
        if part.get_content_maintype() == "text" and not part.is_attachment() and not part.get_filename():
            bodies["html" if part.get_content_subtype() == "html" else "plain"].append(_text(part))
        else:
            attachments.append(_attachment(part))
    headers = {name: _header(message, name) for name in HEADERS}
    plain, html = "\n\n".join(bodies["plain"]), "\n".join(bodies["html"])
    write_message(manuscript, headers, plain=plain, html=html, attachments=attachments)


def _leaves(message: EmailMessage, depth: int) -> Iterator[EmailMessage]:
    """The parts that hold content, in order; an attached message counts as one part."""
    if depth <= 0:
        raise Rejected("the message is nested too deeply", code="too_deep")
    if message.get_content_maintype() != "multipart":
        yield message
        return
    for part in message.get_payload() if message.is_multipart() else []:
        yield from _leaves(cast(EmailMessage, part), depth - 1)


def _header(message: EmailMessage, name: str) -> str:
    """The decoded header; the raw one when its syntax is too broken for the parser."""
    try:
        return str(message.get(name, ""))
    except (ValueError, LookupError, AttributeError, TypeError):
        return next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _text(part: EmailMessage) -> str:
    """The decoded words of a part; an unknown or wrong charset is replaced by a guess."""
    data = _bytes(part)
    charset = part.get_content_charset()
    if charset:
        try:
            return data.decode(charset)
        except (LookupError, ValueError):
            pass
    decoded = decode(data)
    return decoded[0] if decoded else data.decode("latin-1")


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: EmailMessage) -> Attachment:
    return Attachment(part.get_filename() or "", part.get_content_type(), len(_bytes(part)))
