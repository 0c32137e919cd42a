"""Says of each name node of a cell which value it has: the cell's own, an earlier cell's, one of both, or whichever is there when a function is called; and renames nodes in the text.

A second part of cell_analyser.py, whose names it uses. A node is named by its place among all of the cell's (`ast.walk`), which is the same each time the same text is parsed.
Where anything is in doubt, the name is `fixed`, with the reason: nobody renames it then. `opaque` is a reason why no name of the whole notebook may be renamed.
"""

# Lines of IPython's that can see no name of the notebook but those that are put into them.
BLIND_MAGICS = {
    "matplotlib", "config", "load_ext", "reload_ext", "unload_ext", "autoreload", "precision", "pip", "conda", "mamba", "uv", "cd", "pwd", "ls", "ll", "cat", "mkdir", "env", "set_env", "time", "system", "sx",
    "colors", "xmode", "pprint", "alias", "bookmark", "lsmagic", "quickref", "automagic", "history", "hist", "notebook", "watermark", "pinfo", "pdoc", "psource", "capture",
}
BLIND_CELL_MAGICS = SCRIPTS | {"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "writefile", "file"} | (RUNNING - KEEPS_NOTHING)
SEEING = {"exec", "eval", "compile", "globals", "get_ipython", "__builtins__", "__import__"}
SEEING_HERE = {"locals", "vars", "dir"}
SEEING_ATTRIBUTES = {"_getframe", "currentframe", "f_globals", "f_locals", "__globals__", "user_ns", "dump_session", "load_session", "dump_module", "load_module", "run_cell", "run_line_magic"}
CONSUMERS = {"sum", "any", "all", "min", "max", "list", "set", "tuple", "dict", "sorted", "frozenset"}
# Contexts that are known to let every exception through: what was written within them is there afterwards.
PLAIN_CONTEXTS = {"open", "catch_warnings", "no_grad", "errstate", "option_context"}
IMMUTABLE_CALLS = {"len", "int", "float", "str", "bool", "ord", "chr", "repr"}
WORD = re.compile(r"[^\W\d]\w*")


class Flow(ast.NodeVisitor):
    """Walks a cell in the order of execution with the names that it has written on every path, and on some."""

    def __init__(self, ordinals):
        self.ordinals = ordinals
        self.must, self.may = set(), set()
        self.uses = []              # [name, ordinal, line, "read" | "write" | "augment" | "loop", "old" | "new" | "both" | "deferred"]
        self.fixed = {}
        self.words = set()          # identifiers in texts that somebody may evaluate
        self.opaque = None
        self.scopes = []            # innermost last: (kind, names)
        self.deferred = 0
        self.globals = []           # of the functions around: names declared global
        self.constant = {}          # name -> whether all that this cell gives it can only be immutable
        self.given = None
        self.writes_kind = "write"

    # Names

    def is_local(self, name):
        inner = True
        for kind, names in reversed(self.scopes):
            if kind == "function" and name in names[1]:
                return False  # declared global
            own = names[0] if kind == "function" else names
            if name in own and (kind != "class" or inner):
                return True
            inner = inner and kind == "types"
        return False

    def class_has(self, name):
        return bool(self.scopes) and self.scopes[-1][0] == "class" and name in self.scopes[-1][1]

    def state(self, name):
        return "deferred" if self.deferred else "new" if name in self.must else "both" if name in self.may else "old"

    def fix(self, name, why):
        self.fixed.setdefault(name, why)

    def visit_Name(self, node):
        name = node.id
        if isinstance(node.ctx, ast.Load):
            self.seeing(node)
            if self.class_has(name):
                self.fix(name, "a class has a name of its own like it")
            elif not self.is_local(name):
                self.uses.append([name, self.ordinals[node], node.lineno, "read", self.state(name)])
        elif isinstance(node.ctx, ast.Store):
            if not self.is_local(name):
                self.write(node, name)
        elif not self.is_local(name):
            self.fix(name, "del takes it away")
            self.must.discard(name)

    def write(self, node, name):
        if self.deferred:
            self.fix(name, "a function writes it")
            return
        self.uses.append([name, self.ordinals[node], node.lineno, self.writes_kind, "new"])
        if self.given is not node:
            self.constant[name] = False
        self.must.add(name)
        self.may.add(name)

    def bind(self, name, why):
        """Binds a name that is no node of its own."""
        if self.is_local(name):
            return
        self.fix(name, why)
        if not self.deferred:
            self.must.add(name)
            self.may.add(name)

    def seeing(self, node):
        if node.id in SEEING or (node.id in SEEING_HERE and not self.deferred and not getattr(node, "has_arguments", False)):
            if not self.is_local(node.id):
                self.opaque = self.opaque or "%s (line %d) may see names of the notebook by their texts" % (node.id, node.lineno)

    # Paths

    def branch(self, *paths, optional=False):
        """Walks alternatives from the same state. With `optional`, none of them may be taken."""
        must, may = set(self.must), set(self.may)
        ends, every = [set(must)] if optional else [], set(may)
        for path in paths:
            self.must, self.may = set(must), set(may)
            path()
            ends.append(self.must)
            every |= self.may
        self.must, self.may = set.intersection(*ends) if ends else must, every

    def all(self, nodes):
        for node in nodes:
            self.visit(node)

    def again(self, nodes):
        """What is written anywhere in a loop may have been written in an earlier round."""
        for node in nodes:
            self.may |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}

    def visit_If(self, node):
        self.visit(node.test)
        self.branch(lambda: self.all(node.body), lambda: self.all(node.orelse))

    def visit_IfExp(self, node):
        self.visit(node.test)
        self.branch(lambda: self.visit(node.body), lambda: self.visit(node.orelse))

    def visit_BoolOp(self, node):
        self.visit(node.values[0])
        self.branch(lambda: self.all(node.values[1:]), optional=True)

    def visit_Compare(self, node):
        self.visit(node.left)
        self.visit(node.comparators[0])
        self.branch(lambda: self.all(node.comparators[1:]), optional=True)

    def visit_Assert(self, node):
        self.branch(lambda: self.generic_visit(node), optional=True)

    def visit_Dict(self, node):
        for key, value in zip(node.keys, node.values):
            if key is not None and not isinstance(key, ast.Constant):
                self.visit(key)
            self.visit(value)

    def visit_For(self, node):
        self.visit(node.iter)

        def body():
            self.again([node.target] + node.body)
            kind, self.writes_kind = self.writes_kind, "loop"
            self.visit(node.target)
            self.writes_kind = kind
            self.all(node.body)
        self.branch(body, optional=True)
        self.branch(lambda: self.all(node.orelse), optional=True)

    visit_AsyncFor = visit_For

    def visit_While(self, node):
        self.again([node.test] + node.body)
        self.visit(node.test)
        self.branch(lambda: self.all(node.body), optional=True)
        self.branch(lambda: self.all(node.orelse), optional=True)

    def visit_With(self, node):
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                kind, self.writes_kind = self.writes_kind, "loop"
                self.visit(item.optional_vars)
                self.writes_kind = kind
        if all(is_plain_context(item.context_expr) for item in node.items):
            self.all(node.body)
        else:
            self.branch(lambda: self.all(node.body), optional=True)

    visit_AsyncWith = visit_With

    def visit_Try(self, node):
        before = set(self.must)

        def handler(h):
            self.again(node.body)
            self.visit(h)

        def body():
            self.all(node.body)
            self.all(node.orelse)
        self.branch(body, *[lambda h=h: handler(h) for h in node.handlers])
        if node.finalbody:
            self.again(node.body + node.orelse + node.handlers)
            after, self.must = self.must, before
            self.all(node.finalbody)
            self.must |= after

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node):
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name, "except takes it away when it is done")
        self.all(node.body)
        if node.name:
            self.must.discard(node.name)

    def visit_Match(self, node):
        self.visit(node.subject)

        def case(c):
            for n in ast.walk(c.pattern):
                for field in ("name", "rest"):
                    if isinstance(getattr(n, field, None), str):
                        self.bind(getattr(n, field), "a pattern binds it")
            self.visit(c.pattern)
            if c.guard is not None:
                self.visit(c.guard)
            self.all(c.body)
        captured = {getattr(n, f) for c in node.cases for n in ast.walk(c.pattern) for f in ("name", "rest") if isinstance(getattr(n, f, None), str)}
        self.may |= {n for n in captured if not self.is_local(n)}
        self.branch(*[lambda c=c: case(c) for c in node.cases], optional=True)

    # Writing

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.gives(target, node.value)
            self.visit(target)

    def gives(self, target, value):
        self.given = target
        self.constant[target.id] = self.constant.get(target.id, True) and is_immutable(value)

    def visit_AugAssign(self, node):
        if not isinstance(node.target, ast.Name):
            self.generic_visit(node)
            return
        name = node.target.id
        if self.is_local(name):
            self.visit(node.value)
            return
        state = self.state(name)
        self.visit(node.value)
        if self.deferred:
            self.fix(name, "a function writes it")
            return
        self.gives(node.target, node.value)
        self.uses.append([name, self.ordinals[node.target], node.lineno, "augment", state])
        self.must.add(name)
        self.may.add(name)

    def visit_AnnAssign(self, node):
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            if isinstance(node.target, ast.Name):
                self.gives(node.target, node.value)
            self.visit(node.target)
        elif isinstance(node.target, ast.Name):
            if not self.is_local(node.target.id):
                self.fix(node.target.id, "it is declared without a value")
        else:
            self.visit(node.target)

    def visit_NamedExpr(self, node):
        self.visit(node.value)
        inner = []
        while self.scopes and self.scopes[-1][0] == "comprehension":
            inner.append(self.scopes.pop())
        self.visit(node.target)
        self.scopes.extend(reversed(inner))

    def visit_Import(self, node):
        for alias in node.names:
            if alias.name.split(".")[0] == "__main__":
                self.opaque = self.opaque or "the notebook's own module is imported (line %d)" % node.lineno
            self.bind(alias.asname or alias.name.split(".")[0], "it is imported")

    def visit_ImportFrom(self, node):
        if node.module == "__main__":
            self.opaque = self.opaque or "the notebook's own module is imported (line %d)" % node.lineno
        for alias in node.names:
            if alias.name != "*" and node.module != "__future__":
                self.bind(alias.asname or alias.name, "it is imported")

    # Scopes

    def function(self, node, body):
        arguments = [a.arg for a in arguments_of(node.args)]
        names, declared = bound_in(body)
        nonlocal_names = {n for s in body for x in own_nodes(s) if isinstance(x, ast.Nonlocal) for n in x.names}
        self.scopes.append(("function", ((names | set(arguments)) - declared - nonlocal_names, declared)))
        self.deferred += 1
        for name in declared:
            self.fix(name, "a function declares it global")
        self.all(body)
        self.deferred -= 1
        self.scopes.pop()

    def visit_FunctionDef(self, node):
        self.all(node.decorator_list)
        self.defaults(node.args)
        types = self.type_names(node)
        for argument in arguments_of(node.args):
            if argument.annotation is not None:
                self.visit(argument.annotation)
        if node.returns is not None:
            self.visit(node.returns)
        self.function(node, node.body)
        if types:
            self.scopes.pop()
        self.bind(node.name, "def binds it")

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self.defaults(node.args)
        self.function(node, [ast.Expr(node.body)])

    def defaults(self, arguments):
        self.all(arguments.defaults + [d for d in arguments.kw_defaults if d is not None])

    def type_names(self, node):
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return False
        self.scopes.append(("types", {p.name for p in parameters}))
        self.later(lambda: [self.visit(getattr(p, f)) for p in parameters for f in ("bound", "default_value") if getattr(p, f, None) is not None])
        return True

    def later(self, walk):
        self.deferred += 1
        walk()
        self.deferred -= 1

    def visit_TypeAlias(self, node):
        types = self.type_names(node)
        self.later(lambda: self.visit(node.value))
        if types:
            self.scopes.pop()
        self.bind(node.name.id, "type binds it")

    def visit_ClassDef(self, node):
        self.all(node.decorator_list)
        types = self.type_names(node)
        self.all(node.bases + node.keywords)
        names, declared = bound_in(node.body)
        for name in declared:
            self.fix(name, "a class declares it global")
        self.scopes.append(("class", names - declared))
        self.all(node.body)
        self.scopes.pop()
        if types:
            self.scopes.pop()
        self.bind(node.name, "class binds it")

    def comprehension(self, node, results, is_lazy=False):
        self.visit(node.generators[0].iter)
        names = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

        def body():
            self.may |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
            self.scopes.append(("comprehension", names))
            for i, generator in enumerate(node.generators):
                if i > 0:
                    self.visit(generator.iter)
                self.visit(generator.target)
                self.all(generator.ifs)
            self.all(results)
            self.scopes.pop()
        if is_lazy:
            self.later(body)
        else:
            self.branch(body, optional=True)

    def visit_ListComp(self, node):
        self.comprehension(node, [node.elt])

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node):
        self.comprehension(node, [node.key, node.value])

    def visit_GeneratorExp(self, node):
        self.comprehension(node, [node.elt], is_lazy=not getattr(node, "is_consumed", False))

    # Texts

    def visit_Call(self, node):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in SEEING_HERE and (node.args or node.keywords):
            node.func.has_arguments = True
        if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and (
                name in CONSUMERS and name not in self.may or isinstance(node.func, ast.Attribute) and node.func.attr == "join" and isinstance(node.func.value, ast.Constant)):
            node.args[0].is_consumed = True
        if name == "print":
            self.visit(node.func)
            for argument in node.args:
                self.shown(argument)
            self.all(node.keywords)
            return
        self.generic_visit(node)

    def shown(self, node):
        """A text that is printed is evaluated by nobody."""
        if isinstance(node, ast.JoinedStr):
            for value in node.values:
                if not isinstance(value, ast.Constant):
                    self.visit(value)
        elif not isinstance(node, ast.Constant):
            self.visit(node)

    def visit_Subscript(self, node):
        self.visit(node.value)
        keys = node.slice.elts if isinstance(node.slice, (ast.List, ast.Tuple)) else [node.slice]
        if any(not isinstance(k, ast.Constant) for k in keys):
            for key in keys:
                if not isinstance(key, ast.Constant):
                    self.visit(key)

    def visit_Attribute(self, node):
        if node.attr in SEEING_ATTRIBUTES or node.attr == "modules" and isinstance(node.value, ast.Name) and node.value.id == "sys":
            self.opaque = self.opaque or "%s (line %d) may see names of the notebook by their texts" % (node.attr, node.lineno)
        self.visit(node.value)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and len(node.value) < 100_000:
            words = WORD.findall(node.value)
            self.words.update(words)
            if "__main__" in words:
                self.opaque = self.opaque or "a text names the notebook's own module (line %d)" % node.lineno

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Global(self, node):
        pass


def arguments_of(arguments):
    return [*getattr(arguments, "posonlyargs", []), *arguments.args, *arguments.kwonlyargs, *(a for a in (arguments.vararg, arguments.kwarg) if a)]


def is_plain_context(node):
    function = node.func if isinstance(node, ast.Call) else None
    name = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else None
    return name in PLAIN_CONTEXTS


def is_immutable(node):
    """Whether a value can only be a number, a text or the like: what `x += 1` makes anew and does not change in place."""
    if isinstance(node, (ast.Constant, ast.JoinedStr)):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_immutable(node.operand)
    if isinstance(node, ast.BinOp):
        return is_immutable(node.left) and is_immutable(node.right)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMMUTABLE_CALLS


def own_nodes(statement):
    """The nodes of a function's or class's own scope: not what is in the scopes within."""
    yield statement
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        inner = getattr(statement, "decorator_list", []) + getattr(statement, "bases", []) + getattr(statement, "keywords", [])
        if hasattr(statement, "args"):
            inner += statement.args.defaults + [d for d in statement.args.kw_defaults if d is not None]
        for node in inner:
            yield from own_nodes(node)
        return
    for child in ast.iter_child_nodes(statement):
        yield from own_nodes(child)


def bound_in(body):
    """(names that these statements bind in their own scope, names that they declare global)."""
    names, declared = set(), set()
    for statement in body:
        hidden = set()
        for node in own_nodes(statement):
            if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
                hidden.update(id(n) for g in node.generators for n in ast.walk(g.target))
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in hidden:
                names.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names.update(a.asname or a.name.split(".")[0] for a in node.names)
            elif isinstance(node, ast.Global):
                declared.update(node.names)
            elif isinstance(getattr(node, "name", None), str) and isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                names.add(node.name)
            elif isinstance(getattr(node, "rest", None), str):
                names.add(node.rest)
    return names, declared


def name_nodes(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name)]


def parse(source, cell):
    plain = rewrite(source, cell)
    return plain, compile(plain, "<cell>", "exec", FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)


def bindings(source):
    """{"uses", "fixed", "ends", "words", "opaque", "constant"}, or None of a text that cannot be read."""
    cell = Cell()
    try:
        plain, tree = parse(source, cell)
        nodes = name_nodes(tree)
        flow = Flow({node: i for i, node in enumerate(nodes)})
        flow.visit(tree)
        reads, writes = set(), set()
        deferred(tables(plain, tree, {n.id for n in nodes}), reads, writes)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for name in writes:
        flow.fix(name, "a function writes it")
    # The compiler's own tables have the last word on what functions read.
    for name in {u[0] for u in flow.uses if u[4] == "deferred"} - reads:
        flow.fix(name, "it is not clear what reads it")
    for name in reads - {u[0] for u in flow.uses}:
        flow.fix(name, "it is not clear what reads it")
    own = lines_of(source)
    seen = lines_of(plain)
    rewritten = {i + 1 for i in range(max(len(own), len(seen))) if (own[i] if i < len(own) else None) != (seen[i] if i < len(seen) else None)}
    for node in nodes:
        if rewritten.intersection(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
            flow.fix(node.id, "a line of IPython's has it")
    for name in cell.weak | cell.definitions:
        flow.fix(name, "a line of IPython's has it")
    if cell.keeps_nothing:
        for node in nodes:
            flow.fix(node.id, "%%timeit has it")
    return {
        "uses": flow.uses,
        "fixed": flow.fixed,
        "ends": {n: "must" if n in flow.must else "may" for n in sorted(flow.may)},
        "words": sorted(flow.words),
        "opaque": flow.opaque or seeing_magic(source),
        "constant": sorted(n for n, c in flow.constant.items() if c),
    }


def seeing_magic(source):
    """Why a magic may see names that are not in its line; None when there is none such."""
    source = with_sign(source, Cell())
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    if first.startswith("%%"):
        name = first[2:].split(None, 1)[0] if first[2:].strip() else ""
        if name not in BLIND_CELL_MAGICS:
            return "nobody knows what names %%%%%s sees" % name
        if name not in RUNNING:
            return None
        source = source.split(first, 1)[1]
    for line, is_start, _ in logical_lines(source):
        stripped = line.strip()
        if not is_start or not is_special(line) or HELP.match(line) or stripped.startswith("!"):
            continue
        assigned = ASSIGNED_MAGIC.match(line) if stripped[0] != "%" else None
        if assigned and assigned.group("kind") == "!":
            continue
        name = (assigned.group("rest") if assigned else stripped.lstrip("%")).partition(" ")[0]
        if name not in BLIND_MAGICS:
            return "nobody knows what names %%%s sees" % name
    return None


def lines_of(source):
    return re.split("\r\n|\r|\n", source)


def renamed(source, changes):
    """The text with nodes renamed, {ordinal: [name, value]}: byte for byte as it was but for these names. An `x += 1` whose new name is not its old one becomes `x_1 = x + 1`, with `value` the name
    that it reads. None when the text would not be what is meant: the new text's tree is compared with the old one, renamed."""
    tree = parse(source, Cell())[1]
    nodes = name_nodes(tree)
    augmented = {s.target: s for s in ast.walk(tree) if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)}
    starts = [0]
    starts += [m.end() for m in re.finditer("\r\n|\r|\n", source)]
    lines = lines_of(source)

    def place(line, column):
        return starts[line - 1] + len(lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass"))

    edits = {}
    for ordinal, (name, value) in changes.items():
        node = nodes[int(ordinal)]
        at = place(node.lineno, node.col_offset)
        end = at + len(node.id)
        if source[at:end] != node.id or source[end:end + 1].isidentifier() or at in edits:
            return None
        edits[at] = (end, name)
        statement = augmented.get(node)
        if statement is not None and value is not None:
            first = place(statement.value.lineno, statement.value.col_offset)
            last = place(statement.value.end_lineno, statement.value.end_col_offset)
            between = source[end:first]
            match = re.fullmatch(r"(\s*)([-+*/%&|^@<>]{1,2})=(\s*)", between)
            if match is None:
                return None  # A comment, a bracket or the end of a line in between.
            is_closed = isinstance(statement.value, (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript))
            edits[end] = (first, "%s= %s %s%s%s" % (match.group(1) or " ", value, match.group(2), match.group(3) or " ", "" if is_closed else "("))
            if not is_closed:
                edits[last] = (last, ")")
    text = source
    for at in sorted(edits, reverse=True):
        end, new = edits[at]
        text = text[:at] + new + text[end:]
    wanted = Renamed({nodes[int(o)]: c for o, c in changes.items()}).visit(tree)
    try:
        found = parse(text, Cell())[1]
    except (SyntaxError, ValueError):
        return None
    return text if ast.dump(found) == ast.dump(wanted) else None


class Renamed(ast.NodeTransformer):
    def __init__(self, changes):
        self.changes = changes

    def visit_AugAssign(self, node):
        change = self.changes.get(node.target)
        self.generic_visit(node)
        if change is None or change[1] is None:
            return node
        left = ast.Name(change[1], ast.Load())
        return ast.Assign(targets=[node.target], value=ast.BinOp(left, node.op, node.value), type_comment=None)

    def visit_Name(self, node):
        if node in self.changes:
            node.id = self.changes[node][0]
        return node


if __name__ == "__main__":
    serve()
