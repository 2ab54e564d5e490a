"""The options of one pytest configuration: a value from its file, typed as pytest types it, or from `addopts`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from awaitest.project.tables import ConfigProblem, Keys, Table

FLAGS = {True: ("y", "yes", "t", "true", "on", "1"), False: ("n", "no", "f", "false", "off", "0")}
"""The words for each, whatever their case."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """What `-p` says in `addopts`: names as plugins are registered under (`asyncio`, `anyio`)."""

    blocked: frozenset[str] = frozenset()
    loaded: frozenset[str] = frozenset()
    autoload: bool = True
    """Whether installed plugins load by themselves."""

    def allows(self, name: str) -> bool:
        """Whether an installed plugin of that name is loaded."""
        return name not in self.blocked and (self.autoload or name in self.loaded)


class Options:
    """Reads one section; what it finds wrong is gathered in `problems`.

    `native` sections ([tool.pytest], pytest.toml) want TOML types, all others strings, split at blanks; `overridable` ones obey
    `-o key=value` in `addopts`."""

    def __init__(self, table: Table, keys: Keys, values: Mapping[str, object], native: bool, overridable: bool) -> None:
        self.problems: list[ConfigProblem] = []
        self._table = table
        self._keys = keys
        self._values = values
        self._native = native
        self._overrides: dict[str, str] = {}
        self._arguments = self.words("addopts", ())
        if not overridable:
            return
        assignments = (setting.partition("=") for setting in self._all("-o", "--override-ini"))
        self._overrides = {key: value for key, _, value in assignments}

    def option(self, name: str) -> str | None:
        """The last value `addopts` gives a long option."""
        return next(reversed(self._all(name)), None)

    def choice(self, key: str, choices: tuple[str, ...], default: str | None, option: str = "") -> str | None:
        """One of the choices, from `addopts` before the file; None, with a problem, where it is something else."""
        given = self.option(option) if option else None
        value = given if given is not None else self._value(key)
        if value is None:
            return default
        if isinstance(value, str) and value in choices:
            return value
        where, name = ("addopts", option) if given is not None else (key, key)
        self._reject(where, value, choices, name)
        return None

    def anyio_mode(self) -> str | None:
        """anyio's plugin asks only whether the option or the key is "auto"; any other string means strict."""
        value = self._value("anyio_mode")
        if self._native and value is not None and not isinstance(value, str):
            self._reject("anyio_mode", value, ("strict", "auto"), "anyio_mode")
            return None
        given = self.option("--anyio-mode")
        for key, mode in (("addopts", given), ("anyio_mode", value)):
            if mode not in (None, "strict", "auto"):
                self._reject(key, mode, ("strict", "auto"), "anyio_mode")
        return "auto" if "auto" in (given, value) else "strict"

    def expect_flag(self, key: str) -> None:
        """Report a value that is neither true nor false; native tables want no strings."""
        value = self._value(key)
        native = self._native and key not in self._overrides
        words = (True, False) if native else (*FLAGS[True], *FLAGS[False])
        if value is not None and (value.lower() if isinstance(value, str) and not native else value) not in words:
            quotes = ", without quotes" if native else ""
            self._report(key, f"{value!r:.80} is not a valid {key}: it must be true or false{quotes}")

    def words(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of strings; the default, with a problem, where pytest would refuse the value."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, str) and (not self._native or key in self._overrides):
            try:
                return tuple(shlex.split(value))
            except ValueError as error:
                self._report(key, f"{key} cannot be split into words: {error}")
                return default
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
        self._report(key, f"{key} must be a list of strings, not {value!r:.80}")
        return default

    def plugins(self) -> Plugins:
        """What the `-p` options of `addopts` come to; the last word on a plugin wins."""
        blocked: set[str] = set()
        loaded: set[str] = set()
        for value in self._all("-p"):
            blocks, name = value.strip().startswith("no:"), value.strip().removeprefix("no:")
            (blocked if blocks else loaded).update({name, f"pytest_{name}"} if blocks else {name})
            (loaded if blocks else blocked).difference_update({name, f"pytest_{name}"})
        return Plugins(frozenset(blocked), frozenset(loaded), "--disable-plugin-autoload" not in self._arguments)

    def _value(self, key: str) -> object:
        if key in self._overrides:
            return self._overrides[key]
        value = self._values.get(key)
        return value if value is None or self._native or isinstance(value, list) else str(value)

    def _all(self, *names: str) -> list[str]:
        values: list[str] = []
        arguments = iter(self._arguments)
        for argument in arguments:
            for name in names:
                if argument == name:
                    values.extend(value for value in [next(arguments, None)] if value is not None)
                elif argument.startswith(f"{name}=" if name.startswith("--") else name):
                    values.append(argument[len(name) :].removeprefix("="))
        return values

    def _reject(self, key: str, value: object, choices: tuple[str, ...], name: str) -> None:
        named = " or ".join([", ".join(map(repr, choices[:-1])), repr(choices[-1])])
        self._report(key, f"{value!r:.80} is not a valid {name}: it must be {named}")

    def _report(self, key: str, message: str) -> None:
        self.problems.append(self._table.problem(message, *self._keys, key))
