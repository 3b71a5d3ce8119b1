#!/usr/bin/env python3
"""Fills fuzz/corpus/ with the golden vectors of protocol/fixtures/, so that the fuzzer starts from valid messages."""

import base64
import json
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "protocol" / "fixtures"


def vectors(name):
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))["vectors"]


def write(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed_{name}").write_bytes(data)


def message(number, head, body):
    """A Keyframe (1) or a Delta (2) of less than 251 bytes."""
    return bytes([number, head, len(body)]) + body


clients = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in vectors("client_messages.json")}
servers = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in vectors("server_messages.json")}
bodies = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in vectors("snapshots.json")}

for name, data in clients.items():
    write("client_message", name, data)
    # One binary frame with a mask of zeros, in pieces of eight bytes.
    write("frames", name, bytes([7, 0x82, 0x80 | len(data), 0, 0, 0, 0]) + data)
    # A batch of it, twice.
    write("http_stream", name, bytes(4) + (len(data).to_bytes(4, "little") + data) * 2)
for name, data in servers.items():
    write("server_message", name, data)
    write("replica_stream", name, data)
for name, body in bodies.items():
    # The first schema, one tick, three tables without rows.
    write("delta_apply", name, bytes([0, 1, 0, 0, 0]) + body)
    # One row of `match`, two of `mover` and one of `gauge` to start from.
    write("delta_apply", f"rows_{name}", bytes([0, 1, 1, 0, 2, 200, 2, 1, 110, 100, 250, 100, 0, 100, 50, 0, 30, 1, 9, 0, 7]) + body)
    write("delta_round_trip", name, bytes([0, 1, 0, 0, 0]) + body * 3)
    write("replica_stream", f"delta_{name}", message(1, 7, bodies["keyframe"]) + message(2, 1, body) + message(2, 3, b"\0"))

V2 = b"\r\n\r\n\0\r\nQUIT\n"
write("proxy_header", "v1_tcp4", b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\nGET /")
write("proxy_header", "v1_tcp6", b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n")
write("proxy_header", "v1_unknown", b"PROXY UNKNOWN\r\n")
write("proxy_header", "v2_tcp4", V2 + bytes([0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 1, 1, 2, 3, 4]) + b"GET /")
write("proxy_header", "v2_tcp6", V2 + bytes([0x21, 0x21, 0, 40] + 36 * [1]) + b"\x04\0\x01x")
write("proxy_header", "v2_local", V2 + bytes([0x20, 0, 0, 0]))
for name, header in {
    "list": "192.0.2.1, [2001:db8::1]:80, unknown, 198.51.100.2:4711",
    "rfc": 'for="[2001:db8::1]:4711";proto=https;by=_x, for=192.0.2.1',
    "open": 'for="a\\", host="b,c;for=6.6.6.6',
}.items():
    write("forwarded", name, bytes([192, 0, 2, 1]) + header.encode())

HEADER = b'{"alg":"HS256","typ":"JWT"}'
CLAIMS = b'{"iss":"https://id.example","aud":"tickwire","sub":"ada","name":"Ada","nbf":1799999990,"exp":1800000600}'
write("jwt", "signed", b"\1" + HEADER + b"\n" + CLAIMS)
write("jwt", "audiences", b"\1" + HEADER + b"\n" + CLAIMS.replace(b'"tickwire"', b'["x","tickwire"]'))
write("jwt", "forged", b"\0" + b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (HEADER, CLAIMS, bytes(32))))
KEYS = HERE.parent / "game-server" / "tests" / "common" / "keys"
for number, name in ((4, "ed25519.public.pem"), (5, "p256.public.pem"), (6, "rsa.public.pem"), (4, "jwks.json")):
    write("jwt", f"{name}_{number}", bytes([number]) + (KEYS / name).read_bytes())
write("ticket", "ticket", b"\0" + bytes(range(70)))
write("ticket", "ticket_text", bytes(range(70)).hex().encode())
write("ticket", "keys", b"# new\n" + bytes(range(32)).hex().encode() + b"\n\n" + bytes(range(32, 64)).hex().encode() + b"\n")
write("ticket", "resume", b"\1" + bytes(range(32)))
write("ticket", "text", b"000102030405060708090a0b0c0d0e0f")

CHECKPOINT = bytes([2, 1, 5]) + b"state"
RECORD = bytes([1, 1, 4]) + b"step"
END, COMMIT, TIDY, PROCESS, RETIRE = ([instruction, 1] for instruction in (3, 4, 5, 6, 7))
LIFE = CHECKPOINT + RECORD * 3 + bytes(COMMIT)
write("journal", "two_lives", LIFE + bytes(PROCESS) + RECORD + bytes(COMMIT + RETIRE + TIDY))
write("journal", "ended", LIFE + bytes(END + COMMIT + PROCESS) + CHECKPOINT + bytes(COMMIT + RETIRE))
write("journal", "rotations", (LIFE + bytes(TIDY)) * 4)
write("journal", "cut_off", LIFE + bytes([8, 0, 0, 90, 0, 0, 0]) + bytes(PROCESS + COMMIT))
write("journal", "flipped", LIFE + bytes([9, 0, 0, 100, 0, 0, 0, 1]) + bytes(PROCESS + COMMIT))
write("journal", "made_up", bytes([10, 0, 2, 0, 1, 44]) + b"TWJOURNL" + bytes(36) + LIFE)
