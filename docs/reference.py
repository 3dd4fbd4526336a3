"""Writes the API reference, `docs/api`, from what the code says: the protos, the policy table, the settings.

    python docs/reference.py [FOLDER]

It reads `build/mooring.binpb`, which `make docs` brings up to date first, and the examples in
`docs/examples/calls`, which the tests run.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from apidoc import examples, general, protos
from apidoc.markdown import cell, code_block, page, refusals, speaks_of_codes, table, with_codes
from apidoc.operations import COMMENTS
from mooring_server.core.names import Kind
from mooring_server.core.policy import POLICY, Rule

ROOT = Path(__file__).parents[1]
SERVICES = (
    *(f"mooring.v1.{name}Service" for name in ("User", "Engagement", "Session", "Discovery", "Watch")),
    "google.longrunning.Operations",
)
_WELL_KNOWN = "https://protobuf.dev/reference/protobuf/google.protobuf/#"


class Reference:
    """Every page, and where each message is explained."""

    def __init__(self, api: protos.Api, scenarios: Iterable[examples.Scenario]) -> None:
        self._api = api
        self._scenarios = {scenario.name: scenario for scenario in scenarios}
        self._homes = dict(self._found_homes())

    def pages(self) -> Iterator[tuple[str, str]]:
        """Each page's file name and text."""
        services = [self._api.services[name] for name in SERVICES]
        rpcs = {_stem(service): _admitted(service) for service in services}
        yield "README.md", general.index(services, rpcs)
        for service in services:
            yield f"{_stem(service)}.md", self._service(service, rpcs[_stem(service)])
        yield "errors.md", general.errors(self._api, self._scenarios["errors"])
        yield "limits.md", general.limits()
        yield "authentication.md", general.authentication(self._api)

    def _found_homes(self) -> Iterator[tuple[str, str]]:
        """Where each message and enum stands, `sessions.md#session`: once, whoever uses it.

        Those of a file that has a service are on its page, others on the first page that needs them. A
        request and an answer of one RPC alone stand with it.
        """
        files = {self._api.services[name].file: _stem(self._api.services[name]) for name in SERVICES}
        seen = set()
        for name in SERVICES:
            service = self._api.services[name]
            for rpc in _admitted(service):
                for each in self._api.reachable(rpc):
                    if each in seen or each.startswith("google.protobuf."):
                        continue
                    seen.add(each)
                    described = self._api.messages.get(each) or self._api.enums[each]
                    stem = files.get(described.file, _stem(service))
                    anchor = rpc.name if each in _own(rpc) else each.rpartition(".")[2]
                    yield each, f"{stem}.md#{anchor.lower()}"

    def _service(self, service: protos.Service, rpcs: list[protos.Rpc]) -> str:
        stem = _stem(service)
        scenario = self._scenarios[stem]
        shown = [
            call for call in scenario.calls if not call.hidden and call.rpc.startswith(service.full_name)
        ]
        own = {name for rpc in rpcs for name in _own(rpc)}
        here = [
            name for name, home in self._homes.items() if home.startswith(f"{stem}.md#") and name not in own
        ]
        blocks = [
            f"# {service.full_name.rpartition('.')[2]}",
            _comment(service.full_name, service.comment),
            table(
                ("call", "in short", "changes"),
                [
                    (
                        f"[{rpc.name}](#{rpc.name.lower()})",
                        cell(_sentence(_comment(rpc.full_name, rpc.comment))),
                        "yes" if POLICY[rpc.full_name].mutates else "",
                    )
                    for rpc in rpcs
                ],
            ),
            "The examples run in the tests, one after the other. Those in Python stand below these lines, "
            "where `MOORING_TOKEN` is an [API token](authentication.md); [Using the stubs](../stubs.md) adds "
            "TLS, retries and errors.",
            code_block(examples.preamble(shown), "python"),
        ]
        for rpc in rpcs:
            blocks += self._rpc(
                rpc, [call for call in shown if call.rpc == rpc.full_name], scenario.samples, stem
            )
        messages = [self._message(name, stem) for name in here if name in self._api.messages]
        enums = [self._enum(name) for name in here if name in self._api.enums]
        blocks += ["## Messages", *messages] if messages else []
        blocks += ["## Enums", *enums] if enums else []
        return page(*blocks)

    def _rpc(
        self, rpc: protos.Rpc, calls: list[examples.Call], samples: Mapping[str, str], stem: str
    ) -> Iterator[str]:
        paragraphs = _comment(rpc.full_name, rpc.comment).split("\n\n")
        yield f"## {rpc.name}"
        yield with_codes("\n\n".join(one for one in paragraphs if not speaks_of_codes(one)))
        yield table(("", ""), self._facts(rpc))
        yield self._fields(rpc.request, stem, "Request: " + ("a stream of " if rpc.streams_in else ""))
        if rpc.answer in _own(rpc):
            yield self._fields(rpc.answer, stem, "Answer: " + ("a stream of " if rpc.streams_out else ""))
        else:
            work = "".join(
                f", whose {part} is {self._named(name, stem)}"
                for part, name in zip(("response", "metadata"), rpc.work, strict=False)
            ).replace(", whose metadata", " and whose metadata")
            yield f"**Answer:** {self._named(rpc.answer, stem)}{work}"
        refused = [refusals(one) for one in paragraphs if speaks_of_codes(one)]
        yield "**Refusals**, besides [those of every call](errors.md#every-call):" if refused else ""
        yield from refused
        for number, call in enumerate(calls):
            title = "Example" if len(calls) == 1 else f"Example {number + 1}"
            yield f"**{title}**" + (f": {call.about}" if call.about else "")
            form = examples.rest(call, samples)
            yield code_block(form, "json" if form[0] in "[{" else "http")
            yield code_block(examples.python(call, samples), "python")
            yield "is answered with" if call.response else "is answered with nothing:"
            yield code_block(examples.as_json(examples.filled(call.response, samples)), "json")

    def _facts(self, rpc: protos.Rpc) -> Iterator[tuple[str, str]]:
        rule = POLICY[rpc.full_name]
        paths = [
            f"`{one.verb} {one.template}`" for one in rpc.bindings if rpc.full_name.startswith("mooring.")
        ]
        yield "REST", "<br>".join(paths) or "none: gRPC alone"
        yield "who may", _who(rule)
        yield "token", "scope `READ` is enough" if not rule.mutates else "scope `WRITE`"
        yield "changes", self._repeats(rpc) if rule.mutates else "nothing"
        yield "rate", f"[`{rule.rate}_rate`](limits.md#rates)"

    def _repeats(self, rpc: protos.Rpc) -> str:
        fields = {one.name for one in self._api.messages[rpc.request].fields}
        if "request_id" not in fields:
            return "yes; a repeated call is harmless"
        return "yes; repeat it with its `request_id`" + (
            "; `validate_only` only checks" if "validate_only" in fields else ""
        )

    def _message(self, name: str, stem: str) -> str:
        message = self._api.messages[name]
        comment = with_codes(_comment(name, message.comment))
        return f"### {name.rpartition('.')[2]}\n\n{comment}\n\n{self._fields(name, stem)}"

    def _enum(self, name: str) -> str:
        enum = self._api.enums[name]
        rows = [(f"`{value}`", str(number), cell(comment)) for value, number, comment in enum.values]
        return f"### {name.rpartition('.')[2]}\n\n{enum.comment}\n\n{table(('value', 'number', 'is'), rows)}"

    def _fields(self, name: str, stem: str, title: str = "") -> str:
        message = self._api.messages[name]
        rows = [
            (
                f"`{one.name}`",
                self._type(one, stem),
                ", ".join([*one.behaviours, *([f"one of `{one.one_of}`"] if one.one_of else [])]),
                cell(_comment(f"{name}.{one.name}", one.comment)),
            )
            for one in message.fields
        ]
        fields = table(("field", "type", "", "is"), rows) if rows else ""
        if not title:
            return fields
        return f"**{title.rstrip()}** `{name.rpartition('.')[2]}`" + (f"\n\n{fields}" if rows else ", empty")

    def _type(self, field: protos.Field, stem: str) -> str:
        shown = self._named(field.type.text, stem) if field.type.named else f"`{field.type.text}`"
        if field.key is not None:
            return f"map of `{field.key.text}` to {shown}"
        return ("repeated " if field.repeated else "optional " if field.optional else "") + shown

    def _named(self, name: str, stem: str) -> str:
        short = name.rpartition(".")[2]
        if name.startswith("google.protobuf."):
            return f"[{short}]({_WELL_KNOWN}{short.replace('FieldMask', 'field-mask').lower()})"
        if name == "google.rpc.Status":
            return f"[{short}](errors.md#what-a-failure-carries)"
        return f"[{short}]({self._homes[name].removeprefix(f'{stem}.md')})"


def main() -> None:
    """Writes every page into the folder that is named, by default `docs/api`."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "api"
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(Reference(protos.read(ROOT / "build" / "mooring.binpb"), examples.scenarios()).pages())
    for stale in {file.name for file in folder.glob("*.md")} - pages.keys():
        (folder / stale).unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")
    sys.stdout.write(f"{len(pages)} pages in {folder}\n")


def _who(rule: Rule) -> str:
    if rule.role is None:
        if not rule.kinds:
            return "everybody, about themselves"
        return "the user themselves" + (", whoever shares an engagement with them" if rule.or_known else "")
    who = f"{rule.role.name.lower()} of the engagement"
    if Kind.USER in rule.kinds:
        who = f"{rule.role.name.lower()} of each engagement; the user themselves of their own stream"
    if rule.or_self:
        who += "; every member about themselves"
    if rule.mutates:
        who += "; also while it is archived" if rule.in_archive else "; not while it is archived"
    return who


def _comment(name: str, comment: str) -> str:
    return COMMENTS.get(name, comment)


def _sentence(comment: str) -> str:
    return comment.split("\n\n")[0].split(". ")[0].rstrip(".:")


def _own(rpc: protos.Rpc) -> tuple[str, ...]:
    """The messages that an RPC has to itself; they are explained with it."""
    names = (f"{rpc.name}Request", f"{rpc.name}Response")
    return tuple(name for name in (rpc.request, rpc.answer) if name.endswith(names))


def _admitted(service: protos.Service) -> list[protos.Rpc]:
    """The RPCs that there are: of Google's own services we have not all."""
    return [rpc for rpc in service.rpcs if rpc.full_name in POLICY]


def _stem(service: protos.Service) -> str:
    return Path(service.file).stem


if __name__ == "__main__":
    main()
