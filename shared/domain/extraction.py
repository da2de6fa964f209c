"""What `ingest_extract` leaves in the work bucket: the text, or why there is none."""

import json

from shared.domain.documents import Reason
from shared.domain.errors import Rejected
from shared.domain.extracted import Extracted
from shared.domain.extracted_json import from_json, to_json
from shared.domain.retrying import MALFORMED_EXTRACTION

_MARK = b'{"failed":'


def write_extraction(outcome: Extracted | Reason) -> bytes:
    """The JSON of either outcome."""
    if isinstance(outcome, Extracted):
        return to_json(outcome)
    return json.dumps(
        {"failed": {"code": outcome.code, "detail": outcome.detail}}, ensure_ascii=False, separators=(",", ":")
    ).encode()


def read_extraction(body: bytes) -> Extracted | Reason:
    """Read either outcome, strictly: it comes from the one function that touches hostile bytes.

    Raises:
        Rejected: `malformed_extraction`.
    """
    if not body.startswith(_MARK):
        return from_json(body)
    try:
        failed = json.loads(body)["failed"]
        code, detail = failed["code"], failed["detail"]
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected("the record of the failed extraction is malformed", code=MALFORMED_EXTRACTION) from error
    if not isinstance(code, str) or not isinstance(detail, str):
        raise Rejected("the record of the failed extraction is malformed", code=MALFORMED_EXTRACTION)
    return Reason(code[:64], detail[:2000])
