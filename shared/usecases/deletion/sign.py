"""Sign what is complete, so that it can be verified without asking."""

from dataclasses import replace

from shared.domain.receipts import DeletionReceipt, Signature, canonical, statement
from shared.ports.ports import Ports


async def signed(ports: Ports, receipt: DeletionReceipt) -> DeletionReceipt:
    """The completed receipt with its signature; as it is where no key is configured.

    Raises:
        Unavailable: the key cannot be reached: a receipt is not complete before it is signed.
    """
    if ports.signer is None:
        return receipt
    key = await ports.signer.public_key()
    value = await ports.signer.sign(canonical(statement(receipt)))
    return replace(receipt, signature=Signature(key.hex(), value.hex()))
