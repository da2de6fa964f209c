"""Guesses at secrets: counted before they are looked at, by account and by address."""

from shared.domain.attempts import BY_ACCOUNT, BY_ADDRESS, Lockout, attempt_key
from shared.domain.errors import RateLimited
from shared.ports.ports import Ports


async def count(ports: Ports, what: str, account: str, address: str) -> None:
    """Count one guess at an account, known or not, from an address.

    Args:
        ports: in a transaction that is committed before anything is looked at.
        what: what is tried: sign_in, register, …
        account: whose: an address of theirs, normalised.
        address: the IP address it comes from; '' when that is not known.

    Raises:
        RateLimited: there were too many; the wait is the same whether the account exists.
    """
    counters: list[tuple[str, str, Lockout]] = [("account", account, BY_ACCOUNT)]
    if address:
        counters.append(("address", address, BY_ADDRESS))
    now = ports.clock.now()
    for kind, of, lockout in counters:
        wait = await ports.attempts.begin(attempt_key(f"{what} {kind}", of), lockout, now)
        if wait > 0:
            raise RateLimited("too many tries", seconds=wait, hint="wait, then try again")


async def wait(ports: Ports, what: str, account: str) -> float:
    """Seconds that the next guess at an account has to wait, known or not; 0 when it has not."""
    return await ports.attempts.wait(attempt_key(f"{what} account", account), ports.clock.now())


async def right(ports: Ports, what: str, account: str, address: str) -> None:
    """The guess was right: the account's failures are forgotten, the address's count is as before."""
    await ports.attempts.succeeded(attempt_key(f"{what} account", account), clear=True)
    if address:
        await ports.attempts.succeeded(attempt_key(f"{what} address", address), clear=False)
