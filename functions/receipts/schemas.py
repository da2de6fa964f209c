"""Responses about receipts."""

from typing import Self

from shared.domain.pages import Page
from shared.domain.receipts import DeletionReceipt
from shared.runtime.receipts import ReceiptOut
from shared.runtime.schemas import Out


class ReceiptPage(Out):
    """A page of receipts; send `next` back as `cursor`."""

    items: list[ReceiptOut]
    next: str | None

    @classmethod
    def of(cls, page: Page[DeletionReceipt]) -> Self:
        """From the use case's page."""
        return cls(items=[ReceiptOut.of(one) for one in page.items], next=page.next)
