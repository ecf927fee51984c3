"""A switch between network namespaces that loses and delays: the kernel here has no netem. Makes an interface for each
name given (the other end of each is this process) and carries IPv4 packets between them by their destination.

Lines on the input: {"from": "a", "to": "b", "loss": 0.3, "delay": 0.5}; a loss of 1 is a cut. Answers "ready", then "set".
"""
import fcntl, heapq, itertools, json, os, random, select, struct, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
random.seed(int(sys.argv[1]))
ports, names, routes = {}, {}, {}
for spec in sys.argv[2:]:
    name, address = spec.split("=")
    port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(port, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    ports[name], names[port] = port, name
    routes[bytes(int(part) for part in address.split("."))] = name
lines = {}
waiting, order = [], itertools.count()
print("ready", flush=True)
pending = b""
while True:
    patience = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    ready, _, _ = select.select([*names, 0], [], [], patience)
    for port in ready:
        if port == 0:
            said = os.read(0, 65536)
            if not said:
                sys.exit()
            *whole, pending = (pending + said).split(b"\n")
            for line in map(json.loads, whole):
                lines[line["from"], line["to"]] = line["loss"], line["delay"]
                if line["loss"] >= 1:
                    way = line["from"], line["to"]
                    waiting = [packet for packet in waiting if packet[3] != way]
                    heapq.heapify(waiting)
                print("set", flush=True)
            continue
        try:
            packet = os.read(port, 65536)
        except BlockingIOError:
            continue
        to = routes.get(packet[16:20]) if packet[0] >> 4 == 4 else None
        if to is None:
            continue
        way = names[port], to
        loss, delay = lines.get(way, (0, 0))
        if random.random() >= loss:
            heapq.heappush(waiting, (time.monotonic() + delay, next(order), packet, way))
    while waiting and waiting[0][0] <= time.monotonic():
        _, _, packet, (_, to) = heapq.heappop(waiting)
        try:
            os.write(ports[to], packet)
        except (BlockingIOError, OSError):
            pass  # its queue is full, or the interface is down: lost, as on a wire
