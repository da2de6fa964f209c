"""What becomes of a POST that is sent twice: all of it, in two tables. A POST that is in neither fails the tests.

Those that make or send something take an Idempotency-Key, and answer it once. Of the others it is said why none is
needed. Loaded when the first key comes, and by whoever describes the API.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.runtime.web import PREFIX


class Again(StrEnum):
    """What is kept of an answer, and how it is given again."""

    AS_IT_WAS = "as it was"
    SHOWN_ONCE = "without its secret, which is kept nowhere: `secret` is empty and `secret_withheld` true"
    UPLOAD = "with a form that is good for another while; none when the file has come"
    EXCHANGE = "as the chat has it now"
    EXCHANGE_EVENTS = "as the one event `answer`, as the chat has it now"
    MAIL = "as it was; when the message did not leave, another one is sent"


ONCE: Mapping[str, Again] = {
    f"{PREFIX}/chats": Again.AS_IT_WAS,
    f"{PREFIX}/chats/{{chat_id}}/messages": Again.EXCHANGE,
    f"{PREFIX}/collections": Again.AS_IT_WAS,
    f"{PREFIX}/documents": Again.UPLOAD,
    f"{PREFIX}/documents/{{document_id}}/process": Again.AS_IT_WAS,
    f"{PREFIX}/documents/{{document_id}}/versions": Again.UPLOAD,
    f"{PREFIX}/ingestions": Again.AS_IT_WAS,
    f"{PREFIX}/orgs": Again.AS_IT_WAS,
    f"{PREFIX}/orgs/accept": Again.AS_IT_WAS,
    f"{PREFIX}/orgs/{{org_id}}/invitations": Again.MAIL,
    f"{PREFIX}/orgs/{{org_id}}/keys": Again.SHOWN_ONCE,
    f"{PREFIX}/orgs/{{org_id}}/roles": Again.AS_IT_WAS,
    f"{PREFIX}/orgs/{{org_id}}/service-accounts": Again.AS_IT_WAS,
    f"{PREFIX}/orgs/{{org_id}}/service-accounts/{{account_id}}/keys": Again.SHOWN_ONCE,
    f"{PREFIX}/orgs/{{org_id}}/units": Again.AS_IT_WAS,
    f"{PREFIX}/projects": Again.AS_IT_WAS,
    f"{PREFIX}/reindexes": Again.AS_IT_WAS,
    f"{PREFIX}/streams/chats/{{chat_id}}/messages": Again.EXCHANGE_EVENTS,
    f"{PREFIX}/webhooks": Again.SHOWN_ONCE,
    f"{PREFIX}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}/redeliver": Again.AS_IT_WAS,
    f"{PREFIX}/webhooks/{{webhook_id}}/rotate": Again.SHOWN_ONCE,
}
"""POSTs that make or send something, by their path."""

SETS = "it says how things are to be: said twice, they are so"
ENDS = "it ends or lets go on what has not ended: the second finds it done"
STRANGER = "nobody is known yet whose key it could be"
NEEDS_NO_KEY: Mapping[str, str] = {
    f"{PREFIX}/auth/register": f"{STRANGER}; the answer is the same however often, and one address is registered once",
    f"{PREFIX}/auth/verify": f"{STRANGER}; its code is good once: sign in when the answer was lost",
    f"{PREFIX}/auth/login": f"{STRANGER}; each makes a session, and sessions that nobody uses end",
    f"{PREFIX}/auth/refresh": f"{STRANGER}; its token is good once: sign in when the answer was lost",
    f"{PREFIX}/auth/logout": ENDS,
    f"{PREFIX}/auth/password/forgot": f"{STRANGER}; each sends a message, few an hour",
    f"{PREFIX}/auth/password/reset": f"{STRANGER}; its code is good once",
    f"{PREFIX}/auth/password/change": "the password that it shows is good until it is changed: the second fails",
    f"{PREFIX}/auth/email/change": "nothing changes before the code is shown; each sends another, few an hour",
    f"{PREFIX}/auth/email/confirm": "its code is good once; when the answer was lost, users/me tells",
    f"{PREFIX}/auth/oidc/{{provider}}/start": f"{STRANGER}; a sign-in that nobody goes on with lapses",
    f"{PREFIX}/auth/oidc/{{provider}}/link": "it begins a sign-in; one that nobody goes on with lapses",
    f"{PREFIX}/auth/oidc/{{provider}}/callback": f"{STRANGER}; its code is good once",
    f"{PREFIX}/users/me/disable": ENDS,
    f"{PREFIX}/projects/{{project_id}}/move": SETS,
    f"{PREFIX}/projects/{{project_id}}/archive": SETS,
    f"{PREFIX}/projects/{{project_id}}/unarchive": SETS,
    f"{PREFIX}/orgs/{{org_id}}/members/{{user_id}}/suspend": SETS,
    f"{PREFIX}/orgs/{{org_id}}/members/{{user_id}}/reinstate": SETS,
    f"{PREFIX}/orgs/{{org_id}}/units/{{unit_id}}/move": SETS,
    f"{PREFIX}/orgs/{{org_id}}/service-accounts/{{account_id}}/disable": SETS,
    f"{PREFIX}/orgs/{{org_id}}/service-accounts/{{account_id}}/enable": SETS,
    f"{PREFIX}/reindexes/{{reindex_id}}/promote": SETS,
    f"{PREFIX}/reindexes/{{reindex_id}}/rollback": "one that is rolled back stays so",
    f"{PREFIX}/documents/retry": "what was taken up is no longer failed",
    f"{PREFIX}/documents/{{document_id}}/retry": "what was taken up is no longer failed",
    f"{PREFIX}/ingestions/{{ingestion_id}}/close": ENDS,
    f"{PREFIX}/ingestions/{{ingestion_id}}/cancel": ENDS,
    f"{PREFIX}/ingestions/{{ingestion_id}}/retry": "what was taken up is no longer failed",
    f"{PREFIX}/webhooks/{{webhook_id}}/enable": SETS,
    f"{PREFIX}/search": "it changes nothing",
}
"""The other POSTs, and why they may be sent again without a key. A key that comes with one is not looked at."""
