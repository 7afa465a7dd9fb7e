import { Random } from "./random.ts";

/* Random Starlark programs. Most of what they say makes sense, so that they get far before something fails. */

type Kind = "int" | "float" | "str" | "bool" | "list" | "dict" | "tuple" | "set" | "bytes" | "any";

const KINDS: readonly Kind[] = [
  "int",
  "float",
  "str",
  "bool",
  "list",
  "dict",
  "tuple",
  "set",
  "bytes",
  "any",
];

const STRINGS = [
  '""',
  '"a"',
  '"abc"',
  "'it\\'s'",
  '"a b  c"',
  '"x=%s"',
  '"%d%%"',
  '"{}-{}"',
  '"{a}{b}"',
  '"é"',
  '"日本"',
  '"\\n\\t\\\\"',
  '"A1b2"',
  '"  pad "',
  '"aXbXc"',
  'r"\\d"',
  '"""tri\nple"""',
  '"ǅ"',
  '"%s and %r"',
  '"K"',
  '"0x1f"',
  '"-12"',
  '"ß"',
  '"\\u00ff"',
  '"1.5"',
];
const INTS = [
  "0",
  "1",
  "2",
  "3",
  "-1",
  "7",
  "10",
  "-5",
  "100",
  "255",
  "1 << 31",
  "1 << 40",
  "123456789012345678901234567890",
  "-2147483648",
  "9007199254740991",
  "9007199254740993",
  "0x10",
  "0o17",
  "0b11",
];
const FLOATS = [
  "0.0",
  "1.0",
  "-1.5",
  "2.5e10",
  "1e100",
  "1e-7",
  "3.14159",
  "-0.0",
  "1e6",
  "123456.0",
  "1e21",
  "0.1",
  'float("inf")',
  'float("nan")',
  "1e308",
  "100.0",
];
const STRING_METHODS: readonly [string, string[]][] = [
  ["capitalize", []],
  ["count", ["str"]],
  ["count", ["str", "int", "int"]],
  ["elems", []],
  ["codepoints", []],
  ["elem_ords", []],
  ["codepoint_ords", []],
  ["endswith", ["str"]],
  ["startswith", ["str", "int"]],
  ["startswith", ["tuple"]],
  ["find", ["str"]],
  ["find", ["str", "int", "int"]],
  ["rfind", ["str"]],
  ["index", ["str"]],
  ["rindex", ["str", "int"]],
  ["format", ["any", "any"]],
  ["format", ["any"]],
  ["isalnum", []],
  ["isalpha", []],
  ["isdigit", []],
  ["islower", []],
  ["isspace", []],
  ["istitle", []],
  ["isupper", []],
  ["join", ["list"]],
  ["join", ["any"]],
  ["lower", []],
  ["upper", []],
  ["title", []],
  ["lstrip", []],
  ["strip", ["str"]],
  ["rstrip", ["str"]],
  ["strip", []],
  ["partition", ["str"]],
  ["rpartition", ["str"]],
  ["replace", ["str", "str"]],
  ["replace", ["str", "str", "int"]],
  ["split", []],
  ["split", ["str"]],
  ["split", ["str", "int"]],
  ["split", ["None", "int"]],
  ["rsplit", ["str", "int"]],
  ["rsplit", ["None", "int"]],
  ["splitlines", []],
  ["splitlines", ["bool"]],
  ["removeprefix", ["str"]],
  ["removesuffix", ["str"]],
];
const LIST_METHODS: readonly [string, string[]][] = [
  ["append", ["any"]],
  ["clear", []],
  ["extend", ["list"]],
  ["extend", ["any"]],
  ["index", ["any"]],
  ["index", ["any", "int", "int"]],
  ["insert", ["int", "any"]],
  ["pop", []],
  ["pop", ["int"]],
  ["remove", ["any"]],
];
const DICT_METHODS: readonly [string, string[]][] = [
  ["clear", []],
  ["get", ["any"]],
  ["get", ["any", "any"]],
  ["items", []],
  ["keys", []],
  ["values", []],
  ["pop", ["any"]],
  ["pop", ["any", "any"]],
  ["popitem", []],
  ["setdefault", ["any", "any"]],
  ["setdefault", ["str"]],
  ["update", ["dict"]],
  ["update", ["list"]],
];
const SET_METHODS: readonly [string, string[]][] = [
  ["add", ["any"]],
  ["clear", []],
  ["difference", ["any"]],
  ["discard", ["any"]],
  ["intersection", ["list"]],
  ["issubset", ["set"]],
  ["issuperset", ["list"]],
  ["pop", []],
  ["remove", ["any"]],
  ["symmetric_difference", ["set"]],
  ["union", ["list", "set"]],
  ["union", []],
  ["update", ["list"]],
];
const UNIVERSE: readonly [string, string[], Kind][] = [
  ["abs", ["int"], "int"],
  ["abs", ["float"], "float"],
  ["any", ["list"], "bool"],
  ["all", ["list"], "bool"],
  ["bool", ["any"], "bool"],
  ["bytes", ["str"], "bytes"],
  ["bytes", ["list"], "bytes"],
  ["chr", ["int"], "str"],
  ["dict", ["dict"], "dict"],
  ["dict", ["list"], "dict"],
  ["dir", ["any"], "list"],
  ["enumerate", ["list"], "list"],
  ["enumerate", ["any", "int"], "list"],
  ["float", ["any"], "float"],
  ["float", ["str"], "float"],
  ["getattr", ["any", "str"], "any"],
  ["hasattr", ["any", "str"], "bool"],
  ["hash", ["str"], "int"],
  ["hash", ["bytes"], "int"],
  ["int", ["any"], "int"],
  ["int", ["str"], "int"],
  ["int", ["str", "int"], "int"],
  ["int", ["float"], "int"],
  ["len", ["any"], "int"],
  ["list", ["any"], "list"],
  ["max", ["list"], "any"],
  ["min", ["int", "int"], "int"],
  ["min", ["any"], "any"],
  ["ord", ["str"], "int"],
  ["range", ["int"], "list"],
  ["range", ["int", "int", "int"], "list"],
  ["repr", ["any"], "str"],
  ["reversed", ["list"], "list"],
  ["set", ["list"], "set"],
  ["set", ["any"], "set"],
  ["sorted", ["list"], "list"],
  ["sorted", ["any"], "list"],
  ["str", ["any"], "str"],
  ["str", ["float"], "str"],
  ["tuple", ["any"], "tuple"],
  ["type", ["any"], "str"],
  ["zip", ["list", "list"], "list"],
  ["zip", ["any", "tuple"], "list"],
];
const BINARY = [
  "+",
  "-",
  "*",
  "/",
  "//",
  "%",
  "|",
  "&",
  "^",
  "<<",
  ">>",
  "in",
  "not in",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "and",
  "or",
];
const AUGMENTED = ["+=", "-=", "*=", "//=", "%=", "|=", "&=", "^=", "/=", "<<=", ">>="];

interface Variable {
  readonly name: string;
  readonly kind: Kind;
}

/** Writes one random program. */
class ProgramWriter {
  readonly #random: Random;
  readonly #lines: string[] = [];
  #scopes: Variable[][] = [[]];
  readonly #functions: { name: string; params: number; kwonly: boolean; varargs: boolean }[] = [];
  #indent = 0;
  #depth = 0;
  #counter = 0;
  #loops = 0;
  #inFunction = false;
  /** How often an operation is applied to whatever comes, whether that makes sense or not. */
  readonly #wildness: number;

  constructor(random: Random) {
    this.#random = random;
    this.#wildness = random.pick([0, 0.01, 0.05, 0.3]);
  }

  #wild(): boolean {
    return this.#random.chance(this.#wildness);
  }

  write(statements: number): string {
    for (let i = 0; i < statements; i++) this.#statement();
    return `${this.#lines.join("\n")}\n`;
  }

  #line(text: string): void {
    this.#lines.push("    ".repeat(this.#indent) + text);
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#counter++}`;
  }

  #variables(kind: Kind): Variable[] {
    const found: Variable[] = [];
    for (const scope of this.#scopes) {
      for (const v of scope) {
        if (kind === "any" || v.kind === kind || (v.kind === "any" && this.#wild())) found.push(v);
      }
    }
    return found;
  }

  #block(body: () => void): void {
    this.#indent++;
    this.#scopes.push([]);
    body();
    this.#scopes.pop();
    this.#indent--;
  }

  #statement(): void {
    const r = this.#random;
    const roll = r.below(100);
    if (this.#indent > 3) this.#simple();
    else if (roll < 8) this.#if();
    else if (roll < 16) this.#for();
    else if (roll < 19) this.#while();
    else if (roll < 27 && this.#indent < 2) this.#def();
    else this.#simple();
  }

  #simple(): void {
    const r = this.#random;
    const roll = r.below(100);
    if (roll < 35)
      this.#line(`print(${this.#expr("any")}${r.chance(0.3) ? `, ${this.#expr("any")}` : ""})`);
    else if (roll < 65) this.#assign();
    else if (roll < 78) this.#mutate();
    else if (roll < 85) this.#unpack();
    else if (roll < 88 && this.#loops > 0) this.#line(r.pick(["break", "continue"]));
    else if (roll < 90 && this.#inFunction) this.#line(`return ${this.#expr("any")}`);
    else if (roll < 92) this.#line("pass");
    else this.#augment();
  }

  #assign(): void {
    const kind = this.#random.pick(KINDS);
    const value = this.#expr(kind);
    const name =
      this.#random.chance(0.3) && this.#scopes.at(-1)!.length > 0
        ? this.#random.pick(this.#scopes.at(-1)!).name
        : this.#fresh("v");
    this.#line(`${name} = ${value}`);
    this.#scopes.at(-1)!.push({ name, kind });
  }

  #mutate(): void {
    const r = this.#random;
    const list = this.#variables(r.pick(["list", "dict", "set"]));
    if (list.length === 0) {
      this.#assign();
      return;
    }
    const { name, kind } = r.pick(list);
    if (!this.#wild()) {
      const safe = {
        list: [".append(", ".extend([", ".insert(0, "],
        dict: [".setdefault(1, ", ".update(a=", ".get(2, "],
        set: [".union([", ".add(1 if "],
      }[kind as string] ?? [".append("];
      const method = r.pick(safe);
      const close = method.endsWith("([") ? "])" : method.endsWith("1 if ") ? " else 2)" : ")";
      const value = method === ".union([" ? this.#expr("int") : this.#expr("any");
      this.#line(
        kind === "any" ? `print(${name})` : `print(${name}${method}${value}${close}, ${name})`,
      );
    } else if (r.chance(0.4))
      this.#line(`${name}[${this.#expr(kind === "list" ? "int" : "any")}] = ${this.#expr("any")}`);
    else this.#line(`print(${name}${this.#method(kind)}, ${name})`);
  }

  #method(kind: Kind): string {
    const table =
      kind === "list"
        ? LIST_METHODS
        : kind === "dict"
          ? DICT_METHODS
          : kind === "set"
            ? SET_METHODS
            : STRING_METHODS;
    const [name, params] = this.#random.pick(table);
    return `.${name}(${params.map((p) => (p === "None" ? p : this.#expr(p as Kind))).join(", ")})`;
  }

  #unpack(): void {
    const r = this.#random;
    const a = this.#fresh("v");
    const b = this.#fresh("v");
    const target = r.pick([`${a}, ${b}`, `(${a}, ${b})`, `[${a}, ${b}]`, `${a}, (${b}, _)`]);
    const nested = target.includes("_");
    const right = nested ? `(${this.#expr("any")}, 1)` : this.#expr("any");
    const value = r.pick([
      `${this.#expr("any")}, ${right}`,
      `[${this.#expr("any")}, ${right}]`,
      this.#wild() ? this.#expr("any") : `(${this.#expr("any")}, ${right})`,
    ]);
    this.#line(`${target} = ${value}`);
    this.#scopes.at(-1)!.push({ name: a, kind: "any" }, { name: b, kind: "any" });
  }

  #augment(): void {
    const r = this.#random;
    const own = this.#inFunction ? this.#scopes.at(-1)! : this.#variables("any");
    if (own.length === 0) {
      this.#assign();
      return;
    }
    const { name, kind } = r.pick(own);
    const wild = this.#wild();
    const op = wild
      ? r.pick(AUGMENTED)
      : kind === "dict" || kind === "set"
        ? "|="
        : kind === "int" || kind === "float"
          ? r.pick(["+=", "-=", "*="])
          : "+=";
    if (!wild && (kind === "bool" || kind === "any")) {
      this.#assign();
      return;
    }
    const index = wild ? `[${this.#expr("int")}]` : "";
    this.#line(`${name}${index} ${op} ${this.#expr(wild ? "any" : kind)}`);
  }

  #if(): void {
    this.#line(`if ${this.#expr("bool")}:`);
    this.#block(() => this.#statements());
    if (this.#random.chance(0.3)) {
      this.#line(`elif ${this.#expr("any")}:`);
      this.#block(() => this.#statements());
    }
    if (this.#random.chance(0.4)) {
      this.#line("else:");
      this.#block(() => this.#statements());
    }
  }

  #statements(): void {
    const n = 1 + this.#random.below(3);
    for (let i = 0; i < n; i++) this.#statement();
  }

  #for(): void {
    const r = this.#random;
    const name = this.#fresh("i");
    const pair = r.chance(0.25);
    const second = pair ? this.#fresh("j") : "";
    const iterable = pair
      ? r.pick([
          `enumerate(${this.#expr("list")})`,
          `${this.#expr("dict")}.items()`,
          `zip(${this.#expr("list")}, ${this.#expr("list")})`,
        ])
      : r.pick([
          `range(${r.below(6)})`,
          this.#expr("list"),
          this.#expr("dict"),
          this.#expr(this.#wild() ? "any" : "tuple"),
          `${this.#expr("str")}.elems()`,
        ]);
    this.#line(`for ${pair ? `${name}, ${second}` : name} in ${iterable}:`);
    this.#loops++;
    this.#block(() => {
      this.#scopes.at(-1)!.push({ name, kind: "any" });
      if (pair) this.#scopes.at(-1)!.push({ name: second, kind: "any" });
      this.#statements();
    });
    this.#loops--;
  }

  #while(): void {
    const name = this.#fresh("w");
    this.#line(`${name} = ${1 + this.#random.below(4)}`);
    this.#line(`while ${name} > 0:`);
    this.#loops++;
    this.#block(() => {
      this.#line(`${name} -= 1`);
      this.#statements();
    });
    this.#loops--;
  }

  #def(): void {
    const r = this.#random;
    const name = this.#fresh("f");
    const params = Array.from({ length: r.below(4) }, () => this.#fresh("p"));
    const optional = r.below(params.length + 1);
    const written = params.map((p, i) => (i >= optional ? `${p}=${this.#expr("any")}` : p));
    const varargs = r.chance(0.2);
    const kwonly = r.chance(0.2);
    if (varargs) written.push("*args");
    if (kwonly) {
      if (!varargs) written.push("*");
      written.push(`kw=${this.#expr("any")}`);
    }
    if (r.chance(0.2)) written.push("**kwargs");
    this.#line(`def ${name}(${written.join(", ")}):`);
    const outer = { loops: this.#loops, inFunction: this.#inFunction, scopes: this.#scopes };
    this.#loops = 0;
    this.#inFunction = true;
    this.#block(() => {
      for (const p of params) this.#scopes.at(-1)!.push({ name: p, kind: "any" });
      if (varargs) this.#scopes.at(-1)!.push({ name: "args", kind: "tuple" });
      if (kwonly) this.#scopes.at(-1)!.push({ name: "kw", kind: "any" });
      this.#statements();
      this.#line(`return ${this.#expr("any")}`);
    });
    this.#loops = outer.loops;
    this.#inFunction = outer.inFunction;
    this.#scopes = outer.scopes;
    if (!this.#inFunction) this.#functions.push({ name, params: params.length, kwonly, varargs });
    this.#line(`print(${this.#call(name, params.length, kwonly)})`);
  }

  #call(name: string, params: number, kwonly: boolean): string {
    const r = this.#random;
    const n = Math.max(0, params + (this.#wild() ? r.pick([-1, 1]) : 0));
    const args = Array.from({ length: n }, () => this.#expr("any"));
    if (kwonly && r.chance(0.5)) args.push(`kw=${this.#expr("any")}`);
    if (this.#wild()) args.push(`*${this.#expr("list")}`);
    if (this.#wild()) args.push(`**${this.#expr("dict")}`);
    return `${name}(${args.join(", ")})`;
  }

  #expr(kind: Kind): string {
    const r = this.#random;
    if (this.#depth > 3) return this.#atom(kind);
    this.#depth++;
    const text = this.#deepExpr(kind);
    this.#depth--;
    return r.chance(0.05) ? `(${text})` : text;
  }

  #deepExpr(kind: Kind): string {
    const r = this.#random;
    const roll = r.below(100);
    if (roll < 34) return this.#atom(kind);
    if (roll < 50) return this.#operation(kind);
    if (roll < 60) return this.#display(kind);
    if (roll < 66)
      return `${this.#expr(kind)} if ${this.#expr("bool")} else ${this.#expr(kind)}`
        .replace(/^/, "(")
        .replace(/$/, ")");
    if (roll < 76) return this.#builtinCall(kind);
    if (kind !== "any" || !this.#wild()) return this.#operation(kind);
    if (roll < 82) return `${this.#expr("str")}${this.#method("str")}`;
    if (roll < 86) return this.#access();
    if (roll < 90) return this.#comprehension();
    if (roll < 93 && this.#functions.length > 0 && !this.#inFunction) {
      const f = r.pick(this.#functions);
      return this.#call(f.name, f.params, f.kwonly);
    }
    if (roll < 95)
      return `(lambda x, y=${this.#atom("any")}: ${r.pick(["x", "y", "(x, y)", "[x] + [y]", "x == y"])})(${this.#expr("any")})`;
    if (roll < 97)
      return `(${r.pick(["not ", "-", "+", "~"])}${this.#expr(r.pick(["int", "float", "bool", "any"]))})`;
    return `(${this.#expr("str")} % ${this.#expr(r.pick(["tuple", "any", "dict"]))})`;
  }

  #atom(kind: Kind): string {
    const r = this.#random;
    const known = this.#variables(kind);
    if (known.length > 0 && r.chance(0.5)) return r.pick(known).name;
    switch (kind) {
      case "int":
        return r.chance(0.2) ? `(${r.pick(INTS)})` : r.pick(INTS.slice(0, 8));
      case "float":
        return r.pick(FLOATS);
      case "str":
        return r.pick(STRINGS);
      case "bool":
        return r.pick(["True", "False"]);
      case "bytes":
        return r.pick(['b""', 'b"abc"', 'b"\\xff\\x00"', 'b"a\\n"']);
      case "any":
        return r.chance(0.1) ? "None" : this.#atom(r.pick(KINDS.slice(0, 9)));
      default:
        return this.#display(kind);
    }
  }

  #display(kind: Kind): string {
    const r = this.#random;
    const n = r.below(4);
    const elems = () =>
      Array.from({ length: n }, () => this.#expr(r.chance(0.5) ? "any" : r.pick(["int", "str"])));
    switch (kind) {
      case "list":
        return `[${elems().join(", ")}]`;
      case "tuple":
        return n === 1 ? `(${this.#expr("any")},)` : `(${elems().join(", ")})`;
      case "set":
        return `set([${Array.from({ length: n }, () => this.#expr(r.pick(["int", "str", "float", "bool"]))).join(", ")}])`;
      case "dict":
        return `{${Array.from({ length: n }, () => `${this.#expr(r.pick(this.#wild() ? ["int", "str", "tuple", "float", "any"] : ["int", "str", "float"]))}: ${this.#expr("any")}`).join(", ")}}`;
      default:
        return this.#atom(kind);
    }
  }

  #operation(kind: Kind): string {
    const r = this.#random;
    if (this.#wild()) {
      const left = r.chance(0.7) ? kind : "any";
      return `(${this.#expr(left)} ${r.pick(BINARY)} ${this.#expr(r.chance(0.6) ? left : "any")})`;
    }
    const small = () => `${r.below(4)}`;
    switch (kind) {
      case "int":
        return r.pick([
          () =>
            `(${this.#expr("int")} ${r.pick(["+", "-", "*", "|", "&", "^"])} ${this.#expr("int")})`,
          () =>
            `(${this.#expr("int")} ${r.pick(["//", "%"])} ${r.pick(["7", "-3", "2", "(1 << 33)"])})`,
          () => `(${this.#expr("int")} ${r.pick(["<<", ">>"])} ${small()})`,
          () => `len(${this.#expr(r.pick(["str", "list", "dict", "tuple", "set"]))})`,
          () => `(${r.pick(["-", "~", "+"])}${this.#expr("int")})`,
          () => `int(${this.#expr("int")})`,
        ])();
      case "float":
        return r.pick([
          () =>
            `(${this.#expr("float")} ${r.pick(["+", "-", "*"])} ${this.#expr(r.pick(["float", "int"]))})`,
          () => `(${this.#expr(r.pick(["float", "int"]))} / ${r.pick(["3", "0.5", "-2.0"])})`,
          () => `(${this.#expr("float")} ${r.pick(["//", "%"])} ${r.pick(["7", "0.3", "-2.0"])})`,
          () => `float(${this.#expr("int")})`,
          () => `(-${this.#expr("float")})`,
        ])();
      case "str":
        return r.pick([
          () => `(${this.#expr("str")} + ${this.#expr("str")})`,
          () => `(${this.#expr("str")} * ${small()})`,
          () => `("${r.pick(["%s", "%r", "a%%%s"])}" % (${this.#expr("any")},))`,
          () =>
            `("%d %x %o" % (${this.#expr("int")}, ${this.#expr("int")}, ${this.#expr("float")}))`
              .replace('float("inf")', "1.5")
              .replace('float("nan")', "2.5"),
          () =>
            `("%g %e %f" % (${this.#expr("float")}, ${this.#expr("float")}, ${this.#expr("int")}))`,
          () =>
            `"{} {x} {!r}".format(${this.#expr("any")}, ${this.#expr("any")}, x=${this.#expr("any")})`,
          () => `${r.pick(["str", "repr", "type"])}(${this.#expr("any")})`,
          () =>
            `${this.#expr("str")}.${r.pick(["upper()", "lower()", "title()", "strip()", "capitalize()", 'replace("a", "bb")', "lstrip()", 'removeprefix("a")'])}`,
          () =>
            `${this.#expr("str")}[${r.pick(["1:", ":-1", "::2", "::-1", "0:3", "-3:", "2:1"])}]`,
          () => `"-".join([str(x) for x in ${this.#expr("list")}])`,
        ])();
      case "bool":
        return r.pick([
          () => `(${this.#expr("any")} ${r.pick(["==", "!="])} ${this.#expr("any")})`,
          () =>
            this.#sameKind(
              (k) => `(${this.#expr(k)} ${r.pick(["<", "<=", ">", ">=", "=="])} ${this.#expr(k)})`,
              ["int", "float", "str", "bool", "bytes"],
            ),
          () => `(${this.#expr("any")} ${r.pick(["and", "or"])} ${this.#expr("any")})`,
          () => `(not ${this.#expr("any")})`,
          () =>
            `(${this.#expr("any")} ${r.pick(["in", "not in"])} ${this.#expr(r.pick(["list", "tuple", "dict"]))})`,
          () => `(${this.#expr("str")} in ${this.#expr("str")})`,
        ])();
      case "list":
        return r.pick([
          () => `(${this.#expr("list")} + ${this.#expr("list")})`,
          () => `(${this.#expr("list")} * ${small()})`,
          () => `sorted([${this.#expr("int")}, ${this.#expr("float")}, ${this.#expr("int")}])`,
          () =>
            `sorted(${this.#expr("list")}, key=${r.pick(["str", "repr", "type"])}, reverse=${this.#expr("bool")})`,
          () => `${this.#expr("list")}[${r.pick(["1:", ":-1", "::2", "::-1", "0:3", "-3:"])}]`,
          () => `list(${this.#expr(r.pick(["list", "tuple", "dict", "set"]))})`,
          () => `${this.#expr("str")}.split(${r.pick(["", '"a"', '" "', "None, 1"])})`,
          () => `${this.#expr("dict")}.${r.pick(["keys()", "values()", "items()"])}`,
          () =>
            `list(${this.#expr("str")}.${r.pick(["elems()", "codepoints()", "elem_ords()", "codepoint_ords()"])})`,
          () => `list(enumerate(${this.#expr("list")}, ${this.#expr("int")}))`,
          () => `zip(${this.#expr("list")}, ${this.#expr("tuple")})`,
          () => `[x for x in ${this.#expr("list")} if x]`,
          () => `reversed(${this.#expr("list")})`,
          () => `list(range(${small()}, ${r.below(12)}, ${1 + r.below(3)}))`,
        ])();
      case "dict":
        return r.pick([
          () => `(${this.#expr("dict")} | ${this.#expr("dict")})`,
          () => `dict(${this.#expr("dict")}, a=${this.#expr("any")})`,
          () => `{str(k): v for k, v in ${this.#expr("dict")}.items()}`,
          () => `{k: type(k) for k in ${this.#expr("dict")}}`,
          () => `dict([(str(x), x) for x in ${this.#expr("list")}])`,
        ])();
      case "tuple":
        return r.pick([
          () => `(${this.#expr("tuple")} + ${this.#expr("tuple")})`,
          () => `(${this.#expr("tuple")} * ${small()})`,
          () => `tuple(${this.#expr("list")})`,
          () => `${this.#expr("str")}.${r.pick(["partition", "rpartition"])}("a")`,
          () => `${this.#expr("tuple")}[${r.pick(["1:", ":-1", "::2", "::-1"])}]`,
        ])();
      case "set":
        return `(${this.#expr("set")} ${r.pick(["|", "&", "-", "^"])} ${this.#expr("set")})`;
      case "bytes":
        return r.pick([
          () => `(${this.#expr("bytes")} + ${this.#expr("bytes")})`,
          () => `bytes(${this.#expr("str")})`,
          () => `${this.#expr("bytes")}[1:]`,
        ])();
      default:
        return this.#operation(r.pick(KINDS.slice(0, 9)));
    }
  }

  #sameKind(make: (kind: Kind) => string, kinds: readonly Kind[]): string {
    return make(this.#random.pick(kinds));
  }

  #builtinCall(kind: Kind): string {
    if (!this.#wild()) return this.#operation(kind);
    const r = this.#random;
    const fitting = UNIVERSE.filter(([, , result]) => kind === "any" || result === kind);
    const [name, params] = r.pick(fitting.length > 0 ? fitting : UNIVERSE);
    const args = params.map((p) => this.#expr(p as Kind));
    if ((name === "sorted" || name === "max" || name === "min") && r.chance(0.3)) {
      args.push(
        `key=${r.pick(["len", "str", "lambda x: -x", "repr", "lambda x: (type(x), x)", "type"])}`,
      );
      if (name === "sorted" && r.chance(0.5)) args.push(`reverse=${r.pick(["True", "False"])}`);
    }
    return `${name}(${args.join(", ")})`;
  }

  #access(): string {
    const r = this.#random;
    const base = this.#expr(r.pick(["list", "str", "tuple", "dict", "bytes", "any"]));
    if (r.chance(0.5)) return `${base}[${this.#expr(r.pick(["int", "any", "int"]))}]`;
    const part = () => (r.chance(0.6) ? this.#expr("int") : "");
    return `${base}[${part()}:${part()}${r.chance(0.4) ? `:${part()}` : ""}]`;
  }

  #comprehension(): string {
    const r = this.#random;
    const name = this.#fresh("c");
    const iterable = this.#atom(r.pick(["list", "list", "dict", "tuple", "any"]));
    this.#scopes.push([{ name, kind: "any" }]);
    const body = r.chance(0.3) ? `${name}: ${this.#expr("any")}` : this.#expr("any");
    const filter = r.chance(0.3) ? ` if ${this.#expr("bool")}` : "";
    this.#scopes.pop();
    const inner = `${body} for ${name} in ${iterable}${filter}`;
    return body.startsWith(`${name}: `) ? `{${inner}}` : `[${inner}]`;
  }
}

/** A random program, the same for the same seed. */
export function generateProgram(seed: number): string {
  const random = new Random(seed);
  return new ProgramWriter(random).write(3 + random.below(12));
}
