"""What of systemd keeps a server's listening sockets. `keep PATH` listens at PATH for notices (sd_notify(3)) and keeps the descriptors that come with them; `start PATH COMMAND...` becomes
the command, with what is kept for it from descriptor 3 on (sd_listen_fds(3))."""
import fcntl
import os
import socket
import sys
import threading

DESCRIPTORS_MAX = 8


def keep(path):
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(path)
    requests = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    requests.bind(path + ".start")
    requests.listen()
    kept = []
    threading.Thread(target=hand_over, args=(requests, kept), daemon=True).start()
    print("keeping", flush=True)
    while True:
        text, descriptors, _, _ = socket.recv_fds(notices, 4096, DESCRIPTORS_MAX)
        lines = text.decode().split("\n")
        if "FDSTORE=1" in lines:
            kept.extend(descriptors)
        if "FDSTOREREMOVE=1" in lines:
            while kept:
                os.close(kept.pop())
        print(text.decode().replace("\n", " "), flush=True)


def hand_over(requests, kept):
    while True:
        peer, _ = requests.accept()
        socket.send_fds(peer, [b"."], kept)
        peer.close()


def start(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as manager:
        manager.connect(path + ".start")
        _, descriptors, _, _ = socket.recv_fds(manager, 1, DESCRIPTORS_MAX)
    kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3 + DESCRIPTORS_MAX) for descriptor in descriptors]  # Out of the way of the numbers that they get.
    for descriptor in descriptors:
        os.close(descriptor)
    for number, descriptor in enumerate(kept):
        os.dup2(descriptor, 3 + number)
    environment = dict(os.environ, NOTIFY_SOCKET=path, LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(["holdfast"] * len(kept)))
    os.execve(command[0], command, environment)


if sys.argv[1] == "keep":
    keep(sys.argv[2])
else:
    start(sys.argv[2], sys.argv[3:])
