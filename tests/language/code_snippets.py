"""Program texts of each language that hold every statement whose data flow is read, and texts made of them that do not."""

from __future__ import annotations

import random
import re

SNIPPETS: dict[str, list[str]] = {
    "python": [
        'def total(values, start=0, *rest, flag=None):\n    """Adds."""\n    result = start\n    for value in values:\n        if value > 0:\n            result += value\n        elif value == 0:\n            continue\n        else:\n            result = result - value\n    return result  # done\n',
        "a, b = b, a\nx: int = 3\ny: str\nxs = [f(u, v) for u, v in pairs if u]\nwhile x > 0:\n    x -= 1\n    y = x\nelse:\n    y = 2\nself.name.first = 'Ann'\n",
        "class Point:\n    def __init__(self, x, y=1):\n        self.x, self.y = x, y\n    @property\n    def norm(self):\n        return (self.x ** 2 + self.y ** 2) ** 0.5\n",
        "naïve = été = '猫'\nfor i, (j, k) in enumerate(zip(é, z)): s = f'{i} {j!r}'\nwith open(p) as f, g: d = {k: v for k, v in f}\n",
        "async def get(url, *, n=3):\n    try:\n        return await fetch(url)\n    except (OSError, ValueError) as error:\n        if n: n = n - 1\n        raise RuntimeError(error) from None\nlambda q=1: q\n",
        "print 'old'\nif (n := len(a)) > 10:\n    pass\nmatch x:\n    case [1, y]: z = y\n",
    ],
    "java": [
        "int sum(int[] a, int n) {\n    int s = 0, t;\n    for (int i = 0; i < n; i++) {\n        s = s + a[i];\n        if (s > 10) { t = s; } else { t = n; s -= t; }\n    }\n    // result\n    return s;\n}\n",
        "class A extends B {\n    private String name = \"x\";\n    void f(List<String> xs) {\n        for (String x : xs) { name = name + x; y = x; }\n        while (n > 0) { n--; m = n; }\n        do { ++k; } while (k < 3);\n    }\n}\n",
        "if (a) b = 1; else if (c) b = 2; else { b = d; }\nint q = b; /* kept? */ char c = '\\''; String s = \"// no\";\n",
        "Function<Integer, Integer> f = x -> { int y = x; return y; };\ntry (R r = open()) { r.x = r.y = 3; } catch (E e) { throw new F(e); } finally { i += 1; }\nswitch (v) { case 1: w = v; break; default: w = 0; }\n",
    ],
    "javascript": [
        "function add(a, b = 2) {\n  let s = a + b, t;\n  for (let i = 0; i < s; i++) { t = s; s += i; }\n  if (t > 1) { s = t; } else { var u = s; }\n  return u; // end\n}\n",
        "const {x, y: [z]} = await get(`/${id}/`);\nxs.forEach(v => { k = v; k++; });\nfor (const v of xs) { w = v; }\nfor (const p in o) w += p;\nwhile (i--) { j = i; }\n",
        "class A { #n = 1; get n() { return this.#n; } static s = 2; }\nif (a) b = 1; else if (c) b = a;\nvar r = /[/*]\\/\"/g, q = 'it\\'s', e = \"é猫\"; var z = e;\n",
        "async function* g() { try { yield* h(); } catch { n ??= 1; } finally { n **= 2; } }\nexport default { f() { switch (k) { case 1: m = k; } } };\n",
    ],
    "c_sharp": [
        "int Sum(int[] a) {\n    int s = 0, t;\n    for (int i = 0; i < a.Length; i++) { s = s + a[i]; t = s; }\n    foreach (var x in a) { s += x; }\n    if (s > 3) { t = s; } else { t = 0; }\n    return t;\n}\n",
        "class P : Q {\n    public string Name { get; set; } = \"n\";\n    void F() { while (k > 0) { k--; m = k; } j++; x = y = z; var w = from u in us where u > 1 select u; }\n}\n",
        "if (a is int n) b = n; else if (c) b = 2; else b = 3;\nvar s = $\"{a} {b}\"; string v = @\"c:\\x\"; // é\nx ??= y; Func<int, int> f = q => q + 1; é = s;\n",
    ],
    "php": [
        "<?php\nfunction f($a, $b = 2) {\n    $s = $a + $b;\n    for ($i = 0; $i < 3; $i++) { $s = $s + $i; }\n    foreach ($xs as $x) { $s .= $x; $t = $x; }\n    if ($s > 1) { $t = $s; } elseif ($t) { $s = 1; } else { $t = 0; }\n    while ($n > 0) { $n--; $m = $n; }\n    return $t; # end\n}\n",
        "<?php foreach ($map as $key => $value) { $out[$key] = $value; } $z = $out; ?><p><?= $z ?></p>",
        "<?php\nclass A { private $n = 'é'; public function g(?int $x = null): string { $this->n = $x; return \"{$this->n} $x\"; } }\n$f = fn($q) => $q + 1; $é = $f; $w = $é; /* x */ // y\n",
        "$a = 1;\n$b = $a;\nif ($b) { $c = $b; }\n",
    ],
    "c": [
        "int sum(const int *a, int n) {\n    int s = 0, i;\n    for (i = 0; i < n; i++) { s = s + a[i]; s += i; }\n    if (s > 3) t = s; else t = n;\n    while (n > 0) { n--; m = n; }\n    return s; /* end */\n}\n",
        '#include <stdio.h>\n#define MAX(a, b) ((a) > (b) ? (a) : (b))\nstruct p { int x; char *s; };\nstatic void f(struct p *q) {\n    q->x = MAX(q->x, 3);\n    printf("// %d\\n", q->x); // é\n    do { q->s = 0; } while (q->x++ < 3);\n}\n',
        "switch (c) { case 'a': b = c; break; default: goto out; }\nout: x = y = z; *p++ = *q++; u = \"é\"; v = u;\n",
    ],
    "cpp": [
        "template <typename T> T sum(const std::vector<T>& a) {\n    T s{}; auto t = s;\n    for (const auto& x : a) { s = s + x; t += x; }\n    for (size_t i = 0; i < a.size(); ++i) { s = a[i]; j++; }\n    if (s > 3) { t = s; } else if (j) { t = 0; } else { t = j; }\n    return t;\n}\n",
        'class A : public B {\npublic:\n    A(int x) : x_(x) { y = x_; }\n    ~A() = default;\nprivate:\n    int x_ = 3;\n};\nint main() { while (n > 0) { n--; m = n; } std::cout << "é // " << m << std::endl; return 0; }\n',
        "auto f = [&](int q) { r = q; return r; };\ntry { x = y = z; } catch (const std::exception& e) { throw; }\nnamespace n { enum class E { a, b }; using T = int; }\n",
    ],
    "go": [
        'package main\nimport "fmt"\nfunc sum(a []int) int {\n\ts := 0\n\tvar t, u int = 1, 2\n\tfor i := 0; i < len(a); i++ {\n\t\ts = s + a[i]\n\t\tt = s\n\t}\n\tfor _, x := range a { s += x }\n\tif s > 3 { t = s } else if u > 1 { t = u } else { t = 0 }\n\treturn t // end\n}\n',
        "type P struct { X, Y int }\nfunc (p *P) Set(x int) { p.X, p.Y = x, p.X; x++; fmt.Println(\"é //\", x) }\nvar z = p\nvar w int\n",
        "for n > 0 { n--; m = n }\nfor { k++; if k > 3 { break } }\nswitch v := x.(type) { case int: w = v; default: w = nil }\ngo func() { ch <- w; q = <-ch }()\ndefer f()\n",
    ],
    "ruby": [
        "def sum(a, start: 0, flag:)\n  s = start\n  a.each { |x| s += x }\n  for y in a do\n    s = s + y\n    t = y\n  end\n  if s > 3\n    t = s\n  elsif t\n    s = 1\n  else\n    t = 0\n  end\n  t # end\nend\n",
        "class A < B\n  attr_reader :n\n  def initialize(n = 1)\n    @n, @m = n, 2\n    a, b, c = \"abc\"\n    x = y = z unless n\n  end\nend\n",
        "until n == 0\n  n -= 1\n  m = n\nend\nk += 1 while k < 3\ncase v\nwhen 1 then w = v\nwhen 2\n  w = k\nelse w = nil\nend\nunless q\n  r = 1\nelse\n  r = q\nend\ns = \"é #{r}\"\nt = s\n",
    ],
    "rust": [
        "fn sum(a: &[i32], n: usize) -> i32 {\n    let mut s = 0; let t;\n    for i in 0..n { s = s + a[i]; s += 1; }\n    if s > 3 { t = s; } else if n > 1 { t = 1; } else { t = 0; }\n    while s > 0 { s -= 1; u = s; }\n    loop { k = s; break; }\n    t // end\n}\n",
        "struct P<'a> { x: &'a str }\nimpl<'a> P<'a> { fn new(x: &'a str) -> Self { P { x } } fn f(&mut self) { self.x = \"é //\"; let y = self.x; z = y; } }\n",
        "match v { Some(x) if x > 1 => { w = x; } None => w = 0, _ => {} }\nif let Some(q) = o { r = q; } else { r = 1; }\nwhile let Some(p) = it.next() { s = p; }\nlet f = |c: char| c == '\\''; println!(\"{}\", f('a')); /* x */\n",
    ],
}  # fmt: skip

_SIGNS = [
    "(",
    ")",
    "{",
    "}",
    '"',
    "'",
    "/*",
    "*/",
    "//",
    "#",
    " é ",
    "\n",
    "\t",
    "\\",
    "=",
    ";",
    "😀",
    "<?php",
    "```",
    "\r\n",
    "\x00",
]


def changed(source: random.Random, text: str) -> str:
    """The text after a few changes: lines and words gone, doubled or exchanged, names replaced, signs put in, the end cut off."""
    for _ in range(source.randint(1, 4)):
        text = source.choice(_CHANGES)(source, text)
    return text


def _lines(source: random.Random, text: str) -> str:
    lines = text.split("\n")
    place = source.randrange(len(lines))
    how = source.randrange(3)
    if how == 0:
        del lines[place]
    elif how == 1:
        lines.insert(place, source.choice(lines))
    else:
        lines[place], lines[-1] = lines[-1], lines[place]
    return "\n".join(lines)


def _words(source: random.Random, text: str) -> str:
    words = text.split(" ")
    del words[source.randrange(len(words))]
    return " ".join(words)


def _end(source: random.Random, text: str) -> str:
    return text[: source.randrange(len(text) + 1)]


def _name(source: random.Random, text: str) -> str:
    names = re.findall(r"[A-Za-z_]\w*", text) or ["x"]
    return re.sub(rf"\b{source.choice(names)}\b", source.choice(["zz", "变量", "été", source.choice(names)]), text)


def _sign(source: random.Random, text: str) -> str:
    place = source.randrange(len(text) + 1)
    return text[:place] + source.choice(_SIGNS) + text[place:]


_CHANGES = (_lines, _words, _end, _name, _sign)
