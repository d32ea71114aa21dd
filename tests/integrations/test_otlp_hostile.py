"""Bodies that are broken or made to do harm: one error, early, in bounded memory, with nothing of them in it."""

import gzip
import json
import subprocess
import sys
import time
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.agents import ALLOWED, read
from integrations.otlp import BadBody, Batch, Media, Signal, decode, media, unpack
from integrations.otlp.reduce import MOST_RECORDS
from tests.integrations.agents.hostile import METER, bodies, varint
from tests.integrations.agents.samples import FILES, LIMIT, logs, sample, to_json, to_protobuf

SECRET = "sk-secret-5f3a"


def refused(body: bytes, how: Media = Media.JSON, signal: Signal = Signal.LOGS) -> BadBody:
    with pytest.raises(BadBody) as caught:
        decode(signal, how, body, ALLOWED)
    assert caught.value.__cause__ is None
    assert SECRET not in str(caught.value)
    return caught.value


def survived(signal: Signal, how: Media, body: bytes) -> Batch | None:
    """What is decoded, and can be read; None where the body is refused as malformed."""
    try:
        batch = decode(signal, how, body, ALLOWED)
    except BadBody as bad:
        status = bad.status
    else:
        read(batch.records)
        return batch
    assert status == 400
    return None


# --- content types and encodings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", Media.JSON),
        ("Application/JSON; charset=utf-8", Media.JSON),
        ("application/x-protobuf", Media.PROTOBUF),
        (" application/x-protobuf ;v=1", Media.PROTOBUF),
    ],
)
def test_content_types(content_type: str, found: Media) -> None:
    assert media(content_type) is found


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/grpc", "application/jsonx", ";"])
def test_other_content_types_are_refused(content_type: str | None) -> None:
    with pytest.raises(BadBody) as caught:
        media(content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_a_plain_body_stays_as_it_is(encoding: str | None) -> None:
    assert unpack(b"plain", encoding, 5) == b"plain"


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_gzip_is_unpacked_up_to_the_limit(size: int) -> None:
    assert unpack(gzip.compress(b"x" * size), "GZIP", 1000) == b"x" * size


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_one_byte_more_is_too_large(encoding: str) -> None:
    body = b"x" * 1001
    with pytest.raises(BadBody) as caught:
        unpack(gzip.compress(body) if encoding == "gzip" else body, encoding, 1000)
    assert caught.value.status == 413


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(128)) + packer.flush()  # 128 MiB in 0.1
    assert len(bomb) < 1 << 20
    started = time.perf_counter()
    with pytest.raises(BadBody) as caught:
        unpack(bomb, "gzip", LIMIT)
    assert caught.value.status == 413
    assert time.perf_counter() - started < 1


GOOD = gzip.compress(b"{}", mtime=0)  # the same bytes in every process, as they name the test


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", GOOD[:-1], GOOD[:5], GOOD + b"x", GOOD + GOOD, b"\x1f\x8b" + b"\xff" * 20, zlib.compress(b"{}")],
)
def test_what_is_not_one_complete_gzip_member_is_malformed(body: bytes) -> None:
    with pytest.raises(BadBody) as caught:
        unpack(body, "gzip", 1000)
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "x-gzip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(BadBody) as caught:
        unpack(b"", encoding, 1000)
    assert caught.value.status == 415


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b"{}{}",
        b'{"a": sk-secret-5f3a}',
        b'{"resourceLogs": 5}',
        b'{"resourceLogs": {}}',
        b'{"resourceLogs": [5]}',
        b'{"resourceLogs": [null]}',
        b'{"resourceLogs": [{"scopeLogs": "x"}]}',
        b'{"resourceLogs": [{"scopeLogs": [[]]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": {}}]}]}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff\xfe"}',
        b"\xef\xbb\xbf{}",
        '{"resourceLogs": []}'.encode("utf-16"),
        b'{"a": "unended',
        b"\x0a\x03abc",
    ],
)
def test_malformed_json_is_refused_as_a_whole(body: bytes) -> None:
    assert refused(body).status == 400


@pytest.mark.parametrize("depth", [65, 200, 5_000, 100_000])
@pytest.mark.parametrize("shape", ['{"a":', "["])
def test_deep_nesting_is_refused(depth: int, shape: str) -> None:
    end = "}" if shape.startswith("{") else "]"
    assert refused(f'{{"x":{shape * (depth - 1)}1{end * (depth - 1)}}}'.encode()).status == 400


def test_nesting_up_to_64_is_not() -> None:
    decode(Signal.LOGS, Media.JSON, f'{{"x":{"[" * 63}1{"]" * 63}}}'.encode(), ALLOWED)


@pytest.mark.parametrize(
    "text", ["[" * 200, "]" * 200 + "[" * 200, "\\" * 7 + '"[' * 200, '"' * 9 + "{" * 99, "{}" * 400_000]
)
def test_brackets_in_a_text_are_no_nesting(text: str) -> None:
    """A prompt may hold any code."""
    decode(Signal.LOGS, Media.JSON, json.dumps({"x": text, "y": [text, {}]}).encode(), ALLOWED)


def test_brackets_in_texts_do_not_hide_nesting() -> None:
    body = '["]",' * 5_000 + "1" + ',"["]' * 5_000
    assert refused(f'{{"x":{body}}}'.encode()).status == 400


@pytest.mark.parametrize("filling", ["[{},", '[{"a":1},'])
def test_a_body_of_nothing_but_brackets_is_refused(filling: str) -> None:
    piece = filling[1:]
    body = f'{{"x":[{piece * (LIMIT // len(piece) - 9)}1]}}'.encode()
    assert len(body) <= LIMIT
    assert refused(body).status == 400


@pytest.mark.parametrize(("count", "status"), [(MOST_RECORDS, None), (MOST_RECORDS + 1, 413)])
@pytest.mark.parametrize("how", Media)
def test_ten_thousand_records_are_enough(count: int, status: int | None, how: Media) -> None:
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}] * count}]}]}).encode()
    if how is Media.PROTOBUF:
        records = b"\x12\x00" * count
        scope = b"\x12" + varint(len(records)) + records
        body = b"\x0a" + varint(len(scope)) + scope
    if status:
        assert refused(body, how).status == status
    else:
        decode(Signal.LOGS, how, body, ALLOWED)


# --- protobuf ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"\x0a",
        b"\x0a\x05abc",
        b"\xff" * 20,
        b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
        b"\x0b\x0c",  # a group
        b"\x0f",  # a wire type that there is none of
        b"\x09abc",  # eight bytes of which there are three
        b"\x0a\x04\x12\x02\x12\x05",  # a scope that ends within a record
        b"\x0a\x0a\x0a\x08\x0a\x06\x0a\x04\xff\xfe\xfd\xfc",  # a key that is no UTF-8
    ],
)
def test_malformed_protobuf_is_refused_as_a_whole(body: bytes) -> None:
    assert refused(body, Media.PROTOBUF).status == 400


@pytest.mark.parametrize("name", [name for name in FILES if name != "empty.logs.json"])
def test_a_protobuf_body_that_is_cut_is_refused_or_is_what_came_before(name: str) -> None:
    given = to_protobuf(sample(name))
    plain = unpack(given.body, given.encoding, LIMIT)
    for end in range(0, len(plain), max(1, len(plain) // 40)):
        batch = survived(given.signal, Media.PROTOBUF, plain[:end])
        assert batch is None or set(map(repr, batch.records)) <= set(map(repr, given.batch().records))


def test_nesting_in_protobuf_is_bounded_by_its_library() -> None:
    value = b"\x0a\x01x"
    for _ in range(5_000):  # an array in an array
        inner = b"\x0a" + varint(len(value)) + value
        value = b"\x2a" + varint(len(inner)) + inner
    record = b"\x2a" + varint(len(value)) + value
    scope = b"\x12" + varint(len(record)) + record
    group = b"\x12" + varint(len(scope)) + scope
    assert refused(b"\x0a" + varint(len(group)) + group, Media.PROTOBUF).status == 400


@pytest.mark.parametrize(("count", "kept"), [(128, 1), (129, 0)])
@pytest.mark.parametrize("how", [to_json, to_protobuf])
def test_a_record_with_more_attributes_than_any_sender_has_is_refused(how: Any, count: int, kept: int) -> None:
    given = how(logs("claude-code", {"event.name": "user_prompt"} | {f"a{number}": 1 for number in range(count - 1)}))
    batch = given.batch()
    assert (len(batch.records), sum(batch.rejected.values())) == (kept, 1 - kept)


@pytest.mark.parametrize("how", [to_json, to_protobuf])
def test_so_is_a_body_whose_resource_has_more(how: Any) -> None:
    given = how(logs("claude-code", {"event.name": "user_prompt"}, **{f"a{number}": 1 for number in range(128)}))
    assert refused(given.body, given.media).status == 400


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bodies())
def test_no_body_takes_256_mib(name: str) -> None:
    assert len(bodies()[name]()[2]) <= LIMIT
    done = subprocess.run([sys.executable, "-c", METER, name], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 220


def test_the_library_alone_would_take_more() -> None:
    """The negative control: what counting the records first is for."""
    unbounded = METER.replace("try:", "import integrations.otlp.from_protobuf as f; f._bound = lambda *_: None\ntry:")
    done = subprocess.run([sys.executable, "-c", unbounded, "spans"], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 256


def test_protobuf_is_imported_when_the_first_such_body_comes() -> None:
    code = "import sys, integrations.agents; print([name for name in sys.modules if 'protobuf' in name.split('.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- anything at all --------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(
    [
        *("resourceLogs", "scopeLogs", "logRecords", "resource", "scope", "attributes", "key", "value", "name"),
        *("resourceMetrics", "scopeMetrics", "metrics", "sum", "dataPoints", "asInt", "asDouble", "histogram", "flags"),
        *("resourceSpans", "scopeSpans", "spans", "status", "code", "traceId", "timeUnixNano", "body", "stringValue"),
        *("intValue", "aggregationTemporality", "isMonotonic", "startTimeUnixNano"),
    ]
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=30
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, st.sampled_from(Signal))
def test_any_json_is_read_or_refused(value: Any, signal: Signal) -> None:
    body = json.dumps(value).encode()
    survived(signal, Media.JSON, body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(Signal), st.sampled_from(Media))
def test_any_bytes_are_read_or_refused(body: bytes, signal: Signal, how: Media) -> None:
    survived(signal, how, body)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, inner in items for leaf in leaves(inner, (*path, key)))]


def exchanged(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = exchanged(value[path[0]], path[1:], new)
    return copy


DOCUMENTS = {name: json.loads(to_json(sample(name)).body) for name in FILES}
LEAVES = {name: leaves(value) for name, value in DOCUMENTS.items()}
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2**70, 10**30, 1.5, 1e300, "", "x", "9" * 400, "'; DROP", "\0", "\ud800", [], {}, [[]], {"a": {}}]
)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(FILES), WRONG)
def test_a_real_body_with_one_wrong_value_is_read_or_refused(data: st.DataObject, name: str, wrong: Any) -> None:
    path = data.draw(st.sampled_from(LEAVES[name]))
    body = json.dumps(exchanged(DOCUMENTS[name], path, wrong)).encode()
    survived(sample(name).signal, Media.JSON, body)


SENT = {name: to_protobuf(sample(name)) for name in FILES}
PLAIN = {name: unpack(one.body, one.encoding, LIMIT) for name, one in SENT.items() if one.body}


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(sorted(PLAIN)), st.binary(min_size=1, max_size=4))
def test_a_real_protobuf_body_with_wrong_bytes_is_read_or_refused(data: st.DataObject, name: str, wrong: bytes) -> None:
    plain = PLAIN[name]
    place = data.draw(st.integers(0, len(plain) - 1))
    body = plain[:place] + wrong + plain[place + data.draw(st.integers(0, 4)) :]
    survived(sample(name).signal, Media.PROTOBUF, body)
