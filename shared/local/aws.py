"""MiniStack, the AWS of one machine: a child process on the loopback address whose state lives below `.lambent/aws`."""

import asyncio
import http.client
import os
import shutil
import sys

from shared.local import saved_state
from shared.local.addresses import LOOPBACK, free_port
from shared.local.children import Child, Command
from shared.local.errors import StepFailed
from shared.local.layout import Layout
from shared.local.postgres import tail
from shared.local.sandbox import ACCOUNT, REGION
from shared.local.stale import stop_stale
from shared.local.state import Remembered

_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0
_TRIES = 3


class Aws:
    """One MiniStack: S3, SQS, CloudFormation, API Gateway, EventBridge Scheduler, Lambda's event source mappings."""

    def __init__(self, layout: Layout, remembered: Remembered) -> None:
        self._layout = layout
        self._remembered = remembered
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The endpoint for AWS clients."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._child.pid if self._child else 0

    @property
    def child(self) -> Child | None:
        """The process, once started."""
        return self._child

    async def start(self, moved: dict[str, str]) -> str:
        """Starts MiniStack with the state of its last orderly end.

        Args:
            moved: addresses written into that state which have changed since (old → new); its own is added.

        Raises:
            StepFailed: it did not come up; the end of its log is in the text.
        """
        log = self._layout.logs / "aws.log"
        former = self._remembered.ports.get("aws", 0)
        for _ in range(_TRIES):
            self.port = free_port(self._remembered.ports.get("aws", 0))
            changed = dict(moved)
            if former and former != self.port:
                changed[f"{LOOPBACK}:{former}"] = f"{LOOPBACK}:{self.port}"
            saved_state.readdress(self._layout.aws / "state", changed)
            saved_state.release(self._layout.aws / "state")
            self._child = await Child.start(Command([sys.executable, "-m", "ministack"], self._environment(), log))
            if await self._ready(self._child):
                self._remembered.ports["aws"] = self.port
                return self.url
            # Another program may have taken the port between the look and the bind: the next try takes another one.
            await self.stop()
            former = self.port
        raise StepFailed(f"MiniStack did not start\n{tail(log)}", "`lambent doctor` checks what it needs.")

    async def stop(self) -> None:
        """Stops MiniStack in good order, so that it writes its state."""
        if self._child is not None:
            await self._child.stop(_STOP_SECONDS)
            self._child = None

    def _environment(self) -> dict[str, str]:
        folder = self._layout.aws
        shutil.rmtree(folder / "tmp", ignore_errors=True)
        for name in ("state", "s3", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        return {
            "PATH": os.defpath,
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            # Listeners for services nothing here uses; one of them would open on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            "LOG_LEVEL": "WARNING",
            # Never a container engine of the user's.
            "DOCKER_HOST": f"unix://{folder / 'none'}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }

    async def _ready(self, child: Child) -> bool:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        while child.exit_code is None and asyncio.get_running_loop().time() < deadline:
            # Another MiniStack on the same port would answer as well, so the listener must be our child's.
            if await asyncio.to_thread(_healthy, self.port) and child.listens_on(self.port):
                return True
            await asyncio.sleep(0.05)
        return False


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop_leftover(pid: int) -> bool:
    """Stops a MiniStack that a killed supervisor left behind."""
    return stop_stale(pid, "ministack")
