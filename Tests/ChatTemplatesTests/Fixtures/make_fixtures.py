"""Writes expected.json with jinja2 3.1.6, set up as Hugging Face transformers 5.23.0 sets it up for chat templates:

    python make_fixtures.py

`templates` are written for these tests in the manner of the models they are named after, but smollm2.jinja, which is
the model's own (SmolLM2-135M-Instruct, Apache 2.0). `snippets` are of one construct each. Both have in `text` what
jinja2 makes of them, or null where it raises. A context's values are tagged, so that their order and types stay.
"""

import importlib.metadata
import json
import pathlib
from datetime import datetime, timezone

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from snippets import CONTEXTS, EXPRESSIONS, SNIPPETS

HERE = pathlib.Path(__file__).parent
NOW = datetime(2024, 7, 6, 9, 5, 7, tzinfo=timezone.utc)


class Generation(Extension):
    """`{% generation %}`, which transformers adds to mark what training learns from."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_inside"), [], [], body).set_lineno(line)

    def _inside(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    result = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = NOW.strftime
    return result


def rendered(source, context):
    try:
        return environment().from_string(source).render(context)
    except Exception:  # whatever it is, a template that raises gives no prompt
        return None


def tagged(value):
    match value:
        case None | bool() | str():
            return value
        case int():
            return {"integer": value}
        case float():
            return {"number": value}
        case list():
            return {"list": [tagged(item) for item in value]}
        case dict():
            return {"dictionary": [[key, tagged(item)] for key, item in value.items()]}


def main():
    templates = []
    for path in sorted((HERE / "templates").iterdir()):
        # As bytes: reading text would turn CRLF into LF.
        source = path.read_bytes().decode()
        for name, context in CONTEXTS.items():
            templates.append({"template": path.name, "context": name, "text": rendered(source, context)})
    sources = [f"{{{{ {line} }}}}" for line in EXPRESSIONS.splitlines() if line] + SNIPPETS
    snippets = [{"source": source, "text": rendered(source, CONTEXTS["tools"])} for source in sources]
    content = {
        "jinja2": importlib.metadata.version("jinja2"),
        "contexts": {name: tagged(context) for name, context in CONTEXTS.items()},
        "templates": templates,
        "snippets": snippets,
    }
    (HERE / "expected.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    refused = sum(case["text"] is None for case in templates), sum(case["text"] is None for case in snippets)
    print(f"{len(templates)} renderings and {len(snippets)} snippets, of which {refused[0]} and {refused[1]} raise")


if __name__ == "__main__":
    main()
