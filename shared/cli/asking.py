"""What a person is asked at the terminal: whether they are sure, and what must not stand on a command line."""

import sys
from typing import Annotated

import typer

from shared.cli.errors import CliError

Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, a line for each.")
]


def confirm(yes: bool, question: str) -> None:
    """Ask before something that cannot be undone.

    Raises:
        CliError: nobody is there to be asked.
        Abort: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(
            "this cannot be undone and nobody is here to be asked", code="not_confirmed", hint="add --yes to go ahead"
        )
    typer.confirm(question, abort=True, err=True)


def confirm_by_name(yes: bool, what: str, name: str) -> None:
    """Ask for the name of what is about to be deleted with everything in it.

    Raises:
        CliError: nobody is there to be asked, or another name was typed.
    """
    if yes:
        return
    _present("this deletes everything in it, and nobody is here to be asked", "add --yes to go ahead", "not_confirmed")
    typed = typer.prompt(f"This deletes the {what} {name!r} with everything in it. Type its name to go ahead", err=True)
    if typed.strip() != name:
        raise CliError("that is not its name; nothing was deleted", code="not_confirmed")


def text(given: str, question: str, option: str) -> str:
    """What was given on the command line, else what is typed.

    Raises:
        CliError: nobody is there to be asked.
    """
    if given:
        return given
    _present(f"{option} is missing, and nobody is here to be asked", f"give {option}", "usage")
    return str(typer.prompt(question, err=True)).strip()


def password(question: str, *, from_stdin: bool, twice: bool = False) -> str:
    """A password, typed unseen or read as one line of standard input; never taken from the command line.

    Raises:
        CliError: there is none to be had.
    """
    if from_stdin:
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise CliError("there is no password on standard input", code="no_password", hint="one line for each")
        return line
    _present("a password is needed, and nobody is here to type it", "give it with --password-stdin", "no_password")
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True))


def _present(problem: str, hint: str, code: str) -> None:
    if not sys.stdin.isatty():
        raise CliError(problem, code=code, hint=hint)
