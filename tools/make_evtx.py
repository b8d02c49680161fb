#!/usr/bin/python3
"""Writes small Windows event log files of our own making, for tests: make_evtx.py FOLDER

The files hold what readers get wrong: templates defined once and used again, names defined once, optional values, arrays,
every type of value, XML within a value, a chunk that is being written, records and chunks that are damaged.
"""
import pathlib
import struct
import sys
import zlib

CHUNK = 65536
NS = 'http://schemas.microsoft.com/win/2004/08/events/event'
NULL, TEXT, ANSI, I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, BOOL, BIN, GUID, SIZE, FILETIME, SYSTIME, SID, H32, H64 = range(22)
XML, ARRAY = 0x21, 0x80
START = 134_182_944_000_000_000  # 2026-03-18T08:00:00Z in 100 ns since 1601


def utf16(text):
    return text.encode('utf-16-le', 'surrogatepass')


class Chunk:
    """Records of one chunk; knows where names and templates were written first."""

    def __init__(self, first_id):
        self.data = bytearray(512)
        self.first = self.next = first_id
        self.names = {}
        self.templates = {}

    def name(self, out, base, text):
        if text in self.names:
            return out + struct.pack('<I', self.names[text])
        at = base + len(out) + 4
        self.names[text] = at
        return out + struct.pack('<IIHH', at, 0, sum(text.encode()) & 0xFFFF, len(text)) + utf16(text) + b'\0\0'

    def node(self, out, base, node):
        """node: (name, {attribute: value}, [children]); a value or child: text, ('sub', i, type), ('opt', i, type), node."""
        name, attributes, children = node
        out += b'\x41' if attributes else b'\x01'
        out += struct.pack('<H', 0xFFFF)
        size_at = len(out)
        out += b'\0\0\0\0'
        out = self.name(out, base, name)
        if attributes:
            list_at = len(out)
            out += b'\0\0\0\0'
            for i, (key, value) in enumerate(attributes.items()):
                out += b'\x46' if i + 1 < len(attributes) else b'\x06'
                out = self.name(out, base, key)
                out = self.value(out, base, value)
            out = out[:list_at] + struct.pack('<I', len(out) - list_at - 4) + out[list_at + 4:]
        if children:
            out += b'\x02'
            for child in children:
                out = self.value(out, base, child)
            out += b'\x04'
        else:
            out += b'\x03'
        return out[:size_at] + struct.pack('<I', len(out) - size_at - 4) + out[size_at + 4:]

    def value(self, out, base, value):
        if isinstance(value, str):
            return out + b'\x05\x01' + struct.pack('<H', len(utf16(value)) // 2) + utf16(value)
        if value[0] == 'sub':
            return out + b'\x0d' + struct.pack('<HB', value[1], value[2])
        if value[0] == 'opt':
            return out + b'\x0e' + struct.pack('<HB', value[1], value[2])
        if value[0] == 'char':
            return out + b'\x08' + struct.pack('<H', value[1])
        if value[0] == 'entity':
            return self.name(out + b'\x09', base, value[1])
        if value[0] == 'cdata':
            return out + b'\x07' + struct.pack('<H', len(utf16(value[1])) // 2) + utf16(value[1])
        return self.node(out, base, value)

    def instance(self, base, template, values):
        """A use of a template (a node), which is written where it is used first."""
        out = b'\x0f\x01\x01\x00\x0c\x01' + struct.pack('<I', 7)
        key = repr(template)
        if key in self.templates:
            out += struct.pack('<I', self.templates[key])
        else:
            at = base + len(out) + 4
            self.templates[key] = at
            out += struct.pack('<I', at)
            body = self.node(b'\x0f\x01\x01\x00', at + 24, template) + b'\0'
            out += struct.pack('<I16sI', 0, b'template of ours', len(body)) + body
        out += struct.pack('<I', len(values))
        for kind, data in values:
            out += struct.pack('<HBB', len(data), kind, 0)
        for kind, data in values:
            out += data
        return out + b'\0'

    def record(self, template, values, id_=None):
        """values: a list, or a function of the place where each begins (for XML within a value)."""
        at = len(self.data)
        id_ = self.next if id_ is None else id_
        self.next = id_ + 1
        binary = self.instance(at + 24, template, values)
        size = 24 + len(binary) + 4
        pad = -size % 8
        size += pad
        self.data += b'**\0\0' + struct.pack('<IQQ', size, id_, START + id_ * 10_000_000) + binary + b'\0' * pad
        self.data += struct.pack('<I', size)
        return at

    def bytes(self, free=None, last=None):
        data = bytearray(self.data)
        free = len(data) if free is None else free
        last = self.next - 1 if last is None else last
        head = struct.pack('<8sQQQQIIII', b'ElfChnk\0', self.first, last, self.first, last, 128, 0, free,
                           zlib.crc32(bytes(data[512:free])))
        data[:len(head)] = head
        data[124:128] = struct.pack('<I', zlib.crc32(bytes(data[:120] + data[128:512])))
        return bytes(data) + b'\0' * (CHUNK - len(data))


def file_of(*chunks, dirty=False):
    head = struct.pack('<8sQQQIHHHH', b'ElfFile\0', 0, max(len(chunks) - 1, 0), 1, 128, 1, 3, 4096, len(chunks))
    head = head.ljust(120, b'\0')[:120]
    head += struct.pack('<II', 1 if dirty else 0, zlib.crc32(head))
    return head.ljust(4096, b'\0') + b''.join(chunks)


def system(channel, event, *extra):
    return ('System', {}, [
        ('Provider', {'Name': 'Example-Provider', 'Guid': ('sub', 0, GUID)}, []),
        ('EventID', {'Qualifiers': ('opt', 1, U16)}, [('sub', 2, U16)]),
        ('TimeCreated', {'SystemTime': ('sub', 3, FILETIME)}, []),
        ('EventRecordID', {}, [('sub', 4, U64)]),
        ('Correlation', {'ActivityID': ('opt', 5, GUID)}, []),
        ('Channel', {}, [channel]),
        ('Computer', {}, ['pc1.example.com']),
        ('Security', {'UserID': ('opt', 6, SID)}, [])] + list(extra))


def event(channel, body):
    return ('Event', {'xmlns': NS}, [system(channel, 0), body])


def head_values(record, event_id, user=b'', qualifiers=b''):
    return [(GUID, bytes(range(16))), (U16 if qualifiers else NULL, qualifiers), (U16, struct.pack('<H', event_id)),
            (FILETIME, struct.pack('<Q', START + record * 10_000_000 + 1_234_567)), (U64, struct.pack('<Q', record)),
            (NULL, b''), (SID if user else NULL, user)]


def data(*names):
    return ('EventData', {}, [('Data', {'Name': n} if n else {}, [('sub', 7 + i, TEXT)]) for i, n in enumerate(names)])


SYSTEM_SID = bytes([1, 1, 0, 0, 0, 0, 0, 5]) + struct.pack('<I', 18)
USER_SID = bytes([1, 5, 0, 0, 0, 0, 0, 5]) + struct.pack('<5I', 21, 1, 2, 3, 500)
LOGON = event('Security', data('TargetUserName', 'IpAddress', 'LogonType'))


def logon(chunk, event_id, user, address, kind=3):
    n = chunk.next
    return chunk.record(LOGON, head_values(n, event_id, USER_SID) + [(TEXT, utf16(user)), (TEXT, utf16(address)),
                                                                      (U32, struct.pack('<I', kind))])


def types(chunk):
    names = ['I8', 'U8', 'I16', 'I32', 'I64', 'U64', 'F32', 'F64', 'True', 'Bin', 'Guid', 'Size', 'Sys', 'Sid', 'H32', 'H64', 'Ansi',
             'Nothing', 'Numbers', 'Texts']
    values = [(I8, b'\x80'), (U8, b'\xff'), (I16, struct.pack('<h', -2)), (I32, struct.pack('<i', -70000)),
              (I64, struct.pack('<q', -2**63)), (U64, struct.pack('<Q', 2**64 - 1)), (F32, struct.pack('<f', 1.5)),
              (F64, struct.pack('<d', -0.1)), (BOOL, struct.pack('<I', 1)), (BIN, b'\x00\xab\xff'), (GUID, bytes(range(16))),
              (SIZE, struct.pack('<Q', 0x1F)), (SYSTIME, struct.pack('<8H', 2026, 3, 3, 18, 12, 1, 2, 3)), (SID, SYSTEM_SID),
              (H32, struct.pack('<I', 0xC000006D)), (H64, struct.pack('<Q', 0x8020000000000000)), (ANSI, b'caf\xe9\0'), (NULL, b''),
              (ARRAY | U16, struct.pack('<3H', 1, 2, 3)), (ARRAY | TEXT, utf16('a b\0<c>\0\0'))]
    chunk.record(event('Application', data(*names)), head_values(chunk.next, 1000, b'', b'\0\x40') + values)
    text = ('EventData', {}, [('Data', {'Name': 'Text'}, ['a', ('char', 10), ('entity', 'amp'), ('cdata', '<b>'), ('sub', 7, TEXT)]),
                              ('Data', {'Name': 'Odd'}, [('sub', 8, TEXT)]), ('Binary', {}, [('sub', 9, BIN)])])
    chunk.record(event('Application', text), head_values(chunk.next, 1001) + [
        (TEXT, utf16('\ud800 \U0001F600 "&<>\r\n\t\x01\0\0')), (TEXT, utf16("</Data><Data Name='IpAddress'>192.0.2.1")), (BIN, b'')])
    # XML in a value: names and templates of its own.
    user = event('System', ('UserData', {}, [('sub', 7, XML)]))
    values = head_values(chunk.next, 104, SYSTEM_SID)
    # The value stands after the template, the descriptors and the values before it: found by writing it twice.
    probe = Chunk(chunk.first)
    probe.data, probe.names, probe.templates, probe.next = bytearray(chunk.data), dict(chunk.names), dict(chunk.templates), chunk.next
    at = len(probe.data) + 24
    binary = probe.instance(at, user, values + [(XML, b'')])
    inner_at = at + len(binary) - 1
    inner = probe.instance(inner_at, ('LogFileCleared', {'xmlns': 'urn:example'},
                                      [('SubjectUserName', {}, [('sub', 0, TEXT)]), ('Channel', {}, ['Security'])]),
                           [(TEXT, utf16('mallory'))])
    chunk.record(user, values + [(XML, inner)])
    chunk.names.update(probe.names)


def main(folder):
    folder = pathlib.Path(folder)
    one = Chunk(1)
    for i in range(3):
        logon(one, 4625, 'bob', '192.0.2.7')
    logon(one, 4624, 'bob', '192.0.2.7')
    types(one)
    two = Chunk(one.next)
    logon(two, 4634, 'bob', '-')
    (folder / 'types.in').write_bytes(file_of(one.bytes(), two.bytes(), b'\0' * CHUNK))

    # As copied off a running machine: the head of the last chunk is old, and what was there before lies behind.
    live = Chunk(1)
    for i in range(3):
        logon(live, 4625, 'carol', '198.51.100.%d' % i)
    old = len(live.data)
    stale = Chunk(900)
    stale.names, stale.templates, stale.data = dict(live.names), dict(live.templates), bytearray(live.data)
    logon(stale, 4625, 'stale', '203.0.113.1')
    (folder / 'dirty.in').write_bytes(file_of(stale.bytes(free=old - 40, last=1)[:8] + struct.pack('<QQQQ', 1, 1, 1, 1)
                                              + stale.bytes(free=old - 40)[40:], dirty=True))

    # Damaged: a record overwritten, a size that lies, a chunk of nonsense, a file that ends in the middle of a chunk.
    bad = Chunk(1)
    places = [logon(bad, 4625, 'dave', '192.0.2.%d' % i) for i in range(6)]
    text = bytearray(bad.bytes())
    text[places[2]:places[2] + 40] = b'\xff' * 40
    text[places[4] + 4:places[4] + 8] = struct.pack('<I', 60000)
    last = Chunk(7)
    logon(last, 4625, 'erin', '192.0.2.9')
    (folder / 'damaged.in').write_bytes(file_of(bytes(text), b'nonsense' * (CHUNK // 8), last.bytes()[:3000]))


if __name__ == '__main__':
    main(*(sys.argv[1:] or sys.exit(__doc__)))
