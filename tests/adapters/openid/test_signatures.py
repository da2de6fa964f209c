"""Identity tokens that were changed anywhere are refused, whatever the change."""

import random

import pytest

from shared.adapters.memory.clock import ManualClock
from shared.adapters.openid.signatures import key_of, read
from shared.domain.errors import Unauthenticated
from tests.fixtures.openid_issuer import Issuer, ec_key, public, rsa_key

MUTATIONS = 3_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00é"


def mutated(token: str, chance: random.Random) -> str:
    """A token with one to three letters changed, taken away, doubled, or parts of it exchanged."""
    letters = list(token)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(letters))
        how = chance.randrange(5)
        if how == 0:
            letters[place] = chance.choice(LETTERS)
        elif how == 1:
            del letters[place]
        elif how == 2:
            letters.insert(place, chance.choice(LETTERS))
        elif how == 3:
            other = chance.randrange(len(letters))
            letters[place], letters[other] = letters[other], letters[place]
        else:
            letters = letters[:place] if chance.random() < 0.1 else [*letters, chance.choice(LETTERS)]
        if not letters:
            return ""
    return "".join(letters)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_mutated_token_is_refused(algorithm: str) -> None:
    chance = random.Random(f"{algorithm} 1")
    issuer = Issuer(ManualClock(), algorithm=algorithm)
    keys = {"keys": [public(rsa_key("one") if algorithm == "RS256" else ec_key("one"), "one")]}
    token = issuer.sign({"sub": "ada-1"})

    def accepted(one: str) -> bool:
        try:
            key = key_of(one, keys)
            return key is not None and bool(read(one, key))
        except Unauthenticated:
            return False

    assert accepted(token), "positive control"
    tokens = {mutated(token, chance) for _ in range(MUTATIONS)} - {token}
    assert len(tokens) > MUTATIONS * 0.9
    assert [one for one in tokens if accepted(one)] == []
