"""The conversations that make_fixtures.py renders every template with, and templates of one construct each."""


def message(role, content, **more):
    return {"role": role, "content": content, **more}


def context(*messages, **more):
    base = {"messages": list(messages), "tools": None, "documents": None, "add_generation_prompt": True}
    return base | {"bos_token": "<s>", "eos_token": "</s>"} | more


SYSTEM = message("system", "  You answer in rhymes.\n")
HELLO = message("user", "Hello <there> & \"you\"!\n")
ANSWER = message("assistant", "  Hi 'friend', don't go.  ")
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather, e.g. “sunny” ☀",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "A city's name"},
                "days": {"type": "integer", "minimum": 1, "maximum": 2.5},
                "hours": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                "exact": {"type": "boolean", "default": None, "enum": [True, False]},
            },
            "required": ["city"],
        },
        "return": {"type": "string"},
    },
}
TIME = {"type": "function", "function": {"name": "time", "description": "", "parameters": {}}}
ARGUMENTS = {"city": "Zürich", "days": 2}
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
CALLS = message("assistant", "", tool_calls=[CALL])
TOOL = message("tool", '{"sky": "grey"}', tool_call_id="abcdefghi")
THOUGHT = message("assistant", "<think>\nIt greets.\n</think>\n\nGood day!")
IMAGE = message("user", [{"type": "image"}, {"type": "text", "text": "  What is it? "}])
UNICODE = message("user", "Grüße 👩‍👩‍👧 e\u0301 \u00a0日本\r\nnext\u2028line \ttab\x1f")

CONTEXTS = {
    "one": context(HELLO),
    "system": context(SYSTEM, HELLO),
    "several": context(SYSTEM, HELLO, ANSWER, UNICODE, ANSWER, HELLO),
    "no system": context(HELLO, ANSWER, UNICODE),
    "answered": context(HELLO, ANSWER, add_generation_prompt=False),
    "empty": context(),
    "only system": context(SYSTEM),
    "two in a row": context(HELLO, HELLO),
    "assistant first": context(ANSWER, HELLO),
    "late system": context(HELLO, ANSWER, SYSTEM, HELLO),
    "two systems": context(SYSTEM, SYSTEM, HELLO),
    "thinking": context(HELLO, THOUGHT, HELLO, THOUGHT),
    "thinking, answered": context(HELLO, THOUGHT, add_generation_prompt=False, enable_thinking=False),
    "no thinking": context(HELLO, enable_thinking=False),
    "reasoning": context(HELLO, ANSWER | {"reasoning_content": "\nHm.\n"}, add_generation_prompt=False),
    "tools": context(SYSTEM, HELLO, CALLS, TOOL, ANSWER, HELLO, tools=[WEATHER, TIME]),
    "tools in system": context(HELLO, CALLS, TOOL, TOOL, tools=[WEATHER], tools_in_user_message=False),
    "two calls": context(HELLO, message("assistant", "Wait.", tool_calls=[CALL, CALL]), TOOL, TOOL, tools=[TIME]),
    "built-in": context(HELLO, CALLS, TOOL, builtin_tools=["code_interpreter", "weather", "search"]),
    "custom tools": context(HELLO, custom_tools=[TIME], date_string="1 April 2025"),
    "image": context(message("system", [{"type": "text", "text": "Look."}]), IMAGE),
    "empty content": context(message("system", ""), message("user", ""), message("assistant", "")),
    "no content": context({"role": "user"}, ANSWER),
    "null content": context(HELLO, message("assistant", None)),
    "unknown role": context(message("narrator", "Once."), HELLO),
    "marked up": context(message("user", "{{ bos_token }} {% if %} {# #}<|im_end|>")),
}
# Where a model has no token that begins or ends a text, the names are undefined.
CONTEXTS["no tokens"] = {key: value for key, value in context(SYSTEM, HELLO).items() if not key.endswith("_token")}

# One expression a line.
EXPRESSIONS = r'''

1
1.0
1e3
1.5e-7
1_000
0.1
1e16
123456789012345680.0
1e22
0.00001
1E5
0.0001
100.0
1234567.891
9007199254740993.0
5e-324
1e-10
2.5e20
1e15
1e100
-1.0
-0.0
1e400
-1e400
0.30000000000000004
true
True
false
False
none
None
[1, 'a', none, true, 1.5, [], ()]
(1,)
(1, 2)
1, 2
()
(1)
{'a': 1, 2: 'b', none: [1]}
['it\'s', 'say "x"', 'both \' and "', 'a\nb\t\\', '\x00\x7f\xa0é\u2028😀\u200b']
[1,2,]
{'a': 1,}
'a\nb\t\'\"\\\x41\u00e9\U0001F600\101\q\a\b\f\v\r'
'a' 'b' "c"
[undefined_name]
'\0' ~ 'x' == '\x00x'
{'a': 1, 'a': 2}
{1: 'a', 1.0: 'b', true: 'c'}
{[]: 1}
'ä' == 'a\u0308'
{'ä': 1}['a\u0308'] is defined

1 + 2 * 3 - 4
(1 + 2) * 3
7 / 2
8 / 2
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7.5 % 2
-7.5 // 2
-7.5 % 2
7.5 // -2.0
2 * 1.5
1 - 0.5
true + true
5.0 % -2
4.0 % -2
-4.0 % 2
1 / 0
1 // 0
1 % 0
1.0 / 0
-3
+3
- -3
-true
+true
2 - -3
'a' + 'b'
'a' * 3
3 * 'a'
'a' * -1
[1] + [2]
(1,) + (2,)
'a' + 1
1 + 'a'
[1] + (2,)
'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] ~ nothing
1 ~ 2 + 3
'1' ~ 2 * 3
'a' + 'b' ~ 'c'
-'a'
'a' - 'b'
1 < 2
2 <= 2
1 > 2
'a' < 'b'
'a' < 'B'
'a' <= 'a'
1 < 2 < 3
3 > 2 > 2
1 < 1.5
'\uffff' < '😀'
'a' < 1
none < 1
1 == 1.0
true == 1
'1' == 1
none == none
none == false
[1, [2]] == [1.0, [2]]
[1] == (1,)
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
{'a': 1} != {'a': 2}
nothing == nowhere
nothing == none
nothing != ''
1 in [1, 2]
'a' in 'cat'
'' in ''
'x' not in 'cat'
'a' in {'a': 1}
1.0 in (1,)
1 in nothing
'role' in messages[0]
1 in 'a'
1 in none
1 in 5
[1] in {}
not true
not 0
not ''
not nothing
not not 1
not 1 == 2
1 and 2
0 and x.y
0 or 'b'
'' or none
1 or x.y
1 and 0 or 3
true and not false
'a' if true else 'b'
'a' if false else 'b'
'a' if false
'a' if 0 else 'b' if 0 else 'c'
('a' if false) is defined
1 if true else 2 + 3
[1 if false else 2]
9223372036854775807
9223372036854775806 + 1

nothing.x
nothing['x']
nothing()
nothing + 1
-nothing
nothing < 1
messages[0].nothing
messages[99]
messages[-99]
none.x
(5).x
messages[0].nothing.more
messages[99].role
nothing is iterable
nothing is sequence
nothing is string
nothing is none
nothing|list
nothing|string
nothing|upper
nothing|trim
nothing|join(',')
nothing|first is defined
nothing|items|list
nothing|replace('a', 'b')
nothing|tojson
nothing|int
nothing[1:]
none[1:]
none|length
none['x']
none[0]
'abc'.nothing
'a' in nothing
nothing in 'a'
nothing in ['a']
nothing|default('d')
''|default('d')
''|default('d', true)
none|default('d')
none|d('d', boolean=true)
x.y|default(1) if false else 2
nothing|default

[1,2,3][0]
[1,2,3][-1]
(1,2)[1]
'añ😀'[2]
'abc'[-1]
'abc'[5]
{'a': 1}['a']
{'a': 1}.a
[1,2][true]
{1: 'x'}[1]
{1: 'x'}[true]
[0,1,2,3,4][1:3]
[0,1,2][:2]
[0,1,2][1:]
[0,1,2][:]
[0,1,2,3][::2]
[0,1,2][::-1]
[0,1,2,3][-2:]
[0,1,2,3][:-1]
[0,1,2,3][3:1:-1]
'añ😀x'[1:3]
'abc'[::-1]
'abc'[10:]
'abc'[-10:2]
(1,2,3)[1:]
[1,2,3][-10:-1]
[1,2,3][5:-5:-1]
[1,2][none:none]
[1,2,3][::5]
[1,2,3][::-9]
[1][::0]
[1]['a':]
{'a': 1}[1:]
5[0]
[1]['x']
[1][1.0]
'abc'[0:2][1]
[[1,2],[3]].0.1
messages.1.role
messages[1]['content']|length
{'items': 5}['items']
{'get': 1}['get']
{'a': 1}.get('a')
{'a': 1}.get('b')
{'a': 1}.get('b', 2)
{'a': 1}['get']('a')

'a,b,,c'.split(',')
' a  b '.split()
'a b c'.split(none, 1)
'a,b,c'.split(',', 1)
''.split()
''.split(',')
'abc'.split('abc')
'aaa'.split('aa')
' a  b  '.split(maxsplit=1)
'a'.split('')
'Straße ÉA'.upper()
'ÀBC'.lower()
"they're bill's 3rd".title()
'hELLO wORLD'.capitalize()
'ǆx'.title()
''.capitalize()
'abc'.startswith('ab')
'abc'.endswith('bc')
'abc'.startswith('')
'abc'.startswith(('x', 'a'))
'abc'.endswith(('x', 'y'))
'a'.startswith('abc')
''.endswith('')
'banana'.replace('a', 'o')
'banana'.replace('an', '')
'abc'.replace('', '-')
'banana'.replace('a', 'o', 2)
'a'.replace('x', 'y')
'añb'.replace('', '.', 2)
'ab'.replace('a', 'b', 0)
''.replace('', 'x')
'a'.strip(1)
'a'.startswith(1)
'a'.upper(1)
{'a': 1}.keys()|list
{}.items()|length
{'a': 1, 'b': 2}.values()|join('+')
'a' in {'a': 1}.keys()
{'a': 1}.keys()[0]
{}.get([]) is defined if false else 1
{}.get()

'  a b ' | trim
5 | trim
'xax' | trim('x')
none | trim
'abc' | length
'añ😀' | count
[1,2] | length
{'a': 1} | length
'' | length
range(5) | length
5 | length
'aé' | upper
'AÉ' | lower
'hello World' | capitalize
5 | upper
none | lower
[1,2] | first
[1,2] | last
'abc' | first
'abc' | last
[] | first
[] | last
{'a': 1} | first
{'a': 1, 'b': 2} | last
range(3) | last
5 | first
[1, 'a', none] | join(', ')
'abc' | join('-')
[] | join(',')
messages | join('|', attribute='role')
[1, 2] | join
{'a': 1, 'b': 2} | join(0)
'abc' | list
{'a': 1} | list
(1, 2) | list
range(3) | list
5 | list
5 | string + '1'
[1] | string
none | string
1.0 | string
'42' | int
' 7 ' | int
'x' | int
'x' | int(5)
3.9 | int
-3.9 | int
'3.9' | int
true | int
none | int
'' | int(default=1)
'1e2' | int
'-5' | int
'+5' | int
'inf' | int
'banana' | replace('a', 'o')
'banana' | replace('a', 'o', 1)
5 | replace(5, 6)
'a' | replace(old='a', new='b')
'a' | replace('a')
{'a': [1, 2.0, 'é"\n\x01\\/<&>\x7f', none, true], 'b': {}, 'c': []} | tojson
{'a': [1, {'b': 2}], 'c': [], 'd': {}} | tojson(indent=2)
[1, [2]] | tojson(indent=0)
tools[0] | tojson(indent=4)
tools | tojson
{'é': '😀é\x7f'} | tojson(ensure_ascii=true)
{'b': 1, 'a': 2} | tojson(sort_keys=true)
[1, {'a': 2}] | tojson(separators=(',', ':'))
{1: 'a', none: 2, true: 3, 1.5: 4} | tojson
(1, 2) | tojson
'a' | tojson
none | tojson
1e400 | tojson
1e16 | tojson
[1] | tojson(indent=none)
range(3) | tojson
{'a': 1}.items() | tojson
namespace() | tojson
messages | map(attribute='role') | list
messages | map(attribute='role') | join(',')
[' a ', 'b '] | map('trim') | list
[{'a': {'b': [5]}}] | map(attribute='a.b.0') | list
[{'a': 1}, {}] | map(attribute='a', default='-') | list
[[1, 2], [3, 4]] | map(attribute=1) | list
['a'] | map('replace', 'a', 'b') | list
messages | selectattr('role', 'equalto', 'user') | list | length
messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | list
messages | selectattr('tool_calls', 'defined') | list | length
messages | selectattr('tool_calls') | map(attribute='role') | join
messages | selectattr('role', 'in', ['user', 'tool']) | list | length
messages | selectattr('role', '==', 'tool') | map(attribute='content') | first
messages | rejectattr('tool_calls', 'undefined') | list | length
[1, 0, 2, none] | select | list
[1, 0, none] | reject | list
[1, 'a', 2] | select('string') | list
[1, 2, 3] | reject('equalto', 2) | list
[1, 2, 3] | select('gt', 1) | list
[1,2,3,4] | select('even') | list
[] | select | length
[1] | items | list
'<b>' | safe
5 | safe
'<&>'
'a\n\nb' | indent
'a\nb' | indent(2)
'a\nb' | indent(2, true)
'a\n\nb\n' | indent(2, blank=true)
'a\nb' | indent(width='> ', first=true)
'' | indent(2, true)
'a\r\nb\x0bc\u2028d' | indent(1)
'a\n' | indent
'\na' | indent(first=true)
5 | indent
' a ' | trim | upper | length
-1 | string
'a' ~ 'b' | upper
('a' ~ 'b') | upper
1 + 2 | string | length
[3] | first + 1
'a' | upper()
'a' | default('b') | upper
'x' | trim(foo=1)

1 is defined
1 is number
true is number
1.5 is number
'1' is number
1 is integer
true is integer
1.0 is integer
true is boolean
1 is boolean
true is true
1 is true
false is false
1.5 is float
'a' is string
[] is string
{} is mapping
[] is mapping
[] is iterable
'a' is iterable
{} is iterable
1 is iterable
[] is sequence
'a' is sequence
{} is sequence
() is sequence
1 is sequence
none is none
0 is none
range is callable
'a'.upper is callable
1 is equalto 1
1 is eq 2
1 is ne 2
1 is in [1]
'a' is in 'abc'
1 is not in [1]
1 is not defined
x is not defined
not x is defined
1 is equalto(1) and 2 is equalto(2)
3 is odd
3 is even
2 is gt 1
[1]|select('equalto', 1)|list is sequence
[1]|select is sequence
{}.keys() is sequence
'x' if y is defined else 'z'
y is defined or 1 is defined
1 + 1 is number
raise_exception is defined
strftime_now is defined
messages[0].role is string and messages is iterable
none is not none
1 is equalto 1.0
1 is defined 2
'a' is odd
1 is equalto

range(3) | list
range(1, 3) | list
range(5, 0, -2) | list
range(0) | list
range(3)[1]
range(5)[1:3] | list
range(100001)
range(1, 2, 0)
range('a')
dict(a=1, b='x')
dict({'c': 1}, d=2)
dict()
dict(a=1).a
strftime_now('%d %b %Y')
strftime_now('%A %a %B %b %d %H:%M:%S %I %p %j %y %m %Y %% %F %T %R %-d %-m %-H')
strftime_now('')
raise_exception('no')
'''

SNIPPETS = [
    # Text and white space
    "\n",
    "a\n",
    "a\n\n",
    "a\r\nb\rc\n",
    "  {{ 1 }}  \n  x",
    "  {% if true %}  \n  x\n  {% endif %}  \ny",
    "a  {%- if true -%}  \n b \n {%- endif -%} \n c",
    "  {%+ if true %}x{% endif +%}\ny",
    "a {%+ if true -%}\n b{%+ endif %}",
    "{{- 'a' -}}   \n b",
    "x {{- 'a' }} y\n{{ 'b' -}}\n\n z",
    "a\n  {# c #}\nb",
    "a {# c #} b",
    "a {#- c -#} b",
    "a{# x -#}\n\nb",
    "  {#+ c +#}\nb",
    "{# {{ {% #}x",
    "{#-#}x",
    "{#}#}",
    "\t {% set x = 1 %}\n{{ x }}",
    "\n{% if true %}\n\nx\n{% endif %}\n\n",
    "a{% if true %}\n{% if true %}\n  b\n  {% endif %}\n{% endif %}\n",
    "\xa0{%- if true %}x{% endif -%}\u2003y",
    "a\x1c{{- 1 }}",
    "{% if true %}x{% endif %}  {% if true %}y{% endif %}",
    "{{ 1 }}  {% if true %}y{% endif %}",
    "{{ 1 }}\n  {% if true %}y{% endif %}",
    "{{ 1 -}}\n  {% if true %}y{% endif %}",
    "{%- set x -%}  a  {%- endset -%}[{{ x }}]",
    "} }} %} #} { {x",
    "{{ '}}' }}{{ '%}' }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ {'a': {}} }}",
    "{{\n1\n}}\n{%\nif true\n%}\nx{% endif\n%}",
    # Literals
    "{{ 'line\\\ncontinued' }}",
    "{{ \"it's\" }}{{ 'a\nb' }}",
    # Undefined
    "{{ nothing }}[{{ nothing|length }}]{{ nothing is defined }}{{ nothing is undefined }}",
    "{% for x in nothing %}x{% else %}none{% endfor %}",
    # Methods
    "[{{ ' a '.strip() }}][{{ ' a '.lstrip() }}][{{ ' a '.rstrip() }}][{{ 'xxaxx'.strip('x') }}]",
    "[{{ 'abcab'.strip('ab') }}][{{ ''.strip() }}][{{ '\n a\xa0'.strip() }}][{{ 'a'.strip(none) }}]",
    "{% for k, v in {'a': 1, 'b': [2]}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{{ {'a': 1}.keys() }} {{ {'a': 1}.values() }} {{ {'a': 1}.items() }} {{ {'a': 1}.items()|list }}",
    # Filters
    "{% if [] | select %}yes{% endif %}{{ ([1] | select)[0] }}|",
    "{% for k, v in {'a': 1} | items %}{{ k }}{{ v }}{% endfor %}",
    # Statements
    "{% if 1 == 2 %}a{% elif 2 == 2 %}b{% else %}c{% endif %}{% if none %}a{% else %}b{% endif %}",
    "{% if [] %}a{% elif {} %}b{% elif '' %}c{% elif 0.0 %}d{% endif %}{% if 'x' %}x{% endif %}",
    "{% for x in 'abc' %}{{ loop.index, loop.index0, loop.first, loop.last, loop.length }} {% endfor %}",
    "{% for x in [1,2,3] %}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}",
    "{% for x in 'ab' %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.previtem is defined }};{% endfor %}",
    "{% for x in range(6) if x % 2 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% else %}none{% endfor %}",
    "{% for x in [1] if x > 1 %}x{% else %}none{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4], 'xy'] %}{{ a }}-{{ b }} {% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}",
    "{% for x in 5 %}{% endfor %}",
    "{% for x in none %}{% endfor %}",
    "{% for x in [1,2,3] %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}!",
    "{% for x in [1,2,3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}!",
    "{% for x in 'ab' %}{% for y in 'xy' %}{% if y == 'y' %}{% break %}{% endif %}{{ x, y }}{% endfor %}!{% endfor %}",
    "{% for x in 'xy' %}{% for y in 'abc' %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}{{ loop }}",
    "{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% if false %}{% set z = 1 %}{% endif %}{{ z is defined }}",
    "{% for i in [1] %}{% set y = 1 %}{% endfor %}{{ y is defined }}{{ i is defined }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set t = 1, %}{{ t }}",
    "{% set a, b = [1] %}",
    "{% set ns = namespace(a=1) %}{% for i in [1,2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}",
    "{% set ns = namespace(b='x') %}{{ ns.b }}{{ ns.d }}{{ ns['b'] }}{{ ns.d is defined }}",
    "{% set d = {'a': 1} %}{% set d.a = 2 %}",
    "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a + ns.b }}",
    "{% set x %}a{{ 1 }}{% set inner = 2 %}b{% endset %}{{ x }}{{ x is string }}{{ inner is defined }}",
    "{% set x | trim | upper %}  ab  {% endset %}[{{ x }}]",
    "{% set x %}{% endset %}[{{ x }}]",
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c='z') }}{{ m() }}",
    "{% macro m(a, b=2) %}{{ a }}{{ b }};{% endmacro %}{{ m(a=5, b=none) }}{{ m(1) is string }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% set x = 1 %}{% macro m() %}{{ x }}{{ y }}{% endmacro %}{% set x = 2 %}{% set y = 3 %}{{ m() }}",
    "{% macro m() %}{% set inside = 1 %}{{ inside }}{% endmacro %}{{ m() }}{{ inside is defined }}",
    "{% for i in [1, 2] %}{% macro m(v) %}{{ v }}{{ i }}{% endmacro %}{{ m('a') }}{% endfor %}",
    "{% macro m() %}  a  {% endmacro %}[{{ m() | trim }}][{{ m() + 'b' }}][{{ 'b' ~ m() }}]",
    "{{ m }}{% macro m() %}{% endmacro %}{{ m is callable }}",
    "{% generation %}a{{ 1 }}{% set g = 1 %}{% endgeneration %}{{ g is defined }}",
    "{% generation %}\n  x\n{% endgeneration %}\ny",
    "{% if false %}{{ raise_exception('no') }}{% endif %}fine",
    "{% set raise_exception = 1 %}{{ raise_exception }}",
    # What is no template
    "{{",
    "{%",
    "{# x",
    "{{ 1",
    "{{ }}",
    "{% %}",
    "{% if %}{% endif %}",
    "{% if true %}",
    "{% endif %}",
    "{% for x in [1] %}",
    "{% for in [1] %}{% endfor %}",
    "{% for x [1] %}{% endfor %}",
    "{% set 1 = 2 %}",
    "{% set true = 2 %}",
    "{% foo %}",
    "{{ 'abc }}",
    "{{ (1 }}",
    "{{ 1) }}",
    "{{ [1 }}",
    "{{ {1} }}",
    "{{ a b }}",
    "{{ 1 + }}",
    "{{ | trim }}",
    "{{ a. }}",
    "{{ a.'b' }}",
    "{{ a[] }}",
    "{{ f(a=1, 2) }}",
    "{{ 1 is }}",
    "{{ ! }}",
    "{{ a ? b }}",
    "{{ $ }}",
    "{% break %}",
    "{% macro %}{% endmacro %}",
    "{% macro m( %}{% endmacro %}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% else %}",
    "{% if true %}{% else %}{% else %}{% endif %}",
    "{{ 1 if }}",
    "{% if true %}{% endfor %}",
    "{{ '\\u12' }}",
    "{{ 'a' is string is defined }}",
]
