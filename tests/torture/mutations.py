"""What a mutant changes: one operator, bound or constant in the text of a C++ file."""

import pathlib
import re

TREE = pathlib.Path(__file__).parents[2]
WRITERS = {"digit_strokes.cpp", "digits.cpp", "gif.cpp", "lettering.cpp", "pairs_plot.cpp", "png.cpp"}

CHANGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*",
           "%": "/", "&&": "||", "||": "&&", "&": "|", "|": "&", "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=",
           "*=": "/=", "/=": "*=", "++": "--", "--": "++", "!": "", "min": "max", "max": "min", "floor": "ceil",
           "ceil": "floor", "true": "false", "false": "true",
           "lower_bound": "upper_bound", "upper_bound": "lower_bound"}
# What stands between spaces is an operator, never a bracket of a template or part of a type: clang-format sees to it.
# The steps of loops are left alone, as they end in nothing or never.
SITE = re.compile(r"""
    (?<=[ ]) (?: [=!<>]= | && | \|\| | [-+*/]= | << | >> | [-+*/%<>&|] ) (?=[ \n])
  | (?P<sign> (?: (?<=[(\[{]) | (?<=[(,=?:+*/<>][ ]) | (?<=return[ ]) ) - (?=[\w(]) )
  | (?<!;[ ]) (?<!,[ ]) (?: \+\+ | -- )
  | ! (?=[\w(])
  | \b (?: min | max | floor | ceil | lower_bound | upper_bound ) (?=[(<])
  | \b (?: true | false ) \b
  | (?<![\w.]) (?!0\d) (?: 0x[0-9a-f]+ | \d+ (?: \.\d+ )? (?: e-?\d+ )? ) \b (?!['.])""", re.X)
UNREAD = re.compile(r"""//[^\n]* | /\*.*?\*/ | R"(\w*)\(.*?\)\1" | "(?:\\.|[^"\\\n])*" | (?<!\d)'(?:\\.|[^'\\\n])+'
  | ^[ ]*\#(?:\\\n|[^\n])* | \bconstexpr\b[^;({]*=[^;]*; | \bgrain[ ]=[^;,]*""", re.S | re.M | re.X)
# Calls of which the arguments from one number to another change no result: texts, hints and grains.
CALLS = re.compile(r"\b(require|fail|reserve|__builtin_prefetch|static_assert|parallel_for)(?:<[\w:]+>)?\(")
UNREAD_ARGUMENTS = {"require": (1, None), "parallel_for": (1, 2)}


def arguments(text, start):
    """The (begin, end) of each argument of a call, `start` behind its bracket."""
    depth, begin = 0, start
    for k in range(start, len(text)):
        depth += (text[k] in "([{") - (text[k] in ")]}")
        if depth < 0 or (depth == 0 and text[k] == ","):
            yield begin, k
            begin = k + 1
        if depth < 0:
            return


def sites(text):
    """Matches of all that may be changed."""
    seen = UNREAD.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), text)
    for call in list(CALLS.finditer(seen)):
        for begin, end in list(arguments(seen, call.end()))[slice(*UNREAD_ARGUMENTS.get(call[1], (None,)))]:
            seen = seen[:begin] + "\0" * (end - begin) + seen[end:]
    return SITE.finditer(seen)


def changed(site):
    token = site[0]
    if site["sign"]:
        return ""
    if token in CHANGES:
        return CHANGES[token]
    if token.startswith("0x") or token.isdigit():
        return str(int(token, 0) + 1)
    return str(2 * float(token)) if float(token) else "1.0"


class Mutant:
    def __init__(self, file, original, site):
        self.file, self.original, self.site, self.new = file, original, site, changed(site)
        line = original.count("\n", 0, site.start())
        self.number, self.lines = line + 1, tuple(t.splitlines()[line].strip() for t in (original, self.text()))

    def text(self):
        """The whole file's."""
        return self.original[:self.site.start()] + self.new + self.original[self.site.end():]

    def key(self):
        return self.file, *self.lines

    def __str__(self):
        return f"{self.file}:{self.number}\n- {self.lines[0]}\n+ {self.lines[1]}"


def all_mutants(within):
    """Of every file that computes a result or reads a file, where its name begins so."""
    files = [*TREE.glob("engine/ops/*.cpp"), *TREE.glob("ot/**/*.cpp"), *TREE.glob("data/*.cpp")]
    names = sorted(str(f.relative_to(TREE)) for f in files if f.name not in WRITERS)
    return [Mutant(name, text, site) for name in names if name.startswith(within)
            for text in [(TREE / name).read_text()] for site in sites(text)]


def listed(path):
    """The keys of the mutants that a text lists, as it is printed of survivors: FILE:, then pairs of - and + lines."""
    keys, file, before = set(), "", ""
    for line in path.read_text().splitlines():
        if line.startswith("- "):
            before = line[2:]
        elif line.startswith("+ "):
            keys.add((file, before, line[2:]))
        elif ":" in line and not line.startswith("#"):
            file = line.split(":")[0]
    return keys
