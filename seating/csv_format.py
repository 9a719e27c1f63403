"""Reads and writes a plan as CSV: one line a seat, UTF-8, the first line names the columns.

| column | meaning |
|---|---|
| `section` | the block, in the order of first appearance |
| `row` | the row's label; a section's rows keep their order |
| `seat` | the number on the seat; lines of a row run from one end to the other |
| `x`, `y` | the seat's middle, to the right and down, in any unit of which a seat is about 25 |
| `category` | what seats of one price share; a colour is given by order of appearance |
| `flags` | optional: `wheelchair`, `companion`, `restricted`, `aisle`, divided by spaces |

A standing area is one line without `row` and `seat`, its middle in `x`, `y`, and `standing=250` among the flags. Comma,
semicolon and tab divide columns. The stage, outlines and drawn areas are not kept; `export_plan --format json` keeps
all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest

from seating import assembly
from seating.assembly import FoundSeat, FoundSection
from seating.geometry import FLAGS, LARGEST_PLAN, Category, NotAPlan, Plan
from seating.pretix_format import Reading
from seating.shapes import number

COLUMNS = ("section", "row", "seat", "x", "y", "category", "flags")


def read(text: str, *, name: str) -> Reading:
    """Return the plan called `name` that the lines describe; `NotAPlan` names the line and column that is wrong."""
    sections: dict[str, FoundSection] = {}
    rows: dict[tuple[str, str], list[FoundSeat]] = {}
    categories: dict[str, int] = {}
    places: dict[tuple[str, str, str], int] = {}
    count = 0
    warnings: list[str] = []
    for line, record in _records(text, warnings):
        section_name = _needed(record, "section", line)
        category = categories.setdefault(_needed(record, "category", line), len(categories))
        flags, standing = _flags(record.get("flags", ""), line)
        row, seat = record["row"], record["seat"]
        place = (section_name, row, seat)
        if place in places:
            raise NotAPlan(f"line {line}: {' '.join(place).strip()} is on line {places[place]} too")
        places[place] = line
        section = sections.setdefault(section_name, FoundSection(section_name))
        x, y = _number(record, "x", line), _number(record, "y", line)
        if standing:
            if row or seat or section.rows:
                raise NotAPlan(f"line {line}: a standing area is one line without row and seat")
            section.places, section.middle, section.category, section.flags = standing, (x, y), category, flags
        else:
            _needed(record, "seat", line)
            if section.places:
                raise NotAPlan(f"line {line}: {section_name} is a standing area on an earlier line")
            if (section_name, row) not in rows:
                rows[section_name, row] = []
                section.rows.append((row, rows[section_name, row]))
            rows[section_name, row].append(FoundSeat(x, y, seat, category, flags))
        count += standing or 1
        if count > LARGEST_PLAN:
            raise NotAPlan(f"line {line}: more than {LARGEST_PLAN:,} places, the largest plan there is")
    if not count:
        raise NotAPlan("there is not a single seat")
    if len(categories) > 255:
        raise NotAPlan(f"{len(categories)} categories: a plan has at most 255")
    found = list(sections.values())
    corners = [(s.middle[0] - s.places**0.5 * 12, s.middle[1] - s.places**0.5 * 12) for s in found if s.places]
    made, flag_indexes, _ = assembly.assemble(found, assembly.shift_into_view(found, corners))
    right, bottom = assembly.extent(made, [])
    colors = assembly.PALETTE
    plan = Plan(
        name=name,
        width=number(right + assembly.MARGIN),
        height=number(bottom + assembly.MARGIN),
        categories=tuple(Category(c, colors[k % len(colors)]) for c, k in categories.items()),
        sections=made,
        flags=flag_indexes,
    )
    return Reading(plan, [], warnings)


def _records(text: str, warnings: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, values by column) for every line that is not empty."""
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        missing = [column for column in COLUMNS[:-1] if column not in columns]
        if missing:
            raise NotAPlan(f"line 1: the column {', '.join(missing)} is missing (expected {', '.join(COLUMNS)})")
        strange = [column for column in columns if column not in COLUMNS]
        if strange:
            warnings.append(f"line 1: the column {', '.join(strange)} is not part of the format, ignored")
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) > len(columns):
                raise NotAPlan(f"line {reader.line_num}: {len(values)} values for {len(columns)} columns")
            yield reader.line_num, {c: v.strip() for c, v in zip_longest(columns, values, fillvalue="")}
    except csv.Error as error:
        raise NotAPlan(f"line {reader.line_num}: {error}") from error


def _needed(record: dict[str, str], column: str, line: int) -> str:
    if not record[column]:
        raise NotAPlan(f'line {line}, column "{column}": empty')
    return record[column]


def _number(record: dict[str, str], column: str, line: int) -> float:
    text = _needed(record, column, line)
    try:
        value = float(text)
    except ValueError as error:
        raise NotAPlan(f'line {line}, column "{column}": "{text[:30]}" is not a number') from error
    if not abs(value) <= 1e7:
        raise NotAPlan(f'line {line}, column "{column}": {text[:30]} is not a usable number')
    return value


def _flags(text: str, line: int) -> tuple[frozenset[str], int]:
    """Return the flags and, where the line is a standing area, its places."""
    flags, standing = set(), 0
    for word in text.replace("|", " ").split():
        if word in FLAGS:
            flags.add(word)
        elif word.startswith("standing=") and word[9:].isdecimal() and 0 < int(word[9:]) <= LARGEST_PLAN:
            standing = int(word[9:])
        else:
            raise NotAPlan(
                f'line {line}, column "flags": "{word[:30]}" is not one of {", ".join(FLAGS)}, standing=<places>'
            )
    return frozenset(flags), standing


def write(plan: Plan) -> str:
    """Return the plan as CSV with Unix line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    marked = {flag: frozenset(plan.flags.get(flag, ())) for flag in FLAGS}
    for section in plan.sections:
        if section.is_standing:
            flags = [f"standing={section.count}", *(flag for flag in FLAGS if section.first in marked[flag])]
            category = plan.categories[section.category].name
            writer.writerow([section.name, "", "", *section.label, category, " ".join(flags)])
        for row in section.rows:
            for offset, (x, y) in enumerate(row.positions()):
                index = row.first + offset
                category = plan.categories[plan.category_of(index)].name
                flags = [flag for flag in FLAGS if index in marked[flag]]
                # Every digit: whoever fits a curve through them finds the same curve.
                writer.writerow(
                    [section.name, row.label, row.seat_number(offset), repr(x), repr(y), category, " ".join(flags)]
                )
    return out.getvalue()
