"""A proxy of ours between browser and server, which holds, cuts short and refuses as a bad network does.

Drivers cannot route what a SharedWorker asks for, so the tests put this in the way instead. Each request gets a
connection of its own to the server; patterns are shell patterns of paths, such as ``*/pyodide.asm.wasm``.
"""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Coroutine
from fnmatch import fnmatch
from typing import Any

CHUNK = 16_384


class Proxy:
    """Listens on ``url`` for a server's ``port``. ``requests`` are the paths that were asked for, in order."""

    def __init__(self, port: int) -> None:
        self.requests: list[str] = []
        self._port = port
        self._failures: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._cutting = False
        self._changes: dict[str, Callable[[bytes], bytes]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._released, self._flowing = asyncio.Event(), asyncio.Event()
        self._flowing.set()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def fail(self, pattern: str, status: int) -> None:
        """Answer these paths with an error, from now on."""
        self._failures[pattern] = status

    def mend(self) -> None:
        """Let all through again that ``fail`` refused and ``change`` changed."""
        self._failures.clear()
        self._changes.clear()

    def change(self, pattern: str, change: Callable[[bytes], bytes]) -> None:
        """Change these paths' answers, from now on; they are asked for uncompressed, and anew each time."""
        self._changes[pattern] = change

    def hold(self, pattern: str, after: int) -> None:
        """Let through the first ``after`` bytes of these paths' answers, and no more until ``release``."""
        self._held[pattern] = after

    def release(self) -> None:
        """Let go of what ``hold`` holds, and hold no more."""
        self._held.clear()
        self._loop.call_soon_threadsafe(self._released.set)

    def cut(self) -> None:
        """Break off what ``hold`` holds, whatever of it is on its way already, and hold no more."""
        self._cutting = True
        self.release()

    def freeze(self) -> None:
        """Stop the traffic of all WebSockets, without closing them."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def thaw(self) -> None:
        """Let the WebSockets' traffic go on; nothing of it was lost."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Cut all connections, and listen no more."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            self.requests.append(path)
            status = next((self._failures[each] for each in self._failures if fnmatch(path, each)), None)
            if status is not None:
                writer.write(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                return
            change = next((self._changes[each] for each in self._changes if fnmatch(path, each)), None)
            if change is not None:
                writer.write(await asyncio.to_thread(self._changed, path, change))
                await writer.drain()
                return
            tunnel = "upgrade: websocket" in head.lower()
            if not tunnel:  # one request a connection, so that all of them are seen
                lines = [line for line in head.split("\r\n") if not line.lower().startswith("connection:")]
                head = "\r\n".join([lines[0], "Connection: close", *lines[1:]])
            answers, upstream = await asyncio.open_connection("127.0.0.1", self._port)
            upstream.write(head.encode("latin-1"))
            sending = asyncio.ensure_future(self._pump(reader, upstream, tunnel))
            try:
                held = next((self._held[each] for each in self._held if fnmatch(path, each)), None)
                await self._pump(answers, writer, tunnel, held)
            finally:
                sending.cancel()
        except (OSError, asyncio.IncompleteReadError):
            return  # one side is gone; so goes the other
        finally:
            for each in (writer, upstream):
                if each is not None:
                    each.close()

    def _changed(self, path: str, change: Callable[[bytes], bytes]) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = change(answer.read())
        connection.close()
        head = f"HTTP/1.1 {answer.status} Changed\r\nContent-Type: {answer.headers['Content-Type']}\r\n"
        return (
            head + f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, tunnel: bool, held: int | None = None
    ) -> None:
        sent = 0
        while chunk := await source.read(CHUNK if held is None else min(CHUNK, max(held - sent, 1))):
            if tunnel:
                await self._flowing.wait()
            if held is not None and sent >= held:
                await self._released.wait()
                if self._cutting:
                    return
                held = None
            target.write(chunk)
            await target.drain()
            sent += len(chunk)
