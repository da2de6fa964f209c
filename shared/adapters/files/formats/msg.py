"""Outlook messages."""

from email.utils import format_datetime

from oxmsg import Message

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.message import SEALED, Attachment, write_message
from shared.adapters.files.source import Source
from shared.domain.errors import Rejected


def read(source: Source, manuscript: Manuscript) -> None:
    """Write headers and body. Attachments are listed only.

    Raises:
        Rejected: `encrypted`.
    """
    message = Message.load(source.data)
    if message.message_headers.get("Content-Type", "").lower().startswith(SEALED):
        raise Rejected("the message is encrypted; save it decrypted and upload it again", code="encrypted")
    sent = message.sent_date
    recipients = ", ".join(f"{one.name or ''} <{one.email_address or ''}>".strip() for one in message.recipients)
    headers = {
        "Subject": message.subject,
        "From": message.sender or "",
        "To": message.message_headers.get("To") or recipients,
        "Cc": message.message_headers.get("Cc") or "",
        "Date": format_datetime(sent) if sent else message.message_headers.get("Date") or "",
    }
    attachments = [
        Attachment(one.file_name or "", one.mime_type or "unknown type", one.size) for one in message.attachments
    ]
    plain, html = message.body or "", message.html_body or ""
    if not plain.strip() and not html.strip():
        manuscript.warn("the message has no body in plain text or HTML; formatted text (RTF) in messages is not read")
    write_message(manuscript, headers, plain=plain, html=html, attachments=attachments)
