"""Waits for everything that may become readable, in one thread."""
import select
import time


class Loop:
    def __init__(self):
        self.poll = select.epoll()
        self.readers = {}

    def watch(self, file, reader):
        number = file if isinstance(file, int) else file.fileno()
        self.readers[number] = reader
        self.poll.register(number, select.EPOLLIN)

    def forget(self, file):
        number = file if isinstance(file, int) else file.fileno()
        if self.readers.pop(number, None) is not None:
            self.poll.unregister(number)

    def once(self, seconds):
        """Serves whoever is ready, waiting at most so long; True when somebody was."""
        ready = self.poll.poll(max(seconds, 0))
        for number, _ in ready:
            reader = self.readers.get(number)
            if reader is not None:
                reader()
        return bool(ready)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.once(left)
