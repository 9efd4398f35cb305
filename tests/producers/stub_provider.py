"""A loopback stand-in for the OpenAI and Anthropic HTTP APIs (standard library only).

    with stub_provider() as (base_url, log):        # base_url = http://127.0.0.1:<port>
        OpenAI(base_url=base_url + "/v1", ...)
        Anthropic(base_url=base_url, ...)
        ... log is a list of dicts, one per HTTP call served (the independent truth) ...

    python stub_provider.py       prints the base URL, serves until stdin closes / Ctrl-C;
                                  GET /_log answers the log as JSON, POST /_reset empties it.

Endpoints, with or without the /v1 prefix (an Azure style .../deployments/x/chat/completions works):
    POST chat/completions   POST responses   POST embeddings   POST messages   GET models
    not billed, not logged as a call (api *.retrieve / *.count_tokens, usage None):
    GET responses/<id> (an earlier answer again)   POST messages/count_tokens

WHICH SCENARIO is answered, first match wins:
    1. header     x-stub-scenario: cached
    2. the prompt [[cached]]                  anywhere in the request body's text
    3. the model  gpt-4o-mini--cached         (the tail is cut off the model that is echoed)
    4. "plain" (or "streamed" when the request says stream=true)
WHICH LOGICAL CALL (groups SDK retries; makes the response id deterministic), optional:
    header x-stub-case: my-case    or the prompt  [[case=my-case]]
Without one, calls are numbered per (api, scenario, requested model).

Response id = <prefix><24 hex of sha256(api|case|attempt)>: chatcmpl-, resp_, msg_01.  Embeddings have none.
Every answer, errors too, has a request id header (x-request-id / request-id).
"tool_loop" calls the tool first; once the request brings a tool result it answers as "plain".
"Fails once" scenarios fail on attempts 1, 3, 5.. of their case and succeed on 2, 4, ...
Errors carry retry-after-ms: 5 (both SDKs honour it) so that retries are quick.

Token counts in SCENARIOS are INCLUSIVE: input covers cached and cache_write; output covers reasoning;
cache_write covers cache_write_1h.  On the wire:
    OpenAI     prompt_tokens = input; details.cached_tokens = cached; details.cache_write_tokens = cache_write
               (openai 3.x knows the field; responses also splits it by retention, ttl_30m/ttl_12h; there is no
               1 h notion, so cache_write_1h is logged 0)
    Anthropic  input_tokens = input - cached - cache_write; cache_read_input_tokens = cached;
               cache_creation_input_tokens = cache_write = ephemeral_5m + ephemeral_1h;
               output_tokens = output; output_tokens_details.thinking_tokens = reasoning
OpenAI chat streams send usage only with stream_options.include_usage; the log still has the billed usage,
and usage_sent says whether the client could see it.
"""

import contextlib
import hashlib
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PARTS = ("input", "output", "cached", "cache_write", "cache_write_1h", "reasoning")


def _s(tokens_in=0, tokens_out=0, **more):
    return {**dict.fromkeys(PARTS, 0), "input": tokens_in, "output": tokens_out, **more}


SCENARIOS = {
    "plain": _s(120, 45),
    "streamed": _s(210, 80),
    "cached": _s(2048, 60, cached=1536),
    "cache_write": _s(3100, 75, cache_write=2600, cache_write_1h=600),
    "cache_mixed": _s(5000, 90, cached=3000, cache_write=1500, cache_write_1h=500),
    "reasoning": _s(300, 900, reasoning=640),
    "tool": _s(180, 35, tool=True),
    "tool_loop": _s(180, 35, tool=True),
    "length": _s(95, 16, finish="length"),
    "embed": _s(64, 0),
    # fails on every attempt
    "error_400": _s(fail=400),
    "error_401": _s(fail=401),
    "rate_limited": _s(fail=429),
    "server_error": _s(fail=500),
    "overloaded": _s(fail=529),
    "timeout": _s(fail="timeout"),
    # fails once, then succeeds
    "retry_500": _s(133, 47, fail=500, once=True),
    "retry_429": _s(144, 52, fail=429, once=True),
    "retry_timeout": _s(155, 58, fail="timeout", once=True),
    # a stream that breaks off in the middle, before any final usage (no stream: answers normally)
    "stream_cut": _s(260, 70, cut=True),
}
# what the provider answers as "model" for a requested alias
MODELS = {
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "o4-mini": "o4-mini-2025-04-16",
    "text-embedding-3-small": "text-embedding-3-small",
    "claude-sonnet-4-6": "claude-sonnet-4-6",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-opus-4-1": "claude-opus-4-1-20250805",
}
CREATED = 1795161600  # fixed "created" second
SLEEP_TIMEOUT = 2.5  # how long a "timeout" scenario is silent (set client timeout below)
TEXT = ["The parcel ", "left the ", "depot ", "on Tuesday."]
TOOL = ("lookup_order", {"order_id": "A-17"})
APIS = {
    "chat/completions": "openai.chat",
    "responses": "openai.responses",
    "embeddings": "openai.embeddings",
    "messages": "anthropic.messages",
    "messages/count_tokens": "anthropic.count_tokens",
}
ID_PREFIX = {"openai.chat": "chatcmpl-", "openai.responses": "resp_", "anthropic.messages": "msg_01"}


def _hex(*parts, n=24):
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:n]


def raw_usage(api, u):
    """The usage object as that API sends it."""
    if api == "openai.chat":
        return {
            "prompt_tokens": u["input"],
            "completion_tokens": u["output"],
            "total_tokens": u["input"] + u["output"],
            "prompt_tokens_details": {
                "cached_tokens": u["cached"],
                "audio_tokens": 0,
                "cache_write_tokens": u["cache_write"],
            },
            "completion_tokens_details": {
                "reasoning_tokens": u["reasoning"],
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }
    if api == "openai.responses":
        write = {
            "cache_write_tokens": u["cache_write"],
            "cache_write_tokens_details": {"ttl_30m_tokens": u["cache_write"], "ttl_12h_tokens": 0},
        }
        return {
            "input_tokens": u["input"],
            "input_tokens_details": dict(write, cached_tokens=u["cached"]),
            "output_tokens": u["output"],
            "output_tokens_details": {"reasoning_tokens": u["reasoning"]},
            "total_tokens": u["input"] + u["output"],
        }
    if api == "openai.embeddings":
        return {"prompt_tokens": u["input"], "total_tokens": u["input"]}
    return {
        "input_tokens": u["input"] - u["cached"] - u["cache_write"],
        "cache_creation_input_tokens": u["cache_write"],
        "cache_read_input_tokens": u["cached"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": u["cache_write"] - u["cache_write_1h"],
            "ephemeral_1h_input_tokens": u["cache_write_1h"],
        },
        "output_tokens": u["output"],
        "output_tokens_details": {"thinking_tokens": u["reasoning"]},
        "service_tier": "standard",
    }


def billed(api, sc):
    """Inclusive usage as that provider would bill the scenario (the truth that is logged)."""
    u = {k: sc[k] for k in ("input", "output", "cached", "cache_write", "cache_write_1h", "reasoning")}
    if api.startswith("openai"):
        u["cache_write_1h"] = 0
    if api == "openai.embeddings":
        u.update(output=0, cached=0, cache_write=0, reasoning=0)
    return u


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    # ---- plumbing
    def _send(self, status, obj, headers=()):
        body = json.dumps(obj).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, headers, events, cut):
        """events: (event name or None, payload). cut: stop before the end without the final chunk."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        for i, (name, data) in enumerate(events):
            if cut and i >= len(events) // 2:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)
                return
            text = (
                (f"event: {name}\n" if name else "")
                + "data: "
                + (data if isinstance(data, str) else json.dumps(data))
                + "\n\n"
            )
            raw = text.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        if self.path == "/_log":
            with self.server.lock:
                snapshot = list(self.server.log)
            return self._send(200, snapshot)
        m = re.search(r"/responses/(resp_\w+)$", self.path.split("?")[0])
        if m:
            obj = self.server.stored.get(m[1])
            self._note("openai.retrieve", 200 if obj else 404, m[1])
            return self._send(200 if obj else 404, obj or {"error": {"message": "not found", "type": "not_found"}})
        if self.path.rstrip("/").endswith("models"):
            return self._send(
                200,
                {
                    "object": "list",
                    "data": [{"id": m, "object": "model", "created": CREATED, "owned_by": "stub"} for m in MODELS],
                },
            )
        self._send(200, {"ok": True})
        return None

    def _note(self, api, status, rid=None):
        with self.server.lock:
            self.server.log.append(
                {
                    "seq": len(self.server.log) + 1,
                    "api": api,
                    "provider": api.split(".")[0],
                    "case": self.headers.get("x-stub-case"),
                    "scenario": "unbilled",
                    "attempt": 1,
                    "stream": False,
                    "status": status,
                    "response_id": rid,
                    "request_id": None,
                    "requested_model": None,
                    "model": None,
                    "usage": None,
                    "raw_usage": None,
                    "usage_sent": False,
                    "truncated": False,
                    "traceparent": self.headers.get("traceparent"),
                }
            )

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}"
        if self.path == "/_reset":
            with self.server.lock:
                self.server.log.clear()
                self.server.counts.clear()
            return self._send(200, {"ok": True})
        path = self.path.split("?")[0].rstrip("/")
        api = next((a for tail, a in APIS.items() if path.endswith("/" + tail)), None)
        if api is None:
            return self._send(404, {"error": {"message": "no such endpoint: " + path, "type": "not_found_error"}})
        if api == "anthropic.count_tokens":
            self._note(api, 200)
            return self._send(200, {"input_tokens": 77})
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._answer(api, json.loads(body), body.decode())
        return None

    # ---- one call
    def _answer(self, api, req, text):
        srv = self.server
        stream = bool(req.get("stream"))
        requested = req.get("model") or "gpt-4o-mini"
        base_model, _, tail = requested.partition("--")
        marks = re.findall(r"\[\[([a-z0-9_]+)\]\]", text)
        name = (
            self.headers.get("x-stub-scenario")
            or next((m for m in reversed(marks) if m in SCENARIOS), None)
            or (tail if tail in SCENARIOS else None)
            or ("embed" if api == "openai.embeddings" else "streamed" if stream else "plain")
        )
        if name == "tool_loop" and re.search(r'"(tool_result|tool_call_id|function_call_output)"', text):
            name = "plain"
        sc = SCENARIOS[name]
        m = re.findall(r"\[\[case=([^\]]+)\]\]", text)
        case = self.headers.get("x-stub-case") or (m[-1] if m else None)
        key = (api, case) if case else (api, name, requested)
        with srv.lock:
            srv.counts[key] = attempt = srv.counts.get(key, 0) + 1
            seq = len(srv.log) + 1
            entry = {"seq": seq}
            srv.log.append(entry)
        provider = api.split(".")[0]
        model = MODELS.get(base_model, base_model)
        ident = _hex(api, case or "|".join(key), attempt)
        request_id = "req_" + _hex("req", api, case or "|".join(key), attempt)
        fail = sc.get("fail")
        if sc.get("once") and attempt % 2 == 0:
            fail = None
        usage = billed(api, sc)
        entry.update(
            api=api,
            provider=provider,
            case=case,
            scenario=name,
            attempt=attempt,
            stream=stream,
            status=None,
            response_id=None,
            request_id=request_id,
            requested_model=requested,
            model=model,
            usage=None,
            raw_usage=None,
            usage_sent=False,
            truncated=False,
            traceparent=self.headers.get("traceparent"),
        )
        rid_header = "request-id" if provider == "anthropic" else "x-request-id"
        headers = [(rid_header, request_id)]
        if fail:
            entry["status"] = fail
            if fail == "timeout":
                time.sleep(srv.sleep_timeout)
                self.close_connection = True
                return None
            kinds = {
                400: ("invalid_request_error", "The request was not acceptable."),
                401: ("authentication_error", "The key is not valid."),
                429: ("rate_limit_error", "Too many requests."),
                500: ("api_error", "The server had an error."),
                529: ("overloaded_error", "Overloaded."),
            }
            kind, msg = kinds[fail]
            headers.append(("retry-after-ms", "5"))
            if provider == "anthropic":
                return self._send(
                    fail, {"type": "error", "error": {"type": kind, "message": msg}, "request_id": request_id}, headers
                )
            code = {429: "rate_limit_exceeded", 401: "invalid_api_key"}.get(fail)
            return self._send(fail, {"error": {"message": msg, "type": kind, "param": None, "code": code}}, headers)
        rid = ID_PREFIX[api] + ident if api in ID_PREFIX else None
        raw = raw_usage(api, usage if provider == "openai" else sc)
        sent = True
        if stream and api == "openai.chat":
            sent = bool((req.get("stream_options") or {}).get("include_usage"))
        cut = stream and bool(sc.get("cut"))
        entry.update(
            status=200, response_id=rid, usage=usage, raw_usage=raw, usage_sent=sent and not cut, truncated=cut
        )
        time.sleep(srv.latency)
        make = getattr(self, "_" + api.replace(".", "_"))
        obj, events = make(rid, ident, model, sc, raw, sent, req)
        if api == "openai.responses":
            srv.stored[rid] = obj
        if stream and events is not None:
            self._stream(headers, events, cut)
        else:
            self._send(200, obj, headers)
        return None

    # ---- bodies: (object for stream=false, event list for stream=true)
    def _openai_chat(self, rid, ident, model, sc, raw, sent, req):
        finish = "tool_calls" if sc.get("tool") else sc.get("finish", "stop")
        args = json.dumps(TOOL[1])
        call = {"id": "call_" + ident[:12], "type": "function", "function": {"name": TOOL[0], "arguments": args}}
        msg = {"role": "assistant", "content": None if sc.get("tool") else "".join(TEXT), "refusal": None}
        if sc.get("tool"):
            msg["tool_calls"] = [call]
        head = {
            "id": rid,
            "created": CREATED,
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_stub",
        }
        obj = dict(
            head,
            object="chat.completion",
            usage=raw,
            choices=[{"index": 0, "message": msg, "logprobs": None, "finish_reason": finish}],
        )
        deltas = [{"role": "assistant", "content": None if sc.get("tool") else ""}]
        if sc.get("tool"):
            first = {"index": 0, "id": call["id"], "type": "function", "function": {"name": TOOL[0], "arguments": ""}}
            deltas += [{"tool_calls": [first]}, {"tool_calls": [{"index": 0, "function": {"arguments": args}}]}]
        else:
            deltas += [{"content": t} for t in TEXT]
        chunk = dict(head, object="chat.completion.chunk")
        if sent:
            chunk["usage"] = None
        events = [
            (None, dict(chunk, choices=[{"index": 0, "delta": d, "logprobs": None, "finish_reason": None}]))
            for d in deltas
        ]
        events.append(
            (None, dict(chunk, choices=[{"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}]))
        )
        if sent:
            events.append((None, dict(chunk, choices=[], usage=raw)))
        events.append((None, "[DONE]"))
        return obj, events

    def _openai_responses(self, rid, ident, model, sc, raw, sent, req):
        out = []
        if sc["reasoning"]:
            out.append({"id": "rs_" + ident, "type": "reasoning", "summary": []})
        if sc.get("tool"):
            item = {
                "id": "fc_" + ident,
                "type": "function_call",
                "status": "completed",
                "call_id": "call_" + ident[:12],
                "name": TOOL[0],
                "arguments": json.dumps(TOOL[1]),
            }
        else:
            item = {
                "id": "msg_" + ident,
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "".join(TEXT), "annotations": []}],
            }
        out.append(item)
        short = sc.get("finish") == "length"
        obj = {
            "id": rid,
            "object": "response",
            "created_at": CREATED,
            "status": "incomplete" if short else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if short else None,
            "instructions": None,
            "max_output_tokens": None,
            "model": model,
            "output": out,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "store": True,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": req.get("tools") or [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": raw,
            "user": None,
            "metadata": {},
            "service_tier": "default",
        }
        began = dict(obj, status="in_progress", output=[], usage=None)
        seq = [("response.created", {"response": began}), ("response.in_progress", {"response": began})]
        for i, it in enumerate(out):
            empty = dict(it, status="in_progress")
            if it["type"] == "message":
                empty["content"] = []
            if it["type"] == "function_call":
                empty["arguments"] = ""
            if it["type"] == "reasoning":
                empty = it
            seq.append(("response.output_item.added", {"output_index": i, "item": empty}))
            at = {"item_id": it["id"], "output_index": i}
            if it["type"] == "message":
                part = {"type": "output_text", "text": "", "annotations": []}
                seq.append(("response.content_part.added", dict(at, content_index=0, part=part)))
                seq += [("response.output_text.delta", dict(at, content_index=0, delta=t, logprobs=[])) for t in TEXT]
                seq.append(("response.output_text.done", dict(at, content_index=0, text="".join(TEXT), logprobs=[])))
                seq.append(("response.content_part.done", dict(at, content_index=0, part=it["content"][0])))
            if it["type"] == "function_call":
                seq.append(("response.function_call_arguments.delta", dict(at, delta=it["arguments"])))
                seq.append(
                    ("response.function_call_arguments.done", dict(at, arguments=it["arguments"], name=it["name"]))
                )
            seq.append(("response.output_item.done", {"output_index": i, "item": it}))
        end = "response.incomplete" if short else "response.completed"
        seq.append((end, {"response": obj}))
        return obj, [(n, dict(d, type=n, sequence_number=i)) for i, (n, d) in enumerate(seq)]

    def _openai_embeddings(self, rid, ident, model, sc, raw, sent, req):
        many = req.get("input")
        if not isinstance(many, list) or (many and isinstance(many[0], int)):
            many = [many]
        vector = [0.25, -0.5, 0.125, 1.0]
        if req.get("encoding_format") == "base64":
            import base64
            import struct

            vector = base64.b64encode(struct.pack("<4f", *vector)).decode()
        return {
            "object": "list",
            "model": model,
            "usage": raw,
            "data": [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(many))],
        }, None

    def _anthropic_messages(self, rid, ident, model, sc, raw, sent, req):
        blocks = []
        if sc["reasoning"]:
            blocks.append({"type": "thinking", "thinking": "Look at the depot list.", "signature": "c2ln"})
        if sc.get("tool"):
            blocks.append({"type": "tool_use", "id": "toolu_" + ident, "name": TOOL[0], "input": TOOL[1]})
        else:
            blocks.append({"type": "text", "text": "".join(TEXT)})
        stop = "tool_use" if sc.get("tool") else "max_tokens" if sc.get("finish") == "length" else "end_turn"
        obj = {
            "id": rid,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": raw,
        }
        early = dict(raw, output_tokens=1, output_tokens_details=None)
        start = dict(obj, content=[], stop_reason=None, usage=early)
        ev = [("message_start", {"message": start})]
        for i, b in enumerate(blocks):
            if b["type"] == "text":
                empty, deltas = {"type": "text", "text": ""}, [{"type": "text_delta", "text": t} for t in TEXT]
            elif b["type"] == "thinking":
                empty = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [
                    {"type": "thinking_delta", "thinking": b["thinking"]},
                    {"type": "signature_delta", "signature": b["signature"]},
                ]
            else:
                empty = dict(b, input={})
                deltas = [{"type": "input_json_delta", "partial_json": json.dumps(b["input"])}]
            ev.append(("content_block_start", {"index": i, "content_block": empty}))
            ev += [("content_block_delta", {"index": i, "delta": d}) for d in deltas]
            ev.append(("content_block_stop", {"index": i}))
        # the closing event repeats the input side, cumulative, as the API does today
        final = {
            k: raw[k]
            for k in (
                "input_tokens",
                "cache_creation_input_tokens",
                "cache_read_input_tokens",
                "output_tokens",
                "output_tokens_details",
            )
        }
        ev.append(("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": final}))
        ev.append(("message_stop", {}))
        return obj, [(n, dict({"type": n}, **d)) for n, d in ev]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # a client that hung up is part of the scenarios


@contextlib.contextmanager
def stub_provider(port=0, latency=0.003, sleep_timeout=SLEEP_TIMEOUT):
    """Serve on a free loopback port; yields (base_url, log)."""
    srv = _Server(("127.0.0.1", port), _Handler)
    srv.log, srv.counts, srv.stored, srv.lock = [], {}, {}, threading.Lock()
    srv.latency, srv.sleep_timeout = latency, sleep_timeout
    t = threading.Thread(target=srv.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    t.start()
    try:
        yield f"http://127.0.0.1:{srv.server_address[1]}", srv.log
    finally:
        srv.shutdown()
        srv.server_close()


if __name__ == "__main__":
    with stub_provider(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as (address, _):
        sys.stdout.write(address + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
