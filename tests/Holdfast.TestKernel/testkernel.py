"""A scripted kernel that obeys and misbehaves on demand. Each line of a cell is one command; the tests name what each is for.

    print TEXT | stderr TEXT | display N | flood N | big N | sleep SECONDS | error NAME | input PROMPT | password PROMPT
    deaf INTERRUPTS [WORD] | exit N | segv | kill | stop | die-mid-reply | never-idle | no-reply | idle-first | late TEXT | bad-signature | no-delimiter | bad-reply

HOLDFAST_TEST_KERNEL: die-at-start | slow-start SECONDS | never-ready | ignore-shutdown | welcome | late-stdin | no-stdin
"""
import ctypes
import hashlib
import hmac
import json
import os
import signal
import sys
import threading
import time
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"
behaviour = os.environ.get("HOLDFAST_TEST_KERNEL", "")


class Wire:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.connection = json.load(file)
        self.key = self.connection["key"].encode()
        self.session = uuid.uuid4().hex
        self.context = zmq.Context()
        self.lock = threading.Lock()  # IOPub and control are used from two threads.

    def bind(self, kind, port, after=0):
        socket = self.context.socket(kind)
        socket.sndhwm = socket.rcvhwm = 0
        socket.linger = 1000
        if kind == zmq.ROUTER:
            socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        c = self.connection
        address = f"{c['transport']}://{c['ip']}{':' if c['transport'] == 'tcp' else '-'}{c[port]}"
        if after:
            threading.Timer(after, socket.bind, (address,)).start()
        else:
            socket.bind(address)
        return socket

    def sign(self, frames):
        if not self.key:
            return b""
        digest = hmac.new(self.key, digestmod=hashlib.sha256)
        for frame in frames:
            digest.update(frame)
        return digest.hexdigest().encode()

    def frames(self, kind, content, parent):
        header = {
            "msg_id": uuid.uuid4().hex, "session": self.session, "username": "kernel", "msg_type": kind, "version": "5.3",
            "date": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
        }
        return [json.dumps(part).encode() for part in (header, parent, {}, content)]

    def send(self, socket, kind, content, parent, identities=(), signature=None, delimiter=DELIMITER):
        frames = self.frames(kind, content, parent)
        with self.lock:
            socket.send_multipart([*identities, delimiter, self.sign(frames) if signature is None else signature, *frames])

    def receive(self, socket):
        parts = socket.recv_multipart()
        at = parts.index(DELIMITER)
        frames = parts[at + 2:at + 6]
        if not hmac.compare_digest(parts[at + 1], self.sign(frames)):
            raise ValueError("bad signature from the client")
        header, _, _, content = (json.loads(frame) for frame in frames)
        return parts[:at], header, content


class CellError(Exception):
    pass


class Kernel:
    def __init__(self, wire):
        self.wire = wire
        self.iopub = wire.bind(zmq.PUB, "iopub_port")
        self.shell = wire.bind(zmq.ROUTER, "shell_port")
        self.stdin = wire.bind(zmq.ROUTER, "stdin_port", {"late-stdin": 0.5, "no-stdin": 3600}.get(behaviour, 0))
        self.control = wire.bind(zmq.ROUTER, "control_port")
        self.heartbeat = wire.bind(zmq.ROUTER, "hb_port")
        self.count = 0
        threading.Thread(target=self.echo, daemon=True).start()
        threading.Thread(target=self.serve_control, daemon=True).start()

    def echo(self):
        while True:
            self.heartbeat.send_multipart(self.heartbeat.recv_multipart())

    def serve_control(self):
        while True:
            identities, header, content = self.wire.receive(self.control)
            if header["msg_type"] == "shutdown_request":
                if behaviour == "ignore-shutdown":
                    continue
                self.wire.send(self.control, "shutdown_reply", {"status": "ok", "restart": content["restart"]}, header, identities)
                time.sleep(0.1)
                os._exit(0)
            elif header["msg_type"] == "interrupt_request":
                self.wire.send(self.control, "interrupt_reply", {"status": "ok"}, header, identities)
                os.kill(os.getpid(), signal.SIGINT)

    def publish(self, kind, content, parent, **how):
        self.wire.send(self.iopub, kind, content, parent, [kind.encode()], **how)

    def status(self, state, parent):
        self.publish("status", {"execution_state": state}, parent)

    def stream(self, text, parent, **how):
        self.publish("stream", {"name": "stdout", "text": text}, parent, **how)

    def serve(self):
        while True:
            try:
                identities, header, content = self.wire.receive(self.shell)
            except KeyboardInterrupt:
                continue
            if behaviour == "never-ready":
                continue
            if header["msg_type"] == "kernel_info_request":
                if behaviour == "welcome":
                    self.publish("iopub_welcome", {"subscription": ""}, {})
                self.status("busy", header)
                self.wire.send(self.shell, "kernel_info_reply", {
                    "status": "ok", "protocol_version": "5.3", "implementation": "testkernel", "implementation_version": "1",
                    "language_info": {"name": "script", "version": "1", "mimetype": "text/plain", "file_extension": ".txt"}, "banner": "",
                }, header, identities)
                self.status("idle", header)
            elif header["msg_type"] == "execute_request":
                self.execute(identities, header, content)

    def execute(self, identities, header, content):
        self.count += 1
        self.status("busy", header)
        self.publish("execute_input", {"code": content["code"], "execution_count": self.count}, header)
        after = set()
        reply = {"status": "ok", "execution_count": self.count, "payload": [], "user_expressions": {}}
        try:
            for line in content["code"].splitlines():
                self.run(line, identities, header, after)
        except KeyboardInterrupt:
            reply = self.failure("KeyboardInterrupt", header)
        except CellError as error:
            reply = self.failure(str(error), header)
        if "idle-first" in after:
            self.status("idle", header)
        if "bad-reply" in after:
            self.wire.send(self.shell, "execute_reply", {"status": "error"}, header, identities, signature=b"0" * 64)
        if "no-reply" not in after:
            self.wire.send(self.shell, "execute_reply", reply, header, identities)
        if "never-idle" not in after and "idle-first" not in after:
            self.status("idle", header)
        for text in [text for kind, text in (entry.split(" ", 1) for entry in after if " " in entry) if kind == "late"]:
            self.stream(text, header)

    def failure(self, name, header):
        content = {"ename": name, "evalue": "", "traceback": [name]}
        self.publish("error", content, header)
        return {"status": "error", "execution_count": self.count, **content}

    def run(self, line, identities, header, after):
        command, _, argument = line.strip().partition(" ")
        if command == "print":
            self.stream(argument + "\n", header)
        elif command == "stderr":
            print(argument, file=sys.stderr, flush=True)
        elif command in ("display", "flood"):
            for i in range(int(argument)):
                self.publish("display_data", {"data": {"text/plain": str(i)}, "metadata": {}, "transient": {}}, header)
        elif command == "big":
            self.stream("x" * int(argument), header)
        elif command == "sleep":
            time.sleep(float(argument))
        elif command == "deaf":
            count, _, word = argument.partition(" ")
            for _ in range(int(count)):
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
                if word:
                    self.stream(word + "\n", header)
                try:
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
                    time.sleep(1000)
                except KeyboardInterrupt:
                    self.stream("caught\n", header)
        elif command == "error":
            raise CellError(argument or "Error")
        elif command in ("input", "password"):
            self.wire.send(self.stdin, "input_request", {"prompt": argument, "password": command == "password"}, header, identities)
            _, _, answer = self.wire.receive(self.stdin)
            self.stream(f"got {len(answer['value'])} characters\n", header)
        elif command == "exit":
            os._exit(int(argument))
        elif command == "segv":
            ctypes.string_at(0)
        elif command == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif command == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif command == "die-mid-reply":
            self.stream("half of it", header)
            time.sleep(0.1)  # Lets libzmq's own thread send what it has.
            os.kill(os.getpid(), signal.SIGKILL)
        elif command == "bad-signature":
            self.stream("forged", header, signature=b"0" * 64)
        elif command == "no-delimiter":
            self.stream("adrift", header, delimiter=b"-")
        elif command in ("never-idle", "no-reply", "idle-first", "bad-reply"):
            after.add(command)
        elif command == "late":
            after.add(line.strip())
        else:
            raise CellError(f"no such command: {command}")


def main():
    if behaviour == "die-at-start":
        print("no module named nonsense", file=sys.stderr, flush=True)
        sys.exit(3)
    if behaviour.startswith("slow-start"):
        time.sleep(float(behaviour.split()[1]))
    Kernel(Wire(sys.argv[sys.argv.index("-f") + 1])).serve()


main()
