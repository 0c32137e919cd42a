"""jupyter_load.py WAY WORK [ARGUMENT...]: one client of one kernel, which says in a line of JSON how long its work took.

WAY: `direct`, jupyter_client straight to a kernel of its own; `raw`, the same with a bare ZeroMQ socket for what the kernel publishes; `relay`, that socket's messages checked, written to a file, read
again and sent on to another process, which is the least that a server does which keeps them; `URL TOKEN [quick]`, a WebSocket of a Jupyter
server on a bare socket, which acknowledges at once with `quick`. WORK: `cells N`, `writes N BYTES`, `lines N`, `stalled N`, `start`, `replay`.
With the pid of a server in WATCH its CPU and memory while the work goes on are told too, those of the kernels' supervisors among it.
"""
import base64
import glob
import hashlib
import hmac
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from urllib.parse import urlsplit

if sys.argv[1] in ("direct", "raw", "relay"):
    import jupyter_client
    import zmq

V1 = "v1.kernel.websocket.jupyter.org"
SMALL = 4096  # The messages that tell of an end are smaller.


def request_of(code):
    return dict(code=code, silent=False, store_history=True, user_expressions={}, allow_stdin=False, stop_on_error=True)


class Direct:
    """As every Python program does it: the library's own client, each message whole and checked."""

    def __init__(self):
        self.manager = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready()

    def run(self, code):
        message_id = self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while self.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != message_id:
            pass

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Raw(Direct):
    """What a kernel says, as fast as ZeroMQ hands it over, with nothing lost by a limit."""

    def __init__(self):
        super().__init__()
        info = self.manager.get_connection_info()
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
        time.sleep(.3)  # ZeroMQ does not say when it is connected.

    def gather(self, code):
        """Messages larger than small ones, bytes, and lines, until idle."""
        large = total = lines = 0
        message_id = self.client.execute(code).encode()
        while True:
            frames = self.socket.recv_multipart(copy=False)
            size = sum(len(f) for f in frames)
            total += size
            large += size > SMALL
            if size <= SMALL:
                content = bytes(frames[-1])
                lines += content.count(b"\\n")
                if b'"idle"' in content and message_id in bytes(frames[-3]):
                    break
        while self.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id", "").encode() != message_id:
            pass
        return large, total, lines


class Relay(Raw):
    PIECE, RUN = 256 << 10, 32 << 10  # Of a record, and of one write: as our supervisors write.

    def __init__(self):
        super().__init__()
        self.key = self.manager.session.key
        self.file = tempfile.TemporaryFile(buffering=0)
        self.end = 0
        self.piece = memoryview(bytearray(self.PIECE))
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.reader = subprocess.Popen([sys.executable, __file__, "sink", str(door.getsockname()[1])])
            self.out, _ = door.accept()
        self.out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def gather(self, code):
        large = total = 0
        message_id = self.client.execute(code).encode()
        while True:
            frames = self.socket.recv_multipart(copy=False)
            signature = next(i for i, f in enumerate(frames) if len(f) == 9 and bytes(f) == b"<IDS|MSG>") + 1
            mac = hmac.new(self.key, digestmod=hashlib.sha256)
            for frame in frames[signature + 1:signature + 5]:
                mac.update(frame.buffer)
            if not hmac.compare_digest(mac.hexdigest().encode(), bytes(frames[signature])):
                raise SystemExit("a message with a wrong signature")
            size = sum(len(f) for f in frames)
            self.out.sendall(struct.pack("<Q", size))
            for frame in frames:
                self._pass_on(memoryview(frame.buffer))
            total += size
            large += size > SMALL
            if size <= SMALL and b'"idle"' in bytes(frames[-1]):
                self.out.recv(1)
                if message_id in bytes(frames[-3]):
                    break
        while self.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id", "").encode() != message_id:
            pass
        return large, total, 0

    def _pass_on(self, frame):
        for start in range(0, len(frame), self.PIECE):
            end = min(len(frame), start + self.PIECE)
            for run in range(start, end, self.RUN):
                os.pwrite(self.file.fileno(), frame[run:min(end, run + self.RUN)], self.end + run - start)
            os.preadv(self.file.fileno(), [self.piece[:end - start]], self.end)
            self.end += end - start
            self.out.sendall(self.piece[:end - start])

    def close(self):
        self.out.close()
        self.reader.wait()
        super().close()


def sink(port):
    """Who a relay sends to: takes messages as Channels takes frames, and says when it has one that tells of an end."""
    with socket.create_connection(("127.0.0.1", int(port))) as source:
        while len(head := source.recv(8, socket.MSG_WAITALL)) == 8:
            payload = bytearray(struct.unpack("<Q", head)[0])
            view = memoryview(payload)
            there = 0
            while there < len(payload):
                there += source.recv_into(view[there:]) or Channels._gone()
            if len(payload) <= SMALL and b'"idle"' in payload:
                source.sendall(b".")


class Http:
    def __init__(self, url, token):
        self.address = urlsplit(url)
        self.token = token

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": "token " + self.token, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text else None


class Channels:
    """A WebSocket on a bare socket. It masks with zeros, which a client may, so that sending costs Python nothing."""

    def __init__(self, http_, kernel, quick=False, session=None, reads=True):
        self.session = session or uuid.uuid4().hex
        self.quick = quick
        self.http = http_
        self.kernel = kernel
        self.socket = socket.create_connection((http_.address.hostname, http_.address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /api/kernels/{kernel}/channels?session_id={self.session} HTTP/1.1\r\nHost: {http_.address.netloc}\r\nAuthorization: token {http_.token}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {V1}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            one = self.socket.recv(1)
            if not one:
                raise ConnectionError("no answer")
            head += one
        if b" 101 " not in head:
            raise ConnectionError(head.decode())
        self.is_v1 = V1.encode() in head
        self.left = bytearray()

    def close(self):
        self.socket.close()

    def send(self, channel, kind, content):
        message_id = uuid.uuid4().hex
        header = dict(msg_id=message_id, msg_type=kind, session=self.session, username="bench", version="5.3", date="2026-01-01T00:00:00Z")
        if self.is_v1:
            parts = [channel.encode(), json.dumps(header).encode(), b"{}", b"{}", json.dumps(content).encode()]
            count = len(parts) + 1
            offsets = [8 * (count + 1)]
            for part in parts:
                offsets.append(offsets[-1] + len(part))
            payload = struct.pack(f"<{count + 1}Q", count, *offsets) + b"".join(parts)
            opcode = 2
        else:
            payload = json.dumps(dict(header=header, parent_header={}, metadata={}, content=content, channel=channel, buffers=[])).encode()
            opcode = 1
        length = len(payload)
        size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0xFE, length) if length < 65536 else struct.pack("!BQ", 0xFF, length)
        self.socket.sendall(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + payload)
        return message_id

    def _fill(self, size):
        while len(self.left) < size:
            if self.quick:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            more = self.socket.recv(1 << 20)
            if not more:
                raise ConnectionError("closed")
            self.left += more

    def frame(self):
        """The payload of the next data frame; pings are left unanswered, none takes so long."""
        while True:
            self._fill(2)
            length = self.left[1] & 127
            head = 2 if length < 126 else 4 if length == 126 else 10
            self._fill(head)
            if length == 126:
                length = struct.unpack_from("!H", self.left, 2)[0]
            elif length == 127:
                length = struct.unpack_from("!Q", self.left, 2)[0]
            opcode = self.left[0] & 15
            if length > 1 << 16:
                payload = self._large(head, length)
            else:
                self._fill(head + length)
                payload = bytes(self.left[head:head + length])
                del self.left[:head + length]
            if opcode in (1, 2):
                return payload

    def _large(self, head, length):
        payload = bytearray(length)
        view = memoryview(payload)
        there = min(len(self.left) - head, length)
        view[:there] = self.left[head:head + there]
        del self.left[:head + there]
        while there < length:
            there += self.socket.recv_into(view[there:]) or self._gone()
        return payload

    @staticmethod
    def _gone():
        raise ConnectionError("closed")

    def message(self):
        payload = self.frame()
        if not self.is_v1:
            return json.loads(payload)
        count = struct.unpack_from("<Q", payload)[0]
        ends = struct.unpack_from(f"<{count}Q", payload, 8)
        header, parent, metadata, content = (json.loads(payload[ends[i]:ends[i + 1]]) for i in range(1, 5))
        return dict(channel=payload[ends[0]:ends[1]].decode(), header=header, parent_header=parent, metadata=metadata, content=content)

    def until_done(self, message_id):
        idle = reply = False
        while not (idle and reply):
            message = self.message()
            if message["parent_header"].get("msg_id") == message_id:
                kind = message["header"]["msg_type"]
                idle = idle or (kind == "status" and message["content"]["execution_state"] == "idle")
                reply = reply or kind.endswith("_reply")

    def run(self, code):
        self.until_done(self.send("shell", "execute_request", request_of(code)))

    def gather(self, code):
        large = total = lines = 0
        idle = reply = False
        message_id = self.send("shell", "execute_request", request_of(code)).encode()
        while not (idle and reply):
            payload = self.frame()
            size = len(payload)
            total += size
            large += size > SMALL
            if size <= SMALL:
                lines += payload.count(b"\\n")
                if message_id in payload:
                    idle = idle or b'"idle"' in payload
                    reply = reply or b"execute_reply" in payload
        return large, total, lines


class ThroughServer(Channels):
    """A kernel started by the server, and a client that has been introduced to it."""

    def __init__(self, url, token, quick):
        http_ = Http(url, token)
        kernel = http_.ask("POST", "/api/kernels", {"name": "python3"})["id"]
        super().__init__(http_, kernel, quick)
        self.until_done(self.send("shell", "kernel_info_request", {}))

    def close(self):
        super().close()
        self.http.ask("DELETE", f"/api/kernels/{self.kernel}")


class Watch:
    """CPU and memory of a server, and of the supervisors that it has for its kernels."""

    def __init__(self):
        self.server = int(os.environ.get("WATCH", "0"))
        mark = os.environ.get("HOLDFAST_BENCH", "?").encode()
        self.pids = [self.server] if self.server else []
        for folder in glob.glob("/proc/[0-9]*") if self.server else []:
            try:
                if b"holdfast-supervisor" in open(folder + "/cmdline", "rb").read() and mark in open(folder + "/environ", "rb").read():
                    self.pids.append(int(folder[6:]))
            except OSError:
                pass
        self.cpu = self._cpu()
        if self.server:
            with open(f"/proc/{self.server}/clear_refs", "w") as file:
                file.write("5")
            self.resident = self._memory("VmRSS:")

    @staticmethod
    def _clock(pid):
        try:
            return time.clock_gettime((~pid << 3) | 2)
        except OSError:
            return None  # A supervisor whose kernel was ended before.

    def _cpu(self):
        return {pid: clock for pid in self.pids if (clock := self._clock(pid)) is not None}

    def _memory(self, name):
        return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{self.server}/status") if line.startswith(name))

    def told(self):
        return dict(cpu=sum(clock - self.cpu[pid] for pid, clock in self._cpu().items()), memory=self._memory("VmHWM:") - self.resident) if self.server else {}


def cells(client, count):
    for _ in range(20):
        client.run("x=1")
    watch = Watch()
    times = []
    for _ in range(int(count)):
        start = time.perf_counter()
        client.run("x=1")
        times.append(time.perf_counter() - start)
    told = watch.told()
    times.sort()
    return dict(p50=times[len(times) // 2] * 1000, p99=times[len(times) * 99 // 100] * 1000, **told)


def writes(client, count, size):
    client.run("import sys")
    watch = Watch()
    start = time.perf_counter()
    large, total, _ = client.gather(f"for i in range({count}):\n _ = sys.stdout.write('a' * {size}); sys.stdout.flush()")
    return dict(seconds=time.perf_counter() - start, large=large, bytes=total, **watch.told())


def lines(client, count):
    watch = Watch()
    start = time.perf_counter()
    _, _, seen = client.gather(f"for i in range({count}): print(i, flush=True)")
    return dict(seconds=time.perf_counter() - start, lines=seen, **watch.told())


def stalled(client, count):
    """The same lines beside a client that has connected and reads nothing, and before and after it alone: what the machine does meanwhile counts on both sides."""
    client.run("import sys")
    before = lines(client, count)["seconds"]
    other = Channels(client.http, client.kernel)
    beside = lines(client, count)["seconds"]
    other.close()
    after = lines(client, count)["seconds"]
    return dict(alone=(before + after) / 2, beside=beside)


def replay(url, token):
    """Prints `ready` when lines come, comes back at once when the server dies, and tells the monotonic clock at the first line after that."""
    client = ThroughServer(url, token, False)
    client.send("shell", "execute_request", request_of("import time\nfor i in range(30000):\n print(i, flush=True)\n time.sleep(.001)"))
    while client.message()["header"]["msg_type"] != "stream":
        pass
    print("ready", flush=True)
    try:
        while True:
            client.frame()
    except OSError:
        pass
    while True:
        try:
            back = Channels(client.http, client.kernel, session=client.session)
            while b"stream" not in back.frame():
                pass
            break
        except OSError:
            time.sleep(.001)
    print(json.dumps(dict(monotonic=time.monotonic_ns())), flush=True)


def main():
    arguments = sys.argv[1:]
    way = arguments.pop(0)
    start = time.perf_counter()
    if way == "sink":
        return sink(*arguments)
    if way in ("direct", "raw", "relay"):
        client = dict(direct=Direct, raw=Raw, relay=Relay)[way]()
    else:
        token = arguments.pop(0)
        quick = arguments[0] == "quick" and bool(arguments.pop(0))
        if arguments == ["replay"]:
            return replay(way, token)
        client = ThroughServer(way, token, quick)
    started = time.perf_counter() - start
    work = arguments.pop(0)
    try:
        result = dict(seconds=started) if work == "start" else globals()[work](client, *arguments)
    finally:
        client.close()
    print(json.dumps(result))


main()
