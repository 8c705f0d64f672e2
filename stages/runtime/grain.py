"""What of a file of Python decides a result: its syntax tree without what is only said.

Left out are the words of logs, of errors and of help texts, and what runs for a type checker alone,
so that an edit of a sentence or of a progress interval reruns nothing. A door's table is left out
too: the modules that a run has chosen there are counted by themselves, so that one method more
reruns nothing either.
"""

import ast

TOLD = frozenset({"say", "Progress"})  # calls whose arguments only people see
FAULTS = frozenset({"add", "caught"})  # of `faults`, likewise
COUNTS = frozenset({"told", "left_out"})  # counters by words, for the screen


def deciding(tree: ast.Module) -> ast.Module:
    """The part of a syntax tree that decides results; `tree` is changed in place.

    Left out are the bodies of `if TYPE_CHECKING`, the arguments of calls of `say` and `Progress`,
    those of the exception in `raise`, those of `faults.add` and `faults.caught`, the words by which
    `told` and `left_out` count, the keyword `help` of `add_argument`, the bodies of functions whose
    return annotation is `Sentence`, the values of constants of that type, and the tables of doors.
    """
    _Grain().visit(tree)
    return tree


class _Grain(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if _name(node.test) == "TYPE_CHECKING" else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = _name(node.func)
        if name in TOLD or (name in FAULTS and _owner(node.func) == "faults"):
            node.args, node.keywords = [], []
        elif name == "add_argument":
            node.keywords = [word for word in node.keywords if word.arg != "help"]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_word = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        if is_word and _name(node.value) in COUNTS:
            node.slice = ast.Constant("")
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if "Sentence" in ast.unparse(node.annotation):
            node.value = None
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        if node.values and all(_is_method(value) for value in node.values):
            node.keys, node.values = [], []
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if node.returns is not None and _name(node.returns) == "Sentence":
            node.body = []
        return node


def _is_method(node: ast.expr) -> bool:
    """Whether this makes an entry of a door's table."""
    return isinstance(node, ast.Call) and _name(node.func) == "Method"


def _owner(node: ast.expr) -> str:
    """The name before the last dot."""
    return _name(node.value) if isinstance(node, ast.Attribute) else ""


def _name(node: ast.expr) -> str:
    """The last name of `a.b.c`, or nothing for another expression."""
    return getattr(node, "attr", getattr(node, "id", ""))
