#!/usr/bin/env python3
"""complete_table.py IN OUT.csv [--drop NAME,NAME]: makes a table that semidual learns of a .json list of objects or a .csv.

Left out are columns of more than 50 texts, such as names and dates, of lists, of one value alone, and those that more
than a tenth of the rows lack, then the rows that still lack something.
"""
import argparse
import csv
import json
import sys


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        if path.endswith(".json"):
            rows = json.load(file)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                sys.exit(f"{path} is no list of rows")
            return rows
        return list(csv.DictReader(file))


def is_number(value):
    try:
        return not isinstance(value, bool) and abs(float(value)) < float("inf")
    except (TypeError, ValueError):
        return False


def fits(values):
    """Whether a column, with None for what is missing, is one of numbers or of few texts, and there are enough of it."""
    there = [value for value in values if value is not None]
    if len(there) < 0.9 * len(values) or len(set(map(str, there))) < 2:
        return False
    if any(isinstance(value, (list, dict)) for value in there):
        return False
    numbers = sum(map(is_number, there))
    return numbers == len(there) or (numbers == 0 and len(set(there)) <= 50)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("out")
    parser.add_argument("--drop", default="", help="columns to leave out too")
    asked = parser.parse_args()
    rows = read(asked.table)
    names = list(dict.fromkeys(name for row in rows for name in row))
    lacking = ("", None, "NA", ".")
    table = {name: [None if row.get(name) in lacking else row[name] for row in rows] for name in names}
    names = [name for name in names if name not in asked.drop.split(",") and fits(table[name])]
    complete = [row for row in zip(*(table[name] for name in names)) if None not in row]
    if len(names) < 2 or len(complete) < 50:
        sys.exit(f"{asked.table} has too few columns or rows")
    with open(asked.out, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names] + complete)
    print(f"{asked.out}: {len(complete)} of {len(rows)} rows, {', '.join(names)}")


if __name__ == "__main__":
    main()
