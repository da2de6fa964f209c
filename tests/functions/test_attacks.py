"""Thousands of tries to come in with what is no credential, and to refresh what was refreshed before."""

import random
import string
import sys
from contextlib import redirect_stdout
from io import StringIO

from shared import bootstrap
from shared.domain.errors import LambentError
from shared.runtime import auth
from shared.runtime.invocation import run
from shared.runtime.named import unauthenticated
from shared.runtime.web import Request
from shared.usecases.auth import sign_in
from shared.usecases.auth.sign_in import Device, Signed
from tests.functions.world import World

KEYS = 5_000
INTERLEAVINGS = 2_000
"""`python -m tests.functions.test_attacks 10000` plays more."""
A_WORLD = 100
"""Sessions in one world: whoever searches memory for one looks at all."""
NOWHERE = Device("", "")


def mutated(chance: random.Random, key: str) -> str:
    """The key with something wrong with it."""
    letters = list(key)
    kind = chance.randrange(7)
    place = chance.randrange(4, len(letters))
    if kind == 0:
        letters[place] = chance.choice(string.ascii_letters + string.digits + "-_")
    elif kind == 1:
        del letters[place]
    elif kind == 2:
        letters.insert(place, chance.choice(string.printable))
    elif kind == 3:
        chance.shuffle(letters)
    elif kind == 4:
        return chance.choice(("", " ", "\n", "%00", "'", "' OR 1=1 --", "\\", "é")).join((key[:place], key[place:]))
    elif kind == 5:
        return "lam_" + "".join(chance.choices(string.ascii_letters + string.digits + "-_", k=43))
    else:
        return key.swapcase()
    return "".join(letters)


def accepted(secret: str) -> bool:
    """Whether the door lets somebody in who sends this."""

    async def try_it() -> bool:
        headers = [(b"authorization", f"Bearer {secret}".encode("latin-1", "replace"))]
        request = Request({"type": "http", "method": "GET", "headers": headers})
        async with bootstrap.transaction(None) as ports:
            try:
                await auth.authenticate(ports, auth.presented(request))
            except LambentError as error:
                return error.code != unauthenticated().code
        return True

    return run(try_it())


def test_keys_that_are_not_ours_are_all_refused(world: World) -> None:
    chance, owner = random.Random(5_000), world.owner()
    assert accepted(owner.key), "positive control"
    tries = (mutated(chance, owner.key) for _ in range(KEYS))
    assert [one for one in tries if one.strip() != owner.key and accepted(one)] == []


def test_refresh_token_that_comes_again_ends_the_session_every_time() -> None:
    """A client and a thief share a session and refresh by turns, in an order drawn anew each time.

    Whoever shows a token that was shown before gets nothing, and neither does anybody else of that session from then
    on, whatever they hold.
    """
    ended, wrong = interleaved(INTERLEAVINGS)
    assert wrong == 0
    assert ended > INTERLEAVINGS // 2, "most of them are attacks"


def interleaved(sessions: int) -> tuple[int, int]:
    """As `played`, so many sessions."""
    ended = wrong = 0
    for seed in range(sessions // A_WORLD):
        world = World()
        with world.active():
            over, faults = played(random.Random(seed), world)
        ended, wrong = ended + over, wrong + faults
    return ended, wrong


def played(chance: random.Random, world: World) -> tuple[int, int]:
    """How many of `A_WORLD` sessions a token ended that came again, and how often somebody got what was not theirs."""
    person = world.person()

    async def refreshed(token: str) -> Signed | None:
        async with bootstrap.transaction(None) as ports:
            outcome = await sign_in.refresh(ports, token, NOWHERE)
        return outcome if isinstance(outcome, Signed) else None

    async def play() -> tuple[int, int]:
        ended = wrong = 0
        for _ in range(A_WORLD):
            async with bootstrap.transaction(None) as ports:
                await ports.users.find(person.email)
                first = await sign_in.begin(ports, person.user_id, "password", NOWHERE)
            seen, holders = {""}, [first.refresh_token, first.refresh_token]
            known, over = [first.refresh_token], False
            for _ in range(chance.randint(2, 8)):
                who = chance.randrange(2)
                # Now and then a very old one.
                token = holders[who] if chance.random() < 0.8 else chance.choice(known)
                outcome = await refreshed(token)
                fine = not over and token not in seen
                wrong += (outcome is not None) is not fine
                over = over or token in seen
                seen.add(token)
                if outcome is not None:
                    holders[who] = outcome.refresh_token
                    known.append(outcome.refresh_token)
            if over:
                ended += 1
                wrong += sum([await refreshed(token) is not None for token in known])
        return ended, wrong

    return run(play())


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    with redirect_stdout(StringIO()):
        figures = interleaved(wanted)
    print(f"{wanted} interleavings: {figures[0]} ended by a token that came again, {figures[1]} wrong")
