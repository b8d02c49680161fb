#!/usr/bin/env python3
"""corpus.py - large logs out of what this repository holds, for benchmarks where no real data is at hand.

  corpus.py {auth,web,windows} --mb 400 [--seed N] [--rate EVENTS_PER_SECOND] > auth.log

auth and web repeat the lines of examples/ssh-siege; times go on at the given rate, and every repetition has hosts,
users, addresses, ports and process ids of its own. windows repeats a handful of events written here in the form of
Sysmon and Security events as winlogbeat ships them, about 2 KB each. The output depends on the arguments only.
"""
import argparse
import datetime
import json
import pathlib
import random
import re
import sys

SIEGE = pathlib.Path(__file__).resolve().parent.parent / 'examples' / 'ssh-siege'
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
FIRST = 'ada ben cleo dan eve finn gus hana ivo jan kim lea max nora otto pia quin rosa sam tess uwe vera will zoe'.split()
LAST = 'abel berg costa diaz evans fuchs greco hahn ito jung kaya lopez mori nowak olsen patel ruiz silva tran weber'.split()

MARK = re.compile(rb'\x00(\w+)\x00')


def mark(name):
    return b'\x00' + name + b'\x00'


class Sample:
    """Lines with holes. A hole named T is the time, the same in one line; the others are one value per repetition."""

    def __init__(self, lines, stamp):
        self.stamp, self.lines = stamp, len(lines)
        self.pieces, self.holes = [], []            # (piece, line or None, name)
        for number, line in enumerate(lines):
            for n, part in enumerate(MARK.split(line)):
                if n % 2:
                    self.holes.append((len(self.pieces), number if part == b'T' else None, part))
                self.pieces.append(part)
        self.names = sorted({name for _, line, name in self.holes if line is None})

    def fill(self, values, first_line, rate, stamps):
        pieces = list(self.pieces)
        for at, line, name in self.holes:
            if line is None:
                pieces[at] = values[name]
            else:
                second = int((first_line + line) / rate)
                text = stamps.get(second)
                if text is None:
                    text = stamps[second] = self.stamp(START + datetime.timedelta(seconds=second))
                pieces[at] = text
        return b''.join(pieces)


class Names:
    """Turns what a sample names into holes: the same name, the same hole."""

    def __init__(self, prefix):
        self.prefix, self.known = prefix, {}

    def __call__(self, found):
        return mark(self.known.setdefault(found, self.prefix + str(len(self.known)).encode()))


def auth_sample():
    lines = (SIEGE / 'auth.log').read_bytes().splitlines(keepends=True)
    addresses, users, pids, ports = Names(b'A'), Names(b'U'), Names(b'P'), Names(b'O')
    people = {m for line in lines for m in re.findall(rb'(?:for|user|user=) ?(?:invalid user )?([a-z][a-z0-9_-]{2,}) from', line)}
    people |= {b'alice', b'bob', b'deploy', b'support'}
    person = re.compile(rb'\b(' + b'|'.join(sorted(people - {b'root'}, key=len, reverse=True)) + rb')\b')
    out = []
    for line in lines:
        line = mark(b'T') + line[15:].replace(b'web1', mark(b'H'))
        line = re.sub(rb'\b127(?:\.\d+){3}\b', lambda m: addresses(m[0]), line)
        line = re.sub(rb'\[(\d+)\]:', lambda m: b'[' + pids(m[1]) + b']:', line)
        line = re.sub(rb'\bport (\d{4,5})\b', lambda m: b'port ' + ports(m[1]), line)
        out.append(person.sub(lambda m: users(m[1]), line))
    return Sample(out, lambda time: time.strftime('%b ').encode() + b'%2d' % time.day + time.strftime(' %H:%M:%S').encode())


def web_sample():
    addresses, out = Names(b'A'), []
    for line in (SIEGE / 'access.log').read_bytes().splitlines(keepends=True):
        line = re.sub(rb'\[[^]]+\]', b'[' + mark(b'T') + b' +0000]', line, count=1)
        out.append(re.sub(rb'\b127(?:\.\d+){3}\b', lambda m: addresses(m[0]), line))
    return Sample(out, lambda time: time.strftime('%d/%b/%Y:%H:%M:%S').encode())


def windows_event(channel, event_id, kind, data):
    """One event as winlogbeat ships it: data, the same once more as message, and the envelope."""
    message = kind + ':\r\n' + '\r\n'.join(f'{name}: {value}' for name, value in data.items())
    sysmon = channel.endswith('Sysmon/Operational')
    event = {
        '@timestamp': '\0T\0.123Z', '@version': '1', 'Channel': channel, 'EventID': event_id, 'Hostname': '\0H\0.corp.example',
        'SourceName': 'Microsoft-Windows-Sysmon' if sysmon else 'Microsoft-Windows-Security-Auditing',
        'ProviderGuid': '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}' if sysmon else '{54849625-5478-4994-A5BA-3E3B0328C30D}',
        'EventReceivedTime': '\0T\0', 'EventTime': '\0T\0', 'EventType': 'INFO', 'Severity': 'INFO', 'SeverityValue': 2,
        'Keywords': -9223372036854775808, 'Opcode': 'Info', 'OpcodeValue': 0, 'Task': event_id, 'ThreadID': 4344,
        'ExecutionProcessID': 29440, 'RecordNumber': '\0P0\0', 'Category': f'{kind} (rule: {kind})', 'AccountName': 'SYSTEM',
        'AccountType': 'User', 'Domain': 'NT AUTHORITY', 'UserID': 'S-1-5-18', 'SourceModuleName': 'eventlog',
        'SourceModuleType': 'im_msvistalog', 'host': 'wec.corp.example', 'port': 53971, 'tags': ['forwarded'],
        'Message': message, **data}
    return json.dumps(event, separators=(',', ':')).replace('\\u0000', '\0').encode() + b'\n'


def windows_sample():
    system = 'C:\\Windows\\System32\\'
    who = {'User': 'CORP\\\0U0\0', 'LogonGuid': '{7B5F1A52-\0P1\0-68A2-0000-0020E7030000}', 'LogonId': '0x3e7'}
    process = {'UtcTime': '\0T\0.101', 'ProcessGuid': '{CD7AE748-\0P2\0-AC36-1A55-B3D6E16AAED6}', 'ProcessId': '\0P3\0'}
    hashes = ('SHA1=0A3F1E5D7C9B2468ACE013579BDF02468ACE1357,MD5=5F4DCC3B5AA765D61D8327DEB882CF99,'
              'SHA256=9B74C9897BAC770FFC029102A200C5DE9B74C9897BAC770FFC029102A200C5DE,IMPHASH=7FA974366048F9C551EF45714595665E')
    started = {'RuleName': '-', **process, 'Image': system + 'svchost.exe', 'FileVersion': '10.0.19041.1',
               'Description': 'Host Process for Windows Services', 'Product': 'Microsoft Windows Operating System',
               'Company': 'Microsoft Corporation', 'OriginalFileName': 'svchost.exe',
               'CommandLine': system + 'svchost.exe -k netsvcs -p -s Schedule', 'CurrentDirectory': system, **who,
               'IntegrityLevel': 'System', 'Hashes': hashes, 'ParentImage': system + 'services.exe',
               'ParentCommandLine': system + 'services.exe'}
    sysmon, security = 'Microsoft-Windows-Sysmon/Operational', 'Security'
    registry = {'RuleName': '-', **process, 'EventType': 'SetValue', 'Image': system + 'svchost.exe',
                'TargetObject': 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Diagnostics\\TraceManager\\StartTime',
                'Details': 'QWORD (0x00000000-0x00000000)', **who}
    loaded = {'RuleName': '-', **process, 'Image': system + 'wbem\\WmiPrvSE.exe', 'ImageLoaded': system + 'wbem\\fastprox.dll',
              'FileVersion': '10.0.19041.1', 'Description': 'WMI Custom Marshaller', 'Hashes': hashes, 'Signed': 'true',
              'Signature': 'Microsoft Windows', 'SignatureStatus': 'Valid', **who}
    connect = {'RuleName': '-', **process, 'Image': 'C:\\Program Files\\Browser\\browser.exe', **who, 'Protocol': 'tcp',
               'Initiated': 'true', 'SourceIp': '\0A0\0', 'SourceHostname': '\0H\0.corp.example', 'SourcePort': '\0O0\0',
               'DestinationIp': '\0A1\0', 'DestinationPort': '443', 'DestinationPortName': 'https'}
    access = {'RuleName': '-', **process, 'SourceImage': system + 'svchost.exe', 'TargetImage': system + 'lsass.exe',
              'GrantedAccess': '0x1000', 'CallTrace': ''.join(f'{system}ntdll.dll+{n}c534|' for n in range(1, 9)), **who}
    logon = {'SubjectUserSid': 'S-1-5-18', 'SubjectUserName': '\0H\0$', 'SubjectDomainName': 'CORP', 'SubjectLogonId': '0x3e7',
             'TargetUserSid': 'S-1-5-21-1-2-3-\0P4\0', 'TargetUserName': '\0U0\0', 'TargetDomainName': 'CORP',
             'TargetLogonId': '0x\0P1\0', 'LogonType': '3', 'LogonProcessName': 'Kerberos', 'IpAddress': '\0A0\0',
             'AuthenticationPackageName': 'Kerberos', 'WorkstationName': '-', 'ProcessName': '-', 'IpPort': '\0O0\0'}
    kinds = [(sysmon, 1, 'Process Create', started), (sysmon, 3, 'Network connection detected', connect),
             (sysmon, 7, 'Image loaded', loaded), (sysmon, 10, 'Process accessed', access),
             (sysmon, 13, 'Registry value set', registry), (security, 4624, 'An account was successfully logged on', logon)]
    order = [4, 2, 3, 4, 2, 1, 4, 5, 2, 0, 4, 3]
    return Sample([windows_event(*kinds[n]) for n in order], lambda time: time.strftime('%Y-%m-%dT%H:%M:%S').encode())


SAMPLES = {'auth': auth_sample, 'web': web_sample, 'windows': windows_sample}


def value(name, draw):
    kind = name[:1]
    if kind == b'A':
        return b'%d.%d.%d.%d' % (draw.randint(11, 223), draw.randint(0, 255), draw.randint(0, 255), draw.randint(1, 254))
    if kind == b'U':
        return (draw.choice(FIRST) + '.' + draw.choice(LAST)).encode()
    if kind == b'H':
        return b'srv-%04d' % draw.randint(0, 9999)
    return b'%d' % draw.randint(1024, 65535)          # process ids, ports


def generate(kind, size, seed, rate, write):
    sample, draw, stamps = SAMPLES[kind](), random.Random(seed), {}
    done = line = 0
    while done < size:
        values = {name: value(name, draw) for name in sample.names}
        text = sample.fill(values, line, rate, stamps)
        if done + len(text) > size:
            text = text[:text.rfind(b'\n', 0, size - done) + 1]
            if not text:
                break
        if len(stamps) > 100000:
            stamps.clear()
        write(text)
        done += len(text)
        line += sample.lines
    return done


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('kind', choices=sorted(SAMPLES))
    p.add_argument('--mb', type=float, default=400)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--rate', type=float, default=5000)
    a = p.parse_args()
    generate(a.kind, int(a.mb * 1e6), a.seed, a.rate, sys.stdout.buffer.write)


if __name__ == '__main__':
    main()
