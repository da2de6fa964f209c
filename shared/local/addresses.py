"""Loopback addresses: every listener of the local cloud binds here, and a taken port never stops it."""

import socket

LOOPBACK = "127.0.0.1"
# Preferred, remembered and asked for again; the next free one is taken when another program has them.
DEFAULT_PORTS = {"front": 8400, "aws": 8466, "host": 8477}


def bind(preferred: int) -> socket.socket:
    """A listening-ready socket on the loopback address.

    Args:
        preferred: the port to try first; then the 20 after it, then any free one. 0 asks for any.
    """
    candidates = [preferred, *range(preferred + 1, preferred + 21), 0] if preferred else [0]
    for port in candidates:
        if port > 65535:
            continue
        # The protocol is named because asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it an
        # answer written in two pieces waits 40 ms for the acknowledgement of the first.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            listener.close()
            continue
        listener.setblocking(False)
        return listener
    raise OSError(f"no free port on {LOOPBACK}")


def free_port(preferred: int) -> int:
    """A port that was free a moment ago, for a child process that binds it itself."""
    with bind(preferred) as listener:
        return port_of(listener)


def port_of(listener: socket.socket) -> int:
    """The port a bound socket listens on."""
    return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    """True if something accepts connections on the loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
