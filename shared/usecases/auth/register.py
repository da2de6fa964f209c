"""Coming in for the first time: a registration is a ticket until the address is proven, and then a user with an
organisation of their own.

Nothing exists before that, so nobody can take an address, or a password with it, that is not theirs: who confirms
shows the code that was mailed and the password that was chosen, which only the one person who did both knows.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.domain.audit import AuditEvent
from shared.domain.errors import Invalid
from shared.domain.history import Happened
from shared.domain.labels import clean_name
from shared.domain.members import Membership
from shared.domain.roles import BuiltIn
from shared.domain.tenants import Project, TenantScope
from shared.domain.tickets import LIFE, Ticket, TicketKind
from shared.domain.users import User, UserScope, check_password, clean_email, email_key
from shared.ports.mailer import Mail
from shared.ports.ports import Ports
from shared.usecases.auth import history, mails
from shared.usecases.auth.password import reset_ticket
from shared.usecases.auth.secrets import bad_token, mailed_hash, secret_hash


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody registers with."""

    email: str
    password: str
    name: str
    organisation: str

    def __post_init__(self) -> None:
        clean_email(self.email)
        clean_name(self.name, "name")
        clean_name(self.organisation, "organisation")
        check_password(self.password, self.email, self.name)


@dataclass(frozen=True, slots=True)
class Registered:
    """A user with an organisation of their own."""

    user: User
    tenant_id: UUID
    project_id: UUID


async def ask(ports: Ports, newcomer: Newcomer, password_hash: str) -> Mail:
    """Note a registration; returns what the address is written. It does as much whether there is an account or not."""
    email, now = newcomer.email.strip(), ports.clock.now()
    known = await ports.users.find(email_key(email))
    secret = ports.ids.secret()
    if known is not None:
        stored = await ports.users.password(UserScope(known.id))
        await ports.tickets.put(reset_ticket(known.id, known.email_key, stored, secret, now))
        return mails.known_already(known.email, secret)
    payload = {
        "email": email,
        "name": newcomer.name.strip(),
        "organisation": newcomer.organisation.strip(),
        "password": password_hash,
    }
    kind = TicketKind.REGISTRATION
    await ports.tickets.put(Ticket(kind, secret_hash(secret), payload, now, now + LIFE[kind]))
    return mails.confirm(email, secret)


async def confirm(scope: TenantScope, ports: Ports, token: str, password: str) -> Registered:
    """Make the user, their organisation and its first project.

    Args:
        scope: of the organisation that is to be.
        ports: in a transaction of it.
        token: as mailed.
        password: as chosen.

    Raises:
        Invalid: the token or the password is not good.
        Conflict: somebody has the address by now.
    """
    now = ports.clock.now()
    payload = await ports.tickets.take(TicketKind.REGISTRATION, mailed_hash(token), now)
    if payload is None:
        raise bad_token()
    stored = str(payload["password"])
    if not await ports.passwords.matches(password, stored):
        hint = "register again if it is lost"
        raise Invalid("this is not the password that was chosen", code="wrong_password", hint=hint)
    user = User(ports.ids.new(), str(payload["email"]), str(payload["name"]), now, verified_at=now)
    await ports.users.add(UserScope(user.id), user, stored)
    await history.note(ports, UserScope(user.id, address=scope.address), Happened.CREATED)
    project_id = await found_organisation(scope, ports, user, str(payload["organisation"]))
    return Registered(user, scope.tenant_id, project_id)


async def found_organisation(scope: TenantScope, ports: Ports, owner: User, name: str) -> UUID:
    """An organisation with its owner and a project named default; returns the project's id."""
    now = ports.clock.now()
    await ports.tenants.ensure(scope.tenant_id, clean_name(name, "organisation"), now)
    project = Project(ports.ids.new(), scope.tenant_id, "default", now)
    await ports.projects.add(scope, project)
    await ports.members.add(scope, Membership(scope.tenant_id, owner.id, BuiltIn.OWNER, now))
    actor = str(UserScope(owner.id).principal)
    made = AuditEvent(
        ports.ids.new(), scope.tenant_id, now, "organisation.created", actor, "organisation", str(scope.tenant_id)
    )
    await ports.audit.add(scope, made)
    return project.id
