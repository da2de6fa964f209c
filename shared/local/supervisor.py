"""Starts the parts of the local cloud in the right order, keeps them together, and stops them again."""

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace

from shared.local import migrations, model, runtime_folder
from shared.local import template as sam
from shared.local.addresses import DEFAULT_PORTS, LOOPBACK, bind, port_of
from shared.local.aws import Aws
from shared.local.deploy import Deployed, Stack
from shared.local.errors import LocalError
from shared.local.front import Backend, Front
from shared.local.host import FunctionHost
from shared.local.layout import Layout
from shared.local.postgres import APP, OWNER, Postgres
from shared.local.report import Options, ProcessStatus, Ready, Step
from shared.local.run_file import RunFile
from shared.local.sandbox import REGION
from shared.local.source_watch import watch_sources
from shared.local.specs import Place, function_specs
from shared.local.stale import stop_stale
from shared.local.state import Remembered, read_json, write_private
from shared.local.web_server import WebServer

log = logging.getLogger(__name__)

_BRIEF_SECONDS = 0.5
_MOST_BRIEF = 5
"""So many lives so short, one after the other, and Postgres is taken to be broken rather than killed."""


class Supervisor:
    """One run of the local cloud. The caller holds the lock on the state folder."""

    def __init__(self, options: Options, layout: Layout, on_step: Callable[[Step], None]) -> None:
        self._options = options
        self._layout = layout
        self._on_step = on_step
        self._began = time.perf_counter()
        self._steps: list[Step] = []
        self._remembered = Remembered.load(layout.remembered)
        self._postgres = Postgres(layout, self._remembered, durable=options.durable)
        self._aws = Aws(layout, self._remembered)
        self._stack = contextlib.AsyncExitStack()
        self._build = layout.root / ".aws-sam" / "build" if options.built else None
        self._ready: Ready | None = None

    async def start(self) -> Ready:
        """Brings everything up.

        Raises:
            StepFailed, TemplateInvalid: a step failed; call `stop` all the same.
        """
        self._clean()
        ports = self._remembered.ports
        host_port, front_port = ports.get("host", DEFAULT_PORTS["host"]), ports.get("front", self._options.port)
        host_listener = bind(host_port)
        front_listener = bind(self._options.port if self._options.port != DEFAULT_PORTS["front"] else front_port)
        ports.setdefault("aws", DEFAULT_PORTS["aws"])
        host = FunctionHost([], logs=self._layout.logs, scratch=self._layout.scratch, listener=host_listener)
        await self._stack.enter_async_context(host)
        moved = {f"{LOOPBACK}:{host_port}": f"{LOOPBACK}:{port_of(host_listener)}"}
        ports["host"], ports["front"] = port_of(host_listener), port_of(front_listener)
        template = sam.load(self._options.template or self._layout.root / "template.yaml")
        deployed = await self._prepare(template, moved, host)
        await self._timed("host", self._fill(host, template, deployed))
        if migrations.FUNCTION in sam.function_names(template):
            wanted = migrations.fingerprint(self._layout.root, self._build)
            await self._timed("migrate", migrations.migrate(host, wanted, self._remembered))
            await self._timed("bootstrap", migrations.bootstrap(host, self._remembered))
        host.open()
        url = f"http://{LOOPBACK}:{port_of(front_listener)}"
        routes = sam.stream_routes(template)
        front = Front(Backend(host, self._gateway_url(deployed), routes, self._describe))
        server = WebServer(front.application, front_listener)
        self._stack.push_async_callback(front.close)
        self._stack.push_async_callback(server.stop)
        await self._timed("front", self._started(server, url))
        if self._options.watch and not self._options.built:
            watcher = asyncio.create_task(watch_sources(self._layout.root, host.recycle))
            self._stack.callback(watcher.cancel)
        return self._announce(url, host.url)

    async def wait_for_trouble(self) -> str:
        """Returns, with a sentence, when MiniStack has ended by itself or Postgres does not come back.

        A Postgres that ended by itself is started again: its data is on the disk, and functions connect anew. What
        MiniStack holds in memory is not, so there is nothing to start again.
        """
        waits = {asyncio.create_task(self._keep_postgres()), asyncio.create_task(self._watch_aws())}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return done.pop().result()

    async def _watch_aws(self) -> str:
        code = await self._aws.child.wait() if self._aws.child else None
        return f"MiniStack ended by itself with code {code}"

    async def _keep_postgres(self) -> str:
        brief = 0
        while (child := self._postgres.child) is not None:
            began = time.perf_counter()
            code = await child.wait()
            ended = time.perf_counter()
            brief = brief + 1 if ended - began < _BRIEF_SECONDS else 0
            if brief == _MOST_BRIEF:
                return f"Postgres ended by itself with code {code}, {brief} times right after its start"
            log.warning("Postgres ended by itself with code %s; it is started again", code)
            try:
                await self._postgres.revive()
            except LocalError as error:
                return f"Postgres ended by itself with code {code} and does not come back: {error}"
            log.warning("Postgres is back after %.1f s", time.perf_counter() - ended)
            if (run := RunFile.read(self._layout.run)) is not None:
                replace(run, processes=self._processes()).write(self._layout.run)
        return "Postgres does not run"

    async def stop(self) -> None:
        """Stops everything; MiniStack before the host, so that no event arrives at a closed door."""
        await self._aws.stop()
        await self._stack.aclose()
        await self._postgres.stop()
        self._remembered.save(self._layout.remembered)
        shutil.rmtree(self._layout.scratch, ignore_errors=True)
        self._layout.run.unlink(missing_ok=True)

    def _clean(self) -> None:
        """Removes what a killed run left: processes (where the kernel did not), temporary folders."""
        former = RunFile.read(self._layout.run)
        for process in former.processes if former else ():
            if process.name == "aws" and stop_stale(process.pid, "ministack"):
                log.warning("stopped a MiniStack that a killed run had left behind")
        shutil.rmtree(self._layout.scratch, ignore_errors=True)
        self._layout.create()
        RunFile.of_this_process(None, ()).write(self._layout.run)

    async def _prepare(self, template: sam.Json, moved: dict[str, str], host: FunctionHost) -> Deployed:
        """Everything that does not wait for anything else, at the same time; then the deployment."""
        values = sam.parameter_values(template, sam.local_parameters() | dict(self._options.parameters))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._timed("postgres", self._postgres.start()))
                group.create_task(self._timed("aws", self._aws.start(moved)))
                group.create_task(self._timed("model", model.prepare(self._layout)))
                transformed = group.create_task(self._transform(template, values, host.url))
        except* LocalError as failures:
            raise failures.exceptions[0] from None
        finally:
            self._remembered.save(self._layout.remembered)
        return await self._deploy(transformed.result(), values)

    async def _transform(self, template: sam.Json, values: dict[str, str], host_url: str) -> sam.Json:
        began = time.perf_counter()
        fingerprint = sam.fingerprint(template, values, host_url)
        saved = read_json(self._layout.transformed)
        known = saved.get("template")
        if saved.get("fingerprint") == fingerprint and isinstance(known, dict):
            self._record("template", began, "unchanged")
            return known
        transformed = await asyncio.to_thread(lambda: sam.transform(sam.localize(template, host_url), values, REGION))
        write_private(self._layout.transformed, {"fingerprint": fingerprint, "template": transformed})
        self._record("template", began, "transformed")
        return transformed

    async def _deploy(self, transformed: sam.Json, values: dict[str, str]) -> Deployed:
        def apply() -> tuple[str, Deployed]:
            stack = Stack(self._aws.url)
            return stack.apply(transformed, values), stack.read()

        began = time.perf_counter()
        done, deployed = await asyncio.to_thread(apply)
        self._record("deploy", began, done)
        return deployed

    async def _fill(self, host: FunctionHost, template: sam.Json, deployed: Deployed) -> str:
        place = Place(
            root=self._layout.root,
            aws_url=self._aws.url,
            model=self._layout.model,
            database_url=self._postgres.url(APP),
            owner_url=self._postgres.url(OWNER),
            build=self._build,
            runtime=runtime_folder.prepare(self._layout.runtime) if self._build else None,
            environment={"LAMBENT_RECEIPT_SEED": self._remembered.seed("receipts"), **self._options.environment},
        )
        specs = function_specs(template, deployed, place)
        await host.replace(specs)
        return f"{len(specs)} functions"

    def _gateway_url(self, deployed: Deployed) -> str:
        """Path-style address of the deployed REST API: names below localhost do not resolve everywhere."""
        by_type = {kind: deployed.resources[name] for name, kind in deployed.types.items()}
        api, stage = by_type.get("AWS::ApiGateway::RestApi"), by_type.get("AWS::ApiGateway::Stage")
        return f"{self._aws.url}/_aws/execute-api/{api}/{stage}"

    def _describe(self) -> list[tuple[str, str]]:
        ready = self._ready
        if ready is None:
            return []
        return [
            ("API", f"{ready.url}/api/v1"),
            ("Documentation, to try", f"{ready.url}/docs"),
            ("Documentation, to read", f"{ready.url}/api/v1/docs"),
            ("OpenAPI document", f"{ready.url}/api/v1/openapi.json"),
            ("AWS endpoint (MiniStack)", ready.aws_url),
            ("Postgres socket", self._postgres.address),
            ("Code", "built artifacts" if self._options.built else "sources"),
            ("State", str(self._layout.state)),
        ]

    def _announce(self, url: str, host_url: str) -> Ready:
        known = self._remembered.bootstrap
        ready = Ready(
            url=url,
            api_key=known.get("api_key"),
            tenant_id=known.get("tenant_id"),
            project_id=known.get("project_id"),
            aws_url=self._aws.url,
            host_url=host_url,
            pid=os.getpid(),
            seconds=round(time.perf_counter() - self._began, 3),
            steps=tuple(self._steps),
        )
        self._ready = ready
        self._remembered.save(self._layout.remembered)
        RunFile.of_this_process(ready, self._processes()).write(self._layout.run)
        return ready

    def _processes(self) -> tuple[ProcessStatus, ...]:
        address = self._ready.url if self._ready else ""
        return (
            ProcessStatus("supervisor", os.getpid(), True, address),
            ProcessStatus("postgres", self._postgres.pid, True, self._postgres.address),
            ProcessStatus("aws", self._aws.pid, True, self._aws.url),
        )

    async def _started(self, server: WebServer, url: str) -> str:
        await server.start()
        return url

    async def _timed(self, name: str, work: Coroutine[None, None, str]) -> None:
        began = time.perf_counter()
        self._record(name, began, await work)

    def _record(self, name: str, began: float, detail: str) -> None:
        step = Step(name, round(time.perf_counter() - began, 3), detail)
        self._steps.append(step)
        self._on_step(step)
