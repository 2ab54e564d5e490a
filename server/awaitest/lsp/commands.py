"""Commands and questions of our own: explain a test, fix the workspace, show a rule, tell how tests run here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from awaitest.engine.overview import runners
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Row
from awaitest.engine.table import rows
from awaitest.lsp.convert import to_path
from awaitest.lsp.pages import page
from awaitest.lsp.repairs import repaired
from awaitest.lsp.session import Session, field
from awaitest.trace.markdown import table

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

STATUS = "awaitest/status"


def register(server: Server) -> None:
    """Answer the commands of the client."""
    session = server.session

    @server.command("awaitest.server.explain")
    async def explain(question: Any) -> dict[str, Any] | None:
        path = to_path(field(question, "uri"))
        place = field(question, "position")
        if path is None or session.version(path) is None:
            return None
        line = int(field(place, "line") or 0)
        return await session.ask(lambda _: _explained(session, path, line), path)

    @server.command("awaitest.server.fixAll")
    async def fix_all() -> dict[str, int]:
        found = [
            path
            for folder in session.folders
            for path in await session.ask(lambda _, folder=folder: session.live.tests(folder))  # type: ignore[misc]
        ]
        fixes = await session.ask(lambda proceed: repaired(session, list(dict.fromkeys(found)), "", proceed))
        if not fixes:
            return {"edits": 0}
        edit = await session.ask(lambda _: session.edits().of(fixes))
        await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label="awaitest: fix all"))
        return {"edits": sum(len(fix.edits) for fix in fixes)}

    @server.command("awaitest.server.rule")
    async def rule(code: str) -> str | None:
        return page(str(code))

    @server.feature(STATUS)
    async def status(params: Any) -> dict[str, Any] | None:
        path = to_path(field(params, "uri") or "")
        return None if path is None else await session.ask(lambda _: _status(session, path))


def run_at(session: Session, path: Path, line: int) -> tuple[str, list[Row]] | None:
    """The test at a line, or the nearest, as `test_x` or `TestA::test_x`, and its table."""
    runs = session.live.watched(path, line) if session.live.walks(path) else []
    run = next((it for it in runs if _holds(it, line)), None) or next(iter(runs), None)
    if run is None or run.function is None:
        return None
    title = run.node.name if run.cls is None else f"{run.cls.node.name}::{run.node.name}"
    return title, rows(run)


def _explained(session: Session, path: Path, line: int) -> dict[str, Any] | None:
    found = run_at(session, path, line)
    if found is None:
        return None
    title, steps = found
    cells = [[str(cell) for cell in (it.step, it.line, it.action, it.awaited, it.result, it.assertion)] for it in steps]
    head = ("step", "line", "action", "awaited?", "result", "assertion")
    markdown = "\n".join([f"## {title}", "", *table(head, cells)])
    return {"title": title, "rows": [asdict(row) for row in steps], "markdown": f"{markdown}\n"}


def _holds(run: Run, line: int) -> bool:
    span = run.span(run.node)
    return run.kind == TEST and span.start.line <= line <= span.end.line


def _status(session: Session, path: Path) -> dict[str, Any]:
    project = session.live.workspace.project_of(path)
    config, environment = project.config, project.environment
    problems = [*config.problems, *session.live.checker.settings(path).problems]
    engine = session.live.checker.engine(project)
    by = next(
        (it.by for it in runners(engine, project.module(path)) if it.by not in ("nobody", "cannot be told")), None
    )
    version = environment.version(by) if by is not None else None
    return {
        "mode": config.asyncio_mode or "invalid",
        "runner": " ".join(filter(None, [by, str(version) if version else None])) or "nobody",
        "configuration": str(config.path) if config.path is not None else None,
        "environment": environment.origin,
        "python": ".".join(map(str, environment.python)),
        "problems": [{"path": str(it.path), "line": it.line, "message": it.message} for it in problems],
    }
