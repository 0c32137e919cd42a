"""Generates programs from a grammar and runs them, watching the globals: prints a line of JSON for each with its source, the names it read that it had not written, and those it left."""
import json
import random
import sys
import warnings

warnings.simplefilter("ignore")
NAMES = ["v%d" % i for i in range(10)]
LOCALS = ["p", "q", "v1", "v4"]


class Value(int):
    """A number that is also an object, a list, a context and a decorator, so that whatever a program does with it goes well."""

    def __call__(self, *a, **k): return a[0] if a and callable(a[0]) and not isinstance(a[0], Value) else Value(1)
    def __iter__(self): return iter([Value(1), Value(2)])
    def __getitem__(self, key): return Value(3)
    def __setitem__(self, key, value): pass
    def __delitem__(self, key): pass
    def __enter__(self): return Value(4)
    def __exit__(self, *a): return False
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Value(5)
    def __setattr__(self, name, value): pass
    def __add__(self, other): return Value(1)
    __iadd__ = __radd__ = __add__


class Globals(dict):
    """Notes what is read and not the program's own; writes by STORE_GLOBAL go past it and are found at the end."""

    def __init__(self, outside):
        super().__init__(outside)
        self["__builtins__"] = __builtins__
        self.own, self.reads, self.written = set(), set(), set()

    def __getitem__(self, name):
        if name in self and name in NAMES and name not in self.own and super().__getitem__(name) is OUTSIDE[name]:
            self.reads.add(name)
        return super().__getitem__(name)

    def __setitem__(self, name, value):
        if hasattr(self, "own"):
            self.own.add(name)
            self.written.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name):
        self.own.discard(name)
        super().__delitem__(name)


class ClassSpace(dict):
    """The names of a class body, which looks past a watched dict of globals for what it has not."""

    def __getitem__(self, name):
        if name not in self and name in current:
            current[name]
        return super().__getitem__(name)


class Meta(type):
    @classmethod
    def __prepare__(cls, *a):
        return ClassSpace()

    def __new__(cls, name, bases, space):
        return super().__new__(cls, name, bases, dict(space))


OUTSIDE = {n: Value(7) for n in NAMES}


class Grammar:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.count = 0

    def name(self):
        return self.r.choice(NAMES)

    def expression(self, depth=0, names=()):
        pick = self.r.randrange(19 if depth < 3 else 3)
        e = lambda: self.expression(depth + 1, names)
        if pick < 2:
            return self.r.choice(list(names)) if names and self.r.random() < 0.4 else self.name()
        if pick == 2:
            return "V(%d)" % self.r.randrange(9)
        if pick == 3:
            return "%s + %s" % (e(), e())
        if pick == 4:
            own = self.r.choice(LOCALS)
            return "V(len([%s for %s in (%s) if %s or True]))" % (self.expression(depth + 1, (own,) + tuple(names)), own, e(), self.expression(depth + 1, (own,)))
        if pick == 5:
            own = self.r.choice(LOCALS)
            return "(lambda %s=%s: %s)()" % (own, e(), self.expression(depth + 1, (own,) + tuple(names)))
        if pick == 6:
            return "V(len(f'{%s}-{%s!r}'))" % (self.inline(names), self.inline(names))
        if pick == 7:
            return "(V(1) if %s and False else %s)" % (e(), e())
        if pick == 8:
            return "(%s)[%s]" % (e(), e())
        if pick == 9:
            return "(%s).attribute" % e()
        if pick == 10:
            one, other = self.r.sample(LOCALS, 2)
            return "V(len({%s: %s for %s in (%s) for %s in (%s)}))" % (one, other, one, e(), other, self.expression(depth + 1, (one,)))
        if pick == 11:
            own = self.r.choice(LOCALS)
            return "V(sum(%s for %s in (%s)))" % (own, own, e())
        if pick == 12:
            return "(%s)(%s)" % (e(), e())
        if pick == 13:
            return "V(len((%s, *(%s))))" % (e(), e())
        if pick == 14:
            # The first iterable is the outer scope's; the others, and what a comprehension within has, are not.
            one, other = self.r.sample(LOCALS, 2)
            return "V(len([[%s for %s in (%s)] for %s in (%s)]))" % (self.expression(depth + 1, (one, other)), other, self.expression(depth + 1, (one,)), one, e())
        if pick == 15:
            # A walrus in a default is of whoever makes the lambda, in the body it is the lambda's own. The outer one is there because classes and iterables take none.
            own = self.r.choice(LOCALS)
            return "(lambda: (lambda q=(%s := %s), *, p=%s: (%s := q) + p)())()" % (self.fresh("w"), e(), e(), own)
        if pick == 16:
            return "V(len(f'{(%s):{V(9)}}{ {%s: %s}!r}'))" % (e(), self.inline(names), self.inline(names))
        if pick == 17:
            return "(%s if %s or True else V(1))(*[%s], **{'q': %s})" % (e(), e(), e(), e())
        # A generator runs when it is asked, and here that is at once.
        own = self.r.choice(LOCALS)
        return "(lambda: V(any((%s := %s) for %s in (%s) if %s or True)))()" % (self.fresh("w"), self.expression(depth + 1, (own,)), own, e(), own)

    def inline(self, names):
        return self.r.choice(list(names)) if names and self.r.random() < 0.4 else self.name()

    def statement(self, depth=0):
        pick = self.r.randrange(43 if sys.version_info >= (3, 12) else 41 if sys.version_info >= (3, 11) else 40)
        pad = "    " * depth
        e = self.expression
        if pick < 3:
            return "%s%s = %s\n" % (pad, self.name(), e())
        if pick == 3:
            return "%s%s += %s\n" % (pad, self.name(), e())
        if pick == 4:
            return "%s%s, (%s, *_rest) = V(1), (%s)\n" % (pad, self.name(), self.name(), e())
        if pick == 5:
            return "%sfor %s in %s:\n%s" % (pad, self.name(), e(), self.statement(depth + 1))
        if pick == 6:
            return "%swith (%s) as %s:\n%s" % (pad, e(), self.name(), self.statement(depth + 1))
        if pick == 7:
            return "%s(%s := %s)\n" % (pad, self.name(), e())
        if pick == 8:
            return "%s%s: V = %s\n" % (pad, self.name(), e())
        if pick == 9:
            return "%stry:\n%s    raise V0Error(%s)\n%sexcept V0Error as %s:\n%s    %s\n" % (pad, pad, e(), pad, self.fresh("error"), pad, e())
        if pick == 10:
            f = self.fresh("f")
            own = self.r.choice(LOCALS)
            body = "%s    p = %s\n%s    return %s\n" % (pad, self.expression(1, (own,)), pad, self.expression(1, (own, "p")))
            return "%sdef %s(%s=%s):\n%s%s%s()\n" % (pad, f, own, e(), body, pad, f)
        if pick == 11:
            f, g = self.fresh("f"), self.name()
            return "%sdef %s():\n%s    global %s\n%s    %s = (%s) + V(1)\n%s%s()\n" % (pad, f, pad, g, pad, g, self.expression(1), pad, f)
        if pick == 12:
            c = self.fresh("C")
            return "%sclass %s(metaclass=Meta):\n%s    q = %s\n%s    p = q + %s\n%s    def m(self): return %s\n%s%s().m()\n" % (pad, c, pad, e(), pad, self.expression(2, ("q",)), pad, self.expression(1), pad, c)
        if pick == 13:
            f = self.fresh("f")
            return "%s@%s\n%sdef %s(a: %s = V(1)): return a\n" % (pad, self.name(), pad, f, self.name())
        if pick == 14:
            return "%smatch (%s):\n%s    case %s:\n%s        %s\n" % (pad, e(), pad, self.name(), pad, e())
        if pick == 15:
            return "%s[%s for p in (%s) if (%s := p) or True]\n" % (pad, "p", e(), self.name())
        if pick == 16:
            f = self.fresh("f")
            return "%sdef %s():\n%s    p = %s\n%s    def inner():\n%s        nonlocal p\n%s        p = p + %s\n%s        return p\n%s    return inner()\n%s%s()\n" % (
                pad, f, pad, self.expression(2), pad, pad, pad, self.expression(2), pad, pad, pad, f)
        if pick == 17:
            return "%s%s.attribute = %s\n%s%s[%s] = %s\n" % (pad, self.name(), e(), pad, self.name(), e(), e())
        if pick == 18:
            return "%sif (%s, 1):\n%s%selse:\n%s    pass\n" % (pad, e(), self.statement(depth + 1), pad, pad) if depth < 2 else "%spass\n" % pad
        if pick == 19:
            return "%stry:\n%s%sfinally:\n%s" % (pad, self.statement(depth + 1), pad, self.statement(depth + 1)) if depth < 2 else "%spass\n" % pad
        if pick == 20:
            return "%simport os as %s, sys\n%sfrom os import path as %s\n" % (pad, self.fresh("module"), pad, self.fresh("path"))
        if pick == 21:
            name = self.name()
            return "%s%s = %s\n%sdel %s\n" % (pad, name, e(), pad, name) if depth == 0 else "%spass\n" % pad
        if pick == 22:
            c, own = self.fresh("C"), self.r.choice(LOCALS)
            return "%s@(lambda c, d=%s: c)\n%sclass %s(V, metaclass=Meta):\n%s    %s: %s = V(1)\n%s    def __len__(self, a=%s): return len([%s for q in (%s)])\n%slen(%s())\n" % (
                pad, e(), pad, c, pad, own, self.name(), pad, e(), self.expression(3, ("q",)), self.name(), pad, c)
        if pick == 23:
            f, own = self.fresh("f"), self.r.choice(LOCALS)
            return "%sdef %s(*%s, q=%s, **p) -> %s:\n%s    return [%s for v1 in %s if (v4 := v1)] or v4\n%s%s(V(1))\n" % (pad, f, own if own != "q" else "v1", e(), self.name(), pad, self.expression(2, (own, "v1")), own if own != "q" else "v1", pad, f)
        if pick == 24:
            return "%smatch %s, V(1):\n%s    case [%s, *_rest]:\n%s        %s\n%s    case _:\n%s        pass\n" % (pad, e(), pad, self.name(), pad, e(), pad, pad)
        if pick == 25:
            f = self.fresh("f")
            return "%sasync def %s():\n%s    async with %s: pass\n%s    return %s\n%s%s().close()\n" % (pad, f, pad, "V(0)", pad, "V(1)", pad, f)
        if 27 <= pick:
            return self.later(pick, depth, pad, e)
        return "%s%s = %s if (%s is not None is not %s) and ((%s := %s), 1) else V(0)\n" % (pad, self.name(), e(), e(), e(), self.fresh("w"), e())

    def later(self, pick, depth, pad, e):
        deeper = depth < 2
        if pick == 27:
            c, d = self.fresh("C"), self.fresh("D")
            return "%sclass %s(metaclass=Meta):\n%s    p = %s\n%s    class %s(metaclass=Meta):\n%s        q = %s\n%s        def m(self): return %s\n%s%s.%s().m()\n" % (
                pad, c, pad, e(), pad, d, pad, self.expression(2), pad, self.expression(2), pad, c, d)
        if pick == 28:
            f, g, name = self.fresh("f"), self.fresh("g"), self.name()
            return "%sdef %s():\n%s    def %s():\n%s        global %s\n%s        %s = %s + V(1)\n%s    %s()\n%s%s()\n" % (pad, f, pad, g, pad, name, pad, name, self.expression(2), pad, g, pad, f)
        if pick == 29:
            name = self.name()
            return "%s%s = %s\n%sif V(1):\n%s    del %s\n%s    %s = %s\n" % (pad, name, e(), pad, pad, name, pad, name, e()) if depth == 0 else "%spass\n" % pad
        if pick == 30:
            return "%smatch (V(1), {'k': %s}):\n%s    case (%s, {'k': %s, **_rest}) if (%s, 1):\n%s        %s\n" % (pad, e(), pad, *self.r.sample(NAMES, 2), e(), pad, e())
        if pick == 31:
            return "%smatch %s:\n%s    case V.real | V.imag: pass\n%s    case V() as %s:\n%s        %s\n" % (pad, e(), pad, pad, self.name(), pad, e())
        if pick == 32:
            f = self.fresh("f")
            return "%s@(%s := %s)\n%s@(lambda g: g)\n%sdef %s(a, /, b=%s, *, p=%s): return (a, b, p)\n" % (pad, self.fresh("w"), self.name(), pad, pad, f, e(), e())
        if pick == 33:
            return "%simport os.path as %s, collections.abc\n%sfrom collections import abc as %s\n" % (pad, self.fresh("module"), pad, self.fresh("abc"))
        if pick == 34:
            own = self.fresh("n")
            return "%s%s = V(0)\n%swhile (%s := %s + V(1)) is None or %s is not %s:\n%s    %s\n%s    break\n%selse:\n%s    pass\n" % (pad, own, pad, self.fresh("w"), own, e(), own, pad, e(), pad, pad, pad)
        if pick == 35:
            f, own = self.fresh("f"), self.r.choice(LOCALS)
            return "%sdef %s(%s):\n%s    yield %s\n%s    yield from %s\n%slist(%s(%s))\n" % (pad, f, own, pad, self.expression(2, (own,)), pad, self.expression(2, (own,)), pad, f, e())
        if pick == 36:
            return "%s%s = %s = %s\n%sassert (%s, 1), 'never said'\n" % (pad, self.name(), self.name(), e(), pad, e())
        if pick == 37:
            f, name = self.fresh("f"), self.name()
            return "%sdef %s():\n%s    global %s\n%s    for %s in %s: pass\n%s    %s += V(1)\n%s%s()\n" % (pad, f, pad, name, pad, name, self.expression(2), pad, name, pad, f)
        if pick == 38:
            return "%stry:\n%s%sexcept V0Error:\n%s    pass\n%selse:\n%s%sfinally:\n%s    %s\n" % (
                pad, self.statement(depth + 1), pad, pad, pad, self.statement(depth + 1), pad, pad, e()) if deeper else "%spass\n" % pad
        if pick == 39:
            c, name = self.fresh("C"), self.name()
            return "%sclass %s(metaclass=Meta):\n%s    global %s\n%s    %s = %s + V(1)\n%s    p = [q for q in (%s)]\n%s    for q in %s: pass\n" % (pad, c, pad, name, pad, name, e(), pad, self.expression(2), pad, self.expression(2))
        if pick == 40:
            return "%stry:\n%s    raise ExceptionGroup('g', [V0Error(%s)])\n%sexcept* V0Error as %s:\n%s    %s = %s\n" % (pad, pad, e(), pad, self.fresh("error"), pad, self.name(), e())
        if pick == 41:
            # A type's value is looked for when somebody asks for it.
            name = self.fresh("T")
            return "%stype %s[P] = (P, %s)[1]\n%s%s.__value__\n" % (pad, name, self.expression(2), pad, name)
        f, c, own = self.fresh("f"), self.fresh("C"), self.r.choice(LOCALS)
        return "%sdef %s[P: V](a: P = %s) -> %s: return %s\n%s%s()\n%sclass %s[P](V, metaclass=Meta): %s: %s = V(1)\n" % (pad, f, e(), self.name(), self.expression(2), pad, f, pad, c, own, self.name())

    def fresh(self, stem):
        self.count += 1
        return "%s%d" % (stem, self.count)

    def program(self):
        return "".join(self.statement() for _ in range(self.r.randrange(1, 6)))


class V0Error(Exception):
    pass


def program(seed):
    """The first that is Python: a walrus in an iterable, a quotation mark within its like and the same argument twice are not."""
    for attempt in range(50):
        source = Grammar("%d-%d" % (seed, attempt)).program()
        try:
            return source, compile(source, "<program>", "exec")
        except SyntaxError:
            pass
    raise AssertionError("no program of seed %d" % seed)


def run(seed):
    source, code = program(seed)
    outside = dict(OUTSIDE, V=Value, V0Error=V0Error, Meta=Meta)
    global current
    space = current = Globals(outside)
    try:
        exec(code, space)
    except Exception as e:
        return None if isinstance(e, (NameError, UnboundLocalError, TypeError, RecursionError)) else {"seed": seed, "source": source, "failure": repr(e)}
    left = {n for n, v in dict.items(space) if n in space.written or n not in outside or v is not outside[n]} - {"__builtins__", "__annotations__"}
    return {"seed": seed, "source": source, "reads": sorted(space.reads), "left": sorted(left)}


for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    result = run(seed)
    if result:
        print(json.dumps(result))
