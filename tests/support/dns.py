"""A DNS server of a test's own on loopback: it has TXT records, and can be silent or refuse."""

import socket
import threading
from contextlib import suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers by UDP from ``records`` (name without a dot at the end: texts); ``mood`` is ``well``, ``silent`` or ``broken``."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.mood = "well"
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while True:
            try:
                packet, asker = self._socket.recvfrom(4096)
            except OSError:
                return
            if not packet:
                return
            answer = self._answer(dns.message.from_wire(packet))
            if answer is not None:
                self._socket.sendto(answer.to_wire(), asker)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.mood == "silent":
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if self.mood == "broken":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT:
            texts = [f'"{text}"' for text in self.records[name]]
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", "TXT", texts))
        return answer
