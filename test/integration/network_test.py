#!/usr/bin/python3
"""Network sources, fed by the real senders: curl for Splunk HEC, Elastic _bulk, OTLP and lines; rsyslog and syslog-ng for
syslog over TLS."""
import calendar
import gzip
import json
import shutil
import socket
import ssl
import time

import harness as h

RULE = '''title: Everything of one address
id: 5a0cf7f6-64d3-4c1c-9d5b-0f6d1b8f5f11
description: Test
logsource: {product: zeek, service: conn}
detection:
  all: {src_ip|startswith: "192.0.2."}
  condition: all
level: low
'''


SSHD_RULE = RULE.replace('{product: zeek, service: conn}', '{product: linux, service: sshd}').replace('8f5f11', '8f5f12')


def start(folder, sources, rule=RULE):
    (folder / 'rules').mkdir(exist_ok=True)
    (folder / 'rules' / 'all.yml').write_text(rule)
    (folder / 'vedette.yaml').write_text(
        'state: %s/state\nlateness: 1s\nrules:\n  paths: [%s/rules]\nsources:\n%s\noutputs:\n'
        '  - {name: out, type: file, path: %s/alerts.ndjson}\n' % (folder, folder, sources, folder))
    server = h.Server([vedette, 'run', '--config', folder / 'vedette.yaml', '--checkpoint-every', '200ms'], folder=folder)
    h.wait_for(lambda: h.status(folder) is not None or not server.alive(), what='the service answers')
    return server


def alerts(folder):
    path = folder / 'alerts.ndjson'
    return [json.loads(l) for l in path.read_text().splitlines()] if path.exists() else []


def events(folder):
    s = h.status(folder)
    return s['ledger']['events'] if s else -1


def conn(n, **more):
    return {'ts': 1, 'uid': 'C%d' % n, 'conn_state': 'SF', 'id.orig_h': '192.0.2.%d' % n, **more}


def curl(url, body, *options):
    r = h.run(['curl', '-s', '-w', '\n%{http_code}', '--max-time', '20', '--data-binary', '@-', *options, url], stdin=body)
    text, _, code = r.out.decode().rpartition('\n')
    return int(code), text


def http_source():
    folder, port = h.temp(), h.free_port()
    server = start(folder, '  - {name: collect, type: http, listen: "http://127.0.0.1:%d", '
                           'tokens: ["web=secret-web", "app=secret-app"]}' % port)
    url = 'http://127.0.0.1:%d' % port
    splunk, bearer = ['-H', 'Authorization: Splunk secret-web'], ['-H', 'Authorization: Bearer secret-app']
    body = ''.join(json.dumps({'time': 1700000000 + n, 'host': 'web1', 'event': conn(n)}) for n in range(1, 6)).encode()
    h.equal('HEC takes five events in one body', curl(url + '/services/collector', body, *splunk),
            (200, '{"text":"Success","code":0}'))
    body = gzip.compress(json.dumps({'event': conn(6), 'time': '1700000006.5'}).encode())
    code, text = curl(url + '/services/collector/event?channel=0aeeac95', body, '-H', 'Content-Encoding: gzip', *splunk)
    h.check('HEC with a channel gives an ackId', code == 200 and 'ackId' in json.loads(text), text)
    code, acks = curl(url + '/services/collector/ack?channel=0aeeac95', json.dumps({'acks': [json.loads(text)['ackId']]}).encode(), *splunk)
    h.equal('... which is true', list(json.loads(acks)['acks'].values()), [True])
    h.equal('HEC without token', curl(url + '/services/collector', b'{}')[0], 401)
    h.equal('HEC with a wrong one', curl(url + '/services/collector', b'{}', '-H', 'Authorization: Splunk no')[0] in (401, 403), True)

    bulk = ''.join('{"create":{"_index":"logs"}}\n%s\n' % json.dumps(conn(n, ts=1700000100 + n)) for n in (11, 12)).encode()
    for name, send, options in (('plain', bulk, []), ('gzip', gzip.compress(bulk), ['-H', 'Content-Encoding: gzip'])):
        code, text = curl(url + '/_bulk', send, '-H', 'Content-Type: application/x-ndjson', *bearer, *options)
        answer = json.loads(text)
        h.equal('_bulk, %s' % name, (code, answer['errors'], [i['create']['status'] for i in answer['items']]), (200, False, [201, 201]))
    r = h.run(['curl', '-s', '-i', url + '/', *bearer])
    h.check('shippers see Elasticsearch', b'X-Elastic-Product: Elasticsearch' in r.out and b'"number":"8.' in r.out, r.out.decode())
    for path in ('/_license', '/_xpack', '/_index_template/filebeat-8.11.0', '/_ilm/policy/filebeat'):
        h.equal('GET %s' % path, h.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', url + path, *bearer]).out, b'200')

    def value(v):
        return {'stringValue': v} if isinstance(v, str) else {'intValue': str(v)}

    otlp = {'resourceLogs': [{'resource': {'attributes': [{'key': 'host.name', 'value': {'stringValue': 'web1'}}]}, 'scopeLogs': [{'logRecords': [
        {'timeUnixNano': '1700000200000000000', 'body': {'kvlistValue': {'values': [{'key': k, 'value': value(v)} for k, v in conn(21).items()]}}}]}]}]}
    h.equal('OTLP as JSON', curl(url + '/v1/logs', json.dumps(otlp).encode(), '-H', 'Content-Type: application/json', *bearer), (200, '{"partialSuccess":{}}'))
    h.equal('lines', curl(url + '/ingest', json.dumps(conn(31, ts=1700000300)).encode() + b'\n', *bearer)[0], 200)

    want = {'192.0.2.%d' % n: t for n, t in [(n, 1700000000 + n) for n in range(1, 6)] + [(6, 1700000006.5)] +
            [(11, 1700000111), (12, 1700000112), (21, 1700000200), (31, 1700000300)]}
    h.wait_for(lambda: events(folder) == 12, what='twelve events are read: %s' % h.status(folder))
    def seconds(text):
        whole, _, part = text.rstrip('Z').partition('.')
        return calendar.timegm(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) + (float('0.' + part) if part else 0)

    def seen():
        return {json.loads(e['raw']).get('id.orig_h'): seconds(e['time']) for a in alerts(folder) for e in a['evidence']}
    h.wait_for(lambda: len(seen()) == len(want), what='every address in an alert: %s' % sorted(seen()))
    h.equal('each event has the time its sender said', seen(), want)
    ids = {e['id'].split('#')[0].rpartition('/')[2] for a in alerts(folder) for e in a['evidence']}
    h.equal('ids tell the token', ids, {'web', 'app'})

    # What was answered with 200 survives kill -9, at once after the answer.
    for n in range(40, 45):
        h.equal('one more', curl(url + '/ingest', json.dumps(conn(n, ts=1700000400 + n)).encode(), *bearer)[0], 200)
    server.kill()
    server = start(folder, '  - {name: collect, type: http, listen: "http://127.0.0.1:%d", '
                           'tokens: ["web=secret-web", "app=secret-app"]}' % port)
    h.wait_for(lambda: {'192.0.2.%d' % n for n in range(40, 45)} <= set(seen()), what='the last five are there after kill -9')
    h.equal('nothing twice', len(alerts(folder)), len({a['id'] for a in alerts(folder)}))
    h.equal('a clean stop', server.stop(), 0)


def certificates(folder):
    """An authority, a server's and a client's certificate of it, and a stranger's."""
    folder.mkdir()
    r = h.run(['bash', '-euc', r"""
        cd "$0"; exec 2>&1
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj /CN=$1; }
        for ca in ca other; do
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $ca.key -out $ca.pem -subj /CN=$ca -days 2
        done
        printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > san
        new server; new client; new stranger
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile san
        openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.pem -days 2
        openssl x509 -req -in stranger.csr -CA other.pem -CAkey other.key -CAcreateserial -out stranger.pem -days 2
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out renewed.pem -days 3 -extfile san
        """, folder])
    if r.code != 0:
        raise RuntimeError(r.out.decode())
    return folder


class TlsClient:
    def __init__(self, port, certs, identity='client'):
        context = ssl.create_default_context(cafile=str(certs / 'ca.pem'))
        if identity:
            context.load_cert_chain(certs / (identity + '.pem'), certs / (identity + '.key'))
        self.socket = context.wrap_socket(socket.create_connection(('127.0.0.1', port), 5), server_hostname='localhost')

    def send(self, *messages):
        self.socket.sendall(b''.join(b'%d %s' % (len(m), m) for m in messages))

    def refused(self):
        """TLS 1.3 tells a client of its bad certificate only when it reads."""
        try:
            self.socket.settimeout(5)
            return self.socket.recv(1) == b''
        except ssl.SSLError:
            return True
        except socket.timeout:
            return False


def serial(port, certs):
    client = TlsClient(port, certs)
    number = client.socket.getpeercert()['serialNumber']
    client.socket.close()
    return number


def https_source():
    folder, port = h.temp(), h.free_port()
    certs = certificates(folder / 'certs')
    shutil.copy(certs / 'server.pem', certs / 'used.pem')
    server = start(folder, '  - {name: collect, type: http, listen: "https://127.0.0.1:%d", tokens: ["web=secret-web"], tls_cert: "%s/used.pem", '
                           'tls_key: "%s/server.key", tls_ca: "%s/ca.pem", tls_client: required}' % (port, certs, certs, certs))
    url, trust = 'https://localhost:%d/ingest' % port, ['--cacert', certs / 'ca.pem', '-H', 'Authorization: Bearer secret-web']

    def identity(name):
        return ['--cert', certs / (name + '.pem'), '--key', certs / (name + '.key')]
    body = json.dumps(conn(1)).encode()
    h.equal('https with a certificate', curl(url, body, *trust, *identity('client'))[0], 200)
    h.check('not without', curl(url, body, *trust)[0] in (0, 403))
    h.check('not with a certificate of another authority', curl(url, body, *trust, *identity('stranger'))[0] in (0, 403))
    h.equal('not without a token', curl(url, body, *trust[:2], *identity('client'))[0], 401)
    big = b''.join(json.dumps(conn(n % 250)).encode() + b'\n' for n in range(20000))
    h.equal('a large body', curl(url, big, *trust, *identity('client'))[0], 200)
    old = TlsClient(port, certs)
    before = old.socket.getpeercert()['serialNumber']
    shutil.copy(certs / 'renewed.pem', certs / 'next.pem')
    (certs / 'next.pem').rename(certs / 'used.pem')
    h.wait_for(lambda: serial(port, certs) != before, timeout=25, what='the renewed certificate is shown', step=0.5)
    old.socket.sendall(b'POST /ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret-web\r\nContent-Length: 2\r\n\r\nx\n')
    h.check('an open connection goes on', old.socket.recv(100).startswith(b'HTTP/1.1 200'))
    h.equal('and new ones', curl(url, body, *trust, *identity('client'))[0], 200)
    h.wait_for(lambda: events(folder) == 20003, what='all are read: %s' % h.status(folder))
    h.equal('a clean stop', server.stop(), 0)


def sshd(n):
    return b'<38>1 2026-03-27T13:06:%02dZ web1 sshd %d - - Failed password for root from 192.0.2.%d port 22 ssh2' % (n % 60, n, n)


def tls_source():
    folder, port = h.temp(), h.free_port()
    certs = certificates(folder / 'certs')
    shutil.copy(certs / 'server.pem', certs / 'used.pem')
    source = ('  - {name: net, type: syslog, listen: ["tls://127.0.0.1:%d"], tls_cert: "%s/used.pem", tls_key: "%s/server.key", '
              'tls_ca: "%s/ca.pem", tls_client: required}' % (port, certs, certs, certs))
    server = start(folder, source, SSHD_RULE)
    try:
        TlsClient(port, certs, None).socket.recv(1)
        h.check('nobody without a certificate', False)
    except ssl.SSLError:
        h.check('nobody without a certificate', True)
    try:
        h.check('nobody with a certificate of another authority', TlsClient(port, certs, 'stranger').refused())
    except ssl.SSLError:
        h.check('nobody with a certificate of another authority', True)
    with socket.create_connection(('127.0.0.1', port), 5) as plain:  # no TLS at all
        plain.sendall(sshd(1) + b'\n')
        try:
            h.check('nobody without TLS', plain.recv(100)[:1] in (b'', b'\x15'))
        except ConnectionResetError:
            h.check('nobody without TLS', True)
    client = TlsClient(port, certs)
    client.send(sshd(1), sshd(2))
    for byte in b'%d %s' % (len(sshd(3)), sshd(3)):
        client.socket.sendall(bytes([byte]))
    many = [sshd(n) for n in range(4, 200)]
    client.send(*many)
    h.wait_for(lambda: events(folder) == 199, what='199 messages: %s' % h.status(folder))
    before = serial(port, certs)
    shutil.copy(certs / 'renewed.pem', certs / 'next.pem')
    (certs / 'next.pem').rename(certs / 'used.pem')
    h.wait_for(lambda: serial(port, certs) != before, timeout=25, what='the renewed certificate is shown', step=0.5)
    client.send(sshd(200))
    h.wait_for(lambda: events(folder) == 200, what='the old connection goes on')
    (certs / 'used.pem').write_text('no certificate')
    time.sleep(0.1)
    client.socket.close()

    want = 200
    for name, begin in (('rsyslog', rsyslog), ('syslog-ng', syslog_ng)):
        if not shutil.which({'rsyslog': 'rsyslogd'}.get(name, name)):
            h.skip_part(name, 'not installed (Debian lets only one of rsyslog and syslog-ng be)')
            continue
        into = h.free_port(socket.SOCK_DGRAM)
        sender = begin(folder, into, port, certs)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            def send(n):
                s.sendto(sshd(n).replace(b'web1', name.encode()), ('127.0.0.1', into))
            # It may not listen yet: the first one is sent until it comes through.
            def first():
                send(201)
                return events(folder) > want
            h.wait_for(first, what='%s sends over TLS: %s' % (name, sender.errors()[-500:]), step=0.2)
            time.sleep(1)
            now = events(folder)
            for n in range(210, 250):
                send(n)
            h.wait_for(lambda: events(folder) >= now + 40, what='forty more of %s' % name)
            want = now + 40
            h.equal('%s: forty more and no others' % name, events(folder), want)
        h.equal('%s stops' % name, sender.stop() in (0, -15), True)
    s = h.status(folder)['ledger']
    h.equal('all were understood', s['unknown'], 0)
    h.wait_for(lambda: len({tuple(a['key'].values()) for a in alerts(folder)}) >= 200 or len(alerts(folder)) >= 200, what='alerts')
    hosts = {json.loads(json.dumps(e))['raw'].split()[2] for a in alerts(folder) for e in a['evidence']}
    h.check('of each sender', {'web1'} <= hosts, hosts)
    h.equal('a clean stop', server.stop(), 0)


def rsyslog(folder, into, port, certs):
    (folder / 'rsyslog').mkdir()
    conf = folder / 'rsyslog' / 'rsyslog.conf'
    conf.write_text("""
global(workDirectory="%(work)s" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="%(certs)s/ca.pem"
       DefaultNetstreamDriverCertFile="%(certs)s/client.pem" DefaultNetstreamDriverKeyFile="%(certs)s/client.key")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%(into)d")
action(type="omfwd" target="127.0.0.1" port="%(port)d" protocol="tcp" TCP_Framing="octet-counted"
       template="RSYSLOG_SyslogProtocol23Format" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"
       action.resumeInterval="1" action.resumeRetryCount="-1")
""" % dict(work=folder / 'rsyslog', certs=certs, into=into, port=port))
    return h.Server(['rsyslogd', '-n', '-f', conf, '-i', folder / 'rsyslog' / 'pid'], folder=folder / 'rsyslog')


def syslog_ng(folder, into, port, certs):
    (folder / 'ng').mkdir()
    conf = folder / 'ng' / 'ng.conf'
    conf.write_text("""@version: 3.38
source in { network(ip("127.0.0.1") port(%(into)d) transport("udp") flags(syslog-protocol)); };
destination out { syslog("127.0.0.1" port(%(port)d) transport("tls") tls(ca-file("%(certs)s/ca.pem")
  cert-file("%(certs)s/client.pem") key-file("%(certs)s/client.key") peer-verify(required-trusted))); };
log { source(in); destination(out); };
""" % dict(certs=certs, into=into, port=port))
    work = folder / 'ng'
    return h.Server(['syslog-ng', '-F', '-f', conf, '-R', work / 'persist', '-p', work / 'pid', '-c', work / 'ctl',
                     '--no-caps'], folder=work)


vedette = h.binary()
if not shutil.which('curl'):
    h.skip('no curl')
with h.part('http'):
    http_source()
with h.part('https'):
    https_source()
with h.part('syslog over TLS'):
    tls_source()
h.finish()
