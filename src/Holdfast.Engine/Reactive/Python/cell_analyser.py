"""Says what the cells of a notebook define and reference. Reads one JSON object a line, {"id", "source"}, and answers each with one. What a conversion asks besides is in cell_bindings.py.

It parses and never runs what it is sent. IPython's magics and shell lines are first written as the Python they stand for, line for line. Names are then found in
two ways: what is read or written as the cell itself runs by walking its syntax tree in the order of execution, and what its functions will read or write when they
are called by the compiler's own symbol tables.
"""
import ast
import builtins
import copy
import json
import re
import symtable
import sys

FLAGS = getattr(ast, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0)
BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display", "In", "Out", "exit", "quit"}

# ---------------------------------------------------------------- IPython

# Cell magics whose body runs in the notebook's namespace.
RUNNING = {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "snakeviz", "pyinstrument", "debug"}
LINE_RUNNING = {"time", "timeit", "prun", "memit", "lprun", "mprun"}
KEEPS_NOTHING = {"timeit"}
SCRIPTS = {"bash", "sh", "script", "perl", "ruby", "python", "python2", "python3", "pypy", "system", "sx", "!"}
# Their options that take a value, attached or as the next word; and those whose value is an expression.
VALUED = {"timeit": "nrp", "prun": "lsTD", "memit": "rti", "lprun": "fmDTu", "mprun": "fT", "debug": "b"}
EXPRESSED = {"lprun": "f", "mprun": "f"}
OPTION = re.compile(r"\s+(?:-(?P<letter>[A-Za-z])(?P<attached>[\w.:/=]*)|--(?P<long>[\w-]+)(?:=\S+)?)(?=\s|$)")
VALUE = re.compile(r"\s+(?:\"[^\"]*\"|'[^']*'|\S+)")
# Magics that make and see names of the notebook which their line does not have.
SEEING_MAGICS = {"run", "edit", "ed", "reset", "reset_selective", "rerun", "recall", "rep", "paste", "cpaste"}
# What IPython takes for a magic without its sign, in a cell of one line.
AUTOMAGIC = re.compile(r"(?P<name>pip|conda|mamba|micromamba|uv|ls|ll|la|lf|lk|ldir|lx|cd|pwd|mkdir|rm|rmdir|mv|cp|cat|man|more|less|run|time|timeit|prun|load_ext|reload_ext|matplotlib|env|who|whos|who_ls|store|history|autoreload|reset|xdel)(?P<rest>[ \t]+[^\s=].*)?")
# IPython's own names with an underscore, and Python's.
OWN_PRIVATE = re.compile(r"_{1,3}|_i{1,3}|_[iod]h|_i?\d+|_exit_code|__\w+__")
# Names of the Python that magics are written as, which are nobody's.
TIMED, SEEN = "__holdfast_timed__", "__holdfast_magic__"
ASSIGNED_MAGIC = re.compile(r"^(?P<left>\s*[\w.\[\]'\"()*, ]+?)\s*=\s*(?P<kind>!|%(?=[A-Za-z_]))(?P<rest>.*)$", re.S)
HELP = re.compile(r"^\s*(?:\?\??\s*(?P<before>[%\w.*]+)|(?P<after>%{0,2}[A-Za-z_][\w.*]*)\s*\?\??)\s*$")
INTERPOLATED = re.compile(r"\$\$|\$\{?(?P<name>[A-Za-z_]\w*)|\{\{|\{(?P<expression>[^{}]+)\}")


class Cell:
    """A source made into plain Python, and what the rewriting found out on the way."""

    def __init__(self):
        self.weak = set()
        self.definitions = set()
        self.keeps_nothing = False
        self.may_be_magic = False
        self.opaque = None


def interpolated(text, cell):
    """The Python expressions that IPython puts into a shell line or the arguments of a magic."""
    found = []
    for match in INTERPOLATED.finditer(text):
        name = match.group("name")
        expression = match.group("expression")
        if name:
            cell.weak.add(name)
        elif expression:
            expression = expression.split("!")[0].split(":")[0] if not is_expression(expression) else expression
            if is_expression(expression):
                found.append("(" + expression.strip() + ")")
    return "(" + ",".join(found) + ",)" if found else "None"


def is_expression(text):
    try:
        ast.parse(text.strip(), mode="eval")
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def logical_lines(source):
    """(text, is_start): physical lines, and whether a statement may begin there: outside of strings and brackets and not after a backslash."""
    quote = None
    depth = 0
    continued = False
    for line in source.splitlines(keepends=True):
        is_start = quote is None and depth == 0 and not continued
        stripped = line.lstrip()
        if is_start and (stripped[:1] in "!%?,;/" or HELP.match(line) or ASSIGNED_MAGIC.match(line)) and stripped:
            continued = line.rstrip("\r\n").endswith("\\")
            yield line, True, continued
            # The line is not Python: its quotes and brackets mean nothing here, but it goes on after a backslash.
            if continued:
                quote = "\\"
            continue
        if quote == "\\":
            continued = line.rstrip("\r\n").endswith("\\")
            yield line, False, continued
            quote = "\\" if continued else None
            continue
        continued = False
        i = 0
        while i < len(line):
            c = line[i]
            if quote:
                if c == "\\":
                    i += 2
                    continue
                if line.startswith(quote, i):
                    i += len(quote)
                    quote = None
                    continue
            elif c == "#":
                break
            elif c in "'\"":
                quote = c * 3 if line.startswith(c * 3, i) else c
                i += len(quote)
                continue
            elif c in "([{":
                depth += 1
            elif c in ")]}":
                depth = max(0, depth - 1)
            elif c == "\\" and line[i + 1:].strip() == "":
                continued = True
            i += 1
        if quote and len(quote) == 1 and not line.rstrip("\r\n").endswith("\\"):
            quote = None  # An unfinished string ends with its line, as an error.
        yield line, is_start, False


def rewrite(source, cell):
    """The source with everything of IPython's written as Python, in as many lines."""
    source = with_sign(source, cell)
    lines = source.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return source
    head = lines[first].strip()
    if head.startswith("%%"):
        name, arguments = words(head[2:])
        body = "".join(lines[first + 1:])
        return "\n" * first + cell_magic(name, arguments, body, cell)
    out = []
    pending = None
    for line, is_start, continues in logical_lines(source):
        if pending is not None:
            pending[1].append(line)
            if not continues:
                out.append(finish(pending, cell))
                pending = None
            continue
        if is_start and is_special(line):
            pending = (line, [])
            if not continues:
                out.append(finish(pending, cell))
                pending = None
            continue
        out.append(line)
    if pending is not None:
        out.append(finish(pending, cell))
    return "".join(out)


def with_sign(source, cell):
    """A cell of one line that IPython runs as a magic though it has no sign: `pip install x`. What is Python as well, `ls -l`, is one unless the notebook has that name."""
    text = source.strip()
    match = AUTOMAGIC.fullmatch(text)
    if match is None:
        return source
    if is_statement(text):
        cell.may_be_magic = match.group("rest") is None or match.group("rest").lstrip()[0] not in "([.,:"
        return source
    return source.replace(text, "%" + text, 1)


def words(text):
    """The first word, and the rest."""
    parts = text.split(None, 1)
    return (parts[0] if parts else "", parts[1] if len(parts) > 1 else "")


def is_special(line):
    stripped = line.lstrip()
    return bool(stripped) and (stripped[0] in "!%?,;/" or HELP.match(line) is not None or ASSIGNED_MAGIC.match(line) is not None)


def finish(pending, cell):
    first, more = pending
    text = first + "".join(more)
    joined = text.replace("\\\n", " ").replace("\\\r\n", " ").rstrip("\r\n")
    return line_of(joined, cell) + "\n" * max(1, text.count("\n"))


def line_of(line, cell):
    indent = line[: len(line) - len(line.lstrip())]
    stripped = line.strip()
    help_match = HELP.match(line)
    if help_match:
        name = (help_match.group("before") or help_match.group("after") or "").lstrip("%").split(".")[0]
        if name.isidentifier():
            cell.weak.add(name)
        return indent + "pass"
    assigned = ASSIGNED_MAGIC.match(line)
    if assigned and stripped[0] not in "!%":
        if assigned.group("kind") == "%":
            name, rest = words(assigned.group("rest"))
            statement, functions = without_options(name, rest)
            if name in LINE_RUNNING and is_expression(statement):
                return assigned.group("left") + " = (" + ",".join(functions + [statement]) + ",)"
        return assigned.group("left") + " = " + interpolated(assigned.group("rest"), cell)
    if stripped[0] == "%":
        name, rest = words(stripped.lstrip("%"))
        return indent + line_magic(name, rest, stripped, cell)
    if stripped[0] in ",;/":
        # `/f a b` calls f(a, b); after a comma or a semicolon the words are texts.
        name, rest = words(stripped[1:])
        call = "%s(%s)" % (name, ", ".join(rest.split()) if stripped[0] == "/" else "")
        return indent + (call if is_expression(call) else stripped)
    return indent + interpolated(stripped, cell)


def line_magic(name, rest, line, cell):
    if name == "pylab":
        cell.opaque = "%pylab puts names into the notebook that nobody can know without running it. Import what you use from numpy and matplotlib."
    if name in LINE_RUNNING:
        statement, functions = without_options(name, rest)
        if name in KEEPS_NOTHING and is_statement(statement) and not is_expression(statement):
            return timed(statement)
        return "; ".join(["(" + f + ")" for f in functions] + [statement or "pass"])
    if name == "capture":
        return "pass"
    if name in SEEING_MAGICS or (name == "store" and rest.split() == ["-r"]):
        return "%s('%s', %s)" % (SEEN, name, interpolated(rest, cell))
    if name == "xdel" and without_options(name, rest)[0].isidentifier():
        return "del " + without_options(name, rest)[0]
    if name == "store" and rest:
        first = rest.split()[0]
        names = [w for w in rest.split(">", 1)[0].split() if w.isidentifier()]
        return "None" if not names or first in ("-d", "-z") else " = ".join(names + ["None"]) if first == "-r" else "(" + ",".join(names) + ",)"
    if name == "R":
        return exchanged(rest, cell)
    return interpolated(line, cell)


def timed(statement):
    """A statement that runs in a function of its own, on one line: a compound one cannot stand behind a colon, so that only what it takes is written."""
    simple = "def %s(): %s" % (TIMED, statement)
    if is_statement(simple):
        return simple
    try:
        function = symtable.symtable("def %s():\n %s" % (TIMED, statement), "<cell>", "exec").get_children()[0]
    except SyntaxError:
        return statement
    taken = {s.get_name() for s in function.get_symbols() if s.is_global() and s.is_referenced()}
    deferred(function, taken, set(), False)
    return "(" + "".join(n + "," for n in sorted(taken)) + ")"


def exchanged(arguments, cell):
    """What R is given and gives back: `-i a,b -o c`."""
    names = {"i": [], "o": []}
    for option, value in re.findall(r"(?:^|\s)-(?:-(?=input|output))?([io])(?:nput|utput)?[ =]*([\w.,=]+)", arguments):
        names[option] += [n.split("=")[-1] for n in value.split(",") if n.split("=")[-1].isidentifier()]
    cell.definitions.update(names["o"])
    return "(" + ",".join(names["i"]) + ",)" if names["i"] else "None"


def without_options(name, text):
    """The statement of a magic that runs one, and the expressions among its options."""
    text = " " + text
    functions = []
    while True:
        match = OPTION.match(text)
        if not match or (match.group("letter") and name == "time"):
            return text.strip(), functions
        text = text[match.end():]
        letter, value = match.group("letter"), match.group("attached")
        if letter and letter in VALUED.get(name, "") and not value:
            following = VALUE.match(text)
            value = following.group().strip() if following else ""
            text = text[following.end():] if following else text
        if letter and letter in EXPRESSED.get(name, "") and is_expression(value):
            functions.append(value)


def cell_magic(name, arguments, body, cell):
    expressions = interpolated(arguments, cell)
    if name in RUNNING:
        plain, _ = without_options(name, arguments)
        before = "\n"
        if name == "capture":
            cell.definitions.update(w for w in plain.split() if w.isidentifier())
        elif plain and is_statement(plain):
            before = plain + "\n"
        cell.keeps_nothing = name in KEEPS_NOTHING
        return before + rewrite(body, cell)
    if name == "R":
        return exchanged(arguments, cell) + "\n"
    if name == "cython":
        cell.definitions.update(n for found in re.findall(r"^(?:cp)?def\s+(?:[\w.\[\]*]+\s+)*(\w+)\s*\(|^(?:cdef\s+)?class\s+(\w+)", body, re.M) for n in found if n)
    if name in SCRIPTS:
        for option, value in re.findall(r"--(out|err|proc)[ =](\w+)", arguments):
            cell.definitions.add(value)
    return expressions + "\n"


def is_statement(text):
    try:
        ast.parse(text)
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


# ---------------------------------------------------------------- Names

# Methods that are called for what they do to their object, when nobody takes what they give.
CHANGING = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "discard", "pop", "popitem", "clear", "sort", "reverse"))
SEEING = frozenset(("exec", "eval", "globals"))


def changed(call):
    """What a call that stands alone changes in place, as far as its text says: `rows.append(1)`, `df.drop(..., inplace=True)`."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    is_in_place = any(k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value is True for k in call.keywords)
    return call.func if is_in_place or call.func.attr in CHANGING else None


class Names(ast.NodeVisitor):
    """Walks what runs with the cell itself, in the order in which it runs. Bodies of functions are left to the symbol tables."""

    def __init__(self):
        self.bound = set()          # names the cell may have given a value by here
        self.definitions = set()
        self.references = set()
        self.deletions = set()
        self.temporary = set()      # names that an except clause has and takes away again
        self.imports = {}           # name -> set of what it may be an import of; None for anything else
        self.mutations = []
        self.star = None
        self.scopes = []            # innermost last: ("comprehension" | "class" | "types", names)
        self.globals = [set()]      # names that a class body declares global
        self.conditional = 0

    # Reading and writing

    def read(self, name):
        skip_class = False
        for kind, names in reversed(self.scopes):
            if kind == "class" and skip_class:
                continue
            if name in names:
                return
            skip_class = skip_class or kind == "comprehension"
        if name not in self.bound:
            self.references.add(name)

    def write(self, name, what=None):
        if self.scopes and self.scopes[-1][0] in ("class", "types") and name not in self.globals[-1]:
            self.scopes[-1][1].add(name)
            return
        self.bound.add(name)
        self.definitions.add(name)
        self.deletions.discard(name)
        self.imports.setdefault(name, set()).add(what)

    def remove(self, name):
        if self.scopes and self.scopes[-1][0] == "class":
            self.scopes[-1][1].discard(name)
            return
        if name not in self.bound:
            self.references.add(name)
            self.deletions.add(name)
        elif not self.conditional:
            self.bound.discard(name)
            self.definitions.discard(name)
            self.deletions.add(name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.write(node.id)
        else:
            self.remove(node.id)

    def visit_NamedExpr(self, node):
        self.visit(node.value)
        # It goes past comprehensions, to the cell or the class.
        inner = []
        while self.scopes and self.scopes[-1][0] == "comprehension":
            inner.append(self.scopes.pop())
        self.write(node.target.id)
        self.scopes.extend(reversed(inner))

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.target(target)

    def visit_AugAssign(self, node):
        if isinstance(node.target, ast.Name):
            self.read(node.target.id)
        self.visit(node.value)
        self.target(node.target)

    def visit_AnnAssign(self, node):
        # In the order of Python: what a type hint reads may be what has just been written.
        if node.value is not None:
            self.visit(node.value)
            self.target(node.target)
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target)
        self.visit(node.annotation)

    def target(self, node):
        """A place that is written: a name, or a way through other objects."""
        if isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self.target(element)
        elif isinstance(node, ast.Starred):
            self.target(node.value)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            self.mutate(node)
            self.visit(node)
        else:
            self.visit(node)

    def mutate(self, node):
        base = node
        while isinstance(base, (ast.Attribute, ast.Subscript, ast.Call)):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id not in self.bound and not any(base.id in names for _, names in self.scopes):
            self.mutations.append((base.id, node.lineno, written(node)))

    def visit_Expr(self, node):
        if changed(node.value) is not None:
            self.mutate(node.value.func)
        self.visit(node.value)

    def visit_For(self, node):
        self.visit(node.iter)
        self.conditional += 1
        self.target(node.target)
        for statement in node.body + node.orelse:
            self.visit(statement)
        self.conditional -= 1

    visit_AsyncFor = visit_For

    def visit_While(self, node):
        self.visit(node.test)
        self.conditional += 1
        for statement in node.body + node.orelse:
            self.visit(statement)
        self.conditional -= 1

    def visit_If(self, node):
        self.visit_While(node)

    def visit_With(self, node):
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.target(item.optional_vars)
        for statement in node.body:
            self.visit(statement)

    visit_AsyncWith = visit_With

    def visit_Try(self, node):
        self.conditional += 1
        for statement in node.body:
            self.visit(statement)
        for handler in node.handlers:
            self.visit(handler)
        for statement in node.orelse:
            self.visit(statement)
        self.conditional -= 1
        for statement in node.finalbody:
            self.visit(statement)

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node):
        if node.type is not None:
            self.visit(node.type)
        if node.name and not (self.scopes and self.scopes[-1][0] == "class"):
            was_bound = node.name in self.bound
            self.bound.add(node.name)
            self.temporary.add(node.name)
            for statement in node.body:
                self.visit(statement)
            if not was_bound and node.name not in self.definitions:
                self.bound.discard(node.name)
            return
        if node.name:
            self.scopes[-1][1].add(node.name)
        for statement in node.body:
            self.visit(statement)

    def visit_Match(self, node):
        self.visit(node.subject)
        self.conditional += 1
        for case in node.cases:
            self.visit(case)
        self.conditional -= 1

    def visit_MatchAs(self, node):
        if node.pattern is not None:
            self.visit(node.pattern)
        if node.name:
            self.write(node.name)

    def visit_MatchStar(self, node):
        if node.name:
            self.write(node.name)

    def visit_MatchMapping(self, node):
        self.generic_visit(node)
        if node.rest:
            self.write(node.rest)

    def visit_Delete(self, node):
        for target in node.targets:
            self.delete(target)

    def delete(self, node):
        if isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self.delete(element)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            self.mutate(node)
            self.visit(node)
        else:
            self.visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            # `import a.b` binds a: the same object as `import a` and `import a.c` give.
            name = alias.asname or alias.name.split(".")[0]
            self.write(name, alias.name if alias.asname else name)

    def visit_ImportFrom(self, node):
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            return
        for alias in node.names:
            if alias.name == "*":
                self.star = self.star or (module, node.lineno)
            else:
                self.write(alias.asname or alias.name, module + ":" + alias.name)

    # What makes scopes

    def visit_FunctionDef(self, node):
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.signature(node)
        self.write(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self.defaults(node.args)

    def signature(self, node):
        self.defaults(node.args)
        types = self.type_names(node)
        a = node.args
        for argument in a.args + getattr(a, "posonlyargs", []) + a.kwonlyargs + [x for x in (a.vararg, a.kwarg) if x]:
            if argument.annotation is not None:
                self.visit(argument.annotation)
        if node.returns is not None:
            self.visit(node.returns)
        if types:
            self.scopes.pop()

    def defaults(self, arguments):
        for default in arguments.defaults + [d for d in arguments.kw_defaults if d is not None]:
            self.visit(default)

    def type_names(self, node):
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return False
        self.scopes.append(("types", {p.name for p in parameters}))
        for parameter in parameters:
            for field in ("bound", "default_value"):
                if getattr(parameter, field, None) is not None:
                    self.visit(getattr(parameter, field))
        return True

    def visit_TypeAlias(self, node):
        types = self.type_names(node)
        self.visit(node.value)
        if types:
            self.scopes.pop()
        self.write(node.name.id)

    def visit_ClassDef(self, node):
        for decorator in node.decorator_list:
            self.visit(decorator)
        types = self.type_names(node)
        for base in node.bases:
            self.visit(base)
        for keyword in node.keywords:
            self.visit(keyword)
        self.scopes.append(("class", set()))
        self.globals.append({n for s in node.body if isinstance(s, ast.Global) for n in s.names})
        for statement in node.body:
            self.visit(statement)
        self.globals.pop()
        self.scopes.pop()
        if types:
            self.scopes.pop()
        self.write(node.name)

    def comprehension(self, node, results):
        self.visit(node.generators[0].iter)
        names = set()
        for generator in node.generators:
            names.update(n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        self.scopes.append(("comprehension", names))
        for i, generator in enumerate(node.generators):
            if i > 0:
                self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        for result in results:
            self.visit(result)
        self.scopes.pop()

    def visit_ListComp(self, node):
        self.comprehension(node, [node.elt])

    visit_SetComp = visit_ListComp

    def visit_GeneratorExp(self, node):
        self.comprehension(node, [node.elt])

    def visit_DictComp(self, node):
        self.comprehension(node, [node.key, node.value])

    def visit_Global(self, node):
        pass


def written(node):
    try:
        return ast.unparse(node)
    except Exception:
        return "a part of it"


def deferred(table, reads, writes, is_immediate=True):
    """Global names that the functions and classes below a symbol table read and write, when they are called."""
    for child in table.get_children():
        # A comprehension has a table of its own, but runs where it stands: the walk has seen what it reads and writes, in its order. A generator may run later.
        is_walked = is_immediate and ".0" in child.get_identifiers() and child.get_name() != "genexpr"
        for symbol in child.get_symbols():
            if symbol.is_global() and not is_walked:
                if symbol.is_referenced():
                    reads.add(symbol.get_name())
                if symbol.is_assigned() or symbol.is_imported():
                    writes.add(symbol.get_name())
        deferred(child, reads, writes, is_walked)


class Uninlined(ast.NodeTransformer):
    """Comprehensions of functions as generators. From 3.12 on the compiler puts the former into their function, and of a name that one has for its own and another reads its tables then say one thing only."""

    depth = 0

    def function(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = function

    def comprehension_of(self, node):
        self.generic_visit(node)
        if not self.depth:
            return node
        element = ast.Tuple([node.key, node.value], ast.Load()) if isinstance(node, ast.DictComp) else node.elt
        return ast.GeneratorExp(element, node.generators)

    visit_ListComp = visit_SetComp = visit_DictComp = comprehension_of


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


def tables(source, tree, names):
    if sys.version_info >= (3, 12) and any(isinstance(n, COMPREHENSIONS) and any(isinstance(m, COMPREHENSIONS) for c in ast.iter_child_nodes(n) for m in ast.walk(c)) for n in ast.walk(tree)):
        tree = Uninlined().visit(copy.deepcopy(tree))
        source = ast.unparse(ast.fix_missing_locations(tree))
    try:
        return symtable.symtable(source, "<cell>", "exec")
    except SyntaxError:
        # Await outside of functions, which IPython allows: the same in a function whose names are all global.
        stored = sorted(names)
        body = ([ast.Global(names=stored)] if stored else []) + tree.body
        wrapper = ast.parse("async def f(): pass")
        wrapper.body[0].body = body or [ast.Pass()]
        return symtable.symtable(ast.unparse(ast.fix_missing_locations(wrapper)), "<cell>", "exec").get_children()[0]


class FunctionMutations(ast.NodeVisitor):
    """Writes through names of other cells inside of functions."""

    def __init__(self, names):
        self.names = names
        self.found = []
        self.locals = []

    def function(self, node):
        own = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
        own |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        own |= {a.asname or a.name.split(".")[0] for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
        self.locals.append(own)
        self.generic_visit(node)
        self.locals.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = function

    def place(self, node):
        if self.locals and not isinstance(node.ctx, ast.Load):
            self.note(node)
        self.generic_visit(node)

    def note(self, node):
        base = node
        while isinstance(base, (ast.Attribute, ast.Subscript, ast.Call)):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id not in self.names and not any(base.id in names for names in self.locals):
            self.found.append((base.id, node.lineno, written(node)))

    visit_Attribute = visit_Subscript = place

    def visit_Expr(self, node):
        if self.locals and changed(node.value) is not None:
            self.note(node.value.func)
        self.generic_visit(node)


def is_private(name):
    return name.startswith("_")


def is_own(name):
    """A private name that is the cell's: not one of IPython's, of Python's or of ours."""
    return is_private(name) and not OWN_PRIVATE.fullmatch(name)


def passing(tree, candidates):
    """Of private names those that nothing can want any more when the cell has run. Functions, classes and type hints are found by their names later (pickle, get_type_hints), and a text that has a name may be evaluated."""
    left = set(candidates)
    for node in ast.walk(tree):
        if not left:
            break
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            left.discard(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            left.difference_update(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SEEING | {SEEN, "locals", "vars"}:
            return set()
        for hint_of in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(hint_of, ast.AST):
                left.difference_update(n.id for n in ast.walk(hint_of) if isinstance(n, ast.Name))
    return left


def analyse(source):
    cell = Cell()
    plain = rewrite(source, cell)
    try:
        tree = compile(plain, "<cell>", "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
        names = Names()
        names.visit(tree)
        if names.star is not None:
            module, line = names.star
            return failure("starImport", "from %s import * defines names that nobody can know without running it. Import the names you use." % module, line)
        compile(tree, "<cell>", "exec", FLAGS, dont_inherit=True)
        reads, writes = set(), set()
        deferred(tables(plain, tree, names.definitions), reads, writes)
    except SyntaxError as error:
        if error.msg and "import *" in error.msg:
            return failure("starImport", "import * is allowed nowhere in a reactive notebook. Import the names you use.", error.lineno or 0)
        return failure("syntaxError", "%s (line %s)" % (error.msg, error.lineno or 0), error.lineno or 0)
    except ValueError as error:
        return failure("syntaxError", str(error), 0)
    except (RecursionError, MemoryError):
        return failure("notAnalysed", TOO_DEEP, 0)
    if cell.opaque:
        return failure("starImport", cell.opaque, 0)
    for name in writes:
        names.write(name)
    definitions = names.definitions | cell.definitions
    deletions = (names.deletions | names.temporary) - definitions
    references = names.references | {r for r in reads if r not in definitions and r not in names.bound and r not in names.temporary}
    if cell.keeps_nothing:
        references -= definitions
        definitions = set(writes)
    functions = FunctionMutations(names.bound | definitions)
    functions.visit(tree)
    mutations = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SEEING and node.func.id not in definitions:
            mutations[node.func.id, node.lineno] = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == SEEN:
            mutations["%" + ast.literal_eval(node.args[0]), node.lineno] = None
    for name, line, text in names.mutations + functions.found:
        if not is_private(name) and name not in definitions:
            mutations.setdefault((name, line), text)
    strangers = {r for r in references if is_private(r) and r not in definitions and r not in deletions and not OWN_PRIVATE.fullmatch(r)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in strangers:
            strangers.discard(node.id)
            mutations[node.id, node.lineno] = ""
    weak = {r for r in references | cell.weak if r in BUILTINS or cell.may_be_magic} | (cell.weak - definitions)
    imports = {}
    for name, kinds in names.imports.items():
        if len(kinds) == 1 and None not in kinds and name in definitions:
            imports[name] = next(iter(kinds))
    everything = definitions | references | deletions
    return {
        "definitions": public(definitions),
        "references": public(r for r in references if r not in weak),
        "deletions": public(deletions),
        "weak": public(weak),
        "privates": sorted(n for n in everything if is_private(n) and n not in (TIMED, SEEN)),
        "kept": sorted(n for n in definitions & reads if is_private(n)),
        "written": sorted(n for n in definitions if is_own(n)),
        "passing": sorted(passing(tree, {n for n in definitions - reads - references - writes if is_own(n)})),
        "imports": {n: w for n, w in sorted(imports.items()) if not is_private(n)},
        "mutations": [{"name": n, "line": l, "hint": hint(n, t)} for (n, l), t in sorted(mutations.items(), key=lambda m: (m[0][1], m[0][0]))],
    }


def hint(name, text):
    if text is None:
        return "%s sees and makes names of the notebook by their texts, which is not in the graph: write the names themselves." % name
    if text == "":
        return "%s is read here, and no line of this cell writes it: names with an underscore belong to their cell. Define it here, or name it without the underscore." % name
    return "%s changes an object that another cell made: cells that read %s are not run again for it. Do it in the cell that defines %s, or make a new object here." % (text, name, name)


def public(names):
    return sorted(n for n in names if not is_private(n))


TOO_DEEP = "This cell is nested too deeply to be analysed."


def failure(kind, message, line):
    return {"error": {"kind": kind, "message": message, "line": line}}


def serve():
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except Exception:
        pass
    import threading
    import warnings
    warnings.simplefilter("ignore")  # An invalid escape in a cell is the kernel's to say.
    # A sum of some hundred texts or a chain of as many calls is nested as deep in the syntax tree, and what the kernel can compile is to be read: so on a stack for it.
    try:
        threading.stack_size(512 << 20)
        sys.setrecursionlimit(20000)
        thread = threading.Thread(target=answer_all)
        thread.start()
    except (ValueError, RuntimeError):
        sys.setrecursionlimit(1000)
        answer_all()
        return
    thread.join()


def answer_all():
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while True:
        line = incoming.readline()
        if not line:
            return
        request = json.loads(line)
        source = request["source"]
        answer = {}
        try:
            if "rename" in request:
                answer["text"] = None
                answer["text"] = renamed(source, request["rename"])
            else:
                answer = analyse(source)
                if request.get("bindings") and "error" not in answer:
                    answer["bindings"] = bindings(source)
        except (RecursionError, MemoryError):
            answer = answer or failure("notAnalysed", TOO_DEEP, 0)
        answer["id"] = request["id"]
        outgoing.write(json.dumps(answer).encode("ascii") + b"\n")
        outgoing.flush()
