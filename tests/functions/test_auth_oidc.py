"""Coming in by another party: those it vouches for, and everybody who only says so."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.openid.issuers import OpenidIssuers
from shared.domain.users import Identity, User, UserScope
from shared.runtime.invocation import run
from tests.fixtures.openid_issuer import Json, Outside
from tests.functions.gateway import Answer
from tests.functions.ways import BACK, OWN, Ways
from tests.functions.world import PASSWORD, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.person()


def token_of(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def me(world: World, answer: Answer) -> Json:
    found: Json = world.api("GET", "/api/v1/users/me", headers=token_of(answer)).json
    return found


def identities(user_id: UUID) -> list[Identity]:
    async def look() -> list[Identity]:
        scope = UserScope(user_id)
        async with bootstrap.transaction(None) as ports:
            await ports.users.enter(scope)
            return list(await ports.users.identities(scope))

    return run(look())


# The way in.


def test_providers_are_listed_without_what_only_they_and_we_know(ways: Ways) -> None:
    answer = ways.world.api("GET", "/api/v1/auth/providers")
    assert [one["name"] for one in answer.json["items"]] == ["public", "company"]
    assert answer.json["items"][1] == {
        "name": "company",
        "title": "The company",
        "issuer": "https://login.example.com/tenant",
        "redirect_uris": ["https://app.example/other", BACK],
    }
    assert "secret" not in answer.body


def test_providers_without_configuration_are_none(world: World) -> None:
    with bootstrap.override(issuers=OpenidIssuers("", lambda: "", Outside([]))):
        assert world.api("GET", "/api/v1/auth/providers").json == {"items": []}
        answer = world.api("POST", "/api/v1/auth/oidc/company/start", {"redirect_uri": BACK})
        assert (answer.status, answer.code) == (404, "provider_not_found")


def test_start_sends_people_there_with_a_challenge_and_without_a_secret(ways: Ways) -> None:
    begun = ways.start()
    url = urlsplit(begun["authorization_url"])
    asked = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://login.example.com/tenant/authorize"
    assert asked["state"] == [begun["state"]]
    assert asked["scope"] == ["openid email profile"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert begun["binding"] not in begun["authorization_url"]
    assert begun["expires_in"] == 600
    other = parse_qs(urlsplit(ways.start()["authorization_url"]).query)
    assert all(asked[one] != other[one] for one in ("state", "nonce", "code_challenge"))


def test_stranger_comes_in_as_a_new_user_who_belongs_nowhere_yet(ways: Ways) -> None:
    signed = ways.sign_in("public", email="Bo@elsewhere.example", name="Bo\x00\nB.")
    found = me(ways.world, signed)
    assert (found["email"], found["name"]) == ("Bo@elsewhere.example", "BoB.")
    assert found["verified_at"] is not None
    organisations = ways.world.api("GET", "/api/v1/users/me/organisations", headers=token_of(signed))
    assert organisations.json == {"items": []}
    made = ways.world.api("POST", "/api/v1/orgs", {"name": "Bo's"}, headers=token_of(signed))
    assert made.status == 201
    again = ways.sign_in("public", email="changed@elsewhere.example")
    assert again.json["user_id"] == signed.json["user_id"], "by whom the issuer means, not by what it calls them"
    assert me(ways.world, again)["email"] == "Bo@elsewhere.example"


def test_session_says_who_vouched_and_is_one_like_any_other(ways: Ways) -> None:
    signed = ways.sign_in()
    (session,) = ways.world.api("GET", "/api/v1/auth/sessions", headers=token_of(signed)).json["items"]
    assert session["method"] == "https://login.example.com/tenant"
    refreshed = ways.world.api("POST", "/api/v1/auth/refresh", {"refresh_token": signed.json["refresh_token"]})
    assert refreshed.status == 200
    assert ways.world.api("POST", "/api/v1/auth/logout", headers=token_of(refreshed)).status == 204


def test_new_user_has_no_password_and_may_set_one_by_mail(ways: Ways) -> None:
    ways.sign_in()
    body = {"email": OWN["email"], "password": PASSWORD}
    assert ways.world.api("POST", "/api/v1/auth/login", body).status == 401
    ways.world.api("POST", "/api/v1/auth/password/forgot", {"email": OWN["email"]})
    reset = {"token": ways.world.mailed(str(OWN["email"])), "password": PASSWORD}
    assert ways.world.api("POST", "/api/v1/auth/password/reset", reset).status == 204
    assert ways.world.api("POST", "/api/v1/auth/login", body).status == 200


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "POST /token"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}, "POST /token"),
        ({"jwks_uri": "https://id.example/keys", "extra": {"nested": [1]}}, "GET /keys"),
    ],
)
def test_client_shows_its_secret_as_the_provider_wants_it(ways: Ways, change: Json, sent: str) -> None:
    ways.public.description = change
    assert ways.sign_in("public").status == 200
    assert sent in ways.public.calls


def test_address_is_asked_for_elsewhere_when_the_token_lacks_it(ways: Ways) -> None:
    ways.public.claims = dict.fromkeys(OWN)
    ways.public.person = {"sub": "ada-1", "email": "ada@elsewhere.example", "email_verified": True, "name": "Ada"}
    assert me(ways.world, ways.sign_in("public"))["email"] == "ada@elsewhere.example"


@pytest.mark.parametrize("person", [{"sub": "ada-2"}, {"sub": None}, {"email_verified": False}, {"email": ["a"]}])
def test_address_that_is_told_of_somebody_else_is_nobodys(ways: Ways, person: Json) -> None:
    ways.public.claims = dict.fromkeys(OWN)
    ways.public.person = {"sub": "ada-1", "email": "ada@elsewhere.example", "email_verified": True, **person}
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (403, "email_not_verified")


# As whom.


def test_account_is_the_providers_who_speaks_for_its_address(ways: Ways, ada: Person) -> None:
    signed = ways.sign_in(email="ADA@example.com")
    assert signed.json["user_id"] == str(ada.user_id)
    assert [(one.issuer, one.subject) for one in identities(ada.user_id)] == [(ways.company.url, "ada-1")]
    assert ada.get("/users/me").status == 200, "and who was signed in stays so"


def test_account_is_not_given_to_a_provider_that_does_not_speak_for_its_address(ways: Ways, ada: Person) -> None:
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (409, "account_exists")
    assert identities(ada.user_id) == []
    newest = ada.get("/users/me/events").json["items"][0]
    told = {"method": ways.public.url, "reason": "not_linked"}
    assert (newest["action"], newest["details"]) == ("sign_in.failed", told)


@pytest.mark.parametrize("proven", [False, None, "false", "True", 1, "yes", ["true"], {}])
@pytest.mark.parametrize("name", ["public", "company"])
def test_address_that_is_not_proven_is_nobodys(ways: Ways, ada: Person, name: str, proven: object) -> None:
    for email in (ada.email, "nobody@example.com"):
        answer = ways.sign_in(name, email=email, email_verified=proven)
        assert (answer.status, answer.code) == (403, "email_not_verified")
    assert identities(ada.user_id) == []


def test_address_that_somebody_has_not_proven_here_is_not_theirs_to_give(ways: Ways) -> None:
    world = ways.world
    planted = User(world.ids.new(), str(OWN["email"]), "Mallory", world.clock.now(), verified_at=None)

    async def plant() -> None:
        async with bootstrap.transaction(None) as ports:
            await ports.users.add(UserScope(planted.id), planted, "hash")

    run(plant())
    for name in ("public", "company"):
        assert ways.sign_in(name).code == "account_exists"
    assert identities(planted.id) == []


def test_registration_that_waits_does_not_catch_whoever_comes_in_by_a_provider(ways: Ways) -> None:
    asked = {"email": OWN["email"], "password": "the attacker's choice", "name": "M", "organisation": "M"}
    ways.world.api("POST", "/api/v1/auth/register", asked)
    code = ways.world.mailed(str(OWN["email"]))
    signed = ways.sign_in()
    body = {"token": code, "password": "the attacker's choice"}
    assert ways.world.api("POST", "/api/v1/auth/verify", body).code == "email_taken"
    assert me(ways.world, signed)["name"] == "Ada Lovelace"


@pytest.mark.parametrize(
    "email", ["ada@elsewhere.example", "ada@sub.example.com", "ada@notexample.com", "ada@example.com.evil.example"]
)
def test_provider_makes_no_users_of_domains_that_are_not_its_own(ways: Ways, email: str) -> None:
    answer = ways.sign_in(email=email)
    assert (answer.status, answer.code) == (403, "email_domain_refused")


@pytest.mark.parametrize(
    "email", ["", "x" * 3000, "a b@example.com", "ada@example.com\nBcc: b@example.com", "аda@example.com"]
)
def test_address_that_is_none_makes_nobody(ways: Ways, email: str) -> None:
    answer = ways.sign_in(email=email)
    assert (answer.status, answer.code in {"email_not_verified", "invalid_email"}) in {(403, True), (422, True)}


def test_history_tells_by_whom_somebody_came_in(ways: Ways) -> None:
    signed = ways.sign_in()
    events = ways.world.api("GET", "/api/v1/users/me/events", headers=token_of(signed)).json["items"]
    told = [(one["action"], one["details"]["method"], one["address"]) for one in reversed(events)]
    by = (ways.company.url, "198.51.100.23")
    assert told == [("user.created", *by), ("identity.linked", *by), ("sign_in.succeeded", *by)]


def test_closed_account_stays_closed_whoever_vouches(ways: Ways, ada: Person) -> None:
    assert ways.sign_in().status == 200
    assert ada.post("/users/me/disable", {"password": PASSWORD}).status == 204
    for sub in ("ada-1", "ada-2"):
        answer = ways.sign_in("company", sub)
        assert (answer.status, answer.code) == (403, "user_disabled")
    assert [one.subject for one in identities(ada.user_id)] == ["ada-1"]


def test_same_subject_of_another_issuer_is_somebody_else(ways: Ways) -> None:
    first = ways.sign_in()
    second = ways.sign_in("public", email="bo@elsewhere.example")
    assert first.json["user_id"] != second.json["user_id"]


# Linking.


def link(ways: Ways, of: Person, name: str = "public", password: str = PASSWORD) -> Answer:
    return of.post(f"/auth/oidc/{name}/link", {"redirect_uri": BACK, "password": password})


def test_linked_provider_is_a_way_in_whatever_the_address(ways: Ways, ada: Person) -> None:
    begun = link(ways, ada).json
    back = ways.public.visit(begun["authorization_url"], "ada-at-home", email="ada@home.example", email_verified=False)
    linked = ways.finish(begun, back, "public")
    assert linked.json["user_id"] == str(ada.user_id)
    again = ways.sign_in("public", "ada-at-home", email_verified=False)
    assert again.json["user_id"] == str(ada.user_id)
    relinking = link(ways, ada).json
    back = ways.public.visit(relinking["authorization_url"], "ada-at-home")
    assert ways.finish(relinking, back, "public").status == 200, "twice is once"
    assert len(identities(ada.user_id)) == 1


def test_linking_asks_for_the_password(ways: Ways, ada: Person) -> None:
    assert link(ways, ada, password="wrong password").code == "wrong_password"


def test_linking_does_not_take_an_identity_from_somebody(ways: Ways, ada: Person) -> None:
    ways.sign_in("public", "bo-1", email="bo@elsewhere.example")
    begun = link(ways, ada).json
    answer = ways.finish(begun, ways.public.visit(begun["authorization_url"], "bo-1"), "public")
    assert (answer.status, answer.code) == (409, "identity_taken")
    assert identities(ada.user_id) == []


def test_linking_ends_with_the_session_that_began_it(ways: Ways, ada: Person) -> None:
    begun = link(ways, ada).json
    back = ways.public.visit(begun["authorization_url"], "mallory-1")
    assert ada.post("/auth/logout").status == 204
    assert ways.finish(begun, back, "public").code == "invalid_state"
    assert identities(ada.user_id) == []


def test_linked_provider_is_listed_and_taken_away(ways: Ways, ada: Person) -> None:
    ways.sign_in()
    (known,) = ada.get("/auth/identities").json["items"]
    assert (known["issuer"], known["subject"]) == (ways.company.url, "ada-1")
    assert ada.delete("/auth/oidc/public/link").code == "identity_not_found"
    assert ada.delete("/auth/oidc/company/link").status == 204
    assert ada.get("/auth/identities").json == {"items": []}
    assert ada.delete("/auth/oidc/company/link").code == "identity_not_found"
    newest = ada.get("/users/me/events").json["items"][0]
    assert (newest["action"], newest["details"]) == ("identity.unlinked", {"method": ways.company.url})


def test_only_way_in_is_not_taken_away(ways: Ways) -> None:
    headers = token_of(ways.sign_in())
    answer = ways.world.api("DELETE", "/api/v1/auth/oidc/company/link", headers=headers)
    assert (answer.status, answer.code) == (409, "last_way_in")
    ways.world.api("POST", "/api/v1/auth/password/forgot", {"email": OWN["email"]})
    reset = {"token": ways.world.mailed(OWN["email"]), "password": PASSWORD}
    ways.world.api("POST", "/api/v1/auth/password/reset", reset)
    headers = token_of(ways.sign_in())
    assert ways.world.api("DELETE", "/api/v1/auth/oidc/company/link", headers=headers).status == 204


# What comes back.


def test_redirect_uri_is_compared_to_the_letter(ways: Ways) -> None:
    for uri in (BACK + "/", BACK + "?a=1", BACK + "#x", "https://APP.example/back", "https://app.example/back/../x"):
        answer = ways.post("/company/start", {"redirect_uri": uri})
        assert (answer.status, answer.code) == (422, "invalid_redirect_uri")
    assert ways.company.calls == []
    assert ways.post("/public/start", {"redirect_uri": "https://app.example/other"}).code == "invalid_redirect_uri"


def test_state_is_good_once(ways: Ways) -> None:
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    ways.company.careless = True
    assert ways.finish(begun, back).status == 200
    assert (ways.finish(begun, back).status, ways.finish(begun, back).code) == (401, "invalid_state")


def test_state_is_gone_when_what_follows_fails(ways: Ways) -> None:
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    ways.company.status = {"/token": 500}
    assert ways.finish(begun, back).status == 503
    ways.company.status = {}
    assert ways.finish(begun, back).code == "invalid_state"


def test_state_is_good_for_a_while(ways: Ways) -> None:
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    ways.world.clock.advance(600)
    assert ways.finish(begun, back).code == "invalid_state"


def test_state_of_another_provider_is_refused(ways: Ways) -> None:
    begun = ways.start("public")
    back = ways.public.visit(begun["authorization_url"], **OWN)
    ways.company.careless = True
    ways.company.codes = ways.public.codes
    assert ways.finish(begun, back, "company").code == "invalid_state"
    assert "POST /token" not in ways.company.calls, "the code was not shown to anybody it is not from"


def test_code_that_somebody_else_was_sent_back_with_does_not_sign_me_in(ways: Ways) -> None:
    mallory, mine = ways.start(), ways.start()
    back = ways.company.visit(mallory["authorization_url"], "mallory-1", **OWN)
    # Their address, opened in my browser, which kept what belongs to mine; and with my own state.
    assert ways.finish(mine, back).code == "invalid_state"
    assert ways.finish(mine, {**back, "state": mine["state"]}).code == "code_refused"
    assert ways.finish(mallory, back).status == 200, "nobody but who holds the binding can use it up"


def test_stolen_code_is_good_for_nobody_even_at_a_careless_provider(ways: Ways) -> None:
    mine, mallory = ways.start(), ways.start()
    stolen = ways.company.visit(mine["authorization_url"], **OWN)
    ways.company.careless = True
    answer = ways.finish(mallory, {**stolen, "state": mallory["state"]})
    assert (answer.status, answer.code) == (401, "identity_token_refused")
    assert "another sign-in" in answer.json["detail"]


def test_code_is_good_once(ways: Ways) -> None:
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    assert ways.finish(begun, back).status == 200
    again = ways.start()
    answer = ways.finish(again, {**back, "state": again["state"]})
    assert (answer.status, answer.code) == (401, "code_refused")


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "a" * 200, "' OR true --"])
@pytest.mark.parametrize("field", ["state", "binding"])
def test_state_or_binding_that_is_none_is_refused(ways: Ways, field: str, value: str) -> None:
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    answer = ways.post("/company/callback", {**back, "binding": begun["binding"], field: value})
    assert answer.code in {"invalid_state", "validation_failed"}
    assert ways.finish(begun, back).status == 200


def test_mix_up_is_noticed_by_who_answers(ways: Ways) -> None:
    for iss in ("https://id.example", "https://login.example.com/tenant/", ""):
        begun = ways.start()
        back = ways.company.visit(begun["authorization_url"], **OWN)
        answer = ways.finish(begun, {**back, "iss": iss})
        assert (answer.status, answer.code) == (401, "wrong_issuer")
    assert "POST /token" not in ways.company.calls
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    assert ways.finish(begun, {**back, "iss": ways.company.url}).status == 200


def test_provider_that_says_who_it_is_must_say_it(ways: Ways) -> None:
    ways.company.description = {"authorization_response_iss_parameter_supported": True}
    assert ways.sign_in().code == "wrong_issuer"
    begun = ways.start()
    back = ways.company.visit(begun["authorization_url"], **OWN)
    assert ways.finish(begun, {**back, "iss": ways.company.url}).status == 200
