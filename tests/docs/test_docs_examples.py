"""Every example of the reference, run in order against a real server, in both of its forms."""

import itertools
import json
import re
import uuid
from urllib.parse import parse_qsl

import grpc
import pytest
from apidoc import examples, protos
from google.api import annotations_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status
from mooring_server.core.policy import POLICY

SCENARIOS = {scenario.name: scenario for scenario in examples.scenarios()}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
DEADLINE_S = 30


def pattern(text, bound):
    """What a documented text means: the same text, with what stands for a placeholder named."""
    made, place, new = "", 0, set()
    for found in examples.PLACEHOLDER.finditer(text):
        name = found[1]
        made += re.escape(text[place : found.start()])
        place = found.end()
        if name.partition("_")[0] == "time":
            made += TIME
        elif name in bound:
            made += re.escape(bound[name])
        else:
            made += f"(?P={name})" if name in new else f"(?P<{name}>.+?)"
            new.add(name)
    return re.compile(made + re.escape(text[place:]))


def differences(expected, actual, bound, where="answer"):
    """Where an answer is not as documented; what a placeholder stands for is bound on the way."""
    match expected, actual:
        case dict(), dict() if expected.keys() == actual.keys():
            for key in expected:
                yield from differences(expected[key], actual[key], bound, f"{where}.{key}")
        case list(), list() if len(expected) == len(actual):
            for index, pair in enumerate(zip(expected, actual, strict=True)):
                yield from differences(*pair, bound, f"{where}[{index}]")
        case str(), str() if found := pattern(expected, bound).fullmatch(actual):
            bound.update(found.groupdict())
        case _:
            if expected != actual:
                yield f"{where}: documented is {expected!r}, what came is {actual!r}"


def transcoded(text, call):
    """The request that a gateway makes of a REST call; the RPC whose path is the most literal gets it."""
    head, _, body = text.partition("\n\n")
    verb, _, target = head.partition(" ")
    path, _, query = target.partition("?")
    found = []
    for rpc, method in examples.methods().items():
        for binding in protos.bindings(method.GetOptions().Extensions[annotations_pb2.http]):
            template = re.sub(
                r"\{([\w.]+)=([^}]*)\}",
                lambda one: f"(?P<{one[1].replace('.', '__')}>{one[2].replace('*', '[^/:]+')})",
                binding.template,
            )
            if binding.verb == verb and (match := re.fullmatch(template, path)):
                found.append((binding.template.count("*"), rpc, binding, match.groupdict()))
    _, rpc, binding, variables = min(found, key=lambda one: one[0])
    assert rpc == call.rpc, f"{head} is a call of {rpc}"
    fields = {}
    if binding.body == "*":
        fields = json.loads(body)
    elif binding.body:
        fields[binding.body] = json.loads(body)
    else:
        assert not body
    for name, value in [*parse_qsl(query, strict_parsing=bool(query)), *variables.items()]:
        *outer, last = name.replace("__", ".").split(".")
        holder = fields
        for step in outer:
            holder = holder.setdefault(step, {})
        known = call.method.input_type.fields_by_camelcase_name.get(name)
        if known is not None and known.is_repeated:
            holder.setdefault(last, []).append(value)
        else:
            holder[last] = {"true": True}.get(value, value)
    return ParseDict(fields, GetMessageClass(call.method.input_type)())


class ByJson:
    """Makes calls of their JSON form: over the REST path, or of the messages where there is none."""

    def __init__(self, server, bearers, scenario):
        self._channel = server.channel
        self._bearers = bearers

    def answer(self, call, values):
        text = examples.rest(call, values)
        kind, answer_kind = map(GetMessageClass, (call.method.input_type, call.method.output_type))
        if text[0] in "[{":
            made = json.loads(text)
            requests = [ParseDict(one, kind()) for one in (made if isinstance(made, list) else [made])]
        else:
            requests = [transcoded(text, call)]
        streams = call.method.client_streaming, call.method.server_streaming
        form = "_".join("stream" if one else "unary" for one in streams)
        invoke = getattr(self._channel, form)(
            f"/{call.rpc}",
            request_serializer=kind.SerializeToString,
            response_deserializer=answer_kind.FromString,
        )
        answer = invoke(
            iter(requests) if streams[0] else requests[0],
            metadata=[("authorization", f"Bearer {self._bearers[call.caller]}")],
            timeout=DEADLINE_S,
        )
        return list(itertools.islice(answer, len(call.response))) if streams[1] else answer


class ByPython:
    """Makes calls as a reader does: runs the text, below the lines that stand above all of them."""

    def __init__(self, server, bearers, scenario):
        self._preamble = examples.preamble(scenario.calls)
        self._address = server.address
        self._bearers = bearers
        self._spaces = {}

    def answer(self, call, values):
        space = self._spaces.get(call.caller)
        if space is None:
            space = self._spaces[call.caller] = {}
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MOORING_SERVER", self._address)
                patch.setenv("MOORING_TOKEN", self._bearers[call.caller])
                self._run(self._preamble, space)
        self._run(examples.python(call, values), space)
        return space["answer"]

    def _run(self, text, space):
        exec(compile(text, "the reference", "exec"), space)  # noqa: S102 - what the reader would run


@pytest.mark.parametrize("form", [ByJson, ByPython])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_examples_do_what_they_say(server, bearers, scenario, form):
    """Each call of a scenario, made in either form, is answered with what the reference shows."""
    maker, bound = form(server, bearers, scenario), {}
    for number, call in enumerate(scenario.calls):
        bound["uuid"] = str(uuid.uuid4())
        if call.refused:
            with pytest.raises(grpc.RpcError) as refusal:
                maker.answer(call, bound)
            answer = rpc_status.from_call(refusal.value)
        else:
            answer = maker.answer(call, bound)
        shown = [MessageToDict(one) for one in answer] if isinstance(answer, list) else MessageToDict(answer)
        wrong = list(differences(call.response, shown, bound))
        assert not wrong, f"call {number}, {call.rpc}:\n" + "\n".join(wrong) + f"\n{json.dumps(shown)}"


def test_every_rpc_has_an_example():
    """Whatever the policy table admits is shown in the reference."""
    shown = {call.rpc for scenario in SCENARIOS.values() for call in scenario.calls if not call.hidden}
    assert shown == set(POLICY)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_sample_is_used(scenario):
    """A scenario has a sample for each of its placeholders, and no other one."""
    text = (examples.CALLS / f"{scenario.name}.json").read_text("utf-8")
    named = set(examples.PLACEHOLDER.findall(text)) | set(examples.ALWAYS)
    assert named == set(scenario.samples)
