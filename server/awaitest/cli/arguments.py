"""The commands, their options and their help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

import awaitest
from awaitest.cli.formats import FORMATS

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

EPILOG = """\
examples:
  awaitest check                          check the tests of this project
  awaitest check tests/api --fix          repair what can be repaired safely
  awaitest rule missing-await             what a rule reports, and why
  awaitest explain tests/test_x.py::test_read
                                          what the test does, step by step
  awaitest trace tests/test_x.py::test_read
                                          the same from a real run
  awaitest config tests/test_x.py         who runs the tests of this file

exit codes: 0 no problems (hints do not count), 1 problems found,
2 a mistake in the call or the configuration, or a file that could not be checked
"""

CHECK = """\
examples:
  awaitest check                          the tests of this project
  awaitest check tests --diff             show what --fix would change
  awaitest check --fix --unsafe-fixes     repair everything that has a fix
  awaitest check --select AWT1,unclosed-client --statistics
  awaitest check --watch                  check again whenever a file changes
  awaitest check - --stdin-filename tests/test_x.py --fix < tests/test_x.py
"""


def parser() -> argparse.ArgumentParser:
    """The parser; a parsed line carries `command`, the name of a module of `awaitest.cli.commands`."""
    top = _described(argparse.ArgumentParser(prog="awaitest", add_help=True), EPILOG)
    top.description = "Finds, explains and repairs mistakes in async tests of FastAPI apps. It reads code and runs it only for `trace`."
    top.add_argument("--version", action="version", version=f"awaitest {awaitest.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _check(commands)
    _rule(commands)
    _config(commands)
    _explain(commands)
    _trace(commands)
    commands.add_parser("server", help="serve an editor over standard input and output")
    return top


def _described(command: argparse.ArgumentParser, epilog: str) -> argparse.ArgumentParser:
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = epilog
    return command


def _check(commands: Commands) -> None:
    check = commands.add_parser("check", help="find mistakes in tests, and repair them")
    _described(check, CHECK).description = "Find mistakes in async tests, and repair them."
    check.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files or directories (default: the tests of this project), - for stdin",
    )
    fixing = check.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="apply safe fixes")
    fixing.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix or --diff: also fixes that may change behaviour"
    )
    fixing.add_argument(
        "--diff", action="store_true", help="show what --fix would change; write nothing, exit 1 if anything"
    )
    rules = check.add_argument_group("rules")
    rules.add_argument(
        "--select", action="append", metavar="RULES", help="only these codes, code prefixes or names (commas)"
    )
    rules.add_argument("--ignore", action="append", metavar="RULES", help="all but these")
    output = check.add_argument_group("output")
    output.add_argument("--output-format", choices=FORMATS, default="full", help="default: full")
    output.add_argument(
        "--statistics", action="store_true", help="count the problems of each rule (full, concise, json)"
    )
    output.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    _colour(output)
    running = check.add_argument_group("running")
    running.add_argument(
        "--stdin-filename", type=Path, metavar="FILE", help="the file that the text from stdin belongs to"
    )
    _python(running)
    running.add_argument("--watch", action="store_true", help="check again when files change, until Ctrl-C")
    _cache(running)
    running.add_argument("--jobs", type=_jobs, default=0, metavar="N", help="processes; 0 or auto: one per processor")


def _rule(commands: Commands) -> None:
    rule = commands.add_parser("rule", help="show what a rule reports")
    _described(rule, "examples:\n  awaitest rule AWT101\n  awaitest rule missing-await\n  awaitest rule --all\n")
    rule.description = "Show the page of a rule, or the table of all rules."
    rule.add_argument("rule", nargs="?", metavar="CODE|NAME", help="default: all rules")
    rule.add_argument("--all", action="store_true", help="the table of all rules")
    rule.add_argument("--output-format", choices=("text", "json"), default="text", help="default: text")
    _colour(rule)


def _config(commands: Commands) -> None:
    config = commands.add_parser("config", help="show who runs the tests of a file, and why")
    _described(config, "example:\n  awaitest config tests/test_x.py\n")
    config.description = (
        "Show which configuration pytest reads for a file, which plugins run its tests, and what its fixtures give."
    )
    config.add_argument("file", type=Path, metavar="FILE")
    config.add_argument("--output-format", choices=("plain", "json"), default="plain", help="default: plain")
    _python(config)
    _cache(config)
    _colour(config)


def _explain(commands: Commands) -> None:
    explain = commands.add_parser("explain", help="show what a test does, step by step")
    _described(
        explain,
        "examples:\n  awaitest explain tests/test_x.py::test_read\n  awaitest explain tests/test_x.py::TestItems::test_read\n",
    )
    explain.description = (
        "Show the execution table of a test and what its variables hold after each step. Nothing is run."
    )
    explain.add_argument("test", metavar="FILE::TEST")
    explain.add_argument(
        "--output-format", choices=("plain", "markdown", "json"), default="plain", help="default: plain"
    )
    _python(explain)
    _cache(explain)
    _colour(explain)


def _trace(commands: Commands) -> None:
    trace = commands.add_parser("trace", help="run tests and show what they did, step by step")
    _described(
        trace,
        "examples:\n"
        "  awaitest trace tests/test_x.py::test_read\n"
        "  awaitest trace tests/test_x.py::test_read --helpers\n"
        "  awaitest trace tests/test_x.py --format html > trace.html\n\n"
        "exit codes: those of pytest; 2 for a run that was stopped\n",
    )
    trace.description = (
        "Run tests with the project's own pytest and show the execution table of each, with real values, the requests "
        "and what was left behind. This runs your code."
    )
    trace.add_argument(
        "tests", nargs="+", metavar="FILE::TEST", help="as pytest names them; a file stands for its tests"
    )
    trace.add_argument("--helpers", action="store_true", help="also the steps of fixtures and helpers of the test tree")
    trace.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="stop the run after so long (default: 60)"
    )
    trace.add_argument("--format", choices=("text", "markdown", "json", "html"), default="text", help="default: text")
    _python(trace)
    _cache(trace)
    _colour(trace)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e9:
        raise ValueError(text)
    return seconds


_seconds.__name__ = "number of seconds"


def _python(group: argparse._ActionsContainer) -> None:
    group.add_argument("--python", type=Path, metavar="PATH", help="interpreter or environment that runs the tests")


def _cache(group: argparse._ActionsContainer) -> None:
    group.add_argument("--no-cache", dest="cache", action="store_false", help="neither read nor write the cache")


def _colour(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="default: auto, on a terminal"
    )


def _jobs(text: str) -> int:
    if text == "auto":
        return 0
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


_jobs.__name__ = "number of jobs"
