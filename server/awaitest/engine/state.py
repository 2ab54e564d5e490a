"""What the names hold at one moment of a run, and in which state of its life each client is."""

from __future__ import annotations

from dataclasses import dataclass, field

from awaitest.engine.values import Site, Value, join

NEW = "new"
OPEN = "open"
USED = "used"
"""A request was sent without `async with`."""
CLOSED = "closed"

Life = frozenset[str]


@dataclass(slots=True)
class State:
    """One moment. `alive` is false behind a return or raise."""

    names: dict[str, Value] = field(default_factory=dict)
    lives: dict[Site, Life] = field(default_factory=dict)
    alive: bool = True

    def copy(self) -> State:
        return State(dict(self.names), dict(self.lives), self.alive)

    def life(self, site: Site) -> Life:
        return self.lives.get(site, frozenset())

    def certainly(self, site: Site, *states: str) -> bool:
        """Whether the client is in one of these states on every path."""
        life = self.life(site)
        return bool(life) and life <= set(states)


def meet(*states: State) -> State:
    """The moment after paths meet: dead ones do not count, unless all are."""
    living = [state for state in states if state.alive]
    if not living:
        return State(dict(states[0].names), dict(states[0].lives), alive=False)
    if len(living) == 1:
        return living[0].copy()
    met = State()
    for state in living:
        for name, value in state.names.items():
            met.names[name] = join(met.names[name], value) if name in met.names else value
        for site, life in state.lives.items():
            met.lives[site] = met.lives.get(site, frozenset()) | life
    return met
