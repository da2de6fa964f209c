"""The async engine comes without the ORM, and the ORM can still come later."""

import subprocess
import sys


def in_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_store_imported_first_brings_no_orm() -> None:
    code = "import sys, shared.adapters.postgres.store; print('sqlalchemy.orm' in sys.modules)"
    assert in_fresh_python(code) == "False"


def test_session_imported_afterwards_is_the_real_one() -> None:
    code = (
        "import shared.adapters.postgres.store\n"
        "from sqlalchemy.ext.asyncio.session import AsyncSession\n"
        "print(AsyncSession.__module__)"
    )
    assert in_fresh_python(code) == "sqlalchemy.ext.asyncio.session"


def test_store_imported_after_the_orm_leaves_it_alone() -> None:
    code = (
        "import sqlalchemy.orm, shared.adapters.postgres.store\n"
        "from sqlalchemy.ext.asyncio import AsyncSession\n"
        "print(AsyncSession.__name__)"
    )
    assert in_fresh_python(code) == "AsyncSession"


def test_first_connection_knows_binary_parameters_before_any_repository_is_loaded() -> None:
    code = (
        "from shared.adapters.postgres.store import PgStore\n"
        "PgStore('postgresql://nobody@localhost/none')\n"
        "import psycopg\n"
        "from shared.adapters.postgres.binary import Binary\n"
        "print(psycopg.adapters.get_dumper(Binary, psycopg.adapt.PyFormat.AUTO).__name__)"
    )
    assert in_fresh_python(code) == "BinaryDumper"
