"""Coming in, staying in, going out; and everybody who should not come in."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.memory.passwords import MemoryPasswords
from shared.domain.members import Membership
from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission
from shared.domain.users import UserScope
from shared.runtime.invocation import run
from shared.runtime.routes import PUBLIC, ROUTES
from tests.functions.conftest import Lines
from tests.functions.gateway import Answer, cases, example
from tests.functions.people import seed
from tests.functions.requests import OF_PEOPLE
from tests.functions.world import PASSWORD, Person, World

EXPECTED = {"register": 202, "verify": 201, "forgot": 202, "login_wrong": 401, "logout": 204, "reset": 204}
EXPECTED |= {"change": 204, "revoke": 204, "email_change": 202, "oidc_unlink": 204}
NEWCOMER = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada", "organisation": "Acme"}
OTHER = "another horse battery"


def post(world: World, path: str, body: Any, **headers: str) -> Answer:
    return world.api("POST", f"/api/v1/auth{path}", body, headers=headers)


def login(world: World, email: str = "ada@example.com", password: str = PASSWORD) -> Answer:
    return post(world, "/login", {"email": email, "password": password})


def refresh(world: World, token: str) -> Answer:
    return post(world, "/refresh", {"refresh_token": token})


@pytest.fixture
def ada(world: World) -> Person:
    return world.person()


@pytest.mark.parametrize("case", cases("auth"))
def test_auth_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("auth", example("auth", case)))
    assert answer.status == EXPECTED.get(case, 200), answer.body


# Registering.


def test_registration_makes_nothing_until_it_is_confirmed(world: World) -> None:
    assert post(world, "/register", NEWCOMER).status == 202
    assert login(world).status == 401
    code = world.mailed("ada@example.com")
    made = post(world, "/verify", {"token": code, "password": PASSWORD})
    assert made.status == 201
    assert login(world, "ADA@example.com").status == 200
    assert post(world, "/verify", {"token": code, "password": PASSWORD}).code == "invalid_token"


def test_registered_user_owns_an_organisation_with_a_project(ada: Person) -> None:
    assert ada.get(f"/orgs/{ada.tenant_id}").json["name"] == "Acme"
    assert [one["name"] for one in ada.get("/projects").json["items"]] == ["default"]
    collection = ada.collection()
    assert ada.get(f"/collections/{collection}").status == 200
    (belonging,) = ada.get("/users/me/organisations").json["items"]
    assert (belonging["id"], belonging["role"]) == (str(ada.tenant_id), "owner")


def test_confirming_takes_the_password_that_was_chosen(world: World) -> None:
    post(world, "/register", {**NEWCOMER, "password": "the attacker's choice"})
    planted = world.mailed("ada@example.com")
    assert post(world, "/verify", {"token": planted, "password": PASSWORD}).code == "wrong_password"
    post(world, "/register", NEWCOMER)
    own = world.mailed("ada@example.com")
    assert post(world, "/verify", {"token": own, "password": PASSWORD}).status == 201
    assert post(world, "/verify", {"token": planted, "password": "the attacker's choice"}).code == "email_taken"
    assert login(world, password="the attacker's choice").status == 401


def test_register_and_forgot_answer_the_same_for_known_and_unknown(world: World, ada: Person) -> None:
    for path, body in (("/register", NEWCOMER), ("/password/forgot", {"email": "x"})):
        answers = [post(world, path, {**body, "email": email}) for email in (ada.email, "nobody@example.com")]
        assert answers[0].body == answers[1].body
        assert {one.status for one in answers} == {202}
        assert len([mail for mail in world.mailer.sent if mail.to == "nobody@example.com"]) > 0
    assert login(world).status == 200, "nothing was changed by asking"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "not an address", "invalid_email"),
        ("email", "a@example.com\nBcc: b@example.com", "invalid_email"),
        ("password", "short", "weak_password"),
        ("password", "ada@example.com", "weak_password"),
        ("name", " ", "invalid_name"),
        ("organisation", "a\nb", "invalid_name"),
        ("password", None, "validation_failed"),
        ("password", ["a" * 20], "validation_failed"),
        ("role", "owner", "validation_failed"),
        ("tenant_id", str(UUID(int=7)), "validation_failed"),
    ],
)
def test_registration_that_is_not_right_is_refused(world: World, field: str, value: Any, code: str) -> None:
    answer = post(world, "/register", {**NEWCOMER, field: value})
    assert (answer.status, answer.code) == (422, code)
    assert world.mailer.sent == []


@pytest.mark.parametrize("token", [None, "", [], {}, 0, True, "null", "a" * 42, "a" * 43, "a" * 44, "' OR true --"])
@pytest.mark.parametrize("path", ["/verify", "/password/reset"])
def test_mailed_token_that_is_none_is_refused(world: World, path: str, token: Any) -> None:
    answer = post(world, path, {"token": token, "password": PASSWORD})
    assert (answer.status, answer.code in {"invalid_token", "validation_failed"}) == (422, True)


def test_mailed_token_is_good_for_its_own_purpose_and_time(world: World, ada: Person) -> None:
    post(world, "/password/forgot", {"email": ada.email})
    code = world.mailed(ada.email)
    assert post(world, "/verify", {"token": code, "password": PASSWORD}).code == "invalid_token"
    world.clock.advance(3601)
    assert post(world, "/password/reset", {"token": code, "password": OTHER}).code == "invalid_token"


def test_mail_that_is_not_taken_says_so(world: World) -> None:
    world.mailer.closed = True
    assert post(world, "/register", NEWCOMER).status == 503


# Signing in.


def test_login_answers_known_and_unknown_in_the_same_words_for_the_same_work(world: World, ada: Person) -> None:
    world.passwords.checked.clear()
    answers = [login(world, email, "wrong password") for email in (ada.email, "nobody@example.com")]
    assert {(one.status, one.body) for one in answers} == {(401, answers[0].body)}
    assert len(world.passwords.checked) == 2, "a password is hashed for who does not exist, too"


def test_login_waits_longer_each_time_for_known_and_unknown_alike(world: World, ada: Person) -> None:
    seen = {}
    for email in (ada.email, "nobody@example.com"):
        answers = [login(world, email, "wrong password") for _ in range(7)]
        seen[email] = [(one.status, one.headers.get("retry-after")) for one in answers]
    assert seen[ada.email] == seen["nobody@example.com"] == [(401, None)] * 6 + [(429, "30")]
    assert login(world).status == 429, "the right password does not help"
    world.clock.advance(30)
    assert login(world, password="wrong password").status == 401
    assert login(world).headers["retry-after"] == "60"
    world.clock.advance(60)
    assert login(world).status == 200
    assert [login(world, password="wrong password").status for _ in range(6)] == [401] * 6, "and all is forgotten"


def test_login_from_one_address_at_many_accounts_waits(world: World) -> None:
    statuses = [login(world, f"user{number}@example.com").status for number in range(53)]
    assert statuses == [401] * 51 + [429] * 2


def test_login_of_a_disabled_user_is_refused_as_if_it_did_not_exist(world: World, ada: Person) -> None:
    assert ada.post("/users/me/disable", {"password": PASSWORD}).status == 204
    assert login(world).body == login(world, "nobody@example.com").body


def test_password_hashed_by_older_parameters_is_good_and_hashed_anew(world: World, ada: Person) -> None:
    world.passwords = MemoryPasswords("newer")
    with bootstrap.override(passwords=world.passwords):
        assert login(world, password="wrong password").status == 401
        assert login(world).status == 200
        assert login(world).status == 200
    older, _, newer = [one or "" for one in world.passwords.checked]
    assert older.startswith("sha256:")
    assert newer.startswith("newer:")


# Tokens.


def test_refresh_gives_the_next_pair_and_the_first_access_token_lasts_its_time(world: World, ada: Person) -> None:
    world.clock.advance(300)
    following = refresh(world, ada.refresh_token)
    assert following.status == 200
    assert following.json["refresh_token"] != ada.refresh_token
    assert following.json["session_id"] == login_session(ada)
    assert ada.get("/users/me").status == 200
    world.clock.advance(300)
    assert ada.get("/users/me").status == 401


def login_session(person: Person) -> str:
    (present,) = [one for one in person.get("/auth/sessions").json["items"] if one["present"]]
    return str(present["id"])


def test_refresh_token_used_twice_ends_the_session_for_both(world: World, ada: Person) -> None:
    thief = refresh(world, ada.refresh_token).json
    assert refresh(world, ada.refresh_token).code == "invalid_refresh_token"
    assert refresh(world, thief["refresh_token"]).status == 401
    assert ada.get("/users/me").status == 401
    stolen = {"Authorization": f"Bearer {thief['access_token']}"}
    assert world.api("GET", "/api/v1/users/me", headers=stolen).status == 401
    assert login(world).status == 200


def test_refresh_token_of_long_ago_ends_the_session(world: World, ada: Person) -> None:
    token = ada.refresh_token
    for _ in range(5):
        token = refresh(world, token).json["refresh_token"]
    assert refresh(world, ada.refresh_token).status == 401
    assert refresh(world, token).status == 401


def test_session_that_is_not_used_ends(world: World, ada: Person) -> None:
    world.clock.advance(timedelta(days=29).total_seconds())
    token = refresh(world, ada.refresh_token).json["refresh_token"]
    world.clock.advance(timedelta(days=31).total_seconds())
    assert refresh(world, token).status == 401


def test_session_ends_however_much_it_is_used(world: World, ada: Person) -> None:
    token, days = ada.refresh_token, 0
    while True:
        world.clock.advance(timedelta(days=20).total_seconds())
        answer = refresh(world, token)
        if answer.status != 200:
            break
        token, days = answer.json["refresh_token"], days + 20
    assert days == 160


@pytest.mark.parametrize("token", ["", "x", "lar_" + "a" * 43, "lar_' OR 1=1; --", "lam_" + "a" * 43])
def test_refresh_with_what_is_none_is_refused(world: World, token: str) -> None:
    assert refresh(world, token).status in (401, 422)


def test_tokens_and_passwords_are_in_no_line_of_the_log(world: World, ada: Person, log_lines: Lines) -> None:
    refresh(world, ada.refresh_token)
    post(world, "/password/forgot", {"email": ada.email})
    secrets = [ada.key, ada.refresh_token, PASSWORD, world.mailed(ada.email)]
    text = json.dumps(log_lines())
    assert "request.ended" in text
    assert [one for one in secrets if one in text] == []


# Where a token may work.


def test_token_is_one_of_two_keys_to_the_same_door(world: World, ada: Person) -> None:
    assert ada.get("/collections").status == 200
    with_key = world.key(ada)
    assert with_key.get("/collections").json == ada.get("/collections").json


def test_token_cannot_work_where_its_user_does_not_belong(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Other")
    collection = bo.collection()
    assert ada.get(f"/collections/{collection}").code == "collection_not_found"
    for header, value, code in (
        ("Lambent-Project", str(bo.project_id), "project_not_found"),
        ("Lambent-Org", str(bo.tenant_id), "tenant_not_found"),
        ("Lambent-Project", str(UUID(int=9)), "project_not_found"),
        ("Lambent-Org", str(UUID(int=9)), "tenant_not_found"),
    ):
        answer = ada("GET", f"/collections/{collection}", headers={header: value})
        assert (answer.status, answer.code) == (404, code)
    both = {"Lambent-Org": str(ada.tenant_id), "Lambent-Project": str(bo.project_id)}
    assert ada("GET", "/collections", headers=both).code == "project_not_found"
    assert ada.get(f"/orgs/{bo.tenant_id}").status == 404
    for header in ("Lambent-Org", "Lambent-Project"):
        assert ada("GET", "/collections", headers={header: "x' OR true"}).code == "invalid_header"


def join(world: World, person: Person, role: BuiltIn | None, of: Person) -> None:
    """Somebody becomes a member of somebody else's organisation."""

    async def add() -> None:
        scope = world.scope(of)
        async with bootstrap.transaction(scope) as ports:
            made = Membership(of.tenant_id, person.user_id, role, world.clock.now())
            await ports.members.add(scope, made)

    run(add())


def test_user_of_two_organisations_says_which(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Other")
    join(world, ada, BuiltIn.VIEWER, bo)
    collection = bo.collection()
    assert ada.get("/collections").code == "organisation_required"
    in_project = {"Lambent-Project": str(bo.project_id)}
    assert ada("GET", f"/collections/{collection}", headers=in_project).status == 200
    assert ada("GET", f"/collections/{collection}", headers={"Lambent-Org": str(bo.tenant_id)}).status == 200
    refused = ada("POST", "/collections", {"name": "Mine"}, headers=in_project)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert Permission.COLLECTIONS_WRITE.value in refused.json["detail"]


def test_member_of_nothing_gets_nothing(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Other")
    join(world, ada, None, bo)
    named = {"Lambent-Project": str(bo.project_id)}
    assert ada("GET", "/collections", headers=named).code == "project_not_found"
    whole = ada("GET", "/projects", headers={"Lambent-Org": str(bo.tenant_id)})
    assert (whole.status, whole.code) == (403, "forbidden")


def test_rights_are_looked_up_at_every_request(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Other")
    join(world, bo, BuiltIn.OWNER, ada)
    named = {"Lambent-Project": str(ada.project_id)}
    assert bo("POST", "/collections", {"name": "One"}, headers=named).status == 201

    async def suspend() -> None:
        scope = world.scope(ada)
        async with bootstrap.transaction(scope) as ports:
            gone = Membership(ada.tenant_id, bo.user_id, BuiltIn.OWNER, world.clock.now(), world.clock.now())
            await ports.members.save(scope, gone)

    run(suspend())
    assert bo("GET", "/collections", headers=named).code == "project_not_found"


def test_user_without_an_organisation_belongs_nowhere(world: World, ada: Person) -> None:
    async def leave() -> None:
        scope = world.scope(ada)
        async with bootstrap.transaction(scope) as ports:
            await ports.members.remove(scope, ada.user_id)

    run(leave())
    assert ada.get("/collections").code == "no_organisation"
    assert ada.get("/users/me").status == 200


# Signing out.


def test_logout_ends_every_token_of_the_session_and_no_other(world: World, ada: Person) -> None:
    other = login(world).json
    assert ada.post("/auth/logout").status == 204
    assert ada.get("/users/me").status == 401
    assert ada.get("/collections").status == 401
    assert refresh(world, ada.refresh_token).status == 401
    assert refresh(world, other["refresh_token"]).status == 200


def test_sessions_are_listed_and_ended(world: World, ada: Person) -> None:
    others = [login(world).json for _ in range(3)]
    shown = ada.get("/auth/sessions").json["items"]
    assert [one["present"] for one in shown] == [False, False, False, True]
    assert {one["address"] for one in shown} == {"198.51.100.23"}
    assert ada.delete(f"/auth/sessions/{others[0]['session_id']}").status == 204
    assert ada.delete(f"/auth/sessions/{others[0]['session_id']}").code == "session_not_found"
    assert refresh(world, others[0]["refresh_token"]).status == 401
    assert ada.delete("/auth/sessions").json == {"sessions": 2}
    assert [one["present"] for one in ada.get("/auth/sessions").json["items"]] == [True]
    assert all(refresh(world, one["refresh_token"]).status == 401 for one in others)


def test_session_of_somebody_else_is_none_of_yours(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Other")
    assert ada.delete(f"/auth/sessions/{login_session(bo)}").code == "session_not_found"
    assert bo.get("/users/me").status == 200


# Passwords.


def test_forgotten_password_is_reset_once_and_ends_every_session(world: World, ada: Person) -> None:
    codes = []
    for _ in range(2):
        post(world, "/password/forgot", {"email": ada.email})
        codes.append(world.mailed(ada.email))
    assert post(world, "/password/reset", {"token": codes[0], "password": "short"}).code == "weak_password"
    assert post(world, "/password/reset", {"token": codes[0], "password": OTHER}).status == 204
    assert ada.get("/users/me").status == 401
    assert refresh(world, ada.refresh_token).status == 401
    assert login(world).status == 401
    assert login(world, password=OTHER).status == 200
    for code in codes:
        again = post(world, "/password/reset", {"token": code, "password": PASSWORD})
        assert again.code == "invalid_token", "the other one was for the password of before"
    assert "changed" in world.mailer.sent[-1].subject


def test_changed_password_ends_every_other_session(world: World, ada: Person) -> None:
    other = login(world).json
    wrong = ada.post("/auth/password/change", {"present": "wrong password", "password": OTHER})
    assert (wrong.status, wrong.code) == (403, "wrong_password")
    assert ada.post("/auth/password/change", {"present": PASSWORD, "password": "x"}).code == "weak_password"
    assert ada.post("/auth/password/change", {"present": PASSWORD, "password": OTHER}).status == 204
    assert ada.get("/users/me").status == 200
    assert refresh(world, other["refresh_token"]).status == 401
    assert login(world).status == 401
    assert login(world, password=OTHER).status == 200


def test_password_guessed_with_a_stolen_token_is_locked_out(world: World, ada: Person) -> None:
    body = {"present": "wrong password", "password": OTHER}
    assert [ada.post("/auth/password/change", body).status for _ in range(8)] == [403] * 6 + [429] * 2


def test_reset_lifts_the_lock_out(world: World, ada: Person) -> None:
    for _ in range(7):
        login(world, password="wrong password")
    post(world, "/password/forgot", {"email": ada.email})
    post(world, "/password/reset", {"token": world.mailed(ada.email), "password": OTHER})
    assert login(world, password=OTHER).status == 200


# Another address.

MOVED = "ada@elsewhere.example"


def move(person: Person, email: str = MOVED, password: str = PASSWORD) -> Answer:
    return person.post("/auth/email/change", {"email": email, "password": password})


def test_address_changes_when_the_new_one_is_proven_and_the_old_one_is_told(world: World, ada: Person) -> None:
    elsewhere = login(world).json
    assert move(ada, f" {MOVED.title()} ").status == 202
    assert ada.get("/users/me").json["email"] == "ada@example.com"
    assert login(world, MOVED).status == 401
    confirmed = ada.post("/auth/email/confirm", {"token": world.mailed(MOVED.title())})
    assert (confirmed.status, confirmed.json["email"]) == (200, MOVED.title())
    assert login(world, MOVED).status == 200
    assert login(world).status == 401
    assert refresh(world, elsewhere["refresh_token"]).status == 401, "signed out everywhere else"
    assert ada.get("/users/me").status == 200
    (told,) = [mail.text for mail in world.mailer.sent if mail.to == "ada@example.com"][-1:]
    assert MOVED.title() in told
    (event,) = [details for action, details in happened(ada) if action == "email.changed"]
    assert event == {"before": "ada@example.com", "after": MOVED.title()}


def test_address_asks_for_the_password_and_for_another_address(world: World, ada: Person) -> None:
    assert move(ada, password="wrong password").code == "wrong_password"
    assert move(ada, "no address").code == "invalid_email"
    assert move(ada, ada.email).code == "same_email"
    assert [mail.to for mail in world.mailer.sent] == [ada.email], "who registered; nobody was written to"


def test_address_of_somebody_is_answered_as_any_other_and_not_given(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Bo's")
    answers = [move(ada, email) for email in (bo.email, MOVED)]
    assert answers[0].body == answers[1].body
    (told,) = [mail.text for mail in world.mailer.sent if mail.to == bo.email][-1:]
    assert "Nothing was changed" in told


def test_address_that_somebody_took_meanwhile_is_not_given(world: World, ada: Person) -> None:
    move(ada)
    code = world.mailed(MOVED)
    world.person(MOVED, "Faster")
    assert ada.post("/auth/email/confirm", {"token": code}).code == "email_taken"
    assert ada.get("/users/me").json["email"] == ada.email


def test_code_of_an_address_is_its_users_alone_once_and_for_the_account_as_it_was(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Bo's")
    move(ada)
    code = world.mailed(MOVED)
    assert bo.post("/auth/email/confirm", {"token": code}).code == "invalid_token"
    move(ada, "ada@third.example")
    third = world.mailed("ada@third.example")
    assert ada.post("/auth/email/confirm", {"token": code}).status == 200
    for late in (code, third):
        assert ada.post("/auth/email/confirm", {"token": late}).code == "invalid_token"
    move(ada, "ada@fourth.example")
    fourth = world.mailed("ada@fourth.example")
    ada.post("/auth/password/change", {"present": PASSWORD, "password": OTHER})
    assert ada.post("/auth/email/confirm", {"token": fourth}).code == "invalid_token"


def test_code_of_an_address_is_good_for_a_day(world: World, ada: Person) -> None:
    move(ada)
    code = world.mailed(MOVED)
    world.clock.advance(24 * 3600)
    fresh = login(world).json["access_token"]
    headers = {"Authorization": f"Bearer {fresh}"}
    answer = world.api("POST", "/api/v1/auth/email/confirm", {"token": code}, headers=headers)
    assert answer.code == "invalid_token"


def test_code_that_was_mailed_to_the_old_address_sets_no_password_any_more(world: World, ada: Person) -> None:
    post(world, "/password/forgot", {"email": ada.email})
    stale = world.mailed(ada.email)
    move(ada)
    assert ada.post("/auth/email/confirm", {"token": world.mailed(MOVED)}).status == 200
    assert post(world, "/password/reset", {"token": stale, "password": OTHER}).code == "invalid_token"


def test_asking_for_one_address_again_and_again_has_to_wait(world: World, ada: Person) -> None:
    answers = []
    for _ in range(8):
        answers.append(move(ada).status)
        world.clock.advance(1)
    assert answers.count(429) >= 2


# What happened, as its user reads it.


def happened(person: Person) -> list[tuple[str, dict[str, Any]]]:
    items = person.get("/users/me/events").json["items"]
    return [(one["action"], one["details"]) for one in reversed(items)]


def test_history_tells_of_sign_ins_refusals_and_lock_outs(world: World, ada: Person) -> None:
    for _ in range(7):
        login(world, password="wrong password")
    world.clock.advance(30)
    assert login(world).status == 200
    refused = {"method": "password", "wait_seconds": 0}
    assert happened(ada) == [
        ("user.created", {}),
        ("sign_in.succeeded", {"method": "password"}),
        *[("sign_in.failed", refused)] * 5,
        ("sign_in.locked_out", {**refused, "wait_seconds": 30}),
        ("sign_in.succeeded", {"method": "password"}),
    ]
    newest = ada.get("/users/me/events", limit="1").json
    (event,) = newest["items"]
    assert event["address"] == "198.51.100.23"
    assert event["session_id"] is not None
    rest = ada.get("/users/me/events", cursor=newest["next"]).json
    assert len(rest["items"]) == 8


def test_history_tells_of_sessions_and_passwords(world: World, ada: Person) -> None:
    stolen = login(world).json
    refresh(world, stolen["refresh_token"])
    for _ in range(3):
        assert refresh(world, stolen["refresh_token"]).status == 401
    other = login(world).json
    ada.delete(f"/auth/sessions/{other['session_id']}")
    login(world)
    ada.delete("/auth/sessions")
    ada.post("/auth/password/change", {"present": "wrong password", "password": OTHER})
    ada.post("/auth/password/change", {"present": PASSWORD, "password": OTHER})
    post(world, "/password/forgot", {"email": ada.email})
    post(world, "/password/reset", {"token": world.mailed(ada.email), "password": PASSWORD})
    again = login(world).json
    world.api("POST", "/api/v1/auth/logout", headers={"Authorization": f"Bearer {again['access_token']}"})
    items = world_events(world)
    told = [one["action"] for one in items if not one["action"].startswith(("sign_in.", "user."))]
    assert told == [
        *("session.reused", "session.ended", "session.ended", "password.refused", "password.changed"),
        *("password.reset", "session.ended"),
    ]
    (reused,) = [one for one in items if one["action"] == "session.reused"]
    assert reused["session_id"] == stolen["session_id"]
    ended = [one["details"] for one in items if one["action"] == "session.ended"]
    assert ended == [{"reason": "revoked"}, {"reason": "revoked", "others": 1}, {"reason": "signed_out"}]


def world_events(world: World) -> list[dict[str, Any]]:
    """What a new session reads, the oldest first."""
    headers = {"Authorization": f"Bearer {login(world).json['access_token']}"}
    found = world.api("GET", "/api/v1/users/me/events", headers=headers).json["items"]
    return list(reversed(found))


def test_history_is_its_users_alone_and_ends_in_time(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Bo's")
    assert [action for action, _ in happened(bo)] == ["user.created", "sign_in.succeeded"]
    world.clock.advance(181 * 24 * 3600)
    assert [one["action"] for one in world_events(world)] == ["sign_in.succeeded"]


def test_history_holds_no_secret(world: World, ada: Person) -> None:
    login(world, password="wrong password")
    text = json.dumps(world_events(world))
    assert all(secret not in text for secret in (PASSWORD, "wrong password", "lar_", "eyJ"))


def test_refusal_of_nobody_is_written_as_one_of_somebody_and_soon_forgotten(world: World, ada: Person) -> None:
    def kept() -> int:
        return len(world.store._tables.rows["history"][None])

    before = kept()
    login(world, "nobody@example.com")
    assert kept() == before + 1
    world.clock.advance(3601)
    login(world, password="wrong password")
    assert kept() == before + 1


# Every route of the area.

OWN = sorted(route for route in OF_PEOPLE if ROUTES[route] is not PUBLIC)


def own_request(route: tuple[str, str]) -> tuple[str, str]:
    return route[0], route[1].format(session_id=UUID(int=3), provider="company", org_id=UUID(int=4))


@pytest.mark.parametrize("route", OWN, ids=" ".join)
def test_route_of_users_without_a_good_token_is_unauthenticated(world: World, ada: Person, route: Any) -> None:
    expired = ada.key
    revoked = login(world).json
    ada.delete(f"/auth/sessions/{revoked['session_id']}")
    method, path = own_request(route)
    bad = [f"Bearer {revoked['access_token']}", "", "Bearer", f"Bearer {ada.refresh_token}", "Bearer eyJ" + "a" * 200]
    bad += [f"Bearer {expired[:-1]}", f"Bearer {expired}x", f"Basic {expired}", expired]
    answers = [world.api(method, path, {}, headers={"Authorization": one}) for one in bad]
    world.clock.advance(601)
    answers.append(world.api(method, path, {}, headers={"Authorization": f"Bearer {expired}"}))
    assert {(one.status, one.body) for one in answers} == {(401, answers[0].body)}


@pytest.mark.parametrize("route", OWN, ids=" ".join)
def test_route_of_users_is_not_for_keys(world: World, ada: Person, route: Any) -> None:
    method, path = own_request(route)
    answer = world.key(ada)(method, path.removeprefix("/api/v1"), {})
    assert (answer.status, answer.code) == (403, "user_required")


def test_user_is_behind_their_own_wall(world: World, ada: Person) -> None:
    async def look() -> object:
        async with bootstrap.transaction(None) as ports:
            return await ports.users.get(UserScope(ada.user_id))

    assert run(look()) is None
