"""SQLAlchemy's async engine without its ORM.

`sqlalchemy.ext.asyncio` brings ORM sessions along, and with them the whole ORM: a tenth of a cold start, for something
no function here uses. So its two session modules are stood in for while the package is first imported; afterwards they
can be imported as ever. Where the ORM is there already, nothing is stood in for.
"""

import sys
from types import ModuleType

PACKAGE = "sqlalchemy.ext.asyncio"
SESSION_MODULES = (f"{PACKAGE}.scoping", f"{PACKAGE}.session")


class _Stand(ModuleType):
    """Has every public name the package asks for, as None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


_standing = [] if "sqlalchemy.orm" in sys.modules or PACKAGE in sys.modules else list(SESSION_MODULES)
sys.modules.update({name: _Stand(name) for name in _standing})
try:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
finally:
    for _name in _standing:
        del sys.modules[_name]

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
