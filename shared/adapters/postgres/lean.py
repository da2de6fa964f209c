"""SQLAlchemy's async engine and its PostgreSQL dialect, without what no function here uses.

`sqlalchemy.ext.asyncio` brings ORM sessions along, and with them the whole ORM: a tenth of a cold start; the dialect's
package brings every driver there is. So those modules are stood in for while the packages are first imported;
afterwards they can be imported as ever. A package that is there already is left as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

PACKAGE = "sqlalchemy.ext.asyncio"
SESSION_MODULES = (f"{PACKAGE}.scoping", f"{PACKAGE}.session")
DIALECT = "sqlalchemy.dialects.postgresql"
OTHER_DRIVERS = tuple(f"{DIALECT}.{name}" for name in ("asyncpg", "pg8000", "psycopg2", "psycopg2cffi"))


class _Stand(ModuleType):
    """Has every public name the package asks for, as None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@contextmanager
def standing(package: str, modules: tuple[str, ...]) -> Iterator[None]:
    """While `package` is imported for the first time in the block, `modules` of it are not loaded."""
    names = () if package in sys.modules else modules
    sys.modules.update({name: _Stand(name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
            # The package holds the stand as an attribute too: the next import is to find the real module.
            vars(sys.modules.get(package, _Stand(package))).pop(name.rpartition(".")[2], None)


with standing(DIALECT, OTHER_DRIVERS):
    import_module(DIALECT)
with standing(PACKAGE, () if "sqlalchemy.orm" in sys.modules else SESSION_MODULES):
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
