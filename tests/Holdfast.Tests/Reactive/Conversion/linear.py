"""`generate FROM TO`: makes linear notebooks from a grammar, runs them from top to bottom, and prints a line of JSON for each with its cells and what its names hold at the end.
`run`: reads lines of JSON with cells in the order in which they are to run, and prints what their names hold at the end."""
import json
import random
import sys

NAMES = ["a", "b", "c", "df", "i", "k"]


class Grammar:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.known = []
        self.count = 0

    def name(self):
        # Few names, so that they are defined again and again.
        return self.r.choice(NAMES)

    def value(self, depth=0):
        """An expression that is a number, of names that there are."""
        pick = self.r.randrange(10 if depth < 2 else 2)
        v = lambda: self.value(depth + 1)
        if pick == 0 or not self.known:
            return str(self.r.randrange(1, 9))
        if pick < 3:
            return self.r.choice(self.known)
        if pick == 3:
            return "(%s + %s)" % (v(), v())
        if pick == 4:
            own = self.name()
            return "sum(%s * %s for %s in range(%s %% 3))" % (own, self.atom(own), own, v())
        if pick == 5:
            own = self.name()
            return "len([%s for %s in range(%s %% 4) if %s > 1])" % (self.atom(own), own, v(), own)
        if pick == 6:
            return "len(f'{%s}:{%s!r:>3}')" % (self.atom(), self.atom())
        if pick == 7:
            own = self.name()
            return "(lambda %s: %s + 1)(%s)" % (own, own, v())
        if pick == 8:
            return "(%s if %s %% 2 else %s)" % (v(), self.atom(), v())
        return "max(%s, %s)" % (v(), v())

    def atom(self, own=None):
        return own if own and self.r.random() < 0.5 or not self.known else self.r.choice(self.known)

    def learn(self, name):
        if name not in self.known:
            self.known.append(name)

    def statement(self, depth=0):
        pad = "    " * depth
        pick = self.r.choice((0, 0, 0, 0, 0, 0, 0, 0, 9, 12, 12, *range(17)))
        name = self.name()
        if pick < 5:
            text = "%s%s = %s%s\n" % (pad, name, self.value(), self.r.choice(["", "  # %s" % self.name()]))
        elif pick == 5 and name in self.known:
            text = "%s%s %s= %s\n" % (pad, name, self.r.choice("+-*"), self.value())
        elif pick == 6:
            bound = self.value()
            self.learn(name)
            text = "%sfor %s in range(%s %% 3 + %d):\n%s" % (pad, name, bound, self.r.randrange(2), self.block(depth))
        elif pick == 7:
            text = "%sif %s %% 2:\n%s" % (pad, self.value(), self.block(depth))
            if self.r.random() < 0.6:
                text += "%selse:\n%s" % (pad, self.block(depth))
            return text
        elif pick == 8:
            self.count += 1
            own = "f%d" % self.count
            argument = self.name()
            text = "%sdef %s(%s=%s):\n%s    return %s + %s\n%s%s = %s()\n" % (pad, own, argument, self.value(), pad, argument, self.atom(argument), pad, name, own)
        elif pick == 9:
            text = "%s%s, %s = %s, %s\n" % (pad, name, "b", self.value(), self.value())
            self.learn("b")
        elif pick == 10:
            text = "%stry:\n%s%sexcept ZeroDivisionError:\n%s" % (pad, self.block(depth), pad, self.block(depth))
            return text
        elif pick == 11:
            text = "%sprint('%s', (%s := %s))\n" % (pad, name, name, self.value())
        elif pick == 12:
            text = "%sprint(%s)\n" % (pad, self.value())
            return text
        elif pick == 13:
            text = "%smatch %s:\n%s    case 1:\n%s%s    case _:\n%s" % (pad, self.value(), pad, self.block(depth + 1), pad, self.block(depth + 1))
            return text
        elif pick == 14:
            text = "%swhile %s < 3:\n%s    %s = 3 + %s\n" % (pad, self.atom(), pad, name, self.value()) if self.known else "%s%s = 2\n" % (pad, name)
            text = "%sfor %s in [1, 2]:\n%s    if %s > 5: break\n%s" % (pad, name, pad, name, self.block(depth))
        elif pick == 15:
            self.count += 1
            text = "%sclass C%d:\n%s    z%d = %s\n%s%s = C%d.z%d\n" % (pad, self.count, pad, self.count, self.value(), pad, name, self.count, self.count)
        else:
            text = "%s%s = {'%s': %s}['%s']\n" % (pad, name, name, self.value(), name)
        self.learn(name)
        return text

    def block(self, depth):
        return "".join(self.statement(depth + 1) for _ in range(self.r.randrange(1, 3))) if depth < 2 else "    " * (depth + 1) + "pass\n"

    def notebook(self):
        self.known = ["a", "b"]
        return ["a = 3\nb = 4\n"] + ["".join(self.statement() for _ in range(self.r.randrange(1, 4))) for _ in range(self.r.randrange(2, 6))]


def final(cells):
    names = {"print": lambda *a: None}
    for cell in cells:
        exec(compile(cell, "<cell>", "exec"), names)
    return {n: v for n, v in sorted(names.items()) if isinstance(v, int)}


def main():
    if sys.argv[1] == "generate":
        for seed in range(int(sys.argv[2]), int(sys.argv[3])):
            cells = Grammar(seed).notebook()
            try:
                print(json.dumps({"seed": seed, "cells": cells, "final": final(cells)}))
            except Exception:
                pass  # It reads what is not there, or divides by nothing: no notebook anybody has run.
        return
    for line in sys.stdin:
        try:
            print(json.dumps(final(json.loads(line))))
        except Exception as e:
            print(json.dumps({"error": repr(e)}))


main()
