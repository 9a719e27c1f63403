"""Finds places by what people call them: "Stalls A 1-4, 7" is five seats, "Stalls B" a row, "Balcony" a section."""

import re

from seating.geometry import Plan, Row, Section

LONGEST_TEXT = 20_000


class PlaceUnknown(ValueError):
    """A line names something that the plan does not have; the message says which."""


def named_places(plan: Plan, text: str) -> list[int]:
    """Return the indexes, ascending and each once, of the places that `text` names, one group a line.

    A line is a section, then perhaps a row, then perhaps numbers and ranges of numbers, in any case. In a standing area
    the number is how many places are meant, from its beginning. `PlaceUnknown` names the first line that fits nothing.
    """
    if len(text) > LONGEST_TEXT:
        raise PlaceUnknown(f"This is longer than {LONGEST_TEXT:,} letters: do it in several steps.")
    found: set[int] = set()
    for line in re.split(r"[\n;]+", text):
        if line.strip():
            found.update(_line(plan, " ".join(line.split())))
    return sorted(found)


def _line(plan: Plan, line: str) -> list[int]:
    # The longest name first: "Block 10" must not be taken for "Block 1" and row 0.
    for section in sorted(plan.sections, key=lambda s: -len(s.name)):
        if re.match(rf"{re.escape(section.name)}(?![\w])", line, re.IGNORECASE):
            return _in_section(section, line, line[len(section.name) :].strip(" ,"))
    names = ", ".join(section.name for section in plan.sections[:5])
    raise PlaceUnknown(f"“{line}”: no section has this name. The plan has {names}{' …' * (len(plan.sections) > 5)}")


def _in_section(section: Section, line: str, rest: str) -> list[int]:
    if not rest:
        return list(range(section.first, section.stop))
    if section.is_standing:
        count = int(rest) if rest.isdigit() and len(rest) < 7 else 0
        if not 1 <= count <= section.count:
            raise PlaceUnknown(f"“{line}”: say how many of the {section.count:,} places.")
        return list(range(section.first, section.first + count))
    rest = re.sub(r"^row\s+", "", rest, flags=re.IGNORECASE)
    for row in sorted(section.rows, key=lambda r: -len(r.label)):
        if re.match(rf"{re.escape(row.label)}(?![\w])", rest, re.IGNORECASE):
            return _in_row(row, line, rest[len(row.label) :].strip(" ,"))
    raise PlaceUnknown(f"“{line}”: {section.name} has no row “{rest.split()[0]}”.")


def _in_row(row: Row, line: str, rest: str) -> list[int]:
    if not rest:
        return list(range(row.first, row.first + row.count))
    numbers = {row.seat_number(k).casefold(): row.first + k for k in range(row.count)}
    found: list[int] = []
    for part in re.split(r"[,\s]+", re.sub(r"\s*[-\u2013]\s*", "-", rest)):
        ends = part.casefold().split("-") if part.casefold() not in numbers else [part.casefold()]
        if len(ends) > 2 or not all(end in numbers for end in ends):
            raise PlaceUnknown(f"“{line}”: row {row.label} has no seat “{part}”.")
        low, high = sorted((numbers[ends[0]], numbers[ends[-1]]))
        found += range(low, high + 1)
    return found
