"""Rows that repeat themselves, as those of a loop do, in few: the first rounds, how many more, the last one."""

from __future__ import annotations

from collections.abc import Sequence

from awaitest.trace.traced import Row

FIRST = 3
"""Rounds that are shown before the last one."""
LONGEST = 40
"""Rows of a round."""


def folded(rows: Sequence[Row]) -> list[Row]:
    """The rows to show; one that stands for others has no step. A failed row is never left out."""
    keys = [(row.path, row.line, row.depth, row.awaited, row.failed) for row in rows]
    shown: list[Row] = []
    place = 0
    while place < len(rows):
        length, rounds = _repeated(keys, place)
        last = place + length * (rounds - 1)
        if rounds > FIRST + 2 and not any(row.failed for row in rows[place:last]):
            names = dict.fromkeys(rows[place].variables, "")
            shown += rows[place : place + length * FIRST]
            shown.append(Row(0, "", 0, f"… {rounds - FIRST - 1:,} more times …", "", "", "", names))
            shown += rows[last : last + length]
            place = last + length
        else:
            shown.append(rows[place])
            place += 1
    return shown


def _repeated(keys: Sequence[object], place: int) -> tuple[int, int]:
    """The rows of the shortest round that begins somewhere and comes again and again, and how many rounds there are."""
    for length in range(1, min(LONGEST, (len(keys) - place) // (FIRST + 3)) + 1):
        rounds = 1
        while keys[place : place + length] == keys[place + length * rounds : place + length * (rounds + 1)]:
            rounds += 1
        if rounds > FIRST + 2:
            return length, rounds
    return 1, 1
