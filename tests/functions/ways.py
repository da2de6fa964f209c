"""A deployment that lets people in by other parties."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared import bootstrap
from shared.adapters.openid.issuers import OpenidIssuers
from tests.fixtures.openid_issuer import Issuer, Json, Outside
from tests.functions.gateway import Answer
from tests.functions.world import World

BACK = "https://app.example/back"
OWN: Json = {"email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}


@dataclass
class Ways:
    """A deployment with two providers: one of everybody's, and one that speaks for example.com."""

    world: World
    public: Issuer
    company: Issuer

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.world.api("POST", f"/api/v1/auth/oidc{path}", body, headers=headers)

    def start(self, name: str = "company") -> Json:
        answer = self.post(f"/{name}/start", {"redirect_uri": BACK})
        assert answer.status == 200, answer.body
        begun: Json = answer.json
        return begun

    def finish(self, begun: Json, back: Json, name: str = "company") -> Answer:
        return self.post(f"/{name}/callback", {**back, "binding": begun["binding"]})

    def sign_in(self, name: str = "company", sub: str = "ada-1", /, **about: Any) -> Answer:
        begun = self.start(name)
        issuer = self.company if name == "company" else self.public
        return self.finish(begun, issuer.visit(begun["authorization_url"], sub, **{**OWN, **about}), name)


@contextmanager
def ways_into(world: World) -> Iterator[Ways]:
    """While the block runs, two providers vouch for people of this world."""
    public = Issuer(world.clock)
    company = Issuer(world.clock, "https://login.example.com/tenant", secret="", algorithm="ES256")
    providers = [
        {"name": "public", "issuer": public.url, "client_id": public.client_id, "redirect_uris": [BACK]},
        {
            "name": "company",
            "title": "The company",
            "issuer": company.url,
            "client_id": company.client_id,
            "redirect_uris": ["https://app.example/other", BACK],
            "email_domains": ["example.com"],
        },
    ]
    secrets = json.dumps({"public": public.secret})
    issuers = OpenidIssuers(
        json.dumps(providers), lambda: secrets, Outside([public, company]), monotonic=world.clock.monotonic
    )
    with bootstrap.override(issuers=issuers):
        yield Ways(world, public, company)
