"""What people are written."""

from shared.ports.mailer import Mail

FOOT = "\n\nIf it was not you, nothing is needed: without the code nothing happens.\n"


ASKED = "Somebody, most likely you, "


def confirm(to: str, token: str) -> Mail:
    """Prove that the address is yours."""
    text = f"{ASKED}registers this address. Confirm with the password chosen then and this code:\n\n{token}"
    return Mail(to, "Confirm your address", text + FOOT)


def known_already(to: str, token: str) -> Mail:
    """There is an account already."""
    text = (
        f"{ASKED}wants to register this address, which has an account already.\n\n"
        f"If you forgot the password, this code sets another one:\n\n{token}"
    )
    return Mail(to, "You have an account already", text + FOOT)


def reset(to: str, token: str) -> Mail:
    """Set another password."""
    text = f"{ASKED}forgot the password. This code sets another one, once, within an hour:\n\n{token}"
    return Mail(to, "Set another password", text + FOOT)


def unknown(to: str) -> Mail:
    """There is no such account."""
    text = f"{ASKED}wants to set another password for this address, which has no account."
    return Mail(to, "There is no account with this address", text + FOOT)


def changed(to: str) -> Mail:
    """The password was changed."""
    text = (
        "The password of your account was changed, and you were signed out everywhere else.\n\n"
        "If it was not you, set another one at once.\n"
    )
    return Mail(to, "Your password was changed", text)


def move(to: str, token: str) -> Mail:
    """Prove that the other address is yours."""
    text = f"{ASKED}wants this to be the address of an account. Confirm, signed in, with this code:\n\n{token}"
    return Mail(to, "Confirm your new address", text + FOOT)


def not_moved(to: str) -> Mail:
    """The address belongs to another account."""
    text = (
        f"{ASKED}wants this to be the address of another account, but it has an account already. Nothing was changed."
    )
    return Mail(to, "This address has an account already", text)


def moved(to: str, address: str) -> Mail:
    """The account has another address."""
    text = (
        f"The address of your account is {address} from now on, and you were signed out everywhere else.\n\n"
        "If it was not you, write to whoever runs this service.\n"
    )
    return Mail(to, "The address of your account was changed", text)


def invited(to: str, organisation: str, token: str) -> Mail:
    """You are asked to join."""
    text = (
        f"You are invited to the organisation {organisation}. Sign in with this address, or register it first, and\n"
        f"accept with this code within a week:\n\n{token}"
    )
    return Mail(to, "You are invited", text + FOOT)
