"""A Modbus TCP module that is not ours (pymodbus, Debian's python3-pymodbus): presence loop occupied, boom down."""

import asyncio
import socket

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer


async def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = ModbusSlaveContext(
        di=ModbusSequentialDataBlock(0, [True, False, False, True, False, False] + [False] * 10),
        co=ModbusSequentialDataBlock(0, [False] * 16),
        hr=ModbusSequentialDataBlock(0, [0] * 16),
        zero_mode=True,
    )
    print(port, flush=True)
    await StartAsyncTcpServer(ModbusServerContext(slaves=module, single=True), address=("127.0.0.1", port))


asyncio.run(main())
